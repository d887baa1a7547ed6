"""Whether, when and how long each label is there, in words: what is found first, then what isn't, then the rest."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Mapping

import streamlit as st

from lib.analysis.analysis import Analysis
from lib.ui.panels import html_tables

_MOST_ABSENT = 5
"""More labels than this that aren't found are folded."""
_REST = "opacity:0.8"


def draw(
    analysis: Analysis,
    colours: Mapping[str, str],
    *,
    key: str,
    behind: Callable[[int], str] = lambda _: "",
) -> None:
    """Draw the answers; ``behind`` gives HTML behind that of a column, ``key`` keeps open what somebody has opened."""
    found, absent, rest = analysis.answer_groups()
    sentences = [*analysis.answers().values()]

    def lines(columns: Iterable[int], style: str = "") -> str:
        made = []
        for column in columns:
            label, said = analysis.labels[column], sentences[column]
            name = f"<strong>{html.escape(label)}</strong>: " if said.startswith(f"{label}: ") else ""
            name = f"rest: {name}" if name and column in rest else name
            words = html.escape(said.removeprefix(f"{label}: ") if name else said)
            dot = html_tables.dot(colours[label])
            made.append(f'<li style="break-inside:avoid;{style}">{dot} {name}{words}{behind(column)}</li>')
        return "".join(made)

    folded = len(absent) > _MOST_ABSENT
    st.html(_list(lines(found) if folded else lines((*found, *absent)) + lines(rest, _REST)))
    if folded:
        with st.expander(f"{len(absent)} not found", key=key):
            st.html(_list(lines(absent)))
        if rest:
            st.html(_list(lines(rest, _REST)))


def _list(lines: str) -> str:
    style = "list-style:none;padding:0;margin:0;font-size:0.875rem;line-height:1.5;columns:2 22rem"
    return f'<ul style="{style}">{lines}</ul>'
