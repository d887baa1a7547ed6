"""Opening a video, and embedding it in the background."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from lib.core.errors import PromptreelError, StoreError
from lib.core.formatting import as_text
from lib.core.sampling import Sampling
from lib.engines.engine import Engine
from lib.ingest.ingest import embedding_key
from lib.prompts.model import Prompt, PromptSet
from lib.prompts.slots import resolved
from lib.services import experiments, folders
from lib.services.jobs import Job
from lib.services.server_identity import address_of
from lib.store.embeddings import EmbeddingInfo, EmbeddingKey
from lib.store.videos import Video
from lib.ui.session import cache, opening, state
from lib.ui.session.folders import video_folders
from lib.ui.session.session import Session


def say_opening(name: str) -> None:
    """Say at once that a video is being opened: hashing, its first look and the first page take seconds."""
    st.toast(f"Opening {as_text(name)}…", icon=":material/hourglass_top:")


def open_in_explore(video: Video, info: EmbeddingInfo | None = None, *, seek_s: float | None = None) -> None:
    """Open the experiment of ``video`` (with engine and sampling of ``info``), start what is missing, go to Explore.

    ``seek_s`` is where the player is to be, in seconds.
    """
    if info is None:
        opening.open_video(video)
    else:
        engine = experiments.engine_fields(info.key.engine_id)
        opening.open_video(video, sampling=info.key.sampling_key, **engine)
    go_to_explore(info, seek_s=seek_s)


def go_to_explore(info: EmbeddingInfo | None = None, *, seek_s: float | None = None) -> None:
    """Go to Explore with the tab's experiment, and start what is missing there."""
    session = state.session()
    if seek_s is not None:
        session.seek(seek_s)
    st.session_state["start_embedding"] = info is None or choose_engine_of(session, info)
    st.switch_page("pages/explore.py", query_params=state.address())


def choose_engine_of(session: Session, info: EmbeddingInfo) -> bool:
    """Choose the engine and sampling that ``info`` was made with; see ``choose_engine``."""
    return choose_engine(session, info.key.engine_id, sampling=info.key.sampling_key)


def choose_engine(session: Session, engine_id: str, **fields: str) -> bool:
    """Choose an engine by its id, and change ``fields`` of the experiment.

    Returns False, and has the page say so, where no server is known to have the weights of that id: embedding would
    begin anew with others.
    """
    chosen = experiments.engine_fields(engine_id)
    with session.lock:
        address: str | None = session.experiment.server_url
        if chosen["engine"] == "server":
            address = address_of(cache.store().home, engine_id, session.experiment.server_url)
            chosen["server_url"] = address or session.experiment.server_url
        session.change(**chosen, **fields)
        session.version += 1  # the engine panel's widgets start again from the new values
        if address is None:
            session.told.append(
                f"The server at {session.experiment.server_url} has other weights than those of {engine_id}; enter the "
                "address of the server that has them."
            )
    return address is not None


def may_embed(video: Video, engine: Engine) -> bool:
    """Return whether frames of ``video`` can be embedded here: it has some, and the vectors don't come by import."""
    return video.has_file and engine.embeds_video


def ensure_embedding(video: Video, engine: Engine, sampling: Sampling) -> Job:
    """Return the job that embeds what is missing, before all that waits; asking twice gives the same job."""
    return cache.embedding_queue().start(video, engine, sampling)


def embed_all(videos: Sequence[Video], engine: Engine, sampling: Sampling) -> None:
    """Have videos embedded in the background: one at once, several in the queue."""
    if len(videos) == 1:
        ensure_embedding(videos[0], engine, sampling)
    else:
        cache.embedding_queue().add(videos, engine, sampling)


def not_embedded(videos: Iterable[Video], engine: Engine, sampling: Sampling) -> list[Video]:
    """Return the videos that may be embedded here and are not, or not completely."""
    complete = {info.key for info in cache.store().embeddings() if info.complete}
    return [
        video for video in videos if may_embed(video, engine) and embedding_key(video, engine, sampling) not in complete
    ]


def waiting_videos() -> set[str]:
    """Return the SHA-256 of the videos in the queue; none where it can't be read, which the queue's panel says."""
    with suppress(StoreError):
        return {entry.sha256 for entry in cache.embedding_queue().read().waiting}
    return set()


def under_way(engine: Engine, sampling: Sampling) -> set[str]:
    """Return the SHA-256 of the videos that are being embedded with an engine and a sampling, or wait for it."""
    wanted: set[str] = set()
    with suppress(StoreError):  # the queue's panel says what is wrong
        waiting = cache.embedding_queue().read().waiting
        wanted = {entry.sha256 for entry in waiting if (entry.engine_id, entry.sampling) == (engine.id, sampling.key)}
    running = {job.key for job in cache.jobs().jobs() if job.live and isinstance(job.key, EmbeddingKey)}
    return wanted | {key.sha256 for key in running if (key.engine_id, key.sampling_key) == (engine.id, sampling.key)}


def look_into(path: Path) -> Job:
    """Have what is new in a folder added to the library in the background; see ``lib.services.folders.look``."""
    work = partial(folders.look, cache.store(), path, video_folders())
    return cache.jobs().submit(f"Folder {path.name}", ("folder", str(path)), work, queue="adding", unit="videos")


def stop_jobs_of(sha256: str) -> None:
    """Cancel every queued or running job on this video, and wait until it let go."""
    cache.embedding_queue().remove_video(sha256)
    jobs = [job for job in cache.jobs().jobs() if job.sha256 == sha256 and job.live]
    for job in jobs:
        job.cancel()
    for job in jobs:
        job.wait(timeout_s=10)


def with_vectors(
    prompt_set: PromptSet, vectors: Mapping[str, NDArray[np.float32]], too_long: Collection[str] = ()
) -> PromptSet | None:
    """Return the prompt set less the prompts of which a phrase has no vector; None when nothing is left.

    A prompt that lacks only phrases of ``too_long`` keeps its others. All keep their colours.
    """
    slots = resolved([prompt.slot for prompt in prompt_set.prompts])
    prompts: list[Prompt] = []
    for prompt, slot in zip(prompt_set.prompts, slots, strict=True):
        phrases = dict(zip(prompt.texts, prompt_set.phrases(prompt), strict=True))
        texts = tuple(text for text, phrase in phrases.items() if phrase not in too_long)
        if prompt.enabled and not (texts and all(phrases[text] in vectors for text in texts)):
            continue
        kept = texts if prompt.enabled else prompt.texts
        prompts.append(replace(prompt, texts=kept, slot=None if slot == len(prompts) else slot))
    if not any(prompt.enabled for prompt in prompts):
        return None
    try:
        return replace(prompt_set, prompts=tuple(prompts))
    except PromptreelError:
        return None
