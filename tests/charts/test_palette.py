"""The colours of labels."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from lib.charts import palette
from lib.charts.palette import RULE_COLOUR
from lib.prompts.model import COLOUR_NAMES, Prompt


def test_colours_go_by_place_and_a_prompts_own_wins() -> None:
    prompts = (
        Prompt("a"),
        Prompt("b", enabled=False),
        Prompt("c"),
        Prompt("d", colour="#ABCDEF"),
        Prompt("e", colour="amber"),
    )
    assert palette.label_colours(prompts) == {
        "a": palette.LIGHT_PALETTE[0],
        "b": palette.LIGHT_PALETTE[1],
        "c": palette.LIGHT_PALETTE[2],
        "d": "#abcdef",
        "e": palette.LIGHT_PALETTE[COLOUR_NAMES.index("amber")],
    }
    assert palette.label_colours(prompts, palette.DARK_PALETTE)["e"] == palette.DARK_PALETTE[4]


def test_colours_repeat_after_the_palette_in_dashes_that_differ() -> None:
    many = palette.label_colours([Prompt(str(i)) for i in range(30)])
    looks = {(colour, tuple(palette.dashes(colour))) for colour in many.values()}
    assert len(looks) == 30
    assert {str(colour) for colour in many.values()} == set(palette.LIGHT_PALETTE)
    assert [palette.dashes(many[str(i)]) for i in range(7)] == [[]] * 7
    assert palette.dashes(many["7"])
    assert palette.dashes("#123456") == []


def test_a_label_keeps_its_slot_and_one_without_gets_its_place_or_a_free_one() -> None:
    colours = palette.label_colours((Prompt("b", slot=1), Prompt("c", slot=2), Prompt("d"), Prompt("e", slot=1)))
    assert [palette.LIGHT_PALETTE.index(colour) for colour in colours.values()] == [1, 2, 0, 3]


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(first: str, second: str) -> float:
    high, low = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(
    ("colours", "background"),
    [(palette.LIGHT_PALETTE, "#FFFFFF"), (palette.DARK_PALETTE, "#11161D")],
    ids=["light", "dark"],
)
def test_every_colour_stands_out_from_its_background(colours: tuple[str, ...], background: str) -> None:
    assert len(colours) == len(COLOUR_NAMES)
    for colour in (*colours, RULE_COLOUR):
        assert _contrast(colour, background) >= 3.0


def test_streamlits_own_charts_have_the_same_colours() -> None:
    config = tomllib.loads((Path(__file__).parents[2] / ".streamlit" / "config.toml").read_text("utf-8"))
    themes = config["theme"]
    assert tuple(themes["light"]["chartCategoricalColors"]) == palette.LIGHT_PALETTE
    assert tuple(themes["dark"]["chartCategoricalColors"]) == palette.DARK_PALETTE
