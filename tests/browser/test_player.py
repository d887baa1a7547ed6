"""The player component in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.helpers.browser import Watch, wait_idle
from tests.helpers.components import (
    NO_PICTURE,
    count_loads,
    expect_position,
    expect_ready,
    expect_reported,
    has_focus_ring,
    open_player,
    position,
    reported,
    shown_frame,
)
from tests.helpers.dashboard import Dashboard
from tests.helpers.http import wait_for

pytestmark = pytest.mark.browser


def test_a_command_shows_exactly_that_frame_and_costs_one_run(page: Page, components_app: Dashboard) -> None:
    video = open_player(page, components_app)
    runs = reported(page, "runs")
    page.get_by_role("button", name="Go to 7.08").click()
    expect_reported(page, "player", [7.083, None])
    expect_ready(video)
    assert position(video) == pytest.approx(85 / 12, abs=0.002)
    assert shown_frame(video) == 85
    page.wait_for_timeout(600)  # longer than a report would take to settle
    assert reported(page, "runs") == runs + 1


def test_the_same_time_twice_seeks_twice(page: Page, components_app: Dashboard) -> None:
    video = open_player(page, components_app)
    for _ in range(2):
        page.get_by_role("button", name="Go to 2.00").click()
        expect_reported(page, "player", [2.0, None])
        expect_ready(video)
        assert position(video) == pytest.approx(2.0, abs=0.002)
        video.evaluate("v => { v.currentTime = 5; }")
        expect_reported(page, "player", [5.0, None])


def test_other_data_neither_reloads_nor_pauses_nor_moves_the_video(page: Page, components_app: Dashboard) -> None:
    video = open_player(page, components_app)
    count_loads(video)
    video.evaluate("v => { v.muted = true; return v.play(); }")
    for times in range(3):
        before = position(video)
        page.get_by_role("button", name="Change other data").click()
        label = page.get_by_label(re.compile(r"Video, changed \d+ times"))
        expect(label).to_be_visible()
        wait_idle(page)
        page.wait_for_timeout(150)
        assert position(video) > before, times
    assert video.evaluate("v => [v.loads, v.paused]") == [0, False]


def test_python_hears_nothing_while_playing_and_once_when_it_rests(page: Page, components_app: Dashboard) -> None:
    video = open_player(page, components_app)
    runs = reported(page, "runs")
    video.evaluate("v => { v.muted = true; return v.play(); }")
    page.wait_for_timeout(1500)
    assert reported(page, "runs") == runs
    video.evaluate("v => v.pause()")
    stopped = position(video)
    expect_reported(page, "runs", runs + 1)
    assert reported(page, "player") == [pytest.approx(stopped, abs=0.01), None]
    video.evaluate(
        """async v => {
          for (let t = 1; t < 9; t += 0.5) { v.currentTime = t; await new Promise(r => setTimeout(r, 40)); }
        }"""
    )
    expect_reported(page, "player", [8.5, None])
    page.wait_for_timeout(400)
    assert reported(page, "runs") == runs + 2


def test_states_never_move_the_layout_and_a_pending_command_is_done_in_the_end(
    page: Page, components_app: Dashboard
) -> None:
    video = open_player(page, components_app)
    frame = page.locator(".frame")
    ready = frame.bounding_box()
    page.get_by_text("Ready", exact=True).click()
    expect(page.get_by_text("Preparing a playable copy…")).to_be_visible()
    expect(page.get_by_role("progressbar", name="Preparing a playable copy…")).to_have_attribute("aria-valuenow", "40")
    assert frame.bounding_box() == ready
    page.get_by_role("button", name="Go to 2.00").click()
    expect_reported(page, "player", [2.0, None])
    page.get_by_text("Ready", exact=True).click()
    expect(page.get_by_text("Preparing a playable copy…")).to_be_hidden()
    expect_ready(video)
    assert position(video) == pytest.approx(2.0, abs=0.002)
    assert frame.bounding_box() == ready


@pytest.mark.parametrize(
    ("choice", "problem", "words"),
    [
        ("nonsense", "unsupported", "This browser can't play this video's format."),
        ("missing", "gone", "The link to this video is no longer valid; reload the page."),
    ],
)
def test_what_cannot_be_played_says_why_and_tells_python(
    page: Page, components_app: Dashboard, watch: Watch, choice: str, problem: str, words: str
) -> None:
    watch.allow("status of 404")
    video = open_player(page, components_app)
    ready = page.locator(".frame").bounding_box()
    page.get_by_text(choice, exact=True).click()
    expect(page.get_by_role("status").filter(has_text=words)).to_be_visible()
    expect_reported(page, "player", [0.0, problem])
    assert page.locator(".frame").bounding_box() == ready
    page.get_by_text("one", exact=True).click()
    expect(page.get_by_text(words)).to_be_hidden()
    expect_ready(video)
    expect_reported(page, "player", [0.0, None])


def test_a_lost_connection_can_be_tried_again(page: Page, components_app: Dashboard, watch: Watch) -> None:
    watch.allow("ERR_FAILED")
    video = open_player(page, components_app)
    page.route("**/promptreel/video/**", lambda route: route.abort())
    page.get_by_text("two", exact=True).click()
    again = page.get_by_role("button", name="Try again")
    expect(again).to_be_visible()
    expect_reported(page, "player", [0.0, "network"])
    page.unroute("**/promptreel/video/**")
    again.click()
    expect(again).to_be_hidden()
    expect_ready(video)
    expect_reported(page, "player", [0.0, None])


def test_another_video_starts_at_its_beginning_without_the_old_command(page: Page, components_app: Dashboard) -> None:
    video = open_player(page, components_app)
    page.get_by_role("button", name="Go to 7.08").click()
    expect_reported(page, "player", [7.083, None])
    page.get_by_text("two", exact=True).click()
    expect_reported(page, "player", [0.0, None])
    expect_ready(video)
    assert position(video) == 0


def test_the_position_outlives_a_page_switch(page: Page, components_app: Dashboard, watch: Watch) -> None:
    watch.allow(NO_PICTURE)
    video = open_player(page, components_app)
    page.get_by_role("button", name="Go to 2.00").click()
    expect_reported(page, "player", [2.0, None])
    video.evaluate("v => { v.currentTime = 6; }")
    expect_reported(page, "player", [6.0, None])
    page.get_by_role("link", name="Gallery").click()
    expect(page.get_by_text("No frame is near the threshold.")).to_be_visible()
    page.get_by_role("link", name="Player").click()
    expect_reported(page, "player", [6.0, None])
    expect_ready(video)
    assert position(video) == pytest.approx(6.0, abs=0.01)


def test_the_player_follows_the_keyboard_with_a_visible_focus(page: Page, components_app: Dashboard) -> None:
    video = open_player(page, components_app)
    page.get_by_role("button", name="Go to 2.00").click()
    expect_reported(page, "player", [2.0, None])
    video.focus()
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    expect_position(page, 4.0)
    page.keyboard.press("Shift+ArrowLeft")
    expect_position(page, 3.0)
    page.keyboard.press("Space")
    assert wait_for(lambda: not video.evaluate("v => v.paused"))
    page.keyboard.press("Space")
    assert wait_for(lambda: video.evaluate("v => v.paused"))
    assert has_focus_ring(page.locator(".frame"))


def test_the_outline_is_what_the_model_sees_and_can_be_hidden(page: Page, components_app: Dashboard) -> None:
    video = open_player(page, components_app)
    outline, frame = page.locator(".sees").bounding_box(), page.locator(".frame").bounding_box()
    assert outline is not None
    assert frame is not None
    assert outline["width"] == pytest.approx(outline["height"], abs=1)
    assert outline["height"] == pytest.approx(min(frame["height"], frame["width"]), abs=1)
    assert outline["x"] + outline["width"] / 2 == pytest.approx(frame["x"] + frame["width"] / 2, abs=1)

    button = page.get_by_role("button", name="What the model sees")
    button.click()
    expect(page.locator(".sees")).to_be_hidden()
    expect(button).to_have_attribute("aria-pressed", "false")
    video.press("v")
    expect(page.locator(".sees")).to_be_visible()

    page.get_by_text("two", exact=True).click()
    expect(page.locator(".sees")).not_to_have_class(re.compile("centre"))
    outline = page.locator(".sees").bounding_box()
    assert outline is not None
    assert outline["width"] / outline["height"] == pytest.approx(320 / 180, rel=0.02)
