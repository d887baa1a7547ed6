"""Search over the whole library: where engine, store and the pure half of search meet.

Only vectors of the query's own engine are searched. Of a video that is embedded several times with it, the densest
complete embedding is searched, so that no moment is found twice.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.engines import Engine
from lib.search import Query, Rules
from lib.store import EmbeddingKey, Store
from lib.timebase import Sampling


@dataclass(frozen=True)
class Moment:
    """A stretch of a video that answers a query."""

    key: EmbeddingKey
    """The embedding it was found in; ``store.thumbnails(key, [best_frame])`` has its picture."""
    video: str
    """The video's name."""
    start_s: float
    end_s: float
    """Half-open interval in seconds, of whole spans of samples."""
    best_s: float
    """Time of the sample with the highest score, in seconds."""
    best_frame: int
    """That sample's frame index."""
    score: float
    """That sample's cosine with the query's vector."""
    folded: int = 0
    """How many near-duplicates of it, of lower score, are left out."""

    @property
    def sha256(self) -> str:
        """The video."""
        return self.key.sha256

    @property
    def embedding_id(self) -> str:
        """The embedding's id."""
        return self.key.id

    def to_dict(self) -> dict[str, Any]:
        """Return what the command line prints: video, sha256, start_s, end_s, best_s, best_frame, score, folded."""
        raise NotImplementedError


@dataclass(frozen=True)
class Distribution:
    """How the scores of the searched samples are spread."""

    edges: NDArray[np.float64]
    """Bounds of the bins, increasing, ``(b + 1,)``."""
    counts: NDArray[np.int64]
    """Samples in each bin, ``(b,)``."""
    estimated: bool
    """Whether the counts are scaled up from a part of the samples, as they are where an index answers."""


@dataclass(frozen=True)
class SearchResult:
    """What a search found, best first."""

    moments: tuple[Moment, ...]
    distribution: Distribution
    videos: int
    """How many videos were searched."""
    samples: int
    """How many samples were searched."""
    exact: bool
    """False where an index answered: it may miss a moment."""
    took_s: float
    """Seconds from the query's vector to this result."""


@dataclass(frozen=True)
class EngineInLibrary:
    """An engine whose vectors are in the library."""

    engine_id: str
    engine_name: str
    dim: int
    videos: int
    samples: int
    """Samples that a search goes over: those of one embedding a video."""


@dataclass(frozen=True)
class IndexState:
    """What the index of one engine covers. It is derived: deleting it loses nothing."""

    samples: int
    """Samples in the index that are still in the library."""
    missing: int
    """Samples of the library that are not in it yet; they are searched exactly, beside it."""
    worthwhile: bool
    """Whether the library is so large, and so much of it missing, that building or renewing it pays."""


@dataclass(frozen=True)
class IndexProgress:
    """How far building an index is."""

    phase: str
    """``collecting`` or ``indexing``."""
    done: int
    total: int
    """Samples; while indexing, ``done`` stays 0 until the end."""


def engines_in_library(store: Store) -> tuple[EngineInLibrary, ...]:
    """Return the engines whose vectors are stored, the one with most samples first."""
    raise NotImplementedError


def query_vector(engine: Engine, store: Store, query: Query) -> NDArray[np.float32]:
    """Return the unit vector of a query, float32 ``(d,)``; texts seen before cost nothing.

    Raises:
        InputError: there is nothing to look for, or it cancels out with what is to be avoided.
        EngineError: from the engine.
    """
    raise NotImplementedError


def search(
    store: Store,
    engine: Engine,
    query: Query,
    *,
    videos: Sequence[str] | None = None,
    sampling: Sampling | None = None,
    threshold: float | None = None,
    top: int = 20,
    per_video: int | None = None,
    rules: Rules | None = None,
    exact: bool | None = None,
) -> SearchResult:
    """Return the moments that answer ``query``, best first: ``query_vector``, then ``search_vector``.

    Raises:
        as both of them.
    """
    raise NotImplementedError


def search_vector(
    store: Store,
    engine_id: str,
    vector: NDArray[np.float32],
    *,
    videos: Sequence[str] | None = None,
    sampling: Sampling | None = None,
    threshold: float | None = None,
    top: int = 20,
    per_video: int | None = None,
    rules: Rules | None = None,
    exact: bool | None = None,
) -> SearchResult:
    """Return the moments whose samples are nearest to ``vector``, best first.

    Args:
        store: the library.
        engine_id: whose vectors are searched.
        vector: unit vector of the query, ``(d,)``.
        videos: SHA-256 of the videos to search; None searches all.
        sampling: search embeddings of this sampling only; None takes the densest of each video.
        threshold: cosine that a sample needs to be a hit. None: each moment reaches from its best sample as far as
            the scores stay above the middle between that sample's score and the median of the library.
        top: moments at most, 1 or more.
        per_video: moments of one video at most; None: any number.
        rules: how hits become moments; None is ``Rules()``.
        exact: True compares every sample, False asks the index where there is one; None decides by size.

    Raises:
        InputError: ``top`` or ``per_video`` is less than 1, or the vector has another length than the engine's.
        NotStoredError: nothing in the library, or nothing of ``videos``, is embedded with this engine.
        StoreError: the store can't be read.
    """
    raise NotImplementedError


def sample_vector(store: Store, key: EmbeddingKey, frame: int) -> NDArray[np.float32]:
    """Return the unit vector of a stored sample, ``(d,)``: "more like this" is ``search_vector`` with it.

    Raises:
        NotStoredError: the embedding or the sample is not there.
    """
    raise NotImplementedError


def index_state(store: Store, engine_id: str) -> IndexState:
    """Return what the index of an engine covers; cheap enough for every rerun of a page."""
    raise NotImplementedError


def build_index(
    store: Store,
    engine_id: str,
    *,
    on_progress: Callable[[IndexProgress], None] | None = None,
    cancel: threading.Event | None = None,
) -> IndexState:
    """Build the index of an engine, or bring it up to date; searches go on meanwhile.

    One thread or process builds at a time; another that comes meanwhile waits and finds it done. Cancelled, the
    index stays what it was.

    Raises:
        StoreError: the disk is full or the store can't be used.
    """
    raise NotImplementedError
