"""All colours of charts, for light and dark backgrounds. ``.streamlit/config.toml`` has the same palettes."""

from __future__ import annotations

from collections.abc import Sequence

from lib.prompts.model import COLOUR_NAMES, Prompt

LIGHT_PALETTE = ("#0072B2", "#D55E00", "#00855F", "#B25D91", "#B87700", "#7F7F7F", "#1F86C1")
"""Colour-blind-safe, at least 3:1 on white; in the order of ``lib.prompts.model.COLOUR_NAMES``."""
DARK_PALETTE = ("#56B4E9", "#E69F00", "#2FC79A", "#F0A6CF", "#9AD0F5", "#F2C14E", "#B0B0B0")
"""The same for dark backgrounds."""
BLUE, VERMILION = LIGHT_PALETTE[:2]
RULE_COLOUR = "#808080"
"""Mid-grey: visible on white and on near-black; Vega's default, black, is not."""
SPIKE_COLOUR = "#D9480F"
LIGHT_TEXT, DARK_TEXT, ON_STRONG = "#31333f", "#fafafa", "#ffffff"
"""Text on the light theme, on the dark one, and on a strong colour of either."""


def label_colours(prompts: Sequence[Prompt], palette: Sequence[str] = LIGHT_PALETTE) -> dict[str, str]:
    """Return label -> hex colour: the prompt's own, else that of its place among all prompts, on or off.

    Each further round through the palette is darker, so that labels of different rounds can be
    told apart.
    """
    named = dict(zip(COLOUR_NAMES, palette, strict=True))
    colours = {}
    for place, prompt in enumerate(prompts):
        if prompt.colour is not None:
            colours[prompt.label] = named.get(prompt.colour, prompt.colour)
        else:
            colours[prompt.label] = _darker(palette[place % len(palette)], place // len(palette))
    return colours


def _darker(colour: str, rounds: int) -> str:
    if rounds == 0:
        return colour
    parts = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return "#" + "".join(f"{round(part * 0.68**rounds):02x}" for part in parts)


_OF_EVERY_OBJECT = {
    *("__proto__", "__defineGetter__", "__defineSetter__", "__lookupGetter__", "__lookupSetter__", "constructor"),
    *("hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable", "toLocaleString", "toString", "valueOf"),
}


def chart_label(label: str) -> str:
    """Return a label as charts have it: Vega groups by keys of plain objects, and these have some names already."""
    return f"{label}\u00a0" if label in _OF_EVERY_OBJECT else label
