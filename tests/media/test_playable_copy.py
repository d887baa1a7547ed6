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

from lib.core.errors import Cancelled, VideoDamagedError, VideoError, VideoUnreadableError
from lib.media.frames import probe
from lib.media.playable_copy import make_playable_copy
from tests.helpers.frames import assert_colours, read_frames
from tests.helpers.player import seek_each, serving_files
from tests.helpers.videos import BLUE, GREEN, RED, WHITE, find_box, make_video, palette, quadrants

COLOUR = 12
"""Of 255: coded twice, with loss."""
VARIABLE = [Fraction(ms, 1000) for ms in (0, 40, 50, 55, 300, 301, 1000, 2500, 2533, 2567, 4000, 7000)]
SOURCES: dict[str, dict[str, Any]] = {
    "hevc.mp4": {"codec": "libx265", "b_frames": 2},
    "prores.mov": {"codec": "prores_ks", "pixel_format": "yuv422p10le"},
    "mpeg4.avi": {"codec": "mpeg4", "b_frames": 2},
    "h264 444.mp4": {"pixel_format": "yuv444p", "matrix": "bt709", "full_range": True},
    "h264.ts": {"b_frames": 2, "start": 7000},
    "raw.h264": {"b_frames": 2},
    "ntsc.mkv": {"rate": Fraction(30000, 1001)},
    "ntsc.avi": {"rate": Fraction(30000, 1001), "codec": "mpeg4"},
    "variable.mkv": {"times": VARIABLE},
    "variable b-frames.mp4": {"times": VARIABLE, "b_frames": 2, "codec": "libx265"},
    "late.mkv": {"start": 0.52},
    "late.mp4": {"start": 0.52, "codec": "libx265", "b_frames": 2},
    "late behind sound.mov": {"start": 0.5, "codec": "mpeg4", "audio": "aac"},
}


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
    (expected, original), (frames, copy) = read_frames(source), read_frames(target)
    assert [frame.time_s for frame in frames] == pytest.approx([f.time_s for f in expected], abs=1e-9)
    assert copy.end_s == pytest.approx(original.end_s, abs=1e-4)
    assert copy.damage is None
    assert {frame.image.shape for frame in frames} == {expected[0].image.shape}
    assert_colours(frames, [frame.image[24, 32] for frame in expected], tolerance=COLOUR)
    info = probe(target)
    assert (info.codec, info.pixel_format, info.container) == ("h264", "yuv420p", "mp4")
    assert info.browser_playable
    times = [frame.time_s for frame in frames]
    for key, following in pairwise([*key_times(target), times[-1]]):
        between = [time for time in times if key < time < following]
        assert following - key <= 1 + 1e-9 or not between  # only a single long frame lasts longer


def test_a_copy_replaces_an_older_one_and_can_be_played_while_it_is_loading(tmp_path: Path) -> None:
    target = tmp_path / "copy.mp4"
    target.write_bytes(b"old")
    make_playable_copy(make_video(tmp_path / "a.mkv"), target)
    data = target.read_bytes()
    assert find_box(data, "moov")[0][0] < find_box(data, "mdat")[0][0]


