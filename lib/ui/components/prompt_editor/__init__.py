"""The prompt table's editor: real text fields in the browser, which keep what is typed whatever Python does.

The browser holds the truth while the editor is on screen. It numbers its edits and sends all rows each time, never a
difference; ``tell_editor`` says which number was heard, and what is not heard in time is sent again. What Python
passes to the editor itself stays the same while somebody types, so its code isn't sent again with each edit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from lib.prompts.model import COLOUR_NAMES, MAX_PHRASINGS, MAX_PROMPTS
from lib.services.experiments import PromptRow
from lib.ui.components.registration import ACKED_INPUT, register
from lib.ui.session.peek import peek_state

MAX_LABEL = 500
"""Characters of a label or a phrasing; what is longer is cut."""
_COMPONENT = register(Path(__file__).parent, before=(ACKED_INPUT, "prompt_row"))
_TELL = st.components.v2.component(
    "promptreel_editor_feedback",
    js=Path(__file__).with_name("editor_feedback.js").read_text(encoding="utf-8"),
)
_HEX_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


@dataclass(frozen=True)
class SubmittedRows:
    """What the browser sent last: all rows, tidied, and which edit they are."""

    of: str
    number: int
    rows: tuple[PromptRow, ...] | None
    """None asks to be given the rows anew: the browser doesn't have those that it sent before."""


def prompt_editor(
    rows: Sequence[PromptRow],
    *,
    key: str,
    of: str,
    thresholds: tuple[float, float],
    on_change: Callable[[SubmittedRows], None],
) -> SubmittedRows | None:
    """Draw the editor and return what the browser sent last; None while that is nothing, or no rows.

    Args:
        rows: what to show first; looked at only when ``of`` changes and when the page is loaded anew.
        key: widget key, the same for ``tell_editor``.
        of: ``<experiment>.<session>.<number>``. Another number replaces what the browser shows. Another session of
            the same experiment (the server was restarted) gets those edits that no session has heard of yet.
        thresholds: lowest and highest threshold that is accepted.
        on_change: called with each edit before the script runs again, so also when it runs for another page.
    """
    data = {
        "key": key,
        "of": of,
        "rows": [_to_json(row) for row in rows],
        "colour_names": COLOUR_NAMES,
        "max_rows": MAX_PROMPTS,
        "max_label": MAX_LABEL,
    }

    def heard() -> None:
        sent = sent_last(key, thresholds)
        if sent is not None:
            on_change(sent)

    return _read(_COMPONENT(key=key, data=data, on_rows_change=heard).rows, thresholds)


def sent_last(key: str, thresholds: tuple[float, float]) -> SubmittedRows | None:
    """Return what the editor ``key`` sent last, also while callbacks run; None while that is nothing, or no rows."""
    found = peek_state().get(key)
    return _read(found.get("rows"), thresholds) if found else None


def tell_editor(
    *,
    key: str,
    of: str,
    heard: int,
    colours: Mapping[str, str],
    threshold: float,
    thresholds: tuple[float, float],
    uses_thresholds: bool,
    unknown: Mapping[str, str],
) -> None:
    """Tell the editor what changes with each edit; draw it right after the editor.

    Args:
        key: the editor's key.
        of: the editor's ``of``.
        heard: number of the last edit that is in the experiment.
        colours: hex colour in use by label.
        threshold: the global one, shown where a row has none of its own.
        thresholds: lowest and highest threshold that is accepted.
        uses_thresholds: whether the decision looks at thresholds; they are greyed when not.
        unknown: by label, a sentence on words that the engine's model has never seen; shown below the row.
    """
    data = {
        "key": key,
        "of": of,
        "heard": heard,
        "colours": dict(colours),
        "threshold": threshold,
        "thresholds": thresholds,
        "uses_thresholds": uses_thresholds,
        "unknown": dict(unknown),
    }
    _TELL(key=f"{key}.news", data=data)


def _to_json(row: PromptRow) -> dict[str, Any]:
    return {
        "enabled": row.enabled,
        "label": row.label,
        "texts": row.texts,
        "role": row.role,
        "threshold": row.threshold,
        "colour": row.colour,
    }


def _read(sent: object, thresholds: tuple[float, float]) -> SubmittedRows | None:
    """Return what the browser sent, tidied; None when it is no edit."""
    if not isinstance(sent, dict):
        return None
    of, number, rows = sent.get("of"), sent.get("number"), sent.get("rows")
    if not isinstance(of, str) or not isinstance(number, int):
        return None
    if rows is None:
        return SubmittedRows(of, number, None)
    if not isinstance(rows, list):
        return None
    return SubmittedRows(
        of, number, tuple(_row(row, thresholds) for row in rows[:MAX_PROMPTS] if isinstance(row, dict))
    )


def _row(sent: dict[str, object], thresholds: tuple[float, float]) -> PromptRow:
    texts, colour = sent.get("texts"), sent.get("colour")
    phrasings = [_text(text) for text in texts[:MAX_PHRASINGS]] if isinstance(texts, list) else []
    known = isinstance(colour, str) and (colour in COLOUR_NAMES or _HEX_COLOUR.fullmatch(colour))
    return PromptRow(
        enabled=sent.get("enabled") is not False,
        label=_text(sent.get("label")),
        texts=tuple(text for text in phrasings if text),
        role="background" if sent.get("role") == "background" else "target",
        threshold=_threshold(sent.get("threshold"), thresholds),
        colour=str(colour) if known else None,
    )


def _threshold(sent: object, thresholds: tuple[float, float]) -> float | None:
    if not isinstance(sent, int | float) or isinstance(sent, bool):
        return None
    return float(sent) if thresholds[0] <= sent <= thresholds[1] else None


def _text(sent: object) -> str:
    # Half a surrogate pair is a string in JavaScript, but no file takes it.
    return sent[:MAX_LABEL].encode("utf-8", "replace").decode("utf-8") if isinstance(sent, str) else ""
