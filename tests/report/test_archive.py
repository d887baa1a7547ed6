"""The report of an archive: categories, what is restricted, how right it is."""

from __future__ import annotations

import re

import vl_convert

from lib.charts.categories import counts_chart
from lib.comparison.archive_view import VideoFacts
from lib.comparison.categories import VideoCategories, categories_of
from lib.prompts.model import Prompt, PromptSet, Settings
from lib.report.archive import archive_report
from lib.report.blocks import Origin
from lib.report.rendering import render
from tests.helpers.arrays import analyse_scores
from tests.helpers.reports import Page, read

PROMPTS = PromptSet(
    "kinds",
    (Prompt("football"), Prompt("beach"), Prompt("wine", role="restricted")),
    settings=Settings(decision="threshold", threshold=0.5, score="cosine"),
)


def found(*scores: list[float]) -> VideoCategories:
    return categories_of(analyse_scores(list(scores), PROMPTS))


def page_of(**options: object) -> Page:
    videos = {
        "1": found([0.9, 0.1, 0.1], [0.9, 0.1, 0.8], [0.8, 0.1, 0.1]),
        "2": found([0.1, 0.9, 0.1], [0.1, 0.1, 0.1]),
        "3": found([0.1, 0.1, 0.1]),
        "4": found([0.8, 0.1, 0.1], [0.2, 0.1, 0.1]),
    }
    facts = {key: VideoFacts(f"clip<{key}>.mp4", 3.0, {"1": "football", "2": "football"}.get(key)) for key in videos}
    origin = Origin("Kinds", "4 videos")
    return read(render(archive_report(videos, facts, PROMPTS, origin, lambda key: f"{key}".encode(), **options)))  # type: ignore[arg-type]


def test_counts_categories_and_flags_what_is_restricted() -> None:
    page = page_of()

    assert "4 videos, 1 with something restricted." in page.words
    assert "football 2 50 % beach 1 25 % no category 1 25 %" in page.words
    assert "clip<1>.mp4 wine 1.0 s 0:01.0 – 0:02.0" in page.words
    bars = page.charts[0]["datasets"]["counts"]
    assert bars == [{"category": name, "videos": n} for name, n in (("football", 2), ("beach", 1), ("no category", 1))]
    assert page.charts[0]["layer"][0]["encoding"]["x"]["axis"]["tickMinStep"] == 1  # no ticks between whole videos


def test_writes_each_whole_number_once_where_categories_have_one_video() -> None:
    drawn = vl_convert.vegalite_to_svg(
        counts_chart({"football": 1, "beach": 1}, {"football": "red", "beach": "blue"}).to_dict()
    )

    assert re.findall(r">(\d+)</text>", drawn) == ["0", "1"]


def test_lists_every_video_by_category_and_shows_those_with_the_largest_share() -> None:
    page = page_of()

    assert "clip<1>.mp4 football – football wine 3.0 s 100 % 0.867 clip<4>.mp4 football" in page.words
    pictures = [attributes["src"] for tag, attributes in page.tags if tag == "img"]
    assert pictures == [f"data:image/jpeg;base64,{text}" for text in ("MQ==", "NA==", "Mg==")]


def test_says_where_the_other_way_chooses_another_category_and_how_many_times_it_leaves_out() -> None:
    video = found(*([0.55, 0.49, 0.6 * (second % 2)] for second in range(14)), *[[0.0, 0.49, 0.0]] * 2)
    facts = {"1": VideoFacts("clip.mp4", 16.0)}
    page = read(render(archive_report({"1": video}, facts, PROMPTS, Origin("Kinds", "1 video"), lambda _: None)))

    assert "clip.mp4 football beach – wine" in page.words  # 0.55 for 14 s of 16 is 0.481 on average
    assert "0:09.0 – 0:10.0, 2 more" in page.words  # at each odd second up to 13, and five are named


def test_says_how_right_it_is_where_true_categories_are_known() -> None:
    page = page_of()

    assert "50 % right: 1 of 2 videos with a true category." in page.words
    assert "football 1 1 0" in page.words
