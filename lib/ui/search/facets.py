"""Categories of the archive as a condition of a search: saved ones, by the largest share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import streamlit as st

from lib.core.formatting import as_text, plural, shortened
from lib.services import categories
from lib.services.archive import videos_of
from lib.services.categories import SavedCategories
from lib.ui.search import state
from lib.ui.search.state import Search
from lib.ui.session import cache
from lib.ui.session import state as experiment


def choose() -> None:
    """Draw the choice of categories; nothing where none are saved."""
    saved = {one.id: one for one in categories.saved(cache.store().home).categories}
    if not saved:
        return
    options = {f"{one.id}:{label}": f"{one.name}: {label}" for one in saved.values() for label in one.labels}
    chosen = [one for one in state.current().categories if one in options]
    words = as_text(shortened(options[chosen[0]], 30)) if len(chosen) == 1 else f"Categories ({len(chosen)})"
    with st.popover(words if chosen else "Categories", icon=":material/inventory_2:"):
        st.multiselect(
            "Only videos of these categories",
            list(options),
            format_func=lambda option: as_text(options[option]),
            placeholder="All categories",
            default=chosen,
            **state.bound("categories", chosen, lambda value: state.change(categories=tuple(value))),
        )
        unknown = videos_of(cache.store(), _by_set(chosen, saved)).unknown
        if unknown:
            st.caption(f"{plural(unknown, 'video')} without a category yet; open these categories in the Archive.")
            st.page_link("pages/archive.py", label="Archive", query_params=experiment.address())


def chosen_videos(search: Search) -> frozenset[str] | None:
    """Return the SHA-256 of the videos of the chosen categories; None where none is chosen."""
    saved = {one.id: one for one in categories.saved(cache.store().home).categories}
    chosen = _by_set(search.categories, saved)
    return videos_of(cache.store(), chosen).videos if chosen else None


def _by_set(chosen: Iterable[str], saved: Mapping[str, SavedCategories]) -> dict[SavedCategories, list[str]]:
    """Return the labels chosen of each set of categories that is still saved."""
    labels: dict[str, list[str]] = {}
    for one in chosen:
        saved_id, _, label = one.partition(":")
        if saved_id in saved:
            labels.setdefault(saved_id, []).append(label)
    return {saved[saved_id]: some for saved_id, some in labels.items()}
