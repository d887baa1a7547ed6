"""The Matrix page without a browser: cells, what is computed again, the sweep, and choices that stay."""

from __future__ import annotations

import gc
import json
import pickle
import weakref
from dataclasses import replace

import pytest

from lib.core.errors import StoreDamagedError
from lib.prompts.model import Prompt, PromptSet
from lib.services import catalogue, experiments
from lib.services.experiments import Experiment, PromptRow
from lib.ui.matrix import settings
from lib.ui.matrix.settings import MatrixSettings
from lib.ui.session import cache
from tests.helpers.pages import EXPERIMENT, add_video, by_key, open_page, saved, with_rows, words
from tests.helpers.videos import BLUE, GREEN, RED

pytestmark = pytest.mark.usefixtures("framed")
PAGE = "pages/matrix.py"


def truth_beside(video) -> None:
    """Write what the video really shows: red, green and blue, 3 s each."""
    segments = [
        {"label": label, "start_s": start, "end_s": start + 3}
        for label, start in (("red", 0), ("green", 3), ("blue", 6))
    ]
    video.path.with_suffix(".json").write_text(json.dumps({"segments": segments}))


def another_experiment(bench, *labels: str, name: str = "other", id: str = "other123") -> Experiment:  # noqa: A002
    other = replace(
        bench.experiment, id=id, name=name, rows=tuple(PromptRow(label=label) for label in labels), video=None
    )
    experiments.save(bench.store.home, other)
    return other


def another_video(bench, *colours, embed: bool = True):
    stretches = [(colour, 30) for colour in colours]
    return add_video(bench.store, bench.experiment.server_url, *stretches, embed=embed)


def settings_are(bench, **fields) -> None:
    settings.save(bench.store.home, EXPERIMENT, MatrixSettings(**fields))


def settings_of(bench) -> MatrixSettings:
    return settings.load(bench.store.home, EXPERIMENT)


def table(app):
    """Return the matrix as it is on the page."""
    return next(element.value for element in app.dataframe if "name" in element.value.columns)


def choose_cell(app, row: int, column: str, table: str = "matrix_table"):
    (key,) = [key for key in app.session_state.keys() if str(key).startswith(f"{table}|")]  # noqa: SIM118
    app.session_state[key] = {"selection": {"rows": [], "columns": [], "cells": [(row, column)]}}
    return app.run()


def counted(monkeypatch, name: str) -> list[object]:
    """Return a list that grows with each call of a function that ``lib.ui.session.cache`` uses."""
    calls: list[object] = []
    original = getattr(cache, name)
    monkeypatch.setattr(cache, name, lambda *args, **more: calls.append(args) or original(*args, **more))
    return calls


def test_an_empty_home_shows_the_way_on():
    app = open_page(PAGE, experiment=None)

    assert not app.exception
    assert "no prompt set yet" in words(app)
    assert "no video yet" in words(app)


def test_a_cell_is_the_metric_of_that_set_in_that_video(bench):
    another_experiment(bench, "red", "blue")
    another_video(bench, RED, BLUE)
    settings_are(bench, metric="duration_s", label="red", order="chosen")
    app = open_page(PAGE)

    assert not app.exception
    matrix = table(app)
    assert matrix["name"].tolist() == ["colours · colours.mp4 (current)", "other"]
    assert matrix.columns.tolist() == ["name", "mean", "video 0", "video 1"]
    # The newest video comes first: red and blue, 3 s each; then red, green and blue.
    assert matrix["video 0"].tolist() == pytest.approx([3.0, 3.0], abs=0.01)
    assert matrix["video 1"].tolist()[0] == pytest.approx(3.0, abs=0.01)
    assert matrix["mean"].tolist() == pytest.approx(((matrix["video 0"] + matrix["video 1"]) / 2).tolist(), abs=1e-9)


def test_a_heading_has_the_room_that_its_name_needs(bench):
    name = "harbour_at_night_second_take_graded.mp4"
    add_video(bench.store, bench.experiment.server_url, (RED, 30), name=name.removesuffix(".mp4"))
    app = open_page(PAGE)
    columns = json.loads(next(one.proto.columns for one in app.dataframe if "name" in one.value.columns))
    widths = {column["label"].removeprefix("○ "): column["width"] for column in columns.values() if column.get("label")}
    assert widths[name] > 7 * len(name)  # CSS pixels; it was 105
    assert widths[bench.video.name] < widths[name]


