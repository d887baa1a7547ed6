"""The chosen video: what is embedded of it, the player with its lanes, and its analysis."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lib.analysis.analysis import Analysis
from lib.analysis.reference import Reference
from lib.core.errors import PromptreelError
from lib.core.formatting import as_text, format_duration, plural
from lib.core.sampling import Framing, Sampling
from lib.engines.engine import Engine
from lib.engines.stored import StoredEngine
from lib.hosted.importing import missing_note
from lib.ingest.coarser import take_from_finer
from lib.ingest.ingest import embedding_key
from lib.ingest.progress import expected_samples
from lib.ingest.speed import speed_of
from lib.prompts.reference_phrases import PHRASES
from lib.remote.videos import RemoteVideo, noted
from lib.services.jobs import Job
from lib.store.embeddings import EmbeddingInfo
from lib.store.videos import Video
from lib.ui.background import embedding, playable_copies, reference_phrases, shared_archive
from lib.ui.components.player import DraggedThreshold, Presented, Seek, lanes_data, player, player_key
from lib.ui.components.prompt_editor import answers_without_player
from lib.ui.panels import engine as engine_panel
from lib.ui.panels import jobs, missing_video, own_video, prompts, settings
from lib.ui.panels.ground_truth_editing import TYPED_LABEL, from_player
from lib.ui.server import routes
from lib.ui.session import cache, opening, state, theme
from lib.ui.session.bindings import bound
from lib.ui.session.guard import as_sentences, told
from lib.ui.session.session import Session

_WAITING = (
    f"Relative scores and picture examples are compared with {len(PHRASES)} everyday phrases, which this engine embeds "
    "once. Results appear when that is done; the score cosine needs none of them."
)

REFERENCE_SHOWN = "reference_shown"
"""Key of the toggle that shows the reference band in the charts, and in the lanes."""


@dataclass(frozen=True)
class VideoSelection:
    """A video with the engine and sampling of a session, and what is embedded of it with these."""

    session: Session
    video: Video
    engine: Engine
    sampling: Sampling
    info: EmbeddingInfo | None
    """None when nothing is embedded."""
    job: Job | None
    """The running job, if there is one."""
    chosen: VideoSelection | None = None
    """What is chosen, where these are other results, shown until there are some of that."""
    problem: str = ""
    """A sentence: why the engine can't be used, and what to do; empty where it can."""

    @property
    def sees(self) -> Framing | None:
        """What of a frame the model sees; None where the frames were not embedded here."""
        if self.chosen is not None:
            return self.chosen.sees
        return (self.sampling.framing or self.engine.framing) if self.engine.embeds_video else None

    @property
    def may_embed(self) -> bool:
        """Whether frames can be embedded here; see ``lib.ui.background.embedding.may_embed``."""
        return embedding.may_embed(self.video, self.engine)


def choose(place: DeltaGenerator) -> VideoSelection | None:
    """Draw the choice of the video at ``place``; None, with the reason and what to do drawn, when there is nothing."""
    video = choose_video(opening.open_video, place)
    return select(state.session(), video) if video is not None else None


def choose_video(open_video: Callable[[Video], None], place: DeltaGenerator) -> Video | None:
    """Draw the choice of the video at ``place``; None, with a link to the Library drawn, when there is none.

    ``open_video`` is called with another one that is chosen.
    """
    videos = cache.store().videos()[::-1]
    if not videos:
        missing_video.no_video()
        return None
    by_id = {video.sha256: video for video in videos}
    if state.current().video is None or (state.current().untouched and state.current().video not in by_id):
        state.session().open_video(videos[0].sha256)
    chosen = state.current().video
    options = list(by_id) if chosen in by_id else [str(chosen), *by_id]
    with place:
        st.selectbox(
            "Video",
            options,
            format_func=lambda sha256: (
                by_id[sha256].name if sha256 in by_id else f"video {sha256[:8]}…, not in the library"
            ),
            label_visibility="collapsed",
            index=options.index(str(chosen)),
            **bound(
                state.session(), "video", chosen, lambda sha256: open_video(by_id[sha256]) if sha256 in by_id else None
            ),
        )
    if chosen not in by_id:
        missing_video.not_in_library(str(chosen))
        return None
    return by_id[str(chosen)]


