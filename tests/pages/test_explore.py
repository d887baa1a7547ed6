"""The pages without a browser: what they say, that every edit counts, and that nothing resets."""

from __future__ import annotations

import dataclasses
import json
import os

import pytest

from lib.analysis.analysis import prompt_cosines
from lib.core.formatting import as_text
from lib.core.sampling import Sampling
from lib.engines.registry import make_engine
from lib.ingest.ingest import ingest
from lib.ingest.speed import remember_speed
from lib.prompts.model import Settings, Smoothing
from lib.services import experiments
from lib.services.experiments import PromptRow
from lib.ui.session import cache
from tests.helpers.arrays import prompt_set
from tests.helpers.http import wait_for
from tests.helpers.pages import (
    COLOURS,
    MODEL,
    REPOSITORY,
    answers,
    by_key,
    edit_prompts,
    editor_data,
    lay_out,
    open_page,
    passed,
    saved,
    with_rows,
    words,
)

CONSTRUCTION = prompt_set("wall", "construction site", decision="threshold", threshold=0.2)
PAGES = sorted(path.relative_to(REPOSITORY).as_posix() for path in (REPOSITORY / "pages").glob("*.py"))
assert PAGES
pytestmark = pytest.mark.usefixtures("framed")


@pytest.mark.parametrize("page", PAGES)
def test_a_page_runs_on_an_empty_home(page):
    app = open_page(page, experiment=None)

    assert not app.exception
    assert app.title


def test_the_empty_explore_page_shows_the_way_on():
    app = open_page(experiment=None)

    assert "no video yet" in words(app)
    assert "Library" not in [error.value for error in app.error]


def test_the_three_answers_are_right(bench):
    app = open_page()

    assert not app.exception
    starts = {"red": "0:00.0", "green": "0:03.0", "blue": "0:06.0"}
    assert answers(app) == {label: f"3.0 s, 33 %, first {start}" for label, start in starts.items()}


def test_three_edits_in_a_row_all_count_and_survive_a_page_switch_and_a_reload(bench):
    app = open_page()
    by_key(app.selectbox, "setting.decision").set_value("threshold").run()
    for value in (0.5, 0.75, 0.9):
        by_key(app.slider, "setting.threshold").set_value(value).run()
        assert saved(bench).settings.threshold == value
        assert by_key(app.slider, "setting.threshold").value == value
    app.switch_page("pages/library.py").run()
    app.switch_page("pages/explore.py").run()

    assert by_key(app.slider, "setting.threshold").value == 0.9
    assert by_key(app.selectbox, "setting.decision").value == "threshold"
    assert by_key(open_page().slider, "setting.threshold").value == 0.9


def test_what_the_browser_still_sends_of_the_thresholds_other_widget_is_no_edit(bench):
    """A press may come before the browser knows the other widget's new value; it belongs to a widget that is gone."""
    app = open_page()
    by_key(app.selectbox, "setting.decision").select("threshold").run()
    slider, number = by_key(app.slider, "setting.threshold"), by_key(app.number_input, "setting.threshold")
    slider.set_value(0.3).run()
    assert by_key(app.slider, "setting.threshold").key == slider.key
    other = by_key(app.number_input, "setting.threshold")
    assert (other.value, other.key == number.key) == (0.3, False)
    other.set_value(0.4).run()
    assert by_key(app.number_input, "setting.threshold").key == other.key
    assert (by_key(app.slider, "setting.threshold").value, saved(bench).settings.threshold) == (0.4, 0.4)
    assert by_key(app.slider, "setting.threshold").key != slider.key


def test_three_edits_of_the_prompt_table_all_count(bench):
    app = open_page()
    labels = list(COLOURS)
    for row, label in enumerate(("crimson", "leaf", "sky")):
        labels[row] = label
        edit_prompts(app, *(PromptRow(label=label) for label in labels))
        assert [line.label for line in saved(bench).rows] == labels

    assert labels == ["crimson", "leaf", "sky"]


def test_an_edit_asks_the_engine_for_the_new_word_only(bench, server):
    open_page()
    server.reset()
    with_rows(bench, PromptRow(label="red"), PromptRow(label="green"), PromptRow(label="yellow"))
    open_page()

    texts = [request for request in server.seen if request.path == "/clip/embed_text"]
    images = [request for request in server.seen if request.path == "/clip/embed_image"]
    assert [request.items for request in texts] == [1]
    assert images == []


