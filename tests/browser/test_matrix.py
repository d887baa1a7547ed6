"""The matrix in a real browser: a sweep whose winner is used, and a cell that opens Explore, also when sorted."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Page, expect

from lib.services import experiments
from lib.services.experiments import PromptRow
from lib.ui.matrix import settings
from lib.ui.matrix.settings import MatrixSettings
from tests.helpers.browser import screenshot, wait_idle
from tests.helpers.pages import EXPERIMENT, saved, with_rows

pytestmark = pytest.mark.browser

_HEADER, _ROW = 17, 35  # middle of the table's header, and the height of a row, in pixels


@pytest.fixture(scope="module", autouse=True)
def _truth_beside_the_video(bench):
    truth = [
        {"label": label, "start_s": start, "end_s": start + 3}
        for label, start in (("red", 0), ("green", 3), ("blue", 6))
    ]
    sidecar = bench.video.path.with_suffix(".json")
    sidecar.write_text(json.dumps({"segments": truth}))
    yield
    sidecar.unlink()


def matrix(page: Page, dashboard) -> Page:
    page.goto(f"{dashboard.url}/matrix?experiment={EXPERIMENT}")
    wait_idle(page)
    expect(page.get_by_role("heading", name="Matrix", exact=True)).to_be_visible()
    return page


def click_cell(page: Page, row: int) -> None:
    """Click into the last column of the matrix; row 0 is the header."""
    table = page.get_by_test_id("stDataFrame").first
    table.scroll_into_view_if_needed()
    page.wait_for_timeout(500)  # the table is painted on a canvas, after its element is there
    box = table.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] - 40, box["y"] + _HEADER + row * _ROW)


def test_a_sweep_outlives_a_reload_and_its_winner_is_used_and_taken_back(dashboard, bench, page):
    with_rows(bench, PromptRow(label="red", texts=("green",)), PromptRow(label="green"), PromptRow(label="blue"))
    settings.save(bench.store.home, EXPERIMENT, MatrixSettings())
    matrix(page, dashboard)
    page.get_by_role("radio", name="Wording sweep").click()
    wordings = page.get_by_role("textbox", name="Wordings, one per line")
    wordings.fill("blue sky\nred")
    wordings.blur()
    use = page.get_by_role("button", name="Use “red”")
    expect(use).to_be_visible()
    expect(page.get_by_text("Ranked by Macro F1")).to_be_visible()
    page.reload()
    expect(wordings).to_have_value("blue sky\nred")
    expect(use).to_be_visible()
    wait_idle(page)
    screenshot(page, "matrix_sweep")
    use.click()
    undo = page.get_by_role("button", name="Undo", exact=True)
    expect(undo).to_be_enabled()
    wait_idle(page)
    assert saved(bench).rows[0] == PromptRow(label="red")
    undo.click()
    expect(undo).to_be_disabled()

    assert saved(bench).rows[0].texts == ("green",)


def test_a_cell_of_the_sorted_table_opens_explore_with_its_own_set(dashboard, bench, page):
    other = (PromptRow(label="red"),)  # without a rival it is everywhere, and its F1 is the lower one
    experiments.save(
        bench.store.home, experiments.Experiment("other123", name="other", video=bench.video.sha256, rows=other)
    )
    settings.save(bench.store.home, EXPERIMENT, MatrixSettings(metric="f1", label="red"))
    matrix(page, dashboard)
    expect(page.get_by_text("Select a cell to open it")).to_be_visible()
    click_cell(page, 0)  # the lowest first now
    click_cell(page, 1)
    expect(page.get_by_text(re.compile("^other · colours.mp4 in colours.mp4$"))).to_be_visible()
    wait_idle(page)
    screenshot(page, "matrix_cell")
    page.get_by_role("button", name="Open in Explore").click()
    expect(page.get_by_role("heading", name="Explore", exact=True)).to_be_visible()
    wait_idle(page)

    here = experiments.load(bench.store.home, page.url.partition("experiment=")[2])
    assert here is not None
    assert [row.label for row in here.rows] == ["red"]
    assert here.video == bench.video.sha256
    assert saved(bench) == bench.experiment  # a cell is opened beside it, not over it
