"""Panels of the Compare page: two experiments on one video, side by side on one time axis."""

from __future__ import annotations

import functools
import html
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ParamSpec

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lib.analysis.analysis import Analysis
from lib.comparison.comparison import Comparison
from lib.core import formatting
from lib.core.formatting import escape_markdown
from lib.core.labelled_intervals import label_key
from lib.services import experiments
from lib.services.experiments import Experiment, rows_to_prompts
from lib.store.embeddings import EmbeddingInfo
from lib.store.videos import Video
from lib.ui.components.player import lanes_data
from lib.ui.panels import engine, html_tables, settings, video
from lib.ui.panels import prompts as prompt_table
from lib.ui.panels import video as explore
from lib.ui.panels.video import VideoSelection
from lib.ui.session import cache, comparison_sides, state, theme
from lib.ui.session.state import Side

_P = ParamSpec("_P")
_WIDTH = 482
_RECENT = 12
_DONE = {"copy": "copy", "swap": "swap", "choice": "choice of B"}
ONLY = "only_differences"

Colours = Mapping[Side, Mapping[str, str]]
"""Hex colour by label on each side; a label that both have has the same one."""


@dataclass(frozen=True)
class Seen:
    """What one side sees of the video; None for what it can't."""

    chosen: VideoSelection | None
    analysis: Analysis | None

    @property
    def info(self) -> EmbeddingInfo | None:
        """What is embedded."""
        return self.chosen.info if self.chosen else None

    @property
    def found(self) -> tuple[EmbeddingInfo, Analysis]:
        """What is embedded and what is found in it, on a side that sees something.

        Raises:
            ValueError: it sees nothing.
        """
        if self.info is None or self.analysis is None:
            raise ValueError("this side sees nothing")
        return self.info, self.analysis


@dataclass(frozen=True)
class ComparedSides:
    """Both sides, and one beside the other where both see something."""

    video: Video
    a: Seen
    b: Seen
    colours: Colours
    comparison: Comparison | None


# --- what is compared ----------------------------------------------------------------------------------------------


