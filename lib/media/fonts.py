"""A font that draws every script for which this machine has one: per stretch of text, the first that has it.

Always there is DejaVu Sans, which Matplotlib brings: Latin, Greek, Cyrillic, Arabic, Hebrew, symbols. Other scripts
come from the fonts installed on the machine, where there are any. Pillow's Raqm shapes and orders each stretch. What no
font has is drawn as an empty box, and ``missing_sentence`` says so.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import cache, lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any

import matplotlib
from fontTools.ttLib import TTFont
from PIL import Image, ImageDraw, ImageFont, features

_MAX_FONTS = 1000
_UNCHANGED = frozenset(("Mn", "Me", "Mc", "Cf"))  # categories that go with the character before
_BOX = "□"
_SHOWN_MISSING = 12
_FAMILIES = ("noto", "unifont", "wqy", "droid", "nanum", "ipa", "arial", "segoe", "apple")
"""Parts of the names of fonts with many characters; these are looked into first."""


def _default_path() -> Path:
    return Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"


@cache
def _paths() -> tuple[Path, ...]:
    """Return the font files that can be used, those with many characters first."""
    from matplotlib import font_manager  # looks through the machine's fonts, which only other scripts need

    def rank(path: Path) -> tuple[bool, bool, str]:
        name = path.name.lower()
        return not name.startswith(_FAMILIES), "regular" not in name, name

    found = sorted((Path(name) for name in font_manager.findSystemFonts()), key=rank)
    return (_default_path(), *found[:_MAX_FONTS])


@cache
def _characters(path: Path) -> frozenset[int]:
    """Return the code points that a font has outlines for; none where it can't be read."""
    try:
        with TTFont(path, fontNumber=0, lazy=True) as font:
            has_outlines = any(table in font for table in ("glyf", "CFF ", "CFF2"))
            return frozenset(font.getBestCmap() or ()) if has_outlines else frozenset()
    except Exception:  # whatever is wrong with somebody's font, others do
        return frozenset()


@lru_cache(maxsize=10_000)
def _path_for(character: str) -> Path | None:
    """Return the first font that has a character."""
    default = _default_path()
    if ord(character) in _characters(default):
        return default
    return next((path for path in _paths() if ord(character) in _characters(path)), None)


def missing_sentence(texts: Iterable[str]) -> str | None:
    """Return the sentence that says which characters no font on this machine has; None where all are there."""
    characters = dict.fromkeys(c for text in texts for c in _one_line(text) if not _goes_with_previous(c))
    missing = [c for c in characters if not c.isspace() and _path_for(c) is None]
    if not missing:
        return None
    shown = "".join(missing[:_SHOWN_MISSING]) + ("…" if len(missing) > _SHOWN_MISSING else "")
    return (
        f"No font on the computer that runs Promptreel has {shown}; pictures show {_BOX} instead. "
        "Install one there, for example Noto Sans for that script, and restart Promptreel."
    )


def _one_line(text: str) -> str:
    return unicodedata.normalize("NFC", " ".join(text.split()))


def _goes_with_previous(character: str) -> bool:
    return unicodedata.category(character) in _UNCHANGED


@lru_cache(maxsize=64)
def _loaded(path: Path, size: int) -> ImageFont.FreeTypeFont:
    layout = ImageFont.Layout.RAQM if features.check("raqm") else ImageFont.Layout.BASIC
    return ImageFont.truetype(str(path), size, layout_engine=layout)


class ScriptFont(ImageFont.FreeTypeFont):
    """DejaVu Sans, with other fonts for what it lacks; measures and draws one line as Pillow's fonts do."""

    def __init__(self, size: int) -> None:
        super().__init__(str(_default_path()), size)
        self._pixels = size

    def runs(self, text: str) -> list[tuple[ImageFont.FreeTypeFont, str]]:
        """Return the stretches of a text, each with its font, from left to right."""
        chosen: list[tuple[Path, str]] = []
        for character in _one_line(text):
            path = _path_for(character)
            if chosen and (character.isspace() or _goes_with_previous(character)):
                if character.isspace() or ord(character) in _characters(chosen[-1][0]):
                    chosen.append((chosen[-1][0], character))
            else:
                chosen.append((path or _default_path(), character if path else _BOX))
        runs = [
            (_loaded(path, self._pixels), "".join(character for _, character in group))
            for path, group in groupby(chosen, key=lambda item: item[0])
        ]
        return runs[::-1] if _is_right_to_left(text) else runs

    def getlength(self, text: str | bytes | bytearray, *_: Any, **__: Any) -> float:
        """Return the width of a line in pixels."""
        return sum(font.getlength(run) for font, run in self.runs(str(text)))

    def getbbox(
        self, text: str | bytes | bytearray, *_: Any, anchor: str | None = None, **__: Any
    ) -> tuple[float, float, float, float]:
        """Return left, top, right and bottom of a line in pixels, from the top of its ascenders or its baseline."""
        boxes, x = [], 0.0
        for font, run in self.runs(str(text)):
            left, top, right, bottom = font.getbbox(run, anchor="ls")
            boxes.append((x + left, top, x + right, bottom))
            x += font.getlength(run)
        if not boxes:
            return 0, 0, 0, 0
        lefts, tops, rights, bottoms = zip(*boxes, strict=True)
        shift = 0 if anchor == "ls" else self.getmetrics()[0]
        return min(lefts), min(tops) + shift, max(rights), max(bottoms) + shift

    def getmask2(
        self, text: str | bytes | bytearray, mode: str = "", *_: Any, anchor: str | None = None, **__: Any
    ) -> tuple[Any, tuple[int, int]]:
        """Return a line's picture, as Pillow draws it, and where its top left corner goes."""
        left, top, right, bottom = (round(side) for side in self.getbbox(text, anchor="ls"))
        picture = Image.new("1" if mode == "1" else "L", (max(1, right - left), max(1, bottom - top)))
        draw, x = ImageDraw.Draw(picture), 0.0
        for font, run in self.runs(str(text)):
            draw.text((x - left, -top), run, fill=255, font=font, anchor="ls")
            x += font.getlength(run)
        return picture.im, (left, top + (0 if anchor == "ls" else self.getmetrics()[0]))


def _is_right_to_left(text: str) -> bool:
    """Return the direction of a line: that of its first letter (Unicode's rule P2)."""
    return next((d != "L" for d in map(unicodedata.bidirectional, text) if d in ("L", "R", "AL")), False)


@lru_cache(maxsize=16)
def font(size: int) -> ScriptFont:
    """Return the font for a size in pixels."""
    return ScriptFont(size)
