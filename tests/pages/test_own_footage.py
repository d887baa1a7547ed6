"""A video of one's own: an engine that is missing or fails takes nothing off the page."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from lib.core.labelled_intervals import TrueSegment
from lib.services import experiments
from lib.services.experiments import PromptRow
from lib.ui.session import cache
from tests.helpers.http import wait_for
from tests.helpers.pages import (
    add_video,
    answers,
    by_key,
    edit_prompts,
    editor_data,
    open_page,
    passed,
    press,
    put_truth,
    saved,
    words,
)
from tests.helpers.videos import BLUE, GREEN, RED, make_video, scenes

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
    assert "3.0 s, 33 %" in answers(app)["red"]
    lanes = passed(app, "lanes")[0]["lanes"]
    assert lanes["thumbs"]
    assert [lane["name"] for lane in lanes["labels"]] == ["red", "green", "blue"]
    assert lanes["truth"]
    assert [row["label"] for row in editor_data(app)["rows"]] == ["red", "green", "blue"]


def test_new_words_on_the_last_results_cost_one_sentence_and_the_other_answers_stay(bench, no_models):
    with_engine(bench, server_url=NOBODY, model_version="ViT-B-16")
    app = open_page()
    edit_prompts(app, PromptRow(label="red"), PromptRow(label="a crane"))

    assert answers(app) == {"red": "9.0 s, 100 %, first 0:00.0"}  # by itself
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
    assert "3.0 s, 33 %" in answers(app)["red"]


def test_compare_keeps_player_pictures_truth_and_tables_without_any_engine(bench, no_models):
    put_truth(bench, TrueSegment("red", 0.0, 3.0))
    with_engine(bench, engine="clip")
    app = open_page("pages/compare.py")

    assert not app.exception
    lanes = passed(app, "lanes")[0]["lanes"]
    assert lanes["thumbs"]
    assert lanes["truth"]
    assert [row["label"] for row in editor_data(app)["rows"]] == ["red", "green", "blue"]


def select_rows(app, *places):
    """Select rows of the library's list, as a browser does."""
    (table,) = app.dataframe
    app.session_state[table.key] = {"selection": {"rows": list(places), "columns": [], "cells": []}}
    app.run()
    assert not app.exception


def finish_jobs(app):
    wait_for(lambda: not cache.embedding_queue().busy)
    for job in cache.jobs().jobs():
        job.wait(timeout_s=60)
    app.run()
    assert not app.exception


def test_a_folder_takes_all_its_videos_and_says_which_it_can_not_use(home, tmp_path, monkeypatch):
    folder = tmp_path / "mine"
    (folder / "sub").mkdir(parents=True)
    make_video(folder / "one.mp4", colours=scenes((RED, 5)), size=(64, 48))
    make_video(folder / "sub" / "two.mp4", colours=scenes((BLUE, 5)), size=(64, 48))
    (folder / "broken.mp4").write_bytes(b"no video")
    (folder / "notes.txt").write_text("nothing")
    monkeypatch.setenv("PROMPTREEL_FOLDERS", str(folder))
    app = open_page("pages/library.py", experiment=None)
    by_key(app.text_input, "path").set_value(str(folder))
    press(app, "open_path")
    finish_jobs(app)

    (table,) = app.dataframe
    assert sorted(table.value["Video"]) == ["one.mp4", "two.mp4"]
    assert "2 new videos. 2 videos in mine. broken.mp4 is not a video" in words(app)

    make_video(folder / "three.mp4", colours=scenes((GREEN, 5)), size=(64, 48))
    press(app, "look_")
    finish_jobs(app)
    assert "1 new video. 3 videos in mine." in words(app)
    press(app, "forget_")
    assert not [button for button in app.button if button.key.startswith("look_")]
    assert len(app.dataframe[0].value) == 3  # its videos stay


def test_a_folder_outside_or_without_a_video_is_one_sentence(home, tmp_path, monkeypatch):
    (tmp_path / "allowed").mkdir()
    monkeypatch.setenv("PROMPTREEL_FOLDERS", str(tmp_path / "allowed"))
    app = open_page("pages/library.py", experiment=None)
    for typed, sentence in (
        (tmp_path, "outside the folders"),
        (tmp_path / "allowed", "There is no video in"),
        (tmp_path / "allowed" / ("x" * 300), "There is no file"),
    ):
        by_key(app.text_input, "path").set_value(str(typed))
        press(app, "open_path")
        (error,) = [one.value for one in app.error]
        assert sentence in error


def test_several_chosen_videos_are_embedded_one_after_the_other(bench, server):
    others = [
        add_video(bench.store, server.url, (BLUE, 20), name="other", embed=False),
        add_video(bench.store, server.url, (GREEN, 20), name="third", embed=False),
    ]
    app = open_page("pages/library.py")
    select_rows(app, 0, 1, 2)
    assert by_key(app.button, "embed_chosen").label == "Embed 2 videos"
    press(app, "embed_chosen")
    finish_jobs(app)

    assert all(bench.store.embeddings(video.sha256)[0].complete for video in others)
    assert not [button for button in app.button if button.key == "embed_chosen"]


def test_empty_cells_say_no_none(bench, server):
    add_video(bench.store, server.url, (BLUE, 20), name="other", embed=False)
    app = open_page("pages/library.py")
    (table,) = app.dataframe

    assert table.proto.placeholder == "–"
    assert list(table.value["Samples"].isna()) == [True, False]
    assert table.value["Samples"].dtype == "Int64"
    assert "None" not in table.value.drop(columns="Samples").to_string()


def test_a_click_on_a_video_opens_it(bench, server):
    add_video(bench.store, server.url, (BLUE, 20), name="other", embed=False)
    app = open_page("pages/library.py")
    (table,) = app.dataframe
    app.session_state[table.key] = {"selection": {"rows": [], "columns": [], "cells": [(1, "Video")]}}
    app.run()
    finish_jobs(app)

    assert passed(app, "modules")[0]["label"] == "colours.mp4"
