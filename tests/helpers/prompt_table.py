"""Steps in the prompt table as a person takes them in a browser, and what is in the experiment after them."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from lib.services.experiments import PromptRow
from tests.helpers.browser import wait_idle
from tests.helpers.dashboard import Dashboard
from tests.helpers.http import wait_for
from tests.helpers.pages import COLOURS, EXPERIMENT, Bench, saved, with_rows


def opened(page: Page, dashboard: Dashboard, bench: Bench, *rows: PromptRow) -> Page:
    with_rows(bench, *(rows or [PromptRow(label=colour) for colour in COLOURS]))
    page.goto(f"{dashboard.url}/explore?experiment={EXPERIMENT}")
    wait_idle(page)
    expect(part(page, "Label", 1)).to_be_visible()
    return page


def part(page: Page, name: str, number: int) -> Locator:
    kind = {"Role": "combobox", "Colour": "combobox"}.get(name, "textbox")
    return page.get_by_role(kind, name=f"{name} of prompt {number}", exact=True)


def answer(page: Page, label: str, side: int = 0) -> Locator:
    """Return what the row of a label says of it; ``side`` 1 is that of B."""
    table = page.get_by_role("group", name="Prompt table").nth(side)
    return table.locator(".row", has=page.locator(f'.label[title="{label}"]')).locator(".live .answer")


def shown(page: Page) -> list[str]:
    values = page.locator("input.label").evaluate_all("fields => fields.map(field => field.value)")
    return [str(value) for value in values]


def paste(field: Locator, text: str) -> None:
    """Paste plain text; what the page leaves to the browser is inserted as the browser would."""
    field.focus()
    if field.evaluate(
        """(field, text) => {
          const clipboardData = new DataTransfer();
          clipboardData.setData('text/plain', text);
          return field.dispatchEvent(new ClipboardEvent('paste', {clipboardData, bubbles: true, cancelable: true}));
        }""",
        text,
    ):
        field.evaluate(
            """(field, text) => {
              field.setRangeText(text, field.selectionStart, field.selectionEnd, 'end');
              field.dispatchEvent(new InputEvent('input', {inputType: 'insertFromPaste', bubbles: true}));
            }""",
            text,
        )


def labels(bench: Bench) -> list[str]:
    return [row.label for row in saved(bench).rows]


def expect_labels(bench: Bench, expected: list[str]) -> None:
    assert wait_for(lambda: labels(bench) == expected), labels(bench)


def go_to(page: Page, name: str) -> None:
    link(page, name).click()
    expect_page(page, name)


def link(page: Page, name: str) -> Locator:
    return page.get_by_test_id("stSidebar").get_by_role("link", name=name)


def expect_page(page: Page, name: str) -> None:
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
    wait_idle(page)


def type_rows(page: Page, words: list[str], *, delay: float) -> None:
    part(page, "Label", 1).focus()
    part(page, "Label", 1).select_text()
    for word in words:
        page.keyboard.type(word, delay=delay)
        page.keyboard.press("Enter")
