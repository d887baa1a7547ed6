"""What unrelated phrases reach on the samples of one video, and scores relative to it.

The cosine of a picture and a text has no meaning by itself: it depends on the engine and the picture, and lies in a
narrow range even for texts that don't fit. ``lib.prompts.reference_phrases`` shows that range on each sample: a prompt
whose cosine lies inside it may not be there at all. A few of the phrases may be in the video; among 200 they hardly
change the range.

Conventions: cosines, before smoothing; ``n`` samples, ``r`` phrases, ``p`` prompts.

References:
    Median and distance of quantiles as centre and scale: Huber and Ronchetti, *Robust Statistics*, 2009, chapter 5.
    Scores against those of unrelated examples: Auckenthaler, Carey and Lloyd-Thomas, *Score Normalization for
    Text-Independent Speaker Verification Systems*, 2000 (test normalisation), with mean and standard deviation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.analysis.scoring import cosine_scores, prompt_vectors
from lib.core.errors import PromptSetError
from lib.core.intervals import Floats
from lib.core.samples import Samples
from lib.prompts.model import Prompt, PromptSet, Score
from lib.prompts.reference_phrases import PHRASES

LOW, HIGH = 0.05, 0.95
"""The band lies between these quantiles over the phrases."""
MIN_SCALE = 0.002
"""A sample's scale is never less, so that a picture on which all phrases score alike has no huge scores."""
_AT_ONCE = 16_384  # samples whose cosines with the phrases are held at a time


@dataclass(frozen=True, eq=False)
class Reference:
    """What unrelated phrases reach on one video with one engine."""

    median: Floats
    """Median cosine of each sample over the phrases, ``(n,)``."""
    scale: Floats
    """Their 95th percentile minus their median, at least ``MIN_SCALE``, ``(n,)``."""
    low: float
    """5th percentile over the phrases, averaged over time (by the spans of samples)."""
    high: float
    """95th percentile, likewise."""
    low_relative: float
    """5th percentile of their relative scores, likewise; the 95th is 1."""
    peaks: tuple[float, ...]
    """Highest cosine of each phrase, increasing, ``(r,)``."""

    def relative(self, cosine: Floats) -> Floats:
        """Return ``(cosine - median) / (95th percentile - median)`` of each sample, float64 ``(n, p)``.

        0 is an ordinary unrelated phrase, 1 as high as the best twentieth of them. Within a sample the order of
        prompts is that of their cosines.
        """
        relative: Floats = (cosine - self.median[:, None]) / self.scale[:, None]
        return relative

    def range_of(self, score: Score) -> tuple[float, float] | None:
        """Return the range that 90 % of the phrases' scores reach, averaged over time; None where it has no meaning."""
        if score == "cosine":
            return self.low, self.high
        return (self.low_relative, 1.0) if score == "relative" else None

    def above(self, peak: float) -> int:
        """Return how many phrases' peaks lie below ``peak``."""
        return int(np.searchsorted(np.array(self.peaks), peak, side="left"))

    def inside(self, peak: float) -> bool:
        """Return whether ``peak`` lies in the band, or below it."""
        return peak <= self.high

    def place(self, peak: float) -> str:
        """Return how a prompt's highest cosine compares with these phrases, in words."""
        count = len(self.peaks)
        above = self.above(peak)
        if self.inside(peak):
            return f"{peak:.2f}, inside the range of unrelated text: treat with care"
        if above == count:
            return f"{peak:.2f}, above all {count} reference phrases"
        care = ": treat with care" if above < count / 2 else ""
        return f"{peak:.2f}, above {above or 'none'} of {count} reference phrases{care}"


def reference_vectors(text_vectors: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
    """Return the phrases' vectors as unit rows, each once, float32 ``(r, d)``.

    A model of few words may give the same vector to several phrases, which would count that one many times.

    Args:
        text_vectors: phrase -> vector ``(d,)`` of any length but 0; what is no reference phrase is passed over.

    Raises:
        PromptSetError: a phrase has no vector.
        BadReplyError: as ``lib.analysis.scoring.prompt_vectors``.
    """
    missing = sum(phrase not in text_vectors for phrase in PHRASES)
    if missing:
        raise PromptSetError(
            f"{missing} of {len(PHRASES)} reference phrases have no vector yet, which relative scores and pictures "
            "are compared with; wait for them, or choose the score cosine and no pictures."
        )
    phrases = PromptSet("reference", tuple(Prompt(phrase) for phrase in PHRASES))
    rows = prompt_vectors(phrases, text_vectors)
    distinct = np.unique(np.round(rows, 4), axis=0, return_index=True)[1]
    return rows[np.sort(distinct)]


def reference_of(samples: Samples, phrases: NDArray[np.float32]) -> Reference:
    """Return what the reference phrases reach on ``samples``: one matrix product, and a sort of each sample's row.

    Args:
        samples: of one video.
        phrases: unit rows of the phrases as ``reference_vectors`` gives them, float32 ``(r, d)``, r at least 1.

    Raises:
        BadReplyError: vectors of samples and phrases don't fit each other.
    """
    quantiles = np.empty((len(samples), 3))
    peaks = np.full(len(phrases), -1.0)
    for first in range(0, len(samples), _AT_ONCE):
        cosine = cosine_scores(samples.vectors[first : first + _AT_ONCE], phrases)
        np.maximum(peaks, cosine.max(axis=0), out=peaks)
        quantiles[first : first + _AT_ONCE] = _quantiles(cosine)
    low, median, high = quantiles.T
    scale = _scale(median, high)
    spans = samples.spans_s / (samples.spans_s.sum() or 1.0)
    return Reference(
        median=median,
        scale=scale,
        low=float(low @ spans),
        high=float(high @ spans),
        low_relative=float((low - median) / scale @ spans),
        peaks=tuple(np.sort(peaks).tolist()),
    )


def median_and_scale(vectors: NDArray[np.float32], phrases: NDArray[np.float32]) -> Floats:
    """Return ``Reference.median`` and ``Reference.scale`` of samples, float64 ``(n, 2)``.

    Args:
        vectors: unit rows of samples, float32 ``(n, d)``.
        phrases: as ``reference_of`` takes them.

    Raises:
        BadReplyError: vectors of samples and phrases don't fit each other.
    """
    _, median, high = _quantiles(cosine_scores(vectors, phrases)).T
    return np.stack([median, _scale(median, high)], axis=1)


def _scale(median: Floats, high: Floats) -> Floats:
    return np.maximum(high - median, MIN_SCALE)


def _quantiles(cosine: Floats) -> Floats:
    """Return 5th percentile, median and 95th percentile of each row, linear between its values, ``(n, 3)``."""
    # np.quantile gives the same and takes five times as long: NumPy sorts short rows faster than it selects from them.
    cosine.sort(axis=1)
    places = np.array([LOW, 0.5, HIGH]) * (cosine.shape[1] - 1)
    below = places.astype(int)
    above = np.minimum(below + 1, cosine.shape[1] - 1)
    quantiles: Floats = cosine[:, below] + (places - below) * (cosine[:, above] - cosine[:, below])
    return quantiles
