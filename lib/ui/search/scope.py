"""What a search covers: the library's videos, the engine, and what is embedded with it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from lib.core.errors import Cancelled, PromptreelError
from lib.core.formatting import as_text, plural
from lib.engines.clip_versions import SERVER_MODELS
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
"""Up to this many samples, comparing each is fast enough to search while somebody types; beyond, with an index."""


@dataclass(frozen=True)
class SearchScope:
    """What there is to search."""

    videos: dict[str, Video]
    """By SHA-256, newest first."""
    engine: Engine
    engines: tuple[EngineInLibrary, ...]
    """Those whose vectors are in the library."""
    infos: dict[str, EmbeddingInfo]
    """Embeddings of this engine that have samples, by id."""

    @property
    def own(self) -> EngineInLibrary | None:
        """This engine among those in the library."""
        return next((engine for engine in self.engines if engine.engine_id == self.engine.id), None)

    @property
    def live(self) -> bool:
        """Whether to search while somebody types."""
        own = self.own
        if own is None or own.samples <= LIVE_SAMPLES:
            return True
        index = index_state(cache.store(), self.engine.id)
        return index.samples > 0 and index.missing <= LIVE_SAMPLES

    @property
    def missing(self) -> list[Video]:
        """Videos that could be embedded with this engine, and are not, or not completely."""
        if not self.engine.embeds_video:
            return []
        complete = {info.key.sha256 for info in self.infos.values() if info.complete}
        return [video for video in self.videos.values() if video.sha256 not in complete and video.has_file]


def find_scope() -> SearchScope | None:
    """Return what there is to search; None, with what to do drawn, where there is nothing."""
    store = cache.store()
    videos = {video.sha256: video for video in store.videos()[::-1]}
    if not videos:
        missing_video.no_video("There is no video to search yet.")
        return None
    try:
        engine = engine_panel.current_engine(experiment.session())
        engines = engines_in_library(store)
    except PromptreelError as error:
        st.error(as_text(str(error)), icon=":material/error:")
        return None
    infos = {
        info.key.id: info
        for info in store.embeddings()
        if info.key.engine_id == engine.id and info.samples and info.key.sha256 in videos
    }
    return SearchScope(videos, engine, engines, infos)


def coverage(scope: SearchScope) -> None:
    """Draw which engine's vectors are searched, which videos lack them, and which other engines there are."""
    own, missing = scope.own, scope.missing
    if own is None:
        with st.container(border=True):
            st.markdown(
                f"Nothing is embedded with **{as_text(scope.engine.name)}** yet, so there is nothing to search with it."
            )
            if not scope.engine.embeds_video:
                st.caption("Send a video to the hosted service, or import its results, in the Library.")
                st.page_link("pages/library.py", label="Library", query_params=experiment.address())
            else:
                in_library = plural(len(scope.videos), "video")
                st.caption(f"{in_library} in the library. Each is embedded once, in the background.")
            _embed_button(scope, missing, primary=True)
            _other_engines(scope)
        return
    text = f"{plural(own.samples, 'sample')} of {plural(own.videos, 'video')} are searched: {as_text(own.engine_name)}."
    if missing:
        text += f" {plural(len(missing), 'video')} {'is' if len(missing) == 1 else 'are'} not embedded with it."
    st.caption(text)
    _embed_button(scope, missing)
    _other_engines(scope)


def coverage_button(scope: SearchScope) -> None:
    """Draw the same behind a button that names what is missing; nothing where everything is searched."""
    parts = []
    if scope.missing:
        parts.append(f"{plural(len(scope.missing), 'video')} not embedded")
    if len(scope.engines) > 1:
        parts.append(plural(len(scope.engines), "engine"))
    if parts:
        with st.popover(", ".join(parts), icon=":material/info:"):
            coverage(scope)


def _embed_button(scope: SearchScope, missing: list[Video], *, primary: bool = False) -> None:
    if not missing:
        return
    sampling = engine_panel.current_sampling(experiment.session())
    if embedding.under_way(scope.engine, sampling) & {video.sha256 for video in missing}:
        st.caption("Embedding in progress; see the sidebar.", width="content")
        return
    label = "Embed it" if len(missing) == 1 else f"Embed all {len(missing)}"
    if st.button(
        f"{label}, {sampling.description}",
        key="embed_missing",
        type="primary" if primary else "secondary",
        icon=":material/play_arrow:",
        help="In the background; searching stays possible. The sampling is the sidebar's.",
    ):
        embedding.embed_all(missing, scope.engine, sampling)
        st.rerun()


def _other_engines(scope: SearchScope) -> None:
    others = [engine for engine in scope.engines if engine.engine_id != scope.engine.id]
    if not others:
        return
    st.caption("Other engines’ vectors are in the library; a query is only compared with vectors of its own engine.")
    for engine in others:
        label = f"{as_text(engine.engine_name)}: {plural(engine.videos, 'video')}"
        if _available(engine.engine_id):
            st.button(
                f"Search {label}",
                key=f"choose_{engine.engine_id}",
                icon=":material/swap_horiz:",
                on_click=_choose,
                args=(engine.engine_id,),
            )
        else:
            st.caption(label)


def _available(engine_id: str) -> bool:
    fields = experiments.engine_fields(engine_id)
    return fields.get("model_version", "") in SERVER_MODELS or fields["engine"] in EMBEDDED_MODELS or "model" in fields


@experiment.callback
def _choose(engine_id: str) -> None:
    embedding.choose_engine(experiment.session(), engine_id)


def keep_index(scope: SearchScope) -> None:
    """Build the engine's index in the background where it is worthwhile; searches work meanwhile."""
    if scope.own is None or scope.own.samples <= LIVE_SAMPLES:
        return
    store, engine_id = cache.store(), scope.engine.id
    key = ("index", engine_id)
    if cache.jobs().find(key) is not None or not index_state(store, engine_id).worthwhile:
        return

    def build(*, on_progress: Callable[[Progress], None], cancel: threading.Event) -> None:
        build_index(
            store,
            engine_id,
            on_progress=lambda progress: on_progress(Progress(progress.done, progress.total, 0.0, None)),
            cancel=cancel,
        )
        if cancel.is_set():
            raise Cancelled("Building the search index was cancelled; searches compare every sample.")

    title = f"Search index of {scope.own.engine_name}"
    job = cache.jobs().submit(title, key, build, queue="index", unit="samples", once=True)
    if job.state == "queued":
        st.rerun()  # so that the job panel, drawn before, shows the job
