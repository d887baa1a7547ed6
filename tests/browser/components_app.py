"""Page script and app for the component tests: every component once, and the values that Python got as text."""

import json
import os
import time
from pathlib import Path

import streamlit as st

from lib.core.errors import VideoUnreadableError
from lib.ui.server import routes

HOME = Path(os.environ["PROMPTREEL_HOME"])


def take_in(path: Path, name: str, sha256: str) -> None:
    """Take an upload in as the store would; refuse what is called broken."""
    time.sleep(60 if name.startswith("endless") else 0.1)
    if name.startswith("broken"):
        raise VideoUnreadableError(f"“{name}” is not a video; choose another file.")
    path.rename(HOME / sha256)


def picture(frame: int) -> bytes | None:
    """Read a thumbnail that the test has made; frame 13 is missing."""
    path = HOME / "thumbnails" / f"{frame}.jpg"
    return path.read_bytes() if path.exists() else None


def show(name: str, value: object) -> None:
    """Show a value that Python got, for the test to read."""
    st.code(f"{name}: {json.dumps(value, ensure_ascii=False)}", language=None)


def upload_part() -> None:
    """Draw the upload component; every finished upload is counted."""
    from lib.ui.components.upload import upload

    uploaded = st.session_state.setdefault("uploads", [])
    uploaded += [f"{done.name} {done.size_bytes} {done.sha256[:8]}" for done in upload(key="upload")]
    show("uploaded", uploaded)


def player_part() -> None:
    """Draw the player with buttons that command it."""
    from lib.ui.components.player import Seek, player

    state = st.session_state
    state.setdefault("seek", None)
    state["runs"] = state.get("runs", 0) + 1
    with st.container(horizontal=True):
        for time_s in (2.0, 85 / 12):
            if st.button(f"Go to {time_s:.2f}"):
                state["seek"] = Seek((state["seek"].id if state["seek"] else 0) + 1, time_s)
        other = st.button("Change other data")
        ready = st.toggle("Ready", True)
        which = st.radio("Video", ["one", "two", "nonsense", "missing"], horizontal=True)
    if other:
        state["label"] = f"Video, changed {state['runs']} times"
    src = None
    if ready:
        src = "/promptreel/video/unknown"
        if which != "missing":
            src = routes.url_for_video(HOME / f"{which}.mp4")
    at = player(
        src,
        key="player",
        width=320,
        height=180,
        label=state.get("label", "Video"),
        end_s=10.0,
        seek=state["seek"],
        progress=None if ready else 0.4,
        sees="centre" if which == "one" else "whole",
    )
    show("player", [round(at.time_s, 3), at.problem])
    show("runs", state["runs"])


def gallery_part() -> None:
    """Draw a grid and an empty gallery."""
    from lib.ui.components.gallery import GalleryItem, gallery

    base = routes.url_for_thumbnails("test", picture)
    colours = ["#0072B2", "#D55E00", "#00855F"]
    items = [
        GalleryItem(
            str(frame),
            f"{base}/{frame}",
            "<b>construction site</b>" if frame == 2 else f"construction site {frame}",
            f"score 0.{90 - frame}",
            frame / 2.4,
            colours[frame % 3],
        )
        for frame in range(14)
    ]
    clicks = st.session_state.setdefault("clicks", [])
    picked = gallery(items, key="grid", label="Best frames")
    if picked:
        clicks.append(picked.time_s)
    show("picked", clicks)
    gallery([], key="none", label="No frames", empty="No frame is near the threshold.")


def main() -> None:
    """Draw the page that the address asks for."""
    st.set_page_config(page_title="Components", page_icon="🧩", layout="wide")
    routes.accept_uploads(HOME / "incoming", take_in)
    pages = [
        st.Page(upload_part, title="Upload", url_path="upload", default=True),
        st.Page(player_part, title="Player", url_path="player"),
        st.Page(gallery_part, title="Gallery", url_path="gallery"),
    ]
    st.navigation(pages).run()


if st.runtime.exists():
    main()
else:
    app = st.App(__file__, routes=routes.routes(), middleware=routes.middleware())
