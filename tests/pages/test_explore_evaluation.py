"""Evaluation, threshold help and the reference band on the Explore page, without a browser."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from lib.core.errors import Cancelled, EngineError
from lib.core.labelled_intervals import TrueSegment
from lib.evaluation.bimodality import ThresholdSplit
from lib.prompts.model import Settings
from lib.services import experiments
from lib.services.experiments import PromptRow
from lib.services.jobs import Job
from lib.ui.session import cache
from tests.helpers.fake_server import FakeServer
from tests.helpers.pages import (
    Bench,
    add_video,
    answers,
    by_key,
    lay_out,
    open_page,
    passed,
    press,
    put_truth,
    saved,
    with_rows,
    words,
)
from tests.helpers.videos import BLUE, RED

pytestmark = pytest.mark.usefixtures("framed")

TRUTH = (TrueSegment("Red", 0.0, 3.0), TrueSegment("green", 3.0, 6.0), TrueSegment("unicorn", 6.0, 9.0))


@pytest.fixture
def bench(home: Path, server: FakeServer) -> Bench:
    settings = Settings(decision="threshold", threshold=-0.5)
    return lay_out(home, server.url, settings=settings)


def view(name: str, label: str | None = None) -> AppTest:
    app = open_page()
    by_key(app.button_group, "explore_view").set_value(name).run()
    if label is not None:
        by_key(app.selectbox, "histogram_label").set_value(label).run()
    assert not app.exception
    return app


def test_without_truth_there_is_nothing_to_evaluate(bench):
    app = view("Evaluation")

    assert "This video has no ground truth yet" in words(app)
    assert len(app.dataframe) == 1  # the metrics


def test_the_evaluation_has_one_row_per_label_and_names_what_has_no_prompt(bench):
    put_truth(bench, *TRUTH)
    app = view("Evaluation")
    table = app.dataframe[1]
    frame = table.value.set_index("label")

    assert frame.loc["red", "recall"] == 1.0
    assert frame.loc["red", "precision"] == pytest.approx(1 / 3)  # the threshold is below every score
    assert frame.loc["red", "average_precision"] == 1.0
    assert frame.loc["blue"].drop("support_s").isna().all()
    assert "In the ground truth without a prompt: unicorn" in words(app)
    assert "Prompts that are not in the ground truth: blue" in words(app)
    assert "The diamond is the current threshold, -0.500" in words(app)


def test_the_best_threshold_is_applied_with_one_click_and_taken_back_with_another(bench):
    put_truth(bench, *TRUTH)
    app = view("Thresholds", "red")
    assert "red: threshold" in words(app)
    assert "gives F1 1.00 (currently 0.50)" in words(app)
    press(app, "threshold_own")

    (row, *others) = saved(bench).rows
    assert row.threshold is not None
    assert [other.threshold for other in others] == [None, None]
    assert saved(bench).settings.threshold == -0.5
    assert "gives F1 1.00 (currently 1.00)" in words(app)
    press(app, "undo")
    assert saved(bench).rows == bench.experiment.rows
    assert "(currently 0.50)" in words(app)
    press(app, "redo")
    assert saved(bench).rows[0].threshold is not None


def test_the_best_threshold_can_be_that_of_all_prompts(bench):
    experiments.save(
        bench.store.home, replace(bench.experiment, rows=(PromptRow(label="red", threshold=0.3), PromptRow()))
    )
    put_truth(bench, *TRUTH)
    app = view("Thresholds", "red")
    press(app, "threshold_shared")

    assert saved(bench).settings.threshold > 0
    assert [row.threshold for row in saved(bench).rows] == [None, None]
    assert by_key(app.slider, "setting.threshold").value == saved(bench).settings.threshold


def test_what_was_changed_since_is_undone_first(bench):
    put_truth(bench, *TRUTH)
    app = view("Thresholds", "red")
    press(app, "threshold_own")
    own = saved(bench).rows[0].threshold
    by_key(app.slider, "setting.threshold").set_value(0.25).run()
    assert by_key(app.button, "undo").help == "Undo: Threshold −0.5 → 0.25 (Ctrl+Z)"
    press(app, "undo")

    assert app.toast[0].value == "Undone: Threshold −0.5 → 0.25"
    assert by_key(app.slider, "setting.threshold").value == saved(bench).settings.threshold == -0.5
    assert saved(bench).rows[0].threshold == own
    press(app, "undo")
    assert saved(bench).rows == bench.experiment.rows


def test_where_the_decision_uses_no_threshold_a_click_changes_it_too(bench):
    experiments.save(bench.store.home, replace(bench.experiment, settings=Settings(decision="best")))
    put_truth(bench, *TRUTH)
    app = view("Thresholds", "red")
    assert "a click changes it to “Threshold”" in words(app)
    press(app, "threshold_own")

    assert saved(bench).settings.decision == "threshold"


def test_without_truth_the_split_of_the_scores_is_offered(bench, monkeypatch):
    split = ThresholdSplit(0.42, 3.5, 30.0, (0.1, 0.8), 0.33)
    monkeypatch.setattr(cache, "suggest_without_truth", lambda scores: split)
    app = view("Thresholds", "red")
    assert "form two groups, split at 0.420: 33 % above" in words(app)
    assert "separation 3.5" in words(app)
    press(app, "threshold_own")

    assert saved(bench).rows[0].threshold == 0.42


def test_no_clear_split_is_said_and_nothing_offered(bench, monkeypatch):
    split = ThresholdSplit(None, 0.7, -3.0, (0.1, 0.2), 0.4)
    monkeypatch.setattr(cache, "suggest_without_truth", lambda scores: split)
    app = view("Thresholds", "red")

    assert "No clear split" in words(app)
    assert not [one for one in app.button if one.key == "threshold_own"]


def test_each_peak_is_compared_with_the_reference_phrases(bench):
    app = open_page()

    assert "Is that a high score?" in words(app)
    assert words(app).count("reference phrases") + words(app).count("unrelated text") >= 3
    assert by_key(app.toggle, "reference_shown").value is True
    by_key(app.selectbox, "setting.score").set_value("probability").run()
    assert not [one for one in app.toggle if one.key == "reference_shown"]
    assert "Is that a high score?" in words(app)


def test_what_is_found_within_the_range_of_unrelated_text_is_to_be_treated_with_care(bench, monkeypatch):
    reference = cache.reference
    monkeypatch.setattr(cache, "reference", lambda *args: replace(reference(*args), low=-1.0, high=1.0))
    app, care = open_page(), "inside the range of unrelated text: treat with care"
    assert words(app).count(care) == 3  # below the metrics
    (data,) = passed(app, "lanes")
    assert [care in label["care"] for label in data["lanes"]["labels"]] == [True] * 3  # in the rows


def test_the_reference_band_is_in_the_lanes_and_its_toggle_outlives_a_page_switch(bench):
    app = open_page()
    (data,) = passed(app, "lanes")
    low, high = data["lanes"]["band"]
    assert data["lanes"]["axis"]["low"] <= low < high <= data["lanes"]["axis"]["high"]
    by_key(app.toggle, "reference_shown").set_value(False).run()
    app.switch_page("pages/library.py").run()
    app.switch_page("pages/explore.py").run()

    assert by_key(app.toggle, "reference_shown").value is False
    assert passed(app, "lanes")[0]["lanes"]["band"] is None


@pytest.mark.parametrize("score", ["cosine", "relative"])
def test_phrases_never_embedded_are_embedded_beside_the_page(home, server, monkeypatch, score):
    """Cosines are there before they are; relative scores are waited for, and the engine is asked once."""
    monkeypatch.setattr("lib.ui.background.reference_phrases._AT_ONCE_S", 0.0)
    monkeypatch.setattr("tests.helpers.pages.PHRASES", ())
    lay_out(home, server.url, settings=Settings(score=score))
    cache.jobs()  # of this process
    app = open_page()
    assert not app.exception
    assert bool(answers(app)) == (score == "cosine")
    assert ("Results appear when that is done" in words(app)) == (score == "relative")
    job = _latest_phrases_job()
    assert job.wait(30)
    assert job.state == "done"
    server.reset()
    app.run()

    assert "first 0:00.0" in answers(app)["red"]
    assert "of 200 reference phrases" in words(app) or "all 200 reference phrases" in words(app)
    assert not [request for request in server.seen if request.path == "/clip/embed_text"]
    cache.jobs().dismiss(job.id)


@pytest.mark.parametrize("ending", [EngineError("The server is gone; start it."), Cancelled("That was cancelled.")])
def test_phrases_that_do_not_come_are_told_of_and_can_be_tried_again(home, server, monkeypatch, ending):
    def fail(engine, *, on_progress, cancel):
        raise ending

    monkeypatch.setattr("lib.ui.background.reference_phrases._AT_ONCE_S", 0.0)
    monkeypatch.setattr("tests.helpers.pages.PHRASES", ())
    lay_out(home, server.url, settings=Settings(score="relative"))
    with monkeypatch.context() as patch:
        patch.setattr("lib.ui.background.reference_phrases._work", fail)
        app = open_page()
        assert _latest_phrases_job().wait(30)
        app.run()
    assert str(ending) in words(app)
    assert "Results appear when that is done" not in words(app)

    by_key(app.button, "phrases_again").click().run()
    job = _latest_phrases_job()
    assert job.wait(30)
    app.run()

    assert "first 0:00.0" in answers(app)["red"]
    cache.jobs().dismiss(job.id)


def _latest_phrases_job() -> Job:
    """Return the last one of this kind: other tests' jobs are in the process's list too."""
    *_, job = (job for job in cache.jobs().jobs() if isinstance(job.key, tuple) and job.key[0] == "reference")
    return job


class TestLearning:
    """A label whose words mean another colour, in videos whose truth says when it is there."""

    @pytest.fixture
    def taught(self, home: Path, server: FakeServer) -> Bench:
        settings = Settings(decision="threshold", threshold=0.5)
        bench = lay_out(home, server.url, rows=(PromptRow(label="wall", texts=("green",)),), settings=settings)
        videos = [
            add_video(bench.store, server.url, *[(BLUE, 10), (RED, 10 + extra)] * 5, name=f"walls {extra}")
            for extra in (0, 10)
        ]
        for video, step in zip(videos, (2, 3), strict=True):
            truth = tuple(TrueSegment("wall", float(i), float(i - 1 + step)) for i in range(1, 5 * step, step))
            bench.store.change_truth(video, lambda _, truth=truth: truth)
        here = replace(bench.experiment, video=videos[0].sha256)
        experiments.save(home, here)
        return replace(bench, video=videos[0], experiment=here)

    def test_learning_is_tried_used_taken_back_and_undone(self, taught):
        app = view("Evaluation")
        press(app, "learn")
        assert "Learning is better for 1 of 1 label: mean F1 on left-out segments 0.00 → 1.00." in words(app)
        assert not saved(taught).rows[0].learned

        press(app, "learn_use")
        (learned,) = saved(taught).rows[0].learned
        assert learned.source == "learned from 10 segments of 2 videos"
        assert passed(app, "unknown")[0]["unknown"] == {"wall": "Learned from 10 segments of 2 videos."}
        assert app.dataframe[1].value.set_index("label").loc["wall", "f1"] == 1.0

        press(app, "learn_forget")
        assert not saved(taught).rows[0].learned
        press(app, "undo")
        assert saved(taught).rows[0].learned == (learned,)

    def test_one_video_alone_is_learned_from_where_the_other_is_not_chosen(self, taught):
        app = view("Evaluation")
        by_key(app.multiselect, "learn_videos").set_value([]).run()
        press(app, "learn")
        press(app, "learn_use")

        assert saved(taught).rows[0].learned[0].source == "learned from 5 segments of 1 video"

    def test_other_words_and_other_engines_say_that_the_words_count(self, taught, server):
        press(press(view("Evaluation"), "learn"), "learn_use")
        row = saved(taught).rows[0]
        with_rows(taught, replace(row, texts=("blue",)))
        words_changed = passed(open_page(), "unknown")[0]["unknown"]["wall"]
        with_rows(taught, replace(row, learned=(replace(row.learned[0], engine="clip/RN50"),)))
        other_engine = passed(open_page(), "unknown")[0]["unknown"]["wall"]

        assert words_changed.startswith(
            "Its words count: what it learned from 10 segments of 2 videos belongs to other"
        )
        assert other_engine.endswith("belongs to the engine clip/RN50.")

    def test_probabilities_have_a_reliability_diagram_and_a_fitted_scale(self, taught):
        settings = Settings(score="probability", decision="best", threshold=0.5, logit_scale=1.0)
        rows = (PromptRow(label="wall", texts=("red",)), PromptRow(label="sky", texts=("blue",)))
        experiments.save(taught.store.home, replace(taught.experiment, rows=rows, settings=settings))
        truth = tuple(TrueSegment(("sky", "wall")[i % 2], float(i), i + 1.0) for i in range(10))
        taught.store.change_truth(taught.video, lambda _: truth)
        app = view("Evaluation")
        assert "Expected calibration error" in words(app)

        by_key(app.multiselect, "learn_videos").set_value([]).run()
        press(press(app, "learn"), "learn_use")
        assert saved(taught).settings.logit_scale == 200
