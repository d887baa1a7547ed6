"""The cosine from which a sample would have a label, everything else unchanged: what a vector is to reach.

Smoothing, hysteresis, bridging and minimum duration are left aside: they work over time, and this is of one sample.
"""

from __future__ import annotations

import numpy as np

from lib.analysis.analysis import Analysis
from lib.analysis.scoring import raw_scores
from lib.core.intervals import Floats


def needed_cosine(analysis: Analysis, column: int) -> Floats:
    """Return the cosine of the label in ``column`` from which each sample would have it, ``(n,)``.

    By its threshold, by the best other label (which always has the higher cosine, whatever the score), or by both,
    depending on the decision. ``-inf`` where nothing decides: a single label with the decision ``best``.
    """
    others = np.delete(analysis.cosine, column, axis=1)
    decision = analysis.prompt_set.settings.decision
    if decision == "best":
        best: Floats = others.max(axis=1, initial=-np.inf)
        return best
    by_threshold = _at_threshold(analysis, column, others)
    if decision == "threshold":
        return by_threshold
    reaching = np.delete(analysis.scores >= analysis.thresholds, column, axis=1)
    needed: Floats = np.maximum(by_threshold, np.where(reaching, others, -np.inf).max(axis=1, initial=-np.inf))
    return needed


def _at_threshold(analysis: Analysis, column: int, others: Floats) -> Floats:
    """Return the cosine at which each sample's score is the threshold, ``(n,)``."""
    settings, threshold = analysis.prompt_set.settings, float(analysis.thresholds[column])
    if settings.score == "probability":
        if not others.shape[1]:
            return np.full(len(others), -np.inf)  # a single prompt always gets 1
        from scipy.special import logit, logsumexp

        rest = logsumexp(settings.logit_scale * others, axis=1)
        reached: Floats = (logit(np.clip(threshold, 1e-9, 1 - 1e-9)) + rest) / settings.logit_scale
        return reached
    if analysis.reference is not None:
        of_sample: Floats = analysis.reference.median + threshold * analysis.reference.scale
        return of_sample
    cosine = analysis.cosine[:, column]
    above: Floats = cosine - raw_scores(analysis.cosine, analysis.prompt_set)[:, column] + threshold
    return above  # the cosine itself, or the margin over what the label's own cosine has no part in
