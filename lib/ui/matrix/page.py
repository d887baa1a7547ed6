"""Panels of the Matrix page: many prompt sets, or the wordings of a sweep, against many videos."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from lib.comparison.matrix import KINDS, METRICS
from lib.core.errors import PromptreelError
from lib.core.formatting import as_text, escape_markdown
from lib.core.labelled_intervals import label_key
from lib.prompts.model import PromptSet
from lib.ui.background import embedding
from lib.ui.matrix import rows as matrix_rows
from lib.ui.matrix import settings, table
from lib.ui.matrix.rows import MatrixRow
from lib.ui.matrix.settings import MODES
from lib.ui.matrix.table import Cell
from lib.ui.matrix.videos import Columns
from lib.ui.matrix.view import Matrix, MatrixView, view_of
from lib.ui.panels import undo_bar
from lib.ui.session import cache, comparison_sides, opening, state
from lib.ui.session.bindings import Binding, replace_widget, widget_key

_MODE_NAMES = {"sets": "Prompt sets", "sweep": "Wording sweep"}
_BY_VIDEO = "matrix_by_video"
_ALL = ""  # a label is never empty


def choose_rows() -> list[MatrixRow]:
    """Draw the choice between prompt sets and a sweep, and what belongs to it; return the rows."""
    st.segmented_control(
        "Rows",
        MODES,
        format_func=_MODE_NAMES.__getitem__,
        required=True,
        label_visibility="collapsed",
        default=settings.current().mode,
        **settings.bound("mode", settings.current().mode),
    )
    if settings.current().mode == "sweep":
        return matrix_rows.choose_wordings()
    return matrix_rows.choose()


def compute(rows: Sequence[MatrixRow], columns: Columns) -> Matrix | None:
    """Return all cells, with a sentence drawn for everything that is left out; None when there is nothing to show.

    All texts go to the engine in one batch, and only a cell whose content changed is computed.
    """
    if not rows:
        return None
    if not columns.videos:
        st.info("Choose a video above, or embed one.", icon=":material/video_library:")
        return None
    texts = tuple(dict.fromkeys(text for row in rows for text in row.prompt_set.texts_to_embed))
    vectors, problems = cache.text_vectors(columns.engine, texts)
    vectors, of_pictures = cache.with_picture_vectors(columns.engine, [row.prompt_set for row in rows], vectors)
    problems += of_pictures
    prompt_sets = _with_vectors(rows, vectors)
    with st.spinner(f"Computing {len(prompt_sets)} × {len(columns.videos)}…"):
        cells = _cells(prompt_sets, columns, vectors, problems)
    for problem in dict.fromkeys(problems):
        st.warning(as_text(problem), icon=":material/edit_note:")
    return Matrix.of(rows, columns.names, cells) if cells else None


def _with_vectors(rows: Sequence[MatrixRow], vectors: Mapping[str, NDArray[np.float32]]) -> dict[str, PromptSet]:
    """Return by row key what can be analysed of each prompt set: the prompts whose texts all have vectors."""
    prompt_sets: dict[str, PromptSet] = {}
    for row in rows:
        complete = all(text in vectors for text in row.prompt_set.texts)
        prompt_set = row.prompt_set if complete else embedding.with_vectors(row.prompt_set, vectors)
        if prompt_set is not None and prompt_set.enabled:
            prompt_sets[row.key] = prompt_set
    return prompt_sets


def _cells(
    prompt_sets: Mapping[str, PromptSet],
    columns: Columns,
    vectors: Mapping[str, NDArray[np.float32]],
    problems: list[str],
) -> dict[tuple[str, str], Sequence[Mapping[str, Any]]]:
    """Return the metrics by row key and video; what can't be computed is added to ``problems``."""
    cells: dict[tuple[str, str], Sequence[Mapping[str, Any]]] = {}
    for video in columns.videos:  # the outer loop, so that each video's vectors are loaded once
        truth = cache.truth(video)
        if problem := cache.truth_problem(video):
            problems.append(f"{video.name}: {problem}")
        info = columns.infos[video.sha256]
        for key, prompt_set in prompt_sets.items():
            try:
                is_relative = prompt_set.settings.score == "relative"
                reference = cache.reference(info, columns.engine) if is_relative else None
                cells[key, video.sha256] = cache.label_metrics(info, prompt_set, vectors, truth, reference)
            except PromptreelError as error:
                problems.append(str(error))
    return cells


