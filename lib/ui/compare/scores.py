"""Head to head: A's score of a label against B's, and the frames that moved most."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from lib.charts.comparison import scatter_chart
from lib.comparison.comparison import Comparison
from lib.core.formatting import format_time, plural
from lib.ui.compare.page import ComparedSides
from lib.ui.components.gallery import GalleryItem, gallery
from lib.ui.panels.video import thumbnails_url
from lib.ui.session import state

_FRAMES = 8
_SCATTER = "scatter_scores"


def draw(both: ComparedSides) -> None:
    """Draw scatter, what is brushed in it, and the frames whose score moved most."""
    found = both.comparison
    assert found is not None  # noqa: S101  the page draws this with a comparison only
    if not found.labels:
        st.info("No label is on both sides, so there are no scores to hold against each other.")
        return
    label = st.selectbox("Label on both sides", list(found.labels), key="scatter_label", width=300)
    with st.container(horizontal=True, gap="small"):
        left, right = st.container(width=470), st.container(width=494)
    with left:
        event: Any = st.altair_chart(
            scatter_chart(found, label, both.colours["a"][label]),
            key=_SCATTER,
            on_select="rerun",
            selection_mode=["brush"],
            width="content",
            alt=f"Score of {label}: A across, B up, one point a sample; drag over points to see their frames",
        )
    brushed = _brushed(found, label, event["selection"].get("brush") or {})
    with right:
        if brushed is None:
            st.markdown("**Moved most**")
            items, words = _moved(both, found, label)
            st.caption(f"{words} Drag over points to see their frames instead.")
            empty = "Nothing about this label differs."
        else:
            count, items = brushed[0], _items(both, found, label, brushed[1])
            shown = f", {len(items)} of them here" if len(items) < count else ""
            st.markdown(f"**{plural(count, 'sample')} in the selection**{shown}")
            st.caption("Click beside the points to let go of it.")
            empty = "No sample in the selection."
        clicked = gallery(items, key="moved_frames", label="Frames by score", layout="grid", empty=empty)
    if clicked is not None and clicked.time_s is not None:
        state.seek(clicked.time_s)
        st.rerun()


def _brushed(
    found: Comparison, label: str, brush: dict[str, list[float]]
) -> tuple[int, list[tuple[int, int]]] | None:
    """Return how many samples the brush holds, and pairs of samples of A and B spread over them; None without one."""
    if not {"score_a", "score_b"} <= brush.keys():
        return None
    pairs = found.score_pairs(label)
    (left, right), (low, high) = sorted(brush["score_a"]), sorted(brush["score_b"])
    chosen = pairs[pairs["a"].between(left, right) & pairs["b"].between(low, high)]
    return len(chosen), _spread(chosen)


def _moved(both: ComparedSides, found: Comparison, label: str) -> tuple[list[GalleryItem], str]:
    """Return the frames whose score moved most, or where only the decision did, and what they are."""
    moved = [(one.sample_a, one.sample_b) for one in found.moved(label, _FRAMES)]
    if moved:
        return _items(both, found, label, moved), f"Frames whose score of “{label}” differs most."
    pairs = found.score_pairs(label)
    in_a = found.a.active[pairs["sample_a"], found.a.column(label)]
    in_b = found.b.active[pairs["sample_b"], found.b.column(found.matches[label])]
    rows = _spread(pairs[in_a != in_b])
    return _items(both, found, label, rows), f"Scores of “{label}” are the same; these got another label."


def _spread(pairs: pd.DataFrame) -> list[tuple[int, int]]:
    """Return samples of A and B, a few spread over all that are given."""
    places = np.linspace(0, len(pairs) - 1, min(_FRAMES, len(pairs))).round().astype(int)
    rows = pairs.iloc[places]
    return list(zip(rows["sample_a"].tolist(), rows["sample_b"].tolist(), strict=True))


def _items(
    both: ComparedSides, found: Comparison, label: str, samples: list[tuple[int, int]]
) -> list[GalleryItem]:
    base = thumbnails_url(both.a.found[0])
    items = []
    for row_a, row_b in samples:
        score_a = float(found.a.scores[row_a, found.a.column(label)])
        score_b = float(found.b.scores[row_b, found.b.column(found.matches[label])])
        said_a, said_b = found.a.sample_labels[row_a], found.b.sample_labels[row_b]
        frame, time_s = int(found.a.samples.frames[row_a]), float(found.a.samples.times_s[row_a])
        items.append(
            GalleryItem(
                id=str(frame),
                url=f"{base}/{frame}",
                title=f"A {score_a:.3f}, B {score_b:.3f}",
                subtitle=f"A {said_a or 'nothing'}\nB {said_b or 'nothing'}",
                time_s=time_s,
                colour=both.colours["b"].get(said_b or "") if said_b else None,
                alt=f"Frame at {format_time(time_s)}: score of {label} {score_a:.3f} in A, {score_b:.3f} in B",
            )
        )
    return items
