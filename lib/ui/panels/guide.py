"""A sample's finding in three steps, in place: what is wrong, which word mends it, how that looks in Compare.

Each step says what is computed at that moment, and can be left. Nothing lies over the page.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lib.analysis.analysis import Analysis
from lib.comparison.comparison import Comparison
from lib.core.errors import PromptreelError
from lib.core.formatting import escape_markdown, format_duration, format_time
from lib.core.labelled_intervals import label_key
from lib.evaluation.evaluation import Evaluation
from lib.evaluation.mistaken import Mistaken, mistaken
from lib.evaluation.overall import overall
from lib.prompts.model import PromptSet
from lib.services.experiment_changes import quoted
from lib.services.experiments import Experiment, PromptRow, label_of
from lib.services.ground_truth import Truth
from lib.store.videos import Video
from lib.ui.panels import numbers, presentation
from lib.ui.panels.video import VideoSelection
from lib.ui.session import cache, comparison_sides, opening, state
from lib.ui.session.session import Session

_KEY = "guide"
_TITLES = ("What is wrong", "Which word mends it", "How it looks in Compare")
Step = Literal[1, 2, 3]


@dataclass(frozen=True)
class _Guide:
    """How far the tab has got."""

    experiment: str
    """The id of the one that it is about."""
    step: Step
    before: Experiment | None = None
    """What it was before the word was added."""
    word: str = ""


@dataclass(frozen=True)
class _Mended:
    """What a word would do, or has done."""

    word: str
    before: tuple[Analysis, Evaluation]
    after: tuple[Analysis, Evaluation]


def has_finding(prompt_set: PromptSet, truth: Truth) -> bool:
    """Return whether the truth names something that no prompt does: a prompt may be mistaken for that."""
    named = {label_key(prompt.label) for prompt in prompt_set.prompts}
    return any(label_key(segment.label) not in named for segment in truth)


def begin(video: Video, prompt_set: PromptSet) -> None:
    """Open an experiment with a sample's own prompts and begin with the first step."""
    opening.open_with(prompt_set, video.sha256)
    st.session_state[_KEY] = _Guide(state.current().id, 1)


def _guide() -> _Guide | None:
    guide: _Guide | None = st.session_state.get(_KEY)
    return guide if guide is not None and guide.experiment == state.current().id else None


@contextmanager
def _banner(guide: _Guide) -> Iterator[DeltaGenerator]:
    """Draw the frame of a step: its title, what the block draws, and a button that leaves."""
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small", key="guide"):
        place = st.container(width="stretch", gap="xsmall")
        place.caption(f"{guide.step} of {len(_TITLES)} · {_TITLES[guide.step - 1]}")
        yield place
        st.button("Leave", key="guide_leave", icon=":material/close:", type="tertiary", on_click=_leave)


def _to_step(guide: _Guide, step: Step) -> None:
    st.button(
        _TITLES[step - 1],
        key="guide_next",
        type="primary",
        icon=":material/arrow_forward:",
        on_click=_go_to,
        args=(replace(guide, step=step),),
    )


def _show(start_s: float) -> None:
    st.button("Show it", key="guide_show", icon=":material/visibility:", on_click=_seek, args=(start_s,))


@state.callback
def _seek(time_s: float) -> None:
    state.session().seek(time_s)


@state.callback
def _go_to(guide: _Guide) -> None:
    st.session_state[_KEY] = guide


@state.callback
def _leave() -> None:
    st.session_state[_KEY] = None


# --- on Explore ----------------------------------------------------------------------------------------------------


def draw(selection: VideoSelection, analysis: Analysis) -> None:
    """Draw the step that the tab has got to, on Explore; nothing without a guide."""
    guide = _guide()
    if guide is None or selection.info is None:
        return
    evaluation = cache.evaluation(selection.info, analysis, selection.video)
    found = mistaken(evaluation) if evaluation is not None else ()
    with _banner(guide) as place:
        if guide.step == 1 or guide.before is None:
            _what_is_wrong(guide, place, found, selection)
        else:
            _which_word(guide, guide.before, place, selection)


