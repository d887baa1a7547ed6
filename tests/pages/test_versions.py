"""Versions on the Explore page: saved, kept by themselves, restored, compared, computed again, as files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from lib.core.labelled_intervals import TrueSegment
from lib.services import experiments, version_files, versions
from lib.services.experiments import PromptRow
from lib.services.versions import Version
from tests.helpers.fake_server import FakeServer
from tests.helpers.pages import Bench, add_video, by_key, lay_out, open_page, press, put_truth, saved, with_rows, words
from tests.helpers.videos import BLUE, RED

pytestmark = pytest.mark.usefixtures("framed")

TRUTH = (TrueSegment("red", 0.0, 3.0), TrueSegment("green", 3.0, 6.0), TrueSegment("blue", 6.0, 9.0))


@pytest.fixture
def bench(home: Path, server: FakeServer) -> Bench:
    bench = lay_out(home, server.url)
    put_truth(bench, *TRUTH)
    return bench


def save(app: AppTest, name: str, note: str = "") -> None:
    press(app, "save_version")
    by_key(app.text_input, "version_name").set_value(name)
    by_key(app.text_area, "version_note").set_value(note)
    press(app, "version_save")
    assert not app.exception


def kept(bench: Bench) -> tuple[Version, ...]:
    return versions.listed(bench.store.home).versions


def frame(app: AppTest, column: str):
    """Return the table that has this column."""
    return next(one.value for one in app.dataframe if column in one.value.columns)


def test_a_version_is_saved_with_its_numbers_and_the_dialog_closes(bench):
    app = open_page()
    save(app, "first", "before the rewording")
    (version,) = kept(bench)
    assert (version.name, version.note, version.why) == ("first", "before the rewording", "saved")
    assert version.experiment.rows == bench.experiment.rows
    assert version.truth == TRUTH
    assert version.engine_id == "clip/ViT-B-32"
    assert version.numbers.macro_f1 == 1.0
    assert set(version.numbers.labels) == {"red", "green", "blue"}
    assert "version_name" not in {one.key for one in app.text_input}


def test_numbers_belong_to_what_is_saved_also_where_it_was_edited_since_the_dialog_opened(bench):
    app = open_page()
    press(app, "save_version")
    app.session_state["session"].change(rows=(PromptRow(label="red"),))
    press(app, "version_save")
    (version,) = kept(bench)
    assert version.experiment.rows == (PromptRow(label="red"),)
    assert set(version.numbers.labels) == {"red"}
    assert version.numbers.true_f1["green"] == 0.0


def test_an_older_state_comes_back_after_the_present_one_was_kept_and_undo_takes_it_back(bench):
    app = open_page()
    save(app, "first")
    edited = (PromptRow(label="red"),)
    with_rows(bench, *edited)
    app = open_page()
    press(app, "versions")
    assert "“green” removed" in words(app)
    table = frame(app, "Then")
    assert list(table["F1"]) == ["All labels (macro)", "green", "blue", "red"]
    assert list(table["Then"])[1:3] == [1.0, 1.0]
    assert list(table["Now"])[1:3] == [0.0, 0.0]

    press(app, "version_restore")
    assert [one.value for one in app.toast] == ["Version 'first' restored. Undo takes it back."]
    assert saved(bench).rows == bench.experiment.rows
    (before, first) = kept(bench)
    assert (before.why, before.experiment.rows, first.name) == ("restore", edited, "first")
    assert before.numbers.true_f1 == {"red": before.numbers.true_f1["red"], "green": 0.0, "blue": 0.0}
    press(app, "undo")
    assert saved(bench).rows == edited


def test_compared_it_becomes_side_b(bench):
    app = open_page()
    save(app, "first")
    with_rows(bench, PromptRow(label="red"))
    app = open_page()
    press(app, "versions")
    press(app, "version_compare")
    b = experiments.load(bench.store.home, saved(bench).beside)
    assert b.rows == bench.experiment.rows
    assert b.name == "first"


def test_metrics_show_the_difference_to_the_baseline_worst_first(bench):
    app = open_page()
    save(app, "first")
    press(app, "versions")
    press(app, "version_baseline")
    assert saved(bench).baseline == kept(bench)[0].id
    app = open_page()
    assert "the same macro F1 here, 1.00" in words(app)
    experiments.save(bench.store.home, replace(saved(bench), rows=(PromptRow(label="red"), PromptRow(label="blue"))))
    app = open_page()
    assert "worse here by −0." in words(app)
    table = frame(app, "F1 of the baseline")
    assert next(iter(table["Label"])) == "green"
    assert list(table["Difference"]) == sorted(table["Difference"])
    versions.delete(bench.store.home, saved(bench).baseline)
    assert "The baseline was deleted" in words(open_page())


def test_numbers_of_another_video_are_not_compared(bench, server):
    app = open_page()
    save(app, "first")
    experiments.save(bench.store.home, replace(saved(bench), baseline=kept(bench)[0].id))
    other = add_video(bench.store, server.url, (BLUE, 20), (RED, 20))
    app = open_page()
    by_key(app.selectbox, "video").set_value(other.sha256).run()  # begins an experiment with a copy of the prompts
    begun = app.session_state["session"].experiment
    assert (begun.video, begun.baseline) == (other.sha256, None)

    press(app, "versions")
    by_key(app.toggle, "versions_all").set_value(True).run()
    assert frame(app, "Then")["Now"].isna().all()
    assert "not compared, as the version is of another video" in words(app)
    assert by_key(app.button, "version_baseline").disabled
    app.session_state["session"].change(baseline=kept(bench)[0].id)  # as files of before may say
    assert "The baseline is of another video" in words(app.run())


def test_without_truth_the_shares_are_compared_with_the_baseline(home, server):
    bench = lay_out(home, server.url)
    app = open_page()
    save(app, "first")
    press(app, "versions")
    press(app, "version_baseline")
    experiments.save(bench.store.home, replace(saved(bench), rows=(PromptRow(label="red"), PromptRow(label="green"))))
    app = open_page()
    assert "no F1" in words(app)
    table = frame(app, "Share of the baseline")
    assert table["Difference"].abs().dropna().is_monotonic_decreasing
    assert table["Difference"].isna().sum() == 1


def test_a_changed_truth_is_said_and_both_numbers_are_shown(bench):
    app = open_page()
    save(app, "first")
    put_truth(bench, TrueSegment("red", 0.0, 6.0))
    app = open_page()
    press(app, "versions")
    assert "Since then, the ground truth has changed" in words(app)
    press(app, "version_again")
    table = frame(app, "Again").set_index("F1")
    assert table.loc["red", "Then"] == 1.0
    assert table.loc["red", "Again"] == table.loc["red", "Now"] < 1.0
    assert kept(bench)[0].numbers.true_f1["red"] == 1.0


def test_an_import_of_prompts_keeps_what_was_there_once(bench):
    app = open_page()
    for text, button in (("dock\nquay", "import_apply"), ("pier", "import_add"), ("dock\nquay", "import_apply")):
        by_key(app.text_area, "import_text").set_value(text)
        press(app, button)
    assert [[row.label for row in one.experiment.rows] for one in kept(bench)] == [
        ["dock", "quay", "pier"],
        ["dock", "quay"],
        ["red", "green", "blue"],
    ]
    assert {one.why for one in kept(bench)} == {"import"}
    assert kept(bench)[2].numbers.macro_f1 == 1.0
    by_key(app.text_area, "import_text").set_value("pier")
    press(app, "import_add")
    assert len(kept(bench)) == 3  # this state is among them


def test_an_experiment_that_is_deleted_is_kept_as_a_version_and_opens_again_from_it(bench):
    app = open_page()
    press(app, "delete_experiment")
    (version,) = kept(bench)
    assert (version.why, version.experiment.rows) == ("deletion", bench.experiment.rows)
    assert version.numbers.macro_f1 == 1.0
    app = open_page(experiment=None)
    press(app, "versions")
    press(app, "version_open")
    assert saved(bench).rows == bench.experiment.rows


def test_a_version_is_deleted_after_a_question(bench):
    app = open_page()
    save(app, "first")
    press(app, "versions")
    press(app, "version_delete_now")
    assert kept(bench) == ()
    assert "There is no version yet" in words(app)


def test_a_file_of_another_machine_is_taken_in_and_opens_its_experiment(bench, tmp_path):
    elsewhere = replace(bench.experiment, id="elsewhere1", rows=(PromptRow(label="dock"),), title="From elsewhere")
    version = versions.keep(bench.store, elsewhere, "saved", name="theirs")
    text = version_files.export(bench.store, version.id).text
    versions.delete(bench.store.home, version.id)

    app = open_page()
    press(app, "versions")
    by_key(app.file_uploader, "version_file").upload("broken.json", b"{}").run()
    press(app, "version_import")
    assert "broken.json is no version that this Promptreel reads" in words(app)
    by_key(app.file_uploader, "version_file").upload("v.json", text.encode()).run()
    press(app, "version_import")
    app.run()
    assert "'theirs' is imported" in words(app)
    press(app, "version_open")
    assert app.query_params["experiment"] in ("elsewhere1", ["elsewhere1"])
    assert experiments.load(bench.store.home, "elsewhere1").rows == elsewhere.rows


def test_a_damaged_version_is_said_and_stays(bench):
    app = open_page()
    save(app, "first")
    path = versions.path_of(bench.store.home, kept(bench)[0].id)
    path.write_text(json.dumps({"format": 1}))
    app = open_page()
    press(app, "versions")
    assert f"left out: {path.stem}" in words(app).replace("\\", "")
    assert json.loads(path.read_text()) == {"format": 1}


def test_nothing_can_be_saved_without_a_prompt(bench):
    with_rows(bench)
    app = open_page()
    press(app, "save_version")
    assert "There is no prompt yet" in words(app)
