"""Explore on one screen: what belongs together is inside the window without scrolling."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from lib.services.experiments import PromptRow
from tests.helpers.browser import NewPage, screenshot, wait_idle
from tests.helpers.dashboard import Dashboard
from tests.helpers.http import wait_for
from tests.helpers.pages import EXPERIMENT, Bench, with_rows

pytestmark = pytest.mark.browser

ROWS = tuple(PromptRow(label=label) for label in ("red", "green", "blue", "crimson", "leaf"))


def boxes(page: Page) -> dict[str, dict[str, float]]:
    """Return the boxes of the parts that are to be seen at once; of the lanes as far as the last segment."""
    named = {
        "title": page.get_by_role("textbox", name="Title of the experiment"),
        "video": page.locator(".frame"),
        "transport": page.locator(".transport"),
        "at the playhead": page.locator(".labels"),
        "lanes": page.locator(".lanes"),
        **{name: page.get_by_role("combobox", name=name) for name in ("Score", "Decision", "Smoothing")},
        "Threshold": page.get_by_role("slider", name="Threshold").first,
    }
    rows = page.get_by_role("textbox", name="Label of prompt")
    named |= {f"row {number}": rows.nth(number) for number in range(len(ROWS))}
    named |= {f"answer {row.label}": page.get_by_text(f"{row.label}:").first for row in ROWS}
    found = {}
    for name, part in named.items():
        box = part.bounding_box()
        assert box is not None, name
        found[name] = box
    found["lanes"]["height"] = float(page.locator(".lanes").evaluate("e => Number(e.dataset.segments)"))
    return found


@pytest.mark.parametrize(
    ("width", "height", "scheme", "sidebar"),
    [(1440, 900, "light", True), (1280, 720, "dark", False)],
)
def test_words_picture_lanes_and_answers_are_in_the_window(
    dashboard: Dashboard, bench: Bench, new_page: NewPage, width: int, height: int, scheme: str, sidebar: bool
) -> None:
    with_rows(bench, *ROWS)
    page = new_page(width=width, height=height, color_scheme=scheme)
    page.goto(f"{dashboard.url}/explore?experiment={EXPERIMENT}")
    wait_idle(page)
    if not sidebar:
        page.get_by_test_id("stSidebarHeader").hover()
        page.get_by_test_id("stSidebarCollapseButton").get_by_role("button").click()
    page.locator(".label .pick").first.wait_for()

    def outside() -> list[str]:
        wait_idle(page)
        left = 300 if sidebar else 0
        return [
            f"{name}: {box}"
            for name, box in boxes(page).items()
            if box["y"] < 0 or box["y"] + box["height"] > height or box["x"] < left or box["x"] + box["width"] > width
        ]

    assert wait_for(lambda: not outside()), outside()
    found = boxes(page)
    page.get_by_role("textbox", name="Title of the experiment").click(trial=True)  # nothing lies over it
    assert found["video"]["width"] >= 400
    assert found["lanes"]["width"] >= width - (300 if sidebar else 0) - 48
    assert found["row 0"]["x"] > found["video"]["x"] + found["video"]["width"]
    screenshot(page, f"one-screen-{width}-{scheme}", full_page=False)


@pytest.mark.parametrize("width", [900, 600])
def test_a_narrow_window_stacks_them(dashboard: Dashboard, bench: Bench, new_page: NewPage, width: int) -> None:
    with_rows(bench, *ROWS)
    page = new_page(width=width, height=1000)
    page.goto(f"{dashboard.url}/explore?experiment={EXPERIMENT}")
    wait_idle(page)
    page.locator(".label .pick").first.wait_for()
    found = boxes(page)
    assert found["row 0"]["y"] > found["at the playhead"]["y"]
    assert found["lanes"]["y"] > found["Score"]["y"] > found["row 4"]["y"]
    assert page.get_by_test_id("stMain").evaluate("e => e.scrollWidth - e.clientWidth") <= 0
    screenshot(page, f"stacked-{width}", full_page=False)


def test_space_plays_wherever_no_field_and_no_button_has_the_focus(
    dashboard: Dashboard, bench: Bench, page: Page
) -> None:
    page.goto(f"{dashboard.url}/explore?experiment={EXPERIMENT}")
    wait_idle(page)
    page.locator(".label .pick").first.wait_for()
    video = page.locator("video")
    assert wait_for(lambda: video.evaluate("v => v.readyState") >= 2)
    video.evaluate("v => { v.muted = true; v.loop = true; v.plays = 0; v.addEventListener('play', () => v.plays++); }")
    page.get_by_role("textbox", name="Label of prompt 1", exact=True).click()
    page.keyboard.press("Space")
    page.locator(".st-key-experiment_menu button").focus()
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Duplicate")).to_be_visible()
    page.keyboard.press("Escape")
    assert video.evaluate("v => v.plays") == 0
    page.get_by_role("heading", name="Explore", exact=True).click()
    page.keyboard.press("Space")
    assert wait_for(lambda: video.evaluate("v => v.plays") == 1)
