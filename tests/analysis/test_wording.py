"""Hints on wording: labels that are high everywhere, phrasings that don't say the same."""

from __future__ import annotations

import numpy as np
import pytest

from lib.analysis.analysis import analyse
from lib.analysis.reference import Reference
from lib.analysis.wording import MIN_SAMPLES, high_everywhere, unlike_phrasings
from lib.prompts.model import Prompt, PromptSet
from tests.helpers.arrays import every, prompts, unit_rows

N = 100


def relative(scores: list[np.ndarray], *, background: tuple[str, ...] = ()) -> dict[str, tuple[float, float]]:
    """Return what is told of labels "a", "b"… with these relative scores."""
    labels = "abcdef"[: len(scores)]
    n = len(scores[0])
    reference = Reference(np.full(n, 0.2), np.full(n, 0.04), 0.1, 0.24, -1.0, (0.3,))
    cosine = 0.2 + 0.04 * np.array(scores).T
    chosen = PromptSet("t", prompts(*labels, background=background))
    return high_everywhere(analyse(every(1.0, n), chosen, {}, cosine=cosine), reference)


def test_a_label_that_is_high_on_all_frames_is_told_of_and_one_with_peaks_is_not() -> None:
    always = 1.0 + 0.1 * np.sin(np.arange(N))
    sometimes = np.where(np.arange(N) % 10 < 2, 2.5, 0.1)
    often = np.where(np.arange(N) % 10 < 5, 3.0, 0.0)  # a mean of 1.5, but half of its peak is not on nearly all frames
    low = np.full(N, 0.3)

    found = relative([always, sometimes, low])
    assert list(found) == ["a"]
    assert found["a"] == pytest.approx((always.mean(), np.quantile(always, 0.95)), abs=1e-6)
    assert "a" not in relative([often - 0.1])


def test_backgrounds_and_short_videos_are_not_told_of() -> None:
    always = np.full(N, 1.2)

    assert relative([always, always], background=("b",)).keys() == {"a"}
    assert relative([always[: MIN_SAMPLES - 1]]) == {}


def test_time_counts_and_not_samples() -> None:
    from tests.helpers.arrays import samples_at

    times = np.append(np.arange(50) * 0.01, 1.0 + np.arange(50))
    scores = np.where(np.arange(100) < 50, 2.0, 0.2)
    reference = Reference(np.zeros(100), np.ones(100), -1, 1, -1, (0.5,))
    analysis = analyse(samples_at(times.tolist(), 51.0), PromptSet("t", prompts("a")), {}, cosine=scores[:, None] / 2)
    assert high_everywhere(analysis, reference) == {}


def test_the_phrasing_unlike_the_others_is_named_and_paraphrases_are_not() -> None:
    rng = np.random.default_rng(0)
    axes = np.eye(32)
    phrases = axes[0] + 0.3 * unit_rows(rng, 50, 32)
    phrases = (phrases / np.linalg.norm(phrases, axis=1, keepdims=True)).astype(np.float32)
    dog, hound, basset, other = (
        (axes[0] + 0.6 * axis).astype(np.float32)
        for axis in (axes[1], axes[1] + 0.4 * axes[2], axes[3], axes[1] + 0.4 * axes[4])
    )
    vectors = {"a dog": dog, "a hound": hound, "a basset": basset, "a canine": other}

    def told(*texts: str) -> dict[str, str]:
        return unlike_phrasings(PromptSet("t", (Prompt("dog", texts),), "a {}"), vectors, phrases)

    assert told("dog", "hound", "canine") == {}
    assert told("dog", "hound", "basset", "canine") == {"dog": "basset"}
    assert told("dog", "basset").keys() == {"dog"}
    assert told("dog") == {}
    assert told("dog", "never embedded") == {}
