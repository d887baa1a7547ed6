"""What unrelated phrases reach on the chosen video: computed once an embedding, and never waited for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from lib.analysis.reference_band import PHRASES, ReferenceBand, reference_band
from lib.core.errors import Cancelled, PromptreelError
from lib.engines.engine import Engine
from lib.ingest.progress import Progress
from lib.services.jobs import Job
from lib.store.embeddings import EmbeddingInfo
from lib.ui.panels.video import VideoSelection
from lib.ui.session import cache

_AT_ONCE = 300_000
"""Cosines that are computed in passing, some 30 ms; more of them in the background."""
_CHUNK = 4
"""Phrases that reach the engine at once, so that an edit's own phrase soon has its turn."""


def band(chosen: VideoSelection) -> ReferenceBand | None:
    """Return the reference band of the chosen video; None while it isn't known."""
    info = chosen.info
    if info is None or not info.complete:
        return None
    found = cache.reference_bands().get(info.version)
    if found is not None or _job_of(info) is not None:
        return found
    vectors = cache.store().text_vectors(chosen.engine.id, PHRASES)
    if len(vectors) < len(PHRASES) or info.samples * len(PHRASES) > _AT_ONCE:
        return None
    return _compute(info, vectors)


def start(chosen: VideoSelection) -> None:
    """Have the band computed in the background where it isn't known. To be called last: the page may begin anew."""
    info = chosen.info
    if info is None or not info.complete or not info.samples or info.version in cache.reference_bands():
        return
    if _job_of(info) is not None:
        return  # at work, or it failed: the tray has what to say
    cache.jobs().submit(
        f"Reference phrases on {chosen.video.name}",
        _key(info),
        lambda **hooks: _work(info, chosen.engine, **hooks),
        lane="reference",
        sha256=chosen.video.sha256,
        unit="phrases",
        once=True,
    )
    st.rerun()  # the tray, drawn before, begins to watch the job, and has the page drawn when it is done


def _job_of(info: EmbeddingInfo) -> Job | None:
    return next((job for job in cache.jobs().jobs() if job.key == _key(info)), None)


def _key(info: EmbeddingInfo) -> tuple[str, str]:
    return ("reference", info.version)


def _work(
    info: EmbeddingInfo,
    engine: Engine,
    *,
    on_progress: Callable[[Progress], None],
    cancel: threading.Event,
) -> None:
    store, started = cache.store(), time.monotonic()
    vectors = store.text_vectors(engine.id, PHRASES)
    missing = [phrase for phrase in PHRASES if phrase not in vectors]
    new: dict[str, NDArray[np.float32]] = {}
    try:
        for place in range(0, len(missing), _CHUNK):
            if cancel.is_set():
                raise Cancelled("The reference phrases were cancelled; there is no band.")
            chunk = missing[place : place + _CHUNK]
            new |= dict(zip(chunk, engine.embed_texts(chunk), strict=True))
            rate = len(new) / max(time.monotonic() - started, 1e-9)
            left = (len(missing) - len(new)) / rate
            on_progress(Progress(len(vectors) + len(new), len(PHRASES), rate, left))
    finally:
        if new:
            store.put_text_vectors(engine.id, new)  # in one commit; what was done is kept
    _compute(info, store.text_vectors(engine.id, PHRASES))


def _compute(info: EmbeddingInfo, vectors: dict[str, NDArray[np.float32]]) -> ReferenceBand | None:
    try:
        found = reference_band(cache.samples(info), vectors)
    except PromptreelError:
        return None  # an engine whose vectors can't be compared; the analysis says so
    if found is not None:
        cache.reference_bands()[info.version] = found
    return found
