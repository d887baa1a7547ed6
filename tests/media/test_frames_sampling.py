"""Sampling, resuming, odd clocks and bounded memory of ``FrameReader``."""

from __future__ import annotations

import struct
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.core.sampling import Sampling
from lib.media.containers import Family
from lib.media.frames import Frame, FrameReader, probe
from lib.media.timestamps import TimestampReconstructor
from tests.helpers.videos import find_box, make_video, palette, set_edit_list

VFR = [
    Fraction(n, 1000) for n in (0, 40, 50, 55, 300, 301, 1000, 2500, 2533, 2567, 4000, 4001, 4100, 4500, 5000)
]


def read(path: Path, sampling: Sampling, **options: Any) -> tuple[list[Frame], FrameReader]:
    with FrameReader(path, sampling, short_side=48, **options) as reader:
        return list(reader), reader


@pytest.mark.parametrize("stride", [1, 2, 7, 10, 29, 30, 31, 1000])
def test_a_stride_takes_every_nth_decoded_frame(stride: int, tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", colours=palette(30), rate=Fraction(30000, 1001), b_frames=2)
    frames, reader = read(path, Sampling.every(stride))
    assert [frame.index for frame in frames] == list(range(0, 30, stride))
    assert [frame.time_s for frame in frames] == [
        float(Fraction(i * 1001, 30000)) for i in range(0, 30, stride)
    ]
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
@pytest.mark.parametrize("times", [VFR, [Fraction(i, 24) for i in range(40)]], ids=["variable", "constant"])
def test_frames_a_second_take_the_first_frame_at_or_after_each_tick(
    fps: Fraction, times: list[Fraction], tmp_path: Path
) -> None:
    path = make_video(tmp_path / "a.mp4", colours=palette(len(times)), times=times)
    frames, _ = read(path, Sampling.per_second(Fraction(fps)))
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
        seen = [(reader.frames_decoded, reader.end_s) for _ in reader]
    assert seen == [(i + 1, pytest.approx((i + 1) / 24)) for i in (0, 6, 12, 18)]


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
FROM_START = {
    "mpeg4.avi": {"codec": "mpeg4", "b_frames": 2},
    "b-frames.ts": {"b_frames": 2},
}


@pytest.mark.parametrize("sampling", [Sampling.every(4), Sampling.per_second("3.5")], ids=lambda s: s.key)
@pytest.mark.parametrize("name", [*RESUMABLE, *FROM_START])
def test_resuming_gives_the_samples_of_an_uninterrupted_run(
    name: str, sampling: Sampling, tmp_path: Path
) -> None:
    path = make_video(tmp_path / name, colours=palette(60), gop=9, **{**RESUMABLE, **FROM_START}[name])
    whole, first = read(path, sampling)
    assert len(whole) >= 4
    seeked = 0
    for kept in range(1, len(whole) + 1):
        last = whole[kept - 1]
        rest, second = read(path, sampling, resume_after=(last.index, last.time_s))
        assert [(f.index, f.time_s) for f in rest] == [(f.index, f.time_s) for f in whole[kept:]]
        for resumed, original in zip(rest, whole[kept:], strict=True):
            np.testing.assert_array_equal(resumed.image, original.image)
        assert (second.end_s, second.frames_decoded) == (first.end_s, first.frames_decoded)
        seeked += second.has_seeked
    assert seeked >= len(whole) // 2 if name in RESUMABLE else seeked == 0


def test_resuming_behind_an_edit_list(tmp_path: Path) -> None:
    path = set_edit_list(make_video(tmp_path / "a.mp4", colours=palette(48), gop=9), [(1.5, 6144)])
    whole, _ = read(path, Sampling.every(5))
    rest, reader = read(path, Sampling.every(5), resume_after=(whole[3].index, whole[3].time_s))
    assert reader.has_seeked
    assert [(f.index, f.time_s) for f in rest] == [(f.index, f.time_s) for f in whole[4:]]


@pytest.mark.parametrize("time_s", [0.40001, 0.0, -1.0, 1e6])
def test_a_sample_that_cant_be_identified_is_found_by_counting(time_s: float, tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", colours=palette(24))
    rest, reader = read(path, Sampling.every(5), resume_after=(10, time_s))
    assert not reader.has_seeked
    assert [frame.index for frame in rest] == [15, 20]


def test_nothing_is_left_after_the_last_sample(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", colours=palette(24))
    rest, reader = read(path, Sampling.every(10), resume_after=(20, 20 / 24))
    assert rest == []
    assert (reader.end_s, reader.frames_decoded, reader.damage) == (1.0, 24, None)


def overwrite(path: Path, box: tuple[str, ...], offset: int, value: bytes) -> None:
    data = bytearray(path.read_bytes())
    at = find_box(data, *box)[-1][0] + offset
    data[at : at + len(value)] = value
    path.write_bytes(data)


@pytest.mark.parametrize("factor", [0, 0.1, 20])
def test_wrong_durations_in_an_mp4_header_change_nothing(factor: float, tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", colours=palette(24))
    overwrite(path, ("moov", "mvhd"), 8 + 16, struct.pack(">I", int(1000 * factor)))
    overwrite(path, ("moov", "trak", "tkhd"), 8 + 20, struct.pack(">I", int(1000 * factor)))
    overwrite(path, ("moov", "trak", "mdia", "mdhd"), 8 + 16, struct.pack(">I", int(12288 * factor)))
    overwrite(path, ("moov", "trak", "edts"), 0, struct.pack(">I4s", 36, b"free"))
    frames, reader = read(path, Sampling.every(1))
    assert (len(frames), reader.end_s, reader.damage) == (24, 1.0, None)


def test_a_wrong_duration_in_a_matroska_header_changes_nothing(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mkv", colours=palette(24))
    data = path.read_bytes()
    duration = b"\x44\x89\x88" + struct.pack(">d", 1000.0)
    assert duration in data
    path.write_bytes(data.replace(duration, b"\x44\x89\x88" + struct.pack(">d", 77000.0)))
    frames, reader = read(path, Sampling.every(1))
    assert (len(frames), reader.damage) == (24, None)
    assert reader.end_s == pytest.approx(1.0, abs=1e-3)
    assert probe(path).duration_s == 77.0


def test_a_wrong_frame_count_in_an_avi_header_changes_nothing(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.avi", colours=palette(24), codec="mpeg4")
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, data.index(b"avih") + 8 + 16, 5)
    struct.pack_into("<I", data, data.index(b"strh") + 8 + 32, 5)
    path.write_bytes(data)
    frames, reader = read(path, Sampling.every(1))
    assert (len(frames), reader.end_s, reader.damage) == (24, 1.0, None)
    assert probe(path).frame_count == 5


def test_a_recording_without_any_duration(tmp_path: Path) -> None:
    path = make_video(
        tmp_path / "a.webm", colours=palette(24), codec="libvpx-vp9", container_options={"live": "1"}
    )
    frames, reader = read(path, Sampling.every(1))
    assert (len(frames), reader.damage) == (24, None)
    assert reader.end_s == pytest.approx(1.0, abs=2e-3)
    assert probe(path).duration_s is None


def test_raw_streams_take_their_times_from_the_rate(tmp_path: Path) -> None:
    for name, codec in (("a.h264", "libx264"), ("a.hevc", "libx265")):
        path = make_video(tmp_path / name, colours=palette(24), codec=codec, container=name[2:], b_frames=2)
        frames, reader = read(path, Sampling.every(1))
        assert [frame.time_s for frame in frames] == [i / 24 for i in range(24)]
        assert reader.end_s == 1.0


def test_joined_transport_streams_go_on_without_a_hole(tmp_path: Path) -> None:
    one = make_video(tmp_path / "1.ts", colours=palette(48), start=50)
    two = make_video(tmp_path / "2.ts", colours=palette(48, seed=1), start=3)
    path = tmp_path / "joined.ts"
    path.write_bytes(one.read_bytes() + two.read_bytes())
    frames, reader = read(path, Sampling.every(1))
    assert [frame.time_s for frame in frames] == pytest.approx([i / 24 for i in range(96)], abs=1e-4)
    assert reader.damage is None


def test_a_transport_stream_may_begin_in_the_middle_of_a_group_of_pictures(tmp_path: Path) -> None:
    whole = make_video(tmp_path / "whole.ts", colours=palette(60), gop=20, options={"sc_threshold": "0"})
    data = whole.read_bytes()
    path = tmp_path / "late.ts"
    path.write_bytes(data[len(data) // 188 // 3 * 188 :])
    frames, reader = read(path, Sampling.every(1))
    assert reader.damage is None
    assert 20 <= len(frames) < 60
    assert np.diff([frame.time_s for frame in frames]) == pytest.approx(1 / 24, abs=1e-4)
    seen = np.array([frame.image[24, 32].astype(int) for frame in frames])
    assert np.abs(seen - np.array(palette(60)[-len(frames) :])).max() <= 6


def timecode_places(data: bytes) -> list[int]:
    """Offsets of the 16-bit times of a Matroska file's simple blocks of track 1."""
    at, places = data.index(b"\x1f\x43\xb6\x75"), []
    while (at := data.find(b"\x81", at + 1)) >= 0:
        if data[at - 3] == 0xA3 or data[at - 2] == 0xA3:
            places.append(at + 1)
    return places


@pytest.mark.parametrize(
    ("changed", "times"),
    [
        ({3: 80}, [0, 40, 80, 81, 160, 200]),  # a time twice
        ({3: 10}, [0, 40, 80, 81, 160, 200]),  # a step back
        ({1: 0, 2: 0, 3: 0}, [0, 1, 2, 3, 160, 200]),
        ({4: 9000}, [0, 40, 80, 120, 9000, 9001]),  # a jump ahead: the next one is late
    ],
)
def test_times_increase_strictly_in_a_broken_file(
    changed: dict[int, int], times: list[int], tmp_path: Path
) -> None:
    path = make_video(tmp_path / "a.mkv", colours=palette(6), rate=25, gop=6, options={"sc_threshold": "0"})
    data = bytearray(path.read_bytes())
    places = timecode_places(data)
    assert len(places) == 6
    for frame, time in changed.items():
        struct.pack_into(">h", data, places[frame], time)
    path.write_bytes(data)
    frames, reader = read(path, Sampling.every(1))
    assert [frame.time_s for frame in frames] == [time / 1000 for time in times]
    assert reader.end_s > frames[-1].time_s


STAMPS = st.lists(st.none() | st.integers(min_value=-(10**7), max_value=10**7), min_size=1, max_size=40)


@given(
    stamps=STAMPS,
    durations=st.lists(st.integers(min_value=0, max_value=10**5), min_size=40, max_size=40),
    family=st.sampled_from(["mp4", "matroska", "avi", "broadcast", "raw", "other"]),
    rate=st.none() | st.fractions(min_value=1, max_value=240, max_denominator=1001),
)
def test_whatever_the_stamps_times_increase_from_0_or_later(
    stamps: list[int | None], durations: list[int], family: Family, rate: Fraction | None
) -> None:
    timestamps = TimestampReconstructor(family, time_base=Fraction(1, 90000), rate=rate, origin_s=Fraction(0))
    times = []
    for stamp, duration in zip(stamps, durations, strict=False):
        timestamps.note_packet(stamp)
        shown = timestamps.time_of(stamp, duration)
        assert shown.duration > 0
        times.append(shown.time)
    assert times[0] >= 0
    assert all(a < b and float(a) < float(b) for a, b in pairwise(times))


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
