"""From scores to moments.

Conventions: ``n`` samples of one video in order of time, vectors of length ``d``; scores are cosines
or relative scores.

A moment grows from a sample whose score is a local maximum. ``find_moments`` takes these peaks in falling order of
score, so it needs only the scores around the peaks it looks at: its result is the same whether all scores are known
(the exact search) or only those that an index pointed to.
"""

from __future__ import annotations

from bisect import bisect
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lib.core.samples import TIME_TOLERANCE_S
from lib.search.options import SearchOptions

_WINDOW = 16  # samples whose scores are read at once, on either side of a peak
WIDTH_AT = 0.7
"""Without a threshold, a moment reaches as far as scores stay above this share of its peak's height over the median. At
0.7 moments overlap best with the true segments of the sample videos (0.82 of their union; 0.76 at 0.5, 0.79 at 0.8)."""
PEAKS = 5_000
"""Peaks looked at, at most: it bounds the time where thousands of near-duplicates fold into one moment."""


class ScoredSamples(Protocol):
    """The samples of one video, with scores that may be computed only when they are read."""

    @property
    def times_s(self) -> NDArray[np.float64]:
        """Start of each sample's span in seconds, ``(n,)``."""

    @property
    def ends_s(self) -> NDArray[np.float64]:
        """End of each sample's span in seconds, ``(n,)``."""

    def scores(self, first: int, stop: int) -> NDArray[np.float32]:
        """Return the scores of samples ``first`` to ``stop``, ``(stop - first,)``."""

    def vector(self, row: int) -> NDArray[np.float32]:
        """Return a sample's unit vector, ``(d,)``."""


@dataclass(frozen=True, eq=False)
class Peaks:
    """Local maxima of the scores, of any number of videos, in any order."""

    videos: NDArray[np.int64]
    """Index of each one's video, ``(k,)``."""
    rows: NDArray[np.int64]
    """Its sample, ``(k,)``."""
    scores: NDArray[np.float32]
    """``(k,)``."""

    @classmethod
    def join(cls, parts: Sequence[Peaks]) -> Peaks:
        """Return the peaks of all ``parts``."""
        if not parts:
            return cls(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in cls.__annotations__))

    def highest(self, count: int) -> Peaks:
        """Return the ``count`` highest ones, in falling order of score, then in order of video and row."""
        chosen = np.arange(len(self.rows))
        if len(chosen) > count:
            chosen = np.argpartition(-self.scores, count - 1)[:count]
        order = chosen[np.lexsort((self.rows[chosen], self.videos[chosen], -self.scores[chosen]))]
        return Peaks(self.videos[order], self.rows[order], self.scores[order])


def peaks_of(
    video: int,
    scores: NDArray[np.float32],
    at_least: float = -np.inf,
    *,
    breaks: NDArray[np.bool_] | None = None,
) -> Peaks:
    """Return the local maxima of a video's scores (no neighbour is higher) that reach ``at_least``.

    ``breaks`` says whether a stretch without samples separates a sample from the next, ``(n - 1,)``; those two are no
    neighbours.
    """
    is_peak = scores >= at_least
    after, before = scores[1:] >= scores[:-1], scores[:-1] >= scores[1:]
    if breaks is not None:
        after, before = after | breaks, before | breaks
    is_peak[1:] &= after
    is_peak[:-1] &= before
    rows = np.flatnonzero(is_peak)
    return Peaks(np.full(len(rows), video), rows, scores[rows])


@dataclass
class FoundMoment:
    """A moment, in samples of a video."""

    video: int
    """Index of the video among those searched."""
    first: int
    stop: int
    """Index after its last sample."""
    best: int
    score: float
    folded: int = 0
    """Near-duplicates of it that were left out, as far as they were looked at."""


def find_moments(
    videos: Sequence[ScoredSamples],
    peaks: Peaks,
    options: SearchOptions,
    *,
    median: float,
    origin: tuple[int, int] | None = None,
) -> list[FoundMoment]:
    """Return the best moments, best first.

    Peaks are taken in falling order of score. Around each the moment reaches as far as samples are hits, over gaps
    shorter than ``options.rules.bridge_s``, and up to moments found before. Samples of a moment start no other one.

    Args:
        videos: with their scores.
        peaks: where moments may start; local maxima of the scores.
        options: threshold, limits and rules. Without a threshold, a hit of a moment scores at least
            ``median + WIDTH_AT * (best - median)``, with ``best`` the moment's best score, and peaks below ``median``
            start no moment.
        median: of all scores of the library.
        origin: video and row of the sample that the query was made of. The moment around it is left out, nothing
            folds into it, and it doesn't count for its video.
    """
    finder = _MomentFinder(videos, options, median)
    if origin is not None:
        video, row = origin
        finder.grow(video, row, float(videos[video].scores(row, row + 1)[0]))
    lowest = median if options.threshold is None else options.threshold
    ranked = peaks.highest(PEAKS)
    for video, row, score in zip(ranked.videos.tolist(), ranked.rows.tolist(), ranked.scores.tolist(), strict=True):
        if len(finder.moments) == options.top or score < lowest:
            break
        finder.accept(video, row, score)
    return finder.moments


