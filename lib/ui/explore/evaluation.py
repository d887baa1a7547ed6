"""How right the prompts are, against the ground truth of the video."""

from __future__ import annotations

from typing import Any

import streamlit as st

from lib.analysis.analysis import Analysis
from lib.charts import evaluation as charts
from lib.evaluation.evaluation import Evaluation
from lib.ui.panels.video import VideoSelection, two_panels
from lib.ui.session import cache, theme


def draw(chosen: VideoSelection, analysis: Analysis) -> None:
    """Draw the table by label, what is taken for what, and the curve of one label."""
    evaluation = cache.evaluation(chosen.info, analysis, chosen.video) if chosen.info is not None else None
    if evaluation is None:
        st.info(
            "Nothing says what is really in the video. Mark it or import it under “Ground truth”, "
            "then this says how right the prompts are.",
            icon=":material/fact_check:",
        )
        return
    st.markdown(_summary(evaluation))
    _table(evaluation)
    _unmatched(evaluation)
    left, right = two_panels()
    with left:
        st.markdown("**What is taken for what**, in seconds")
        st.altair_chart(
            charts.confusion_chart(evaluation, dark=st.context.theme.type == "dark"),
            key="chart_confusion",
            alt="Seconds by true label (rows) and found label (columns)",
        )
    with right:
        _curve(evaluation, analysis)


def _summary(evaluation: Evaluation) -> str:
    if evaluation.macro_f1 is None or evaluation.micro_f1 is None:
        return "No prompt has a label that the ground truth names, so there is nothing to measure."
    return f"F1 **{evaluation.macro_f1:.2f}** on average over labels, **{evaluation.micro_f1:.2f}** over all seconds."


def _table(evaluation: Evaluation) -> None:
    st.dataframe(
        evaluation.frame(),
        key="evaluation_table",
        hide_index=True,
        placeholder="n/a",
        column_config={
            "label": st.column_config.TextColumn("Label", pinned=True),
            "precision": _share("Precision", "Share of the seconds found that are true"),
            "recall": _share("Recall", "Share of the true seconds that are found"),
            "f1": _share("F1", "Harmonic mean of precision and recall, by seconds"),
            "segment_f1": _share(
                "Segment F1", "Segments that overlap a true one by half (IoU 0.5) count as found"
            ),
            "onset_error_s": _seconds("Start off, s", "Median distance of matched segments’ starts"),
            "offset_error_s": _seconds("End off, s", "Median distance of matched segments’ ends"),
            "average_precision": _share("Avg. precision", "Area under the curve of precision over recall"),
            "support_s": _seconds("True, s", "Seconds in which the label is really there"),
        },
        alt="Evaluation by label",
    )


def _share(title: str, words: str) -> Any:
    return st.column_config.NumberColumn(title, format="%.3f", help=words)


def _seconds(title: str, words: str) -> Any:
    return st.column_config.NumberColumn(title, format="%.2f", help=words)


def _unmatched(evaluation: Evaluation) -> None:
    if evaluation.unmatched_truth:
        st.caption(
            f":material/help: In the truth without a prompt: {', '.join(evaluation.unmatched_truth)}. "
            "Add a prompt of the same name to have it found."
        )
    if evaluation.unmatched_prompts:
        st.caption(
            f":material/help: Prompts that the truth doesn’t name: {', '.join(evaluation.unmatched_prompts)}. "
            "It may know nothing of them, so they have no numbers."
        )


def _curve(evaluation: Evaluation, analysis: Analysis) -> None:
    known = [one.label for one in evaluation.labels if one.average_precision is not None]
    if not known:
        return
    if st.session_state.get("evaluation_label") not in known:
        st.session_state["evaluation_label"] = known[0]
    label = st.selectbox("Precision over recall of", known, key="evaluation_label")
    one = evaluation.by_label[label]
    st.altair_chart(
        charts.curve_chart(one, theme.colours(analysis.prompt_set.prompts)[label]),
        key="chart_curve",
        alt=f"Precision over recall of {label}; a diamond marks the current threshold",
    )
    if one.threshold is None:
        st.caption("The decision “Best label” uses no threshold, so none is marked.")
    else:
        st.caption(f"The diamond is the threshold now, {one.threshold:.3f}, by scores alone.")
