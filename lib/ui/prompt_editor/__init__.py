"""The prompt table's editor: real text fields in the browser, which keep what is typed whatever Python does."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from lib.prompts import COLOUR_NAMES, MAX_PHRASINGS, MAX_PROMPTS
from lib.ui.component import register
from lib.ui.workspace import Row

__all__ = ["MAX_LABEL", "prompt_editor"]

MAX_LABEL = 500
"""Characters of a label or a phrasing; what is longer is cut."""
_COMPONENT = register("prompt_editor", Path(__file__).parent)
_HEX_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


def prompt_editor(
    rows: Sequence[Row],
    *,
    key: str,
    version: int,
    colours: Mapping[str, str],
    threshold: float,
    thresholds: tuple[float, float],
    uses_thresholds: bool,
    on_change: Callable[[tuple[Row, ...]], None] | None = None,
) -> tuple[Row, ...]:
    """Draw the editor and return its rows as they are now.

    The browser holds the truth while the editor is on screen: ``rows`` replaces what it shows only when
    ``version`` changes, and when the editor is drawn anew. Whatever it sends is whole, not a difference, and names
    the version that it belongs to; rows of another version are void.

    Args:
        rows: what to show, as returned last time or as loaded.
        key: widget key.
        version: raise it to replace what the browser shows.
        colours: hex colour in use by label.
        threshold: the global one, shown where a row has none of its own.
        thresholds: lowest and highest threshold that is accepted.
        uses_thresholds: whether the decision looks at thresholds; they are greyed when not.
        on_change: gets the new rows before the script runs again, so also when it runs for another page.
    """
    # Names this session too: a browser tab outlives a restart of the server, and so does what it sent last.
    session = st.session_state.setdefault(f"_prompt_editor.{key}", secrets.token_hex(8))
    of = f"{session}.{version}"
    data = {
        "key": key,
        "of": of,
        "rows": [_to_json(row) for row in rows],
        "colours": dict(colours),
        "colour_names": COLOUR_NAMES,
        "threshold": threshold,
        "thresholds": thresholds,
        "uses_thresholds": uses_thresholds,
        "max_rows": MAX_PROMPTS,
        "max_label": MAX_LABEL,
    }

    def heard() -> None:
        found = _read(st.session_state[key].get("rows"), of, thresholds)
        if found is not None and on_change is not None:
            on_change(found)

    found = _read(_COMPONENT(key=key, data=data, on_rows_change=heard).rows, of, thresholds)
    return tuple(rows) if found is None else found


def _to_json(row: Row) -> dict[str, Any]:
    return {
        "enabled": row.enabled,
        "label": row.label,
        "texts": row.texts,
        "role": row.role,
        "threshold": row.threshold,
        "colour": row.colour,
    }


def _read(sent: object, of: str, thresholds: tuple[float, float]) -> tuple[Row, ...] | None:
    """Return the rows that the browser sent, tidied; None when they are no rows, or of another version."""
    if not isinstance(sent, dict) or sent.get("of") != of or not isinstance(sent.get("rows"), list):
        return None
    return tuple(_row(row, thresholds) for row in sent["rows"][:MAX_PROMPTS] if isinstance(row, dict))


def _row(sent: dict[str, object], thresholds: tuple[float, float]) -> Row:
    texts, colour = sent.get("texts"), sent.get("colour")
    phrasings = [_text(text) for text in texts[:MAX_PHRASINGS]] if isinstance(texts, list) else []
    known = isinstance(colour, str) and (colour in COLOUR_NAMES or _HEX_COLOUR.fullmatch(colour))
    return Row(
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
