"""This tab's editing of the ground truth of a video; every change is stored at once, and is a step to undo."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Concatenate, ParamSpec

import streamlit as st

from lib.core.errors import StoreDamagedError
from lib.core.labelled_intervals import TrueSegment
from lib.services.experiment_changes import TruthChange, truth_in_words
from lib.services.ground_truth import change_truth
from lib.store.videos import Video
from lib.ui.session import cache
from lib.ui.session.guard import told
from lib.ui.session.peek import peek_state
from lib.ui.session.session import Session

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
    edited: bool = False
    """Whether something was changed."""

    def change(self, make: Callable[[Truth], Sequence[TrueSegment]]) -> None:
        """Store what ``make`` returns for the present ground truth.

        Raises:
            StoreError: it can't be written, or the video is gone.
        """
        before: tuple[Truth | None, Truth] = None, ()

        def made(truth: Truth) -> Sequence[TrueSegment]:
            nonlocal before
            before = self.stored(), truth
            return make(truth)

        after = change_truth(cache.store(), self.video, made)
        self._changed(truth_in_words(before[1], after), before[0], after)

    def forget(self) -> None:
        """Delete what was stored, so that the video's annotation file counts again."""
        before = self.stored()
        cache.store().forget_truth(self.video.sha256)
        self._changed("Saved ground truth deleted", before, None)
        self.selected, self.problem = None, ""

    def _changed(self, text: str, before: Truth | None, after: Truth | None) -> None:
        self.edited = True
        if before != after:
            session: Session = peek_state()["session"]
            with session.lock:
                session.undoing.push(text, TruthChange(self.video, before, after))

    def select(self, segment: TrueSegment | None) -> None:
        """Put a segment into the form."""
        self.selected, self.problem = segment, ""
        self.form_version += 1

    def stored(self) -> Truth | None:
        """Return the stored ground truth; None where there is none that can be read."""
        with suppress(StoreDamagedError):
            return cache.store().saved_truth(self.video.sha256)
        return None


def editing_of(video: Video) -> GroundTruthEditing:
    """Return this tab's editing of ``video``; a new one where it was editing another video."""
    editing: GroundTruthEditing | None = st.session_state.get(_KEY)
    if editing is None or editing.video.sha256 != video.sha256:
        editing = st.session_state[_KEY] = GroundTruthEditing(video)
    return editing


def callback(function: Callable[Concatenate[GroundTruthEditing, _P], None]) -> Callable[_P, None]:
    """Make a widget's callback, which is passed this tab's editing and runs to its end; see ``state.callback``.

    A change may wait for the store while another process writes. So the callback holds the lock of the tab's steps,
    which keeps quick edits and their undoing in order, and not that of the session, which the page needs.
    """

    @told
    @functools.wraps(function)
    def run(*args: _P.args, **options: _P.kwargs) -> None:
        values = peek_state()
        editing: GroundTruthEditing = values[_KEY]
        with values["session"].undoing.lock:
            function(editing, *args, **options)

    return run
