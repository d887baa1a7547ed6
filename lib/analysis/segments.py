"""Smoothed scores + settings -> which labels are there when, as segments.

Conventions: ``n`` samples, ``p`` enabled prompts; sample ``i`` stands for ``[times_s[i], times_s[i +
1])``, the last one until the end of the video, so spans of different length count by their length. A
segment covers whole spans. A gap without samples (``Samples.gaps_s``) belongs to no span: it ends a segment, unless it
is short enough to be bridged.

Three steps, each a function: ``decide`` (which labels a sample has, by its scores: thresholds and hysteresis are here
only, and the smoothing ``viterbi``), ``merge_and_drop`` (bridge gaps, then drop what is short) and ``find_segments``
(runs of samples as segments).

``cuts``, bool ``(n,)``, are samples before which ``decide`` and ``merge_and_drop`` begin anew, as if the video began
there; None for none. A segment may still go on over a cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.analysis.viterbi import decide_paths
from lib.core.samples import TIME_TOLERANCE_S, Samples
from lib.prompts.model import Role, Settings

_Bools = NDArray[np.bool_]
_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Segment:
    """A half-open interval with a label."""

    label: str
    start_s: float
    """Time of its first sample."""
    end_s: float
    """End of its last sample's span."""
    mean_score: float
    """Mean of the smoothed score over its samples, weighted with their spans."""
    peak_score: float
    peak_s: float
    """Time of the first sample with the highest smoothed score."""
    first: int
    """Index of its first sample."""
    stop: int
    """Index after its last sample."""

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.end_s - self.start_s

    def to_dict(self) -> dict[str, Any]:
        """Return what the command line prints of it."""
        names = ("label", "start_s", "end_s", "mean_score", "peak_score", "peak_s")
        return {name: getattr(self, name) for name in names}


def decide(
    scores: _Floats,
    thresholds: _Floats,
    settings: Settings,
    samples: Samples | None = None,
    cuts: _Bools | None = None,
) -> _Bools:
    """Return which labels each sample has by its scores, bool ``(n, p)``.

    With ``t`` a label's threshold and ``band`` the hysteresis:

    * ``threshold``: each label by itself. It enters where its score is at least ``t`` and leaves where it
      is below ``t - band`` (a Schmitt trigger); between the two it stays what it was.
    * ``best``: exactly one label, that of the highest score (of equals the first prompt). With a band the
      label of the sample before stays as long as the highest score leads by no more than ``band``.
    * ``best_threshold``: one label or none: the best of those that reach their own threshold. With a band
      the label of the sample before stays while its score is at least ``t - band`` and the best of those
      that reach their threshold leads by no more than ``band``.

    Without a band no sample depends on another. With the smoothing ``viterbi`` they do, in each of the three:
    ``lib.analysis.viterbi.decide_paths`` says how.

    Args:
        scores: smoothed scores, ``(n, p)``, p at least 1.
        thresholds: one per label, ``(p,)``; ``best`` uses none.
        settings: decision and hysteresis; all with ``viterbi``.
        samples: their times and gaps; only ``viterbi`` needs them.
        cuts: see above.

    Raises:
        ValueError: the smoothing is ``viterbi``, and there are no ``samples``.
    """
    band = settings.hysteresis
    cuts = np.zeros(len(scores), dtype=bool) if cuts is None else cuts
    if settings.smoothing.kind == "viterbi":
        if samples is None:
            raise ValueError("viterbi weighs the time between samples, so decide needs them")
        return decide_paths(scores, thresholds, settings, samples, cuts)
    if settings.decision == "threshold":
        return _schmitt(scores, thresholds, band, cuts)
    limits = thresholds if settings.decision == "best_threshold" else np.full_like(thresholds, -np.inf)
    owners = _owners(scores, limits, band, cuts)
    has: _Bools = owners[:, None] == np.arange(scores.shape[1])
    return has


