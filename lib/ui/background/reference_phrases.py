"""The vectors of the reference phrases: embedded once per engine, in the background where that takes long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import streamlit as st

from lib.core.errors import Cancelled
from lib.engines.engine import Engine
from lib.ingest.progress import Progress
from lib.prompts.reference_phrases import PHRASES
from lib.services.jobs import Job
from lib.services.reference_phrases import embed_phrases, missing_phrases
from lib.ui.session import cache

_AT_ONCE_S = 1.0
"""Seconds that a page waits for the phrases; a model that takes longer goes on in the background."""


def embed_briefly(engine: Engine) -> None:
    """Embed missing phrases for about a second, unless a job does it.

    Raises:
        EngineError: from the engine.
    """
    if _job_of(engine) is None:
        started = time.monotonic()
        embed_phrases(cache.store(), engine, lambda _: time.monotonic() - started < _AT_ONCE_S)


def start(engine: Engine) -> None:
    """Embed the phrases in the background where they are missing; the page is run again where that begins."""
    if _job_of(engine) is not None or not missing_phrases(cache.store(), engine):
        return  # a job is running or failed, which the job panel shows
    cache.jobs().submit(
        f"Reference phrases for {engine.name}",
        _key(engine),
        lambda **hooks: _work(engine, **hooks),
        queue="reference",
        unit="phrases",
        once=True,
    )
    st.rerun()  # so that the job panel, drawn before, polls the job and reruns the page when it is done


def are_ready(engine: Engine) -> bool:
    """Return whether all phrases are embedded, after ``embed_briefly`` and ``start``.

    Raises:
        EngineError: from the engine.
    """
    store = cache.store()
    if missing_phrases(store, engine):
        embed_briefly(engine)
        start(engine)
    return not missing_phrases(store, engine)


def problem(engine: Engine) -> str | None:
    """Return why the job ended that was to embed the phrases, and what to do; None where it goes on."""
    job = _job_of(engine)
    return None if job is None or job.live else job.error or job.note


def try_again(engine: Engine) -> None:
    """Forget the job that failed or was cancelled, so that the next run of a page starts another."""
    job = _job_of(engine)
    if job is not None:
        cache.jobs().dismiss(job.id)


def _job_of(engine: Engine) -> Job | None:
    return next((job for job in cache.jobs().jobs() if job.key == _key(engine)), None)


def _key(engine: Engine) -> tuple[str, str]:
    return ("reference", engine.id)


def _work(engine: Engine, *, on_progress: Callable[[Progress], None], cancel: threading.Event) -> None:
    started = time.monotonic()
    before = len(PHRASES) - len(missing_phrases(cache.store(), engine))

    def report(done: int) -> bool:
        if cancel.is_set():
            raise Cancelled("Embedding the reference phrases was cancelled; try again, or choose cosine.")
        rate = (done - before) / max(time.monotonic() - started, 1e-9)
        on_progress(Progress(done, len(PHRASES), rate, (len(PHRASES) - done) / rate))
        return True

    embed_phrases(cache.store(), engine, report)
