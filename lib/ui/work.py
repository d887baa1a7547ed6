"""What pages set in motion: opening a video, embedding it in the background, making playable copies."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from lib.engines import Engine
from lib.engines.embedded import EmbeddedEngine
from lib.engines.hosted import HostedEngine
from lib.engines.registry import Preparation
from lib.errors import PromptreelError
from lib.ingest import Progress
from lib.prompts import PromptSet
from lib.proxy import make_proxy
from lib.store import EmbeddingInfo, Video
from lib.timebase import Sampling
from lib.ui import cache, routes, state, workspace
from lib.ui.jobs import Job, JobCancelled
from lib.video import frame_at


@dataclass(frozen=True)
class SampleCard:
    """What the library shows of a bundled video."""

    title: str
    caption: str
    picture: NDArray[np.uint8]


@st.cache_data(show_spinner=False, max_entries=2)
def sample_files(folder: Path) -> list[Path]:
    """Return the bundled videos, the shortest first: it gives the quickest first result."""

    def length_s(file: Path) -> float:
        truth = json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))
        return max((float(segment["end_s"]) for segment in truth.get("segments", [])), default=0.0)

    return sorted(folder.glob("*.mp4"), key=lambda file: (length_s(file), file.name))


@st.cache_data(show_spinner=False, max_entries=32)
def sample_card(file: Path) -> SampleCard:
    """Return title, caption and picture of a bundled video, from its ground truth beside it.

    The caption is the comment that its prompt set begins with; its labels where there is none.
    """
    truth = json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))
    segments = truth.get("segments", [])
    middle = segments[len(segments) // 2] if segments else {"start_s": 0.0, "end_s": 1.0}
    frame = frame_at(file, (middle["start_s"] + middle["end_s"]) / 2, short_side=270)
    prompts = file.with_suffix(".prompts.yaml")
    lines = prompts.read_text(encoding="utf-8").splitlines() if prompts.exists() else []
    about = [line[1:].strip() for line in itertools.takewhile(lambda line: line.startswith("#"), lines)]
    caption = " ".join(about) or ", ".join(dict.fromkeys(segment["label"] for segment in segments))
    title = file.stem.replace("_vfr", "").replace("_", " ").capitalize()
    return SampleCard(title, caption, frame.image)


def open_in_explore(video: Video, info: EmbeddingInfo | None = None) -> None:
    """Choose ``video`` (and the engine and sampling of ``info``), start what is missing, and go to Explore."""
    state.open_video(video.sha256)
    if info is not None:
        choose_engine_of(info)
    st.session_state["start_embedding"] = True
    st.switch_page("pages/explore.py", query_params=state.address())


def choose_engine_of(info: EmbeddingInfo) -> None:
    """Choose the engine and sampling that ``info`` was made with."""
    state.change(**workspace.engine_fields(info.key.engine_id), sampling=info.key.sampling_key)
    state.session().version += 1  # the engine panel's widgets take over the new values


def may_embed(video: Video, engine: Engine) -> bool:
    """Return whether frames of ``video`` can be embedded here: it has some, and the vectors don't come by import."""
    return video.has_file and not isinstance(engine, HostedEngine)


def ensure_embedding(video: Video, engine: Engine, sampling: Sampling) -> Job:
    """Return the job that embeds what is missing; asking twice gives the same job."""
    return cache.jobs().submit_ingest(cache.store(), video, engine, sampling)


def stop_jobs_of(sha256: str) -> None:
    """Cancel every queued or running job on this video and wait until it let go."""
    jobs = [job for job in cache.jobs().jobs() if job.sha256 == sha256 and job.live]
    for job in jobs:
        job.cancel()
    for job in jobs:
        job.wait(timeout_s=10)


@dataclass(frozen=True)
class Playable:
    """What the player gets: a source, or the progress of the copy that is being made."""

    src: str | None
    progress: float | None = None
    problem: str | None = None


def playable(video: Video) -> Playable:
    """Return a source the browser can play; where it can't play the file itself, a copy is made in the background."""
    try:
        path = cache.store().file_path(video.sha256)
    except PromptreelError as error:
        return Playable(None, problem=str(error))
    if video.browser_playable and video.sha256 not in st.session_state.get("refused", ()):
        return Playable(routes.url_for_video(path))
    copy = cache.store().proxy_path(video.sha256)
    if copy.exists():
        return Playable(routes.url_for_video(copy))
    running = cache.jobs().find(("copy", video.sha256))
    job = running or cache.jobs().submit(
        f"Playable copy of {video.name}",
        ("copy", video.sha256),
        lambda **hooks: _make_copy(path, copy, **hooks),
        lane="copies",
        sha256=video.sha256,
        unit="s of video",
        once=True,
    )
    if running is None and job.live:
        st.rerun()  # the tray, drawn before, begins to watch the job, and has the page drawn when it is done
    if job.state == "failed":
        return Playable(None, problem=job.error)
    share = job.progress.done / job.progress.total if job.progress and job.progress.total else None
    return Playable(None, progress=share)


def telling(on_progress: Callable[[Progress], None]) -> Callable[[float, float | None], None]:
    """Return a callback in seconds of video (done, total) that reports ``Progress`` with rate and time left."""
    started = time.monotonic()

    def tell(done_s: float, total_s: float | None) -> None:
        rate = done_s / max(time.monotonic() - started, 1e-9)
        left = max(total_s - done_s, 0.0) / rate if total_s and rate else None
        on_progress(Progress(int(done_s), round(total_s) if total_s else None, rate, left))

    return tell


def _make_copy(
    source: Path, target: Path, *, on_progress: Callable[[Progress], None], cancel: threading.Event
) -> None:
    make_proxy(source, target, on_progress=telling(on_progress), cancel=cancel)
    if cancel.is_set():
        raise JobCancelled("The playable copy was cancelled.")


def want_copy(video: Video) -> None:
    """Have a playable copy made of a video that this browser refused, and remember that it did."""
    refused: set[str] = st.session_state.setdefault("refused", set())
    if video.sha256 not in refused:
        refused.add(video.sha256)
        st.rerun()


def with_vectors(prompt_set: PromptSet, vectors: Mapping[str, NDArray[np.float32]]) -> PromptSet | None:
    """Return the prompt set less the prompts of which a phrase has no vector; None when nothing is left."""
    prompts = tuple(
        prompt
        for prompt in prompt_set.prompts
        if not prompt.enabled or all(phrase in vectors for phrase in prompt_set.phrases(prompt))
    )
    if not any(prompt.enabled for prompt in prompts):
        return None
    try:
        return replace(prompt_set, prompts=prompts)
    except PromptreelError:
        return None


def fetch_model(engine: EmbeddedEngine) -> None:
    """Have an embedded model downloaded in the background."""

    def work(*, on_progress: Callable[[Progress], None], cancel: threading.Event) -> None:
        started = time.monotonic()

        def tell(preparation: Preparation) -> None:
            done, total = preparation.done_bytes / 1e6, (preparation.total_bytes or 0) / 1e6
            rate = done / max(time.monotonic() - started, 1e-9)
            left = max(total - done, 0.0) / rate if total and rate else None
            on_progress(Progress(int(done), round(total) or None, rate, left))

        engine.prepare(tell)

    cache.jobs().submit(f"Model {engine.name}", ("model", engine.model), work, lane="models", unit="MB")
