"""Both sides on one time axis where there is no player to carry the lanes: a video imported without its file."""

from __future__ import annotations

import streamlit as st

from lib.charts import timeline
from lib.charts.comparison import differences_chart
from lib.charts.data import chart_data
from lib.ui.compare.page import ComparedSides
from lib.ui.session import state

_HEIGHT = 190


def draw(both: ComparedSides) -> None:
    """Draw A's scores and segments, B's, and where they differ; the axes stand under each other."""
    if both.video.has_file:
        return
    for name in state.SIDES:
        seen, colours = (both.a if name == "a" else both.b), both.colours[name]
        if seen.analysis is None:
            continue
        data = chart_data(seen.analysis)
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
    if both.comparison is not None and both.comparison.disagreements:
        st.altair_chart(
            differences_chart(both.comparison, both.colours["a"], both.colours["b"]),
            key="compare_differences",
            alt="Where A and B differ: what A says above what B says",
        )
