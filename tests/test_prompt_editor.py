"""The prompt table's editor on Python's side: what the browser sends is checked, and may be of the past."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from lib.prompts import MAX_PHRASINGS, MAX_PROMPTS, Settings
from lib.ui.prompt_editor import MAX_LABEL
from lib.ui.workspace import Row
from tests.helpers.fake_server import FakeServer
from tests.helpers.pages import edit_prompts, editor_data, lay_out, open_page, saved, served  # noqa: F401

ROWS = (
    Row(label="crane", texts=("a crane; a big one", "lifting gear"), threshold=0.25, colour="#12ab9f"),
    Row(enabled=False, label="sea", role="background", colour="light blue"),
)


def _editor_page() -> None:
    import streamlit as st

    from lib.ui.prompt_editor import prompt_editor

    asked = st.session_state["asked"]
    st.session_state["rows"] = prompt_editor(
        asked["rows"],
        key="prompts",
        version=asked["version"],
        colours={"crane": "#12ab9f"},
        threshold=0.2,
        thresholds=(-0.2, 1.0),
        uses_thresholds=True,
    )


class _Editor:
    """A page with an editor; ``ask`` runs it with what Python passes and what the browser sent."""

    def __init__(self) -> None:
        self.page = AppTest.from_function(_editor_page)
        self.ask()

    @property
    def data(self) -> dict[str, Any]:
        return editor_data(self.page)

    def ask(self, rows: tuple[Row, ...] = ROWS, *, version: int = 0, sent: object = None) -> tuple[Row, ...]:
        self.page.session_state["asked"] = {"rows": rows, "version": version}
        if sent is not None:
            self.page.session_state["prompts"] = {"rows": sent}
        self.page.run()
        assert not self.page.exception
        found: tuple[Row, ...] = self.page.session_state["rows"]
        return found

    def hear(self, *rows: object) -> tuple[Row, ...]:
        return self.ask(sent={"of": self.data["of"], "rev": 1, "rows": list(rows)})


def test_rows_come_back_as_they_were_given_until_the_browser_sends_others() -> None:
    editor = _Editor()
    assert editor.ask() == ROWS
    assert editor.hear({"label": "ship"}) == (Row(label="ship"),)
    assert editor.ask() == (Row(label="ship"),)
    assert editor.hear() == ()


def test_every_field_survives_the_way_to_the_browser_and_back() -> None:
    editor = _Editor()
    assert editor.hear(*editor.data["rows"]) == ROWS


def test_rows_of_another_version_or_session_are_void() -> None:
    editor = _Editor()
    before = editor.data["of"]
    assert editor.hear({"label": "old"}) == (Row(label="old"),)
    assert editor.ask(version=1) == ROWS
    assert editor.ask(version=1, sent={"of": before, "rev": 9, "rows": [{"label": "late"}]}) == ROWS
    other = _Editor()
    assert other.data["of"] != before
    assert other.ask(sent={"of": before, "rev": 9, "rows": [{"label": "of a server long gone"}]}) == ROWS


@pytest.mark.parametrize(
    "sent",
    [[], 3, "rows", {"rows": []}, {"of": None, "rows": []}, {"of": "{of}"}, {"of": "{of}", "rows": {}}],
)
def test_what_is_no_rows_changes_nothing(sent: object) -> None:
    editor = _Editor()
    if isinstance(sent, dict) and sent.get("of"):
        sent = {**sent, "of": editor.data["of"]}
    assert editor.ask(sent=sent) == ROWS


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
    assert row == replace(Row(label="a"), **{field: kept})


def test_too_many_rows_are_cut_and_what_is_no_row_is_left_out() -> None:
    editor = _Editor()
    assert len(editor.hear(*[{"label": "a"}] * (MAX_PROMPTS + 10))) == MAX_PROMPTS
    assert editor.hear({"label": "a"}, "b", None, ["c"]) == (Row(label="a"),)


@pytest.fixture
def bench():
    with FakeServer() as server:
        yield lay_out(Path(os.environ["PROMPTREEL_HOME"]), server.url)


@pytest.mark.usefixtures("served")
def test_a_late_edit_does_not_overwrite_an_import_or_its_undo(bench) -> None:
    app = open_page()
    before = editor_data(app)["of"]
    edit_prompts(app, Row(label="crimson"))
    app.text_area(key="import_text").set_value("crane\nship").run()
    app.button(key="import_apply").click().run()
    assert [row["label"] for row in editor_data(app)["rows"]] == ["crane", "ship"]
    edit_prompts(app, Row(label="late"), of=before)
    assert [row.label for row in saved(bench).rows] == ["crane", "ship"]
    app.button(key="undo_load").click().run()
    assert [row.label for row in saved(bench).rows] == ["crimson"]
    edit_prompts(app, Row(label="late"), of=before)
    assert [row.label for row in saved(bench).rows] == ["crimson"]
    edit_prompts(app, Row(label="in time"))
    assert [row.label for row in saved(bench).rows] == ["in time"]


@pytest.mark.usefixtures("served")
def test_the_editor_is_told_colours_and_thresholds_in_use(bench) -> None:
    app = open_page()
    data = editor_data(app)
    assert set(data["colours"]) == {"red", "green", "blue"}
    assert data["uses_thresholds"] is False
    assert data["threshold"] == Settings().threshold
    (decision,) = [box for box in app.selectbox if box.key and box.key.startswith("setting.decision")]
    decision.set_value("threshold").run()
    assert editor_data(app)["uses_thresholds"] is True