@pytest.mark.parametrize(
    ("size", "options", "displayed"),
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
    size: tuple[int, int], options: dict[str, Any], displayed: tuple[int, int], tmp_path: Path
) -> None:
    images = [quadrants(size)] * 3
    source = make_video(tmp_path / "a.mov", images=images, size=size, codec="mpeg4", **options)
    make_playable_copy(source, tmp_path / "copy.mp4")
    info = probe(tmp_path / "copy.mp4")
    assert (info.width, info.height, info.rotation) == (*displayed, 0)
    with av.open(str(tmp_path / "copy.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == displayed
        assert stream.sample_aspect_ratio in (None, 1)
    picture = read_frames(tmp_path / "copy.mp4")[0][0].image
    corners = [picture[y, x].astype(int) for y in (8, -8) for x in (8, -8)]
    turned = np.rot90([[RED, GREEN], [BLUE, WHITE]], options.get("rotation", 0) // 90).reshape(4, 3)
    assert np.abs(np.array(corners) - turned).max() <= COLOUR


def test_progress_ends_with_the_whole(tmp_path: Path) -> None:
    progress: list[tuple[float, float | None]] = []
    source = make_video(tmp_path / "a.mkv", colours=palette(48))
    make_playable_copy(source, tmp_path / "copy.mp4", on_progress=lambda *args: progress.append(args))
    whole = pytest.approx(2, abs=0.01)
    assert len(progress) > 3
    assert progress == [(done, whole) for done in sorted(done for done, _ in progress)]
    assert progress[-1] == (whole, whole)


def test_progress_has_no_total_where_the_header_has_none(tmp_path: Path) -> None:
    totals: list[float | None] = []
    source = make_video(tmp_path / "a.mkv", colours=palette(24), codec="libvpx-vp9", container_options={"live": "1"})
    make_playable_copy(source, tmp_path / "copy.mp4", on_progress=lambda _, total: totals.append(total))
    assert totals[0] is None


def test_cancelling_leaves_no_file(tmp_path: Path) -> None:
    cancel, target = threading.Event(), tmp_path / "out" / "copy.mp4"
    source = make_video(tmp_path / "a.mkv", colours=palette(100))
    with pytest.raises(Cancelled):
        make_playable_copy(source, target, on_progress=lambda *_: cancel.set(), cancel=cancel)
    assert list(target.parent.iterdir()) == []


def test_the_copy_appears_only_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "out" / "copy.mp4"
    appeared: list[bool] = []
    source = make_video(tmp_path / "a.mkv", colours=palette(24))
    make_playable_copy(source, target, on_progress=lambda *_: appeared.append(target.exists()))
    assert appeared
    assert not any(appeared)
    assert [path.name for path in target.parent.iterdir()] == ["copy.mp4"]


def test_of_a_broken_file_the_copy_holds_what_can_be_decoded(tmp_path: Path) -> None:
    source = make_video(tmp_path / "a.mkv", colours=palette(60))
    data = source.read_bytes()
    source.write_bytes(data[: len(data) // 2])
    make_playable_copy(source, tmp_path / "copy.mp4")
    (expected, broken), (frames, copy) = read_frames(source), read_frames(tmp_path / "copy.mp4")
    assert isinstance(broken.damage, VideoDamagedError)
    assert copy.damage is None
    assert [frame.time_s for frame in frames] == pytest.approx([frame.time_s for frame in expected])


def test_a_source_that_is_no_video_leaves_no_copy(tmp_path: Path) -> None:
    (tmp_path / "notes.mp4").write_text("nothing here " * 100)
    with pytest.raises(VideoUnreadableError, match=r"notes\.mp4 is not a video"):
        make_playable_copy(tmp_path / "notes.mp4", tmp_path / "copy.mp4")
    assert not (tmp_path / "copy.mp4").exists()


def test_a_place_that_cant_be_written_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    source = make_video(tmp_path / "a.mkv", colours=palette(8))
    message = r"^The playable copy of a\.mkv can't be written to .*file \(.+\); check that folder and try"
    with pytest.raises(VideoError, match=message):
        make_playable_copy(source, tmp_path / "file" / "copy.mp4")


@pytest.mark.browser
@pytest.mark.parametrize("name", ["hevc.mp4", "mpeg4.avi", "variable.mkv", "late behind sound.mov", "h264.ts"])
def test_a_browser_plays_the_copy_with_the_times_of_the_source(
    name: str, new_page: Callable[..., Page], tmp_path: Path
) -> None:
    source = make_source(name, tmp_path)
    make_playable_copy(source, tmp_path / "copy.mp4")
    frames, reader = read_frames(source)
    frames = frames[-12:]
    ends = [frame.time_s for frame in frames[1:]] + [reader.end_s]
    with serving_files(tmp_path) as address:
        page = new_page()
        page.goto(address)
        order = list(reversed(range(len(frames) - 1)))
        between = [(frames[i].time_s + ends[i]) / 2 for i in order]
        played_back = seek_each(page, f"{address}/copy.mp4", between)
    hits = 0
    for i, played in zip(order, played_back["frames"], strict=True):
        nearest = min(frames, key=lambda frame: abs(frame.time_s - played["time"]))
        assert played["time"] == pytest.approx(nearest.time_s, abs=2e-6)
        assert np.abs(np.array(played["spots"][0]) - nearest.image[12, 16]).max() <= COLOUR
        hits += nearest is frames[i]
    assert hits >= len(order) - 1  # the player may pass over a frame of a millisecond


def test_a_copy_may_have_the_longest_name_there_is(tmp_path: Path) -> None:
    source = make_video(tmp_path / "a.mkv", colours=palette(4))
    target = tmp_path / ("é" * 124 + ".mp4")
    make_playable_copy(source, target)
    assert target.stat().st_size > 0


def test_a_copy_may_begin_at_0_where_the_video_begins_later(tmp_path: Path) -> None:
    source = make_video(
        tmp_path / "late.mkv", colours=palette(20), rate=10, start=7200.0, audio="aac", audio_start=7200.0
    )
    target = tmp_path / "copy.mp4"
    make_playable_copy(source, target, offset_s=7200.0)
    frames, _ = read_frames(target)
    assert [frame.time_s for frame in frames] == pytest.approx([i / 10 for i in range(20)])
    with av.open(str(target)) as container:
        sound = container.streams.audio[0]
        assert sound.duration is not None
        assert sound.time_base is not None
        assert float(sound.duration * sound.time_base) < 3
