"""The Search page in a real browser: typing, playing a moment in place, dragging, and what outlives a reload."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Page, expect

from lib.infra.files import write_atomically
from lib.services import catalogue
from lib.ui.search.state import Search, folder, load
from tests.helpers.browser import screenshot, wait_idle
from tests.helpers.components import overflow
from tests.helpers.http import wait_for
from tests.helpers.pages import EXPERIMENT, add_video, saved
from tests.helpers.videos import BLUE, GREEN

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module", autouse=True)
def _second_video(bench, server):
    """Two videos: red, green, blue (3 s each), and blue, green (2 s each)."""
    video = add_video(bench.store, server.url, (BLUE, 20), (GREEN, 20))
    yield
    bench.store.delete_video(video.sha256)


@pytest.fixture(autouse=True)
def _each_moment_by_itself(bench) -> None:
    path = folder(bench.store.home) / f"{EXPERIMENT}.json"
    write_atomically(path, json.dumps(Search(fold=False).to_dict()))


def kept(bench) -> Search:
    found = load(bench.store.home, EXPERIMENT)
    assert found is not None
    return found


def open_search(page: Page, dashboard) -> Page:
    page.goto(f"{dashboard.url}/search?experiment={EXPERIMENT}")
    wait_idle(page)
    return page


def box(page: Page):
    return page.get_by_role("textbox", name="Search for")


def play(page: Page, words: str):
    return page.get_by_role("button", name=re.compile(f"^Play {words}"))


def test_typed_words_show_the_right_moment_first_and_a_click_plays_it_to_its_end(dashboard, bench, page):
    open_search(page, dashboard)
    box(page).press_sequentially("green", delay=40)
    cards = page.get_by_role("list", name="Moments found").get_by_role("listitem")
    expect(cards.first.locator(".range")).to_have_text(re.compile("0:03.0 – 0:06.0|0:02.0 – 0:04.0"))
    expect(play(page, "0:03.0 – 0:06.0 of colours.mp4")).to_be_visible()
    assert kept(bench).asked == "green"

    card = cards.filter(has=play(page, "0:03.0 – 0:06.0 of colours.mp4"))
    card.evaluate(
        """card => {
          card.seen = [];
          new MutationObserver(() => {
            const video = card.querySelector('video');
            if (!video || video.watched) return;
            video.watched = true;
            const note = () => { if (!video.paused && !video.seeking) card.seen.push(video.currentTime); };
            for (const type of ['timeupdate', 'seeked', 'playing']) video.addEventListener(type, note);
          }).observe(card, {childList: true, subtree: true});
        }"""
    )
    play(page, "0:03.0 – 0:06.0 of colours.mp4").click()
    expect(card.locator(".picture")).to_have_attribute("data-state", "playing")
    expect(card.locator(".picture")).to_have_attribute("data-state", "ended")
    seen = card.evaluate("card => card.seen")
    assert seen
    assert min(seen) >= 2.99
    assert 4.0 < max(seen) <= 6.4  # the browser tells the time only a few times a second
    screenshot(page, "search-cards")


def test_the_last_word_outlives_a_click_on_a_link_and_a_reload(dashboard, bench, page):
    open_search(page, dashboard)
    box(page).press_sequentially("blue", delay=10)
    page.get_by_test_id("stSidebar").get_by_role("link", name="Library").click()
    expect(page.get_by_role("heading", name="Library", exact=True)).to_be_visible()
    page.get_by_test_id("stSidebar").get_by_role("link", name="Search").click()
    expect(box(page)).to_have_value("blue")
    expect(play(page, "0:06.0 – 0:09.0 of colours.mp4")).to_be_visible()

    box(page).focus()
    page.keyboard.press("End")
    page.keyboard.type(" sky")
    page.reload()
    wait_idle(page)
    expect(box(page)).to_have_value("blue sky")
    assert wait_for(lambda: kept(bench).asked == "blue sky")


def test_the_threshold_and_a_part_of_a_frame_are_dragged(dashboard, bench, page):
    open_search(page, dashboard)
    box(page).press_sequentially("green", delay=10)
    slider = page.get_by_role("slider", name="Threshold")
    slider.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    chosen = float(slider.input_value())
    assert wait_for(lambda: list(kept(bench).thresholds.values()) == [pytest.approx(chosen)])
    expect(page.locator(".threshold .value")).to_have_text(f"{chosen:.2f}".replace("-", "−"))

    page.get_by_role("button", name=re.compile("^Search for this frame, .*colours.mp4")).first.click()
    stage = page.locator(".stage")
    expect(stage).to_be_visible()
    assert wait_for(lambda: stage.locator("img").evaluate("image => image.naturalWidth") == 128)
    frame = stage.bounding_box()
    assert frame is not None
    cards = page.get_by_role("list", name="Moments found").get_by_role("listitem")
    expect(cards.filter(has_text="the frame you search for")).to_have_count(1)
    page.mouse.move(frame["x"] + 0.25 * frame["width"], frame["y"] + 0.25 * frame["height"])
    page.mouse.down()
    page.mouse.move(frame["x"] + 0.75 * frame["width"], frame["y"] + 0.5 * frame["height"], steps=4)
    page.mouse.up()

    def region():
        return (kept(bench).picture and kept(bench).picture.region) or ()

    assert wait_for(lambda: region() == pytest.approx((0.25, 0.25, 0.75, 0.5), abs=0.02))
    expect(page.locator(".shade")).to_be_visible()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 900)])
def test_timelines_play_a_moment_and_take_it_to_explore(dashboard, bench, new_page, scheme, width):
    page = open_search(new_page(color_scheme=scheme, width=width), dashboard)
    box(page).fill("turquoise")
    page.get_by_text("Timelines", exact=True).click()
    bars = page.get_by_role("button", name=re.compile("^Number 1: "))
    bars.click()
    expect(bars).to_have_attribute("aria-expanded", "true")
    expect(page.locator(".picture")).to_have_attribute("data-state", re.compile("playing|ended"))
    assert overflow(page) <= 0
    screenshot(page, f"search-timelines-{scheme}-{width}")
    page.get_by_role("button", name=re.compile("^Use the words as a prompt")).click()
    expect(page.get_by_role("heading", name="Explore", exact=True)).to_be_visible()
    wait_idle(page)
    begun = catalogue.listed(bench.store.home, {}).choices[0]
    assert begun.labels == ("turquoise", "something else")
    assert saved(bench) == bench.experiment
