"""Panels of the Explore page: what is embedded, the player, and what the prompts find."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lib.analysis.analysis import Analysis
from lib.core.errors import PromptreelError
from lib.core.formatting import format_duration
from lib.core.sampling import Sampling
from lib.engines.engine import Engine
from lib.hosted.importing import missing_note
from lib.ingest.ingest import embedding_key
from lib.ingest.progress import estimate_samples
from lib.services.jobs import Job
from lib.store.embeddings import EmbeddingInfo
from lib.store.videos import Video
from lib.ui.background import embedding, playable_copies
from lib.ui.components.player import Seek, lanes_data, player
from lib.ui.panels import engine as engine_panel
from lib.ui.panels import jobs, missing_video, prompts, settings
from lib.ui.server import routes
from lib.ui.session import cache, state, theme

_STARTED = "start_embedding"


@dataclass(frozen=True)
class VideoSelection:
    """What the page is about: a video seen through an engine at a sampling."""

    video: Video
    engine: Engine
    sampling: Sampling
    info: EmbeddingInfo | None
    """None while nothing is embedded."""
    job: Job | None
    """The running job, if there is one."""

    @property
    def may_embed(self) -> bool:
        """Whether frames can be embedded here, see ``work.may_embed``."""
        return embedding.may_embed(self.video, self.engine)


def choose() -> VideoSelection | None:
    """Draw the choice of the video; None (with a way on, drawn) when there is nothing to see."""
    video = choose_video()
    return chosen(video) if video is not None else None


def choose_video() -> Video | None:
    """Draw the choice of the video; None (with a way on, drawn) when there is none."""
    videos = cache.store().videos()[::-1]
    if not videos:
        missing_video.no_video()
        return None
    by_id = {video.sha256: video for video in videos}
    wanted = state.current().video
    if wanted not in by_id:
        wanted = videos[0].sha256
        state.open_video(wanted)
    st.selectbox(
        "Video",
        list(by_id),
        format_func=lambda sha256: by_id[sha256].name,
        label_visibility="collapsed",
        index=list(by_id).index(state.current().video or wanted),
        **state.bound("video", wanted, state.open_video),
    )
    return by_id[state.current().video or wanted]


def chosen(video: Video) -> VideoSelection | None:
    """Return what is embedded of ``video`` with the engine of the side that is drawn; None with the reason drawn."""
    try:
        engine, sampling = engine_panel.current_engine(), engine_panel.current_sampling()
        key = embedding_key(video, engine, sampling)
    except PromptreelError as error:
        st.error(str(error), icon=":material/error:")
        return None
    job, info = cache.jobs().find(key), cache.store().find_embedding(key)
    asked = st.session_state.pop(_STARTED, False)
    chosen = VideoSelection(video, engine, sampling, info, job)
    if asked and chosen.may_embed and job is None and (info is None or not info.complete):
        return replace(chosen, job=embedding.ensure_embedding(video, engine, sampling))
    return chosen


def embedding_state(chosen: VideoSelection) -> None:
    """Draw what is embedded when that is not everything: progress, a start, or a way to go on."""
    video, info, job = chosen.video, chosen.info, chosen.job
    if job is not None:
        _running(chosen, job)
    elif info is None and not chosen.may_embed:
        missing_video.nothing_here(video, chosen.engine, chosen.sampling)
    elif info is None:
        with st.container(border=True):
            st.markdown(
                f"**{video.name}** is not embedded yet with {chosen.engine.name}, {chosen.sampling.description}."
            )
            expected = estimate_samples(video, chosen.sampling)
            if expected:
                st.caption(f"About {expected:,} samples. They are kept, so this is needed once.")
            _start_button("Embed", chosen)
            _last_failure(chosen)
    elif not info.complete:
        with st.container(border=True):
            st.markdown(f"Embedding stopped at {info.samples:,} samples; what is below covers those.")
            _start_button("Go on", chosen)
            _last_failure(chosen)
    elif info.damage:
        st.warning(info.damage, icon=":material/broken_image:")
    elif info.missing:
        st.caption(f":material/info: {missing_note(info)}")


def _start_button(label: str, chosen: VideoSelection) -> None:
    if st.button(label, type="primary", icon=":material/play_arrow:", key=state.key("start")):
        embedding.ensure_embedding(chosen.video, chosen.engine, chosen.sampling)
        st.rerun()


def _last_failure(chosen: VideoSelection) -> None:
    key = embedding_key(chosen.video, chosen.engine, chosen.sampling)
    failed = [job for job in cache.jobs().jobs() if job.key == key and job.state == "failed"]
    if failed:
        st.error(failed[-1].error, icon=":material/error:")


def _running(chosen: VideoSelection, job: Job) -> None:
    cancel = state.key("cancel_here")

    @st.fragment(run_every=0.5)
    def progress() -> None:
        with st.container(border=True):
            done = job.progress
            share = done.done / done.total if done and done.total else 0.0
            st.markdown(
                f"Embedding **{chosen.video.name}** with {chosen.engine.name}, {chosen.sampling.description}"
            )
            st.progress(min(share, 1.0), text=jobs.progress_text(job))
            st.button("Cancel", key=cancel, on_click=job.cancel, icon=":material/close:")
        if not job.live:
            st.rerun()

    progress()


def two_panels() -> tuple[DeltaGenerator, DeltaGenerator]:
    """Return two containers, side by side where the page is wide enough."""
    with st.container(horizontal=True, gap="small"):
        return st.container(width=574), st.container(width=390)


def watch(chosen: VideoSelection, analysis: Analysis | None) -> None:
    """Draw the player and its lanes; what it says of position, marked range and label goes to the session."""
    before = state.session().label
    play(chosen.video, _lanes(chosen, analysis))
    label = state.session().label
    if label != before and analysis is not None and label in analysis.labels:
        for key in ("frames_label", "histogram_label", "truth_label"):
            st.session_state[key] = label  # the panels below, not drawn yet, are about it as well


def player_key(video: Video) -> str:
    """Return the widget key of the player of ``video``."""
    return f"player_{video.sha256[:12]}"


def play(video: Video, lanes: dict[str, Any] | None) -> None:
    """Draw the player with ``lanes``; every page's player of a video is the same one to the person watching."""
    here = state.session()
    if not video.has_file:
        missing_video.no_player(video)
        return
    source = playable_copies.playable(video)
    if source.problem:
        st.error(source.problem, icon=":material/error:")
        return
    shown = player(
        source.src,
        key=player_key(video),
        width=video.width,
        height=video.height,
        label=video.name,
        duration_s=video.duration_s,
        seek=Seek(here.seek_id, here.seek_s) if here.seek_s is not None else None,
        lanes=lanes,
        window=here.window,
        progress=source.progress,
    )
    here.playhead_s, here.marked, here.label = shown.time_s, shown.mark, shown.label
    if shown.problem == "unsupported" and source.src is not None:
        playable_copies.want_copy(video)
    rate = f"{float(video.rate):.4g} frames a second" if video.rate else "unknown rate"
    length = format_duration(video.duration_s) if video.duration_s else "unknown length"
    st.caption(f"{video.width}×{video.height}, {rate}, {length}, {video.codec}")


