"""Runs the decision for many thresholds of one label and counts what is right, for ``lib.evaluation.threshold_fit``.

Conventions: ``n`` samples, ``c`` thresholds in decreasing order, ``k`` parts of the video; counts are seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate

import numpy as np

from lib.analysis.analysis import Analysis
from lib.analysis.scoring import smooth
from lib.analysis.segments import decide, tidy
from lib.core.intervals import Bools, Floats, Ints
from lib.prompts.model import Settings, Smoothing

WINDOWS = (1, 3, 5, 9, 15)
"""Smoothing windows that a sweep tries, in samples, beside the current one."""
BANDS = (0.0, 0.5, 1.0)
"""Hysteresis that a sweep tries, in standard deviations of the label's scores, beside the current one."""
_STACKED, _STACKED_FEW, _LOOPED, _LOOPED_FEW = (96, 48), (32, 16), (40, 20), (16, 8)
_AT_ONCE = 2_000_000
_SAME = 1e-12


@dataclass(frozen=True, eq=False)
class Trial:
    """What thresholds give with the same settings."""

    settings: Settings
    thresholds: Floats
    """Decreasing, ``(c,)``."""
    high: Floats
    """Highest threshold that gives the same, ``(c,)``."""
    low: Floats
    """From this one down it may be different, ``(c,)``."""
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

    def middle_of_best(self, f1: Floats) -> int:
        """Return the place in the middle of the widest run of best ones: farthest from where it gets worse."""
        good = np.flatnonzero(f1 >= f1.max() - _SAME)
        breaks = np.flatnonzero(np.diff(good) > 1)
        first, last = good[np.append(0, breaks + 1)], good[np.append(breaks, len(good) - 1)]
        widest = int((self.high[first] - self.low[last]).argmax())
        run = np.arange(first[widest], last[widest] + 1)
        middle = (self.high[run[0]] + self.low[run[-1]]) / 2
        return int(run[np.abs(self.thresholds[run] - middle).argmin()])