def test_changing_a_threshold_computes_no_cosine_again(bench, monkeypatch):
    calls = []
    monkeypatch.setattr(cache, "prompt_cosines", lambda *args: calls.append(args) or prompt_cosines(*args))

    app = open_page()
    first = len(calls)
    by_key(app.selectbox, "setting.decision").set_value("threshold").run()
    by_key(app.slider, "setting.threshold").set_value(0.5).run()

    assert len(calls) == first


def test_a_dead_server_is_one_sentence_and_what_is_cached_still_shows(home, bench, server):
    open_page()
    server.__exit__(None, None, None)
    with_rows(bench, PromptRow(label="red"), PromptRow(label="never seen before"))
    app = open_page()

    assert not app.exception
    (warning,) = [warning.value for warning in app.warning]
    assert server.url in warning
    assert "\n" not in warning
    assert "first 0:00.0" in answers(app)["red"]


def test_a_prompt_that_is_too_long_leaves_the_others_alone(bench):
    with_rows(bench, PromptRow(label="red"), PromptRow(label=" ".join(["word"] * 90)))
    app = open_page()

    assert not app.exception
    assert any("too long" in warning.value or "tokens" in warning.value for warning in app.warning)
    assert "first 0:00.0" in answers(app)["red"]


def test_a_doubled_label_is_reported_and_left_out(bench):
    with_rows(bench, PromptRow(label="red"), PromptRow(label="red"), PromptRow(label="green"))
    app = open_page()

    assert ["Row 2 is left out" in warning.value for warning in app.warning] == [True]
    assert not app.exception


def test_a_margin_without_a_background_says_what_to_do(home, server):
    lay_out(home, server.url, settings=Settings(score="margin", threshold=0.0))
    app = open_page()

    assert not app.exception
    assert any("background" in warning.value for warning in app.warning)


def test_each_score_keeps_its_own_threshold(bench):
    app = open_page()
    by_key(app.selectbox, "setting.decision").set_value("threshold").run()
    by_key(app.slider, "setting.threshold").set_value(0.75).run()
    by_key(app.selectbox, "setting.score").set_value("probability").run()
    assert by_key(app.slider, "setting.threshold").value == 0.5
    by_key(app.slider, "setting.threshold").set_value(0.9).run()
    by_key(app.selectbox, "setting.score").set_value("cosine").run()
    assert by_key(app.slider, "setting.threshold").value == 0.75
    by_key(app.selectbox, "setting.score").set_value("probability").run()
    assert by_key(app.slider, "setting.threshold").value == 0.9


def test_switching_smoothing_on_and_off_keeps_the_window(bench):
    app = open_page()
    by_key(app.selectbox, "setting.smoothing.kind").set_value("median").run()
    by_key(app.slider, "setting.smoothing.window").set_value(9).run()
    assert saved(bench).settings.smoothing == Smoothing("median", 9)
    assert "Median over 9 samples = 4.5 s" in words(app)
    by_key(app.selectbox, "setting.smoothing.kind").set_value("none").run()
    by_key(app.selectbox, "setting.smoothing.kind").set_value("gaussian").run()

    assert saved(bench).settings.smoothing == Smoothing("gaussian", 9)


def test_viterbi_has_an_expected_stay_in_place_of_the_window(bench):
    app = open_page()
    by_key(app.selectbox, "setting.smoothing.kind").set_value("median").run()
    by_key(app.slider, "setting.smoothing.window").set_value(9).run()
    by_key(app.selectbox, "setting.smoothing.kind").set_value("viterbi").run()
    assert by_key(app.number_input, "setting.smoothing.stay_s").value == 5.0
    by_key(app.number_input, "setting.smoothing.stay_s").set_value(20.0).run()
    by_key(app.toggle, "setting.stop_at_cuts").set_value(True).run()
    assert saved(bench).settings.smoothing == Smoothing("viterbi", 9, 20.0)
    assert saved(bench).settings.stop_at_cuts
    assert "Viterbi with an expected stay of 20 s, nothing reaches across cuts" in words(app)
    by_key(app.number_input, "setting.logit_scale").set_value(50.0).run()
    assert saved(bench).settings.logit_scale == 50.0
    by_key(app.selectbox, "setting.smoothing.kind").set_value("median").run()
    assert by_key(app.slider, "setting.smoothing.window").value == 9


