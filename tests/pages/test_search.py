"""The Search page without a browser: it finds what the command line finds, and says what to do where it can't."""

from __future__ import annotations

import dataclasses
import io
import json
import time

import numpy as np
import pytest
from PIL import Image

from lib.core.errors import Cancelled
from lib.core.formatting import escape_markdown
from lib.core.sampling import Sampling
from lib.engines.registry import make_engine
from lib.infra.files import write_atomically
from lib.ingest.ingest import ingest
from lib.search.options import SearchOptions
from lib.search.query import parse_query
from lib.services import experiments
from lib.services.experiments import PromptRow
from lib.services.jobs import Job
from lib.services.search import IndexProgress, IndexState, search
from lib.store.staging import Batch
from lib.ui.search.state import Search, folder, load
from lib.ui.session import cache
from tests.helpers.pages import EXPERIMENT, add_video, lay_out, open_page, passed, saved, words
from tests.helpers.videos import BLUE, GREEN, make_video, scenes

pytestmark = pytest.mark.usefixtures("framed")
PAGE = "pages/search.py"


@pytest.fixture
def two(bench, server):
    """A second video: blue, then green."""
    return add_video(bench.store, server.url, (BLUE, 20), (GREEN, 20))


@pytest.fixture
def unfolded(bench):
    """The two videos' scenes look the same; show both."""
    path = folder(bench.store.home) / f"{EXPERIMENT}.json"
    write_atomically(path, json.dumps(Search(fold=False).to_dict()))
    return dataclasses.replace(Search().rules, fold=None)


def component(app, name: str):
    """Return what Python passes to the one component that has a field called ``name``; None without it."""
    return next(iter(passed(app, name)), None)


def type_words(app, text: str, *, go: bool = True):
    box = component(app, "max_length")
    number = app.session_state["search_page"].ack + 1
    app.session_state["search_box"] = {"sent": {"of": box["of"], "number": number, "text": text, "go": go}}
    return app.run()


def want(app, kind: str, rank: int = 0):
    hit = component(app, "moments")["moments"][rank]
    action = {"kind": kind, "id": hit["id"], "video": hit["video"], "n": f"{kind}{rank}"}
    app.session_state["search_moments"] = {"action": action}
    return app.run()


def shown(app):
    """Return what is on screen: start, end and score of each moment, in order."""
    return [(hit["video"], hit["start"], hit["end"], hit["score"]) for hit in component(app, "moments")["moments"]]


def expected(bench, query, engine_url, **options):
    engine = make_engine(engine_url, model_version="ViT-B-32")
    found = search(bench.store, engine, query, SearchOptions(**options))
    return [(one.sha256, one.start_s, one.end_s, f"{one.score:.2f}".replace("-", "−")) for one in found.reaching]


@pytest.mark.parametrize(("text", "start_s"), [("red", 0.0), ("green", 3.0), ("blue", 6.0)])
def test_typed_words_show_the_right_moment_first(bench, text, start_s):
    app = type_words(open_page(PAGE), text)

    assert not app.exception
    first = component(app, "moments")["moments"][0]
    assert (first["start"], first["end"]) == (start_s, start_s + 3.0)
    assert component(app, "moments")["videos"][bench.video.sha256]["src"].startswith("/promptreel/video/")
    assert "in 1 video, best first" in words(app)


@pytest.mark.parametrize("text", ["green", "blue - green", "red, or something like it", "blue -red -green"])
def test_the_page_finds_what_the_command_lines_function_finds(bench, two, server, text):
    app = type_words(open_page(PAGE), text)
    assert shown(app) == expected(bench, parse_query(text), server.url)
    assert len(shown(app)) >= 1


def test_a_frame_alone_and_with_words_and_a_part_of_it(bench, two, unfolded):
    app = open_page(PAGE)
    app.selectbox(key="search_frame_video").set_value(bench.video.sha256).run()
    app.slider(key=f"search_frame_time.{bench.video.sha256[:12]}").set_value(4.5).run()
    app.button(key="search_frame").click().run()
    assert not app.exception
    assert {(hit["start"], hit["end"]) for hit in component(app, "moments")["moments"][:2]} == {
        (3.0, 6.0),
        (2.0, 4.0),
    }
    alone = shown(app)
    framed = [(hit["video"], hit["start"], hit["end"]) for hit in component(app, "moments")["moments"] if hit["own"]]
    assert framed == [(bench.video.sha256, 3.0, 6.0)]

    type_words(app, "blue")
    assert shown(app) != alone
    picture = component(app, "region")
    sent = {"of": picture["of"], "number": picture["ack"] + 1, "region": [0.1, 0.2, 0.6, 0.7]}
    app.session_state["search_region"] = {"region": sent}
    app.run().run()
    assert component(app, "region")["region"] == [0.1, 0.2, 0.6, 0.7]
    assert load(bench.store.home, EXPERIMENT).picture.region == (0.1, 0.2, 0.6, 0.7)
    assert not app.error