def select(session: Session, video: Video) -> VideoSelection:
    """Return ``video`` with the engine and sampling of a session, whatever is the matter with the engine."""
    sampling = engine_panel.current_sampling(session)
    try:
        engine = engine_panel.current_engine(session)
    except PromptreelError as error:
        absent = StoredEngine("", engine_panel.ENGINES[session.experiment.engine])
        return VideoSelection(session, video, absent, sampling, None, None, problem=str(error))
    key = embedding_key(video, engine, sampling)
    job, info = cache.jobs().find(key), cache.store().find_embedding(key)
    requested = st.session_state.pop(own_video.START, False) in (True, session.experiment.engine)
    may_take = job is None and (info is None or not info.complete) and embedding.may_embed(video, engine)
    finer = take_from_finer(cache.store(), key) if may_take else None
    if finer is not None:
        info = cache.store().embedding(key)
        st.toast(f"{plural(info.samples, 'sample')} taken from {finer.description}.", icon=":material/bolt:")
    selection = VideoSelection(session, video, engine, sampling, info, job)
    if requested and selection.may_embed and job is None and (info is None or not info.complete):
        return replace(selection, job=embedding.ensure_embedding(video, engine, sampling))
    return selection


def with_results(selection: VideoSelection) -> VideoSelection:
    """Draw the state of what is chosen, and return what the results are of.

    That is what was shown last where the chosen engine is missing or fails: lanes, answers and all below stay.
    """
    session, info = selection.session, selection.info
    name = session.key(f"results_of_{selection.video.sha256}")
    if info is not None and info.samples:
        st.session_state[name] = info.key.id
        embedding_state(selection)
        return selection
    last = last_embedding(selection.video, st.session_state.get(name))
    problem = selection.problem
    if last is not None and selection.job is None:
        problem = problem or engine_panel.silence(session) or _last_failure(selection)
    if last is None or not problem:
        embedding_state(selection)
        return selection
    engine, sampling = engine_panel.engine_of(session, last), Sampling.from_key(last.key.sampling_key)
    of = f"Results of {as_text(engine.name)}, {sampling.description}"
    embedding_state(replace(selection, problem=problem), of)
    return VideoSelection(session, selection.video, engine, sampling, last, None, chosen=selection)


def last_embedding(video: Video, preferred: str | None = None) -> EmbeddingInfo | None:
    """Return the embedding of ``video`` with the id ``preferred``, else the newest, a complete one if there is one."""
    there = [info for info in cache.store().embeddings(video.sha256) if info.samples]
    return max(there, key=lambda info: (info.key.id == preferred, info.complete, info.created_at), default=None)


def embedding_state(selection: VideoSelection, of: str = "") -> None:
    """Draw what is the matter with the engine and the embedding; ``of`` says which results are shown meanwhile."""
    words = as_text(selection.problem)
    if words and engine_panel.is_downloading(selection.session):
        st.info(f"{of}. {words}" if of else words, icon=":material/downloading:")
    elif words:
        st.error(f"{of}. {words}" if of else words, icon=":material/error:")
    if not isinstance(selection.engine, StoredEngine):
        _incomplete(selection)


def _incomplete(selection: VideoSelection) -> None:
    """Draw the state of an embedding that is not complete and undamaged: progress, a button to start, or a note."""
    video, info, job = selection.video, selection.info, selection.job
    if job is not None:
        _running(selection, job)
    elif info is None and not selection.may_embed:
        missing_video.nothing_here(selection.session, video, selection.engine, selection.sampling)
    elif info is None:
        with st.container(border=True):
            st.markdown(
                f"**{as_text(video.name)}** is not embedded yet with {as_text(selection.engine.name)}, "
                f"{selection.sampling.description}."
            )
            if expected := _expected(selection):
                st.caption(f"{expected} Analysed once; after that every change is instant.")
            _start_button("Embed", selection)
            _draw_last_failure(selection)
    elif not info.complete:
        with st.container(border=True):
            st.markdown(f"Embedding stopped at {info.samples:,} samples; the results below cover those.")
            _start_button("Resume", selection)
            _draw_last_failure(selection)
    elif info.damage:
        st.warning(as_text(info.damage), icon=":material/broken_image:")
    elif info.missing:
        st.caption(f":material/info: {as_text(missing_note(info))}")


