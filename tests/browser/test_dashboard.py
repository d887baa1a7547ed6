"""The dashboard in a real browser: cold links, edits that all count, one instrument of video and charts."""

from __future__ import annotations

import contextlib
import re
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Error, Locator, Page, expect

from lib.engines.registry import make_engine
from lib.ingest.ingest import ingest
from lib.services import experiments
from lib.services.experiments import Experiment
from lib.store.store import Store
from tests.helpers.browser import screenshot, wait_idle
from tests.helpers.http import wait_for
from tests.helpers.lanes import point
from tests.helpers.pages import EXPERIMENT, MODEL, SAMPLING, saved
from tests.helpers.prompt_table import answer
from tests.helpers.videos import NO_CUTS, make_video, palette, remuxed

pytestmark = pytest.mark.browser


def explore(page: Page, dashboard) -> Page:
    page.goto(f"{dashboard.url}/explore?experiment={EXPERIMENT}")
    wait_idle(page)
    expect(page.get_by_text(re.compile("first 0:00.0"))).to_be_visible()
    return page


def choose(page: Page, label: str, option: str) -> None:
    wanted = page.get_by_role("option", name=option, exact=True)
    for _ in range(5):  # a page that moves while it is clicked, since a run comes in, takes the click for another's
        wait_idle(page)
        page.get_by_role("combobox", name=label).click()
        with contextlib.suppress(Error):
            wanted.wait_for(timeout=4_000)
            break
    wanted.click()
    page.wait_for_timeout(300)  # the run that this starts has begun; idle before it means nothing
    wait_idle(page)


def type_label(page: Page, row: int, label: str) -> None:
    field = page.get_by_role("textbox", name=f"Label of prompt {row + 1}", exact=True)
    field.click()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type(label, delay=5)
    page.keyboard.press("Enter")


def player_time(page: Page) -> float:
    return float(page.locator("video").first.evaluate("video => video.currentTime"))


def place_of(chart: Locator) -> dict[str, float]:
    """Return where a chart is, once it is drawn and nothing above it moves it any more (the player gets its size)."""
    chart.wait_for(state="visible")
    seen: list[dict[str, float] | None] = []

    def rests() -> bool:
        chart.scroll_into_view_if_needed()
        seen.append(chart.bounding_box())
        chart.page.wait_for_timeout(100)
        return len(seen) > 4 and seen[-1] is not None and seen[-5:] == seen[-1:] * 5

    assert wait_for(rests)
    box = seen[-1]
    assert box is not None
    return box


@pytest.mark.parametrize(("path", "title"), [("library", "Library"), ("explore", "Explore")])
def test_a_cold_deep_link_shows_the_page_in_its_frame(start_dashboard, page, path, title):
    cold = start_dashboard()
    page.goto(f"{cold.url}/{path}")
    wait_idle(page)

    expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()
    navigation = page.get_by_test_id("stSidebar")
    names = ("Library", "Explore", "Compare", "Matrix", "Archive", "Search")
    expect(navigation.get_by_role("link")).to_have_text([re.compile(f"{name}$") for name in names])
    expect(page.get_by_test_id("stSidebar").get_by_role("heading", name="Engine")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page).to_have_url(re.compile("experiment="))
    cold.stop()


def test_three_quick_edits_of_the_threshold_all_count(dashboard, bench, page):
    explore(page, dashboard)
    choose(page, "Decision", "Threshold")
    slider = page.get_by_role("slider", name=re.compile("^Threshold"))
    expect(slider).to_be_enabled()
    wait_idle(page)
    slider.focus()
    before = float(slider.get_attribute("aria-valuenow") or slider.input_value())
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert wait_for(lambda: abs(saved(bench).settings.threshold - (before + 3 * 0.005)) < 1e-6)
    wait_idle(page)

    page.get_by_test_id("stSidebar").get_by_role("link", name="Library").click()
    expect(page.get_by_role("heading", name="Library", exact=True)).to_be_visible()
    page.get_by_test_id("stSidebar").get_by_role("link", name="Explore").click()
    expect(page.get_by_role("heading", name="Explore", exact=True)).to_be_visible()
    wait_idle(page)
    shown = page.get_by_role("slider", name=re.compile("^Threshold"))
    assert float(shown.get_attribute("aria-valuenow") or shown.input_value()) == pytest.approx(before + 0.015)

    page.reload()
    wait_idle(page)
    shown = page.get_by_role("slider", name=re.compile("^Threshold"))
    assert float(shown.get_attribute("aria-valuenow") or shown.input_value()) == pytest.approx(before + 0.015)
    choose(page, "Decision", "Best label")


