"""Adding videos: uploads, and files by their path on the server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from lib.core.errors import PromptreelError
from lib.core.formatting import as_text
from lib.services.video_files import videos_in
from lib.store.store import Store
from lib.ui.background import embedding as work
from lib.ui.background import hosted_jobs
from lib.ui.components.upload import Uploaded, upload
from lib.ui.library import folders as kept_folders
from lib.ui.library import hosted, stored_videos
from lib.ui.session import cache
from lib.ui.session.folders import confined, video_folders

_LISTED_FILES = 500


def draw() -> None:
    """Draw the upload from the browser's machine, and the form for a path on the server's."""
    with st.container(horizontal=True, gap="medium"):
        left, right = st.container(width=560), st.container(width=360)
    with left:
        hint = "Several at once; gigabytes are fine, as they are streamed to disk."
        for done in upload(key="upload", hint=hint, on_open=_open_uploaded, opens_not=hosted.SUFFIX):
            if done.name.lower().endswith(hosted.SUFFIX):
                hosted.arrived(done)
            else:
                stored_videos.choose(done.sha256)
                st.toast(f"{as_text(done.name)} is in the library.", icon=":material/check:")
        hosted.import_popover(lambda text: confined(text, video_folders()))
    with right:
        _open_by_path()
    kept_folders.draw()
    hosted.jobs_under_way()


def _open_uploaded(done: Uploaded) -> None:
    try:
        video = cache.store().video(done.sha256)
    except PromptreelError as error:  # it was deleted meanwhile
        st.error(as_text(str(error)), icon=":material/error:")
        return
    work.say_opening(video.name)
    work.open_in_explore(video)


def upload_taker(store: Store) -> Callable[[Path, str, str], object]:
    """Return what the upload route calls with an upload that has arrived; it runs outside any session."""

    def take(path: Path, name: str, sha256: str) -> object:
        if name.lower().endswith(hosted.SUFFIX):
            return hosted_jobs.take_upload(store, path, sha256)
        return store.add_file(path, name=name, sha256=sha256, move=True)

    return take


def _open_by_path() -> None:
    folders = video_folders()
    with st.form("open_by_path", border=False):  # in a form, Enter does the same as the button
        st.text_input(
            "Open by path",
            key="path",
            placeholder="/folder/video.mp4, or /folder",
            help="A video, or a folder of them, on the computer that runs Promptreel; used in the original location, "
            "not copied. A folder is kept: what is new in it can be looked for again. Folders: "
            + (", ".join(as_text(str(folder)) for folder in folders) or "none")
            + ". Set PROMPTREEL_FOLDERS for others.",
        )
        files = _files_in(folders)
        if files:
            st.selectbox(
                "or choose a file",
                files,
                index=None,
                key="path_choice",
                format_func=lambda path: path.name,
                placeholder=f"{len(files)} in the allowed folders",
            )
        pressed = st.form_submit_button("Open", key="open_path", icon=":material/folder_open:")
    if pressed:
        chosen = st.session_state.get("path", "").strip() or st.session_state.get("path_choice")
        if not chosen:
            st.warning("Type a path or choose a file first.")
            return
        try:
            path = confined(str(chosen), folders, folder_too=True)
            if path.is_dir():
                kept_folders.add(path)
            work.say_opening(path.name)
            video = cache.store().add_file(path)
        except PromptreelError as error:
            st.error(as_text(str(error)), icon=":material/error:")
            return
        work.open_in_explore(video)


@st.cache_data(ttl=10, show_spinner=False)
def _files_in(folders: tuple[Path, ...]) -> list[Path]:
    return videos_in(folders, _LISTED_FILES)
