"""Undo and redo."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Generic, TypeVar

State = TypeVar("State")


@dataclass(frozen=True)
class History(Generic[State]):
    """States that can be returned to. The present one is passed in, as it may have changed since the last push."""

    past: tuple[State, ...] = ()
    """States before each change, newest last."""
    future: tuple[State, ...] = ()
    """States that were undone; the last one is redone first."""
    limit: int = 50
    """How many past states are remembered."""

    def push(self, present: State) -> History[State]:
        """Return the history with the state that is about to change; there is nothing left to redo."""
        return replace(self, past=(*self.past, present)[-self.limit :], future=())

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
