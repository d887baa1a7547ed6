"""Contact sheets and annotated clips: readable, playable, and with true times."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import supervision as sv
from PIL import Image, ImageFont
from playwright.sync_api import Page

from lib.core.errors import Cancelled, InputError, SettingsError, VideoError, VideoUnreadableError
from lib.core.formatting import format_time
from lib.core.sampling import Sampling
from lib.media.annotated_clip import annotated_clip
from lib.media.contact_sheet import Tile, contact_sheet
from lib.media.drawing import Caption, draw_captions, shortened
from lib.media.frames import Frame, FrameReader, probe
from tests.helpers.player import seek_each, serving
from tests.helpers.videos import BLUE, GREEN, RED, find_box, make_video, palette

PAPER = (255, 255, 255)
COLOUR = 12


def tile(colour: tuple[int, int, int], *, size: tuple[int, int] = (64, 36), **text: str) -> Tile:
    return Tile(np.full((size[1], size[0], 3), colour, np.uint8), **{"title": "a title", **text})


def opened(data: bytes) -> np.ndarray:
    return np.array(Image.open(io.BytesIO(data)).convert("RGB"))


def block(sheet: np.ndarray, column: int, row: int, rows: int) -> np.ndarray:
    """Middle of a tile's picture on a sheet of tiles of 320 x 180."""
    pitch = (sheet.shape[0] - 2 * 16 + 12) / rows
    return sheet[int(16 + row * pitch) + 90, 16 + column * 332 + 160].astype(int)


