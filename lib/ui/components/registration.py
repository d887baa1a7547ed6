"""Registers a browser component (plain HTML, CSS and JavaScript, no build step) with Streamlit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

_SHARED_STYLE = Path(__file__).with_name("shared.css")
ACKED_INPUT = Path(__file__).with_name("acked_input")
"""The script that components put before theirs whose fields are typed into."""


def register(folder: Path, *, before: tuple[str | Path, ...] = ()) -> ComponentRenderer:
    """Register the component ``<folder>/<name>.html|.css|.js``, called as its folder; call once, on import.

    Args:
        folder: where the files lie; its name is that of the files and, with a prefix, of the component.
        before: scripts that are put before ``<name>.js``, since a component's script is one text: names of some in the
            folder, or ``ACKED_INPUT``.

    The texts travel inside the page's messages, again whenever the component's data changes: keep them small.
    """
    name = folder.name
    html, style, script = (
        (folder / name).with_suffix(suffix).read_text(encoding="utf-8") for suffix in (".html", ".css", ".js")
    )
    script = "\n".join(
        [*((folder / part).with_suffix(".js").read_text(encoding="utf-8") for part in before), script]
    )
    shared = _SHARED_STYLE.read_text(encoding="utf-8")
    return st.components.v2.component(f"promptreel_{name}", html=html, css=f"{shared}\n{style}", js=script)


def nothing() -> None:
    """Stand in for a callback: Streamlit only offers values whose callback is given."""