def test_of_experiments_that_say_the_same_one_is_chosen_at_first_and_all_can_be(bench):
    for number in range(3):
        another_experiment(bench, "red", "blue", id=f"same{number}1234")
    experiments.save(bench.store.home, replace(bench.experiment, id="twin123"))
    another_experiment(bench, "red", "blue", name="third", id="third123")
    settings_are(bench, order="chosen")

    assert sorted(table(open_page(PAGE))["name"]) == ["colours · colours.mp4 (current)", "other · 1", "third"]
    options = by_key(open_page(PAGE).multiselect, "matrix.sets").options
    assert {"other · 2", "other · 3", "colours · colours.mp4", "rooms (sample) · room_walk.mp4"} <= set(options)


def test_truth_makes_the_overall_score_the_metric_and_ranks_by_it(bench):
    truth_beside(bench.video)
    another_experiment(bench, "red")  # without a rival it is everywhere
    app = open_page(PAGE)
    matrix = table(app)

    assert by_key(app.selectbox, "matrix.metric").value == "macro_f1"
    assert matrix["name"].tolist() == ["colours · colours.mp4 (current)", "other"]
    assert matrix["video 0"].tolist() == pytest.approx([1.0, 1 / 6], abs=0.01)  # 0.5 for red, 0 for the others
    assert "colours\\.mp4" in words(app)


def test_all_texts_go_to_the_engine_in_one_batch_once(bench, server):
    another_experiment(bench, "yellow", "black")
    another_experiment(bench, "white", name="third", id="third123")
    server.reset()
    open_page(PAGE)
    requests = [request for request in server.seen if request.path == "/clip/embed_text"]
    *identity, batch = [request.items for request in requests]
    assert batch == 6
    assert identity in ([], [3])  # texts stored before, asked for once per process: are the weights the same?
    assert not [request for request in server.seen if request.path == "/clip/embed_image"]
    server.reset()
    open_page(PAGE)

    assert not server.seen


def test_only_what_changed_is_computed_again(bench, monkeypatch):
    other = another_experiment(bench, "red", "blue")
    another_video(bench, RED, GREEN)
    calls = counted(monkeypatch, "analyse")
    app = open_page(PAGE)
    assert len(calls) == 4  # two prompt sets by two videos
    by_key(app.selectbox, "matrix.metric").set_value("peak_score").run()
    by_key(app.selectbox, "matrix.label").set_value("red").run()
    by_key(app.selectbox, "matrix.order").set_value("chosen").run()
    open_page(PAGE)
    assert len(calls) == 4
    experiments.save(bench.store.home, replace(other, rows=(*other.rows, PromptRow(label="white"))))
    open_page(PAGE)
    assert len(calls) == 6  # the changed set by two videos
    experiments.save(bench.store.home, replace(saved(bench), name="another name"))
    open_page(PAGE)
    assert len(calls) == 6
    truth_beside(bench.video)
    open_page(PAGE)

    assert len(calls) == 8  # two prompt sets by the video that has a truth now


def test_of_a_cell_only_its_numbers_stay(bench, monkeypatch):
    """20 sets by 50 videos must fit: no analysis, score or evaluation of a cell outlives its computing."""
    another_experiment(bench, "red", "blue")
    another_video(bench, RED, GREEN)
    truth_beside(bench.video)
    computed, cells = [], []
    for name in ("analyse", "evaluate"):
        made = getattr(cache, name)

        def noted(*args, _made=made, **more):
            result = _made(*args, **more)
            computed.append(weakref.ref(result))
            return result

        monkeypatch.setattr(cache, name, noted)
    label_metrics = cache.label_metrics
    monkeypatch.setattr(cache, "label_metrics", lambda *args: cells.append(label_metrics(*args)) or cells[-1])
    app = open_page(PAGE)
    app.run()
    gc.collect()
    assert len(computed) == 6  # two sets by two videos, one of them with a truth
    assert not [one for one in computed if one() is not None]
    assert {type(value) for cell in cells for row in cell for value in row.values()} == {str, float}
    assert max(len(pickle.dumps(cell)) / len(cell) for cell in cells) < 600


