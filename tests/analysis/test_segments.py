from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lib.analysis.segments import decide, find_segments, merge_and_drop
from lib.prompts.model import Role, Settings
from tests.helpers.arrays import analyse_scores, every, prompt_set, samples_at, spans_of

X, O = True, False  # noqa: E741 - reads like a lane


def lane(text: str) -> list[bool]:
    return [mark == "x" for mark in text]


def text_of(column: Any) -> str:
    return "".join("x" if mark else "." for mark in column)


def tidied(
    *lanes: str, roles: tuple[Role, ...] = (), decision: str = "threshold", step_s: float = 1.0, **settings: Any
) -> list[str]:
    """Return the lanes, one character per sample, after bridging and minimum duration."""
    has = np.array([lane(text) for text in lanes]).T
    chosen = Settings(decision=decision, **settings)  # type: ignore[arg-type]
    found = merge_and_drop(has, roles or ("target",) * len(lanes), every(step_s, len(has)), chosen)
    return [text_of(column) for column in found.T]


def decided(scores: list[list[float]], thresholds: list[float], **settings: Any) -> list[str]:
    found = decide(np.array(scores), np.array(thresholds, dtype=float), Settings(**settings))
    return [text_of(column) for column in found.T]


def test_best_gives_each_sample_to_the_highest_score_and_a_tie_to_the_first_prompt() -> None:
    scores = [[0.1, 0.2, 0.0], [0.3, 0.3, 0.1], [-1.0, -0.9, -0.9]]
    assert decided(scores, [9, 9, 9], decision="best") == [".x.", "x.x", "..."]


def test_threshold_lets_several_labels_be_there_and_counts_equality() -> None:
    scores = [[0.1, 0.2], [0.2, 0.3], [0.25, 0.1]]
    assert decided(scores, [0.2, 0.2], decision="threshold") == [".xx", "xx."]


def test_each_label_has_its_own_threshold() -> None:
    assert decided([[0.3, 0.3]], [0.31, 0.29], decision="threshold") == [".", "x"]


def test_best_threshold_gives_none_below_the_threshold() -> None:
    scores = [[0.1, 0.15], [0.25, 0.22], [0.22, 0.3]]
    assert decided(scores, [0.2, 0.2], decision="best_threshold") == [".x.", "..x"]


def test_a_label_below_its_own_threshold_does_not_stand_in_the_way_of_another() -> None:
    assert decided([[0.28, 0.25]], [0.30, 0.20], decision="best_threshold") == [".", "x"]


def test_with_hysteresis_a_label_enters_at_its_threshold_and_leaves_below_the_band() -> None:
    scores = [[s] for s in (0.25, 0.5, 0.3, 0.25, 0.24, 0.49, 0.75, 0.25, 0.1)]
    assert decided(scores, [0.5], decision="threshold", hysteresis=0.25) == [".xxx..xx."]


def test_with_hysteresis_the_best_label_stays_until_it_is_beaten_by_more_than_the_band() -> None:
    scores = [[0.30, 0.28], [0.28, 0.32], [0.28, 0.34], [0.33, 0.30], [0.40, 0.30]]
    assert decided(scores, [9, 9], decision="best", hysteresis=0.05) == ["xx..x", "..xx."]
    assert decided(scores, [9, 9], decision="best") == ["x..xx", ".xx.."]


def test_with_hysteresis_best_threshold_holds_by_both_rules() -> None:
    scores = [[0.22, 0.10], [0.17, 0.10], [0.17, 0.21], [0.16, 0.23], [0.10, 0.16], [0.10, 0.14]]
    found = decided(scores, [0.2, 0.2], decision="best_threshold", hysteresis=0.05)
    assert found == ["xxx...", "...xx."]


def test_before_its_threshold_is_first_reached_a_label_is_absent() -> None:
    scores = [[0.18], [0.19], [0.2], [0.18]]
    assert decided(scores, [0.2], decision="threshold", hysteresis=0.05) == ["..xx"]
    assert decided(scores, [0.2], decision="best_threshold", hysteresis=0.05) == ["..xx"]


@pytest.mark.parametrize("decision", ["best", "threshold", "best_threshold"])
@pytest.mark.parametrize("band", [0.0, 0.1])
def test_no_samples_have_no_labels(decision: str, band: float) -> None:
    chosen = Settings(decision=decision, hysteresis=band)  # type: ignore[arg-type]
    assert decide(np.zeros((0, 2)), np.zeros(2), chosen).shape == (0, 2)


def test_a_gap_of_exactly_the_bridged_length_is_closed_and_a_longer_one_is_not() -> None:
    assert tidied("x..x...x", bridge_s=2.0) == ["xxxx...x"]


