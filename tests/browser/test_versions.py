"""Versions and the list of experiments in a real browser: keys, clicks, and words while they are typed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from lib.services import experiments, versions
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


def test_a_click_on_a_name_chooses_that_version_and_typing_finds_an_experiment(
    page: Page, dashboard: Dashboard, bench: Bench
) -> None:
    store = bench.store
    for number, name in enumerate(("older", "newer"), start=1):
        versions.keep(store, replace(bench.experiment, rows=bench.experiment.rows[:number]), "saved", name=name)
    experiments.save(store.home, replace(bench.experiment, id="another1", title="About cranes"))
    opened(page, dashboard, bench, *bench.experiment.rows)
    page.get_by_role("button", name="Versions").click()
    dialog = page.get_by_role("dialog")
    table = dialog.get_by_test_id("stDataFrame").first
    table.click(position={"x": 120, "y": 35 + 17})
    expect(dialog.get_by_text("newer · ")).to_be_visible()
    table.click(position={"x": 120, "y": 2 * 35 + 17})
    expect(dialog.get_by_text("older · ")).to_be_visible()
    dialog.get_by_role("button", name="Restore").click()
    expect(page.get_by_text("Version 'older' restored")).to_be_visible()
    assert wait_for(lambda: [row.label for row in experiments.load(store.home, bench.experiment.id).rows] == ["red"])

    page.get_by_role("link", name="Library").click()
    page.get_by_role("textbox", name="Search experiments").press_sequentially("crane")
    expect(page.get_by_text("1 of 2 experiments")).to_be_visible()