def _lanes(chosen: VideoSelection, analysis: Analysis | None) -> dict[str, Any] | None:
    if analysis is None or chosen.info is None:
        return lanes_without_prompts(chosen.video, chosen.info)
    return lanes_data.lanes(
        analysis,
        theme.colours(analysis.prompt_set.prompts),
        thumbnails=thumbnails_url(chosen.info),
        truth=cache.truth(chosen.video),
        duration_s=None if chosen.info.complete else chosen.video.duration_s,
    )


def lanes_without_prompts(video: Video, info: EmbeddingInfo | None) -> dict[str, Any] | None:
    """Return the player's lanes where nothing is searched for: frames, their change, and the truth."""
    embedded = info is not None and info.samples > 0
    return lanes_data.without_prompts(
        cache.samples(info) if info is not None and embedded else None,
        cache.frame_change(info) if info is not None and embedded else None,
        thumbnails=thumbnails_url(info) if info is not None and embedded else None,
        truth=cache.truth(video),
        duration_s=video.duration_s,
    )


def edit_prompts() -> None:
    """Draw the prompt table with its tools."""
    prompts.draw(settings.threshold_range())
    prompts.tools()


def edit_settings(chosen: VideoSelection) -> None:
    """Draw the settings."""
    settings.draw(cache.samples(chosen.info).step_s if chosen.info and chosen.info.samples else None)


def analyse(chosen: VideoSelection) -> Analysis | None:
    """Return the analysis of what is embedded, with a sentence drawn for everything that kept a prompt out of it."""
    prompt_set, problems = state.current().prompt_set()
    if prompt_set is not None and chosen.info is not None and chosen.info.samples:
        vectors, more = cache.text_vectors(chosen.engine, prompt_set.texts)
        problems += more
        prompt_set = embedding.with_vectors(prompt_set, vectors)
    for problem in problems:
        st.warning(problem, icon=":material/edit_note:")
    if chosen.info is None or not chosen.info.samples:
        return None
    if prompt_set is None or not prompt_set.enabled:
        st.info("Type a prompt into the table to see where it is in the video.", icon=":material/edit:")
        return None
    try:
        return cache.analysis(chosen.info, prompt_set, vectors)
    except PromptreelError as error:
        st.warning(str(error), icon=":material/edit_note:")
        return None


def thumbnails_url(info: EmbeddingInfo) -> str:
    """Return the base URL of an embedding's thumbnails."""
    store = cache.store()
    return routes.url_for_thumbnails(
        f"{info.key.id}|{info.created_at}", lambda frame: store.thumbnails(info.key, [frame]).get(frame)
    )
