"""Search over the whole library: a query becomes a vector, and the stored vectors nearest to it become moments.

Only vectors of the query's own engine are searched. Of a video that is embedded several times with it, the densest
complete embedding is searched, so that no moment is found twice.
"""

from __future__ import annotations

import contextlib
import functools
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.analysis.reference import reference_vectors
from lib.core.errors import Cancelled, InputError, NotStoredError
from lib.engines.engine import Engine
from lib.prompts.reference_phrases import PHRASES
from lib.search.distribution import Distribution
from lib.search.moments import FoundMoment
from lib.search.options import SearchOptions
from lib.search.query import Query, combine
from lib.search.relative import ReferenceRows, RelativeQuery, SearchScore, relative_query
from lib.services.search_backends import Answer, Ranking, ScoredVideo, compared, indexed, prepare
from lib.store.embeddings import EmbeddingInfo, EmbeddingKey
from lib.store.store import Store, embed_texts_cached

INDEX_FROM = 200_000
"""Samples from which an index pays: comparing as many takes less than a tenth of a second."""
_MOMENTS_OF_INDEX = 50  # that an index finds quickly; for twice as many to pay, the library must be twice as large
_RENEW_FROM = 0.2  # missing share of the library from which renewing the index pays


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
    """That sample's score, of the kind that ``SearchResult.score_kind`` names."""
    cosine: float | None = None
    """That sample's cosine with the query's vector, beside a relative score; else None."""
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
        """Return what the command line prints; ``cosine`` only beside a relative score."""
        names = ("video", "sha256", "start_s", "end_s", "best_s", "best_frame", "score", "cosine", "folded")
        return {name: getattr(self, name) for name in names if name != "cosine" or self.cosine is not None}


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
    score_kind: SearchScore
    """What moments are ranked by."""
    took_s: float
    """Seconds from the query's vector to this result."""
    threshold: float | None = None
    """Score that hits were asked to have; None for ``cut``."""

    @functools.cached_property
    def cut(self) -> float | None:
        """Where moments are cut off without a threshold of their own: halfway between the median and the best score.

        Never above the best moment; None with a threshold, and without moments.
        """
        if self.threshold is not None or not self.moments:
            return None
        return min(self.distribution.histogram().suggestion, self.moments[0].score)

    @property
    def reaching(self) -> tuple[Moment, ...]:
        """The moments that reach the cut; all of them with a threshold. The others are ``moments[len(reaching):]``."""
        cut = self.cut
        return self.moments if cut is None else tuple(moment for moment in self.moments if moment.score >= cut)


@dataclass(frozen=True)
class EngineInLibrary:
    """An engine whose vectors are in the library."""

    engine_id: str
    engine_name: str
    dim: int
    videos: int
    samples: int
    """Samples that a search goes over: those of one embedding per video."""


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
    engines = []
    for engine_id in dict.fromkeys(info.key.engine_id for info in infos):
        chosen = densest(infos, engine_id)
        first = chosen[0]
        samples = sum(info.samples for info in chosen)
        engines.append(EngineInLibrary(engine_id, first.engine_name, first.dim, len(chosen), samples))
    return tuple(sorted(engines, key=lambda engine: -engine.samples))


def query_vector(engine: Engine, store: Store, query: Query) -> NDArray[np.float32]:
    """Return the unit vector of a query, float32 ``(d,)``; texts seen before cost nothing.

    Texts and pictures together are the mean of unit vectors, and what is to be avoided is subtracted:
    ``lib.search.query.combine`` has the formula.

    Raises:
        InputError: there is nothing to look for, or it cancels out with what is to be avoided.
        EngineError: from the engine.
    """
    if query.empty:
        raise InputError("There is nothing to look for; type a few words, or add a picture.")
    images = engine.embed_images(query.images) if query.images else np.empty((0, engine.dim), np.float32)
    return combine(_rows(store, engine, query.texts), images, _rows(store, engine, query.avoid))


def score_kind(query: Query, wanted: SearchScore = "relative") -> SearchScore:
    """Return the score that moments of a query are ranked by where ``wanted`` is asked for.

    Queries with a picture are ranked by cosine: cosines of pictures with each other are higher than those of texts with
    pictures, so how high phrases reach says nothing about them.
    """
    return "cosine" if query.images else wanted