def test_choices_stay_over_a_page_switch_and_a_reload(bench):
    another_experiment(bench, "red", "blue")
    second = another_video(bench, RED, GREEN)
    app = open_page(PAGE)
    by_key(app.multiselect, "matrix.sets").set_value(["experiment:other123"]).run()
    by_key(app.multiselect, "matrix.videos").set_value([bench.video.sha256]).run()
    by_key(app.selectbox, "matrix.metric").set_value("segments").run()
    by_key(app.selectbox, "matrix.label").set_value("blue").run()
    by_key(app.get("button_group"), "matrix.mode").set_value("sweep").run()
    by_key(app.text_area, "matrix.wordings").set_value("crimson\nscarlet").run()
    by_key(app.selectbox, "matrix.sweep_label").set_value("green").run()
    by_key(app.multiselect, "matrix.templates").set_value(["a {}"]).run()
    by_key(app.selectbox, "matrix.sweep_metric").set_value("peak_score").run()
    app.switch_page("pages/explore.py").run()
    app.switch_page(PAGE).run()
    assert by_key(app.text_area, "matrix.wordings").value == "crimson\nscarlet"
    assert second.sha256 not in by_key(app.multiselect, "matrix.videos").value
    again = open_page(PAGE)

    assert not again.exception
    assert settings_of(bench) == MatrixSettings(
        mode="sweep",
        sets=("experiment:other123",),
        videos=(bench.video.sha256,),
        metric="segments",
        label="blue",
        sweep_metric="peak_score",
        sweep_label="green",
        wordings="crimson\nscarlet",
        templates=("a {}",),
    )
    for key, value in {"matrix.sweep_label": "green", "matrix.sweep_metric": "peak_score"}.items():
        assert by_key(again.selectbox, key).value == value
    assert by_key(again.multiselect, "matrix.templates").value == ["a {}"]


def test_a_sweep_is_ranked_by_the_overall_score_and_the_winner_can_be_used_and_taken_back(bench):
    truth_beside(bench.video)
    with_rows(bench, PromptRow(label="red", texts=("green",)), PromptRow(label="green"), PromptRow(label="blue"))
    settings_are(bench, mode="sweep", sweep_label="red", wordings="blue sky\nred\n")
    app = open_page(PAGE)
    matrix = table(app)

    assert by_key(app.selectbox, "matrix.sweep_metric").value == "macro_f1"
    assert "Ranked by Macro F1" in words(app)
    assert matrix["name"].tolist()[0] == "red"
    assert "green (current)" in matrix["name"].tolist()
    assert matrix["video 0"].iloc[0] == pytest.approx(1.0)
    now = matrix["video 0"][matrix["name"] == "green (current)"].item()
    assert matrix["gain"].iloc[0] == pytest.approx(1.0 - now)
    by_key(app.button, "matrix_use").click().run()
    assert saved(bench).rows[0] == PromptRow(label="red")
    assert [row.label for row in saved(bench).rows] == ["red", "green", "blue"]
    assert "red (current)" in table(app)["name"].tolist()
    by_key(app.button, "undo").click().run()

    assert saved(bench).rows[0].texts == ("green",)
    assert settings_of(bench).wordings == "blue sky\nred\n"


def test_without_truth_a_sweep_is_ranked_by_separation_and_says_why(bench):
    settings_are(bench, mode="sweep", sweep_label="red", wordings="red rose\nyellow\n")
    app = open_page(PAGE)

    assert by_key(app.selectbox, "matrix.sweep_metric").value == "separation"
    assert "Ranked by separation" in words(app)
    values = table(app)["video 0"].dropna().tolist()
    assert values == sorted(values, reverse=True)
    assert len(values) == 3


def test_no_wording_is_offered_as_the_best_where_more_is_not_better(bench):
    settings_are(bench, mode="sweep", sweep_label="red", wordings="red rose\nyellow\n", sweep_metric="share")
    app = open_page(PAGE)
    assert "nothing is ranked" in words(app)
    assert not [button for button in app.button if button.key == "matrix_use"]
    choose_cell(app, 0, "name")
    assert [button for button in app.button if button.key == "matrix_use"]


def test_a_set_with_two_invented_labels_is_far_below_the_right_one(bench):
    """Only labels that set and truth share counted: 0.93 beside 0.96."""
    truth_beside(bench.video)
    wrong = another_experiment(bench, name="invented")
    rows = (PromptRow(label="red"), *(PromptRow(label=f"my {one}", texts=(one,)) for one in ("green", "blue")))
    experiments.save(bench.store.home, replace(wrong, rows=rows))
    app = open_page(PAGE)
    values = dict(zip(table(app)["name"], table(app)["video 0"], strict=True))
    assert values["invented"] <= values["colours · colours.mp4 (current)"] - 0.2
    assert "\\(current\\)** is best here" in words(app)


