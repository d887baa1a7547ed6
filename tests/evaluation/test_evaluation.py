"""Evaluation against slow counts, scikit-learn and sed_eval on random cases, and its rules where it is undefined."""

from __future__ import annotations

import statistics
from typing import Any

import numpy as np
import pytest
import sed_eval
from sklearn.metrics import (
    average_precision_score,
    confusion_matrix,
    precision_recall_curve,
    precision_recall_fscore_support,
)

from lib.core.labelled_intervals import TrueSegment
from lib.evaluation.evaluation import evaluate
from lib.evaluation.matching import match_segments
from tests.helpers.against_truth import (
    CELL_S,
    analysis_on_grid,
    cells_of,
    runs,
    truth_on_grid,
)
from tests.helpers.arrays import analyse_scores, every, prompt_set, samples_at

SEEDS = range(30)
EXACT = {"abs": 1e-9, "rel": 0, "nan_ok": True}


def number(value: float | None) -> float:
    return float("nan") if value is None else value


def events(spans: list[tuple[float, float]]) -> list[dict[str, Any]]:
    return [{"event_label": "it", "event_onset": start, "event_offset": end} for start, end in spans]


class ByOverlap(sed_eval.sound_event.EventBasedMetrics):  # type: ignore[misc]
    """sed_eval's matching and scores, its collars replaced by IoU 0.5."""

    @staticmethod
    def validate_onset(reference_event: Any, estimated_event: Any, t_collar: float = 0.2) -> bool:
        start = max(reference_event["event_onset"], estimated_event["event_onset"])
        end = min(reference_event["event_offset"], estimated_event["event_offset"])
        lengths = sum(one["event_offset"] - one["event_onset"] for one in (reference_event, estimated_event))
        shared = max(0.0, end - start)
        return bool(2 * shared >= lengths - shared)


