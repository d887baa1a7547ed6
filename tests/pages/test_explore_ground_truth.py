"""The ground truth view without a browser: every edit is stored, nothing is half applied, all can be undone."""

from __future__ import annotations

import json
import threading
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from lib.core.labelled_intervals import TrueSegment
from lib.services.experiments import PromptRow
from lib.services.ground_truth import Truth, video_truth
from lib.ui.explore import ground_truth
from lib.ui.panels.ground_truth_editing import GroundTruthEditing
from lib.ui.session import state
from lib.ui.session.session import Session
from tests.helpers.pages import Bench, by_key, edit_prompts, open_page, passed, press, put_truth, with_rows, words

pytestmark = pytest.mark.usefixtures("framed")

RED = TrueSegment("red", 0.0, 3.0)
BLUE = TrueSegment("blue", 6.0, 9.0)


def open_truth() -> AppTest:
    app = open_page()
    by_key(app.get("button_group"), "explore_view").set_value("Ground truth").run()
    assert not app.exception
    return app


def truth(bench: Bench) -> tuple[TrueSegment, ...]:
    return video_truth(bench.store, bench.video).segments


def choose(app: AppTest, row: int) -> None:
    """Select a row, as the table's callback does."""
    editing = app.session_state["ground_truth_editing"]
    editing.select(editing.listed[row])
    app.run()


def test_without_truth_the_view_says_what_to_do(bench):
    assert "Mark a range in the player" in words(open_truth())


def mark(app: AppTest, bench: Bench, *span: float, label: str | None = None) -> None:
    """Have the player say that a range is marked and a label chosen."""
    report_mark(app, bench, *span, label=label)
    app.run()


def report_mark(app: AppTest, bench: Bench, *span: float, label: str | None = None) -> None:
    """Have the player report it without a run of the page."""
    key = f"player_{bench.video.sha256[:12]}"
    src = app.session_state[f"_player.{key}"].src
    report = {"src": src, "time_s": 3.0, "problem": None, "mark": list(span), "label": label, "n": "1"}
    app.session_state[key] = {"report": report}


def test_a_marked_range_becomes_truth_with_the_chosen_label(bench):
    app = open_truth()
    mark(app, bench, 3.0, 6.0, label="green")
    assert by_key(app.get("button"), "truth_add").label == "Add 0:03.00 – 0:06.00"
    press(app, "truth_add")

    assert truth(bench) == (TrueSegment("green", 3.0, 6.0),)
    assert "1 ground-truth segment, saved with the video" in words(app)
    press(app, "truth_add")
    assert "is there already" in app.error[0].value
    assert len(truth(bench)) == 1


def test_a_mark_that_the_page_has_not_shown_yet_counts(bench):
    app = open_truth()
    report_mark(app, bench, 3.0, 6.0)
    assert by_key(app.get("button"), "truth_add").label == "Add 0:00.00 – 0:01.00"
    press(app, "truth_add")

    assert truth(bench) == (TrueSegment("red", 3.0, 6.0),)


def test_the_row_a_table_was_drawn_with_closes_no_form(bench, monkeypatch):
    edited = TrueSegment("red", 0.5, 3.0)
    editing = GroundTruthEditing(bench.video, selected=edited)
    tab, cells = Session(bench.experiment), [(0, "Label")]
    values = {"table": {"selection": {"cells": cells}}, "session": tab, "ground_truth_editing": editing}
    monkeypatch.setattr(state.st, "session_state", SimpleNamespace(to_dict=lambda: values))
    for sent, selected in (([0], edited), ([1], BLUE), ([0], RED), ([], None), ([0], RED)):
        cells[:] = [(row, "End") for row in sent]
        ground_truth.select_row("table", (RED, BLUE), 0, tab)
        assert editing.selected == selected
    form = editing.form_version
    cells[:] = [(0, "Start")]
    ground_truth.select_row("table", (RED, BLUE), 0, tab)
    assert editing.form_version == form  # it is in the form already, so no input is created again