def test_sets_judged_on_different_videos_are_not_ranked_and_none_is_called_best(bench):
    """A mean over what each row happens to have put the set first that was judged on one easy video."""
    truth_beside(bench.video)
    second = another_video(bench, RED, BLUE)
    second.path.with_suffix(".json").write_text(
        json.dumps({"segments": [{"label": "Lemon", "start_s": 0, "end_s": 3}]})
    )
    settings_are(bench, metric="f1", label="green")
    another_experiment(bench, "lemon", name="citrus")
    app = open_page(PAGE)
    assert table(app)["mean"].notna().sum() == table(app)["rank"].notna().sum() == 1  # citrus has no green at all
    assert "is best here" not in words(app)
    by_key(app.selectbox, "matrix.label").set_value("").run()
    assert by_key(app.selectbox, "matrix.metric").value == "macro_f1"
    assert table(app)["rank"].tolist() == [1.0, 2.0]  # both judged on both videos: what a set lacks counts as 0
    assert "is best here" in words(app)
    assert "on 2 videos" in words(app)


def test_templates_multiply_wordings_and_bad_lines_are_reported(bench):
    settings_are(bench, mode="sweep", sweep_label="red", wordings="x; x\ncrimson\n", templates=("{}", "a {}", "b"))
    app = open_page(PAGE)

    assert not app.exception
    assert sorted(zip(table(app)["name"], table(app)["template"], strict=True)) == [
        ("crimson", "a {}"),
        ("crimson", "{}"),
        ("red (current)", "{}"),
    ]
    assert len(app.warning) == 2


def test_a_cell_opens_explore_with_its_set_and_video(bench):
    another_experiment(bench, "red", "blue")
    second = another_video(bench, RED, GREEN)
    settings_are(bench, metric="share", order="chosen")
    app = choose_cell(open_page(PAGE), 1, "video 0")
    assert "**other** in **second\\.mp4**" in words(app)
    by_key(app.button, "matrix_open").click().run()

    assert not app.exception
    assert app.title[0].value == "Explore"
    experiment = app.session_state["session"].experiment
    assert (experiment.video, [row.label for row in experiment.rows]) == (second.sha256, ["red", "blue"])
    assert experiment.id not in (bench.experiment.id, "other123")  # neither is on this video
    assert saved(bench) == bench.experiment
    by_key(app.button, "notice_offer_take").click().run()
    assert app.session_state["session"].experiment == bench.experiment


def test_a_cell_opens_compare_with_its_set_beside_the_current_one(bench):
    another_experiment(bench, "red", "blue")
    settings_are(bench, metric="share", order="chosen")
    app = choose_cell(open_page(PAGE), 1, "video 0")
    by_key(app.button, "matrix_compare").click().run()

    assert not app.exception
    assert app.title[0].value == "Compare"
    experiment = saved(bench)
    assert [row.label for row in experiment.rows] == ["red", "green", "blue"]
    beside = experiments.load(bench.store.home, experiment.beside)
    assert [row.label for row in beside.rows] == ["red", "blue"]
    # The other experiment itself is left alone.
    assert experiments.load(bench.store.home, "other123").beside is None


def test_the_current_set_is_not_compared_with_itself(bench):
    app = choose_cell(open_page(PAGE), 0, "video 0")

    assert by_key(app.button, "matrix_compare").disabled
    assert not by_key(app.button, "matrix_open").disabled


def test_a_video_that_is_not_embedded_can_be(bench):
    from lib.ui.session import cache

    second = another_video(bench, RED, GREEN, embed=False)
    app = open_page(PAGE)
    assert "Not embedded with" in words(app)
    assert "video 1" not in table(app).columns
    by_key(app.button, f"matrix_embed_{second.sha256}").click().run()
    for job in cache.jobs().jobs():
        job.wait(timeout_s=30)
    app = open_page(PAGE)

    assert len([name for name in table(app).columns if name.startswith("video")]) == 2
    assert "Not embedded with" not in words(app)


