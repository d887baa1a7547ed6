"""Undo and redo of what this tab has done: buttons that say what they would do, keys, and a sentence on what was."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from lib.core.formatting import as_text
from lib.ui.components.undo_keys import undo_keys
from lib.ui.panels import prompts
from lib.ui.session import state
from lib.ui.session.guard import told
from lib.ui.session.peek import peek_state
from lib.ui.session.session import Session

_KEYS = {"undo": "Ctrl+Z", "redo": "Ctrl+Shift+Z"}


def draw() -> None:
    """Draw both buttons."""
    history = state.session().undoing.history
    for name, steps in (("undo", history.past), ("redo", history.future)):
        st.button(
            name.capitalize(),
            icon=f":material/{name}:",
            key=name,
            disabled=not steps,
            help=f"{name.capitalize()}: {as_text(steps[-1].text)} ({_KEYS[name]})" if steps else f"Nothing to {name}",
            on_click=_travel,
            args=(name,),
        )
    undo_keys(state.session().said_last, _travel)


@told
def _travel(name: Literal["undo", "redo"]) -> None:
    # Not under the session's lock, as ``state.callback`` would have it: ground truth may wait for the store.
    session: Session = peek_state()["session"]
    for side in filter(None, (session, session.compared)):
        prompts.accept_typed(side)
    session.say(session.travel(name) or f"Nothing to {name}")