def test_an_uploaded_picture_is_searched_for(bench):
    app = open_page(PAGE)
    buffer = io.BytesIO()
    Image.new("RGB", (320, 240), BLUE).save(buffer, "PNG")
    app.file_uploader(key="search_upload.0").upload("sky *1*.png", buffer.getvalue(), "image/png").run()

    assert not app.exception
    assert component(app, "moments")["moments"][0]["start"] == 6.0
    assert escape_markdown("Picture: sky *1*.png") in words(app)
    app = open_page(PAGE)  # a reload
    assert component(app, "moments")["moments"][0]["start"] == 6.0


def test_what_is_no_picture_is_one_sentence_and_changes_nothing(bench):
    app = type_words(open_page(PAGE), "green")
    before = shown(app)
    app.file_uploader(key="search_upload.0").upload("sky.png", b"not a picture", "image/png").run()

    (error,) = [error.value for error in app.error]
    assert error == "“sky.png” is not a readable picture; choose a JPEG, PNG, WebP, GIF or BMP file."
    assert shown(app) == before


def test_options_change_the_moments_and_outlive_page_switches_and_reloads(bench, two, server, unfolded):
    app = type_words(open_page(PAGE), "green")
    (top,) = [one for one in app.number_input if one.label == "Moments at most"]
    top.set_value(3).run()
    (cap,) = [one for one in app.number_input if one.label == "Per video at most"]
    cap.set_value(1).run()
    options = {"top": 3, "per_video": 1, "rules": unfolded}
    assert shown(app) == expected(bench, parse_query("green"), server.url, **options)
    assert len(shown(app)) == 2
    app.switch_page("pages/explore.py").run()
    app.switch_page(PAGE).run()
    assert len(shown(app)) == 2
    app = open_page(PAGE)

    assert len(shown(app)) == 2
    assert component(app, "max_length")["text"] == "green"
    (cap,) = [one for one in app.number_input if one.label == "Per video at most"]
    assert cap.value == 1


def test_chosen_videos_only_are_searched(bench, two, unfolded):
    app = type_words(open_page(PAGE), "green")
    assert {hit["video"] for hit in component(app, "moments")["moments"]} == {bench.video.sha256, two.sha256}
    (videos,) = app.main.multiselect
    videos.set_value([two.sha256]).run()
    assert {hit["video"] for hit in component(app, "moments")["moments"]} == {two.sha256}


def test_the_threshold_is_dragged_on_the_histogram(bench, two, server):
    app = type_words(open_page(PAGE), "green")
    spread = component(app, "suggestion")
    assert sum(spread["counts"]) == pytest.approx(18 + 8, abs=0.5)
    sent = {"of": spread["of"], "number": spread["ack"] + 1, "value": 0.9}
    app.session_state["search_threshold"] = {"moved": sent}
    app.run()

    assert component(app, "suggestion")["threshold"] == 0.9
    assert shown(app) == expected(bench, parse_query("green"), server.url, threshold=0.9)
    app.session_state["search_threshold"] = {"moved": {**sent, "number": sent["number"] + 1, "value": 19.0}}
    app.run()
    assert "lower it" in component(app, "moments")["empty"]


def test_moving_the_threshold_asks_the_engine_for_nothing(bench, server):
    app = type_words(open_page(PAGE), "green")
    server.reset()
    spread = component(app, "suggestion")
    app.session_state["search_threshold"] = {"moved": {"of": spread["of"], "number": spread["ack"] + 1, "value": 0.5}}
    app.run()
    assert component(app, "suggestion")["threshold"] == 0.5
    assert server.seen == []


def test_the_templates_rules_are_one_press_away(bench):
    app = type_words(open_page(PAGE), "green")
    app.button(key="search_template").click().run()

    assert not app.exception
    assert component(app, "suggestion")["threshold"] == 0.25
    (lone,) = [one for one in app.toggle if one.label == "Hide single-frame hits"]
    assert lone.value is True
    spread = component(app, "suggestion")
    sent = {"of": spread["of"], "number": spread["ack"] + 1, "value": 1.0}
    app.session_state["search_threshold"] = {"moved": sent}
    app.run()
    assert "show single-frame hits" in component(app, "moments")["empty"]


