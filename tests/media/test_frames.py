"""Frames of videos of every kind, which are sampled, and what ``probe`` says."""

from __future__ import annotations

import threading
from collections.abc import Generator
from fractions import Fraction
from pathlib import Path
from typing import cast
from unittest.mock import patch

import numpy as np
import psutil
import pytest

from lib.core.errors import SettingsError, VideoUnreadableError
from lib.core.sampling import Sampling
from lib.media.frames import Frame, FrameReader, frame_at, probe
from tests.helpers.frames import assert_colours, read_frames
from tests.helpers.videos import make_video, palette, set_edit_list

KINDS = [
    ("mp4", "libx264", "yuv420p"),
    ("mov", "libx264", "yuv420p"),
    ("mkv", "libx264", "yuv420p"),
    ("avi", "libx264", "yuv420p"),
    ("ts", "libx264", "yuv420p"),
    ("mp4", "libx264", "yuv420p10le"),
    ("mp4", "libx264", "yuv422p"),
    ("mp4", "libx264", "yuv444p"),
    ("mp4", "libx265", "yuv420p"),
    ("mkv", "libx265", "yuv420p10le"),
    ("webm", "libvpx", "yuv420p"),
    ("webm", "libvpx-vp9", "yuv420p"),
    ("mp4", "libvpx-vp9", "yuv420p"),
    ("mp4", "libsvtav1", "yuv420p"),
    ("webm", "libsvtav1", "yuv420p"),
    ("mkv", "libsvtav1", "yuv420p10le"),
    ("avi", "mpeg4", "yuv420p"),
    ("mp4", "mpeg4", "yuv420p"),
    ("mkv", "mpeg4", "yuv420p"),
    ("mov", "prores_ks", "yuv422p10le"),
]
KIND_IDS = ["-".join(kind) for kind in KINDS]
REORDERED = [
    pytest.param(suffix, codec, id=f"{suffix}-{codec}")
    for suffix in ("mp4", "mkv", "avi", "ts")
    for codec in ("libx264", "mpeg4")
]


def rounded_to_ms(suffix: str, times: list[Fraction]) -> list[float]:
    """Times as the container can hold them: Matroska and WebM count milliseconds."""
    if suffix in ("mkv", "webm"):
        times = [Fraction(round(time * 1000), 1000) for time in times]
    return [float(time) for time in times]


@pytest.mark.parametrize(("suffix", "codec", "pixel_format"), KINDS, ids=KIND_IDS)
def test_each_kind_of_video_gives_its_times_and_colours(
    suffix: str, codec: str, pixel_format: str, tmp_path: Path
) -> None:
    path = make_video(
        tmp_path / f"a.{suffix}", colours=palette(12), rate=25, codec=codec, pixel_format=pixel_format,
        gop=1 if codec == "libsvtav1" else 12,  # its predicted frames change flat colours too much to compare
    )  # fmt: skip
    frames, reader = read_frames(path)
    assert [frame.index for frame in frames] == list(range(12))
    assert [frame.time_s for frame in frames] == [i / 25 for i in range(12)]
    assert_colours(frames, palette(12))
    assert (reader.frames_decoded, reader.damage) == (12, None)
    assert reader.end_s == pytest.approx(12 / 25, abs=1e-9)


@pytest.mark.parametrize(("suffix", "codec"), REORDERED)
def test_reordered_frames_come_in_the_order_of_display(suffix: str, codec: str, tmp_path: Path) -> None:
    path = make_video(
        tmp_path / f"a.{suffix}", colours=palette(20), rate=24, codec=codec, b_frames=2, gop=9,
        options={"sc_threshold": "1000000000"} if codec == "mpeg4" else {"sc_threshold": "0", "b_adapt": "0"},
    )  # fmt: skip
    frames, _ = read_frames(path)
    assert [frame.time_s for frame in frames] == rounded_to_ms(suffix, [Fraction(i, 24) for i in range(20)])
    assert_colours(frames, palette(20))


