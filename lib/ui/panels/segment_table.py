"""A table of stretches of the video, and how its columns look."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from lib.ui.session import state


def stretches(frame: pd.DataFrame, columns: Mapping[str, Any], *, key: str, alt: str) -> None:
    """Draw a table of stretches of the video; choosing a line moves the player to its start.

    Args:
        frame: with ``start_s``, ``end_s`` and ``duration_s``, a row a stretch.
        columns: how its other columns look.
        key: of the table.
        alt: what it is, for screen readers.
    """
    event = st.dataframe(
        frame,
        key=key,
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        height=min(38 + 35 * len(frame), 400),
        column_config={
            "start_s": _seconds("Start, s"),
            "end_s": _seconds("End, s"),
            "duration_s": _seconds("Duration, s"),
            **columns,
        },
        alt=alt,
    )
    rows = event["selection"]["rows"]
    chosen = float(frame["start_s"].iloc[rows[0]]) if rows and rows[0] < len(frame) else None
    if state.newly_picked(key, chosen) and chosen is not None:
        state.seek(chosen)
        st.rerun()


def _seconds(title: str) -> Any:
    return st.column_config.NumberColumn(title, format="%.2f")


def _score(title: str) -> Any:
    return st.column_config.NumberColumn(title, format="%.3f")
