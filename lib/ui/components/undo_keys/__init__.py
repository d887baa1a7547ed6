"""The keys that undo and redo, for the whole page; typing in a text field stays the browser's to undo."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import streamlit as st

from lib.ui.components.registration import register
from lib.ui.session.peek import peek_state

_COMPONENT = register(Path(__file__).parent)
_DONE = "_undo_keys"


def undo_keys(said: str, on_press: Callable[[Literal["undo", "redo"]], None], *, key: str = "undo_keys") -> None:
    """Draw nothing, listen to the keys and call ``on_press`` for each press, before the script runs again.

    ``said`` is read out by screen readers whenever it changes.
    """

    def changed() -> None:
        values = peek_state()
        sent: dict[str, Any] = values.get(key, {}).get("presses") or {}
        last = [name for name in sent.get("last", []) if name in ("undo", "redo")]
        page, count = sent.get("id"), sent.get("count")
        if not isinstance(count, int):
            return
        page_before, done = values.get(_DONE, (None, 0))
        new = min(count - (done if page == page_before else 0), len(last))
        st.session_state[_DONE] = (page, count)
        for name in last[len(last) - new :] if new > 0 else []:
            on_press(name)

    _COMPONENT(key=key, data={"said": said}, on_presses_change=changed)
