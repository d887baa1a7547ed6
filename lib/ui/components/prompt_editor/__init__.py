"""The prompt table's editor: text fields in the browser, which keep what is typed whatever Python does.

While the editor is on screen, the browser's rows count. Each edit has a sequence number and sends all rows, never a
difference; ``editor_feedback`` acknowledges it, and until then it is sent again. The arguments of ``prompt_editor``
stay the same while somebody types, so that the editor's code isn't sent with each edit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import streamlit as st

from lib.prompts.model import COLOUR_NAMES, MAX_PHRASINGS, MAX_PROMPTS, ROLES
from lib.services.experiments import MAX_ROWS, PromptRow
from lib.services.row_hints import Hint
from lib.services.row_paste import MAX_TEXT, Paste
from lib.ui.components.registration import ACKED_INPUT, draw, register
from lib.ui.session.peek import peek_state

MAX_LABEL = 500
"""Characters of a label or a phrasing; the browser says so where it cuts a longer one."""
_COMPONENT = register(Path(__file__).parent, before=(ACKED_INPUT, "phrasings", "live_line", "prompt_row"))
_FEEDBACK = st.components.v2.component(
    "promptreel_editor_feedback",
    js=Path(__file__).with_name("editor_feedback.js").read_text(encoding="utf-8"),
)
_HEX_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


@dataclass(frozen=True)
class Pressed:
    """A press of a hint's button."""

    index: int
    mend: str


@dataclass(frozen=True)
class RowMarks:
    """What differs in a row from that of another table with the same label."""

    said: str
    """What differs, in words."""
    only: bool = False
    """Whether the other table lacks the label."""
    texts: Mapping[str, Sequence[tuple[str, bool]]] = field(default_factory=dict)
    """By phrasing, its runs of words, each with whether it differs; the label stands for itself without phrasings."""
    fields: Sequence[str] = ()
    """Of ``label``, ``role``, ``threshold``, ``enabled``."""


@dataclass(frozen=True)
class SubmittedRows:
    """What the browser sent last: all rows, validated, and the edit's sequence number."""

    of: str
    number: int
    rows: tuple[PromptRow, ...] | None
    """None requests the current rows: the browser no longer has those that it sent."""
    action: Paste | Pressed | None = None
    """What else happened to these rows."""


def prompt_editor(
    rows: Sequence[PromptRow],
    *,
    key: str,
    of: str,
    thresholds: tuple[float, float],
    live: tuple[str, str] = ("", ""),
    on_change: Callable[[SubmittedRows], None],
) -> SubmittedRows | None:
    """Draw the editor and return what the browser sent last; None while that is nothing, or no rows.

    Args:
        rows: shown at first; used only when ``of`` changes and when the page is reloaded.
        key: widget key, the same for ``editor_feedback``.
        of: ``<experiment>.<session>.<version>``. Another version replaces what the browser shows. Another session of
            the same experiment (the server was restarted) gets the edits that no session has acknowledged.
        thresholds: lowest and highest threshold that is accepted.
        live: key of the player that tells what is at the playhead, and the side of it (``A``, ``B`` or empty).
        on_change: called with each edit before the script runs, also when it runs for another page.
    """
    data = {
        "key": key,
        "of": of,
        "rows": [_to_json(row) for row in rows],
        "colour_names": COLOUR_NAMES,
        "max_rows": MAX_PROMPTS,
        "max_label": MAX_LABEL,
        "max_texts": MAX_PHRASINGS,
        "live": {"key": live[0], "side": live[1]},
    }

    return draw(_COMPONENT, key, data, "rows", lambda sent: _read(sent, thresholds), on_change)


def last_submitted(key: str, thresholds: tuple[float, float]) -> SubmittedRows | None:
    """Return what the editor ``key`` sent last, also while callbacks run; None while that is nothing, or no rows."""
    value = peek_state().get(key)
    return _read(value.get("rows"), thresholds) if value else None


