"""Copies that a browser can play of videos that it can't."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from lib.core.errors import PromptreelError
from lib.ingest.progress import Progress
from lib.media.playable_copy import make_playable_copy
from lib.store.videos import Video
from lib.ui.server import routes
from lib.ui.session import cache


@dataclass(frozen=True)
class Playable:
    """What the player gets: a source, or the progress of the copy that is being made."""

    src: str | None
    progress: float | None = None
    problem: str | None = None
    offset_s: float = 0.0
    """Time of the video, in seconds, that the source shows at 0."""


def playable(video: Video) -> Playable:
    """Return a source the browser can play; where it can't play the file itself, a copy is made in the background."""
    try:
        path = cache.store().file_path(video.sha256)
    except PromptreelError as error:
        return Playable(None, problem=str(error))
    if may_play(video.browser_playable, video):
        return Playable(routes.url_for_video(path))
    copy = cache.store().proxy_path(video.sha256)
    if copy.exists():
        return Playable(routes.url_for_video(copy), offset_s=video.copy_offset_s)
    running = cache.jobs().find(("copy", video.sha256))
    job = running or cache.jobs().submit(
        f"Playable copy of {video.name}",
        ("copy", video.sha256),
        lambda *, on_progress, cancel: make_playable_copy(
            path, copy, offset_s=video.copy_offset_s, on_progress=telling(on_progress), cancel=cancel
        ),
        queue="copies",
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


def may_play(browser_playable: bool, video: Video) -> bool:
    """Return whether this browser plays the file of a video as it is, as far as is known."""
    return browser_playable and video.sha256 not in st.session_state.get("refused", ())


def telling(on_progress: Callable[[Progress], None]) -> Callable[[float, float | None], None]:
    """Return a callback in seconds of video (done, total) that reports ``Progress`` with rate and time left."""
    started = time.monotonic()

    def tell(done_s: float, total_s: float | None) -> None:
        rate = done_s / max(time.monotonic() - started, 1e-9)
        left = max(total_s - done_s, 0.0) / rate if total_s and rate else None
        on_progress(Progress(int(done_s), round(total_s) if total_s else None, rate, left))

    return tell


def want_copy(video: Video) -> None:
    """Have a playable copy made of a video that this browser refused, and remember that it did."""
    refused: set[str] = st.session_state.setdefault("refused", set())
    if video.sha256 not in refused:
        refused.add(video.sha256)
        st.rerun()
