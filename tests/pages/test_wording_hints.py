"""Hints on wording on the Explore page, and what the sweep adds with one click."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from lib.services.experiments import PromptRow
from lib.ui.explore import wording
from tests.helpers.fake_server import FakeServer
from tests.helpers.pages import Bench, by_key, lay_out, open_page, press, with_rows, words

pytestmark = pytest.mark.usefixtures("framed")


@pytest.fixture
def bench(home: Path, server: FakeServer) -> Bench:
    return lay_out(home, server.url)


def offers(app: AppTest) -> str:
    return " ".join(link.proto.label for link in app.get("page_link"))


def test_several_phrasings_are_encouraged_until_there_are_some(bench: Bench) -> None:
    assert "Several phrasings find more than one" in offers(open_page())
    with_rows(bench, replace(bench.experiment.rows[0], texts=("red", "red wall")), *bench.experiment.rows[1:])
    assert "Several phrasings find more than one" not in offers(open_page())


def test_hints_name_the_label_and_what_to_do(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wording, "high_everywhere", lambda analysis, reference: {"red": (1.1, 1.4)})
    monkeypatch.setattr(wording, "unlike_phrasings", lambda prompt_set, vectors, phrases: {"blue": "navy"})
    with_rows(bench, PromptRow(label="red"), PromptRow(label="blue", texts=("blue", "navy")))
    text = words(open_page())

    assert "“red” is high on nearly all frames (relative score 1.1 on average, 1.4 at its peaks)" in text
    assert "“navy” is unlike the other phrasings of “blue”" in text


def test_the_sweep_adds_paraphrases_and_templates_with_one_click(bench: Bench) -> None:
    app = open_page("pages/matrix.py")
    by_key(app.get("button_group"), "matrix.mode").set_value("sweep").run()
    press(app, "sweep_paraphrases")
    lines = by_key(app.text_area, "matrix.wordings").value.splitlines()
    assert lines[0] == "red"
    assert lines[-1].count(";") == len(lines) - 2

    press(app, "sweep_templates")
    assert "a dark photo of a {}" in by_key(app.multiselect, "matrix.templates").value