def show(matrix: Matrix) -> None:
    """Draw metric, label and order, the table, and what can be done with the chosen cell."""
    swept_label = matrix_rows.swept_label() if settings.current().mode == "sweep" else None
    view = view_of(matrix, settings.current(), swept_label=swept_label)
    _choose_view(view)
    if view.verdict:
        st.markdown(view.verdict)
    st.caption(view.caption)
    draw = table.draw_video_rows if st.session_state.get(_BY_VIDEO) else table.draw
    cell = draw(view, matrix.videos)
    best = view.rows[0] if view.ranking["rank"].notna().any() else None
    if view.sweep and (chosen := cell.row if cell else best):
        _use(chosen, view.label or "")
    if cell is None:
        st.caption("Select a cell to open it in Explore or to compare it with the current prompt set.")
    else:
        _detail(cell, matrix)


def _choose_view(view: MatrixView) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.selectbox(
            "Metric",
            list(view.metrics),
            format_func=lambda metric: KINDS[metric].title,
            width=150,
            index=view.metrics.index(view.metric),
            **_following("sweep_metric" if view.sweep else "metric", view.metric),
        )
        if not view.sweep:
            labels, key = [_ALL, *view.labels], label_key(view.label or _ALL)
            chosen = next(label for label in labels if label_key(label) == key)
            st.selectbox(
                "Label",
                labels,
                format_func=lambda label: label or "All labels (mean)",
                width=190,
                index=labels.index(chosen),
                **_following("label", chosen),
            )
        if len(view.orders) > 2:
            st.selectbox(
                "Order",
                list(view.orders),
                format_func=view.orders.__getitem__,
                width=160,
                index=list(view.orders).index(view.order),
                **_following("order", view.order),
            )
        st.toggle(
            "Videos as rows",
            key=_BY_VIDEO,
            persist_state="session",
            help="A row for each video, a column for each set.",
        )


def _following(name: str, value: object) -> Binding:
    """Return a binding whose widget follows ``value`` also where it changes without an edit."""
    session, widget = state.session(), f"matrix.{name}"
    if st.session_state.get(widget_key(session, widget), value) != value:
        replace_widget(session, widget)
    return settings.bound(name, value)


def _use(row: MatrixRow, label: str) -> None:
    """Draw the button that puts the words of a row into the experiment, and the one that undoes it."""
    words = "; ".join(row.wording.texts) if row.wording else ""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            f"Use “{as_text(words)}”" if len(words) <= 60 else "Use this wording",
            type="primary",
            icon=":material/check:",
            key="matrix_use",
            disabled=row.current,
            help="These are the current words."
            if row.current
            else f"Use these words for “{as_text(label)}” in the experiment",
            on_click=state.callback(state.session().load_prompt_set),
            args=(row.prompt_set,),
        )
        undo_bar.draw()


def _detail(cell: Cell, matrix: Matrix) -> None:
    """Draw the chosen cell: every metric of its labels, and where to look at it."""
    video = f" in **{escape_markdown(matrix.videos[cell.video])}**" if cell.video else ""
    with st.container(border=True):
        st.markdown(f"**{escape_markdown(cell.row.name)}**{video}")
        if cell.video is not None:
            _all_metrics(matrix.cells.get((cell.row.key, cell.video), ()))
        with st.container(horizontal=True):
            if st.button("Open in Explore", icon=":material/timeline:", key="matrix_open"):
                _open(cell)
            if st.button(
                "Compare with the current set",
                icon=":material/compare:",
                key="matrix_compare",
                disabled=cell.row.current,
                help="These are the current words." if cell.row.current else None,
            ):
                _compare(cell)


def _all_metrics(measured: Sequence[Mapping[str, Any]]) -> None:
    frame = pd.DataFrame(
        [
            {
                "Label": metrics["label"],
                **{KINDS[metric].title: KINDS[metric].text(metrics[metric]) for metric in METRICS},
            }
            for metrics in measured
        ]
    )
    st.dataframe(
        frame,
        hide_index=True,
        placeholder="–",
        height=min(38 + 35 * len(frame), 38 + 35 * 6),
        column_config={"Label": st.column_config.TextColumn(pinned=True)},
        alt="Every metric of each label in the selected cell",
    )


def _open(cell: Cell) -> None:
    opening.open_with(cell.row.prompt_set, cell.video)
    st.switch_page("pages/explore.py", query_params=state.address())


def _compare(cell: Cell) -> None:
    present, _ = state.current().prompt_set()
    if cell.video is not None and present is not None:
        opening.open_with(present, cell.video)
    comparison_sides.compare_with(state.current().with_prompt_set(cell.row.prompt_set))
    st.switch_page("pages/compare.py", query_params=state.address())