def test_more_like_this_finds_the_same_scene_in_the_other_video(bench, two, unfolded):
    app = type_words(open_page(PAGE), "green")
    want(app, "like")

    assert not app.exception
    assert component(app, "max_length")["text"] == ""
    assert "More like 0:0" in words(app)
    moments = [(hit["video"], hit["start"]) for hit in component(app, "moments")["moments"]]
    assert moments[0] == (two.sha256, 2.0)
    assert (bench.video.sha256, 3.0) not in moments  # what it is more like of
    assert "Original moment hidden" in words(app)
    app.button(key="search_back").click().run()
    assert component(app, "max_length")["text"] == "green"


def test_a_video_without_its_file_offers_no_frames(bench):
    (info,) = bench.store.embeddings()
    key = dataclasses.replace(info.key, sha256="0" * 64)
    rows = bench.store.load(info.key).vectors[12:]  # the blue ones
    frames = np.arange(len(rows)) * 5
    batch = Batch(frames, frames / 10, rows, [None] * len(rows))
    bench.store.put(
        key,
        [batch],
        engine_name=info.engine_name,
        dim=info.dim,
        end_s=3.0,
        without_file=("results.json", 1),
    )
    bench.store.delete_video(bench.video.sha256)
    app = type_words(open_page(PAGE), "blue")
    assert not app.exception
    assert "imported without its video has no frames" in words(app)
    assert not [one for one in app.selectbox if one.key == "search_frame_video"]
    (clip,) = component(app, "moments")["videos"].values()
    assert clip["src"] is None
    assert clip["problem"]
    want(app, "like")

    assert not app.exception
    assert "More like" in words(app)
    assert "search_like_part" not in [button.key for button in app.button]


def test_words_wait_for_the_phrases_that_scores_are_compared_with(home, server, monkeypatch):
    monkeypatch.setattr("lib.ui.background.reference_phrases._AT_ONCE_S", 0.0)
    monkeypatch.setattr("tests.helpers.pages.PHRASES", ())
    lay_out(home, server.url)
    app = type_words(open_page(PAGE), "green")

    assert not app.exception
    assert "The moments appear when that is done" in words(app)
    assert component(app, "moments") is None
    job = _phrases_job()
    assert job.wait(30)
    assert job.state == "done"
    app.run()
    assert "by relative score" in words(app)
    assert component(app, "moments")["moments"][0]["start"] == 3.0
    cache.jobs().dismiss(job.id)


def test_phrases_that_did_not_come_can_be_tried_again(home, server, monkeypatch):
    def fail(engine, *, on_progress, cancel):
        raise Cancelled("That was cancelled.")

    monkeypatch.setattr("lib.ui.background.reference_phrases._AT_ONCE_S", 0.0)
    monkeypatch.setattr("tests.helpers.pages.PHRASES", ())
    lay_out(home, server.url)
    with monkeypatch.context() as patch:
        patch.setattr("lib.ui.background.reference_phrases._work", fail)
        app = type_words(open_page(PAGE), "green")
        assert _phrases_job().wait(30)
        app.run()
    assert "That was cancelled." in words(app)
    app.button(key="search_phrases_again").click().run()
    job = _phrases_job()
    assert job.wait(30)
    app.run()

    assert "by relative score" in words(app)
    cache.jobs().dismiss(job.id)


def _phrases_job() -> Job:
    *_, job = (job for job in cache.jobs().jobs() if isinstance(job.key, tuple) and job.key[0] == "reference")
    return job


def test_without_the_phrases_words_can_be_ranked_by_cosine(home, server, monkeypatch):
    from lib.ui.background import reference_phrases

    monkeypatch.setattr(reference_phrases, "are_ready", lambda engine: False)
    monkeypatch.setattr(reference_phrases, "problem", lambda engine: "The server is gone; start it.")
    lay_out(home, server.url)
    app = type_words(open_page(PAGE), "green")
    assert [error.value for error in app.error] == [
        "The phrases that scores are compared with are missing. The server is gone; start it."
    ]
    app.button(key="search_by_cosine").click().run()

    assert not app.error
    assert "by cosine" in words(app)
    first = component(app, "moments")["moments"][0]
    assert (first["start"], first["about"]) == (3.0, f"Cosine with the query, at {first['at']}")
    assert component(app, "suggestion")["digits"] == 3
    (toggle,) = [one for one in app.toggle if one.label == "Rank words by cosine"]
    assert toggle.value is True
    monkeypatch.setattr(reference_phrases, "are_ready", lambda engine: True)
    toggle.set_value(False).run()
    assert "by relative score" in words(app)
    assert "Cosine" in component(app, "moments")["moments"][0]["about"]
    assert component(app, "suggestion")["digits"] == 2


