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
from lib.core.labelled_intervals import TrueSegment, moved, painted
from lib.core.validation import one_line
from lib.ground_truth.parsing import BEYOND_S
from lib.services.experiment_changes import TruthChange, quoted, truth_in_words
from lib.services.ground_truth import change_truth
from lib.store.videos import Video
from lib.ui.components.player import MarkedTruth, MovedTruth, PaintedTruth, TruthEdit
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

    def paint(self, edit: PaintedTruth) -> None:
        """Add what was painted, joined with what it touches of its label; where that is impossible, see ``put``."""
        try:
            name = one_line(edit.label, "The label", InputError)
            new = TrueSegment(name, *self._inside(edit.span))
            if painted(cache.truth(self.video), new) != list(cache.truth(self.video)):
                self.change(lambda truth: painted(truth, new))
            self.problem = ""
        except PromptreelError as error:
            self.problem = str(error)

    def move(self, edit: MovedTruth) -> None:
        """Move an edge of a segment, or remove it; where that is impossible, see ``put``."""
        old = TrueSegment(edit.label, *edit.before)
        try:
            new = edit.after and TrueSegment(edit.label, *self._inside(edit.after))
            if new and new != old and new in cache.truth(self.video):
                raise InputError(f"{quoted(new.label)} is there already with these times; nothing was moved.")

            def made(truth: Truth) -> Sequence[TrueSegment]:
                found = moved(truth, old, new or None)
                if found is None:
                    raise InputError(
                        f"The segment {quoted(old.label)} was changed or removed elsewhere meanwhile; it stays so."
                    )
                return found

            self.change(made)
            if self.selected == old:
                self.select(new or None)
            self.problem = ""
        except PromptreelError as error:
            self.problem = str(error)

    def _inside(self, span: tuple[float, float]) -> tuple[float, float]:
        """Return a span as far as it lies in the video.

        Raises:
            InputError: none of it does.
        """
        last_s = self.video.end_s
        start, end = max(span[0], self.video.start_s), span[1] if last_s is None else min(span[1], last_s)
        if end <= start:
            raise InputError("That is no part of the video; mark a place that is inside.")
        return start, end

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
def from_player(video: Video, edit: TruthEdit) -> None:
    """Carry out an edit in the player; what its key T marks without a label gets the one that is typed."""
    values = peek_state()
    session: Session = values["session"]
    with session.undoing.lock:
        kept: GroundTruthEditing | None = values.get(_KEY)
        editing = kept if kept and kept.video.sha256 == video.sha256 else GroundTruthEditing(video)
        if isinstance(edit, MovedTruth):
            editing.move(edit)
        elif isinstance(edit, PaintedTruth):
            editing.paint(edit)
        else:
            editing.add(edit.label or values.get(TYPED_LABEL), edit.mark, edit.time_s)
        if editing.problem:
            session.say(editing.problem)
        elif isinstance(edit, MarkedTruth) and (new := editing.selected) is not None:
            span = f"{format_time(new.start_s, decimals=2)} – {format_time(new.end_s, decimals=2)}"
            first = "" if edit.chosen or not edit.label else " (no label was chosen in the player: its first one)"
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
