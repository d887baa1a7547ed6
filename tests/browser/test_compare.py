"""The Compare page in a real browser: what a change of words does, on one time axis, and no edit lost."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from lib.core.sampling import Sampling
from lib.engines.registry import make_engine
from lib.ingest.ingest import ingest
from lib.services import experiments
from lib.services.experiments import Experiment, PromptRow
from lib.store.store import Store
from tests.helpers.browser import NewPage, screenshot, wait_idle
from tests.helpers.dashboard import Dashboard, StartDashboard
from tests.helpers.http import wait_for
from tests.helpers.lanes import point
from tests.helpers.pages import EXPERIMENT, REPOSITORY, Bench, saved

pytestmark = pytest.mark.browser
BESIDE = "bbc123def456"


@pytest.fixture(autouse=True)
def _two_sides(bench: Bench) -> None:
    """A: red, green, blue, 3 s each. B has another word for the one in the middle, and knows no blue."""
    a = dataclasses.replace(bench.experiment, beside=BESIDE)
    experiments.save(bench.store.home, a)
    rows = (PromptRow(label="red"), PromptRow(label="leaf", texts=("green",)))
    experiments.save(bench.store.home, dataclasses.replace(a, id=BESIDE, beside=None, side="b", rows=rows))


def opened(page: Page, dashboard: Dashboard) -> Locator:
    page.goto(f"{dashboard.url}/compare?experiment={EXPERIMENT}")
    wait_idle(page)
    page.locator(".label .pick").first.wait_for()
    wait_for(lambda: float(page.locator("video").evaluate("v => v.readyState")) >= 2)
    return page.locator(".lanes")


def label(page: Page, side: str, number: int) -> Locator:
    fields = page.get_by_role("textbox", name=f"Label of prompt {number}", exact=True)
    return fields.nth("ab".index(side))


def rows(bench: Bench, side: str) -> list[str]:
    found = saved(bench) if side == "a" else experiments.load(bench.store.home, BESIDE)
    assert found is not None
    return [row.label for row in found.rows]


def position(page: Page) -> float:
    return float(page.locator("video").evaluate("v => v.currentTime"))


def test_the_word_that_was_missing(start_dashboard: StartDashboard, page: Page, tmp_path: Path) -> None:
    """Issue 5's bar: "shipyard" takes away what is none of the construction site, and the truth says it is better."""
    store = Store(tmp_path / "home")
    video = store.add_file(REPOSITORY / "sample_videos" / "five_scenes.mp4")
    ingest(store, video, make_engine("demo"), Sampling.every(1))
    a_rows = (PromptRow(label="construction site"), PromptRow(label="something else", role="background"))
    a = Experiment(EXPERIMENT, video=video.sha256, sampling="stride-1", name="construction", rows=a_rows)
    experiments.save(store.home, a)
    page.goto(f"{start_dashboard(home=store.home).url}/compare?experiment={EXPERIMENT}")
    expect(page.get_by_text("A and B are the same: edit one of them,")).to_be_visible()
    wait_idle(page)
    page.get_by_role("button", name="Add prompt").nth(1).click()
    page.keyboard.type("shipyard", delay=5)
    page.keyboard.press("Enter")

    expect(page.get_by_text(re.compile(r"A and B agree 8\d % of the time.*One difference"))).to_be_visible()
    difference = page.get_by_text(re.compile(r"0:10\.\d – 0:13\.\d: A construction site, B shipyard"))
    expect(difference).to_be_visible()
    metrics = page.get_by_role("region", name="Metrics of A and B by label").get_by_role("row")
    cells = metrics.filter(has_text="construction site").get_by_role("cell").all_inner_texts()
    before_f1, after_f1, change = cells[:3]
    assert float(before_f1) == pytest.approx(0.67, abs=0.03)
    assert float(after_f1) >= 0.95
    assert change.startswith("+0.3")
    duration = metrics.first.get_by_role("columnheader").all_inner_texts().index("Duration (s)") - 1
    assert float(cells[3 * duration]) == pytest.approx(6, abs=0.3)
    assert float(cells[3 * duration + 1]) == pytest.approx(3, abs=0.5)
    page.get_by_role("radio", name="Accuracy").or_(page.get_by_role("button", name="Accuracy")).first.click()
    expect(page.get_by_text(re.compile(r"construction site: B is better here by \+0.3"))).to_be_visible()
    expect(page.get_by_text(re.compile(r"B is better here: .*0:10.0 – 0:13.0 \(shipyard\)"))).to_be_visible()
    expect(page.get_by_text(re.compile(r"^Evidence: .*5 independent stretches"))).to_be_visible()
    screenshot(page, "compare")