def test_three_quick_edits_of_the_prompt_table_all_count(dashboard, bench, page):
    explore(page, dashboard)
    for row, label in enumerate(("crimson", "leaf", "sky")):
        type_label(page, row, label)
    assert wait_for(lambda: [row.label for row in saved(bench).rows] == ["crimson", "leaf", "sky"])
    wait_idle(page)
    for label in ("crimson", "leaf", "sky"):
        expect(answer(page, label)).not_to_be_empty()

    for row, label in enumerate(("red", "green", "blue")):
        type_label(page, row, label)
    assert wait_for(lambda: [row.label for row in saved(bench).rows] == ["red", "green", "blue"])
    wait_idle(page)


def test_back_goes_to_the_experiment_before(dashboard, bench, page):
    explore(page, dashboard)
    page.locator(".st-key-experiment_menu button").click()
    page.get_by_role("button", name="New", exact=True).click()
    expect(page.get_by_text("This is a new experiment")).to_be_visible()
    wait_idle(page)
    assert f"experiment={EXPERIMENT}" not in page.url

    page.go_back()
    expect(answer(page, "red")).not_to_be_empty()
    assert f"experiment={EXPERIMENT}" in page.url


def test_a_click_on_a_chart_moves_the_video_there(dashboard, page):
    explore(page, dashboard)
    chart = page.get_by_test_id("stVegaLiteChart").nth(1).locator("svg, canvas").first
    box = place_of(chart)
    plot = box["width"] - 110 - 15
    page.mouse.click(box["x"] + 110 + plot * 0.75, box["y"] + box["height"] * 0.6)
    assert wait_for(lambda: 6.0 <= player_time(page) <= 7.5)


def test_a_brush_zooms_all_lanes_and_show_all_takes_it_back(dashboard, page):
    explore(page, dashboard)
    strip = page.get_by_test_id("stVegaLiteChart").first.locator("svg, canvas").first
    box = place_of(strip)
    plot = box["width"] - 110 - 15
    page.mouse.move(box["x"] + 110 + plot * 0.25, box["y"] + 12)
    page.mouse.down()
    page.mouse.move(box["x"] + 110 + plot * 0.5, box["y"] + 16, steps=5)
    page.mouse.up()
    expect(page.get_by_text(re.compile(r"Zoomed to 0:02\.\d – 0:04\.\d"))).to_be_visible()
    wait_idle(page)
    page.get_by_role("button", name="Show all").click()
    expect(page.get_by_text(re.compile("Zoomed to"))).to_have_count(0)


def test_a_click_on_a_thumbnail_moves_the_video_there(dashboard, page):
    explore(page, dashboard)
    page.get_by_role("radio", name="Frames").or_(page.get_by_role("button", name="Frames")).first.click()
    wait_idle(page)
    choose(page, "Label", "blue")
    tile = page.get_by_role("button", name=re.compile(r"0:0[6-8]\.\d")).first
    tile.click()
    assert wait_for(lambda: 6.0 <= player_time(page) <= 9.0)


def test_the_video_is_not_reloaded_by_an_edit(dashboard, page):
    explore(page, dashboard)
    video = page.locator("video").first
    assert wait_for(lambda: video.evaluate("video => video.readyState") >= 2)
    video.evaluate("video => { video.dataset.mark = 'same'; video.currentTime = 2.0 }")
    assert wait_for(lambda: abs(player_time(page) - 2.0) < 0.2)
    choose(page, "Smoothing", "Median")
    choose(page, "Smoothing", "None")

    assert video.evaluate("video => video.dataset.mark") == "same"
    assert abs(player_time(page) - 2.0) < 0.2


def test_an_uploaded_video_is_in_the_library_and_the_job_outlives_the_tab(start_dashboard, new_page, tmp_path, server):
    fresh = start_dashboard()
    file = make_video(tmp_path / "my clip.mp4", colours=palette(400), size=(160, 120), rate=20)
    page = new_page()
    page.goto(fresh.url)
    wait_idle(page)
    page.get_by_role("combobox", name="Engine").click()
    page.get_by_role("option", name="Inference server").click()
    wait_idle(page)
    address = page.get_by_role("textbox", name="Server URL")
    address.fill(server.url)
    address.press("Enter")
    wait_idle(page)
    page.locator("input[type=file]").first.set_input_files(file)
    expect(page.get_by_test_id("stDataFrame")).to_be_visible()
    server.faults.latency_s = 5.0  # the job must outlast a page that opens slowly
    try:
        page.get_by_role("button", name="Open in Explore").click()
        expect(page.get_by_role("button", name="Cancel").first).to_be_visible()
        address_of_experiment = page.url
        page.context.close()

        again = new_page()
        again.goto(address_of_experiment)
        expect(again.get_by_role("button", name="Cancel").first).to_be_visible()
    finally:
        server.faults.latency_s = 0.0
    expect(again.get_by_role("button", name="Cancel")).to_have_count(0, timeout=60_000)
    wait_idle(again)
    expect(again.get_by_text("Type a prompt into the table")).to_be_visible()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("light", 900), ("dark", 1440), ("dark", 900)])
