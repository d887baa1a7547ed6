"""Panels of the Search page, in the order in which the page draws them."""

from __future__ import annotations

import streamlit as st

from lib.ui.search import controls, results
from lib.ui.search.run import SearchOutcome, notes
from lib.ui.search.scope import SearchScope, coverage, coverage_button, find_scope, keep_index


def begin() -> SearchScope | None:
    """Return what there is to search, and run the action that was asked for on a moment; None for an empty library."""
    scope = find_scope()
    if scope is not None:
        results.do_pending(scope)
    return scope


def show(scope: SearchScope, outcome: SearchOutcome) -> None:
    """Draw the results with the threshold, or examples; and what is not searched, with a way to change that."""
    notes(scope, outcome)
    result = outcome.result
    if result is None:
        if outcome.problem is None and not outcome.waits and scope.own is not None:
            controls.examples()
        coverage(scope)
        return
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        with st.container(width=430):
            controls.threshold(scope, result)
        with st.container(width=440):
            listed = results.summary(result)
            with st.container(horizontal=True, gap="small"):
                view = results.choose_view()
                coverage_button(scope)
    results.show(scope, listed, view)
    keep_index(scope)
