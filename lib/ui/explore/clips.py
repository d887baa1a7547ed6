"""Clips: the segments that are found, cut out, and a part of the video with what is found drawn in."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import streamlit as st

from lib.analysis.analysis import Analysis
from lib.core.errors import PromptreelError
from lib.core.formatting import as_text, escape_markdown, file_name, format_time
from lib.ingest.progress import Progress
from lib.media.fonts import missing_sentence
from lib.services.clips import MOST_PADDING_S, CutOut, annotate, cut_reel, cut_zip, in_words
from lib.store.videos import Video
from lib.ui.background import playable_copies
from lib.ui.server import routes
from lib.ui.session import cache, state, theme

_FORMS = {"zip": "One file each, in a zip", "reel": "One reel"}
_Make = Callable[..., tuple[Path, str]]
"""Called with ``on_progress`` and ``cancel``; returns the file and what is to be said of it."""


def draw(video: Video, analysis: Analysis, stem: str) -> None:
    """Draw what makes clips in the background, and the links to them when they are done."""
    with st.expander("Clips", icon=":material/movie_edit:"):
        _cut_out(video, analysis, stem)
        st.divider()
        _annotated(video, analysis, stem)


def _cut_out(video: Video, analysis: Analysis, stem: str) -> None:
    found = list(dict.fromkeys(segment.label for segment in analysis.segments))
    if not found:
        st.caption("No segments are found, so there are none to cut out.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        label = st.selectbox(
            "Cut out the segments of",
            ["", *(one for one in analysis.labels if one in found)],  # None would be "nothing chosen", with a cross
            format_func=lambda one: one or "all labels",
            key="cut_label",
            width=240,
        )
        padding_s = st.number_input(
            "Padding, s",
            0.0,
            MOST_PADDING_S,
            step=0.5,
            key="cut_padding",
            width=140,
            help="How much earlier and later each segment is cut.",
        )
        form = st.selectbox("As", list(_FORMS), format_func=lambda one: _FORMS[one], key="cut_form", width=240)
        widen = st.toggle(
            "Encode nothing again",
            key="cut_widen",
            help="Segments then begin at the key frame before, and may end a little later. Without this they are "
            "exact to the frame, and copied where that is exact.",
        )
        if st.button("Cut out", icon=":material/content_cut:", key="cut"):
            wanted = CutOut(label or None, padding_s, widen)
            _start("cut_job", f"Clips of {video.name}", video, partial(_cut, video, analysis, stem, wanted, form))
    _outcome("cut_job", "Cutting segments out")


def _cut(video: Video, analysis: Analysis, stem: str, wanted: CutOut, form: str) -> tuple[Path, _Make]:
    wanted.segments(analysis)  # says what is wrong at once
    source = cache.store().file_path(video.sha256)
    label = f"-{wanted.label}" if wanted.label is not None else ""
    target = _folder() / file_name(f"{stem}{label}", "-reel.mp4" if form == "reel" else "-clips.zip")

    def make(*, on_progress: Callable[[Progress], None], cancel: threading.Event) -> tuple[Path, str]:
        tell = playable_copies.telling(on_progress)
        if form == "reel":
            return target, in_words(cut_reel(source, target, analysis, wanted, on_progress=tell, cancel=cancel))
        name = Path(video.name).stem
        clips = cut_zip(source, target, name, analysis, wanted, on_progress=tell, cancel=cancel)
        return target, in_words([clip.part for clip in clips])

    return target, make


def _annotated(video: Video, analysis: Analysis, stem: str) -> None:
    window = state.session().window
    part = f"{format_time(window[0])} – {format_time(window[1])}" if window else "the whole video"
    if st.button(f"Make an annotated clip of {part}", icon=":material/subtitles:", key="make_clip"):
        prepare = partial(_annotate, video, analysis, stem, window)
        _start("clip_job", f"Annotated clip of {video.name}", video, prepare)
    _outcome("clip_job", "Rendering the annotated clip")
    missing = missing_sentence(analysis.labels)
    if missing is not None:
        st.caption(escape_markdown(missing))


def _annotate(video: Video, analysis: Analysis, stem: str, window: tuple[float, float] | None) -> tuple[Path, _Make]:
    source, colours = cache.store().file_path(video.sha256), theme.colours(analysis.prompt_set.prompts)
    start_s, end_s = window or (analysis.samples.start_s, analysis.samples.end_s)
    target = _folder() / file_name(stem, f"-{start_s:.1f}-{end_s:.1f}.mp4")

    def make(*, on_progress: Callable[[Progress], None], cancel: threading.Event) -> tuple[Path, str]:
        tell = playable_copies.telling(on_progress)
        annotate(source, target, analysis, colours, window, on_progress=tell, cancel=cancel)
        return target, ""

    return target, make


def _folder() -> Path:
    folder = cache.store().paths.exports
    folder.mkdir(exist_ok=True)
    return folder


def _start(key: str, title: str, video: Video, prepare: Callable[[], tuple[Path, _Make]]) -> None:
    """Start a job, which the session keeps under ``key``, or say why it can't be."""
    try:
        target, make = prepare()
    except PromptreelError as error:
        st.error(as_text(str(error)), icon=":material/error:")
        return
    job = cache.jobs().submit(title, ("clip", str(target)), make, queue="clips", sha256=video.sha256, unit="s of video")
    st.session_state[key] = job.id
    st.rerun()


def _outcome(key: str, doing: str) -> None:
    """Draw what became of a job: the link to its file, or its error."""
    job = cache.jobs().get(st.session_state.get(key, ""))
    if job is None:
        return
    if job.live:
        st.caption(f"{doing}; progress is in the sidebar.")
    elif job.state == "done":
        path, said = job.result
        if said:
            st.caption(said)
        url = routes.url_for_video(path, download_as=path.name)
        st.link_button(f"Download {as_text(path.name)}", url, icon=":material/download:")
    elif job.error:
        st.error(as_text(job.error), icon=":material/error:")
