"""The queue of embeddings: what is missing is added to it, and it is paused, put into another order and tried again."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import streamlit as st

from lib.core.errors import PromptreelError, StoreDamagedError
from lib.core.formatting import as_text, percent, plural
from lib.core.sampling import Sampling
from lib.engines.engine import Engine
from lib.services.embedding import EmbeddingQueue
from lib.services.queue_file import Entry, Queue
from lib.store.videos import Video
from lib.ui.background import embedding
from lib.ui.panels import engine as engine_panel
from lib.ui.panels import paging
from lib.ui.panels.jobs import progress_text, waiting_words
from lib.ui.session import cache, state
from lib.ui.session.guard import as_sentences, told

_PER_PAGE = 8
_POLL_S = 2.0


def draw() -> None:
    """Draw the button that adds what is missing, and the queue where there is something in it."""
    missing_button()
    queue = cache.embedding_queue()
    if not _read(queue).entries:
        return
    st.subheader("Embedding queue")
    busy = queue.busy

    @st.fragment(run_every=_POLL_S if busy else None)
    @as_sentences()
    def shown() -> None:
        now = _read(queue)
        _head(queue, now)
        _waiting(queue, now.waiting)
        _failed(queue, now.failed)
        if queue.busy != busy:
            st.rerun()  # polling begins, or ends and the page shows the results

    shown()


def missing_button(videos: Sequence[Video] | None = None) -> None:
    """Draw the button that has all videos embedded that are not, with the sidebar's engine; nothing without any.

    ``videos`` are those it is about; None for all of the library.
    """
    session = state.session()
    try:
        engine, sampling = engine_panel.current_engine(session), engine_panel.current_sampling(session)
        missing = embedding.not_embedded(cache.store().videos() if videos is None else videos, engine, sampling)
        under_way = embedding.under_way(engine, sampling) if missing else set()
    except PromptreelError:  # the sidebar or the queue says what is wrong
        return
    missing = [video for video in missing if video.sha256 not in under_way]
    if missing:
        st.button(
            f"Embed all that is missing ({plural(len(missing), 'video')})",
            key="embed_all_missing",
            icon=":material/playlist_add:",
            help=f"With {as_text(engine.name)}, {sampling.description}, one after the other, in the background. The "
            "queue outlives a restart.",
            on_click=_add,
            args=(missing, engine, sampling),
        )


@state.callback
def _add(videos: Sequence[Video], engine: Engine, sampling: Sampling) -> None:
    cache.embedding_queue().add(videos, engine, sampling)


def _read(queue: EmbeddingQueue) -> Queue:
    try:
        return queue.read()
    except StoreDamagedError as error:
        st.warning(
            f"{as_text(str(error))} The next video that is embedded begins another queue, and the file is kept.",
            icon=":material/warning:",
        )
        return Queue()


def _head(queue: EmbeddingQueue, now: Queue) -> None:
    """Draw how much waits, how long it takes, and what pauses it."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        words = waiting_words(len(now.waiting), queue.time_left()) if now.waiting else "Nothing waits."
        st.markdown(words, width="content")
        if now.paused:
            st.button(
                "Resume", key="queue_resume", icon=":material/play_arrow:", on_click=told(queue.pause), args=(False,)
            )
        elif now.waiting:
            st.button("Pause", key="queue_pause", icon=":material/pause:", on_click=told(queue.pause), args=(True,))
        if len(now.waiting) > 1:
            ids = [entry.id for entry in now.waiting]
            st.button(
                "Remove all", key="queue_clear", icon=":material/clear_all:", on_click=told(queue.remove), args=(ids,)
            )
    if now.paused:
        st.info(f"Paused. {as_text(now.reason)}" if now.reason else "Paused; Resume goes on where it stopped.")
    held = {entry.spec: entry for entry in now.waiting if entry.problem and not now.paused}
    for (engine, version), entry in held.items():
        with st.container(border=True):
            name, problem = as_text(entry.engine_name), as_text(entry.problem)
            st.warning(f"Videos wait for {name}: {problem}", icon=":material/hourglass_top:")
            if version:
                st.caption("If it needs a key, choose it in the sidebar and type the key before: keys are in no file.")
            again = f"queue_again_{engine}_{version}"
            st.button("Try again", key=again, on_click=_try_engine, icon=":material/refresh:")


