"""Both sides on one time axis, for a video imported without its file: there is no player with lanes."""

from __future__ import annotations

import streamlit as st

from lib.charts import timeline
from lib.charts.comparison import differences_chart
from lib.charts.data import chart_data
from lib.ui.compare.page import ComparedSides, Sides
from lib.ui.panels.video import is_played
from lib.ui.session.session import SIDES

_HEIGHT = 190


def draw(sides: Sides, compared: ComparedSides | None) -> None:
    """Draw scores and segments of A and B, and where they differ, with aligned time axes."""
    if is_played(sides.video):
        return
    for name in SIDES:
        side, colours = (sides.a if name == "a" else sides.b), sides.colours[name]
        if side is None:
            continue
        data = chart_data(side.analysis)
        st.markdown(f":gray-badge[{name.upper()}]")
        st.altair_chart(
            timeline.scores_chart(data, colours, height=_HEIGHT),
            key=f"compare_scores_{name}",
            alt=f"Scores of {name.upper()} over time",
        )
        st.altair_chart(
            timeline.segments_chart(data, colours),
            key=f"compare_segments_{name}",
            alt=f"Segments of {name.upper()}",
        )
    if compared is not None and compared.comparison.disagreements:
        st.altair_chart(
            differences_chart(compared.comparison, sides.colours["a"], sides.colours["b"]),
            key="compare_differences",
            alt="Where A and B differ: A’s label above B’s label",
        )
