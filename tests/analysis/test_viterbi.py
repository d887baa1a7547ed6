from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.linalg import expm
from scipy.special import softmax

from lib.analysis.segments import decide
from lib.analysis.viterbi import RELATIVE_UNIT, best_path, evidence, on_off_paths, switch_costs
from lib.core.samples import Samples
from lib.prompts.model import Settings, Smoothing
from tests.helpers.arrays import analyse_scores, every, prompt_set, samples_at, spans_of

DECISIONS = ("best", "threshold", "best_threshold")
SCORES = ("relative", "cosine", "probability", "margin")
NUMBERS = st.floats(-3, 3)


def viterbi(stay_s: float = 5.0, **more: Any) -> Settings:
    return Settings(smoothing=Smoothing("viterbi", stay_s=stay_s), **more)


def none(samples: Samples) -> NDArray[np.bool_]:
    return np.zeros(len(samples), dtype=bool)


def total(path: Any, values: NDArray[np.float64], costs: NDArray[np.float64]) -> float:
    """What a path is worth, with costs[0] not looked at."""
    worth = sum(values[i, state] for i, state in enumerate(path))
    return float(worth - sum(costs[i] for i in range(1, len(path)) if path[i] != path[i - 1]))


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_no_other_path_is_worth_more(data: st.DataObject) -> None:
    n, k = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 3))
    values = data.draw(arrays(np.float64, (n, k), elements=NUMBERS))
    costs = data.draw(arrays(np.float64, n, elements=st.sampled_from([0.0, 0.5, 2.0, 20.0])))
    path = best_path(values.copy(), costs)
    best = max(total(other, values, costs) for other in product(range(k), repeat=n))
    assert total(path, values, costs) == pytest.approx(best, abs=1e-9)


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_a_label_that_is_there_or_not_is_a_path_of_two_states(data: st.DataObject) -> None:
    n, p = data.draw(st.integers(1, 7)), data.draw(st.integers(1, 3))
    leads = data.draw(arrays(np.float64, (n, p), elements=NUMBERS))
    costs = data.draw(arrays(np.float64, n, elements=st.sampled_from([0.0, 0.5, 2.0, 20.0])))
    found = on_off_paths(leads, costs)
    for column in range(p):
        values = np.column_stack([np.zeros(n), leads[:, column]])
        best = max(total(other, values, costs) for other in product(range(2), repeat=n))
        assert total(found[:, column].astype(int), values, costs) == pytest.approx(best, abs=1e-9)


def test_of_equal_paths_the_one_that_stays_is_taken() -> None:
    costs = np.array([0.0, 1.0, 1.0])
    assert best_path(np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]), costs).tolist() == [1, 1, 1]
    assert best_path(np.zeros((3, 2)), costs).tolist() == [0, 0, 0]
    assert on_off_paths(np.array([[1.0], [-1.0], [-1.0]]), costs).tolist() == [[False], [False], [False]]
    assert on_off_paths(np.array([[0.0], [-1.0], [0.0]]), np.zeros(3)).tolist() == [[True], [False], [True]]


@pytest.mark.parametrize("k", [2, 3, 7])
@pytest.mark.parametrize("dt", [0.04, 1 / 3, 5.0, 100.0])
def test_a_switch_costs_what_a_chain_in_continuous_time_says(k: int, dt: float) -> None:
    stay_s = 4.0
    rates = np.full((k, k), 1 / stay_s / (k - 1))
    np.fill_diagonal(rates, -1 / stay_s)
    chances = expm(rates * dt)
    samples = samples_at([0.0, dt], 2 * dt)
    cost = switch_costs(k, viterbi(stay_s), samples, none(samples))[1]
    assert cost == pytest.approx(np.log(chances[0, 0] / chances[0, 1]), rel=1e-6, abs=1e-12)


def test_samples_that_lie_farther_apart_switch_at_less_cost() -> None:
    samples = samples_at([0.0, 0.1, 1.0, 11.0, 1e6], 2e6)
    costs = switch_costs(3, viterbi(), samples, none(samples))
    assert (np.diff(costs[1:]) < 0).all()
    assert costs[-1] == 0.0


@pytest.mark.parametrize("decision", DECISIONS)
@pytest.mark.parametrize("score", SCORES)
def test_without_an_expected_stay_each_sample_decides_for_itself(
    decision: Any, score: Any, rng: np.random.Generator
) -> None:
    scores, thresholds = rng.random((200, 4)), np.array([0.5, 0.7, 0.6, 0.9])
    alone = decide(scores, thresholds, Settings(score=score, decision=decision))
    found = decide(scores, thresholds, viterbi(0.0, score=score, decision=decision), every(1.0, 200))
    np.testing.assert_array_equal(found, alone)


@pytest.mark.parametrize("decision", DECISIONS)
def test_a_single_faint_sample_does_not_interrupt_and_a_long_stretch_does(decision: Any) -> None:
    scores = np.tile([0.26, 0.2], (60, 1))
    scores[10] = [0.19, 0.22]
    scores[30:45] = [0.2, 0.26]
    found = analyse_scores(
        scores,
        prompt_set("a", "b", decision=decision, threshold=0.23, smoothing=Smoothing("viterbi")),
        every(0.25, 60),
    )
    assert spans_of(found.segments, "a") == [(0.0, 7.5), (11.25, 15.0)]
    assert spans_of(found.segments, "b") == [(7.5, 11.25)]
    np.testing.assert_array_equal(found.scores, found.raw)  # what is smoothed is the decision