def test_shots_are_listed_with_their_best_labels(bench):
    app = open_page()
    by_key(app.get("button_group"), "explore_view").set_value("Shots").run()
    table = app.dataframe[-1]
    # Of 17 changes two stand out; the smaller one not from the larger.
    assert table.value[["start_s", "end_s"]].to_numpy().tolist() == [[0, 3], [3, 9]]
    assert table.value["label"].tolist()[0] == next(iter(COLOURS))
    assert "2 shots, half of them of" in words(app)


def test_an_import_replaces_the_prompts_and_can_be_undone_and_redone(bench):
    app = open_page()
    by_key(app.text_area, "import_text").set_value("crane\nship\n# a comment\n").run()
    by_key(app.button, "import_apply").click().run()
    assert [row.label for row in saved(bench).rows] == ["crane", "ship"]
    by_key(app.button, "undo").click().run()
    assert [row.label for row in saved(bench).rows] == ["red", "green", "blue"]
    by_key(app.button, "redo").click().run()

    assert [row.label for row in saved(bench).rows] == ["crane", "ship"]


def test_a_broken_import_is_a_sentence_and_changes_nothing(bench):
    app = open_page()
    by_key(app.text_area, "import_text").set_value("prompts: [{label: a, colour_: red}]").run()
    by_key(app.button, "import_apply").click().run()

    assert not app.exception
    assert len(app.error) == 1
    assert [row.label for row in saved(bench).rows] == ["red", "green", "blue"]


def test_another_sampling_is_not_embedded_yet_and_never_shows_the_old_numbers(bench):
    app = open_page()
    by_key(app.sidebar.number_input, "stride").set_value(2).run()

    assert "not embedded yet" in words(app)
    assert not answers(app)


@pytest.mark.parametrize("view", ["Segments", "Shots", "Frames", "Thresholds", "Ground truth", "Evaluation", "Export"])
def test_each_view_draws(bench, view):
    app = open_page()
    by_key(app.get("button_group"), "explore_view").set_value(view).run()

    assert by_key(app.get("button_group"), "explore_view").value == view
    assert not app.exception
    assert not app.error


def test_the_metrics_leave_the_roles_to_the_prompt_table(bench):
    table = open_page().dataframe[0]
    hidden = [name for name, column in json.loads(table.proto.columns).items() if column.get("hidden")]

    assert "role" in hidden  # with it the last column is cut off at 1440 pixels
    assert not {"label", "duration_s", "peak_s"} & set(hidden)


def test_the_library_lists_what_is_cached(bench):
    app = open_page("pages/library.py")
    (table,) = app.dataframe
    row = table.value.iloc[0]

    assert row["Video"] == "colours.mp4"
    assert row["Samples"] == 18
    assert row["State"] == "complete"
    assert row["Sampling"] == "every 5 frames"


def test_a_path_outside_the_allowed_folders_is_refused_with_a_way_out(home, tmp_path, monkeypatch):
    allowed = tmp_path / "allowed"
    allowed.mkdir()
    (tmp_path / "secret.mp4").write_bytes(b"x")
    (allowed / "link.mp4").symlink_to(tmp_path / "secret.mp4")
    monkeypatch.setenv("PROMPTREEL_FOLDERS", str(allowed))
    for typed in (str(tmp_path / "secret.mp4"), str(allowed / "link.mp4"), str(allowed / ".." / "secret.mp4")):
        app = open_page("pages/library.py", experiment=None)
        by_key(app.text_input, "path").set_value(typed)
        by_key(app.button, "open_path").click().run()
        assert "PROMPTREEL_FOLDERS" in app.error[0].value


def test_names_that_are_not_utf_8_leave_opening_by_path_to_the_others(home, tmp_path, monkeypatch):
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/folder_\xe9")
    os.mkdir(odd)
    for name in (b"latin1_\xe9.mp4", b"good.mp4"):
        (tmp_path / os.fsdecode(name)).write_bytes(b"x")
    monkeypatch.setenv("PROMPTREEL_FOLDERS", os.pathsep.join((str(tmp_path), odd)))
    app = open_page("pages/library.py", experiment=None)
    assert not app.exception
    assert list(by_key(app.selectbox, "path_choice").options) == ["good.mp4"]
    by_key(app.text_input, "path").set_value("/elsewhere.mp4")
    by_key(app.button, "open_path").click().run()
    assert "outside the folders" in app.error[0].value


