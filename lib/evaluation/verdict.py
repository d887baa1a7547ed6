"""Which of two prompt sets is better on a video, in words, and how much evidence that is.

Both are said, apart from each other: what is seen here is a fact, however short the video is, and whether it holds on
other videos is another question. Times are in seconds; ``lib.evaluation.overall`` defines the score,
``lib.evaluation.bootstrap`` the interval.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lib.core.formatting import format_duration, format_time, percent, plural
from lib.core.intervals import Bools, Floats
from lib.core.samples import TIME_TOLERANCE_S
from lib.evaluation.bootstrap import OverallDifference
from lib.evaluation.evaluation import Evaluation
from lib.evaluation.overall import right

_NAMED = 3  # stretches, and labels, of a sentence
FEW = 20
"""Fewer stretches than this make the interval itself a rough one (Efron and Tibshirani, 1993, 13.3)."""


@dataclass(frozen=True)
class Stretch:
    """Time in which one side is right and the other wrong."""

    start_s: float
    end_s: float
    better: str
    """``a`` or ``b``."""
    true: tuple[str, ...]
    """What is true there, as the truth spells it."""

    @property
    def words(self) -> str:
        """Times and what is true there."""
        there = " and ".join(self.true) or "nothing"
        return f"{format_time(self.start_s)} – {format_time(self.end_s)} ({there})"


@dataclass(frozen=True)
class Verdict:
    """What the truth of one video says about A and B."""

    better: str | None
    """``a``, ``b``, or None where both are equally good to two decimals."""
    summary: str
    """Which side is better here, where, and by how much over all true labels: two sentences, or three."""
    evidence: str
    """How much evidence that is, and what would make it stronger."""
    stretches: tuple[Stretch, ...]
    """Where one side is right and the other wrong, in order of time."""
    change: OverallDifference
    """The numbers that it says in words."""


def verdict(a: Evaluation, b: Evaluation, change: OverallDifference) -> Verdict | None:
    """Return what ``change``, the overall difference of ``a`` and ``b``, says; None where the truth has no second."""
    difference = change.macro_f1.difference
    if difference is None:
        return None
    stretches = one_right(a, b)
    better = None if abs(round(difference, 2)) < 0.01 else "b" if difference > 0 else "a"
    summary = " ".join([_where(better, stretches, change.a.accuracy or 0.0), *_by_how_much(better, a, b, change)])
    return Verdict(better, summary, _evidence(better, change, stretches), stretches, change)


def one_right(a: Evaluation, b: Evaluation) -> tuple[Stretch, ...]:
    """Return where exactly one side is right, in order of time; time that only one side has samples for is left out."""
    bounds = np.unique(np.concatenate([a.alignment.bounds, b.alignment.bounds]))
    known_a, right_a, rows = _at(a, bounds)
    known_b, right_b, _ = _at(b, bounds)
    kind = np.where(known_a & known_b, right_b.astype(int) - right_a.astype(int), 0)
    truth = a.alignment.truth[rows] if len(a.alignment.truth) else np.zeros((len(rows), 0), dtype=bool)
    changes = (np.diff(kind) != 0) | (truth[1:] != truth[:-1]).any(axis=1)
    first = np.flatnonzero(np.append(True, changes)) if len(kind) else np.zeros(0, dtype=np.int64)
    found = []
    for start, stop in zip(first.tolist(), [*first[1:].tolist(), len(kind)], strict=True):
        if kind[start] and bounds[stop] - bounds[start] > TIME_TOLERANCE_S:
            names = [a.alignment.labels[column] for column in np.flatnonzero(truth[start])]
            true = tuple(a.alignment.spellings[name] for name in names)
            better = "b" if kind[start] > 0 else "a"
            found.append(Stretch(float(bounds[start]), float(bounds[stop]), better, true))
    return tuple(found)


def _at(side: Evaluation, bounds: Floats) -> tuple[Bools, Bools, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Return where ``side`` is evaluated, where it is right, and its piece, for each span between ``bounds``."""
    own = side.alignment.bounds
    rows = np.searchsorted(own, bounds[:-1], side="right") - 1
    inside = (rows >= 0) & (rows < len(own) - 1)
    rows = np.clip(rows, 0, max(len(own) - 2, 0))
    if len(own) < 2:
        nowhere = np.zeros(len(rows), dtype=bool)
        return nowhere, nowhere, rows
    return inside & side.alignment.known[rows], right(side)[rows], rows


