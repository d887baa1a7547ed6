"""Explore and Compare on one screen each: what belongs together is inside the window without scrolling."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from playwright.sync_api import Locator, Page, expect

from lib.services import experiments
from lib.services.experiments import PromptRow
from tests.helpers.browser import NewPage, screenshot, wait_idle
from tests.helpers.dashboard import Dashboard
from tests.helpers.http import wait_for
from tests.helpers.pages import EXPERIMENT, Bench, with_rows
from tests.helpers.prompt_table import answer

pytestmark = pytest.mark.browser

ROWS = tuple(PromptRow(label=label) for label in ("red", "green", "blue", "crimson", "leaf"))


Boxes = dict[str, dict[str, float]]
SIZES = pytest.mark.parametrize(
    ("width", "height", "scheme", "sidebar"),
    [(1440, 900, "light", True), (1280, 720, "dark", False)],
)


def found(page: Page, **named: Locator) -> Boxes:
    """Return the boxes of the player's parts and of those ``named``; of the lanes as far as what is decided."""
    player = {name: page.locator(f".{name}") for name in ("frame", "transport", "labels", "lanes")}
    boxes: Boxes = {}
    for name, part in (player | named).items():
        box = part.bounding_box()
        assert box is not None, name
        boxes[name] = {**box}
    boxes["lanes"]["height"] = float(page.locator(".lanes").evaluate("e => Number(e.dataset.decided)"))
    return boxes


def explore_boxes(page: Page) -> Boxes:
    """Return the boxes of the parts of Explore that are to be seen at once."""
    named = {name: page.get_by_role("combobox", name=name) for name in ("Score", "Decision", "Smoothing")}
    named |= {"title": page.get_by_role("textbox", name="Title of the experiment")}
    named |= {"Threshold": page.get_by_role("slider", name="Threshold").first}
    rows = page.get_by_role("textbox", name="Label of prompt")
    named |= {f"row {number}": rows.nth(number) for number in range(len(ROWS))}
    named |= {f"answer {row.label}": answer(page, row.label) for row in ROWS}
    return found(page, **named)


def compare_boxes(page: Page) -> Boxes:
    """Return the boxes of the parts of Compare that are to be seen at once."""
    named = {}
    for side in "AB":
        table = page.get_by_role("group", name="Prompt table").nth("AB".index(side))
        rows = table.get_by_role("textbox", name="Label of prompt")
        named |= {f"{side} row {number}": rows.nth(number) for number in range(len(ROWS))}
        named |= {f"{side} answer {row.label}": answer(page, row.label, "AB".index(side)) for row in ROWS[:4]}
        named |= {f"{side} table": table, f"{side} name": page.get_by_role("combobox", name=f"{side}: ")}
    return found(page, swap=page.get_by_role("button", name="Swap"), **named)


def opened(new_page: NewPage, url: str, width: int, height: int, scheme: str, sidebar: bool) -> Page:
    """Return a page of that size, its side bar closed unless ``sidebar``."""
    page = new_page(width=width, height=height, color_scheme=scheme)
    page.goto(url)
    wait_idle(page)
    if not sidebar:
        page.get_by_test_id("stSidebarHeader").hover()
        page.get_by_test_id("stSidebarCollapseButton").get_by_role("button").click()
    page.locator(".label .pick").first.wait_for()
    return page


def seen_at_once(page: Page, boxes: Callable[[Page], Boxes], *, left: int) -> Boxes:
    """Return the boxes once all are inside the window, right of ``left``."""
    size = page.viewport_size
    assert size is not None

    def outside() -> list[str]:
        wait_idle(page)
        return [
            f"{name}: {box}"
            for name, box in boxes(page).items()
            if box["y"] < 0
            or box["y"] + box["height"] > size["height"]
            or box["x"] < left
            or box["x"] + box["width"] > size["width"]
        ]

    assert wait_for(lambda: not outside()), outside()
    return boxes(page)


@SIZES
def test_words_picture_lanes_and_answers_are_in_the_window(
    dashboard: Dashboard, bench: Bench, new_page: NewPage, width: int, height: int, scheme: str, sidebar: bool
) -> None:
    with_rows(bench, *ROWS)
    page = opened(new_page, f"{dashboard.url}/explore?experiment={EXPERIMENT}", width, height, scheme, sidebar)
    left = 300 if sidebar else 0
    at = seen_at_once(page, explore_boxes, left=left)
    page.get_by_role("textbox", name="Title of the experiment").click(trial=True)  # nothing lies over it
    assert at["frame"]["width"] >= 400
    assert at["lanes"]["width"] >= width - left - 48
    assert at["row 0"]["x"] > at["frame"]["x"] + at["frame"]["width"]
    screenshot(page, f"one-screen-{width}-{scheme}", full_page=False)


