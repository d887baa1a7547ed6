"""Keys of the whole page, such as the one that presents; and the theme that somebody chose, for all pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import streamlit as st

from lib.ui.components.registration import newly_sent, register
from lib.ui.session.peek import peek_state

_COMPONENT = register(Path(__file__).parent)


def page_keys(
    keys: Mapping[str, str],
    on_press: Callable[[str], None],
    *,
    page: str,
    pages: Sequence[str],
    parameter: str,
    awaits: str | None,
    key: str = "page_keys",
) -> None:
    """Draw nothing, listen to keys outside text fields, and call ``on_press`` with the name of each that is pressed.

    Args:
        keys: ``KeyboardEvent.key``, in lower case for a letter, to the name of what it does.
        on_press: called before the script runs again.
        page: the address of this page below the dashboard's; empty for the first.
        pages: those of all pages, which get the theme that was chosen on one of them.
        parameter: one of the address.
        awaits: what it is to become; once it is, there is a run that knows so. None: nothing.
        key: widget key.
    """

    def changed() -> None:
        for name in newly_sent(key, peek_state().get(key, {}).get("presses")):
            if name in keys.values():  # else theme or address has changed, which takes a run and no more
                on_press(name)

    data = {"keys": dict(keys), "page": page, "pages": list(pages), "theme": st.context.theme.type}
    data |= {"parameter": parameter, "awaits": awaits}
    _COMPONENT(key=key, data=data, on_presses_change=changed)
