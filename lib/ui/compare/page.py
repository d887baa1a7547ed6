"""Panels of the Compare page: two experiments on one video, side by side on one time axis."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ParamSpec

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lib.analysis.analysis import Analysis
from lib.comparison.comparison import Comparison
from lib.core.errors import InputError
from lib.core.formatting import as_text
from lib.core.labelled_intervals import label_key
from lib.core.sampling import Framing
from lib.services.catalogue import Choice
from lib.services.experiments import rows_to_prompts, shown_title
from lib.store.embeddings import EmbeddingInfo
from lib.store.videos import Video
from lib.ui.compare import marks
from lib.ui.components.player import lanes_data
from lib.ui.panels import engine, pictures, presentation, prompts, settings, undo_bar, video
from lib.ui.panels.video import VideoSelection
from lib.ui.session import cache, comparison_sides, opening, state, theme
from lib.ui.session.peek import peek_state
from lib.ui.session.session import SIDES, Session, Side

_P = ParamSpec("_P")
_WIDTH = 320
"""Of a side, at least, in CSS pixels: both stand beside the video in a window of 1280; the shell widens them."""
_NARROWEST = 190
"""Pixels of the choice of the video before the line that it is in wraps."""
ONLY = "only_differences"

Colours = Mapping[Side, Mapping[str, str]]
"""Hex colour by label on each side; a label that both have has the same one."""


@dataclass(frozen=True)
class AnalysedSide:
    """One side's embedding and its analysis."""

    info: EmbeddingInfo
    analysis: Analysis
    sees: Framing | None
    """What of a frame its model sees."""
    band: tuple[float, float] | None
    """The reference band of its scores."""


@dataclass(frozen=True)
class Sides:
    """Both sides of one video; None on a side without an analysis."""

    video: Video
    a: AnalysedSide | None
    b: AnalysedSide | None
    colours: Colours
    embedded: EmbeddingInfo | None
    """What is embedded on side A, else on B."""

    def compare(self) -> ComparedSides | None:
        """Return both sides with their comparison; None unless both have an analysis."""
        if self.a is None or self.b is None:
            return None
        comparison = cache.comparison(self.a.info, self.a.analysis, self.b.info, self.b.analysis)
        return ComparedSides(self.video, self.a, self.b, self.colours, comparison)


@dataclass(frozen=True)
class ComparedSides:
    """Two analyses of one video, and their comparison."""

    video: Video
    a: AnalysedSide
    b: AnalysedSide
    colours: Colours
    comparison: Comparison


# --- what is compared ----------------------------------------------------------------------------------------------


def top_line() -> DeltaGenerator:
    """Draw the first line: title, what is done with both sides, and what to show; return the place of the video."""
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="top_line"):
        st.title("Compare", width="content", anchor=False)
        place = st.container(width=_NARROWEST)
        for side, other, icon in (("a", "b", "forward"), ("b", "a", "back")):
            st.button(
                f"Copy {side.upper()} to {other.upper()}",
                key=f"copy_{side}",
                icon=f":material/arrow_{icon}:",
                on_click=_after_typed(comparison_sides.copy),
                args=(side,),
                help=f"{other.upper()} becomes {side.upper()}: prompts, settings, engine and sampling.",
            )
        st.button("Swap", key="swap", icon=":material/swap_horiz:", on_click=_after_typed(comparison_sides.swap))
        undo_bar.draw()
        presentation.button()
        st.toggle(
            "Only differences",
            key=ONLY,
            persist_state="session",
            help="Dim where both agree, play only the rest, and list only labels that differ.",
        )
    return place


def _after_typed(action: Callable[_P, None]) -> Callable[_P, None]:
    """Make a callback accept what was typed on either side before it was clicked."""

    @state.callback
    @functools.wraps(action)
    def run(*args: _P.args, **options: _P.kwargs) -> None:
        for session in comparison_sides.sides().values():
            prompts.accept_typed(session)
        action(*args, **options)

    return run


def _choose(session: Session) -> None:
    """Draw what a side is, and the choice of another experiment, version or sample in its place."""
    here, title, key = state.current(), shown_title(session.experiment), session.versioned("choose")
    of_others = (one for one in opening.choices().choices if one.id != here.id)
    choices = {one.key: one for one in sorted(of_others, key=lambda one: one.video != here.video)}
    st.selectbox(
        f"{session.side.upper()}: {as_text(title)}. Load another",
        list(choices),
        index=None,
        format_func=lambda chosen: choices[chosen].described,
        placeholder=title,
        label_visibility="collapsed",
        key=key,
        on_change=_after_typed(_use_choice),
        args=(session.side, key, choices),
    )


def _use_choice(side: Side, key: str, choices: Mapping[str, Choice]) -> None:
    choice = choices.get(str(peek_state().get(key)))
    experiment = choice.get() if choice is not None else None
    st.session_state[key] = None
    if choice is None:
        return
    if experiment is None:
        raise InputError(f"“{choice.name}” isn’t there any more; choose another one.")
    if side == "a":
        comparison_sides.choose_a(experiment)
    else:
        comparison_sides.compare_with(experiment)


