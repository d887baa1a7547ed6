"""An analysis against ground truth: how much of the time, and which segments, are right.

Conventions: times and durations in seconds; what is undefined is None ("n/a"), not 0.
``lib.evaluation.alignment`` says what is evaluated and how a sample's span is split where the truth changes. Two kinds
of numbers, both for each label by itself (a moment may have several labels):

* **By time.** Seconds in which a label is found and true (hits), only found (false alarms), or only true (misses);
  precision = hits / found, recall = hits / true, F1 = 2 hits / (found + true).
* **By segment.** A found and a true segment match when their intersection is at least half of their union (IoU 0.5);
  one found segment matches one true one at most, and as many match as possible, as in sed_eval's event-based scores,
  which have another criterion (``lib.evaluation.matching``). F1 counts segments. Onset and
  offset errors are medians of the absolute distances between matched segments' starts and ends.

Precision is undefined where nothing is found, recall where nothing is true, F1 where neither is; with only one of them,
F1 is 0. All of it is undefined for a prompt that the truth doesn't name: nobody may have looked for it.

References:
    Mesaros, Heittola and Virtanen, *Metrics for Polyphonic Sound Event Detection*, Applied Sciences 6(6), 2016, of
    which sed_eval is the implementation. IoU of intervals as the criterion: Heilbron et al., *ActivityNet*, CVPR 2015.
    Precision-recall curve and average precision (the step-wise sum, without interpolation): scikit-learn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score, precision_recall_curve

from lib.analysis.analysis import Analysis
from lib.core.intervals import Bools, Floats, Ints
from lib.core.labelled_intervals import TrueSegment, no_label_name
from lib.evaluation.alignment import Alignment, align
from lib.evaluation.matching import match_segments


@dataclass(frozen=True)
class CurvePoint:
    """Precision and recall of a threshold alone: a sample is found where its score is at least ``threshold``."""

    threshold: float
    precision: float | None
    recall: float | None


@dataclass(frozen=True, eq=False)
class LabelEvaluation:
    """One label against the truth; ``m`` pieces of time."""

    label: str
    truth_label: str | None
    """As the truth spells it; None where it doesn't name the label, and all numbers are None then."""
    threshold: float | None
    """The label's; None where the decision (``best``) uses none."""
    seconds: Floats
    """Length of each piece, ``(m,)``."""
    true: Bools
    """Whether the label is there in each piece, ``(m,)``."""
    found: Bools
    """Whether the analysis has it there, after bridging and minimum duration, ``(m,)``."""
    scores: Floats
    """Its smoothed score in each piece, ``(m,)``."""
    true_segments: Floats
    """Start and end of each true segment, ``(k, 2)``, in order."""
    found_segments: Floats
    """Start and end of each found segment, ``(j, 2)``, in order."""

    @property
    def known(self) -> bool:
        """Whether the truth names the label."""
        return self.truth_label is not None

    @cached_property
    def hits_s(self) -> float:
        """Seconds in which it is found and true."""
        return float(self.seconds[self.true & self.found].sum())

    @cached_property
    def false_alarms_s(self) -> float:
        """Seconds in which it is found but not true."""
        return float(self.seconds[self.found & ~self.true].sum())

    @cached_property
    def misses_s(self) -> float:
        """Seconds in which it is true but not found."""
        return float(self.seconds[self.true & ~self.found].sum())

    @property
    def support_s(self) -> float:
        """Seconds in which it is true."""
        return self.hits_s + self.misses_s

    @property
    def precision(self) -> float | None:
        """Share of the seconds found that are true."""
        return _ratio(self.hits_s, self.hits_s + self.false_alarms_s) if self.known else None

    @property
    def recall(self) -> float | None:
        """Share of the true seconds that are found."""
        return _ratio(self.hits_s, self.support_s) if self.known else None

    @property
    def f1(self) -> float | None:
        """Harmonic mean of precision and recall."""
        return f1_score(self.hits_s, self.false_alarms_s, self.misses_s) if self.known else None

    @cached_property
    def matches(self) -> Ints:
        """Indices of matched true and found segments, ``(h, 2)``."""
        return match_segments(self.true_segments, self.found_segments)

    @property
    def segment_f1(self) -> float | None:
        """F1 of segments at IoU 0.5."""
        hits = len(self.matches)
        counted = f1_score(hits, len(self.found_segments) - hits, len(self.true_segments) - hits)
        return counted if self.known else None

    @property
    def onset_error_s(self) -> float | None:
        """Median distance of matched segments' starts; None without a match."""
        return self._error(0)

    @property
    def offset_error_s(self) -> float | None:
        """Median distance of matched segments' ends; None without a match."""
        return self._error(1)

    def _error(self, side: int) -> float | None:
        if not self.known or not len(self.matches):
            return None
        true, found = self.matches.T
        return float(np.median(np.abs(self.true_segments[true, side] - self.found_segments[found, side])))

    @cached_property
    def average_precision(self) -> float | None:
        """Area under the curve, 0 to 1, by time; None where nothing is true."""
        if not self.known or not self.support_s:
            return None
        return float(average_precision_score(self.true, self.scores, sample_weight=self.seconds))

    def curve(self, max_points: int | None = None) -> pd.DataFrame:
        """Return ``threshold`` (increasing), ``precision`` and ``recall`` by time; no row where nothing is true.

        It depends on scores alone; other prompts, hysteresis, bridging and minimum duration count in ``precision`` and
        ``recall`` only. The last row is the curve's end by convention: precision 1, recall 0, threshold NaN. Points
        between others are left out until ``max_points`` are left; None keeps all, as scikit-learn does.
        """
        if not self.known or not self.support_s:
            return pd.DataFrame({name: pd.Series(dtype=float) for name in ("threshold", "precision", "recall")})
        precision, recall, thresholds = precision_recall_curve(
            self.true, self.scores, sample_weight=self.seconds, drop_intermediate=max_points is not None
        )
        frame = pd.DataFrame({"threshold": np.append(thresholds, np.nan), "precision": precision, "recall": recall})
        if max_points is not None and len(frame) > max_points:
            frame = frame.iloc[np.linspace(0, len(frame) - 1, max_points).astype(int)]
        return frame.reset_index(drop=True)

    def point(self, threshold: float | None = None) -> CurvePoint | None:
        """Return the point of a threshold (None: the current one) on the curve; None where there is none."""
        threshold = self.threshold if threshold is None else threshold
        if threshold is None or not self.known or not self.support_s:
            return None
        above = self.scores >= threshold
        hits = float(self.seconds[above & self.true].sum())
        return CurvePoint(threshold, _ratio(hits, float(self.seconds[above].sum())), _ratio(hits, self.support_s))

    def to_dict(self) -> dict[str, float | None]:
        """Return what the command line prints, without the best threshold."""
        names = (
            "precision",
            "recall",
            "f1",
            "segment_f1",
            "onset_error_s",
            "offset_error_s",
            "average_precision",
        )
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, eq=False)
class Evaluation:
    """An analysis against the truth; made by ``evaluate``."""

    analysis: Analysis
    alignment: Alignment
    by_label: Mapping[str, LabelEvaluation]
    """One for each enabled prompt, in order."""

    @property
    def labels(self) -> tuple[LabelEvaluation, ...]:
        """One for each enabled prompt, in order."""
        return tuple(self.by_label.values())

    @property
    def unmatched_truth(self) -> tuple[str, ...]:
        """Labels of the truth that no enabled prompt has."""
        return self.alignment.labels[len(self.by_label) :]

    @property
    def unmatched_prompts(self) -> tuple[str, ...]:
        """Labels of enabled prompts that the truth doesn't name."""
        return tuple(label.label for label in self.labels if not label.known)

    @cached_property
    def wrong(self) -> tuple[tuple[str, float, float], ...]:
        """Where found and true differ, of each label that the truth names: label, start and end in seconds, in order.

        Gaps without frames are not evaluated. Differences that touch are one, whichever way they are.
        """
        bounds, found = self.alignment.bounds, []
        for label in self.labels:
            if not label.known:
                continue
            differs = np.concatenate([[False], (label.true != label.found) & (label.seconds > 0), [False]])
            edges = np.flatnonzero(differs[1:] != differs[:-1])
            found += [(label.label, float(bounds[i]), float(bounds[j])) for i, j in edges.reshape(-1, 2)]
        return tuple(found)

    @cached_property
    def confusion(self) -> pd.DataFrame:
        """Seconds that a true label (rows) and a found one (columns) share; both end with "nothing".

        Rows: all labels of prompts that the truth names, then its other labels. Columns: the prompts' labels. A moment
        has one of each: found is ``Analysis.sample_labels``; of several true ones it is the found one if it is among
        them, else the first row's.
        """
        named = [label for label in self.alignment.labels if label in self.alignment.spellings]
        columns = list(self.by_label)
        place: dict[str | None, int] = {label: i for i, label in enumerate(columns)} | {None: len(columns)}
        of_sample = np.array([place[label] for label in self.analysis.sample_labels], dtype=np.int64)
        found = of_sample[self.alignment.rows]
        truth = self.alignment.truth[:, [self.alignment.labels.index(label) for label in named]]
        truth = np.append(truth, truth.sum(axis=1, keepdims=True) == 0, axis=1)  # the last column: no label
        row_of = np.array([named.index(label) if label in named else -1 for label in (*columns, None)])[found]
        right = (row_of >= 0) & truth[np.arange(len(truth)), row_of]
        true = np.where(right, row_of, truth.argmax(axis=1))
        size = len(columns) + 1
        table = np.bincount(true * size + found, self.alignment.seconds, (len(named) + 1) * size)
        return pd.DataFrame(
            table.astype(np.float64).reshape(-1, size),
            index=pd.Index([*named, no_label_name(tuple(named))], name="true"),
            columns=pd.Index([*columns, no_label_name(tuple(columns))], name="found"),
        )

    def frame(self) -> pd.DataFrame:
        """Return one row per prompt: ``label``, what ``LabelEvaluation.to_dict`` has, ``support_s``; None is NaN."""
        frame = pd.DataFrame(
            [{"label": label.label, **label.to_dict(), "support_s": label.support_s} for label in self.labels]
        )
        return frame.astype({name: float for name in frame.columns if name != "label"})

    def to_dict(self) -> dict[str, dict[str, float | None]]:
        """Return ``LabelEvaluation.to_dict`` by label."""
        return {label: evaluation.to_dict() for label, evaluation in self.by_label.items()}


