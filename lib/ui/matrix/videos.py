"""The columns of the matrix: videos embedded with the chosen engine and sampling, and buttons to embed others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from lib.core.errors import PromptreelError
from lib.core.formatting import as_text
from lib.core.sampling import Sampling
from lib.engines.engine import Engine
from lib.ingest.ingest import embedding_key
from lib.store.embeddings import EmbeddingInfo
from lib.store.videos import Video
from lib.ui.background import embedding
from lib.ui.matrix import settings
from lib.ui.panels import engine as engine_panel
from lib.ui.panels import missing_video
from lib.ui.session import cache, state

_MOST_LISTED = 6


@dataclass(frozen=True)
class Columns:
    """The videos of the matrix, embedded with one engine at one sampling."""

    videos: tuple[Video, ...]
    infos: Mapping[str, EmbeddingInfo]
    """Their embeddings, by SHA-256."""
    engine: Engine

    @property
    def names(self) -> dict[str, str]:
        """SHA-256 -> unique name, in order."""
        return _unique(self.videos)


def choose() -> Columns | None:
    """Draw the choice of videos and buttons to embed the others; None, with what to do drawn, where there is none."""
    videos = cache.store().videos()[::-1]
    if not videos:
        missing_video.no_video()
        return None
    try:
        engine, sampling = (
            engine_panel.current_engine(state.session()),
            engine_panel.current_sampling(state.session()),
        )
        embeddings = {
            video.sha256: cache.store().find_embedding(embedding_key(video, engine, sampling)) for video in videos
        }
    except PromptreelError as error:
        st.error(as_text(str(error)), icon=":material/error:")
        return None
    infos = {sha256: info for sha256, info in embeddings.items() if info is not None and info.complete}
    by_id = {video.sha256: video for video in videos}
    options = list(infos)
    st.multiselect(
        "Videos",
        options,
        format_func=_unique([by_id[sha256] for sha256 in options]).__getitem__,
        placeholder="Choose videos" if options else "None is embedded yet",
        disabled=not options,
        default=_chosen(options),
        **settings.bound_many("videos", _chosen(options), options),
    )
    missing = [video for video in videos if video.sha256 not in infos and embedding.may_embed(video, engine)]
    _draw_missing(missing, engine, sampling)
    chosen = tuple(by_id[sha256] for sha256 in _chosen(options))
    return Columns(chosen, infos, engine)


def _chosen(options: list[str]) -> list[str]:
    keys = settings.current().videos
    return options if keys is None else [key for key in keys if key in options]


def _unique(videos: Sequence[Video]) -> dict[str, str]:
    """Return SHA-256 -> name; the start of the hash tells videos of the same name apart."""
    names = [video.name for video in videos]
    return {
        video.sha256: video.name if names.count(video.name) == 1 else f"{video.name} ({video.sha256[:6]})"
        for video in videos
    }


def _draw_missing(missing: Sequence[Video], engine: Engine, sampling: Sampling) -> None:
    """Draw the videos that are not embedded yet, each with a button that embeds it."""
    if not missing:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(f"Not embedded with {as_text(engine.name)}, {sampling.description}:", width="content")
        under_way = embedding.under_way(engine, sampling)
        for video in missing[:_MOST_LISTED]:
            running = video.sha256 in under_way
            st.button(
                as_text(video.name),
                key=f"matrix_embed_{video.sha256}",
                icon=":material/hourglass_top:" if running else ":material/play_arrow:",
                disabled=running,
                help="It is being embedded; progress is in the sidebar." if running else "Embed it now",
                on_click=_embed,
                args=([video], engine, sampling),
            )
        if len(missing) > 1:
            st.button(
                f"Embed all {len(missing)}",
                key="matrix_embed_all",
                on_click=_embed,
                args=(list(missing), engine, sampling),
            )


@state.callback
def _embed(videos: Sequence[Video], engine: Engine, sampling: Sampling) -> None:
    embedding.embed_all(videos, engine, sampling)