def test_more_prompts_are_scrolled_in_their_table_and_leave_the_lanes_in_the_window(
    dashboard: Dashboard, bench: Bench, new_page: NewPage
) -> None:
    with_rows(bench, *ROWS, *(PromptRow(label=label) for label in ("yellow", "violet", "night", "snow")))
    page = opened(new_page, f"{dashboard.url}/explore?experiment={EXPERIMENT}", 1280, 720, "light", sidebar=False)
    lanes, slider = page.locator(".lanes"), page.get_by_role("slider", name="Threshold")
    assert wait_for(lambda: (lanes.bounding_box() or {"y": 720})["y"] + 180 < 720)  # all scores, and first segments
    head, first = page.locator(".head > span").nth(5), page.locator(".row .role").first
    assert (
        abs(head.evaluate("e => e.getBoundingClientRect().x") - first.evaluate("e => e.getBoundingClientRect().x")) < 4
    )
    shown = page.locator(".labels .label").evaluate_all("all => all.map(e => e.getBoundingClientRect().right)")
    edge = page.locator(".labels").evaluate("e => e.getBoundingClientRect().right")
    assert max(shown) <= edge  # no label is cut
    page.set_viewport_size({"width": 600, "height": 900})
    number = page.get_by_role("spinbutton", name="Threshold as a number")
    assert wait_for(
        lambda: abs((slider.bounding_box() or {"y": 0})["y"] - (number.bounding_box() or {"y": 900})["y"]) < 40
    )


def compared(bench: Bench) -> None:
    """Write five prompts on either side; one of them differs."""
    a = replace(bench.experiment, beside="bbc123def456", rows=ROWS)
    experiments.save(bench.store.home, a)
    rows = (*ROWS[:4], PromptRow(label="shipyard"))
    experiments.save(bench.store.home, replace(a, id="bbc123def456", beside=None, side="b", rows=rows))


@SIZES
def test_player_lanes_and_the_tables_of_both_sides_are_in_the_window(
    dashboard: Dashboard, bench: Bench, new_page: NewPage, width: int, height: int, scheme: str, sidebar: bool
) -> None:
    compared(bench)
    page = opened(new_page, f"{dashboard.url}/compare?experiment={EXPERIMENT}", width, height, scheme, sidebar)
    left = 300 if sidebar else 0
    at = seen_at_once(page, compare_boxes, left=left)
    assert at["lanes"]["width"] >= width - left - 48
    assert at["A table"]["width"] >= 320
    assert at["frame"]["x"] + at["frame"]["width"] < at["A table"]["x"] < at["B table"]["x"]
    foot = max(at[table]["y"] + at[table]["height"] for table in ("A table", "B table"))
    for side in "AB":
        last = at[f"{side} row {len(ROWS) - 1}"]
        assert last["y"] + last["height"] <= foot  # no table hides it
    assert page.get_by_role("region", name="Metrics of A and B by label").bounding_box() is not None
    screenshot(page, f"compare-one-screen-{width}-{scheme}", full_page=False)


@pytest.mark.parametrize(("width", "beside"), [(900, True), (600, False)])
def test_a_narrow_window_stacks_the_sides_too(
    dashboard: Dashboard, bench: Bench, new_page: NewPage, width: int, beside: bool
) -> None:
    compared(bench)
    url = f"{dashboard.url}/compare?experiment={EXPERIMENT}"
    page = opened(new_page, url, width, 1000, "light", sidebar=width < 768)  # there it is closed at first
    at = compare_boxes(page)
    assert at["A table"]["y"] > at["labels"]["y"]
    assert (at["B table"]["x"] > at["A table"]["x"]) is beside
    assert (at["B table"]["y"] > at["A table"]["y"]) is not beside
    assert at["lanes"]["y"] > at["B row 4"]["y"]
    assert page.get_by_test_id("stMain").evaluate("e => e.scrollWidth - e.clientWidth") <= 0
    screenshot(page, f"compare-stacked-{width}", full_page=False)


@pytest.mark.parametrize("width", [900, 600])
def test_a_narrow_window_stacks_them(dashboard: Dashboard, bench: Bench, new_page: NewPage, width: int) -> None:
    with_rows(bench, *ROWS)
    page = new_page(width=width, height=1000)
    page.goto(f"{dashboard.url}/explore?experiment={EXPERIMENT}")
    wait_idle(page)
    page.locator(".label .pick").first.wait_for()
    at = explore_boxes(page)
    assert at["row 0"]["y"] > at["labels"]["y"]
    assert at["lanes"]["y"] > at["Score"]["y"] > at["row 4"]["y"]
    assert page.get_by_test_id("stMain").evaluate("e => e.scrollWidth - e.clientWidth") <= 0
    screenshot(page, f"stacked-{width}", full_page=False)
    if width == 600:  # the side bar lies over the page there, and leaves two thirds of it
        page.get_by_test_id("stExpandSidebarButton").click()
        bar = page.get_by_test_id("stSidebar")
        assert wait_for(lambda: bar.evaluate("e => e.getBoundingClientRect().right") > 100)
        assert bar.evaluate("e => e.getBoundingClientRect().width") <= width / 3


@pytest.mark.parametrize("width", [1440, 600])
def test_an_experiment_of_the_library_is_one_row_and_nothing_of_its_menu_is_cut(
    dashboard: Dashboard, bench: Bench, new_page: NewPage, width: int
) -> None:
    page = new_page(width=width, height=900)
    page.goto(f"{dashboard.url}/?experiment={EXPERIMENT}")
    wait_idle(page)
    title = page.locator(".st-key-experiments_list").get_by_role("button", name="(open)").bounding_box()
    menu = page.locator(".st-key-experiments_list").get_by_role("button", name="More")
    at = menu.bounding_box()
    assert title is not None
    assert at is not None
    assert abs(title["y"] + title["height"] / 2 - at["y"] - at["height"] / 2) < 12
    assert at["x"] > title["x"]
    assert at["x"] + at["width"] <= width
    last = menu.get_by_test_id("stIconMaterial").last.bounding_box()
    assert last is not None
    assert last["x"] + last["width"] <= at["x"] + at["width"]  # of what is seen nothing is cut
    screenshot(page, f"library-{width}")


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
