from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lib.analysis.analysis import Analysis, analyse
from lib.analysis.scoring import smooth
from lib.analysis.segments import decide, merge_and_drop
from lib.analysis.shots import find_shots
from lib.prompts.model import Settings, Smoothing
from tests.helpers.arrays import analyse_scores, every, prompt_set, samples_at, spans_of

KINDS = ("moving_average", "median", "gaussian", "exponential")


def two_shots(n: int = 20, at: int = 8, **settings: Any) -> Analysis:
    """One picture, then another, which are the two prompts, 1 s apart."""
    vectors = np.zeros((n, 2), dtype=np.float32)
    vectors[:at, 0] = vectors[at:, 1] = 1
    texts = {"a": np.array([1, 0], np.float32), "b": np.array([0, 1], np.float32)}
    return analyse(every(1.0, n, vectors), prompt_set("a", "b", **settings), texts)


def test_shots_lie_between_cuts_and_have_their_best_label() -> None:
    shots = two_shots().shots
    assert [(s.start_s, s.end_s, s.label, s.mean_score) for s in shots] == [(0, 8, "a", 1.0), (8, 20, "b", 1.0)]
    frame = two_shots().shots_frame()
    assert frame.to_dict("list") == {
        "start_s": [0, 8],
        "end_s": [8, 20],
        "label": ["a", "b"],
        "mean_score": [1.0, 1.0],
    }
    assert two_shots().to_dict(shots=True)["shots"] == [shot.to_dict() for shot in shots]


def test_the_best_label_is_of_scores_before_smoothing() -> None:
    shots = two_shots(at=2, smoothing=Smoothing("moving_average", 9)).shots
    assert [(shot.label, shot.mean_score) for shot in shots] == [("a", 1.0), ("b", 1.0)]


def test_without_a_label_that_reaches_its_threshold_a_shot_has_none() -> None:
    scores = np.full((6, 2), 0.1)
    scores[:, 1] = 0.15
    for decision in ("threshold", "best_threshold"):
        chosen = prompt_set("a", "b", decision=decision, threshold=0.2)
        assert [(s.label, s.mean_score) for s in analyse_scores(scores, chosen).shots] == [(None, None)]
    assert [s.label for s in analyse_scores(scores, prompt_set("a", "b")).shots] == ["b"]


def test_a_gap_ends_a_shot_and_no_samples_have_none() -> None:
    samples = samples_at([0, 1, 2, 10, 11], 12, gaps_s=[(3, 10)])
    shots = analyse_scores(np.full((5, 1), 0.3), prompt_set("a"), samples).shots
    assert [(s.start_s, s.end_s) for s in shots] == [(0, 3), (10, 12)]
    nothing = analyse_scores(np.zeros((0, 1)), prompt_set("a"))
    assert nothing.shots == ()
    assert list(nothing.shots_frame().columns) == ["start_s", "end_s", "label", "mean_score"]


def test_a_mean_weighs_samples_with_their_spans() -> None:
    samples = samples_at([0, 1, 4], 5)
    (shot,) = analyse_scores([[0.0], [1.0], [0.0]], prompt_set("a"), samples).shots
    assert shot.mean_score == pytest.approx(0.6)


@pytest.mark.parametrize("kind", ["none", "viterbi"])
@pytest.mark.parametrize("decision", ["best", "threshold", "best_threshold"])
def test_each_shot_has_its_own_best_label_whatever_the_one_before_has(decision: Any, kind: Any) -> None:
    cuts = np.array([False, True])
    settings = Settings(decision=decision, hysteresis=0.5, smoothing=Smoothing(kind))
    raw = np.array([[0.3, 0.2], [0.2, 0.3]])
    shots = find_shots(raw, cuts, every(1.0, 2), ("a", "b"), np.full(2, 0.1), settings)
    assert [shot.label for shot in shots] == ["a", "b"]
    assert cuts.tolist() == [False, True]


