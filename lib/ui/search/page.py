"""Panels of the Search page, in the order in which the page draws them."""

from __future__ import annotations

import streamlit as st

from lib.ui.search import controls, results
from lib.ui.search.run import SearchOutcome, notes
from lib.ui.search.scope import SearchScope, coverage, coverage_button, find_place, keep_index


def begin() -> SearchScope | None:
    """Return what there is to search, and do what was asked for with a moment; None when there is nothing."""
    place = find_place()
    if place is not None:
        results.do_pending(place)
    return place


def show(place: SearchScope, found: SearchOutcome) -> None:
    """Draw what was found, with the threshold; or how to begin. And what is not searched, with a way to change that."""
    notes(place, found)
    result = found.result
    if result is None:
        if found.problem is None and place.own is not None:
            controls.examples()
        coverage(place)
        return
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        with st.container(width=430):
            controls.threshold(place, result)
        with st.container(width=440):
            results.line(result)
            with st.container(horizontal=True, gap="small"):
                view = results.choose_view()
                coverage_button(place)
    results.show(place, result, view)
    keep_index(place)
