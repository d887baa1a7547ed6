"""Searching: the search that a person put together, handed to the very functions that the command line calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from lib.core.errors import NotStoredError, PromptreelError
from lib.search.options import SearchOptions
from lib.search.query import Query, parse_query
from lib.services.search import SearchResult, query_vector, sample_vector, search_vector
from lib.ui.search import query_image, state
from lib.ui.search.scope import SearchScope
from lib.ui.search.state import Search
from lib.ui.session import cache

_VECTOR, _RESULT = "search_vector", "search_result"
_TOLD_FROM = 20_000  # samples: fewer are laid out in less than half a second


@dataclass(frozen=True)
class SearchOutcome:
    """What a search gave."""

    result: SearchResult | None
    """None while nothing is searched for, and when it failed."""
    problem: str | None = None
    """Why it failed, and what to do."""


def find(place: SearchScope) -> SearchOutcome:
    """Return what the current search finds; searched again only when it, or what is embedded, changed."""
    search = state.current()
    if search.empty or place.own is None:
        return SearchOutcome(None)
    progress = st.empty()  # in every run, so that what comes after it keeps its place
    with st.spinner("Searching…"):  # shown when it takes longer than half a second
        try:
            return SearchOutcome(_result(place, search, progress))
        except PromptreelError as error:
            return SearchOutcome(None, str(error))


def query_of(search: Search) -> Query:
    """Return the query that words and picture amount to.

    Raises:
        NotStoredError, VideoError: the picture can't be had any more.
    """
    return parse_query(search.asked, [query_image.pixels(search.picture)] if search.picture else [])


def _result(place: SearchScope, search: Search, progress: DeltaGenerator) -> SearchResult:
    engine_id = place.engine.id
    version = [info.version for info in place.infos.values()]
    of = (engine_id, search.like, None if search.like else (search.asked.strip(), search.picture))
    name = (of, options_of(place, search), version)
    kept = st.session_state.get(_RESULT)
    if kept is None or kept[0] != name:
        found = search_vector(
            cache.store(),
            engine_id,
            _vector(place, search, of),
            options_of(place, search),
            on_prepare=_preparing(progress),
        )
        kept = st.session_state[_RESULT] = (name, found)
    result: SearchResult = kept[1]
    return result


def options_of(place: SearchScope, search: Search) -> SearchOptions:
    """Return the page's options."""
    return SearchOptions(
        videos=tuple(sha256 for sha256 in search.videos if sha256 in place.videos) or None,
        threshold=search.thresholds.get(search.scale(place.engine.id)),
        top=search.top,
        per_video=search.per_video,
        rules=search.rules,
        exact=True if search.exact else None,
        origin=(search.like.sha256, search.like.time_s) if search.like else None,
    )


def _preparing(place: DeltaGenerator) -> Callable[[int, int], None]:
    """Return what draws how far the vectors are laid out, which the first search of a large library waits for."""

    def tell(done: int, total: int) -> None:
        if done == total:
            place.empty()
        elif total >= _TOLD_FROM:
            words = f"Before the first search: {done:,} of {total:,} samples are laid out for searching"
            place.progress(done / total, text=words)

    return tell


def _vector(place: SearchScope, search: Search, of: tuple[Any, ...]) -> NDArray[np.float32]:
    kept = st.session_state.get(_VECTOR)
    if kept is None or kept[0] != of:
        kept = st.session_state[_VECTOR] = (of, _new_vector(place, search))
    vector: NDArray[np.float32] = kept[1]
    return vector


def _new_vector(place: SearchScope, search: Search) -> NDArray[np.float32]:
    store = cache.store()
    if search.like is None:
        return query_vector(place.engine, store, query_of(search))
    info = place.infos.get(search.like.embedding)
    if info is None:
        raise NotStoredError(
            f"{search.like.name} is not embedded with {place.engine.name}, or not any more; "
            "choose the engine it was found with, or search for something else."
        )
    return sample_vector(store, info.key, search.like.frame)


def notes(place: SearchScope, found: SearchOutcome) -> None:
    """Draw what is to be said of the query itself: a problem, words that the demo model never saw."""
    search = state.current()
    if found.problem:
        st.error(found.problem, icon=":material/error:")
    if search.asked.strip() and search.like is None:
        query = parse_query(search.asked)
        unknown = place.engine.unknown_words((*query.texts, *query.avoid))
        if unknown:
            st.caption(
                f":material/dictionary: Not in the demo model’s vocabulary: {', '.join(unknown)}. "
                "It can’t tell what they mean; a real CLIP engine (sidebar) can."
            )
