"""Ground truth aligned with the samples of a video.

Conventions: times in seconds. Time is cut at the bounds of every sample's span and of every true segment, so a sample
over whose span the truth changes is partly right and partly wrong. Evaluated is the time that samples
stand for: truth before the first sample or beyond the end of the video is cut off.

True segments that overlap or touch and have the same label are merged: found segments of a label never touch, so two
true ones that do could not be found separately.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lib.core.intervals import Bools, Floats, Ints, covered, cut, sample_at, sampled, union
from lib.core.labelled_intervals import TrueSegment, label_key
from lib.core.samples import Samples


@dataclass(frozen=True, eq=False)
class Alignment:
    """The truth aligned with samples; ``m`` pieces of time, ``q`` labels."""

    labels: tuple[str, ...]
    """The prompts' labels, then those of the truth that no prompt has."""
    spellings: Mapping[str, str]
    """Label -> how the truth first spells it; labels that it doesn't name are missing."""
    intervals: Mapping[str, Floats]
    """Label -> its true segments inside the evaluated time, disjoint and in order, ``(k, 2)``."""
    bounds: Floats
    """``(m + 1,)``."""
    rows: Ints
    """The sample of each piece, ``(m,)``; in a gap the one before it."""
    known: Bools
    """Whether a sample stands for each piece, ``(m,)``; gaps are not evaluated."""
    truth: Bools
    """Whether each label is there in each piece, ``(m, q)``."""

    @property
    def seconds(self) -> Floats:
        """Length of each piece, ``(m,)``; 0 in gaps."""
        return np.diff(self.bounds) * self.known

    def true_seconds(self, label: str, samples: Samples) -> Floats:
        """Return for how much of each sample's span ``label`` is there, ``(n,)``."""
        weights = self.seconds * self.truth[:, self.labels.index(label)]
        return np.bincount(self.rows, weights, len(samples)).astype(np.float64)

    def parts(self, label: str, samples: Samples, most: int) -> Ints:
        """Return the part of the video that each sample belongs to, from 0 on and increasing, ``(n,)``.

        Each part has one true segment of ``label`` and half of the gap to its neighbours; with more segments than
        ``most``, several share a part. The last part may have no sample.
        """
        intervals = self.intervals[label]
        middles = (intervals[:-1, 1] + intervals[1:, 0]) / 2
        if len(middles) >= most:
            middles = middles[np.linspace(0, len(middles) - 1, most + 1).astype(int)[1:-1]]
        return np.searchsorted(middles, samples.times_s, side="right")


def align(samples: Samples, labels: Sequence[str], truth: Sequence[TrueSegment]) -> Alignment:
    """Return ``truth``, in any order and with labels that may overlap, aligned with ``samples``.

    True labels are matched with ``labels``, of the enabled prompts, by ``label_key``.
    """
    by_key = {label_key(label): label for label in labels}
    start_s, end_s = sampled(samples)
    spellings: dict[str, str] = {}
    spans: dict[str, list[tuple[float, float]]] = {}
    for segment in truth:
        label = by_key.setdefault(label_key(segment.label), segment.label)
        spellings.setdefault(label, segment.label)
        spans.setdefault(label, []).append((segment.start_s, segment.end_s))
    columns = (*labels, *(label for label in spellings if label not in labels))
    intervals = {label: union(spans.get(label, ()), start_s, end_s) for label in columns}
    bounds = cut(
        start_s,
        end_s,
        samples.times_s,
        samples.gaps_s.ravel(),
        *(of_label.ravel() for of_label in intervals.values()),
    )
    starts = bounds[:-1]
    present = np.zeros((len(starts), len(columns)), dtype=bool)
    for column, label in enumerate(columns):
        present[:, column] = covered(intervals[label], starts)
    rows = np.searchsorted(samples.times_s, starts, side="right") - 1
    return Alignment(columns, spellings, intervals, bounds, rows, sample_at(samples, starts) >= 0, present)
