"""The two ways to search: comparing every sample, or only those that the index points to.

Both end in ``lib.search.moments.find_moments`` with exact scores, so that they differ only in the moments that the
index misses, and in the median of the scores, which the index estimates.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lib.core.errors import NotStoredError
from lib.core.samples import TIME_TOLERANCE_S
from lib.infra.cores import one_core_each
from lib.search.distribution import Distribution
from lib.search.moments import FoundMoment, Peaks, find_moments, peaks_of
from lib.search.options import SearchOptions
from lib.search.relative import ReferenceRows, RelativeQuery, SearchScore
from lib.store.embeddings import EmbeddingInfo
from lib.store.search_index_file import Groups, Index
from lib.store.search_vectors import VectorFile, dot_products
from lib.store.store import Store

GROUPS = (256, 1024)
"""Groups that the index is asked for, first and where those don't suffice; after that every sample is compared."""
FIRST_GROUPS = 96
"""Groups whose samples are compared first; mostly they suffice."""
_AROUND = 16  # samples on either side of a group that are compared with it: a moment often reaches so far
_MARGIN = 0.02  # how much higher than its group's mean a sample may score without being looked at
_BEYOND = 0.8
"""The index stops where so many of the library's samples, were they as near to the query as the groups left over, would
score less than the weakest moment: relative scores have a scale for each sample, which groups don't know. 0.98 finds
all of the first 20 moments and takes twice the time; 0.5 finds 0.98 of them."""
_BLOCK = 2048  # samples whose cosines with the reference phrases are held at a time, in each thread
THREADS = min(4, os.cpu_count() or 1)

_Single = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Ranking:
    """What samples are ranked by: their cosine with a vector, or a relative score."""

    vector: _Single
    """The query's unit vector, ``(d,)``."""
    relative: RelativeQuery | None = None
    """If given, samples are ranked by it."""

    @property
    def kind(self) -> SearchScore:
        """What scores are."""
        return "cosine" if self.relative is None else "relative"

    @property
    def direction(self) -> _Single:
        """The vector whose dot products with samples the scores are made of, ``(d,)``."""
        return self.vector if self.relative is None else self.relative.direction

    @property
    def around(self) -> _Single:
        """The vector whose dot products the index is asked for, ``(d,)``, of any length."""
        return self.vector if self.relative is None else self.relative.centred

    @property
    def reference(self) -> ReferenceRows | None:
        """The phrases that scores are relative to."""
        return None if self.relative is None else self.relative.reference

    def scores(self, dots: _Single, spread: _Single | None) -> _Single:
        """Return the scores of samples with these dot products ``(n,)``, and median and scale ``(n, 2)``."""
        return dots if self.relative is None or spread is None else self.relative.scores(dots, spread)


@dataclass(frozen=True, eq=False)
class ScoredVideo:
    """One embedding with its scores, which are computed when they are first read; see ``ScoredSamples``."""

    info: EmbeddingInfo
    samples: VectorFile
    ranking: Ranking
    spread: _Single | None
    """Median and scale of each sample, ``(n, 2)``; None where scores are cosines."""
    computed: _Single
    """Scores, NaN where they are not computed yet, ``(n,)``."""

    @property
    def times_s(self) -> NDArray[np.float64]:
        """Start of each sample's span in seconds."""
        return self.samples.times_s

    @property
    def ends_s(self) -> NDArray[np.float64]:
        """End of each sample's span in seconds."""
        return self.samples.ends_s

    def scores(self, first: int, stop: int) -> _Single:
        """Return scores, computed where they are missing."""
        scores = self.computed[first:stop]
        if np.isnan(scores).any():
            compute([(self, [(first, stop)])])
        return scores

    def peaks(self, number: int, at_least: float = -np.inf, *, first: int = 0, stop: int | None = None) -> Peaks:
        """Return the peaks of a stretch whose scores are computed; ``number`` is this video's index."""
        breaks = self.samples.breaks
        if breaks is not None:
            breaks = breaks[first : (stop or len(self.samples)) - 1]
        peaks = peaks_of(number, self.computed[first:stop], at_least, breaks=breaks)
        return Peaks(peaks.videos, peaks.rows + first, peaks.scores)

    def vector(self, row: int) -> _Single:
        """Return a sample's unit vector."""
        return self.samples.vectors(row, row + 1).reshape(-1)


