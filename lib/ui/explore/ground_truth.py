"""Ground truth of the video: a table, one segment at a time to edit by hand, marked ranges, import and export.

Each input of the form is taken over by itself as soon as it is left, so there is nothing to forget to save, and two
quick edits are two changes of the stored truth. ``st.data_editor`` is not used: it loses edits that come quickly.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import pandas as pd
import streamlit as st

from lib.core.errors import InputError, PromptreelError
from lib.core.formatting import format_time, plural
from lib.core.labelled_intervals import TrueSegment
from lib.core.validation import one_line
from lib.ground_truth.parsing import BEYOND_S, read_time
from lib.services.experiments import rows_to_prompts
from lib.store.videos import Video
from lib.ui.components.player import heard
from lib.ui.explore import results
from lib.ui.explore.ground_truth_editing import (
    GroundTruthEditing,
    Truth,
    at_work,
    change,
    desk_of,
    forget,
    undo,
)
from lib.ui.explore.ground_truth_files import draw_export, draw_import
from lib.ui.panels.video import player_key
from lib.ui.session import cache, state
from lib.ui.session.peek import peek_state

_NEW_S = 1.0
"""Length of a segment that is added without a marked range."""


def draw_alone(video: Video) -> None:
    """Draw the ground truth below a page that has nothing else to show yet; it needs no prompt."""
    st.markdown("#### Ground truth")
    draw(video)
    if desk_of(video).past:
        results.show_next("Ground truth")  # with the first prompt the page begins where somebody is at work


def draw(video: Video) -> None:
    """Draw the ground truth of the video."""
    desk, truth = desk_of(video), cache.truth(video)
    if _moved(desk.listed, truth):
        desk.tables += 1
    desk.listed = truth
    if desk.chosen not in truth:
        desk.chosen = None
    prompts, _ = rows_to_prompts(state.current().rows)
    _head(video, desk, truth, [prompt.label for prompt in prompts])
    here = (prompt.label for prompt in prompts if prompt.enabled)
    labels = list(dict.fromkeys([*here, *(one.label for one in truth)]))
    _adding(labels)
    if desk.problem:
        st.error(desk.problem, icon=":material/error:")
    if not truth:
        return
    with st.container(horizontal=True, gap="medium"):
        with st.container(width=560):
            _table(desk, truth)
        with st.container(width=360):
            _form(desk, labels)


def _moved(before: Truth, after: Truth) -> bool:
    """Return whether more than one line of the table is another one now."""
    changed = sum(one != other for one, other in zip(before, after, strict=False))
    return len(before) != len(after) or changed > 1


def _head(video: Video, desk: GroundTruthEditing, truth: Truth, prompts: Sequence[str]) -> None:
    saved = cache.store().saved_truth(video.sha256) is not None
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(_summary(truth, saved), width="stretch")
        with st.container(horizontal=True, width="content"):
            with st.popover("Import", icon=":material/upload_file:"):
                draw_import(desk, truth, prompts)
            with st.popover("Export", icon=":material/download:", disabled=not truth):
                draw_export(video, truth)
            if desk.past:
                st.button("Undo", icon=":material/undo:", key="truth_undo", on_click=undo)
            if saved:
                st.button(
                    "Delete",
                    icon=":material/delete:",
                    key="truth_forget",
                    on_click=forget,
                    help="Delete what was saved here. A file beside the video counts again, if there is one.",
                )


def _summary(truth: Truth, saved: bool) -> str:
    if not truth:
        return (
            "What is really in the video is not known yet. Mark a range in the player with **[** and **]** and add "
            "it, or import a file: then this page says how right the prompts are."
        )
    count = plural(len(truth), "true segment")
    return f"{count}, saved with the video." if saved else f"{count}, from the file beside the video."


# --- by hand


def _adding(labels: Sequence[str]) -> None:
    here = state.session()
    span = _span(here.marked, here.playhead_s)
    key = "truth_label"
    if st.session_state.get(key) is None:
        st.session_state[key] = here.label or next(iter(labels), None)
    typed = st.session_state[key]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            "Label of the new segment",
            list(dict.fromkeys([*labels, *([] if typed is None else [str(typed)])])),
            key=key,
            accept_new_options=True,
            width=280,
            placeholder="Type what is there",
            help="Choose one, or type another.",
        )
        st.button(
            f"Add {format_time(span[0], decimals=2)} – {format_time(span[1], decimals=2)}",
            icon=":material/add:",
            key="truth_add",
            on_click=_add,
            shortcut="T",
            help="The range marked in the player with [ and ]; without one, a second from where it stands.",
        )


def _span(marked: tuple[float, float] | None, playhead_s: float | None) -> tuple[float, float]:
    start = playhead_s or 0.0
    return marked or (start, start + _NEW_S)


def _shown(desk: GroundTruthEditing) -> tuple[tuple[float, float] | None, float | None]:
    """Return the range marked in the player and where it rests, in a callback: as they are, not as last drawn."""
    shown = heard(player_key(desk.video))
    return (shown.mark, shown.time_s) if shown else (None, None)


@state.uninterrupted
def _add() -> None:
    desk = at_work()
    marked, playhead_s = _shown(desk)
    start, end = _span(marked, playhead_s)
    length = desk.video.duration_s
    if marked is None and length is not None and end > length:
        start, end = max(length - _NEW_S, 0.0), length
    label = peek_state().get("truth_label")
    _take_over(desk, None, label, lambda: (round(start, 3), round(end, 3)))


def _table(desk: GroundTruthEditing, truth: Truth) -> None:
    key = f"truth_table.{desk.tables}"
    frame = pd.DataFrame(
        {
            "Label": [one.label for one in truth],
            "Start": [format_time(one.start_s, decimals=2) for one in truth],
            "End": [format_time(one.end_s, decimals=2) for one in truth],
            "Duration, s": [one.end_s - one.start_s for one in truth],
        }
    )
    chosen = [truth.index(desk.chosen)] if desk.chosen is not None else []
    st.dataframe(
        frame,
        key=key,
        hide_index=True,
        height=min(38 + 35 * len(frame), 400),
        on_select=partial(_choose, key, truth, chosen),
        selection_mode="single-row",
        selection_default={"selection": {"rows": chosen, "columns": [], "cells": []}},
        column_config={
            "Label": st.column_config.TextColumn(pinned=True),
            "Duration, s": st.column_config.NumberColumn(format="%.2f"),
        },
        alt="True segments; choose one to edit it and to see it in the player",
    )


@state.uninterrupted
def _choose(key: str, listed: Truth, drawn: list[int]) -> None:
    """Bring the line that was clicked into the form.

    A table that was just born also sends the line it was drawn with, and that may come after an edit of that line:
    it chooses nothing, or the form would close under the person's hands.
    """
    rows = peek_state()[key]["selection"]["rows"]
    desk = at_work()
    found = listed[rows[0]] if rows and rows[0] < len(listed) else None
    edited = desk.chosen is not None and desk.chosen not in listed
    if rows == drawn and (edited or found == desk.chosen):
        return
    desk.chosen = found
    desk.sitting += 1
    desk.problem = ""
    if desk.chosen is not None:
        state.seek(desk.chosen.start_s)


def _form(desk: GroundTruthEditing, labels: Sequence[str]) -> None:
    one = desk.chosen
    if one is None:
        st.caption("Choose a segment in the table to change or delete it.")
        return
    for name, value in (
        ("label", one.label),
        ("start", format_time(one.start_s, decimals=3)),
        ("end", format_time(one.end_s, decimals=3)),
    ):
        if _input_key(desk, name) not in st.session_state:
            st.session_state[_input_key(desk, name)] = value
    typed = str(st.session_state[_input_key(desk, "label")])
    st.selectbox(
        "Label",
        list(dict.fromkeys([*labels, typed])),
        key=_input_key(desk, "label"),
        accept_new_options=True,
        on_change=_edit,
    )
    with st.container(horizontal=True):
        st.text_input("Start", key=_input_key(desk, "start"), on_change=_edit)
        st.text_input("End", key=_input_key(desk, "end"), on_change=_edit)
    with st.container(horizontal=True):
        here = state.session()
        at = format_time(here.playhead_s or 0.0, decimals=2)
        st.button(f"Start at {at}", key="truth_start_here", on_click=_to_playhead, args=("start",))
        st.button(f"End at {at}", key="truth_end_here", on_click=_to_playhead, args=("end",))
        st.button("Delete it", icon=":material/delete:", key="truth_delete", on_click=_delete)


def _input_key(desk: GroundTruthEditing, name: str) -> str:
    return f"truth_{name}.{desk.sitting}"


@state.uninterrupted
def _edit() -> None:
    desk = at_work()
    if desk.chosen is not None:
        typed = peek_state()
        label, start, end = (typed.get(_input_key(desk, name)) for name in ("label", "start", "end"))
        one = desk.chosen
        _take_over(desk, one, label, lambda: (_time(start, one.start_s), _time(end, one.end_s)))


def _time(typed: object, before: float) -> float:
    """Return the time that was typed; one that was not touched keeps the digits that the input doesn't show."""
    return before if typed == format_time(before, decimals=3) else read_time(str(typed))


