"""What a report consists of: sections of paragraphs, tables, charts, pictures and code.

Texts are plain and are escaped when they are rendered, whatever is in them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from lib.charts.palette import DARK_PALETTE, LIGHT_PALETTE, RULE_COLOUR, Colour, label_colours
from lib.charts.templates import FilledChart
from lib.comparison.prompt_diff import Words
from lib.core.labelled_intervals import label_key
from lib.prompts.model import Prompt

Pictures = Callable[[str | int], bytes | None]
"""A frame's index, or a video's SHA-256, -> its picture as JPEG; None where there is none."""


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str
    kind: str = ""
    """``lead``: large; ``note``: small; empty: as usual."""


@dataclass(frozen=True)
class Code:
    """Text to copy, with its line breaks."""

    text: str
    title: str


@dataclass(frozen=True)
class Cell:
    """What stands in a table, where that is more than a text."""

    text: str = ""
    colour: str | None = None
    """Name of a colour of ``Colours``; a dot of it stands before the text."""
    words: tuple[Words, ...] = ()
    """A wording with its changes, in place of the text."""
    strong: bool = False


@dataclass(frozen=True)
class Table:
    """A table; the first cell of each row is its heading."""

    title: str
    head: tuple[str, ...]
    rows: Sequence[Sequence[Cell | str]]
    left: int = 1
    """How many columns are aligned to the left; the others are numbers."""
    most: int = 300
    """Rows that are shown; how many there are besides is said."""


@dataclass(frozen=True)
class Chart:
    """A chart."""

    title: str
    chart: FilledChart
    alt: str
    """What it shows, for people who don't see it."""


@dataclass(frozen=True)
class Frame:
    """A picture with what is said of it."""

    title: str
    lines: tuple[str, ...]
    picture: bytes | None
    colour: str | None = None


@dataclass(frozen=True)
class Frames:
    """Pictures beside each other."""

    title: str
    frames: tuple[Frame, ...]


Block = Text | Code | Table | Chart | Frames


@dataclass(frozen=True)
class Section:
    """A part of the report under a heading."""

    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Colours:
    """Colours of labels that follow the reader's light or dark theme."""

    light: Mapping[str, str] = field(default_factory=dict)
    """Name -> hex, on white."""
    dark: Mapping[str, str] = field(default_factory=dict)
    by_label: Mapping[str, Colour] = field(default_factory=dict)
    """Label -> ``var(--name)``, which charts are drawn with."""

    def name(self, label: str | None) -> str | None:
        """Return the name of a label's colour, None where it has none."""
        colour = None if label is None else self.by_label.get(label)
        return None if colour is None else colour.removeprefix("var(--").removesuffix(")")

    def of_true(self, labels: Sequence[str]) -> dict[str, str]:
        """Return the colours of the ground truth's labels: those of the prompts that mean the same, else grey."""
        by_key = {label_key(label): colour for label, colour in self.by_label.items()}
        return {label: by_key.get(label_key(label), RULE_COLOUR) for label in labels}


def colours_of(*sides: Sequence[Prompt]) -> Colours:
    """Return the colours of the prompts of all sides; labels that mean the same have one colour."""
    prompts = {label_key(prompt.label): prompt for side in reversed(sides) for prompt in side}
    order = dict.fromkeys(label_key(prompt.label) for side in sides for prompt in side)
    unlike = [prompts[key] for key in order]
    light, dark = (label_colours(unlike, palette) for palette in (LIGHT_PALETTE, DARK_PALETTE))
    names = {label_key(prompt.label): f"label-{place}" for place, prompt in enumerate(unlike)}
    variables = {
        label_key(prompt.label): Colour(f"var(--{names[label_key(prompt.label)]})", light[prompt.label].round)
        for prompt in unlike
    }
    return Colours(
        {names[label_key(label)]: str(colour) for label, colour in light.items()},
        {names[label_key(label)]: str(colour) for label, colour in dark.items()},
        {prompt.label: variables[label_key(prompt.label)] for side in sides for prompt in side},
    )


@dataclass(frozen=True)
class Report:
    """A whole report."""

    title: str
    subtitle: str
    note: str
    sections: Sequence[Section]
    colours: Colours


@dataclass(frozen=True)
class Origin:
    """What a report is of, and how the same numbers are got again."""

    title: str
    subtitle: str
    note: str = ""
    facts: Sequence[tuple[str, str]] = ()
    """Name and value of each thing that the numbers depend on."""
    code: Sequence[Code] = ()
    """The prompt sets, and the command that prints the numbers."""

    def section(self) -> Section:
        """Return the last section of a report."""
        facts = Table("Made with", ("What", "Which"), self.facts, left=2)
        return Section("How to get the same numbers", [facts, *self.code])
