"""What a tab is doing to the ground truth of a video; every change goes to the store at once, and can be undone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import streamlit as st

from lib.core.labelled_intervals import TrueSegment
from lib.store.videos import Video
from lib.ui.session import cache, state
from lib.ui.session.peek import peek_state

_DESK = "truth_desk"

Truth = tuple[TrueSegment, ...]


@dataclass
class GroundTruthEditing:
    """What this tab is doing to the ground truth of one video."""

    video: Video
    chosen: TrueSegment | None = None
    """The segment in the form."""
    sitting: int = 0
    """Raised when another segment comes into the form: its inputs are born anew."""
    tables: int = 0
    """Raised when the table's lines move, which would leave its selection on another line."""
    listed: Truth = ()
    """The lines of the table as they were drawn last."""
    problem: str = ""
    """Why the last edit could not be taken over."""
    imports: int = 0
    """Raised with every import: the inputs it came from are born anew."""
    past: list[Truth | None] = field(default_factory=list)
    """What was saved before each change, newest last; None where nothing was."""


def desk_of(video: Video) -> GroundTruthEditing:
    """Return this tab's desk; a new one where another video was on it."""
    found: GroundTruthEditing | None = st.session_state.get(_DESK)
    if found is None or found.video.sha256 != video.sha256:
        found = st.session_state[_DESK] = GroundTruthEditing(video)
    return found


def at_work() -> GroundTruthEditing:
    """Return this tab's desk, in a callback."""
    desk: GroundTruthEditing = peek_state()[_DESK]
    return desk


def change(desk: GroundTruthEditing, make: Callable[[Truth], Sequence[TrueSegment]]) -> None:
    """Save what ``make`` makes of the ground truth.

    Raises:
        StoreError: it can't be written, or the video is gone.
    """
    before = cache.store().saved_truth(desk.video.sha256)
    cache.store().change_truth(desk.video, make)
    desk.past.append(before)


@state.uninterrupted
def undo() -> None:
    """Take back the last change that this tab made."""
    desk = at_work()
    if desk.past:
        before = desk.past.pop()
        if before is None:
            cache.store().forget_truth(desk.video.sha256)
        else:
            cache.store().change_truth(desk.video, lambda _: before)
        desk.chosen, desk.problem = None, ""
        desk.sitting += 1


@state.uninterrupted
def forget() -> None:
    """Delete what was saved, so that what lies beside the video counts again."""
    desk = at_work()
    desk.past.append(cache.store().saved_truth(desk.video.sha256))
    cache.store().forget_truth(desk.video.sha256)
    desk.chosen, desk.problem = None, ""
