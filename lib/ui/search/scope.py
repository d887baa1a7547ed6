"""Where the search page stands: the library's videos, the engine, what is embedded with it, and what is not."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from lib.core.errors import Cancelled, PromptreelError
from lib.core.formatting import plural
from lib.engines.clip_versions import MODEL_VERSIONS
from lib.engines.embedded_models import EMBEDDED_MODELS
from lib.engines.engine import Engine
from lib.ingest.progress import Progress
from lib.services import experiments
from lib.services.search import INDEX_FROM, EngineInLibrary, build_index, engines_in_library, index_state
from lib.store.embeddings import EmbeddingInfo
from lib.store.videos import Video
from lib.ui.background import embedding
from lib.ui.panels import engine as engine_panel
from lib.ui.panels import missing_video
from lib.ui.session import cache
from lib.ui.session import state as experiment

LIVE_SAMPLES = INDEX_FROM
"""Up to so many samples every one is compared quickly enough to search while somebody types; beyond, with an index."""


@dataclass(frozen=True)
class SearchScope:
    """What there is to search."""

    videos: dict[str, Video]
    """By SHA-256, newest first."""
    engine: Engine
    engines: tuple[EngineInLibrary, ...]
    """Those whose vectors are in the library."""
    infos: dict[str, EmbeddingInfo]
    """Embeddings of this engine that hold samples, by id."""

    @property
    def own(self) -> EngineInLibrary | None:
        """This engine among those in the library."""
        return next((one for one in self.engines if one.engine_id == self.engine.id), None)

    @property
    def live(self) -> bool:
        """Whether words are searched for while somebody types."""
        own = self.own
        if own is None or own.samples <= LIVE_SAMPLES:
            return True
        index = index_state(cache.store(), self.engine.id)
        return index.samples > 0 and index.missing <= LIVE_SAMPLES

    @property
    def missing(self) -> list[Video]:
        """Videos that are not, or not wholly, embedded with this engine, and could be."""
        if not self.engine.embeds_video:
            return []
        whole = {info.key.sha256 for info in self.infos.values() if info.complete}
        return [video for video in self.videos.values() if video.sha256 not in whole and video.has_file]


def find_place() -> SearchScope | None:
    """Return what there is to search; None, with a sentence and a way on drawn, when that is nothing."""
    store = cache.store()
    videos = {video.sha256: video for video in store.videos()[::-1]}
    if not videos:
        missing_video.no_video("There is no video to search yet.")
        return None
    try:
        engine = engine_panel.current_engine(experiment.session())
        engines = engines_in_library(store)
    except PromptreelError as error:
        st.error(str(error), icon=":material/error:")
        return None
    infos = {
        info.key.id: info
        for info in store.embeddings()
        if info.key.engine_id == engine.id and info.samples and info.key.sha256 in videos
    }
    return SearchScope(videos, engine, engines, infos)


def coverage(place: SearchScope) -> None:
    """Say which engine's vectors are searched, what is not embedded with it, and which others there are."""
    own, missing = place.own, place.missing
    if own is None:
        with st.container(border=True):
            st.markdown(
                f"Nothing is embedded with **{place.engine.name}** yet, so there is nothing to search with it."
            )
            if not place.engine.embeds_video:
                st.caption("Send a video to the hosted service, or import its results, in the Library.")
                st.page_link("pages/library.py", label="Library", query_params=experiment.address())
            else:
                count = plural(len(place.videos), "video")
                st.caption(f"{count} in the library. Each is embedded once, in the background, and kept.")
            _embed_button(place, missing, primary=True)
            _others(place)
        return
    text = (
        f"{plural(own.samples, 'sample')} of {plural(own.videos, 'video')} are searched: {own.engine_name}."
    )
    if missing:
        text += (
            f" {plural(len(missing), 'video')} {'is' if len(missing) == 1 else 'are'} not embedded with it."
        )
    st.caption(text)
    _embed_button(place, missing)
    _others(place)


def coverage_button(place: SearchScope) -> None:
    """Draw the same behind a button that says what is amiss; nothing when everything is searched."""
    parts = []
    if place.missing:
        parts.append(f"{plural(len(place.missing), 'video')} not embedded")
    if len(place.engines) > 1:
        parts.append(plural(len(place.engines), "engine"))
    if parts:
        with st.popover(", ".join(parts), icon=":material/info:"):
            coverage(place)


def _embed_button(place: SearchScope, missing: list[Video], *, primary: bool = False) -> None:
    if not missing:
        return
    sampling = engine_panel.current_sampling(experiment.session())
    running = [
        job for job in cache.jobs().jobs() if job.live and job.sha256 in {one.sha256 for one in missing}
    ]
    if running:
        st.caption("Embedding is under way; progress is in the sidebar.", width="content")
        return
    words = "Embed it" if len(missing) == 1 else f"Embed all {len(missing)}"
    if st.button(
        f"{words}, {sampling.description}",
        key="embed_missing",
        type="primary" if primary else "secondary",
        icon=":material/play_arrow:",
        help="In the background; searching goes on meanwhile. The sampling is the sidebar's.",
    ):
        for video in missing:
            embedding.ensure_embedding(video, place.engine, sampling)
        st.rerun()


def _others(place: SearchScope) -> None:
    others = [one for one in place.engines if one.engine_id != place.engine.id]
    if not others:
        return
    st.caption("Other engines’ vectors are in the library; a query is only compared with its own engine’s.")
    for one in others:
        words = f"{one.engine_name}: {plural(one.videos, 'video')}"
        if _known(one.engine_id):
            st.button(
                f"Search {words}",
                key=f"choose_{one.engine_id}",
                icon=":material/swap_horiz:",
                on_click=_choose,
                args=(one.engine_id,),
            )
        else:
            st.caption(words)


def _known(engine_id: str) -> bool:
    fields = experiments.engine_fields(engine_id)
    return fields.get("model_version", "") in MODEL_VERSIONS or fields["engine"] in EMBEDDED_MODELS


@experiment.callback
def _choose(engine_id: str) -> None:
    experiment.session().change(**experiments.engine_fields(engine_id))
    experiment.session().version += 1  # the engine panel's widgets take over the new values


def keep_index(place: SearchScope) -> None:
    """Have the engine's index built in the background where that pays; searches go on meanwhile."""
    if place.own is None or place.own.samples <= LIVE_SAMPLES:
        return
    store, engine_id = cache.store(), place.engine.id
    key = ("index", engine_id)
    if cache.jobs().find(key) is not None or not index_state(store, engine_id).worthwhile:
        return

    def build(*, on_progress: Callable[[Progress], None], cancel: threading.Event) -> None:
        build_index(
            store,
            engine_id,
            on_progress=lambda told: on_progress(Progress(told.done, told.total, 0.0, None)),
            cancel=cancel,
        )
        if cancel.is_set():
            raise Cancelled("Building the search index was cancelled; searches compare every sample.")

    title = f"Search index of {place.own.engine_name}"
    job = cache.jobs().submit(title, key, build, queue="index", unit="samples", once=True)
    if job.state == "queued":
        st.rerun()  # the tray, drawn before, begins to watch the job
