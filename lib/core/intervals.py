"""Time cut into pieces in which nothing changes, so that durations are sums and not approximations.

Conventions: times in seconds; ``m`` pieces lie between ``m + 1`` bounds, each half-open; intervals are rows ``[start,
end)``. Time that is cut at the bounds of every sample's span and of every interval has one answer per piece, weighted
by the piece's duration. Nothing is resampled to a grid.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from lib.core.labelled_intervals import label_key
from lib.core.samples import Samples

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def sampled(samples: Samples) -> tuple[float, float]:
    """Return start and end, in seconds, of the time that samples stand for; both the same where there are none."""
    start = float(samples.times_s[0]) if len(samples) else samples.end_s
    return start, samples.end_s


def cut(start_s: float, end_s: float, *bounds: Floats) -> Floats:
    """Return the distinct ``bounds`` inside ``[start_s, end_s]`` with both ends, ``(m + 1,)``; m is 0 without time."""
    inside = [values[(values > start_s) & (values < end_s)] for values in bounds]
    return np.unique(np.concatenate([*inside, [start_s, max(start_s, end_s)]]))


def sample_at(samples: Samples, times_s: Floats) -> Ints:
    """Return the sample that stands for each moment, int64 like ``times_s``; -1 where none does, as in a gap."""
    rows = np.searchsorted(samples.times_s, times_s, side="right") - 1
    ends_s = np.append(samples.ends_s, -np.inf)  # of row -1, before the first sample
    return np.where(times_s < ends_s[rows], rows, -1)


def union(intervals: Iterable[tuple[float, float]], start_s: float, end_s: float) -> Floats:
    """Return intervals cut to ``[start_s, end_s)``, those that overlap or touch as one, in order, ``(k, 2)``."""
    merged: list[list[float]] = []
    for start, end in sorted((max(start, start_s), min(end, end_s)) for start, end in intervals):
        if end <= start:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    return np.array(merged, dtype=np.float64).reshape(-1, 2)


def covered(intervals: Floats, times_s: Floats) -> Bools:
    """Return whether each moment lies in one of ``intervals`` (apart from each other, in order)."""
    inside: Bools = np.searchsorted(intervals.ravel(), times_s, side="right") % 2 == 1
    return inside


def match_labels(labels: Sequence[str], others: Sequence[str]) -> dict[str, str]:
    """Return a mapping of ``labels`` to the same labels among ``others``; those without one are left out.

    On either side no two labels are the same, as in a prompt set.
    """
    by_key = {label_key(other): other for other in others}
    return {label: by_key[label_key(label)] for label in labels if label_key(label) in by_key}
