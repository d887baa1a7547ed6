"""Which videos of the archive are shown: by name, category, label, share and length, and in which order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from lib.comparison.archive_view import ORDERS, ArchiveView, VideoFacts
from lib.comparison.categories import BY, By, VideoCategories, counts
from lib.core.formatting import as_text

NONE = "no category"
"""What a video without one is called."""
_BY_NAMES: Mapping[By, str] = {"share": "Largest share", "mean": "Highest mean score"}
_ORDER_NAMES = {
    "category": "Category",
    "name": "Name",
    "length": "Length",
    "share": "Share",
    "duration": "Duration",
    "first_seen": "First seen",
    "peak": "Peak score",
}


def choose(videos: Mapping[str, VideoCategories], facts: Mapping[str, VideoFacts]) -> ArchiveView:
    """Draw counts and filters; return what is to be shown."""
    labels = [one.label for one in next(iter(videos.values())).labels] if videos else []
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        by = st.segmented_control(
            "Category by", BY, format_func=_BY_NAMES.__getitem__, default="share", required=True, **kept("by")
        )
        text = st.text_input("Name", placeholder="Filter", width=150, **kept("text"))
        label = st.selectbox(
            "Label",
            labels,
            index=None,
            placeholder="Any",
            width=170,
            help="Only videos that have it; share, duration, first seen and peak are then this label’s.",
            **kept("label"),
        )
        percent_from = st.number_input("Share from (%)", 0, 100, 0, 5, width=130, **kept("share"))
        order = st.selectbox("Order", ORDERS, format_func=_ORDER_NAMES.__getitem__, width=140, **kept("order"))
        with st.popover("More filters", icon=":material/filter_list:"):
            restricted = st.toggle("Something restricted", **kept("restricted"))
            disagree = st.toggle("Share and mean score disagree", **kept("disagree"))
            known = any(one.true_category for one in facts.values())
            wrong = st.toggle("Not the true category", disabled=not known, **kept("wrong"))
            length_s = _lengths(facts)
    return ArchiveView(
        by=by,
        text=text or "",
        categories=_choose_categories(videos, by),
        label=label,
        min_share=float(percent_from or 0) / 100,
        restricted=restricted,
        disagree=disagree,
        wrong=wrong,
        length_s=length_s,
        order=order,
    )


def kept(name: str) -> dict[str, Any]:
    """Return the options of a widget whose value stays while other pages are looked at."""
    return {"key": f"archive_{name}", "persist_state": "session"}


def _lengths(facts: Mapping[str, VideoFacts]) -> tuple[float, float] | None:
    if not any(one.duration_s > 0 for one in facts.values()):
        return None
    with st.container(horizontal=True):
        low = st.number_input("Longer than (s)", 0.0, 1e6, 0.0, **kept("longer"))
        high = st.number_input("Shorter than (s)", 0.0, 1e6, None, placeholder="Any", **kept("shorter"))
    return None if not low and high is None else (float(low or 0), float("inf") if high is None else float(high))


def _choose_categories(videos: Mapping[str, VideoCategories], by: By) -> tuple[str, ...]:
    number = {name or "": count for name, count in counts(videos, by).items()}
    chosen = st.pills(
        "Categories",
        list(number),
        format_func=lambda name: f"{as_text(name) if name else NONE} · {number[name]:,}",
        selection_mode="multi",
        label_visibility="collapsed",
        **kept(f"categories_{by}"),
    )
    return tuple(chosen or ())
