"""The archive that is shared through object storage: what is published there, pulled when it is opened."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from lib.core.errors import PromptreelError
from lib.core.formatting import as_text, format_bytes, format_duration, plural
from lib.core.sampling import Sampling
from lib.remote.records import Published
from lib.services.jobs import Job
from lib.services.shared_archive import SharedArchive, shared_url
from lib.store.embeddings import EmbeddingInfo
from lib.ui.background import embedding as work
from lib.ui.background import shared_archive
from lib.ui.panels import jobs, row_table
from lib.ui.session import cache
from lib.ui.session.guard import as_sentences, told

_OPENING = "shared_opening"
_CLICKS = "shared_clicks"
_PROBLEMS_SHOWN = 3


def draw() -> None:
    """Draw what is published in the shared archive, where there is one."""
    url = shared_url()
    if url is None:
        return
    st.header("In the shared archive")
    try:
        archive = cache.shared_archive(url)
    except PromptreelError as error:
        st.error(as_text(str(error)), icon=":material/error:")
        return
    _open_what_has_come()
    job = shared_archive.read(archive, once=True) if archive.embeddings is None else _reading(archive)
    st.caption(f"What is published in {as_text(archive.remote.url)}.")
    if job is not None and job.live:
        _watch(job, "Reading the list")
    elif job is not None and job.state == "failed" and archive.embeddings is None:
        st.error(as_text(job.error or ""), icon=":material/error:")
    here = {info.key.id for info in cache.store().embeddings() if info.complete}
    chosen = _table(archive, here)
    with st.container(horizontal=True):
        _pulls(chosen, here, archive)
        st.button(
            "Look again",
            key="shared_read",
            icon=":material/refresh:",
            disabled=job is not None and job.live,
            on_click=told(shared_archive.read),
            args=(archive,),
        )
    if archive.embeddings and not chosen:
        st.caption("Click a video to pull and open it. Select rows to pull several.")


def publish_popover(chosen: Sequence[tuple[str, EmbeddingInfo]]) -> None:
    """Draw the form that publishes embeddings, each with its video’s name, where there is a shared archive."""
    url = shared_url()
    complete = [(name, info) for name, info in chosen if info.complete]
    if url is None or not complete:
        return
    try:
        archive = cache.shared_archive(url)
    except PromptreelError:  # ``draw`` says so; a wrong address may hold a key
        return
    with st.popover("Publish…", icon=":material/cloud_upload:"):
        where = as_text(archive.remote.url)
        st.caption(f"To {where}, where others pull from; what is there already isn’t sent again.")
        with_video = st.checkbox("The videos’ files too", key="publish_files")
        if st.button(f"Publish {plural(len(complete), 'embedding')}", key="publish_chosen", type="primary"):
            for name, info in complete:
                shared_archive.start_publish(info, name, archive, with_video=with_video)
            st.rerun()  # the sidebar begins to watch the jobs


def _reading(archive: SharedArchive) -> Job | None:
    return cache.jobs().find(("shared archive", archive.remote.url))


def _table(archive: SharedArchive, here: set[str]) -> list[Published]:
    """Draw what is published, and return what is selected."""
    for problem in archive.problems[:_PROBLEMS_SHOWN]:
        st.warning(as_text(problem), icon=":material/warning:")
    published = list((archive.embeddings or {}).values())
    if not published:
        if archive.embeddings is not None:
            st.info(
                "Nothing is published there yet: “Publish…” does that for rows of the library.",
                icon=":material/cloud_upload:",
            )
        return []
    event = st.dataframe(
        pd.DataFrame([_cells(one, one.id in here) for one in published]),
        key=f"shared_{len(published)}_{st.session_state.get(_CLICKS, 0)}",
        hide_index=True,
        on_select="rerun",
        selection_mode=["multi-row", row_table.MODE],
        height=min(38 + 35 * len(published), 400),
        column_config={"Samples": st.column_config.NumberColumn(format="localized")},
        alt="Embeddings published in the shared archive",
    )
    clicked = row_table.chosen(event, len(published))
    if clicked is not None:
        st.session_state[_CLICKS] = st.session_state.get(_CLICKS, 0) + 1  # the click counts once
        _open(published[clicked], archive)
    return [published[row] for row in event["selection"]["rows"] if row < len(published)]


def _cells(one: Published, is_here: bool) -> dict[str, object]:
    return {
        "Video": one.name,
        "Length": format_duration(one.end_s - one.start_s),
        "File": format_bytes(one.size_bytes),
        "Engine": one.engine_name,
        "Sampling": Sampling.from_key(one.key.sampling_key).description,
        "Samples": one.samples,
        "State": "in the library" if is_here else "not in the library",
    }


def _pulls(chosen: Sequence[Published], here: set[str], archive: SharedArchive) -> None:
    """Draw the buttons that pull what is selected."""
    missing = [one for one in chosen if one.id not in here]
    if missing:
        st.button(
            f"Pull {plural(len(missing), 'embedding')}",
            key="shared_pull",
            icon=":material/download:",
            help="Videos are played from where their files are.",
            on_click=told(_pull),
            args=(missing, archive, False),
        )
    if chosen:
        st.button(
            "Pull with the videos’ files",
            key="shared_pull_files",
            icon=":material/video_file:",
            help="Files that are published are copied into the library.",
            on_click=told(_pull),
            args=(chosen, archive, True),
        )


def _pull(chosen: Sequence[Published], archive: SharedArchive, with_video: bool) -> None:
    for one in chosen:
        shared_archive.start_pull(one, archive.remote, with_video=with_video)


def _open(one: Published, archive: SharedArchive) -> None:
    """Open a video in Explore, at once or when it has come."""
    work.say_opening(one.name)
    info = cache.store().find_embedding(one.key)
    if info is not None and info.complete:
        work.open_in_explore(cache.store().video(one.key.sha256), info)
    st.session_state[_OPENING] = shared_archive.start_pull(one, archive.remote).id
    st.rerun()


def _open_what_has_come() -> None:
    """Open the video that was clicked and has been pulled since; while it comes, show how far it is."""
    job = cache.jobs().get(st.session_state.get(_OPENING, ""))
    if job is None:
        return
    if job.live:
        _watch(job, f"Pulling **{as_text(job.title)}**, then it opens")
        return
    del st.session_state[_OPENING]
    if job.state == "done":
        work.open_in_explore(job.result.video, job.result.info)
    elif job.error:
        st.error(as_text(job.error), icon=":material/error:")


def _watch(job: Job, words: str) -> None:
    @st.fragment(run_every=0.5)
    @as_sentences()
    def progress() -> None:
        done = job.progress
        share = done.done / done.total if done and done.total else 0.0
        st.progress(min(share, 1.0), text=f"{words}: {jobs.progress_text(job)}")
        if not job.live:
            st.rerun()

    progress()