@pytest.mark.parametrize("seed", SEEDS)
class TestByTime:
    def test_what_is_wrong_lasts_as_long_as_false_alarms_and_misses(self, seed: int) -> None:
        result = evaluate(analysis_on_grid(seed), truth_on_grid(seed))
        for one in result.labels:
            wrong = [(start, end) for label, start, end in result.wrong if label == one.label]
            assert wrong == sorted(wrong)
            assert all(start < end for start, end in wrong)
            expected = one.false_alarms_s + one.misses_s if one.known else 0.0
            assert sum(end - start for start, end in wrong) == pytest.approx(expected, abs=1e-6)

    def test_equals_scikit_learn_on_a_count_of_cells(self, seed: int) -> None:
        analysis, truth = analysis_on_grid(seed), truth_on_grid(seed)
        for one in evaluate(analysis, truth).labels:
            cells = cells_of(analysis, truth, one.label)
            if not one.known:
                assert not cells.true.any()
                continue
            precision, recall, f1, _ = (
                precision_recall_fscore_support(cells.true, cells.found, average="binary", zero_division=np.nan)
                if len(cells.true)
                else (np.nan,) * 4
            )
            assert number(one.precision) == pytest.approx(precision, **EXACT)
            assert number(one.recall) == pytest.approx(recall, **EXACT)
            assert number(one.f1) == pytest.approx(f1, **EXACT)
            assert one.support_s == pytest.approx(cells.true.sum() * CELL_S, **EXACT)

    def test_curve_and_average_precision_equal_scikit_learn(self, seed: int) -> None:
        analysis, truth = analysis_on_grid(seed), truth_on_grid(seed)
        for one in evaluate(analysis, truth).labels:
            cells = cells_of(analysis, truth, one.label)
            if not cells.true.any():
                assert one.average_precision is None
                assert one.curve().empty
                assert one.point(0.1) is None
                continue
            assert one.average_precision == pytest.approx(average_precision_score(cells.true, cells.scores), **EXACT)
            precision, recall, thresholds = precision_recall_curve(cells.true, cells.scores)
            curve = one.curve()
            assert curve["precision"].to_numpy() == pytest.approx(precision, **EXACT)
            assert curve["recall"].to_numpy() == pytest.approx(recall, **EXACT)
            assert curve["threshold"].to_numpy()[:-1] == pytest.approx(thresholds, **EXACT)
            for threshold, *expected in zip(thresholds, precision, recall, strict=False):
                point = one.point(float(threshold))
                assert point is not None
                assert [point.precision, point.recall] == pytest.approx(expected, **EXACT)

    def test_equals_sed_evals_segment_based_scores(self, seed: int) -> None:
        """Its segments are cells of a grid; on a grid that all times lie on, nothing is rounded."""
        analysis, truth = analysis_on_grid(seed), truth_on_grid(seed)
        for one in evaluate(analysis, truth).labels:
            cells = cells_of(analysis, truth, one.label)
            if not one.known or not (cells.true.any() or cells.found.any()):
                continue
            oracle = sed_eval.sound_event.SegmentBasedMetrics(["it"], time_resolution=CELL_S)
            oracle.evaluate(events(runs(cells.starts, cells.true)), events(runs(cells.starts, cells.found)))
            counts, scores = oracle.class_wise["it"], oracle.class_wise_f_measure("it")
            assert one.hits_s == pytest.approx(counts["Ntp"] * CELL_S, **EXACT)
            assert one.false_alarms_s == pytest.approx(counts["Nfp"] * CELL_S, **EXACT)
            assert one.misses_s == pytest.approx(counts["Nfn"] * CELL_S, **EXACT)
            assert number(one.precision) == pytest.approx(scores["precision"], **EXACT)
            assert number(one.recall) == pytest.approx(scores["recall"], **EXACT)
            if not np.isnan(scores["f_measure"]):
                assert one.f1 == pytest.approx(scores["f_measure"], **EXACT)

    def test_confusion_equals_scikit_learn(self, seed: int) -> None:
        analysis = analysis_on_grid(seed)
        truth = truth_on_grid(seed)
        table = evaluate(analysis, truth).confusion
        cells = {label: cells_of(analysis, truth, label) for label in analysis.labels}
        starts = cells[analysis.labels[0]].starts
        true_names, found_names = [], []
        rows = [name for name in table.index if name != "nothing"]
        for start in starts:
            sample = int(np.flatnonzero(analysis.samples.times_s <= start)[-1])
            found = analysis.sample_labels[sample] or "nothing"
            there = [
                row
                for row in rows
                if any(s.label.lower() == row.lower() and s.start_s <= start < s.end_s for s in truth)
            ]
            true_names.append(found if found in there else there[0] if there else "nothing")
            found_names.append(found)
        names = sorted({*table.index, *table.columns})
        if len(starts):
            expected = confusion_matrix(true_names, found_names, labels=names) * CELL_S
            shown = table.reindex(index=names, columns=names, fill_value=0.0).to_numpy()
            assert shown == pytest.approx(expected, **EXACT)
        assert table.to_numpy().sum() == pytest.approx(len(starts) * CELL_S, **EXACT)


@pytest.mark.parametrize("seed", SEEDS)
class TestBySegment:
    def test_equals_sed_evals_matching_at_iou_one_half(self, seed: int) -> None:
        analysis, truth = analysis_on_grid(seed), truth_on_grid(seed)
        for one in evaluate(analysis, truth).labels:
            cells = cells_of(analysis, truth, one.label)
            true, found = runs(cells.starts, cells.true), runs(cells.starts, cells.found)
            if not one.known or not (true or found):
                continue
            oracle = ByOverlap(["it"], evaluate_offset=False)
            oracle.evaluate(events(true), events(found))
            scores = oracle.class_wise_f_measure("it")
            assert len(one.matches) == oracle.class_wise["it"]["Ntp"]
            if true and found:
                assert one.segment_f1 == pytest.approx(number(scores["f_measure"]), **EXACT)

    def test_errors_are_medians_over_matched_segments(self, seed: int) -> None:
        analysis, truth = analysis_on_grid(seed), truth_on_grid(seed)
        for one in evaluate(analysis, truth).labels:
            cells = cells_of(analysis, truth, one.label)
            pairs = [
                (a, b)
                for a in runs(cells.starts, cells.true)
                for b in runs(cells.starts, cells.found)
                if 2 * max(0.0, min(a[1], b[1]) - max(a[0], b[0])) > max(a[1], b[1]) - min(a[0], b[0])
            ]
            if len(pairs) != len(one.matches):  # an IoU of exactly one half may be matched in two ways
                continue
            onset = statistics.median(abs(a[0] - b[0]) for a, b in pairs) if pairs else None
            offset = statistics.median(abs(a[1] - b[1]) for a, b in pairs) if pairs else None
            assert (one.onset_error_s, one.offset_error_s) == (onset, offset)