def test_best_above_threshold_has_a_state_for_none_of_the_labels() -> None:
    scores = np.full((60, 2), 0.15)
    scores[20:40, 1] = 0.25
    scores[50, 0] = 0.21
    settings = {"decision": "best_threshold", "threshold": 0.2, "smoothing": Smoothing("viterbi")}
    found = analyse_scores(scores, prompt_set("a", "b", **settings), every(0.25, 60))
    assert [(s.label, s.start_s, s.end_s) for s in found.segments] == [("b", 5.0, 10.0)]
    assert "only in pieces too short or too faint for an expected stay of 5 s" in found.answers[0]


def test_a_longer_stay_never_switches_more_often(rng: np.random.Generator) -> None:
    scores = 0.2 + 0.02 * rng.normal(size=(400, 5))
    samples = every(0.3, 400)
    switches = []
    for stay_s in (0.0, 0.5, 2.0, 10.0, 60.0, 86_400.0):
        found = decide(scores, np.zeros(5), viterbi(stay_s), samples)
        switches.append(np.count_nonzero(np.diff(found.argmax(axis=1))))
    assert switches == sorted(switches, reverse=True)
    assert switches[0] > 300
    assert switches[-1] < 10


@pytest.mark.parametrize("decision", DECISIONS)
def test_a_gap_without_samples_and_a_cut_end_a_chain(decision: Any, rng: np.random.Generator) -> None:
    scores = 0.2 + 0.02 * rng.normal(size=(80, 3))
    thresholds = np.full(3, 0.2)
    scores[:39, 0] += 0.015
    scores[39:, 1] += 0.015
    chosen = viterbi(60.0, decision=decision)
    times = [0.5 * i + (10 if i >= 40 else 0) for i in range(80)]
    gap = samples_at(times, 50.0, gaps_s=[(20.0, 30.0)])
    halves = [
        decide(scores[:40], thresholds, chosen, every(0.5, 40)),
        decide(scores[40:], thresholds, chosen, every(0.5, 40)),
    ]
    np.testing.assert_array_equal(decide(scores, thresholds, chosen, gap), np.concatenate(halves))
    cuts = np.arange(80) == 40
    cut = decide(scores, thresholds, chosen, every(0.5, 80), cuts)
    np.testing.assert_array_equal(cut, np.concatenate(halves))
    assert (decide(scores, thresholds, chosen, every(0.5, 80)) != cut).any()


def test_twice_as_many_samples_of_the_same_picture_find_the_same(rng: np.random.Generator) -> None:
    scores = np.repeat(0.2 + 0.015 * rng.normal(size=(60, 3)), 2, axis=0)
    sparse = decide(np.repeat(scores, 2, axis=0), np.zeros(3), viterbi(), every(0.25, 240))
    dense = decide(np.repeat(scores, 4, axis=0), np.zeros(3), viterbi(), every(0.125, 480))
    differ = np.mean(np.repeat(sparse, 2, axis=0).argmax(axis=1) != dense.argmax(axis=1))
    assert differ < 0.05


@pytest.mark.parametrize("score", SCORES)
def test_hysteresis_makes_a_switch_dearer(score: Any, rng: np.random.Generator) -> None:
    scores = 0.02 * rng.normal(size=(300, 3))
    if score == "probability":
        scores = softmax(30 * scores, axis=1)
    if score == "relative":
        scores /= RELATIVE_UNIT
    few, many = (
        np.count_nonzero(np.diff(decide(scores, np.zeros(3), chosen, every(0.5, 300)).argmax(axis=1)))
        for chosen in (viterbi(1.0, score=score, hysteresis=0.2), viterbi(1.0, score=score))
    )
    assert few < many


@pytest.mark.parametrize(("score", "dearer"), [("cosine", 10.0), ("relative", 0.3), ("probability", np.log(10 / 9))])
def test_hysteresis_costs_what_a_lead_of_as_much_counts_for(score: Any, dearer: float) -> None:
    samples = every(1.0, 2)
    without, band = (
        switch_costs(2, viterbi(score=score, hysteresis=h, logit_scale=100.0), samples, none(samples)) for h in (0, 0.1)
    )
    assert band[1] - without[1] == pytest.approx(dearer)


def test_small_leads_count_however_long_the_video_and_high_all_scores_are(rng: np.random.Generator) -> None:
    values, costs = rng.integers(0, 16, (2000, 3)) * 2.0**-30, np.full(2000, 2.0**-29)
    assert best_path(values + 2.0**20, costs).tolist() == best_path(values, costs).tolist()


@pytest.mark.parametrize("score", SCORES)
def test_evidence_grows_with_the_score_and_is_finite(score: Any) -> None:
    chosen = viterbi(score=score, logit_scale=50.0)
    values = evidence(np.linspace(0, 1, 11), chosen)
    assert np.isfinite(values).all()
    assert (np.diff(values) > 0).all()


def test_probabilities_of_zero_and_one_are_no_trouble() -> None:
    scores = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    for decision in DECISIONS:
        found = decide(scores, np.array([0.0, 1.0]), viterbi(score="probability", decision=decision), every(1.0, 3))
        assert found.shape == (3, 2)


@pytest.mark.parametrize("decision", DECISIONS)
def test_no_samples_one_sample_and_one_label(decision: Any) -> None:
    chosen = viterbi(decision=decision)
    assert decide(np.zeros((0, 2)), np.zeros(2), chosen, every(1.0, 0)).shape == (0, 2)
    assert decide(np.array([[0.1, 0.3]]), np.full(2, 0.2), chosen, every(1.0, 1)).tolist() == [[False, True]]
    assert decide(np.full((3, 1), 0.3), np.full(1, 0.2), chosen, every(1.0, 3)).all()


def test_it_needs_the_times_of_samples() -> None:
    with pytest.raises(ValueError, match="time between samples"):
        decide(np.zeros((2, 2)), np.zeros(2), viterbi())
