"""The presentation and full screen: what an audience sees, how both are entered and left."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from lib.core.labelled_intervals import TrueSegment
from lib.services import experiments, versions
from lib.services.experiments import PromptRow
from lib.services.ground_truth import video_truth
from tests.helpers.browser import NewPage, screenshot, wait_idle
from tests.helpers.dashboard import Dashboard
from tests.helpers.http import wait_for
from tests.helpers.pages import EXPERIMENT, Bench, put_truth, with_rows

pytestmark = pytest.mark.browser
BESIDE = "bbc123def456"
SHORT_BAR = """async (url) => {
  const { paintBars } = await import(url);
  const drawn = [];
  const pen = { fillRect: (x, y, width) => drawn.push(width) };
  const box = { x: 0, width: 1200 };
  paintBars(pen, { start: [10], end: [10.3] }, { start: 0, end: 3600, span: 3600 }, box, 0, 10, 6);
  return drawn;
}"""
INK = """(lanes, [time, end]) => {
  const canvas = lanes.querySelector("canvas");
  const ratio = canvas.width / canvas.clientWidth;
  const left = Number(lanes.dataset.plot);
  const x = left + ((canvas.clientWidth - left - 8) * time) / end;
  const top = Number(lanes.dataset.decided) - 68; // in the first of three rows
  const { data } = canvas.getContext("2d").getImageData(x * ratio, top * ratio, 12 * ratio, 12 * ratio);
  const seen = new Set();
  for (let at = 0; at < data.length; at += 4) seen.add(data.slice(at, at + 3).map((value) => value >> 6).join());
  return seen.size;
}"""


def opened(page: Page, dashboard: Dashboard, query: str = "&present=1", path: str = "explore") -> None:
    page.goto(f"{dashboard.url}/{path}?experiment={EXPERIMENT}{query}")
    wait_idle(page)
    page.locator(".label .pick").first.wait_for()


@pytest.fixture
def before(bench: Bench) -> str:
    """Keep a version without the prompt green, and give the video ground truth."""
    put_truth(bench, TrueSegment("red", 0.0, 2.0), TrueSegment("green", 3.0, 6.0))
    other = replace(bench.experiment, rows=(PromptRow(label="red"), PromptRow(label="blue")))
    kept = versions.keep(bench.store, other, "import")
    assert kept is not None
    return kept.id


@pytest.mark.usefixtures("before")
@pytest.mark.parametrize(("width", "height", "scheme"), [(1440, 900, "light"), (1280, 720, "dark")])
def test_an_audience_sees_video_words_answers_and_lanes_and_nothing_else(
    dashboard: Dashboard, new_page: NewPage, width: int, height: int, scheme: str
) -> None:
    page = new_page(width=width, height=height, color_scheme=scheme)
    opened(page, dashboard)
    boxes = [page.locator(name).bounding_box() for name in (".frame", ".labels", ".lanes")]
    for box in boxes:
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert box["y"] + box["height"] <= height
    picture, words, lanes = (box for box in boxes if box)
    assert words["x"] > picture["x"] + picture["width"]
    assert lanes["y"] > picture["y"] + picture["height"]
    assert float(page.locator(".lanes").get_attribute("data-text") or 0) >= 16
    for hidden in (page.get_by_test_id("stSidebar"), page.locator(".transport"), page.get_by_role("textbox")):
        expect(hidden.filter(visible=True)).to_have_count(0)
    expect(page.locator(".label", has_text="green").locator(".answer")).to_have_text("new → 3.0 s")
    screenshot(page, f"presentation-{width}-{scheme}", full_page=False)


def test_the_switch_shows_what_was_before_and_hatching_what_is_wrong(
    dashboard: Dashboard, page: Page, before: str
) -> None:
    opened(page, dashboard, f"&present={before}")
    labels = page.locator(".label .name")
    expect(labels).to_have_text(["red", "green", "blue"], use_inner_text=True)
    expect(page.get_by_text("Hatched: found and true differ.")).to_be_visible()
    lanes = page.locator(".lanes")
    assert wait_for(lambda: lanes.evaluate(INK, [2.2, 9]) > 1)  # red is found to 3 s, and true to 2
    assert lanes.evaluate(INK, [1.0, 9]) == 1
    page.get_by_role("radio", name="Before").click()
    expect(labels).to_have_text(["red", "blue"], use_inner_text=True)
    page.get_by_role("radio", name="After").click()
    expect(labels).to_have_text(["red", "green", "blue"], use_inner_text=True)
    url = page.evaluate("performance.getEntriesByType('resource').map(e => e.name).find(n => n.endsWith('/paint.js'))")
    assert page.evaluate(SHORT_BAR, url) == [6]  # a moment of 0.3 s in an hour


def test_p_and_escape_enter_and_leave_it_but_not_while_typing(dashboard: Dashboard, bench: Bench, page: Page) -> None:
    opened(page, dashboard, "")
    label = page.get_by_role("textbox", name="Label of prompt 1", exact=True)
    label.click()
    page.keyboard.press("End")
    page.keyboard.type("p")
    expect(label).to_have_value("redp")
    page.keyboard.press("Backspace")
    page.get_by_role("heading", name="Explore", exact=True).click()
    page.keyboard.press("Shift+P")
    expect(page).to_have_url(re.compile("present=1"))
    expect(page.get_by_role("heading", name="colours")).to_be_visible()
    wait_idle(page)
    page.keyboard.press("Escape")
    expect(page).not_to_have_url(re.compile("present"))
    expect(label).to_have_value("red")


def test_back_leaves_what_a_key_has_opened_and_forward_opens_it(dashboard: Dashboard, bench: Bench, page: Page) -> None:
    opened(page, dashboard, "")
    page.get_by_role("heading", name="Explore", exact=True).click()
    page.keyboard.press("Shift+P")
    expect(page.get_by_role("heading", name="colours")).to_be_visible()
    wait_idle(page)
    page.go_back()
    expect(page.get_by_role("heading", name="Explore", exact=True)).to_be_visible()
    expect(page).not_to_have_url(re.compile("present"))
    wait_idle(page)
    page.go_forward()
    expect(page.get_by_role("heading", name="colours")).to_be_visible()
    expect(page).to_have_url(re.compile("present=1"))


@pytest.mark.usefixtures("before")
def test_in_a_narrow_window_the_answers_are_whole_below_the_video(dashboard: Dashboard, new_page: NewPage) -> None:
    page = new_page(width=600, height=900)
    opened(page, dashboard)
    picture, words = page.locator(".frame").bounding_box(), page.locator(".labels").bounding_box()
    assert picture
    assert words
    assert words["y"] >= picture["y"] + picture["height"]
    assert page.locator(".labels").evaluate(
        "e => e.scrollWidth <= e.clientWidth && e.scrollHeight <= e.clientHeight + 1"
    )


@pytest.mark.parametrize("path", ["explore", "compare"])
def test_what_is_wrong_with_prompts_is_said_below_what_an_audience_sees(
    dashboard: Dashboard, bench: Bench, page: Page, path: str
) -> None:
    with_rows(bench, *bench.experiment.rows, PromptRow(label="Red"))
    opened(page, dashboard, path=path)
    lanes, said = page.locator(".lanes").bounding_box(), page.get_by_text("is there already").first.bounding_box()
    assert lanes
    assert said
    assert lanes["y"] + lanes["height"] <= said["y"]


def test_no_key_edits_ground_truth_before_an_audience(dashboard: Dashboard, bench: Bench, page: Page) -> None:
    truth = (TrueSegment("red", 0.0, 2.0), TrueSegment("red", 4.0, 5.0))
    put_truth(bench, *truth)
    opened(page, dashboard)
    page.locator(".lanes").focus()
    for key in ("n", "Delete", "2", "[", "5", "]", "t"):
        page.keyboard.press(key)
    page.keyboard.press("Space")
    page.keyboard.down("2")
    page.wait_for_timeout(600)  # longer than a press
    page.keyboard.up("2")
    assert wait_for(lambda: page.locator("video").evaluate("v => Math.abs(v.currentTime - 1.8) < 1.5"))  # a tap's seek
    page.keyboard.press("Space")
    wait_idle(page)
    assert video_truth(bench.store, bench.video).segments == truth


def test_compare_presents_a_as_before_and_b_as_after(dashboard: Dashboard, bench: Bench, page: Page) -> None:
    rows = (PromptRow(label="red"), PromptRow(label="blue"))
    experiments.save(bench.store.home, replace(bench.experiment, rows=rows, beside=BESIDE))
    experiments.save(bench.store.home, replace(bench.experiment, id=BESIDE, side="b"))
    opened(page, dashboard, path="compare")
    expect(page.locator(".label", has_text="green").locator(".answer")).to_have_text("new → 3.0 s")
    expect(page.get_by_test_id("stSidebar").filter(visible=True)).to_have_count(0)


def test_full_screen_is_the_video_over_its_lanes(dashboard: Dashboard, bench: Bench, page: Page) -> None:
    opened(page, dashboard, "")
    lanes, home = page.locator(".lanes"), "e => e.closest('.player').dataset.part"
    assert lanes.evaluate(home) == "lanes"
    page.get_by_role("button", name="Full screen").click()
    assert wait_for(lambda: lanes.evaluate(home) == "video")
    picture, below = page.locator(".frame").bounding_box(), lanes.bounding_box()
    assert picture
    assert below
    assert picture["width"] > 1_300
    assert below["y"] >= picture["y"] + picture["height"]
    assert below["y"] + below["height"] <= 900
    lanes.click(position={"x": below["width"] / 2, "y": 40})
    assert wait_for(lambda: page.locator("video").evaluate("v => v.currentTime") > 3)
    screenshot(page, "full-screen", full_page=False)
    page.get_by_role("button", name="Full screen").click()
    assert wait_for(lambda: lanes.evaluate(home) == "lanes")