def _expected(selection: VideoSelection) -> str:
    """Return how many samples embedding will give, and how long the last run's speed makes that; empty if unknown."""
    samples = expected_samples(selection.video, selection.sampling)
    speed = speed_of(cache.store().home, selection.engine.id)
    if not samples:
        return ""
    if speed is None:
        return f"About {plural(samples, 'sample')}."
    return f"About {plural(samples, 'sample')}, {format_duration(samples / speed)} at this engine's last speed."


def _start_button(label: str, selection: VideoSelection) -> None:
    if st.button(label, type="primary", icon=":material/play_arrow:", key=selection.session.key("start")):
        embedding.ensure_embedding(selection.video, selection.engine, selection.sampling)
        st.rerun()


def _last_failure(selection: VideoSelection) -> str:
    """Return why embedding what is chosen failed last, and what to do; empty where it did not."""
    if isinstance(selection.engine, StoredEngine):
        return ""
    key = embedding_key(selection.video, selection.engine, selection.sampling)
    failed = [job for job in cache.jobs().jobs() if job.key == key and job.state == "failed"]
    return (failed[-1].error or "") if failed else ""


def _draw_last_failure(selection: VideoSelection) -> None:
    failure = _last_failure(selection)
    if failure and failure != selection.problem:
        st.error(as_text(failure), icon=":material/error:")


def _running(selection: VideoSelection, job: Job) -> None:
    cancel = selection.session.key("cancel_here")

    @st.fragment(run_every=0.5)
    @as_sentences()
    def progress() -> None:
        with st.container(border=True):
            done = job.progress
            share = done.done / done.total if done and done.total else 0.0
            st.markdown(
                f"Embedding **{as_text(selection.video.name)}** with {as_text(selection.engine.name)}, "
                f"{selection.sampling.description}"
            )
            st.progress(min(share, 1.0), text=jobs.progress_text(job))
            st.button("Cancel", key=cancel, on_click=told(job.cancel), icon=":material/close:")
        if not job.live:
            st.rerun()

    progress()


def beside_the_video() -> tuple[DeltaGenerator, DeltaGenerator]:
    """Return the places of the video and of what stands right of it, or below it where the page is narrow."""
    with st.container(horizontal=True, gap="small", key="beside_the_video"):
        return st.container(width=420, gap="xsmall", key="video_place"), st.container(width=560, gap="xsmall")


def two_panels() -> tuple[DeltaGenerator, DeltaGenerator]:
    """Return two containers, side by side where the page is wide enough."""
    with st.container(horizontal=True, gap="small"):
        return st.container(width=574), st.container(width=390)


def watch(selection: VideoSelection, analysis: Analysis | None, places: tuple[DeltaGenerator, DeltaGenerator]) -> None:
    """Draw the video and the lanes at two places; position, marked range and label are kept in the session."""
    before = selection.session.label
    sides = {"": selection.session}
    play(selection.video, _lanes(selection, analysis), sees=selection.sees, sides=sides, places=places)
    label = selection.session.label
    if label != before and analysis is not None and label in analysis.labels:
        for key in ("frames_label", "histogram_label", TYPED_LABEL):
            st.session_state[key] = label  # the panels below, not drawn yet, show it as well


def is_played(video: Video) -> bool:
    """Return whether there is a player for a video: its file is here, or is played from where it is."""
    there = _elsewhere(video)
    return video.has_file or (there is not None and playable_copies.may_play(there.browser_playable, video))


def _elsewhere(video: Video) -> RemoteVideo | None:
    return None if video.has_file else noted(cache.store(), video.sha256)


