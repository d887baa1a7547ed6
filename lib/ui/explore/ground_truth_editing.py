"""This tab's editing of the ground truth of a video; every change is stored at once, and can be undone."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Concatenate, ParamSpec

import streamlit as st

from lib.core.errors import StoreDamagedError
from lib.core.history import History
from lib.core.labelled_intervals import TrueSegment
from lib.services.ground_truth import change_truth
from lib.store.videos import Video
from lib.ui.session import cache
from lib.ui.session.guard import told
from lib.ui.session.peek import peek_state

_KEY = "ground_truth_editing"
_P = ParamSpec("_P")

Truth = tuple[TrueSegment, ...]


@dataclass(eq=False)
class GroundTruthEditing:
    """What this tab is doing to the ground truth of one video."""

    video: Video
    selected: TrueSegment | None = None
    """The segment in the form."""
    form_version: int = 0
    """Raised when another segment comes into the form: its inputs are created again."""
    table_version: int = 0
    """Raised when the table's rows move, which would leave its selection on another row."""
    listed: Truth = ()
    """The rows of the table as they were drawn last."""
    problem: str = ""
    """Why the last edit was not accepted."""
    import_version: int = 0
    """Raised with every import: its inputs are created again."""
    history: History[Truth | None] = field(default_factory=History)
    """What was stored before each change; None where nothing was."""
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)
    """Held by each callback of the editor."""

    def change(self, make: Callable[[Truth], Sequence[TrueSegment]]) -> None:
        """Store what ``make`` returns for the present ground truth.

        Raises:
            StoreError: it can't be written, or the video is gone.
        """
        before = self.stored()
        change_truth(cache.store(), self.video, make)
        self.history = self.history.push(before)

    def select(self, segment: TrueSegment | None) -> None:
        """Put a segment into the form."""
        self.selected, self.problem = segment, ""
        self.form_version += 1

    def stored(self) -> Truth | None:
        """Return the stored ground truth; None where there is none that can be read."""
        with suppress(StoreDamagedError):
            return cache.store().saved_truth(self.video.sha256)
        return None

    def restore(self, restored: Truth | None, history: History[Truth | None]) -> None:
        """Store ``restored``, a state of the history, and clear the form."""
        if restored is None:
            cache.store().forget_truth(self.video.sha256)
        else:
            cache.store().change_truth(self.video, lambda _: restored)
        self.history = history
        self.select(None)


def editing_of(video: Video) -> GroundTruthEditing:
    """Return this tab's editing of ``video``; a new one where it was editing another video."""
    editing: GroundTruthEditing | None = st.session_state.get(_KEY)
    if editing is None or editing.video.sha256 != video.sha256:
        editing = st.session_state[_KEY] = GroundTruthEditing(video)
    return editing


def callback(function: Callable[Concatenate[GroundTruthEditing, _P], None]) -> Callable[_P, None]:
    """Make a widget's callback, which is passed this tab's editing and runs to its end; see ``state.callback``.

    A change may wait for the store while another process writes. So the callback holds the lock of the editing, which
    keeps quick edits in order, and not that of the tab, which the page needs.
    """

    @told
    @functools.wraps(function)
    def run(*args: _P.args, **options: _P.kwargs) -> None:
        editing: GroundTruthEditing = peek_state()[_KEY]
        with editing.lock:
            function(editing, *args, **options)

    return run


@callback
def undo(editing: GroundTruthEditing) -> None:
    """Undo the last change that this tab made."""
    if editing.history.past:
        editing.restore(*editing.history.undo(editing.stored()))


@callback
def redo(editing: GroundTruthEditing) -> None:
    """Redo the change that was undone last."""
    if editing.history.future:
        editing.restore(*editing.history.redo(editing.stored()))


@callback
def forget(editing: GroundTruthEditing) -> None:
    """Delete what was stored, so that the video's annotation file counts again."""
    before = editing.stored()
    cache.store().forget_truth(editing.video.sha256)
    editing.history = editing.history.push(before)
    editing.selected, editing.problem = None, ""
