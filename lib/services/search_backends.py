"""The two ways to an answer: comparing every sample, or comparing those that the index points to.

Both end in ``lib.search.moments.find_moments`` with exact scores, so that they differ only in the moments that the
index overlooks, and in the median of the scores, which the index estimates.
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
from lib.search.distribution import Distribution
from lib.search.moments import FoundMoment, Peaks, Rules, find_moments, peaks_of
from lib.store.embeddings import EmbeddingInfo
from lib.store.search_index import Groups, Index
from lib.store.search_vectors import VectorFile, cosines
from lib.store.store import Store

GROUPS = (256, 1024)
"""Groups asked of the index, and asked for when those don't suffice; after that every sample is compared."""
FIRST_GROUPS = 96
"""Groups whose samples are compared first; mostly they are all it takes."""
_AROUND = (
    16  # samples on either side of a group that are compared along with it: a moment often reaches so far
)
_MARGIN = 0.02  # how much higher than the mean of its group a sample may score and yet be overlooked
_SAME_TIME_S = 1e-6
_THREADS = min(4, os.cpu_count() or 1)

_Single = NDArray[np.float32]


@dataclass(frozen=True)
class Limits:
    """What a search asks for; see ``lib.search.moments.find_moments``."""

    threshold: float | None
    top: int
    per_video: int | None
    rules: Rules
    origin: tuple[str, float] | None = None
    """Video (SHA-256) and time in seconds of the sample that the query was made of."""


@dataclass(frozen=True, eq=False)
class ScoredVideo:
    """One embedding with scores: all of them, or NaN where nobody has asked yet."""

    info: EmbeddingInfo
    pack: VectorFile
    query: _Single
    known: _Single

    @property
    def times_s(self) -> NDArray[np.float64]:
        """Start of each sample's span in seconds."""
        return self.pack.times_s

    @property
    def ends_s(self) -> NDArray[np.float64]:
        """End of each sample's span in seconds."""
        return self.pack.ends_s

    def scores(self, first: int, stop: int) -> _Single:
        """Return scores, computed where they are missing."""
        found = self.known[first:stop]
        if np.isnan(found).any():
            fill([(self, [(first, stop)])])
        return found

    def peaks(
        self, number: int, at_least: float = -np.inf, *, first: int = 0, stop: int | None = None
    ) -> Peaks:
        """Return the peaks of a stretch whose scores are known; ``number`` is which track this is."""
        breaks = None if self.pack.breaks is None else self.pack.breaks[first : (stop or len(self.pack)) - 1]
        found = peaks_of(number, self.known[first:stop], at_least, breaks=breaks)
        return Peaks(found.tracks, found.rows + first, found.scores)

    def vector(self, row: int) -> _Single:
        """Return a sample's unit vector."""
        return self.pack.vectors(row, row + 1).reshape(-1)


@dataclass(frozen=True, eq=False)
class Answer:
    """Moments, and what they were found in."""

    tracks: Sequence[ScoredVideo]
    moments: list[FoundMoment]
    distribution: Distribution
    samples: int


def fill(wanted: Sequence[tuple[ScoredVideo, Sequence[tuple[int, int]]]]) -> None:
    """Compute the scores of some stretches of samples of some tracks, in one go."""
    rows, factors, targets = [], [], []
    for track, stretches in wanted:
        with track.pack.reading() as reader:
            rows += [reader.rows(first, stop) for first, stop in stretches]
        factors += [track.pack.factors[first:stop] for first, stop in stretches]
        targets += [track.known[first:stop] for first, stop in stretches]
    if targets:
        found, at = cosines(np.concatenate(rows), np.concatenate(factors), wanted[0][0].query), 0
        for target in targets:
            target[:] = found[at : at + len(target)]
            at += len(target)


def prepare(store: Store, infos: Sequence[EmbeddingInfo], tell: Callable[[int, int], None]) -> None:
    """Lay out the vectors that are not yet laid out for searching; it takes about 20 s for 1,000,000 samples x 512.

    Args:
        store: the library.
        infos: what will be searched.
        tell: called in this thread with samples done and samples in all. When it raises, what is done is kept.
    """
    waiting = [info for info in infos if not store.packs.packed(info)]
    total, done = sum(info.samples for info in waiting), 0
    if not waiting:
        return
    threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="search")
    try:
        tell(0, total)
        work = {threads.submit(store.packs.get, info): info for info in waiting}
        for finished in as_completed(work):
            with contextlib.suppress(NotStoredError, FileNotFoundError):  # deleted meanwhile
                finished.result()
            done += work[finished].samples
            tell(done, total)
    finally:
        threads.shutdown(cancel_futures=True)


def compared(store: Store, infos: Sequence[EmbeddingInfo], query: _Single, limits: Limits) -> Answer:
    """Return the exact answer: every sample is compared."""
    tracks = _compare(store, infos, query)
    scores = np.concatenate([track.known for track in tracks]) if tracks else np.empty(0, np.float32)
    middle = _median(scores)
    lowest = middle if limits.threshold is None else limits.threshold
    peaks = Peaks.join([track.peaks(i, lowest) for i, track in enumerate(tracks)])
    moments = _moments(tracks, peaks, middle, limits)
    return Answer(tracks, moments, Distribution.of(scores), len(scores))


