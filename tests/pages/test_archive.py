"""The Archive page without a browser: categories, filters, moments, saving, true categories, and Search's facet."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lib.core.errors import Cancelled
from lib.prompts.model import Settings
from lib.services import categories, experiments
from lib.services.experiments import PromptRow
from lib.ui.archive import classification
from lib.ui.session import cache
from tests.helpers.http import wait_for
from tests.helpers.pages import Bench, add_video, by_key, open_page, saved, words
from tests.helpers.videos import BLUE, GREEN, RED

pytestmark = pytest.mark.usefixtures("framed")
PAGE = "pages/archive.py"
ROWS = (PromptRow(label="red"), PromptRow(label="green", role="restricted"), PromptRow(label="blue"))


@pytest.fixture
def archive(bench: Bench) -> Bench:
    """The bench with three more videos; green is restricted."""
    experiments.save(
        bench.store.home, replace(bench.experiment, rows=ROWS, settings=Settings(score="cosine", decision="best"))
    )
    for name, colours in {"reds": (RED,), "blues": (BLUE, BLUE, RED), "greens": (GREEN, GREEN, BLUE)}.items():
        add_video(bench.store, bench.experiment.server_url, *[(colour, 20) for colour in colours], name=name)
    return bench


def sha256_of(bench: Bench, name: str) -> str:
    return next(video.sha256 for video in bench.store.videos() if video.name == f"{name}.mp4")


def table(app):
    return app.dataframe[0].value


def test_videos_that_are_not_embedded_yet_are_embedded_from_the_page(archive):
    add_video(archive.store, archive.experiment.server_url, (GREEN, 13), name="new", embed=False)
    app = open_page(PAGE)
    assert by_key(app.button, "embed_all_missing").label == "Embed all that is missing (1 video)"
    by_key(app.button, "embed_all_missing").click()
    app.run()
    wait_for(lambda: not cache.embedding_queue().busy)
    app = as_table(app)
    assert "new.mp4" in set(table(app)["name"])
    assert not [button for button in app.button if button.key == "embed_all_missing"]


def as_table(app):
    app.session_state["archive_form"] = "Table"
    return app.run()


def test_an_empty_home_shows_the_way_on():
    app = open_page(PAGE, experiment=None)
    assert not app.exception
    assert "Library" in words(app) + str([link.proto for link in app.get("page_link")])


def test_each_video_has_its_category_and_what_is_restricted_is_flagged(archive):
    app = as_table(open_page(PAGE))
    assert not app.exception
    frame = table(app).set_index("name")
    assert frame.loc["reds.mp4", "category"] == "red"
    assert frame.loc["blues.mp4", "category"] == "blue"
    assert frame.loc["greens.mp4", ["category", "restricted"]].tolist() == ["green", "green"]
    assert frame.loc["reds.mp4", "restricted"] == ""
    assert frame.loc["blues.mp4", "share"] == 0.67
    assert "2 with something restricted" in words(app)


def test_filters_are_kept_over_a_page_switch(archive):
    app = as_table(open_page(PAGE))
    app.session_state["archive_categories_share"] = ["blue"]
    app.run()
    assert table(app)["name"].tolist() == ["blues.mp4", "colours.mp4"]
    app.switch_page("pages/search.py").run()
    app.switch_page(PAGE).run()
    assert table(app)["name"].tolist() == ["blues.mp4", "colours.mp4"]
    app.session_state["archive_restricted"] = True
    app.run()
    assert table(app)["name"].tolist() == ["colours.mp4"]
    app.session_state["archive_text"] = "reds"
    app.run()
    assert "No video meets all of these conditions" in words(app)


def test_an_edit_changes_the_categories(archive):
    here = saved(archive)
    experiments.save(archive.store.home, replace(here, rows=(PromptRow(label="ruby", texts=("red",)), *ROWS[1:])))
    frame = table(as_table(open_page(PAGE))).set_index("name")
    assert frame.loc["reds.mp4", "category"] == "ruby"


def test_a_flag_opens_its_moment_in_explore_with_the_same_prompts(archive):
    app = open_page(PAGE)
    app.session_state["archive_chosen"] = greens = sha256_of(archive, "greens")
    app.run()
    next(button for button in app.button if button.key and button.key.startswith("archive_flag_green")).click().run()
    assert not app.exception
    here = app.session_state["session"].experiment
    assert here.video == greens
    assert app.session_state["archive_chosen"] is None  # the page, opened again, shows the cards
    assert [row.label for row in here.rows] == ["red", "green", "blue"]


def test_what_is_really_in_a_video_gives_accuracy_and_confusion(archive):
    app = open_page(PAGE)
    app.session_state["archive_chosen"] = reds = sha256_of(archive, "reds")
    app.run()
    by_key(app.selectbox, f"archive_true|{reds}").set_value("red").run()
    assert categories.true_categories(archive.store.home) == {reds: "red"}
    more = {sha256_of(archive, "blues"): "Blue", sha256_of(archive, "greens"): "forest"}
    categories.change_true_categories(archive.store.home, more)
    app.run()
    assert "**67 %**: 2 of 3 videos" in words(app)
    assert "forest" in words(app)


def test_saved_categories_are_chosen_deleted_and_a_condition_of_search(archive):
    app = open_page(PAGE)
    by_key(app.text_input, "archive_name").set_value("Colours")
    by_key(app.button, "archive_save").click().run()
    assert not app.exception
    (one,) = categories.saved(archive.store.home).categories
    assert one.name == "Colours"
    assert app.session_state["archive_prompts"] == f"saved:{one.id}"

    app.switch_page("pages/search.py").run()
    chosen = next(widget for widget in app.multiselect if widget.label == "Only videos of these categories")
    assert chosen.options == ["Colours: red", "Colours: green", "Colours: blue"]
    chosen.set_value([f"{one.id}:blue"]).run()
    assert not app.exception

    app.switch_page(PAGE).run()
    by_key(app.button, "archive_delete").click().run()
    assert categories.saved(archive.store.home).categories == ()
    assert not app.exception


def test_without_prompts_of_its_own_the_page_opens_with_saved_categories(archive):
    current = experiments.load(archive.store.home, archive.experiment.id)
    one = categories.save(archive.store.home, "Colours", "clip/ViT-B-16", current.prompt_set()[0])
    experiments.save(archive.store.home, replace(current, rows=()))

    app = open_page(PAGE)
    assert app.session_state["archive_prompts"] == f"saved:{one.id}"
    assert "No prompt is switched on" not in words(app)


def test_many_videos_are_classified_in_the_background(archive, monkeypatch):
    monkeypatch.setattr(classification, "_AT_ONCE", 0)
    app = open_page(PAGE)
    assert "follow in the background" in words(app)
    wait_for(lambda: not any(job.live for job in cache.jobs().jobs()))
    app = as_table(app)
    assert len(table(app)) == 4


def test_filters_of_other_words_are_let_go(archive):
    app = as_table(open_page(PAGE))
    app.session_state["archive_categories_share"] = ["blue"]
    app.session_state["archive_label"] = "blue"
    app.run()
    assert table(app)["label_share"].tolist() == pytest.approx([2 / 3, 1 / 3], abs=0.05)
    app.session_state["session"].change(rows=(PromptRow(label="red"), PromptRow(label="green")))
    app.run()
    assert not app.exception
    assert len(table(app)) == 4


def test_a_cancelled_classification_can_be_tried_again(archive, monkeypatch):
    monkeypatch.setattr(classification, "_AT_ONCE", 0)

    def stopped(*args, **options):
        raise Cancelled("Stopped; the videos that are done are kept.")

    with monkeypatch.context() as patched:
        patched.setattr(classification, "classify", stopped)
        app = open_page(PAGE)
        wait_for(lambda: not any(job.live for job in cache.jobs().jobs()))
        app.run()
    assert "Stopped" in words(app)
    by_key(app.button, "archive_retry").click().run()
    wait_for(lambda: not any(job.live for job in cache.jobs().jobs()))
    assert not app.exception


def test_a_failing_engine_is_a_sentence(archive):
    here = saved(archive)
    experiments.save(
        archive.store.home, replace(here, rows=(PromptRow(label="new words"),), server_url="http://127.0.0.1:9")
    )
    app = open_page(PAGE)
    assert not app.exception
    assert app.error