VARIABLE = [Fraction(n, 1000) for n in (0, 40, 50, 55, 300, 301, 1000, 2500, 2533, 2567, 4000, 4001, 4100, 4500, 5000)]


@pytest.mark.parametrize("stride", [1, 2, 7, 10, 29, 30, 31, 1000])
def test_a_stride_takes_every_nth_decoded_frame(stride: int, tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", colours=palette(30), rate=Fraction(30000, 1001), b_frames=2)
    frames, reader = read_frames(path, Sampling.every(stride))
    assert [frame.index for frame in frames] == list(range(0, 30, stride))
    assert [frame.time_s for frame in frames] == [float(Fraction(i * 1001, 30000)) for i in range(0, 30, stride)]
    assert reader.frames_decoded == 30


def slow_picks(times: list[Fraction], rate: Fraction) -> list[int]:
    """The rule word by word: for each k the first frame at or after k / rate, each frame once."""
    picks: list[int] = []
    k = 0
    while k / rate <= times[-1]:
        first = next(i for i, time in enumerate(times) if time >= k / rate)
        if first not in picks:
            picks.append(first)
        k += 1
    return picks


@pytest.mark.parametrize("fps", [Fraction(1, 2), 1, 3, Fraction(7, 2), 10, 24, 100])
@pytest.mark.parametrize("times", [VARIABLE, [Fraction(i, 24) for i in range(40)]], ids=["variable", "constant"])
def test_frames_a_second_take_the_first_frame_at_or_after_each_tick(
    fps: Fraction, times: list[Fraction], tmp_path: Path
) -> None:
    path = make_video(tmp_path / "a.mp4", colours=palette(len(times)), times=times)
    frames, _ = read_frames(path, Sampling.per_second(Fraction(fps)))
    assert [frame.index for frame in frames] == slow_picks(times, Fraction(fps))
    assert [frame.time_s for frame in frames] == [float(times[frame.index]) for frame in frames]


def test_a_reader_is_iterated_once(tmp_path: Path) -> None:
    with FrameReader(make_video(tmp_path / "a.mp4"), Sampling.every(5)) as reader:
        list(reader)
        with pytest.raises(RuntimeError, match="can be iterated once"):
            list(reader)


def test_the_position_can_be_followed_while_reading(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", colours=palette(24))
    with FrameReader(path, Sampling.every(6)) as reader:
        positions = [(reader.frames_decoded, reader.end_s) for _ in reader]
    assert positions == sorted(positions)
    for (decoded, end_s), index in zip(positions, (0, 6, 12, 18), strict=True):
        assert index < decoded <= 24
        assert end_s == pytest.approx(decoded / 24)


def _converting() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("convert")]


def test_the_second_thread_ends_with_the_iteration(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", colours=palette(48))
    with FrameReader(path, Sampling.every(2)) as reader:
        frames = cast(Generator[Frame, None, None], iter(reader))
        assert [next(frames).index for _ in range(3)] == [0, 2, 4]
        assert _converting()
        frames.close()
    assert not _converting()


def test_an_error_of_the_second_thread_comes_out_as_one_of_the_file(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", colours=palette(48))
    pictures = [np.zeros((2, 2, 3), np.uint8)] * 3
    with (
        patch("lib.media.frames.FrameConverter.rgb", side_effect=[*pictures, ValueError("odd")]),
        FrameReader(path, Sampling.every(2)) as reader,
    ):
        frames = iter(reader)
        assert [next(frames).index for _ in range(3)] == [0, 2, 4]
        with pytest.raises(VideoUnreadableError, match=r"can't be read as a video \(odd\)"):
            next(frames)
    assert not _converting()


@pytest.mark.parametrize(("most_bytes", "ahead"), [(1, 0), (1 << 30, 3)])
def test_frames_that_wait_to_be_pictures_are_bounded_by_their_bytes(
    most_bytes: int, ahead: int, tmp_path: Path
) -> None:
    path = make_video(tmp_path / "a.mp4", colours=palette(24))
    with patch("lib.media.frames._AHEAD_BYTES", most_bytes), FrameReader(path, Sampling.every(1)) as reader:
        decoded = [reader.frames_decoded - frame.index - 1 for frame in reader]
    assert decoded[:20] == [ahead] * 20


RESUMABLE = {
    "b-frames.mp4": {"b_frames": 2, "options": {"sc_threshold": "0"}},
    "open-groups.mp4": {"b_frames": 3, "options": {"sc_threshold": "0", "x264-params": "open-gop=1"}},
    "variable.mp4": {"b_frames": 2, "times": [Fraction(i * i + 3 * i, 300) for i in range(60)]},
    "late.mp4": {"start": 0.5, "b_frames": 2},
    "fragments.mp4": {"b_frames": 2, "container_options": {"movflags": "frag_keyframe+empty_moov"}},
    "b-frames.mkv": {"b_frames": 2, "options": {"sc_threshold": "0"}},
    "hevc.mkv": {"codec": "libx265", "b_frames": 2},
    "vp9.webm": {"codec": "libvpx-vp9"},
    "av1.mp4": {"codec": "libsvtav1"},
    "mpeg4.mkv": {"codec": "mpeg4", "b_frames": 2},
    "sound.mp4": {"audio": "aac", "b_frames": 2},
}
FROM_START = {"mpeg4.avi": {"codec": "mpeg4", "b_frames": 2}, "b-frames.ts": {"b_frames": 2}}


@pytest.mark.parametrize("sampling", [Sampling.every(4), Sampling.per_second("3.5")], ids=lambda s: s.key)
@pytest.mark.parametrize("name", [*RESUMABLE, *FROM_START])
def test_resuming_gives_the_samples_of_an_uninterrupted_run(name: str, sampling: Sampling, tmp_path: Path) -> None:
    path = make_video(tmp_path / name, colours=palette(60), gop=9, **{**RESUMABLE, **FROM_START}[name])
    whole, first = read_frames(path, sampling)
    assert len(whole) >= 4
    seeked = 0
    for number, last in enumerate(whole, start=1):
        rest, second = read_frames(path, sampling, resume_after=(last.index, last.time_s))
        assert [(f.index, f.time_s) for f in rest] == [(f.index, f.time_s) for f in whole[number:]]
        for resumed, original in zip(rest, whole[number:], strict=True):
            np.testing.assert_array_equal(resumed.image, original.image)
        assert (second.end_s, second.frames_decoded) == (first.end_s, first.frames_decoded)
        seeked += second.has_seeked
    assert seeked >= len(whole) // 2 if name in RESUMABLE else seeked == 0


def test_resuming_behind_an_edit_list(tmp_path: Path) -> None:
    path = set_edit_list(make_video(tmp_path / "a.mp4", colours=palette(48), gop=9), [(1.5, 6144)])
    whole, _ = read_frames(path, Sampling.every(5))
    rest, reader = read_frames(path, Sampling.every(5), resume_after=(whole[3].index, whole[3].time_s))
    assert reader.has_seeked
    assert [(f.index, f.time_s) for f in rest] == [(f.index, f.time_s) for f in whole[4:]]


@pytest.mark.parametrize("time_s", [0.40001, 0.0, -1.0, 1e6])
def test_a_sample_that_cant_be_identified_is_found_by_counting(time_s: float, tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", colours=palette(24))
    rest, reader = read_frames(path, Sampling.every(5), resume_after=(10, time_s))
    assert not reader.has_seeked
    assert [frame.index for frame in rest] == [15, 20]


def test_nothing_is_left_after_the_last_sample(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", colours=palette(24))
    rest, reader = read_frames(path, Sampling.every(10), resume_after=(20, 20 / 24))
    assert rest == []
    assert (reader.end_s, reader.frames_decoded, reader.damage) == (1.0, 24, None)


def test_memory_stays_flat_however_long_the_video_is(tmp_path: Path) -> None:
    image = np.zeros((360, 640, 3), np.uint8)
    path = make_video(
        tmp_path / "a.mp4", images=(image for _ in range(900)), size=(640, 360), gop=30,
        options={"preset": "ultrafast", "crf": "40"},
    )  # fmt: skip
    process, used = psutil.Process(), []
    with FrameReader(path, Sampling.every(10), short_side=224) as reader:
        for frame in reader:
            if frame.index in (200, 890):
                used.append(process.memory_info().rss)
    assert used[1] - used[0] < 8 * 2**20  # all 69 pictures in between would be 18 MB, the frames 230 MB


@pytest.mark.parametrize("short_side", [0, -1, 5000])
def test_a_short_side_out_of_range_is_refused(short_side: int, tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4")
    with pytest.raises(SettingsError, match=f"Pictures can't be {short_side} pixels wide; choose 1 to 4096"):
        FrameReader(path, Sampling.every(1), short_side=short_side)


@pytest.mark.parametrize(
    ("suffix", "codec", "pixel_format", "plays"),
    [
        ("mp4", "libx264", "yuv420p", True),
        ("mov", "libx264", "yuv420p", True),
        ("webm", "libvpx-vp9", "yuv420p", True),
        ("webm", "libsvtav1", "yuv420p", True),
        ("mkv", "libsvtav1", "yuv420p", False),
        ("mp4", "libx264", "yuv420p10le", False),
        ("mp4", "libx264", "yuv422p", False),
        ("mp4", "libx264", "yuv444p", False),
        ("mp4", "libx265", "yuv420p", False),
        ("mp4", "mpeg4", "yuv420p", False),
        ("mov", "prores_ks", "yuv422p10le", False),
        ("mkv", "libx264", "yuv420p", False),
        ("avi", "libx264", "yuv420p", False),
        ("ts", "libx264", "yuv420p", False),
    ],
)
def test_probe_names_the_container_and_says_whether_browsers_play_it(
    suffix: str, codec: str, pixel_format: str, plays: bool, tmp_path: Path
) -> None:
    path = make_video(tmp_path / f"a.{suffix}", colours=palette(4), codec=codec, pixel_format=pixel_format)
    info = probe(path)
    assert info.container == ("mpegts" if suffix == "ts" else suffix)
    assert info.browser_playable is plays


def test_probe_says_what_the_file_is(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a clip: ä.mp4", colours=palette(48), size=(160, 90), rate=Fraction(30000, 1001))
    info = probe(path)
    assert info.path == path
    assert info.size_bytes == path.stat().st_size
    assert (info.width, info.height, info.rotation) == (160, 90, 0)
    assert (info.codec, info.pixel_format, info.container) == ("h264", "yuv420p", "mp4")
    assert (info.rate, info.variable_rate, info.frame_count) == (Fraction(30000, 1001), False, 48)
    assert info.duration_s == pytest.approx(48 * 1001 / 30000)


def test_frame_at_gives_the_frame_that_is_shown_at_that_time(tmp_path: Path) -> None:
    times = [Fraction(ms, 1000) for ms in (100, 140, 150, 400, 1000, 1040)]
    path = make_video(tmp_path / "a.mp4", colours=palette(6), times=times, gop=3, b_frames=1)
    for at, index in ((0, 0), (0.1, 0), (0.139, 0), (0.14, 1), (0.16, 2), (0.999, 3), (1.0, 4), (99, 5)):
        frame = frame_at(path, at)
        assert frame.time_s == float(times[index])
        assert_colours([frame], [palette(6)[index]])


@pytest.mark.parametrize(
    ("suffix", "codec"), [("mp4", "libx264"), ("mkv", "libx265"), ("webm", "libvpx-vp9"), ("avi", "mpeg4")]
)
def test_frame_at_finds_each_frame_by_its_own_time(suffix: str, codec: str, tmp_path: Path) -> None:
    path = make_video(
        tmp_path / f"a.{suffix}",
        colours=palette(30),
        codec=codec,
        gop=7,
        rate=Fraction(30000, 1001),
        b_frames=2,
    )
    for frame in read_frames(path)[0]:
        alone = frame_at(path, frame.time_s, short_side=48)
        assert alone.time_s == frame.time_s
        np.testing.assert_array_equal(alone.image, frame.image)
