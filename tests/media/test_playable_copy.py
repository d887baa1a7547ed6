"""Playable copies: same times, same pictures, playable everywhere, whole or not there at all."""

from __future__ import annotations

import threading
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from playwright.sync_api import Page

from lib.core.errors import Cancelled, NoVideoStreamError, VideoDamagedError, VideoError, VideoUnreadableError
from lib.core.sampling import Sampling
from lib.media.frames import Frame, FrameReader, probe
from lib.media.playable_copy import make_playable_copy
from tests.helpers.player import seek_each, serving
from tests.helpers.videos import BLUE, GREEN, RED, WHITE, find_box, make_video, palette, quadrants

COLOUR = 12
"""Of 255: coded twice, with loss."""
VARIABLE = [Fraction(ms, 1000) for ms in (0, 40, 50, 55, 300, 301, 1000, 2500, 2533, 2567, 4000, 7000)]

SOURCES: dict[str, dict[str, Any]] = {
    "hevc.mp4": {"codec": "libx265", "b_frames": 2},
    "hevc 10 bit.mkv": {"codec": "libx265", "pixel_format": "yuv420p10le"},
    "prores.mov": {"codec": "prores_ks", "pixel_format": "yuv422p10le"},
    "mpeg4.avi": {"codec": "mpeg4", "b_frames": 2},
    "h264.mkv": {"b_frames": 2},
    "h264 10 bit.mp4": {"pixel_format": "yuv420p10le"},
    "h264 422.mp4": {"pixel_format": "yuv422p"},
    "h264 444.mp4": {"pixel_format": "yuv444p", "matrix": "bt709", "full_range": True},
    "h264.ts": {"b_frames": 2, "start": 7000},
    "h264.avi": {"b_frames": 2},
    "raw.h264": {"b_frames": 2},
    "ntsc.mkv": {"rate": Fraction(30000, 1001)},
    "ntsc.avi": {"rate": Fraction(30000, 1001), "codec": "mpeg4"},
    "variable.mkv": {"times": VARIABLE},
    "variable b-frames.mp4": {"times": VARIABLE, "b_frames": 2, "codec": "libx265"},
    "late.mkv": {"start": 0.52},
    "late.mp4": {"start": 0.52, "codec": "libx265", "b_frames": 2},
    "late behind sound.mov": {"start": 0.5, "codec": "mpeg4", "audio": "aac"},
}


def read(path: Path) -> tuple[list[Frame], FrameReader]:
    with FrameReader(path, Sampling.every(1)) as reader:
        return list(reader), reader


