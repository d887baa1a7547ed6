"""Undo and redo by key and button in a real browser: nothing is taken back unseen, and typing stays the browser's."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from lib.services.experiments import PromptRow
from tests.helpers.browser import wait_idle
from tests.helpers.dashboard import Dashboard
from tests.helpers.http import wait_for
from tests.helpers.pages import Bench, saved
from tests.helpers.prompt_table import expect_labels, opened, part, shown

pytestmark = pytest.mark.browser

ROWS = (
    PromptRow(label="red", threshold=0.3),
    PromptRow(label="green", threshold=0.2, colour="#12ab9f", texts=("a green wall",)),
    PromptRow(label="blue"),
)


@pytest.fixture
def table(page: Page, dashboard: Dashboard, bench: Bench) -> Page:
    return opened(page, dashboard, bench, *ROWS)


def says(page: Page, text: str) -> None:
    expect(page.get_by_test_id("stToast").filter(has_text=text).first).to_be_visible()
    expect(page.locator("p.said")).to_have_text(text)


def test_a_deleted_row_comes_back_and_no_other_field_is_touched(table: Page, bench: Bench) -> None:
    part(table, "Threshold", 1).fill("0.4")
    part(table, "Threshold", 1).blur()
    assert wait_for(lambda: saved(bench).rows[0].threshold == 0.4)
    table.get_by_role("button", name="Remove prompt 2").click()
    expect_labels(bench, ["red", "blue"])
    table.keyboard.press("Control+z")
    says(table, "Undone: Row 'green' removed")
    assert wait_for(lambda: saved(bench).rows[1] == ROWS[1])
    assert saved(bench).rows[0].threshold == 0.4
    expect(part(table, "Threshold", 1)).to_have_value("0.4")
    assert shown(table) == ["red", "green", "blue"]
    expect(table.get_by_role("button", name="Remove prompt 3")).to_be_focused()  # that of “blue”, as before

    table.keyboard.press("Control+z")
    says(table, "Undone: Threshold of 'red' 0.3 → 0.4")
    table.keyboard.press("Control+Shift+z")
    says(table, "Redone: Threshold of 'red' 0.3 → 0.4")
    table.keyboard.press("Control+y")
    says(table, "Redone: Row 'green' removed")
    expect_labels(bench, ["red", "blue"])
    assert saved(bench).rows[0].threshold == 0.4
    table.keyboard.press("Control+y")
    says(table, "Nothing to redo")


def test_in_a_text_field_the_browser_undoes_its_typing_first(table: Page, bench: Bench) -> None:
    table.get_by_role("button", name="Remove prompt 3").click()
    expect_labels(bench, ["red", "green"])
    field = part(table, "Label", 1)
    field.click()
    table.keyboard.press("End")
    table.keyboard.type("dish")
    expect_labels(bench, ["reddish", "green"])
    for _ in "dish":
        table.keyboard.press("Control+z")
    expect(field).to_have_value("red")
    expect_labels(bench, ["red", "green"])
    expect(table.get_by_role("button", name="Undo", exact=True)).to_be_enabled()
    wait_idle(table)
    table.keyboard.press("Control+z")  # nothing is left to undo in the field

    says(table, "Undone: Row 'blue' removed")
    expect_labels(bench, ["red", "green", "blue"])
    expect(field).to_be_focused()


def test_presses_in_quick_succession_all_count(table: Page, bench: Bench) -> None:
    for _ in range(3):
        table.get_by_role("button", name="Remove prompt 1").click()
    expect_labels(bench, [])
    wait_idle(table)
    table.get_by_role("heading", name="Explore").click()
    for _ in range(3):
        table.keyboard.press("Control+z")
    expect_labels(bench, ["red", "green", "blue"])
    assert saved(bench).rows == ROWS


def test_the_button_says_what_it_would_undo_and_works_after_a_page_switch(table: Page, bench: Bench) -> None:
    table.get_by_role("button", name="Remove prompt 2").click()
    expect_labels(bench, ["red", "blue"])
    sidebar = table.get_by_test_id("stSidebar")
    sidebar.get_by_role("link", name="Compare").click()
    expect(table.get_by_role("heading", name="Compare", exact=True)).to_be_visible()
    wait_idle(table)
    undo = table.get_by_role("button", name="Undo", exact=True)
    undo.hover()
    expect(table.get_by_role("tooltip")).to_contain_text("Undo: Row 'green' removed")
    undo.click()
    says(table, "Undone: Row 'green' removed")

    expect_labels(bench, ["red", "green", "blue"])
