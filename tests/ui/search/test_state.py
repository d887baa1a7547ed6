"""What is searched for, on disk and between browser and Python: nothing typed is lost, nothing old comes back."""

from __future__ import annotations

import dataclasses
import errno
import json

import pytest

from lib.infra.files import write_atomically
from lib.search.options import TEMPLATE_RULES, TEMPLATE_THRESHOLD, Rules
from lib.services.experiments import Experiment
from lib.store.store import Store
from lib.ui.components.search_box import SubmittedQuery
from lib.ui.search import state
from lib.ui.search.state import Picture, Search, SimilarTo
from lib.ui.session import state as experiment

EXPERIMENT = "abc123def456"
SEARCH = Search(
    text="a – “b” 🚗",
    asked="a",
    picture=Picture("x.png", "0" * 64, None, (0.1, 0.2, 0.5, 0.75)),
    like=SimilarTo("e" * 32, "1" * 64, 40, 1.6, "film.mp4"),
    videos=("1" * 64,),
    thresholds={"demo:1|text": 0.25},
    top=7,
    per_video=2,
    bridge_s=1.5,
    drop_lone=True,
    fold=False,
    view="Timelines",
)


class _Tab:
    """A browser tab: its session state, which a reload empties."""

    def __init__(self, store, monkeypatch):
        self.monkeypatch = monkeypatch
        monkeypatch.setattr(state.cache, "store", lambda: store)
        self.reload()

    def reload(self):
        class State(dict):
            def to_dict(self):
                return dict(self)

        held = State(session=experiment.Session(Experiment(EXPERIMENT)))
        self.monkeypatch.setattr(state.st, "session_state", held)

    def type(self, text, number, *, of=None, go=True):
        state.apply_submitted(SubmittedQuery(of or state.session().of, number, text, go))


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "home")


@pytest.fixture
def tab(store, monkeypatch):
    return _Tab(store, monkeypatch)


def test_a_search_is_the_same_after_a_way_through_json():
    assert Search.from_dict(json.loads(json.dumps(SEARCH.to_dict()))) == SEARCH
    assert Search.from_dict(json.loads(json.dumps(Search().to_dict()))) == Search()


@pytest.mark.parametrize(
    "spoilt",
    [
        "",
        "[]",
        "{}",
        '{"format": 2}',
        json.dumps({**SEARCH.to_dict(), "more": 1}),
        json.dumps({**SEARCH.to_dict(), "top": None}),
        json.dumps({**SEARCH.to_dict(), "top": 10**30}),
        json.dumps({**SEARCH.to_dict(), "bridge_s": -1}),
        json.dumps({**SEARCH.to_dict(), "thresholds": {"x": "y"}}),
        json.dumps(SEARCH.to_dict(), ensure_ascii=False)[:-1],
        '{"format": 1, "videos": 5}',
    ],
)
def test_a_damaged_search_is_kept_under_another_name_and_a_new_one_begun(tab, store, spoilt):
    path = state.folder(store.home) / f"{EXPERIMENT}.json"
    path.parent.mkdir()
    path.write_text(spoilt, encoding="utf-8")
    assert state.current() == Search()
    tab.type("red car", 1)

    assert path.with_name(state.session().aside).read_text(encoding="utf-8") == spoilt
    assert state.load(store.home, EXPERIMENT).asked == "red car"


def test_two_tabs_change_one_search_and_both_changes_live(tab, store):
    tab.type("red car", 1)
    path = state.folder(store.home) / f"{EXPERIMENT}.json"
    other = dataclasses.replace(state.load(store.home, EXPERIMENT), top=7, thresholds={"demo:1|text": 0.2})
    write_atomically(path, json.dumps(other.to_dict()))
    state.set_threshold("demo:1|like", 0.4)
    here = state.load(store.home, EXPERIMENT)

    assert here == state.current()
    assert (here.top, here.asked) == (7, "red car")
    assert here.thresholds["demo:1|text"] == 0.2
    assert len(here.thresholds) == 2
    assert state.session().conflict is None


def test_a_search_that_cannot_be_saved_stays_and_is_saved_later(tab, store, monkeypatch):
    with monkeypatch.context() as full:
        full.setattr(state.documents, "write_document", _no_room)
        tab.type("red car", 1)
        assert state.current().asked == "red car"
        assert "disk is full" in state.session().unsaved
    state.session().refresh()

    assert state.session().unsaved is None
    assert state.load(store.home, EXPERIMENT).asked == "red car"


def _no_room(*_, **__):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_words_and_options_outlive_a_reload(tab):
    tab.type("red car", 1)
    state.change(top=5, per_video=1, view="Timelines")
    state.set_threshold("demo:1", 0.3)
    before = state.current()
    tab.reload()

    assert state.current() == before
    assert before.asked == "red car"
    assert before.thresholds == {"demo:1|text|relative": 0.3}


