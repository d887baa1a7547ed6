"""What an analysis is worth, as a few plain numbers that can be kept and compared with later ones.

Conventions: labels are compared by ``lib.core.labelled_intervals.label_key``; what is undefined is None, so F1 is None
of a label that the truth doesn't name and of every label where there is no truth.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lib.analysis.analysis import Analysis
from lib.core.labelled_intervals import TrueSegment, label_key
from lib.evaluation.evaluation import Evaluation, evaluate
from lib.evaluation.overall import overall

Value = float | int | bool | str | None


@dataclass(frozen=True)
class Numbers:
    """The metrics of one analysis."""

    macro_f1: float | None = None
    """0 to 1; see ``lib.evaluation.overall``, as for ``accuracy`` and ``true_f1``."""
    accuracy: float | None = None
    true_f1: Mapping[str, float] = field(default_factory=dict)
    """F1 of each true label, also of those without a prompt; empty without ground truth."""
    labels: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)
    """Of each enabled prompt: the fields of ``LabelMetrics`` and, with ground truth, of ``LabelEvaluation.to_dict``."""

    def f1(self, label: str) -> float | None:
        """Return the F1 of a label, a true or a prompt's one; None where it is undefined or there is no such label."""
        key = label_key(label)
        return next((f1 for true, f1 in self.true_f1.items() if label_key(true) == key), None)

    def value(self, label: str, name: str) -> Value:
        """Return one metric of a prompt's label; None where it is undefined or there is no such prompt."""
        key = label_key(label)
        return next((values.get(name) for one, values in self.labels.items() if label_key(one) == key), None)

    def to_dict(self) -> dict[str, Any]:
        """Return plain types."""
        return {
            "overall": {"macro_f1": self.macro_f1, "accuracy": self.accuracy},
            "true_f1": dict(self.true_f1),
            "labels": {label: dict(values) for label, values in self.labels.items()},
        }


def numbers_of(analysis: Analysis, truth: Sequence[TrueSegment], evaluation: Evaluation | None = None) -> Numbers:
    """Return the numbers of an analysis; ``evaluation`` is the one against ``truth``, where it is at hand."""
    labels = {metrics.label: metrics.to_dict() for metrics in analysis.metrics}
    for values in labels.values():
        del values["label"]
    if not truth:
        return Numbers(labels=labels)
    evaluation = evaluation or evaluate(analysis, truth)
    for label, against in evaluation.by_label.items():
        labels[label] |= against.to_dict()
    score = overall(evaluation)
    return Numbers(score.macro_f1, score.accuracy, dict(score.f1), labels)


@dataclass(frozen=True)
class Change:
    """A metric before and now."""

    label: str | None
    """None: of all labels together."""
    before: float | None
    now: float | None

    @property
    def difference(self) -> float | None:
        """Now less before; None where one of them is undefined."""
        return None if self.before is None or self.now is None else self.now - self.before


def f1_changes(before: Numbers, now: Numbers) -> tuple[Change, ...]:
    """Return the F1 of every true label and of every prompt, the one that lost most first, undefined ones last.

    Equal ones keep their order: that of the true labels, then of the prompts, first now's and then before's.
    """
    return _changes(
        (*now.true_f1, *before.true_f1, *now.labels, *before.labels), before.f1, now.f1, lambda change: change
    )


def share_changes(before: Numbers, now: Numbers) -> tuple[Change, ...]:
    """Return the share of the video that each prompt's label has, the largest change first, undefined ones last."""

    def share(numbers: Numbers, label: str) -> float | None:
        value = numbers.value(label, "share")
        return None if value is None else float(value)

    return _changes(
        (*now.labels, *before.labels),
        lambda label: share(before, label),
        lambda label: share(now, label),
        lambda change: -abs(change),
    )


def _changes(labels: Sequence[str], before: Any, now: Any, order: Any) -> tuple[Change, ...]:
    by_key: dict[str, str] = {}
    for label in labels:
        by_key.setdefault(label_key(label), label)
    changes = [Change(label, before(label), now(label)) for label in by_key.values()]

    def place(change: Change) -> tuple[bool, float]:
        return (change.difference is None, 0.0 if change.difference is None else order(change.difference))

    return tuple(sorted(changes, key=place))
