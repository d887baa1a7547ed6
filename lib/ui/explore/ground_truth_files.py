"""Import of ground truth from a file or pasted text, shown before it is stored; export in every format."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from lib.core.errors import InputError, PromptreelError
from lib.core.formatting import as_text, file_name, plural
from lib.ground_truth.formats import GroundTruthFormat
from lib.ground_truth.parsing import KINDS, READ_FROM, TITLES, ParsedTruth, parse_truth
from lib.ground_truth.writing import write_truth
from lib.services.video_files import start_timecode_if_known
from lib.store.videos import Video
from lib.ui.panels.ground_truth_editing import GroundTruthEditing, Truth, callback
from lib.ui.session.peek import peek_state

_PROBLEMS_SHOWN = 20
_MIMES: dict[GroundTruthFormat, str] = {
    "json": "application/json",
    "csv": "text/csv",
    "vtt": "text/vtt",
    "label_studio": "application/json",
    "audacity": "text/plain",
}


def draw_import(editing: GroundTruthEditing, truth: Truth, prompts: Sequence[str]) -> None:
    """Draw the import: the inputs, what was read with every problem and its line, and the buttons that store it.

    Without labels of ``prompts``, no label of the file counts as unknown.
    """
    outcome = st.container()  # above the inputs: below them it would be out of sight in a low window
    st.markdown(f"Paste lines such as `shipyard, 10, 13`, or choose a file: {READ_FROM}.")
    st.text_area(
        "Ground truth",
        key=f"truth_text.{editing.import_version}",
        height=90,
        label_visibility="collapsed",
        placeholder="shipyard, 10, 13",
    )
    st.file_uploader(
        "or a file",
        type=["json", "csv", "tsv", "txt", "vtt", "srt", "eaf", "xml", "svl", "otio", "edl", "fcpxml"],
        key=f"truth_file.{editing.import_version}",
        max_upload_size=5,
    )
    known_labels = tuple(prompts) or None
    st.session_state["truth_known"] = known_labels
    with outcome:
        _outcome(editing, truth, known_labels)


def _outcome(editing: GroundTruthEditing, truth: Truth, known_labels: Sequence[str] | None) -> None:
    try:
        parsed = _read(editing, known_labels, peek_state())
    except InputError as error:
        st.error(as_text(str(error)), icon=":material/error:")
        return
    if parsed is None:
        return
    st.markdown(f"**{plural(len(parsed.segments), 'segment')}** read as {TITLES[parsed.kind]}.")
    draw_problems(parsed.problems)
    with st.container(horizontal=True):
        replace = f"Replace the present {len(truth)}" if truth else "Import"
        st.button(replace, type="primary", key="truth_replace", on_click=_import, args=(False,))
        if truth:
            st.button(f"Add to the present {len(truth)}", key="truth_join", on_click=_import, args=(True,))


def draw_problems(problems: Sequence[str]) -> None:
    """Draw what a file holds that was left out or taken for granted; nothing where there is nothing to say."""
    lines = [f"- {as_text(problem)}" for problem in problems[:_PROBLEMS_SHOWN]]
    if len(problems) > _PROBLEMS_SHOWN:
        lines.append(f"- And {len(problems) - _PROBLEMS_SHOWN} more like these.")
    if lines:
        st.warning("\n".join(lines))


def _read(
    editing: GroundTruthEditing, known_labels: Sequence[str] | None, inputs: dict[str, Any]
) -> ParsedTruth | None:
    """Return what was pasted or chosen; None when there is nothing yet."""
    video, name = editing.video, "The text"
    file = inputs.get(f"truth_file.{editing.import_version}")
    text: str | bytes = str(inputs.get(f"truth_text.{editing.import_version}") or "")
    if file is not None:
        name, text = file.name, file.getvalue()
    elif not text.strip():
        return None
    return parse_truth(
        text,
        name=name,
        end_s=video.end_s,
        known_labels=known_labels,
        rate=video.rate,
        video=video.name,
        start_timecode=partial(start_timecode_if_known, video),
    )


@callback
def _import(editing: GroundTruthEditing, keep: bool) -> None:
    inputs = peek_state()
    try:
        parsed = _read(editing, inputs.get("truth_known"), inputs)
        if parsed is not None:
            editing.change(lambda truth: list(dict.fromkeys([*(truth if keep else ()), *parsed.segments])))
    except PromptreelError as error:
        editing.problem = str(error)
    else:
        editing.selected, editing.problem = None, ""
        editing.import_version += 1


def draw_export(video: Video, truth: Truth) -> None:
    """Draw a download button for each format."""
    stem = Path(video.name).stem
    for kind, (title, ending) in KINDS.items():
        if kind == "label_studio" and video.rate is None:
            st.caption("Label Studio counts in frames, and the rate of this video is unknown.")
            continue
        st.download_button(
            title,
            _writer(truth, kind, video),
            file_name(stem, f".truth{ending}"),
            _MIMES[kind],
            key=f"truth_export_{kind}",
            on_click="ignore",
            icon=":material/download:",
        )


def _writer(truth: Truth, kind: GroundTruthFormat, video: Video) -> Callable[[], str]:
    return lambda: write_truth(truth, kind, video=video.name, rate=video.rate)