@dataclass(frozen=True, eq=False)
class Answer:
    """Moments, and the videos they were found in."""

    videos: Sequence[ScoredVideo]
    moments: list[FoundMoment]
    distribution: Distribution
    samples: int
    """How many were searched."""


def compute(stretches: Sequence[tuple[ScoredVideo, Sequence[tuple[int, int]]]]) -> None:
    """Compute the scores of stretches of samples of some videos, in one go."""
    rows, factors, parts = [], [], []
    for video, extents in stretches:
        with video.samples.reading() as reader:
            rows += [reader.rows(first, stop) for first, stop in extents]
        factors += [video.samples.factors[first:stop] for first, stop in extents]
        parts += [(video, slice(first, stop)) for first, stop in extents]
    if parts:
        dots, at = dot_products(np.concatenate(rows), np.concatenate(factors), parts[0][0].ranking.direction), 0
        for video, part in parts:
            count = part.stop - part.start
            spread = None if video.spread is None else video.spread[part]
            video.computed[part] = video.ranking.scores(dots[at : at + count], spread)
            at += count


def prepare(
    store: Store, infos: Sequence[EmbeddingInfo], reference: ReferenceRows | None, report: Callable[[int, int], None]
) -> None:
    """Write the search vectors of those embeddings that have none yet, and what relative scores need of them.

    ``report`` is called in this thread with samples done and samples in all. When it raises, what is done is kept.
    """
    waiting = [info for info in infos if not _is_prepared(store, info, reference)]
    total, done = sum(info.samples for info in waiting), 0
    if not waiting:
        return
    threads = ThreadPoolExecutor(THREADS, thread_name_prefix="search")
    try:
        report(0, total)
        with one_core_each():
            work = {threads.submit(opened, store, info, reference): info for info in waiting}
            for finished in as_completed(work):
                with contextlib.suppress(NotStoredError, FileNotFoundError):  # deleted meanwhile
                    finished.result()
                done += work[finished].samples
                report(done, total)
    finally:
        threads.shutdown(cancel_futures=True)


def _is_prepared(store: Store, info: EmbeddingInfo, reference: ReferenceRows | None) -> bool:
    written = store.vector_files.is_written(info)
    return written and (reference is None or store.spread_files.is_written(info, _source(info, reference)))


def opened(store: Store, info: EmbeddingInfo, reference: ReferenceRows | None) -> tuple[VectorFile, _Single | None]:
    """Return an embedding's samples, and their median and scale where scores are relative; both made where missing."""
    samples = store.vector_files.get(info)
    if reference is None:
        return samples, None
    spread = store.spread_files.get(info, _source(info, reference), lambda: _spread(samples, reference))
    if len(spread) != len(samples):  # another search opened an embedding that grows a moment earlier or later
        spread = _spread(samples, reference)
    return samples, spread


def _source(info: EmbeddingInfo, reference: ReferenceRows) -> bytes:
    """Return what tells numbers derived from these phrases and this embedding from others."""
    return hashlib.sha256(reference.digest + info.created_at.isoformat().encode()).digest()


def _spread(samples: VectorFile, reference: ReferenceRows) -> _Single:
    spread = np.empty((len(samples), 2), np.float32)
    with samples.reading() as reader:
        for first in range(0, len(samples), _BLOCK):
            stop = min(first + _BLOCK, len(samples))
            spread[first:stop] = reference.spread_of(reader.unit_rows(first, stop))
    return spread


def compared(store: Store, infos: Sequence[EmbeddingInfo], ranking: Ranking, options: SearchOptions) -> Answer:
    """Return the exact answer: every sample is compared."""
    videos = _compare(store, infos, ranking)
    scores = np.concatenate([video.computed for video in videos]) if videos else np.empty(0, np.float32)
    median = _median(scores)
    lowest = median if options.threshold is None else options.threshold
    peaks = Peaks.join([video.peaks(number, lowest) for number, video in enumerate(videos)])
    moments = find_moments(videos, peaks, options, median=median, origin=_origin(videos, options))
    return Answer(videos, moments, Distribution.of(scores, kind=ranking.kind), len(scores))


