"""Whether one analysis is better than another: the difference in F1, with a bootstrap interval.

A video is divided into blocks, the stretches over which the truth (of all labels) stays the same; of several videos
the blocks are put together. Blocks are
resampled and not samples: neighbouring samples look alike, and resampling them would make any difference look
certain. In each of ``n`` resamples, of as many blocks as there are and with replacement, both analyses get their F1
by time on the same blocks; the interval spans the middle 95 % of the differences. A resample in which an F1 is
undefined, as the label is neither true nor found in any of its blocks, is left out.

References:
    Efron and Tibshirani, *An Introduction to the Bootstrap*, 1993: percentile interval (13), blocks of dependent data
    (8). Künsch, *The jackknife and the bootstrap for general stationary observations*, 1989.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lib.core.intervals import Floats, match_labels
from lib.evaluation.evaluation import Evaluation, f1_score
from lib.evaluation.overall import Overall, count, overall

LEVEL = 0.95
_AT_ONCE = 2_000_000


@dataclass(frozen=True)
class Difference:
    """F1 by time of one label, A against B; what is undefined is None."""

    label: str
    """As A spells it."""
    f1_a: float | None
    f1_b: float | None
    difference: float | None
    """B minus A: positive where B is better."""
    low: float | None
    """Lower end of the 95 % interval; None where the truth is all of one piece, or F1 is undefined."""
    high: float | None
    """Upper end."""

    @property
    def shown(self) -> bool:
        """Whether the interval excludes 0: this video shows which one is better."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)

    @property
    def sentence(self) -> str:
        """The result in words."""
        if self.difference is None:
            return "F1 is undefined: the truth has nothing of it, or doesn't name it."
        if self.low is None or self.high is None:
            return f"{self._here}; the truth is all of one piece, so nothing tells whether it holds elsewhere."
        ends = (-self.high, -self.low) if self.difference < 0 else (self.low, self.high)
        low, high = (round(value, 2) + 0.0 for value in ends)  # no -0.00
        held = "it leaves out 0" if self.shown else "it includes 0, so elsewhere it may be otherwise"
        return f"{self._here}, interval {low:.2f} to {high:.2f}; {held}."

    @property
    def _here(self) -> str:
        difference = self.difference or 0.0
        by = round(abs(difference), 2)
        if not by:
            return "A and B are equally good here"
        return f"{'B' if difference > 0 else 'A'} is better here by +{by:.2f}"

    def to_dict(self) -> dict[str, float | None]:
        """Return what the command line prints of it; ``f1`` is the difference."""
        return {"f1": self.difference, "low": self.low, "high": self.high}


