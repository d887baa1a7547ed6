"""All colours of charts, for light and dark backgrounds. ``.streamlit/config.toml`` has the same palettes."""

from __future__ import annotations

from collections.abc import Sequence

from lib.prompts.model import COLOUR_NAMES, Prompt
from lib.prompts.slots import resolved

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
_DASHES = ((7, 3), (2, 3), (9, 3, 2, 3), (14, 4), (2, 3, 2, 7))
"""Of the second, third, … round through the palette."""
_ANGLES = (45, 135, 0, 90)


class Colour(str):
    """A hex colour, and how often the palette was used up before it: what repeats a colour is drawn in dashes."""

    round: int

    def __new__(cls, colour: str, round: int = 0) -> Colour:  # noqa: A002 - of the palette
        """Return ``colour`` of this round, from 0."""
        made = super().__new__(cls, colour)
        made.round = round
        return made

    def __eq__(self, other: object) -> bool:
        """Whether both look the same."""
        return isinstance(other, str) and str.__eq__(self, other) and self.round == round_of(other)

    def __hash__(self) -> int:
        """As a plain text in the first round."""
        return hash((str(self), self.round)) if self.round else str.__hash__(self)


def round_of(colour: str) -> int:
    """Return the round of a label's colour; 0 for any other text."""
    return colour.round if isinstance(colour, Colour) else 0


def dashes(colour: str) -> list[int]:
    """Return the lengths of dashes and gaps, in pixels, in which lines of ``colour`` are drawn; solid: none."""
    past = round_of(colour)
    return list(_DASHES[(past - 1) % len(_DASHES)]) if past else []


def swatch(colour: str) -> str:
    """Return ``colour`` as a CSS background: hatched, in another direction each, from the second round on."""
    past = round_of(colour)
    if not past:
        return str(colour)
    angle = _ANGLES[(past - 1) % len(_ANGLES)]
    return f"repeating-linear-gradient({angle}deg, {colour} 0 2.5px, transparent 2.5px 4.5px)"


def label_colours(prompts: Sequence[Prompt], palette: Sequence[str] = LIGHT_PALETTE) -> dict[str, Colour]:
    """Return label -> colour: the prompt's own, else that of its slot, on or off (``lib.prompts.slots``)."""
    named = dict(zip(COLOUR_NAMES, palette, strict=True))
    colours = {}
    for prompt, slot in zip(prompts, resolved([prompt.slot for prompt in prompts]), strict=True):
        if prompt.colour is not None:
            colours[prompt.label] = Colour(named.get(prompt.colour, prompt.colour))
        else:
            colours[prompt.label] = Colour(palette[slot % len(palette)], slot // len(palette))
    return colours


_OF_EVERY_OBJECT = {
    *("__proto__", "__defineGetter__", "__defineSetter__", "__lookupGetter__", "__lookupSetter__", "constructor"),
    *("hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable", "toLocaleString", "toString", "valueOf"),
}


def chart_label(label: str) -> str:
    """Return a label as charts have it: Vega groups by keys of plain objects, and these have some names already."""
    return f"{label}\u00a0" if label in _OF_EVERY_OBJECT else label
