"""Search over the whole library: where engine, store and the pure half of search meet.

Only vectors of the query's own engine are searched. Of a video that is embedded several times with it, the densest
complete embedding is searched, so that no moment is found twice.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.core.errors import Cancelled, InputError, NotStoredError
from lib.core.sampling import Sampling
from lib.engines.engine import Engine
from lib.search.distribution import Distribution
from lib.search.moments import FoundMoment, Rules
from lib.search.query import Query, combine
from lib.services.search_backends import Answer, Limits, ScoredVideo, compared, indexed, prepare
from lib.store.embeddings import EmbeddingInfo, EmbeddingKey
from lib.store.store import Store, embed_texts_cached

INDEX_FROM = 200_000
"""Samples from which an index pays: comparing as many takes less than a tenth of a second."""
_MOMENTS_OF_INDEX = 50
"""So many moments an index finds quickly; for it to pay for twice as many, the library has to be twice as large."""
_RENEW_FROM = 0.2  # share of the library that is missing in the index


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
        names = ("video", "sha256", "start_s", "end_s", "best_s", "best_frame", "score", "folded")
        return {name: getattr(self, name) for name in names}


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
    infos = store.listing().embeddings
    found = []
    for engine_id in dict.fromkeys(info.key.engine_id for info in infos):
        chosen = _chosen(infos, engine_id)
        first = chosen[0]
        samples = sum(info.samples for info in chosen)
        found.append(EngineInLibrary(engine_id, first.engine_name, first.dim, len(chosen), samples))
    return tuple(sorted(found, key=lambda engine: -engine.samples))


def query_vector(engine: Engine, store: Store, query: Query) -> NDArray[np.float32]:
    """Return the unit vector of a query, float32 ``(d,)``; texts seen before cost nothing.

    Texts and pictures together are the mean of unit vectors, and what is to be avoided is subtracted:
    ``lib.search.query.combine`` has the formula. A score is the cosine with this vector.

    Raises:
        InputError: there is nothing to look for, or it cancels out with what is to be avoided.
        EngineError: from the engine.
    """
    if query.empty:
        raise InputError("There is nothing to look for; type a few words, or add a picture.")
    vectors = embed_texts_cached(store, engine, (*query.texts, *query.avoid))
    none = np.empty((0, engine.dim), np.float32)
    images = engine.embed_images(query.images) if query.images else none
    texts, avoid = (
        np.stack([vectors[text] for text in words]) if words else none for words in (query.texts, query.avoid)
    )
    return combine(texts, images, avoid)


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
    on_prepare: Callable[[int, int], None] | None = None,
) -> SearchResult:
    """Return the moments that answer ``query``, best first: ``query_vector``, then ``search_vector``.

    Raises:
        as both of them.
    """
    return search_vector(
        store,
        engine.id,
        query_vector(engine, store, query),
        videos=videos,
        sampling=sampling,
        threshold=threshold,
        top=top,
        per_video=per_video,
        rules=rules,
        exact=exact,
        on_prepare=on_prepare,
    )


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
    origin: tuple[str, float] | None = None,
    on_prepare: Callable[[int, int], None] | None = None,
) -> SearchResult:
    """Return the moments whose samples are nearest to ``vector``, best first.

    Args:
        store: the library.
        engine_id: whose vectors are searched.
        vector: unit vector of the query, ``(d,)``.
        videos: SHA-256 of the videos to search; None searches all.
        sampling: search embeddings of this sampling only; None takes the densest of each video.
        threshold: cosine that a sample needs to be a hit. None: each moment reaches from its best sample as far as
            scores stay above 0.7 of that sample's height over the library's median (``lib.search.moments.WIDTH_AT``).
        top: moments at most, 1 or more.
        per_video: moments of one video at most; None: any number.
        rules: how hits become moments; None is ``Rules()``.
        exact: True compares every sample, False asks the index where there is one; None decides by size.
        origin: video (SHA-256) and time in seconds of the sample that ``vector`` is, for "more like this": the moment
            it lies in is left out.
        on_prepare: called in this thread with samples done and samples in all while vectors are laid out for
            searching, which happens once for each embedding; it may raise, and what is done is kept.

    Raises:
        InputError: ``top`` or ``per_video`` is less than 1, or the vector has another length than the engine's.
        NotStoredError: nothing in the library, or nothing of ``videos``, is embedded with this engine.
        StoreError: the store can't be read.
    """
    begun = time.perf_counter()
    if top < 1 or (per_video is not None and per_video < 1):
        raise InputError(
            "A search shows at least one moment, of the library and of a video; ask for 1 or more."
        )
    listing = store.listing()
    infos = _chosen(listing.embeddings, engine_id, videos, sampling)
    if not infos:
        raise NotStoredError(_nothing_to_search(store, engine_id, videos, sampling))
    if vector.shape != (infos[0].dim,):
        raise InputError(
            f"The query has {vector.size} numbers and the stored vectors {infos[0].dim}; use the engine they are of."
        )
    limits = Limits(threshold, top, per_video, rules or Rules(), origin)
    index = store.indexes.find(engine_id)
    found: Answer | None = None
    with _still_there():
        if on_prepare is not None:
            prepare(store, infos, on_prepare)
        if index is not None and not exact:
            covered = [info for info in infos if index.covers(info)]
            pays = exact is False or _index_pays(infos, covered, index.samples, top)
            found = indexed(store, index, infos, vector, limits) if pays and covered else None
        answer = found or compared(store, infos, vector, limits)
    return SearchResult(
        moments=tuple(_moment(moment, answer.tracks, listing.names) for moment in answer.moments),
        distribution=answer.distribution,
        videos=len(answer.tracks),
        samples=answer.samples,
        exact=found is None,
        took_s=time.perf_counter() - begun,
    )


def sample_vector(store: Store, key: EmbeddingKey, frame: int) -> NDArray[np.float32]:
    """Return the unit vector of a stored sample, ``(d,)``: "more like this" is ``search_vector`` with it.

    Raises:
        NotStoredError: the embedding or the sample is not there.
    """
    with _still_there():
        pack = store.packs.get(store.embedding(key))
        row = int(np.searchsorted(pack.frames, frame))
        if row < len(pack) and pack.frames[row] == frame:
            return pack.vectors(row, row + 1).reshape(-1)
    raise NotStoredError(f"Frame {frame} is no sample of this video; choose one that was found.")


def index_state(store: Store, engine_id: str) -> IndexState:
    """Return what the index of an engine covers; cheap enough for every rerun of a page."""
    infos = _chosen(store.listing().embeddings, engine_id)
    index = store.indexes.find(engine_id)
    total = sum(info.samples for info in infos)
    inside = sum(info.samples for info in infos if index is not None and index.covers(info))
    stale = index is not None and inside < index.samples / 2
    worthwhile = total >= INDEX_FROM and (total - inside > total * _RENEW_FROM or stale)
    return IndexState(inside, total - inside, worthwhile)


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

    def tell(phase: str, done: int, total: int) -> None:
        if on_progress is not None:
            on_progress(IndexProgress(phase, done, total))

    def infos() -> list[EmbeddingInfo]:
        return [
            info for info in _chosen(store.listing().embeddings, engine_id) if info.complete and info.samples
        ]

    with contextlib.suppress(Cancelled):
        store.indexes.build(engine_id, infos, tell, cancel or threading.Event())
    return index_state(store, engine_id)


def _chosen(
    infos: Sequence[EmbeddingInfo],
    engine_id: str,
    videos: Sequence[str] | None = None,
    sampling: Sampling | None = None,
) -> list[EmbeddingInfo]:
    """Return one embedding a video: a complete one before others, then the densest, then the newest."""
    wanted = None if videos is None else set(videos)
    best: dict[str, EmbeddingInfo] = {}
    for info in infos:
        key = info.key
        if key.engine_id != engine_id or (wanted is not None and key.sha256 not in wanted):
            continue
        if sampling is not None and key.sampling_key != sampling.key:
            continue
        known = best.get(key.sha256)
        if known is None or _rank(info) > _rank(known):
            best[key.sha256] = info
    return list(best.values())


def _rank(info: EmbeddingInfo) -> tuple[bool, int, datetime]:
    return info.complete, info.samples, info.created_at


def _index_pays(
    infos: Sequence[EmbeddingInfo], covered: Sequence[EmbeddingInfo], samples: int, top: int
) -> bool:
    """Return whether the index answers faster: many samples, most of it asked for, little of them missing in it.

    Of 300,000 samples it finds 20 moments in 19 ms, 50 in 32, 100 in 122 and 200 in 185; comparing all takes 73 to 114.
    """
    total, inside = (sum(info.samples for info in some) for some in (infos, covered))
    many = total >= INDEX_FROM * max(1.0, top / _MOMENTS_OF_INDEX)
    return many and inside >= samples / 2 and total - inside <= INDEX_FROM


def _nothing_to_search(
    store: Store, engine_id: str, videos: Sequence[str] | None, sampling: Sampling | None
) -> str:
    others = [engine.engine_name for engine in engines_in_library(store) if engine.engine_id != engine_id]
    what = "None of these videos is" if videos is not None else "No video is"
    how = "with this engine" if sampling is None else f"with this engine at {sampling.description}"
    advice = "embed one first" if not others else f"embed one first, or search with {' or '.join(others)}"
    return f"{what} embedded {how}; {advice}."


def _moment(found: FoundMoment, tracks: Sequence[ScoredVideo], names: Mapping[str, str]) -> Moment:
    track = tracks[found.track]
    key, pack = track.info.key, track.pack
    return Moment(
        key=key,
        video=names.get(key.sha256, ""),
        start_s=float(pack.times_s[found.first]),
        end_s=float(pack.ends_s[found.stop - 1]),
        best_s=float(pack.times_s[found.best]),
        best_frame=int(pack.frames[found.best]),
        score=found.score,
        folded=found.folded,
    )


@contextlib.contextmanager
def _still_there() -> Iterator[None]:
    """Say that an embedding is gone where its file is: it was deleted between looking and reading."""
    try:
        yield
    except FileNotFoundError as error:
        raise NotStoredError("A video was deleted while it was searched; search again.") from error