def reference_rows(store: Store, engine: Engine) -> ReferenceRows:
    """Return the vectors of the reference phrases; those seen before cost nothing.

    Raises:
        EngineError: from the engine.
    """
    vectors = embed_texts_cached(store, engine, PHRASES)
    return _reference_rows(np.stack([vectors[phrase] for phrase in PHRASES]).tobytes())


@functools.lru_cache(maxsize=4)
def _reference_rows(content: bytes) -> ReferenceRows:
    """Finding equal ones takes 20 ms, as long as a search."""
    rows = np.frombuffer(content, np.float32).reshape(len(PHRASES), -1)
    return ReferenceRows(reference_vectors(dict(zip(PHRASES, rows, strict=True))))


def relative_to_phrases(engine: Engine, store: Store, query: Query) -> RelativeQuery | None:
    """Return the relative score of a query of words, None for a query with a picture.

    Raises:
        as ``query_vector``.
    """
    if query.empty:
        raise InputError("There is nothing to look for; type a few words, or add a picture.")
    if query.images:
        return None
    texts, avoid = _rows(store, engine, query.texts), _rows(store, engine, query.avoid)
    return relative_query(texts, avoid, reference_rows(store, engine))


def _rows(store: Store, engine: Engine, texts: Sequence[str]) -> NDArray[np.float32]:
    vectors = embed_texts_cached(store, engine, texts)
    return np.stack([vectors[text] for text in texts]) if texts else np.empty((0, engine.dim), np.float32)


def search(
    store: Store,
    engine: Engine,
    query: Query,
    options: SearchOptions | None = None,
    *,
    score: SearchScore = "relative",
    on_prepare: Callable[[int, int], None] | None = None,
) -> SearchResult:
    """Return the moments that match ``query``, best first: ``query_vector``, then ``search_vector``.

    They are ranked by ``score``, those of queries with a picture by their cosine; see ``score_kind``.

    Raises:
        as both of them.
    """
    vector = query_vector(engine, store, query)
    relative = relative_to_phrases(engine, store, query) if score_kind(query, score) == "relative" else None
    return search_vector(store, engine.id, vector, options, relative=relative, on_prepare=on_prepare)


def search_vector(
    store: Store,
    engine_id: str,
    vector: NDArray[np.float32],
    options: SearchOptions | None = None,
    *,
    relative: RelativeQuery | None = None,
    on_prepare: Callable[[int, int], None] | None = None,
) -> SearchResult:
    """Return the moments whose samples score highest, best first.

    Args:
        store: the library.
        engine_id: whose vectors are searched.
        vector: unit vector of the query, ``(d,)``.
        options: None is ``SearchOptions()``.
        relative: the same query's relative score, which samples are ranked by; None ranks by the cosine with
            ``vector``.
        on_prepare: called in this thread with samples done and samples in all while search vectors are written and what
            relative scores need is derived, which happens once for each embedding; it may raise, and what is done is
            kept.

    Raises:
        InputError: the vector has another length than the engine's.
        NotStoredError: nothing in the library, or nothing of ``options.videos``, is embedded with this engine.
        StoreError: the store can't be read.
    """
    begun = time.perf_counter()
    options = options or SearchOptions()
    listing = store.listing()
    infos = densest(listing.embeddings, engine_id, options.videos)
    if not infos:
        raise NotStoredError(_nothing_to_search(store, engine_id, options.videos))
    if vector.shape != (infos[0].dim,):
        raise InputError(
            f"The query has {vector.size} numbers and the stored vectors {infos[0].dim}; use the engine they are of."
        )
    ranking = Ranking(vector, relative)
    index = store.indexes.find(engine_id)
    by_index: Answer | None = None
    with _deletion_reported():
        if on_prepare is not None:
            prepare(store, infos, ranking.reference, on_prepare)
        if index is not None and not options.exact:
            covered = [info for info in infos if index.covers(info)]
            pays = options.exact is False or _index_pays(infos, covered, index.samples, options.top)
            by_index = indexed(store, index, infos, ranking, options) if pays and covered else None
        answer = by_index or compared(store, infos, ranking, options)
        moments = tuple(_moment(moment, answer.videos, listing.names) for moment in answer.moments)
    return SearchResult(
        moments=moments,
        distribution=answer.distribution,
        videos=len(answer.videos),
        samples=answer.samples,
        exact=by_index is None,
        score_kind=ranking.kind,
        took_s=time.perf_counter() - begun,
        threshold=options.threshold,
    )


