"""Downloads: tables, the analysis, the prompt set, a contact sheet, an annotated clip."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import streamlit as st
from PIL import Image

from lib.analysis.analysis import Analysis
from lib.core.errors import PromptreelError
from lib.core.formatting import as_text, escape_markdown, file_name, format_time
from lib.core.spreadsheet import spreadsheet_csv
from lib.ingest.progress import Progress
from lib.media.annotated_clip import annotated_clip
from lib.media.contact_sheet import Tile, contact_sheet
from lib.media.drawing import Caption
from lib.media.fonts import missing_sentence
from lib.services.jobs import Job
from lib.services.stored_analysis import report
from lib.store.embeddings import EmbeddingInfo
from lib.ui.background import playable_copies
from lib.ui.panels.video import VideoSelection
from lib.ui.server import routes
from lib.ui.session import cache, state, theme

_TILES_PER_LABEL = 6


def draw(selection: VideoSelection, analysis: Analysis) -> None:
    """Draw the downloads; each file is made when it is requested."""
    stem, info = f"{Path(selection.video.name).stem}-{analysis.prompt_set.name}", selection.info
    if info is None:
        return
    with st.container(horizontal=True):
        _button(
            "Samples, CSV",
            lambda: spreadsheet_csv(analysis.samples_frame()),
            file_name(stem, "-samples.csv"),
            "text/csv",
        )
        _button(
            "Segments, CSV",
            lambda: spreadsheet_csv(analysis.segments_frame()),
            file_name(stem, "-segments.csv"),
            "text/csv",
        )
        _button(
            "Shots, CSV",
            lambda: spreadsheet_csv(analysis.shots_frame()),
            file_name(stem, "-shots.csv"),
            "text/csv",
        )
        _button(
            "Analysis, JSON",
            lambda: json.dumps(
                report(cache.store(), selection.video, info, selection.engine, analysis, shots=True), indent=2
            ),
            file_name(stem, ".json"),
            "application/json",
        )
        _button("Prompt set, YAML", analysis.prompt_set.to_yaml, file_name(stem, ".prompts.yaml"), "application/yaml")
        if selection.video.has_file and _has_frames(analysis):
            _button(
                "Contact sheet, JPEG",
                lambda: _contact_sheet(info, analysis),
                file_name(stem, "-frames.jpg"),
                "image/jpeg",
            )
    if selection.video.has_file:
        _clip(selection, analysis, stem)
        missing = missing_sentence(analysis.labels)
        if missing is not None:
            st.caption(escape_markdown(missing))


def _button(label: str, make: Callable[[], str | bytes], file_name: str, mime: str) -> None:
    st.download_button(
        label, make, file_name, mime, key=f"download_{label}", on_click="ignore", icon=":material/download:"
    )


def _has_frames(analysis: Analysis) -> bool:
    """Return whether any frame is best or borderline for a label."""
    return any(analysis.best_samples(label, 1) or analysis.borderline_samples(label, 1) for label in analysis.labels)


def _contact_sheet(info: EmbeddingInfo, analysis: Analysis) -> bytes:
    """Return the best and borderline frames of every label as one JPEG."""
    tiles: list[Tile] = []
    for column, label in enumerate(analysis.labels):
        for kind, indices in (
            ("best", analysis.best_samples(label, _TILES_PER_LABEL)),
            ("borderline", analysis.borderline_samples(label, _TILES_PER_LABEL)),
        ):
            frames = [int(analysis.samples.frames[index]) for index in indices]
            pictures = cache.store().thumbnails(info.key, frames)
            for index, frame in zip(indices, frames, strict=True):
                if frame in pictures:
                    time = format_time(float(analysis.samples.times_s[index]))
                    score = float(analysis.scores[index, column])
                    image = np.asarray(Image.open(io.BytesIO(pictures[frame])).convert("RGB"))
                    tiles.append(Tile(image, label, f"{kind}, {time}, {score:.3f}"))
    return contact_sheet(tiles, columns=_TILES_PER_LABEL)


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