def editor_feedback(
    *,
    key: str,
    of: str,
    ack: int,
    colours: Mapping[str, str],
    threshold: float,
    thresholds: tuple[float, float],
    uses_thresholds: bool,
    hints: Mapping[int, Sequence[Hint]],
    unknown: Mapping[str, str],
    left_out: Mapping[int, str] | None = None,
    said: str = "",
    marks: Mapping[str, RowMarks] | None = None,
) -> None:
    """Pass to the editor what changes with each edit; call it right after ``prompt_editor``.

    Args:
        key: the editor's key.
        of: the editor's ``of``.
        ack: sequence number of the last edit that is in the experiment.
        colours: the swatch in use, as a CSS background, by label.
        threshold: the shared one, shown in rows without their own.
        thresholds: lowest and highest threshold that is accepted.
        uses_thresholds: whether the decision uses thresholds; they are greyed out if not.
        hints: by the row's index, shown below the row with their buttons.
        unknown: by label, what else is to be said below its row, as on words outside the model's vocabulary.
        left_out: by the row's index, why it takes no part.
        said: what the last press or paste did.
        marks: by label, what differs from another table beside this one.
    """
    data = {
        "key": key,
        "of": of,
        "ack": ack,
        "colours": dict(colours),
        "threshold": threshold,
        "thresholds": thresholds,
        "uses_thresholds": uses_thresholds,
        "hints": {
            str(index): [
                {"text": hint.sentence, "mends": [[mend.name, mend.words] for mend in hint.mends]} for hint in of_row
            ]
            for index, of_row in hints.items()
        },
        "unknown": dict(unknown),
        "left_out": {str(index): why for index, why in (left_out or {}).items()},
        "said": said,
        "marks": {label: asdict(one) for label, one in (marks or {}).items()},
    }
    _FEEDBACK(key=f"{key}.feedback", data=data)


def answers_without_player(key: str, lanes: Mapping[str, Any] | None) -> None:
    """Have the prompt tables show the answers in ``lanes``, where the player ``key`` that tells them is missing."""
    sides = [one for one in (lanes, (lanes or {}).get("beside")) if one]
    nothing = {"score": None, "low": 0, "high": 1, "threshold": None, "steps": None, "on": False, "present": True}
    labels = [
        {**nothing, "side": side.get("side", ""), "label": label["name"], "answer": label["answer"]}
        for side in sides
        for label in side["labels"]
    ]
    _FEEDBACK(key=f"{key}.answers", data={"key": key, "labels": labels})


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
    """Return what the browser sent, validated; None where it is not an edit."""
    if not isinstance(sent, dict):
        return None
    of, number, rows = sent.get("of"), sent.get("number"), sent.get("rows")
    if not isinstance(of, str) or not isinstance(number, int):
        return None
    if rows is None:
        return SubmittedRows(of, number, None)
    if not isinstance(rows, list):
        return None
    read = tuple(_row(row, thresholds) for row in rows[:MAX_ROWS] if isinstance(row, dict))
    return SubmittedRows(of, number, read, _action(sent.get("action")))


def _action(sent: object) -> Paste | Pressed | None:
    if not isinstance(sent, dict) or type(index := sent.get("index")) is not int:
        return None
    if isinstance(mend := sent.get("mend"), str):
        return Pressed(index, mend[:MAX_LABEL])
    text = sent.get("paste")
    if not isinstance(text, str):
        return None
    return Paste(index, _whole(text[:MAX_TEXT]), _text(sent.get("head")), _text(sent.get("tail")))


def _row(sent: dict[str, object], thresholds: tuple[float, float]) -> PromptRow:
    texts, colour = sent.get("texts"), sent.get("colour")
    phrasings = [_text(text) for text in texts[:MAX_PHRASINGS]] if isinstance(texts, list) else []
    valid = isinstance(colour, str) and (colour in COLOUR_NAMES or _HEX_COLOUR.fullmatch(colour))
    return PromptRow(
        enabled=sent.get("enabled") is not False,
        label=_text(sent.get("label")),
        texts=tuple(text for text in phrasings if text),
        role=next((role for role in ROLES if role == sent.get("role")), "target"),
        threshold=_threshold(sent.get("threshold"), thresholds),
        colour=str(colour) if valid else None,
    )


def _threshold(sent: object, thresholds: tuple[float, float]) -> float | None:
    if not isinstance(sent, int | float) or isinstance(sent, bool):
        return None
    return float(sent) if thresholds[0] <= sent <= thresholds[1] else None


def _text(sent: object) -> str:
    return _whole(sent[:MAX_LABEL]) if isinstance(sent, str) else ""


def _whole(text: str) -> str:
    # JavaScript strings may contain half a surrogate pair, which UTF-8 can't encode.
    return text.encode("utf-8", "replace").decode("utf-8")
