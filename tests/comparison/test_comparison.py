"""Two analyses side by side: against slow counts and scikit-learn, of unlike samplings, and of one with itself."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import cohen_kappa_score, confusion_matrix, jaccard_score

from lib.analysis.analysis import Analysis
from lib.comparison.comparison import COMPARED, Disagreement, compare
from lib.prompts.model import Prompt, PromptSet, Settings
from tests.helpers.against_truth import CELL_S, analysis_on_grid
from tests.helpers.arrays import analyse_scores, every, prompt_set, samples_at

SEEDS = range(20)
EXACT = {"abs": 1e-9, "rel": 0, "nan_ok": True}


def cell_starts(*sides: Analysis) -> list[float]:
    first = min(float(side.samples.times_s[0]) if len(side.samples) else side.samples.end_s for side in sides)
    return [k * CELL_S for k in range(round(first / CELL_S), round(sides[0].samples.end_s / CELL_S))]


def label_at(side: Analysis, time_s: float) -> str | None:
    rows = [row for row, start in enumerate(side.samples.times_s.tolist()) if start <= time_s]
    return side.sample_labels[rows[-1]] if rows else None


def has_at(side: Analysis, label: str, time_s: float) -> bool:
    return any(s.label == label and s.start_s <= time_s < s.end_s for s in side.segments)


@pytest.mark.parametrize("seed", SEEDS)
class TestOfUnlikeSamplings:
    def test_agreement_kappa_and_confusion_equal_scikit_learn_on_a_count_of_cells(self, seed: int) -> None:
        a, b = analysis_on_grid(seed), analysis_on_grid(seed + 500)
        found = compare(a, b)
        starts = cell_starts(a, b)
        labels_a = [label_at(a, start) or "nothing" for start in starts]
        labels_b = [label_at(b, start) or "nothing" for start in starts]
        if not starts:
            assert (found.agreement, found.kappa) == (None, None)
            return
        same = np.mean([x == y for x, y in zip(labels_a, labels_b, strict=True)])
        assert found.agreement == pytest.approx(same, **EXACT)
        if len({*labels_a, *labels_b}) == 1:
            assert found.kappa is None
        else:
            assert found.kappa == pytest.approx(cohen_kappa_score(labels_a, labels_b), **EXACT)
        names = sorted({*a.labels, *b.labels, "nothing"})
        shown = found.confusion.reindex(index=names, columns=names, fill_value=0.0).to_numpy()
        assert shown == pytest.approx(confusion_matrix(labels_a, labels_b, labels=names) * CELL_S, **EXACT)

    def test_iou_equals_scikit_learn(self, seed: int) -> None:
        a, b = analysis_on_grid(seed), analysis_on_grid(seed + 500)
        iou = compare(a, b).iou
        assert list(iou) == [label for label in a.labels if label in b.labels]
        for label, value in iou.items():
            has_a, has_b = ([has_at(side, label, t) for t in cell_starts(a, b)] for side in (a, b))
            if not any(has_a) and not any(has_b):
                assert value is None
            else:
                assert value == pytest.approx(jaccard_score(has_a, has_b), **EXACT)

    def test_disagreements_are_all_there_is_and_as_long_as_they_can_be(self, seed: int) -> None:
        a, b = analysis_on_grid(seed), analysis_on_grid(seed + 500)
        found = compare(a, b).disagreements
        starts = cell_starts(a, b)
        inside = {start: (one.a, one.b) for start in starts for one in found if one.start_s <= start < one.end_s}
        expected = {start: (label_at(a, start), label_at(b, start)) for start in starts}
        assert inside == {start: pair for start, pair in expected.items() if pair[0] != pair[1]}
        for before, after in itertools.pairwise(found):
            assert before.end_s <= after.start_s
            assert before.end_s < after.start_s or (before.a, before.b) != (after.a, after.b)

    def test_scores_are_paired_by_the_time_that_as_sample_stands_for(self, seed: int) -> None:
        a, b = analysis_on_grid(seed), analysis_on_grid(seed + 500)
        found = compare(a, b)
        for label in found.labels:
            pairs = found.score_pairs(label)
            rows = [row for row, t in enumerate(a.samples.times_s) if (b.samples.times_s <= t).any()]
            assert pairs["sample_a"].tolist() == rows
            for pair in pairs.to_dict("records"):
                other = int(np.flatnonzero(b.samples.times_s <= pair["time_s"])[-1])
                assert (pair["sample_b"], pair["frame_b"]) == (other, b.samples.frames[other])
                assert pair["a"] == a.scores[pair["sample_a"], a.column(label)]
                assert pair["b"] == b.scores[other, b.column(label)]


@pytest.mark.parametrize("seed", SEEDS)
def test_with_itself_there_is_no_difference(seed: int) -> None:
    a = analysis_on_grid(seed)
    found = compare(a, a)
    assert found.agreement == (1.0 if len(a.samples) else None)
    assert found.kappa in (1.0, None)
    assert found.disagreements == ()
    assert set(found.iou.values()) <= {1.0, None}
    assert (found.only_a, found.only_b) == ((), ())
    frame = found.metrics_frame()
    for name in COMPARED:
        lacks = frame[f"{name}_a"].isna()
        assert frame[f"{name}_difference"][~lacks].eq(0).all()
        assert frame[f"{name}_difference"][lacks].isna().all()
    assert all(found.moved(label) == () for label in found.labels)
    table = found.confusion.to_numpy()
    assert table.sum() == pytest.approx(np.trace(table))


def test_without_samples_and_with_one() -> None:
    nothing = analyse_scores([], prompt_set("a"), samples_at([], 3.0))
    one = analyse_scores([[1.0]], prompt_set("a"), samples_at([1.0], 3.0))
    assert compare(nothing, nothing).to_dict() == {
        "share": None, "kappa": None, "iou": {"a": None}, "disagreements": [],
    }  # fmt: skip
    assert compare(nothing, one).to_dict() == {
        "share": 0.0,
        "kappa": 0.0,
        "iou": {"a": 0.0},
        "disagreements": [{"start_s": 1.0, "end_s": 3.0, "a": None, "b": "a"}],
    }
    assert compare(one, nothing).disagreements == (Disagreement(1.0, 3.0, "a", None),)
    assert compare(one, one).to_dict() == {
        "share": 1.0,
        "kappa": None,
        "iou": {"a": 1.0},
        "disagreements": [],
    }


def test_labels_are_matched_by_letters_and_others_are_listed() -> None:
    a = analyse_scores([[1, 0, 0], [0, 1, 0]], prompt_set("Crane", "road", "x"))
    b = analyse_scores([[0, 1], [0, 1]], prompt_set("bird", "crane"))
    found = compare(a, b)
    assert (found.labels, found.only_a, found.only_b) == (("Crane",), ("road", "x"), ("bird",))
    assert found.disagreements == (Disagreement(1.0, 2.0, "road", "crane"),)
    assert found.iou == {"Crane": 0.5}
    assert found.confusion.to_dict() == {
        "bird": {"Crane": 0.0, "road": 0.0, "x": 0.0, "nothing": 0.0},
        "crane": {"Crane": 1.0, "road": 1.0, "x": 0.0, "nothing": 0.0},
        "nothing": {"Crane": 0.0, "road": 0.0, "x": 0.0, "nothing": 0.0},
    }
    assert found.score_pairs("Crane")["b"].tolist() == [1.0, 1.0]
    with pytest.raises(KeyError):
        found.score_pairs("road")


def test_the_same_label_in_another_encoding_is_one() -> None:
    scores = [[1, 0], [0, 1]]
    found = compare(
        analyse_scores(scores, prompt_set("café", "x")), analyse_scores(scores, prompt_set("CAFE\u0301", "x"))
    )
    assert found.agreement == 1.0
    assert (found.labels, found.only_a, found.only_b) == (("café", "x"), (), ())


def test_a_finer_sampling_on_one_side_counts_by_its_seconds() -> None:
    a = analyse_scores([[1, 0], [0, 1]], prompt_set("a", "b"), every(2.0, 2))
    b = analyse_scores([[1, 0], [0, 1], [0, 1], [1, 0]], prompt_set("a", "b"), every(1.0, 4))
    found = compare(a, b)
    assert found.agreement == 0.5
    assert found.disagreements == (Disagreement(1.0, 2.0, "a", "b"), Disagreement(3.0, 4.0, "b", "a"))


def test_metrics_are_side_by_side() -> None:
    a = analyse_scores([[1, 0], [0.5, 0.9]], prompt_set("a", "only"))
    b = analyse_scores([[0.2, 0], [0.4, 0]], prompt_set("a", "other"))
    frame = compare(a, b).metrics_frame().set_index("label")
    assert frame["side"].to_dict() == {"a": "both", "only": "a", "other": "b"}
    row = frame.loc["a"]
    assert (row["duration_s_a"], row["duration_s_b"], row["duration_s_difference"]) == (1.0, 2.0, 1.0)
    assert row["peak_score_difference"] == pytest.approx(-0.6)
    assert (row["present_a"], row["present_difference"]) == (True, 0.0)
    assert frame.loc["only", "present_b"] is None
    assert np.isnan(frame.loc["only", "duration_s_b"])
    assert np.isnan(frame.loc["other", "mean_score_difference"])
    assert list(frame.columns) == ["side"] + [f"{name}_{end}" for name in COMPARED for end in ("a", "b", "difference")]


def test_what_moved_most_comes_first_and_apart() -> None:
    scores = np.zeros((20, 2))
    other = scores.copy()
    other[[3, 4, 10, 15], 0] = [0.9, 0.8, -0.5, 0.1]
    a, b = (analyse_scores(values, prompt_set("a", "b"), every(0.5, 20)) for values in (scores, other))
    moved = compare(a, b).moved("a")
    assert [(one.sample_a, round(one.change, 6)) for one in moved] == [(3, 0.9), (10, -0.5), (15, 0.1)]
    assert (moved[0].time_s, moved[0].frame_a, moved[0].score_a, moved[0].score_b) == (1.5, 30, 0.0, 0.9)
    assert (moved[1].label_a, moved[1].label_b) == ("a", "b")
    assert len(compare(a, b).moved("a", k=1)) == 1
    assert [one.sample_a for one in compare(a, b).moved("a", min_gap_s=0)] == [3, 4, 10, 15]


def test_only_what_differs_by_much_is_among_the_largest_changes() -> None:
    """Eight frames were listed whatever they differed by, most of them alike to three decimals."""
    scores = np.linspace(0, 1, 20)[:, None]
    other = scores + 1e-4
    other[5, 0] += 0.4
    a, b = (analyse_scores(values, prompt_set("a"), every(2.0, 20)) for values in (scores, other))
    assert [one.sample_a for one in compare(a, b).moved("a")] == [5]
    alike = analyse_scores(scores + 1e-4, prompt_set("a"), every(2.0, 20))
    assert compare(a, alike).moved("a") == compare(a, a).moved("a") == ()


def test_scores_of_another_kind_are_compared_by_rank() -> None:
    scores = np.array([[0.1, 0.2], [0.2, 0.1], [0.3, 0.0], [0.0, 0.3]])
    chosen = PromptSet("p", (Prompt("a"), Prompt("b")), settings=Settings(score="probability"))
    a, b = analyse_scores(scores, prompt_set("a", "b")), analyse_scores(scores, chosen)
    assert compare(a, b).moved("a") == ()  # probabilities differ from cosines, their order is the same
    b = analyse_scores(scores[[1, 0, 2, 3]], chosen)
    assert [round(abs(one.change), 6) for one in compare(a, b).moved("a", min_gap_s=0)] == [0.333333] * 2
    frame = compare(a, b).metrics_frame()
    assert frame[["mean_score_difference", "peak_score_difference"]].isna().to_numpy().all()
    assert frame[["peak_score_a", "peak_score_b", "share_difference"]].notna().to_numpy().all()


def test_the_document_is_plain() -> None:
    a, b = analysis_on_grid(3), analysis_on_grid(4)
    assert list(json.loads(json.dumps(compare(a, b).to_dict(), allow_nan=False))) == [
        "share", "kappa", "iou", "disagreements",
    ]  # fmt: skip
    assert isinstance(compare(a, b).confusion, pd.DataFrame)


def test_a_label_called_nothing_is_not_mixed_up() -> None:
    a = analyse_scores([[0.9], [0.0]], prompt_set("nothing", decision="threshold", threshold=0.5))
    table = compare(a, a).confusion
    assert list(table.index) == ["nothing", "(nothing)"]
    assert np.diag(table).tolist() == [1.0, 1.0]


def test_a_gap_of_one_side_is_no_label_and_one_of_both_sides_does_not_count() -> None:
    chosen = prompt_set("x", decision="threshold")
    a = analyse_scores([[1.0], [1.0]], chosen, samples_at([0.0, 8.0], 10.0, gaps_s=[(2.0, 8.0)]))
    b = analyse_scores([[1.0], [1.0]], chosen, samples_at([0.0, 6.0], 10.0, gaps_s=[(4.0, 6.0)]))
    found = compare(a, b)
    assert found.disagreements == (Disagreement(2.0, 4.0, None, "x"), Disagreement(6.0, 8.0, None, "x"))
    assert found.agreement == pytest.approx(4 / 8)  # of the 10 s, 4 to 6 s is known to neither
    assert found.iou == {"x": pytest.approx(4 / 8)}


def test_samples_that_are_rounded_otherwise_are_no_disagreement() -> None:
    scores = [[0.9, 0.1], [0.1, 0.9]]
    a, b, c = (
        analyse_scores(scores, prompt_set("x", "y"), samples_at([0.0, second], 2.0))
        for second in (1.0, 1.0 + 1e-7, 1.01)
    )
    assert compare(a, b).disagreements == ()
    (one,) = compare(a, c).disagreements
    assert (one.start_s, one.end_s, one.a, one.b) == (1.0, 1.01, "y", "x")


def test_frames_to_decide_are_in_the_longest_differences_one_of_each_kind_first() -> None:
    def said(text: str) -> Analysis:
        scores = np.array([[float(letter == one) for letter in "xyz"] for one in text])
        chosen = prompt_set("x", "y", "z", decision="best_threshold", threshold=0.5)
        return analyse_scores(scores, chosen, every(1.0, len(text)))

    found = compare(said("xxxxxxxxxxxxyyxx"), said("yyyyyxyyyyxxzzxx"))
    assert [(d.start_s, d.end_s) for d in found.disagreements] == [(0, 5), (6, 10), (12, 14)]
    assert found.to_decide(2) == (2, 13)
    assert found.to_decide() == (2, 8, 13)
    assert found.summary == (
        "A and B differ for 11.0 s of 16.0 s, in 3 places, the longest 0:00.0 – 0:05.0: A says x, B says y. "
        "Without ground truth neither is better; look at 0:02.0, 0:08.0, 0:13.0 to decide."
    )


def test_what_is_found_beside_the_best_label_is_no_agreement() -> None:
    scores = np.array([[0.9, 0.6]] * 4)
    a, b = (
        analyse_scores(scores[:, :n], prompt_set(*"xy"[:n], decision="threshold", threshold=0.5), every(1.0, 4))
        for n in (1, 2)
    )
    found = compare(a, b)
    assert found.agreement == 1.0
    assert found.found_differently == {"y": 4.0}
    assert "differ in others beside it: y (4.0 s)" in found.summary
    assert compare(a, a).summary == "A and B give the same label all the time."
