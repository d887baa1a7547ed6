"""The folders that are kept with the library: looked into again, and forgotten."""

from __future__ import annotations

import time
from pathlib import Path

import streamlit as st

from lib.core.formatting import ago, as_text, plural
from lib.services import folders
from lib.services.folders import Folder
from lib.ui.background import embedding
from lib.ui.session import cache, state
from lib.ui.session.folders import video_folders

_PER_PAGE = 10


def add(path: Path) -> None:
    """Keep a folder, and have its videos added in the background; the page runs again then.

    Raises:
        InputError: it is outside the allowed ones, or has no video.
    """
    folder = folders.keep(cache.store().home, path, video_folders())
    embedding.look_into(folder.path)
    st.rerun()  # the sidebar begins to watch the job


def draw() -> None:
    """Draw the folders; nothing where none is kept."""
    kept, damaged = folders.kept(cache.store().home)
    for name in damaged:
        st.warning(
            f"What was kept of a folder ({as_text(name)}) is damaged and left out; add the folder again.",
            icon=":material/warning:",
        )
    if not kept:
        return
    st.subheader("Folders")
    for folder in kept[:_PER_PAGE]:
        _row(folder)
    rest = kept[_PER_PAGE:]
    if rest:
        with st.expander(f"{plural(len(rest), 'more folder')}"):
            for folder in rest:
                _row(folder)
    if len(kept) > 1:
        paths = tuple(folder.path for folder in kept)
        st.button("Look into all", key="look_into_all", icon=":material/refresh:", on_click=_look, args=(paths,))


def _row(folder: Folder) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{as_text(str(folder.path))}**", width="content")
        looked = f", looked into {ago(time.time() - folder.looked_at)}" if folder.looked_at else ""
        st.caption(f"{plural(folder.videos, 'video')}{looked}", width="content")
        st.button(
            "Look for new videos",
            key=f"look_{folder.id}",
            icon=":material/refresh:",
            help="Adds what is new or changed, and says what is gone. Nothing is deleted.",
            on_click=_look,
            args=((folder.path,),),
        )
        st.button(
            "Forget",
            key=f"forget_{folder.id}",
            type="tertiary",
            help="The folder is kept no longer; its videos stay in the library.",
            on_click=_forget,
            args=(folder.id,),
        )


@state.callback
def _look(paths: tuple[Path, ...]) -> None:
    for path in paths:
        embedding.look_into(path)


@state.callback
def _forget(folder_id: str) -> None:
    folders.forget(cache.store().home, folder_id)
