"""The videos in the library, their embeddings, and what can be done with them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from lib.core.errors import PromptreelError
from lib.core.formatting import as_text, format_bytes, format_duration, plural
from lib.core.sampling import Sampling
from lib.remote.videos import noted
from lib.store.embeddings import EmbeddingInfo
from lib.store.videos import Video
from lib.ui.background import embedding as work
from lib.ui.library import hosted, shared
from lib.ui.panels import engine as engine_panel
from lib.ui.panels import row_table
from lib.ui.session import cache, state
from lib.ui.session.guard import as_sentences

_CHOSEN = "library_chosen"
_CLICKS = "library_clicks"


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
    rows = [_Row(video, info) for video in videos for info in by_video.get(video.sha256) or [None]]
    waiting = work.waiting_videos()
    table = pd.DataFrame([_cells(row, waiting) for row in rows]).astype({"Samples": "Int64"})
    fresh = st.session_state.get(_CHOSEN)
    chosen = [place for place, row in enumerate(rows) if row.video.sha256 == fresh] or ([0] if len(rows) == 1 else [])
    event = st.dataframe(
        table,
        key=f"cached_{len(rows)}_{fresh}_{st.session_state.get(_CLICKS, 0)}",
        hide_index=True,
        placeholder="–",
        on_select="rerun",
        selection_mode=["multi-row", row_table.MODE],
        selection_default={"selection": {"rows": chosen[:1]}},
        height=min(38 + 35 * len(rows), 400),
        column_config={
            "Samples": st.column_config.NumberColumn(format="localized"),
            "Length": st.column_config.TextColumn(width="small"),
            "State": st.column_config.TextColumn(width=130),  # a width that is measured is kept when it changes
        },
        alt="Videos in the library and their embeddings",
    )
    clicked = row_table.chosen(event, len(rows))
    if clicked is not None:
        st.session_state[_CLICKS] = st.session_state.get(_CLICKS, 0) + 1  # the click counts once
        _open(rows[clicked])
    selected = [rows[place] for place in event["selection"]["rows"] if place < len(rows)]
    _actions(selected)


def choose(sha256: str) -> None:
    """Select a video in the list when it is drawn next: one that was just added."""
    st.session_state[_CHOSEN] = sha256


def _open(row: _Row) -> None:
    work.say_opening(row.video.name)
    work.open_in_explore(row.video, row.embedding)


def _cells(row: _Row, waiting: Collection[str]) -> dict[str, object]:
    video, info = row.video, row.embedding
    return {
        "Video": video.name,
        "Length": format_duration(video.duration_s) if video.duration_s else "unknown",
        "Resolution": f"{video.width}×{video.height}" if video.has_file else "–",
        "File": format_bytes(video.size_bytes) + _whereabouts(video),
        "Engine": info.engine_name if info else "not embedded",
        "Sampling": Sampling.from_key(info.key.sampling_key).description if info else "–",
        "Samples": info.samples if info else None,
        "State": "in the queue" if info is None and video.sha256 in waiting else _state(row),
        "Storage": format_bytes(info.size_bytes) if info else "–",
    }


def _whereabouts(video: Video) -> str:
    if not video.has_file:
        return ", shared archive" if noted(cache.store(), video.sha256) else " of results, no video"
    return ", in the library" if video.owned else ", original location"


def _state(row: _Row) -> str:
    info = row.embedding
    if info is None:
        return "–"
    job = cache.jobs().find(info.key)
    if job:
        return "running"
    if info.damage:
        return "damaged; the rest complete"
    if info.missing:
        return f"complete but for {info.missing:,}"
    return "complete" if info.complete else "stopped, can be resumed"


def _actions(selected: list[_Row]) -> None:
    if not selected:
        st.caption("Click a video to open it. Select rows to embed, continue or delete them.")
        return
    with st.container(horizontal=True):
        if len(selected) == 1 and st.button(
            "Open in Explore", type="primary", icon=":material/timeline:", key="open_cached"
        ):
            _open(selected[0])
        _embed({row.video.sha256: row.video for row in selected})
        shared.publish_popover([(row.video.name, row.embedding) for row in selected if row.embedding])
        if len(selected) == 1:
            _actions_of_one(selected[0])


def _embed(videos: Mapping[str, Video]) -> None:
    """Draw the button that has the chosen videos embedded, one after the other, where something is missing of them."""
    session = state.session()
    try:
        engine, sampling = engine_panel.current_engine(session), engine_panel.current_sampling(session)
    except PromptreelError as error:
        st.caption(as_text(str(error)))
        return
    missing = work.not_embedded(videos.values(), engine, sampling)
    if missing and st.button(
        f"Embed {plural(len(missing), 'video')}",
        key="embed_chosen",
        icon=":material/play_arrow:",
        help=f"With {as_text(engine.name)}, {sampling.description}, one after the other.",
    ):
        work.embed_all(missing, engine, sampling)
        st.rerun()  # the sidebar begins to watch the jobs


def _actions_of_one(row: _Row) -> None:
    video, info = row.video, row.embedding
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
