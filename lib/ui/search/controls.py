"""What is searched for and how: the box, a picture, the videos, threshold and rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import streamlit as st

from lib.core.errors import PromptreelError
from lib.core.formatting import escape_markdown, format_time
from lib.media.frames import frame_at
from lib.services.search import SearchResult
from lib.ui.components.region_picker import Dragged, choose_region
from lib.ui.components.search_box import search_box
from lib.ui.components.threshold_histogram import Moved, threshold_histogram
from lib.ui.search import query_image, state
from lib.ui.search.scope import SearchScope
from lib.ui.search.state import Picture
from lib.ui.session import cache
from lib.ui.session import state as experiment
from lib.ui.session.peek import peek_state

_PICTURE_TYPES = ["jpg", "jpeg", "png", "webp", "gif", "bmp"]
_PREVIEW_SIDE = 180
_EXAMPLES = 5


def ask(place: SearchScope) -> None:
    """Draw the box, what stands beside it, and the picture or sample that is searched for."""
    here = state.begin()
    sent = search_box(
        here.search.text,
        key="search_box",
        of=here.of,
        heard=here.heard,
        live=place.live,
        label="Search for",
        placeholder="red car - night",
        on_change=_hear,
    )
    # Streamlit calls no callback for what arrives before its widget is known, as after a lost connection.
    if sent is not None:
        state.hear(sent)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        with st.popover("Picture", icon=":material/image_search:"):
            _choose_picture(place)
        _choose_videos(place)
        with st.popover("Options", icon=":material/tune:"):
            _options(place)
    search = state.current()
    if search.like is not None:
        _shown_like(place, search.like)
    elif search.picture is not None:
        _shown_picture(search.picture)


_hear = experiment.callback(state.hear)


# --- pictures ------------------------------------------------------------------------------------------------------


def _choose_picture(place: SearchScope) -> None:
    here = state.begin()
    st.file_uploader(
        "Upload a picture",
        type=_PICTURE_TYPES,
        key=f"search_upload.{here.uploads}",
        max_upload_size=query_image.MAX_MEGABYTES,
        on_change=_take_upload,
        args=(f"search_upload.{here.uploads}",),
    )
    if here.problem:
        st.error(here.problem, icon=":material/error:")
    chosen = experiment.current().video
    names = [sha256 for sha256, video in place.videos.items() if video.has_file]
    if len(names) < len(place.videos):
        st.caption("What was imported without its video has no frames to choose.")
    if not names:
        return
    st.markdown("or a frame of a video")
    sha256 = st.selectbox(
        "Video of the frame",
        names,
        index=names.index(chosen) if chosen in names else 0,
        format_func=lambda one: place.videos[one].name,
        label_visibility="collapsed",
        key="search_frame_video",
    )
    video = place.videos[sha256]
    length = max(video.duration_s or 0.0, 0.1)
    time_s = st.slider(
        "Time of the frame, s",
        0.0,
        length,
        min(experiment.session().playhead_s or 0.0, length) if sha256 == chosen else 0.0,
        step=0.1,
        key=f"search_frame_time.{sha256[:12]}",
    )
    try:
        st.image(_preview(str(cache.store().file_path(sha256)), sha256, time_s), width=280)
    except PromptreelError as error:
        st.caption(str(error))
        return
    st.button(
        "Search for this frame",
        key="search_frame",
        icon=":material/image_search:",
        on_click=_take_frame,
        args=(video.name, sha256, time_s),
    )


@st.cache_data(max_entries=32, show_spinner=False)
def _preview(path: str, sha256: str, time_s: float) -> Any:
    return frame_at(path, time_s, short_side=_PREVIEW_SIDE).image


@experiment.callback
def _take_upload(key: str) -> None:
    file = peek_state().get(key)
    here = state.begin()
    here.problem = None
    if file is None:
        return
    try:
        state.ask(picture=query_image.take(file.getvalue(), file.name))
    except PromptreelError as error:
        here.problem = str(error)
    except OSError as error:
        here.problem = f"The picture could not be kept ({error.strerror}); check the disk of the store."
    here.uploads += 1  # the field is empty again


@experiment.callback
def _take_frame(name: str, sha256: str, time_s: float) -> None:
    state.ask(picture=Picture(name, sha256, time_s))


def _shown_picture(picture: Picture) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        with st.container(width=380):
            about = _about(picture)
            sent = choose_region(
                query_image.shown_url(picture),
                picture.region,
                key="search_region",
                of=_name(picture),
                heard=int(state.begin().numbers.get("region", 0)),
                alt=about,
                on_change=_set_region,
            )
            if sent is not None:
                _set_region(sent)
        with st.container(width="stretch"):
            st.markdown(escape_markdown(about))
            st.caption("Words in the box are searched for together with it.")
            with st.container(horizontal=True):
                _back()
                st.button("Remove", key="search_no_picture", icon=":material/close:", on_click=_drop)


def _about(picture: Picture) -> str:
    if picture.time_s is None:
        return f"Picture: {picture.name}"
    return f"Frame at {format_time(picture.time_s)} of {picture.name}"


def _name(picture: Picture) -> str:
    return f"{state.begin().token}|{picture.content}|{picture.time_s}"


@experiment.callback
def _set_region(sent: Dragged) -> None:
    here = state.begin()
    now = here.search.picture
    if now is not None and sent.of == _name(now) and here.newly_heard("region", sent.number):
        state.change(picture=replace(now, region=sent.region))


def _shown_like(place: SearchScope, like: state.Like) -> None:
    info = place.infos.get(like.embedding)
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        thumbnail = cache.store().thumbnails(info.key, [like.frame]).get(like.frame) if info else None
        if thumbnail:
            st.image(thumbnail, width=180)
        with st.container(width="stretch"):
            st.markdown(f"More like {format_time(like.time_s)} of {escape_markdown(like.name)}")
            st.caption("The moment it lies in is left out.")
            with st.container(horizontal=True):
                if like.sha256 in place.videos and place.videos[like.sha256].has_file:
                    st.button(
                        "Search for a part of it",
                        key="search_like_part",
                        icon=":material/crop:",
                        on_click=_take_frame,
                        args=(like.name, like.sha256, like.time_s),
                    )
                _back()
                st.button("Remove", key="search_no_like", icon=":material/close:", on_click=_drop)


def _back() -> None:
    past = state.begin().history.past
    if not past:
        return
    last = past[-1]
    if not last.empty:
        words = f"Back to “{last.asked.strip()}”" if last.asked.strip() else "Back to the search before"
        st.button("Back", key="search_back", icon=":material/undo:", help=words, on_click=state.back)


@experiment.callback
def _drop() -> None:
    state.ask()


# --- videos and options --------------------------------------------------------------------------------------------


def _choose_videos(place: SearchScope) -> None:
    chosen = [sha256 for sha256 in state.current().videos if sha256 in place.videos]
    st.multiselect(
        "Videos",
        list(place.videos),
        format_func=lambda sha256: place.videos[sha256].name,
        placeholder=f"All videos ({len(place.videos)})",
        label_visibility="collapsed",
        width="stretch",
        default=chosen,
        **state.bound("videos", chosen, lambda value: state.change(videos=tuple(value))),
    )


def _options(place: SearchScope) -> None:
    left, right = st.columns(2)
    with left:
        st.number_input("Moments at most", min_value=1, max_value=state.MAX_TOP, **state.folded("top"))
    with right:
        st.number_input(
            "Of one video at most",
            min_value=1,
            max_value=state.MAX_TOP,
            placeholder="no limit",
            **state.folded("per_video"),
        )
    st.number_input(
        "Bridge gaps shorter than, s",
        min_value=0.0,
        max_value=3600.0,
        step=0.5,
        format="%g",
        help="Hits of one video with less time between them become one moment.",
        **state.folded("bridge_s"),
    )
    st.toggle(
        "Drop lone hits",
        help="A moment of a single sample is left out. At a coarse sampling that may be what you look for.",
        **state.folded("drop_lone"),
    )
    st.toggle(
        "Fold near-duplicates",
        help="Moments that look the same are one result, with their number.",
        **state.folded("fold"),
    )
    st.toggle(
        "Compare every sample",
        help="Exact also where an index would answer a large library faster.",
        **state.folded("exact"),
    )
    st.button(
        "Rules of the search template",
        key="search_template",
        on_click=state.use_template_rules,
        args=(place.engine.id,),
        help="As Roboflow’s video search template has them: threshold 0.25, gaps under a second bridged, lone hits "
        "dropped, nothing folded. Its threshold is made for CLIP’s text scores.",
    )


def threshold(place: SearchScope, result: SearchResult) -> None:
    """Draw the threshold on the histogram of this search's scores."""
    here = state.begin()
    scale = here.search.scale(place.engine.id)
    value = here.search.thresholds.get(scale)
    sent = threshold_histogram(
        result.distribution.histogram(value),
        value,
        key="search_threshold",
        of=_threshold_name(place.engine.id),
        heard=int(here.numbers.get("threshold", 0)),
        on_change=_threshold_setter(place.engine.id),
    )
    before = state.current()
    if sent is not None:
        _threshold_setter(place.engine.id)(sent)
    if state.current() != before:  # Streamlit called no callback, as after a lost connection
        st.rerun()


def _threshold_name(engine_id: str) -> str:
    here = state.begin()
    return f"{here.experiment}.{here.token}.{here.version}|{here.search.scale(engine_id)}"


def _threshold_setter(engine_id: str) -> Callable[[Moved], None]:
    @experiment.callback
    def change(sent: Moved) -> None:
        if sent.of == _threshold_name(engine_id) and state.begin().newly_heard("threshold", sent.number):
            state.set_threshold(engine_id, sent.value)

    return change


def examples() -> None:
    """Draw words to begin with: those of the prompt table, or how to write a query."""
    labels = [row.label.strip() for row in experiment.current().rows if row.label.strip()][:_EXAMPLES]
    st.caption(
        "Type what is to be seen. Words to avoid follow a minus: `red car - night`. "
        "With “Picture” you search for a picture, a frame or a part of one, alone or together with words."
    )
    if labels:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.caption("From your prompts:", width="content")
            for number, label in enumerate(labels):
                st.button(label, key=f"search_example_{number}", on_click=_ask_for, args=(label,))


@experiment.callback
def _ask_for(text: str) -> None:
    state.ask(text=text)
