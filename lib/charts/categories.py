"""The Altair chart of an archive: how many videos each category has."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import altair as alt
import pandas as pd

from lib.charts.layers import AXIS_WIDTH
from lib.charts.palette import chart_label
from lib.charts.templates import FilledChart, Template, table

_LANE = 26


def counts_chart(counts: Mapping[str, int], colours: Mapping[str, str]) -> FilledChart:
    """Return one bar per category, in the order of ``counts``; ``colours`` has the colour of each."""
    items = tuple((chart_label(label), str(colours[label])) for label in counts)
    frame = pd.DataFrame({"category": [label for label, _ in items], "videos": list(counts.values())})
    return _counts(items).fill({"counts": frame.astype({"category": object, "videos": int})})


# Vega ticks halves below two videos in spite of the least step: 0.5 would be written 1.
_WHOLE = alt.Axis(format=",d", tickMinStep=1, labelExpr="datum.value % 1 ? '' : datum.label")


@lru_cache(maxsize=8)
def _counts(items: tuple[tuple[str, str], ...]) -> Template:
    labels = [label for label, _ in items]
    bars: alt.Chart = (
        alt.Chart(table("counts"))
        .mark_bar()
        .encode(
            x=alt.X("videos", type="quantitative", title="videos", axis=_WHOLE),
            y=alt.Y(
                "category",
                type="nominal",
                title=None,
                scale=alt.Scale(domain=labels),
                axis=alt.Axis(labelLimit=2 * AXIS_WIDTH, labelOverlap=False, ticks=False, domain=False),
            ),
            color=alt.Color(
                "category",
                type="nominal",
                scale=alt.Scale(domain=labels, range=[colour for _, colour in items]),
                legend=None,
            ),
            tooltip=[alt.Tooltip("category", type="nominal"), alt.Tooltip("videos", type="quantitative", format=",d")],
        )
    )
    return Template(
        alt.LayerChart(
            layer=[bars], height=_LANE * len(items) + 40, autosize=alt.AutoSizeParams(type="fit", contains="padding")
        )
    )
