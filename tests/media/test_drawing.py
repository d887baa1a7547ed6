"""Captions drawn into pictures: readable, and each in a place of its own."""

from __future__ import annotations

from itertools import pairwise

import av
import numpy as np
import supervision as sv
from PIL import ImageFont

from lib.media.drawing import Caption, draw_captions, shortened
from tests.helpers.captions import drawn_on

CODED = 3
"""Tolerance, of 255: RGB to YUV and back."""


def test_text_is_shortened_to_the_width() -> None:
    font = ImageFont.load_default(16)
    assert shortened("short", font, 200) == "short"
    cut = shortened("a text that is far too long for it", font, 120)
    assert cut.endswith("…")
    assert font.getlength(cut) <= 120
    assert shortened("two\nlines\tand  spaces", font, 900) == "two lines and spaces"


def test_captions_are_drawn_in_their_colour_and_read_on_it() -> None:
    grey = np.full((480, 640, 3), 128, np.uint8)
    light = drawn_on(grey, [Caption("crane", 0.25, "#f0e442")], time_s=0)
    dark = drawn_on(grey, [Caption("crane", 0.25, "#00204d")], time_s=0)
    for picture, background, ink in ((light, (240, 228, 66), 0), (dark, (0, 32, 77), 255)):
        chip = picture[:60, :200].astype(int)
        assert (np.abs(chip - background) <= CODED).all(2).sum() > 500
        assert (np.abs(chip.mean(2) - ink) <= 12).sum() > 20


def test_each_caption_and_the_time_have_a_place_of_their_own() -> None:
    grey = np.full((480, 640, 3), 128, np.uint8)
    colours = ["#e69f00", "#56b4e9", "#009e73"]
    picture = drawn_on(grey, [Caption(f"label {c}", 0.5, c) for c in colours], time_s=7.12)
    rows = [
        np.flatnonzero((np.abs(picture.astype(int) - sv.Color.from_hex(c).as_rgb()) <= CODED).all(2).any(1))
        for c in colours
    ]
    for above, below in pairwise(rows):
        assert above.max() < below.min()
    changed = np.flatnonzero((picture != drawn_on(grey, [], time_s=8.12)).any((1, 2)))
    assert changed.max() > 440
    assert (drawn_on(grey, [], time_s=7.12)[:400] == 128).all()


def test_more_captions_than_lines_leave_the_time_readable() -> None:
    grey = np.full((240, 320, 3), 128, np.uint8)
    many = [Caption(f"a label that is far too long for such a small picture {i}", 0.5, "#e69f00") for i in range(50)]
    picture = drawn_on(grey, many, time_s=7.12)
    alone = drawn_on(grey, [], time_s=7.12)
    assert (picture[-30:] == alone[-30:]).all()
    assert (picture[:, -6:] == 128).all()


def test_a_caption_is_drawn_into_a_copy() -> None:
    picture = av.VideoFrame.from_ndarray(np.full((240, 320, 3), 128, np.uint8), "rgb24").reformat(format="yuv420p")
    before = picture.to_ndarray()
    assert (draw_captions(picture, [], time_s=1).to_ndarray() != before).any()
    assert (picture.to_ndarray() == before).all()


def test_labels_in_other_scripts_than_ascii_are_drawn() -> None:
    grey = np.full((240, 320, 3), 128, np.uint8)
    plain = drawn_on(grey, [Caption("Strase", None, "#ffffff")], time_s=0)
    accented = drawn_on(grey, [Caption("Straße", None, "#ffffff")], time_s=0)
    question = drawn_on(grey, [Caption("Stra?e", None, "#ffffff")], time_s=0)
    assert (plain != accented).any()
    assert (question != accented).any()
