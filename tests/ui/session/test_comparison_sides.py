"""Two sides in one tab: each change lands on its side, on disk as well, and every replacement can be undone."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from lib.core.errors import NotStoredError
from lib.prompts.model import Prompt, PromptSet, Settings
from lib.services import catalogue, experiments
from lib.services.experiments import Experiment, PromptRow
from lib.ui.session import bindings, cache, comparison_sides, state
from lib.ui.session.session import Session

A = Experiment("abc123def456", video="f" * 64, name="first", rows=(PromptRow(label="red"),))
OTHER = Experiment("0123456789ab", name="other", rows=(PromptRow(label="blue"),), settings=Settings(threshold=0.4))


class _SessionState(dict[str, Any]):
    def to_dict(self) -> dict[str, Any]:
        return dict(self)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    class Store:
        home = tmp_path

        def video(self, sha256: str) -> None:
            raise NotStoredError(sha256)

    monkeypatch.setattr(cache, "store", Store)
    experiments.save(tmp_path, A)
    return tmp_path


@pytest.fixture
def shared(home: Path, monkeypatch: pytest.MonkeyPatch) -> _SessionState:
    values = _SessionState(session=Session(A, saved=A))
    monkeypatch.setattr(state.st, "session_state", values)
    return values


def a_side() -> Session:
    return state.session()


def b_side() -> Session:
    return state.session().side_b()


def sides() -> tuple[Experiment, Experiment]:
    b = b_side().experiment
    return a_side().experiment, b


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
    b_side().change(name="second")
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

    assert {one.id for one in catalogue.listed(home, {}).choices} == {A.id, OTHER.id}


def test_a_change_lands_on_the_side_it_is_made_on(shared: _SessionState, home: Path) -> None:
    b_side().change(name="second")
    b_side().change_settings(threshold=0.7)
    of_b = b_side().prompt_table().of
    b_side().accept_rows(of_b, 1, (PromptRow(label="green"),))
    a_side().accept_rows(a_side().prompt_table().of, 1, (PromptRow(label="yellow"),))
    a_side().change_settings(threshold=0.3)

    a, b = on_disk(home)
    assert (a.name, a.settings.threshold, a.rows[0].label) == ("first", 0.3, "yellow")
    assert (b.name, b.settings.threshold, b.rows[0].label) == ("second", 0.7, "green")
    assert of_b.split(".")[0] == b.id


def test_a_widget_is_bound_to_its_side(shared: _SessionState, home: Path) -> None:
    for session in (a_side(), b_side()):
        binding = bindings.field(session, "name")
        shared[binding["key"]] = f"typed in {session.side}"
        binding["on_change"](*binding["args"])

    assert [one.name for one in on_disk(home)] == ["typed in a", "typed in b"]
    assert (a_side().key("x"), b_side().key("x")) == ("x", "b.x")


def test_a_prompt_set_is_replaced_undone_and_redone_on_its_side(shared: _SessionState, home: Path) -> None:
    names = []
    b_side().load_prompt_set(PromptSet("cranes", (Prompt("crane"),)))
    for step in ("undo", "redo"):
        names.append([one.name for one in on_disk(home)])
        a_side().travel(step)
    names.append([one.name for one in on_disk(home)])

    assert names == [["first", "cranes"], ["first", "first"], ["first", "cranes"]]


def test_copying_makes_both_the_same_and_can_be_undone(shared: _SessionState, home: Path) -> None:
    b_side().change(name="second", rows=OTHER.rows, settings=OTHER.settings, engine="clip", sampling="fps-2")
    before = sides()
    comparison_sides.copy("b")
    a, b = sides()
    assert content(a) == content(b)
    assert (a.name, a.engine, a.sampling) == ("second", "clip", "fps-2")
    assert (a.id, a.beside) == (before[0].id, before[1].id)
    assert b == before[1]
    a_side().travel("undo")
    assert sides() == before == on_disk(home)
    a_side().travel("redo")
    assert sides() == (a, b) == on_disk(home)
    a_side().travel("undo")

    assert sides() == before
    comparison_sides.copy("a")
    assert [one.name for one in on_disk(home)] == ["first", "first"]


def test_a_side_that_is_not_replaced_keeps_its_widgets_and_its_table(shared: _SessionState) -> None:
    b_side().change(name="second")
    table, key = a_side().prompt_table(), a_side().versioned("setting.score")
    comparison_sides.copy("a")

    assert (a_side().prompt_table(), a_side().versioned("setting.score")) == (table, key)


def test_swapping_and_what_was_done_before_are_undone_one_by_one(shared: _SessionState, home: Path) -> None:
    b_side().load_prompt_set(PromptSet("cranes", (Prompt("crane"),)))
    comparison_sides.swap()
    assert [one.name for one in on_disk(home)] == ["cranes", "first"]
    assert state.current().id == A.id
    a_side().travel("undo")
    assert [one.name for one in on_disk(home)] == ["first", "cranes"]
    a_side().travel("redo")
    a_side().travel("undo")
    a_side().travel("undo")

    assert [one.name for one in on_disk(home)] == ["first", "first"]


def test_an_edit_of_b_is_undone_after_another_experiment_was_open(
    shared: _SessionState, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state.st, "query_params", {})
    sides()
    a, b = on_disk(home)
    b_side().change(name="second")
    state.open_experiment(OTHER)
    state.open_experiment(a)

    assert a_side().travel("undo") == "Undone: B: Name 'first' → 'second'"
    assert on_disk(home) == (a, b)
    assert a_side().travel("redo") == "Redone: B: Name 'first' → 'second'"
    assert on_disk(home)[1].name == "second"


def test_an_edit_of_a_table_that_was_replaced_since_is_void(shared: _SessionState, home: Path) -> None:
    b_side().change(name="second")
    of = b_side().prompt_table().of
    comparison_sides.copy("a")
    b_side().accept_rows(of, 1, (PromptRow(label="late"),))

    assert on_disk(home)[1].rows == A.rows


def test_another_experiment_as_b_is_a_copy(shared: _SessionState, home: Path) -> None:
    experiments.save(home, OTHER)
    comparison_sides.compare_with(OTHER)
    b_side().change(name="mine now")
    a, b = on_disk(home)

    assert experiments.load(home, OTHER.id) == OTHER
    assert (b.name, b.rows, b.settings, b.video) == ("mine now", OTHER.rows, OTHER.settings, A.video)
    assert a.name == "first"


def test_both_sides_are_about_one_video(shared: _SessionState) -> None:
    sides()
    a_side().change(video="e" * 64)

    assert [one.video for one in sides()] == ["e" * 64] * 2


def test_opening_another_experiment_brings_its_own_b(shared: _SessionState, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state.st, "query_params", {})
    b_side().change(name="second")
    key = b_side().versioned("x")
    state.open_experiment(OTHER)
    a, b = sides()

    assert (a.name, b.name) == ("other", "other")
    assert b_side().versioned("x") != key


def test_undo_takes_back_what_this_tab_did_and_leaves_another_tabs_edits(shared: _SessionState, home: Path) -> None:
    red, green, blue = (PromptRow(label=label) for label in ("red", "green", "blue"))
    a_side().change(rows=(red, green, blue))
    other = Session(a_side().experiment, saved=a_side().experiment)
    a_side().change(rows=(red, blue))
    other.refresh()
    other.change(rows=(dataclasses.replace(red, threshold=0.4), blue), name="theirs")
    assert a_side().travel("undo") == "Undone: Row 'green' removed"
    found = experiments.load(home, A.id)
    assert found is not None

    assert (found.name, found.rows) == ("theirs", (dataclasses.replace(red, threshold=0.4), green, blue))
    assert other.travel("undo") == "Undone: Threshold of 'red' shared → 0.4; Name 'first' → 'theirs'"
    assert [row.label for row in other.experiment.rows] == ["red", "green", "blue"]


def test_a_row_removed_in_one_tab_does_not_come_back_by_an_edit_or_an_undo_in_another(
    shared: _SessionState, home: Path
) -> None:
    red, green = (PromptRow(label=label) for label in ("red", "green"))
    a_side().change(rows=(red, green))
    other = Session(a_side().experiment, saved=a_side().experiment)
    of = other.prompt_table().of
    a_side().change(rows=(red,))
    other.accept_rows(of, 1, (dataclasses.replace(red, threshold=0.4), green))
    assert [row.label for row in other.experiment.rows] == ["red"]
    other.travel("undo")
    a_side().refresh()

    assert a_side().experiment.rows == other.experiment.rows == (red,)
