"""What differs between A and B in wording, settings, engine and sampling, for marks where it stands on either side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lib.comparison.prompt_diff import FieldChange, WordingChange, Words, settings_changes, wording_changes
from lib.comparison.version_diff import SETTINGS
from lib.prompts.model import Smoothing
from lib.ui.components.prompt_editor import RowMarks
from lib.ui.panels import engine
from lib.ui.session import comparison_sides
from lib.ui.session.session import SIDES, Side

_FIELD_NAMES = {"label": "spelling", "role": "role", "enabled": "on", "threshold": "threshold"}


@dataclass(frozen=True)
class Marks:
    """What is to be marked on one side."""

    rows: Mapping[str, RowMarks] = field(default_factory=dict)
    """By label."""
    settings: tuple[str, ...] = ()
    """A phrase for each setting that differs, with the other side's value."""
    rest: tuple[str, ...] = ()
    """The same for template, engine and sampling."""


def of_sides() -> dict[Side, Marks]:
    """Return what is to be marked on either side."""
    sessions = comparison_sides.sides()
    a, b = (session.experiment.prompt_set()[0] for session in sessions.values())
    if a is None or b is None:
        return {side: Marks() for side in SIDES}
    rows = wording_changes(replace(a, template="{}"), replace(b, template="{}"))
    everywhere = list(settings_changes(a, b))
    engines = [engine.described(session, address=True) for session in sessions.values()]
    if engines[0] != engines[1]:
        everywhere.append(FieldChange("engine", *engines))

    def of(side: Side) -> Marks:
        other = "b" if side == "a" else "a"
        said = {
            change.name: f"{_name(change.name)}: {other.upper()} has {_value(getattr(change, other))}"
            for change in everywhere
        }
        rest = tuple(said.pop(name) for name in ("template", "engine") if name in said)
        marked = {prompt.label: _row(change, side) for change in rows if (prompt := getattr(change, side)) is not None}
        return Marks({label: one for label, one in marked.items() if one is not None}, tuple(said.values()), rest)

    return {side: of(side) for side in SIDES}


def _row(change: WordingChange, side: Side) -> RowMarks | None:
    """Return what is to be marked in the row of one side; None where nothing differs."""
    other = "b" if side == "a" else "a"
    if change.a is None or change.b is None:
        return RowMarks(f"Only in {side.upper()}", only=True)
    texts = {
        text: _runs(one.words, side)
        for one in change.texts
        if one.status != "same" and (text := getattr(one, side)) is not None
    }
    fields = [
        one
        for one in change.fields
        # A threshold that neither side has for this label differs for all labels.
        if one.name != "threshold" or change.a.threshold is not None or change.b.threshold is not None
    ]
    said = [f"{_FIELD_NAMES[one.name]} {_value(getattr(one, other))}" for one in fields]
    theirs = [text for one in change.texts if one.status != "same" and (text := getattr(one, other)) is not None]
    said += [f"“{text}”" for text in theirs]
    if not said and not texts:
        return None
    return RowMarks(
        f"{other.upper()} has {', '.join(said)}" if said else f"Not in {other.upper()}",
        texts=texts,
        fields=tuple(one.name for one in fields),
    )


def _runs(words: Sequence[Words], side: Side) -> list[tuple[str, bool]]:
    """Return the words of one side in runs, each with whether the other side lacks it."""
    own = {"a": "removed", "b": "added"}[side]
    return [(run.text, run.kind == own) for run in words if run.kind in ("same", own)]


def _name(name: str) -> str:
    word, unit = SETTINGS.get(name, (name, ""))
    return word[0].upper() + word[1:] + (f" ({unit.strip()})" if unit else "")


def _value(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return Smoothing(**value).in_words
    return f"{value:g}" if isinstance(value, float) else str(value).replace("_", " ")