def _schmitt(scores: _Floats, thresholds: _Floats, band: float, cuts: _Bools) -> _Bools:
    enters = scores >= thresholds
    if band == 0:
        return enters
    stays = ~enters & (scores >= thresholds - band) & ~cuts[:, None]
    # Between the two thresholds the last decided sample counts; before the first one a label is absent.
    rows = np.arange(len(scores), dtype=np.int32)[:, None]
    last = np.maximum.accumulate(np.where(stays, np.int32(-1), rows), axis=0)
    has: _Bools = (last >= 0) & np.take_along_axis(enters, np.maximum(last, 0), axis=0)
    return has


def _owners(scores: _Floats, limits: _Floats, band: float, cuts: _Bools) -> _Ints:
    """Return each sample's one label as its column, or ``p`` for none; int64 ``(n,)``."""
    n, p = scores.shape
    reaching = np.where(scores >= limits, scores, -np.inf)
    best: _Ints = reaching.argmax(axis=1)
    top = reaching[np.arange(n), best]
    best[top == -np.inf] = p
    if band == 0 or n == 0:
        return best
    leaves = (scores < limits - band) | (top[:, None] - scores > band) | cuts[:, None]
    # For the label that would take over at each sample: the next sample at which it leaves again.
    until = np.full(n, n)
    for column in range(p + 1):
        own = np.flatnonzero(best == column)
        ends = np.flatnonzero(leaves[:, column] if column < p else best != p)
        until[own] = np.append(ends, n)[np.searchsorted(ends, own, side="right")]
    chain, steps = [0], until.tolist()
    while steps[chain[-1]] < n:
        chain.append(steps[chain[-1]])
    owners: _Ints = np.repeat(best[chain], np.diff(chain, append=n))
    return owners


def merge_and_drop(
    decided: _Bools, roles: Sequence[Role], samples: Samples, settings: Settings, cuts: _Bools | None = None
) -> _Bools:
    """Return the labels of each sample after bridging gaps and then dropping what is short, bool ``(n, p)``.

    * A gap between two runs of a label is closed when it is at most ``bridge_s`` long. As a gap lasts at
      least one sample's span, bridging less than a sampling step closes nothing.
    * Where a sample has one label at most (``best``, ``best_threshold``), a closed gap belongs to its
      label alone, and bridging never takes a sample from a target: a target's gap closes over samples
      without a label or with a background, not over another target's, and a background's gap closes over
      samples without a label only. A short segment between two long ones of another label therefore stays.
    * Then a run shorter than ``min_duration_s`` is dropped. A run lasts at least its one sample's span, so a
      minimum of up to one sampling step drops nothing; what is dropped leaves samples without that label.
    * Neither reaches across a cut: a gap with a cut in it or at its edge stays, and of a run over a cut each side has
      to be long enough by itself.

    Args:
        decided: as ``decide`` gives it, ``(n, p)``.
        roles: one per label.
        samples: times and spans.
        settings: decision, bridging and minimum duration.
        cuts: see above.
    """
    has = decided
    breaks = breaks_of(samples, settings.bridge_s, cuts)
    if settings.bridge_s > 0:
        exclusive = settings.decision != "threshold"
        has = _bridge(has, samples, settings.bridge_s, breaks, np.array(roles) == "background", exclusive=exclusive)
    if settings.min_duration_s > 0:
        columns, first, stop = runs_of(has, breaks)
        short = samples.ends_s[stop - 1] - samples.times_s[first] < settings.min_duration_s - TIME_TOLERANCE_S
        rows, which = members_of(first[short], stop[short])
        has = has.copy()
        has[rows, columns[short][which]] = False
    return has


