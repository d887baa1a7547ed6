"""What the page is about: title, note and star of the experiment, and what can be done with it as a whole."""

from __future__ import annotations

import streamlit as st

from lib.services.experiments import MAX_NOTE, MAX_TITLE, shown_title
from lib.ui.explore import versions
from lib.ui.session import opening, state
from lib.ui.session.bindings import bound, field

_TITLE_WIDTH = 330


def draw(page: str) -> None:
    """Draw the title of the page and of the experiment, its note, star and versions."""
    session, experiment = state.session(), state.current()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.title(page, width="content")
        st.text_input(
            "Title of the experiment",
            value=experiment.title,
            max_chars=MAX_TITLE,
            placeholder=shown_title(experiment),
            label_visibility="collapsed",
            width=_TITLE_WIDTH,
            **bound(session, "title", experiment.title, lambda title: session.change(title=title.strip())),
        )
        st.button(
            "★" if experiment.starred else "☆",
            key="star",
            help="Unstar this experiment" if experiment.starred else "Star this experiment: it comes first in lists",
            on_click=_star,
        )
        icon = ":material/sticky_note_2:" if experiment.note else ":material/note_add:"
        with st.popover("Note", icon=icon, key="note_popover"):
            st.text_area(
                "Note",
                value=experiment.note,
                max_chars=MAX_NOTE,
                height=220,
                width=420,
                placeholder="What this experiment is for, what you found",
                label_visibility="collapsed",
                **field(session, "note"),
            )
        versions.buttons()
    versions.dialog()


def buttons() -> None:
    """Draw New, Duplicate and Delete."""
    st.button("New", key="new_experiment", icon=":material/add:", on_click=_new, help="On the same video, no prompts")
    st.button("Duplicate", key="duplicate_experiment", icon=":material/content_copy:", on_click=_duplicate)
    st.button("Delete", key="delete_experiment", icon=":material/delete:", on_click=_delete)


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
