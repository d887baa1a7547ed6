"""Panels of the Library page: samples to open, adding videos, and what is cached."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import streamlit as st

from lib.core.errors import InputError, PromptreelError
from lib.core.formatting import ago, escape_markdown, format_bytes, format_duration
from lib.core.sampling import Sampling
from lib.prompts.parsing import parse_prompt_set
from lib.services import experiments
from lib.store.embeddings import EmbeddingInfo
from lib.store.store import Store
from lib.store.videos import Video
from lib.ui.background import embedding as work
from lib.ui.background import hosted_jobs
from lib.ui.components.upload import upload
from lib.ui.library import hosted
from lib.ui.library.samples import sample_card, sample_files
from lib.ui.session import cache, state

SAMPLES = Path(__file__).resolve().parents[3] / "sample_videos"
_VIDEO_SUFFIXES = frozenset(
    (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".ts", ".mpg", ".mpeg", ".mxf", ".wmv", ".flv", ".3gp")
)
_LISTED_FILES = 500
_CARD_WIDTH = 232
_PICTURE_HEIGHT = 116
_RECENT = 5


# --- samples -------------------------------------------------------------------------------------------------------


def samples() -> None:
    """Draw a card for each bundled video: a picture, what it is for, one button."""
    files = sample_files(SAMPLES)
    if not files:
        st.info("The folder sample_videos is empty in this copy of the project.")
        return
    with st.container(horizontal=True):
        for file in files:
            with st.container(border=True, width=_CARD_WIDTH, height="stretch"):
                _sample_card(file)


def _sample_card(file: Path) -> None:
    card = sample_card(file)
    # A height of its own: pictures arrive late, and what stands below would move away from under a click.
    with st.container(height=_PICTURE_HEIGHT, border=False):
        st.image(card.picture, width="stretch")
    st.markdown(f"**{card.title}**")
    st.caption(card.caption)
    st.space("stretch")  # the buttons of all cards stand in one row
    if st.button("Open", key=f"open_sample_{file.stem}", type="primary", width="stretch"):
        try:
            video = cache.store().add_file(file)
            prompts = file.with_suffix(".prompts.yaml")
            if prompts.exists() and not state.current().rows:
                state.session().load_prompt_set(
                    parse_prompt_set(prompts.read_text(encoding="utf-8"), name=file.stem)
                )
        except PromptreelError as error:
            st.error(str(error))
            return
        work.open_in_explore(video)


# --- experiments ---------------------------------------------------------------------------------------------------


def recent_experiments() -> None:
    """Draw the experiments worked on last, other than the current one, each with a way to go on."""
    found = experiments.recent(cache.store().home, limit=_RECENT, without=state.current().id)
    if not found:
        return
    st.header("Recent experiments")
    names = {video.sha256: video.name for video in cache.store().videos()}
    for one, written_at in found:
        with st.container(horizontal=True, vertical_alignment="center"):
            if st.button("Continue", key=f"continue_{one.id}", icon=":material/history:"):
                state.open_experiment(one)
                st.switch_page("pages/explore.py", query_params=state.address())
            labels = [row.label for row in one.rows if row.label.strip()]
            shown = ", ".join(labels[:4]) + (", …" if len(labels) > 4 else "")
            about = names.get(one.video or "", "no video")
            about = f"**{escape_markdown(one.name)}** · {escape_markdown(about)} · {escape_markdown(shown)}"
            st.markdown(about, width="content")
            st.caption(ago(time.time() - written_at), width="content")


# --- adding videos -------------------------------------------------------------------------------------------------


def add_videos() -> None:
    """Draw the two ways in: upload from the browser's machine, or a path on the server's."""
    with st.container(horizontal=True, gap="medium"):
        left, right = st.container(width=560), st.container(width=360)
    with left:
        for done in upload(
            key="upload", hint="Several at once, gigabytes are fine: they stream straight to disk."
        ):
            if done.name.lower().endswith(hosted.SUFFIX):
                hosted.arrived(done)
            else:
                st.toast(f"{done.name} is in the library.", icon=":material/check:")
        hosted.import_popover(lambda text: confined(text, allowed_folders()))
    with right:
        _open_by_path()
    hosted.jobs_under_way()


def upload_taker(store: Store) -> Callable[[Path, str, str], object]:
    """Return what the upload route calls with an upload that has arrived; it runs outside any session."""

    def take(path: Path, name: str, sha256: str) -> object:
        if name.lower().endswith(hosted.SUFFIX):
            return hosted_jobs.take_upload(store, path, sha256)
        return store.add_file(path, name=name, sha256=sha256, move=True)

    return take


def allowed_folders() -> tuple[Path, ...]:
    """Return the folders that videos may be opened from by path: ``PROMPTREEL_FOLDERS``, else usual places."""
    text = os.environ.get("PROMPTREEL_FOLDERS")
    folders = (
        [Path(part) for part in text.split(os.pathsep) if part.strip()]
        if text is not None
        else [Path.home() / "Videos", Path.home() / "Movies", SAMPLES]
    )
    return tuple(folder.expanduser().resolve() for folder in folders if folder.expanduser().is_dir())


def confined(text: str, folders: tuple[Path, ...]) -> Path:
    """Return the file that ``text`` names, if it lies inside one of ``folders`` (after links are followed).

    Raises:
        InputError: it does not, or there is no such file.
    """
    names = ", ".join(str(folder) for folder in folders) or "none yet"
    typed = Path(text.strip().strip("'\"")).expanduser()
    candidates = [typed] if typed.is_absolute() else [folder / typed for folder in folders]
    for candidate in candidates:
        path = candidate.resolve()
        if any(path.is_relative_to(folder) for folder in folders):
            if path.is_file():
                return path
            if path.exists():
                raise InputError(f"{path} is a folder; name a video file in it.")
            if len(candidates) == 1:
                raise InputError(f"There is no file {path}; check the spelling.")
    if typed.is_absolute():
        raise InputError(
            f"{typed} is outside the folders that videos may be opened from ({names}); "
            "add its folder to PROMPTREEL_FOLDERS and start again, or upload the file."
        )
    raise InputError(f"There is no file {typed} in the allowed folders ({names}); check the spelling.")


def _open_by_path() -> None:
    folders = allowed_folders()
    st.text_input(
        "Open by path",
        key="path",
        placeholder="/folder/video.mp4",
        help="A file on the computer that runs Promptreel; it is used where it lies, not copied. Folders: "
        + (", ".join(str(folder) for folder in folders) or "none")
        + ". Set PROMPTREEL_FOLDERS for others.",
    )
    found = _files_in(folders)
    if found:
        st.selectbox(
            "or choose a file",
            found,
            index=None,
            key="path_choice",
            format_func=lambda path: path.name,
            placeholder=f"{len(found)} in the allowed folders",
        )
    if st.button("Open", key="open_path", icon=":material/folder_open:"):
        chosen = st.session_state.get("path", "").strip() or st.session_state.get("path_choice")
        if not chosen:
            st.warning("Type a path or choose a file first.")
            return
        try:
            video = cache.store().add_file(confined(str(chosen), folders))
        except PromptreelError as error:
            st.error(str(error), icon=":material/error:")
            return
        work.open_in_explore(video)


@st.cache_data(ttl=10, show_spinner=False)
def _files_in(folders: tuple[Path, ...]) -> list[Path]:
    found: list[Path] = []
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.suffix.lower() in _VIDEO_SUFFIXES and path.is_file():
                found.append(path)
                if len(found) >= _LISTED_FILES:
                    return found
    return found


# --- what is cached ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Line:
    video: Video
    embedding: EmbeddingInfo | None


def cached() -> None:
    """Draw the library's videos with what is embedded of each, and what can be done with the chosen one."""
    videos = cache.store().videos()[::-1]
    if not videos:
        st.info(
            "Nothing here yet. Open a sample above for a first look, or add a video of your own.",
            icon=":material/video_library:",
        )
        return
    by_video: dict[str, list[EmbeddingInfo | None]] = {}
    for info in cache.store().embeddings():
        by_video.setdefault(info.key.sha256, []).append(info)
    lines = [_Line(video, info) for video in videos for info in by_video.get(video.sha256) or [None]]
    table = pd.DataFrame([_cells(line) for line in lines])
    event = st.dataframe(
        table,
        key=f"cached_{len(lines)}",
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        selection_default={"selection": {"rows": [0]}} if len(lines) == 1 else None,
        height=min(38 + 35 * len(lines), 400),
        column_config={
            "Samples": st.column_config.NumberColumn(format="localized"),
            "Length": st.column_config.TextColumn(width="small"),
        },
        alt="Videos in the library and what is embedded of each",
    )
    rows = event["selection"]["rows"]
    if rows and rows[0] < len(lines):
        _actions(lines[rows[0]])
    else:
        st.caption("Choose a line to open, continue or delete it.")


