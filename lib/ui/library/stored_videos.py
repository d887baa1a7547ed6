"""The videos in the library, their embeddings, and what can be done with them."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from lib.core.formatting import as_text, format_bytes, format_duration
from lib.core.sampling import Sampling
from lib.store.embeddings import EmbeddingInfo
from lib.store.videos import Video
from lib.ui.background import embedding as work
from lib.ui.library import hosted
from lib.ui.panels import row_table
from lib.ui.session import cache
from lib.ui.session.guard import as_sentences


@dataclass(frozen=True)
class _Row:
    video: Video
    embedding: EmbeddingInfo | None


def draw() -> None:
    """Draw the library's videos with their embeddings, and the actions for the selected row."""
    videos = cache.store().videos()[::-1]
    if not videos:
        st.info(
            "Nothing here yet. Open a sample above for a first look, or add a video of your own.",
            icon=":material/video_library:",
        )
        return
    by_video: dict[str, list[EmbeddingInfo | None]] = {}
    for info in cache.store().embeddings():
        by_video.setdefault(info.key.sha256, []).append(info)
    table_rows = [_Row(video, info) for video in videos for info in by_video.get(video.sha256) or [None]]
    table = pd.DataFrame([_cells(row) for row in table_rows])
    event = st.dataframe(
        table,
        key=f"cached_{len(table_rows)}",
        hide_index=True,
        placeholder="–",
        on_select="rerun",
        selection_mode=row_table.MODE,
        selection_default=row_table.choice(0 if len(table_rows) == 1 else None, "Video"),
        height=min(38 + 35 * len(table_rows), 400),
        column_config={
            "Samples": st.column_config.NumberColumn(format="localized"),
            "Length": st.column_config.TextColumn(width="small"),
        },
        alt="Videos in the library and their embeddings",
    )
    row = row_table.chosen(event, len(table_rows))
    if row is not None:
        _actions(table_rows[row])
    else:
        st.caption("Select a row to open, continue or delete it.")


def _cells(row: _Row) -> dict[str, object]:
    video, info = row.video, row.embedding
    return {
        "Video": video.name,
        "Length": format_duration(video.duration_s) if video.duration_s else "unknown",
        "Resolution": f"{video.width}×{video.height}" if video.has_file else "–",
        "File": format_bytes(video.size_bytes) + _whereabouts(video),
        "Engine": info.engine_name if info else "not embedded",
        "Sampling": Sampling.from_key(info.key.sampling_key).description if info else "",
        "Samples": info.samples if info else None,
        "State": _state(row),
        "Storage": format_bytes(info.size_bytes) if info else "",
    }


def _whereabouts(video: Video) -> str:
    if not video.has_file:
        return " of results, no video"
    return ", in the library" if video.owned else ", original location"


def _state(row: _Row) -> str:
    info = row.embedding
    if info is None:
        return ""
    job = cache.jobs().find(info.key)
    if job:
        return "running"
    if info.damage:
        return "damaged; the rest complete"
    if info.missing:
        return f"complete but for {info.missing:,}"
    return "complete" if info.complete else "stopped, can be resumed"


def _actions(row: _Row) -> None:
    video, info = row.video, row.embedding
    with st.container(horizontal=True):
        if st.button("Open in Explore", type="primary", icon=":material/timeline:", key="open_cached"):
            work.say_opening(video.name)
            work.open_in_explore(video, info)
        if video.has_file and st.button(
            "Embed with the hosted service…", icon=":material/cloud_upload:", key="embed_hosted"
        ):
            hosted.start_dialog(video)
        if info and st.button("Delete this embedding", icon=":material/layers_clear:", key="delete_embedding"):
            _confirm_embedding(video, info)
        if st.button("Delete video…", icon=":material/delete:", key="delete_video"):
            _confirm_video(video)


@st.dialog("Delete this embedding?")
@as_sentences()
def _confirm_embedding(video: Video, info: EmbeddingInfo) -> None:
    sampling = Sampling.from_key(info.key.sampling_key).description
    st.write(
        f"{info.samples:,} samples of **{as_text(video.name)}** ({as_text(info.engine_name)}, {sampling}) will be "
        "deleted. The video stays; embedding it again takes as long as the first time."
    )
    if st.button("Delete", type="primary", key="confirm_delete_embedding"):
        work.stop_jobs_of(video.sha256)
        cache.store().delete_embedding(info.key)
        st.rerun()


@st.dialog("Delete this video?")
@as_sentences()
def _confirm_video(video: Video) -> None:
    count = sum(info.samples for info in cache.store().embeddings(video.sha256))
    st.write(
        f"**{as_text(video.name)}**: {count:,} stored samples"
        + (f" and the uploaded file ({format_bytes(video.size_bytes)})" if video.owned else "")
        + " will be deleted."
        + ("" if video.owned or not video.has_file else " The file itself stays in its original location.")
        + " Its experiments stay, for when it is added again."
    )
    if st.button("Delete", type="primary", key="confirm_delete_video"):
        work.stop_jobs_of(video.sha256)
        cache.store().delete_video(video.sha256)
        st.rerun()
