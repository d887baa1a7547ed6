"""Saving a version by key in a real browser, while somebody types."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from lib.services import versions
from tests.helpers.dashboard import Dashboard
from tests.helpers.http import wait_for
from tests.helpers.pages import COLOURS, Bench
from tests.helpers.prompt_table import opened, part

pytestmark = pytest.mark.browser

_WATCH = """window.prevented = [];
addEventListener("keydown", (e) => {
  if (e.key === "s" && e.ctrlKey) setTimeout(() => prevented.push(e.defaultPrevented));
});"""


def test_ctrl_s_in_a_text_field_saves_what_was_typed_and_not_the_page(
    page: Page, dashboard: Dashboard, bench: Bench
) -> None:
    opened(page, dashboard, bench, *bench.experiment.rows)
    page.evaluate(_WATCH)
    label = part(page, "Label", 1)
    label.click()
    label.press("End")
    label.press_sequentially("dish")
    label.press("Control+s")

    name = page.get_by_role("dialog").get_by_label("Name")
    expect(name).to_be_visible()
    assert page.evaluate("prevented") == [True]
    name.fill("by key")
    name.press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert wait_for(lambda: len(versions.listed(bench.store.home).versions) == 1)
    (version,) = versions.listed(bench.store.home).versions
    assert version.name == "by key"
    assert [row.label for row in version.experiment.rows] == ["reddish", *COLOURS[1:]]
