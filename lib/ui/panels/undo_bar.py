"""Undo and redo of what this tab has done: buttons that say what they would do, and a sentence on what they did."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from lib.core.formatting import as_text
from lib.ui.panels import prompts
from lib.ui.session import state
from lib.ui.session.guard import told
from lib.ui.session.peek import peek_state
from lib.ui.session.session import Session


def draw() -> None:
    """Draw both buttons."""
    history = state.session().undoing.history
    for name, steps, travel in (("undo", history.past, Session.undo), ("redo", history.future, Session.redo)):
        st.button(
            name.capitalize(),
            icon=f":material/{name}:",
            key=name,
            disabled=not steps,
            help=f"{name.capitalize()}: {as_text(steps[-1].text)}" if steps else f"Nothing to {name}",
            on_click=_travel,
            args=(travel,),
        )


@told
def _travel(travel: Callable[[Session], str | None]) -> None:
    # Not under the session's lock, as ``state.callback`` would have it: ground truth may wait for the store.
    session: Session = peek_state()["session"]
    for side in filter(None, (session, session.compared)):
        prompts.accept_typed(side)
    said = travel(session)
    if said is not None:
        with session.lock:
            session.said.append(said)
