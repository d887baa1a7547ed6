from __future__ import annotations

import numpy as np
import pytest

from lib.core.intervals import Floats
from lib.evaluation.bimodality import MIN_EVIDENCE, MIN_SEPARATION, suggest_without_truth

RNG = np.random.default_rng(0)


def normal(mean: float, width: float, n: int) -> Floats:
    return RNG.normal(mean, width, n)


@pytest.mark.parametrize(
    ("low", "high", "between"),
    [
        (normal(0.20, 0.02, 500), normal(0.30, 0.02, 500), (0.24, 0.26)),
        (normal(0.20, 0.02, 9950), normal(0.30, 0.01, 50), (0.26, 0.29)),
        (normal(0.20, 0.01, 30), normal(0.25, 0.01, 10), (0.21, 0.24)),
        (normal(-0.1, 0.03, 200), normal(0.5, 0.2, 800), (-0.05, 0.15)),
    ],
)
def test_two_groups_are_split_between_them(low: Floats, high: Floats, between: tuple[float, float]) -> None:
    found = suggest_without_truth(np.concatenate([low, high]))
    assert found.clear
    assert found.threshold is not None
    assert found.separation is not None
    assert between[0] < found.threshold < between[1]
    assert found.separation > 2
    assert found.means == pytest.approx((low.mean(), high.mean()), abs=0.02)
    assert found.share == pytest.approx(len(high) / (len(low) + len(high)), abs=0.05)
    assert found.sentence.startswith(f"The scores form two groups, split at {found.threshold:.3f}: ")


def test_the_separation_is_ashmans() -> None:
    low, high = normal(0, 1, 4000), normal(6, 2, 4000)
    found = suggest_without_truth(np.concatenate([low, high]))
    assert found.separation == pytest.approx(np.sqrt(2) * 6 / np.sqrt(1 + 4), rel=0.1)


@pytest.mark.parametrize(
    "scores",
    [
        normal(0.2, 0.02, 1000),
        RNG.uniform(size=3000),
        RNG.exponential(size=3000),
        RNG.standard_t(3, size=3000),
        np.concatenate([normal(0, 1, 500), normal(1.5, 1, 500)]),
        np.append(normal(0, 1, 200), 50.0),
        np.linspace(0, 1, 40),
    ],
)
def test_one_group_has_no_clear_split_and_its_separation_is_stated(scores: Floats) -> None:
    found = suggest_without_truth(scores)
    assert not found.clear
    assert found.separation is not None
    assert found.sentence.startswith("No clear split (groups around ")
    assert f"separation {found.separation:.1f}" in found.sentence


@pytest.mark.parametrize("scores", [[], [0.3], [0.1, 0.2, 0.9], [0.5] * 100, [0.0] * 50 + [1.0] * 50])
def test_with_too_few_different_scores_nothing_is_divided(scores: list[float]) -> None:
    found = suggest_without_truth(np.array(scores))
    assert (found.threshold, found.separation, found.means) == (None, None, None)
    assert found.sentence == "No clear split: there are too few different scores."


def test_the_same_scores_give_the_same_split_whatever_their_order_and_unit() -> None:
    scores = np.concatenate([normal(0.2, 0.02, 300), normal(0.3, 0.02, 200)])
    found, shuffled = suggest_without_truth(scores), suggest_without_truth(RNG.permutation(scores))
    scaled = suggest_without_truth(scores * 1000 - 7)
    assert shuffled.threshold == pytest.approx(found.threshold)
    assert found.threshold is not None
    assert scaled.threshold == pytest.approx(found.threshold * 1000 - 7)


def test_two_groups_of_a_few_scores_are_no_evidence() -> None:
    rng = np.random.default_rng(0)
    few = np.concatenate([rng.normal(0.2, 0.03, 10), rng.normal(0.32, 0.03, 10)])
    found = suggest_without_truth(few)
    assert found.separation is not None
    assert found.evidence is not None
    assert found.separation > MIN_SEPARATION
    assert 0 < found.evidence < MIN_EVIDENCE
    assert found.sentence.startswith("No clear split (groups around ")