def tools() -> None:
    """Draw what concerns both sides: copy, swap, another experiment as B, undo, and whether to show all."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            "Copy A to B",
            key="copy_a",
            icon=":material/arrow_forward:",
            on_click=_first_hear(comparison_sides.copy),
            args=("a",),
            help="B becomes A: prompts, settings, engine and sampling.",
        )
        st.button(
            "Copy B to A",
            key="copy_b",
            icon=":material/arrow_back:",
            on_click=_first_hear(comparison_sides.copy),
            args=("b",),
            help="A becomes B: prompts, settings, engine and sampling.",
        )
        st.button(
            "Swap", key="swap", icon=":material/swap_horiz:", on_click=_first_hear(comparison_sides.swap)
        )
        with st.popover("Choose B", icon=":material/history:"):
            _choose()
        done = state.session().replaced
        if done:
            st.button(
                f"Undo {_DONE[done[-1].what]}",
                key="undo_sides",
                icon=":material/undo:",
                on_click=_first_hear(comparison_sides.undo),
            )
        st.space("stretch")
        st.toggle(
            "Only differences",
            key=ONLY,
            persist_state="session",
            help="Veil what both sides agree on, play only the rest, and list only labels that differ.",
        )


def _first_hear(act: Callable[_P, None]) -> Callable[_P, None]:
    """Make a callback take over what was typed on either side before it was clicked."""

    @state.uninterrupted
    @functools.wraps(act)
    def run(*args: _P.args, **options: _P.kwargs) -> None:
        for name in state.SIDES:
            with state.side(name):
                prompt_table.hear(settings.threshold_range())
        act(*args, **options)

    return run


def _choose() -> None:
    here = state.current()
    found = experiments.recent(cache.store().home, limit=_RECENT, without=here.id)
    if not found:
        st.markdown("There is no other experiment yet. The Library lists them once there are some.")
        return
    st.markdown("B becomes a copy of an experiment worked on before:")
    for one, written_at in found:
        st.button(
            f"{escape_markdown(f'{one.name} · {_labels(one)}')} · {formatting.ago(time.time() - written_at)}",
            key=f"beside_{one.id}",
            type="tertiary",
            on_click=_first_hear(comparison_sides.compare_with),
            args=(one,),
        )


def _labels(one: Experiment) -> str:
    labels = [row.label.strip() for row in one.rows if row.label.strip()]
    return ", ".join(labels[:4]) + (", …" if len(labels) > 4 else "")


def edit(video: Video) -> ComparedSides:
    """Draw both experiments side by side, and return what they see.

    Every panel works on its side, and what it changes is in that side's workspace only.
    """
    with st.container(horizontal=True, gap="small"):
        columns = {name: st.container(width=_WIDTH) for name in state.SIDES}
    colours = _colours()
    opened: dict[Side, tuple[VideoSelection | None, DeltaGenerator]] = {}
    for name, column in columns.items():
        with column, state.side(name):
            opened[name] = _edit_side(name, video, colours[name])
    colours = _colours()  # an edit that came late is in the tables by now
    seen = {}
    for name, column in columns.items():
        chosen, answers = opened[name]
        with column, state.side(name):
            analysis = explore.analyse(chosen) if chosen is not None else None
            seen[name] = Seen(chosen, analysis)
        if analysis is not None:
            with answers:
                _answers(chosen, analysis, colours[name])
    a, b = seen["a"], seen["b"]
    found = cache.comparison(*a.found, *b.found) if a.analysis and b.analysis else None
    return ComparedSides(video, a, b, colours, found)


def _edit_side(
    name: Side, video: Video, colours: Mapping[str, str]
) -> tuple[VideoSelection | None, DeltaGenerator]:
    """Draw the panels of one side; return what is embedded, and the place of its answers."""
    here = state.current()
    st.markdown(f"#### :gray-badge[{name.upper()}] {escape_markdown(here.name)}")
    answers = st.container()
    chosen = explore.chosen(video)
    if chosen is not None:
        explore.embedding_state(chosen)
    prompt_table.draw(settings.threshold_range(), colours)
    prompt_table.tools()
    if chosen is not None:
        explore.edit_settings(chosen)
    _edit_engine(name)
    return chosen, answers


def _answers(chosen: VideoSelection | None, analysis: Analysis, colours: Mapping[str, str]) -> None:
    """Draw the three answers a label, and how far they are right where there is truth."""
    against = cache.evaluation(chosen.info, analysis, chosen.video) if chosen and chosen.info else None
    lines = []
    for label, sentence in analysis.answers().items():
        rest = html.escape(sentence.removeprefix(f"{label}: "))
        f1 = against.by_label[label].f1 if against else None
        right = "" if f1 is None else f", <strong>F1 {f1:.2f}</strong>"
        lines.append(
            f"<li>{html_tables.dot(colours[label])} <strong>{html.escape(label)}</strong>: {rest}{right}</li>"
        )
    st.html(f'<ul style="list-style:none;padding:0;margin:0;line-height:1.7">{"".join(lines)}</ul>')


def _edit_engine(name: Side) -> None:
    here = state.current()
    sampling = engine.current_sampling().description
    model = f" {here.model_version}" if here.engine == "server" else ""
    words = f"{engine.ENGINES[here.engine]}{model}, {sampling}"
    if name == "a":
        st.caption(f"{words} (in the sidebar)")
        return
    with st.popover("Engine of B", icon=":material/memory:"):
        engine.draw(None)
    st.caption(words)


def _colours() -> dict[Side, dict[str, str]]:
    prompts = {}
    for name in state.SIDES:
        with state.side(name):
            prompts[name], _ = rows_to_prompts(state.current().rows)
    ours = {label_key(prompt.label) for prompt in prompts["a"]}
    further = [prompt for prompt in prompts["b"] if label_key(prompt.label) not in ours]
    # One palette for both: a label that only B has gets the colour of a place that A leaves free.
    colours = theme.colours((*prompts["a"], *further))
    by_key = {label_key(label): colour for label, colour in colours.items()}
    return {
        name: {prompt.label: by_key[label_key(prompt.label)] for prompt in prompts[name]}
        for name in state.SIDES
    }


# --- one time axis, one player -------------------------------------------------------------------------------------


def watch(both: ComparedSides) -> None:
    """Draw the player over A's lanes, B's lanes and the lane of differences, or the lanes of the side that sees any."""
    lanes = {name: _lanes(both, name) for name in state.SIDES}
    shown = next(({**one, "side": name.upper()} for name, one in lanes.items() if one), None)
    if lanes["a"] and lanes["b"] and both.comparison:
        shown = lanes_data.side_by_side(
            lanes["a"],
            lanes["b"],
            [(one.start_s, one.end_s, one.a, one.b) for one in both.comparison.disagreements],
            only_differences=bool(st.session_state.get(ONLY)),
        )
    explore.play(both.video, shown or explore.lanes_without_prompts(both.video, both.a.info or both.b.info))


def _lanes(both: ComparedSides, name: Side) -> dict[str, object] | None:
    seen = both.a if name == "a" else both.b
    if seen.analysis is None:
        return None
    info, analysis = seen.found
    return lanes_data.lanes(
        analysis,
        both.colours[name],
        thumbnails=video.thumbnails_url(info),
        truth=cache.truth(both.video),
        duration_s=None if info.complete else both.video.duration_s,
    )