def indexed(
    store: Store, index: Index, infos: Sequence[EmbeddingInfo], query: _Single, limits: Limits
) -> Answer | None:
    """Return the answer with the help of an index; None where it can't find as many moments as there may be.

    Embeddings that are not in the index are compared sample by sample.
    """
    inside = [info for info in infos if index.covers(info)]
    fresh = _compare(store, [info for info in infos if not index.covers(info)], query)
    tracks = [*fresh, *(ScoredVideo(info, store.packs.get(info), query, _unknown(info)) for info in inside)]
    samples = sum(info.samples for info in inside)
    track_of = np.full(len(index.packs), -1)
    for at, info in enumerate(inside, len(fresh)):
        track_of[index.packs[info.key.id]] = at
    reference = np.vecdot(index.reference, query)
    middle = _median(np.concatenate([reference, *(track.known for track in fresh)]))
    lowest = middle if limits.threshold is None else limits.threshold
    known = [track.peaks(i, lowest) for i, track in enumerate(fresh)]
    for count in GROUPS:
        wanted = count * -(-index.samples // samples)
        answer = store.indexes.nearest(index, query, wanted)
        if answer is None:
            return None
        groups, scores = answer
        peaks = list(known)
        for first, stop in ((0, FIRST_GROUPS), (FIRST_GROUPS, len(groups))):
            peaks += _peaks_in(tracks, track_of, groups.take(slice(first, stop)))
            moments = _moments(tracks, Peaks.join(peaks), middle, limits)
            weakest = max(lowest, moments[-1].score) if len(moments) == limits.top else lowest
            left = (
                scores[stop]
                if stop < len(scores)
                else scores[-1]
                if index.cells or len(scores) == wanted
                else -1.0
            )
            if left + _MARGIN < weakest:
                return Answer(tracks, moments, _estimate(reference, samples, fresh), samples + _count(fresh))
    return None


def _estimate(reference: _Single, samples: int, fresh: Sequence[ScoredVideo]) -> Distribution:
    """Return how scores are spread: those of the reference stand for ``samples``, those of ``fresh`` for themselves."""
    spread = Distribution.of(reference, samples=samples)
    exactly = [Distribution.of(track.known).counts for track in fresh]
    return Distribution(spread.edges, np.sum([spread.counts, *exactly], axis=0), estimated=True)


def _count(tracks: Sequence[ScoredVideo]) -> int:
    return sum(len(track.known) for track in tracks)


def _compare(store: Store, infos: Sequence[EmbeddingInfo], query: _Single) -> list[ScoredVideo]:
    """Return the embeddings with all their scores; those deleted meanwhile are left out."""

    def work(info: EmbeddingInfo) -> ScoredVideo | None:
        with contextlib.suppress(NotStoredError, FileNotFoundError):
            pack = store.packs.get(info)
            return ScoredVideo(info, pack, query, pack.scores(query))
        return None

    if len(infos) < 2:
        found = list(map(work, infos))
    else:
        with ThreadPoolExecutor(_THREADS, thread_name_prefix="search") as threads:
            found = list(threads.map(work, infos))
    return [track for track in found if track is not None]


def _peaks_in(tracks: Sequence[ScoredVideo], track_of: NDArray[np.int64], groups: Groups) -> list[Peaks]:
    """Return the peaks among the samples of some groups, their scores computed."""
    owners = track_of[groups.packs]
    firsts = np.maximum(groups.firsts - _AROUND, 0)
    stops = groups.firsts + groups.counts + _AROUND
    order = np.lexsort((firsts, owners))
    order = order[owners[order] >= 0]
    stretches: dict[int, list[tuple[int, int]]] = {}
    for owner, first, stop in zip(*(part[order].tolist() for part in (owners, firsts, stops)), strict=True):
        stop = min(stop, len(tracks[owner].pack))
        known = stretches.setdefault(owner, [])
        if known and first <= known[-1][1]:
            known[-1] = known[-1][0], max(stop, known[-1][1])
        else:
            known.append((first, stop))
    fill([(tracks[owner], known) for owner, known in stretches.items()])
    found = []
    for owner, known in stretches.items():
        track, n = tracks[owner], len(tracks[owner].pack)
        for first, stop in known:
            part = track.peaks(owner, first=first, stop=stop)
            rows = part.rows  # of the outermost nobody knows whether a neighbour is higher
            inner = ((rows > first) | (first == 0)) & ((rows < stop - 1) | (stop == n))
            found.append(Peaks(part.tracks[inner], rows[inner], part.scores[inner]))
    return found


def _moments(tracks: Sequence[ScoredVideo], peaks: Peaks, middle: float, limits: Limits) -> list[FoundMoment]:
    return find_moments(
        tracks,
        peaks,
        threshold=limits.threshold,
        middle=middle,
        top=limits.top,
        per_video=limits.per_video,
        rules=limits.rules,
        origin=_origin(tracks, limits),
    )


def _origin(tracks: Sequence[ScoredVideo], limits: Limits) -> tuple[int, int] | None:
    """Return track and row of the sample that the query was made of, None where it is not among those searched."""
    if limits.origin is None:
        return None
    sha256, time_s = limits.origin
    for number, track in enumerate(tracks):
        if track.info.key.sha256 == sha256 and len(track.times_s):
            row = int(np.searchsorted(track.times_s, time_s + _SAME_TIME_S, side="right")) - 1
            return (number, row) if row >= 0 and time_s < track.ends_s[row] else None
    return None


def _median(scores: _Single) -> float:
    return float(np.median(scores)) if len(scores) else 0.0


def _unknown(info: EmbeddingInfo) -> _Single:
    return np.full(info.samples, np.nan, np.float32)
