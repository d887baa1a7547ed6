"""Undo and redo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

State = TypeVar("State")


@dataclass(frozen=True)
class History(Generic[State]):
    """States that can be returned to, or steps that can be taken both ways.

    Of states, the present one is passed in, as it may have changed since the last push. A step is its own ``present``:
    ``undo(past[-1])`` moves the newest one to those that can be redone.
    """

    past: tuple[State, ...] = ()
    """States before each change, newest last."""
    future: tuple[State, ...] = ()
    """States that were undone; the last one is redone first."""
    limit: int = 50
    """How many past states are remembered."""
    max_bytes: int = 16_000_000
    """How large they may be together; the newest one is remembered in any case."""
    nbytes: Callable[[State], int] = field(default=lambda _: 0, compare=False)
    """Size of a state in bytes."""

    def push(self, present: State) -> History[State]:
        """Return the history with the state that is about to change; there is nothing left to redo."""
        past = (*self.past, present)[-self.limit :]
        sizes = [self.nbytes(one) for one in past]
        while len(past) > 1 and sum(sizes[-len(past) :]) > self.max_bytes:
            past = past[1:]
        return replace(self, past=past, future=())

    def undo(self, present: State) -> tuple[State, History[State]]:
        """Return the newest past state and the history after it; without one, ``present`` and the same history."""
        if not self.past:
            return present, self
        return self.past[-1], replace(self, past=self.past[:-1], future=(*self.future, present))

    def redo(self, present: State) -> tuple[State, History[State]]:
        """Return the state undone last and the history after it; without one, ``present`` and the same history."""
        if not self.future:
            return present, self
        return self.future[-1], replace(self, past=(*self.past, present), future=self.future[:-1])
