"""The differences in wording, settings, engine and sampling between A and B."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from lib.comparison.prompt_diff import (
    FieldChange,
    TextChange,
    WordingChange,
    settings_changes,
    wording_changes,
)
from lib.comparison.version_diff import SETTINGS
from lib.prompts.model import Smoothing
from lib.ui.panels import engine, html_tables
from lib.ui.panels.html_tables import escaped, note
from lib.ui.session import comparison_sides
from lib.ui.session.session import Session

_FIELD_NAMES = {
    "label": "spelling",
    "role": "role",
    "enabled": "on",
    **{name: word + (f" ({unit.strip()})" if unit else "") for name, (word, unit) in SETTINGS.items()},
}

_ONLY = {"added": "only in B", "removed": "only in A"}


def draw() -> None:
    """Draw the differences in words; labels that are the same are only counted."""
    sessions = comparison_sides.sides().values()
    a, b = (session.experiment.prompt_set()[0] for session in sessions)
    engine_a, engine_b = map(_engine, sessions)
    if a is None or b is None:
        return
    st.markdown("#### Wording")
    changes = [_without_shared_threshold(change) for change in wording_changes(a, b)]
    settings = list(settings_changes(a, b))
    if engine_a != engine_b:
        settings.append(FieldChange("engine", engine_a, engine_b))
    different = [change for change in changes if change.status != "same"]
    lines = [f"<li>{_label(change)}</li>" for change in different]
    if settings:
        fields = ", ".join(_field(change) for change in settings)
        lines.append(f"<li><strong>All labels</strong>: {fields}</li>")
    if lines:
        html_tables.draw(f"<ul>{''.join(lines)}</ul>", label="What differs in wording and settings")
    same = len(changes) - len(different)
    if not lines:
        st.caption("Both sides have the same wording, settings and engine. Change one of them above.")
    elif same:
        st.caption(f"{same} {'label is' if same == 1 else 'labels are'} the same on both sides.")


def _without_shared_threshold(change: WordingChange) -> WordingChange:
    """Return the change less a threshold that neither side has for this label: it is listed under all labels."""
    if change.a is None or change.b is None or change.a.threshold is not None or change.b.threshold is not None:
        return change
    return replace(change, fields=tuple(field for field in change.fields if field.name != "threshold"))


def _engine(session: Session) -> str:
    return engine.described(session, address=True)


def _label(change: WordingChange) -> str:
    title = f"<strong>{escaped(change.label)}</strong>"
    if change.status in _ONLY:
        # Phrasings only where they say more than the label does.
        more = any((text.a or text.b) != change.label for text in change.texts)
        return f"{title}{note(_ONLY[change.status])} {_texts(change) if more else ''}"
    parts = [_texts(change)] if any(text.status != "same" for text in change.texts) else []
    parts += [_field(field) for field in change.fields]
    return f"{title}: {', '.join(parts)}"


def _texts(change: WordingChange) -> str:
    return "; ".join(_text(text) for text in change.texts)


def _text(text: TextChange) -> str:
    tags = {"same": "{}", "removed": "<del>{}</del>", "added": "<ins>{}</ins>"}
    return " ".join(tags[run.kind].format(escaped(run.text)) for run in text.words)


def _field(change: FieldChange) -> str:
    name = _FIELD_NAMES.get(change.name, change.name)
    before, after = escaped(_value(change.a)), escaped(_value(change.b))
    return f"{escaped(name)} <del>{before}</del> <ins>{after}</ins>"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return Smoothing(**value).in_words
    return f"{value:g}" if isinstance(value, float) else str(value).replace("_", " ")
