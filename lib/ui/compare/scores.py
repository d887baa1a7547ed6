"""Score comparison: A's score of a label against B's, and the frames with the largest changes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from lib.charts.comparison import scatter_chart
from lib.comparison.comparison import Comparison
from lib.core.formatting import as_text, format_time, plural
from lib.ui.compare.page import ComparedSides
from lib.ui.components.gallery import GalleryItem, gallery
from lib.ui.panels.video import thumbnails_url
from lib.ui.session import state

_FRAMES = 8
_SCATTER = "scatter_scores"


def draw(compared: ComparedSides) -> None:
    """Draw a scatter plot of the scores, and the frames selected in it or those with the largest changes."""
    comparison = compared.comparison
    if not comparison.labels:
        st.info("No label is on both sides, so there are no scores to compare.")
        return
    label = st.selectbox("Label on both sides", list(comparison.labels), key="scatter_label", width=300)
    with st.container(horizontal=True, gap="small"):
        left, right = st.container(width=470), st.container(width=494)
    with left:
        event: Any = st.altair_chart(
            scatter_chart(comparison, label, compared.colours["a"][label]),
            key=_SCATTER,
            on_select="rerun",
            selection_mode=["brush"],
            width="content",
            alt=f"Score of {label}: A across, B up, one point per sample; drag over points to see their frames",
        )
    brushed = _brushed(comparison, label, event["selection"].get("brush") or {})
    with right:
        if brushed is None:
            st.markdown("**Largest changes**")
            items, words = _moved(compared, label)
            st.caption(f"{as_text(words)} Drag over points to see their frames instead.")
            empty = "Nothing differs for this label."
        else:
            count, items = brushed[0], _items(compared, label, brushed[1])
            part = f", {len(items)} of them here" if len(items) < count else ""
            st.markdown(f"**{plural(count, 'sample')} in the selection**{part}")
            st.caption("Click beside the points to clear the selection.")
            empty = "No sample in the selection."
        clicked = gallery(items, key="moved_frames", label="Frames by score", empty=empty)
    if clicked is not None and clicked.time_s is not None:
        state.session().seek(clicked.time_s)
        st.rerun()


def _brushed(
    comparison: Comparison, label: str, brush: dict[str, list[float]]
) -> tuple[int, list[tuple[int, int]]] | None:
    """Return how many samples the brush holds, and pairs of samples of A and B spread over it; None without a brush."""
    if not {"score_a", "score_b"} <= brush.keys():
        return None
    pairs = comparison.score_pairs(label)
    (left, right), (low, high) = sorted(brush["score_a"]), sorted(brush["score_b"])
    chosen = pairs[pairs["a"].between(left, right) & pairs["b"].between(low, high)]
    return len(chosen), _spread(chosen)


def _moved(compared: ComparedSides, label: str) -> tuple[list[GalleryItem], str]:
    """Return the frames whose score changed most, or where only the decision did, and words about them."""
    comparison = compared.comparison
    moved = [(change.sample_a, change.sample_b) for change in comparison.moved(label, _FRAMES)]
    if moved:
        return _items(
            compared, label, moved
        ), f"Frames whose score of “{label}” differs most, and by far enough to count."
    pairs = comparison.score_pairs(label)
    in_a = comparison.a.active[pairs["sample_a"], comparison.a.column(label)]
    in_b = comparison.b.active[pairs["sample_b"], comparison.b.column(comparison.matches[label])]
    rows = _spread(pairs[in_a != in_b])
    return _items(compared, label, rows), f"Scores of “{label}” hardly differ; these got another label."


def _spread(pairs: pd.DataFrame) -> list[tuple[int, int]]:
    """Return a few of the given pairs of samples of A and B, evenly spread."""
    places = np.linspace(0, len(pairs) - 1, min(_FRAMES, len(pairs))).round().astype(int)
    rows = pairs.iloc[places]
    return list(zip(rows["sample_a"].tolist(), rows["sample_b"].tolist(), strict=True))


def _items(compared: ComparedSides, label: str, samples: list[tuple[int, int]]) -> list[GalleryItem]:
    comparison, base = compared.comparison, thumbnails_url(compared.a.info)
    items = []
    for row_a, row_b in samples:
        score_a = float(comparison.a.scores[row_a, comparison.a.column(label)])
        score_b = float(comparison.b.scores[row_b, comparison.b.column(comparison.matches[label])])
        label_a, label_b = comparison.a.sample_labels[row_a], comparison.b.sample_labels[row_b]
        frame, time_s = int(comparison.a.samples.frames[row_a]), float(comparison.a.samples.times_s[row_a])
        items.append(
            GalleryItem(
                id=str(frame),
                url=f"{base}/{frame}",
                title=f"A {score_a:.3f}, B {score_b:.3f}",
                subtitle=f"A {label_a or 'nothing'}\nB {label_b or 'nothing'}",
                time_s=time_s,
                colour=compared.colours["b"].get(label_b or "") if label_b else None,
                alt=f"Frame at {format_time(time_s)}: score of {label} {score_a:.3f} in A, {score_b:.3f} in B",
            )
        )
    return items
