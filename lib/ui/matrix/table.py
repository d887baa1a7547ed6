"""The matrix as a table with heat colours: what is written in a cell, and how it is coloured."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
import streamlit as st
from streamlit.elements.arrow import DataframeStateInput

from lib.comparison.matrix import KINDS, Metric, MetricKind
from lib.ui.matrix.rows import MatrixRow

RANK, NAME, TEMPLATE, MEAN, GAIN = "rank", "name", "template", "mean", "gain"
_UNPINNED = 2  # videos that fit beside the names on a narrow page
_ROWS_SHOWN = 16
_CHOSEN = "matrix_chosen_cell"
# Page, and the colour of the best cell, which text of the theme can still be read on (5:1 and more).
_HEAT = {"light": ((255, 255, 255), (122, 172, 222)), "dark": ((14, 17, 23), (33, 92, 158))}


@dataclass(frozen=True)
class Cell:
    """What was chosen in the table."""

    line: MatrixRow
    video: str | None
    """SHA-256; None when the cell belongs to no video: a name, a mean."""


def heat(value: float, low: float, high: float, theme: str) -> str:
    """Return the CSS of a cell: the page's colour at ``low``, the strongest at ``high``; nothing for NaN.

    Args:
        value: of the cell.
        low: value without colour.
        high: value with the strongest colour; below ``low`` where low values are the good ones.
        theme: ``light`` or ``dark``.
    """
    if math.isnan(value) or low == high or math.isnan(low):
        return ""
    share = min(max((value - low) / (high - low), 0.0), 1.0)
    page, best = _HEAT[theme]
    mixed = (round(one + (other - one) * share) for one, other in zip(page, best, strict=True))
    return "background-color: #" + "".join(f"{channel:02x}" for channel in mixed)


def span(values: Sequence[float], kind: MetricKind) -> tuple[float, float]:
    """Return the values without colour and with the strongest one: the metric's own ends, else those that occur."""
    known = [value for value in values if not math.isnan(value)]
    low, high = kind.ends or (min(known, default=math.nan), max(known, default=math.nan))
    return (high, low) if kind.lowest_first else (low, high)


def draw(
    lines: Sequence[MatrixRow],
    matrix: pd.DataFrame,
    ranking: pd.DataFrame,
    metric: Metric,
    videos: Mapping[str, str],
    *,
    key: str,
) -> Cell | None:
    """Draw the table; return the cell that is chosen in it.

    Args:
        lines: its rows, in order.
        matrix: the cells; rows by the lines' keys, columns by video.
        ranking: ``mean`` and ``rank`` by the lines' keys.
        metric: of the cells.
        videos: SHA-256 -> name, in the order of columns.
        key: of the widget; a choice of rows or columns that differs is to have another one.
    """
    kind = KINDS[metric]
    keys = [line.key for line in lines]
    sweep = bool(lines) and lines[0].wording is not None
    frame = pd.DataFrame(
        {RANK: ranking["rank"].reindex(keys).to_numpy(), NAME: [_title(line) for line in lines]}
    )
    if sweep and len({line.wording.template for line in lines if line.wording}) > 1:
        frame[TEMPLATE] = [line.wording.template if line.wording else "" for line in lines]
    numbers: list[str] = []
    if len(videos) > 1:
        frame[MEAN] = ranking["mean"].reindex(keys).to_numpy()
        numbers.append(MEAN)
    if sweep:
        frame[GAIN] = _gain(lines, ranking)
    columns = {f"video {place}": sha256 for place, sha256 in enumerate(videos)}
    for column, sha256 in columns.items():
        frame[column] = matrix.loc[keys, sha256].to_numpy()
    numbers += columns
    low, high = span(frame[numbers].to_numpy().ravel().tolist() if len(frame) else [], kind)
    theme = "dark" if st.context.theme.type == "dark" else "light"
    writers: dict[Hashable, Any] = dict.fromkeys(numbers, kind.text)
    writers |= {RANK: lambda place: "–" if math.isnan(place) else f"{place:.0f}"}
    if GAIN in frame:
        writers[GAIN] = lambda gain: _signed(gain, kind)
    coloured: list[Hashable] = [*numbers]
    styled = frame.style.map(lambda value: heat(value, low, high, theme), subset=coloured).format(writers)
    event = st.dataframe(
        styled,
        key=key,
        hide_index=True,
        on_select="rerun",
        selection_mode="single-cell",
        placeholder="–",
        selection_default=_remembered(keys, columns),
        height=min(38 + 35 * max(len(frame), 1), 38 + 35 * _ROWS_SHOWN),
        column_config=_config(columns, videos, sweep),
        alt=f"{kind.title} of each {'wording' if sweep else 'prompt set'} in each video; choose a cell to open it",
    )
    cells = event["selection"]["cells"]
    if not cells or cells[0][0] >= len(lines):
        st.session_state.pop(_CHOSEN, None)
        return None
    row, column = cells[0]
    chosen = Cell(lines[row], columns.get(column))
    st.session_state[_CHOSEN] = (chosen.line.key, chosen.video)
    return chosen


def _remembered(keys: Sequence[str], columns: Mapping[str, str]) -> DataframeStateInput | None:
    """Return the selection of the cell that was chosen before the rows went into another order."""
    key, video = st.session_state.get(_CHOSEN, (None, None))
    place = next((column for column, sha256 in columns.items() if sha256 == video), NAME)
    return {"selection": {"cells": [(keys.index(key), place)]}} if key in keys else None


def _title(line: MatrixRow) -> str:
    if line.wording is None:
        return line.name
    words = "; ".join(line.wording.texts)
    return f"{words} (now)" if line.wording.current else words


def _gain(lines: Sequence[MatrixRow], ranking: pd.DataFrame) -> list[float]:
    now = next((line.key for line in lines if line.current), None)
    base = float(ranking["mean"].get(now, math.nan))
    return [
        math.nan if line.key == now else float(ranking["mean"].get(line.key, math.nan)) - base
        for line in lines
    ]


def _signed(value: float, kind: MetricKind) -> str:
    number = replace(kind, yes_no=False).text(value)
    return f"+{number}" if value > 0 else number


def _config(columns: Mapping[str, str], videos: Mapping[str, str], sweep: bool) -> dict[str, Any]:
    number = st.column_config.NumberColumn
    # Given widths are the least: a wide page stretches them, but not that of a pinned column. So names are pinned only
    # where there is so much beside them that a narrow page scrolls.
    many = len(videos) + sweep > _UNPINNED
    name = "Wording" if sweep else "Prompt set"
    return {
        RANK: number("#", width=45, help="Place by the mean over the videos, the best first"),
        NAME: st.column_config.TextColumn(name, width=240 if many else 180, pinned=many),
        TEMPLATE: st.column_config.TextColumn("Template", width=160),
        MEAN: number("Mean", width=60, help="Over the videos for which there is a value"),
        GAIN: number("Against now", width=90, help="The mean less that of the present words"),
        **{column: number(videos[sha256], width=105) for column, sha256 in columns.items()},
    }
