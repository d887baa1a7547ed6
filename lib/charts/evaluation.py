"""Altair charts of an evaluation: confusion matrix, precision–recall curve, F1 by threshold, reliability.

Conventions as in ``lib.charts.timeline``: what changes often is data, not specification, so that an edit doesn't make
the browser rebuild a chart. What is undefined is not drawn.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from lib.charts.palette import BLUE, LIGHT_TEXT, ON_STRONG, RULE_COLOUR, chart_label
from lib.charts.templates import FilledChart, Template, table
from lib.evaluation.evaluation import Evaluation, LabelEvaluation
from lib.evaluation.temperature import Reliability
from lib.evaluation.threshold_fit import ThresholdFit

_CELL = 42
_MAX_POINTS = 400
_KEPT = 32
_DASHES = [6, 4]


def confusion_table(evaluation: Evaluation) -> pd.DataFrame:
    """Return ``true, found, seconds, share, text``, one row per cell.

    ``share`` is of the true label's seconds, 0 to 1 (0 where it has none); ``text`` is blank below 0.05 s.
    """
    seconds = evaluation.confusion
    totals = seconds.sum(axis=1).to_numpy()[:, None]
    shares = np.divide(seconds.to_numpy(), totals, out=np.zeros(seconds.shape), where=totals > 0)
    cells = seconds.to_numpy().ravel()
    return pd.DataFrame(
        {
            "true": np.repeat([chart_label(str(label)) for label in seconds.index], seconds.shape[1]),
            "found": np.tile([chart_label(str(label)) for label in seconds.columns], seconds.shape[0]),
            "seconds": cells,
            "share": shares.ravel(),
            "text": [f"{value:.1f}" if value >= 0.05 else "" for value in cells],
        }
    )


def confusion_chart(evaluation: Evaluation, *, text: str = LIGHT_TEXT) -> FilledChart:
    """Return what is true (rows) against what is found (columns), in seconds; darker for a larger share of its row.

    ``text`` is the colour of numbers on the page's background.
    """
    cells = confusion_table(evaluation)
    rows, columns = tuple(dict.fromkeys(cells["true"])), tuple(dict.fromkeys(cells["found"]))
    return _confusion(rows, columns, text).fill({"cells": cells})


@lru_cache(maxsize=_KEPT)
def _confusion(rows: tuple[str, ...], columns: tuple[str, ...], text: str) -> Template:
    x = alt.X(
        "found",
        type="nominal",
        title="found",
        scale=alt.Scale(domain=list(columns)),
        axis=alt.Axis(orient="top", labelAngle=-30, labelLimit=130, labelOverlap=False, domain=False, ticks=False),
    )
    y = alt.Y(
        "true",
        type="nominal",
        title="true",
        scale=alt.Scale(domain=list(rows)),
        axis=alt.Axis(labelLimit=170, labelOverlap=False, domain=False, ticks=False),
    )
    tooltip = [
        alt.Tooltip("true", type="nominal"),
        alt.Tooltip("found", type="nominal"),
        alt.Tooltip("seconds", type="quantitative", format=".2f"),
        alt.Tooltip("share", type="quantitative", title="share of what is true", format=".0%"),
    ]
    base = alt.Chart(table("cells"))
    cells: alt.Chart = base.mark_rect(color=BLUE, stroke=RULE_COLOUR, strokeWidth=0.4).encode(
        x=x,
        y=y,
        fillOpacity=alt.FillOpacity(
            "share", type="quantitative", scale=alt.Scale(domain=[0, 1], range=[0.0, 1.0]), legend=None
        ),
        tooltip=tooltip,
    )
    words: alt.Chart = base.mark_text(fontSize=12).encode(
        x=x,
        y=y,
        text=alt.Text("text", type="nominal"),
        color=alt.when("datum.share > 0.45").then(alt.value(ON_STRONG)).otherwise(alt.value(text)),
        tooltip=tooltip,
    )
    return _finished([cells, words], height=_CELL * len(rows) + 110)


def curve_chart(label: LabelEvaluation, colour: str) -> FilledChart:
    """Return the precision–recall curve of a label, with the current threshold as a point on it."""
    # From high thresholds to low ones; several may have the same recall, so the order is explicit.
    curve = label.curve(_MAX_POINTS).iloc[::-1].reset_index(drop=True)
    curve["place"] = np.arange(len(curve))
    point = label.point()
    defined = point is not None and point.precision is not None and point.recall is not None
    now = pd.DataFrame(
        [[point.recall, point.precision, point.threshold]] if point is not None and defined else [],
        columns=["now_recall", "now_precision", "now_threshold"],
    ).astype(float)
    return _curve(colour).fill({"curve": curve, "now": now})


@lru_cache(maxsize=_KEPT)
def _curve(colour: str) -> Template:
    line: alt.Chart = (
        alt.Chart(table("curve"))
        # Between two thresholds, precision is that of the lower one: it is the one that reaches further.
        .mark_line(interpolate="step-before", color=colour, strokeWidth=2, clip=True)
        .encode(
            x=_share("recall", "recall"),
            y=_share("precision", "precision"),
            order=alt.Order("place", type="quantitative"),
        )
    )
    near: alt.Chart = (
        alt.Chart(table("curve"))
        .transform_filter("isValid(datum.threshold)")
        .mark_point(opacity=0, size=90)
        .encode(
            x=_share("recall", "recall"),
            y=_share("precision", "precision"),
            tooltip=_numbers({"threshold": "threshold", "precision": "precision", "recall": "recall"}),
        )
    )
    now: alt.Chart = (
        alt.Chart(table("now"))
        .mark_point(shape="diamond", filled=True, size=140, color=colour, stroke=RULE_COLOUR, opacity=1)
        .encode(
            x=_share("now_recall", "recall"),
            y=_share("now_precision", "precision"),
            tooltip=_numbers(
                {"now_threshold": "current threshold", "now_precision": "precision", "now_recall": "recall"}
            ),
        )
    )
    return _finished([line, near, now], height=300)


def fit_chart(fit: ThresholdFit, colour: str, *, now: float | None) -> FilledChart:
    """Return F1 by threshold, the best one as a point, the current one (None draws none) as a dashed rule."""
    tables = {
        "f1": fit.curve,
        "best": pd.DataFrame({"best_threshold": [fit.threshold], "best_f1": [fit.f1]}),
        "current": pd.DataFrame({"current_threshold": [] if now is None else [now]}, dtype=float),
    }
    return _fit(colour).fill(tables)


@lru_cache(maxsize=_KEPT)
def _fit(colour: str) -> Template:
    def score(field: str) -> alt.X:
        scale = alt.Scale(zero=False, nice=False)
        return alt.X(field, type="quantitative", title="threshold", scale=scale, axis=_plain())

    line: alt.Chart = (
        alt.Chart(table("f1")).mark_line(color=colour, strokeWidth=2).encode(x=score("threshold"), y=_share("f1", "F1"))
    )
    current: alt.Chart = (
        alt.Chart(table("current"))
        .mark_rule(strokeDash=_DASHES, strokeWidth=2, color=RULE_COLOUR)
        .encode(x=score("current_threshold"), tooltip=_numbers({"current_threshold": "current threshold"}))
    )
    best: alt.Chart = (
        alt.Chart(table("best"))
        .mark_point(shape="diamond", filled=True, size=140, color=colour, stroke=RULE_COLOUR, opacity=1)
        .encode(
            x=score("best_threshold"),
            y=_share("best_f1", "F1"),
            tooltip=_numbers({"best_threshold": "best threshold", "best_f1": "F1"}),
        )
    )
    return _finished([line, current, best], height=220)


def reliability_chart(reliable: Reliability) -> FilledChart:
    """Return how often the best label is right (a point per bin) by its probability; on the diagonal is calibrated."""
    diagonal = pd.DataFrame({"diagonal": [0.0, 1.0], "diagonal_y": [0.0, 1.0]})
    return _reliability().fill({"bins": reliable.frame, "calibrated": diagonal})


@lru_cache(maxsize=1)
def _reliability() -> Template:
    def probability(field: str) -> alt.X:
        axis = alt.Axis(tickCount=5, format=".1f", grid=False)
        scale = alt.Scale(domain=[0, 1], nice=False)
        return alt.X(field, type="quantitative", title="probability of the best label", scale=scale, axis=axis)

    calibrated: alt.Chart = (
        alt.Chart(table("calibrated"))
        .mark_line(strokeDash=_DASHES, strokeWidth=2, color=RULE_COLOUR)
        .encode(x=probability("diagonal"), y=_share("diagonal_y", "share of the time it is right"))
    )
    line: alt.Chart = (
        alt.Chart(table("bins"))
        .mark_line(point={"size": 60, "filled": True}, color=BLUE, strokeWidth=2)
        .encode(
            x=probability("confidence"),
            y=_share("accuracy", "share of the time it is right"),
            tooltip=_numbers(
                {
                    "confidence": "mean probability",
                    "accuracy": "right",
                    "low": "from",
                    "high": "to",
                    "seconds": "seconds",
                }
            ),
        )
    )
    return _finished([calibrated, line], height=260)


def _finished(layers: list[alt.Chart], *, height: int) -> Template:
    chart = alt.LayerChart(
        layer=layers,
        height=height,
        autosize=alt.AutoSizeParams(type="fit", contains="padding"),
        padding={"left": 2, "top": 2, "right": 8, "bottom": 2},
        config=alt.Config(mark=alt.MarkConfig(aria=False, invalid="filter", tooltip=None)),
    )
    return Template(chart)


def _plain() -> alt.Axis:
    return alt.Axis(grid=False, format=".3~f")


def _share(field: str, title: str) -> Any:
    kind = alt.X if title == "recall" else alt.Y
    scale = alt.Scale(domain=[0, 1], nice=False)
    return kind(field, type="quantitative", title=title, scale=scale, axis=alt.Axis(tickCount=5, format=".1f"))


def _numbers(fields: dict[str, str]) -> list[alt.Tooltip]:
    return [alt.Tooltip(field, type="quantitative", title=title, format=".3f") for field, title in fields.items()]
