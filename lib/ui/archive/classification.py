"""Which prompt set sorts the archive, and what it finds: computed in the background, shown as far as it is known."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lib.core.errors import PromptreelError
from lib.core.formatting import as_text, plural
from lib.engines.engine import Engine
from lib.ingest.progress import Progress
from lib.prompts.model import PromptSet
from lib.services import categories
from lib.services.archive import Classification, classify, embeddings_to_classify, known_classification, missing
from lib.services.catalogue import Choice
from lib.services.experiments import shown_title
from lib.store.embeddings import EmbeddingInfo
from lib.store.store import Store
from lib.store.videos import Video
from lib.ui.panels import embedding_queue, missing_video
from lib.ui.panels import engine as engine_panel
from lib.ui.session import cache, opening, state
from lib.ui.session.guard import told
from lib.ui.session.peek import peek_state

_AT_ONCE = 40
"""Videos that are classified while the page waits; more of them in the background."""
_JOB = "archive"
_NOW = "now"
_CHOICE = "archive_prompts"
_NAME = "archive_name"


@dataclass(frozen=True)
class Archive:
    """What the page shows."""

    engine: Engine
    prompt_set: PromptSet
    videos: dict[str, Video]
    """All of the library, by SHA-256."""
    infos: dict[str, EmbeddingInfo]
    """Embeddings that are classified, by SHA-256 of their video."""
    found: Classification
    saved: categories.SavedCategories | None
    """What of the saved categories is chosen; None for the prompts of an experiment."""


def choose(place: DeltaGenerator) -> Archive | None:
    """Draw the choice of the categories in ``place``; None, with what to do drawn, where there is nothing to show."""
    store = cache.store()
    videos = {video.sha256: video for video in store.videos()[::-1]}
    if not videos:
        missing_video.no_video()
        return None
    saved = categories.saved(store.home)
    for name in saved.damaged:
        st.warning(f"The saved categories {as_text(name)} are damaged and left out.", icon=":material/warning:")
    with place:
        chosen = _chosen(saved)
    try:
        engine = engine_panel.current_engine(state.session())
        prompt_set, one = chosen()
        infos = embeddings_to_classify(store, engine.id)
    except PromptreelError as error:
        st.error(as_text(str(error)), icon=":material/error:")
        return None
    if prompt_set is None or not prompt_set.enabled:
        st.info("No prompt is switched on, so there are no categories; choose others, or add prompts in Explore.")
        st.page_link("pages/explore.py", label="Explore", query_params=state.address())
        return None
    if not infos:
        st.info(f"No video is embedded with {as_text(engine.name)} yet; embed some in the Library.")
        st.page_link("pages/library.py", label="Library", query_params=state.address())
        return None
    found = _found(store, engine, prompt_set, infos)
    if found is None:
        return None
    return Archive(engine, prompt_set, videos, {info.key.sha256: info for info in infos}, found, one)


_Choice = Callable[[], tuple[PromptSet | None, categories.SavedCategories | None]]


def _chosen(saved: categories.SavedListing) -> _Choice:
    present = state.current()
    names: dict[str, str] = {_NOW: f"{shown_title(present)} (current prompts)"}
    gets: dict[str, _Choice] = {_NOW: lambda: (present.prompt_set()[0], None)}
    for one in saved.categories:
        names[f"saved:{one.id}"] = f"★ {one.name}"
        gets[f"saved:{one.id}"] = partial(_saved, one)
    for choice in opening.choices().choices:
        if choice.labels and choice.key != f"experiment:{present.id}":
            names[choice.key] = choice.name
            gets[choice.key] = partial(_of_choice, choice)
    if st.session_state.get(_CHOICE) not in gets:
        st.session_state.pop(_CHOICE, None)
    current = present.prompt_set()[0]
    key = st.selectbox(
        "Categories",
        list(names),
        index=0 if current is not None and current.enabled else min(1, len(names) - 1),
        format_func=names.__getitem__,
        key=_CHOICE,
        persist_state="session",
        help="The labels of a prompt set but its backgrounds. Labels of the role restricted are flagged as well.",
    )
    return gets[key]


def _saved(one: categories.SavedCategories) -> tuple[PromptSet, categories.SavedCategories]:
    return one.prompt_set, one


def _of_choice(choice: Choice) -> tuple[PromptSet | None, None]:
    experiment = choice.get()
    return (experiment.prompt_set()[0] if experiment is not None else None), None


def _found(store: Store, engine: Engine, prompt_set: PromptSet, infos: list[EmbeddingInfo]) -> Classification | None:
    """Return what is known; what isn't is computed, here where it is little, else in the background."""
    known = known_classification(store, engine.id, prompt_set, infos)
    waiting = missing(known.videos, infos)
    if not waiting:
        return known
    if len(waiting) <= _AT_ONCE:
        try:
            with st.spinner(f"Classifying {plural(len(waiting), 'video')}…"):
                return classify(store, engine, prompt_set, infos)
        except PromptreelError as error:
            st.error(as_text(str(error)), icon=":material/error:")
            return known if known.videos else None

    def work(*, on_progress: Callable[[Progress], None], cancel: threading.Event) -> None:
        report = lambda done, total: on_progress(Progress(done, total, 0.0, None))  # noqa: E731
        classify(store, engine, prompt_set, infos, on_progress=report, cancel=cancel)

    key = (_JOB, engine.id, prompt_set)
    for job in cache.jobs().jobs():  # results of words that were changed meanwhile are of no use
        if isinstance(job.key, tuple) and job.key[0] == _JOB and job.key != key:
            job.cancel()
            cache.jobs().dismiss(job.id)
    job = cache.jobs().submit(f"Categories by {prompt_set.name}", key, work, queue="archive", unit="videos", once=True)
    if job.state in ("failed", "cancelled"):
        st.warning(as_text(job.error or job.note), icon=":material/error:")
        st.button("Try again", key="archive_retry", on_click=told(cache.jobs().retry), args=(job.id,))
    else:
        count = f"{len(known.videos):,} of {len(infos):,}"
        st.info(f"{count} videos are classified; the others follow in the background.", icon=":material/hourglass_top:")
        if job.state == "queued":
            st.rerun()  # so that the job panel, drawn before, shows the job
    return known


def missing_button(archive: Archive) -> None:
    """Draw the button that has the videos embedded that are not in the archive yet; nothing where all are."""
    embedding_queue.missing_button([video for sha256, video in archive.videos.items() if sha256 not in archive.infos])


def save_popover(archive: Archive) -> None:
    """Draw where the categories are saved under a name, or deleted."""
    with st.popover("Save categories", icon=":material/bookmark:"):
        st.text_input(
            "Name",
            key=_NAME,
            placeholder="e.g. adverts 2026",
            help="They can be chosen here again, and in Search, with the words and settings they have now.",
        )
        st.button("Save", key="archive_save", on_click=_save, args=(archive,), type="primary")
        if archive.saved is not None:
            st.button(
                f"Delete “{as_text(archive.saved.name)}”", key="archive_delete", on_click=_delete, args=(archive.saved,)
            )


@state.callback
def _save(archive: Archive) -> None:
    saved = categories.save(cache.store().home, peek_state().get(_NAME, ""), archive.engine.id, archive.prompt_set)
    st.session_state[_CHOICE] = f"saved:{saved.id}"
    st.session_state[_NAME] = ""
    state.session().say(f"The categories are saved as “{saved.name}”")


@state.callback
def _delete(saved: categories.SavedCategories) -> None:
    categories.delete(cache.store().home, saved.id)
    st.session_state.pop(_CHOICE, None)
    state.session().say(f"“{saved.name}” is deleted")
