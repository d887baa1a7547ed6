"""Intervals of a difference in F1, against drawing blocks one by one."""

from __future__ import annotations

import numpy as np
import pytest

from lib.analysis.analysis import Analysis
from lib.core.labelled_intervals import TrueSegment
from lib.evaluation.bootstrap import (
    Difference,
    f1_differences,
    f1_differences_of_videos,
    mean_difference,
    overall_difference,
)
from lib.evaluation.evaluation import Evaluation, evaluate
from tests.helpers.against_truth import CELL_S, analysis_on_grid, cells_of, truth_on_grid
from tests.helpers.arrays import analyse_scores, every, prompt_set


def f1(hits: float, found: float, true: float) -> float:
    return 2 * hits / (found + true) if found + true else float("nan")


def difference_in_f1(
    a: Analysis, b: Analysis, truth: list[TrueSegment], *, seed: int, n: int = 1000
) -> dict[str, Difference]:
    return f1_differences(evaluate(a, truth), evaluate(b, truth), seed=seed, n=n)


@pytest.mark.parametrize("seed", range(12))
def test_equals_drawing_blocks_one_by_one(seed: int) -> None:
    a = analysis_on_grid(seed, n=25)
    b = analyse_scores(np.roll(a.cosine, 1, axis=0), a.prompt_set, a.samples)
    truth = truth_on_grid(seed)
    found = difference_in_f1(a, b, truth, seed=seed, n=50)
    cells = {label: (cells_of(a, truth, label), cells_of(b, truth, label)) for label in a.labels}
    starts = cells[a.labels[0]][0].starts
    names = {segment.label.lower() for segment in truth}
    there = [
        frozenset(n for n in names if any(s.label.lower() == n and s.start_s <= t < s.end_s for s in truth))
        for t in starts
    ]
    block = np.cumsum([0, *(x != y for x, y in zip(there[1:], there[:-1], strict=True))])
    blocks = block[-1] + 1
    assert list(found) == [label for label in a.labels if label in names]
    drawn = np.random.default_rng(seed).multinomial(blocks, np.full(blocks, 1 / blocks), size=50)
    for label, one in found.items():
        differences = []
        for times in drawn:
            weights = times[block] * CELL_S
            sides = [
                f1(weights[side.true & side.found].sum(), weights[side.found].sum(), weights[side.true].sum())
                for side in cells[label]
            ]
            differences.append(sides[1] - sides[0])
        whole = [f1((side.true & side.found).sum(), side.found.sum(), side.true.sum()) for side in cells[label]]
        if np.isnan(whole).any():
            assert (one.difference, one.low, one.high) == (None, None, None)
            continue
        assert [one.f1_a, one.f1_b] == pytest.approx(whole, abs=1e-9)
        assert one.difference == pytest.approx(whole[1] - whole[0], abs=1e-9)
        if blocks > 1 and not np.isnan(differences).all():
            low, high = np.nanquantile(differences, [0.025, 0.975])
            assert [one.low, one.high] == pytest.approx([low, high], abs=1e-9)


def test_many_blocks_show_a_real_difference_and_hide_none() -> None:
    rng = np.random.default_rng(0)
    truth = [TrueSegment("a", start, start + 5) for start in range(5, 1000, 20)]
    true = np.array([any(s.start_s <= t < s.end_s for s in truth) for t in range(1000)])
    chosen = prompt_set("a", decision="threshold", threshold=0.5)
    noise = rng.normal(size=(3, 1000)) * 0.2
    good, same, bad = (
        analyse_scores(np.clip(lift * true + one, -1, 1)[:, None], chosen, every(1.0, 1000))
        for lift, one in zip((0.9, 0.9, 0.6), noise, strict=True)
    )
    better = difference_in_f1(bad, good, truth, seed=0)["a"]
    assert better.shown
    assert better.low is not None
    assert better.low > 0
    assert better.sentence.startswith("B is better here by +0.")
    worse = difference_in_f1(good, bad, truth, seed=0)["a"]
    assert worse.sentence == better.sentence.replace("B is", "A is")
    none = difference_in_f1(good, same, truth, seed=0)["a"]
    assert not none.shown
    assert none.sentence.endswith("; it includes 0, so elsewhere it may be otherwise.")
    assert difference_in_f1(bad, good, truth, seed=0) == {"a": better}