def test_pages_fit_their_width(dashboard, new_page, scheme, width):
    page = explore(new_page(color_scheme=scheme, width=width, height=1000), dashboard)
    expect(page.get_by_test_id("stVegaLiteChart")).to_have_count(4)
    screenshot(page, f"explore-{scheme}-{width}")
    assert _overflow(page) <= 0
    page.get_by_test_id("stSidebar").get_by_role("link", name="Library").click()
    expect(page.get_by_role("heading", name="Library", exact=True)).to_be_visible()
    wait_idle(page)
    screenshot(page, f"library-{scheme}-{width}")
    assert _overflow(page) <= 0


def _overflow(page: Page) -> int:
    return int(page.get_by_test_id("stMain").evaluate("element => element.scrollWidth - element.clientWidth"))


def test_what_the_browser_cannot_play_gets_a_copy_that_it_can(start_dashboard, page, tmp_path):
    home = tmp_path / "home"
    store = Store(home)
    video = store.add_file(make_video(tmp_path / "old.avi", colours=palette(40), size=(160, 120), codec="mpeg4"))
    experiments.save(home, Experiment(EXPERIMENT, video=video.sha256))
    dashboard = start_dashboard(home=home)
    page.goto(f"{dashboard.url}/explore?experiment={EXPERIMENT}")
    wait_idle(page)
    assert wait_for(lambda: page.locator("video").first.evaluate("video => video.readyState") >= 2, seconds=60)

    assert page.locator("video").first.evaluate("video => video.videoWidth") == 160
    assert store.proxy_path(video.sha256).exists()


def test_the_newcomers_first_result(start_dashboard, page, tmp_path):
    """README: open the sample, see the two-prompt mistake, add a word, see it part."""
    fresh = start_dashboard()
    page.goto(fresh.url)
    wait_idle(page)
    page.locator(".st-key-open_sample_five_scenes").get_by_role("button", name="Open").click()
    site = answer(page, "construction site")
    expect(site).to_have_text(re.compile(r"^[56]\.\d s, \d+ %, first 0:0[67]\.\d$"), timeout=120_000)
    wait_idle(page)
    page.get_by_role("button", name="Add prompt").click()
    type_label(page, 2, "shipyard")

    expect(site).to_have_text(re.compile(r"^[23]\.\d s, \d+ %, first 0:0[67]\.\d$"))
    expect(answer(page, "shipyard")).to_have_text(re.compile(r"^[23]\.\d s, \d+ %, first 0:(09|10)\.\d$"))
    screenshot(page, "first-result")
    assert Path(fresh.home).exists()


def test_lost_frames_are_hatched_in_the_lanes_and_told_in_a_sentence(dashboard, bench, page, tmp_path):
    whole = make_video(tmp_path / "whole.mp4", colours=palette(100), size=(128, 96), rate=10, gop=20, options=NO_CUTS)
    video = bench.store.add_file(remuxed(whole, tmp_path / "broken.mp4", junk={45: b"\xff\1\2\3\4\5\6"}))
    with contextlib.closing(make_engine(bench.experiment.server_url, model_version=MODEL)) as engine:
        ingest(bench.store, video, engine, SAMPLING)
    experiments.save(bench.store.home, replace(bench.experiment, video=video.sha256))
    page.goto(f"{dashboard.url}/explore?experiment={EXPERIMENT}")
    wait_idle(page)

    expect(page.get_by_text("1.5 s of 10.0 s can’t be decoded, 0:04.5 to 0:06.0; all else is kept.")).to_be_visible()
    lanes = page.locator(".lanes")
    expect(lanes).to_have_count(1)  # those of the run before the sentence came are gone
    lanes.scroll_into_view_if_needed()
    assert wait_for(lambda: changes(lanes, 4.6, 5.9) > 8)
    assert changes(lanes, 2.1, 3.4) < 4
    tip = page.locator(".tip")
    page.mouse.move(*point(lanes, 5.0))
    expect(tip).to_contain_text("0:05.0, no frames")
    expect(tip.locator("img")).to_be_hidden()
    page.mouse.move(*point(lanes, 2.0))
    expect(tip).not_to_contain_text("no frames")


def changes(lanes: Locator, start_s: float, end_s: float) -> int:
    """Return how often the colour changes along a line through the top of the scores between two times."""
    left, right = (point(lanes, time_s)[0] - lanes.bounding_box()["x"] for time_s in (start_s, end_s))
    return int(
        lanes.evaluate(
            """(e, [left, right]) => {
              const canvas = e.querySelector("canvas"), ratio = canvas.width / canvas.clientWidth;
              const pen = canvas.getContext("2d"), width = (right - left) * ratio;
              const line = pen.getImageData(left * ratio, 30 * ratio, width, 1).data;
              let count = 0;
              for (let i = 4; i < line.length; i += 4) count += Math.abs(line[i] - line[i - 4]) > 12;
              return count;
            }""",
            [left, right],
        )
    )
