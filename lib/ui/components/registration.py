"""Registers a browser component (plain HTML, CSS and JavaScript, no build step) with Streamlit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import streamlit as st

from lib.ui.session.peek import peek_state

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

T = TypeVar("T")
_FOLDER = Path(__file__).parent
ACKED_INPUT = _FOLDER / "acked_input"
"""The script for components with text fields, to be put before their own."""
SHARED_MODULES = _FOLDER / "js"
"""JavaScript modules for components whose own modules come by a route; see ``routes.url_for_modules``."""


def register(folder: Path, *, before: tuple[str | Path, ...] = ()) -> ComponentRenderer:
    """Register the component ``<folder>/<name>.html|.css|.js``, called as its folder; call once, on import.

    A component's script is one text: ``mounting.js``, the scripts ``before`` (names of files in the folder, or
    ``ACKED_INPUT``), and its own. It is sent again whenever the component's data changes: keep it small.
    """
    name = folder.name
    html, style = ((folder / f"{name}{suffix}").read_text(encoding="utf-8") for suffix in (".html", ".css"))
    scripts = (_FOLDER / "mounting", *before, name)
    script = "\n".join((folder / part).with_suffix(".js").read_text(encoding="utf-8") for part in scripts)
    shared = (_FOLDER / "shared.css").read_text(encoding="utf-8")
    return st.components.v2.component(f"promptreel_{name}", html=html, css=f"{shared}\n{style}", js=script)


def draw(
    component: ComponentRenderer,
    key: str,
    data: dict[str, Any],
    value: str,
    read: Callable[[object], T | None],
    on_change: Callable[[T], None],
) -> T | None:
    """Draw a component; return what ``read`` makes of ``value``, which the browser sent last.

    ``on_change`` is called with it before the script runs again, also when it runs for another page.
    """

    def changed() -> None:
        sent = read(peek_state().get(key, {}).get(value))
        if sent is not None:
            on_change(sent)

    callback: dict[str, Any] = {f"on_{value}_change": changed}
    return read(getattr(component(key=key, data=data, **callback), value))


def newly_sent(key: str, sent: object) -> list[Any]:
    """Return what a component ``key`` has sent since the last call: two presses may come within one run.

    It sends ``{id, count, last}``: its own id, how much it has sent in all, and the last of that.
    """
    if not isinstance(sent, dict) or not isinstance(sent.get("last"), list) or not isinstance(sent.get("count"), int):
        return []
    name, count, last = f"_sent.{key}", sent["count"], sent["last"]
    sender, done = peek_state().get(name, (None, 0))
    new = min(count - (done if sender == sent.get("id") else 0), len(last))
    st.session_state[name] = (sent.get("id"), count)
    return last[len(last) - new :] if new > 0 else []


def taken(key: str) -> tuple[Any, int] | None:
    """Return the id and the count of what ``newly_sent`` has returned last for ``key``; None at first."""
    found: tuple[Any, int] | None = peek_state().get(f"_sent.{key}")
    return found


def ignore() -> None:
    """Do nothing, as the callback of a value: Streamlit only offers values that have a callback."""