def evaluate(analysis: Analysis, truth: Sequence[TrueSegment]) -> Evaluation:
    """Return how ``analysis`` compares with ``truth``; labels are matched by ``label_key``, and may overlap."""
    alignment = align(analysis.samples, analysis.labels, truth)
    seconds = alignment.seconds
    segments: dict[str, list[tuple[float, float]]] = {label: [] for label in analysis.labels}
    for segment in analysis.segments:
        segments[segment.label].append((segment.start_s, segment.end_s))
    by_label = {
        label: LabelEvaluation(
            label=label,
            truth_label=alignment.spellings.get(label),
            threshold=float(analysis.thresholds[column]) if analysis.uses_thresholds else None,
            seconds=seconds,
            true=alignment.truth[:, column],
            found=analysis.active[alignment.rows, column],
            scores=analysis.scores[alignment.rows, column],
            true_segments=alignment.intervals[label],
            found_segments=np.array(segments[label], dtype=np.float64).reshape(-1, 2),
        )
        for column, label in enumerate(analysis.labels)
    }
    return Evaluation(analysis, alignment, by_label)


def f1_score(hits: float, false_alarms: float, misses: float) -> float | None:
    """Return ``2 hits / (2 hits + false_alarms + misses)``; None where all are 0."""
    return _ratio(2 * hits, 2 * hits + false_alarms + misses)


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None
