"""A table of intervals of the video, and the format of its columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from lib.ui.panels import row_table
from lib.ui.session import state


def draw(frame: pd.DataFrame, columns: Mapping[str, Any], *, key: str, alt: str) -> None:
    """Draw a table of intervals (``start_s``, ``end_s``, ``duration_s``); a row selected moves the player there.

    ``columns`` configures the other columns; ``alt`` describes the table for screen readers.
    """
    event = st.dataframe(
        frame,
        key=key,
        hide_index=True,
        placeholder="–",
        on_select="rerun",
        selection_mode=row_table.MODE,
        height=min(38 + 35 * len(frame), 400),
        column_config={
            "start_s": seconds("Start (s)"),
            "end_s": seconds("End (s)"),
            "duration_s": seconds("Duration (s)"),
            **columns,
        },
        alt=alt,
    )
    row = row_table.chosen(event, len(frame))
    chosen = None if row is None else float(frame["start_s"].iloc[row])
    session = state.session()
    if session.newly_picked(key, chosen) and chosen is not None:
        session.seek(chosen)
        st.rerun()


def seconds(title: str) -> Any:
    """Return the configuration of a column of seconds."""
    return st.column_config.NumberColumn(title, format="%.2f")


def score(title: str) -> Any:
    """Return the configuration of a column of scores."""
    return st.column_config.NumberColumn(title, format="%.3f")
