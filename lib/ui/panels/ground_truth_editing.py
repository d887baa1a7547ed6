"""This tab's editing of the ground truth of a video; every change is stored at once, and is a step to undo."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Concatenate, ParamSpec

import streamlit as st

from lib.core.errors import InputError, PromptreelError, StoreDamagedError
from lib.core.formatting import format_time
from lib.core.labelled_intervals import TrueSegment
from lib.core.validation import one_line
from lib.ground_truth.parsing import BEYOND_S
from lib.services.experiment_changes import TruthChange, quoted, truth_in_words
from lib.services.ground_truth import change_truth
from lib.store.videos import Video
from lib.ui.components.player import MarkedTruth
from lib.ui.session import cache
from lib.ui.session.guard import told
from lib.ui.session.peek import peek_state
from lib.ui.session.session import Session

TYPED_LABEL = "truth_label"
"""Key of the field for the label of a new segment, in the view Ground truth."""
_KEY = "ground_truth_editing"
_NEW_S = 1.0
"""Length in seconds of a segment that is added without a marked range."""
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
        """Delete what was stored, so that the video's annotation file counts again.

        Raises:
            InputError: somebody else has changed it since it was read.
            StoreError: it can't be deleted.
        """
        before = self.stored()
        if not cache.store().forget_truth(self.video.sha256, only=before) and self.stored() is not None:
            raise InputError("The ground truth was changed by another process meanwhile; look at it, then try again.")
        self._changed("Saved ground truth deleted", before, None)
        self.selected, self.problem = None, ""

    def _changed(self, text: str, before: Truth | None, after: Truth | None) -> None:
        self.edited = True
        if before != after:
            session: Session = peek_state()["session"]
            with session.lock:
                session.undoing.push(text, TruthChange(self.video, before, after))

    def add(self, label: object, marked: tuple[float, float] | None, playhead_s: float | None) -> None:
        """Add the marked range, or without one a second from the playhead; see ``put``."""
        start, end = span_of(marked, playhead_s)
        last_s = self.video.end_s
        if marked is None and last_s is not None and end > last_s:
            start, end = max(last_s - _NEW_S, self.video.start_s), last_s
        self.put(None, label, lambda: (round(start, 3), round(end, 3)))

    def put(self, old: TrueSegment | None, label: object, times: Callable[[], tuple[float, float]]) -> None:
        """Replace ``old`` by a segment, or add it; where that is impossible, ``problem`` says why and inputs stay."""
        try:
            start, end = times()
            if not label:
                raise InputError(
                    "The new segment has no label yet: choose one in the player, or type one into the field beside "
                    "“Add” in the view Ground truth."
                )
            name = one_line(label, "The label", InputError)
            last_s = self.video.end_s
            if last_s is not None and max(start, end) > last_s + BEYOND_S:
                raise InputError(f"The video ends at {format_time(last_s, decimals=2)}; choose a time that is inside.")
            if end <= start:
                raise InputError(
                    f"The end, {format_time(end, decimals=2)}, is not after the start, "
                    f"{format_time(start, decimals=2)}; change one of them."
                )
            new = TrueSegment(name, start, end)
            if old is None and new in cache.truth(self.video):
                raise InputError(f"“{name}” is there already from {format_time(start, decimals=2)}.")
            if new != old:
                self.change(lambda truth: [*(segment for segment in truth if segment != old), new])
                self.selected = new
                if old is None:
                    self.form_version += 1
            self.problem = ""
        except PromptreelError as error:
            self.problem = str(error)

    def select(self, segment: TrueSegment | None) -> None:
        """Put a segment into the form."""
        self.selected, self.problem = segment, ""
        self.form_version += 1

    def stored(self) -> Truth | None:
        """Return the stored ground truth; None where there is none that can be read."""
        with suppress(StoreDamagedError):
            return cache.store().saved_truth(self.video.sha256)
        return None


def span_of(marked: tuple[float, float] | None, playhead_s: float | None) -> tuple[float, float]:
    """Return what is marked, or without that a second from the playhead."""
    start = playhead_s or 0.0
    return marked or (start, start + _NEW_S)


@told
def add_marked(video: Video, pressed: MarkedTruth) -> None:
    """Add what the player's key T marks, with the label chosen there; where it has none, with the one that is typed."""
    values = peek_state()
    session: Session = values["session"]
    with session.undoing.lock:
        kept: GroundTruthEditing | None = values.get(_KEY)
        editing = kept if kept and kept.video.sha256 == video.sha256 else GroundTruthEditing(video)
        editing.add(pressed.label or values.get(TYPED_LABEL), pressed.mark, pressed.time_s)
        if editing.problem:
            session.say(editing.problem)
        elif (new := editing.selected) is not None:
            span = f"{format_time(new.start_s, decimals=2)} – {format_time(new.end_s, decimals=2)}"
            first = "" if pressed.chosen or not pressed.label else " (no label was chosen in the player: its first one)"
            session.say(f"Added to the ground truth: {quoted(new.label)} {span}{first}")


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
