"""A video of one's own: an engine that is missing or fails takes nothing off the page."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from lib.core.labelled_intervals import TrueSegment
from lib.services import experiments
from lib.services.experiments import PromptRow
from lib.ui.session import cache
from tests.helpers.pages import by_key, edit_prompts, editor_data, open_page, passed, put_truth, saved, words

pytestmark = pytest.mark.usefixtures("framed")
NOBODY = "http://127.0.0.1:9"
SHOWN = "Results of CLIP ViT-B/32 (inference server), every 5 frames"


@pytest.fixture
def no_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    cache.embedded_engine.clear()
    monkeypatch.setenv("PROMPTREEL_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


def with_engine(bench, **fields):
    """Choose another engine after the video was looked at with the bench's server."""
    open_page()
    experiments.save(bench.store.home, dataclasses.replace(bench.experiment, **fields))


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        (
            {"server_url": NOBODY, "model_version": "ViT-B-16"},
            f"The inference server at {NOBODY} can't be reached; start",
        ),
        ({"server_url": "no address", "model_version": "ViT-B-16"}, "is no engine; write"),
        ({"engine": "clip"}, "is not on this machine yet; press “Download the model”"),
        ({"engine": "other"}, "No model is chosen yet"),
        ({"engine": "other", "model": "folder:/nowhere"}, "/nowhere is outside the folders"),
    ],
)
def test_an_engine_that_is_missing_or_fails_leaves_the_last_results_and_all_else(bench, no_models, fields, problem):
    put_truth(bench, TrueSegment("red", 0.0, 3.0))
    with_engine(bench, **fields)
    app = open_page()

    assert not app.exception
    (error,) = [one.value for one in app.error]
    assert error.startswith(SHOWN)
    assert problem in error
    assert "red</strong>: present for 3.0 s (33 %)" in words(app)
    lanes = passed(app, "modules")[0]["lanes"]
    assert lanes["thumbs"]
    assert [lane["name"] for lane in lanes["labels"]] == ["red", "green", "blue"]
    assert lanes["truth"]
    assert [row["label"] for row in editor_data(app)["rows"]] == ["red", "green", "blue"]


def test_new_words_on_the_last_results_cost_one_sentence_and_the_other_answers_stay(bench, no_models):
    with_engine(bench, server_url=NOBODY, model_version="ViT-B-16")
    app = open_page()
    edit_prompts(app, PromptRow(label="red"), PromptRow(label="a crane"))

    assert "red</strong>: present for" in words(app)
    (warning,) = [one.value for one in app.warning]
    assert "can’t embed anything new; what is stored of it counts" in warning
    assert [row.label for row in saved(bench).rows] == ["red", "a crane"]


def test_choosing_the_engine_again_shows_its_own_results_without_a_word(bench, no_models):
    app = open_page()
    by_key(app.sidebar.selectbox, "engine").set_value("clip").run()
    assert SHOWN in app.error[0].value
    by_key(app.sidebar.selectbox, "engine").set_value("server").run()

    assert not app.error
    assert "Results of" not in words(app)
    assert "red</strong>: present for 3.0 s" in words(app)


def test_compare_keeps_player_pictures_truth_and_tables_without_any_engine(bench, no_models):
    put_truth(bench, TrueSegment("red", 0.0, 3.0))
    with_engine(bench, engine="clip")
    app = open_page("pages/compare.py")

    assert not app.exception
    lanes = passed(app, "modules")[0]["lanes"]
    assert lanes["thumbs"]
    assert lanes["truth"]
    assert [row["label"] for row in editor_data(app)["rows"]] == ["red", "green", "blue"]
