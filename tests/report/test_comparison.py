"""The report of a comparison: which is better, where, and what differs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lib.comparison.comparison import Comparison, compare
from lib.core.labelled_intervals import TrueSegment
from lib.evaluation.bootstrap import overall_difference
from lib.evaluation.evaluation import evaluate
from lib.evaluation.verdict import verdict
from lib.prompts.model import Prompt
from lib.report.blocks import Origin
from lib.report.comparison import AgainstTruth, comparison_report
from lib.report.rendering import render
from tests.helpers.arrays import analyse_scores, prompt_set
from tests.helpers.reports import Page, read

ORIGIN = Origin("A or B", "film.mp4", "")
TRUTH = (TrueSegment("crane", 0, 4), TrueSegment("road", 4, 8))


@pytest.fixture(scope="module")
def compared() -> Comparison:
    """B alone is right from 2 to 4 s; its crane has other words."""
    a = prompt_set("crane", "road", decision="best")
    b = replace(a, prompts=(Prompt("crane", ("a tall crane",)), *a.prompts[1:]))
    scores_a = [[0.9, 0.1]] * 2 + [[0.1, 0.6]] * 6
    scores_b = [[0.9, 0.1]] * 4 + [[0.1, 0.6]] * 4
    return compare(analyse_scores(scores_a, a), analyse_scores(scores_b, b))


def page_of(compared: Comparison, *, truth: bool) -> Page:
    against = None
    if truth:
        sides = evaluate(compared.a, TRUTH), evaluate(compared.b, TRUTH)
        against = AgainstTruth(TRUTH, *sides, verdict(*sides, overall_difference(*sides, seed=0)))
    told = ("“crane”: phrasing “crane” → “a tall crane”",)
    return read(render(comparison_report(compared, ORIGIN, lambda _: b"", differences=told, against=against)))


def test_with_truth_the_verdict_and_its_evidence_come_first(compared: Comparison) -> None:
    page = page_of(compared, truth=True)

    assert "Which is better B is better here: it is right where A is wrong at 0:02.0 – 0:04.0 (crane)." in page.words
    assert "Evidence: " in page.words
    assert "crane 2.0 s → 4.0 s 25 % → 50 % 0:00.0 1 " in page.words
    assert "0.667 → 1.000" in page.words
    assert len(page.charts) == 8


def test_without_truth_it_says_where_to_look(compared: Comparison) -> None:
    page = page_of(compared, truth=False)

    assert "Without ground truth neither is better; look at 0:03.0 to decide." in page.words
    assert "0:02.00 0:04.00 2.0 s road crane" in page.words
    assert "Frames that decide" in page.words
    assert "A says road B says crane" in page.words
    assert len(page.charts) == 5


def test_scores_of_two_kinds_are_not_set_beside_each_other(compared: Comparison) -> None:
    other = compare(compared.a, analyse_scores([[0.9, 0.1]] * 8, prompt_set("crane", "road", score="probability")))

    assert "Mean score Peak score" in page_of(compared, truth=False).words
    assert "Mean score" not in page_of(other, truth=False).words


def test_changed_words_are_marked(compared: Comparison) -> None:
    page = page_of(compared, truth=False)

    assert [tag for tag, _ in page.tags if tag in ("ins", "del")] == ["ins"]
    assert "crane a tall crane" in page.words
    assert "“crane”: phrasing “crane” → “a tall crane”." in page.words


def test_labels_that_mean_the_same_have_one_colour_and_others_another() -> None:
    a, b = prompt_set("Crane", "road"), prompt_set("crane", "ship")
    scores = [[0.9, 0.1], [0.1, 0.8]]
    colours = comparison_report(
        compare(analyse_scores(scores, a), analyse_scores(scores, b)), ORIGIN, lambda _: None, differences=()
    ).colours

    assert colours.by_label["Crane"] == colours.by_label["crane"]
    assert len({colours.by_label[label] for label in ("crane", "road", "ship")}) == 3
    assert len({*colours.light.values()}) == 3


def test_from_the_eighth_label_on_dots_are_hatched_as_on_the_dashboard(compared: Comparison) -> None:
    labels = [f"label {place}" for place in range(8)]
    many = compare(*[analyse_scores([[0.1 * place for place in range(8)]] * 2, prompt_set(*labels))] * 2)
    page = read(render(comparison_report(many, ORIGIN, lambda _: None, differences=())))

    assert ".label-6{background:var(--label-6)}" in page.styles[1]
    assert ".label-7{background:repeating-linear-gradient(45deg, var(--label-7) 0 2.5px" in page.styles[1]