@dataclass(frozen=True, eq=False)
class Search:
    """One label of an analysis, and where it is true."""

    analysis: Analysis
    column: int
    true: Floats
    """Seconds of each sample's span in which the label is there, ``(n,)``."""
    part: Ints
    """The part that each sample belongs to, ``(n,)``."""
    parts: int

    @cached_property
    def _false(self) -> Floats:
        """Seconds of each sample's span in which the label is not there, ``(n,)``."""
        return np.maximum(self.analysis.samples.spans_s - self.true, 0.0)

    def _of_parts(self, found: Bools, seconds: Floats) -> Floats:
        """Return the seconds that each threshold finds in each part, ``(k, c)``; ``found`` is ``(n, c)``."""
        counts = np.zeros((self.parts, found.shape[1]))
        there, first = np.unique(self.part, return_index=True)  # parts follow each other in time
        counts[there] = np.add.reduceat(found * seconds[:, None], first, axis=0)
        return counts

    @cached_property
    def settings(self) -> Settings:
        """The analysis's, but with thresholds."""
        settings = self.analysis.prompt_set.settings
        return settings if self.analysis.uses_thresholds else replace(settings, decision="threshold")

    def now(self) -> Trial:
        """Return what thresholds give with the settings as they are."""
        return self._try(self.settings, self.analysis.scores)

    def sweep(self) -> Iterator[Trial]:
        """Yield the same for smoothing windows and hysteresis, those as they are first."""
        now = self.settings
        yield self.now()
        spread = float(self.analysis.scores[:, self.column].std())
        kind = "moving_average" if now.smoothing.kind == "none" else now.smoothing.kind
        windows = [Smoothing() if window == 1 else Smoothing(kind, window) for window in WINDOWS]
        bands = [min(float(f"{band * spread:.2g}"), 2.0) for band in BANDS]
        for smoothing in dict.fromkeys([now.smoothing, *windows]):
            scores = smooth(self.analysis.raw, smoothing)
            for band in dict.fromkeys([now.hysteresis, *bands]):
                if smoothing != now.smoothing or band != now.hysteresis:
                    yield self._try(
                        replace(now, smoothing=smoothing, hysteresis=band), scores, thorough=False
                    )

    def _try(self, settings: Settings, scores: Floats, *, thorough: bool = True) -> Trial:
        """Return what thresholds give with ``settings``, whose smoothed scores are ``(n, p)``."""
        alone = settings.decision == "threshold"
        if not alone and (settings.hysteresis or settings.bridge_s):

            def found(thresholds: Floats) -> Bools:
                return self._among_others(settings, scores, thresholds)

            return self._narrow(settings, scores[:, self.column], found, _LOOPED if thorough else _LOOPED_FEW)
        values = held(scores[:, self.column], settings.hysteresis) if alone else self._winning(scores)
        if not (settings.bridge_s or settings.min_duration_s):
            return self._each(settings, values, None if thorough else _STACKED[0])

        def tidied(thresholds: Floats) -> Bools:
            # Labels that know nothing of each other may as well be one label at many thresholds.
            roles = [self.analysis.prompts[self.column].role] * len(thresholds)
            judged = replace(settings, decision="threshold")
            return tidy(values[:, None] >= thresholds, roles, self.analysis.samples, judged)

        return self._narrow(settings, values, tidied, _STACKED if thorough else _STACKED_FEW)

    def _winning(self, scores: Floats) -> Floats:
        """Return the label's scores where no other that reaches its threshold is better, else -inf, ``(n,)``."""
        mine = scores[:, self.column]
        reaching = np.where(scores >= self.analysis.thresholds, scores, -np.inf)
        before = reaching[:, : self.column].max(axis=1, initial=-np.inf)
        after = reaching[:, self.column + 1 :].max(axis=1, initial=-np.inf)
        return np.where((mine > before) & (mine >= after), mine, -np.inf)  # of equals the first prompt wins

    def _each(self, settings: Settings, values: Floats, most: int | None) -> Trial:
        """Return what all thresholds give (or ``most`` of them), by counting sorted ``values`` that reach them."""
        counts = np.isfinite(values)
        high = np.unique(values[counts])[::-1] if counts.any() else np.zeros(1)
        place = np.searchsorted(-high, -values[counts])
        where, size = self.part[counts] * len(high) + place, self.parts * len(high)
        hits, false_alarms = (
            np.bincount(where, seconds[counts], size)
            .astype(np.float64)
            .reshape(self.parts, -1)
            .cumsum(axis=1)
            for seconds in (self.true, self._false)
        )
        low = np.append(high[1:], high[-1])
        between = (high + low) / 2
        thresholds = np.where(between > low, between, high)  # between neighbouring floats there is none
        keep = np.arange(len(high)) if most is None else _spread(high, most)
        return Trial(
            settings,
            thresholds[keep],
            high[keep],
            low[keep],
            hits[:, keep],
            false_alarms[:, keep],
            self._true_of_part,
        )

    def _narrow(
        self, settings: Settings, values: Floats, found: Callable[[Floats], Bools], counts: tuple[int, int]
    ) -> Trial:
        """Return what thresholds give that lie between ``values``, then more of them around the best.

        Args:
            settings: that the result is about.
            values: the label's scores.
            found: where each of some thresholds finds the label, ``(n, c)``.
            counts: how many thresholds at first, and how many more.
        """
        scores = np.unique(values[np.isfinite(values)])[::-1] if np.isfinite(values).any() else np.zeros(1)
        choices = np.append((scores[:-1] + scores[1:]) / 2, scores[-1])
        tried = self._count(settings, choices[_spread(choices, counts[0])], found)
        best = tried.middle_of_best(tried.f1())
        around = tried.thresholds[[max(best - 1, 0), min(best + 1, len(tried.thresholds) - 1)]]
        between = choices[(choices < around[0]) & (choices > around[1]) & (choices != tried.thresholds[best])]
        if not len(between):
            return tried
        more = self._count(settings, between[_spread(between, counts[1])], found)
        order = np.argsort(-np.append(tried.thresholds, more.thresholds))
        thresholds = np.append(tried.thresholds, more.thresholds)[order]
        hits = np.append(tried.hits, more.hits, axis=1)[:, order]
        false_alarms = np.append(tried.false_alarms, more.false_alarms, axis=1)[:, order]
        return Trial(settings, thresholds, thresholds, thresholds, hits, false_alarms, self._true_of_part)

    def _count(self, settings: Settings, thresholds: Floats, found: Callable[[Floats], Bools]) -> Trial:
        step = max(1, _AT_ONCE // max(1, len(self.part)))
        masks = (found(thresholds[first : first + step]) for first in range(0, len(thresholds), step))
        counted = [(self._of_parts(mask, self.true), self._of_parts(mask, self._false)) for mask in masks]
        hits, false_alarms = (np.concatenate(parts, axis=1) for parts in zip(*counted, strict=True))
        return Trial(settings, thresholds, thresholds, thresholds, hits, false_alarms, self._true_of_part)

    def _among_others(self, settings: Settings, scores: Floats, thresholds: Floats) -> Bools:
        """Return where each threshold finds the label in company of the others, ``(n, c)``."""
        roles = [prompt.role for prompt in self.analysis.prompts]
        found = np.zeros((len(scores), len(thresholds)), dtype=bool)
        limits = self.analysis.thresholds.copy()
        for place, threshold in enumerate(thresholds):
            limits[self.column] = threshold
            decided = decide(scores, limits, settings)
            found[:, place] = tidy(decided, roles, self.analysis.samples, settings)[:, self.column]
        return found

    @cached_property
    def _true_of_part(self) -> Floats:
        return np.bincount(self.part, self.true, self.parts).astype(np.float64)


def held(scores: Floats, band: float) -> Floats:
    """Return the highest threshold at which each sample has its label with this hysteresis, ``(n,)``.

    With ``h`` what is returned: a sample is found with threshold ``t`` when ``t <= h``. It enters where its score is
    at least ``t`` and stays while it is at least ``t - band``, so ``h[i] = min(max(h[i - 1], s[i]), s[i] + band)``.
    """
    if not band or not len(scores):
        return scores
    steps = accumulate(scores.tolist(), lambda before, score: min(max(before, score), score + band))
    return np.fromiter(steps, dtype=np.float64, count=len(scores))


def _spread(choices: Floats, count: int) -> Ints:
    """Return places of ``count`` at most of decreasing ``choices``: two thirds spread by rank, the rest by value."""
    if len(choices) <= count:
        return np.arange(len(choices))
    by_rank = np.linspace(0, len(choices) - 1, count * 2 // 3).astype(np.int64)
    by_value = np.searchsorted(-choices, -np.linspace(choices[0], choices[-1], count // 3))
    return np.unique(np.append(by_rank, np.minimum(by_value, len(choices) - 1)))
