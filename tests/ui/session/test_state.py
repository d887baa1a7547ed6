"""A session under two runs at a time, as Streamlit has them when edits follow each other quickly."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.runtime.scriptrunner import StopException

from lib.prompts.model import Prompt, PromptSet
from lib.services import experiments
from lib.services.experiments import Experiment, PromptRow
from lib.ui.session import bindings, cache, state
from lib.ui.session.session import PromptTable, Session

RED, GREEN, BLUE = (PromptRow(label=label) for label in ("red", "green", "blue"))


class _SessionState(dict[str, Any]):
    """Streamlit's session state as a run sees it for which a newer one waits: reading an item ends the run."""

    stopping = False

    def __getitem__(self, key: str) -> Any:
        if self.stopping:
            raise StopException
        return super().__getitem__(key)

    def to_dict(self) -> dict[str, Any]:
        return dict(self)


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> _SessionState:
    values = _SessionState(session=Session(Experiment("abc123def456", rows=(RED,))))
    monkeypatch.setattr(state.st, "session_state", values)
    return values


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    class Store:
        home = tmp_path

    monkeypatch.setattr(cache, "store", Store)
    return tmp_path


@pytest.fixture
def slow_first_write(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Have the first write take a while; the event says that it has begun."""
    began, write = threading.Event(), experiments.save

    def save(home: Path, one: Experiment) -> None:
        if not began.is_set():
            began.set()
            threading.Event().wait(0.3)
        write(home, one)

    monkeypatch.setattr(experiments, "save", save)
    return began


def _overlapping(began: threading.Event, first: Callable[[], object], second: Callable[[], object]) -> None:
    runs = [threading.Thread(target=first), threading.Thread(target=second)]
    runs[0].start()
    assert began.wait(10)
    runs[1].start()
    for run in runs:
        run.join(10)
        assert not run.is_alive()


def _on_disk(home: Path) -> Experiment:
    found = experiments.load(home, "abc123def456")
    assert found is not None
    return found


def test_the_edit_that_comes_last_is_the_one_on_disk(shared, home, slow_first_write) -> None:
    of = state.session().prompt_table().of
    _overlapping(
        slow_first_write,
        lambda: state.session().accept_rows(of, 1, (GREEN,)),
        lambda: state.session().accept_rows(of, 2, (BLUE,)),
    )
    assert state.current().rows == _on_disk(home).rows == (BLUE,)


def test_two_changes_at_a_time_keep_each_other(shared, home, slow_first_write) -> None:
    _overlapping(
        slow_first_write,
        lambda: state.session().change_settings(threshold=0.4),
        lambda: (state.session().change_settings(bridge_s=0.5), state.session().change(name="both")),
    )
    here = _on_disk(home)
    assert here == state.current()
    assert (here.settings.threshold, here.settings.bridge_s, here.name) == (0.4, 0.5, "both")


def test_an_edit_that_comes_late_overwrites_nothing(shared, home) -> None:
    of = state.session().prompt_table().of
    state.session().accept_rows(of, 2, (BLUE,))
    state.session().accept_rows(of, 1, (GREEN,))
    state.session().accept_rows(of, 2, (GREEN,))
    assert _on_disk(home).rows == (BLUE,)
    assert state.session().prompt_table() == PromptTable(of, given=(RED,), acknowledged=2, latest=(BLUE,))


def test_rows_that_python_replaces_are_another_table(shared, home) -> None:
    before = state.session().prompt_table().of
    state.session().accept_rows(before, 1, (GREEN,))
    state.session().load_prompt_set(PromptSet("cranes", (Prompt("crane", ("crane",)),)))
    state.session().accept_rows(before, 2, (BLUE,))
    after = state.session().prompt_table()
    assert after.of != before
    assert after.given == _on_disk(home).rows == (PromptRow(label="crane"),)
    state.session().travel("undo")
    restored = state.session().prompt_table()
    assert restored.given == (GREEN,)
    assert len({before, after.of, restored.of}) == 3


def test_a_browser_without_its_own_edits_is_given_the_rows_again(shared, home) -> None:
    before = state.session().prompt_table().of
    state.session().accept_rows(before, 3, (GREEN,))
    assert state.session().prompt_table().given == (RED,)
    state.session().accept_rows(before, 0, None)
    assert state.session().prompt_table().of != before
    assert state.session().prompt_table().given == (GREEN,)


def test_a_value_whose_widget_is_gone_changes_nothing(shared, home) -> None:
    binding = bindings.field(state.session(), "name")
    del shared[binding["key"]]  # Streamlit drops a widget that is not drawn any more, and may still get its value
    binding["on_change"](*binding["args"])
    assert state.current().name == "untitled"


def test_what_the_browser_still_sends_of_a_replaced_widget_changes_nothing(shared, home) -> None:
    old = bindings.field(state.session(), "name")
    bindings.replace_widget(state.session(), "name")
    new = bindings.field(state.session(), "name")
    shared[old["key"]], shared[new["key"]] = "sent before it was known", "typed"
    new["on_change"](*new["args"])
    old["on_change"](*old["args"])
    assert state.current().name == "typed"
    assert new["key"] == bindings.widget_key(state.session(), "name") != old["key"]


def test_a_callback_is_not_ended_in_the_middle(shared, home) -> None:
    binding = bindings.field(state.session(), "name")
    shared[binding["key"]] = "typed"
    shared.stopping = True
    binding["on_change"](*binding["args"])
    assert _on_disk(home).name == "typed"
    with pytest.raises(StopException):
        state.session()
