"""What one tab has done to an experiment, to its side B and to the ground truth, to be undone and redone one by one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from lib.core.errors import NotStoredError, PromptreelError
from lib.core.history import History
from lib.services import experiment_changes, ground_truth
from lib.services.experiment_changes import ExperimentChange, Step, Steps, TruthChange
from lib.ui.session import cache


@dataclass(eq=False)
class Undoing:
    """The steps of one tab on one experiment. Whoever reads or writes ``history`` holds the session's lock."""

    history: Steps = field(default_factory=experiment_changes.no_steps)
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)
    """Held while ground truth changes, and while a step is undone or redone: so steps keep their order."""
    now: Callable[[], float] = time.monotonic

    def record(self, change: ExperimentChange, text: str | None = None) -> None:
        """Record a change of an experiment; without ``text`` the difference says what was done."""
        self.history = experiment_changes.with_step(
            self.history, change.before, change.after, at_s=self.now(), text=text
        )

    def push(self, text: str, *changes: ExperimentChange | TruthChange) -> None:
        """Record changes that are one step."""
        self.history = self.history.push(Step(text, changes))

    def take(self, back: bool) -> Step | None:
        """Move the newest step to those that can be redone (or back), and return it; None where there is none."""
        steps = self.history.past if back else self.history.future
        if not steps:
            return None
        move = History.undo if back else History.redo
        step, self.history = move(self.history, steps[-1])
        return step


def travel(undoing: Undoing, back: bool, lock: threading.RLock, apply: Callable[[ExperimentChange], str]) -> str | None:
    """Undo (``back``) or redo the newest step and return what was done in words; None where there is none.

    Args:
        undoing: the tab's.
        back: whether to undo.
        lock: the session's; it is not held while the store may have to be waited for.
        apply: makes one change of an experiment and returns what is to be said of it, mostly nothing.

    Raises:
        PromptreelError, OSError: the ground truth can't be written; the step stays where it was.
    """
    with undoing.lock:
        with lock:
            step = undoing.take(back)
            if step is None:
                return None
            changes = [one if back else _reversed(one) for one in step.changes]
            said = [apply(one) for one in changes if isinstance(one, ExperimentChange)]
        try:
            for one in changes:
                if isinstance(one, TruthChange):
                    ground_truth.take_back(cache.store(), one.video, before=one.before, after=one.after)
        except (PromptreelError, OSError) as error:
            with lock:
                others = undoing.history.future if back else undoing.history.past
                if not isinstance(error, NotStoredError) and others and others[-1] is step:
                    undoing.take(not back)
            raise
    return ". ".join([f"{'Undone' if back else 'Redone'}: {step.text}", *filter(None, said)])


def _reversed(change: ExperimentChange | TruthChange) -> ExperimentChange | TruthChange:
    if isinstance(change, TruthChange):
        return TruthChange(change.video, change.after, change.before)
    return ExperimentChange(change.after, change.before)
