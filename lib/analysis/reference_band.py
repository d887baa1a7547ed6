"""The range of scores that about 100 unrelated phrases reach on a video.

The cosine of a picture and a text has no meaning by itself: it depends on the engine and the pictures, and lies in a
narrow range even for texts that don't fit. Varied everyday phrases show that range: a prompt whose peak lies inside it
may not be in the video at all. A few of the phrases may be in the video; among 100 they hardly change the range.

Conventions: cosines, before smoothing; ``n`` samples, ``r`` phrases.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.analysis.scoring import cosine_scores, prompt_vectors
from lib.core.intervals import Floats
from lib.core.samples import Samples
from lib.prompts.model import Prompt, PromptSet

PHRASES = (
    # things
    "a wooden chair", "a bowl of soup", "a pair of scissors", "an old telephone", "a red umbrella", "a stack of books",
    "a leather shoe", "a birthday cake", "a glass of water", "a broken plate", "a silver spoon", "a wool sweater",
    "a guitar", "a chess board", "a candle", "a suitcase", "a bunch of keys", "a loaf of bread", "a mirror",
    # living things
    "a cat", "a flock of sheep", "a goldfish", "an elephant", "a butterfly", "a spider", "a horse", "a parrot",
    "a sunflower", "a cactus", "a baby", "an old man with a beard", "a nurse", "a chef", "a football player", "a crowd",
    # places
    "a kitchen", "a library", "a desert", "a snowy mountain", "a tropical beach", "a dense forest",
    "a hospital corridor", "a supermarket", "a church", "a classroom", "an airport", "a parking lot", "a farm",
    "a swimming pool", "a bridge", "a tunnel", "a waterfall", "a castle", "an office", "a bedroom",
    # vehicles and machines
    "a bicycle", "a train", "a sailing boat", "a fire truck", "a helicopter", "a tractor", "a washing machine",
    "a satellite", "a robot",
    # actions
    "people dancing", "someone reading a newspaper", "a person swimming", "cooking dinner", "playing the piano",
    "two people shaking hands", "someone climbing a ladder", "children running", "a woman laughing", "a man sleeping",
    "painting a wall", "fishing", "a surgeon at work",
    # weather, light and materials
    "a rainy day", "thick fog", "a sunset", "a starry sky", "a lightning bolt", "a rusty surface", "shiny metal",
    "a marble floor", "a cloud of smoke", "ripples on water",
    # pictures and signs
    "a pencil drawing", "a map", "a line of handwritten text", "a bar chart", "a company logo", "a blurry photo",
    "a black screen", "a close-up of a face", "a screenshot of a website",
    # ideas
    "happiness", "justice", "the number seven", "yesterday",
)  # fmt: skip
"""Varied everyday phrases, all different."""
LOW, HIGH = 0.05, 0.95
"""The band lies between these quantiles."""


@dataclass(frozen=True)
class ReferenceBand:
    """What unrelated phrases reach on one video with one engine."""

    low: float
    """5th percentile over time (by the spans of samples) and phrases."""
    high: float
    """95th percentile."""
    peaks: tuple[float, ...]
    """Highest cosine of each phrase, increasing, ``(r,)``."""

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


def reference_band(samples: Samples, text_vectors: Mapping[str, NDArray[np.float32]]) -> ReferenceBand | None:
    """Return what the phrases in ``text_vectors`` (phrase -> vector) reach on ``samples``; None without either.

    Raises:
        PromptSetError, BadReplyError: as ``lib.analysis.scoring.prompt_vectors`` and ``cosine_scores``.
    """
    if not len(samples) or not text_vectors:
        return None
    phrases = tuple(Prompt(phrase) for phrase in text_vectors)
    cosine = cosine_scores(samples.vectors, prompt_vectors(PromptSet("reference", phrases), text_vectors))
    low, high = _quantiles(cosine, samples.spans_s)
    return ReferenceBand(low, high, tuple(np.sort(cosine.max(axis=0)).tolist()))


def _quantiles(cosine: Floats, spans_s: Floats) -> tuple[float, float]:
    """Return 5th and 95th percentile of all of ``cosine``, each row weighing its span."""
    weights = np.repeat(spans_s, cosine.shape[1])
    low, high = np.quantile(cosine.ravel(), [LOW, HIGH], weights=weights, method="inverted_cdf")
    return float(low), float(high)
