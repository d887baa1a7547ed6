"""What a prompt is mistaken for."""

from __future__ import annotations

import pytest

from lib.core.labelled_intervals import TrueSegment
from lib.evaluation.evaluation import evaluate
from lib.evaluation.mistaken import Mistaken, mistaken
from tests.helpers.arrays import analyse_scores, prompt_set

CHOSEN = prompt_set("site", "rest", background=["rest"], score="cosine", decision="best")
SCORES = [[0, 1], [1, 0], [1, 0], [1, 0], [1, 0], [0, 1], [1, 0], [0, 1]]


def test_seconds_of_something_true_that_no_prompt_names_are_counted_with_their_longest_stretch() -> None:
    truth = [
        TrueSegment("Site", 1, 2),
        TrueSegment("Shipyard", 2, 4.5),
        TrueSegment("Shipyard", 6, 7),
        TrueSegment("road", 4.5, 6),
    ]
    first, second = mistaken(evaluate(analyse_scores(SCORES, CHOSEN), truth))
    assert first == Mistaken("site", 5.0, 1.0, pytest.approx(3.5), "Shipyard", 2.0, 4.5)
    assert second == Mistaken("site", 5.0, 1.0, pytest.approx(0.5), "road", 4.5, 5.0)


def test_what_a_prompt_names_or_the_truth_does_not_know_is_no_such_finding() -> None:
    analysis = analyse_scores(SCORES, CHOSEN)
    assert mistaken(evaluate(analysis, [TrueSegment("site", 1, 2), TrueSegment("rest", 2, 8)])) == ()
    assert mistaken(evaluate(analysis, [TrueSegment("shipyard", 1, 7)])) == ()  # nobody looked for sites
    assert mistaken(evaluate(analysis, [])) == ()