def play(
    video: Video,
    lanes: dict[str, Any] | None,
    *,
    sees: Framing | None = None,
    sides: Mapping[str, Session] | None = None,
    places: tuple[DeltaGenerator, DeltaGenerator] | None = None,
    presented: Presented | None = None,
) -> None:
    """Draw the player with ``lanes``, and an outline of what the model sees.

    The same video on another page continues at the same time. Thresholds that are dragged in the lanes are changed in
    the session of their side. ``places`` of the video and of the lanes are for a player in two parts. ``presented`` has
    it drawn for an audience.
    """
    session = state.session()
    there = _elsewhere(video)
    if video.has_file:
        source: playable_copies.Playable | None = playable_copies.playable(video)
    elif there is not None and playable_copies.may_play(there.browser_playable, video):
        source = shared_archive.playable(video, there)
        video = replace(video, width=there.width, height=there.height)
    else:
        source = None
    if source is None or source.problem:
        with places[0] if places else nullcontext():
            if source is None:
                missing_video.no_player(video, there)
            else:
                st.error(as_text(source.problem or ""), icon=":material/error:")
            answers_without_player(player_key(video.sha256), lanes)
        return
    view = player(
        source.src,
        key=player_key(video.sha256),
        width=video.width,
        height=video.height,
        label=video.name,
        start_s=video.start_s,
        end_s=video.end_s,
        offset_s=source.offset_s,
        seek=Seek(session.seek_id, session.seek_s) if session.seek_s is not None else None,
        lanes=lanes,
        window=session.window,
        sees=sees,
        progress=source.progress,
        on_threshold=told(partial(_change_threshold, sides or {})),
        on_truth=None if presented is not None else partial(from_player, video),
        places=places,
        presented=presented,
    )
    session.playhead_s, session.marked, session.label = view.time_s, view.mark, view.label
    if view.problem == "unsupported" and source.src is not None:
        playable_copies.want_copy(video)  # of a file that stays elsewhere: it is offered to be copied here first
    if presented is not None:
        return
    rate = f"{float(video.rate):.4g} frames per second" if video.rate else "unknown rate"
    length = format_duration(video.duration_s) if video.duration_s else "unknown length"
    kind = f"{rate}, {length}, {as_text(video.codec)}" if there is None else f"{length}, from {as_text(there.url)}"
    with places[1] if places else nullcontext():
        st.caption(f"{video.width}×{video.height}, {kind}")


def _change_threshold(sides: Mapping[str, Session], dragged: DraggedThreshold) -> None:
    session = sides.get(dragged.side)
    if session is not None:
        settings.change_threshold(session, dragged.label, dragged.value)


def _lanes(selection: VideoSelection, analysis: Analysis | None) -> dict[str, Any] | None:
    if analysis is None or selection.info is None:
        return lanes_without_prompts(selection.video, selection.info)
    lanes = lanes_data.lanes(
        analysis,
        theme.colours(analysis.prompt_set.prompts),
        thumbnails=thumbnails_url(selection.info),
        truth=cache.truth(selection.video),
        end_s=None if selection.info.complete else selection.video.end_s,
        thresholds=settings.threshold_steps(selection.session),
        band=reference_band(selection.engine, selection.info, analysis),
    )
    known = reference(selection.engine, selection.info)
    for column, label in enumerate(lanes["labels"] if known and len(analysis.samples) else ()):
        peak = float(analysis.cosine[:, column].max())
        if known and known.inside(peak) and not label["rest"]:
            label["care"] = f"cosine {known.place(peak)}"
    return lanes


def lanes_without_prompts(video: Video, info: EmbeddingInfo | None) -> dict[str, Any] | None:
    """Return the player's lanes without an analysis: frames, their change, and the ground truth."""
    embedded = info is not None and info.samples > 0
    return lanes_data.without_prompts(
        cache.samples(info) if info is not None and embedded else None,
        cache.frame_change(info) if info is not None and embedded else None,
        thumbnails=thumbnails_url(info) if info is not None and embedded else None,
        truth=cache.truth(video),
        start_s=video.start_s,
        end_s=video.end_s,
    )


def edit_prompts(session: Session) -> None:
    """Draw the prompt table with its tools."""
    prompts.draw(session)
    prompts.tools(session)


