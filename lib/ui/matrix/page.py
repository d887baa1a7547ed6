"""Panels of the Matrix page: many prompt sets, or the wordings of a sweep, against many videos."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from lib.comparison.matrix import KINDS, METRICS, Metric, grid, rank, tidy
from lib.comparison.wording_sweep import labels_of
from lib.core.errors import PromptreelError
from lib.core.labelled_intervals import label_key
from lib.prompts.model import PromptSet
from lib.store.videos import Video
from lib.ui.background import embedding
from lib.ui.matrix import rows as matrix_rows
from lib.ui.matrix import settings, table
from lib.ui.matrix.rows import MatrixRow
from lib.ui.matrix.settings import MODES
from lib.ui.matrix.table import Cell
from lib.ui.matrix.videos import Columns
from lib.ui.session import cache, comparison_sides, state

_MODE_NAMES = {"sets": "Prompt sets", "sweep": "Wording sweep"}
_ALL = ""  # a label is never empty


@dataclass(frozen=True)
class Matrix:
    """Everything that is on show."""

    lines: tuple[MatrixRow, ...]
    columns: Columns
    frame: pd.DataFrame
    """One row a line, video and label; see ``lib.comparison.matrix.tidy``."""
    cells: Mapping[tuple[str, str], Sequence[Mapping[str, Any]]]
    """What ``lib.comparison.matrix.measure`` gave, by line and video."""


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


def compute(lines: Sequence[MatrixRow], columns: Columns) -> Matrix | None:
    """Return all cells, with a sentence drawn for everything that is left out; None when there is nothing to show.

    All texts go to the engine in one batch, and only a cell whose content changed is computed.
    """
    if not lines:
        return None
    if not columns.videos:
        st.info("Choose a video above, or embed one.", icon=":material/video_library:")
        return None
    texts = tuple(dict.fromkeys(text for line in lines for text in line.prompt_set.texts))
    vectors, problems = cache.text_vectors(columns.engine, texts)
    usable: dict[str, PromptSet] = {}
    for line in lines:
        whole = all(text in vectors for text in line.prompt_set.texts)
        left = line.prompt_set if whole else embedding.with_vectors(line.prompt_set, vectors)
        if left is not None and left.enabled:
            usable[line.key] = left
    cells: dict[tuple[str, str], Sequence[Mapping[str, Any]]] = {}
    with st.spinner(f"Computing {len(usable)} × {len(columns.videos)}…"):
        for video in columns.videos:  # the outer loop, so that each video's vectors are loaded once
            truth = cache.truth(video)
            for key, prompt_set in usable.items():
                try:
                    cells[key, video.sha256] = cache.label_metrics(
                        columns.infos[video.sha256], prompt_set, vectors, truth
                    )
                except PromptreelError as error:
                    problems.append(str(error))
    for problem in dict.fromkeys(problems):
        st.warning(problem, icon=":material/edit_note:")
    if not cells:
        return None
    return Matrix(tuple(lines), columns, tidy(cells), cells)


def show(matrix: Matrix) -> None:
    """Draw metric, label and order, the table, and what can be done with the chosen cell."""
    plan = settings.current()
    sweep = plan.mode == "sweep"
    label = matrix_rows.swept_label() if sweep else plan.label or None
    labels = labels_of([line.prompt_set for line in matrix.lines])
    if not sweep and label is not None and label_key(label) not in map(label_key, labels):
        label = None
    field = "sweep_metric" if sweep else "metric"
    metric: Metric = getattr(plan, field) or _sensible(matrix, label, sweep)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.selectbox(
            "Metric",
            METRICS,
            format_func=lambda one: KINDS[one].title,
            width=150,
            index=METRICS.index(metric),
            **_follow(field, metric),
        )
        if not sweep:
            st.selectbox(
                "Label",
                [_ALL, *labels],
                format_func=lambda one: one or "All labels (mean)",
                width=190,
                index=labels.index(label) + 1 if label in labels else 0,
                **_follow("label", label or _ALL),
            )
        orders = {
            "rank": "Mean, best first",
            **({} if sweep else {"chosen": "As chosen"}),
            **matrix.columns.names,
        }
        order = plan.order if plan.order in orders else "rank"
        if len(orders) > 2:
            st.selectbox(
                "Order",
                list(orders),
                format_func=orders.__getitem__,
                width=160,
                index=list(orders).index(order),
                **_follow("order", order),
            )
    plan = settings.current()
    st.caption(_about(metric, label, matrix, sweep))
    keys, names = [line.key for line in matrix.lines], matrix.columns.names
    wide = grid(matrix.frame, metric, label, sets=keys, videos=list(names))
    ranking = rank(wide, metric)
    ordered = list(ranking.index)
    if order == "chosen":
        ordered = keys
    elif order in names:
        ordered = list(rank(wide[[order]], metric).index)
    by_key = {line.key: line for line in matrix.lines}
    lines = [by_key[key] for key in ordered]
    cell = table.draw(lines, wide, ranking, metric, names, key="matrix_table|" + "|".join([*ordered, *names]))
    if sweep:
        _use(cell.line if cell else lines[0], label or "")
    _detail(cell, matrix, metric)


def _follow(name: str, value: object) -> state.Binding:
    """Return a binding whose widget follows ``value`` also where it changes without an edit."""
    place = state.versioned(f"matrix.{name}")
    if st.session_state.get(place, value) != value:
        st.session_state[place] = value
    return settings.bound(name, value)


def _sensible(matrix: Matrix, label: str | None, sweep: bool) -> Metric:
    """Return F1 where the ground truth tells about what is asked, else what can be had without."""
    known = grid(
        matrix.frame,
        "f1",
        label,
        sets=[line.key for line in matrix.lines],
        videos=[video.sha256 for video in matrix.columns.videos],
    )
    if known.notna().any().any():
        return "f1"
    return "separation" if sweep else "share"


def _about(metric: Metric, label: str | None, matrix: Matrix, sweep: bool) -> str:
    plan, kind = settings.current(), KINDS[metric]
    automatic = (plan.sweep_metric if sweep else plan.metric) is None
    text = f"{kind.title}: {kind.meaning[0].lower()}{kind.meaning[1:]}"
    if metric == "f1":
        known = matrix.frame[matrix.frame["f1"].notna()]
        if label is not None:
            known = known[known["label"].map(label_key) == label_key(label)]
        names = [matrix.columns.names[one] for one in dict.fromkeys(known["video"])]
        if names:
            text += f", where that tells about it: {', '.join(map(_plain, names))}"
            text += ". It ranks here because there is ground truth" if sweep and automatic else ""
        else:
            text += "; no chosen video has one that tells about it"
    elif metric == "separation":
        text += " (its lead over the best other prompt, split in two; the distance of the means)"
        if sweep and automatic:
            text += ". It ranks here because no ground truth tells about the label; it is a hint, no proof"
    if label is None:
        text += ". A cell is the mean over the targets of its prompt set"
    return f"{text}. Click the name of a column to sort by it."


def _plain(text: str) -> str:
    """Return the text with everything escaped that Markdown would take for a sign."""
    return re.sub(r"([\\`*_{}\[\]<>()#+\-.!|~$:])", r"\\\1", text)


def _use(line: MatrixRow, label: str) -> None:
    """Draw what puts the words of a line into the experiment, and takes them out again."""
    words = "; ".join(line.wording.texts) if line.wording else ""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            f"Use “{words}”" if len(words) <= 60 else "Use this wording",
            type="primary",
            icon=":material/check:",
            key="matrix_use",
            disabled=line.current,
            help="These are the present words."
            if line.current
            else f"Put these words to “{label}” in the experiment",
            on_click=state.uninterrupted(state.load_prompt_set),
            args=(line.prompt_set,),
        )
        if state.session().undo:
            st.button("Undo", icon=":material/undo:", key="matrix_undo", on_click=state.undo_load)


def _detail(cell: Cell | None, matrix: Matrix, metric: Metric) -> None:
    """Draw the chosen cell: every metric of its labels, and where to look at it."""
    if cell is None:
        st.caption("Choose a cell to open it in Explore or to compare it with the present prompt set.")
        return
    video = next((one for one in matrix.columns.videos if one.sha256 == cell.video), None)
    where = f" in **{_plain(video.name)}**" if video else ""
    with st.container(border=True):
        st.markdown(f"**{_plain(cell.line.name)}**{where}")
        if video is not None:
            _all_metrics(matrix.cells.get((cell.line.key, video.sha256), ()))
        with st.container(horizontal=True):
            if st.button("Open in Explore", icon=":material/timeline:", key="matrix_open"):
                _open(cell.line, video, "pages/explore.py")
            if st.button(
                "Compare with the present set",
                icon=":material/compare:",
                key="matrix_compare",
                disabled=cell.line.current,
                help="These are the present words." if cell.line.current else None,
            ):
                _compare(cell.line, video)


def _all_metrics(rows: Sequence[Mapping[str, Any]]) -> None:
    frame = pd.DataFrame(
        [
            {"Label": row["label"], **{KINDS[one].title: KINDS[one].text(row[one]) for one in METRICS}}
            for row in rows
        ]
    )
    st.dataframe(
        frame,
        hide_index=True,
        height=min(38 + 35 * len(frame), 38 + 35 * 6),
        column_config={"Label": st.column_config.TextColumn(pinned=True)},
        alt="Every metric of each label in the chosen cell",
    )


def _open(line: MatrixRow, video: Video | None, page: str) -> None:
    if not line.current:
        state.load_prompt_set(line.prompt_set)
    if video is not None:
        state.open_video(video.sha256)
    st.switch_page(page, query_params=state.address())


def _compare(line: MatrixRow, video: Video | None) -> None:
    if video is not None:
        state.open_video(video.sha256)
    comparison_sides.compare_with(state.current().with_prompt_set(line.prompt_set))
    st.switch_page("pages/compare.py", query_params=state.address())
