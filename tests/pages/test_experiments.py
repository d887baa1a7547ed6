"""Experiments are found, named, begun, copied, deleted and brought back; none is ever written over."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
import streamlit

from lib.core.labelled_intervals import TrueSegment
from lib.engines.registry import make_engine
from lib.ingest.ingest import ingest
from lib.services import catalogue, experiments
from lib.services.experiments import Experiment, PromptRow
from lib.store.store import Store, embed_texts_cached
from lib.ui.session.folders import SAMPLES
from tests.helpers.pages import (
    BLUE,
    COLOURS,
    RED,
    add_video,
    by_key,
    edit_prompts,
    open_page,
    passed,
    press,
    put_truth,
    saved,
    words,
)

pytestmark = pytest.mark.usefixtures("framed")
LIBRARY = "pages/library.py"


def here(app) -> Experiment:
    return app.session_state["session"].experiment


def labels(experiment: Experiment) -> list[str]:
    return [row.label for row in experiment.rows]


def twelve(bench) -> list[str]:
    """Write eleven more experiments, one a minute, the first one first."""
    ids = []
    for number in range(11):
        one = replace(
            bench.experiment, id=f"number{number:02}", title=f"Try {number}", note="at dusk" if number == 7 else ""
        )
        experiments.save(bench.store.home, one)
        os.utime(experiments.path_of(bench.store.home, one.id), (1e9 + 60 * number,) * 2)
        ids.append(one.id)
    return ids


def type_words(app, text: str) -> None:
    """Type into the search above the list; nobody presses Enter."""
    (box,) = passed(app, "live")
    assert box["live"]
    sent = {"of": box["of"], "number": box["ack"] + 1, "text": text, "go": True}
    app.session_state["experiments_search"] = {"sent": sent}
    app.run()


def listed(app) -> list[str]:
    return [button.key.removeprefix("continue_") for button in app.button if button.key.startswith("continue_")]


def test_one_of_twelve_is_found_by_any_of_its_words_and_opened(bench):
    ids = twelve(bench)
    app = open_page(LIBRARY)
    assert len(listed(app)) == 10

    type_words(app, "DUSK colours.mp4 green")
    assert listed(app) == [ids[7]]
    press(app, f"continue_{ids[7]}")

    assert app.title[0].value == "Explore"
    assert here(app).title == by_key(app.text_input, "title").value == "Try 7"
    assert app.query_params["experiment"] in (ids[7], [ids[7]])


def test_starred_ones_come_first_and_each_order_sorts(bench):
    ids = twelve(bench)
    app = press(open_page(LIBRARY), f"star_{ids[3]}")

    assert experiments.load(bench.store.home, ids[3]).starred
    assert listed(app)[0] == ids[3]
    app.selectbox(key="experiments_order").set_value("Title, starred first").run()
    assert listed(app)[:4] == [ids[3], bench.experiment.id, ids[0], ids[1]]
    app.toggle(key="experiments_starred").set_value(True).run()
    assert listed(app) == [ids[3]]


def test_hundreds_are_drawn_a_page_at_a_time(bench):
    for number in range(30):
        experiments.save(bench.store.home, replace(bench.experiment, id=f"number{number:02}"))

    assert len(listed(open_page(LIBRARY))) == 10


def test_the_score_in_the_list_is_that_of_now(bench):
    with_truth = [TrueSegment(label, 3.0 * n, 3.0 * n + 3) for n, label in enumerate(COLOURS)]
    open_page()  # has the words embedded
    app = open_page(LIBRARY)
    assert scores(app) == ["–"]

    put_truth(bench, *with_truth)
    assert scores(app.run()) == ["1.00"]
    put_truth(bench, *(replace(one, label="red") for one in with_truth))
    assert scores(app.run()) == ["0.50"]  # a third of the time, all of it right
    experiments.save(bench.store.home, replace(bench.experiment, sampling="stride-7"))
    assert scores(app.run()) == ["–"]  # of which nothing is embedded


def scores(app) -> list[str]:
    found = [element.value for element in app.caption]
    return [value for value in found if value == "–" or value[:2] in ("0.", "1.")]


def test_what_is_renamed_in_the_list_is_named_so_in_explore(bench):
    ids = twelve(bench)
    app = open_page(LIBRARY)
    for renamed in (bench.experiment.id, ids[10]):
        by_key(app.text_input, f"title_of_{renamed}").set_value(" The *good* one ").run()
        assert experiments.load(bench.store.home, renamed).title == "The *good* one"

    assert by_key(app.switch_page("pages/explore.py").run().text_input, "title").value == "The *good* one"


def test_title_and_note_are_edited_in_explore(bench):
    app = open_page()
    assert by_key(app.text_input, "title").placeholder == "colours"
    by_key(app.text_input, "title").set_value(" Mine ").run()
    by_key(app.text_area, "note").set_value("why").run()
    press(app, "star")

    assert (saved(bench).title, saved(bench).note, saved(bench).starred) == ("Mine", "why", True)


def test_new_begins_beside_the_old_one_and_is_saved_once_there_is_something_in_it(bench):
    app = press(open_page(), "new_experiment")

    assert here(app) == replace(Experiment(here(app).id), **kept(bench.experiment), created_at=here(app).created_at)
    assert saved(bench) == bench.experiment
    assert experiments.load(bench.store.home, here(app).id) is None
    edit_prompts(app, PromptRow(label="green"))
    assert labels(experiments.load(bench.store.home, here(app).id)) == ["green"]
    press(app, "notice_offer_take")
    assert here(app) == bench.experiment


def kept(experiment: Experiment) -> dict[str, object]:
    names = ("video", "engine", "server_url", "model_version", "model", "sampling")
    return {name: getattr(experiment, name) for name in names}


def test_a_duplicate_has_a_side_b_of_its_own(bench):
    beside = replace(bench.experiment, id="bbbbbb", rows=(PromptRow(label="blue"),), side="b")
    experiments.save(bench.store.home, beside)
    experiments.save(bench.store.home, replace(bench.experiment, title="Mine", beside="bbbbbb"))

    app = press(open_page(), "duplicate_experiment")

    assert (here(app).title, labels(here(app))) == ("Mine (copy)", list(COLOURS))
    copied = experiments.load(bench.store.home, here(app).beside)
    assert copied == replace(beside, id=copied.id)
    assert copied.id != "bbbbbb"


def test_a_deleted_experiment_comes_back_by_undo_also_after_a_reload(bench):
    app = press(open_page(), "delete_experiment")
    assert "“colours · colours.mp4” is deleted." in words(app)
    assert here(app).id != bench.experiment.id
    assert here(app).video == bench.video.sha256
    assert experiments.load(bench.store.home, bench.experiment.id) is None
    press(app, "notice_offer_take")
    assert here(app) == saved(bench) == bench.experiment

    press(app, "delete_experiment")
    app = open_page(LIBRARY, experiment=None)
    assert listed(app) == []
    press(app, f"restore_{bench.experiment.id}")
    assert listed(app) == [bench.experiment.id]


def test_delete_in_the_list_leaves_the_tab_where_it_is(bench):
    ids = twelve(bench)
    app = press(open_page(LIBRARY), f"delete_{ids[2]}")

    assert here(app) == bench.experiment
    assert ids[2] not in listed(app)
    press(app, "notice_offer_take")
    assert ids[2] in listed(app)


def test_what_another_tab_has_open_is_said_and_comes_back_by_its_next_edit(bench):
    first, second = open_page(), open_page()
    by_key(first.text_input, "title").set_value("Late").run()
    press(first, "delete_experiment")
    second.run()
    assert "deleted in another tab" in words(second)
    assert experiments.load(bench.store.home, bench.experiment.id) is None

    edit_prompts(second, PromptRow(label="green"))

    assert (saved(bench).title, labels(saved(bench))) == ("Late", ["green"])  # with what was done before
    assert "deleted in another tab" not in words(second.run())
    assert catalogue.deleted(bench.store.home, {}) == ()


def test_another_video_opens_its_own_experiment_or_begins_one_with_a_copy_of_the_prompts(bench, server):
    second = add_video(bench.store, server.url, (BLUE, 20), (RED, 20))
    app = open_page()
    by_key(app.selectbox, "video").set_value(second.sha256).run()
    begun = here(app)
    assert (begun.video, labels(begun)) == (second.sha256, list(COLOURS))
    assert begun.id != bench.experiment.id
    assert "with a copy of the prompts of “colours · colours.mp4”" in words(app)
    assert saved(bench) == bench.experiment
    edit_prompts(app, PromptRow(label="blue"))

    by_key(app.selectbox, "video").set_value(bench.video.sha256).run()
    assert here(app) == bench.experiment
    press(app, "notice_offer_take")  # the prompts of the other one after all
    assert (here(app).video, labels(here(app))) == (bench.video.sha256, ["blue"])
    by_key(app.selectbox, "video").set_value(second.sha256).run()
    assert here(app).id == begun.id
    assert saved(bench) == bench.experiment


def test_the_address_goes_to_the_experiment_that_back_names(bench):
    ids = twelve(bench)
    app = open_page(LIBRARY)
    press(app, f"continue_{ids[10]}")
    app.run()
    app.query_params["experiment"] = bench.experiment.id  # as Back does
    app.run()

    assert here(app) == bench.experiment
    assert app.query_params["experiment"] in (bench.experiment.id, [bench.experiment.id])


def test_an_experiment_whose_video_is_gone_is_kept_as_it_is(bench, server):
    add_video(bench.store, server.url, (BLUE, 20))
    bench.store.delete_video(bench.video.sha256)
    app = open_page()

    assert "isn’t in the library" in words(app)
    assert saved(bench) == bench.experiment


@pytest.fixture
def samples(home):
    """The home with two sample videos."""
    store = Store(home)
    return [store.add_file(SAMPLES / f"{name}.mp4") for name in ("room_walk", "night_drive_vfr")]


def open_sample(app, name: str):
    return press(app.switch_page(LIBRARY).run(), f"open_sample_{name}")


def test_each_sample_opens_with_its_own_prompts_and_goes_on_with_them(samples):
    own = [labels_of_sample(video) for video in samples]
    app = open_page(LIBRARY, experiment=None)
    first = here(open_sample(app, "room_walk"))
    assert (first.video, labels(first)) == (samples[0].sha256, own[0])

    second = here(open_sample(app, "night_drive_vfr"))
    assert (second.video, labels(second)) == (samples[1].sha256, own[1])
    app.session_state["session"].change(rows=(PromptRow(label="rain"),))

    assert here(open_sample(app, "room_walk")).id == first.id
    assert labels(here(open_sample(app, "night_drive_vfr"))) == ["rain"]
    assert here(app).id == second.id


def labels_of_sample(video) -> list[str]:
    return [prompt.label for prompt in catalogue.sample_prompts(video.path).prompts]


def test_a_sample_chosen_by_its_video_has_its_own_prompts_too(samples):
    app = open_page(LIBRARY, experiment=None)
    open_sample(app, "room_walk")
    by_key(app.selectbox, "video").set_value(samples[1].sha256).run()

    assert labels(here(app)) == labels_of_sample(samples[1])


def test_words_of_a_search_as_prompts_claim_the_time_that_is_true(home):
    """A glass of wine is on screen twice, for 4 s each; alone and under “best label” it would claim all of the reel."""
    from lib.core.sampling import Sampling
    from lib.services.stored_analysis import analyse_stored
    from lib.ui.search.results import prompts_of

    store, engine = Store(home), make_engine("demo")
    video, sampling = store.add_file(SAMPLES / "advert_reel.mp4"), Sampling.every(20)
    ingest(store, video, engine, sampling)
    prompt_set = prompts_of("glass of wine")
    embed_texts_cached(store, engine, prompt_set.texts_to_embed)
    found = analyse_stored(store, video, engine, sampling, prompt_set)

    seconds = sum(one.end_s - one.start_s for one in found.segments if one.label == "glass of wine")
    assert 7 < seconds < 9


def test_opening_is_said_before_anything_takes_time(home, monkeypatch):
    said = []
    real = Store.add_file
    monkeypatch.setattr(streamlit, "toast", lambda text, **_: said.append(text))
    monkeypatch.setattr(Store, "add_file", lambda *args, **fields: [said.append("added"), real(*args, **fields)][1])
    app = open_page(LIBRARY, experiment=None)
    open_sample(app, "five_scenes")

    assert said[:2] == ["Opening Five scenes…", "added"]