def test_a_cosine_saved_before_there_were_relative_scores_stays_a_cosine(tab, store):
    saved = Search(asked="red car", thresholds={"demo:1|text": 0.25}).to_dict()
    del saved["cosine"]
    write_atomically(state.folder(store.home) / f"{EXPERIMENT}.json", json.dumps(saved))
    search = state.current()

    assert search.score_kind == "relative"
    assert search.thresholds.get(search.scale("demo:1")) is None
    state.rank_by_cosine()
    by_cosine = state.current()
    assert by_cosine.score_kind == "cosine"
    assert by_cosine.thresholds[by_cosine.scale("demo:1")] == 0.25


def test_only_words_alone_have_relative_scores():
    assert Search(asked="red").score_kind == "relative"
    assert Search(asked="red", cosine=True).score_kind == "cosine"
    assert Search(asked="red", picture=SEARCH.picture).score_kind == "cosine"
    assert Search(asked="red", like=SEARCH.like).score_kind == "cosine"


def test_another_experiment_goes_on_with_the_search_until_it_has_one_of_its_own(tab):
    tab.type("red car", 1)
    state.st.session_state["session"] = experiment.Session(Experiment("other1other2"))
    assert state.current().text == "red car"
    tab.type("night", 1)
    state.st.session_state["session"] = experiment.Session(Experiment(EXPERIMENT))
    assert state.current().text == "red car"
    state.st.session_state["session"] = experiment.Session(Experiment("other1other2"))
    assert state.current().text == "night"
    state.st.session_state["session"] = experiment.Session(Experiment(EXPERIMENT))
    assert state.current().text == "red car"


def test_late_and_doubled_words_are_void(tab):
    tab.type("red", 1)
    tab.type("red car", 3)
    tab.type("red c", 2)
    tab.type("again", 3)
    assert state.current().text == "red car"


def test_words_for_a_text_that_python_replaced_are_void(tab):
    tab.type("red car", 1)
    of = state.session().of
    state.search_for(text="night")
    tab.type("red car at", 2, of=of)
    assert (state.current().text, state.current().asked) == ("night", "night")
    tab.type("night rain", 1)
    assert state.current().asked == "night rain"


def test_without_enter_words_are_kept_but_not_searched_for(tab):
    tab.type("red car", 1)
    tab.type("red car and more", 2, go=False)
    assert (state.current().text, state.current().asked) == ("red car and more", "red car")
    tab.type("", 3, go=False)
    assert state.current().asked == ""


def test_words_take_the_place_of_more_like_this_and_back_brings_it_back(tab):
    tab.type("red car", 1)
    state.search_for(text="", like=SEARCH.like)
    assert (state.current().asked, state.current().like) == ("", SEARCH.like)
    state.back()
    assert (state.current().asked, state.current().like) == ("red car", None)
    state.search_for(text="", like=SEARCH.like)
    tab.type("night", 1)
    assert (state.current().asked, state.current().like) == ("night", None)


def test_a_threshold_belongs_to_an_engine_and_a_kind_of_query(tab):
    tab.type("red car", 1)
    state.set_threshold("demo:1", 0.3)
    state.change(picture=SEARCH.picture)
    state.set_threshold("demo:1", 0.7)
    assert state.current().thresholds == {"demo:1|text|relative": 0.3, "demo:1|textpicture": 0.7}
    state.set_threshold("demo:1", None)
    assert state.current().thresholds == {"demo:1|text|relative": 0.3}
    state.change(picture=None, cosine=True)
    state.set_threshold("demo:1", 0.2)
    assert state.current().thresholds == {"demo:1|text|relative": 0.3, "demo:1|text": 0.2}


def test_the_templates_rules_are_the_templates(tab):
    tab.type("red car", 1)
    version = state.session().version
    state.use_template_rules("demo:1")
    here = state.current()
    assert here.rules == TEMPLATE_RULES
    assert here.thresholds == {"demo:1|text": TEMPLATE_THRESHOLD}
    assert here.score_kind == "cosine"
    assert state.session().version > version


def test_a_new_search_has_the_command_lines_rules():
    assert Search().rules == Rules()


def test_an_uploaded_picture_goes_when_another_takes_its_place(tab, store):
    path = state.picture_path(store.home, EXPERIMENT, "0" * 64)
    write_atomically(path, b"jpeg")
    state.change(picture=SEARCH.picture)
    state.change(picture=dataclasses.replace(SEARCH.picture, region=None))
    assert path.exists()
    state.change(picture=None)
    assert not path.exists()
