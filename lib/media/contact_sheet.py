"""A contact sheet: one picture with many frames, each with its caption.

Supervision letterboxes the tiles, Pillow lays them out.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from lib.core.errors import InputError, SettingsError
from lib.media.drawing import Font, shortened, sv
from lib.media.fonts import font

_MARGIN, _GAP = 16, 12
_BACKGROUND, _TITLE_COLOUR, _SUBTITLE_COLOUR, _BAR_COLOUR = "#ffffff", "#1f2328", "#57606a", "#eaeef2"
_TITLE_SIZE, _SUBTITLE_SIZE = 15, 13
_MAX_SHEET_SIDE = 65_000
"""JPEG ends at 65,535 pixels."""


@dataclass(frozen=True)
class Tile:
    """One picture of a contact sheet."""

    image: NDArray[np.uint8]
    """RGB ``(height, width, 3)`` of any size."""
    title: str
    subtitle: str = ""


def contact_sheet(
    tiles: Sequence[Tile],
    *,
    columns: int | None = None,
    tile_size: tuple[int, int] = (320, 180),
    image_format: Literal["jpeg", "png"] = "jpeg",
) -> bytes:
    """Return a ``jpeg`` or ``png`` of all tiles in reading order, with title and subtitle below each.

    By default there are as many columns as make the sheet about as wide as high, at most six; pictures are letterboxed
    to ``tile_size``, width and height in pixels.

    Raises:
        InputError: no tile, or too many for one picture.
        SettingsError: fewer than one column.
    """
    if not tiles:
        raise InputError("There is no frame to put on a contact sheet; choose at least one.")
    if columns is not None and columns < 1:
        raise SettingsError(f"A contact sheet can't have {columns} columns; choose 1 or more.")
    columns = min(columns or min(6, ceil(sqrt(len(tiles)))), len(tiles))
    rows = ceil(len(tiles) / columns)
    width, height = tile_size
    title_font, subtitle_font = font(_TITLE_SIZE), font(_SUBTITLE_SIZE)
    text_height = _line_height(title_font) + _line_height(subtitle_font) + 6
    sheet_size = (
        2 * _MARGIN + columns * width + (columns - 1) * _GAP,
        2 * _MARGIN + rows * (height + text_height) + (rows - 1) * _GAP,
    )
    if max(sheet_size) > _MAX_SHEET_SIDE:
        raise InputError(f"{len(tiles)} frames don't fit on one contact sheet; choose fewer.")
    sheet = Image.new("RGB", sheet_size, _BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    for position, tile in enumerate(tiles):
        x = _MARGIN + position % columns * (width + _GAP)
        y = _MARGIN + position // columns * (height + text_height + _GAP)
        sheet.paste(Image.fromarray(_fitted(tile.image, tile_size)), (x, y))
        y += height + 4
        draw.text((x, y), shortened(tile.title, title_font, width), fill=_TITLE_COLOUR, font=title_font)
        y += _line_height(title_font)
        draw.text((x, y), shortened(tile.subtitle, subtitle_font, width), fill=_SUBTITLE_COLOUR, font=subtitle_font)
    buffer = io.BytesIO()
    sheet.save(buffer, format=image_format.upper(), quality=90, subsampling=0)
    return buffer.getvalue()


def _fitted(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return the picture at ``size`` (width, height) with bars; shrunk by Pillow first, which averages."""
    picture = Image.fromarray(image)
    picture.thumbnail(size, Image.Resampling.LANCZOS)
    fitted: NDArray[np.uint8] = sv.letterbox_image(np.array(picture), size, color=sv.Color.from_hex(_BAR_COLOUR))
    return fitted


def _line_height(font: Font) -> int:
    return int(font.getbbox("Ågjy")[3]) + 4