@state.uninterrupted
def _to_playhead(which: str) -> None:
    desk = at_work()
    _, playhead_s = _shown(desk)
    if desk.chosen is not None and playhead_s is not None:
        st.session_state[_input_key(desk, which)] = format_time(playhead_s, decimals=3)
        _edit()


def _take_over(
    desk: GroundTruthEditing, old: TrueSegment | None, label: object, times: Callable[[], tuple[float, float]]
) -> None:
    """Put a segment in the place of ``old``, or add it; what can't be is said, and stays as it was typed."""
    try:
        start, end = times()
        if not label:
            raise InputError(
                "The new segment has no label yet; type what is there into the field beside “Add”."
            )
        name = one_line(label, "The label", InputError)
        length = desk.video.duration_s
        if length is not None and max(start, end) > length + BEYOND_S:
            raise InputError(
                f"The video ends at {format_time(length, decimals=2)}; choose a time that is inside."
            )
        if end <= start:
            raise InputError(
                f"The end, {format_time(end, decimals=2)}, is not after the start, "
                f"{format_time(start, decimals=2)}; change one of them."
            )
        new = TrueSegment(name, start, end)
        if old is None and new in cache.truth(desk.video):
            raise InputError(f"“{name}” is there already from {format_time(start, decimals=2)}.")
        if new != old:
            change(desk, lambda truth: [*(one for one in truth if one != old), new])
            desk.chosen = new
            if old is None:
                desk.sitting += 1
        desk.problem = ""
    except PromptreelError as error:
        desk.problem = str(error)


@state.uninterrupted
def _delete() -> None:
    desk = at_work()
    gone = desk.chosen
    try:
        change(desk, lambda truth: [one for one in truth if one != gone])
        desk.chosen = None
    except PromptreelError as error:
        desk.problem = str(error)
