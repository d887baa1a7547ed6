"""What a presentation says of each label, and how it changed."""

from __future__ import annotations

import numpy as np

from lib.analysis.analysis import Analysis
from lib.comparison.presented import presented
from tests.helpers.arrays import analyse_scores, every, prompt_set


def analysed(**scores: list[float]) -> Analysis:
    """Return an analysis of samples 0.5 s apart, with a threshold of 0.5."""
    columns = np.array(list(scores.values()), dtype=np.float64).T
    chosen = prompt_set(*scores, score="cosine", decision="threshold", threshold=0.5)
    return analyse_scores(columns, chosen, every(0.5, len(columns)))


def test_the_answer_is_what_it_was_and_what_it_is() -> None:
    before = analysed(site=[1, 1, 1, 1], gone=[1, 0, 0, 0], same=[0, 1, 0, 0], never=[0, 0, 0, 0])
    now = analysed(site=[1, 1, 0, 0], same=[1, 0, 0, 0], never=[0, 0, 0, 1], new=[0, 0, 1, 1])
    assert {line.label: line.answer for line in presented(now, now, before)} == {
        "site": "2.0 s → 1.0 s",
        "same": "0.5 s",
        "never": "not found → 0.5 s",
        "new": "new → 1.0 s",
    }
    shown = {line.label: (line.answer, line.more) for line in presented(before, now, before)}
    assert shown["gone"] == ("0.5 s → gone", "25 %, first at 0:00.0")
    assert shown["site"] == ("2.0 s → 1.0 s", "100 %, first at 0:00.0")
    assert shown["never"] == ("not found → 0.5 s", "")


def test_without_anything_before_it_is_the_answer_alone() -> None:
    now = analysed(site=[0, 1, 1, 0])
    (line,) = presented(now, now)
    assert (line.words, line.answer, line.more) == ("", "1.0 s", "50 %, first at 0:00.5")
