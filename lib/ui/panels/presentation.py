"""The presentation view: the video beside words and answers, over large lanes, without side bar and controls.

The address opens it: its parameter ``present`` is 1, or the id of the version that is shown as what was before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lib.analysis.analysis import Analysis
from lib.comparison.presented import presented
from lib.core.formatting import as_text, escape_markdown
from lib.core.sampling import Framing
from lib.store.embeddings import EmbeddingInfo
from lib.store.videos import Video
from lib.ui.components.page_keys import page_keys
from lib.ui.components.player import Presented, lanes_data
from lib.ui.panels import video as video_panel
from lib.ui.session import cache, state

if TYPE_CHECKING:
    from streamlit.navigation.page import StreamlitPage

_PARAMETER = "present"
_PAGES = ("explore", "compare")
_STATE = "presentation_state"
_NOW, _WANTED = "presenting", "presenting_wanted"


@dataclass(frozen=True)
class Shown:
    """An analysis that is presented."""

    info: EmbeddingInfo
    analysis: Analysis
    colours: Mapping[str, str]
    sees: Framing | None


def begin() -> None:
    """Take from the address whether to present; to be called first in each run.

    A run may still bring the address from before a key or button was pressed: that is no wish to take it back. One that
    comes after the browser has the new address is, as with its Back.
    """
    wanted, there = st.session_state.get(_WANTED), st.query_params.get(_PARAMETER, "")
    if wanted is None or wanted == there:
        wanted = st.session_state[_WANTED] = None
    elif wanted:
        st.query_params[_PARAMETER] = wanted
    else:
        st.query_params.pop(_PARAMETER, None)
    st.session_state[_NOW] = there if wanted is None else wanted


def is_open(page: StreamlitPage | None = None) -> bool:
    """Return whether there is a presentation, of ``page`` where that is given."""
    return (page is None or page.url_path in _PAGES) and bool(wanted_version())


def wanted_version() -> str:
    """Return the id of the version that is to be what was before; ``1`` where none is named, empty: no presentation."""
    return str(st.session_state.get(_NOW, ""))


def keys(page: StreamlitPage, pages: Sequence[StreamlitPage]) -> None:
    """Listen to ``P`` with Shift, as ``p`` is the player's, and to Escape in a presentation."""
    names = {"P": "leave", "Escape": "leave"} if is_open(page) else {"P": "open"}
    addresses = [one.url_path for one in pages]
    page_keys(
        names if page.url_path in _PAGES else {},
        _turn,
        page=page.url_path,
        pages=addresses,
        parameter=_PARAMETER,
        awaits=st.session_state[_WANTED],
    )


def button(key: str = "present") -> None:
    """Draw the button that opens the presentation."""
    st.button(
        "Present",
        key=key,
        icon=":material/slideshow:",
        help="Present: video, answers and lanes, large and without controls (Shift P); Escape leaves",
        on_click=_turn,
        args=("open",),
    )


@state.callback
def _turn(name: str) -> None:
    st.session_state[_WANTED] = "1" if name == "open" else ""


def place() -> DeltaGenerator:
    """Return the place that the presentation fills, by which the shell's style knows it."""
    return st.container(key="presentation", gap="small")


def places() -> tuple[DeltaGenerator, DeltaGenerator]:
    """Return where the presentation goes, and the place below it where it is said what is wrong with prompts."""
    return st.container(gap="small"), st.container(gap="small")


def nothing(sentence: str) -> None:
    """Say why nothing can be presented; a button leaves."""
    st.info(as_text(sentence))
    st.button("Leave", key="leave_presentation", on_click=_turn, args=("leave",), icon=":material/close:")


def draw(title: str, video: Video, now: Shown, before: Shown | None, names: tuple[str, str]) -> None:
    """Draw ``now``, or what was ``before``, as a switch above the video wants it; ``names`` says what both are."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.title(escape_markdown(title), anchor=False, width="stretch")
        if before is not None:
            st.segmented_control(
                "State",
                ("Before", "After"),
                default="After",
                required=True,
                label_visibility="collapsed",
                help=f"Before: {escape_markdown(names[0])}. After: {escape_markdown(names[1])}.",
                key=_STATE,
                persist_state="session",
            )
    shown = before if before is not None and st.session_state.get(_STATE) == "Before" else now
    lines = presented(shown.analysis, now.analysis, before.analysis if before else None)
    evaluation = cache.evaluation(shown.info, shown.analysis, video)
    wrong = evaluation.wrong if evaluation else ()
    lanes = lanes_data.lanes(
        shown.analysis,
        shown.colours,
        thumbnails=video_panel.thumbnails_url(shown.info),
        truth=cache.truth(video),
        end_s=None if shown.info.complete else video.end_s,
        wrong=wrong,
    )
    note = "Hatched: found and true differ." if wrong else ""
    said = Presented({line.label: (line.words, line.answer, line.more) for line in lines}, note)
    video_panel.play(video, lanes, sees=shown.sees, presented=said)
