"""Ground truth in and out: a file or pasted text in any format, read before it is taken over; files to take along."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from lib.core.errors import InputError, PromptreelError
from lib.core.formatting import plural
from lib.ground_truth.formats import GroundTruthFormat
from lib.ground_truth.parsing import KINDS, ParsedTruth, parse_truth
from lib.ground_truth.writing import write_truth
from lib.store.videos import Video
from lib.ui.explore.ground_truth_editing import GroundTruthEditing, Truth, at_work, change
from lib.ui.session import state
from lib.ui.session.peek import peek_state

_PROBLEMS_SHOWN = 20
_MIMES: dict[GroundTruthFormat, str] = {
    "json": "application/json",
    "csv": "text/csv",
    "vtt": "text/vtt",
    "label_studio": "application/json",
    "audacity": "text/plain",
}


def draw_import(desk: GroundTruthEditing, truth: Truth, prompts: Sequence[str]) -> None:
    """Draw the import: what was read, every problem with its line, and only then the buttons that take it over.

    Args:
        desk: of the video.
        truth: what is known of it.
        prompts: labels of the prompts, all of them; where there are none, no label of the file is unknown.
    """
    outcome = st.container()  # above the inputs: below them it would be out of sight in a low window
    st.markdown(
        "Paste lines such as `shipyard, 10, 13`, or choose a file: JSON, CSV, WebVTT, Label Studio, Audacity."
    )
    st.text_area(
        "Ground truth",
        key=f"truth_text.{desk.imports}",
        height=90,
        label_visibility="collapsed",
        placeholder="shipyard, 10, 13",
    )
    st.file_uploader(
        "or a file",
        type=["json", "csv", "tsv", "txt", "vtt", "srt"],
        key=f"truth_file.{desk.imports}",
        max_upload_size=5,
    )
    known = tuple(prompts) or None
    st.session_state["truth_known"] = known
    with outcome:
        _outcome(desk, truth, known)


def _outcome(desk: GroundTruthEditing, truth: Truth, known: Sequence[str] | None) -> None:
    try:
        found = _read(desk, known, peek_state())
    except InputError as error:
        st.error(str(error), icon=":material/error:")
        return
    if found is None:
        return
    count = len(found.segments)
    st.markdown(f"**{plural(count, 'segment')}** read as {KINDS[found.kind][0]}.")
    if found.problems:
        lines = [f"- {problem}" for problem in found.problems[:_PROBLEMS_SHOWN]]
        if len(found.problems) > _PROBLEMS_SHOWN:
            lines.append(f"- And {len(found.problems) - _PROBLEMS_SHOWN} more like these.")
        st.warning("\n".join(lines))
    with st.container(horizontal=True):
        put = f"Put in place of the {len(truth)} there" if truth else "Take over"
        st.button(put, type="primary", key="truth_replace", on_click=_take_file, args=(False,))
        if truth:
            st.button(f"Add to the {len(truth)} there", key="truth_join", on_click=_take_file, args=(True,))


def _read(desk: GroundTruthEditing, known: Sequence[str] | None, asked: dict[str, Any]) -> ParsedTruth | None:
    """Return what was pasted or chosen; None when there is nothing yet."""
    video, name = desk.video, "The text"
    file, text = asked.get(f"truth_file.{desk.imports}"), str(asked.get(f"truth_text.{desk.imports}") or "")
    if file is not None:
        name = file.name
        try:
            text = file.getvalue().decode("utf-8")
        except UnicodeDecodeError:
            raise InputError(f"{name} is not UTF-8 text; save it as UTF-8 and try again.") from None
    elif not text.strip():
        return None
    return parse_truth(text, name=name, duration_s=video.duration_s, known_labels=known, rate=video.rate)


@state.uninterrupted
def _take_file(join: bool) -> None:
    desk, asked = at_work(), peek_state()
    try:
        found = _read(desk, asked.get("truth_known"), asked)
        if found is not None:
            change(desk, lambda truth: list(dict.fromkeys([*(truth if join else ()), *found.segments])))
    except PromptreelError as error:
        desk.problem = str(error)
    else:
        desk.chosen, desk.problem = None, ""
        desk.imports += 1


def draw_export(video: Video, truth: Truth) -> None:
    """Draw a button for each format."""
    stem = re.sub(r"[^\w.-]+", "_", Path(video.name).stem)
    for kind, (title, ending) in KINDS.items():
        if kind == "label_studio" and video.rate is None:
            st.caption("Label Studio counts in frames, and the rate of this video is unknown.")
            continue
        st.download_button(
            title,
            _writer(truth, kind, video),
            f"{stem}.truth{ending}",
            _MIMES[kind],
            key=f"truth_export_{kind}",
            on_click="ignore",
            icon=":material/download:",
        )


def _writer(truth: Truth, kind: GroundTruthFormat, video: Video) -> Callable[[], str]:
    return lambda: write_truth(truth, kind, video=video.name, rate=video.rate)