def test_errors_are_medians_not_means() -> None:
    """Random cases have no label with three matches whose errors differ."""
    scores = np.zeros((45, 1))
    for start, end in ((0, 10), (15, 26), (30, 44)):
        scores[start:end] = 1.0
    analysis = analyse_scores(scores, prompt_set("a", decision="threshold", threshold=0.5))
    (one,) = evaluate(analysis, [TrueSegment("a", 0, 10), TrueSegment("a", 16, 26), TrueSegment("a", 35, 40)]).labels
    assert len(one.matches) == 2  # the third overlaps by 5 of 14
    (one,) = evaluate(analysis, [TrueSegment("a", 0, 10), TrueSegment("a", 16, 26), TrueSegment("a", 35, 45)]).labels
    assert len(one.matches) == 3
    assert (one.onset_error_s, one.offset_error_s) == (1.0, 0.0)


def test_as_many_segments_match_as_possible() -> None:
    true = np.array([[0.0, 2.0], [2.0, 3.0]])
    found = np.array([[0.0, 1.0], [1.0, 2.0], [2.0, 4.0]])
    assert len(match_segments(true, found)) == 2
    assert match_segments(true[:0], found).shape == (0, 2)
    assert match_segments(true, found[:0]).shape == (0, 2)


def test_an_iou_of_one_half_is_enough_and_less_is_not() -> None:
    whole = np.array([[0.0, 3.0]])
    assert len(match_segments(whole, np.array([[1.5, 3.0]]))) == 1
    assert len(match_segments(whole, np.array([[1.51, 3.0]]))) == 0


def test_a_span_over_which_the_truth_changes_is_split_there() -> None:
    analysis = analyse_scores([[1.0], [1.0]], prompt_set("a", decision="threshold"), every(10.0, 2))
    (one,) = evaluate(analysis, [TrueSegment("a", 2.5, 12.5)]).labels
    assert (one.hits_s, one.false_alarms_s, one.misses_s) == (10.0, 10.0, 0.0)
    assert (one.precision, one.recall) == (0.5, 1.0)


def test_what_was_not_sampled_is_not_evaluated() -> None:
    samples = samples_at([2.0, 3.0], 4.0)
    analysis = analyse_scores([[1.0], [0.0]], prompt_set("a", decision="threshold"), samples)
    (one,) = evaluate(analysis, [TrueSegment("a", 0.0, 3.0), TrueSegment("a", 3.5, 9.0)]).labels
    assert one.true_segments.tolist() == [[2.0, 3.0], [3.5, 4.0]]
    assert (one.hits_s, one.false_alarms_s, one.misses_s) == (1.0, 0.0, 0.5)


@pytest.mark.parametrize(
    ("scores", "truth", "expected"),
    [
        # label's precision, recall, F1, segment F1, average precision
        ([], [("a", 0, 3)], (None, None, None, None, None)),
        ([1.0], [("a", 0, 1)], (1, 1, 1, 1, 1)),
        ([0.0], [("a", 0, 1)], (None, 0, 0, 0, 1)),
        ([1.0], [("a", 5, 9)], (0, None, 0, 0, None)),
        ([0.0], [("a", 5, 9)], (None, None, None, None, None)),
        ([1.0], [], (None, None, None, None, None)),
        ([1.0], [("b", 0, 1)], (None, None, None, None, None)),
        ([1.0, 1.0, 0.0], [("a", 0, 3)], (1, 2 / 3, 0.8, 1, 1)),
    ],
)
def test_what_is_undefined_is_none(
    scores: list[float], truth: list[tuple[str, float, float]], expected: tuple[float | None, ...]
) -> None:
    samples = every(1.0, len(scores)) if scores else samples_at([], 3.0)
    analysis = analyse_scores(
        np.array(scores).reshape(-1, 1), prompt_set("a", decision="threshold", threshold=0.5), samples
    )
    one = evaluate(analysis, [TrueSegment(*segment) for segment in truth]).by_label["a"]
    found = (one.precision, one.recall, one.f1, one.segment_f1, one.average_precision)
    assert [number(value) for value in found] == pytest.approx([number(value) for value in expected], **EXACT)