def test_imports_are_rows_and_can_be_forgotten(bench):
    app = open_page(PAGE)
    for text, name in (("crane\nship", "harbour"), ("red\nwhite", "harbour")):
        by_key(app.text_input, "matrix_import_name").set_value(name).run()
        by_key(app.text_area, "matrix_import_text").set_value(text).run()
        by_key(app.button, "matrix_import_apply").click().run()
    assert not app.exception
    assert set(table(app)["name"]) == {"colours · colours.mp4 (current)", "harbour", "harbour 2"}
    by_key(app.button, "matrix_forget_harbour 2").click().run()
    assert set(table(app)["name"]) == {"colours · colours.mp4 (current)", "harbour"}

    assert [imported.name for imported in settings_of(bench).imported] == ["harbour"]
    assert set(table(open_page(PAGE))["name"]) == {"colours · colours.mp4 (current)", "harbour"}


def test_a_broken_import_is_a_sentence_and_changes_nothing(bench):
    app = open_page(PAGE)
    by_key(app.text_area, "matrix_import_text").set_value("prompts: [{label: a, colour_: red}]").run()
    by_key(app.button, "matrix_import_apply").click().run()

    assert not app.exception
    assert len(app.error) == 1
    assert settings_of(bench).imported == ()
    assert by_key(app.text_area, "matrix_import_text").value


def test_a_dead_server_costs_only_what_was_never_embedded(bench, server):
    open_page(PAGE)
    another_experiment(bench, "never seen before")
    server.__exit__(None, None, None)
    app = open_page(PAGE)

    assert not app.exception
    assert len(app.warning) == 1
    assert table(app)["name"].tolist() == ["colours · colours.mp4 (current)", "other"]
    assert table(app)["video 0"].isna().tolist() == [False, True]


def test_a_set_that_makes_no_sense_is_named_and_the_others_show(bench):
    margin = replace(bench.experiment.settings, score="margin", threshold=0.0)
    experiments.save(bench.store.home, replace(bench.experiment, id="margin123", name="margin", settings=margin))
    app = open_page(PAGE)

    assert not app.exception
    assert ["margin" in warning.value and "background" in warning.value for warning in app.warning] == [True]
    assert table(app)["video 0"].isna().tolist() == [False, True]


class TestSettings:
    full = MatrixSettings(
        mode="sweep",
        sets=("now", "import:a"),
        imported=(PromptSet("a", (Prompt("x", ("y", "z"), threshold=0.3),), "a {}"),),
        videos=("f" * 64,),
        metric="f1",
        label="x",
        order="chosen",
        sweep_metric="separation",
        sweep_label="x",
        wordings="one\ntwo",
        templates=("{}", "a {}"),
    )

    @pytest.mark.parametrize("saved_settings", [full, MatrixSettings()])
    def test_it_is_read_back_whole(self, tmp_path, saved_settings):
        settings.save(tmp_path, "abc123", saved_settings)

        assert settings.load(tmp_path, "abc123") == saved_settings
        assert [path.name for path in (tmp_path / "experiments").iterdir()] == ["abc123.matrix.json"]

    @pytest.mark.parametrize(
        "text",
        ["", "{", "[]", '{"format": 1}', '{"format": 9}', json.dumps({**full.to_dict(), "metric": "x"}), "[" * 9999],
    )
    def test_a_damaged_file_is_not_taken_for_none(self, tmp_path, text):
        (tmp_path / "experiments").mkdir()
        (tmp_path / "experiments" / "abc123.matrix.json").write_text(text)

        with pytest.raises(StoreDamagedError):
            settings.load(tmp_path, "abc123")

    def test_it_is_no_experiment(self, tmp_path):
        settings.save(tmp_path, "abc123", MatrixSettings())

        assert catalogue.listed(tmp_path, {}).choices == ()


def test_videos_as_rows_on_demand_open_the_same_cell(bench):
    another_experiment(bench, "red", "blue")
    another_video(bench, RED, BLUE)
    settings_are(bench, metric="duration_s", label="red", order="chosen")
    app = open_page(PAGE)
    by_set = table(app)
    by_key(app.toggle, "matrix_by_video").set_value(True).run()
    assert not app.exception
    by_video = table(app)
    assert by_video.columns.tolist() == ["name", "set 0", "set 1"]
    assert by_video["name"].iloc[0] == "Mean"
    assert by_video["set 0"].tolist() == pytest.approx(by_set.loc[0, ["mean", "video 0", "video 1"]].tolist())
    choose_cell(app, 1, "set 1", "matrix_by_video")
    assert not app.exception
    assert "**other** in" in words(app)
