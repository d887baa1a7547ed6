"""Which threshold a prompt should have, by the ground truth.

The threshold with the best F1 by time (``lib.evaluation.evaluation``) is found by running the real decision (with
hysteresis, bridging and minimum duration where they are set) for many thresholds. What was fitted to the truth looks
good on it, so the video is also divided into as many parts as the label has true segments, each with one of them and
half of the gap to its neighbours: the threshold is fitted without a part and trials on it, and the seconds of all parts
are put together to one F1. Far below the fitted F1, the fit is to noise.

Without truth, ``lib.evaluation.bimodality`` may help.

References:
    Leave one group out: Stone, *Cross-validatory choice and assessment of statistical predictions*, 1974.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from lib.analysis.analysis import Analysis
from lib.core.intervals import Floats
from lib.core.labelled_intervals import TrueSegment
from lib.evaluation.alignment import align
from lib.evaluation.evaluation import evaluate, f1_score
from lib.evaluation.threshold_search import EQUAL_F1, ThresholdSearch, Trial
from lib.prompts.model import THRESHOLD_RANGES, PromptSet, Settings

MAX_PARTS = 50
"""With more true segments than this, several share a part."""
MAX_POINTS = 1_000
"""Points of a curve, at most."""
_BEST_POINTS = 100


@dataclass(frozen=True, eq=False)
class ThresholdFit:
    """The threshold that fits the truth best."""

    label: str
    threshold: float
    """In the unit of the score, in the middle of all that do equally well."""
    f1: float
    """By time, over the whole video."""
    f1_now: float | None
    """F1 of the prompt set as it is."""
    left_out_f1: float | None
    """F1 of parts that the threshold was not fitted on; None with fewer than two true segments."""
    parts: int
    """How many parts there are."""
    curve: pd.DataFrame
    """``threshold`` (increasing) and ``f1``, to join by straight lines: both ends of each range that gives the same.

    At most 1,000 rows, with the hysteresis and smoothing of ``settings``.
    """
    settings: Settings
    """The current ones, or with the hysteresis and smoothing that a sweep found better."""
    applies: bool
    """Whether the decision uses thresholds; ``best`` uses none, and the fit is that of ``threshold``."""

    @property
    def sentence(self) -> str:
        """The result in words."""
        now = "" if self.f1_now is None else f" (currently {self.f1_now:.2f})"
        text = f"{self.label}: threshold {self.threshold:.3f} gives F1 {self.f1:.2f}{now}"
        if self.left_out_f1 is None:
            text += "; with one true segment nothing tells whether it holds elsewhere"
        else:
            text += f", {self.left_out_f1:.2f} on held-out parts"
        if not self.applies:
            text += "; the decision “best” uses no threshold"
        return f"{text}."

    def apply(self, prompt_set: PromptSet) -> PromptSet:
        """Return ``prompt_set`` with this threshold as the prompt's own, and with this hysteresis and smoothing.

        Raises:
            PromptSetError: the threshold fits no score of that prompt set.
        """
        prompts = tuple(
            replace(prompt, threshold=self.threshold) if prompt.label == self.label else prompt
            for prompt in prompt_set.prompts
        )
        settings = replace(prompt_set.settings, hysteresis=self.settings.hysteresis, smoothing=self.settings.smoothing)
        return replace(prompt_set, prompts=prompts, settings=settings)


def suggest_with_truth(
    analysis: Analysis, truth: Sequence[TrueSegment], label: str, *, sweep: bool = False
) -> ThresholdFit | None:
    """Return the threshold of ``label`` with the best F1 by time; None where the truth has no second of it.

    Where samples don't depend on each other, all different thresholds are tried; with hysteresis, bridging or a minimum
    duration about 150, closer together around the best.

    Args:
        analysis: with its settings and the other prompts' thresholds, which stay.
        truth: of the video.
        label: of an enabled prompt.
        sweep: try smoothing windows and hysteresis too. They concern all prompts, though F1 is that of ``label``.

    Raises:
        KeyError: no enabled prompt is called that.
    """
    column, samples = analysis.column(label), analysis.samples
    alignment = align(samples, analysis.labels, truth)
    true = alignment.true_seconds(label, samples)
    if not true.any():
        return None
    intervals = alignment.intervals[label]
    part = alignment.parts(label, samples, MAX_PARTS)
    search = ThresholdSearch(analysis, column, true, part, min(len(intervals), MAX_PARTS))
    trials = list(search.sweep()) if sweep else [search.current()]
    place, at, threshold = _choose(trials)
    best, f1 = trials[place], trials[place].f1()
    low, high = THRESHOLD_RANGES[analysis.prompt_set.settings.score]
    return ThresholdFit(
        label=label,
        threshold=float(np.clip(threshold, low, high)),  # smoothed scores may be rounded beyond it
        f1=float(f1[at]),
        f1_now=evaluate(analysis, truth).by_label[label].f1,
        left_out_f1=_left_out(trials) if len(intervals) > 1 else None,
        parts=search.parts,
        curve=_curve(best, f1),
        settings=replace(best.settings, decision=analysis.prompt_set.settings.decision),
        applies=analysis.uses_thresholds,
    )


def _choose(trials: Sequence[Trial], without: int | None = None) -> tuple[int, int, float]:
    """Return which settings (of equals the first), which of their thresholds by index, and which itself are best."""
    scores = [trial.f1(without) for trial in trials]
    tops = np.array([f1.max() for f1 in scores])
    place = int(np.flatnonzero(tops >= tops.max() - EQUAL_F1)[0])
    return place, *trials[place].middle_of_best(scores[place])


def _left_out(trials: Sequence[Trial]) -> float | None:
    """Return F1 of all parts, each with what was chosen without it."""
    hits = false_alarms = 0.0
    true = trials[0].true
    for part in range(len(true)):
        place, at, _ = _choose(trials, part)
        hits += float(trials[place].hits[part, at])
        false_alarms += float(trials[place].false_alarms[part, at])
    return f1_score(hits, false_alarms, max(float(true.sum()) - hits, 0.0))


def _curve(trial: Trial, f1: Floats) -> pd.DataFrame:
    """Return thresholds and their F1, thresholds increasing, thinned, those around the best among them."""
    thresholds, f1 = trial.curve(f1)
    rows = np.arange(len(thresholds))
    if len(rows) > MAX_POINTS:
        best = np.flatnonzero(f1 >= f1.max() - EQUAL_F1)[:_BEST_POINTS]
        rows = np.unique(np.append(np.linspace(0, len(rows) - 1, MAX_POINTS - len(best)).astype(int), best))
    return pd.DataFrame({"threshold": thresholds[rows][::-1], "f1": f1[rows][::-1]})
