"""Two sides in one tab: each change lands on its side, on disk as well, and every replacement can be undone."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from lib.prompts.model import Prompt, PromptSet, Settings
from lib.services import experiments
from lib.services.experiments import Experiment, PromptRow
from lib.ui.session import comparison_sides as both_sides
from lib.ui.session import state
from lib.ui.session.state import Session

A = Experiment("abc123def456", video="f" * 64, name="first", rows=(PromptRow(label="red"),))
OTHER = Experiment(
    "0123456789ab", name="other", rows=(PromptRow(label="blue"),), settings=Settings(threshold=0.4)
)


class _SessionState(dict[str, Any]):
    def to_dict(self) -> dict[str, Any]:
        return dict(self)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    class Store:
        home = tmp_path

    monkeypatch.setattr(state.cache, "store", Store)
    experiments.save(tmp_path, A)
    return tmp_path


@pytest.fixture
def shared(home: Path, monkeypatch: pytest.MonkeyPatch) -> _SessionState:
    values = _SessionState(session=Session(A, saved=A))
    monkeypatch.setattr(state.st, "session_state", values)
    return values


def sides() -> tuple[Experiment, Experiment]:
    with state.side("b"):
        b = state.current()
    return state.current(), b


def on_disk(home: Path) -> tuple[Experiment, Experiment]:
    a = experiments.load(home, A.id)
    assert a is not None
    assert a.beside is not None
    b = experiments.load(home, a.beside)
    assert b is not None
    return a, b


def content(one: Experiment) -> Experiment:
    return dataclasses.replace(one, id="", beside=None, side="a")


def test_b_begins_as_a_copy_of_a_and_is_found_again_by_its_id(shared: _SessionState, home: Path) -> None:
    a, b = sides()
    assert content(a) == content(b)
    assert a.beside == b.id != a.id
    assert on_disk(home) == (a, b)
    with state.side("b"):
        state.change(name="second")
    found = experiments.load(home, A.id)
    assert found is not None
    shared["session"] = Session(found, saved=found)  # a reload

    assert [one.name for one in sides()] == ["first", "second"]


def test_a_file_of_before_there_were_two_sides_is_read(home: Path) -> None:
    path = home / "experiments" / f"{A.id}.json"
    data = json.loads(path.read_text())
    del data["beside"], data["side"]
    path.write_text(json.dumps(data))

    assert experiments.load(home, A.id) == A


def test_b_is_no_recent_experiment_of_its_own(shared: _SessionState, home: Path) -> None:
    sides()
    experiments.save(home, OTHER)

    assert {one.id for one, _ in experiments.recent(home, limit=9, without="none")} == {A.id, OTHER.id}


def test_a_change_lands_on_the_side_it_is_made_on(shared: _SessionState, home: Path) -> None:
    with state.side("b"):
        state.change(name="second")
        state.change_settings(threshold=0.7)
        of_b = state.table().of
        state.hear_rows(of_b, 1, (PromptRow(label="green"),))
    state.hear_rows(state.table().of, 1, (PromptRow(label="yellow"),))
    state.change_settings(threshold=0.3)

    a, b = on_disk(home)
    assert (a.name, a.settings.threshold, a.rows[0].label) == ("first", 0.3, "yellow")
    assert (b.name, b.settings.threshold, b.rows[0].label) == ("second", 0.7, "green")
    assert of_b.split(".")[0] == b.id


def test_a_callback_is_bound_to_the_side_its_widget_was_drawn_on(shared: _SessionState, home: Path) -> None:
    bindings = {}
    for name in state.SIDES:
        with state.side(name):
            bindings[name] = state.bound("name", "x", lambda value: state.change(name=value))
    assert bindings["a"]["key"] != bindings["b"]["key"]
    for name, binding in bindings.items():
        shared[binding["key"]] = f"typed in {name}"
    for binding in bindings.values():  # as before a run, on no side
        binding["on_change"](*binding["args"])

    assert [one.name for one in on_disk(home)] == ["typed in a", "typed in b"]


def test_a_button_is_bound_to_the_side_it_was_drawn_on(shared: _SessionState, home: Path) -> None:
    with state.side("b"):
        state.load_prompt_set(PromptSet("cranes", (Prompt("crane"),)))
        undo = state.on_this_side(state.undo_load)
        assert state.key("undo_load") == "b.undo_load"
    assert [one.name for one in on_disk(home)] == ["first", "cranes"]
    undo()

    assert [one.name for one in on_disk(home)] == ["first", "first"]
    assert state.key("undo_load") == "undo_load"


def test_leaving_a_side_in_the_middle_leaves_it(shared: _SessionState) -> None:
    with pytest.raises(RuntimeError), state.side("b"):
        raise RuntimeError("the run was ended")

    assert state.key("x") == "x"
    assert state.current().id == A.id


def test_copying_makes_both_the_same_and_can_be_undone(shared: _SessionState, home: Path) -> None:
    with state.side("b"):
        state.change(name="second", rows=OTHER.rows, settings=OTHER.settings, engine="clip", sampling="fps-2")
    before = sides()
    both_sides.copy("b")
    a, b = sides()
    assert content(a) == content(b)
    assert (a.name, a.engine, a.sampling) == ("second", "clip", "fps-2")
    assert (a.id, a.beside) == (before[0].id, before[1].id)
    assert b == before[1]
    both_sides.undo()

    assert sides() == before == on_disk(home)
    both_sides.copy("a")
    assert [one.name for one in on_disk(home)] == ["first", "first"]


def test_a_side_that_is_not_replaced_keeps_its_widgets_and_its_table(shared: _SessionState) -> None:
    with state.side("b"):
        state.change(name="second")
    table, key = state.table(), state.versioned("setting.score")
    both_sides.copy("a")

    assert (state.table(), state.versioned("setting.score")) == (table, key)


def test_swapping_takes_along_what_can_be_undone(shared: _SessionState, home: Path) -> None:
    with state.side("b"):
        state.load_prompt_set(PromptSet("cranes", (Prompt("crane"),)))
    both_sides.swap()
    assert [one.name for one in on_disk(home)] == ["cranes", "first"]
    assert state.current().id == A.id
    both_sides.undo()
    assert [one.name for one in on_disk(home)] == ["first", "cranes"]
    both_sides.swap()
    state.undo_load()

    assert [one.name for one in on_disk(home)] == ["first", "first"]


def test_an_edit_of_a_table_that_was_replaced_since_is_void(shared: _SessionState, home: Path) -> None:
    with state.side("b"):
        state.change(name="second")
        of = state.table().of
    both_sides.copy("a")
    with state.side("b"):
        state.hear_rows(of, 1, (PromptRow(label="late"),))

    assert on_disk(home)[1].rows == A.rows


def test_another_experiment_as_b_is_a_copy(shared: _SessionState, home: Path) -> None:
    experiments.save(home, OTHER)
    both_sides.compare_with(OTHER)
    with state.side("b"):
        state.change(name="mine now")
    a, b = on_disk(home)

    assert experiments.load(home, OTHER.id) == OTHER
    assert (b.name, b.rows, b.settings, b.video) == ("mine now", OTHER.rows, OTHER.settings, A.video)
    assert a.name == "first"


def test_both_sides_are_about_one_video(shared: _SessionState) -> None:
    sides()
    state.change(video="e" * 64)

    assert [one.video for one in sides()] == ["e" * 64] * 2


def test_opening_another_experiment_brings_its_own_b(
    shared: _SessionState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state.st, "query_params", {})
    with state.side("b"):
        state.change(name="second")
        key = state.versioned("x")
    state.open_workspace(OTHER)
    a, b = sides()

    assert (a.name, b.name) == ("other", "other")
    with state.side("b"):
        assert state.versioned("x") != key