@pytest.mark.parametrize("image_format", ["jpeg", "png"])
def test_a_sheet_shows_all_tiles_in_reading_order(image_format: Any) -> None:
    colours = palette(7)
    data = contact_sheet([tile(colour) for colour in colours], columns=3, image_format=image_format)
    assert data.startswith(b"\xff\xd8" if image_format == "jpeg" else b"\x89PNG")
    sheet = opened(data)
    assert sheet.shape[1] == 2 * 16 + 3 * 320 + 2 * 12
    for place, colour in enumerate(colours):
        assert np.abs(block(sheet, place % 3, place // 3, 3) - colour).max() <= 4
    assert np.abs(block(sheet, 1, 2, 3) - PAPER).max() <= 4  # nothing behind the last one


@pytest.mark.parametrize(("n", "columns"), [(1, 1), (2, 2), (3, 2), (4, 2), (5, 3), (36, 6), (100, 6)])
def test_any_number_of_tiles_gets_a_fitting_number_of_columns(n: int, columns: int) -> None:
    sheet = opened(contact_sheet([tile(RED)] * n, tile_size=(32, 18)))
    assert sheet.shape[1] == 2 * 16 + columns * 32 + (columns - 1) * 12


def test_more_columns_than_tiles_leave_no_empty_ones() -> None:
    assert opened(contact_sheet([tile(RED)] * 2, columns=9)).shape[1] == 2 * 16 + 2 * 320 + 12


def test_titles_and_subtitles_are_written_below_their_tile() -> None:
    bare = opened(contact_sheet([tile(RED, title="")], image_format="png"))
    titled = opened(contact_sheet([tile(RED, title="construction site")], image_format="png"))
    both = opened(
        contact_sheet([tile(RED, title="construction site", subtitle="0:07.1")], image_format="png")
    )
    assert bare.shape == titled.shape == both.shape
    title_rows = np.flatnonzero((titled != bare).any((1, 2)))
    subtitle_rows = np.flatnonzero((both != titled).any((1, 2)))
    assert 16 + 180 < title_rows.min() <= title_rows.max() < subtitle_rows.min()
    assert subtitle_rows.max() < both.shape[0] - 16
    assert titled[title_rows].min() < 90  # dark on white


def test_a_long_title_stays_within_its_tile() -> None:
    first = tile(RED, title="a very long title that would run over into the next tile " * 3)
    sheet = opened(contact_sheet([first, tile(GREEN, title="")], columns=2, image_format="png"))
    below = sheet[16 + 180 + 2 : -16]
    assert (below[:, 16 : 16 + 320] < 200).any()
    assert (below[:, 16 + 320 : 16 + 332 + 320] == 255).all()


def test_bars_fill_what_a_tall_picture_leaves_free() -> None:
    sheet = opened(contact_sheet([tile(BLUE, size=(90, 160))], image_format="png"))
    row = sheet[16 + 90, 16 : 16 + 320].astype(int)
    assert np.abs(row[160] - BLUE).max() <= 1
    assert (np.abs(row - BLUE).max(1) <= 1).sum() == pytest.approx(180 * 90 / 160, abs=2)


def test_without_a_tile_there_is_no_sheet() -> None:
    with pytest.raises(
        InputError, match=r"^There is no frame to put on a contact sheet; choose at least one\.$"
    ):
        contact_sheet([])


def test_a_sheet_beyond_any_picture_format_is_refused() -> None:
    with pytest.raises(InputError, match=r"^2000 frames don't fit on one contact sheet; choose fewer\.$"):
        contact_sheet([tile(RED)] * 2000)
    with pytest.raises(SettingsError, match=r"^A contact sheet can't have 0 columns; choose 1 or more\.$"):
        contact_sheet([tile(RED)], columns=0)


def test_text_is_shortened_to_the_width() -> None:
    font = ImageFont.load_default(16)
    assert shortened("short", font, 200) == "short"
    cut = shortened("a text that is far too long for it", font, 120)
    assert cut.endswith("…")
    assert font.getlength(cut) <= 120
    assert shortened("two\nlines\tand  spaces", font, 900) == "two lines and spaces"


def one_caption(_: float) -> list[Caption]:
    return [Caption("construction site", 0.31, "#e69f00")]


def read(path: Path) -> list[Frame]:
    with FrameReader(path, Sampling.every(1)) as reader:
        frames = list(reader)
    assert reader.damage is None
    return frames


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The texts drawn into each picture, in order."""
    texts: list[list[str]] = []
    annotate = sv.RichLabelAnnotator.annotate

    def noting(self: Any, scene: Any, detections: Any, labels: list[str], **options: Any) -> Any:
        texts.append(labels)
        return annotate(self, scene, detections, labels, **options)

    monkeypatch.setattr(sv.RichLabelAnnotator, "annotate", noting)
    return texts


def middle(frame: Frame) -> np.ndarray:
    height, width = frame.image.shape[:2]
    return frame.image[height // 2, int(width * 0.9)].astype(int)


def test_a_clip_shows_each_frame_with_its_captions_and_time(written: list[list[str]], tmp_path: Path) -> None:
    colours = palette(30)
    source = make_video(tmp_path / "a.mp4", colours=colours, rate=Fraction(30000, 1001), size=(320, 240))
    asked: list[float] = []

    def captions(time_s: float) -> list[Caption]:
        asked.append(time_s)
        return [Caption("construction site", time_s / 2, "#e69f00"), Caption("crane", None, "#0072b2")]

    annotated_clip(source, tmp_path / "clip.mp4", captions)
    frames = read(tmp_path / "clip.mp4")
    times = [float(Fraction(i * 1001, 30000)) for i in range(30)]
    assert asked == times
    assert [frame.time_s for frame in frames] == pytest.approx(times, abs=1e-4)
    assert written == [[f"construction site {t / 2:.3f}", "crane", format_time(t)] for t in times]
    for frame, colour in zip(frames, colours, strict=True):
        assert np.abs(middle(frame) - colour).max() <= COLOUR
    info = probe(tmp_path / "clip.mp4")
    assert (info.codec, info.pixel_format, info.container, info.browser_playable) == (
        "h264",
        "yuv420p",
        "mp4",
        True,
    )
    data = (tmp_path / "clip.mp4").read_bytes()
    assert find_box(data, "moov")[0][0] < find_box(data, "mdat")[0][0]


def test_a_variable_frame_rate_becomes_constant_and_stays_true(
    written: list[list[str]], tmp_path: Path
) -> None:
    times = [Fraction(ms, 1000) for ms in (0, 40, 50, 300, 310, 1000, 1300, 2200)]
    source = make_video(tmp_path / "a.mkv", colours=palette(8), times=times, size=(320, 240))
    annotated_clip(source, tmp_path / "clip.mp4", one_caption)
    frames = read(tmp_path / "clip.mp4")
    assert probe(tmp_path / "clip.mp4").variable_rate is False
    assert np.diff([frame.time_s for frame in frames]) == pytest.approx(1 / 30, abs=1e-4)
    for frame, texts in zip(frames, written, strict=True):
        assert texts[-1] == format_time(frame.time_s)
        near = [i for i, time in enumerate(times) if abs(frame.time_s - time) <= 1 / 60 + 1e-3]
        last = max(i for i, time in enumerate(times) if time <= frame.time_s + 1e-3)
        allowed = {last, *near, *(i - 1 for i in near if i)}
        assert min(np.abs(middle(frame) - palette(8)[i]).max() for i in allowed) <= COLOUR


@pytest.mark.parametrize(("suffix", "codec"), [("mp4", "libx264"), ("mkv", "libx264"), ("avi", "mpeg4")])
def test_a_stretch_begins_and_ends_where_asked(
    suffix: str, codec: str, written: list[list[str]], tmp_path: Path
) -> None:
    colours = palette(96)
    source = make_video(
        tmp_path / f"a.{suffix}", colours=colours, codec=codec, size=(320, 240), gop=20,
        options={"sc_threshold": "0"} if codec == "libx264" else None,
    )  # fmt: skip
    annotated_clip(source, tmp_path / "clip.mp4", one_caption, start_s=1.5, end_s=2.5)
    frames = read(tmp_path / "clip.mp4")
    assert len(frames) == 24
    assert written[0][-1] == "0:01.5"
    assert written[-1][-1] == format_time(1.5 + 23 / 24)
    for frame, colour in zip(frames, colours[36:60], strict=True):
        assert np.abs(middle(frame) - colour).max() <= COLOUR


def test_a_video_that_starts_late_keeps_its_times(written: list[list[str]], tmp_path: Path) -> None:
    source = make_video(tmp_path / "a.mp4", colours=palette(24), start=0.5, size=(320, 240))
    annotated_clip(source, tmp_path / "clip.mp4", one_caption)
    assert len(read(tmp_path / "clip.mp4")) == 24
    assert written[0][-1] == "0:00.5"


@pytest.mark.parametrize(
    ("rate", "clip_rate"),
    [(Fraction(2), Fraction(8)), (Fraction(24), Fraction(24)), (Fraction(120), Fraction(60))],
)
def test_unusual_rates_come_within_what_players_like(
    rate: Fraction, clip_rate: Fraction, tmp_path: Path
) -> None:
    source = make_video(tmp_path / "a.mp4", colours=palette(int(rate) * 2), rate=rate, size=(320, 240))
    annotated_clip(source, tmp_path / "clip.mp4", one_caption)
    assert probe(tmp_path / "clip.mp4").rate == clip_rate
    assert len(read(tmp_path / "clip.mp4")) == clip_rate * 2


@pytest.mark.parametrize(
    ("size", "options", "max_height", "shown"),
    [
        ((1280, 720), {}, 720, (1280, 720)),
        ((1280, 720), {}, 360, (640, 360)),
        ((64, 48), {}, 720, (320, 240)),
        ((320, 240), {"rotation": 90}, 720, (240, 320)),
        ((320, 240), {"sar": Fraction(4, 3)}, 720, (426, 240)),
    ],
)
def test_a_clip_has_the_shape_of_the_video(
    size: tuple[int, int], options: dict[str, Any], max_height: int, shown: tuple[int, int], tmp_path: Path
) -> None:
    source = make_video(tmp_path / "a.mp4", colours=[RED] * 4, size=size, **options)
    annotated_clip(source, tmp_path / "clip.mp4", one_caption, max_height=max_height)
    info = probe(tmp_path / "clip.mp4")
    assert (info.width, info.height) == shown
    assert np.abs(middle(read(tmp_path / "clip.mp4")[0]) - RED).max() <= COLOUR


def test_captions_are_drawn_in_their_colour_and_read_on_it() -> None:
    grey = np.full((480, 640, 3), 128, np.uint8)
    light = draw_captions(grey, [Caption("crane", 0.25, "#f0e442")], time_s=0)
    dark = draw_captions(grey, [Caption("crane", 0.25, "#00204d")], time_s=0)
    for picture, background, ink in ((light, (240, 228, 66), 0), (dark, (0, 32, 77), 255)):
        chip = picture[:60, :200]
        assert (chip == background).all(2).sum() > 500
        assert (chip == ink).all(2).sum() > 20
    assert (grey == 128).all()


def test_each_caption_and_the_time_have_a_place_of_their_own() -> None:
    grey = np.full((480, 640, 3), 128, np.uint8)
    colours = ["#e69f00", "#56b4e9", "#009e73"]
    picture = draw_captions(grey, [Caption(f"label {c}", 0.5, c) for c in colours], time_s=7.12)
    rows = [np.flatnonzero((picture == sv.Color.from_hex(c).as_rgb()).all(2).any(1)) for c in colours]
    for above, below in pairwise(rows):
        assert above.max() < below.min()
    changed = np.flatnonzero((picture != draw_captions(grey, [], time_s=8.12)).any((1, 2)))
    assert changed.max() > 440
    assert (draw_captions(grey, [], time_s=7.12)[:400] == 128).all()


def test_more_captions_than_lines_leave_the_time_readable() -> None:
    grey = np.full((240, 320, 3), 128, np.uint8)
    many = [
        Caption(f"a label that is far too long for such a small picture {i}", 0.5, "#e69f00")
        for i in range(50)
    ]
    picture = draw_captions(grey, many, time_s=7.12)
    alone = draw_captions(grey, [], time_s=7.12)
    assert (picture[-30:] == alone[-30:]).all()
    assert (picture[:, -6:] == 128).all()


def test_labels_in_other_scripts_than_ascii_are_drawn() -> None:
    grey = np.full((240, 320, 3), 128, np.uint8)
    plain = draw_captions(grey, [Caption("Strase", None, "#ffffff")], time_s=0)
    accented = draw_captions(grey, [Caption("Straße", None, "#ffffff")], time_s=0)
    question = draw_captions(grey, [Caption("Stra?e", None, "#ffffff")], time_s=0)
    assert (plain != accented).any()
    assert (question != accented).any()


def test_progress_and_cancel(tmp_path: Path) -> None:
    source = make_video(tmp_path / "a.mp4", colours=palette(48), size=(320, 240))
    told: list[tuple[float, float | None]] = []
    annotated_clip(source, tmp_path / "clip.mp4", one_caption, on_progress=lambda *args: told.append(args))
    assert told[0] == (pytest.approx(1 / 24), pytest.approx(2))
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    cancel = threading.Event()
    with pytest.raises(Cancelled):
        annotated_clip(
            source,
            tmp_path / "out" / "clip.mp4",
            one_caption,
            on_progress=lambda *_: cancel.set(),
            cancel=cancel,
        )
    assert list((tmp_path / "out").iterdir()) == []


def test_a_clip_of_a_broken_file_holds_what_can_be_decoded(tmp_path: Path) -> None:
    source = make_video(tmp_path / "a.mkv", colours=palette(48), size=(320, 240))
    data = source.read_bytes()
    source.write_bytes(data[: len(data) // 2])
    annotated_clip(source, tmp_path / "clip.mp4", one_caption)
    assert 10 < len(read(tmp_path / "clip.mp4")) < 40


def test_what_makes_no_clip_says_why(tmp_path: Path) -> None:
    source, target = make_video(tmp_path / "a.mp4", colours=palette(24)), tmp_path / "clip.mp4"
    with pytest.raises(
        SettingsError, match=r"^A clip must end after it starts; choose a later end or an earlier"
    ):
        annotated_clip(source, target, one_caption, start_s=1, end_s=1)
    with pytest.raises(
        SettingsError, match=r"^a\.mp4 ends before the clip starts; choose an earlier start\.$"
    ):
        annotated_clip(source, target, one_caption, start_s=5)
    with pytest.raises(SettingsError, match=r"^A clip can't be 4 lines high; choose 16 to 4320\.$"):
        annotated_clip(source, target, one_caption, max_height=4)
    (tmp_path / "notes.mp4").write_text("nothing here " * 100)
    with pytest.raises(VideoUnreadableError, match=r"^notes\.mp4 is not a video"):
        annotated_clip(tmp_path / "notes.mp4", target, one_caption)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(
        VideoError, match=r"^The clip can't be written to .*file \(.+\); free some space there"
    ):
        annotated_clip(source, tmp_path / "file" / "clip.mp4", one_caption)
    assert not target.exists()


def test_an_error_in_the_captions_leaves_no_file(tmp_path: Path) -> None:
    def broken(_: float) -> list[Caption]:
        raise ValueError("no such label")

    source = make_video(tmp_path / "a.mp4", colours=palette(24), size=(320, 240))
    with pytest.raises(ValueError, match="no such label"):
        annotated_clip(source, tmp_path / "out" / "clip.mp4", broken)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_backend_without_h264_still_gives_a_playable_clip(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    enter = sv.VideoSink.__enter__

    def only_mpeg4(self: Any) -> Any:
        if self._VideoSink__codec != "mp4v":
            raise RuntimeError("Could not open video writer")
        return enter(self)

    monkeypatch.setattr(sv.VideoSink, "__enter__", only_mpeg4)
    source = make_video(tmp_path / "a.mp4", colours=palette(24), size=(320, 240))
    annotated_clip(source, tmp_path / "clip.mp4", one_caption)
    info = probe(tmp_path / "clip.mp4")
    assert (info.codec, info.browser_playable) == ("h264", True)
    assert len(read(tmp_path / "clip.mp4")) == 24


@pytest.mark.browser
@pytest.mark.parametrize("size", [(320, 240), (960, 720)])
def test_a_browser_plays_a_clip_in_its_true_colours(
    size: tuple[int, int], new_page: Callable[..., Page], tmp_path: Path
) -> None:
    colours = [RED, GREEN, BLUE]
    source = make_video(tmp_path / "a.mp4", colours=colours, size=size, rate=10)
    annotated_clip(source, tmp_path / "clip.mp4", one_caption)
    with serving(tmp_path) as address:
        page = new_page()
        page.goto(address)
        shown = seek_each(page, f"{address}/clip.mp4", [0.25, 0.15, 0.05])
    assert (shown["width"], shown["height"]) == size
    for seen, colour in zip(reversed(shown["frames"]), colours, strict=True):
        assert np.abs(np.array(seen["spots"][1]) - colour).max() <= COLOUR
