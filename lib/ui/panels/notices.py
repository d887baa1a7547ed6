"""What stands above every page: edits that can't be saved, what couldn't be read, what another tab has changed too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import RerunException

from lib.core.formatting import as_text, escape_markdown
from lib.ui.session import state
from lib.ui.session.guard import as_sentences
from lib.ui.session.saving import Saved
from lib.ui.session.session import Offer, Session

_RETRY_S = 5.0
_NAMED = 5


@contextmanager
def above() -> Iterator[None]:
    """Keep a place for the notices above what the block draws, and draw them again after it: edits may come late."""
    session, place = state.session(), st.empty()
    told, session.told = session.told, []
    before = _state(session)
    with place.container():
        _draw(session, told, key="notice")
    leaves = False
    try:
        yield
    except RerunException:  # to another page, or the same once more: what was told is for that run
        leaves, session.told = True, [*told, *session.told]
        raise
    finally:
        if not leaves and (session.told or _state(session) != before):
            told, session.told = [*told, *session.told], []
            with place.container():
                _draw(session, told, key="late_notice")


def _state(session: Session) -> list[object]:
    return [session.offer, *((one.unsaved, one.aside, one.conflict, one.deleted) for one in session.documents())]


def _draw(session: Session, told: Sequence[str], *, key: str) -> None:
    if _unsaved():
        _draw_unsaved()
    for sentence in dict.fromkeys(told):
        st.error(as_text(sentence), icon=":material/error:")
    while session.said:
        st.toast(as_text(session.said.pop(0)))
    if session.deleted:
        _draw_deleted(session, key=f"{key}_deleted")
    if session.offer is not None:
        _draw_offer(session, session.offer, key=f"{key}_offer")
    for number, document in enumerate(session.documents()):
        _draw_aside(document, key=f"{key}_aside_{number}")
        _draw_conflict(document, key=f"{key}_conflict_{number}")


def _unsaved() -> list[str]:
    return [document.unsaved for document in state.session().documents() if document.unsaved is not None]


@st.fragment(run_every=_RETRY_S)
@as_sentences()
def _draw_unsaved() -> None:
    """Try once more, also while nobody does anything, and draw why the last edits aren't on disk."""
    state.session().refresh()
    problems = _unsaved()
    if not problems:
        st.rerun()
    st.warning(
        f"Your changes can’t be saved: {as_text(problems[0])}. They stay in this tab, and are saved as soon as "
        "that works.",
        icon=":material/save:",
    )


def _draw_aside(document: Saved[Any], *, key: str) -> None:
    if document.aside is None:
        return
    kind = document.kind
    with st.container(horizontal=True, vertical_alignment="center"):
        st.warning(
            f"The saved {kind.name} is damaged, or of another version, and can’t be read. It is kept as "
            f"{as_text(document.aside)} in the folder {kind.folder}; what is here was begun anew.",
            icon=":material/broken_image:",
        )
        st.button("OK", key=key, on_click=_forget_aside, args=(document,))


def _draw_conflict(document: Saved[Any], *, key: str) -> None:
    if document.conflict is None:
        return
    about = document.conflict.about
    more = f" and {len(about) - _NAMED} more" if len(about) > _NAMED else ""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.warning(
            f"Another tab has changed this {document.kind.name} too. Where both changed the same, what was done here "
            f"stays: {as_text(', '.join(about[:_NAMED]))}{more}.",
            icon=":material/call_merge:",
        )
        st.button("Use the other tab’s", key=f"{key}_theirs", on_click=_use_theirs, args=(document,))
        st.button("Keep these", key=f"{key}_ours", on_click=_keep_ours, args=(document,))


def _draw_deleted(session: Session, *, key: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.warning(
            "This experiment was deleted in another tab. It is still here: your next change brings it back.",
            icon=":material/delete:",
        )
        st.button("Bring it back", key=key, on_click=state.callback(session.bring_back))


def _draw_offer(session: Session, offer: Offer, *, key: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f":material/info: {as_text(offer.sentence)}", width="content")
        st.button(escape_markdown(offer.button), key=f"{key}_take", on_click=_take, args=(session, offer))
        st.button("", key=f"{key}_close", icon=":material/close:", type="tertiary", on_click=_put_away, args=(session,))


@state.callback
def _take(session: Session, offer: Offer) -> None:
    if session.offer is offer:
        session.offer = None
        offer.act()


@state.callback
def _put_away(session: Session) -> None:
    session.offer = None


@state.callback
def _forget_aside(document: Saved[Any]) -> None:
    document.aside = None


@state.callback
def _use_theirs(document: Saved[Any]) -> None:
    document.use_theirs()


@state.callback
def _keep_ours(document: Saved[Any]) -> None:
    document.conflict = None
