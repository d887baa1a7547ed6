"""What is said of two prompt sets against the truth: which is better here, where, and on what evidence."""

from __future__ import annotations

import re

import numpy as np
import pytest

from lib.analysis.analysis import Analysis
from lib.core.labelled_intervals import TrueSegment
from lib.evaluation.bootstrap import overall_difference
from lib.evaluation.evaluation import evaluate
from lib.evaluation.overall import overall
from lib.evaluation.verdict import Verdict, one_right, verdict
from tests.helpers.against_truth import CELL_S, analysis_on_grid, truth_on_grid
from tests.helpers.arrays import analyse_scores, every, prompt_set, samples_at

SCENES = [TrueSegment("wood", 0, 4), TrueSegment("site", 4, 7), TrueSegment("yard", 7, 10)]
NAMES = {"w": "wood", "s": "site", "y": "yard", "x": "castle"}


def said(text: str, labels: str = "wsyx") -> Analysis:
    """Return an analysis that says one label a second, by its first letter; ``.`` is nothing."""
    scores = np.array([[float(letter == one) for letter in labels] for one in text])
    chosen = prompt_set(*(NAMES[letter] for letter in labels), decision="best_threshold", threshold=0.5)
    return analyse_scores(scores, chosen, every(1.0, len(text)))


def of(a: Analysis, b: Analysis, truth: list[TrueSegment]) -> Verdict:
    sides = evaluate(a, truth), evaluate(b, truth)
    found = verdict(*sides, overall_difference(*sides, seed=0))
    assert found is not None
    return found


def test_it_says_which_is_better_where_and_by_how_much_and_the_evidence_apart() -> None:
    found = of(said("wwwwssssss", "ws"), said("wwwwsssyyy", "wsy"), SCENES)
    assert found.better == "b"
    assert found.summary == (
        "B is better here: it is right where A is wrong at 0:07.0 – 0:10.0 (yard). "
        "Over all 3 true labels its macro F1 is 1.00 against 0.56 (+0.44): "
        "yard 1.00 against 0.00 (+1.00, not in A), site 1.00 against 0.67 (+0.33)."
    )
    assert "from 3 independent stretches of this video" in found.evidence
    assert "More marked stretches in which A and B differ would make it stronger" in found.evidence


def test_the_other_way_round_is_the_same_said_of_a() -> None:
    a, b = said("wwwwssssss", "ws"), said("wwwwsssyyy", "wsy")
    there, back = of(a, b, SCENES), of(b, a, SCENES)
    assert back.better == "a"
    swapped = there.summary.replace("B", "x").replace("A", "B").replace("x", "A")
    assert back.summary == swapped


def test_an_obvious_difference_is_never_none() -> None:
    """Five of five scenes against one of five read "No difference that this video can show"."""
    truth = [TrueSegment(name, 2 * i, 2 * i + 2) for i, name in enumerate(("wood", "site", "yard", "wood", "site"))]
    found = of(said("wwwwwwwwww"), said("wwssyywwss"), truth)
    assert found.better == "b"
    assert "B is better here" in found.summary
    assert "no difference" not in f"{found.summary} {found.evidence}".lower()


def test_many_stretches_are_said_to_be_more_than_chance() -> None:
    truth = [TrueSegment(("wood", "site")[i % 2], 2 * i, 2 * i + 2) for i in range(30)]
    found = of(said("w" * 60), said("wwss" * 15), truth)
    assert "leaves out 0" in found.evidence
    assert "Whether it holds on other videos" in found.evidence
    assert "rough" not in found.evidence


def test_truth_of_one_piece_is_no_evidence() -> None:
    found = of(said("wwss"), said("wwww"), [TrueSegment("wood", 0, 4)])
    assert "B is better here" in found.summary
    assert found.evidence.startswith("The truth is all of one piece, so nothing tells whether it holds elsewhere.")


def test_equally_good_in_different_places_says_where() -> None:
    found = of(said("wwww......"), said("......wwww"), [TrueSegment("wood", 0, 10)])
    assert found.better is None
    assert found.summary.startswith(
        "A and B are equally good here, in different places: A alone is right at 0:00.0 – 0:04.0 (wood); "
        "B alone is right at 0:06.0 – 0:10.0 (wood)."
    )
    same = of(said("wwww"), said("wwww"), [TrueSegment("wood", 0, 2)])
    assert same.summary.startswith(
        "A and B are equally good here: each is right exactly where the other is, 50 % of the time."
    )
    assert "try one in which only one of them is right" in same.evidence or "all of one piece" in same.evidence


def test_a_better_score_with_less_time_right_is_said() -> None:
    truth = [TrueSegment("wood", 0, 16), TrueSegment("site", 16, 18), TrueSegment("yard", 18, 20)]
    found = of(said("w" * 20), said("wwwwwwww........ssyy"), truth)
    assert found.better == "b"
    assert "But A is right for longer: accuracy 0.80 for A, 0.60 for B." in found.summary


