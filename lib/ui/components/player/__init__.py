"""A video player over timeline lanes; playhead and zoom move together, in the browser alone.

Python sends what to draw, and commands. The browser reports where the player rests, which range was marked and which
label was chosen, after a short pause; nothing is sent while the video plays. The JavaScript in ``js/`` consists of
plain modules that a route serves and ``player.js`` loads, so that an edit sends data and no code.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lib.core.sampling import Framing
from lib.ui.components.registration import SHARED_MODULES, ignore, newly_sent, register, taken
from lib.ui.server import routes
from lib.ui.session.peek import peek_state

_FOLDER = Path(__file__).parent
_COMPONENT = register(_FOLDER)
_MOST_S = 1e9

Problem = Literal["unsupported", "network", "gone"]
"""The browser can't play the format, lost the connection, or the URL is no longer valid."""


@dataclass(frozen=True)
class Seek:
    """A command to the player: go to ``time_s`` seconds. Acts when ``id`` changes, also to the same time."""

    id: int | str
    time_s: float


@dataclass(frozen=True)
class PlayerState:
    """Where the player rests, in seconds, its problem if any, and what was marked and chosen in it."""

    time_s: float
    problem: Problem | None
    mark: tuple[float, float] | None = None
    """Start and end, in seconds, of the range marked with ``[`` and ``]``."""
    label: str | None = None
    """The label chosen in the lanes; None until somebody chose one."""


@dataclass(frozen=True)
class DraggedThreshold:
    """A threshold that was dragged in the lanes."""

    side: str
    """``A`` or ``B`` in a comparison, else empty."""
    label: str | None
    """None: the one that the labels share that have none of their own."""
    value: float


@dataclass(frozen=True)
class MarkedTruth:
    """A press of the key T, which marks ground truth."""

    label: str | None
    """The label chosen in the lanes, else the first; None where they have none."""
    chosen: bool
    """Whether somebody chose it."""
    mark: tuple[float, float] | None
    """Start and end, in seconds, of the marked range; None without one."""
    time_s: float
    """Where the player was, in seconds."""


class Presented(NamedTuple):
    """What a presentation says beside the video."""

    lines: Mapping[str, tuple[str, str, str]]
    """By label: its words where they are others, the answer, and more about it."""
    note: str
    """What the hatching means; empty without any."""


@dataclass(frozen=True)
class PaintedTruth:
    """A label whose key was held while the video played."""

    label: str
    span: tuple[float, float]
    """Start and end, in seconds."""


@dataclass(frozen=True)
class MovedTruth:
    """A segment of ground truth of which an edge was moved, or that was removed."""

    label: str
    before: tuple[float, float]
    """Start and end, in seconds, as Python sent them."""
    after: tuple[float, float] | None
    """The new ones; None removes the segment."""


TruthEdit = MarkedTruth | PaintedTruth | MovedTruth


@dataclass
class _Memory:
    """The state of one player in this session; it outlives page switches, unlike a component's own state."""

    src: str | None
    time_s: float = 0.0
    seek_id: int | str | None = None
    report: dict[str, Any] | None = None


def player_key(sha256: str) -> str:
    """Return the widget key of the player of a video, on whatever page."""
    return f"player_{sha256[:12]}"