def edit_settings(selection: VideoSelection, analysis: Analysis | None) -> None:
    """Draw the settings; ``analysis`` gives the range of the threshold."""
    info = selection.info
    step_s = cache.samples(info).step_s if info and info.samples else None
    scores = (float(analysis.scores.min()), float(analysis.scores.max())) if analysis and analysis.scores.size else None
    settings.draw(selection.session, step_s, scores)


def analyse(selection: VideoSelection) -> Analysis | None:
    """Return the analysis of what is embedded, with a sentence drawn for every prompt that is left out."""
    prompt_set, problems = selection.session.experiment.prompt_set()
    if prompt_set is not None and selection.info is not None and selection.info.samples:
        vectors, more = cache.text_vectors(selection.engine, prompt_set.texts)
        vectors, of_pictures = cache.with_picture_vectors(selection.engine, [prompt_set], vectors)
        if cache.learn_refusals(selection.engine, prompt_set):
            st.rerun()  # their rows say so
        problems += [*more, *of_pictures]
        refused = {text for engine_id, text in list(cache.too_long()) if engine_id == selection.engine.id}
        prompt_set = embedding.with_vectors(prompt_set, vectors, refused)
    for problem in problems:
        st.warning(as_text(problem), icon=":material/edit_note:")
    if selection.info is None or not selection.info.samples:
        return None
    if prompt_set is None or not prompt_set.enabled:
        st.info("Type a prompt into the table to see where it is in the video.", icon=":material/edit:")
        return None
    try:
        reference = None
        if prompt_set.needs_reference:
            if not reference_phrases.are_ready(selection.engine):
                _waiting(selection)
                return None
            reference = cache.reference(selection.info, selection.engine)
            vectors = vectors | cache.store().text_vectors(selection.engine.id, PHRASES)
        analysis = cache.analysis(selection.info, prompt_set, vectors, reference)
    except PromptreelError as error:
        st.warning(as_text(str(error)), icon=":material/edit_note:")
        return None
    prompts.suggest(selection.session, selection.info, analysis, selection.video)
    return analysis


def _waiting(selection: VideoSelection) -> None:
    """Say that relative scores and pictures wait for the phrases, or why these don't come and what to do."""
    problem = reference_phrases.problem(selection.engine)
    if problem is None:
        st.info(_WAITING, icon=":material/hourglass_empty:")
        return
    missing = f"The phrases that relative scores and pictures are compared with are missing. {as_text(problem)}"
    st.error(missing, icon=":material/error:")
    st.button(
        "Try again",
        key=selection.session.key("phrases_again"),
        on_click=told(reference_phrases.try_again),
        args=(selection.engine,),
        icon=":material/refresh:",
    )


def reference(engine: Engine, info: EmbeddingInfo | None) -> Reference | None:
    """Return what the reference phrases reach on what is embedded; None while it is not known."""
    if info is None or not info.samples:
        return None
    with suppress(PromptreelError):  # the vectors of this engine can't be compared, which the analysis reports
        return cache.reference(info, engine)
    return None


def reference_band(engine: Engine, info: EmbeddingInfo, analysis: Analysis) -> tuple[float, float] | None:
    """Return the reference band of the scores, for lanes and charts; None where there is none, or it is hidden."""
    found = reference(engine, info) if st.session_state.get(REFERENCE_SHOWN, True) else None
    return found.range_of(analysis.prompt_set.settings.score) if found else None


def start_reference(selection: VideoSelection) -> None:
    """Embed the reference phrases in the background where they are missing; the page is run again where that begins."""
    at_hand = not isinstance(selection.engine, StoredEngine)
    if at_hand and selection.info is not None and selection.info.samples:
        reference_phrases.start(selection.engine)


def thumbnails_url(info: EmbeddingInfo) -> str:
    """Return the base URL of an embedding's thumbnails."""
    store = cache.store()
    return routes.url_for_thumbnails(
        f"{info.key.id}|{info.created_at}", lambda frame: store.thumbnails(info.key, [frame]).get(frame)
    )