def test_the_first_search_of_a_large_library_shows_its_progress(bench, two, server, monkeypatch):
    from lib.ui.search import run

    drawn = []
    progress = run.DeltaGenerator.progress
    monkeypatch.setattr(
        run.DeltaGenerator,
        "progress",
        lambda at, value, text=None: (drawn.append((value, text)), progress(at, value, text))[1],
    )
    monkeypatch.setattr(run, "_PROGRESS_FROM", 20)
    app = type_words(open_page(PAGE), "green")
    assert not app.exception
    assert drawn[0] == (0.0, "Before the first search: 0 of 26 samples prepared")
    assert [value for value, _ in drawn][1:] in ([18 / 26], [8 / 26])
    assert "Before the first" not in "".join(str(element.proto) for element in app.get("progress"))
    assert shown(app) == expected(bench, parse_query("green"), server.url)
    drawn.clear()
    type_words(app, "blue")

    assert drawn == []


def test_the_words_become_prompts_in_explore(bench, two):
    app = type_words(open_page(PAGE), "turquoise - RED - night")
    video = component(app, "moments")["moments"][0]["video"]
    want(app, "prompt")

    assert not app.exception
    assert app.title[0].value == "Explore"
    begun = app.session_state["session"].experiment
    assert [row.label for row in begun.rows] == ["turquoise", "RED", "night", "something else"]
    assert [row.role for row in begun.rows] == ["target", "background", "background", "background"]
    assert begun.video == video
    assert begun.settings.decision == "best_threshold"
    assert saved(bench) == bench.experiment
    assert "This is a new experiment; “colours · colours.mp4” is as it was." in words(app)
    assert component(app.switch_page(PAGE).run(), "moments")["moments"][0]["video"] == video  # the search goes on


def test_words_too_long_for_a_label_are_told_and_not_cut(bench, two):
    app = type_words(open_page(PAGE), "red " + "x" * 600)
    want(app, "prompt")

    assert "these words have 604; shorten them" in app.error[0].value
    assert [row.label for row in saved(bench).rows] == ["red", "green", "blue"]


def test_a_moment_opens_in_explore_at_its_time(bench, two):
    app = type_words(open_page(PAGE), "blue")
    hit = component(app, "moments")["moments"][0]
    want(app, "explore")

    assert app.title[0].value == "Explore"
    assert saved(bench).video == hit["video"]
    seek = app.session_state["session"].seek_s
    assert hit["start"] <= seek < hit["end"]
    assert [row.label for row in saved(bench).rows] == ["red", "green", "blue"]


def test_a_picture_has_no_words_to_become_a_prompt(bench):
    app = want(type_words(open_page(PAGE), "green"), "crop")
    assert not app.exception
    assert component(app, "region")["url"].startswith("/promptreel/thumb/")
    assert "needs words" in component(app, "moments")["unpromptable"]


def test_an_empty_library_shows_the_way_on():
    app = open_page(PAGE, experiment=None)
    assert not app.exception
    assert "no video to search yet" in words(app)


