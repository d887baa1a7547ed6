"""Contact sheets: layout, titles and limits."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lib.core.errors import InputError, SettingsError
from lib.media.contact_sheet import Tile, contact_sheet
from tests.helpers.videos import BLUE, GREEN, RED, palette

BACKGROUND = (255, 255, 255)


def tile(colour: tuple[int, int, int], *, size: tuple[int, int] = (64, 36), **text: str) -> Tile:
    return Tile(np.full((size[1], size[0], 3), colour, np.uint8), **{"title": "a title", **text})


def decoded(data: bytes) -> np.ndarray:
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
    sheet = decoded(data)
    assert sheet.shape[1] == 2 * 16 + 3 * 320 + 2 * 12
    for position, colour in enumerate(colours):
        assert np.abs(block(sheet, position % 3, position // 3, 3) - colour).max() <= 4
    assert np.abs(block(sheet, 1, 2, 3) - BACKGROUND).max() <= 4  # nothing behind the last one


@pytest.mark.parametrize(("n", "columns"), [(1, 1), (2, 2), (3, 2), (4, 2), (5, 3), (36, 6), (100, 6)])
def test_any_number_of_tiles_gets_a_fitting_number_of_columns(n: int, columns: int) -> None:
    sheet = decoded(contact_sheet([tile(RED)] * n, tile_size=(32, 18)))
    assert sheet.shape[1] == 2 * 16 + columns * 32 + (columns - 1) * 12


def test_more_columns_than_tiles_leave_no_empty_ones() -> None:
    assert decoded(contact_sheet([tile(RED)] * 2, columns=9)).shape[1] == 2 * 16 + 2 * 320 + 12


def test_titles_and_subtitles_are_written_below_their_tile() -> None:
    bare = decoded(contact_sheet([tile(RED, title="")], image_format="png"))
    titled = decoded(contact_sheet([tile(RED, title="construction site")], image_format="png"))
    both = decoded(contact_sheet([tile(RED, title="construction site", subtitle="0:07.1")], image_format="png"))
    assert bare.shape == titled.shape == both.shape
    title_rows = np.flatnonzero((titled != bare).any((1, 2)))
    subtitle_rows = np.flatnonzero((both != titled).any((1, 2)))
    assert 16 + 180 < title_rows.min() <= title_rows.max() < subtitle_rows.min()
    assert subtitle_rows.max() < both.shape[0] - 16
    assert titled[title_rows].min() < 90  # dark on white


def test_a_long_title_stays_within_its_tile() -> None:
    first = tile(RED, title="a very long title that would run over into the next tile " * 3)
    sheet = decoded(contact_sheet([first, tile(GREEN, title="")], columns=2, image_format="png"))
    below = sheet[16 + 180 + 2 : -16]
    assert (below[:, 16 : 16 + 320] < 200).any()
    assert (below[:, 16 + 320 : 16 + 332 + 320] == 255).all()


def test_bars_fill_what_a_tall_picture_leaves_free() -> None:
    sheet = decoded(contact_sheet([tile(BLUE, size=(90, 160))], image_format="png"))
    row = sheet[16 + 90, 16 : 16 + 320].astype(int)
    assert np.abs(row[160] - BLUE).max() <= 1
    assert (np.abs(row - BLUE).max(1) <= 1).sum() == pytest.approx(180 * 90 / 160, abs=2)


def test_without_a_tile_there_is_no_sheet() -> None:
    with pytest.raises(InputError, match=r"^There is no frame to put on a contact sheet; choose at least one\.$"):
        contact_sheet([])


def test_a_sheet_beyond_any_picture_format_is_refused() -> None:
    with pytest.raises(InputError, match=r"^2000 frames don't fit on one contact sheet; choose fewer\.$"):
        contact_sheet([tile(RED)] * 2000)
    with pytest.raises(SettingsError, match=r"^A contact sheet can't have 0 columns; choose 1 or more\.$"):
        contact_sheet([tile(RED)], columns=0)
