"""What is done to both sides of a comparison at once, and undone: copy, swap, another experiment as B.

The ids stay: A is what the address names, B what A's workspace names. What moves is what they hold.
"""

from __future__ import annotations

from lib.services.experiments import Experiment
from lib.ui.session import state
from lib.ui.session.state import Replaced, Side, uninterrupted

_REMEMBERED = 50


@uninterrupted
def copy(source: Side) -> None:
    """Put the whole experiment of one side on the other one; both have the same video anyway."""
    a, b = state.both()
    from_, to = (a, b) if source == "a" else (b, a)
    _note("copy")
    state.set_sides(from_.workspace, from_.workspace)
    to.thresholds, to.server_key = dict(from_.thresholds), from_.server_key


@uninterrupted
def swap() -> None:
    """Let A and B change places, with what is remembered of each."""
    _note("swap")
    _swap()


@uninterrupted
def compare_with(chosen: Experiment) -> None:
    """Put a copy of another experiment on side B; edits there don't change that one."""
    _note("choice")
    state.set_sides(state.both()[0].workspace, chosen)


@uninterrupted
def undo() -> None:
    """Bring back both sides from before the last copy, swap or choice."""
    before = state.both()[0].replaced.pop()
    if before.what == "swap":
        _swap()
    state.set_sides(before.a, before.b)


def _note(what: str) -> None:
    a, b = state.both()
    a.replaced.append(Replaced(what, a.workspace, b.workspace))
    del a.replaced[:-_REMEMBERED]


def _swap() -> None:
    a, b = state.both()
    state.set_sides(b.workspace, a.workspace)
    a.undo, b.undo = b.undo, a.undo
    a.thresholds, b.thresholds = b.thresholds, a.thresholds
    a.server_key, b.server_key = b.server_key, a.server_key
