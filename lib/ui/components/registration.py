"""Registers a browser component (plain HTML, CSS and JavaScript, no build step) with Streamlit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

_SHARED_STYLE = Path(__file__).with_name("shared.css")
ACKED_INPUT = Path(__file__).with_name("acked_input")
"""The script for components with text fields, to be put before their own."""
SHARED_MODULES = Path(__file__).with_name("js")
"""JavaScript modules for components whose own modules come by a route; see ``routes.url_for_modules``."""


def register(folder: Path, *, before: tuple[str | Path, ...] = ()) -> ComponentRenderer:
    """Register the component ``<folder>/<name>.html|.css|.js``, called as its folder; call once, on import.

    Args:
        folder: where the files lie; its name is that of the files and, with a prefix, of the component.
        before: scripts that are put before ``<name>.js``, since a component's script is one text: names of files in
            the folder, or ``ACKED_INPUT``.

    The texts are sent again whenever the component's data changes: keep them small.
    """
    name = folder.name
    html, style, script = (
        (folder / name).with_suffix(suffix).read_text(encoding="utf-8") for suffix in (".html", ".css", ".js")
    )
    script = "\n".join([*((folder / part).with_suffix(".js").read_text(encoding="utf-8") for part in before), script])
    shared = _SHARED_STYLE.read_text(encoding="utf-8")
    return st.components.v2.component(f"promptreel_{name}", html=html, css=f"{shared}\n{style}", js=script)


def ignore() -> None:
    """Do nothing, as the callback of a value: Streamlit only offers values that have a callback."""