def player(
    src: str | None,
    *,
    key: str,
    width: int,
    height: int,
    label: str = "Video",
    start_s: float = 0.0,
    end_s: float | None = None,
    offset_s: float = 0.0,
    seek: Seek | None = None,
    lanes: Mapping[str, Any] | None = None,
    window: tuple[float, float] | None = None,
    preparing: str = "Preparing a playable copy…",
    progress: float | None = None,
    sees: Framing | None = None,
    on_threshold: Callable[[DraggedThreshold], None] | None = None,
    on_truth: Callable[[TruthEdit], None] | None = None,
    places: tuple[DeltaGenerator, DeltaGenerator] | None = None,
    presented: Presented | None = None,
) -> PlayerState:
    """Draw the player and return where it rests.

    Only another ``src`` loads a video; the other arguments may change freely. The page runs when a person pauses,
    scrubs, marks a range or chooses a label, not during playback and not for commands from Python.

    Args:
        src: URL from ``routes.url_for_video``; None while there is nothing to play yet.
        key: widget key.
        width: of the video as displayed; with ``height``, the aspect of the frame before the video is loaded.
        height: of the video as displayed.
        label: names the player for screen readers.
        start_s: start of the video in seconds; commands before it go to it.
        end_s: end of the video in seconds; commands beyond it go to it.
        offset_s: time of the video, in seconds, that the source shows at 0; all other times are the video's.
        seek: a command, executed when its id changes; delayed while ``src`` is None.
        lanes: from ``lib.ui.components.player.lanes_data.lanes``; without, the timeline has only its ruler.
        window: start and end of the zoom in seconds, None for the whole video; applied when it changes.
        preparing: shown while ``src`` is None.
        progress: 0 to 1 draws a bar under ``preparing``; None a spinner only.
        sees: what of a frame the model sees, drawn as an outline that a button hides; None for no outline.
        on_threshold: called with a threshold that was dragged, before the script runs again.
        on_truth: called for each edit of the ground truth in the lanes or by a key, before the script runs again.
        places: where the video and where the lanes go, which talk in the browser alone; None: both here, as one.
        presented: draws it for an audience, with these words beside the video and without controls.
    """
    modules = routes.url_for_modules(_FOLDER / "js", SHARED_MODULES)
    shown = {"lanes": None if lanes is None else dict(lanes), "done": taken(key)}
    data = {
        "key": key,
        "modules": modules,
        "src": src,
        "aspect": f"{max(1, width)} / {max(1, height)}",
        "sees": sees,
        "label": label,
        "first": start_s,
        "end": end_s,
        "offset": offset_s,
        "seek": None if seek is None else {"id": seek.id, "t": seek.time_s},
        "window": None if window is None else [round(edge, 4) for edge in window],
        "preparing": preparing,
        "presented": None if presented is None else presented._asdict(),
        "progress": None if progress is None else round(min(1.0, max(0.0, progress)), 3),
    }

    def edited() -> None:
        for sent in newly_sent(key, peek_state().get(key, {}).get("edits")):
            dragged, edit = _read_threshold(sent), read_truth(sent)
            if dragged is not None and on_threshold is not None:
                on_threshold(dragged)
            if edit is not None and on_truth is not None:
                on_truth(edit)

    draw = partial(_COMPONENT, key=key, on_report_change=ignore, on_edits_change=edited)
    if places is None:
        report = draw(data=data | shown).report
    else:
        with places[0]:
            report = draw(data=data | {"part": "video"}).report
        with places[1]:
            _COMPONENT(key=f"{key}.lanes", data={"key": key, "modules": modules, "part": "lanes", **shown})
    return _updated(key, src, seek, report, start_s)


def read_truth(sent: object) -> TruthEdit | None:
    """Return an edit of ground truth that the browser sent; None for what is none."""
    if not isinstance(sent, dict):
        return None
    kind, label = sent.get("kind"), sent.get("label")
    if kind == "mark" and isinstance(label, str | None) and (time := _times([sent.get("time_s")])):
        return MarkedTruth(label or None, sent.get("chosen") is True, _span(sent.get("mark")), time[0])
    if not isinstance(label, str) or not label:
        return None
    if kind == "paint" and (span := _span(sent.get("span"))):
        return PaintedTruth(label, span)
    after = _span(sent.get("after"))
    if kind == "move" and (before := _span(sent.get("before"))) and (after or sent.get("after") is None):
        return MovedTruth(label, before, after)
    return None


def _span(sent: object) -> tuple[float, float] | None:
    times = _times(sent)
    return (times[0], times[1]) if times is not None and len(times) == 2 else None


def _times(sent: object) -> list[float] | None:
    """Return a list of finite numbers as floats; None for anything else."""
    if not isinstance(sent, list) or not all(type(one) in (int, float) and abs(one) < _MOST_S for one in sent):
        return None
    return [float(one) for one in sent]


def latest_state(key: str) -> PlayerState | None:
    """Return the last state that the player ``key`` reported, for use in a callback; None before it was drawn.

    A mark and the press of a button just after it may arrive in one run; the state that was drawn is older then.
    """
    values = peek_state()
    memory: _Memory | None = values.get(_memory_key(key))
    if memory is None:
        return None
    _apply(memory, values.get(key, {}).get("report"))
    return _state(memory, memory.src)


def _updated(
    key: str, src: str | None, seek: Seek | None, report: dict[str, Any] | None, start_s: float
) -> PlayerState:
    memory: _Memory | None = st.session_state.get(_memory_key(key))
    if memory is None or (memory.src != src and memory.src is not None and src is not None):
        # Another video starts at its beginning; a command that was executed is not executed again.
        memory = _Memory(src, start_s, seek_id=memory.seek_id if memory else None)
    memory.src = src or memory.src
    _apply(memory, report)
    if seek is not None and seek.id != memory.seek_id:
        memory.time_s, memory.seek_id = seek.time_s, seek.id
    st.session_state[_memory_key(key)] = memory
    return _state(memory, src)


def _read_threshold(sent: object) -> DraggedThreshold | None:
    if not isinstance(sent, dict) or sent.get("kind") != "threshold":
        return None
    side, label, value = sent.get("side"), sent.get("label"), sent.get("value")
    if side not in ("", "A", "B") or not isinstance(label, str | None) or not isinstance(value, int | float):
        return None
    return DraggedThreshold(side, label, float(value)) if math.isfinite(value) else None


def _memory_key(key: str) -> str:
    return f"_player.{key}"


def _apply(memory: _Memory, report: dict[str, Any] | None) -> None:
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
