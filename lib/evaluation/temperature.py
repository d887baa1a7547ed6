"""The logit scale (inverse temperature) that makes probabilities mean what they say, by the ground truth.

The score ``probability`` is ``softmax(logit_scale * cosine)`` over the enabled prompts. The fitted scale has the lowest
log loss by time over the moments at which the truth has exactly one of the prompts' labels, or none of them while there
is a background prompt; the probabilities of background prompts then count together. Log loss is a convex function of
the scale as long as one prompt is right, so one search finds its minimum.

Whether it is better is decided on left-out segments: each stretch of constant truth gets its loss with the scale that
was fitted without its part (at most ``MAX_PARTS`` parts of neighbouring stretches), and the difference in mean loss has
the interval of ``lib.evaluation.bootstrap``.

References:
    Temperature scaling and the reliability diagram: Guo et al., *On Calibration of Modern Neural Networks*, ICML 2017.
    Bins of equal count: Nguyen and O'Connor, *Posterior Calibration and Exploratory Analysis for Natural Language
    Processing Models*, EMNLP 2015. Expected calibration error: Naeini, Cooper and Hauskrecht, *Obtaining Well
    Calibrated Probabilities Using Bayesian Binning*, AAAI 2015.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, logsumexp

from lib.analysis.analysis import Analysis
from lib.core.intervals import Bools, Floats, Ints
from lib.core.labelled_intervals import TrueSegment
from lib.evaluation.alignment import align
from lib.evaluation.bootstrap import mean_difference
from lib.prompts.model import LOGIT_SCALES

MAX_PARTS = 50
"""Parts that are left out one after the other."""
MIN_PARTS = 3
"""Parts from which left-out ones can tell whether another scale is better."""
BINS = 10
_CLOSE = 0.01


@dataclass(frozen=True)
class TemperatureFit:
    """The logit scale that fits the truth best."""

    now: float
    """The current one."""
    scale: float
    """The fitted one, 1 to 200."""
    loss_now: float
    """Mean log loss over the truth, in nats."""
    loss: float | None
    """Mean log loss on left-out parts, each with the scale fitted without it; None with fewer than three."""
    low: float | None
    """Lower end of the 95 % interval of ``loss - loss_now``; None with ``loss``."""
    high: float | None
    """Upper end; below 0 the fitted scale is better."""

    @property
    def better(self) -> bool:
        """Whether the interval lies below 0."""
        return self.high is not None and self.high < 0

    @property
    def sentence(self) -> str:
        """The result in words."""
        if self.loss is None or self.low is None or self.high is None:
            return f"The logit scale stays at {self.now:.0f}: fewer than {MIN_PARTS} true stretches can't tell."
        figures = (
            f"log loss on left-out segments {self.loss_now:.2f} → {self.loss:.2f}; the 95 % interval of the difference "
            f"is {self.low + 0.0:.2f} to {self.high + 0.0:.2f}"
        )
        if self.better:
            return f"A logit scale of {self.scale:.0f} instead of {self.now:.0f} is better: {figures}."
        return (
            f"The logit scale stays at {self.now:.0f}, as {self.scale:.0f} is not shown to be better: {figures}, "
            "not below 0."
        )


@dataclass(frozen=True, eq=False)
class _Moments:
    """Pieces of time at which one prompt, or the background, is right; ``m`` pieces, ``p`` prompts."""

    cosine: Floats
    """``(m, p)``."""
    right: Bools
    """The prompts that are right, ``(m, p)``."""
    seconds: Floats
    """``(m,)``."""
    stretch: Ints
    """The stretch of constant truth that each belongs to, increasing, ``(m,)``."""

    def losses(self, scale: float) -> Floats:
        """Return the log loss of each piece, ``(m,)``."""
        logs = log_softmax(scale * self.cosine, axis=1)
        loss: Floats = -logsumexp(np.where(self.right, logs, -np.inf), axis=1)
        return loss


def _moments(marked: Sequence[tuple[Analysis, Sequence[TrueSegment]]]) -> _Moments | None:
    """Return what counts of several videos; None where nothing does."""
    found: list[tuple[Floats, Bools, Floats, Ints]] = []
    stretches = 0
    for analysis, truth in marked:
        alignment = align(analysis.samples, analysis.labels, truth)
        there = alignment.truth[:, : len(analysis.labels)]
        background = np.array([prompt.role == "background" for prompt in analysis.prompts], dtype=bool)
        nothing: Bools = (there.sum(axis=1) == 0) & background.any()
        right: Bools = np.where(nothing[:, None], background, there)
        usable = (nothing | (there.sum(axis=1) == 1)) & (alignment.seconds > 0)
        if not truth or not usable.any():
            continue
        changes = np.any(alignment.truth[1:] != alignment.truth[:-1], axis=1)
        stretch = np.concatenate([[0], np.cumsum(changes)])[usable]
        stretch = np.unique(stretch, return_inverse=True)[1] + stretches
        stretches = int(stretch[-1]) + 1
        found.append((analysis.cosine[alignment.rows[usable]], right[usable], alignment.seconds[usable], stretch))
    if not found:
        return None
    return _Moments(*(np.concatenate(arrays) for arrays in zip(*found, strict=True)))


def fit_temperature(marked: Sequence[tuple[Analysis, Sequence[TrueSegment]]]) -> TemperatureFit | None:
    """Return the logit scale with the lowest log loss over the truth of videos analysed with the same prompt set.

    None where a probability is always 1, for a single prompt, or the truth has no moment that counts.
    """
    moments = _moments(marked)
    if moments is None or moments.cosine.shape[1] < 2:
        return None
    now = marked[0][0].prompt_set.settings.logit_scale
    scale = _best(moments, np.ones(len(moments.seconds), dtype=bool))
    losses_now = moments.losses(now)
    loss_now = float(np.average(losses_now, weights=moments.seconds))
    stretches = int(moments.stretch[-1]) + 1
    parts = min(stretches, MAX_PARTS)
    if parts < MIN_PARTS:
        return TemperatureFit(now, scale, loss_now, None, None, None)
    part = moments.stretch * parts // stretches
    losses = np.empty_like(losses_now)
    for left_out in range(parts):
        rows = part == left_out
        losses[rows] = moments.losses(_best(moments, ~rows))[rows]
    before, after, seconds = (
        np.bincount(moments.stretch, moments.seconds * values).astype(np.float64)
        for values in (losses_now, losses, np.ones_like(losses))
    )
    low, high = mean_difference(before, after, seconds, seed=0)
    return TemperatureFit(now, scale, loss_now, float(np.average(losses, weights=moments.seconds)), low, high)


def _best(moments: _Moments, rows: Bools) -> float:
    """Return the scale with the lowest mean loss over some pieces, to a hundredth or a whole one."""
    chosen = _Moments(moments.cosine[rows], moments.right[rows], moments.seconds[rows], moments.stretch[rows])

    def loss(scale: float) -> float:
        return float(chosen.seconds @ chosen.losses(scale))

    found = minimize_scalar(loss, bounds=LOGIT_SCALES, method="bounded", options={"xatol": _CLOSE})
    low, high = LOGIT_SCALES
    return float(min((low, round(float(found.x), 1), high), key=loss))


@dataclass(frozen=True, eq=False)
class Reliability:
    """How often the best label is right, by its probability."""

    frame: pd.DataFrame
    """One row per bin: ``low``, ``high`` and ``confidence`` (mean) of the probability, ``accuracy``, ``seconds``."""
    ece: float
    """Expected calibration error: mean of ``abs(accuracy - confidence)`` by time."""


def reliability(analysis: Analysis, truth: Sequence[TrueSegment], scale: float | None = None) -> Reliability | None:
    """Return the reliability of the softmax's best label, in bins of equal time.

    Args:
        analysis: of any score; its cosines count, before smoothing.
        truth: of the video.
        scale: the logit scale; None: the settings' one.

    Returns:
        None where the truth has no moment that counts (see the module), or there is a single prompt.
    """
    moments = _moments([(analysis, truth)])
    if moments is None or moments.cosine.shape[1] < 2:
        return None
    scale = analysis.prompt_set.settings.logit_scale if scale is None else scale
    probability = np.exp(log_softmax(scale * moments.cosine, axis=1))
    confidence, best = probability.max(axis=1), probability.argmax(axis=1)
    right = moments.right[np.arange(len(best)), best]
    order = np.argsort(confidence, kind="stable")
    confidence, right, seconds = confidence[order], right[order], moments.seconds[order]
    middle = np.cumsum(seconds) - seconds / 2
    place = np.minimum((middle / seconds.sum() * BINS).astype(int), BINS - 1)
    frame = pd.DataFrame({"place": place, "confidence": confidence, "right": right * seconds, "seconds": seconds})
    frame["weighted"] = confidence * seconds
    bins = frame.groupby("place").agg(
        low=("confidence", "min"), high=("confidence", "max"), weighted=("weighted", "sum"), right=("right", "sum"),
        seconds=("seconds", "sum"),
    )  # fmt: skip
    bins["confidence"], bins["accuracy"] = bins["weighted"] / bins["seconds"], bins["right"] / bins["seconds"]
    ece = float(np.average((bins["accuracy"] - bins["confidence"]).abs(), weights=bins["seconds"]))
    return Reliability(bins[["low", "high", "confidence", "accuracy", "seconds"]].reset_index(drop=True), ece)
