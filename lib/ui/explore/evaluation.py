"""The accuracy of the prompts, against the ground truth of the video."""

from __future__ import annotations

from typing import Any

import streamlit as st

from lib.analysis.analysis import Analysis
from lib.charts import evaluation as charts
from lib.charts.palette import DARK_TEXT, LIGHT_TEXT
from lib.core.formatting import as_text, plural
from lib.evaluation.evaluation import Evaluation
from lib.evaluation.overall import overall
from lib.ui.explore import learning
from lib.ui.panels.video import VideoSelection, two_panels
from lib.ui.session import cache, theme


def draw(selection: VideoSelection, analysis: Analysis) -> None:
    """Draw the table by label, confusion matrix, precision–recall curve, what can be learned, and reliability."""
    info = selection.info
    evaluation = cache.evaluation(info, analysis, selection.video) if info is not None else None
    if evaluation is None:
        st.info(
            "This video has no ground truth yet. Mark or import it under “Ground truth”, "
            "then this view shows the accuracy of the prompts.",
            icon=":material/fact_check:",
        )
        return
    st.markdown(_summary(evaluation))
    _table(evaluation)
    _unmatched(evaluation)
    left, right = two_panels()
    with left:
        st.markdown("**Confusion matrix**, in seconds")
        st.altair_chart(
            charts.confusion_chart(evaluation, text=DARK_TEXT if st.context.theme.type == "dark" else LIGHT_TEXT),
            key="chart_confusion",
            alt="Seconds by true label (rows) and predicted label (columns)",
        )
    with right:
        _curve(evaluation, analysis)
    left, right = two_panels()
    with left:
        learning.draw(selection, analysis)
    with right:
        learning.draw_reliability(selection, analysis)


def _summary(evaluation: Evaluation) -> str:
    score = overall(evaluation)
    if score.macro_f1 is None or score.accuracy is None:
        return "The ground truth has no second in the part that is embedded, so there is nothing to measure."
    missing = ""
    if evaluation.unmatched_truth:
        count = len(score.f1.keys() & set(evaluation.unmatched_truth))
        missing = f" {plural(count, 'true label')} without a prompt {'counts' if count == 1 else 'count'} as 0."
    return (
        f"Macro F1 **{score.macro_f1:.2f}** over {plural(len(score.f1), 'true label')}, "
        f"accuracy **{score.accuracy:.2f}** over time.{missing}"
    )


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
            "segment_f1": _share("Segment F1", "Segments that overlap a true one by half (IoU 0.5) count as found"),
            "onset_error_s": _seconds("Onset error (s)", "Median distance of matched segments’ starts"),
            "offset_error_s": _seconds("Offset error (s)", "Median distance of matched segments’ ends"),
            "average_precision": _share("Avg. precision", "Area under the precision–recall curve"),
            "support_s": _seconds("True (s)", "Seconds of the label in the ground truth"),
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
            f":material/help: In the ground truth without a prompt: {as_text(', '.join(evaluation.unmatched_truth))}. "
            "Add a prompt of the same name to have it found."
        )
    if evaluation.unmatched_prompts:
        st.caption(
            ":material/help: Prompts that are not in the ground truth: "
            f"{as_text(', '.join(evaluation.unmatched_prompts))}. "
            "They may still be right, so they have no numbers."
        )


def _curve(evaluation: Evaluation, analysis: Analysis) -> None:
    labels = [of_label.label for of_label in evaluation.labels if of_label.average_precision is not None]
    if not labels:
        return
    if st.session_state.get("evaluation_label") not in labels:
        st.session_state["evaluation_label"] = labels[0]
    label = st.selectbox("Precision–recall curve of", labels, key="evaluation_label")
    of_label = evaluation.by_label[label]
    st.altair_chart(
        charts.curve_chart(of_label, theme.colours(analysis.prompt_set.prompts)[label]),
        key="chart_curve",
        alt=f"Precision–recall curve of {label}; a diamond marks the current threshold",
    )
    if of_label.threshold is None:
        st.caption("The decision “Best label” uses no threshold, so none is marked.")
    else:
        st.caption(f"The diamond is the current threshold, {of_label.threshold:.3f}, by scores alone.")