def _where(better: str | None, stretches: tuple[Stretch, ...], accuracy: float) -> str:
    if better is None:
        text = "A and B are equally good here"
        if not stretches:
            return f"{text}: each is right exactly where the other is, {percent(accuracy)} of the time."
        parts = [f"{side.upper()} alone is right {_listed(stretches, side)}" for side in "ab"]
        there = [part for part, side in zip(parts, "ab", strict=True) if any(s.better == side for s in stretches)]
        return f"{text}, in different places: {'; '.join(there)}."
    other = {"a": "B", "b": "A"}[better]
    if not any(stretch.better == better for stretch in stretches):
        return f"{better.upper()} is better here."
    text = f"{better.upper()} is better here: it is right where {other} is wrong {_listed(stretches, better)}"
    if any(stretch.better != better for stretch in stretches):
        text += f"; {other} alone is right {_listed(stretches, other.lower())}"
    return f"{text}."


def _listed(stretches: tuple[Stretch, ...], side: str) -> str:
    own = sorted((s for s in stretches if s.better == side), key=lambda s: s.start_s - s.end_s)
    named = sorted(own[:_NAMED], key=lambda s: s.start_s)
    seconds = sum(stretch.end_s - stretch.start_s for stretch in own)
    more = f" and {plural(len(own) - _NAMED, 'shorter one')}" if len(own) > _NAMED else ""
    total = f", {format_duration(seconds)} in all" if len(own) > 1 else ""
    return f"at {', '.join(stretch.words for stretch in named)}{more}{total}"


def _by_how_much(better: str | None, a: Evaluation, b: Evaluation, change: OverallDifference) -> list[str]:
    sign = -1 if better == "a" else 1
    macro_f1 = [f"{side.macro_f1:.2f}" for side in (change.a, change.b)[:: -1 if better == "b" else 1]]
    labels = f"all {len(change.a.f1):,} true labels" if len(change.a.f1) > 1 else "the one true label"
    if better is None:
        text = f"Over {labels} macro F1 is {macro_f1[0]} for A and {macro_f1[1]} for B"
    else:
        by = sign * (change.macro_f1.difference or 0.0)
        text = f"Over {labels} its macro F1 is {macro_f1[0]} against {macro_f1[1]} ({_signed(by)})"
    sentences = [f"{text}{_by_label(better, a, b, change)}."]
    by_time = change.accuracy.difference
    if better is not None and by_time is not None and sign * by_time <= -0.005:
        longer = "A" if better == "b" else "B"
        sentences.append(
            f"But {longer} is right for longer: accuracy {change.accuracy.a:.2f} for A, {change.accuracy.b:.2f} for B."
        )
    return sentences


def _by_label(better: str | None, a: Evaluation, b: Evaluation, change: OverallDifference) -> str:
    """Return the labels whose F1 differs most, that of the better side first, else that of A."""
    sides = (change.b, change.a) if better == "b" else (change.a, change.b)
    by_label = {label: f1 - sides[1].f1[label] for label, f1 in sides[0].f1.items()}
    changed = sorted(
        (label for label in by_label if abs(by_label[label]) >= 0.005), key=lambda one: -abs(by_label[one])
    )
    missing = {side: evaluation.unmatched_truth for side, evaluation in (("A", a), ("B", b))}
    parts = []
    for label in changed[:_NAMED]:
        lacks = [side for side, labels in missing.items() if label in labels]
        by = _signed(by_label[label]) + (f", not in {lacks[0]}" if len(lacks) == 1 else "")
        parts.append(f"{label} {sides[0].f1[label]:.2f} against {sides[1].f1[label]:.2f} ({by})")
    more = f" and {len(changed) - _NAMED} more" if len(changed) > _NAMED else ""
    order = "" if better else ", by label A against B"
    return f"{order}: {', '.join(parts)}{more}" if parts else ""


def _evidence(better: str | None, change: OverallDifference, stretches: tuple[Stretch, ...]) -> str:
    of = change.macro_f1
    if of.low is None or of.high is None:
        return (
            "The truth is all of one piece, so nothing tells whether it holds elsewhere. "
            "Mark the time around it, or try a second video."
        )
    text = (
        f"The 95 % interval of the difference (B − A) is {_signed(of.low)} to {_signed(of.high)}, "
        f"from {change.stretches:,} independent stretches of this video,"
    )
    if better is None and not stretches:
        return f"{text[:-1]}. More of this video wouldn’t part them; try one in which only one of them is right."
    if of.shown:
        text += " and leaves out 0, so it is more than the chance of which stretches are looked at"
        rough = "" if change.stretches >= FEW else f"; fewer than {FEW} stretches make it a rough one"
        return f"{text}{rough}. Whether it holds on other videos, only those can tell."
    return (
        f"{text} and includes 0, so it may not hold elsewhere. "
        "More marked stretches in which A and B differ would make it stronger, best in another video."
    )


def _signed(value: float) -> str:
    text = f"{value:+.2f}".replace("-", "−")
    return text if text.strip("+−0.") else "0.00"