@state.callback
def _try_engine() -> None:
    """Try again, with this tab's engine where something waits for that: it may have the key."""
    queue = cache.embedding_queue()
    with suppress(PromptreelError):  # another engine's videos may wait
        queue.use(engine_panel.current_engine(state.session()))
    queue.retry(())


def _waiting(queue: EmbeddingQueue, waiting: Sequence[Entry]) -> None:
    places = paging.places("queue_page", len(waiting), _PER_PAGE)
    with st.container(gap="xxsmall"):
        for place in places:
            _row(queue, waiting[place], place, last=place == len(waiting) - 1)
    paging.numbers("queue_page", len(waiting), _PER_PAGE)


def _row(queue: EmbeddingQueue, entry: Entry, place: int, *, last: bool) -> None:
    name = as_text(entry.name)
    left, right = st.columns((5, 3), gap="small", vertical_alignment="center")
    with left.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.markdown(f"{place + 1:,}\\. **{name}**", width="content")
        st.caption(_state(queue, entry), width="content")
    with right.container(horizontal=True, gap="small", horizontal_alignment="right"):
        for word, where, off in (("First", "first", place == 0), ("Up", "up", place == 0), ("Down", "down", last)):
            st.button(
                word,
                key=f"queue_{where}_{entry.id}",
                type="tertiary",
                disabled=off,
                help=f"{word}: {name}",
                on_click=told(queue.move),
                args=(entry.id, where),
            )
        ids = [entry.id]
        st.button(
            "Remove",
            key=f"queue_remove_{entry.id}",
            type="tertiary",
            help=f"Remove: {name}",
            on_click=told(queue.remove),
            args=(ids,),
        )


def _state(queue: EmbeddingQueue, entry: Entry) -> str:
    sampling = Sampling.from_key(entry.sampling).description
    words = f"{as_text(entry.engine_name)}, {sampling}"
    job = queue.job(entry.id)
    if job is not None:
        return f"{words}: {progress_text(job)}"
    if entry.running:
        return f"{words}: begun by another process"
    if entry.done and entry.samples:
        return f"{words}: {percent(min(1.0, entry.done / entry.samples))} done"
    return words


def _failed(queue: EmbeddingQueue, failed: Sequence[Entry]) -> None:
    if not failed:
        return
    ids = [entry.id for entry in failed]
    with st.expander(f"{plural(len(failed), 'video')} could not be embedded", icon=":material/error:", expanded=True):
        with st.container(horizontal=True):
            if len(failed) > 1:
                st.button(
                    "Try all again",
                    key="queue_retry_all",
                    icon=":material/refresh:",
                    on_click=told(queue.retry),
                    args=(ids,),
                )
                st.button("Remove all of these", key="queue_drop_all", on_click=told(queue.remove), args=(ids,))
        for entry in (failed[place] for place in paging.places("queue_failed_page", len(failed), _PER_PAGE)):
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                named = "" if entry.problem.startswith(entry.name) else f"**{as_text(entry.name)}**: "
                st.markdown(f"{named}{as_text(entry.problem)}")
                st.button("Try again", key=f"queue_retry_{entry.id}", on_click=told(queue.retry), args=([entry.id],))
                st.button(
                    "Remove",
                    key=f"queue_drop_{entry.id}",
                    type="tertiary",
                    on_click=told(queue.remove),
                    args=([entry.id],),
                )
        paging.numbers("queue_failed_page", len(failed), _PER_PAGE)
