"""Player and timeline as one instrument: a video over its lanes, moved together in the browser.

Python sends what to draw and commands; it hears, once it settles, where the player rests, which range was marked and
which label was chosen. While the video plays, nothing goes to and fro. The JavaScript lies in ``js/`` as plain modules
that a route serves; ``player.js`` loads them, so that an edit sends what changed and no code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import streamlit as st

from lib.ui.components.registration import nothing, register
from lib.ui.server import routes
from lib.ui.session.peek import peek_state

_FOLDER = Path(__file__).parent
_COMPONENT = register(_FOLDER)

Problem = Literal["unsupported", "network", "gone"]
"""What the browser met: it can't play the format, it lost the server, or the URL is not known any more."""


@dataclass(frozen=True)
class Seek:
    """A command to the player: go to ``time_s`` seconds. Acts when ``id`` changes, also to the same time."""

    id: int | str
    time_s: float


@dataclass(frozen=True)
class PlayerState:
    """Where the player rests, in seconds, what it met, and what was marked and chosen in it."""

    time_s: float
    problem: Problem | None
    mark: tuple[float, float] | None = None
    """Start and end, in seconds, of the range marked with ``[`` and ``]``."""
    label: str | None = None
    """The label chosen in the lanes; None until somebody chose one."""


@dataclass
class _Memory:
    """What this session knows of one player; outlives page switches, unlike a component's own state."""

    src: str | None
    time_s: float = 0.0
    seek_id: int | str | None = None
    report: dict[str, Any] | None = None


def player(
    src: str | None,
    *,
    key: str,
    width: int,
    height: int,
    label: str = "Video",
    duration_s: float | None = None,
    seek: Seek | None = None,
    lanes: Mapping[str, Any] | None = None,
    window: tuple[float, float] | None = None,
    poster: str | None = None,
    preparing: str = "Preparing a playable copy…",
    progress: float | None = None,
) -> PlayerState:
    """Draw the player and return where it rests.

    Other arguments may change at will: only another ``src`` loads again. The page runs once for each time a
    person pauses, scrubs, marks a range or chooses a label, not while playing and not for commands from Python.

    Args:
        src: URL from ``routes.url_for_video``; None while there is nothing to play yet.
        key: widget key.
        width: of the video as displayed; with ``height`` it fixes the frame's aspect, so that nothing jumps.
        height: of the video as displayed.
        label: names the player for screen readers.
        duration_s: length in seconds; commands beyond it go to its end.
        seek: command; done when its id changes, kept for later while ``src`` is None.
        lanes: what ``lib.ui.components.player.lanes_data.lanes`` gives; without, the timeline shows the ruler only.
        window: start and end of the zoom in seconds, None for all of the video; acts when it changes.
        poster: URL of a picture shown before the first frame.
        preparing: shown while ``src`` is None.
        progress: 0 to 1 draws a bar under ``preparing``; None a spinner only.
    """
    data = {
        "key": key,
        "modules": routes.url_for_modules(_FOLDER / "js"),
        "src": src,
        "aspect": f"{max(1, width)} / {max(1, height)}",
        "label": label,
        "duration": duration_s,
        "seek": None if seek is None else {"id": seek.id, "t": seek.time_s},
        "lanes": None if lanes is None else dict(lanes),
        "window": None if window is None else [round(edge, 4) for edge in window],
        "poster": poster,
        "preparing": preparing,
        "progress": None if progress is None else round(min(1.0, max(0.0, progress)), 3),
    }
    report = _COMPONENT(key=key, data=data, on_report_change=nothing).report
    return _settle(key, src, seek, report)


def heard(key: str) -> PlayerState | None:
    """Return what the player with this ``key`` said last, in a callback; None before it was drawn.

    A mark and the press of a button just after it may come with one and the same run: what the last run drew is older.
    """
    known = peek_state()
    memory: _Memory | None = known.get(_place(key))
    if memory is None:
        return None
    _hear(memory, known.get(key, {}).get("report"))
    return _state(memory, memory.src)


def _settle(key: str, src: str | None, seek: Seek | None, report: dict[str, Any] | None) -> PlayerState:
    memory: _Memory | None = st.session_state.get(_place(key))
    if memory is None or (memory.src != src and memory.src is not None and src is not None):
        # Another video starts at its beginning; a command that the one before has done is not done again.
        memory = _Memory(src, seek_id=memory.seek_id if memory else None)
    memory.src = src or memory.src
    _hear(memory, report)
    if seek is not None and seek.id != memory.seek_id:
        memory.time_s, memory.seek_id = seek.time_s, seek.id
    st.session_state[_place(key)] = memory
    return _state(memory, src)


def _place(key: str) -> str:
    return f"_player.{key}"


def _hear(memory: _Memory, report: dict[str, Any] | None) -> None:
    if report and report != memory.report and report["src"] == memory.src:
        memory.time_s = float(report["time_s"])
    memory.report = report or memory.report


def _state(memory: _Memory, src: str | None) -> PlayerState:
    current = memory.report if memory.report and memory.report["src"] == src else None
    if current is None:
        return PlayerState(memory.time_s, None)
    mark = current.get("mark")
    return PlayerState(
        memory.time_s,
        current["problem"],
        (float(mark[0]), float(mark[1])) if mark else None,
        current.get("label"),
    )
