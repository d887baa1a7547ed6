"""How right the categories are, where true ones are known."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from lib.comparison.archive_view import VideoFacts
from lib.comparison.categories import By, VideoCategories, category_accuracy
from lib.core.formatting import percent, plural
from lib.ui.archive.filters import NONE
from lib.ui.panels import html_tables
from lib.ui.panels.html_tables import escaped


def draw(videos: Mapping[str, VideoCategories], facts: Mapping[str, VideoFacts], by: By) -> None:
    """Draw the accuracy by both ways and the confusion matrix of the chosen one; nothing without true categories."""
    true = {key: one.true_category for key, one in facts.items() if one.true_category is not None}
    result = category_accuracy(videos, true, by, nothing=NONE)
    if result.accuracy is None:
        return
    other = category_accuracy(videos, true, "mean" if by == "share" else "share")
    st.subheader("Accuracy")
    st.markdown(
        f"**{percent(result.accuracy)}**: {result.right:,} of {plural(result.videos, 'video')} with a true category "
        f"(by {'mean score' if by == 'share' else 'largest share'}: {percent(other.accuracy or 0.0)})."
    )
    columns = [str(column) for column in result.confusion.columns]
    head = "".join(f'<th scope="col" class="long">{escaped(column)}</th>' for column in columns)
    rows = []
    for label, counts in zip(result.confusion.index, result.confusion.to_numpy().tolist(), strict=True):
        cells = "".join(
            f"<td{_class(str(label), column, count)}>{count}</td>"
            for column, count in zip(columns, counts, strict=True)
        )
        rows.append(f'<tr><th scope="row">{escaped(str(label))}</th>{cells}</tr>')
    html_tables.draw(
        f'<table><thead><tr><th scope="col" class="first">True ↓ found →</th>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>",
        label="Videos by true category and category found",
    )


def _class(true: str, found: str, count: int) -> str:
    if not count:
        return ' class="same"'
    return "" if true == found else ' class="change"'