@pytest.mark.parametrize("kind", KINDS)
def test_no_window_reaches_across_a_cut(kind: Any, rng: np.random.Generator) -> None:
    scores = rng.random((30, 2))
    cuts = np.isin(np.arange(30), [7, 8, 20])
    smoothing = Smoothing(kind, 5)
    expected = np.concatenate([smooth(part, smoothing) for part in np.split(scores, [7, 8, 20])])
    np.testing.assert_array_equal(smooth(scores, smoothing, cuts), expected)
    assert not np.allclose(smooth(scores, smoothing), expected)


@pytest.mark.parametrize("decision", ["best", "threshold", "best_threshold"])
def test_hysteresis_begins_anew_at_a_cut(decision: Any, rng: np.random.Generator) -> None:
    scores, thresholds = rng.random((60, 3)), np.full(3, 0.6)
    chosen = Settings(decision=decision, hysteresis=0.5)
    cuts = np.isin(np.arange(60), [11, 30, 31])
    expected = np.concatenate([decide(part, thresholds, chosen) for part in np.split(scores, [11, 30, 31])])
    np.testing.assert_array_equal(decide(scores, thresholds, chosen, None, cuts), expected)
    assert (decide(scores, thresholds, chosen) != expected).any()


@pytest.mark.parametrize("decision", ["best", "threshold", "best_threshold"])
def test_bridging_and_minimum_duration_treat_each_shot_as_a_video(decision: Any, rng: np.random.Generator) -> None:
    chosen = Settings(decision=decision, bridge_s=2.0, min_duration_s=3.0)
    decided = decide(rng.random((80, 3)), np.full(3, 0.7), replace(chosen, decision="best_threshold"))
    cuts = np.isin(np.arange(80), [9, 10, 33, 60])
    cuts.flags.writeable = False  # they stay as they are
    roles: Any = ["target", "background", "target"]
    parts = np.split(decided, [9, 10, 33, 60])
    expected = np.concatenate([merge_and_drop(part, roles, every(1.0, len(part)), chosen) for part in parts])
    np.testing.assert_array_equal(merge_and_drop(decided, roles, every(1.0, 80), chosen, cuts), expected)
    assert (merge_and_drop(decided, roles, every(1.0, 80), chosen) != expected).any()


def test_the_switch_keeps_what_is_found_inside_its_shot() -> None:
    wide: dict[str, Any] = {"decision": "threshold", "threshold": 0.4, "smoothing": Smoothing("moving_average", 9)}
    across = two_shots(**wide)
    assert spans_of(across.segments, "a") == [(0.0, 9.0)]
    assert spans_of(across.segments, "b") == [(7.0, 20.0)]
    within = two_shots(**wide, stop_at_cuts=True)
    assert spans_of(within.segments, "a") == [(0.0, 8.0)]
    assert spans_of(within.segments, "b") == [(8.0, 20.0)]
    assert within.shots == across.shots


def test_viterbi_switches_at_a_cut_at_no_cost() -> None:
    """A shot of a second, too short for an expected stay of a minute, is found where the switch is on."""
    n, at = 40, 38
    vectors = np.zeros((n, 2), dtype=np.float32)
    vectors[:at, 0] = 1
    vectors[at:] = [np.cos(1.2), np.sin(1.2)]
    texts = {"a": np.array([1, 0], np.float32), "b": np.array([np.cos(1.5), np.sin(1.5)], np.float32)}
    wide: dict[str, Any] = {"smoothing": Smoothing("viterbi", stay_s=3600.0), "logit_scale": 5.0}
    samples = every(1.0, n, vectors)
    assert spans_of(analyse(samples, prompt_set("a", "b", **wide), texts).segments, "b") == []
    found = analyse(samples, prompt_set("a", "b", **wide, stop_at_cuts=True), texts)
    assert spans_of(found.segments, "b") == [(38.0, 40.0)]


def test_a_segment_may_go_on_over_a_cut() -> None:
    vectors = np.zeros((20, 3), dtype=np.float32)
    vectors[:8, 0] = vectors[8:, 1] = 1
    texts = {"both": np.array([1, 1, 0], np.float32)}
    chosen = prompt_set("both", decision="threshold", threshold=0.5, stop_at_cuts=True, min_duration_s=5.0)
    found = analyse(every(1.0, 20, vectors), chosen, texts)
    assert len(found.shots) == 2
    assert spans_of(found.segments, "both") == [(0.0, 20.0)]