def _cells(line: _Line) -> dict[str, object]:
    video, info = line.video, line.embedding
    return {
        "Video": video.name,
        "Length": format_duration(video.duration_s) if video.duration_s else "unknown",
        "Picture": f"{video.width}×{video.height}" if video.has_file else "none",
        "File": format_bytes(video.size_bytes) + _whereabouts(video),
        "Engine": info.engine_name if info else "not embedded",
        "Sampling": Sampling.from_key(info.key.sampling_key).description if info else "",
        "Samples": info.samples if info else None,
        "State": _state(line),
        "Cached": format_bytes(info.size_bytes) if info else "",
    }


def _whereabouts(video: Video) -> str:
    if not video.has_file:
        return " of results, no video"
    return ", in the library" if video.owned else ", in its place"


def _state(line: _Line) -> str:
    info = line.embedding
    if info is None:
        return ""
    job = cache.jobs().find(info.key)
    if job:
        return "running"
    if info.damage:
        return "up to the damage"
    if info.missing:
        return f"complete but for {info.missing:,}"
    return "complete" if info.complete else "stopped, can go on"


def _actions(line: _Line) -> None:
    video, info = line.video, line.embedding
    with st.container(horizontal=True):
        if st.button("Open in Explore", type="primary", icon=":material/timeline:", key="open_cached"):
            work.open_in_explore(video, info)
        if video.has_file and st.button(
            "Embed with the hosted service…", icon=":material/cloud_upload:", key="embed_hosted"
        ):
            hosted.start_dialog(video)
        if info and st.button(
            "Delete this embedding", icon=":material/layers_clear:", key="delete_embedding"
        ):
            _confirm_embedding(video, info)
        if st.button("Delete video…", icon=":material/delete:", key="delete_video"):
            _confirm_video(video)


@st.dialog("Delete this embedding?")
def _confirm_embedding(video: Video, info: EmbeddingInfo) -> None:
    sampling = Sampling.from_key(info.key.sampling_key).description
    st.write(
        f"{info.samples:,} samples of **{video.name}** ({info.engine_name}, {sampling}) will be deleted. "
        "The video stays; embedding it again takes as long as the first time."
    )
    if st.button("Delete", type="primary", key="confirm_delete_embedding"):
        work.stop_jobs_of(video.sha256)
        cache.store().delete_embedding(info.key)
        st.rerun()


@st.dialog("Delete this video?")
def _confirm_video(video: Video) -> None:
    count = sum(info.samples for info in cache.store().embeddings(video.sha256))
    st.write(
        f"**{video.name}**: {count:,} cached samples"
        + (f" and the uploaded file ({format_bytes(video.size_bytes)})" if video.owned else "")
        + " will be deleted."
        + ("" if video.owned or not video.has_file else " The file itself stays where it lies.")
    )
    if st.button("Delete", type="primary", key="confirm_delete_video"):
        work.stop_jobs_of(video.sha256)
        cache.store().delete_video(video.sha256)
        if state.current().video == video.sha256:
            state.session().change(video=None)
        st.rerun()