def test_the_key_is_nowhere_on_disk(bench, home, server):
    app = open_page()
    by_key(app.sidebar.text_input, "server_key").set_value("key-that-must-not-leak").run()
    by_key(app.selectbox, "setting.decision").set_value("threshold").run()

    assert not app.exception
    files = [path for path in home.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if b"key-that-must-not-leak" in path.read_bytes()]
    assert "key-that-must-not-leak" not in words(app)
    assert "key-that-must-not-leak" not in str(app.query_params)


def test_testing_the_connection_says_name_version_latency_and_speed(bench, server):
    app = open_page()
    by_key(app.sidebar.button, "test_connection").click().run()

    (message,) = [success.value for success in app.sidebar.success]
    assert "images per second" in message
    assert "ms" in message


def test_words_that_the_demo_model_never_saw_are_marked_in_the_prompt_table(bench, home):
    rows = (PromptRow(label="seaside"), PromptRow(label="animal", texts=("a zebra", "a quagga on grass")))
    embedded = dataclasses.replace(bench.experiment, engine="demo", rows=rows)
    experiments.save(home, embedded)
    ingest(bench.store, bench.video, make_engine("demo"), Sampling.every(5))
    app = open_page()

    assert not app.exception
    assert not app.warning
    (label, words) = next(iter(editor_data(app)["unknown"].items()))
    assert (label, len(editor_data(app)["unknown"])) == ("animal", 1)
    assert "vocabulary: zebra, quagga." in words
    assert "CLIP" in words


def test_other_engines_words_are_never_marked(bench):
    with_rows(bench, PromptRow(label="zebra"))
    assert editor_data(open_page())["unknown"] == {}


def test_a_model_that_is_not_here_is_offered_for_download_not_fetched_unasked(bench, home):
    experiments.save(home, dataclasses.replace(bench.experiment, engine="clip"))
    app = open_page()

    assert not app.exception
    assert "not on this machine yet" in app.error[0].value
    assert by_key(app.sidebar.button, "download_model").label == "Download the model"


def test_a_new_tab_finds_the_experiments_worked_on_before(bench):
    app = open_page("pages/library.py", experiment=None)

    assert "colours" in words(app)
    by_key(app.button, "continue_").click().run()
    assert app.query_params["experiment"] in (bench.experiment.id, [bench.experiment.id])
    assert [row.label for row in app.session_state["session"].experiment.rows] == ["red", "green", "blue"]


@pytest.mark.parametrize("page", ["pages/explore.py", "pages/matrix.py"])
def test_a_widget_that_the_browser_draws_late_shows_its_value(bench, page):
    settings = Settings(
        score="probability",
        decision="threshold",
        threshold=0.3,
        smoothing=Smoothing("median", 9),
        hysteresis=0.125,
        min_duration_s=1.5,
        bridge_s=0.75,
        logit_scale=50.0,
    )
    changed = dataclasses.replace(bench.experiment, settings=settings, template="a photo of {}.", name="late")
    experiments.save(bench.store.home, changed)
    app = open_page(page)
    app.run()  # a seeded value is sent with the first run only

    defaults = {one.key: one.proto.default for one in (*app.number_input, *app.text_input)}
    defaults |= {one.key: one.proto.default[0] for one in app.slider}
    defaults |= {one.key: one.options[one.proto.default] for one in app.selectbox}
    values = {one.key: one.value for one in (*app.number_input, *app.text_input, *app.slider)}
    values |= {one.key: one.format_func(one.value) for one in app.selectbox}
    bound = {key for key in values if str(key).endswith(".0")}  # its key ends with the session's version
    assert {str(key).split(".")[0] for key in bound} >= {"engine", "stride"}
    assert {key: defaults[key] for key in bound} == {key: values[key] for key in bound}


def test_a_label_that_is_not_found_has_no_best_frames(bench):
    """Frames at -0.05 were listed as the best ones of a label."""
    settings = dataclasses.replace(bench.experiment.settings, decision="threshold", threshold=1.0)
    experiments.save(
        bench.store.home, dataclasses.replace(bench.experiment, rows=(PromptRow(label="sky"),), settings=settings)
    )
    app = open_page("pages/explore.py")
    app.session_state["explore_view"] = "Frames"
    app.run()
    assert not app.exception
    assert "sky is not found; its best score is" in str(passed(app, "items"))


