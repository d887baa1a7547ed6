"""From scores to moments.

Conventions: ``n`` samples of one video in order of time, vectors of length ``d``; scores are cosines in [-1, 1].

A moment grows from a sample whose score is a local maximum. ``find_moments`` takes these peaks in falling order of
score, so it needs to know only the scores around the peaks it comes to: it answers alike whether all scores are known
(the exact search) or only those that an index pointed to.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lib.search.query import _Floats

_SAME_TIME_S = 1e-6
_WINDOW = 16  # samples looked at in one go, on either side of a peak
WIDTH_AT = 0.7
"""Without a threshold, a moment reaches as far as scores stay above so much of its peak's height over the median. At
0.7 moments overlap best with the true segments of the sample videos (0.82 of their union; 0.76 at 0.5, 0.79 at 0.8)."""
PEAKS = 5_000
"""Peaks looked at, at most: where thousands of near-duplicates fold into one moment, there is an end to it."""

_Scores = NDArray[np.float32]


@dataclass(frozen=True)
class Rules:
    """How hits become moments. Times are compared with spans of samples, so they hold at any sampling."""

    bridge_s: float = 1.0
    """Gaps between hits shorter than this are bridged. A gap lasts from the end of one hit's span to the start of
    the next hit; samples that follow each other have none, however far apart they are sampled."""
    drop_lone: bool = False
    """Whether a hit that stays alone after bridging is dropped."""
    fold: float | None = 0.98
    """Moments whose best samples' vectors have at least this cosine are one result; None folds nothing."""


TEMPLATE_THRESHOLD = 0.25
TEMPLATE_RULES = Rules(bridge_s=1.0, drop_lone=True, fold=None)
"""The rule set of Roboflow's video search template: gaps under a second bridged, lone hits dropped.

The template compares the distance of two *samples* with its second, so at one sample a second it bridges nothing and
drops everything; here a gap is what lies between two spans, and neighbours always belong together."""


class Track(Protocol):
    """The samples of one video, with scores that may be computed only when somebody asks."""

    @property
    def times_s(self) -> _Floats:
        """Start of each sample's span in seconds, ``(n,)``."""

    @property
    def ends_s(self) -> _Floats:
        """End of each sample's span in seconds, ``(n,)``."""

    def scores(self, first: int, stop: int) -> _Scores:
        """Return the scores of samples ``first`` to ``stop``, ``(stop - first,)``."""

    def vector(self, row: int) -> NDArray[np.float32]:
        """Return a sample's unit vector, ``(d,)``."""


@dataclass(frozen=True, eq=False)
class Peaks:
    """Local maxima of the scores, of any number of tracks, in any order."""

    tracks: NDArray[np.int64]
    """Which track each is of, ``(k,)``."""
    rows: NDArray[np.int64]
    """Which sample of it, ``(k,)``."""
    scores: _Scores
    """``(k,)``."""

    @classmethod
    def join(cls, parts: Sequence[Peaks]) -> Peaks:
        """Return the peaks of all ``parts``."""
        if not parts:
            return cls(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in cls.__annotations__))

    def highest(self, count: int) -> Peaks:
        """Return the ``count`` highest ones, in falling order of score, then in order of track and row."""
        chosen = np.arange(len(self.rows))
        if len(chosen) > count:
            chosen = np.argpartition(-self.scores, count - 1)[:count]
        order = chosen[np.lexsort((self.rows[chosen], self.tracks[chosen], -self.scores[chosen]))]
        return Peaks(self.tracks[order], self.rows[order], self.scores[order])


def peaks_of(
    track: int, scores: _Scores, at_least: float = -np.inf, *, breaks: NDArray[np.bool_] | None = None
) -> Peaks:
    """Return the local maxima of a track's scores (no neighbour is higher) that reach ``at_least``.

    Args:
        track: which one.
        scores: ``(n,)``.
        at_least: lowest score.
        breaks: whether nothing is known between a sample and the next, which are no neighbours then, ``(n - 1,)``.
    """
    found = scores >= at_least
    after, before = scores[1:] >= scores[:-1], scores[:-1] >= scores[1:]
    if breaks is not None:
        after, before = after | breaks, before | breaks
    found[1:] &= after
    found[:-1] &= before
    rows = np.flatnonzero(found)
    return Peaks(np.full(len(rows), track), rows, scores[rows])


@dataclass
class FoundMoment:
    """A moment, in samples of a track."""

    track: int
    first: int
    stop: int
    """Index after its last sample."""
    best: int
    score: float
    folded: int = 0
    """Moments left out because of it, as far as they were come across."""