def test_bridging_less_than_a_sampling_step_closes_nothing() -> None:
    assert tidied("x.x.x", bridge_s=0.99) == ["x.x.x"]
    assert tidied("x.x.x", bridge_s=1.0) == ["xxxxx"]


def test_rounding_of_times_does_not_keep_a_gap_open() -> None:
    # In binary three steps of 0.1 s are sometimes a little more and sometimes a little less than 0.3 s.
    for before in range(20):
        start = "." * before
        assert tidied(f"{start}x...x", step_s=0.1, bridge_s=0.3) == [f"{start}xxxxx"]
        assert tidied(f"{start}xxx.", step_s=0.1, min_duration_s=0.3) == [f"{start}xxx."]


def test_gaps_before_the_first_and_after_the_last_run_are_none() -> None:
    assert tidied("..x.x..", bridge_s=5.0) == ["..xxx.."]


def test_a_run_of_exactly_the_minimum_stays_and_a_shorter_one_goes() -> None:
    assert tidied("x..xx..xxx", min_duration_s=2.0) == ["...xx..xxx"]


def test_a_minimum_of_up_to_a_sampling_step_drops_nothing() -> None:
    assert tidied("x..x", min_duration_s=1.0) == ["x..x"]
    assert tidied("x..x", min_duration_s=1.01) == ["...."]


def test_gaps_are_bridged_before_short_runs_are_dropped() -> None:
    assert tidied("x.x......x", bridge_s=1.0, min_duration_s=3.0) == ["xxx......."]


def test_spans_of_a_variable_rate_count_by_their_length() -> None:
    samples = samples_at([0.0, 0.1, 2.1, 2.2, 2.3, 4.3], 4.4)
    has = np.array([lane("xx.x.x")]).T  # gaps of 0.1 s at 2.1 s and of 2.0 s at 2.3 s; runs of 2.1, 0.1 and 0.1 s
    settings = Settings(decision="threshold", bridge_s=0.5)
    assert text_of(merge_and_drop(has, ["target"], samples, settings)[:, 0]) == "xxxx.x"
    settings = Settings(decision="threshold", min_duration_s=0.2)
    assert text_of(merge_and_drop(has, ["target"], samples, settings)[:, 0]) == "xx...."


def test_labels_that_can_overlap_are_bridged_each_by_itself() -> None:
    assert tidied("x.x..", ".xxx.", "x...x", bridge_s=1.0) == ["xxx..", ".xxx.", "x...x"]


def test_a_target_takes_over_the_background_in_its_gap() -> None:
    found = tidied("x.x..", ".x.xx", roles=("target", "background"), decision="best", bridge_s=1.0)
    assert found == ["xxx..", "...xx"]


def test_a_target_takes_over_samples_without_a_label() -> None:
    assert tidied("x.x..", "...x.", decision="best_threshold", bridge_s=1.0) == ["xxx..", "...x."]


def test_a_target_does_not_take_over_another_target() -> None:
    assert tidied("xx.xx", "..x..", decision="best", bridge_s=5.0) == ["xx.xx", "..x.."]


def test_a_short_find_between_background_stays() -> None:
    found = tidied("..x..", "xx.xx", roles=("target", "background"), decision="best", bridge_s=5.0)
    assert found == ["..x..", "xx.xx"]


def test_a_background_closes_over_samples_without_a_label_only() -> None:
    roles: tuple[Role, ...] = ("background", "background", "target")
    found = tidied("x.x.x.x", ".....x.", "...x...", roles=roles, decision="best_threshold", bridge_s=1.0)
    assert found == ["xxx.x.x", ".....x.", "...x..."]


def test_a_background_bridge_inside_a_target_bridge_gives_way() -> None:
    roles: tuple[Role, ...] = ("background", "target")
    found = tidied(".x.x.", "x...x", roles=roles, decision="best_threshold", bridge_s=3.0)
    assert found == [".....", "xxxxx"]


def test_what_is_dropped_leaves_samples_without_that_label() -> None:
    assert tidied("xx.xx", "..x..", decision="best", min_duration_s=2.0) == ["xx.xx", "....."]


def test_input_is_not_changed() -> None:
    has = np.array([lane("x.x.....x")]).T
    before = has.copy()
    merge_and_drop(has, ["target"], every(1.0, 9), Settings(decision="threshold", bridge_s=1.0, min_duration_s=2.0))
    assert (has == before).all()