def edit(chosen: Video) -> Sides:
    """Draw both experiments side by side, and return their analyses. Every panel works on its own side only."""
    with st.container(horizontal=True, gap="small", key="two_sides"):
        columns = {name: st.container(width=_WIDTH, gap="xsmall") for name in SIDES}
    sessions, colours = comparison_sides.sides(), side_colours()
    opened: dict[Side, tuple[VideoSelection, DeltaGenerator]] = {}
    for name, column in columns.items():
        with column:
            opened[name] = _edit_side(sessions[name], chosen, colours[name])
    colours = side_colours()  # an edit that came late is in the tables by now
    sides = {name: _analyse(*opened[name], column) for name, column in columns.items()}
    infos = [one.info for one, _ in opened.values() if one.info]
    return Sides(chosen, sides["a"], sides["b"], colours, next(iter(infos), None) or video.last_embedding(chosen))


def _edit_side(session: Session, chosen: Video, colours: Mapping[str, str]) -> tuple[VideoSelection, DeltaGenerator]:
    """Draw the panels of one side; return the place of its settings too, which need its analysis."""
    first_line = st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key=session.key("side"))
    with first_line:
        st.markdown(f":gray-badge[{session.side.upper()}]", width="content")
        _choose(session)
    selection = video.select(session, chosen)
    video.embedding_state(selection)
    side = session.side.upper()
    prompts.draw(session, colours, lambda: marks.of_sides()[session.side].rows, side=side)
    differ = marks.of_sides()[session.side]
    with first_line:
        place = _popover("Settings", differ.settings)
        with _popover("More", differ.rest):
            _more(session)
    return selection, place


def _popover(words: str, differ: Sequence[str]) -> DeltaGenerator:
    """Return a popover, which says how many things in it differ from the other side, and which."""
    count = f" ({len(differ)} differ{'' if len(differ) > 1 else 's'})" if differ else ""
    popover = st.popover(words + count, type="tertiary", help=as_text("; ".join(differ)) or None)
    if differ:
        popover.caption(as_text("; ".join(differ)))
    return popover


def _more(session: Session) -> None:
    """Draw import, pictures and template of one side, and its engine."""
    *of_prompts, of_engine = st.tabs(["Import", "Pictures", "Name and template", "Engine"])
    for tab, draw in zip(of_prompts, (prompts.importing, pictures.popover, prompts.template), strict=True):
        with tab:
            draw(session)
    with of_engine:
        if session.side == "a":
            st.caption(f"{as_text(engine.described(session))}. Choose the engine of A in the sidebar.")
        else:
            engine.draw(session, None)


def _analyse(selection: VideoSelection, place: DeltaGenerator, column: DeltaGenerator) -> AnalysedSide | None:
    with column:
        analysis = video.analyse(selection)
        with place:
            video.edit_settings(selection, analysis)
        if analysis is None or selection.info is None:
            return None
        settings.effects(analysis)
    band = video.reference_band(selection.engine, selection.info, analysis)
    return AnalysedSide(selection.info, analysis, selection.sees, band)


def side_colours() -> dict[Side, dict[str, str]]:
    """Return label -> colour of each side; a label that both have has one colour."""
    both = {name: rows_to_prompts(session.experiment.rows)[0] for name, session in comparison_sides.sides().items()}
    in_a = {label_key(prompt.label) for prompt in both["a"]}
    only_in_b = [prompt for prompt in both["b"] if label_key(prompt.label) not in in_a]
    # One palette for both: a label that only B has gets a colour that A does not use.
    colours = theme.colours((*both["a"], *only_in_b))
    by_key = {label_key(label): colour for label, colour in colours.items()}
    return {
        name: {prompt.label: by_key[label_key(prompt.label)] for prompt in prompts} for name, prompts in both.items()
    }


# --- one time axis, one player -------------------------------------------------------------------------------------


def watch(sides: Sides, compared: ComparedSides | None, places: tuple[DeltaGenerator, DeltaGenerator]) -> None:
    """Draw the video and the lanes of both sides and of their differences, or the lanes of the analysed side."""
    a, b = _lanes(sides, "a"), _lanes(sides, "b")
    lanes: dict[str, object] | None
    if a and b and compared:
        disagreements = compared.comparison.disagreements
        lanes = lanes_data.side_by_side(
            a,
            b,
            [(interval.start_s, interval.end_s, interval.a, interval.b) for interval in disagreements],
            only_differences=bool(st.session_state.get(ONLY)),
        )
    elif a or b:
        lanes = {**(a or b or {}), "side": "A" if a else "B"}
    else:
        lanes = video.lanes_without_prompts(sides.video, sides.embedded)
    if problem := cache.truth_problem(sides.video):
        with places[1]:
            st.warning(as_text(problem), icon=":material/warning:")
    seen = {side.sees for side in (sides.a, sides.b) if side}
    of_side = {name.upper(): session for name, session in comparison_sides.sides().items()}
    video.play(sides.video, lanes, sees=seen.pop() if len(seen) == 1 else None, sides=of_side, places=places)


def _lanes(sides: Sides, name: Side) -> dict[str, object] | None:
    side = sides.a if name == "a" else sides.b
    if side is None:
        return None
    return lanes_data.lanes(
        side.analysis,
        sides.colours[name],
        thumbnails=video.thumbnails_url(side.info),
        truth=cache.truth(sides.video),
        end_s=None if side.info.complete else sides.video.end_s,
        thresholds=settings.threshold_steps(comparison_sides.sides()[name]),
        band=side.band,
    )
