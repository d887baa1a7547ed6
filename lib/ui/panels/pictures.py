"""Picture examples of prompts: a frame of the video, an upload, or a part of either that looks like what is meant."""

from __future__ import annotations

from dataclasses import dataclass, replace

import streamlit as st

from lib.core.errors import InputError
from lib.core.formatting import as_text, format_time
from lib.core.labelled_intervals import label_key
from lib.media.frames import frame_at
from lib.media.still_picture import MAX_MEGABYTES, Region, read_picture, small_jpeg
from lib.prompts.model import MAX_PICTURES
from lib.services.experiments import PromptRow, label_of
from lib.services.picture_examples import add, add_frame, picture_file
from lib.ui.components.region_picker import Dragged, choose_region
from lib.ui.server import routes
from lib.ui.server.uploads import clean_name
from lib.ui.session import cache
from lib.ui.session.guard import told
from lib.ui.session.peek import peek_state
from lib.ui.session.session import Session

_TYPES = ["jpg", "jpeg", "png", "webp", "gif", "bmp"]


@dataclass(frozen=True)
class _Candidate:
    """A picture on which a part may be dragged before it becomes an example."""

    name: str
    video: str = ""
    """SHA-256 of the video that it is a frame of."""
    time_s: float = 0.0
    data: bytes = b""
    """Of an upload."""
    region: Region | None = None
    acknowledged: int = 0
    """Number of the last region that the browser sent."""


def popover(session: Session) -> None:
    """Draw the examples of a label, and the choice of another."""
    labels = list(dict.fromkeys(label_of(row) for row in session.experiment.rows if label_of(row)))
    if not labels:
        st.caption("Type a prompt first; then pictures can show what it looks like.")
        return
    st.caption(
        "Pictures of what is meant: where a label’s words score low on them, its vector moves towards them, "
        "no further than needed."
    )
    chosen = session.key("picture_label")
    if st.session_state.get(chosen) not in labels:
        st.session_state[chosen] = labels[0]
    label = st.selectbox("Label", labels, key=chosen)
    row = next(row for row in session.experiment.rows if label_of(row) == label)
    _examples(session, label, row)
    if len(row.pictures) < MAX_PICTURES:
        _choose(session)
        _candidate(session, label)


def _examples(session: Session, label: str, row: PromptRow) -> None:
    for place, sha256 in enumerate(row.pictures):
        with st.container(horizontal=True, vertical_alignment="center"):
            path = picture_file(cache.store(), sha256)
            if path.is_file():
                st.image(str(path), width=96, alt=f"Example {place + 1} of {label}")
            else:
                st.caption(f":material/broken_image: {sha256[:12]}… is not on this machine.")
            st.button(
                "Remove",
                key=session.key(f"picture_remove.{place}"),
                icon=":material/close:",
                on_click=told(_change),
                args=(session, label, tuple(one for one in row.pictures if one != sha256)),
            )


def _choose(session: Session) -> None:
    video, time_s = session.experiment.video, session.playhead_s or 0.0
    if video is not None and any(one.sha256 == video and one.has_file for one in cache.store().videos()):
        st.button(
            f"Take the frame at {format_time(time_s)}",
            key=session.key("picture_frame"),
            icon=":material/photo_camera:",
            on_click=told(_show),
            args=(session, _Candidate(f"frame at {format_time(time_s)}", video, time_s)),
        )
    key = session.versioned("picture_upload")
    st.file_uploader(
        "or upload a picture",
        type=_TYPES,
        key=key,
        max_upload_size=MAX_MEGABYTES,
        on_change=told(_take_upload),
        args=(session, key),
    )


def _take_upload(session: Session, key: str) -> None:
    file = peek_state().get(key)
    if file is not None:
        data, name = file.getvalue(), clean_name(file.name)
        read_picture(data, name)  # says at once what is wrong with it
        _show(session, _Candidate(name, data=data))


def _show(session: Session, candidate: _Candidate | None) -> None:
    session.picked["picture"] = candidate


def _candidate(session: Session, label: str) -> None:
    candidate: _Candidate | None = session.picked.get("picture")
    if candidate is None:
        return
    of = f"{candidate.name}.{candidate.video}.{candidate.time_s}.{len(candidate.data)}"
    url = routes.url_for_thumbnails(f"example|{session.token}|{of}|{hash(candidate.data)}", lambda _: _jpeg(candidate))

    def drag(dragged: Dragged) -> None:
        now: _Candidate | None = session.picked.get("picture")
        if now is not None and dragged.of == of and dragged.number > now.acknowledged:
            _show(session, replace(now, region=dragged.region, acknowledged=dragged.number))

    alt = f"{candidate.name}; drag over the part that counts"
    key = session.key("picture_region")
    dragged = choose_region(
        f"{url}/0", candidate.region, key=key, of=of, ack=candidate.acknowledged, alt=alt, on_change=told(drag)
    )
    if dragged is not None:
        drag(dragged)
    with st.container(horizontal=True):
        st.button(
            f"Add to {as_text(label)}",
            key=session.key("picture_add"),
            type="primary",
            icon=":material/add:",
            on_click=told(_add),
            args=(session, label),
        )
        st.button("Cancel", key=session.key("picture_cancel"), on_click=told(_show), args=(session, None))


def _jpeg(candidate: _Candidate) -> bytes:
    from PIL import Image

    if candidate.data:
        return small_jpeg(read_picture(candidate.data, candidate.name))
    frame = frame_at(cache.store().file_path(candidate.video), candidate.time_s)
    return small_jpeg(Image.fromarray(frame.image))


def _add(session: Session, label: str) -> None:
    candidate: _Candidate | None = session.picked.get("picture")
    if candidate is None:
        return
    store = cache.store()
    if candidate.data:
        sha256 = add(store, candidate.data, candidate.name, candidate.region)
    else:
        sha256 = add_frame(store, store.video(candidate.video), candidate.time_s, candidate.region)
    row = next((row for row in session.experiment.rows if label_key(label_of(row)) == label_key(label)), None)
    if row is None:
        raise InputError(f"There is no “{label}” any more; choose another label.")
    if sha256 not in row.pictures:
        _change(session, label, (*row.pictures, sha256))
    _show(session, None)


def _change(session: Session, label: str, pictures: tuple[str, ...]) -> None:
    def with_pictures(row: PromptRow) -> PromptRow:
        return replace(row, pictures=pictures) if label_key(label_of(row)) == label_key(label) else row

    session.change_prompts(with_pictures)
