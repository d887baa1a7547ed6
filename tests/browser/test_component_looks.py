"""All components in both themes and at two widths: they fit, and their text is readable."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.helpers.browser import NewPage, Watch, screenshot
from tests.helpers.components import (
    NO_PICTURE,
    contrast,
    expect_ready,
    expect_reported,
    files_of,
    open_upload,
    overflow,
    row,
    slow_down,
)
from tests.helpers.dashboard import Dashboard

pytestmark = pytest.mark.browser


SIZES = [("light", 1440), ("dark", 1440), ("light", 900), ("dark", 900)]


@pytest.mark.parametrize(("scheme", "width"), SIZES)
def test_everything_fits_and_is_readable_in_both_themes(
    new_page: NewPage, components_app: Dashboard, watch: Watch, tmp_path: Path, scheme: str, width: int
) -> None:
    watch.allow("status of 422")
    watch.allow(NO_PICTURE)
    page = new_page(color_scheme=scheme, width=width)
    name = f"{scheme}-{width}"
    picker = open_upload(page, components_app)
    paths = files_of(tmp_path, broken=2000, a_rather_long_name_of_a_video_from_a_holiday_in_norway_day_three=20_000)
    picker.set_input_files(list(paths.values()))
    expect(page.locator(".total")).to_have_text("1 file added, 1 not added")
    slow_down(page, 1_000_000)
    picker.set_input_files(files_of(tmp_path, on_its_way=9_000_000)["on_its_way"])
    expect(row(page, "on_its_way.mp4").locator(".figures")).to_contain_text("left")
    readable = [".label", ".hint", ".trouble", ".total", ".name", ".browse", ".figures"]
    low = {css: contrast(page.locator(css).first) for css in readable if contrast(page.locator(css).first) < 4.5}
    done = contrast(page.locator("li[data-state=done] .figures"))
    assert (low, done >= 4.5) == ({}, True)
    assert overflow(page) <= 0
    screenshot(page, f"component-upload-{name}")
    row(page, "on_its_way.mp4").get_by_role("button").last.click()

    page.get_by_role("link", name="Player").click()
    expect_ready(page.locator("video"))
    page.get_by_role("button", name="Go to 2.00").click()
    expect_reported(page, "player", [2.0, None])
    assert overflow(page) <= 0
    screenshot(page, f"component-player-{name}")

    page.get_by_role("link", name="Gallery").click()
    cards = page.get_by_role("list", name="Best frames").get_by_role("button")
    expect(cards).to_have_count(14)
    page.wait_for_timeout(300)
    assert min(contrast(cards.first.locator(css)) for css in (".title", ".subtitle", ".time")) >= 4.5
    tops = [round(card.bounding_box()["y"]) for card in cards.all() if card.bounding_box()]  # type: ignore[index]
    columns = tops.count(tops[0])
    assert (columns >= 5) if width == 1440 else (2 <= columns <= 4)
    assert overflow(page) <= 0
    screenshot(page, f"component-gallery-{name}")
