"""Every script is drawn by a font that has it, and what is missing is said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from PIL import Image, ImageDraw

from lib.media import fonts
from lib.media.contact_sheet import Tile, contact_sheet
from lib.media.drawing import Caption, shortened
from tests.helpers.captions import drawn_on

GREY = np.full((120, 480, 3), 128, np.uint8)


def drawn(label: str) -> bytes:
    return drawn_on(GREY, [Caption(label, None, "#ffffff")], time_s=0).tobytes()


@pytest.fixture
def only_default(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine without fonts of its own."""
    monkeypatch.setattr(fonts, "_paths", lambda: (fonts._default_path(),))
    fonts._path_for.cache_clear()
    yield
    fonts._path_for.cache_clear()


@pytest.fixture
def square_font(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A machine with one font that has 船 and 厂, both as a full square."""
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "square"])
    builder.setupCharacterMap({ord("船"): "square", ord("厂"): "square"})
    pen = TTGlyphPen(None)
    for number, point in enumerate([(0, 0), (0, 800), (800, 800), (800, 0)]):
        (pen.lineTo if number else pen.moveTo)(point)
    pen.closePath()
    builder.setupGlyf({".notdef": TTGlyphPen(None).glyph(), "square": pen.glyph()})
    builder.setupHorizontalMetrics({".notdef": (1000, 0), "square": (1000, 0)})
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Squares", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    path = tmp_path / "squares.ttf"
    builder.save(path)
    monkeypatch.setattr(fonts, "_paths", lambda: (fonts._default_path(), path))
    fonts._path_for.cache_clear()
    yield path
    fonts._path_for.cache_clear()


@pytest.mark.parametrize("text", ["é à ü ñ ß Ł", "Ναυπηγείο", "Верфь", "مبنى", "שלום", "😀 ☂", "cafe\u0301"])
def test_what_the_font_that_is_always_there_has_is_drawn(text: str, only_default: None) -> None:
    assert fonts.missing_sentence([text]) is None
    letters = [c for c in text if c.isalpha()]
    assert all("□" not in run for _, run in fonts.font(16).runs(text))
    assert drawn(text) != drawn("□" * len(letters))


def test_what_no_font_has_is_a_box_and_said_in_one_sentence(only_default: None) -> None:
    said = fonts.missing_sentence(["造船厂", "car", "नमस्ते", "造"])
    assert said is not None
    assert said.startswith("No font on the computer that runs Promptreel has 造船厂नमसत; pictures show □ instead.")
    assert [run for _, run in fonts.font(16).runs("造 a")] == ["□ a"]
    assert drawn("造船") == drawn("□□")
    assert fonts.missing_sentence(["car", "ß"]) is None


def test_other_fonts_of_the_machine_are_used_for_what_they_have(square_font: Path) -> None:
    runs = fonts.font(20).runs("ship 船厂 a")
    assert [run for _, run in runs] == ["ship ", "船厂 ", "a"]
    assert [Path(str(font.path)).name for font, _ in runs] == ["DejaVuSans.ttf", "squares.ttf", "DejaVuSans.ttf"]
    assert fonts.missing_sentence(["ship 船厂"]) is None
    picture = Image.new("L", (100, 40))
    ImageDraw.Draw(picture).text((10, 5), "船", fill=255, font=fonts.font(20))
    assert np.asarray(picture)[:, 10:26].max() == 255
    assert (np.asarray(picture) == 255).sum() == 16 * 16


def test_right_to_left_text_goes_that_way_also_over_two_fonts(square_font: Path) -> None:
    assert [run for _, run in fonts.font(20).runs("مبنى 船")] == ["船", "مبنى "]


def test_letters_are_joined_and_ordered(only_default: None) -> None:
    """Shaping: Arabic letters that join are narrower than the same letters alone."""
    font = fonts.font(40)
    assert font.getlength("مبنى") < sum(font.getlength(letter) for letter in "مبنى")
    assert drawn("مبنى") != drawn("ىنبم")


def test_a_line_is_measured_as_it_is_drawn(square_font: Path) -> None:
    font, text = fonts.font(24), "Åj 船 q"
    picture = Image.new("L", (300, 80))
    ImageDraw.Draw(picture).text((20, 10), text, fill=255, font=font)
    left, top, right, bottom = picture.getbbox() or (0, 0, 0, 0)
    box = font.getbbox(text)
    assert np.allclose((left - 20, top - 10, right - 20, bottom - 10), box, atol=1.5)
    assert font.getlength(shortened(text * 9, font, 200)) <= 200
    assert font.getbbox("") == (0, 0, 0, 0)


def test_a_contact_sheet_draws_them_too(only_default: None) -> None:
    def sheet(title: str) -> bytes:
        return contact_sheet([Tile(GREY, title, title)], image_format="png")

    assert sheet("Верфь") != sheet("□□□□□")
    assert sheet("造船") == sheet("□□")


@pytest.mark.parametrize("shape", [(2, 2000), (2000, 2), (1, 1), (224, 896)])
def test_pictures_of_odd_shapes_have_a_tile_and_captions(shape: tuple[int, int]) -> None:
    image = np.zeros((*shape, 3), np.uint8)
    assert contact_sheet([Tile(image, "a label", "0:01")])
    assert drawn_on(image, [Caption("a label", 0.5, "#e69f00")], time_s=1).shape == image.shape


def test_a_broken_font_file_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "broken.ttf").write_bytes(b"\0\1\0\0" + bytes(40))
    assert fonts._characters(tmp_path / "broken.ttf") == frozenset()
