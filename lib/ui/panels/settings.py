"""Score, decision rule, thresholds, smoothing, minimum duration and gap bridging."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from lib.core.formatting import format_duration
from lib.prompts.model import LOGIT_SCALES, MAX_SECONDS, Score, SmoothingKind
from lib.services.experiments import DECISIONS, SCORES, SMOOTHING_KINDS
from lib.ui.session import state

_SCORE_NAMES = {"cosine": "Cosine", "probability": "Probability", "margin": "Margin"}
_SCORE_HELP = (
    "Cosine: similarity of frame and prompt. Probability: softmax over the prompts that are on. "
    "Margin: lead over the best background prompt."
)
_DECISION_NAMES = {"best": "Best label", "threshold": "Threshold", "best_threshold": "Best above threshold"}
_DECISION_HELP = (
    "Best label: the highest score wins each sample, however low. Threshold: every label above its threshold, "
    "several at once. Best above threshold: the winner, unless it is below its threshold."
)
_SMOOTHING_NAMES = {
    "none": "None",
    "moving_average": "Moving average",
    "median": "Median",
    "gaussian": "Gaussian",
    "exponential": "Exponential",
}
# Threshold range and step a score: cosines of CLIP models seldom leave 0.1 to 0.4, but other engines' do.
_RANGES: dict[Score, tuple[float, float, float]] = {
    "cosine": (-0.2, 1.0, 0.005),
    "probability": (0.0, 1.0, 0.01),
    "margin": (-0.5, 0.5, 0.005),
}
# Where the threshold starts when the score is changed: a value of one score means nothing in another.
_STARTS: dict[Score, float] = {"cosine": 0.2, "probability": 0.5, "margin": 0.0}


def threshold_range() -> tuple[float, float]:
    """Return the lowest and highest threshold of the chosen score, wide enough for those in use."""
    here = state.current()
    low, high, _ = _RANGES[here.settings.score]
    own = [row.threshold for row in here.rows if row.threshold is not None]
    return min(low, here.settings.threshold, *own), max(high, here.settings.threshold, *own)


def draw(step_s: float | None) -> None:
    """Draw the settings.

    Args:
        step_s: one sampling step in seconds, to show what a window means; None when it isn't known yet.
    """
    settings = state.current().settings
    low, high = threshold_range()
    window = settings.smoothing.window
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.selectbox(
            "Score",
            SCORES,
            format_func=_SCORE_NAMES.__getitem__,
            help=_SCORE_HELP,
            width=130,
            index=SCORES.index(settings.score),
            **state.bound("setting.score", settings.score, _change_score),
        )
        st.selectbox(
            "Decision",
            DECISIONS,
            format_func=_DECISION_NAMES.__getitem__,
            help=_DECISION_HELP,
            width=185,
            index=DECISIONS.index(settings.decision),
            **state.setting("decision"),
        )
        st.slider(
            "Threshold",
            low,
            high,
            step=_RANGES[settings.score][2],
            format="%.3f",
            disabled=settings.decision == "best",
            help="For every prompt without a threshold of its own. The decision “Best label” uses none.",
            width=170,
            value=settings.threshold,
            **state.setting("threshold"),
        )
        st.selectbox(
            "Smoothing",
            SMOOTHING_KINDS,
            format_func=_SMOOTHING_NAMES.__getitem__,
            width=155,
            index=SMOOTHING_KINDS.index(settings.smoothing.kind),
            **state.bound("setting.smoothing.kind", settings.smoothing.kind, _change_smoothing_kind),
        )
        st.slider(
            "Window, samples",
            1,
            max(61, window),
            step=2,
            disabled=settings.smoothing.kind == "none",
            help="Centred on each sample; at the ends, the part of the window that exists.",
            width=145,
            value=window,
            **state.bound("setting.smoothing.window", window, _change_window),
        )
        with st.popover("More", icon=":material/tune:"):
            _more()
    st.caption(_summary(step_s))


def _summary(step_s: float | None) -> str:
    """Return one line that says what the settings amount to."""
    settings = state.current().settings
    smoothing = settings.smoothing
    parts = []
    if smoothing.kind == "none":
        parts.append("no smoothing")
    else:
        span = f" = {format_duration(smoothing.window * step_s)}" if step_s else ""
        parts.append(f"{_SMOOTHING_NAMES[smoothing.kind].lower()} over {smoothing.window} samples{span}")
    if settings.hysteresis:
        parts.append(f"hysteresis {settings.hysteresis:g}")
    if settings.bridge_s:
        parts.append(f"gaps up to {format_duration(settings.bridge_s)} bridged")
    if settings.min_duration_s:
        parts.append(f"segments of at least {format_duration(settings.min_duration_s)}")
    if step_s:
        parts.append(f"one sample each {step_s:.3g} s")
    text = ", ".join(parts)
    return text[0].upper() + text[1:] + "."


def _more() -> None:
    settings = state.current().settings
    st.number_input(
        "Hysteresis",
        min_value=0.0,
        max_value=2.0,
        step=0.005,
        format="%.3f",
        help="A label enters at its threshold and leaves below threshold minus this.",
        value=settings.hysteresis,
        **state.setting("hysteresis"),
    )
    st.number_input(
        "Minimum duration, s",
        min_value=0.0,
        max_value=MAX_SECONDS,
        step=0.1,
        format="%.2f",
        help="Shorter segments are dropped, after gaps are bridged.",
        value=settings.min_duration_s,
        **state.setting("min_duration_s"),
    )
    st.number_input(
        "Bridge gaps up to, s",
        min_value=0.0,
        max_value=MAX_SECONDS,
        step=0.1,
        format="%.2f",
        help="Gaps up to this long inside a label are closed.",
        value=settings.bridge_s,
        **state.setting("bridge_s"),
    )
    if settings.score == "probability":
        st.number_input(
            "Logit scale",
            min_value=LOGIT_SCALES[0],
            max_value=LOGIT_SCALES[1],
            step=5.0,
            help="Cosines are multiplied by this before the softmax; CLIP was trained to 100.",
            value=settings.logit_scale,
            **state.setting("logit_scale"),
        )


def _change_score(score: Score) -> None:
    """Change the score. Thresholds of one score mean nothing in another, so each score has its own, kept while away."""
    here, kept = state.current(), state.session().thresholds
    if score == here.settings.score:
        return
    kept[here.settings.score] = (
        here.settings.threshold,
        here.settings.hysteresis,
        {row.label: row.threshold for row in here.rows},
    )
    threshold, hysteresis, own = kept.get(score, (_STARTS[score], 0.0, {}))
    state.change(
        settings=replace(here.settings, score=score, threshold=threshold, hysteresis=hysteresis),
        rows=tuple(replace(row, threshold=own.get(row.label)) for row in here.rows),
    )
    state.session().version += 1


def _change_smoothing_kind(kind: SmoothingKind) -> None:
    smoothing = state.current().settings.smoothing
    window = max(smoothing.window, 5) if kind != "none" else smoothing.window
    state.change_settings(smoothing=replace(smoothing, kind=kind, window=window))
    st.session_state[state.versioned("setting.smoothing.window")] = window


def _change_window(window: int) -> None:
    state.change_settings(smoothing=replace(state.current().settings.smoothing, window=window))
