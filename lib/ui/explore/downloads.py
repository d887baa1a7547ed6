"""Downloads: the analysis in a chosen format, and an annotated clip."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import streamlit as st

from lib.analysis.analysis import Analysis
from lib.core.errors import PromptreelError
from lib.core.formatting import as_text, escape_markdown, file_name, format_time
from lib.ingest.progress import Progress
from lib.media.annotated_clip import annotated_clip
from lib.media.drawing import Caption
from lib.media.fonts import missing_sentence
from lib.services.experiments import shown_title
from lib.services.exports import FORMATS, StoredAnalysis, export, has_pictures, notes
from lib.services.jobs import Job
from lib.services.reports import About, report_of_video
from lib.ui.background import playable_copies
from lib.ui.panels import reports
from lib.ui.panels.video import VideoSelection
from lib.ui.server import routes
from lib.ui.session import cache, state, theme


def draw(selection: VideoSelection, analysis: Analysis) -> None:
    """Draw the downloads; a file is made when it is requested."""
    if selection.info is None:
        return
    stored = StoredAnalysis(cache.store(), selection.video, selection.info, selection.engine, analysis)
    names = [name for name, kind in FORMATS.items() if not kind.needs_pictures or has_pictures(stored)]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox("Format", names, format_func=_title, key="download_format", width=340)
        try:
            said = notes(stored, name)
        except PromptreelError as error:
            said = (str(error),)
        else:
            _button(stored, name)
        _report(stored)
    if said:
        st.caption(as_text(" ".join(said)))
    stem = stored.title
    if selection.video.has_file:
        _clip(selection, analysis, stem)
        missing = missing_sentence(analysis.labels)
        if missing is not None:
            st.caption(escape_markdown(missing))


def _title(name: str) -> str:
    return FORMATS[name].title


def _button(stored: StoredAnalysis, name: str) -> None:
    kind = FORMATS[name]
    st.download_button(
        "Download",
        lambda: export(stored, name).content,
        file_name(stored.title, kind.ending),
        kind.mime,
        key="download",
        on_click="ignore",
        icon=":material/download:",
    )


def _report(stored: StoredAnalysis) -> None:
    """Draw the button of the report, with title and note of the experiment."""
    experiment, truth = state.current(), cache.truth(stored.video)

    def make() -> bytes:
        title = shown_title(experiment, stored.video.name)
        about = About(title, experiment.note, reports.version_in_words(stored.store.home, experiment))
        of = (stored.store, stored.video, stored.info, stored.engine, stored.analysis)
        return report_of_video(*of, truth=truth, about=about)

    reports.button(make, f"{Path(stored.video.name).stem}-{shown_title(experiment)}", key="report")


def _clip(selection: VideoSelection, analysis: Analysis, stem: str) -> None:
    """Draw the button that makes an annotated clip in the background, and a link when it is done."""
    window = state.session().window
    part = f"{format_time(window[0])} – {format_time(window[1])}" if window else "the whole video"
    if st.button(f"Make an annotated clip of {part}", icon=":material/movie_edit:", key="make_clip"):
        try:
            started = _start_clip(selection, analysis, stem, window)
        except PromptreelError as error:
            st.error(as_text(str(error)), icon=":material/error:")
            return
        st.session_state["clip_job"] = started.id
        st.rerun()
    job = cache.jobs().get(st.session_state.get("clip_job", ""))
    if job is None:
        return
    if job.live:
        st.caption("Rendering clip; progress is in the sidebar.")
    elif job.state == "done":
        url = routes.url_for_video(job.result, download_as=job.result.name)
        st.link_button("Download the annotated clip", url, icon=":material/download:")
    elif job.error:
        st.error(as_text(job.error), icon=":material/error:")


def _start_clip(selection: VideoSelection, analysis: Analysis, stem: str, window: tuple[float, float] | None) -> Job:
    source = cache.store().file_path(selection.video.sha256)
    folder = cache.store().paths.exports
    folder.mkdir(exist_ok=True)
    start_s, end_s = window or (analysis.samples.start_s, analysis.samples.end_s)
    target = folder / file_name(stem, f"-{start_s:.1f}-{end_s:.1f}.mp4")
    captions = _captions(analysis)

    def make(*, on_progress: Callable[[Progress], None], cancel: threading.Event) -> Path:
        annotated_clip(
            source,
            target,
            captions,
            start_s=start_s,
            end_s=end_s,
            on_progress=playable_copies.telling(on_progress),
            cancel=cancel,
        )
        return target

    return cache.jobs().submit(
        f"Annotated clip of {selection.video.name}",
        ("clip", str(target)),
        make,
        queue="clips",
        sha256=selection.video.sha256,
        unit="s of video",
    )


def _captions(analysis: Analysis) -> Callable[[float], list[Caption]]:
    """Return the captions at a time in seconds: the active labels of the sample shown then."""
    colours = theme.colours(analysis.prompt_set.prompts)

    def at(time_s: float) -> list[Caption]:
        index = int(np.searchsorted(analysis.samples.times_s, time_s, side="right")) - 1
        if index < 0:
            return []
        return [
            Caption(label, float(analysis.scores[index, column]), colours[label])
            for column, label in enumerate(analysis.labels)
            if analysis.active[index, column]
        ]

    return at