def test_waiting_for_the_store_leaves_the_tab_free(bench, monkeypatch):
    tab, editing = Session(bench.experiment), GroundTruthEditing(bench.video, selected=RED)
    values = {"session": tab, "ground_truth_editing": editing}
    monkeypatch.setattr(state.st, "session_state", SimpleNamespace(to_dict=lambda: values))
    writing, free = threading.Event(), threading.Event()

    def change_truth(*_: object) -> Truth:
        writing.set()
        assert free.wait(10), "the tab was locked"
        return (RED, BLUE)

    monkeypatch.setattr(ground_truth.cache, "store", lambda: bench.store)
    monkeypatch.setattr(bench.store, "change_truth", change_truth)
    run = threading.Thread(target=ground_truth.delete_selected)
    run.start()
    assert writing.wait(10)
    tab.change(name="meanwhile")
    free.set()
    run.join(10)
    texts = [step.text for step in tab.undoing.history.past]
    assert texts == ["Name 'colours' → 'meanwhile'", "2 segments of ground truth added"]


def test_each_input_is_taken_over_by_itself(bench):
    put_truth(bench, RED, BLUE)
    app = open_truth()
    choose(app, 1)
    by_key(app.get("selectbox"), "truth_label.").set_value("green").run()
    by_key(app.get("text_input"), "truth_start").set_value("4,5").run()
    by_key(app.get("text_input"), "truth_end").set_value("0:08.25").run()

    assert truth(bench) == (RED, TrueSegment("green", 4.5, 8.25))
    assert by_key(app.get("text_input"), "truth_end").value == "0:08.25"


def test_what_makes_no_sense_is_said_and_stays_as_it_was_typed(bench):
    put_truth(bench, RED)
    app = open_truth()
    choose(app, 0)
    for typed, sentence in (
        ("later", "is no time"),
        ("0:03.0", "is not after the start"),
        ("12", "The video ends at 0:09.00"),
    ):
        by_key(app.get("text_input"), "truth_start").set_value(typed).run()
        assert sentence in app.error[0].value
        assert by_key(app.get("text_input"), "truth_start").value == typed
        assert truth(bench) == (RED,)
    by_key(app.get("text_input"), "truth_start").set_value("3.5").run()
    by_key(app.get("text_input"), "truth_end").set_value("8").run()

    assert not app.error
    assert truth(bench) == (TrueSegment("red", 3.5, 8.0),)


def test_an_input_that_was_not_touched_keeps_its_digits(bench):
    put_truth(bench, TrueSegment("red", 1 / 3, 2 / 3))
    app = open_truth()
    choose(app, 0)
    by_key(app.get("selectbox"), "truth_label.").set_value("blue").run()

    assert truth(bench) == (TrueSegment("blue", 1 / 3, 2 / 3),)


def test_add_delete_and_undo(bench):
    app = open_truth()
    press(app, "truth_add")
    assert truth(bench) == (TrueSegment("red", 0.0, 1.0),)
    press(app, "truth_delete")
    assert truth(bench) == ()
    press(app, "undo")
    assert truth(bench) == (TrueSegment("red", 0.0, 1.0),)
    press(app, "undo")
    assert bench.store.saved_truth(bench.video.sha256) is None
    press(app, "redo")
    press(app, "redo")
    assert truth(bench) == ()


def test_deleting_what_was_saved_brings_the_file_beside_back(bench):
    text = json.dumps({"segments": [vars(BLUE)]})
    bench.video.path.with_suffix(".json").write_text(text, encoding="utf-8")
    app = open_truth()
    assert "1 ground-truth segment, from the video’s annotation file" in words(app)
    press(app, "truth_add")
    assert len(truth(bench)) == 2
    press(app, "truth_forget")

    assert truth(bench) == (BLUE,)
    press(app, "undo")
    assert len(truth(bench)) == 2


def test_deleting_leaves_what_another_process_has_stored_meanwhile(bench, monkeypatch):
    put_truth(bench, RED)
    app = open_truth()
    stored = iter([(BLUE,), (RED,)])  # before the other process wrote, and after
    monkeypatch.setattr(GroundTruthEditing, "stored", lambda _: next(stored))
    press(app, "truth_forget")

    assert truth(bench) == (RED,)
    assert "changed by another process" in words(app)
    assert by_key(app.button, "undo").disabled


def test_an_import_shows_its_problems_before_anything_changes(bench):
    put_truth(bench, RED)
    app = open_truth()
    by_key(app.get("text_area"), "truth_text").set_value("Blue, 6, 9\ngreen, 5, 4\nunicorn, 1, 2").run()

    assert truth(bench) == (RED,)
    assert "2 segments" in words(app)
    (warning,) = [warning.value for warning in app.warning]
    assert [line.split(":")[0] for line in warning.splitlines()] == ["- Line 2", "- Line 3"]
    press(app, "truth_join")
    assert truth(bench) == (RED, TrueSegment("unicorn", 1.0, 2.0), BLUE)
    assert by_key(app.get("text_area"), "truth_text").value == ""

    by_key(app.get("text_area"), "truth_text").set_value("WEBVTT\n\n00:06.000 --> 00:09.000\nblue").run()
    press(app, "truth_replace")
    assert truth(bench) == (BLUE,)


