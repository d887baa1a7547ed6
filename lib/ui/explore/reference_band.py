"""The scores of unrelated phrases on the chosen video: computed once per embedding, without blocking the page."""

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
"""Number of cosines up to which the band is computed at once; more are computed in the background."""
_CHUNK = 4
"""Phrases per request to the engine, so that a phrase of an edit does not wait long."""


def band(selection: VideoSelection) -> ReferenceBand | None:
    """Return the reference band of the chosen video; None while it is not known."""
    info = selection.info
    if info is None or not info.complete:
        return None
    known_band = cache.reference_bands().get(info.version)
    if known_band is not None or _job_of(info) is not None:
        return known_band
    vectors = cache.store().text_vectors(selection.engine.id, PHRASES)
    if len(vectors) < len(PHRASES) or info.samples * len(PHRASES) > _AT_ONCE:
        return None
    return _compute(info, vectors)


def start(selection: VideoSelection) -> None:
    """Compute the band in the background where it is not known. Call this last: it may rerun the page."""
    info = selection.info
    if info is None or not info.complete or not info.samples or info.version in cache.reference_bands():
        return
    if _job_of(info) is not None:
        return  # running or failed, which the job panel shows
    cache.jobs().submit(
        f"Reference phrases on {selection.video.name}",
        _key(info),
        lambda **hooks: _work(info, selection.engine, **hooks),
        queue="reference",
        sha256=selection.video.sha256,
        unit="phrases",
        once=True,
    )
    st.rerun()  # so that the job panel, drawn before, polls the job and reruns the page when it is done


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
            store.put_text_vectors(engine.id, new)  # in one commit; what was done is stored also after an error
    _compute(info, store.text_vectors(engine.id, PHRASES))


def _compute(info: EmbeddingInfo, vectors: dict[str, NDArray[np.float32]]) -> ReferenceBand | None:
    try:
        computed = reference_band(cache.samples(info), vectors)
    except PromptreelError:
        return None  # the vectors of this engine can't be compared, which the analysis reports
    if computed is not None:
        cache.reference_bands()[info.version] = computed
    return computed