def test_segments_cover_spans_and_know_mean_peak_and_its_time() -> None:
    samples = samples_at([0.5, 1.0, 2.0, 4.0], 4.5)
    scores = np.array([[0.9], [0.2], [0.5], [0.5]])
    has = np.array([[O], [X], [X], [X]])
    (segment,) = find_segments(has, scores, samples, ["a"])
    assert (segment.label, segment.start_s, segment.end_s) == ("a", 1.0, 4.5)
    assert segment.mean_score == pytest.approx((0.2 * 1 + 0.5 * 2 + 0.5 * 0.5) / 3.5)
    assert (segment.peak_score, segment.peak_s) == (0.5, 2.0)
    assert (segment.first, segment.stop, segment.duration_s) == (1, 4, 3.5)


def test_a_segment_of_the_first_sample_starts_at_its_own_time() -> None:
    samples = samples_at([0.25, 1.0], 2.0)
    found = find_segments(np.ones((2, 1), dtype=bool), np.ones((2, 1)), samples, ["a"])
    assert spans_of(found, "a") == [(0.25, 2.0)]


def test_segments_come_in_order_of_start_then_of_label() -> None:
    has = np.array([lane("x.x."), lane("xx.x"), lane(".xx.")]).T
    found = find_segments(has, np.zeros((4, 3)), every(1.0, 4), ["a", "b", "c"])
    assert [(s.label, s.start_s) for s in found] == [("a", 0), ("b", 0), ("c", 1), ("a", 2), ("b", 3)]


def test_no_runs_are_no_segments() -> None:
    assert find_segments(np.zeros((3, 2), dtype=bool), np.zeros((3, 2)), every(1.0, 3), ["a", "b"]) == ()
    assert find_segments(np.zeros((0, 1), dtype=bool), np.zeros((0, 1)), samples_at([], 0.0), ["a"]) == ()


def test_a_mean_never_rounds_above_the_peak() -> None:
    n = 14
    scores = np.full((n, 1), 0.1)
    (segment,) = find_segments(np.ones((n, 1), dtype=bool), scores, every(1 / 3, n), ["a"])
    assert segment.mean_score <= segment.peak_score == 0.1


def test_the_command_lines_keys_of_a_segment() -> None:
    (segment,) = find_segments(np.ones((1, 1), dtype=bool), np.ones((1, 1)), every(2.0, 1), ["a"])
    assert segment.to_dict() == {
        "label": "a",
        "start_s": 0.0,
        "end_s": 2.0,
        "mean_score": 1.0,
        "peak_score": 1.0,
        "peak_s": 0.0,
    }
    assert all(type(value) in (str, float) for value in segment.to_dict().values())


GAPPED = samples_at([0.0, 1.0, 2.0, 5.0, 6.0, 7.0], 8.0, gaps_s=[(3.0, 5.0)])


@pytest.mark.parametrize(("bridge_s", "expected"), [(0.0, [(0, 3), (5, 8)]), (1.9, [(0, 3), (5, 8)]), (2.0, [(0, 8)])])
def test_a_gap_without_samples_ends_a_segment_unless_it_is_bridged(
    bridge_s: float, expected: list[tuple[int, int]]
) -> None:
    analysis = analyse_scores(
        np.ones((6, 1)), prompt_set("a", decision="threshold", threshold=0.5, bridge_s=bridge_s), GAPPED
    )

    assert spans_of(analysis.segments, "a") == expected
    assert [(s.first, s.stop) for s in analysis.segments] == ([(0, 3), (3, 6)] if len(expected) == 2 else [(0, 6)])
    assert analysis.metrics[0].duration_s == sum(end - start for start, end in expected)
    assert analysis.metrics[0].share == analysis.metrics[0].duration_s / 8


def test_what_a_gap_cuts_short_is_dropped_as_short() -> None:
    settings = {"decision": "threshold", "threshold": 0.5, "min_duration_s": 3.5}
    assert analyse_scores(np.ones((6, 1)), prompt_set("a", **settings), GAPPED).segments == ()


def test_bridging_counts_the_gap_within_what_it_bridges() -> None:
    scores = [[1.0], [1.0], [0.0], [0.0], [1.0], [1.0]]
    for bridge_s, count in ((3.9, 2), (4.0, 1)):
        chosen = prompt_set("a", decision="threshold", threshold=0.5, bridge_s=bridge_s)
        assert len(analyse_scores(scores, chosen, GAPPED).segments) == count


def test_a_gap_weighs_nothing_in_means() -> None:
    scores = [[0.0], [0.0], [1.0], [0.0], [0.0], [0.0]]
    analysis = analyse_scores(scores, prompt_set("a", decision="best"), GAPPED)
    assert analysis.metrics[0].mean_score == pytest.approx(1 / 6)
