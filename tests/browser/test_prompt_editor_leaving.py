"""The prompt table when the page is left, reloaded, or loses its server: whatever was typed is there afterwards."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from lib.services import experiments
from lib.services.experiments import PromptRow
from tests.helpers.browser import wait_idle
from tests.helpers.pages import COLOURS, EXPERIMENT, with_rows
from tests.helpers.prompt_table import expect_labels, expect_page, go_to, labels, link, opened, part, shown, type_rows

pytestmark = pytest.mark.browser


@pytest.fixture
def table(page, dashboard, bench):
    return opened(page, dashboard, bench)


@pytest.mark.parametrize("latency_s", [0.0, 0.3])
def test_leaving_the_page_right_after_typing_leaves_it_and_loses_nothing(table, bench, server, latency_s):
    go_to(table, "Library")
    go_to(table, "Explore")
    server.faults.latency_s = latency_s
    expected = ["red", "green", "blue"]
    try:
        for turn in range(4):
            part(table, "Label", 2).focus()
            table.keyboard.press("End")
            table.keyboard.type(f" leaf {turn}", delay=5)
            expected[1] += f" leaf {turn}"
            link(table, "Library").evaluate("link => link.click()")  # within the same millisecond
            expect_page(table, "Library")
            assert labels(bench) == expected
            go_to(table, "Explore")
            expect(part(table, "Label", 2)).to_have_value(expected[1])
    finally:
        server.faults.latency_s = 0.0
    table.reload()
    wait_idle(table)
    expect(part(table, "Label", 2)).to_have_value(expected[1])


def test_back_takes_one_press_and_what_was_just_typed_is_there_again(page, dashboard, bench):
    with_rows(bench, *(PromptRow(label=colour) for colour in COLOURS))
    page.goto(f"{dashboard.url}/?experiment={EXPERIMENT}")
    expect_page(page, "Library")
    go_to(page, "Explore")
    field = part(page, "Label", 1)
    field.focus()
    page.keyboard.press("End")
    page.keyboard.type(" rose", delay=5)
    page.evaluate("history.back()")
    expect_page(page, "Library")
    go_to(page, "Explore")
    expect(part(page, "Label", 1)).to_have_value("red rose")
    expect_labels(bench, ["red rose", "green", "blue"])


def test_what_is_typed_while_the_server_is_down_arrives_when_it_is_back(start_dashboard, bench, page, watch):
    watch.allow("ERR_CONNECTION_REFUSED|WebSocket|Failed to load resource|Failed to fetch|when disconnected")
    first = start_dashboard(home=bench.store.home)
    opened(page, first, bench)
    first.kill()
    type_rows(page, ["crimson", "leaf", "sky"], delay=5)
    start_dashboard(home=bench.store.home, port=first.port)
    expect_labels(bench, ["crimson", "leaf", "sky"])
    wait_idle(page)
    assert shown(page)[:3] == ["crimson", "leaf", "sky"]


def test_a_reload_right_after_typing_loses_nothing(table, bench):
    part(table, "Label", 2).fill("leaf")
    table.reload()
    wait_idle(table)
    expect(part(table, "Label", 2)).to_have_value("leaf")
    expect_labels(bench, ["red", "leaf", "blue"])


def test_the_address_alone_brings_the_rows_back(table, bench, new_page):
    part(table, "Label", 1).fill("crimson")
    table.keyboard.press("Enter")
    expect_labels(bench, ["crimson", "green", "blue"])
    again = new_page()
    again.goto(table.url)
    expect(part(again, "Label", 1)).to_have_value("crimson")
    assert experiments.load(bench.store.home, EXPERIMENT) is not None


def test_what_two_tabs_type_both_lives_and_a_contradiction_is_said(dashboard, bench, new_page):
    mine, other = (opened(new_page(), dashboard, bench) for _ in range(2))
    _replace(mine, 1, "rose")
    expect_labels(bench, ["rose", "green", "blue"])
    _replace(other, 2, "leaf")
    expect_labels(bench, ["rose", "leaf", "blue"])

    _replace(mine, 3, "sea")
    expect_labels(bench, ["rose", "leaf", "sea"])
    _replace(other, 3, "sky")
    expect(other.get_by_text("Another tab has changed this experiment too")).to_be_visible()
    assert {"rose", "leaf", "sky"} <= set(labels(bench))
    other.get_by_role("button", name="Use the other tab’s").click()
    expect(other.get_by_text("Another tab has changed this experiment too")).to_be_hidden()
    assert "sea" in labels(bench)


def _replace(page, number, label):
    part(page, "Label", number).focus()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type(label, delay=5)
    page.keyboard.press("Enter")
    wait_idle(page)
