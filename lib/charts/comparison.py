"""The Altair charts of a comparison: A's score of a label against B's, and where both differ.

Conventions as in ``lib.charts.timeline``: what changes often is data, not specification, so that an edit doesn't make
the browser rebuild the chart. The selection is named ``brush``: intervals of ``score_a`` and ``score_b``.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lib.charts import layers
from lib.charts.data import MAX_BARS, edges
from lib.charts.palette import BLUE, RULE_COLOUR, VERMILION
from lib.charts.templates import FilledChart, Template, table
from lib.comparison.comparison import Comparison
from lib.core.formatting import format_time

SCATTER_POINTS = 2_000
"""More samples than this are thinned for drawing: of those in one cell of a grid, one is drawn."""
_GRIDS = (110, 72, 48, 32, 20)  # cells along each axis, tried until few enough points are left
_WHO = ("both", "only A", "only B", "neither")
_KEPT = 32


def scatter_points(comparison: Comparison, label: str) -> pd.DataFrame:
    """Return ``score_a, score_b, who, seconds``, one row per point to draw, at most ``SCATTER_POINTS``.

    Scores are float64, ``who`` says which side gives the label (both, only A, only B, neither), ``seconds`` is A's time
    of the sample. Outermost points are never left out.

    Raises:
        KeyError: not a label that both sides have.
    """
    pairs = comparison.score_pairs(label)
    in_a = comparison.a.active[pairs["sample_a"], comparison.a.column(label)]
    in_b = comparison.b.active[pairs["sample_b"], comparison.b.column(comparison.matches[label])]
    frame = pd.DataFrame(
        {
            "score_a": pairs["a"],
            "score_b": pairs["b"],
            "who": np.select([in_a & in_b, in_a, in_b], _WHO[:3], _WHO[3]),
            "seconds": pairs["time_s"],
        }
    )
    if len(frame) <= SCATTER_POINTS:
        return frame
    ends = [pick(pairs[side].to_numpy()) for side in ("a", "b") for pick in (np.argmin, np.argmax)]
    for grid in _GRIDS:
        x, y = _cells(pairs["a"].to_numpy(), grid), _cells(pairs["b"].to_numpy(), grid)
        doubled = pd.DataFrame({"x": x, "y": y, "who": frame["who"]}).duplicated().to_numpy()
        drawn = np.union1d(np.flatnonzero(~doubled), ends)
        if len(drawn) <= SCATTER_POINTS:
            break
    return frame.iloc[drawn].reset_index(drop=True)


def _cells(scores: NDArray[np.float64], grid: int) -> NDArray[np.int64]:
    low, high = scores.min(), scores.max()
    if high <= low:
        return np.zeros(len(scores), dtype=np.int64)
    cells: NDArray[np.int64] = np.minimum((scores - low) / (high - low) * grid, grid - 1).astype(np.int64)
    return cells


def scatter_chart(comparison: Comparison, label: str, colour: str, *, size: int = 380) -> FilledChart:
    """Return A's score of ``label`` (across) against B's (up), one point per sample; ``brush`` chooses some.

    Grey is the diagonal where both are equal (drawn for scores of the same kind) and the thresholds.

    Raises:
        KeyError: not a label that both sides have.
    """
    a, b = comparison.a, comparison.b
    kinds = (a.prompt_set.settings.score, b.prompt_set.settings.score)
    points = scatter_points(comparison, label)
    both = points[["score_a", "score_b"]].to_numpy()
    line = [both.min(), both.max()] if len(both) and kinds[0] == kinds[1] else []
    rules = tuple(
        float(side.thresholds[side.column(name)]) if side.uses_thresholds else None
        for side, name in ((a, label), (b, comparison.matches[label]))
    )
    tables = {
        "points": points,
        "equal": pd.DataFrame({"equal_a": line, "equal_b": line}, dtype=float),
        **{
            f"rule_{side}": pd.DataFrame({f"threshold_{side}": [value]}, dtype=float)
            for side, value in zip("ab", rules, strict=True)
            if value is not None
        },
    }
    ruled = rules[0] is not None, rules[1] is not None
    return _scatter(kinds, ruled, colour, size).fill(tables)


@lru_cache(maxsize=_KEPT)
def _scatter(kinds: tuple[str, str], ruled: tuple[bool, bool], colour: str, size: int) -> Template:
    brush = alt.selection_interval(name="brush", encodings=["x", "y"])
    scale = alt.Scale(zero=False, nice=True)
    legend = alt.Legend(orient="top", direction="horizontal")
    who = alt.Scale(domain=list(_WHO), range=[colour, VERMILION, BLUE, RULE_COLOUR])

    def axis(field: str, side: str, kind: str) -> dict[str, Any]:
        return {"field": field, "type": "quantitative", "title": f"{side}: {kind}", "scale": scale}

    x, y = axis("score_a", "A", kinds[0]), axis("score_b", "B", kinds[1])
    points: alt.Chart = (
        alt.Chart(table("points"))
        .mark_point(filled=True, size=34)
        .encode(
            x=alt.X(**x),
            y=alt.Y(**y),
            color=alt.Color("who", type="nominal", scale=who, title=None, legend=legend),
            shape=alt.Shape(
                "who",
                type="nominal",
                title=None,
                legend=legend,
                scale=alt.Scale(domain=list(_WHO), range=["circle", "triangle-right", "triangle-up", "circle"]),
            ),
            opacity=alt.when(brush).then(alt.value(0.85)).otherwise(alt.value(0.18)),
            tooltip=[
                alt.Tooltip("seconds", type="quantitative", title="time, s", format=".2f"),
                alt.Tooltip("score_a", type="quantitative", title="A", format=".3f"),
                alt.Tooltip("score_b", type="quantitative", title="B", format=".3f"),
                alt.Tooltip("who", type="nominal", title="label given by"),
            ],
        )
        .add_params(brush)
    )
    grey: dict[str, Any] = {"color": RULE_COLOUR, "strokeDash": [6, 4], "strokeWidth": 1.2}
    equal: alt.Chart = (
        alt.Chart(table("equal"))
        .mark_line(color=RULE_COLOUR, strokeWidth=1.2)
        .encode(x=alt.X("equal_a", type="quantitative"), y=alt.Y("equal_b", type="quantitative"))
    )
    across, up = alt.X("threshold_a", type="quantitative"), alt.Y("threshold_b", type="quantitative")
    rules = [
        alt.Chart(table(name)).mark_rule(**grey).encode(place)
        for name, place, wanted in (("rule_a", across, ruled[0]), ("rule_b", up, ruled[1]))
        if wanted
    ]
    layers = alt.LayerChart(layer=[equal, *rules, points])
    return Template(layers.properties(width=size, height=size))


def difference_bars(comparison: Comparison, colours_a: Mapping[str, str], colours_b: Mapping[str, str]) -> pd.DataFrame:
    """Return ``side, says, colour, from_s, to_s, start, end``: what each side says where both differ.

    At most ``MAX_BARS`` rows: of more differences the longest. A side that gives no label has no row there.
    """
    longest = sorted(comparison.disagreements, key=lambda span: span.start_s - span.end_s)[: MAX_BARS // 2]
    rows = [
        {
            "side": side,
            "says": label,
            "colour": colours[label],
            "from_s": span.start_s,
            "to_s": span.end_s,
            "start": format_time(span.start_s),
            "end": format_time(span.end_s),
        }
        for span in sorted(longest, key=lambda span: span.start_s)
        for side, label, colours in (("A", span.a, colours_a), ("B", span.b, colours_b))
        if label is not None
    ]
    return pd.DataFrame(rows, columns=["side", "says", "colour", "from_s", "to_s", "start", "end"])


def differences_chart(
    comparison: Comparison, colours_a: Mapping[str, str], colours_b: Mapping[str, str]
) -> FilledChart:
    """Return two lanes, A's and B's labels where they are not the same; on the time axis of ``lib.charts.timeline``."""
    bars = difference_bars(comparison, colours_a, colours_b)
    return _differences().fill({"differences": bars, "edges": edges(comparison.a)})


@lru_cache(maxsize=1)
def _differences() -> Template:
    lane = layers.left_axis(ticks=False, domain=False)
    bars: alt.Chart = (
        alt.Chart(table("differences"))
        .mark_bar(clip=True, height=alt.RelativeBandSize(0.7))
        .encode(
            x=layers.time_axis("from_s"),
            x2="to_s",
            y=alt.Y("side", type="nominal", scale=alt.Scale(domain=["A", "B"]), axis=lane),
            color=alt.Color("colour", type="nominal", scale=None),
            tooltip=[alt.Tooltip(field, type="nominal") for field in ("side", "says", "start", "end")],
        )
    )
    return Template(layers.stack(bars, layers.edges(), height=116, title="Differences"))
