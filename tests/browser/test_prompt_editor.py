"""The prompt table in a real browser: whatever is typed, however quickly, arrives."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from lib.services.experiments import PromptRow
from tests.helpers.browser import screenshot, wait_idle
from tests.helpers.components import contrast, has_focus_ring
from tests.helpers.http import wait_for
from tests.helpers.pages import COLOURS, saved
from tests.helpers.prompt_table import answer, expect_labels, opened, part, paste, shown, type_rows

pytestmark = pytest.mark.browser


@pytest.fixture
def table(page, dashboard, bench):
    return opened(page, dashboard, bench)


def test_three_words_typed_at_once_are_all_there_ten_times_in_a_row(table, bench):
    for turn in range(10):
        words = [f"{word} {turn}" for word in ("one", "two", "three")]
        type_rows(table, words, delay=5)
        expect_labels(bench, words)
        assert shown(table)[:3] == words
    wait_idle(table)
    expect(answer(table, "three 9")).not_to_be_empty()
    assert shown(table) == [*words, ""]


def test_the_pace_of_typing_and_of_the_server_make_no_difference(table, bench, server):
    # Two answers close together once made Streamlit take the table away from under the fingers; and of two runs
    # that overlapped, the older one once wrote last.
    pace = ((0, 0.0), (10, 0.0), (0, 0.15), (25, 0.15), (45, 0.0), (60, 0.15))
    try:
        for turn, (delay, server.faults.latency_s) in enumerate(pace):
            words = [f"{word} {turn}" for word in ("uno", "due", "tre", "quattro")]
            type_rows(table, words, delay=delay)
            expect_labels(bench, words)
            assert shown(table)[:4] == words
    finally:
        server.faults.latency_s = 0.0


def test_nothing_is_lost_while_the_page_runs_slowly(table, bench, server):
    words = [f"slow word number {number} of several" for number in range(6)]
    server.faults.latency_s = 0.3
    try:
        part(table, "Label", 3).focus()
        table.keyboard.press("End")
        table.keyboard.press("Enter")
        for word in words:
            table.keyboard.type(word, delay=40)  # with pauses of its own: sent in the middle of words too
            table.wait_for_timeout(300)
            table.keyboard.type("!", delay=40)
            table.keyboard.press("Enter")
        expected = [*COLOURS, *(f"{word}!" for word in words)]
        assert shown(table) == [*expected, ""]
        expect_labels(bench, expected)
    finally:
        server.faults.latency_s = 0.0
    wait_idle(table)
    assert shown(table) == [*expected, ""]


def test_the_page_follows_while_somebody_types_without_leaving_the_field(table, bench):
    field = part(table, "Label", 1)
    field.fill("yellow")
    expect_labels(bench, ["yellow", "green", "blue"])
    expect(answer(table, "yellow")).not_to_be_empty()
    expect(field).to_be_focused()
    table.keyboard.type("ish")
    expect_labels(bench, ["yellowish", "green", "blue"])


def test_letters_are_no_shortcuts(table, bench):
    part(table, "Label", 1).focus()
    table.keyboard.press("End")
    table.keyboard.type(" crc rc", delay=5)
    expect_labels(bench, ["red crc rc", "green", "blue"])
    expect(table.get_by_role("dialog")).to_have_count(0)


def test_rows_are_added_removed_and_switched_off(table, bench):
    table.get_by_role("button", name="Add prompt").click()
    expect(part(table, "Label", 4)).to_be_focused()
    table.keyboard.type("yellow")
    table.get_by_role("button", name="Remove prompt 2").click()
    expect_labels(bench, ["red", "blue", "yellow"])
    expect(table.get_by_role("button", name="Remove prompt 2")).to_be_focused()
    table.get_by_role("checkbox", name="Prompt 1 on").uncheck()
    assert wait_for(lambda: [row.enabled for row in saved(bench).rows] == [False, True, True])
    for _ in range(3):
        table.get_by_role("button", name="Remove prompt 1").click()
    expect_labels(bench, [])
    expect(part(table, "Label", 1)).to_have_value("")


def test_add_prompt_goes_to_the_empty_row_that_is_there(table, bench):
    add = table.get_by_role("button", name="Add prompt")
    add.click()
    part(table, "Label", 1).focus()
    add.click()
    expect(part(table, "Label", 4)).to_be_focused()
    expect(part(table, "Label", 5)).to_have_count(0)
    table.keyboard.type("yellow")
    add.click()
    expect(part(table, "Label", 5)).to_be_focused()
    expect_labels(bench, ["red", "green", "blue", "yellow"])


def test_pasted_lines_make_rows(table, bench):
    field = part(table, "Label", 2)
    field.focus()
    field.select_text()
    paste(field, "crane\r\n\r\n  two   ships\n<i>sea</i>\n")
    expect_labels(bench, ["red", "crane", "two ships", "<i>sea</i>", "blue"])
    expect(part(table, "Label", 4)).to_be_focused()


def test_phrasings_role_colour_and_threshold_arrive(table, bench):
    part(table, "Phrasings", 1).fill("crimson;  scarlet ;; crimson")
    part(table, "Role", 2).select_option("background")
    part(table, "Colour", 3).select_option("amber")
    part(table, "Threshold", 3).fill("0,25")
    expected = (
        PromptRow(label="red", texts=("crimson", "scarlet")),
        PromptRow(label="green", role="background"),
        PromptRow(label="blue", threshold=0.25, colour="amber"),
    )
    assert wait_for(lambda: saved(bench).rows == expected), saved(bench).rows
    swatch = part(table, "Colour", 3).locator("xpath=preceding-sibling::span")
    expect(swatch).to_have_css("background-color", "rgb(184, 119, 0)")


def test_a_threshold_that_is_none_is_marked_and_not_sent(table, bench):
    field = part(table, "Threshold", 1)
    for typed in ("7", "high", "0.2.1"):
        field.fill(typed)
        expect(field).to_have_attribute("aria-invalid", "true")
        expect(table.get_by_text("Not used: enter −0.2 to 1, or leave it blank.")).to_be_visible()
    part(table, "Label", 1).fill("crimson")
    expect_labels(bench, ["crimson", "green", "blue"])
    assert saved(bench).rows[0].threshold is None
    field.fill("0.3")
    expect(field).not_to_have_attribute("aria-invalid", "true")
    assert wait_for(lambda: saved(bench).rows[0].threshold == 0.3)


def test_escape_takes_back_what_was_typed_into_the_field(table, bench):
    part(table, "Label", 1).fill("wrong")
    expect_labels(bench, ["wrong", "green", "blue"])
    table.keyboard.press("Escape")
    expect(part(table, "Label", 1)).to_have_value("red")
    expect_labels(bench, ["red", "green", "blue"])


def test_imported_rows_keep_what_the_table_cannot_make(page, dashboard, bench):
    own = PromptRow(label="crane", texts=("a crane; big", "hook"), threshold=0.2, colour="#12ab9f")
    opened(page, dashboard, bench, own, PromptRow(label="sea"))
    expect(part(page, "Colour", 1)).to_have_value("#12ab9f")
    part(page, "Label", 2).fill("ship")
    assert wait_for(lambda: saved(bench).rows == (own, PromptRow(label="ship"))), saved(bench).rows


def test_a_semicolon_within_a_phrasing_stays_one(page, dashboard, bench):
    texts = ("a site; with cranes", "back\\; slash\\", "\\\\ two; ")
    opened(
        page, dashboard, bench, PromptRow(label="crane", texts=texts, threshold=0.1234567891), PromptRow(label="sea")
    )
    last = page.get_by_role("textbox", name="Phrasing 3 of prompt 1", exact=True)
    last.press("End")
    last.press_sequentially("!")
    part(page, "Phrasings", 1).press_sequentially("next;")
    expected = (*texts[:2], "\\\\ two; !", "next")
    assert wait_for(lambda: saved(bench).rows[0].texts == expected), saved(bench).rows
    assert saved(bench).rows[0].threshold == 0.1234567891
    page.reload()
    wait_idle(page)
    part(page, "Label", 2).fill("ship")
    expect_labels(bench, ["crane", "ship"])
    assert saved(bench).rows[0].texts == expected


def test_what_is_cut_is_told_and_stays_in_the_field(table, bench):
    part(table, "Label", 1).fill("x" * 512)
    expect(table.get_by_text("A label has at most 500 characters: the last 12 of 512 are not used.")).to_be_visible()
    expect(part(table, "Label", 1)).to_have_value("x" * 512)
    expect_labels(bench, ["x" * 500, "green", "blue"])
    part(table, "Phrasings", 2).fill("; ".join([*(f"text {i}" for i in range(101)), "text 1"]))
    expect(table.get_by_text("A prompt has at most 100 phrasings: the last 1 are not used.")).to_be_visible()
    part(table, "Phrasings", 3).fill("y" * 501)
    expect(table.get_by_text("A phrasing has at most 500 characters: the last 1 of 501 are not used.")).to_be_visible()
    part(table, "Phrasings", 3).fill("y")
    part(table, "Label", 1).fill("red")
    table.get_by_role("button", name="Remove phrasing 1 of prompt 2").click()
    expect(table.locator(".trouble:visible")).to_have_count(0)


def test_an_import_replaces_what_is_shown_and_undo_brings_it_back(table, bench):
    part(table, "Label", 1).fill("crimson")
    table.get_by_role("button", name="Import", exact=True).click()
    table.get_by_role("textbox", name="Prompts", exact=True).fill("crane\nship")
    table.get_by_role("button", name="Replace the prompts").click()
    expect(part(table, "Label", 1)).to_have_value("crane")
    assert shown(table) == ["crane", "ship"]
    part(table, "Label", 2).fill("boat")
    expect_labels(bench, ["crane", "boat"])
    wait_idle(table)
    table.keyboard.press("Escape")
    for label in ("crane", "crimson"):  # the boat is taken back first
        table.get_by_role("button", name="Undo", exact=True).click()
        expect(part(table, "Label", 1)).to_have_value(label)
        wait_idle(table)
    expect_labels(bench, ["crimson", "green", "blue"])
    assert shown(table) == ["crimson", "green", "blue"]


def test_a_file_is_imported_once_and_what_is_typed_wins(table, bench):
    file = {"name": "archive.yaml", "mimeType": "text/yaml", "buffer": b"settings: {threshold: 0.4}\nprompts: [old]"}
    typed = table.get_by_role("textbox", name="Prompts", exact=True)
    table.get_by_role("button", name="Import", exact=True).click()
    table.locator("input[type=file]").set_input_files(file)
    expect(table.get_by_text("archive.yaml").first).to_be_visible()
    table.get_by_role("button", name="Replace the prompts").click()
    expect_labels(bench, ["old"])
    expect(table.get_by_text("archive.yaml")).to_have_count(0)
    assert saved(bench).settings.threshold == 0.4

    typed.fill("crane\nship\nsea")
    table.get_by_role("button", name="Replace the prompts").click()
    expect_labels(bench, ["crane", "ship", "sea"])
    wait_idle(table)
    expect(table.locator("input[type=file]")).to_have_count(1)  # that of before is taken away
    table.locator("input[type=file]").set_input_files(file)
    expect(table.get_by_text("archive.yaml").first).to_be_visible()
    typed.fill("yard")
    table.get_by_role("button", name="Replace the prompts").click()
    expect_labels(bench, ["yard"])
    expect(table.get_by_text("What was typed was imported, not archive.yaml.").first).to_be_visible()


def test_the_keyboard_reaches_everything_and_everything_has_a_name(table):
    parts = [part(table, name, 1) for name in ("Colour", "Label", "Phrasings", "Role", "Threshold")]
    first = table.get_by_role("checkbox", name="Prompt 1 on")
    last = table.get_by_role("button", name="Remove prompt 1")
    first.focus()
    table.keyboard.press("Tab")
    table.keyboard.press("Shift+Tab")  # so that the focus is the keyboard's
    for control in (first, *parts, last):
        expect(control).to_be_focused()
        ringed = control.locator("xpath=..") if control is parts[0] else control
        assert wait_for(lambda ringed=ringed: has_focus_ring(ringed)), control
        table.keyboard.press("Tab")
    unnamed = table.locator(".editor").evaluate(
        """editor => [...editor.querySelectorAll('input, select, button')]
          .filter(e => !(e.getAttribute('aria-label') || e.textContent).trim()).length"""
    )
    assert unnamed == 0


@pytest.mark.parametrize(
    ("scheme", "width"), [("light", 1440), ("dark", 1440), ("light", 900), ("dark", 900), ("light", 420)]
)
def test_the_table_fits_and_is_readable(new_page, dashboard, bench, scheme, width):
    page = new_page(color_scheme=scheme, width=width)
    rows = (
        PromptRow(label="construction site", texts=("a building site", "cranes and scaffolding")),
        PromptRow(label="shipyard", threshold=0.235, colour="#12ab9f"),
        PromptRow(label="a rather long label that does not fit into its field at all", role="background"),
        PromptRow(enabled=False, label="blue"),
    )
    opened(page, dashboard, bench, *rows)
    part(page, "Threshold", 3).fill("9")
    part(page, "Label", 1).focus()
    editor = page.locator(".editor")
    assert editor.evaluate("e => [...e.querySelectorAll('*')].every(c => c.clientWidth <= e.clientWidth)")
    assert int(page.get_by_test_id("stMain").evaluate("e => e.scrollWidth - e.clientWidth")) <= 0
    low = {
        css: contrast(page.locator(css).first)
        for css in (".label", ".texts", ".role", ".trouble:not([hidden])", ".add", ".off .label", ".remove")
        if contrast(page.locator(css).first) < 4.5
    }
    assert low == {}
    if width == 1440:
        assert page.locator("li.row").nth(3).bounding_box()["height"] <= 36
    editor.scroll_into_view_if_needed()
    wait_idle(page)
    screenshot(page, f"prompts-{scheme}-{width}", full_page=False)


def test_phrasings_are_chips_that_are_added_edited_and_removed_by_key_and_mouse(table, bench):
    field = part(table, "Phrasings", 1)
    field.focus()
    table.keyboard.type("a crane, big hook;yellow", delay=5)
    assert wait_for(lambda: saved(bench).rows[0].texts == ("a crane", "big hook", "yellow"))  # also what is typed yet
    table.keyboard.press("Enter")
    paste(field, "one, line")  # a line stays one phrasing, commas and all
    table.keyboard.press("Enter")
    paste(field, "two\nlines")
    chip = table.get_by_role("textbox", name="Phrasing 1 of prompt 1", exact=True)
    chip.press("End")
    chip.press_sequentially(", tall")
    table.get_by_role("button", name="Remove phrasing 2 of prompt 1").click()
    last = table.get_by_role("textbox", name="Phrasing 5 of prompt 1", exact=True)
    last.fill("")
    last.press("Backspace")
    expect(table.get_by_role("button", name="4 phrasings of prompt 1")).to_be_visible()
    expected = ("a crane, tall", "yellow", "one, line", "two")
    assert wait_for(lambda: saved(bench).rows[0].texts == expected), saved(bench).rows[0].texts


def test_rows_are_moved_by_keys_and_by_dragging(table, bench):
    part(table, "Label", 1).press("Alt+ArrowDown")
    expect_labels(bench, ["green", "red", "blue"])
    expect(part(table, "Label", 2)).to_be_focused()
    handle = table.get_by_role("button", name=re.compile("^Move prompt 1"))
    handle.press("ArrowUp")  # it is the first already
    boxes = [table.locator(".move").nth(index).bounding_box() for index in (0, 2)]
    table.mouse.move(boxes[0]["x"] + 5, boxes[0]["y"] + 5)
    table.mouse.down()
    table.mouse.move(boxes[0]["x"] + 5, boxes[1]["y"] + 30, steps=5)
    table.mouse.up()
    expect_labels(bench, ["red", "blue", "green"])
    assert [row.slot for row in saved(bench).rows] == [None, 2, 1]


def test_a_press_mends_a_row_and_a_pasted_table_makes_rows(table, bench):
    part(table, "Phrasings", 1).fill("crimson;")
    part(table, "Label", 1).fill("cherry")
    expect(table.get_by_text("Its phrasings are still those of “red”")).to_be_visible()
    table.get_by_role("button", name="Use “cherry” instead").click()
    expect(part(table, "Label", 1)).to_be_focused()
    assert wait_for(lambda: saved(bench).rows[0] == PromptRow(label="cherry"))
    field = part(table, "Label", 3)
    field.focus()
    field.select_text()
    paste(field, 'label\tphrasings\trole\tthreshold\nsea\t"water\nwaves"\tbackground\t0,5\nship\t\t\t\n')
    expect_labels(bench, ["cherry", "green", "sea", "ship"])
    assert saved(bench).rows[2] == PromptRow(label="sea", texts=("water", "waves"), role="background", threshold=0.5)
    expect(part(table, "Label", 4)).to_be_focused()
    expect(table.locator(".hint")).to_have_text("2 rows pasted.")
