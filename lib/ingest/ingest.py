"""Video -> engine -> store: frames are decoded, embedded and stored at the same time, in order, resumably.

::

    decoding thread ──batches──> engine threads (engine.concurrency) ─┐
         FrameReader └─────────> thumbnail thread ────────────────────┴──in order──> caller: store.append

Everything between is bounded, so memory does not grow with the video. Only the calling thread writes, always
the contiguous prefix that is ready: whatever stops it (cancel, an error, a killed process), the next run goes
on after the last sample stored.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

import filelock

from lib.core.errors import NotStoredError
from lib.core.sampling import Framing, Sampling
from lib.engines.engine import PREPROCESSING, Engine
from lib.ingest.coarser import take_from_finer
from lib.ingest.pipeline import Run, stored_gaps
from lib.ingest.progress import TICK_S, Meter, Progress, expected_samples
from lib.ingest.speed import remember_speed
from lib.media.frames import FrameReader
from lib.media.limits import shown_name
from lib.store.embeddings import EmbeddingInfo, EmbeddingKey
from lib.store.store import Store
from lib.store.videos import Video


def embedding_key(video: Video, engine: Engine, sampling: Sampling) -> EmbeddingKey:
    """Return the key under which the store keeps this embedding.

    A framing that is the engine's own is no part of it, so that it is the same with and without.
    """
    return embedding_key_of(video.sha256, engine, sampling)


def embedding_key_of(sha256: str, engine: Engine, sampling: Sampling) -> EmbeddingKey:
    """Return the same for a video that need not be in a store."""
    return EmbeddingKey(sha256, engine.id, sampling.framed(_framing(engine, sampling)).key, PREPROCESSING)


def _framing(engine: Engine, sampling: Sampling) -> Framing | None:
    """Return how frames are framed before the engine gets them; None where it does that by itself."""
    wanted = sampling.framing
    return wanted if wanted is not None and engine.embeds_video and wanted != engine.framing else None


def ingest(
    store: Store,
    video: Video,
    engine: Engine,
    sampling: Sampling,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    cancel: threading.Event | None = None,
) -> EmbeddingInfo:
    """Embed what is missing of a stored video and return the embedding.

    Samples that a finer sampling of the same engine has are taken from it (``lib.ingest.coarser``).
    Where another thread or process is embedding the same, this waits for it, reporting its progress, and
    continues should it stop early. A cancelled run returns an embedding that is not ``complete``; a second run
    goes on there.

    Args:
        store: where the video is and the samples go.
        video: a video of the store.
        engine: what embeds.
        sampling: which frames.
        on_progress: called from this thread, about ten times per second at most, and at the end.
        cancel: set it to stop within about a second; what is done is kept.

    Raises:
        NotStoredError: the video's file was moved or changed, or the video was deleted meanwhile.
        VideoError: nothing can be decoded. A video that breaks in the middle raises nothing: what is lost
            of it are gaps of its embedding, and its ``damage`` says so.
        EngineError: from the engine; what was embedded before is kept.
        StoreError: the disk is full or the store can't be used.
    """
    key = embedding_key(video, engine, sampling)
    meter = Meter(expected_samples(video, sampling), on_progress)
    cancel = cancel or threading.Event()
    info = store.find_embedding(key)
    if info is None or not info.complete:
        if not engine.embeds_video:
            raise NotStoredError(
                f"Vectors of {engine.name} come by import only; "
                "start a hosted job or import its results in the Library, or choose another engine."
            )
        if take_from_finer(store, key) is not None:
            info = store.embedding(key)
    if info is None or not info.complete:
        store.file_path(video.sha256)  # say now that the file is gone, rather than after waiting
        lock = store.ingest_lock(key)
        if not _acquire(lock, store, key, meter, cancel):
            return store.find_embedding(key) or _nothing(key, engine)
        try:
            info = store.begin(key, engine_name=engine.name, dim=engine.dim)
            if not info.complete:
                info = _continue(store, info, video, engine, sampling, meter, cancel)
        finally:
            lock.release()
    if info.complete:
        meter.finish(info.samples)
    return info


def _continue(
    store: Store,
    info: EmbeddingInfo,
    video: Video,
    engine: Engine,
    sampling: Sampling,
    meter: Meter,
    cancel: threading.Event,
) -> EmbeddingInfo:
    """Embed from the last sample stored to the end of the video; remove an embedding that stays empty."""
    key, last, ended = info.key, store.last_sample(info.key), False
    since_s = 0.0 if last is None else last[1]
    try:
        path = store.file_path(video.sha256)
        is_whole = not store.gaps(key)  # so far; otherwise what is lost must be told of the whole video
        reader = FrameReader(path, sampling, short_side=engine.input_size, resume_after=last, may_seek=is_whole)
        framing = _framing(engine, sampling)
        began = time.monotonic()
        ended = Run(store, key, engine, reader, meter, cancel, done=info.samples, framing=framing).run()
    finally:
        if not ended:
            info = store.find_embedding(key) or info
            if info.samples == 0:
                with suppress(NotStoredError):  # the video was deleted meanwhile, and this with it
                    store.delete_embedding(key)
    if not ended:
        return info
    done = store.embedding(key).samples - info.samples
    remember_speed(store.home, engine.id, done, time.monotonic() - began)
    last = store.last_sample(key)
    end_s = reader.end_s
    if last is not None and end_s <= last[1]:
        end_s = math.nextafter(last[1], math.inf)
    store.note_gaps(key, stored_gaps(reader), since_s=since_s)
    if reader.damage is None:
        return store.finish(key, end_s=end_s)
    damage = str(reader.damage).removeprefix(
        f"{shown_name(path)}: "
    )  # whoever shows it says which video, by today's name
    damage = f"{damage[:1].upper()}{damage[1:]}"
    return store.finish(key, end_s=end_s, damage=damage, damage_after_s=reader.damage.reached_s)


def _nothing(key: EmbeddingKey, engine: Engine) -> EmbeddingInfo:
    """Return an empty embedding that is not in the store, for a run that never began."""
    return EmbeddingInfo(
        key=key,
        engine_name=engine.name,
        dim=engine.dim,
        samples=0,
        complete=False,
        end_s=0.0,
        damage=None,
        size_bytes=0,
        created_at=datetime.now(UTC),
    )


def _acquire(
    lock: filelock.BaseFileLock, store: Store, key: EmbeddingKey, meter: Meter, cancel: threading.Event
) -> bool:
    """Return True with the lock held, False when cancelled; meanwhile report the progress of its holder."""
    looked_at = -math.inf
    while not cancel.is_set():
        with suppress(filelock.Timeout):
            lock.acquire(timeout=TICK_S, poll_interval=TICK_S / 2)
            return True
        if time.monotonic() - looked_at >= 0.5:
            looked_at = time.monotonic()
            info = store.find_embedding(key)
            meter.update(info.samples if info else 0)
    return False
