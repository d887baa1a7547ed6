"""Prompt sets by videos: many analyses as one long table, and a matrix with any metric as the cell.

Conventions: a prompt set and a video are named by keys that the caller chooses; one row of the long table is one label
of one prompt set in one video; what doesn't exist is NaN. Labels are compared by
``lib.core.labelled_intervals.label_key``.

References:
    Separation: the split is Otsu's (*A Threshold Selection Method from Gray-Level Histograms*, IEEE Transactions on
    Systems, Man, and Cybernetics 9(1), 1979, equation 17: it maximises the variance between the two classes).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lib.analysis.analysis import Analysis
from lib.core.labelled_intervals import label_key

Metric = Literal[
    "macro_f1",
    "accuracy",
    "f1",
    "separation",
    "present",
    "first_seen_s",
    "duration_s",
    "share",
    "segments",
    "mean_score",
    "peak_score",
]
METRICS: tuple[Metric, ...] = get_args(Metric)
OVERALL: tuple[Metric, ...] = ("macro_f1", "accuracy")
"""Metrics of a prompt set as a whole (``lib.evaluation.overall``), the same for each of its labels."""

LEVELS = 1024
"""Bins of a score, to find its split."""


@dataclass(frozen=True)
class MetricKind:
    """How a metric is named, written and ranked."""

    title: str
    meaning: str
    decimals: int
    percent: bool = False
    yes_no: bool = False
    """Whether 1 and 0 mean yes and no; what lies between is a mean."""
    unit: str = ""
    ranks: bool = False
    """Whether more is better. Of other metrics neither end is: earlier, longer or more often is only different."""
    ends: tuple[float, float] | None = None
    """Lowest and highest possible value, where both are known."""
    in_score: bool = False
    """Whether it is in the unit of the score, so that rows with different scores can't be compared by it."""

    def text(self, value: float) -> str:
        """Return ``value`` as it is written in a table; an en dash for NaN."""
        if math.isnan(value):
            return "–"
        if self.yes_no and value in (0.0, 1.0):
            return "yes" if value else "no"
        text = f"{value * 100:.{self.decimals}f} %" if self.percent else f"{value:.{self.decimals}f}{self.unit}"
        return text.replace("-", "−")


KINDS: Mapping[Metric, MetricKind] = {
    "macro_f1": MetricKind("Macro F1", "Mean F1 of all labels of the ground truth", 2, ranks=True, ends=(0.0, 1.0)),
    "accuracy": MetricKind(
        "Accuracy", "Share of the time in which the labels are the true ones", 2, ranks=True, ends=(0.0, 1.0)
    ),
    "f1": MetricKind("F1", "Agreement with the ground truth, by time", 2, ranks=True, ends=(0.0, 1.0)),
    "separation": MetricKind(
        "Separation", "How far the score parts where it is seen from where it is not", 3, ranks=True, in_score=True
    ),
    "present": MetricKind("Present", "Whether it is there", 0, percent=True, yes_no=True, ends=(0.0, 1.0)),
    "first_seen_s": MetricKind("First seen", "Start of the first segment", 1, unit=" s"),
    "duration_s": MetricKind("Duration", "Sum of its segments’ lengths", 1, unit=" s"),
    "share": MetricKind("Share", "Share of the video that it is seen in", 0, percent=True, ends=(0.0, 1.0)),
    "segments": MetricKind("Segments", "Number of its segments", 0),
    "mean_score": MetricKind("Mean score", "Mean smoothed score over the whole video", 3, in_score=True),
    "peak_score": MetricKind("Peak score", "Highest smoothed score", 3, in_score=True),
}


def separations(analysis: Analysis) -> NDArray[np.float64]:
    """Return how far apart the two levels of each label's lead over its best rival are, in the score's unit, ``(p,)``.

    ``lead = score - max(scores of the others)`` (the score itself where there is no other label). Samples, each
    counted by its span, are split in two by their lead where the variance between both classes is largest (Otsu
    1979); the separation is the mean lead of the upper class less that of the lower one. NaN where all leads are
    the same.

    The lead is what decides between labels. The distance of the means, not Otsu's ratio of variances, since the ratio
    is about 0.64 for a bell-shaped heap of any width: over wordings of the bundled samples' labels it says nothing
    about F1 (mean rank correlation 0.02), while this distance does (0.64; the peak score has 0.39). ``python -m
    benchmarks matrix`` measures these.
    """
    scores = analysis.scores
    lead = scores
    if scores.shape[1] > 1 and len(scores):
        best, rows = scores.argmax(axis=1), np.arange(len(scores))
        second = scores.copy()
        second[rows, best] = -np.inf
        lead = scores - scores[rows, best][:, None]
        lead[rows, best] = scores[rows, best] - second.max(axis=1)
    return two_levels(lead, analysis.samples.spans_s)


