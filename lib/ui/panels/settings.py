"""Score, decision rule, thresholds, smoothing, minimum duration and gap bridging."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

from lib.analysis.analysis import Analysis
from lib.core.formatting import as_text, format_duration
from lib.prompts.model import LOGIT_SCALES, MAX_SECONDS, THRESHOLD_RANGES, Score, Settings, SmoothingKind
from lib.services.experiments import DECISIONS, SCORES, SMOOTHING_KINDS, Experiment
from lib.ui.session.bindings import bound, replace_widget, setting, widget_key
from lib.ui.session.peek import peek_state
from lib.ui.session.session import Session

_WINDOW = "setting.smoothing.window"
_SLIDER, _NUMBER = "setting.threshold", "setting.threshold.number"
_SMOOTHING_HELP = (
    "Viterbi leaves scores as they are and finds the most likely sequence of labels, given how long a label lasts on "
    "average: a single odd frame interrupts nothing, and edges stay where they are. The other kinds smooth scores over "
    "a window of samples."
)
_STAY_HELP = (
    "How long a label lasts on average, before and after a switch. The longer, the more it takes to switch; 0 smooths "
    "nothing. Hysteresis makes a switch dearer still."
)
_SCORE_NAMES = {"relative": "Relative", "cosine": "Cosine", "probability": "Probability", "margin": "Margin"}
_SCORE_HELP = (
    "Relative: how far the similarity of frame and prompt stands out from that of 200 everyday phrases on the same "
    "frame; 0 is an ordinary unrelated phrase, 1 as high as the best twentieth of them, and 1.25 is a good threshold "
    "with every engine. "
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
    "viterbi": "Viterbi",
}
# Lowest, highest and step of the threshold by score: cosines of CLIP models are mostly 0.1 to 0.4, of others not.
_RANGES: dict[Score, tuple[float, float, float]] = {
    "relative": (-1.0, 5.0, 0.01),
    "cosine": (-0.2, 1.0, 0.005),
    "probability": (0.0, 1.0, 0.01),
    "margin": (-0.5, 0.5, 0.005),
}


def threshold_range(session: Session) -> tuple[float, float]:
    """Return the lowest and highest threshold of the chosen score, wide enough for those in use."""
    settings = session.experiment.settings
    low, high, _ = _RANGES[settings.score]
    own = [row.threshold for row in session.experiment.rows if row.threshold is not None]
    return min(low, settings.threshold, *own), max(high, settings.threshold, *own)


def threshold_steps(session: Session) -> tuple[float, float, float, str]:
    """Return ``threshold_range``, the step of a threshold that is dragged, and the class of the shared one's slider."""
    slider = re.sub(r"[^\w-]", "-", widget_key(session, _SLIDER))
    return (*threshold_range(session), _RANGES[session.experiment.settings.score][2], f"st-key-{slider}")


def change_threshold(session: Session, label: str | None, value: float) -> None:
    """Change the own threshold of a label, or the one that all others share (None)."""
    low, high = THRESHOLD_RANGES[session.experiment.settings.score]
    value = min(high, max(low, value))
    if label is None:
        session.change_settings(threshold=value)
        for name in (_SLIDER, _NUMBER):
            # One that has the value stays: presses made meanwhile are on their way from it.
            if peek_state().get(widget_key(session, name)) != value:
                replace_widget(session, name)
        return
    session.change_threshold_of(label, value)


def _slider_range(session: Session, scores: tuple[float, float] | None) -> tuple[float, float]:
    """Return whole steps around the scores and the threshold; all that is possible where no scores are known."""
    if scores is None:
        return threshold_range(session)
    threshold, step = session.experiment.settings.threshold, _RANGES[session.experiment.settings.score][2]
    low, high = (
        math.floor(scores[0] / step) * step,
        math.ceil(scores[1] / step + 1) * step,
    )  # so that it can be above all
    return min(round(low, 6), threshold), max(round(high, 6), threshold)


def draw(session: Session, step_s: float | None, scores: tuple[float, float] | None) -> None:
    """Draw the settings.

    Args:
        session: whose settings.
        step_s: one sampling step in seconds where it is known, which shows what a window means.
        scores: lowest and highest score on this video: the range of the threshold's slider.
    """
    settings = session.experiment.settings
    low, high = _slider_range(session, scores)
    change_shared = partial(change_threshold, session, None)
    window = settings.smoothing.window
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.selectbox(
            "Score",
            SCORES,
            format_func=_SCORE_NAMES.__getitem__,
            help=_SCORE_HELP,
            width=130,
            index=SCORES.index(settings.score),
            **bound(session, "setting.score", settings.score, partial(_change_score, session)),
        )
        st.selectbox(
            "Decision",
            DECISIONS,
            format_func=_DECISION_NAMES.__getitem__,
            help=_DECISION_HELP,
            width=185,
            index=DECISIONS.index(settings.decision),
            **setting(session, "decision"),
        )
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small", width="content"):
            st.slider(
                "Threshold",
                low,
                high,
                step=_RANGES[settings.score][2],
                format="%.3f",
                disabled=settings.decision == "best",
                help="For every prompt without a threshold of its own. It has the range of this engine’s scores on "
                "this video; the number beside it can be any. The decision “Best label” uses none.",
                width=150,
                value=settings.threshold,
                **bound(session, _SLIDER, settings.threshold, change_shared),
            )
            st.number_input(
                "Threshold as a number",
                *threshold_range(session),
                step=_RANGES[settings.score][2],
                format="%.3f",
                disabled=settings.decision == "best",
                label_visibility="collapsed",
                width=110,
                value=settings.threshold,
                **bound(session, _NUMBER, settings.threshold, change_shared),
            )
        st.selectbox(
            "Smoothing",
            SMOOTHING_KINDS,
            format_func=_SMOOTHING_NAMES.__getitem__,
            help=_SMOOTHING_HELP,
            width=155,
            index=SMOOTHING_KINDS.index(settings.smoothing.kind),
            **bound(
                session,
                "setting.smoothing.kind",
                settings.smoothing.kind,
                partial(_change_smoothing_kind, session),
            ),
        )
        if settings.smoothing.kind == "viterbi":
            stay_s = settings.smoothing.stay_s
            st.number_input(
                "Expected stay (s)",
                min_value=0.0,
                max_value=MAX_SECONDS,
                step=1.0,
                format="%.1f",
                help=_STAY_HELP,
                width=145,
                value=stay_s,
                **bound(session, "setting.smoothing.stay_s", stay_s, partial(_change_smoothing, session, "stay_s")),
            )
        else:
            st.slider(
                "Window, samples",
                1,
                max(61, window),
                step=2,
                disabled=settings.smoothing.kind == "none",
                help="Centred on each sample; at the ends, the part of the window that exists.",
                width=145,
                value=window,
                **bound(session, _WINDOW, window, partial(_change_smoothing, session, "window")),
            )
        with st.popover("More", icon=":material/tune:"):
            st.caption(_summary(settings, step_s))
            if _belong_to_engine(session.experiment):
                st.caption(
                    f"With the score {_SCORE_NAMES[settings.score]} thresholds belong to one engine: these are this "
                    "one's, and those of another return with it. Relative scores carry over."
                )
            _more(session)


