"""Draws the matrix as a table with heat colours; a click chooses a cell."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st
from streamlit.elements.arrow import DataframeStateInput

from lib.core.formatting import plural
from lib.ui.matrix.rows import MatrixRow
from lib.ui.matrix.view import (
    GAIN,
    MEAN,
    NAME,
    RANK,
    TEMPLATE,
    MatrixTable,
    MatrixView,
    table_of,
    title_of,
    video_rows_of,
)

_UNPINNED = 2  # videos that fit beside the names on a narrow page
_VISIBLE_ROWS = 16
_NARROWEST, _WIDEST, _PINNED = 90, 420, 320
_LETTER, _PADDING, _HELP = 7.2, 32, 22
"""Pixels of a heading: a letter of it, what is around it and the menu's button, the sign that there is help."""
_CHOSEN = "matrix_chosen_cell"


@dataclass(frozen=True)
class Cell:
    """What was chosen in the table."""

    row: MatrixRow
    video: str | None
    """SHA-256; None when the cell belongs to no video: a name, a mean."""


def draw(view: MatrixView, videos: Mapping[str, str]) -> Cell | None:
    """Draw the table of ``view``; return the cell that is chosen in it. ``videos`` are names by SHA-256, in order."""
    table = table_of(view, videos)
    theme = "dark" if st.context.theme.type == "dark" else "light"
    coloured: list[Hashable] = [*table.numbers]
    written = [column for column in (RANK, GAIN, *table.numbers) if column in table.frame]
    formats: dict[Hashable, Any] = {column: partial(table.text, column) for column in written}
    keys = [row.key for row in view.rows]
    event = st.dataframe(
        table.frame.style.map(partial(table.css, theme=theme), subset=coloured).format(formats),
        key="matrix_table|" + "|".join([*keys, *videos]),  # a selection counts for these rows and columns only
        hide_index=True,
        on_select="rerun",
        selection_mode="single-cell",
        placeholder="–",
        selection_default=_chosen_before(keys, table.videos),
        height=min(38 + 35 * max(len(keys), 1), 38 + 35 * _VISIBLE_ROWS),
        column_config=_columns(table, videos, view),
        alt=f"{table.kind.title} of each {'wording' if view.sweep else 'prompt set'} in each video; "
        "select a cell to open it",
    )
    cells = event["selection"]["cells"]
    if not cells or cells[0][0] >= len(keys):
        st.session_state.pop(_CHOSEN, None)
        return None
    index, column = cells[0]
    cell = Cell(view.rows[index], table.videos.get(column))
    st.session_state[_CHOSEN] = (cell.row.key, cell.video)
    return cell


def draw_video_rows(view: MatrixView, videos: Mapping[str, str]) -> Cell | None:
    """Draw the same with a row for each video, and return the cell that is chosen in it."""
    table, rows = table_of(view, videos), video_rows_of(view, videos)
    theme = "dark" if st.context.theme.type == "dark" else "light"
    columns: list[Hashable] = [*rows.sets]
    number = st.column_config.NumberColumn
    event = st.dataframe(
        rows.frame.style.map(partial(table.css, theme=theme), subset=columns).format(
            {column: partial(table.text, str(column)) for column in columns}
        ),
        key="matrix_by_video|" + "|".join([*(row.key for row in view.rows), *videos]),
        hide_index=True,
        on_select="rerun",
        selection_mode="single-cell",
        placeholder="–",
        column_config={
            NAME: st.column_config.TextColumn("Video", width=180),
            **{column: number(title_of(row), width=_wide(title_of(row))) for column, row in rows.sets.items()},
        },
        alt=f"{table.kind.title} in each video of each {'wording' if view.sweep else 'prompt set'}; "
        "select a cell to open it",
    )
    cells = event["selection"]["cells"]
    if not cells or cells[0][0] >= len(rows.videos) or cells[0][1] not in rows.sets:
        return None
    index, column = cells[0]
    return Cell(rows.sets[column], rows.videos[index])


def _wide(heading: str, beside: int = 0) -> int:
    """Return the width of a column, in CSS pixels, in which its heading is read whole, with so much beside it."""
    return min(max(_NARROWEST, _PADDING + beside + math.ceil(_LETTER * len(heading))), _WIDEST)


def _chosen_before(keys: Sequence[str], columns: Mapping[str, str]) -> DataframeStateInput | None:
    """Return the selection of the cell that was chosen before the rows were sorted differently."""
    key, video = st.session_state.get(_CHOSEN, (None, None))
    column = next((column for column, sha256 in columns.items() if sha256 == video), NAME)
    return {"selection": {"cells": [(keys.index(key), column)]}} if key in keys else None


def _columns(table: MatrixTable, videos: Mapping[str, str], view: MatrixView) -> dict[str, Any]:
    sweep, shared = view.sweep, set(view.shared)
    of_shared = f"over {plural(len(shared), 'video')} that all rows have a value for"
    number = st.column_config.NumberColumn
    # A wide page stretches columns beyond their width, but no pinned one. So names are pinned only where there are
    # so many columns that a narrow page scrolls.
    many = len(videos) + sweep > _UNPINNED
    name = "Wording" if sweep else "Prompt set"
    names = [_wide(one) for one in (name, *(title_of(row) for row in view.rows))]
    return {
        RANK: number("#", width=45, help=f"Rank by the mean {of_shared}, best first"),
        NAME: st.column_config.TextColumn(name, width=min(max(names), _PINNED) if many else 180, pinned=many),
        TEMPLATE: st.column_config.TextColumn("Template", width=160),
        MEAN: number("Mean", width=60, help=f"Mean {of_shared}"),
        GAIN: number("vs. current", width=90, help="The mean minus that of the current words"),
        **{
            column: number(videos[sha256], width=_wide(videos[sha256]))
            if sha256 in shared
            else number(
                f"○ {videos[sha256]}",
                width=_wide(f"○ {videos[sha256]}", _HELP),
                help="Not every row has a value here, so it doesn’t rank",
            )
            for column, sha256 in table.videos.items()
        },
    }