def test_what_the_settings_did_stands_below_them(bench):
    assert "dropped" not in words(open_page())

    chosen = dataclasses.replace(bench.experiment.settings, min_duration_s=4.0, bridge_s=1.0)
    experiments.save(bench.store.home, dataclasses.replace(bench.experiment, settings=chosen))
    shown = words(open_page())

    assert "3 pieces under 4 s dropped; 9.0 s now without any label." in shown
    assert "Merging can't close any gap: with “Best label”" in shown


def test_a_coarser_sampling_is_there_at_once_where_a_finer_one_is(bench, server):
    seen = len(server.images)
    experiments.save(bench.store.home, dataclasses.replace(bench.experiment, sampling="stride-10"))
    app = open_page()

    assert [toast.value for toast in app.toast] == ["9 samples taken from every 5 frames."]
    assert answers(app)["red"].startswith("3.0 s")
    assert "not embedded yet" not in words(app)
    assert len(server.images) == seen
    assert not app.run().toast


def test_an_estimate_stands_before_the_start(home, server):
    bench = lay_out(home, server.url, embed=False)
    assert "About 18 samples. Analysed once" in words(open_page())

    remember_speed(home, make_engine(server.url, model_version=MODEL).id, 90, 10.0)
    assert "About 18 samples, 2.0 s at this engine's last speed." in words(open_page())
    assert bench.store.embeddings() == []


def test_another_engine_has_its_own_thresholds_and_says_so(bench):
    settings = dataclasses.replace(bench.experiment.settings, score="cosine", decision="threshold", threshold=0.31)
    experiments.save(bench.store.home, dataclasses.replace(bench.experiment, settings=settings))
    app = open_page()
    assert "thresholds belong to one engine" not in words(app)

    app.session_state["session"].change(model_version="ViT-L-14")
    app.run()
    assert by_key(app.slider, "setting.threshold").value == saved(bench).settings.threshold != 0.31
    assert "With the score Cosine thresholds belong to one engine" in words(app)

    app.session_state["session"].change(model_version=MODEL)
    app.run()
    assert by_key(app.slider, "setting.threshold").value == saved(bench).settings.threshold == 0.31


def test_an_import_of_lines_keeps_the_settings_and_adding_takes_new_labels_only(bench):
    settings = Settings(score="cosine", decision="threshold", threshold=0.25)
    experiments.save(bench.store.home, dataclasses.replace(bench.experiment, settings=settings))
    app = open_page()
    by_key(app.text_area, "import_text").set_value("crane\nship").run()
    by_key(app.button, "import_apply").click().run()
    assert [row.label for row in saved(bench).rows] == ["crane", "ship"]
    assert saved(bench).settings.threshold == 0.25
    by_key(app.text_area, "import_text").set_value("prompts: [Crane, {label: wall, threshold: 0.3}]").run()
    by_key(app.button, "import_add").click().run()

    assert [row.label for row in saved(bench).rows] == ["crane", "ship", "wall"]
    assert saved(bench).settings.threshold == 0.25
    assert app.toast[0].value == as_text("1 prompt added; not added, as they are there already: 'Crane'")
    by_key(app.text_area, "import_text").set_value("settings: {score: cosine, threshold: 0.4}\nprompts: [sea]").run()
    by_key(app.button, "import_apply").click().run()
    assert (saved(bench).settings.threshold, [row.label for row in saved(bench).rows]) == (0.4, ["sea"])


def test_downloads_are_chosen_by_format_and_say_what_it_needs(bench):
    app = open_page()
    by_key(app.get("button_group"), "explore_view").set_value("Export").run()
    by_key(app.selectbox, "download_format").set_value("edl").run()
    assert [one.proto.label for one in app.get("download_button")].count("Download") == 1
    by_key(app.selectbox, "download_format").set_value("resolve").run()
    assert "must begin at 01:00:00:00 with the video" in words(app)


def test_segments_are_cut_out_in_the_background_and_downloaded_under_a_name(bench):
    app = open_page()
    by_key(app.get("button_group"), "explore_view").set_value("Export").run()
    by_key(app.number_input, "cut_padding").set_value(0.5)
    by_key(app.button, "cut").click().run()
    assert not app.exception
    assert by_key(app.selectbox, "cut_label").value is not None  # which Streamlit shows as a choice that can be cleared
    (job,) = [one for one in cache.jobs().jobs() if one.title.startswith("Clips of")]
    assert wait_for(lambda: not job.live)
    app.run()
    assert "in all, " in words(app)
    (link,) = app.get("link_button")
    assert link.proto.label.startswith("Download ")
    assert link.proto.url.startswith("/promptreel/video/")
