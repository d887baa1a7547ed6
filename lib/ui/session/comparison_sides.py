"""Actions on both sides of a comparison: copy, swap, another experiment as B, and their undo and redo.

The ids stay: A is what the address names, B what A's experiment names. Only the content moves.
"""

from __future__ import annotations

from typing import Literal

from lib.core.history import History
from lib.services.experiments import Experiment
from lib.ui.session import state
from lib.ui.session.session import ReplacedSides, Session, Side


def sides() -> dict[Side, Session]:
    """Return the sessions of both sides."""
    a = state.session()
    return {"a": a, "b": a.side_b()}


@state.callback
def copy(source: Side) -> None:
    """Replace the experiment of the other side with that of ``source``; both have the same video anyway."""
    from_ = sides()[source].experiment
    _remember("copy")
    _set_content(from_, from_)


@state.callback
def swap() -> None:
    """Exchange A and B, with their histories."""
    _remember("swap")
    _swap()


@state.callback
def compare_with(experiment: Experiment) -> None:
    """Replace side B with a copy of another experiment; edits there don't change that one."""
    _remember("choice")
    _set_content(state.current(), experiment)


@state.callback
def undo() -> None:
    """Restore both sides from before the last copy, swap or choice."""
    a = state.session()
    for last in a.side_history.past[-1:]:
        _restore(*a.side_history.undo(_present(last.action)))


@state.callback
def redo() -> None:
    """Restore both sides from before the last ``undo``."""
    a = state.session()
    for last in a.side_history.future[-1:]:
        _restore(*a.side_history.redo(_present(last.action)))


def _present(action: Literal["copy", "swap", "choice"]) -> ReplacedSides:
    a, b = sides().values()
    return ReplacedSides(action, a.experiment, b.experiment)


def _remember(action: Literal["copy", "swap", "choice"]) -> None:
    a = state.session()
    a.side_history = a.side_history.push(_present(action))


def _restore(restored: ReplacedSides, history: History[ReplacedSides]) -> None:
    if restored.action == "swap":
        _swap()
    _set_content(restored.a, restored.b)
    state.session().side_history = history


def _set_content(a: Experiment, b: Experiment) -> None:
    """Set the content of both sides; a side that has it already keeps its widgets."""
    for session, content in zip(sides().values(), (a, b), strict=True):
        wanted = session.experiment.with_experiment(content)
        if wanted != session.experiment:
            session.replace_experiment(wanted)


def _swap() -> None:
    a, b = sides().values()
    _set_content(b.experiment, a.experiment)
    a.prompt_history, b.prompt_history = b.prompt_history, a.prompt_history