def _bridge(
    has: _Bools, samples: Samples, bridge_s: float, breaks: _Ints, background: _Bools, *, exclusive: bool
) -> _Bools:
    columns, first, stop = runs_of(has, breaks)
    columns, first, stop, same = columns[1:], stop[:-1], first[1:], columns[1:] == columns[:-1]
    closes = same & (samples.times_s[stop] - samples.ends_s[first - 1] <= bridge_s + TIME_TOLERANCE_S)
    closes &= np.searchsorted(breaks, first) == np.searchsorted(breaks, stop, side="right")
    if exclusive:
        # Samples up to each row that a gap may not be closed over: a target's gap not over a target, a background's
        # not over any label.
        targets = np.append(0, np.cumsum(has[:, ~background].any(axis=1)))
        labelled = np.append(0, np.cumsum(has.any(axis=1)))
        taken = np.where(background[columns], labelled[stop] - labelled[first], targets[stop] - targets[first])
        closes &= taken == 0
    columns, first, stop = columns[closes], first[closes], stop[closes]
    # Backgrounds first: a target's gap may hold a background's, and replaces it.
    order = np.argsort(~background[columns], kind="stable")
    rows, which = members_of(first[order], stop[order])
    owners = columns[order][which]
    has = has.copy()
    if not exclusive:
        has[rows, owners] = True
        return has
    owner = np.full(len(has), -1)
    owner[rows] = owners
    closed = np.flatnonzero(owner >= 0)
    has[closed] = False
    has[closed, owner[closed]] = True
    return has


def find_segments(
    has: _Bools, scores: _Floats, samples: Samples, labels: Sequence[str], *, bridge_s: float = 0.0
) -> tuple[Segment, ...]:
    """Return the runs of each label in ``has``, ``(n, p)``, as segments, in order of start, then of label.

    ``scores`` are the smoothed ones, ``(n, p)``. Gaps without samples of at most ``bridge_s`` don't end a segment.
    """
    columns, first, stop = runs_of(has, breaks_of(samples, bridge_s))
    if not len(first):
        return ()
    rows, which = members_of(first, stop)
    values, spans = scores[rows, columns[which]], samples.spans_s[rows]
    offsets = np.append(0, np.cumsum(stop - first)[:-1])
    peaks = np.maximum.reduceat(values, offsets)
    means = np.add.reduceat(values * spans, offsets) / np.add.reduceat(spans, offsets)
    at_peak = np.flatnonzero(values == peaks[which])
    peak_rows = rows[at_peak[np.unique(which[at_peak], return_index=True)[1]]]
    order = np.lexsort((columns, first))
    fields = (
        columns,
        samples.times_s[first],
        samples.ends_s[stop - 1],
        np.minimum(means, peaks),  # a mean of equal numbers can round to just above them
        peaks,
        samples.times_s[peak_rows],
        first,
        stop,
    )
    rows_of = zip(*(values[order].tolist() for values in fields), strict=True)
    return tuple(Segment(labels[column], *rest) for column, *rest in rows_of)


def breaks_of(samples: Samples, bridge_s: float, cuts: _Bools | None = None) -> _Ints:
    """Return the rows before which a run ends, whatever it holds: after a gap that is not bridged, and at cuts."""
    ends = np.zeros(len(samples), dtype=bool) if cuts is None else cuts.copy()
    ends[1:] |= samples.times_s[1:] - samples.ends_s[:-1] > bridge_s + TIME_TOLERANCE_S
    return np.flatnonzero(ends)


def runs_of(has: _Bools, breaks: _Ints) -> tuple[_Ints, _Ints, _Ints]:
    """Return column, first row and row after the last of every run of True, sorted by column, then row."""
    if len(breaks):  # insert a row of False before each of them, and don't count those rows
        columns, *rows = runs_of(np.insert(has, breaks, False, axis=0), breaks[:0])
        added = breaks + np.arange(len(breaks))
        first, stop = (row - np.searchsorted(added, row) for row in rows)
        return columns, first, stop
    n, p = has.shape
    padded = np.zeros((p, n + 2), dtype=np.int8)
    padded[:, 1:-1] = has.T
    steps = np.diff(padded, axis=1)
    columns, first = np.nonzero(steps == 1)
    return columns, first, np.nonzero(steps == -1)[1]


def members_of(first: _Ints, stop: _Ints) -> tuple[_Ints, _Ints]:
    """Return the rows of all runs, one run after another, and the run of each row."""
    lengths = stop - first
    which = np.repeat(np.arange(len(first)), lengths)
    starts = np.cumsum(lengths) - lengths
    return np.arange(len(which)) - starts[which] + first[which], which