def sample_vector(store: Store, key: EmbeddingKey, frame: int) -> NDArray[np.float32]:
    """Return the unit vector of a stored sample, ``(d,)``: "more like this" is ``search_vector`` with it.

    Raises:
        NotStoredError: the embedding or the sample is not there.
    """
    with _deletion_reported():
        samples = store.vector_files.get(store.embedding(key))
        row = int(np.searchsorted(samples.frames, frame))
        if row < len(samples) and samples.frames[row] == frame:
            return samples.vectors(row, row + 1).reshape(-1)
    raise NotStoredError(f"Frame {frame} is no sample of this video; choose one that was found.")


def index_state(store: Store, engine_id: str) -> IndexState:
    """Return what the index of an engine covers; cheap enough to call on every rerun of a page."""
    infos = densest(store.listing().embeddings, engine_id)
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

    One thread or process builds at a time; another one waits and finds it done. Cancelled, the index stays as it was.

    Raises:
        StoreError: the disk is full or the store can't be used.
    """

    def report(phase: str, done: int, total: int) -> None:
        if on_progress is not None:
            on_progress(IndexProgress(phase, done, total))

    def infos() -> list[EmbeddingInfo]:
        return [info for info in densest(store.listing().embeddings, engine_id) if info.complete and info.samples]

    with contextlib.suppress(Cancelled):
        store.indexes.build(engine_id, infos, report, cancel or threading.Event())
    return index_state(store, engine_id)


def densest(
    infos: Sequence[EmbeddingInfo],
    engine_id: str,
    videos: Sequence[str] | None = None,
) -> list[EmbeddingInfo]:
    """Return one embedding per video: a complete one before others, then the densest, then the newest."""
    wanted = None if videos is None else set(videos)
    best: dict[str, EmbeddingInfo] = {}
    for info in infos:
        key = info.key
        if key.engine_id != engine_id or (wanted is not None and key.sha256 not in wanted):
            continue
        if key.sha256 not in best or _rank(info) > _rank(best[key.sha256]):
            best[key.sha256] = info
    return list(best.values())


def _rank(info: EmbeddingInfo) -> tuple[bool, int, datetime]:
    return info.complete, info.samples, info.created_at


def _index_pays(infos: Sequence[EmbeddingInfo], covered: Sequence[EmbeddingInfo], samples: int, top: int) -> bool:
    """Return whether the index is faster: there are many samples, most of it is searched, and little is missing in it.

    ``python -m benchmarks search`` measures both.
    """
    total, inside = (sum(info.samples for info in some) for some in (infos, covered))
    many = total >= INDEX_FROM * max(1.0, top / _MOMENTS_OF_INDEX)
    return many and inside >= samples / 2 and total - inside <= INDEX_FROM


def _nothing_to_search(store: Store, engine_id: str, videos: Sequence[str] | None) -> str:
    others = [engine.engine_name for engine in engines_in_library(store) if engine.engine_id != engine_id]
    what = "None of these videos is" if videos is not None else "No video is"
    advice = "embed one first" if not others else f"embed one first, or search with {' or '.join(others)}"
    return f"{what} embedded with this engine; {advice}."


def _moment(moment: FoundMoment, videos: Sequence[ScoredVideo], names: Mapping[str, str]) -> Moment:
    video = videos[moment.video]
    key, samples = video.info.key, video.samples
    return Moment(
        key=key,
        video=names.get(key.sha256, ""),
        start_s=float(samples.times_s[moment.first]),
        end_s=float(samples.ends_s[moment.stop - 1]),
        best_s=float(samples.times_s[moment.best]),
        best_frame=int(samples.frames[moment.best]),
        score=moment.score,
        cosine=None if video.spread is None else float(video.vector(moment.best) @ video.ranking.vector),
        folded=moment.folded,
    )


@contextlib.contextmanager
def _deletion_reported() -> Iterator[None]:
    """Raise ``NotStoredError`` where a file is missing: its embedding was deleted after it was listed."""
    try:
        yield
    except FileNotFoundError as error:
        raise NotStoredError("A video was deleted while it was searched; search again.") from error
