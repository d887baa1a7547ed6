"""Runs the search of this tab, with the functions that the command line also uses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from lib.core.errors import NotStoredError, PromptreelError
from lib.core.formatting import as_text
from lib.search.options import SearchOptions
from lib.search.query import Query, parse_query
from lib.search.relative import RelativeQuery
from lib.services.search import SearchResult, query_vector, relative_to_phrases, sample_vector, search_vector
from lib.ui.background import reference_phrases
from lib.ui.search import facets, query_image, state
from lib.ui.search.scope import SearchScope
from lib.ui.search.state import Search
from lib.ui.session import cache
from lib.ui.session.guard import told

_Vector = tuple[NDArray[np.float32], RelativeQuery | None]
_VECTOR, _RESULT = "search_vector", "search_result"
_PROGRESS_FROM = 20_000  # samples: fewer are prepared in less than half a second


@dataclass(frozen=True)
class SearchOutcome:
    """The result of a search, or why there is none."""

    result: SearchResult | None
    """None where there is no query, and where the search failed."""
    problem: str | None = None
    """Why it failed, and what to do."""
    waits: bool = False
    """Whether it waits for the reference phrases."""


def run_search(scope: SearchScope) -> SearchOutcome:
    """Return the outcome of the current search, computed only when the search or the embeddings changed."""
    search = state.current()
    if search.empty or scope.own is None:
        return SearchOutcome(None)
    progress = st.empty()  # in every run, so that the following elements keep their positions
    with st.spinner("Searching…"):  # shown when it takes longer than half a second
        try:
            if search.score_kind == "relative" and not reference_phrases.are_ready(scope.engine):
                return SearchOutcome(None, waits=True)
            return SearchOutcome(result_of(scope, search, progress))
        except PromptreelError as error:
            return SearchOutcome(None, str(error))


def query_of(search: Search) -> Query:
    """Return the query of text and picture.

    Raises:
        NotStoredError, VideoError: the picture can't be read any more.
    """
    return parse_query(search.asked, [query_image.pixels(search.picture)] if search.picture else [])


def result_of(scope: SearchScope, search: Search, progress: DeltaGenerator) -> SearchResult:
    """Return the result of a search, kept in the session until the search or the embeddings change.

    Raises:
        PromptreelError: the query can't be embedded or compared.
    """
    engine_id = scope.engine.id
    version = [info.version for info in scope.infos.values()]
    asked = None if search.like else (search.asked.strip(), search.picture)
    query_key = (engine_id, search.like, asked, search.score_kind)
    options = options_of(scope, search)
    key = (query_key, options, version)
    cached = st.session_state.get(_RESULT)
    if cached is None or cached[0] != key:
        vector, relative = _vector(scope, search, query_key)
        on_prepare = _preparing(progress)
        result = search_vector(cache.store(), engine_id, vector, options, relative=relative, on_prepare=on_prepare)
        cached = st.session_state[_RESULT] = (key, result)
    return cast(SearchResult, cached[1])


def options_of(scope: SearchScope, search: Search) -> SearchOptions:
    """Return the page's options."""
    chosen = tuple(sha256 for sha256 in search.videos if sha256 in scope.videos) or None
    of_categories = facets.chosen_videos(search)
    if of_categories is not None:
        chosen = tuple(sha256 for sha256 in chosen or scope.videos if sha256 in of_categories)
        if not chosen:
            raise NotStoredError("No video is in these categories; choose others, or classify more in the Archive.")
    return SearchOptions(
        videos=chosen,
        threshold=search.thresholds.get(search.scale(scope.engine.id)),
        top=search.top,
        per_video=search.per_video,
        rules=search.rules,
        exact=True if search.exact else None,
        origin=(search.like.sha256, search.like.time_s) if search.like else None,
    )


def _preparing(element: DeltaGenerator) -> Callable[[int, int], None]:
    """Return a callback that draws the progress of preparing the vectors, before the first search of a library."""

    def draw(done: int, total: int) -> None:
        if done == total:
            element.empty()
        elif total >= _PROGRESS_FROM:
            text = f"Before the first search: {done:,} of {total:,} samples prepared"
            element.progress(done / total, text=text)

    return draw


def _vector(scope: SearchScope, search: Search, key: tuple[Any, ...]) -> _Vector:
    cached = st.session_state.get(_VECTOR)
    if cached is None or cached[0] != key:
        cached = st.session_state[_VECTOR] = (key, _new_vector(scope, search))
    return cast(_Vector, cached[1])


def _new_vector(scope: SearchScope, search: Search) -> _Vector:
    store = cache.store()
    if search.like is None:
        query, relative = query_of(search), None
        if search.score_kind == "relative":
            relative = relative_to_phrases(scope.engine, store, query)
        return query_vector(scope.engine, store, query), relative
    info = scope.infos.get(search.like.embedding)
    if info is None:
        raise NotStoredError(
            f"{search.like.name} is not, or no longer, embedded with {scope.engine.name}; "
            "choose the engine it was found with, or search for something else."
        )
    return sample_vector(store, info.key, search.like.frame), None


def notes(scope: SearchScope, outcome: SearchOutcome) -> None:
    """Draw notes on the query: a problem, what it waits for, or words outside the demo model's vocabulary."""
    search = state.current()
    if outcome.waits:
        _waiting(scope)
    if outcome.problem:
        st.error(as_text(outcome.problem), icon=":material/error:")
    if search.asked.strip() and search.like is None:
        query = parse_query(search.asked)
        unknown = scope.engine.unknown_words((*query.texts, *query.avoid))
        if unknown:
            st.caption(
                f":material/dictionary: Not in the demo model’s vocabulary: {', '.join(map(as_text, unknown))}. "
                "A real CLIP engine (sidebar) knows them."
            )


def _waiting(scope: SearchScope) -> None:
    problem = reference_phrases.problem(scope.engine)
    if problem is None:
        st.info(
            "Scores are compared with those of everyday phrases, which are being embedded once for this engine. "
            "The moments appear when that is done.",
            icon=":material/hourglass_top:",
        )
    else:
        st.error(f"The phrases that scores are compared with are missing. {as_text(problem)}", icon=":material/error:")
    with st.container(horizontal=True):
        if problem is not None:
            st.button(
                "Try again",
                key="search_phrases_again",
                on_click=told(reference_phrases.try_again),
                args=(scope.engine,),
                icon=":material/refresh:",
            )
        st.button(
            "Rank by cosine", key="search_by_cosine", on_click=state.rank_by_cosine, help="Options turns it off again."
        )