@dataclass
class _Taken:
    """Stretches of a track that belong to moments already, in order."""

    firsts: list[int] = field(default_factory=list)
    stops: list[int] = field(default_factory=list)

    def free_around(self, row: int, n: int) -> tuple[int, int] | None:
        """Return the free stretch that ``row`` lies in, None when it is taken."""
        at = bisect(self.firsts, row)
        low = self.stops[at - 1] if at else 0
        return None if row < low else (low, self.firsts[at] if at < len(self.firsts) else n)

    def take(self, first: int, stop: int) -> None:
        at = bisect(self.firsts, first)
        self.firsts.insert(at, first)
        self.stops.insert(at, stop)


def find_moments(
    tracks: Sequence[Track],
    peaks: Peaks,
    *,
    threshold: float | None,
    middle: float,
    top: int,
    per_video: int | None,
    rules: Rules,
    origin: tuple[int, int] | None = None,
) -> list[FoundMoment]:
    """Return the best moments, best first.

    Peaks are taken in falling order of score. Around each the moment reaches as far as samples are hits, over gaps
    shorter than ``rules.bridge_s``, and up to moments found before. Samples of a moment start no other one.

    Args:
        tracks: one a video.
        peaks: where moments may start; local maxima of the scores.
        threshold: the score of a hit. None: a hit of a moment scores at least ``middle + WIDTH_AT * (best - middle)``,
            with ``best`` the moment's best score, and peaks below ``middle`` start no moment.
        middle: the median score of the library.
        top: moments at most.
        per_video: moments of one track at most; None: any number.
        rules: see there.
        origin: track and row of the sample that the query was made of. The moment around it is left out, nothing
            folds into it, and it counts as none of its track's.
    """
    found: list[FoundMoment] = []
    vectors: list[NDArray[np.float32]] = []
    taken: dict[int, _Taken] = {}
    counts: dict[int, int] = {}
    lowest = middle if threshold is None else threshold

    def around(which: int, row: int, score: float) -> tuple[int, int] | None:
        """Take the moment around a sample; None where it belongs to one already."""
        track, occupied = tracks[which], taken.setdefault(which, _Taken())
        free = occupied.free_around(row, len(track.times_s))
        if free is None:
            return None
        level = threshold if threshold is not None else middle + WIDTH_AT * (score - middle)
        first, stop = _grow(track, row, free, level, rules.bridge_s)
        occupied.take(first, stop)
        return first, stop

    if origin is not None:
        which, row = origin
        around(which, row, float(tracks[which].scores(row, row + 1)[0]))
    ranked = peaks.highest(PEAKS)
    for which, row, score in zip(
        ranked.tracks.tolist(), ranked.rows.tolist(), ranked.scores.tolist(), strict=True
    ):
        if len(found) == top or score < lowest:
            break
        if counts.get(which, 0) == per_video:
            continue
        extent = around(which, row, score)
        if extent is None:
            continue
        first, stop = extent
        if rules.drop_lone and stop - first == 1:
            continue
        if rules.fold is not None:
            vector = tracks[which].vector(row)
            twin = next((i for i, known in enumerate(vectors) if float(known @ vector) >= rules.fold), None)
            if twin is not None:
                found[twin].folded += 1
                continue
            vectors.append(vector)
        counts[which] = counts.get(which, 0) + 1
        found.append(FoundMoment(which, first, stop, row, score))
    return found


def _grow(track: Track, row: int, free: tuple[int, int], level: float, bridge_s: float) -> tuple[int, int]:
    """Return the moment around ``row`` within ``free``: first sample, and index after its last one."""
    first = _reach(track, row, free[0] - 1, -1, level, bridge_s)
    return first, _reach(track, row, free[1], 1, level, bridge_s) + 1


def _reach(track: Track, row: int, stop: int, step: int, level: float, bridge_s: float) -> int:
    """Return the last hit that belongs to ``row``, going by ``step`` (1 or -1) until before ``stop``."""
    last, at = row, row + step
    while at != stop:
        upto = min(at + _WINDOW, stop) if step > 0 else max(at - _WINDOW, stop)
        low, high = (at, upto) if step > 0 else (upto + 1, at + 1)
        hits = low + np.flatnonzero(track.scores(low, high) >= level)
        # What comes after this window is at least as far away as its first sample: hence the last link.
        chain = np.concatenate(([last], hits[::step], [upto] if upto != stop else []))
        left, right = (chain[:-1], chain[1:]) if step > 0 else (chain[1:], chain[:-1])
        gaps = track.times_s[right.astype(np.int64)] - track.ends_s[left.astype(np.int64)]
        apart = np.flatnonzero((gaps > _SAME_TIME_S) & (gaps > bridge_s - _SAME_TIME_S))
        last = int(chain[apart[0]] if len(apart) else chain[len(hits)])
        if len(apart):
            break
        at = upto
    return last
