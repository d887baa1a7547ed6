"""Ground truth by hand in a real browser: marked in the player, typed quickly, and still there after a reload."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from lib.core.labelled_intervals import TrueSegment
from lib.services.ground_truth import video_truth
from tests.helpers.browser import screenshot, wait_idle
from tests.helpers.components import expect_ready
from tests.helpers.dashboard import Dashboard
from tests.helpers.http import wait_for
from tests.helpers.lanes import point
from tests.helpers.pages import EXPERIMENT, Bench, with_rows

pytestmark = pytest.mark.browser


def truth(bench: Bench) -> tuple[TrueSegment, ...]:
    return video_truth(bench.store, bench.video).segments


def open_truth(page: Page, dashboard: Dashboard) -> None:
    page.goto(f"{dashboard.url}/explore?experiment={EXPERIMENT}")
    show(page, "Ground truth")


def show(page: Page, view: str) -> None:
    wait_idle(page)
    page.locator(".label .pick").first.wait_for()
    page.get_by_role("radio", name=view, exact=True).click()
    expect(page.get_by_role("radio", name=view, exact=True)).to_be_checked()
    wait_idle(page)


def test_what_is_marked_in_the_player_is_truth_after_a_reload(page: Page, dashboard: Dashboard, bench: Bench) -> None:
    open_truth(page, dashboard)
    lanes = page.locator(".lanes").first
    lanes.scroll_into_view_if_needed()
    expect_ready(page.locator("video").first)
    for time_s, key in ((3.0, "["), (6.0, "]")):
        page.mouse.click(*point(lanes, time_s))
        page.wait_for_timeout(600)  # or the next click would be the second of a double one
        page.keyboard.press(key)
    page.keyboard.press("t")  # at once: before the page could show what was marked
    assert wait_for(lambda: len(truth(bench)) == 1, seconds=30)
    (one,) = truth(bench)
    assert (one.label, one.start_s, one.end_s) == ("red", pytest.approx(3.0, abs=0.11), pytest.approx(6.0, abs=0.11))
    expect(page.get_by_text("1 ground-truth segment, saved with the video.")).to_be_visible()

    page.mouse.click(*point(lanes, 8.0))
    page.wait_for_timeout(600)
    page.keyboard.press("[")
    page.mouse.click(*point(lanes, 9.0))
    page.wait_for_timeout(600)
    page.keyboard.press("]")
    page.get_by_role("button", name="Add 0:0").click()
    assert wait_for(lambda: len(truth(bench)) == 2, seconds=30)
    assert (truth(bench)[1].start_s, truth(bench)[1].end_s) == (
        pytest.approx(8.0, abs=0.11),
        pytest.approx(9.0, abs=0.11),
    )
    page.get_by_role("button", name="Undo").click()
    assert wait_for(lambda: len(truth(bench)) == 1, seconds=30)

    page.reload()
    show(page, "Evaluation")
    expect(page.get_by_text("In the ground truth without a prompt")).not_to_be_visible()
    expect(page.get_by_text("Prompts that are not in the ground truth: green, blue.")).to_be_visible()
    assert truth(bench) == (one,)


def test_without_a_prompt_frames_and_truth_are_there_to_mark_it(page: Page, dashboard: Dashboard, bench: Bench) -> None:
    with_rows(bench)
    bench.store.change_truth(bench.video, lambda _: [TrueSegment("red", 0.0, 3.0)])
    page.goto(f"{dashboard.url}/explore?experiment={EXPERIMENT}")
    wait_idle(page)
    lanes = page.locator(".lanes").first
    expect_ready(page.locator("video").first)
    lanes.focus()
    page.keyboard.press("ArrowDown")  # by shots, where there is no label
    expect(page.get_by_role("log").first).to_contain_text("Shot 2 of 2: 0:03.0 to 0:09.0")
    for key in ("ArrowUp", "9", "[", "End", "]"):
        page.keyboard.press(key)
    expect(page.get_by_text(re.compile(r"Marked 0:08\.\d* – 0:09\.0"))).to_be_visible()
    expect(page.get_by_role("button", name="Add 0:08.")).to_be_visible()
    page.keyboard.press("t")
    assert wait_for(lambda: len(truth(bench)) == 2, seconds=30)

    (_, one) = truth(bench)
    assert (one.label, one.start_s, one.end_s) == ("red", pytest.approx(8.1, abs=0.1), pytest.approx(9))
    screenshot(page, "truth-without-prompt")


def test_t_stores_the_players_label_whatever_is_open_below(page: Page, dashboard: Dashboard, bench: Bench) -> None:
    open_truth(page, dashboard)
    page.get_by_role("combobox", name="Label of the new segment").click()
    page.get_by_role("option", name="blue").click()
    wait_idle(page)
    page.get_by_role("heading", name="Explore").click()  # the focus is far from the player
    page.keyboard.press("t")
    assert wait_for(lambda: len(truth(bench)) == 1, seconds=30)
    assert truth(bench)[0].label == "red"
    expect(page.get_by_text(re.compile("no label was chosen in the player: its first one")).first).to_be_visible()
    page.locator(".label .pick", has_text="green").click()
    show(page, "Segments")
    page.keyboard.press("t")
    assert wait_for(lambda: len(truth(bench)) == 2, seconds=30)
    assert {one.label for one in truth(bench)} == {"red", "green"}
    expect(page.get_by_text(re.compile("Added to the ground truth: 'green' 0:00.00 – 0:01.00")).first).to_be_visible()
    wait_idle(page)
    page.keyboard.press("Control+z")
    assert wait_for(lambda: [one.label for one in truth(bench)] == ["red"], seconds=30)

    page.get_by_role("button", name="Keys and gestures").click()
    expect(page.get_by_role("dialog").get_by_text("to the ground truth with the chosen label")).to_be_visible()


def test_edits_typed_quickly_all_count(page: Page, dashboard: Dashboard, bench: Bench) -> None:
    bench.store.change_truth(bench.video, lambda _: [TrueSegment("red", 0.0, 3.0)])
    open_truth(page, dashboard)
    page.get_by_role("button", name="Add 0:00.00 – 0:01.00").click()
    start, end = (page.get_by_role("textbox", name=name, exact=True) for name in ("Start", "End"))
    expect(end).to_have_value("0:01.000")
    for number in range(8):
        start.fill(f"{number / 10}")
        end.fill(f"{5 + number / 10}")
        page.keyboard.press("Tab")
    assert wait_for(lambda: TrueSegment("red", 0.7, 5.7) in truth(bench), seconds=30)
    wait_idle(page)
    expect(start).to_have_value("0.7")
    expect(end).to_have_value("5.7")
    assert truth(bench) == (TrueSegment("red", 0.0, 3.0), TrueSegment("red", 0.7, 5.7))
