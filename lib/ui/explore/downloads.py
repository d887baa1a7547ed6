"""Downloads: the analysis in a chosen format, a report, and clips."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from lib.analysis.analysis import Analysis
from lib.core.errors import PromptreelError
from lib.core.formatting import as_text, file_name
from lib.services.experiments import shown_title
from lib.services.exports import FORMATS, StoredAnalysis, export, has_pictures, notes
from lib.services.reports import About, report_of_video
from lib.ui.explore import clips
from lib.ui.panels import reports
from lib.ui.panels.video import VideoSelection
from lib.ui.session import cache, state


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
    if selection.video.has_file:
        clips.draw(selection.video, analysis, stored.title)


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
