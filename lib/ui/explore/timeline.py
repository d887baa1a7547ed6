"""The charts on one time axis, and the histogram."""

from __future__ import annotations

from typing import Any

import streamlit as st

from lib.analysis.analysis import Analysis
from lib.analysis.reference import Reference
from lib.charts import timeline
from lib.charts.data import chart_data
from lib.core.formatting import format_time
from lib.ui.panels import charts
from lib.ui.panels.video import REFERENCE_SHOWN
from lib.ui.session import state, theme
from lib.ui.session.peek import peek_state

_REFERENCE_HELP = (
    "The grey band is where 90 % of the scores of 200 everyday phrases are on this video with this engine, on average. "
    "A line inside it means no more than unrelated text would."
)
_OVERVIEW, _SCORES, _SEGMENTS, _CHANGE = "chart_overview", "chart_scores", "chart_segments", "chart_change"


def draw(analysis: Analysis, reference: Reference | None = None) -> None:
    """Draw overview, scores, segments and change; a brush zooms all of them, a click moves the player.

    ``reference`` is drawn behind cosines and relative scores when the toggle is on.
    """
    session = state.session()
    colours = theme.colours(analysis.prompt_set.prompts)
    band = reference.range_of(analysis.prompt_set.settings.score) if reference is not None else None
    if not _heading(session.window, reference=band is not None):
        band = None
    charts.draw(
        timeline.overview_chart(analysis, colours),
        key=_overview_key(),
        on_select=_brushed,
        selection_mode=["brush"],
        alt="Overview of the whole video; drag over a part to zoom all lanes",
    )
    data = chart_data(analysis, window=session.window)
    playhead = session.playhead_s
    for key, chart, words in (
        (
            _SCORES,
            timeline.scores_chart(data, colours, playhead_s=playhead, band=band),
            "Scores over time; click to go there",
        ),
        (
            _SEGMENTS,
            timeline.segments_chart(data, colours, playhead_s=playhead),
            "Segments; click one to go there",
        ),
        (
            _CHANGE,
            timeline.change_chart(data, playhead_s=playhead),
            "Scene change (1 − cosine)",
        ),
    ):
        charts.draw(chart, key=key, on_select=_clicked(key), selection_mode=["pick"], alt=words)


def _heading(window: tuple[float, float] | None, *, reference: bool) -> bool:
    """Draw the heading; return whether the reference band is to be drawn."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown("#### Timeline", width="content")
        if window is None:
            st.caption("Drag over the strip to zoom; click in a lane to go there; click the legend to hide a label.")
        else:
            st.caption(f"Zoomed to {format_time(window[0])} – {format_time(window[1])}", width="content")
            st.button("Show all", key="zoom_out", icon=":material/zoom_out_map:", on_click=_zoom_out)
        if not reference:
            return False
        return st.toggle(
            "Reference band", value=True, key=REFERENCE_SHOWN, help=_REFERENCE_HELP, persist_state="session"
        )


def _overview_key() -> str:
    return f"{_OVERVIEW}.{state.session().brushes}"


@state.callback
def _brushed() -> None:
    selected: Any = peek_state()[_overview_key()]["selection"].get("brush", {})
    span = next(iter(selected.values()), None)
    state.session().window = (float(span[0]), float(span[1])) if span and span[1] - span[0] > 0.01 else None


@state.callback
def _zoom_out() -> None:
    state.session().window = None
    state.session().brushes += 1  # the strip is drawn again, without its brush


def _clicked(key: str) -> Any:
    @state.callback
    def go() -> None:
        picked = peek_state()[key]["selection"].get("pick")
        if picked:
            time_s = picked[0].get("seconds", picked[0].get("start_s"))
            if time_s is not None:
                state.session().seek(float(time_s))

    return go


def choose_label(analysis: Analysis) -> str | None:
    """Draw the choice of the label whose scores are shown; None is all labels."""
    all_labels = "all labels"
    choice = st.selectbox("Scores of", [all_labels, *analysis.labels], key="histogram_label", width=260)
    return None if choice == all_labels or choice not in analysis.labels else choice


def histogram(analysis: Analysis, label: str | None, split: float | None = None) -> None:
    """Draw how often each score occurs, of one label or of all, and where they fall into two groups."""
    charts.draw(
        timeline.histogram_chart(analysis, theme.colours(analysis.prompt_set.prompts), label=label, split=split),
        key="chart_histogram",
        alt="Histogram of scores, with thresholds as dashed rules",
    )
    if not analysis.uses_thresholds:
        st.caption("The decision “Best label” uses no threshold, so none is drawn.")
