"""The chosen video of the archive: its labels, what of it opens in Explore, and its true category."""

from __future__ import annotations

from functools import partial

import streamlit as st

from lib.comparison.archive_view import VideoFacts
from lib.core.errors import PromptreelError
from lib.core.formatting import as_text, format_duration, format_time, percent
from lib.services import categories
from lib.ui.archive.classification import Archive
from lib.ui.background import embedding
from lib.ui.session import cache, opening, state
from lib.ui.session.guard import as_sentences
from lib.ui.session.peek import peek_state

_TRUE, _CHOSEN = "archive_true", "archive_chosen"


def choose(key: str | None) -> None:
    """Have ``dialog`` show a video of the cards; None for none."""
    st.session_state[_CHOSEN] = key


def chosen() -> str | None:
    """Return what ``choose`` was told last."""
    key: str | None = st.session_state.get(_CHOSEN)
    return key


def heading(facts: VideoFacts) -> str:
    """Return what ``draw`` is headed with, as Markdown."""
    return f"{as_text(facts.name)} · {format_duration(facts.duration_s)}"


def dialog(archive: Archive, key: str, facts: VideoFacts) -> None:
    """Draw the chosen video over the cards, which may be many; the page runs again when it is closed."""

    @st.dialog(heading(facts), width="medium", on_dismiss=partial(choose, None))
    @as_sentences()
    def over() -> None:
        draw(archive, key, facts)

    over()


def draw(archive: Archive, key: str, facts: VideoFacts) -> None:
    """Draw the chosen video: its labels, and buttons that open their moments in Explore."""
    found = archive.found.videos[key].categories
    with st.container(horizontal=True, gap="small"):
        if st.button("Open in Explore", icon=":material/timeline:", key="archive_open", type="primary"):
            _open(archive, key, None)
        for one in sorted((one for one in found.labels if one.present), key=lambda one: -one.share):
            words = f"{as_text(one.label)} {percent(one.share)}, first {format_time(one.first_seen_s or 0.0)}"
            if st.button(words, key=f"archive_at_{one.label}", help="Open its best moment"):
                _open(archive, key, one.peak_s)
    for one in found.flagged:
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            st.markdown(f":orange[⚠] {as_text(one.label)}, {format_duration(one.duration_s)}:", width="content")
            for start_s, end_s in one.times_s[:12]:
                span = f"{format_time(start_s)} – {format_time(end_s)}"
                if st.button(span, key=f"archive_flag_{one.label}_{start_s}", type="tertiary"):
                    _open(archive, key, start_s)
    _true_category(archive, key, facts)


def _open(archive: Archive, key: str, seek_s: float | None) -> None:
    choose(None)
    info = archive.infos[key]
    opening.open_with(archive.prompt_set, key)
    embedding.choose_engine_of(state.session(), info)
    embedding.go_to_explore(info, seek_s=seek_s)


def _true_category(archive: Archive, key: str, facts: VideoFacts) -> None:
    labels = [prompt.label for prompt in archive.prompt_set.enabled if prompt.role != "background"]
    true = _true_now(key, facts)
    options = list(dict.fromkeys([*labels, *([true] if true else [])]))
    widget = f"{_TRUE}|{key}"
    st.session_state[widget] = true  # an edit is stored before the page runs
    st.selectbox(
        "True category",
        options,
        index=options.index(true) if true else None,
        placeholder="Unknown",
        accept_new_options=True,
        key=widget,
        on_change=_keep_true,
        args=(key, widget),
        width=260,
        help="What the video really is; the accuracy below counts it.",
    )


def _true_now(key: str, facts: VideoFacts) -> str | None:
    """Return the true category as it is stored: in a dialog, ``facts`` are from before an edit."""
    try:
        return categories.true_categories(cache.store().home).get(key)
    except PromptreelError:  # the page says why
        return facts.true_category


@state.callback
def _keep_true(key: str, widget: str) -> None:
    categories.change_true_categories(cache.store().home, {key: peek_state().get(widget)})
