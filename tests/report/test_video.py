"""The report of a video: what it says, and that no text in it is taken for markup."""

from __future__ import annotations

import json
from dataclasses import replace

import altair as alt
import jsonschema
import numpy as np
import pytest

from lib.core.labelled_intervals import TrueSegment
from lib.evaluation.evaluation import evaluate
from lib.prompts.model import Prompt, PromptSet
from lib.report.blocks import Code, Origin, Table
from lib.report.rendering import render
from lib.report.video import answers, video_report
from tests.helpers.arrays import analyse_scores, prompt_set
from tests.helpers.reports import read

HOSTILE = "</script><img src=x onerror=alert(1)>&amp;<!--{{ 7 * 7 }}\"'"
ORIGIN = Origin("A finding", "film.mp4, 8.0 s", "Said of it", [("Engine", "toy")], [Code("name: x", "prompts.yaml")])
SCORES = [[0.9, 0.1], [0.8, 0.1], [0.9, 0.2], [0.1, 0.6], [0.1, 0.7], [0.8, 0.1], [0.1, 0.5], [0.1, 0.6]]
TRUTH = (TrueSegment("crane", 0, 3), TrueSegment("ship", 3, 8))


@pytest.fixture(scope="module")
def found() -> object:
    return analyse_scores(SCORES, prompt_set("crane", "road", background=("road",), decision="best"))


def test_says_what_is_there_for_how_long_and_when_first(found) -> None:  # type: ignore[no-untyped-def]
    page = read(render(video_report(found, ORIGIN, lambda frame: b"\xff\xd8jpeg")))

    assert "A finding film.mp4, 8.0 s Said of it" in page.words
    assert "crane yes 4.0 s, 50 % 0:00.0 road rest 4.0 s, 50 % 0:03.0" in page.words
    assert "Engine toy" in page.words
    pictures = [attributes for tag, attributes in page.tags if tag == "img"]
    assert {picture["src"] for picture in pictures} == {"data:image/jpeg;base64,/9hqcGVn"}
    assert pictures[0]["alt"] == "0:00.0, crane 0.900"


def test_tables_have_each_number_under_its_name(found) -> None:  # type: ignore[no-untyped-def]
    page = read(render(video_report(found, ORIGIN, lambda _: None, truth=TRUTH, evaluation=evaluate(found, TRUTH))))

    assert "crane 0:00.0 0:06.0 4.0 s 50 % 2 3.0 s 0.475 0.900 0:00.0" in page.words  # first, last … mean, peak
    assert "crane 0:00.00 0:03.00 3.0 s 0.867 0.900" in page.words
    assert "crane 0.750 1.000 0.857 0.667" in page.words  # found for 4 s, true for 3 of them; 1 segment of 2


def test_charts_have_scores_to_five_decimals() -> None:
    finely = analyse_scores([[0.123456, 0.1], [0.5, 0.1]], prompt_set("crane", "road", decision="best"))
    lines = read(render(video_report(finely, ORIGIN, lambda _: None))).charts[1]["datasets"]["lines"]

    assert lines[0]["score"] == 0.12346


def test_what_is_not_found_says_why_in_place_of_how_long(found) -> None:  # type: ignore[no-untyped-def]
    chosen = prompt_set("crane", "ship", decision="threshold", threshold=0.8)
    table: Table = answers(analyse_scores(SCORES, chosen), video_report(found, ORIGIN, lambda _: None).colours)

    assert [row[2] for row in table.rows] == ["4.0 s, 50 %", "not found (best score 0.70, threshold 0.80)"]


def test_with_truth_it_says_what_the_prompts_are_worth(found) -> None:  # type: ignore[no-untyped-def]
    report = video_report(found, ORIGIN, lambda _: None, truth=TRUTH, evaluation=evaluate(found, TRUTH))
    page = read(render(report))

    assert "Macro F1 0.43 over 2 true labels" in page.words
    assert "In the ground truth without a prompt: ship." in page.words
    assert len(page.charts) == 5
    lanes = page.charts[1]["datasets"]["true"]
    assert [(row["label"], row["from_s"], row["to_s"]) for row in lanes] == [("crane", 0, 3), ("ship", 3, 8)]


def test_charts_are_valid_take_the_pages_colours_and_have_each_table_once(found) -> None:  # type: ignore[no-untyped-def]
    page = read(render(video_report(found, ORIGIN, lambda _: None)))

    validator = jsonschema.Draft7Validator(alt.load_schema())
    for chart in page.charts:
        assert not list(validator.iter_errors(chart))
        assert chart["width"] == "container"
    segments = page.charts[0]
    assert json.dumps(segments).count('"from_s": 0') == 1
    assert "var(--label-0)" in json.dumps(segments)
    colours = page.styles[1]
    assert colours.startswith(":root{--label-0:#0072B2;")
    assert "@media screen and (prefers-color-scheme:dark){:root{--label-0:#56B4E9;" in colours


def test_no_text_is_markup_wherever_it_comes_from(found) -> None:  # type: ignore[no-untyped-def]
    chosen = PromptSet(HOSTILE, (Prompt(HOSTILE), Prompt("b")))
    analysis = analyse_scores(SCORES, replace(chosen, settings=replace(chosen.settings, score="cosine")))
    truth = [TrueSegment(HOSTILE + "?", 0, 3)]
    origin = Origin(HOSTILE, HOSTILE, HOSTILE, [(HOSTILE, HOSTILE)], [Code(HOSTILE, HOSTILE)])
    report = video_report(analysis, origin, lambda _: b"", truth=truth, evaluation=evaluate(analysis, truth))

    page = read(render(report))  # which looks at every tag and attribute

    assert len(page.scripts) == 1
    assert [tag for tag, _ in page.tags].count("script") == 2
    assert HOSTILE in page.words
    assert page.charts[0]["datasets"]["bars"][0]["label"] == HOSTILE
    assert "<" not in page.data


def test_without_samples_it_is_a_report_without_charts(found) -> None:  # type: ignore[no-untyped-def]
    page = read(render(video_report(analyse_scores(np.zeros((0, 1)), prompt_set("a")), ORIGIN, lambda _: None)))

    assert page.scripts == []
    assert "There are no samples, so nothing is drawn." in page.words


def test_a_long_label_is_not_written_with_each_of_its_samples() -> None:
    long = "a very long label " * 20
    found = analyse_scores(
        [[0.9, 0.1]] * 200 + [[0.1, 0.6]] * 200, prompt_set(long.strip(), "__proto__", decision="best")
    )
    data = render(video_report(found, ORIGIN, lambda _: None))

    assert data.count(long.strip().encode()) < 60
    lines = next(chart["datasets"]["lines"] for chart in read(data).charts if "lines" in chart["datasets"])
    assert {row["label"].strip() for row in lines} == {long.strip(), "__proto__"}
