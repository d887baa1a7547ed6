"""The numbers of an analysis that are kept, and how they differ from later ones."""

from __future__ import annotations

import numpy as np

from lib.core.labelled_intervals import TrueSegment
from lib.evaluation.evaluation import evaluate
from lib.evaluation.numbers import Change, Numbers, f1_changes, numbers_of, share_changes
from lib.evaluation.overall import overall
from tests.helpers.arrays import analyse_scores, prompt_set

SCORES = np.array([[0.9, 0.1], [0.9, 0.1], [0.1, 0.9], [0.1, 0.9]])
TRUTH = (TrueSegment("P0", 0.0, 2.0), TrueSegment("crane", 3.0, 4.0))


def test_they_are_the_metrics_and_those_against_the_truth() -> None:
    analysis = analyse_scores(SCORES, prompt_set("P0", "P1"))
    numbers = numbers_of(analysis, TRUTH)
    against = evaluate(analysis, TRUTH)
    score = overall(against)

    assert (numbers.macro_f1, numbers.accuracy) == (score.macro_f1, score.accuracy) == (0.5, 0.75)
    assert numbers.true_f1 == {"P0": 1.0, "crane": 0.0}
    label = analysis.labels[0]
    assert numbers.value(label, "share") == 0.5
    assert numbers.value(label, "precision") == against.by_label[label].precision == 1.0
    assert numbers.f1("p0 ") == 1.0
    assert numbers.f1(analysis.labels[1]) is None
    assert numbers.to_dict()["overall"] == score.to_dict()


def test_without_truth_there_is_no_f1() -> None:
    numbers = numbers_of(analyse_scores(SCORES, prompt_set("P0", "P1")), ())
    assert (numbers.macro_f1, numbers.accuracy, numbers.true_f1) == (None, None, {})
    assert "f1" not in next(iter(numbers.labels.values()))


def test_changes_are_worst_first_and_what_is_undefined_last() -> None:
    before = Numbers(true_f1={"a": 0.5, "b": 0.9, "gone": 0.7}, labels={"a": {"share": 0.25}, "b": {"share": 0.5}})
    now = Numbers(true_f1={"A": 0.75, "b": 0.4}, labels={"b": {"share": 0.4}, "A": {"share": 0.75}, "new": {}})
    assert f1_changes(before, now) == (
        Change("b", 0.9, 0.4),
        Change("A", 0.5, 0.75),
        Change("gone", 0.7, None),
        Change("new", None, None),
    )
    assert [change.label for change in share_changes(before, now)] == ["A", "b", "new"]
    assert [f"{change.difference:.2f}" for change in f1_changes(before, now)[:2]] == ["-0.50", "0.25"]
    assert f1_changes(before, now)[2].difference is None
