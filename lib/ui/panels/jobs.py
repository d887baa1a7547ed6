"""Sidebar: running jobs with progress, rate, time left and cancel; polled only while something runs."""

from __future__ import annotations

from contextlib import suppress

import streamlit as st

from lib.core.errors import PromptreelError
from lib.core.formatting import as_text, format_duration, format_rough_duration, plural
from lib.services.embedding import TimeLeft
from lib.services.jobs import Job
from lib.ui.session import cache
from lib.ui.session.guard import as_sentences, told

_FINISHED_SHOWN = 4


def draw() -> None:
    """Draw the jobs of this process; other tabs' jobs show too, since the store is shared."""
    manager = cache.jobs()
    live = _is_live()

    # Decided at each full run, so that a new tab starts polling by itself and an idle page doesn't poll at all.
    @st.fragment(run_every=1.0 if live else None)
    @as_sentences()
    def tray() -> None:
        listed = [job for job in manager.jobs() if job.live]
        listed += [job for job in manager.jobs() if job.state == "failed" or job.note][-_FINISHED_SHOWN:]
        if listed:
            st.subheader("Jobs")
        for job in listed:
            draw_job(job, key="tray")
        _waiting_line()
        if live and not _is_live():
            st.rerun()  # the last poll: the page shows the result, and polling stops

    tray()


def _is_live() -> bool:
    """Return whether something runs, or will as soon as it can."""
    return cache.embedding_queue().busy or any(job.live for job in cache.jobs().jobs())


def _waiting_line() -> None:
    """Draw how much waits in the queue of embeddings, in a line; nothing where nothing does."""
    queue = cache.embedding_queue()
    with suppress(PromptreelError):  # the Library says what is wrong
        now = queue.read()
        if any(queue.job(entry.id) is None for entry in now.waiting):
            words = waiting_words(len(now.waiting), queue.time_left())
            st.caption(f"{words} Paused." if now.paused else words)


def waiting_words(waiting: int, left: TimeLeft) -> str:
    """Return how many videos wait, and for how long: ``12 videos in the queue, about 5 min left.`` for example."""
    words = f"{plural(waiting, 'video')} in the queue"
    if not left.seconds:
        words += "; how long it takes is known once one is embedded"
    else:
        words += f", about {format_rough_duration(left.seconds)} left"
        words += f" and {plural(left.unknown, 'video')} of unknown length" if left.unknown else ""
    return f"{words}."


def progress_text(job: Job) -> str:
    """Return ``120 of 431 samples, 28 per second, 11.1 s left`` as far as these are known."""
    progress = job.progress
    if job.state == "queued":
        return "waiting for another job"
    if progress is None:
        return "starting"
    if progress.words:
        return progress.words
    unit = job.unit
    text = f"{progress.done:,}" + (f" of {progress.total:,} {unit}" if progress.total else f" {unit}")
    if progress.rate:
        text += f", {progress.rate:.0f} per second" if progress.rate >= 10 else f", {progress.rate:.1f} per second"
    if progress.eta_s is not None:
        text += f", {format_duration(progress.eta_s)} left"
    return text


def draw_job(job: Job, *, key: str) -> None:
    """Draw one job: a bar and cancel while it runs, its message, retry and dismiss when it has ended."""
    with st.container(border=True, key=f"{key}_job_{job.id}"):
        st.markdown(f"**{as_text(job.title)}**")
        if job.live:
            progress = job.progress
            share = progress.done / progress.total if progress and progress.total else 0.0
            st.progress(min(share, 1.0), text=progress_text(job))
            st.button("Cancel", key=f"{key}_cancel_{job.id}", on_click=told(job.cancel), icon=":material/close:")
            return
        if job.state == "failed":
            st.error(as_text(job.error or ""), icon=":material/error:")
            st.caption("What was done so far is stored.")
        elif job.note:
            st.caption(as_text(job.note))
        with st.container(horizontal=True):
            if job.state == "failed":
                st.button(
                    "Try again",
                    key=f"{key}_retry_{job.id}",
                    on_click=told(cache.jobs().retry),
                    args=(job.id,),
                    icon=":material/refresh:",
                )
            st.button("Dismiss", key=f"{key}_dismiss_{job.id}", on_click=told(cache.jobs().dismiss), args=(job.id,))