def test_signs_of_labels_are_those_of_the_better_side() -> None:
    found = of(said("wwwwsssyyy"), said("wwwwsss..."), SCENES)
    assert found.better == "a"
    assert "(+0.33): yard 1.00 against 0.00 (+1.00)." in found.summary
    assert not re.search(r"[−-]0\.00", found.evidence)


def test_truth_beyond_the_video_has_no_verdict() -> None:
    sides = [evaluate(said(text), [TrueSegment("wood", 50, 60)]) for text in ("ww", "ss")]
    assert verdict(*sides, overall_difference(*sides, seed=0)) is None


@pytest.mark.parametrize(("stretches", "rough"), [(19, True), (20, False)])
def test_fewer_than_twenty_stretches_make_a_rough_interval(stretches: int, rough: bool) -> None:
    truth = [TrueSegment(("wood", "site")[i % 2], i, i + 1) for i in range(stretches)]
    right = ("ws" * 10)[:stretches]
    assert ("fewer than 20" in of(said("." * stretches), said(right), truth).evidence) == rough


def test_a_better_score_with_as_much_time_right_says_nothing_of_time() -> None:
    truth = [TrueSegment("wood", 0, 8), TrueSegment("site", 8, 10)]
    found = of(said("wwwwwwww.."), said("wwwwww..ss"), truth)
    assert found.better == "b"
    assert "But" not in found.summary


def test_a_stretch_ends_where_the_truth_changes_and_the_longest_are_named() -> None:
    spans = (("wood", 0, 1), ("site", 1, 3), ("yard", 3, 6), ("castle", 6, 10))
    truth = [TrueSegment(*span) for span in spans]
    found = of(said("wssyyyxxxx"), said("." * 10), truth)
    assert [(one.start_s, one.end_s, one.true) for one in found.stretches] == [
        (one.start_s, one.end_s, (one.label,)) for one in truth
    ]
    assert (
        "at 0:01.0 – 0:03.0 (site), 0:03.0 – 0:06.0 (yard), 0:06.0 – 0:10.0 (castle) and 1 shorter one"
    ) in found.summary


def test_time_that_one_side_has_no_samples_for_is_no_ones() -> None:
    samples = samples_at([0, 1, 2, 10, 11], 12, gaps_s=[(3, 10)])
    chosen = prompt_set("wood", decision="best_threshold", threshold=0.5)
    truth = [TrueSegment("wood", 0, 12)]
    a = evaluate(analyse_scores([[1.0], [1.0], [0.0], [1.0], [1.0]], chosen, samples), truth)
    b = evaluate(said("...wwwwwww.."), truth)
    assert [(one.start_s, one.end_s, one.better) for one in one_right(a, b)] == [(0, 2, "a"), (10, 12, "a")]


def test_labels_come_by_how_much_they_change() -> None:
    found = of(said("www.s..yyy"), said("wwwwsssy.."), SCENES)
    listed = re.findall(r"[:,] (\w+) [\d.]+ against [\d.]+ \(([+−][\d.]+)\)", found.summary)
    assert listed == [("site", "+0.50"), ("yard", "−0.50"), ("wood", "+0.14")]


def test_equally_good_over_all_labels_says_whose_numbers_are_whose() -> None:
    truth = [TrueSegment("wood", 0, 5), TrueSegment("site", 5, 10)]
    found = of(said("wwwww.....", "ws"), said(".....sssss", "ws"), truth)
    assert found.better is None
    assert "by label A against B: wood 1.00 against 0.00 (+1.00), site 0.00 against 1.00 (−1.00)." in found.summary


@pytest.mark.parametrize("seed", range(20))
def test_stretches_are_those_of_a_slow_count(seed: int) -> None:
    """The time in which one side is right is the difference in accuracy, whatever the samplings."""
    rng = np.random.default_rng(seed)
    truth = truth_on_grid(seed, labels=("crane", "ship", "bird"))
    sides = []
    for other in (0, 1):
        one = analysis_on_grid(seed + 100 * other, n=25)
        times = np.append(0.0, np.sort(rng.choice(np.arange(1, 199), len(one.cosine) - 1, replace=False)) * CELL_S)
        sides.append(
            evaluate(analyse_scores(one.cosine, one.prompt_set, samples_at(times.tolist(), 200 * CELL_S)), truth)
        )
    scores = [overall(side).accuracy for side in sides]
    if scores[0] is None or scores[1] is None:
        return
    gained = sum((one.end_s - one.start_s) * (1 if one.better == "b" else -1) for one in one_right(*sides))
    assert gained == pytest.approx((scores[1] - scores[0]) * 200 * CELL_S, abs=1e-9)
