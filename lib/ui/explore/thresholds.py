"""The histogram of scores, and which threshold a prompt should have: by the truth, else by how its scores lie."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import streamlit as st

from lib.analysis.analysis import Analysis
from lib.charts import evaluation as charts
from lib.evaluation.threshold_fit import ThresholdFit
from lib.prompts.model import Settings
from lib.services.experiments import Experiment, PromptRow
from lib.ui.explore import timeline
from lib.ui.panels.video import VideoSelection
from lib.ui.session import cache, state, theme
from lib.ui.session.peek import peek_state

_PAST = "threshold_past"
_DECIMALS = 4


@dataclass
class _Past:
    """What one click changed: taken back only while nothing else was changed since."""

    before: Experiment
    after: Experiment


@dataclass
class _Offer:
    """What a click puts in place."""

    label: str
    threshold: float
    settings: Settings
    own: bool = field(default=True)


def draw(chosen: VideoSelection, analysis: Analysis) -> None:
    """Draw the histogram of one label or of all, and the help for the label chosen."""
    label = timeline.choose_label(analysis)
    if label is None or chosen.info is None:
        timeline.histogram(analysis, label)
        st.caption("Choose one label above for help with its threshold.")
        return
    split = cache.threshold_split(chosen.info, analysis, label)
    known = any(one for one in cache.truth(chosen.video))
    sweep = known and bool(st.session_state.get("threshold_sweep"))
    fit = cache.threshold_fit(chosen.info, analysis, chosen.video, label, sweep=sweep)
    timeline.histogram(analysis, label, split.threshold)
    if fit is not None:
        st.caption(
            f"Without the truth, by how the scores lie: {split.sentence[0].lower()}{split.sentence[1:]}"
        )
        _by_truth(analysis, fit)
        return
    if known:
        st.caption("The ground truth has no second of this label, so the scores alone must do.")
    st.markdown(split.sentence)
    if split.threshold is not None:
        _buttons(analysis, _Offer(label, split.threshold, analysis.prompt_set.settings))
    else:
        _take_back()


def _by_truth(analysis: Analysis, fit: ThresholdFit) -> None:
    st.markdown("**F1 over the threshold**, by the ground truth")
    st.altair_chart(
        charts.fit_chart(
            fit,
            theme.colours(analysis.prompt_set.prompts)[fit.label],
            now=float(analysis.thresholds[analysis.column(fit.label)]) if analysis.uses_thresholds else None,
        ),
        key="chart_fit",
        alt="F1 over the threshold; a diamond marks the best one, a dashed rule the current one",
    )
    st.markdown(fit.sentence)
    st.toggle(
        "Try smoothing and hysteresis too",
        key="threshold_sweep",
        help="They concern all prompts, though only this one’s F1 is looked at.",
    )
    settings = analysis.prompt_set.settings
    if (fit.settings.smoothing, fit.settings.hysteresis) != (settings.smoothing, settings.hysteresis):
        smoothing = fit.settings.smoothing
        st.caption(
            f"With {smoothing.kind.replace('_', ' ')} over {smoothing.window} samples "
            f"and a hysteresis of {fit.settings.hysteresis:.3f}."
        )
    _buttons(
        analysis,
        _Offer(
            fit.label,
            fit.threshold,
            replace(settings, smoothing=fit.settings.smoothing, hysteresis=fit.settings.hysteresis),
        ),
    )


def _buttons(analysis: Analysis, offer: _Offer) -> None:
    value = f"{offer.threshold:.3f}"
    if not analysis.uses_thresholds:
        offer = replace(offer, settings=replace(offer.settings, decision="threshold"))
        st.caption(
            "The decision is “Best label”, which uses no threshold; a click changes it to “Threshold”."
        )
    with st.container(horizontal=True):
        st.button(
            f"Use {value} for {offer.label}",
            type="primary",
            key="threshold_own",
            on_click=_apply,
            args=(offer,),
            icon=":material/check:",
        )
        st.button(
            f"Use {value} for all prompts",
            key="threshold_shared",
            on_click=_apply,
            args=(replace(offer, own=False),),
            help="As the threshold of the settings; prompts with their own keep it.",
        )
        _take_back()


def _take_back() -> None:
    past: _Past | None = st.session_state.get(_PAST)
    if past is not None and _same(past.after, state.current()):
        st.button("Undo", key="threshold_undo", on_click=_undo, icon=":material/undo:")


def _same(one: Experiment, other: Experiment) -> bool:
    return (one.id, one.rows, one.settings) == (other.id, other.rows, other.settings)


@state.uninterrupted
def _apply(offer: _Offer) -> None:
    before = state.current()
    value = round(offer.threshold, _DECIMALS)
    place = next((i for i, row in enumerate(before.rows) if _label(row) == offer.label), None)
    rows = list(before.rows)
    if place is not None:
        rows[place] = replace(rows[place], threshold=value if offer.own else None)
    settings = offer.settings if offer.own else replace(offer.settings, threshold=value)
    _replace(tuple(rows), settings)
    st.session_state[_PAST] = _Past(before, state.current())


def _label(row: PromptRow) -> str:
    texts = [text.strip() for text in row.texts if text.strip()]
    return row.label.strip() or (texts[0] if texts else "")


@state.uninterrupted
def _undo() -> None:
    past: _Past | None = peek_state().get(_PAST)
    if past is not None and _same(past.after, state.current()):
        _replace(past.before.rows, past.before.settings)
    st.session_state[_PAST] = None


def _replace(rows: tuple[PromptRow, ...], settings: Settings) -> None:
    state.change(rows=rows, settings=settings)
    state.session().version += 1  # the settings' widgets take over the new values
