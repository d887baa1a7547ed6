"""How the scores of the searched samples are distributed, and the histogram that is drawn of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MAX_BARS = 72
_BINS = 400


@dataclass(frozen=True)
class Histogram:
    """Scores (cosines) counted in bars of equal width, over the range in which they occur."""

    low: float
    """Lower bound of the first bar."""
    high: float
    """Upper bound of the last bar, above ``low``."""
    counts: tuple[float, ...]
    """Samples in each bar."""
    estimated: bool
    """Whether the counts are scaled up from a part of the samples."""
    suggestion: float
    """Where a threshold starts when it is first set: halfway between the median and the best score."""


@dataclass(frozen=True)
class Distribution:
    """How the scores of the searched samples are distributed."""

    edges: NDArray[np.float64]
    """Bounds of the bins, increasing, ``(b + 1,)``."""
    counts: NDArray[np.int64]
    """Samples in each bin, ``(b,)``."""
    estimated: bool
    """Whether the counts are scaled up from a part of the samples, as they are where an index answers."""

    @classmethod
    def of(cls, scores: NDArray[np.float32], *, samples: int | None = None) -> Distribution:
        """Return the distribution of ``scores``, which stand for ``samples``, in bins of 0.005 from -1 to 1."""
        edges = np.linspace(-1.0, 1.0, _BINS + 1)
        bins = ((scores + 1) * np.float32(_BINS / 2)).astype(np.int32)
        counts = np.bincount(np.clip(bins, 0, _BINS - 1), minlength=_BINS)
        if samples is None:
            return cls(edges, counts, estimated=False)
        return cls(edges, np.rint(counts * (samples / max(len(scores), 1))).astype(np.int64), estimated=True)

    def histogram(self, threshold: float | None = None) -> Histogram:
        """Return at most ``MAX_BARS`` bars, none narrower than a bin, in a range that includes ``threshold``.

        Inside a bin, samples are taken as evenly spread.
        """
        edges, total = self.edges, np.concatenate([[0.0], np.cumsum(self.counts, dtype=np.float64)])
        filled = np.flatnonzero(self.counts)
        low, high = (float(edges[filled[0]]), float(edges[filled[-1] + 1])) if len(filled) else (0.0, 1.0)
        median = float(np.interp(total[-1] / 2, total, edges)) if len(filled) else low
        suggestion = (median + high) / 2
        if threshold is not None:
            low, high = min(low, threshold), max(high, threshold)
        # Rounded outwards, so that the axis stays where it is while the query changes a little.
        low, high = float(np.floor(low * 50) / 50), float(np.ceil(high * 50) / 50)
        if high <= low:
            high = low + 0.02
        bars = max(1, min(MAX_BARS, round((high - low) / float(edges[1] - edges[0]))))
        shares = np.diff(np.interp(np.linspace(low, high, bars + 1), edges, total))
        return Histogram(
            round(low, 4),
            round(high, 4),
            tuple(round(float(count), 2) for count in shares),
            self.estimated,
            min(high, max(low, suggestion)),
        )
