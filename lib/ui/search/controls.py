"""The controls of a search: the box, pictures, videos, options and the threshold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import streamlit as st

from lib.core.errors import PromptreelError
from lib.core.formatting import as_text, escape_markdown, format_time
from lib.media.frames import frame_at
from lib.media.still_picture import MAX_MEGABYTES
from lib.services.search import SearchResult
from lib.ui.components.region_picker import Dragged, choose_region
from lib.ui.components.search_box import search_box
from lib.ui.components.threshold_histogram import Moved, threshold_histogram
from lib.ui.search import facets, query_image, state
from lib.ui.search.scope import SearchScope
from lib.ui.search.state import Picture, SimilarTo
from lib.ui.session import cache
from lib.ui.session import state as experiment
from lib.ui.session.peek import peek_state

_PICTURE_TYPES = ["jpg", "jpeg", "png", "webp", "gif", "bmp"]
_PREVIEW_SIDE = 180
_EXAMPLES = 5


def ask(scope: SearchScope) -> None:
    """Draw the box, the controls beside it, and the picture or sample that is searched for."""
    tab = state.session()
    query = search_box(
        tab.search.text,
        key="search_box",
        of=tab.of,
        ack=tab.ack,
        live=scope.live,
        label="Search for",
        placeholder="red car - night",
        on_change=experiment.callback(state.apply_submitted),
    )
    # Streamlit calls no callback for a value that arrives before its widget exists, as after a lost connection.
    if query is not None:
        state.apply_submitted(query)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        with st.popover("Picture", icon=":material/image_search:"):
            _choose_picture(scope)
        _choose_videos(scope)
        facets.choose()
        with st.popover("Options", icon=":material/tune:"):
            _options(scope)
    search = state.current()
    if search.like is not None:
        _show_sample(scope, search.like)
    elif search.picture is not None:
        _show_picture(search.picture)


# --- pictures ------------------------------------------------------------------------------------------------------


def _choose_picture(scope: SearchScope) -> None:
    tab = state.session()
    st.file_uploader(
        "Upload a picture",
        type=_PICTURE_TYPES,
        key=f"search_upload.{tab.uploads}",
        max_upload_size=MAX_MEGABYTES,
        on_change=_take_upload,
        args=(f"search_upload.{tab.uploads}",),
    )
    if tab.problem:
        st.error(as_text(tab.problem), icon=":material/error:")
    _choose_frame(scope)


def _choose_frame(scope: SearchScope) -> None:
    current = experiment.current().video
    options = [sha256 for sha256, video in scope.videos.items() if video.has_file]
    if len(options) < len(scope.videos):
        st.caption("An embedding imported without its video has no frames to choose from.")
    if not options:
        return
    st.markdown("or a frame of a video")
    sha256 = st.selectbox(
        "Video of the frame",
        options,
        index=options.index(current) if current in options else 0,
        format_func=lambda option: scope.videos[option].name,
        label_visibility="collapsed",
        key="search_frame_video",
    )
    video = scope.videos[sha256]
    start_s = video.start_s
    end_s = max(video.end_s or 0.0, start_s + 0.1)
    time_s = st.slider(
        "Time of the frame (s)",
        start_s,
        end_s,
        min(max(experiment.session().playhead_s or 0.0, start_s), end_s) if sha256 == current else start_s,
        step=0.1,
        key=f"search_frame_time.{sha256[:12]}",
    )
    try:
        st.image(_preview(str(cache.store().file_path(sha256)), sha256, time_s), width=280, alt="The chosen frame")
    except PromptreelError as error:
        st.caption(as_text(str(error)))
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
    tab = state.session()
    tab.problem = None
    if file is None:
        return
    try:
        state.search_for(picture=query_image.take(file.getvalue(), file.name))
    except PromptreelError as error:
        tab.problem = str(error)
    except OSError as error:
        tab.problem = f"The picture could not be saved ({error.strerror}); check the disk of the store."
    tab.uploads += 1  # empties the field


@experiment.callback
def _take_frame(name: str, sha256: str, time_s: float) -> None:
    state.search_for(picture=Picture(name, sha256, time_s))


def _show_picture(picture: Picture) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        with st.container(width=380):
            about = _description(picture)
            dragged = choose_region(
                query_image.url(picture),
                picture.region,
                key="search_region",
                of=_name(picture),
                ack=int(state.session().acks.get("region", 0)),
                alt=about,
                on_change=_set_region,
            )
            if dragged is not None:
                _set_region(dragged)
        with st.container(width="stretch"):
            st.markdown(escape_markdown(about))
            st.caption("Combined with the text in the box.")
            with st.container(horizontal=True):
                _back_button()
                st.button("Remove", key="search_no_picture", icon=":material/close:", on_click=_remove)


def _description(picture: Picture) -> str:
    if picture.time_s is None:
        return f"Picture: {picture.name}"
    return f"Frame at {format_time(picture.time_s)} of {picture.name}"


def _name(picture: Picture) -> str:
    return f"{state.session().token}|{picture.content}|{picture.time_s}"


@experiment.callback
def _set_region(dragged: Dragged) -> None:
    tab = state.session()
    picture = tab.search.picture
    if picture is not None and dragged.of == _name(picture) and tab.acknowledge("region", dragged.number):
        state.change(picture=replace(picture, region=dragged.region))


def _show_sample(scope: SearchScope, sample: SimilarTo) -> None:
    info = scope.infos.get(sample.embedding)
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        thumbnail = cache.store().thumbnails(info.key, [sample.frame]).get(sample.frame) if info else None
        if thumbnail:
            st.image(thumbnail, width=180, alt=f"{sample.name} at {format_time(sample.time_s)}")
        with st.container(width="stretch"):
            st.markdown(f"More like {format_time(sample.time_s)} of {escape_markdown(sample.name)}")
            st.caption("Original moment hidden")
            with st.container(horizontal=True):
                if sample.sha256 in scope.videos and scope.videos[sample.sha256].has_file:
                    st.button(
                        "Search for a part of it",
                        key="search_like_part",
                        icon=":material/crop:",
                        on_click=_take_frame,
                        args=(sample.name, sample.sha256, sample.time_s),
                    )
                _back_button()
                st.button("Remove", key="search_no_like", icon=":material/close:", on_click=_remove)


def _back_button() -> None:
    previous = state.session().history.past
    if previous and not previous[-1].empty:
        text = previous[-1].asked.strip()
        title = f"Back to “{as_text(text)}”" if text else "Back to the previous search"
        st.button("Back", key="search_back", icon=":material/undo:", help=title, on_click=state.back)


@experiment.callback
def _remove() -> None:
    state.search_for()


# --- videos and options --------------------------------------------------------------------------------------------


def _choose_videos(scope: SearchScope) -> None:
    chosen = [sha256 for sha256 in state.current().videos if sha256 in scope.videos]
    st.multiselect(
        "Videos",
        list(scope.videos),
        format_func=lambda sha256: scope.videos[sha256].name,
        placeholder=f"All videos ({len(scope.videos)})",
        label_visibility="collapsed",
        width="stretch",
        default=chosen,
        **state.bound("videos", chosen, lambda value: state.change(videos=tuple(value))),
    )


def _options(scope: SearchScope) -> None:
    left, right = st.columns(2)
    with left:
        st.number_input("Moments at most", min_value=1, max_value=state.MAX_TOP, **state.bound_in_popover("top"))
    with right:
        st.number_input(
            "Per video at most",
            min_value=1,
            max_value=state.MAX_TOP,
            placeholder="no limit",
            **state.bound_in_popover("per_video"),
        )
    st.number_input(
        "Merge gaps up to (s)",
        min_value=0.0,
        max_value=state.MAX_BRIDGE_S,
        step=0.5,
        format="%g",
        help="Matches in a video with at most this time between them become one moment.",
        **state.bound_in_popover("bridge_s"),
    )
    st.toggle(
        "Hide single-frame hits",
        help="Hides moments of a single sample. With coarse sampling, those may be what you are looking for.",
        **state.bound_in_popover("drop_lone"),
    )
    st.toggle(
        "Group near-duplicates",
        help="Moments that look the same become one result, with their number.",
        **state.bound_in_popover("fold"),
    )
    st.toggle(
        "Rank words by cosine",
        help="Off, they are ranked by relative score: how far the cosine stands out from those of everyday phrases on "
        "the same sample. By cosine, a few nearly blank frames come first for most words. Pictures have no other.",
        **state.bound_in_popover("cosine"),
    )
    st.toggle(
        "Compare every sample",
        help="Exact, also where an index would be faster on a large library.",
        **state.bound_in_popover("exact"),
    )
    st.button(
        "Use the Roboflow template’s settings",
        key="search_template",
        on_click=state.use_template_rules,
        args=(scope.engine.id,),
        help="Those of Roboflow’s video search template: words ranked by cosine, threshold 0.25, gaps under a second "
        "merged, single-frame hits hidden, near-duplicates not grouped. The threshold is meant for CLIP’s text scores.",
    )


def threshold(scope: SearchScope, result: SearchResult) -> None:
    """Draw the threshold on the histogram of this search's scores."""
    tab = state.session()
    value = tab.search.thresholds.get(tab.search.scale(scope.engine.id))
    moved = threshold_histogram(
        result.distribution.histogram(value),
        value,
        kind=result.score_kind,
        key="search_threshold",
        of=_threshold_name(scope.engine.id),
        ack=int(tab.acks.get("threshold", 0)),
        on_change=_threshold_setter(scope.engine.id),
    )
    before = state.current()
    if moved is not None:
        _threshold_setter(scope.engine.id)(moved)
    if state.current() != before:  # Streamlit called no callback, as after a lost connection
        st.rerun()


def _threshold_name(engine_id: str) -> str:
    tab = state.session()
    return f"{tab.experiment}.{tab.token}.{tab.version}|{tab.search.scale(engine_id)}"


def _threshold_setter(engine_id: str) -> Callable[[Moved], None]:
    @experiment.callback
    def set_threshold(moved: Moved) -> None:
        if moved.of == _threshold_name(engine_id) and state.session().acknowledge("threshold", moved.number):
            state.set_threshold(engine_id, moved.value)

    return set_threshold


def examples() -> None:
    """Draw how to write a query, and the labels of the prompt table as examples."""
    labels = [row.label.strip() for row in experiment.current().rows if row.label.strip()][:_EXAMPLES]
    st.caption(
        "Describe what to find; − excludes words: “red car - night”. "
        "With “Picture” you search for a picture, a frame or a part of one, alone or combined with text."
    )
    if labels:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.caption("From your prompts:", width="content")
            for number, label in enumerate(labels):
                st.button(as_text(label), key=f"search_example_{number}", on_click=_search_for, args=(label,))


@experiment.callback
def _search_for(text: str) -> None:
    state.search_for(text=text)
