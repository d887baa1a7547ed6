"""Hints on the wording of prompts: labels that are high on all frames, and phrasings that don't say the same.

Both are relative to the reference phrases, so that they hold for any engine; ``p`` prompts, ``n`` samples.

* **High everywhere**: a wording that scores well on nearly every frame says more about the wording (CLIP likes some
  words) than about the video. A label is told of when the mean of its relative score over time is at least ``HIGH``
  and at least half of its peak, the score that a twentieth of the frames exceed.
* **Unlike phrasings**: the mean of vectors that point apart is near none of them. Averaging subtypes into a class
  costs what averaging paraphrases gains: on ten labels of photographs, F1 of "a dog" fell from 0.78 to 0.58 with "a
  basset" and rose to 0.85 with "a puppy". A phrasing is told of when its cosine with the mean of the others, both less
  the mean of the reference phrases, is below ``UNLIKE``. Of eight labels with the names of their kinds added, that
  tells of four, whose F1 fell by 0.03 to 0.28, and of neither that gained; and of 8 of 100 groups of four captions.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from lib.analysis.analysis import Analysis
from lib.analysis.reference import Reference
from lib.prompts.model import PromptSet

HIGH = 0.75
"""Mean relative score from which a label is high everywhere; 0 is an ordinary unrelated phrase, 1 a high one."""
UNLIKE = 0.5
"""Centred cosine below which a phrasing is unlike the others."""
MIN_SAMPLES = 10


def high_everywhere(analysis: Analysis, reference: Reference) -> dict[str, tuple[float, float]]:
    """Return mean and peak of the relative score of the targets that are high on nearly all frames, by label."""
    spans = analysis.samples.spans_s
    if len(spans) < MIN_SAMPLES or not spans.sum():
        return {}
    relative = reference.relative(analysis.cosine)
    means, peaks = np.average(relative, axis=0, weights=spans), np.quantile(relative, 0.95, axis=0)
    return {
        prompt.label: (float(mean), float(peak))
        for prompt, mean, peak in zip(analysis.prompts, means, peaks, strict=True)
        if prompt.role != "background" and mean >= max(HIGH, peak / 2)
    }


def unlike_phrasings(
    prompt_set: PromptSet, vectors: Mapping[str, NDArray[np.float32]], phrases: NDArray[np.float32]
) -> dict[str, str]:
    """Return the phrasing that is least like the other ones, of the enabled prompts where it is ``UNLIKE``, by label.

    Args:
        prompt_set: prompts with fewer than two phrasings are passed over.
        vectors: of the phrases of ``prompt_set``, ``(d,)``; prompts that lack one are passed over.
        phrases: unit rows of the reference phrases, ``(r, d)``.
    """
    centre = phrases.astype(np.float64).mean(axis=0)
    found = {}
    for prompt in prompt_set.enabled:
        texts = prompt_set.phrases(prompt)
        if len(texts) < 2 or any(text not in vectors for text in texts):
            continue
        rows = np.array([vectors[text] for text in texts], dtype=np.float64)
        rows = rows / np.linalg.norm(rows, axis=1, keepdims=True) - centre
        others = (rows.sum(axis=0) - rows) / (len(rows) - 1)
        sizes = np.linalg.norm(rows, axis=1) * np.linalg.norm(others, axis=1)
        likeness = np.einsum("ij,ij->i", rows, others) / np.maximum(sizes, 1e-12)
        if likeness.min() < UNLIKE:
            found[prompt.label] = prompt.texts[int(likeness.argmin())]
    return found