def test_labels_without_a_partner_are_listed() -> None:
    analysis = analyse_scores([[1.0, 0.0]], prompt_set("Crane", "nothing", decision="best"))
    evaluation = evaluate(analysis, [TrueSegment("crane", 0, 1), TrueSegment("CRANE", 0, 1), TrueSegment("bird", 0, 1)])
    assert evaluation.unmatched_truth == ("bird",)
    assert evaluation.unmatched_prompts == ("nothing",)
    assert evaluation.by_label["Crane"].truth_label == "crane"
    assert evaluation.by_label["Crane"].f1 == 1.0
    assert evaluation.by_label["nothing"].to_dict() == dict.fromkeys(evaluation.by_label["nothing"].to_dict())
    assert list(evaluation.confusion.index) == ["Crane", "bird", "nothing"]
    assert list(evaluation.confusion.columns) == ["Crane", "nothing", "(nothing)"]
    assert np.isnan(evaluation.frame()["f1"].to_numpy()).tolist() == [False, True]


@pytest.mark.parametrize("spelling", ["CAFÉ", "cafe\u0301", "café\u00a0", "ca\u200bfé", "\u202acafé\u202c"])
def test_the_truth_may_spell_a_label_otherwise(spelling: str) -> None:
    analysis = analyse_scores([[1.0, 0.0]], prompt_set("café", "x", decision="best"))
    evaluation = evaluate(analysis, [TrueSegment(spelling, 0, 1), TrueSegment("Café", 0, 1)])
    assert evaluation.by_label["café"].f1 == 1.0
    assert evaluation.unmatched_truth == ()


def test_true_segments_that_touch_are_one() -> None:
    analysis = analyse_scores([[1.0], [1.0]], prompt_set("a", decision="threshold"))
    (one,) = evaluate(analysis, [TrueSegment("a", 0, 1), TrueSegment("a", 1, 2)]).labels
    assert one.true_segments.tolist() == [[0, 2]]
    assert one.segment_f1 == 1.0


def test_the_current_threshold_lies_on_the_curve_and_best_has_none() -> None:
    scores = [[0.1], [0.4], [0.35], [0.8]]
    truth = [TrueSegment("a", 2, 4)]
    for decision, expected in (("threshold", (0.3, 2 / 3, 1.0)), ("best", None)):
        analysis = analyse_scores(scores, prompt_set("a", decision=decision, threshold=0.3))
        point = evaluate(analysis, truth).by_label["a"].point()
        assert (None if point is None else (point.threshold, point.precision, point.recall)) == expected


def test_a_thinned_curve_keeps_its_ends_and_its_points() -> None:
    rng = np.random.default_rng(0)
    analysis = analyse_scores(rng.normal(size=(3000, 1)) / 10, prompt_set("a"), every(1.0, 3000))
    one = evaluate(analysis, [TrueSegment("a", 100, 900), TrueSegment("a", 1500, 1700)]).by_label["a"]
    whole, thin = one.curve(), one.curve(200)
    assert len(thin) == 200
    assert thin.iloc[0].tolist() == pytest.approx(whole.iloc[0].tolist())
    assert thin.iloc[-1, 1:].tolist() == [1.0, 0.0]
    everything = set(map(tuple, whole[["precision", "recall"]].to_numpy().round(12).tolist()))
    assert set(map(tuple, thin[["precision", "recall"]].to_numpy().round(12).tolist())) <= everything


def test_gaps_are_not_evaluated() -> None:
    samples = samples_at([0.0, 1.0, 5.0], 6.0, gaps_s=[(2.0, 5.0)])
    analysis = analyse_scores([[1.0], [1.0], [0.0]], prompt_set("a", decision="threshold"), samples)
    (one,) = evaluate(analysis, [TrueSegment("a", 1.0, 6.0)]).labels
    assert (one.hits_s, one.false_alarms_s, one.misses_s) == (1.0, 1.0, 1.0)
