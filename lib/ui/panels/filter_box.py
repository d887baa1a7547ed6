"""A search box above a list, which follows what is typed."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

import streamlit as st

from lib.ui.components.search_box import SubmittedQuery, search_box
from lib.ui.session.guard import told


@dataclass
class _Typed:
    """What was typed, and which submission that was."""

    text: str = ""
    ack: int = 0
    token: str = field(default_factory=lambda: secrets.token_hex(4))

    def take(self, query: SubmittedQuery) -> None:
        if query.of == self.of and query.number > self.ack:
            self.text, self.ack = query.text, query.number

    @property
    def of(self) -> str:
        return f"list.{self.token}.0"


def draw(key: str, *, label: str, placeholder: str, width: int) -> str:
    """Draw the box and return what was typed into it in this session.

    Args:
        key: widget key.
        label: names the box for screen readers.
        placeholder: shown while it is empty.
        width: CSS pixels.
    """
    typed: _Typed = st.session_state.setdefault(f"{key}_typed", _Typed())
    with st.container(width=width):
        query = search_box(
            typed.text,
            key=key,
            of=typed.of,
            ack=typed.ack,
            live="list",
            label=label,
            placeholder=placeholder,
            on_change=told(typed.take),
        )
    # Streamlit calls no callback for a value that arrives before its widget exists, as after a lost connection.
    if query is not None:
        typed.take(query)
    return typed.text
