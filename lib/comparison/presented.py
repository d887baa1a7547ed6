"""What a presentation says of each label: the answer, beside what it was before."""

from __future__ import annotations

from dataclasses import dataclass

from lib.analysis.analysis import Analysis
from lib.analysis.metrics import LabelMetrics
from lib.core.formatting import format_duration, format_time, percent
from lib.core.labelled_intervals import label_key


@dataclass(frozen=True)
class Line:
    """One label in words, as it is shown on one state: before, or now."""

    label: str
    words: str
    """What the engine is asked: all phrasings; empty where that is the label alone."""
    answer: str
    """``6.3 s → 2.9 s``, or only one of both where they are the same or there is nothing before."""
    more: str
    """Share and first time, in the state that is shown; empty where it isn't found."""


def presented(shown: Analysis, now: Analysis, before: Analysis | None = None) -> tuple[Line, ...]:
    """Return a line for each label of ``shown``, in its order.

    Args:
        shown: the state that is shown: ``now`` or ``before``.
        now: the present state.
        before: the state that it is compared with; None where there is none.
    """
    lines = []
    for prompt, metrics in zip(shown.prompts, shown.metrics, strict=True):
        words = ", ".join(prompt.texts)
        new = _seconds(_of(now, prompt.label), "gone")
        old = _seconds(_of(before, prompt.label), "new") if before is not None else new
        first = f", first at {format_time(metrics.first_seen_s)}" if metrics.first_seen_s is not None else ""
        lines.append(
            Line(
                prompt.label,
                "" if words == prompt.label else words,
                new if old == new else f"{old} → {new}",
                f"{percent(metrics.share)}{first}" if metrics.present else "",
            )
        )
    return tuple(lines)


def _of(analysis: Analysis, label: str) -> LabelMetrics | None:
    key = label_key(label)
    return next((metrics for metrics in analysis.metrics if label_key(metrics.label) == key), None)


def _seconds(metrics: LabelMetrics | None, without: str) -> str:
    if metrics is None:
        return without
    return format_duration(metrics.duration_s) if metrics.present else "not found"
