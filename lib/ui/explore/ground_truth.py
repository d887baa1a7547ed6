"""Ground truth of the video: a table, a form to edit one segment, marked ranges, import and export.

Each input of the form is stored by itself as soon as it is left, so there is nothing to save, and two quick edits are
two changes of the stored ground truth. ``st.data_editor`` is not used: it loses edits that come quickly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import pandas as pd
import streamlit as st

from lib.core.errors import PromptreelError
from lib.core.formatting import as_text, format_time, plural
from lib.ground_truth.parsing import read_time
from lib.services.experiments import rows_to_prompts
from lib.store.videos import Video
from lib.ui.components.player import latest_state, player_key
from lib.ui.explore import results
from lib.ui.explore.ground_truth_files import draw_export, draw_import, draw_problems
from lib.ui.panels import row_table
from lib.ui.panels.ground_truth_editing import (
    TYPED_LABEL,
    GroundTruthEditing,
    Truth,
    callback,
    editing_of,
    span_of,
)
from lib.ui.session import cache, state
from lib.ui.session.peek import peek_state
from lib.ui.session.session import Session


def draw_alone(video: Video) -> None:
    """Draw the ground truth on a page without an analysis; it needs no prompt."""
    st.markdown("#### Ground truth")
    draw(video)
    if editing_of(video).edited:
        results.show_next("Ground truth")  # so that the first prompt doesn't hide what is being edited


def draw(video: Video) -> None:
    """Draw the ground truth of the video."""
    editing, truth = editing_of(video), cache.truth(video)
    if _moved(editing.listed, truth):
        editing.table_version += 1
    editing.listed = truth
    if editing.selected not in truth:
        editing.selected = None
    prompts, _ = rows_to_prompts(state.current().rows)
    _head(video, editing, truth, [prompt.label for prompt in prompts])
    enabled = (prompt.label for prompt in prompts if prompt.enabled)
    labels = list(dict.fromkeys([*enabled, *(segment.label for segment in truth)]))
    _adding(labels)
    if editing.problem:
        st.error(as_text(editing.problem), icon=":material/error:")
    if not truth:
        return
    with st.container(horizontal=True, gap="medium"):
        with st.container(width=560):
            _table(editing, truth)
        with st.container(width=360):
            _form(editing, labels)


def _moved(before: Truth, after: Truth) -> bool:
    """Return whether more than one row of the table has changed."""
    changed = sum(old != new for old, new in zip(before, after, strict=False))
    return len(before) != len(after) or changed > 1


def _head(video: Video, editing: GroundTruthEditing, truth: Truth, prompts: Sequence[str]) -> None:
    problem = cache.truth_problem(video)
    if problem:
        st.warning(as_text(problem), icon=":material/warning:")
    draw_problems(cache.annotation_problems(video))
    saved = bool(problem) or cache.store().saved_truth(video.sha256) is not None
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(_summary(truth, saved), width="stretch")
        with st.container(horizontal=True, width="content"):
            with st.popover("Import", icon=":material/upload_file:"):
                draw_import(editing, truth, prompts)
            with st.popover("Export", icon=":material/download:", disabled=not truth):
                draw_export(video, truth)
            if saved:
                st.button(
                    "Delete",
                    icon=":material/delete:",
                    key="truth_forget",
                    on_click=callback(GroundTruthEditing.forget),
                    help="Delete what was saved here. The video’s annotation file counts again, if there is one.",
                )


def _summary(truth: Truth, saved: bool) -> str:
    if not truth:
        return (
            "This video has no ground truth yet. Mark a range in the player with **[** and **]** and add it, "
            "or import a file: then this page shows the accuracy of the prompts."
        )
    count = plural(len(truth), "ground-truth segment")
    return f"{count}, saved with the video." if saved else f"{count}, from the video’s annotation file."


# --- by hand


def _adding(labels: Sequence[str]) -> None:
    session = state.session()
    span = span_of(session.marked, session.playhead_s)
    key = TYPED_LABEL
    if st.session_state.get(key) is None:
        st.session_state[key] = session.label or next(iter(labels), None)
    typed = st.session_state[key]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            "Label of the new segment",
            list(dict.fromkeys([*labels, *([] if typed is None else [str(typed)])])),
            key=key,
            accept_new_options=True,
            width=280,
            placeholder="Type a label",
            help="Choose one, or type another.",
        )
        st.button(
            f"Add {format_time(span[0], decimals=2)} – {format_time(span[1], decimals=2)}",
            icon=":material/add:",
            key="truth_add",
            on_click=_add,
            help="The range marked in the player with [ and ]; without one, one second from the current position. "
            "The key T adds it with the label chosen in the player.",
        )


def _player_marks(editing: GroundTruthEditing) -> tuple[tuple[float, float] | None, float | None]:
    """Return the marked range and the position of the player as they are in a callback, not as last drawn."""
    player = latest_state(player_key(editing.video.sha256))
    return (player.mark, player.time_s) if player else (None, None)


@callback
def _add(editing: GroundTruthEditing) -> None:
    editing.add(peek_state().get(TYPED_LABEL), *_player_marks(editing))


def _table(editing: GroundTruthEditing, truth: Truth) -> None:
    key = f"truth_table.{editing.table_version}"
    frame = pd.DataFrame(
        {
            "Label": [segment.label for segment in truth],
            "Start": [format_time(segment.start_s, decimals=2) for segment in truth],
            "End": [format_time(segment.end_s, decimals=2) for segment in truth],
            "Duration (s)": [segment.end_s - segment.start_s for segment in truth],
        }
    )
    selected = truth.index(editing.selected) if editing.selected is not None else None
    st.dataframe(
        frame,
        key=key,
        hide_index=True,
        placeholder="–",
        height=min(38 + 35 * len(frame), 400),
        on_select=partial(select_row, key, truth, selected, state.session()),
        selection_mode=row_table.MODE,
        selection_default=row_table.choice(selected, "Label"),
        column_config={
            "Label": st.column_config.TextColumn(pinned=True),
            "Duration (s)": st.column_config.NumberColumn(format="%.2f"),
        },
        alt="Ground-truth segments; select one to edit it and to see it in the player",
    )


@callback
def select_row(editing: GroundTruthEditing, key: str, listed: Truth, drawn: int | None, session: Session) -> None:
    """Put the segment of the row that was clicked into the form.

    A new table also sends the selection it was drawn with, and that may come after an edit of that row. It is
    ignored, or the form would close while somebody edits it.
    """
    row = row_table.chosen(peek_state()[key], len(listed))
    segment = None if row is None else listed[row]
    edited = editing.selected is not None and editing.selected not in listed
    if row == drawn and (edited or segment == editing.selected):
        return
    editing.select(segment)
    if segment is not None:
        session.seek(segment.start_s)


def _form(editing: GroundTruthEditing, labels: Sequence[str]) -> None:
    segment = editing.selected
    if segment is None:
        st.caption("Select a row to change or delete the segment.")
        return
    for name, value in (
        ("label", segment.label),
        ("start", format_time(segment.start_s, decimals=3)),
        ("end", format_time(segment.end_s, decimals=3)),
    ):
        if _input_key(editing, name) not in st.session_state:
            st.session_state[_input_key(editing, name)] = value
    typed = str(st.session_state[_input_key(editing, "label")])
    st.selectbox(
        "Label",
        list(dict.fromkeys([*labels, typed])),
        key=_input_key(editing, "label"),
        accept_new_options=True,
        on_change=_edit,
    )
    with st.container(horizontal=True):
        st.text_input("Start", key=_input_key(editing, "start"), on_change=_edit)
        st.text_input("End", key=_input_key(editing, "end"), on_change=_edit)
    with st.container(horizontal=True):
        at = format_time(state.session().playhead_s or 0.0, decimals=2)
        st.button(f"Start at {at}", key="truth_start_here", on_click=_to_playhead, args=("start",))
        st.button(f"End at {at}", key="truth_end_here", on_click=_to_playhead, args=("end",))
        st.button("Delete segment", icon=":material/delete:", key="truth_delete", on_click=delete_selected)


def _input_key(editing: GroundTruthEditing, name: str) -> str:
    return f"truth_{name}.{editing.form_version}"


@callback
def _edit(editing: GroundTruthEditing) -> None:
    _store_form(editing, peek_state())


def _store_form(editing: GroundTruthEditing, inputs: Mapping[str, object]) -> None:
    old = editing.selected
    if old is not None:
        label, start, end = (inputs.get(_input_key(editing, name)) for name in ("label", "start", "end"))
        editing.put(old, label, lambda: (_time(start, old.start_s), _time(end, old.end_s)))


def _time(typed: object, before: float) -> float:
    """Return the time that was typed; an unchanged one keeps the digits that the input doesn't show."""
    return before if typed == format_time(before, decimals=3) else read_time(str(typed))


@callback
def _to_playhead(editing: GroundTruthEditing, which: str) -> None:
    _, playhead_s = _player_marks(editing)
    if editing.selected is not None and playhead_s is not None:
        typed = {_input_key(editing, which): format_time(playhead_s, decimals=3)}
        st.session_state.update(typed)
        _store_form(editing, {**peek_state(), **typed})


@callback
def delete_selected(editing: GroundTruthEditing) -> None:
    """Delete the segment in the form."""
    deleted = editing.selected
    try:
        editing.change(lambda truth: [segment for segment in truth if segment != deleted])
        editing.selected = None
    except PromptreelError as error:
        editing.problem = str(error)
