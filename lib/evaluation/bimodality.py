"""Whether the scores of a label fall into two groups, present and absent, and where to separate them.

A mixture of two normal distributions is fitted, rather than Otsu's threshold: Otsu divides anything, also a single
group, and assumes equal widths; the mixture says how far apart the groups are and whether two describe the scores
better than one. A split is clear when the groups are apart, two describe the scores much better, there are clearly
fewer scores somewhere between them than around either group's middle (unlike in a uniform distribution), and each group
has at least three samples. Neighbouring samples look alike, so there is less evidence than the criterion assumes;
separation and valley are not affected.

References:
    Separation: Ashman, Bird and Zepf, *Detecting bimodality in astronomical datasets*, 1994: D = sqrt(2) |m1 - m2| /
    sqrt(s1**2 + s2**2); above 2 two groups are apart.
    Evidence: the Bayesian information criterion; Kass and Raftery, *Bayes factors*, 1995: a difference of 10 is very
    strong.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from lib.core.intervals import Floats

MIN_SEPARATION = 2.0
"""Ashman's D from which two groups are apart."""
MIN_EVIDENCE = 10.0
"""Difference of the criteria from which two groups are better than one."""
MIN_GROUP = 3
"""Samples in the smaller group."""
MAX_VALLEY = 0.6
"""Most scores in the emptiest place between the groups, as a share of those around the lower peak."""
_MIN_SAMPLES, _ENOUGH = 10, 2_000
_STARTS = (0.5, 0.9, 0.99)
"""Shares of the scores that the lower group starts with: the label may be rare."""


@dataclass(frozen=True)
class ThresholdSplit:
    """How the scores of a label fall into two groups."""

    threshold: float | None
    """Where a score is as likely of the one group as of the other; None when there is no clear split."""
    separation: float | None
    """Ashman's D; None when there is nothing to divide."""
    evidence: float | None
    """Bayesian information criterion of one group minus that of two; positive speaks for two."""
    means: tuple[float, float] | None
    """Of the lower and of the higher group."""
    share: float | None
    """Of the scores in the higher group, 0 to 1."""

    @property
    def clear(self) -> bool:
        """Whether there is a clear split."""
        return self.threshold is not None

    @property
    def sentence(self) -> str:
        """The result in words."""
        if self.separation is None or self.means is None or self.share is None:
            return "No clear split: there are too few different scores."
        groups = f"groups around {self.means[0]:.3f} and {self.means[1]:.3f}, separation {self.separation:.1f}"
        if self.threshold is None:
            return f"No clear split ({groups})."
        return f"The scores form two groups, split at {self.threshold:.3f}: {self.share * 100:.0f} % above ({groups})."


def suggest_without_truth(scores: Floats) -> ThresholdSplit:
    """Return where the scores of one label, ``(n,)``, fall into two groups."""
    nothing = ThresholdSplit(None, None, None, None, None)
    spread = float(scores.std()) if len(scores) else 0.0
    if len(scores) < _MIN_SAMPLES or len(np.unique(scores)) < 2 * MIN_GROUP or spread < 1e-9:
        return nothing
    centre = float(scores.mean())
    values = np.sort((scores - centre) / spread)[:, None]
    if len(values) > _ENOUGH:  # evenly chosen, the distribution stays what it is
        values = values[np.linspace(0, len(values) - 1, _ENOUGH).astype(int)]
    pair = min((_fit(values, start) for start in _STARTS), key=lambda fitted: float(fitted.bic(values)))
    single = _fit(values, None)
    low, high = np.argsort(pair.means_[:, 0])
    means, widths = pair.means_[[low, high], 0], np.sqrt(pair.covariances_[[low, high], 0, 0])
    weights = pair.weights_[[low, high]]
    separation = float(np.sqrt(2) * (means[1] - means[0]) / np.hypot(*widths))
    evidence = float(single.bic(values) - pair.bic(values))

    def odds(value: float) -> float:
        """Return the logarithm of how much more likely the higher group is."""
        logs = np.log(weights) + stats.norm.logpdf(value, means, widths)
        return float(logs[1] - logs[0])

    threshold = None
    if odds(means[0]) < 0 < odds(means[1]) and separation >= MIN_SEPARATION and evidence >= MIN_EVIDENCE:
        at = float(optimize.brentq(odds, means[0], means[1]))
        above = int((scores >= centre + spread * at).sum())
        if MIN_GROUP <= above <= len(scores) - MIN_GROUP and _valley(values[:, 0], means) <= MAX_VALLEY:
            threshold = centre + spread * at
    lower, higher = (centre + spread * means).tolist()
    return ThresholdSplit(threshold, separation, evidence, (lower, higher), float(weights[1]))


def _valley(values: Floats, means: Floats) -> float:
    """Return the fewest values around a place between the means, divided by those around the lower peak.

    One is added to both, so that a few scores don't look like a valley by chance.
    """
    reach = (means[1] - means[0]) / 6
    around = [
        int((np.abs(values - place) <= reach).sum()) for place in np.linspace(float(means[0]), float(means[1]), 9)
    ]
    return (min(around[1:-1]) + 1) / (min(around[0], around[-1]) + 1)


def _fit(values: Floats, start: float | None) -> GaussianMixture:
    """Return one group, or two that start with the lowest share ``start`` of ``values`` and the rest."""
    if start is None:
        return GaussianMixture(1, random_state=0).fit(values)
    limit = np.quantile(values, start)
    groups = values[values <= limit], values[values > limit]
    if not len(groups[1]):
        groups = values[values < limit], values[values >= limit]
    spread = [max(float(group.var()), 1e-3) for group in groups]
    mixture = GaussianMixture(
        2,
        weights_init=[len(group) / len(values) for group in groups],
        means_init=[[group.mean()] for group in groups],
        precisions_init=[[[1 / variance]] for variance in spread],
        random_state=0,
        max_iter=100,
        tol=1e-5,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a fit that converges slowly is no clear split anyway
        return mixture.fit(values)
