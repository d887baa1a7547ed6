"""The histogram of scores, and a suggested threshold: from the ground truth, else from the distribution of scores."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial

import streamlit as st

from lib.analysis.analysis import Analysis
from lib.charts import evaluation as charts
from lib.core.formatting import as_text
from lib.core.labelled_intervals import label_key
from lib.evaluation.threshold_fit import ThresholdFit
from lib.prompts.model import Settings
from lib.services.experiments import Experiment, label_of
from lib.ui.explore import timeline
from lib.ui.panels.video import VideoSelection
from lib.ui.session import cache, state, theme

_DECIMALS = 4


@dataclass(frozen=True)
class _Suggestion:
    """What a click puts in place."""

    label: str
    threshold: float
    settings: Settings
    own: bool = field(default=True)


def draw(selection: VideoSelection, analysis: Analysis) -> None:
    """Draw the histogram of one label or of all, and the suggestion for the chosen label."""
    label = timeline.choose_label(analysis)
    if label is None or selection.info is None:
        timeline.histogram(analysis, label)
        st.caption("Choose one label above for help with its threshold.")
        return
    split = cache.threshold_split(selection.info, analysis, label)
    has_truth = bool(cache.truth(selection.video))
    sweep = has_truth and bool(st.session_state.get("threshold_sweep"))
    fit = cache.threshold_fit(selection.info, analysis, selection.video, label, sweep=sweep)
    timeline.histogram(analysis, label, split.threshold)
    if fit is not None:
        sentence = f"{split.sentence[0].lower()}{split.sentence[1:]}"
        st.caption(f"Without the ground truth, from the distribution of scores: {sentence}")
        _by_truth(analysis, fit)
        return
    if has_truth:
        st.caption("The ground truth does not contain this label, so the suggestion is from the scores alone.")
    st.markdown(split.sentence)
    if split.threshold is not None:
        _buttons(analysis, _Suggestion(label, split.threshold, analysis.prompt_set.settings))


def _by_truth(analysis: Analysis, fit: ThresholdFit) -> None:
    st.markdown("**F1 over the threshold**, from the ground truth")
    st.altair_chart(
        charts.fit_chart(
            fit,
            theme.colours(analysis.prompt_set.prompts)[fit.label],
            now=float(analysis.thresholds[analysis.column(fit.label)]) if analysis.uses_thresholds else None,
        ),
        key="chart_fit",
        alt="F1 over the threshold; a diamond marks the best one, a dashed rule the current one",
    )
    st.markdown(as_text(fit.sentence))
    st.toggle(
        "Try smoothing and hysteresis too",
        key="threshold_sweep",
        help="They apply to all prompts, although only the F1 of this one is maximised.",
    )
    settings = analysis.prompt_set.settings
    if (fit.settings.smoothing, fit.settings.hysteresis) != (settings.smoothing, settings.hysteresis):
        smoothing = fit.settings.smoothing
        words = "no smoothing" if smoothing.kind == "none" else smoothing.in_words
        st.caption(f"With {words} and a hysteresis of {fit.settings.hysteresis:.3f}.")
    _buttons(
        analysis,
        _Suggestion(
            fit.label,
            fit.threshold,
            replace(settings, smoothing=fit.settings.smoothing, hysteresis=fit.settings.hysteresis),
        ),
    )


def _buttons(analysis: Analysis, suggestion: _Suggestion) -> None:
    value = f"{suggestion.threshold:.3f}"
    if not analysis.uses_thresholds:
        settings = replace(suggestion.settings, decision="threshold")
        suggestion = replace(suggestion, settings=settings)
        st.caption("The decision is “Best label”, which uses no threshold; a click changes it to “Threshold”.")
    with st.container(horizontal=True):
        st.button(
            f"Use {value} for {as_text(suggestion.label)}",
            type="primary",
            key="threshold_own",
            on_click=_apply,
            args=(suggestion,),
            icon=":material/check:",
        )
        st.button(
            f"Use {value} for all prompts",
            key="threshold_shared",
            on_click=_apply,
            args=(replace(suggestion, own=False),),
            help="As the threshold of the settings; prompts with their own keep it.",
        )


@state.callback
def _apply(suggestion: _Suggestion) -> None:
    state.session().step(None, partial(_with, suggestion))


def _with(suggestion: _Suggestion, experiment: Experiment) -> Experiment:
    value = round(suggestion.threshold, _DECIMALS)
    rows = list(experiment.rows)
    key = label_key(suggestion.label)
    index = next((i for i, row in enumerate(rows) if label_key(label_of(row)) == key), None)
    if index is not None:
        rows[index] = replace(rows[index], threshold=value if suggestion.own else None)
    settings = suggestion.settings if suggestion.own else replace(suggestion.settings, threshold=value)
    return replace(experiment, rows=tuple(rows), settings=settings)