@dataclass(frozen=True)
class Change:
    """One overall number of A against B; what is undefined is None."""

    a: float | None
    b: float | None
    difference: float | None
    """B minus A."""
    low: float | None
    """Lower end of the 95 % interval; None where the truth is all of one piece."""
    high: float | None

    @property
    def shown(self) -> bool:
        """Whether the interval excludes 0."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)

    def to_dict(self) -> dict[str, float | None]:
        """Return what the command line prints."""
        return {name: getattr(self, name) for name in ("a", "b", "difference", "low", "high")}


@dataclass(frozen=True)
class OverallDifference:
    """The overall scores of A and B (``lib.evaluation.overall``)."""

    a: Overall
    b: Overall
    macro_f1: Change
    accuracy: Change
    stretches: int
    """Independent stretches of time, over each of which the truth stays the same."""

    def to_dict(self) -> dict[str, dict[str, float | None]]:
        """Return what the command line prints."""
        return {"macro_f1": self.macro_f1.to_dict(), "accuracy": self.accuracy.to_dict()}


def overall_difference(a: Evaluation, b: Evaluation, *, seed: int, n: int = 1000) -> OverallDifference:
    """Return the overall scores of both sides, and how far B is above A, with intervals.

    ``a`` and ``b`` are of the same video and truth. In a resample, macro F1 is over the labels that are true in it.
    """
    edges = _edges(a)[1:]
    counts = [count(side, edges) for side in (a, b)]
    lasting = counts[0].seconds > 0
    blocks = int(lasting.sum())
    drawn = {name: np.zeros((2, 0)) for name in ("macro_f1", "accuracy")}
    rng = np.random.default_rng(seed)
    step = max(1, _AT_ONCE // max(1, len(lasting)))
    for first in range(0, n if blocks > 1 else 0, step):
        times = np.zeros((min(step, n - first), len(lasting)))
        times[:, lasting] = rng.multinomial(blocks, np.full(blocks, 1 / blocks), size=len(times))
        sides = [side.weighted(times) for side in counts]
        for name, values in drawn.items():
            drawn[name] = np.append(values, np.array([getattr(side, name)() for side in sides]), axis=1)
    scores = overall(a), overall(b)
    changes = {
        name: _change(getattr(scores[0], name), getattr(scores[1], name), values) for name, values in drawn.items()
    }
    return OverallDifference(*scores, changes["macro_f1"], changes["accuracy"], blocks)


def _change(a: float | None, b: float | None, drawn: Floats) -> Change:
    difference = low = high = None
    if a is not None and b is not None:
        difference = b - a
        differences = drawn[1] - drawn[0]
        differences = differences[np.isfinite(differences)]
        if len(differences):
            low, high = np.quantile(differences, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]).tolist()
    return Change(a, b, difference, low, high)


def f1_differences(a: Evaluation, b: Evaluation, *, seed: int, n: int = 1000) -> dict[str, Difference]:
    """Return the difference in F1 of each label that both sides have and the truth names, in A's order.

    ``a`` and ``b`` are of the same video and truth; the same ``seed`` gives the same intervals.
    """
    return f1_differences_of_videos([(a, b)], seed=seed, n=n)


def f1_differences_of_videos(
    pairs: Sequence[tuple[Evaluation, Evaluation]], *, seed: int, n: int = 1000, level: float = LEVEL
) -> dict[str, Difference]:
    """Return the difference in F1 over the seconds of several videos, each a pair as for ``f1_differences``.

    All of A have the same labels, and all of B; a label counts in the videos whose truth names it. Intervals span the
    middle ``level`` of the differences.
    """
    first_a, first_b = pairs[0]
    matches = match_labels(tuple(first_a.by_label), tuple(first_b.by_label))
    matches = {label: other for label, other in matches.items() if any(a.by_label[label].known for a, _ in pairs)}
    of_videos = [_blocks(a, b, matches) for a, b in pairs]
    seconds = [np.concatenate(blocks) for blocks in zip(*of_videos, strict=True)]
    resampled = _resample(seconds, np.random.default_rng(seed), n)
    totals = [counts.sum(axis=0) for counts in seconds]
    result = {}
    for column, label in enumerate(matches):
        f1_a, f1_b = (f1_score(*counts[:, column].tolist()) for counts in totals)
        defined = resampled[np.isfinite(resampled[:, column]), column]
        difference = low = high = None
        if f1_a is not None and f1_b is not None:
            difference = f1_b - f1_a
            if len(seconds[0]) > 1 and len(defined):
                low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2]).tolist()
        result[label] = Difference(label, f1_a, f1_b, difference, low, high)
    return result


def mean_difference(a: Floats, b: Floats, weights: Floats, *, seed: int, n: int = 1000) -> tuple[float, float]:
    """Return the 95 % interval of ``sum(b) / sum(weights) - sum(a) / sum(weights)`` over resampled blocks.

    All three are sums in each block, ``(blocks,)``, two blocks or more.
    """
    times = np.random.default_rng(seed).multinomial(len(weights), np.full(len(weights), 1 / len(weights)), size=n)
    low, high = np.quantile(times @ (b - a) / (times @ weights), [(1 - LEVEL) / 2, (1 + LEVEL) / 2]).tolist()
    return low, high


def _blocks(a: Evaluation, b: Evaluation, matches: Mapping[str, str]) -> tuple[Floats, Floats]:
    """Return hits, false alarms and misses in the blocks of one video, of A and of B, ``(blocks, 3, labels)``.

    A label that the truth of the video doesn't name has none.
    """
    edges = _edges(a)
    seconds = [_seconds(side, labels, edges) for side, labels in ((a, (*matches,)), (b, (*matches.values(),)))]
    lasting = seconds[0].sum(axis=(1, 2)) > 0
    known = np.array([a.by_label[label].known for label in matches], dtype=bool)
    of_a, of_b = (counts[lasting, :3] * known for counts in seconds)
    return of_a, of_b


def _edges(side: Evaluation) -> Floats:
    """Return where the truth changes, in seconds, increasing, 0 first."""
    return np.unique(np.concatenate([[0.0], *(spans.ravel() for spans in side.alignment.intervals.values())]))


def _seconds(side: Evaluation, labels: Sequence[str], edges: Floats) -> Floats:
    """Return seconds of hits, false alarms, misses and the rest per block and label, ``(blocks, 4, labels)``."""
    block = np.searchsorted(edges, side.alignment.bounds[:-1], side="right")
    counts = np.zeros((len(edges) + 1, 4, len(labels)))
    for column, label in enumerate(labels):
        evaluation = side.by_label[label]
        hit_or_miss = np.where(evaluation.true, 0, 1), np.where(evaluation.true, 2, 3)
        kind = np.where(evaluation.found, *hit_or_miss)
        cells = np.bincount(block * 4 + kind, evaluation.seconds, counts[:, :, 0].size)
        counts[:, :, column] = cells.reshape(-1, 4)
    return counts


def _resample(sides: Sequence[Floats], rng: np.random.Generator, n: int) -> Floats:
    """Return F1 of B minus F1 of A in each of ``n`` resamples, ``(n, labels)``; NaN where one of them is undefined.

    ``sides`` are the hits, false alarms and misses of A and of B, ``(blocks, 3, labels)`` each.
    """
    blocks, _, labels = sides[0].shape
    result = np.full((n, labels), np.nan)
    if not blocks or not labels:
        return result
    step = max(1, _AT_ONCE // blocks)
    for first in range(0, n, step):
        times = rng.multinomial(blocks, np.full(blocks, 1 / blocks), size=min(step, n - first))
        f1 = []
        for counts in sides:
            hits, false_alarms, misses = np.moveaxis((times @ counts.reshape(blocks, -1)).reshape(-1, 3, labels), 1, 0)
            whole = 2 * hits + false_alarms + misses
            f1.append(np.divide(2 * hits, whole, out=np.full_like(whole, np.nan), where=whole > 0))
        result[first : first + step] = f1[1] - f1[0]
    return result
