"""Shots: what lies between two cuts, and the best label of each.

A cut is a sample whose vector differs from the one before by far more than is usual in its video
(``lib.analysis.scoring.spikes``). A gap without samples ends a shot too, since nothing is known of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from lib.analysis.segments import decide
from lib.core.intervals import Bools, Floats
from lib.core.samples import TIME_TOLERANCE_S, Samples
from lib.prompts.model import Decision, Settings, Smoothing


@dataclass(frozen=True, slots=True)
class Shot:
    """A half-open interval without a cut inside."""

    start_s: float
    """Time of its first sample."""
    end_s: float
    """End of its last sample's span: the next shot, a gap, or the end of the video."""
    label: str | None
    """The label with the highest mean score; with thresholds, of those whose mean reaches theirs, if any."""
    mean_score: float | None
    """Mean of that label's score before smoothing, weighted with the samples' spans; None without a label."""

    def to_dict(self) -> dict[str, Any]:
        """Return what the command line prints of it."""
        return asdict(self)


def find_shots(
    raw: Floats, cuts: Bools, samples: Samples, labels: Sequence[str], thresholds: Floats, settings: Settings
) -> tuple[Shot, ...]:
    """Return the shots in order; none without samples.

    Args:
        raw: scores before smoothing, ``(n, p)``, p at least 1: smoothed ones would hold some of the next shot.
        cuts: as ``lib.analysis.scoring.spikes`` gives them, ``(n,)``.
        samples: times, spans and gaps.
        labels: one per column.
        thresholds: one per label, ``(p,)``; the decision ``best`` uses none.
        settings: their decision says whether thresholds count; a shot has one label at most.
    """
    if not len(samples):
        return ()
    begins = cuts.copy()
    begins[0] = True
    begins[1:] |= samples.times_s[1:] - samples.ends_s[:-1] > TIME_TOLERANCE_S
    first = np.flatnonzero(begins)
    spans = samples.spans_s[:, None]
    means = np.add.reduceat(raw * spans, first) / np.add.reduceat(spans, first)
    decision: Decision = "best" if settings.decision == "best" else "best_threshold"
    has = decide(means, thresholds, replace(settings, decision=decision, hysteresis=0.0, smoothing=Smoothing()))
    columns = np.where(has.any(axis=1), has.argmax(axis=1), -1)
    ends = samples.ends_s[np.append(first[1:], len(samples)) - 1]
    rows = zip(samples.times_s[first].tolist(), ends.tolist(), columns.tolist(), means.tolist(), strict=True)
    return tuple(
        Shot(start_s, end_s, *((labels[column], of_shot[column]) if column >= 0 else (None, None)))
        for start_s, end_s, column, of_shot in rows
    )
