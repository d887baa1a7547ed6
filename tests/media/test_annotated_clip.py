"""Annotated clips: playable, and with true times."""

from __future__ import annotations

import threading
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

from lib.core.errors import Cancelled, SettingsError, VideoError, VideoUnreadableError
from lib.core.formatting import format_time
from lib.media import annotated_clip as clips
from lib.media.annotated_clip import annotated_clip
from lib.media.drawing import Caption, draw_captions
from lib.media.frames import probe
from tests.helpers.frames import assert_colours, read_frames
from tests.helpers.player import seek_each, serving_files
from tests.helpers.videos import BLUE, GREEN, NO_CUTS, RED, find_box, make_video, palette, remuxed

COLOUR = 12
"""Tolerance, of 255: coded twice, with loss."""
BESIDE_CAPTIONS = 0.9


def one_caption(_: float) -> list[Caption]:
    return [Caption("construction site", 0.31, "#e69f00")]


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The texts drawn into each picture, in order."""
    texts: list[list[str]] = []

    def noting(picture: Any, captions: list[Caption], *, time_s: float) -> Any:
        texts.append([*(caption.text for caption in captions), format_time(time_s)])
        return draw_captions(picture, captions, time_s=time_s)

    monkeypatch.setattr(clips, "draw_captions", noting)
    return texts


def test_a_clip_shows_each_frame_with_its_captions_and_time(written: list[list[str]], tmp_path: Path) -> None:
    colours = palette(30)
    source = make_video(tmp_path / "a.mp4", colours=colours, rate=Fraction(30000, 1001), size=(320, 240))
    asked: list[float] = []

    def captions(time_s: float) -> list[Caption]:
        asked.append(time_s)
        return [Caption("construction site", time_s / 2, "#e69f00"), Caption("crane", None, "#0072b2")]

    annotated_clip(source, tmp_path / "clip.mp4", captions)
    frames = read_frames(tmp_path / "clip.mp4")[0]
    times = [float(Fraction(i * 1001, 30000)) for i in range(30)]
    assert asked == times
    assert [frame.time_s for frame in frames] == pytest.approx(times, abs=1e-4)
    assert written == [[f"construction site  {t / 2:.3f}", "crane", format_time(t)] for t in times]
    assert_colours(frames, colours, tolerance=COLOUR, x=BESIDE_CAPTIONS)
    info = probe(tmp_path / "clip.mp4")
    assert (info.codec, info.pixel_format, info.container) == ("h264", "yuv420p", "mp4")
    assert info.browser_playable
    data = (tmp_path / "clip.mp4").read_bytes()
    assert find_box(data, "moov")[0][0] < find_box(data, "mdat")[0][0]


def test_a_variable_frame_rate_becomes_constant_and_stays_true(written: list[list[str]], tmp_path: Path) -> None:
    times = [Fraction(ms, 1000) for ms in (0, 40, 50, 300, 310, 1000, 1300, 2200)]
    source = make_video(tmp_path / "a.mkv", colours=palette(8), times=times, size=(320, 240))
    annotated_clip(source, tmp_path / "clip.mp4", one_caption)
    frames = read_frames(tmp_path / "clip.mp4")[0]
    assert probe(tmp_path / "clip.mp4").variable_rate is False
    assert np.diff([frame.time_s for frame in frames]) == pytest.approx(1 / 30, abs=1e-4)
    for frame, texts in zip(frames, written, strict=True):
        assert texts[-1] == format_time(frame.time_s)
        near = [i for i, time in enumerate(times) if abs(frame.time_s - time) <= 1 / 60 + 1e-3]
        last = max(i for i, time in enumerate(times) if time <= frame.time_s + 1e-3)
        allowed = {last, *near, *(i - 1 for i in near if i)}
        middle = frame.image[120, int(320 * BESIDE_CAPTIONS)].astype(int)
        assert min(np.abs(middle - palette(8)[i]).max() for i in allowed) <= COLOUR


@pytest.mark.parametrize(("suffix", "codec"), [("mp4", "libx264"), ("avi", "mpeg4")])
def test_a_part_begins_and_ends_where_asked(suffix: str, codec: str, written: list[list[str]], tmp_path: Path) -> None:
    colours = palette(48)
    source = make_video(
        tmp_path / f"a.{suffix}", colours=colours, codec=codec, size=(320, 240), gop=10,
        options={"sc_threshold": "0"} if codec == "libx264" else None,
    )  # fmt: skip
    annotated_clip(source, tmp_path / "clip.mp4", one_caption, start_s=0.75, end_s=1.25)
    assert_colours(read_frames(tmp_path / "clip.mp4")[0], colours[18:30], tolerance=COLOUR, x=BESIDE_CAPTIONS)
    assert [texts[-1] for texts in written] == [format_time(0.75 + i / 24) for i in range(12)]


def test_a_video_that_starts_late_keeps_its_times(written: list[list[str]], tmp_path: Path) -> None:
    source = make_video(tmp_path / "a.mp4", colours=palette(24), start=0.5, size=(320, 240))
    annotated_clip(source, tmp_path / "clip.mp4", one_caption)
    assert len(read_frames(tmp_path / "clip.mp4")[0]) == 24
    assert written[0][-1] == "0:00.5"


@pytest.mark.parametrize(("rate", "clip_rate"), [(2, 8), (120, 60)])
def test_unusual_rates_come_within_what_players_like(rate: int, clip_rate: int, tmp_path: Path) -> None:
    source = make_video(tmp_path / "a.mp4", colours=palette(rate // 2), rate=rate, size=(320, 240))
    annotated_clip(source, tmp_path / "clip.mp4", one_caption)
    assert probe(tmp_path / "clip.mp4").rate == clip_rate
    assert len(read_frames(tmp_path / "clip.mp4")[0]) == clip_rate // 2


@pytest.mark.parametrize(
    ("size", "options", "max_height", "displayed"),
    [
        ((1280, 720), {}, 720, (1280, 720)),
        ((1280, 720), {}, 360, (640, 360)),
        ((64, 48), {}, 720, (320, 240)),
        ((320, 240), {"rotation": 90}, 720, (240, 320)),
        ((320, 240), {"sar": Fraction(4, 3)}, 720, (426, 240)),
    ],
)
def test_a_clip_has_the_shape_of_the_video(
    size: tuple[int, int],
    options: dict[str, Any],
    max_height: int,
    displayed: tuple[int, int],
    tmp_path: Path,
) -> None:
    source = make_video(tmp_path / "a.mp4", colours=[RED] * 4, size=size, **options)
    annotated_clip(source, tmp_path / "clip.mp4", one_caption, max_height=max_height)
    info = probe(tmp_path / "clip.mp4")
    assert (info.width, info.height) == displayed
    assert_colours(read_frames(tmp_path / "clip.mp4")[0], [RED] * 4, tolerance=COLOUR, x=BESIDE_CAPTIONS)


def test_progress_and_cancel(tmp_path: Path) -> None:
    source = make_video(tmp_path / "a.mp4", colours=palette(24), size=(320, 240))
    progress: list[tuple[float, float | None]] = []
    annotated_clip(source, tmp_path / "clip.mp4", one_caption, on_progress=lambda *args: progress.append(args))
    assert progress == [(pytest.approx(i / 24), pytest.approx(1)) for i in (1, 9, 17)]
    cancel, target = threading.Event(), tmp_path / "out" / "clip.mp4"
    with pytest.raises(Cancelled):
        annotated_clip(source, target, one_caption, on_progress=lambda *_: cancel.set(), cancel=cancel)
    assert list(target.parent.iterdir()) == []


def test_a_clip_of_a_broken_file_holds_what_can_be_decoded(tmp_path: Path) -> None:
    source = make_video(tmp_path / "a.mkv", colours=palette(48), size=(320, 240))
    data = source.read_bytes()
    source.write_bytes(data[: len(data) // 2])
    annotated_clip(source, tmp_path / "clip.mp4", one_caption)
    assert 10 < len(read_frames(tmp_path / "clip.mp4")[0]) < 40


def test_a_clip_shows_the_frame_before_a_gap_through_it(tmp_path: Path) -> None:
    colours, junk = palette(100), dict.fromkeys((45, 75), b"\xff\1\2\3\4\5\6")
    whole = make_video(tmp_path / "whole.mp4", colours=colours, size=(320, 240), rate=10, gop=20, options=NO_CUTS)
    source = remuxed(whole, tmp_path / "a.mp4", junk=junk)
    shown = {**dict.fromkeys(range(45, 60), 44), **dict.fromkeys(range(75, 80), 74)}
    for start, stop in ((40, 90), (50, 57), (50, 78), (77, 82)):  # around gaps and from within
        annotated_clip(source, tmp_path / "clip.mp4", one_caption, start_s=start / 10, end_s=stop / 10)
        frames = read_frames(tmp_path / "clip.mp4")[0]
        expected = [colours[shown.get(i, i)] for i in range(start, stop)]
        assert_colours(frames, expected, tolerance=COLOUR, x=BESIDE_CAPTIONS)


def test_what_makes_no_clip_says_why(tmp_path: Path) -> None:
    source, target = make_video(tmp_path / "a.mp4", colours=palette(24)), tmp_path / "clip.mp4"
    (tmp_path / "notes.mp4").write_text("nothing here " * 100)
    (tmp_path / "file").write_text("in the way")

    def refused(error: type[Exception], message: str, **changed: Any) -> None:
        options = {"source": source, "target": target, "caption_at": one_caption, **changed}
        with pytest.raises(error, match=message):
            annotated_clip(**options)

    refused(SettingsError, r"^A clip must end after it starts; choose a later end", start_s=1, end_s=1)
    refused(SettingsError, r"^a\.mp4 has no frame from 0:05.0 on; choose an earlier start\.$", start_s=5)
    refused(SettingsError, r"^A clip can't be 4 lines high; choose 16 to 4320\.$", max_height=4)
    refused(VideoUnreadableError, r"^notes\.mp4 is not a video", source=tmp_path / "notes.mp4")
    message = r"^The clip can't be written to .*file \(.+\); check that folder and try"
    refused(VideoError, message, target=tmp_path / "file" / "clip.mp4")
    assert not target.exists()


def test_an_error_in_the_captions_leaves_no_file(tmp_path: Path) -> None:
    def broken(_: float) -> list[Caption]:
        raise ValueError("no such label")

    source = make_video(tmp_path / "a.mp4", colours=palette(24), size=(320, 240))
    with pytest.raises(ValueError, match="no such label"):
        annotated_clip(source, tmp_path / "out" / "clip.mp4", broken)
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.browser
@pytest.mark.parametrize("size", [(320, 240), (960, 720)])
def test_a_browser_plays_a_clip_in_its_true_colours(
    size: tuple[int, int], new_page: Callable[..., Page], tmp_path: Path
) -> None:
    colours = [RED, GREEN, BLUE]
    source = make_video(tmp_path / "a.mp4", colours=colours, size=size, rate=10)
    annotated_clip(source, tmp_path / "clip.mp4", one_caption)
    with serving_files(tmp_path) as address:
        page = new_page()
        page.goto(address)
        playback = seek_each(page, f"{address}/clip.mp4", [0.25, 0.15, 0.05])
    assert (playback["width"], playback["height"]) == size
    for frame, colour in zip(reversed(playback["frames"]), colours, strict=True):
        assert np.abs(np.array(frame["spots"][1]) - colour).max() <= COLOUR