def test_problems_of_the_file_beside_the_video_are_shown_while_it_counts(bench):
    segments = [vars(BLUE), {"label": "dot", "start_s": 2, "end_s": 2}]
    bench.video.path.with_suffix(".json").write_text(json.dumps({"segments": segments}), encoding="utf-8-sig")
    app = open_truth()

    assert "1 ground-truth segment, from the video’s annotation file" in words(app)
    assert "Segment 2" in app.warning[0].value
    press(app, "truth_add")
    assert not app.warning


@pytest.mark.parametrize("text", ["WEBVTT\n", "label,start,end\n", '{"segments": []}'])
def test_a_text_with_nothing_in_it_never_replaces_what_is_there(bench, text):
    put_truth(bench, RED)
    app = open_truth()
    by_key(app.get("text_area"), "truth_text").set_value(text).run()

    assert "Nothing in The text can be used" in app.error[0].value
    assert not [button for button in app.button if button.key in ("truth_replace", "truth_join")]
    assert truth(bench) == (RED,)


def test_an_import_that_cannot_be_read_is_a_sentence(bench):
    app = open_truth()
    by_key(app.get("text_area"), "truth_text").set_value('{"segments": [').run()

    assert "no valid JSON" in app.error[0].value
    assert not [button for button in app.button if button.key == "truth_replace"]


def lanes(app: AppTest):
    """Return what the player is to draw."""
    (data,) = passed(app, "lanes")
    return data["lanes"]


def test_truth_needs_no_prompt(bench):
    with_rows(bench)
    app = open_page()
    assert "Mark a range in the player" in words(app)
    assert lanes(app)["labels"] == []
    assert lanes(app)["thumbs"]
    mark(app, bench, 3.0, 6.0)
    press(app, "truth_add")
    assert "has no label yet" in app.error[0].value
    assert truth(bench) == ()
    typed = by_key(app.get("selectbox"), "truth_label")
    typed.options.append("green")  # AppTest chooses from what is offered only
    typed.set_value("green").run()
    press(app, "truth_add")

    assert truth(bench) == (TrueSegment("green", 3.0, 6.0),)
    assert [segment["label"] for segment in lanes(app)["truth"]] == ["green"]
    edit_prompts(app, PromptRow(label="green"))
    assert by_key(app.get("button_group"), "explore_view").value == "Ground truth"
    assert "1 ground-truth segment, saved with the video" in words(app)


def test_truth_is_imported_before_there_is_a_prompt_or_a_sample(bench):
    with_rows(bench)
    bench.store.delete_embedding(bench.store.embeddings(bench.video.sha256)[0].key)
    app = open_page()
    assert lanes(app) is None
    by_key(app.get("text_area"), "truth_text").set_value("unicorn, 1, 2").run()
    assert not app.warning  # a label that no prompt has is no mistake where there are no prompts
    press(app, "truth_replace")

    assert truth(bench) == (TrueSegment("unicorn", 1.0, 2.0),)
    assert [segment["label"] for segment in lanes(app)["truth"]] == ["unicorn"]
    assert lanes(app)["end"] == pytest.approx(9.0)
    assert lanes(app)["thumbs"] is None


def test_truth_survives_another_page_and_a_new_tab(bench):
    app = open_truth()
    press(app, "truth_add")
    app.switch_page("pages/library.py").run()
    app.switch_page("pages/explore.py").run()
    assert "1 ground-truth segment" in words(app)
    assert "1 ground-truth segment" in words(open_truth())


def test_an_undo_leaves_what_another_tab_has_marked_since(bench):
    app = open_truth()
    press(app, "truth_add")
    bench.store.change_truth(bench.video, lambda truth: [*truth, BLUE])
    press(app, "undo")
    assert truth(bench) == (BLUE,)
    assert "Undone" in app.toast[0].value
    press(app, "redo")

    assert set(truth(bench)) == {BLUE, TrueSegment("red", 0.0, 1.0)}
