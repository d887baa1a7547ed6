"""The keys that undo and redo, for the whole page; typing in a text field stays the browser's to undo."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from lib.ui.components.registration import newly_sent, register
from lib.ui.session.peek import peek_state

_COMPONENT = register(Path(__file__).parent)


def undo_keys(said: str, on_press: Callable[[Literal["undo", "redo"]], None], *, key: str = "undo_keys") -> None:
    """Draw nothing, listen to the keys and call ``on_press`` for each press, before the script runs again.

    ``said`` is read out by screen readers whenever it changes.
    """

    def changed() -> None:
        for name in newly_sent(key, peek_state().get(key, {}).get("presses")):
            if name in ("undo", "redo"):
                on_press(name)

    _COMPONENT(key=key, data={"said": said}, on_presses_change=changed)
