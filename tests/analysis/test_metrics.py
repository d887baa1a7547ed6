from __future__ import annotations

import json

import numpy as np
import pytest

from lib.analysis.metrics import label_metrics
from lib.analysis.segments import find_segments
from tests.helpers.arrays import analyse_scores, every, prompt_set, prompts, samples_at, spans_of


@pytest.mark.parametrize(("rate", "stride", "n"), [(24, 10, 42), (30000 / 1001, 7, 101), (25, 1, 50)])
@pytest.mark.parametrize("seed", range(3))
def test_at_a_constant_rate_first_seen_and_duration_are_index_and_count_times_stride_by_rate(
    rate: float, stride: int, n: int, seed: int
) -> None:
    scores = np.random.default_rng(seed).normal(size=(n, 3))
    analysis = analyse_scores(scores, prompt_set("a", "b", "c"), every(stride / rate, n))
    winners = scores.argmax(axis=1)
    for column, metrics in enumerate(analysis.metrics):
        mine = np.flatnonzero(winners == column)
        assert metrics.first_seen_s == pytest.approx(mine[0] * stride / rate, abs=1e-9)
        assert metrics.last_seen_s == pytest.approx((mine[-1] + 1) * stride / rate, abs=1e-9)
        assert metrics.duration_s == pytest.approx(len(mine) * stride / rate, abs=1e-9)
        assert metrics.share == pytest.approx(len(mine) / n)
    assert sum(metrics.duration_s for metrics in analysis.metrics) == pytest.approx(n * stride / rate)


def test_the_last_span_ends_with_the_video() -> None:
    samples = samples_at([0.0, 10 / 24, 20 / 24], 21 / 24)
    analysis = analyse_scores([[0, 1], [0, 1], [1, 0]], prompt_set("a", "b"), samples)
    assert analysis.metrics[0].duration_s == pytest.approx(1 / 24)
    assert analysis.metrics[0].last_seen_s == 21 / 24


def test_metrics_of_several_segments() -> None:
    samples = samples_at([0.5, 1.0, 2.0, 4.0, 5.0], 10.0)
    has = np.array([[1, 0, 1, 0, 0], [0, 0, 0, 0, 0]], dtype=bool).T
    scores = np.array([[0.2, 0.1], [0.4, 0.3], [0.3, 0.3], [0.1, 0.2], [0.1, 0.0]])
    segments = find_segments(has, scores, samples, ["a", "b"])
    a, b = label_metrics(segments, scores, samples, prompts("a", "b", background=("b",)), cosine=scores / 2)
    assert a.to_dict() == {
        "label": "a",
        "role": "target",
        "present": True,
        "first_seen_s": 0.5,
        "last_seen_s": 4.0,
        "duration_s": 2.5,
        "share": 0.25,
        "segments": 2,
        "longest_s": 2.0,
        "mean_score": pytest.approx((0.2 * 0.5 + 0.4 + 0.3 * 2 + 0.1 + 0.1 * 5) / 9.5),
        "peak_score": 0.4,
        "peak_s": 1.0,
        "peak_cosine": 0.2,
    }
    assert (b.role, b.present, b.first_seen_s, b.last_seen_s, b.longest_s) == ("background", False, None, None, None)
    assert (b.duration_s, b.share, b.segments) == (0.0, 0.0, 0)
    assert (b.peak_score, b.peak_s) == (0.3, 1.0)


def test_without_samples_scores_are_unknown_and_nothing_is_present() -> None:
    analysis = analyse_scores([], prompt_set("a"), samples_at([], 3.0))
    (metrics,) = analysis.metrics
    assert (metrics.present, metrics.mean_score, metrics.peak_score, metrics.peak_s) == (False, None, None, None)
    assert analysis.answers == ("not found (there are no samples)",)
    assert analysis.samples_frame().empty
    json.dumps(analysis.to_dict(samples=True), allow_nan=False)


def test_metrics_are_plain_types() -> None:
    for metrics in analyse_scores([[0.1, 0.3], [0.2, 0.1]], prompt_set("a", "b")).metrics:
        assert {type(value) for value in metrics.to_dict().values()} <= {str, bool, float, int, type(None)}


def test_shares_are_of_the_time_between_start_and_end_and_gaps_belong_to_no_label() -> None:
    samples = samples_at([7200.0, 7202.0, 7206.0], 7208.0, gaps_s=[(7204.0, 7206.0)], start_s=7200.0)
    analysis = analyse_scores([[0.9], [0.9], [0.9]], prompt_set("a", decision="threshold", threshold=0.5), samples)
    (metrics,) = analysis.metrics
    assert spans_of(analysis.segments, "a") == [(7200.0, 7204.0), (7206.0, 7208.0)]
    assert (metrics.duration_s, metrics.share) == (6.0, 6 / 8)