class _MomentFinder:
    """Makes moments of peaks, which come in falling order of score."""

    def __init__(self, videos: Sequence[ScoredSamples], options: SearchOptions, median: float) -> None:
        self.moments: list[FoundMoment] = []
        self._videos, self._options, self._median = videos, options, median
        self._best_vectors: list[NDArray[np.float32]] = []
        self._occupied: defaultdict[int, _Intervals] = defaultdict(_Intervals)
        self._per_video: Counter[int] = Counter()

    def accept(self, video: int, row: int, score: float) -> None:
        """Make a moment of a peak, unless the rules drop it or it is like an earlier one."""
        if self._per_video[video] == self._options.per_video:
            return
        extent = self.grow(video, row, score)
        if extent is None:
            return
        first, stop = extent
        if self._options.rules.drop_lone and stop - first == 1:
            return
        if self._options.rules.fold is not None and self._fold(video, row, self._options.rules.fold):
            return
        self._per_video[video] += 1
        self.moments.append(FoundMoment(video, first, stop, row, score))

    def grow(self, video: int, row: int, score: float) -> tuple[int, int] | None:
        """Occupy the samples around a peak and return them: first, and index after the last; None where occupied."""
        samples, occupied, threshold = self._videos[video], self._occupied[video], self._options.threshold
        free = occupied.free_around(row, len(samples.times_s))
        if free is None:
            return None
        level = self._median + WIDTH_AT * (score - self._median) if threshold is None else threshold
        bridge_s = self._options.rules.bridge_s
        first = _reach(samples, row, free[0] - 1, level, bridge_s)
        stop = _reach(samples, row, free[1], level, bridge_s) + 1
        occupied.add(first, stop)
        return first, stop

    def _fold(self, video: int, row: int, cosine: float) -> bool:
        """Count a peak as a near-duplicate of an earlier moment; False where there is none like it."""
        vector = self._videos[video].vector(row)
        for moment, best in zip(self.moments, self._best_vectors, strict=True):
            if float(best @ vector) >= cosine:
                moment.folded += 1
                return True
        self._best_vectors.append(vector)
        return False


@dataclass
class _Intervals:
    """Disjoint intervals of samples, in order."""

    firsts: list[int] = field(default_factory=list)
    stops: list[int] = field(default_factory=list)

    def free_around(self, row: int, n: int) -> tuple[int, int] | None:
        """Return the free interval of ``n`` samples that ``row`` lies in, None where there is none."""
        at = bisect(self.firsts, row)
        low = self.stops[at - 1] if at else 0
        return None if row < low else (low, self.firsts[at] if at < len(self.firsts) else n)

    def add(self, first: int, stop: int) -> None:
        at = bisect(self.firsts, first)
        self.firsts.insert(at, first)
        self.stops.insert(at, stop)


def _reach(samples: ScoredSamples, row: int, end: int, level: float, bridge_s: float) -> int:
    """Return the last hit that is connected with ``row``, going from there until before ``end``, in either direction.

    Scores are read window by window, as they may have to be computed.
    """
    step = 1 if end > row else -1
    last, at = row, row + step
    while at != end:
        after = min(at + _WINDOW, end) if step > 0 else max(at - _WINDOW, end)
        low, high = (at, after) if step > 0 else (after + 1, at + 1)
        hits = low + np.flatnonzero(samples.scores(low, high) >= level)
        # Hits beyond this window are at least as far away as its next sample, so that one closes the chain.
        chain = np.concatenate(([last], hits[::step], np.arange(after, after + (after != end))))
        gap = _first_gap(samples, chain, step, bridge_s)
        if gap is not None:
            return int(chain[gap])
        last, at = int(chain[len(hits)]), after
    return last


def _first_gap(samples: ScoredSamples, rows: NDArray[np.int64], step: int, bridge_s: float) -> int | None:
    """Return the place in ``rows``, which go by ``step``, that the first gap too wide to bridge follows."""
    left, right = (rows[:-1], rows[1:]) if step > 0 else (rows[1:], rows[:-1])
    gaps_s = samples.times_s[right] - samples.ends_s[left]
    wide = np.flatnonzero(gaps_s > max(TIME_TOLERANCE_S, bridge_s - TIME_TOLERANCE_S))
    return int(wide[0]) if len(wide) else None
