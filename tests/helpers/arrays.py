"""Samples and prompt sets whose cosines are chosen, and slow loops that say what fast code should give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.analysis.analysis import Analysis, analyse
from lib.core.samples import Samples
from lib.prompts.model import Prompt, PromptSet, Settings


def unit_rows(rng: np.random.Generator, n: int, d: int) -> NDArray[np.float32]:
    """Return ``n`` random directions, float32 ``(n, d)``."""
    rows = rng.normal(size=(n, d))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def samples_at(
    times_s: Sequence[float],
    end_s: float,
    vectors: NDArray[np.float32] | None = None,
    *,
    gaps_s: Sequence[tuple[float, float]] = (),
    start_s: float = 0.0,
) -> Samples:
    """Return samples at these times; without vectors all look the same."""
    n = len(times_s)
    if vectors is None:
        vectors = np.tile(np.array([[1.0, 0.0]], dtype=np.float32), (n, 1))
    gaps = np.array(gaps_s, dtype=float).reshape(-1, 2)
    return Samples(np.arange(n) * 10, np.array(times_s, dtype=float), vectors, end_s, gaps, start_s)


def every(step_s: float, n: int, vectors: NDArray[np.float32] | None = None) -> Samples:
    """Return ``n`` samples ``step_s`` apart, the first at 0; the video ends one step after the last."""
    return samples_at([i * step_s for i in range(n)], n * step_s, vectors)


def prompts(*labels: str, background: Sequence[str] = ()) -> tuple[Prompt, ...]:
    """Return one prompt per label, those in ``background`` with that role."""
    return tuple(Prompt(label, role="background" if label in background else "target") for label in labels)


def prompt_set(*labels: str, background: Sequence[str] = (), **settings: Any) -> PromptSet:
    """Return a prompt set with these labels and settings."""
    return PromptSet("test", prompts(*labels, background=background), settings=Settings(**settings))


def analyse_scores(
    scores: Sequence[Sequence[float]] | NDArray[np.float64], chosen: PromptSet, samples: Samples | None = None
) -> Analysis:
    """Return the analysis when ``scores`` ``(n, p)`` are the cosines; without samples they are 1 s apart."""
    cosine = np.array(scores, dtype=float).reshape(-1, len(chosen.enabled))
    return analyse(every(1.0, len(cosine)) if samples is None else samples, chosen, {}, cosine=cosine)


def spans_of(segments: Sequence[Any], label: str) -> list[tuple[float, float]]:
    """Return start and end of a label's segments, to the microsecond."""
    return [(round(s.start_s, 6), round(s.end_s, 6)) for s in segments if s.label == label]
