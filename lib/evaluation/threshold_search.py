"""What many thresholds of one label give: seconds that are right and wrong, for ``lib.evaluation.threshold_fit``.

Conventions: ``n`` samples, ``c`` thresholds in decreasing order, ``k`` parts of the video; counts are seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import accumulate

import numpy as np

from lib.analysis.analysis import Analysis
from lib.analysis.scoring import smooth
from lib.analysis.segments import decide, merge_and_drop
from lib.core.intervals import Bools, Floats, Ints
from lib.prompts.model import Settings, Smoothing

WINDOWS = (1, 3, 5, 9, 15)
"""Smoothing windows that a sweep tries, in samples, beside the current one."""
STAYS_S = (1.0, 2.0, 5.0, 10.0, 20.0)
"""Expected stays that a sweep tries where the smoothing is ``viterbi``, beside the current one, with its hysteresis."""
BANDS = (0.0, 0.5, 1.0)
"""Hysteresis that a sweep tries, in standard deviations of the label's scores, beside the current one."""
# Thresholds that are tried at first, and then around the best, by what trying one costs.
_MERGED, _MERGED_FEW, _DECIDED, _DECIDED_FEW = (96, 48), (32, 16), (40, 20), (16, 8)
_COUNTED_FEW = 96
_AT_ONCE = 2_000_000  # samples times thresholds
EQUAL_F1 = 1e-12
"""F1 that differ by less are equal."""
_INSIDE = 1e-9
_Present = Callable[[Floats], Bools]


@dataclass(frozen=True, eq=False)
class Trial:
    """What thresholds give with the same settings."""

    settings: Settings
    thresholds: Floats
    """Decreasing, ``(c,)``."""
    high: Floats
    """Highest threshold that gives the same, ``(c,)``."""
    low: Floats
    """Highest lower threshold that may give something else, ``(c,)``."""
    hits: Floats
    """``(k, c)``."""
    false_alarms: Floats
    """``(k, c)``."""
    true: Floats
    """Seconds in which the label is there, ``(k,)``."""

    @cached_property
    def _totals(self) -> tuple[Floats, Floats]:
        return self.hits.sum(axis=0), self.false_alarms.sum(axis=0)

    def f1(self, without: int | None = None) -> Floats:
        """Return F1 by time of all parts, or of all but one, ``(c,)``; 0 where it is undefined."""
        hits, false_alarms = self._totals
        true = self.true.sum()
        if without is not None:
            hits = np.maximum(hits - self.hits[without], 0.0)
            false_alarms = np.maximum(false_alarms - self.false_alarms[without], 0.0)
            true = true - self.true[without]
        whole = hits + false_alarms + true
        f1: Floats = np.divide(2 * hits, whole, out=np.zeros_like(hits), where=whole > 0)
        return f1

    def middle_of_best(self, f1: Floats) -> tuple[int, float]:
        """Return the middle of the widest range of best thresholds, farthest from worse ones: its index, and itself.

        Where the middle wasn't tried, and no threshold that gives the same, it is the nearest one that was.
        """
        best = np.flatnonzero(f1 >= f1.max() - EQUAL_F1)
        breaks = np.flatnonzero(np.diff(best) > 1)
        first, last = best[np.append(0, breaks + 1)], best[np.append(breaks, len(best) - 1)]
        widest = int((self.high[first] - self.low[last]).argmax())
        run = np.arange(first[widest], last[widest] + 1)
        middle = (self.high[run[0]] + self.low[run[-1]]) / 2
        inside = run[(self.low[run] < middle) & (middle <= self.high[run])]
        if len(inside):
            return int(inside[0]), float(middle)
        nearest = int(run[np.abs(self.thresholds[run] - middle).argmin()])
        return nearest, float(self.thresholds[nearest])

    def curve(self, f1: Floats) -> tuple[Floats, Floats]:
        """Return thresholds, decreasing, and their F1, so that straight lines between them are all that is known.

        A range of thresholds that give the same has a point at either end; equal ones side by side are one range.
        """
        same = (np.abs(np.diff(f1)) <= EQUAL_F1) & (self.low[:-1] == self.high[1:])
        first = np.flatnonzero(np.append(True, ~same))
        last = np.append(first[1:] - 1, len(f1) - 1)
        # The lower end of a range belongs to the next one, and with hysteresis the upper one may be rounded.
        high = np.maximum(self.high[first] - _INSIDE, self.thresholds[first])
        low = np.minimum(self.low[last] + _INSIDE, self.thresholds[last])
        thresholds, values = np.stack([high, low], axis=1).ravel(), np.repeat(f1[first], 2)
        there = np.append(True, np.diff(thresholds) != 0)
        return thresholds[there], values[there]


