"""What the page is about: title, note and star of the experiment, and what can be done with it as a whole."""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lib.services.experiments import MAX_NOTE, MAX_TITLE, Experiment, shown_title
from lib.ui.explore import versions
from lib.ui.panels import presentation
from lib.ui.session import opening, state
from lib.ui.session.bindings import bound, field
from lib.ui.session.session import Session

_NARROWEST = 150
"""Pixels of the title, and of the choice of the video, before the line of them wraps."""


class TopLine(NamedTuple):
    """The places of the first line of the page that are filled later."""

    video: DeltaGenerator
    undo: DeltaGenerator


def draw(page: str) -> TopLine:
    """Draw the first line: the title of the page and of the experiment, its versions, and a menu with the rest."""
    session, experiment = state.session(), state.current()
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="top_line"):
        st.title(page, width="content", anchor=False)
        st.text_input(
            "Title of the experiment",
            value=experiment.title,
            max_chars=MAX_TITLE,
            placeholder=shown_title(experiment),
            label_visibility="collapsed",
            width=_NARROWEST,
            **bound(session, "title", experiment.title, lambda title: session.change(title=title.strip())),
        )
        places = TopLine(st.container(width=_NARROWEST), st.container(horizontal=True, width="content", gap="xsmall"))
        versions.buttons()
        presentation.button()
        with st.popover("★ More" if experiment.starred else "More", key="experiment_menu"):
            _menu(session, experiment)
    versions.dialog()
    return places


def _menu(session: Session, experiment: Experiment) -> None:
    """Draw what is done with the experiment as a whole, its star and its note."""
    with st.container(horizontal=True, gap="small"):
        st.button("New", key="new_experiment", icon=":material/add:", on_click=_new, help="Same video, no prompts")
        st.button("Duplicate", key="duplicate_experiment", icon=":material/content_copy:", on_click=_duplicate)
        st.button("Delete", key="delete_experiment", icon=":material/delete:", on_click=_delete)
        st.button(
            "★" if experiment.starred else "☆",
            key="star",
            help="Unstar this experiment" if experiment.starred else "Star this experiment: it comes first in lists",
            on_click=_star,
        )
    st.text_area(
        "Note",
        value=experiment.note,
        max_chars=MAX_NOTE,
        height=180,
        width=420,
        placeholder="What this experiment is for, what you found",
        **field(session, "note"),
    )


@state.callback
def _star() -> None:
    state.session().change(starred=not state.current().starred)


@state.callback
def _new() -> None:
    opening.begin_empty()


@state.callback
def _duplicate() -> None:
    opening.duplicate(state.current())


@state.callback
def _delete() -> None:
    opening.delete(state.current().id)
