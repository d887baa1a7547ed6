"""What the search page draws of the scores: a histogram over the range where scores occur, and where to begin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.search.moments import _Scores
from lib.search.query import _Floats

BARS = 72


@dataclass(frozen=True)
class ScoreBars:
    """A histogram of scores (cosines), its bars of equal width."""

    low: float
    """Lower bound of the first bar."""
    high: float
    """Upper bound of the last bar, above ``low``."""
    counts: tuple[float, ...]
    """Samples in each bar."""
    estimated: bool
    """Whether the counts are scaled up from a part of the samples."""
    suggestion: float
    """Where a threshold begins when somebody takes hold of it: in the middle between the median and the best score."""


def score_bars(
    edges: NDArray[np.float64],
    counts: NDArray[np.int64],
    *,
    estimated: bool = False,
    threshold: float | None = None,
    bars: int = BARS,
) -> ScoreBars:
    """Return the histogram over the range that holds scores, and ``threshold``.

    Args:
        edges: bounds of the bins, increasing, ``(b + 1,)``.
        counts: samples in each bin, ``(b,)``; inside a bin they are taken as evenly spread.
        estimated: handed on.
        threshold: inside the range even when no score is near it.
        bars: how many at most, at least 1; none is narrower than a bin.
    """
    total = np.concatenate([[0.0], np.cumsum(counts, dtype=np.float64)])
    held = np.flatnonzero(counts)
    low, high = (float(edges[held[0]]), float(edges[held[-1] + 1])) if len(held) else (0.0, 1.0)
    median = float(np.interp(total[-1] / 2, total, edges)) if len(held) else low
    suggestion = (median + high) / 2
    if threshold is not None:
        low, high = min(low, threshold), max(high, threshold)
    # Whole hundredths outside: the axis stays where it is while words change a little.
    low, high = float(np.floor(low * 50) / 50), float(np.ceil(high * 50) / 50)
    if high <= low:
        high = low + 0.02
    bars = max(1, min(bars, round((high - low) / float(edges[1] - edges[0]))))
    bounds = np.linspace(low, high, bars + 1)
    shares = np.diff(np.interp(bounds, edges, total))
    return ScoreBars(
        round(low, 4),
        round(high, 4),
        tuple(round(float(count), 2) for count in shares),
        estimated,
        min(high, max(low, suggestion)),
    )


_BINS = 400


@dataclass(frozen=True)
class Distribution:
    """How the scores of the searched samples are spread."""

    edges: _Floats
    """Bounds of the bins, increasing, ``(b + 1,)``."""
    counts: NDArray[np.int64]
    """Samples in each bin, ``(b,)``."""
    estimated: bool
    """Whether the counts are scaled up from a part of the samples, as they are where an index answers."""

    @classmethod
    def of(cls, scores: _Scores, *, samples: int | None = None) -> Distribution:
        """Return the distribution of ``scores``, in bins of 0.005 from -1 to 1.

        Args:
            scores: ``(n,)``.
            samples: how many samples they stand for; None where they are all there are.
        """
        edges = np.linspace(-1.0, 1.0, _BINS + 1)
        which = ((scores + 1) * np.float32(_BINS / 2)).astype(np.int32)
        counts = np.bincount(np.clip(which, 0, _BINS - 1), minlength=_BINS)
        if samples is None:
            return cls(edges, counts, estimated=False)
        return cls(edges, np.rint(counts * (samples / max(len(scores), 1))).astype(np.int64), estimated=True)
