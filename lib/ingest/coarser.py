"""A coarser sampling taken from a finer one that is embedded already, without decoding or embedding anything."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import filelock
import numpy as np
from numpy.typing import NDArray

from lib.core.coarser import coinciding_rows, missing_in_gaps
from lib.core.errors import InputError, NotStoredError, StoreDamagedError
from lib.core.sampling import Sampling
from lib.store.embeddings import EmbeddingInfo, EmbeddingKey
from lib.store.gaps import Gap
from lib.store.store import Store


@dataclass(frozen=True)
class _Source:
    """What of a finer embedding a coarser one consists of."""

    info: EmbeddingInfo
    sampling: Sampling
    frames: NDArray[np.int64]
    """Frame indices of the samples that both have."""
    gaps: list[Gap]


def take_from_finer(store: Store, key: EmbeddingKey) -> Sampling | None:
    """Store the samples of ``key`` that a finer embedding of the same video and engine has; return its sampling.

    They come as one embedding or not at all: complete where the finer one is, else the first part of it, after which
    ingest goes on. None, with nothing stored, where no sample is new or frames don't coincide for certain, and while
    another thread or process embeds ``key``.

    Raises:
        StoreError: the disk is full or the store can't be used.
    """
    with suppress(filelock.Timeout), store.ingest_lock(key).acquire(timeout=0):
        return _take(store, key)
    return None


def _take(store: Store, key: EmbeddingKey) -> Sampling | None:
    present = store.find_embedding(key)
    if present is not None and present.complete:
        return None
    best = max(_sources(store, key), key=lambda source: (source.info.complete, len(source.frames)), default=None)
    if best is None or len(best.frames) <= (present.samples if present else 0):
        return None
    info = best.info
    store.put(
        key,
        store.batches(info.key, best.frames.tolist()),
        engine_name=info.engine_name,
        dim=info.dim,
        end_s=info.end_s if info.complete else None,
        gaps=best.gaps,
        damage=(info.damage, info.damage_after_s) if info.complete and info.damage else None,
    )
    return best.sampling


def _sources(store: Store, key: EmbeddingKey) -> Iterator[_Source]:
    """Yield the finer embeddings that have the first samples of ``key``."""
    wanted = Sampling.from_key(key.sampling_key)
    for info in store.embeddings(key.sha256):
        if (info.key.engine_id, info.key.preprocessing) != (key.engine_id, key.preprocessing) or info.key == key:
            continue
        with suppress(InputError, NotStoredError, StoreDamagedError):  # deleted meanwhile, or unreadable
            source = _source(store, info, Sampling.from_key(info.key.sampling_key), wanted)
            if source is not None:
                yield source


def _source(store: Store, info: EmbeddingInfo, finer: Sampling, wanted: Sampling) -> _Source | None:
    frames, times_s = store.sample_index(info.key)
    rows = coinciding_rows(wanted, finer, frames, times_s, info.end_s if info.complete else None)
    if rows is None or not len(rows):
        return None
    gaps = store.gaps(info.key)
    counts = missing_in_gaps(wanted, finer, frames, times_s, [(gap.start_s, gap.end_s, gap.missing) for gap in gaps])
    if counts is None:
        return None
    last_s = times_s[rows[-1]]
    kept = [
        Gap(gap.start_s, gap.end_s, count)
        for gap, count in zip(gaps, counts, strict=True)
        if info.complete or gap.end_s <= last_s
    ]
    return _Source(info, finer, frames[rows], kept)
