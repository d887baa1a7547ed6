"""How the scores of the searched samples are distributed, and the histogram that is drawn of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.search.relative import SearchScore

MAX_BARS = 72
BINS: Mapping[SearchScore, float] = {"cosine": 0.005, "relative": 0.05}
"""Width of a bin of each score."""
SCORE_DIGITS: Mapping[SearchScore, int] = {"cosine": 3, "relative": 2}
"""Decimals that each score is shown with."""
_MAX_BINS = 4000


@dataclass(frozen=True)
class Histogram:
    """Scores counted in bars of equal width, over the range in which they occur."""

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
    def of(
        cls,
        scores: NDArray[np.float32],
        weights: NDArray[np.float64] | None = None,
        *,
        kind: SearchScore = "cosine",
    ) -> Distribution:
        """Return the distribution of ``scores`` ``(n,)`` in bins of ``BINS[kind]``, over the range that they have.

        ``weights`` says how many samples each of them stands for, ``(n,)``: where it is given, it is an estimate.
        Bins are doubled in width until no more than a few thousand cover the range.
        """
        width = BINS[kind]
        lowest, highest = (float(scores.min()), float(scores.max())) if len(scores) else (0.0, 0.0)
        while highest - lowest > _MAX_BINS * width:
            width *= 2
        first = int(np.floor(lowest / width))
        number = int(np.floor(highest / width)) + 1 - first
        bins = np.clip(np.floor(scores / np.float32(width)).astype(np.int64) - first, 0, number - 1)
        counts = np.rint(np.bincount(bins, weights, minlength=number)).astype(np.int64)
        edges = np.arange(first, first + number + 1, dtype=np.float64) * width
        return cls(edges, counts, estimated=weights is not None)

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
        width = float(edges[1] - edges[0])
        per_step = 1 / (4 * width)
        low, high = float(np.floor(low * per_step) / per_step), float(np.ceil(high * per_step) / per_step)
        if high <= low:
            high = low + 4 * width
        bars = max(1, min(MAX_BARS, round((high - low) / width)))
        shares = np.diff(np.interp(np.linspace(low, high, bars + 1), edges, total))
        return Histogram(
            round(low, 4),
            round(high, 4),
            tuple(round(float(count), 2) for count in shares),
            self.estimated,
            min(high, max(low, suggestion)),
        )