def test_videos_count_together_and_a_label_where_the_truth_names_it() -> None:
    chosen = prompt_set("a", "b", decision="threshold", threshold=0.5)

    def pair(truth: list[TrueSegment]) -> tuple[Evaluation, Evaluation]:
        before, after = np.tile([0.9, 0.9], (8, 1)), np.tile([0.0, 0.9], (8, 1))
        before[::2] = 0.0
        return tuple(evaluate(analyse_scores(scores, chosen, every(1.0, 8)), truth) for scores in (before, after))

    pairs = [
        pair([TrueSegment("a", 0, 4)]),
        pair([TrueSegment("a", 0, 2), TrueSegment("b", 4, 8)]),
    ]
    found = f1_differences_of_videos(pairs, seed=0)
    assert (found["a"].f1_a, found["a"].f1_b) == (pytest.approx(f1(3, 8, 6)), 0.0)
    assert (found["b"].f1_a, found["b"].f1_b) == pytest.approx((f1(2, 4, 4), f1(4, 8, 4)))
    usual, wide = (f1_differences_of_videos(pairs * 4, seed=0, level=level) for level in (0.95, 0.999))
    assert wide["a"].low < usual["a"].low < usual["a"].high < wide["a"].high


def test_resamples_are_the_same_drawn_piece_by_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    sides = [evaluate(analysis_on_grid(seed, n=25), truth_on_grid(3)) for seed in (3, 3)]
    sides[1] = evaluate(
        analyse_scores(np.roll(sides[0].analysis.cosine, 3, axis=0), sides[0].analysis.prompt_set, every(1.0, 25)),
        truth_on_grid(3),
    )
    whole = f1_differences(*sides, seed=0, n=50), overall_difference(*sides, seed=0, n=50)
    monkeypatch.setattr("lib.evaluation.bootstrap._AT_ONCE", 100)
    assert (f1_differences(*sides, seed=0, n=50), overall_difference(*sides, seed=0, n=50)) == whole


def test_a_mean_is_that_of_the_seconds_drawn() -> None:
    a, b, weights = np.array([1.0, 8.0, 0.0]), np.array([0.5, 2.0, 3.0]), np.array([1.0, 20.0, 4.0])
    drawn = np.random.default_rng(5).multinomial(3, np.full(3, 1 / 3), size=200)
    means = [(b - a) @ times / (weights @ times) for times in drawn]
    assert mean_difference(a, b, weights, seed=5, n=200) == pytest.approx(np.quantile(means, [0.025, 0.975]))


def test_with_itself_there_is_none() -> None:
    a = analysis_on_grid(5, n=30)
    for one in difference_in_f1(a, a, truth_on_grid(5), seed=1).values():
        assert one.difference in (0.0, None)
        assert {one.low, one.high} <= {0.0, None}


def test_one_block_shows_nothing_and_no_truth_either() -> None:
    a = analyse_scores([[0.9], [0.0]], prompt_set("a", decision="threshold", threshold=0.5))
    b = analyse_scores([[0.9], [0.9]], prompt_set("A", decision="threshold", threshold=0.5))
    one = difference_in_f1(a, b, [TrueSegment("a", 0, 9)], seed=0)["a"]
    assert (one.f1_a, one.f1_b, one.low, one.high) == (pytest.approx(2 / 3), 1.0, None, None)
    assert one.sentence == (
        "B is better here by +0.33; the truth is all of one piece, so nothing tells whether it holds elsewhere."
    )
    assert difference_in_f1(a, b, [], seed=0) == {}
    beyond = difference_in_f1(a, b, [TrueSegment("a", 5, 9)], seed=0)["a"]
    assert (beyond.f1_a, beyond.difference) == (0.0, 0.0)


def test_sentences_have_no_negative_zero_and_the_document_is_plain() -> None:
    one = Difference("a", 0.5, 0.501, 0.001, -0.001, 0.01)
    assert one.sentence == (
        "A and B are equally good here, interval 0.00 to 0.01; it includes 0, so elsewhere it may be otherwise."
    )
    assert one.to_dict() == {"f1": 0.001, "low": -0.001, "high": 0.01}
    assert Difference("a", 0.5, 0.58, 0.08, 0.02, 0.15).sentence == (
        "B is better here by +0.08, interval 0.02 to 0.15; it leaves out 0."
    )
    assert Difference("a", None, 0.1, None, None, None).sentence.startswith("F1 is undefined")


def test_an_interval_that_begins_or_ends_at_0_shows_no_difference() -> None:
    assert not Difference("a", 0.6, 1.0, 0.4, 0.0, 0.6).shown
    assert not Difference("a", 1.0, 0.6, -0.4, -0.6, 0.0).shown
    assert Difference("a", 1.0, 0.6, -0.4, -0.6, -0.1).shown
