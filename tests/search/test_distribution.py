"""The distribution of scores, and its histogram."""

from __future__ import annotations

import numpy as np
import pytest

from lib.search.distribution import MAX_BARS, Distribution

EDGES = np.linspace(-1, 1, 401)


def distribution_of(scores):
    return Distribution(EDGES, np.histogram(scores, bins=EDGES)[0], estimated=False)


def test_every_sample_is_counted_whatever_the_range(rng):
    for _ in range(30):
        scores = np.clip(rng.normal(rng.uniform(-0.5, 0.5), rng.uniform(0.01, 0.3), 500), -1, 1)
        bars = distribution_of(scores).histogram(float(rng.uniform(-1, 1)))
        assert sum(bars.counts) == pytest.approx(500, abs=0.5)
        assert 1 <= len(bars.counts) <= MAX_BARS
        assert bars.low <= bars.suggestion <= bars.high


def test_the_range_is_that_of_the_scores_and_holds_the_threshold():
    distribution = distribution_of([0.11, 0.12, 0.19, 0.26])
    bars = distribution.histogram()
    assert (bars.low, bars.high) == (0.1, 0.28)
    wide = distribution.histogram(0.5)
    assert (wide.low, wide.high) == (0.1, 0.5)
    assert sum(wide.counts) == pytest.approx(4, abs=0.1)


def test_no_bar_is_narrower_than_a_bin():
    bars = distribution_of([0.11, 0.12, 0.19]).histogram()
    assert len(bars.counts) == round((bars.high - bars.low) / 0.005)


def test_the_suggestion_lies_between_the_median_and_the_best():
    scores = [0.1] * 50 + [0.2] * 50 + [0.4]
    assert 0.15 <= distribution_of(scores).histogram().suggestion <= 0.31


def test_nothing_counted_is_an_empty_histogram():
    bars = Distribution(EDGES, np.zeros(400, np.int64), estimated=True).histogram()
    assert sum(bars.counts) == 0
    assert bars.low < bars.high
    assert bars.estimated


def test_the_distribution_counts_every_sample() -> None:
    distribution = Distribution.of(np.array([-1, 0.101, 0.104, 1], np.float32))

    assert distribution.counts.sum() == 4
    assert distribution.counts[(distribution.edges[:-1] <= 0.102) & (distribution.edges[1:] > 0.102)].tolist() == [2]
    assert not distribution.estimated


def test_a_weighted_distribution_is_an_estimate() -> None:
    distribution = Distribution.of(np.array([0.1, 0.2], np.float32), np.array([50.0, 1.0]))

    assert distribution.counts.sum() == 51
    assert distribution.estimated


def test_relative_scores_have_a_range_of_their_own(rng) -> None:
    scores = rng.normal(0, 2, 5_000).astype(np.float32)
    distribution = Distribution.of(scores, kind="relative")
    bars = distribution.histogram(1.25)

    assert distribution.counts.sum() == 5_000
    assert np.diff(distribution.edges) == pytest.approx(0.05)
    assert bars.low <= scores.min() < bars.low + 0.25
    assert bars.high - 0.25 < scores.max() <= bars.high
    share = sum(count for at, count in enumerate(bars.counts) if at >= len(bars.counts) / 2)
    middle = (bars.low + bars.high) / 2
    assert share == pytest.approx((scores >= middle).sum(), abs=60)


@pytest.mark.parametrize("scores", [[], [500.0, -500.0, 0.0], [0.7]])
def test_any_range_has_a_bounded_number_of_bins(scores) -> None:
    distribution = Distribution.of(np.array(scores, np.float32), kind="relative")

    assert distribution.counts.sum() == len(scores)
    assert 1 <= len(distribution.counts) <= 4_001
    assert len(distribution.edges) == len(distribution.counts) + 1
    for score in scores:
        assert distribution.edges[0] <= score <= distribution.edges[-1]
