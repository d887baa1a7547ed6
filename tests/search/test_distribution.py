"""The histogram of scores: nothing lost, the range that matters, a place for the threshold."""

from __future__ import annotations

import numpy as np
import pytest

from lib.search.distribution import BARS, score_bars

EDGES = np.linspace(-1, 1, 401)


def histogram_of(scores):
    return np.histogram(scores, bins=EDGES)[0]


def test_every_sample_is_counted_whatever_the_range(rng):
    for _ in range(30):
        scores = np.clip(rng.normal(rng.uniform(-0.5, 0.5), rng.uniform(0.01, 0.3), 500), -1, 1)
        bars = score_bars(EDGES, histogram_of(scores), threshold=float(rng.uniform(-1, 1)))
        assert sum(bars.counts) == pytest.approx(500, abs=0.5)
        assert 1 <= len(bars.counts) <= BARS
        assert bars.low <= bars.suggestion <= bars.high


def test_the_range_is_that_of_the_scores_and_holds_the_threshold():
    counts = histogram_of([0.11, 0.12, 0.19, 0.26])
    bars = score_bars(EDGES, counts)
    assert (bars.low, bars.high) == (0.1, 0.28)
    wide = score_bars(EDGES, counts, threshold=0.5)
    assert (wide.low, wide.high) == (0.1, 0.5)
    assert sum(wide.counts) == pytest.approx(4, abs=0.1)


def test_no_bar_is_narrower_than_a_bin():
    bars = score_bars(EDGES, histogram_of([0.11, 0.12, 0.19]))
    assert len(bars.counts) == round((bars.high - bars.low) / 0.005)


def test_a_threshold_begins_between_the_median_and_the_best():
    counts = histogram_of([0.1] * 50 + [0.2] * 50 + [0.4])
    assert 0.15 <= score_bars(EDGES, counts).suggestion <= 0.31


def test_nothing_counted_is_an_empty_histogram():
    bars = score_bars(EDGES, np.zeros(400, np.int64), estimated=True)
    assert sum(bars.counts) == 0
    assert bars.low < bars.high
    assert bars.estimated
