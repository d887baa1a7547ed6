"""Undo and redo of frozen states."""

from __future__ import annotations

from lib.core.history import History


def test_undo_and_redo_walk_through_the_states() -> None:
    history = History[str]().push("a").push("b")
    state, history = history.undo("c")
    assert state == "b"
    state, history = history.undo(state)
    assert state == "a"
    state, history = history.redo(state)
    state, history = history.redo(state)
    assert (state, history) == ("c", History(("a", "b")))


def test_a_state_edited_after_an_undo_is_not_lost() -> None:
    state, history = History[str]().push("a").undo("b")
    state, history = history.redo(f"{state} edited")
    assert state == "b"
    assert history.undo(state)[0] == "a edited"


def test_nothing_to_undo_or_redo_leaves_the_present() -> None:
    history = History[str]()
    assert history.undo("a") == history.redo("a") == ("a", history)


def test_a_change_forgets_what_could_be_redone() -> None:
    _, history = History[str]().push("a").undo("b")
    assert history.push("a") == History(("a",))


def test_only_the_newest_states_are_remembered() -> None:
    history = History[int](limit=2)
    for state in range(4):
        history = history.push(state)
    assert history.past == (2, 3)


def test_the_oldest_states_go_where_all_are_too_large_and_the_newest_stays() -> None:
    history = History[str](max_bytes=5, nbytes=len)
    for state in ("aa", "bb", "cc"):
        history = history.push(state)
    assert history.past == ("bb", "cc")
    assert history.push("too large").past == ("too large",)


def test_a_step_is_its_own_present() -> None:
    history = History[str]().push("moved").push("removed")
    step, history = history.undo(history.past[-1])
    assert (step, history.past, history.future) == ("removed", ("moved",), ("removed",))
    step, history = history.redo(history.future[-1])
    assert (step, history.past, history.future) == ("removed", ("moved", "removed"), ())
