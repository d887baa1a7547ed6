"""The overall score against scikit-learn on the expanded timeline, and what missing and invented labels cost."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from lib.analysis.analysis import Analysis
from lib.core.labelled_intervals import TrueSegment
from lib.evaluation.bootstrap import overall_difference
from lib.evaluation.evaluation import evaluate
from lib.evaluation.overall import overall
from tests.helpers.against_truth import CELL_S, analysis_on_grid, cells_of, truth_on_grid
from tests.helpers.arrays import analyse_scores, every, prompt_set

EXACT = {"abs": 1e-9, "rel": 0}
SCENES = [TrueSegment("a", 0, 4), TrueSegment("b", 4, 7), TrueSegment("c", 7, 10)]


def at(analysis_labels: tuple[str, ...], said: str) -> Analysis:
    """Return an analysis of one sample a second that says one letter of ``said`` in each; ``.`` is nothing."""
    scores = np.array([[1.0 if label == letter else 0.0 for label in analysis_labels] for letter in said])
    chosen = prompt_set(*analysis_labels, decision="best_threshold", threshold=0.5)
    return analyse_scores(scores, chosen, every(1.0, len(said)))


@pytest.mark.parametrize("seed", range(60))
def test_equals_scikit_learn_on_the_expanded_timeline(seed: int) -> None:
    analysis = analysis_on_grid(seed)
    labels = (("crane", "ship"), ("crane", "ship", "SHIP", "bird"), ("tree", "bird", "road"))[seed % 3]
    truth = truth_on_grid(seed, labels=labels)
    score = overall(evaluate(analysis, truth))
    cells = {label: cells_of(analysis, truth, label) for label in analysis.labels}
    starts = cells[analysis.labels[0]].starts
    named = {segment.label.lower() for segment in truth}
    true = {n: [any(s.label.lower() == n and s.start_s <= t < s.end_s for s in truth) for t in starts] for n in named}
    true = {name: there for name, there in true.items() if any(there)}
    if not true:
        assert (score.macro_f1, score.accuracy, score.f1) == (None, None, {})
        return
    samples = [int(np.flatnonzero(analysis.samples.times_s <= start)[-1]) for start in starts]
    targets = {prompt.label for prompt in analysis.prompts if prompt.role == "target"}
    claimed = np.array([analysis.sample_labels[i] in targets - set(true) for i in samples])
    nowhere = np.zeros(len(starts), dtype=bool)
    found = {name: cells[name].found & ~claimed if name in cells else nowhere for name in true}
    y_true, y_found = np.array(list(true.values())).T, np.array(list(found.values())).T
    weights = np.full(len(starts), CELL_S)
    options = {"sample_weight": weights, "zero_division": 0}
    each = [f1_score(*columns, **options) for columns in zip(y_true.T, y_found.T, strict=True)]
    assert {label.lower(): f1 for label, f1 in score.f1.items()} == pytest.approx(
        dict(zip(true, each, strict=True)), **EXACT
    )
    if len(true) == 1:  # of one column scikit-learn's averages count the absence as a class too
        y_true, y_found = y_true.ravel(), y_found.ravel()
    macro = f1_score(y_true, y_found, average="macro" if len(true) > 1 else "binary", **options)
    assert score.macro_f1 == pytest.approx(macro, **EXACT)
    assert score.accuracy == pytest.approx(accuracy_score(y_true, y_found, sample_weight=weights), **EXACT)


@pytest.mark.parametrize("seed", range(30))
def test_with_one_label_at_a_time_it_is_that_of_a_classification(seed: int) -> None:
    """Plain multi-class F1: invented labels and missing ones included, over the true labels."""
    rng = np.random.default_rng(seed)
    said = "".join(rng.choice(list("abcxy."), 60))
    parts = [str(rng.choice(list("abc"))) for _ in range(15)]
    truth = [TrueSegment(label, 4 * i, 4 * i + 4) for i, label in enumerate(parts)]
    score = overall(evaluate(at(("a", "b", "x", "y"), said), truth))
    there = [label for label in parts for _ in range(4)]
    heard = [letter if letter in "abxy" else "." for letter in said]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        macro = f1_score(there, heard, labels=sorted(set(parts)), average="macro", zero_division=0)
    assert score.macro_f1 == pytest.approx(macro, **EXACT)
    assert score.accuracy == pytest.approx(accuracy_score(there, heard), **EXACT)


class TestWhatCosts:
    def test_a_label_that_the_set_lacks_counts_as_0(self) -> None:
        score = overall(evaluate(at(("a", "b"), "aaaabbb..."), SCENES))
        assert score.f1 == {"a": 1.0, "b": 1.0, "c": 0.0}
        assert (score.macro_f1, score.accuracy) == (pytest.approx(2 / 3), 0.7)

    def test_two_invented_labels_cost_the_two_that_they_replace(self) -> None:
        right = overall(evaluate(at(("a", "b", "c"), "aaaabbbccc"), SCENES))
        wrong = overall(evaluate(at(("a", "x", "y"), "aaaaxxxyyy"), SCENES))
        assert (right.macro_f1, wrong.macro_f1) == (1.0, pytest.approx(1 / 3))

    @pytest.mark.parametrize("score_of_x", [0.6, 0.9])
    def test_an_invented_one_beside_a_true_one_costs_where_it_is_the_better_of_the_two(self, score_of_x: float) -> None:
        scores = np.array([[0.7, score_of_x]] * 4)
        both = analyse_scores(scores, prompt_set("a", "x", decision="threshold", threshold=0.5), every(1.0, 4))
        score = overall(evaluate(both, [TrueSegment("a", 0, 4)]))
        assert (score.macro_f1, score.accuracy) == ((1.0, 1.0) if score_of_x < 0.7 else (0.0, 0.0))

    def test_an_invented_one_where_nothing_is_true_costs_nothing(self) -> None:
        score = overall(evaluate(at(("a", "x"), "aaaaxxx"), SCENES[:1]))
        assert (score.macro_f1, score.accuracy) == (1.0, 1.0)

    def test_overlapping_true_labels_may_both_be_found(self) -> None:
        truth = [TrueSegment("a", 0, 4), TrueSegment("b", 2, 4)]
        scores = np.array([[0.7, 0.1]] * 2 + [[0.7, 0.9]] * 2)
        both = analyse_scores(scores, prompt_set("a", "b", decision="threshold", threshold=0.5), every(1.0, 4))
        assert overall(evaluate(both, truth)).to_dict() == {"macro_f1": 1.0, "accuracy": 1.0}

    def test_truth_beyond_the_video_is_undefined(self) -> None:
        score = overall(evaluate(at(("a",), "aaaa"), [TrueSegment("a", 9, 12)]))
        assert (score.macro_f1, score.accuracy) == (None, None)


class TestDifference:
    @pytest.mark.parametrize("seed", range(12))
    def test_equals_drawing_stretches_one_by_one(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        said = ["".join(rng.choice(list("abx."), 20)) for _ in "ab"]
        truth = [TrueSegment(str(rng.choice(["a", "b"])), start, start + 3) for start in range(0, 20, 4)]
        a, b = (evaluate(at(("a", "b", "x"), one), truth) for one in said)
        change = overall_difference(a, b, seed=seed, n=40)
        edges = sorted({0, 20, *(edge for s in truth for edge in (s.start_s, min(s.end_s, 20)))})
        stretches = [list(range(int(lo), int(hi))) for lo, hi in itertools.pairwise(edges)]
        there = [next((s.label for s in truth if s.start_s <= t < s.end_s), ".") for t in range(20)]

        def macro(text: str, seconds: list[int]) -> float:
            labels = sorted({there[t] for t in seconds} - {"."})
            y = [there[t] for t in seconds], [text[t] for t in seconds]
            return float(f1_score(*y, labels=labels, average="macro", zero_division=0)) if labels else np.nan

        differences = []
        for times in np.random.default_rng(seed).multinomial(len(stretches), [1 / len(stretches)] * len(stretches), 40):
            seconds = [t for stretch, n in zip(stretches, times, strict=True) for t in stretch * n]
            differences.append(macro(said[1], seconds) - macro(said[0], seconds))
        low, high = np.nanquantile(differences, [0.025, 0.975])
        assert change.stretches == len(stretches)
        assert [change.macro_f1.low, change.macro_f1.high] == pytest.approx([low, high], **EXACT)
        assert change.macro_f1.difference == pytest.approx(
            macro(said[1], list(range(20))) - macro(said[0], list(range(20))), **EXACT
        )
        assert change.macro_f1.a == overall(a).macro_f1

    def test_truth_of_one_piece_has_no_interval(self) -> None:
        truth = [TrueSegment("a", 0, 4)]
        change = overall_difference(*(evaluate(at(("a",), said), truth) for said in ("a...", "aaaa")), seed=0)
        assert change.macro_f1.to_dict() == {
            "a": pytest.approx(0.4),
            "b": 1.0,
            "difference": pytest.approx(0.6),
            "low": None,
            "high": None,
        }

    def test_without_a_true_second_all_is_undefined(self) -> None:
        truth = [TrueSegment("a", 9, 12)]
        change = overall_difference(*(evaluate(at(("a",), said), truth) for said in ("a...", "aaaa")), seed=0)
        assert set(change.to_dict()["accuracy"].values()) == {None}
