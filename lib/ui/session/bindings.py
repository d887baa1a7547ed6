"""Widgets that show a value of the experiment and never lose an edit.

A widget without a key drops every second edit when its default follows the state; a keyed one loses its value on a
page switch. ``bound`` avoids both: the key is seeded from the experiment when the widget is created, and a callback
copies every edit back before the script runs again. The key holds the session's version, so replacing the experiment
as a whole (an import, another experiment) creates all widgets again from the new values.

Where something else changes what a widget shows, as the number beside a slider does, ``replace_widget`` has another one
take its place: the browser sends the values of all widgets with every edit, and not yet the new one.

The browser gets a seeded value once. A widget that it draws later (its code is still loading, or it is in a popover)
shows its default: so each widget is also given the value as ``value``, ``index`` or ``default`` in every run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypedDict

import streamlit as st

from lib.ui.session.peek import peek_state
from lib.ui.session.session import Session
from lib.ui.session.state import callback


class Binding(TypedDict):
    """Keyword arguments that bind a widget to the experiment."""

    key: str
    on_change: Callable[..., None]
    args: tuple[Any, ...]


def bound(session: Session, name: str, value: Any, apply: Callable[[Any], None]) -> Binding:
    """Return the keyword arguments for a widget that shows ``value`` and passes each edit to ``apply``."""
    key = widget_key(session, name)
    if key not in st.session_state:
        st.session_state[key] = value
    return {"key": key, "on_change": _copy_back, "args": (session.versioned(name), key, apply)}


def widget_key(session: Session, name: str) -> str:
    """Return the key that a bound widget has now."""
    return _key(session.versioned(name))


def _key(versioned: str) -> str:
    turn = peek_state().get(f"{versioned}.turn", 0)
    return f"{versioned}.{turn}" if turn else versioned


def replace_widget(session: Session, name: str) -> None:
    """Have the next run draw another widget in the place of a bound one whose value was changed by something else.

    A new value for the old widget would not be enough: until the browser has it, it sends the old value with whatever
    is edited next, and that would count as an edit.
    """
    turn = f"{session.versioned(name)}.turn"
    st.session_state[turn] = peek_state().get(turn, 0) + 1


def field(session: Session, name: str) -> Binding:
    """Return the binding of one field of the experiment."""
    value = getattr(session.experiment, name)
    return bound(session, name, value, lambda new: session.change(**{name: new}))


def setting(session: Session, name: str) -> Binding:
    """Return the binding of one field of ``Settings``."""
    value = getattr(session.experiment.settings, name)
    return bound(session, f"setting.{name}", value, lambda new: session.change_settings(**{name: new}))


@callback
def _copy_back(versioned: str, key: str, apply: Callable[[Any], None]) -> None:
    # Read under the lock: of two runs that copy back one widget, the one that comes last copies its latest value.
    values = peek_state()
    if key in values and key == _key(
        versioned
    ):  # else another widget has taken its place while its value was on the way
        apply(values[key])