def test_nothing_embedded_is_one_sentence_and_one_button_embeds_everything(home, server):
    bench = lay_out(home, server.url, embed=False)
    app = type_words(open_page(PAGE), "green")
    assert "Nothing is embedded with" in words(app)
    assert component(app, "moments") is None
    app.button(key="embed_missing").click().run()

    deadline = time.monotonic() + 30
    while not any(info.complete for info in bench.store.embeddings()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert component(app.run(), "moments")["moments"][0]["start"] == 3.0


def test_a_video_that_is_not_embedded_is_reported(bench):
    bench.store.add_file(
        make_video(bench.store.home.parent / "more.mp4", colours=scenes((BLUE, 10)), size=(128, 96), rate=10)
    )
    app = type_words(open_page(PAGE), "green")
    assert "1 video is not embedded with it" in words(app)
    assert len(component(app, "moments")["moments"]) >= 1


def test_only_the_own_engines_vectors_are_searched_and_others_are_offered(bench):
    ingest(bench.store, bench.video, make_engine("demo"), Sampling.every(5))
    app = type_words(open_page(PAGE), "green")
    assert "only compared with vectors of its own engine" in words(app)
    assert "18 samples of 1 video" in words(app)
    (other,) = [button for button in app.button if button.key and button.key.startswith("choose_demo")]
    other.click().run()

    assert not app.exception
    assert saved(bench).engine == "demo"
    assert "Demo model" in "".join(button.label for button in app.button) + words(app)
    assert [button.key for button in app.button if button.key and button.key.startswith("choose_clip")]


def test_an_engine_that_is_down_is_one_sentence_and_known_words_still_work(bench, server):
    app = type_words(open_page(PAGE), "green")
    before = shown(app)
    server.__exit__(None, None, None)
    type_words(app, "never typed before")
    (error,) = [error.value for error in app.error]
    assert server.url in error
    assert "\n" not in error
    assert component(app, "moments") is None
    type_words(app, "green")

    assert not app.error
    assert shown(app) == before


def test_words_that_avoid_everything_are_a_sentence(bench):
    app = type_words(open_page(PAGE), "- green")
    assert not app.exception
    (error,) = [error.value for error in app.error]
    assert "\n" not in error


def test_no_key_is_in_the_searchs_files_or_the_address(bench, home):
    app = open_page(PAGE)
    (field,) = [one for one in app.sidebar.text_input if one.key and one.key.startswith("server_key")]
    field.set_value("key-that-must-not-leak").run()
    type_words(app, "green")
    files = [path for path in home.rglob("*") if path.is_file()]

    assert (home / "searches" / f"{EXPERIMENT}.json").exists()
    assert not [path for path in files if b"key-that-must-not-leak" in path.read_bytes()]
    assert "key-that-must-not-leak" not in str(app.query_params)


def test_large_libraries_wait_for_enter(bench, monkeypatch):
    from lib.ui.search import scope

    monkeypatch.setattr(scope, "LIVE_SAMPLES", 10)
    app = open_page(PAGE)
    assert component(app, "max_length")["live"] is False
    type_words(app, "gree", go=False)
    assert component(app, "moments") is None
    assert load(bench.store.home, EXPERIMENT).text == "gree"
    type_words(app, "green")
    assert component(app, "moments")["moments"][0]["start"] == 3.0


def test_a_large_librarys_index_is_built_once_in_the_background(bench, monkeypatch):
    from lib.ui.search import scope
    from lib.ui.session import cache

    built = []

    def build(store, engine_id, *, on_progress, cancel):
        built.append(engine_id)
        on_progress(IndexProgress("collecting", 9, 18))
        return IndexState(18, 0, False)

    monkeypatch.setattr(scope, "LIVE_SAMPLES", 10)
    monkeypatch.setattr(scope, "index_state", lambda store, engine_id: IndexState(0, 18, not built))
    monkeypatch.setattr(scope, "build_index", build)
    app = type_words(open_page(PAGE), "green")
    job = next(job for job in cache.jobs().jobs() if job.key == ("index", "clip/ViT-B-32"))
    assert job.wait(20)
    app.run()

    assert not app.exception
    assert built == ["clip/ViT-B-32"]
    assert job.progress.done == 9
    assert component(app, "moments")["moments"][0]["start"] == 3.0


def test_a_search_belongs_to_its_experiment(bench, home):
    type_words(open_page(PAGE), "green")
    other = dataclasses.replace(bench.experiment, id="other1other2")
    experiments.save(home, other)
    app = open_page(PAGE, experiment=other.id)
    assert component(app, "max_length")["text"] == ""


def test_words_from_the_prompt_table_are_offered(bench):
    experiments.save(bench.store.home, dataclasses.replace(bench.experiment, rows=(PromptRow(label="blue"),)))
    app = open_page(PAGE)
    app.button(key="search_example_0").click().run()
    assert component(app, "max_length")["text"] == "blue"
    assert component(app, "moments")["moments"][0]["start"] == 6.0


def test_pictures_reach_the_engine_as_they_are(bench, monkeypatch):
    from lib.services import search
    from lib.ui.search import run

    asked = []
    original = search.query_vector

    def query_vector(engine, store, query):
        asked.append(query)
        return original(engine, store, query)

    monkeypatch.setattr(run, "query_vector", query_vector)
    want(type_words(open_page(PAGE), "green"), "crop")
    (image,) = asked[-1].images
    assert image.shape == (96, 128, 3)
    assert np.abs(image.reshape(-1, 3).mean(axis=0) - GREEN).max() < 30


def test_automatic_lists_what_reaches_the_cut_and_the_rest_on_demand(bench, two, server):
    app = type_words(open_page(PAGE), "green")
    found = search(bench.store, make_engine(server.url, model_version="ViT-B-32"), parse_query("green"))
    below = len(found.moments) - len(found.reaching)
    assert below > 0
    assert len(shown(app)) == len(found.reaching)

    (toggle,) = [one for one in app.toggle if one.label.startswith(f"Show {below} more below ")]
    toggle.set_value(True).run()
    assert len(shown(app)) == len(found.moments)
    assert len(shown(type_words(app, "red"))) < len(found.moments)  # another query begins at its cut