@dataclass(frozen=True, eq=False)
class ThresholdSearch:
    """One label of an analysis, and where it is true.

    There are three ways to get the seconds that each of many thresholds gives, from quick to slow: ``_by_counting``
    scores, ``_by_merging`` what reaches each threshold, and ``_by_deciding`` for each threshold anew.
    """

    analysis: Analysis
    column: int
    true: Floats
    """Seconds of each sample's span in which the label is there, ``(n,)``."""
    part: Ints
    """The part that each sample belongs to, increasing, ``(n,)``."""
    parts: int

    @cached_property
    def settings(self) -> Settings:
        """The analysis's, but with thresholds."""
        settings = self.analysis.prompt_set.settings
        return settings if self.analysis.uses_thresholds else replace(settings, decision="threshold")

    def current(self) -> Trial:
        """Return what thresholds give with the settings as they are."""
        return self._try(self.settings, self.analysis.scores)

    def sweep(self) -> Iterator[Trial]:
        """Yield what thresholds give with several smoothing windows and hysteresis bands, the current ones first."""
        current = self.settings
        yield self.current()
        if current.smoothing.kind == "viterbi":
            smoothings = [replace(current.smoothing, stay_s=stay_s) for stay_s in STAYS_S]
            bands = [current.hysteresis]
        else:
            kind = "moving_average" if current.smoothing.kind == "none" else current.smoothing.kind
            smoothings = [Smoothing() if window == 1 else Smoothing(kind, window) for window in WINDOWS]
            spread = float(self.analysis.scores[:, self.column].std())
            bands = [min(float(f"{band * spread:.2g}"), 2.0) for band in BANDS]
        for smoothing in dict.fromkeys([current.smoothing, *smoothings]):
            scores = smooth(self.analysis.raw, smoothing, self.analysis.cuts)
            for band in dict.fromkeys([current.hysteresis, *bands]):
                if smoothing != current.smoothing or band != current.hysteresis:
                    settings = replace(current, smoothing=smoothing, hysteresis=band)
                    yield self._try(settings, scores, thorough=False)

    def _try(self, settings: Settings, scores: Floats, *, thorough: bool = True) -> Trial:
        """Return what thresholds give with ``settings``, whose smoothed scores are ``(n, p)``."""
        exclusive = settings.decision != "threshold"
        counts = _DECIDED if thorough else _DECIDED_FEW
        if exclusive and (settings.hysteresis or settings.bridge_s or settings.smoothing.kind == "viterbi"):
            return self._by_deciding(settings, scores, counts)
        own = scores[:, self.column]
        if settings.smoothing.kind == "viterbi":
            return self._narrow(settings, own, partial(self._independent, settings, own[:, None]), counts)
        values = self._winning(scores) if exclusive else hysteresis_thresholds(own, settings.hysteresis, self._cuts)
        if settings.bridge_s or settings.min_duration_s:
            return self._by_merging(settings, values, _MERGED if thorough else _MERGED_FEW)
        return self._by_counting(settings, values, None if thorough else _COUNTED_FEW)

    def _winning(self, scores: Floats) -> Floats:
        """Return the label's scores where no other that reaches its threshold is better, else -inf, ``(n,)``."""
        own = scores[:, self.column]
        reaching = np.where(scores >= self.analysis.thresholds, scores, -np.inf)
        before = reaching[:, : self.column].max(axis=1, initial=-np.inf)
        after = reaching[:, self.column + 1 :].max(axis=1, initial=-np.inf)
        return np.where((own > before) & (own >= after), own, -np.inf)  # of equals the first prompt wins

    def _by_counting(self, settings: Settings, values: Floats, most: int | None) -> Trial:
        """Return what at most ``most`` thresholds (None: all) give, where samples don't depend on each other.

        ``values`` are the highest thresholds at which each sample has the label, ``(n,)``.
        """
        finite = np.isfinite(values)
        high, low, thresholds = _ranges(values[finite])
        place = np.searchsorted(-high, -values[finite])
        cell, cells = self.part[finite] * len(high) + place, self.parts * len(high)
        hits, false_alarms = (
            np.bincount(cell, seconds[finite], cells).astype(np.float64).reshape(self.parts, -1).cumsum(axis=1)
            for seconds in (self.true, self._false)
        )
        chosen = np.arange(len(high)) if most is None else _spread(high, most)
        return Trial(
            settings,
            thresholds[chosen],
            high[chosen],
            low[chosen],
            hits[:, chosen],
            false_alarms[:, chosen],
            self._true_of_part,
        )

    def _by_merging(self, settings: Settings, values: Floats, counts: tuple[int, int]) -> Trial:
        """Return the same where gaps are bridged or short segments dropped, independently of other labels."""
        alone = replace(settings, decision="threshold", hysteresis=0.0)
        return self._narrow(settings, values, partial(self._independent, alone, values[:, None]), counts)

    def _independent(self, settings: Settings, values: Floats, thresholds: Floats) -> Bools:
        """Return where each of ``thresholds`` gives a label with these ``values`` ``(n, 1)``, bool ``(n, c)``."""
        # Independent labels may as well be one label at many thresholds.
        samples, roles = self.analysis.samples, [self.analysis.prompts[self.column].role] * len(thresholds)
        values = np.broadcast_to(values, (len(values), len(thresholds)))
        decided = decide(values, thresholds, settings, samples, self._cuts)
        return merge_and_drop(decided, roles, samples, settings, self._cuts)

    def _by_deciding(self, settings: Settings, scores: Floats, counts: tuple[int, int]) -> Trial:
        """Return the same where the label competes with others over time: the whole decision for each threshold."""
        roles = [prompt.role for prompt in self.analysis.prompts]
        limits = self.analysis.thresholds.copy()

        def present(thresholds: Floats) -> Bools:
            result = np.zeros((len(scores), len(thresholds)), dtype=bool)
            for place, threshold in enumerate(thresholds):
                limits[self.column] = threshold
                decided = decide(scores, limits, settings, self.analysis.samples, self._cuts)
                merged = merge_and_drop(decided, roles, self.analysis.samples, settings, self._cuts)
                result[:, place] = merged[:, self.column]
            return result

        return self._narrow(settings, scores[:, self.column], present, counts)

    def _narrow(self, settings: Settings, values: Floats, present: _Present, counts: tuple[int, int]) -> Trial:
        """Return what thresholds give that lie between ``values``, then more of them around the best.

        ``present``, ``(n, c)``, says where each threshold gives the label; ``counts`` is how many at first and then.
        """
        high, low, choices = _ranges(values[np.isfinite(values)])
        if settings.hysteresis or settings.smoothing.kind == "viterbi":
            high = low = choices  # thresholds between the same scores may give something else
        tried = _spread(choices, counts[0])
        first = self._measure(settings, (choices[tried], high[tried], low[tried]), present)
        best, _ = first.middle_of_best(first.f1())
        around = first.thresholds[[max(best - 1, 0), min(best + 1, len(tried) - 1)]]
        between = np.flatnonzero((choices < around[0]) & (choices > around[1]) & (choices != first.thresholds[best]))
        if not len(between):
            return first
        tried = between[_spread(choices[between], counts[1])]
        more = self._measure(settings, (choices[tried], high[tried], low[tried]), present)
        order = np.argsort(-np.append(first.thresholds, more.thresholds))
        thresholds, high, low, hits, false_alarms = (
            np.append(getattr(first, name), getattr(more, name), axis=-1)[..., order]
            for name in ("thresholds", "high", "low", "hits", "false_alarms")
        )
        return Trial(settings, thresholds, high, low, hits, false_alarms, self._true_of_part)

    def _measure(self, settings: Settings, tried: tuple[Floats, Floats, Floats], present: _Present) -> Trial:
        """Return what thresholds give, each with the highest that gives the same and the next lower one."""
        thresholds, high, low = tried
        step = max(1, _AT_ONCE // max(1, len(self.part)))
        masks = (present(thresholds[first : first + step]) for first in range(0, len(thresholds), step))
        counted = [(self._by_part(mask, self.true), self._by_part(mask, self._false)) for mask in masks]
        hits, false_alarms = (np.concatenate(parts, axis=1) for parts in zip(*counted, strict=True))
        return Trial(settings, thresholds, high, low, hits, false_alarms, self._true_of_part)

    def _by_part(self, present: Bools, seconds: Floats) -> Floats:
        """Return the seconds of each part where the label is present, ``(k, c)``; ``present`` is ``(n, c)``."""
        sums = np.zeros((self.parts, present.shape[1]))
        parts, first = np.unique(self.part, return_index=True)
        sums[parts] = np.add.reduceat(present * seconds[:, None], first, axis=0)
        return sums

    @cached_property
    def _cuts(self) -> Bools:
        cuts = self.analysis.cuts
        return np.zeros(len(self.part), dtype=bool) if cuts is None else cuts

    @cached_property
    def _false(self) -> Floats:
        """Seconds of each sample's span in which the label is not there, ``(n,)``."""
        return np.maximum(self.analysis.samples.spans_s - self.true, 0.0)

    @cached_property
    def _true_of_part(self) -> Floats:
        return np.bincount(self.part, self.true, self.parts).astype(np.float64)


def hysteresis_thresholds(scores: Floats, band: float, cuts: Bools | None = None) -> Floats:
    """Return the highest threshold at which each sample has its label with this hysteresis, ``(n,)``.

    It begins anew at ``cuts`` ``(n,)``.

    With ``h`` what is returned: a sample has the label at threshold ``t`` when ``t <= h``. It gets it where its score
    is at least ``t`` and keeps it while it is at least ``t - band``, so
    ``h[i] = min(max(h[i - 1], s[i]), s[i] + band)``.
    """
    if not band or not len(scores):
        return scores
    if cuts is not None and cuts.any():
        return np.concatenate([hysteresis_thresholds(shot, band) for shot in np.split(scores, np.flatnonzero(cuts))])
    steps = accumulate(scores.tolist(), lambda before, score: min(max(before, score), score + band))
    return np.fromiter(steps, dtype=np.float64, count=len(scores))


def _ranges(values: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the ranges of thresholds between ``values``: highest of each, next lower one, middle; decreasing."""
    high = np.unique(values)[::-1] if len(values) else np.zeros(1)
    low = np.append(high[1:], high[-1])
    between = (high + low) / 2
    return high, low, np.where(between > low, between, high)  # between neighbouring floats there is none


def _spread(choices: Floats, count: int) -> Ints:
    """Return places of ``count`` at most of decreasing ``choices``: two thirds spread by rank, the rest by value."""
    if len(choices) <= count:
        return np.arange(len(choices))
    by_rank = np.linspace(0, len(choices) - 1, count * 2 // 3).astype(np.int64)
    by_value = np.searchsorted(-choices, -np.linspace(choices[0], choices[-1], count // 3))
    return np.unique(np.append(by_rank, np.minimum(by_value, len(choices) - 1)))
