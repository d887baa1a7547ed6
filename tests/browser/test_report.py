"""A report in a browser that reaches nothing: drawn, without an error or a request, in both themes and on paper."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from lib.core.labelled_intervals import TrueSegment
from lib.evaluation.evaluation import evaluate
from lib.report.blocks import Origin
from lib.report.rendering import render
from lib.report.video import video_report
from tests.helpers.arrays import analyse_scores, prompt_set
from tests.helpers.browser import NewPage

pytestmark = pytest.mark.browser
LABEL = "</script><b>crane</b>"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    analysis = analyse_scores([[0.9, 0.1]] * 5 + [[0.1, 0.8]] * 3, prompt_set(LABEL, "road"))
    truth = (TrueSegment(LABEL, 0, 4), TrueSegment("ship", 4, 8))
    told = video_report(analysis, Origin("t", "s"), lambda _: None, truth=truth, evaluation=evaluate(analysis, truth))
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_bytes(render(told))
    return path


def opened(page: Page, path: Path) -> list[str]:
    """Open a report from disk with every other request refused; return what was asked for."""
    asked: list[str] = []

    def refuse(route: Route) -> None:
        if route.request.url == path.as_uri():
            route.continue_()
        else:
            asked.append(route.request.url)
            route.abort()

    page.route("**/*", refuse)
    page.goto(path.as_uri())
    expect(page.locator("figure.chart svg")).to_have_count(5)
    return asked


def test_draws_its_charts_and_asks_for_nothing(new_page: NewPage, report: Path) -> None:
    page = new_page(color_scheme="dark", offline=True)
    asked = opened(page, report)

    assert asked == []
    bar = page.locator("figure.chart svg path[aria-roledescription=bar], figure.chart svg .mark-rect path").first
    expect(bar).to_have_css("fill", "rgb(86, 180, 233)")  # the dark palette's
    bar.hover()
    expect(page.locator("#tip td").first).to_have_text(LABEL)  # as text
    page.emulate_media(media="print")
    expect(bar).to_have_css("fill", "rgb(0, 114, 178)")  # paper is light
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
