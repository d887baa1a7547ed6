"""axe-core finds nothing serious on any page, light and dark: names, roles, contrast, keyboard access."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from lib.core.labelled_intervals import TrueSegment
from lib.services.experiments import PromptRow
from tests.helpers.browser import wait_idle
from tests.helpers.dashboard import Dashboard
from tests.helpers.pages import EXPERIMENT, Bench, put_truth, with_rows

pytestmark = pytest.mark.browser
Scheme = Literal["light", "dark"]
_OPTIONS = {"resultTypes": ["violations"]}


def found(page: Page, state: str, scheme: Scheme) -> list[str]:
    """Return a line for each serious or critical finding; with a dialog open, in it: what lies behind was looked at."""
    page.emulate_media(color_scheme=scheme)
    page.add_style_tag(content="* { transition: none !important }")
    context = "[role=dialog]" if page.locator("[role=dialog]").count() else None
    lines: list[str] = []
    for wait_ms in (200, 1_000):  # a scheme's change runs the page again, maybe late, and Streamlit fades it meanwhile
        page.wait_for_timeout(wait_ms)
        wait_idle(page)
        lines = [
            f"{state}, {scheme}: {rule['id']}: {node['html'][:200]}: "
            + "; ".join(check["message"] for check in node["any"] + node["all"] + node["none"])[:250]
            for rule in Axe().run(page, context, options=_OPTIONS).response["violations"]
            if rule["impact"] in ("serious", "critical")
            for node in rule["nodes"]
        ]
        if not lines:
            break
    return lines


def library(page: Page) -> Iterator[str]:
    expect(page.get_by_role("button", name="Open").first).to_be_visible()
    yield "as it opens"
    page.get_by_role("button", name="More").first.click()
    expect(page.get_by_role("button", name="Duplicate")).to_be_visible()
    yield "an experiment's menu"


def explore(page: Page) -> Iterator[str]:
    page.locator(".label .pick").first.wait_for()
    yield "as it opens"
    for view in ("Shots", "Frames", "Thresholds", "Ground truth", "Evaluation", "Export"):
        page.get_by_role("radio", name=view, exact=True).click()
        wait_idle(page)
        yield view
    for popover in ("Import", "Pictures", "Name and template"):
        page.get_by_role("button", name=popover, exact=True).first.click()
        page.get_by_role("dialog").wait_for()
        yield popover
        page.keyboard.press("Escape")
    page.locator(".lanes").focus()
    page.keyboard.press("?")
    yield "the sheet of keys"
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Present", exact=True).click()
    page.locator(".st-key-presentation").wait_for()
    yield "the presentation"


def compare(page: Page) -> Iterator[str]:
    page.locator(".label .pick").first.wait_for()
    yield "as it opens"
    for view in ("Agreement", "Score comparison", "Accuracy"):
        page.get_by_role("radio", name=view, exact=True).click()
        wait_idle(page)
        yield view


def matrix(page: Page) -> Iterator[str]:
    yield "as it opens"
    page.get_by_role("radio", name="Wording sweep").click()
    page.get_by_role("textbox", name="Wordings, one per line").wait_for()
    yield "a sweep"


def archive(page: Page) -> Iterator[str]:
    page.get_by_label("Videos of the archive").locator("button").first.wait_for()
    yield "as it opens"
    page.get_by_role("radio", name="Table", exact=True).click()
    wait_idle(page)
    yield "as a table"
    page.get_by_role("button", name="More filters").click()
    page.get_by_role("dialog").wait_for()
    yield "more filters"
    page.keyboard.press("Escape")


def search(page: Page) -> Iterator[str]:
    page.get_by_role("textbox", name="Search for").wait_for()
    yield "as it opens"
    page.get_by_role("textbox", name="Search for").fill("green")
    page.get_by_role("list", name="Moments found").wait_for()
    yield "moments found"
    for popover in ("Picture", "Options"):
        page.get_by_role("button", name=popover, exact=True).first.click()
        page.get_by_role("dialog").wait_for()
        yield popover
        page.keyboard.press("Escape")


@pytest.mark.parametrize(
    "states", [library, explore, compare, matrix, archive, search], ids=lambda states: states.__name__
)
def test_axe_finds_nothing_serious(
    dashboard: Dashboard, bench: Bench, page: Page, states: Callable[[Page], Iterator[str]]
) -> None:
    with_rows(bench, PromptRow(label="red", texts=("green",)), PromptRow(label="blue, sea"), PromptRow(label="wall"))
    put_truth(bench, TrueSegment("red", 0, 3), TrueSegment("green", 3, 6))
    name = "" if states is library else states.__name__
    page.goto(f"{dashboard.url}/{name}?experiment={EXPERIMENT}")
    wait_idle(page)
    findings = found(page, "at first", "dark")
    for state, scheme in zip(states(page), itertools.cycle(("light", "dark"))):
        findings += found(page, state, scheme)
    assert not findings, "\n".join(findings)


_FOCUSED = """() => {
  let one = document.activeElement;
  while (one?.shadowRoot?.activeElement) one = one.shadowRoot.activeElement;
  if (!one || one === document.body) return null;
  const ring = one.tagName !== "A" || getComputedStyle(one).outlineStyle !== "none";
  return [one.getAttribute("aria-label") || one.textContent, ring];
}"""


def test_tab_leads_through_explore_and_out_of_it(dashboard: Dashboard, bench: Bench, page: Page) -> None:
    page.goto(f"{dashboard.url}/explore?experiment={EXPERIMENT}")
    page.locator(".label .pick").first.wait_for()
    wait_idle(page)
    stops: list[str] = []
    for _ in range(300):
        page.keyboard.press("Tab")
        focused = page.evaluate(_FOCUSED)
        if focused is None:
            break
        name, seen = focused
        assert seen, f"the focus can't be seen on {name}"
        stops.append(name)
    assert focused is None, stops[-5:]
    wanted = ["Title of the experiment", "Play", "Label of prompt 1", "Suggest a threshold for prompt 3", "Timeline"]
    found = [stop for stop in stops if stop in wanted]
    assert found == wanted * max(1, len(found) // len(wanted))  # now and then Chromium begins anew before it leaves