def test_edits_on_both_sides_go_where_they_were_made_also_on_the_way_to_a_swap(
    page: Page, dashboard: Dashboard, bench: Bench
) -> None:
    opened(page, dashboard)
    for side, words in (("a", "crimson"), ("b", "scarlet"), ("a", "cherry"), ("b", "ruby")):
        label(page, side, 1).fill(words)
    assert wait_for(lambda: (rows(bench, "a")[0], rows(bench, "b")[0]) == ("cherry", "ruby"))
    wait_idle(page)
    label(page, "a", 2).click()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("moss")
    page.get_by_role("button", name="Swap").click()
    wanted = ["ruby", "leaf"], ["cherry", "moss", "blue"]
    assert wait_for(lambda: (rows(bench, "a"), rows(bench, "b")) == wanted)
    expect(label(page, "b", 2)).to_have_value("moss")
    page.reload()
    expect(label(page, "b", 2)).to_have_value("moss")
    page.get_by_role("button", name="Copy B to A").click()
    expect(label(page, "a", 3)).to_have_value("blue")
    page.get_by_role("button", name="Undo", exact=True).click()

    expect(label(page, "a", 1)).to_have_value("ruby")
    assert (rows(bench, "a"), rows(bench, "b")) == wanted


def test_differences_are_a_key_or_a_button_away_and_can_be_played_alone(page: Page, dashboard: Dashboard) -> None:
    lanes = opened(page, dashboard)
    expect(page.locator(".differences")).to_contain_text("2 differences")
    lanes.focus()
    page.keyboard.press("d")
    assert wait_for(lambda: position(page) == pytest.approx(3, abs=0.1))
    page.keyboard.press("d")
    assert wait_for(lambda: position(page) == pytest.approx(6, abs=0.1))
    page.keyboard.press("Shift+D")
    assert wait_for(lambda: position(page) == pytest.approx(3, abs=0.1))
    expect(page.locator(".announcements")).to_contain_text("A green, B leaf")
    page.get_by_role("button", name="Next difference").click()
    assert wait_for(lambda: position(page) == pytest.approx(6, abs=0.1))
    page.get_by_role("button", name="Next difference").click()  # it stopped at the last one
    assert wait_for(lambda: position(page) == pytest.approx(3, abs=0.1))
    expect(page.locator(".announcements")).to_contain_text("Around the end. Difference 1 of 2")
    page.get_by_role("button", name="Previous difference").click()
    assert wait_for(lambda: position(page) == pytest.approx(6, abs=0.1))
    page.keyboard.press("Home")
    page.get_by_text("Only differences", exact=True).click()
    wait_idle(page)
    lanes.focus()
    page.keyboard.press("Space")  # from the beginning, where both sides agree
    assert wait_for(lambda: 3 <= position(page) < 6)
    page.keyboard.press("Space")
    x, y = point(lanes, 4.0)
    page.mouse.click(x, y)
    assert wait_for(lambda: position(page) == pytest.approx(4, abs=0.1))


def test_words_that_differ_are_marked_where_they_stand(page: Page, dashboard: Dashboard) -> None:
    opened(page, dashboard)
    expect(label(page, "b", 2)).to_have_accessible_description("Only in B")
    page.get_by_role("textbox", name="Phrasings of prompt 1").nth(1).fill("dark red")
    page.keyboard.press("Enter")
    b = page.get_by_role("group", name="Prompt table").nth(1)
    expect(b.locator("mark")).to_have_text(["dark"])
    expect(label(page, "a", 1)).to_have_accessible_description("B has “dark red”")
    page.get_by_role("textbox", name="Phrasings of prompt 1").first.fill("dark red")
    page.keyboard.press("Enter")
    expect(b.locator("mark")).to_have_count(0)


def test_a_brush_lists_frames_and_a_frame_goes_there(page: Page, dashboard: Dashboard) -> None:
    opened(page, dashboard)
    page.get_by_role("radio", name="Score comparison").or_(
        page.get_by_role("button", name="Score comparison")
    ).first.click()
    wait_idle(page)
    chart = page.get_by_test_id("stVegaLiteChart").locator("canvas")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.55)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.99, box["y"] + box["height"] * 0.1, steps=6)
    page.mouse.up()
    expect(page.get_by_text(re.compile(r"\d+ samples in the selection"))).to_be_visible()
    wait_idle(page)
    page.locator(".item").filter(has_text=re.compile(r"0:02\.")).first.click()

    assert wait_for(lambda: 2 <= position(page) < 3)


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 900)])
def test_the_page_fits_its_width(dashboard: Dashboard, new_page: NewPage, scheme: str, width: int) -> None:
    page = new_page(color_scheme=scheme, width=width, height=1000)
    opened(page, dashboard)
    screenshot(page, f"compare-{scheme}-{width}")
    main = page.get_by_test_id("stMain")

    assert main.evaluate("element => element.scrollWidth - element.clientWidth") <= 0
    assert page.locator(".lanes canvas").bounding_box() is not None
