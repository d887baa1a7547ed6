"""From an empty home to the timeline of a clip of one's own, in a browser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.helpers.browser import wait_idle
from tests.helpers.dashboard import StartDashboard
from tests.helpers.http import wait_for
from tests.helpers.prompt_table import answer
from tests.helpers.videos import BLUE, RED, make_video, scenes

pytestmark = pytest.mark.browser


class Actions:
    """What a person does, counted."""

    count = 0

    def __call__(self, act, *args):
        self.count += 1
        act(*args)


def test_an_upload_of_ones_own_is_four_actions_from_a_timeline(
    start_dashboard: StartDashboard, page: Page, tmp_path: Path
) -> None:
    clip = make_video(tmp_path / "my clip.mp4", colours=scenes((RED, 20), (BLUE, 20)), size=(128, 96), rate=10)
    page.goto(start_dashboard(home=tmp_path / "home").url)
    wait_idle(page)
    act = Actions()
    act(page.locator("input[type=file]").first.set_input_files, clip)
    act(page.get_by_role("button", name="Open my clip.mp4").click)
    label = page.get_by_role("textbox", name="Label of prompt 1")
    act(label.fill, "a red wall")
    act(label.press, "Enter")

    expect(answer(page, "a red wall")).to_have_text(re.compile("first|not found"), timeout=60_000)
    expect(page.get_by_text("not embedded yet")).to_have_count(0)
    assert act.count <= 4

    page.set_viewport_size({"width": 900, "height": 900})  # what is offered doesn't push the video out of the window
    frame = page.locator(".frame")
    assert wait_for(lambda: frame.evaluate("e => e.getBoundingClientRect().top") < 500)


def test_enter_opens_a_folder_and_a_click_on_its_video_opens_that(
    start_dashboard: StartDashboard, page: Page, tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    make_video(folder / "one.mp4", colours=scenes((RED, 10)), size=(64, 48))
    page.goto(start_dashboard(home=tmp_path / "home", environment={"PROMPTREEL_FOLDERS": str(folder)}).url)
    wait_idle(page)
    path = page.get_by_role("textbox", name="Open by path")
    path.fill(str(folder))
    path.press("Enter")
    expect(page.get_by_text("1 new video. 1 video in mine.")).to_be_visible(timeout=30_000)
    wait_idle(page)
    table = page.get_by_test_id("stDataFrame").last
    table.scroll_into_view_if_needed()
    box = table.bounding_box()
    assert box
    page.mouse.click(box["x"] + 90, box["y"] + 35 + 18)

    expect(page).to_have_url(re.compile("/explore"))
