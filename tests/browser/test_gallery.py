"""The gallery component in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.helpers.browser import Watch
from tests.helpers.components import expect_reported, has_focus_ring, open_gallery
from tests.helpers.dashboard import Dashboard

pytestmark = pytest.mark.browser


def test_a_click_tells_python_its_time_every_time(page: Page, components_app: Dashboard, watch: Watch) -> None:
    cards = open_gallery(page, components_app, watch)
    cards.nth(12).click()
    expect_reported(page, "picked", [5.0])
    cards.nth(12).click()
    expect_reported(page, "picked", [5.0, 5.0])
    cards.nth(6).click()
    expect_reported(page, "picked", [5.0, 5.0, 2.5])


def test_pictures_are_not_loaded_again_and_cards_stay(page: Page, components_app: Dashboard, watch: Watch) -> None:
    cards = open_gallery(page, components_app, watch)
    cards.first.evaluate("card => { card.mark = 'same'; }")
    page.wait_for_timeout(300)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    cards.nth(1).click()
    expect_reported(page, "picked", [1 / 2.4])
    assert cards.first.evaluate("card => card.mark") == "same"
    assert [url for url in asked if "/thumb/" in url] == []


def test_cards_have_text_alternatives_and_show_labels_as_text(
    page: Page, components_app: Dashboard, watch: Watch
) -> None:
    cards = open_gallery(page, components_app, watch)
    expect(cards.nth(2).locator(".title")).to_have_text("<b>construction site</b>")
    assert cards.nth(2).locator("b").count() == 0
    expect(cards.nth(4).get_by_role("img")).to_have_attribute("alt", "construction site 4, 0:01.7")
    expect(cards.nth(4).get_by_role("img")).to_have_attribute("loading", "lazy")
    expect(cards.nth(13).locator(".picture")).to_have_class(re.compile("broken"))
    expect(page.get_by_text("No frame is near the threshold.")).to_be_visible()


def test_cards_follow_the_keyboard_with_a_visible_focus(page: Page, components_app: Dashboard, watch: Watch) -> None:
    cards = open_gallery(page, components_app, watch)
    cards.first.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    expect(cards.nth(2)).to_be_focused()
    assert has_focus_ring(cards.nth(2))
    page.keyboard.press("Enter")
    expect_reported(page, "picked", [2 / 2.4])
    expect(cards.nth(2)).to_be_focused()