def _belong_to_engine(experiment: Experiment) -> bool:
    """Return whether thresholds of this score are kept for another engine."""
    start = f"{experiment.settings.score}@"
    return any(scale.startswith(start) and scale != experiment.scale for scale, *_ in experiment.kept_thresholds)


def effects(analysis: Analysis) -> None:
    """Draw what the settings did to the segments; nothing where all of them are off."""
    done = analysis.effects.sentences()
    if done:
        st.caption(as_text(" ".join(done)))


def _summary(settings: Settings, step_s: float | None) -> str:
    """Return one line that describes the settings."""
    smoothing = settings.smoothing
    parts = []
    if smoothing.kind == "none":
        parts.append("no smoothing")
    else:
        windowed = step_s if smoothing.kind != "viterbi" else None
        parts.append(smoothing.in_words + (f" = {format_duration(smoothing.window * windowed)}" if windowed else ""))
    if settings.hysteresis:
        parts.append(f"hysteresis {settings.hysteresis:g}")
    if settings.bridge_s:
        parts.append(f"gaps up to {format_duration(settings.bridge_s)} merged")
    if settings.min_duration_s:
        parts.append(f"segments of at least {format_duration(settings.min_duration_s)}")
    if settings.stop_at_cuts:
        parts.append("nothing reaches across cuts")
    if step_s:
        parts.append(f"one sample every {step_s:.3g} s")
    text = ", ".join(parts)
    return text[0].upper() + text[1:] + "."


def _more(session: Session) -> None:
    settings = session.experiment.settings
    st.number_input(
        "Hysteresis",
        min_value=0.0,
        max_value=2.0,
        step=0.005,
        format="%.3f",
        help="A label enters at its threshold and leaves below threshold minus this. With Viterbi, a switch costs as "
        "much more as a lead of this counts for.",
        value=settings.hysteresis,
        **setting(session, "hysteresis"),
    )
    for label, name, explanation in (
        ("Minimum duration (s)", "min_duration_s", "Shorter segments are dropped, after gaps are merged."),
        ("Merge gaps up to (s)", "bridge_s", "Gaps up to this long between segments of one label are closed."),
    ):
        st.number_input(
            label,
            min_value=0.0,
            max_value=MAX_SECONDS,
            step=0.1,
            format="%.2f",
            help=explanation,
            value=getattr(settings, name),
            **setting(session, name),
        )
    st.toggle(
        "Stop at cuts",
        help="Smoothing, hysteresis, merging and the minimum duration begin anew where the picture changes suddenly. "
        "The view “Shots” lists what lies between two cuts.",
        value=settings.stop_at_cuts,
        **setting(session, "stop_at_cuts"),
    )
    if settings.score == "probability" or settings.smoothing.kind == "viterbi":
        st.number_input(
            "Logit scale",
            min_value=LOGIT_SCALES[0],
            max_value=LOGIT_SCALES[1],
            step=5.0,
            help="Cosines are multiplied by this before the softmax, and by Viterbi to weigh them; CLIP was trained to "
            "100.",
            value=settings.logit_scale,
            **setting(session, "logit_scale"),
        )


def _change_score(session: Session, score: Score) -> None:
    """Change the score, and with it the thresholds: those of one score mean nothing in another."""
    changed = session.experiment.with_score(score)
    if changed == session.experiment:
        return
    session.change(settings=changed.settings, rows=changed.rows, kept_thresholds=changed.kept_thresholds)
    session.version += 1


def _change_smoothing_kind(session: Session, kind: SmoothingKind) -> None:
    smoothing = session.experiment.settings.smoothing
    window = smoothing.window if kind in ("none", "viterbi") else max(smoothing.window, 5)
    session.change_settings(smoothing=replace(smoothing, kind=kind, window=window))
    if window != smoothing.window:
        replace_widget(session, _WINDOW)


def _change_smoothing(session: Session, name: str, value: Any) -> None:
    session.change_settings(smoothing=replace(session.experiment.settings.smoothing, **{name: value}))
