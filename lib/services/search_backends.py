"""The two ways to search: comparing every sample, or only those that the index points to.

Both end in ``lib.search.moments.find_moments`` with exact scores, so that they differ only in the moments that the
index misses, and in the median of the scores, which the index estimates.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.core.errors import NotStoredError
from lib.core.samples import TIME_TOLERANCE_S
from lib.search.distribution import Distribution
from lib.search.moments import FoundMoment, Peaks, find_moments, peaks_of
from lib.search.options import SearchOptions
from lib.store.embeddings import EmbeddingInfo
from lib.store.search_index_file import Groups, Index
from lib.store.search_vectors import VectorFile, cosines
from lib.store.store import Store

GROUPS = (256, 1024)
"""Groups that the index is asked for, first and where those don't suffice; after that every sample is compared."""
FIRST_GROUPS = 96
"""Groups whose samples are compared first; mostly they suffice."""
_AROUND = 16  # samples on either side of a group that are compared with it: a moment often reaches so far
_MARGIN = 0.02  # how much higher than its group's mean a sample may score without being looked at
_THREADS = min(4, os.cpu_count() or 1)

_Single = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class ScoredVideo:
    """One embedding with its scores, which are computed when they are first read; see ``ScoredSamples``."""

    info: EmbeddingInfo
    samples: VectorFile
    query: _Single
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
    rows, factors, targets = [], [], []
    for video, extents in stretches:
        with video.samples.reading() as reader:
            rows += [reader.rows(first, stop) for first, stop in extents]
        factors += [video.samples.factors[first:stop] for first, stop in extents]
        targets += [video.computed[first:stop] for first, stop in extents]
    if targets:
        scores, at = cosines(np.concatenate(rows), np.concatenate(factors), stretches[0][0].query), 0
        for target in targets:
            target[:] = scores[at : at + len(target)]
            at += len(target)


def prepare(store: Store, infos: Sequence[EmbeddingInfo], report: Callable[[int, int], None]) -> None:
    """Write the search vectors of those embeddings that have none yet.

    ``report`` is called in this thread with samples done and samples in all. When it raises, what is done is kept.
    """
    waiting = [info for info in infos if not store.vector_files.is_written(info)]
    total, done = sum(info.samples for info in waiting), 0
    if not waiting:
        return
    threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="search")
    try:
        report(0, total)
        work = {threads.submit(store.vector_files.get, info): info for info in waiting}
        for finished in as_completed(work):
            with contextlib.suppress(NotStoredError, FileNotFoundError):  # deleted meanwhile
                finished.result()
            done += work[finished].samples
            report(done, total)
    finally:
        threads.shutdown(cancel_futures=True)


def compared(store: Store, infos: Sequence[EmbeddingInfo], query: _Single, options: SearchOptions) -> Answer:
    """Return the exact answer: every sample is compared."""
    videos = _compare(store, infos, query)
    scores = np.concatenate([video.computed for video in videos]) if videos else np.empty(0, np.float32)
    median = _median(scores)
    lowest = median if options.threshold is None else options.threshold
    peaks = Peaks.join([video.peaks(number, lowest) for number, video in enumerate(videos)])
    moments = find_moments(videos, peaks, options, median=median, origin=_origin(videos, options))
    return Answer(videos, moments, Distribution.of(scores), len(scores))


def indexed(
    store: Store, index: Index, infos: Sequence[EmbeddingInfo], query: _Single, options: SearchOptions
) -> Answer | None:
    """Return the answer with the help of an index; None where it may miss moments among the best.

    Embeddings that are not in the index are compared sample by sample.
    """
    inside = [info for info in infos if index.covers(info)]
    outside = _compare(store, [info for info in infos if not index.covers(info)], query)
    videos = [*outside, *(_unscored(store, info, query) for info in inside)]
    samples = sum(info.samples for info in inside)
    video_of = np.full(len(index.embeddings), -1)
    for number, info in enumerate(inside, len(outside)):
        video_of[index.embeddings[info.key.id]] = number
    sample_scores = np.vecdot(index.index_sample, query)
    median = _median(np.concatenate([sample_scores, *(video.computed for video in outside)]))
    lowest = median if options.threshold is None else options.threshold
    origin = _origin(videos, options)
    for count in GROUPS:
        wanted = count * -(-index.samples // samples)
        nearest = store.indexes.nearest(index, query, wanted)
        if nearest is None:
            return None
        groups, means = nearest
        complete = not index.cells and len(means) < wanted
        peaks = [video.peaks(number, lowest) for number, video in enumerate(outside)]
        for first, stop in ((0, FIRST_GROUPS), (FIRST_GROUPS, len(groups))):
            peaks += _peaks_in(videos, video_of, groups.take(slice(first, stop)))
            moments = find_moments(videos, Peaks.join(peaks), options, median=median, origin=origin)
            weakest = max(lowest, moments[-1].score) if len(moments) == options.top else lowest
            if _best_of_rest(means, stop, complete=complete) + _MARGIN < weakest:
                distribution = _estimate(sample_scores, samples, outside)
                return Answer(videos, moments, distribution, sum(len(video.computed) for video in videos))
    return None


def _best_of_rest(means: _Single, stop: int, *, complete: bool) -> float:
    """Return the highest mean score that a group not yet compared may have.

    ``means`` are those of the groups nearest to the query, decreasing; the first ``stop`` are compared; ``complete``
    says that the index has no other groups.
    """
    if stop < len(means):
        return float(means[stop])
    return -1.0 if complete else float(means[-1])


def _estimate(sample_scores: _Single, samples: int, outside: Sequence[ScoredVideo]) -> Distribution:
    """Return the distribution of scores: ``sample_scores`` stands for ``samples``, those ``outside`` for themselves."""
    estimate = Distribution.of(sample_scores, samples=samples)
    exact = [Distribution.of(video.computed).counts for video in outside]
    return Distribution(estimate.edges, np.sum([estimate.counts, *exact], axis=0), estimated=True)


def _compare(store: Store, infos: Sequence[EmbeddingInfo], query: _Single) -> list[ScoredVideo]:
    """Return the embeddings with all their scores; those deleted meanwhile are left out."""

    def compare(info: EmbeddingInfo) -> ScoredVideo | None:
        with contextlib.suppress(NotStoredError, FileNotFoundError):
            samples = store.vector_files.get(info)
            return ScoredVideo(info, samples, query, samples.scores(query))
        return None

    if len(infos) < 2:
        videos = list(map(compare, infos))
    else:
        with ThreadPoolExecutor(_THREADS, thread_name_prefix="search") as threads:
            videos = list(threads.map(compare, infos))
    return [video for video in videos if video is not None]


def _unscored(store: Store, info: EmbeddingInfo, query: _Single) -> ScoredVideo:
    return ScoredVideo(info, store.vector_files.get(info), query, np.full(info.samples, np.nan, np.float32))


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
