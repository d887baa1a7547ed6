"""Lists of many, a page at a time: which places are on the page that is chosen, and the numbers below it."""

from __future__ import annotations

import streamlit as st


def places(key: str, count: int, per_page: int) -> range:
    """Return the places of ``count`` things that are on the page that ``numbers`` shows as chosen."""
    number = st.session_state.get(key, 1) if count > per_page else 1
    first = (min(number, -(-count // per_page)) - 1) * per_page
    return range(max(first, 0), min(first + per_page, count))


def numbers(key: str, count: int, per_page: int) -> None:
    """Draw the pages' numbers; nothing where there is one page."""
    if count > per_page:
        st.pagination(-(-count // per_page), key=key)