def indexed(
    store: Store, index: Index, infos: Sequence[EmbeddingInfo], ranking: Ranking, options: SearchOptions
) -> Answer | None:
    """Return the answer with the help of an index; None where it may miss moments among the best.

    Embeddings that are not in the index are compared sample by sample.
    """
    inside = [info for info in infos if index.covers(info)]
    outside = _compare(store, [info for info in infos if not index.covers(info)], ranking)
    videos = [*outside, *(_unscored(store, info, ranking) for info in inside)]
    samples = sum(info.samples for info in inside)
    video_of = np.full(len(index.embeddings), -1)
    for number, info in enumerate(inside, len(outside)):
        video_of[index.embeddings[info.key.id]] = number
    likely = _Likely.of(index, ranking)
    median = _median(np.concatenate([likely.scores, *(video.computed for video in outside)]))
    lowest = median if options.threshold is None else options.threshold
    origin = _origin(videos, options)
    for count in GROUPS:
        wanted = count * -(-index.samples // samples)
        nearest = store.indexes.nearest(index, likely.around, wanted)
        if nearest is None:
            return None
        groups, means = nearest
        complete = not index.cells and len(means) < wanted
        peaks = [video.peaks(number, lowest) for number, video in enumerate(outside)]
        for first, stop in ((0, FIRST_GROUPS), (FIRST_GROUPS, len(groups))):
            peaks += _peaks_in(videos, video_of, groups.take(slice(first, stop)))
            moments = find_moments(videos, Peaks.join(peaks), options, median=median, origin=origin)
            weakest = max(lowest, moments[-1].score) if len(moments) == options.top else lowest
            if likely.reached(_best_of_rest(means, stop, complete=complete)) < weakest:
                distribution = likely.distribution(samples, outside)
                return Answer(videos, moments, distribution, sum(len(video.computed) for video in videos))
    return None


@dataclass(frozen=True, eq=False)
class _Likely:
    """What the samples that represent an index say of a query's scores."""

    ranking: Ranking
    around: _Single
    """The unit vector that the index is asked for, ``(d,)``."""
    length: float
    """What its dot products are multiplied with."""
    spread: _Single | None
    """Median and scale of the samples, ``(r, 2)``."""
    beyond: _Single
    """How much a sample's score times its scale exceeds that product, ``(r,)``."""
    scores: _Single
    """Scores of the samples, ``(r,)``."""

    @classmethod
    def of(cls, index: Index, ranking: Ranking) -> _Likely:
        """Score the samples that represent ``index``."""
        rows, around = index.index_sample, ranking.around
        length = float(np.linalg.norm(around)) or 1.0
        dots = np.vecdot(rows, ranking.direction)
        spread = None if ranking.reference is None else _spread_of_sample(_Sample.of(index, ranking.reference))
        scores = ranking.scores(dots, spread)
        numerator = scores if spread is None else scores * spread[:, 1]
        return cls(ranking, around / np.float32(length), length, spread, numerator - np.vecdot(rows, around), scores)

    def reached(self, mean: float) -> float:
        """Return what the samples of a group score at most, of which ``mean`` is the mean dot product with ``around``.

        Of relative scores it is what most of the library's samples would stay below.
        """
        most = self.length * mean + _MARGIN
        if self.spread is None or np.isneginf(most):  # nothing is left over
            return most
        return float(np.quantile((most + self.beyond) / self.spread[:, 1], _BEYOND))

    def distribution(self, samples: int, outside: Sequence[ScoredVideo]) -> Distribution:
        """Return the distribution: these scores stand for ``samples``, those ``outside`` for themselves."""
        weights = np.full(len(self.scores), samples / max(len(self.scores), 1))
        exact = [video.computed for video in outside]
        weights = np.concatenate([weights, np.ones(sum(map(len, exact)))])
        return Distribution.of(np.concatenate([self.scores, *exact]), weights, kind=self.ranking.kind)


@dataclass(frozen=True)
class _Sample:
    """The samples that represent an index, and reference phrases; compared by the names of both."""

    table: str
    digest: bytes
    index: Index = field(compare=False)
    reference: ReferenceRows = field(compare=False)

    @classmethod
    def of(cls, index: Index, reference: ReferenceRows) -> _Sample:
        return cls(index.table, reference.digest, index, reference)


@functools.lru_cache(maxsize=4)
def _spread_of_sample(sample: _Sample) -> _Single:
    return sample.reference.spread_of(sample.index.index_sample)


def _best_of_rest(means: _Single, stop: int, *, complete: bool) -> float:
    """Return the highest mean that a group not yet compared may have.

    ``means`` are those of the groups nearest to the query, decreasing; the first ``stop`` are compared; ``complete``
    says that the index has no other groups.
    """
    if stop < len(means):
        return float(means[stop])
    return -np.inf if complete else float(means[-1])


def _compare(store: Store, infos: Sequence[EmbeddingInfo], ranking: Ranking) -> list[ScoredVideo]:
    """Return the embeddings with all their scores; those deleted meanwhile are left out."""

    def compare(info: EmbeddingInfo) -> ScoredVideo | None:
        with contextlib.suppress(NotStoredError, FileNotFoundError):
            samples, spread = opened(store, info, ranking.reference)
            scores = ranking.scores(samples.scores(ranking.direction), spread)
            return ScoredVideo(info, samples, ranking, spread, scores)
        return None

    if len(infos) < 2:
        videos = list(map(compare, infos))
    else:
        with ThreadPoolExecutor(THREADS, thread_name_prefix="search") as threads:
            videos = list(threads.map(compare, infos))
    return [video for video in videos if video is not None]


def _unscored(store: Store, info: EmbeddingInfo, ranking: Ranking) -> ScoredVideo:
    samples, spread = opened(store, info, ranking.reference)
    return ScoredVideo(info, samples, ranking, spread, np.full(len(samples), np.nan, np.float32))


def _peaks_in(videos: Sequence[ScoredVideo], video_of: NDArray[np.int64], groups: Groups) -> list[Peaks]:
    """Return the peaks among the samples of some groups, their scores computed."""
    stretches = _stretches(videos, video_of, groups)
    compute([(videos[number], extents) for number, extents in stretches.items()])
    peaks = []
    for number, extents in stretches.items():
        video, n = videos[number], len(videos[number].samples)
        for first, stop in extents:
            part = video.peaks(number, first=first, stop=stop)
            rows = part.rows  # the outermost ones may have a higher neighbour outside
            inner = ((rows > first) | (first == 0)) & ((rows < stop - 1) | (stop == n))
            peaks.append(Peaks(part.videos[inner], rows[inner], part.scores[inner]))
    return peaks


def _stretches(
    videos: Sequence[ScoredVideo], video_of: NDArray[np.int64], groups: Groups
) -> dict[int, list[tuple[int, int]]]:
    """Return the samples in and around some groups by video, as disjoint intervals in order."""
    numbers = video_of[groups.embeddings]
    firsts = np.maximum(groups.firsts - _AROUND, 0)
    stops = groups.firsts + groups.counts + _AROUND
    order = np.lexsort((firsts, numbers))
    order = order[numbers[order] >= 0]
    stretches: dict[int, list[tuple[int, int]]] = {}
    for number, first, stop in zip(*(part[order].tolist() for part in (numbers, firsts, stops)), strict=True):
        stop = min(stop, len(videos[number].samples))
        extents = stretches.setdefault(number, [])
        if extents and first <= extents[-1][1]:
            extents[-1] = extents[-1][0], max(stop, extents[-1][1])
        else:
            extents.append((first, stop))
    return stretches


def _origin(videos: Sequence[ScoredVideo], options: SearchOptions) -> tuple[int, int] | None:
    """Return video and row of the sample that the query was made of, None where it is not among those searched."""
    if options.origin is None:
        return None
    sha256, time_s = options.origin
    for number, video in enumerate(videos):
        if video.info.key.sha256 == sha256 and len(video.times_s):
            row = int(np.searchsorted(video.times_s, time_s + TIME_TOLERANCE_S, side="right")) - 1
            return (number, row) if row >= 0 and time_s < video.ends_s[row] else None
    return None


def _median(scores: _Single) -> float:
    return float(np.median(scores)) if len(scores) else 0.0
