"""The prompt table's editor on Python's side: what the browser sends is checked, and may be of the past."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from lib.prompts.model import MAX_PHRASINGS, Settings
from lib.services.experiments import MAX_ROWS, PromptRow
from lib.ui.components.prompt_editor import MAX_LABEL, SubmittedRows
from tests.helpers.pages import edit_prompts, editor_data, open_page, saved

pytestmark = pytest.mark.usefixtures("components_scanned_once")
ROWS = (
    PromptRow(label="crane", texts=("a crane; a big one", "lifting gear"), threshold=0.25, colour="#12ab9f"),
    PromptRow(enabled=False, label="sea", role="background", colour="light blue"),
)


def _editor_page() -> None:
    import streamlit as st

    from lib.ui.components.prompt_editor import prompt_editor

    asked = st.session_state["asked"]
    st.session_state["sent"] = prompt_editor(
        asked, key="prompts", of="experiment.session.1", thresholds=(-0.2, 1.0), on_change=lambda sent: None
    )


class _Editor:
    """A page with an editor; ``ask`` runs it with what Python passes and what the browser sent."""

    def __init__(self) -> None:
        self.page = AppTest.from_function(_editor_page)
        self.ask()

    def ask(self, rows: tuple[PromptRow, ...] = ROWS, *, sent: object = None) -> SubmittedRows | None:
        self.page.session_state["asked"] = rows
        if sent is not None:
            self.page.session_state["prompts"] = {"rows": sent}
        self.page.run()
        assert not self.page.exception
        found: SubmittedRows | None = self.page.session_state["sent"]
        return found

    def hear(self, *rows: object) -> tuple[PromptRow, ...]:
        found = self.ask(sent={"of": "a.b.1", "number": 1, "rows": list(rows)})
        assert found is not None
        assert (found.of, found.number) == ("a.b.1", 1)
        assert found.rows is not None
        return found.rows


def test_what_the_browser_sent_last_is_returned() -> None:
    editor = _Editor()
    assert editor.ask() is None
    assert editor.hear({"label": "ship"}) == (PromptRow(label="ship"),)
    assert editor.ask() == SubmittedRows("a.b.1", 1, (PromptRow(label="ship"),))
    assert editor.hear() == ()
    assert editor.ask(sent={"of": "a.b.1", "number": 7, "rows": None}) == SubmittedRows("a.b.1", 7, None)


def test_every_field_survives_the_way_to_the_browser_and_back() -> None:
    editor = _Editor()
    (element,) = editor.page.get("bidi_component")
    assert editor.hear(*json.loads(element.proto.json)["rows"]) == ROWS


@pytest.mark.parametrize(
    "sent",
    [
        *([], 3, "rows", {"rows": []}, {"of": None, "number": 1, "rows": []}),
        *({"of": "a.b.1", "rows": []}, {"of": "a.b.1", "number": "1", "rows": []}),
        {"of": "a.b.1", "number": 1, "rows": {}},
    ],
)
def test_what_is_no_edit_is_nothing(sent: object) -> None:
    assert _Editor().ask(sent=sent) is None


@pytest.mark.parametrize(
    ("field", "value", "kept"),
    [
        ("label", 7, ""),
        ("label", None, ""),
        ("label", "x" * (MAX_LABEL + 1), "x" * MAX_LABEL),
        ("label", "half \ud83d a pair", "half ? a pair"),
        ("label", "<b>bold</b>", "<b>bold</b>"),
        ("texts", "one", ()),
        ("texts", ["one", 2, "", "two"], ("one", "two")),
        ("texts", ["x"] * (MAX_PHRASINGS + 5), ("x",) * MAX_PHRASINGS),
        ("role", "admin", "target"),
        ("enabled", "no", True),
        ("enabled", False, False),
        ("threshold", 1, 1.0),
        ("threshold", 1.001, None),
        ("threshold", float("nan"), None),
        ("threshold", float("inf"), None),
        ("threshold", 10**400, None),
        ("threshold", True, None),
        ("threshold", "0.5", None),
        ("colour", "url(x)", None),
        ("colour", "#12ab9f0", None),
        ("colour", ["blue"], None),
        ("colour", "amber", "amber"),
    ],
)
def test_a_field_that_is_wrong_is_put_right(field: str, value: object, kept: object) -> None:
    (row,) = _Editor().hear({"label": "a", field: value})
    assert row == replace(PromptRow(label="a"), **{field: kept})


def test_too_many_rows_are_cut_and_what_is_no_row_is_left_out() -> None:
    editor = _Editor()
    assert len(editor.hear(*[{"label": "a"}] * (MAX_ROWS + 10))) == MAX_ROWS
    assert editor.hear({"label": "a"}, "b", None, ["c"]) == (PromptRow(label="a"),)


@pytest.mark.usefixtures("framed")
def test_a_late_edit_does_not_overwrite_an_import_or_its_undo(bench) -> None:
    app = open_page()
    before = editor_data(app)["of"]
    edit_prompts(app, PromptRow(label="crimson"))
    app.text_area(key="import_text").set_value("crane\nship").run()
    app.button(key="import_apply").click().run()
    assert [row["label"] for row in editor_data(app)["rows"]] == ["crane", "ship"]
    edit_prompts(app, PromptRow(label="late"), of=before)
    assert [row.label for row in saved(bench).rows] == ["crane", "ship"]
    app.button(key="undo").click().run()
    assert [row.label for row in saved(bench).rows] == ["crimson"]
    edit_prompts(app, PromptRow(label="late"), of=before)
    assert [row.label for row in saved(bench).rows] == ["crimson"]
    edit_prompts(app, PromptRow(label="in time"))
    assert [row.label for row in saved(bench).rows] == ["in time"]


@pytest.mark.usefixtures("framed")
def test_the_editor_is_told_colours_and_thresholds_in_use(bench) -> None:
    app = open_page()
    data = editor_data(app)
    assert set(data["colours"]) == {"red", "green", "blue"}
    assert data["uses_thresholds"] is False
    assert data["threshold"] == Settings().threshold
    (decision,) = [box for box in app.selectbox if box.key and box.key.startswith("setting.decision")]
    decision.set_value("threshold").run()
    assert editor_data(app)["uses_thresholds"] is True
