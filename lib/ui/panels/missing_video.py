"""What pages draw in place of a missing video: one imported without its file, or none at all."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from lib.analysis.analysis import Analysis
from lib.core.formatting import as_text, escape_markdown, format_bytes, format_duration, format_time
from lib.core.sampling import Sampling
from lib.engines.engine import Engine
from lib.remote.videos import RemoteVideo
from lib.store.videos import Video
from lib.ui.background import embedding, shared_archive
from lib.ui.session import cache, state
from lib.ui.session.guard import told
from lib.ui.session.session import Session


def no_player(video: Video, there: RemoteVideo | None = None) -> None:
    """Say why there is no player; ``there`` is where its file is, which this browser doesn’t play."""
    length = format_duration(video.duration_s) if video.duration_s else "unknown length"
    if there is not None:
        st.info(
            f"**{escape_markdown(video.name)}** ({length}) can’t be played from {as_text(there.url)} by this browser. "
            "Copied into the library, it is converted to play.",
            icon=":material/cloud_download:",
        )
        job = shared_archive.copying(video)
        st.button(
            f"Copy the file, {format_bytes(there.size_bytes)}" if job is None else "The file is on its way…",
            key=f"fetch_{video.sha256}",
            icon=":material/download:",
            disabled=job is not None,
            on_click=told(shared_archive.start_copy),
            args=(video, there),
        )
        return
    st.info(
        f"**{escape_markdown(video.name)}** ({length}) was imported without its video, so there is nothing to play. To "
        "see it, import the results once more together with the video, or pull it once its file is published.",
        icon=":material/videocam_off:",
    )


def nothing_here(session: Session, video: Video, engine: Engine, sampling: Sampling) -> None:
    """Say that nothing was imported with this engine and sampling, and offer what was."""
    available = [info for info in cache.store().embeddings(video.sha256) if info.complete]
    with st.container(border=True):
        name = escape_markdown(video.name)
        if not video.has_file:
            st.markdown(f"**{name}** was imported without its video, so {as_text(engine.name)} can’t embed it.")
        else:
            st.markdown(
                f"**{name}** has no vectors of {as_text(engine.name)} at {sampling.description}: those come "
                "from the hosted service, or by importing its results, both in the Library."
            )
        for info in available:
            at = Sampling.from_key(info.key.sampling_key).description
            st.button(
                f"Show {as_text(info.engine_name)}, {at}",
                key=session.key(f"show_{info.key.id}"),
                icon=":material/swap_horiz:",
                on_click=told(embedding.choose_engine_of),
                args=(session, info),
            )
        if not available:
            st.page_link(
                "pages/library.py",
                label="Go to the Library",
                icon=":material/arrow_forward:",
                query_params=state.address(),
            )


def samples_table(analysis: Analysis, indices: Sequence[int]) -> None:
    """Draw samples as a table, in place of their pictures."""
    rows = [
        {"Time": format_time(float(analysis.samples.times_s[index]), decimals=2)}
        | {label: float(score) for label, score in zip(analysis.labels, analysis.scores[index], strict=True)}
        for index in indices
    ]
    formats = {label: st.column_config.NumberColumn(format="%.3f") for label in analysis.labels}
    st.dataframe(
        pd.DataFrame(rows), hide_index=True, placeholder="–", column_config=formats, alt="Samples and their scores"
    )


def not_in_library(sha256: str) -> None:
    """Say that the experiment's video isn't in the library any more, and draw the way on."""
    no_video(
        f"The video of this experiment (SHA-256 {sha256[:12]}…) isn’t in the library. Add the same file again and all "
        "of it comes back, or choose another video: that opens an experiment of its own."
    )


def no_video(words: str = "There is no video yet.") -> None:
    """Say in place of a page that there is no video, and draw the way on."""
    st.info(words, icon=":material/video_library:")
    st.page_link(
        "pages/library.py",
        label="Open a sample or add a video",
        icon=":material/arrow_forward:",
        query_params=state.address(),
    )
