"""The theme is switched on the page: charts, lanes and labels follow at once, and other pages keep it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from lib.charts.palette import DARK_PALETTE, LIGHT_PALETTE
from tests.helpers.browser import wait_idle
from tests.helpers.dashboard import Dashboard
from tests.helpers.http import wait_for
from tests.helpers.pages import EXPERIMENT, Bench

pytestmark = pytest.mark.browser
COLOUR = "e => e.style.getPropertyValue('--colour').toLowerCase()"
BACKGROUND = "() => getComputedStyle(document.querySelector('.stApp')).backgroundColor"


def test_the_menu_switches_the_theme_of_all_pages_and_nothing_typed_is_lost(
    dashboard: Dashboard, bench: Bench, page: Page
) -> None:
    page.goto(f"{dashboard.url}/explore?experiment={EXPERIMENT}")
    wait_idle(page)
    label = page.locator(".label").first
    assert wait_for(lambda: label.evaluate(COLOUR) == LIGHT_PALETTE[0].lower())
    light = page.evaluate(BACKGROUND)
    page.evaluate("window.stays = true")
    page.get_by_test_id("stMainMenu").get_by_role("button").click()
    page.get_by_role("menuitemradio", name="Dark").click()
    assert wait_for(lambda: label.evaluate(COLOUR) == DARK_PALETTE[0].lower())
    dark = page.evaluate(BACKGROUND)
    assert dark != light
    assert page.evaluate("window.stays")  # without a reload
    page.goto(f"{dashboard.url}/matrix?experiment={EXPERIMENT}")
    wait_idle(page)
    expect(page.get_by_role("heading", name="Matrix")).to_be_visible()
    assert page.evaluate(BACKGROUND) == dark