def _what_is_wrong(
    guide: _Guide, place: DeltaGenerator, found: tuple[Mistaken, ...], selection: VideoSelection
) -> None:
    session = selection.session
    mends = (one for one in found if _mended(session, session.experiment, one.true, selection.video) is not None)
    first = next(mends, None)
    if first is None:
        place.markdown("With this engine and these prompts nothing is found where something else is true.")
        return
    label, true = escape_markdown(first.label), escape_markdown(first.true)
    place.markdown(
        f"**{label}** is found for **{format_duration(first.found_s)}**, and is there for "
        f"{format_duration(first.true_s)}. From {format_time(first.start_s)} to {format_time(first.end_s)} it is in "
        f"truth **{true}**, and no prompt says so."
    )
    _show(first.start_s)
    _to_step(replace(guide, before=session.experiment, word=first.true), 2)


def _which_word(guide: _Guide, before: Experiment, place: DeltaGenerator, selection: VideoSelection) -> None:
    session = selection.session
    mended = _mended(session, before, guide.word, selection.video)
    if mended is None:
        place.markdown("With what has changed since, that word mends nothing.")
        return
    word = escape_markdown(guide.word)
    if _has(session.experiment, guide.word):
        place.markdown(f"**{word}** took its seconds: {_change(mended)}")
        if st.button(_TITLES[2], key="guide_compare", type="primary", icon=":material/arrow_forward:"):
            text = f"Compared without and with {quoted(guide.word)}"
            comparison_sides.set_content(text, before, session.experiment, keep=False)  # B has what A had
            st.session_state[_KEY] = replace(guide, step=3)
            st.switch_page("pages/compare.py", query_params=state.address())
        return
    place.markdown(f"A prompt **{word}** would take its seconds: {_change(mended)} Type it into a new row, or:")
    st.button(
        f"Add “{word}”", key="guide_add", type="primary", icon=":material/add:", on_click=_add, args=(guide.word,)
    )


def _change(mended: _Mended) -> str:
    """Return what changes with the word in the label that it changes most."""
    before, after = (analysis.metrics for analysis, _ in (mended.before, mended.after))
    pairs = [(old, new) for old in before for new in after if old.label == new.label and old.role == "target"]
    old, new = max(pairs, key=lambda pair: abs(pair[0].duration_s - pair[1].duration_s))
    scores = [evaluation.by_label[old.label].f1 for _, evaluation in (mended.before, mended.after)]
    f1 = "" if None in scores else f", F1 {scores[0]:.2f} → {scores[1]:.2f}"
    seconds = f"{format_duration(old.duration_s)} → {format_duration(new.duration_s)}"
    return f"{escape_markdown(old.label)} **{seconds}**{f1}."


def _mended(session: Session, before: Experiment, word: str, video: Video) -> _Mended | None:
    """Return what the prompt ``word`` does to ``before``; None where that makes it no better, or can't be told."""
    with_word = replace(before, rows=(*before.rows, PromptRow(label=word)))
    sides = []
    for experiment in (before, with_word):
        try:
            info, analysis = numbers.analysed(Session(experiment, server_keys=session.server_keys), video)
        except PromptreelError:
            return None
        evaluation = cache.evaluation(info, analysis, video)
        if evaluation is None:
            return None
        sides.append((analysis, evaluation))
    scores = [overall(evaluation).macro_f1 or 0.0 for _, evaluation in sides]
    return _Mended(word, *sides) if scores[1] > scores[0] else None


@state.callback
def _add(word: str) -> None:
    state.session().step(None, partial(_with_row, word))


def _has(experiment: Experiment, word: str) -> bool:
    """Return whether a row is of that label, however it is spelt."""
    return label_key(word) in {label_key(label_of(row)) for row in experiment.rows}


def _with_row(word: str, experiment: Experiment) -> Experiment:
    if _has(experiment, word):
        return experiment
    return replace(experiment, rows=(*experiment.rows, PromptRow(label=word)))


# --- on Compare ----------------------------------------------------------------------------------------------------


def draw_compared(comparison: Comparison) -> None:
    """Draw the last step, on Compare; nothing without a guide."""
    guide = _guide()
    if guide is None or guide.step != 3:
        return
    with _banner(guide) as place:
        longest = max(comparison.disagreements, key=lambda one: one.end_s - one.start_s, default=None)
        if longest is None:
            place.markdown("A and B say the same now.")
            return
        a, b = (escape_markdown(label or "nothing") for label in (longest.a, longest.b))
        place.markdown(
            f"A is without **{escape_markdown(guide.word)}**, B with it. From {format_time(longest.start_s)} to "
            f"{format_time(longest.end_s)} A says **{a}** and B **{b}**. P presents both."
        )
        _show(longest.start_s)
        presentation.button("guide_present")