def two_levels(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distance of the weighted means of the two classes that Otsu's split makes of each column, ``(p,)``.

    As in his histograms of grey levels, a split lies between two of ``LEVELS`` evenly spaced levels from the lowest to
    the highest value; the means are those of the values ``(n, p)`` themselves. Weights ``(n,)`` are positive, in any
    scale. NaN where a column has fewer than two different values.
    """
    n, p = values.shape
    if not n:
        return np.full(p, np.nan)
    low = values.min(axis=0)
    above = values - low
    width = above.max(axis=0)
    varied = width > 0
    level = np.minimum((above * (LEVELS / np.where(varied, width, 1.0))).astype(np.intp), LEVELS - 1)
    bins = (level + np.arange(p) * LEVELS).ravel()
    share = np.broadcast_to((weights / weights.sum())[:, None], values.shape)
    mass = np.bincount(bins, share.ravel(), p * LEVELS).reshape(p, LEVELS)
    sums = np.bincount(bins, (share * above).ravel(), p * LEVELS).reshape(p, LEVELS)
    # Whatever the split, the lowest value is below it and the highest above: neither class is empty.
    below, sum_below = np.cumsum(mass, axis=1)[:, :-1], np.cumsum(sums, axis=1)[:, :-1]
    rest = np.where(varied[:, None], 1.0 - below, 1.0)
    distance = (sums.sum(axis=1, keepdims=True) - sum_below) / rest - sum_below / below
    best = np.argmax(below * rest * distance**2, axis=1)
    return np.where(varied, distance[np.arange(p), best], np.nan)


def measure(
    analysis: Analysis, f1: Mapping[str, float | None], overall: Mapping[str, float | None] = MappingProxyType({})
) -> tuple[dict[str, Any], ...]:
    """Return one row per label: ``label``, ``role``, and every metric as a float.

    ``f1`` maps labels to theirs, and ``overall`` each of ``OVERALL`` to its value.
    """
    rows = []
    for metrics, separation in zip(analysis.metrics, separations(analysis).tolist(), strict=True):
        values: dict[Metric, float | None] = {
            "macro_f1": overall.get("macro_f1"),
            "accuracy": overall.get("accuracy"),
            "f1": f1.get(metrics.label),
            "separation": separation,
            "present": float(metrics.present),
            "first_seen_s": metrics.first_seen_s,
            "duration_s": metrics.duration_s,
            "share": metrics.share,
            "segments": float(metrics.segments),
            "mean_score": metrics.mean_score,
            "peak_score": metrics.peak_score,
        }
        row: dict[str, Any] = {"label": metrics.label, "role": metrics.role}
        row |= {metric: math.nan if value is None else float(value) for metric, value in values.items()}
        rows.append(row)
    return tuple(rows)


def metrics_table(cells: Mapping[tuple[str, str], Sequence[Mapping[str, Any]]]) -> pd.DataFrame:
    """Return what ``measure`` gave by the keys of prompt set and video, with ``set`` and ``video`` in each row."""
    rows = [{"set": name, "video": video, **row} for (name, video), rows in cells.items() for row in rows]
    frame = pd.DataFrame(rows, columns=["set", "video", "label", "role", *METRICS])
    return frame.astype(dict.fromkeys(METRICS, float))


def grid(
    frame: pd.DataFrame, metric: Metric, label: str | None, *, sets: Sequence[str], videos: Sequence[str]
) -> pd.DataFrame:
    """Return the matrix of ``metric``: one row per prompt set, one column per video, in the order given; float64.

    Without ``label``, a cell is the mean over the targets of the prompt set for which there is a value. The metrics of
    ``OVERALL`` are those of the whole set, whatever the label.
    """
    if metric in OVERALL:
        chosen = frame
    elif label is None:
        chosen = frame[frame["role"] != "background"]
    else:
        chosen = frame[frame["label"].map(label_key) == label_key(label)]
    means = chosen.groupby(["set", "video"], sort=False)[metric].mean()
    wide = means.unstack("video") if len(means) else pd.DataFrame(dtype=float)
    return wide.reindex(index=list(sets), columns=list(videos)).astype(float)


def shared_videos(matrix: pd.DataFrame) -> list[str]:
    """Return the videos for which every prompt set has a value, of those sets that have one at all, in order."""
    valued = matrix[matrix.notna().any(axis=1)]
    return [str(video) for video in matrix.columns if len(valued) and valued[video].notna().all()]


def rank(matrix: pd.DataFrame, metric: Metric) -> pd.DataFrame:
    """Return ``mean`` (over ``shared_videos``) and ``rank`` of each prompt set, the highest mean first.

    Equal means share the better rank and keep their order; what has no mean comes last, its rank NaN. A metric of which
    more isn't better has no ranks, nor has anything where no video is shared.
    """
    mean = matrix[shared_videos(matrix)].mean(axis=1)
    places = mean.rank(method="min", ascending=False)
    ranking = pd.DataFrame({"mean": mean, "rank": places if KINDS[metric].ranks else math.nan}, index=matrix.index)
    return ranking.sort_values("mean", ascending=False, kind="stable", na_position="last")
