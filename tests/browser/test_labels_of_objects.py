"""Labels that are names of every JavaScript object's own parts: no chart and no component takes them for these."""

from __future__ import annotations

from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from lib.core.labelled_intervals import TrueSegment
from lib.services import experiments
from lib.services.experiments import PromptRow
from tests.helpers.browser import wait_idle
from tests.helpers.pages import EXPERIMENT, put_truth

pytestmark = pytest.mark.browser
LABELS = ("__proto__", "constructor", "toString", "red")


@pytest.mark.parametrize("path", ["explore", "compare"])
def test_such_labels_are_drawn(dashboard, bench, page: Page, watch, path):
    rows = tuple(
        PromptRow(label=label, texts=(text,))
        for label, text in zip(LABELS, ("red", "green", "blue", "a red"), strict=True)
    )
    experiments.save(bench.store.home, replace(bench.experiment, rows=rows))
    put_truth(bench, *(TrueSegment(label, place, place + 1.0) for place, label in enumerate(LABELS)))
    page.goto(f"{dashboard.url}/{path}?experiment={EXPERIMENT}")
    wait_idle(page)
    expect(page.locator("canvas").first).to_be_visible()
    if path == "explore":
        chart = page.get_by_test_id("stVegaLiteChart").first
        expect(chart.locator("canvas, svg").first).to_be_visible()
    if path == "explore":
        page.get_by_role("radio", name="Evaluation").click()
        page.wait_for_timeout(1000)
        wait_idle(page)
    for field, label in enumerate(LABELS):
        expect(page.get_by_role("textbox", name=f"Label of prompt {field + 1}", exact=True).first).to_have_value(label)
    assert watch.unexpected == []
