"""Panels of the hosted service on the Library page: start a job, go on with one, import results."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import streamlit as st

from lib.core.errors import InputError, PromptreelError
from lib.core.formatting import as_text, escape_markdown, format_bytes, format_duration
from lib.core.sampling import Sampling
from lib.engines.clip_versions import MODEL_VERSIONS
from lib.engines.hosted import HOSTED_VERSION
from lib.hosted.api import service_url
from lib.hosted.job_records import JobRecord
from lib.hosted.jobs import MAX_FPS
from lib.store.videos import Video
from lib.ui.background import hosted_jobs
from lib.ui.components.upload import Uploaded, upload
from lib.ui.session import cache, state
from lib.ui.session.guard import as_sentences
from lib.ui.session.server_keys import standing_key

SUFFIX = ".json"
_ARRIVED = "results_arrived"
_NO_VIDEO = ""
_AS_HOSTED = ""
_DEFAULT_FPS = 3.0


def import_popover(confined: Callable[[str], Path]) -> None:
    """Draw the form that imports a ``results.json``: dropped here, or by a path, which ``confined`` checks."""
    # Without help: its bubble would lie over the form's last button.
    with st.popover("Import results…", icon=":material/input:"):
        st.markdown("**Results of the hosted Video Inference API**")
        st.caption("Its CLIP vectors become an embedding; nothing is computed or sent.")
        for done in upload(key="upload_results", label="Drop a results.json", hint="", accept=SUFFIX):
            arrived(done)
        here = _arrived()
        if here is not None:
            st.caption(f":material/check: {as_text(here[1])} is here.")
        else:
            st.text_input("or its path on this computer", key="results_path", placeholder="/folder/results.json")
        videos = {video.sha256: video for video in cache.store().videos()[::-1] if video.has_file}
        sha256 = st.selectbox(
            "Video",
            [_NO_VIDEO, *videos],
            format_func=lambda one: videos[one].name if one else "Without a video: timeline and metrics",
            key="results_video",
            help="The video that the results are of, to play it and to see its frames; add it to the library first.",
        )
        version = st.selectbox(
            "Model",
            [_AS_HOSTED, *MODEL_VERSIONS],
            format_func=lambda one: one or f"As the hosted service gives it ({HOSTED_VERSION})",
            key="results_model",
            help="Which CLIP made the vectors. Words are embedded by the same model; vectors of another length are "
            "refused, but of the same length nobody can tell: a wrong choice gives scores that mean nothing.",
        )
        if st.button("Import", type="primary", icon=":material/input:", key="results_import"):
            _import(confined, videos.get(sha256), version or None)


def _import(confined: Callable[[str], Path], video: Video | None, version: str | None) -> None:
    try:
        here = _arrived()
        if here is None:
            typed = str(st.session_state.get("results_path", "")).strip()
            if not typed:
                raise InputError("Drop a results.json, or type its path, first.")
            path = confined(typed)
            here = path, path.name
        hosted_jobs.start_import(*here, video=video, version=version)
    except PromptreelError as error:
        st.error(as_text(str(error)), icon=":material/error:")
        return
    st.rerun()  # the sidebar begins to watch the job


def arrived(done: Uploaded) -> None:
    """Take note of uploaded results: the form is about them now."""
    st.session_state[_ARRIVED] = (done.sha256, done.name)
    st.toast(f"{as_text(done.name)} is here; “Import results…” takes it in.", icon=":material/check:")


def _arrived() -> tuple[Path, str] | None:
    """Return the uploaded results that wait to be imported in this tab, and their name."""
    sha256, name = st.session_state.get(_ARRIVED, ("", ""))
    path = hosted_jobs.arrived_folder(cache.store()) / f"{sha256}{SUFFIX}"
    return (path, name) if sha256 and path.exists() else None


def jobs_under_way() -> None:
    """Draw the jobs that were begun and are not watched, each with a way on; with a key at hand they go on at once."""
    for record, video in hosted_jobs.waiting():
        key = _key()
        if key and hosted_jobs.may_resume_by_itself(record):
            try:
                hosted_jobs.resume(record, video, key)
                st.rerun()  # the sidebar begins to watch the job
            except PromptreelError as error:
                st.error(as_text(str(error)), icon=":material/error:")
        _draw_waiting(record, video)


def _draw_waiting(record: JobRecord, video: Video) -> None:
    name = record.key.id
    sampling = Sampling.from_key(record.sampling_key).description
    ago = format_duration(max(0.0, time.time() - record.started_at))
    with st.container(border=True, horizontal=True, vertical_alignment="center", key=f"hosted_{name}"):
        st.markdown(
            f":material/cloud: **{escape_markdown(record.name)}** is with the hosted service ({sampling}), "
            f"since {ago}.",
            width="stretch",
        )
        if st.button("Fetch results", key=f"resume_{name}", icon=":material/cloud_download:"):
            if _key():
                _submit(lambda: hosted_jobs.resume(record, video, _key()))
            else:
                _resume_dialog(record, video)
        if st.button("Forget", key=f"forget_{name}", help="It may go on there, but its results are not fetched."):
            hosted_jobs.forget(record)
            st.rerun()


@st.dialog("Fetch the results")
@as_sentences()
def _resume_dialog(record: JobRecord, video: Video) -> None:
    st.write(f"**{escape_markdown(record.name)}** is with the hosted service; its results are fetched with your key.")
    _key_field()
    if st.button("Fetch results", type="primary", key="resume_now"):
        _submit(lambda: hosted_jobs.resume(record, video, _key()))


@st.dialog("Embed with the hosted service")
@as_sentences()
def start_dialog(video: Video) -> None:
    """Draw what is needed to have the hosted service embed ``video``."""
    st.write(
        f"**{escape_markdown(video.name)}** ({format_bytes(video.size_bytes)}) is uploaded to the hosted Video "
        "Inference API, which embeds it with CLIP ViT-B/16. It takes minutes; you can close the page meanwhile."
    )
    limit = min(float(MAX_FPS), float(video.rate or MAX_FPS))
    fps = st.number_input(
        "Samples per second",
        min_value=0.01,
        max_value=max(limit, 0.01),
        value=min(_DEFAULT_FPS, limit),
        step=1.0,
        format="%g",
        key="hosted_fps",
        help=f"At most {MAX_FPS}, and not more than the video has frames.",
    )
    _key_field()
    if st.button("Upload and embed", type="primary", icon=":material/cloud_upload:", key="hosted_start"):
        _submit(lambda: hosted_jobs.start(video, Sampling.per_second(round(fps, 4)), _key()))


def _key_field() -> None:
    if standing_key():
        st.caption("The API key is taken from the environment.")
        return
    keys, url = state.session().server_keys, service_url()
    typed = st.text_input(
        "API key",
        type="password",
        value=keys.typed_for(url),
        key="hosted_key",
        help="Kept in this browser tab's session only. It goes to the hosted service, in the address as the service "
        "wants it, and nowhere else.",
    )
    keys.put(url, typed)


def _key() -> str | None:
    return state.session().server_keys.typed_for(service_url()) or standing_key()


def _submit(act: Callable[[], object]) -> None:
    try:
        act()
    except PromptreelError as error:
        st.error(as_text(str(error)), icon=":material/error:")
        return
    st.rerun()