def key_times(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return [float(p.pts * p.time_base) for p in container.demux(stream) if p.is_keyframe and p.size]


def make_source(name: str, folder: Path) -> Path:
    options = {"rate": 24, **SOURCES[name]}
    colours = palette(len(options.get("times", range(60))))
    return make_video(folder / name, colours=colours, **options)


@pytest.mark.parametrize("name", SOURCES)
def test_a_copy_has_the_times_and_pictures_of_its_source(name: str, tmp_path: Path) -> None:
    source, target = make_source(name, tmp_path), tmp_path / "copy.mp4"
    make_playable_copy(source, target)
    (expected, original), (frames, copy) = read(source), read(target)
    assert [frame.time_s for frame in frames] == pytest.approx([f.time_s for f in expected], abs=1e-9)
    assert copy.end_s == pytest.approx(original.end_s, abs=1e-4)
    assert copy.damage is None
    for frame, source_frame in zip(frames, expected, strict=True):
        assert frame.image.shape == source_frame.image.shape
        difference = frame.image[24, 32].astype(int) - source_frame.image[24, 32]
        assert np.abs(difference).max() <= COLOUR
    info = probe(target)
    assert (info.codec, info.pixel_format, info.container) == ("h264", "yuv420p", "mp4")
    assert info.browser_playable
    times = [frame.time_s for frame in frames]
    for key, following in pairwise([*key_times(target), times[-1]]):
        between = [time for time in times if key < time < following]
        assert following - key <= 1 + 1e-9 or not between  # only a single long frame lasts longer


def test_a_copy_can_be_played_while_it_is_loading(tmp_path: Path) -> None:
    make_playable_copy(make_video(tmp_path / "a.mkv"), tmp_path / "copy.mp4")
    data = (tmp_path / "copy.mp4").read_bytes()
    assert find_box(data, "moov")[0][0] < find_box(data, "mdat")[0][0]


@pytest.mark.parametrize(
    ("size", "options", "shown"),
    [
        ((1920, 1080), {}, (1280, 720)),
        ((1080, 1920), {}, (720, 1280)),
        ((640, 360), {}, (640, 360)),
        ((63, 47), {}, (62, 46)),
        ((96, 64), {"sar": Fraction(4, 3)}, (128, 64)),
        ((96, 64), {"rotation": 90}, (64, 96)),
        ((96, 64), {"rotation": 270, "sar": Fraction(3, 2)}, (64, 144)),
    ],
)
def test_a_copy_is_upright_square_even_and_at_most_720_lines(
    size: tuple[int, int], options: dict[str, Any], shown: tuple[int, int], tmp_path: Path
) -> None:
    images = [quadrants(size)] * 3
    source = make_video(tmp_path / "a.mov", images=images, size=size, codec="mpeg4", **options)
    make_playable_copy(source, tmp_path / "copy.mp4")
    info = probe(tmp_path / "copy.mp4")
    assert (info.width, info.height, info.rotation) == (*shown, 0)
    with av.open(str(tmp_path / "copy.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == shown
        assert stream.sample_aspect_ratio in (None, 1)
    picture = read(tmp_path / "copy.mp4")[0][0].image
    corners = [picture[y, x].astype(int) for y in (8, -8) for x in (8, -8)]
    turned = np.rot90([[RED, GREEN], [BLUE, WHITE]], options.get("rotation", 0) // 90).reshape(4, 3)
    assert np.abs(np.array(corners) - turned).max() <= COLOUR


def decoded_sound(path: Path) -> tuple[np.ndarray, float]:
    """Mono samples and the time of the first one."""
    with av.open(str(path)) as container:
        frames = list(container.decode(audio=0))
    start = float(frames[0].pts * frames[0].time_base)
    return np.concatenate([frame.to_ndarray().mean(0) for frame in frames]), start


@pytest.mark.parametrize(
    ("suffix", "audio", "rate"),
    [("avi", "pcm_s16le", 48000), ("mkv", "libopus", 48000), ("mov", "aac", 44100)],
)
def test_sound_stays_in_step(suffix: str, audio: str, rate: int, tmp_path: Path) -> None:
    source = make_video(
        tmp_path / f"a.{suffix}", colours=palette(72), codec="mpeg4", audio=audio, audio_rate=rate
    )
    make_playable_copy(source, tmp_path / "copy.mp4")
    samples, start = decoded_sound(tmp_path / "copy.mp4")
    assert start == pytest.approx(0, abs=0.03)
    assert len(samples) / 48000 == pytest.approx(3, abs=0.06)
    loud = samples[4800:-4800]
    spectrum = np.abs(np.fft.rfft(loud))
    assert np.fft.rfftfreq(len(loud), 1 / 48000)[spectrum.argmax()] == pytest.approx(440, abs=2)


def test_sound_that_starts_later_does_so_in_the_copy(tmp_path: Path) -> None:
    source = make_video(
        tmp_path / "a.mkv", colours=palette(72), codec="mpeg4", audio="libopus", audio_start=1.5
    )
    make_playable_copy(source, tmp_path / "copy.mp4")
    samples, start = decoded_sound(tmp_path / "copy.mp4")
    loud = np.abs(samples) > 0.02
    assert start + loud.argmax() / 48000 == pytest.approx(1.5, abs=0.05)


def test_sound_that_cant_be_decoded_leaves_the_pictures(tmp_path: Path) -> None:
    source = make_video(tmp_path / "a.mov", colours=palette(48), codec="mpeg4", audio="aac")
    data = bytearray(source.read_bytes())
    with av.open(str(source)) as container:
        for packet in container.demux(container.streams.audio[0]):
            if packet.size and packet.pos is not None and packet.pts > 24000:
                data[packet.pos : packet.pos + packet.size] = b"\xff" * packet.size
    source.write_bytes(data)
    make_playable_copy(source, tmp_path / "copy.mp4")
    assert len(read(tmp_path / "copy.mp4")[0]) == 48


def test_progress_is_told_and_ends_with_the_whole(tmp_path: Path) -> None:
    told: list[tuple[float, float | None]] = []
    source = make_video(tmp_path / "a.mkv", colours=palette(48))
    make_playable_copy(
        source, tmp_path / "copy.mp4", on_progress=lambda done, total: told.append((done, total))
    )
    done = [seconds for seconds, _ in told]
    assert len(told) > 3
    assert done == sorted(done)
    assert told[0][1] == pytest.approx(2, abs=0.01)
    assert told[-1] == (pytest.approx(2, abs=0.01), pytest.approx(2, abs=0.01))


def test_progress_has_no_total_where_the_header_tells_none(tmp_path: Path) -> None:
    told: list[float | None] = []
    source = make_video(
        tmp_path / "a.mkv", colours=palette(24), codec="libvpx-vp9", container_options={"live": "1"}
    )
    make_playable_copy(source, tmp_path / "copy.mp4", on_progress=lambda _, total: told.append(total))
    assert told[0] is None


def test_cancelling_leaves_no_file(tmp_path: Path) -> None:
    cancel = threading.Event()
    told: list[float] = []

    def stop(done: float, _: float | None) -> None:
        told.append(done)
        cancel.set()

    source = make_video(tmp_path / "a.mkv", colours=palette(100))
    with pytest.raises(Cancelled):
        make_playable_copy(source, tmp_path / "out" / "copy.mp4", on_progress=stop, cancel=cancel)
    assert len(told) == 1
    assert list((tmp_path / "out").iterdir()) == []


def test_the_copy_appears_only_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "out" / "copy.mp4"
    seen: list[bool] = []
    source = make_video(tmp_path / "a.mkv", colours=palette(48))
    make_playable_copy(source, target, on_progress=lambda *_: seen.append(target.exists()))
    assert seen
    assert not any(seen)
    assert [path.name for path in target.parent.iterdir()] == ["copy.mp4"]


def test_an_older_copy_is_replaced(tmp_path: Path) -> None:
    target = tmp_path / "copy.mp4"
    target.write_bytes(b"old")
    make_playable_copy(make_video(tmp_path / "a.mkv"), target)
    assert probe(target).browser_playable


def test_of_a_broken_file_the_copy_holds_what_can_be_decoded(tmp_path: Path) -> None:
    source = make_video(tmp_path / "a.mkv", colours=palette(60))
    data = source.read_bytes()
    source.write_bytes(data[: len(data) // 2])
    make_playable_copy(source, tmp_path / "copy.mp4")
    (expected, broken), (frames, copy) = read(source), read(tmp_path / "copy.mp4")
    assert isinstance(broken.damage, VideoDamagedError)
    assert copy.damage is None
    assert [frame.time_s for frame in frames] == pytest.approx([frame.time_s for frame in expected])


def test_a_source_that_is_no_video_says_so(tmp_path: Path) -> None:
    (tmp_path / "notes.mp4").write_text("nothing here " * 100)
    with pytest.raises(VideoUnreadableError, match=r"notes\.mp4 is not a video"):
        make_playable_copy(tmp_path / "notes.mp4", tmp_path / "copy.mp4")
    make_video(tmp_path / "a.mp4", audio="aac")
    with av.open(str(tmp_path / "a.mp4")) as both, av.open(str(tmp_path / "song.mp4"), "w") as output:
        track = output.add_stream_from_template(both.streams.audio[0])
        for packet in both.demux(both.streams.audio[0]):
            if packet.size:
                packet.stream = track
                output.mux(packet)
    with pytest.raises(NoVideoStreamError, match=r"song\.mp4 has no video stream"):
        make_playable_copy(tmp_path / "song.mp4", tmp_path / "copy.mp4")
    assert not (tmp_path / "copy.mp4").exists()


def test_a_place_that_cant_be_written_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    source = make_video(tmp_path / "a.mkv", colours=palette(8))
    message = r"^The playable copy of a\.mkv can't be written to .*file \(.+\); free some space there and try"
    with pytest.raises(VideoError, match=message):
        make_playable_copy(source, tmp_path / "file" / "copy.mp4")


@pytest.mark.browser
@pytest.mark.parametrize(
    "name", ["hevc.mp4", "mpeg4.avi", "variable.mkv", "late behind sound.mov", "h264.ts"]
)
def test_a_browser_plays_the_copy_with_the_times_of_the_source(
    name: str, new_page: Callable[..., Page], tmp_path: Path
) -> None:
    source = make_source(name, tmp_path)
    make_playable_copy(source, tmp_path / "copy.mp4")
    frames, reader = read(source)
    frames = frames[-12:]
    ends = [frame.time_s for frame in frames[1:]] + [reader.end_s]
    with serving(tmp_path) as address:
        page = new_page()
        page.goto(address)
        order = list(reversed(range(len(frames) - 1)))
        between = [(frames[i].time_s + ends[i]) / 2 for i in order]
        shown = seek_each(page, f"{address}/copy.mp4", between)
    found = []
    for i, seen in zip(order, shown["frames"], strict=True):
        near = min(frames, key=lambda frame: abs(frame.time_s - seen["time"]))
        assert seen["time"] == pytest.approx(near.time_s, abs=2e-6)
        assert np.abs(np.array(seen["spots"][0]) - near.image[12, 16]).max() <= COLOUR
        found.append(near is frames[i])
    assert sum(found) >= len(order) - 1  # the player may pass over a frame of a millisecond
