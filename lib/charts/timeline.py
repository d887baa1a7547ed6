"""Altair charts of an analysis: tables in, ``alt.Chart`` out.

The charts are stacked and share the time axis: their plots are aligned by a left axis of fixed width, and their axes
span the same window. A brush in ``overview_chart`` zooms; the others are then made of data for that window
(``chart_data``), with more detail.

Conventions: what changes often is data, not specification, since a changed specification makes the browser
rebuild the chart. The window is spanned by two invisible points, thresholds and playhead are tables, and
a table that is empty keeps its layer. A specification depends on labels, colours and the kind of score
only. ``colours`` maps every label to hex. Selections are named ``brush`` (an interval of ``time_s`` in the
overview), ``pick`` (a click:
``seconds``, or ``start_s`` of a segment) and ``shown`` (clicks on the legend).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import altair as alt
import pandas as pd

from lib.analysis.analysis import Analysis
from lib.charts import layers
from lib.charts.data import ChartData, histogram, overview_data
from lib.charts.palette import chart_label, label_colours
from lib.charts.templates import FilledChart, Template
from lib.core.formatting import format_time
from lib.core.labelled_intervals import TrueSegment

LANE_HEIGHT = 26
"""Pixels per label in ``segments_chart``."""

_Items = tuple[tuple[str, str], ...]  # label and colour, in order
_KEPT = 32  # templates of each kind
_FRAME_HEIGHT = 62  # of title and time axis
_CHANGE_TITLE = "Scene change (1 − cosine)"


def overview_chart(analysis: Analysis, colours: Mapping[str, str] | None = None, *, height: int = 84) -> FilledChart:
    """Return the whole video as a strip; ``brush``, an interval of ``time_s``, chooses a window."""
    tables = overview_data(analysis)
    template = _overview(_items(analysis.labels, _colours(analysis, colours)), height, _has_gaps(tables["overview"]))
    return template.fill(tables)


def _has_gaps(lines: pd.DataFrame) -> bool:
    return bool(lines["score"].isna().any())


@lru_cache(maxsize=_KEPT)
def _overview(items: _Items, height: int, has_gaps: bool) -> Template:
    brush = alt.selection_interval(name="brush", encodings=["x"])
    lines = layers.strip(dict(items), brush, has_gaps=has_gaps)
    return Template(layers.stack(layers.gaps(), lines, layers.edges(), height=height))


def scores_chart(
    data: ChartData,
    colours: Mapping[str, str],
    *,
    playhead_s: float | None = None,
    band: tuple[float, float] | None = None,
    height: int = 300,
) -> FilledChart:
    """Return the scores over time with thresholds as dashed rules, grey where labels share one.

    A click on the legend shows or hides a label; a click in the plot is ``pick`` on the nearest ``seconds``;
    pointing shows time and scores. ``band`` is the range of scores that is drawn behind the lines.
    """
    tables = {
        "lines": data.lines,
        "raw": data.raw,
        "raw_note": data.raw_note,
        "own_thresholds": data.own_thresholds,
        "shared_threshold": data.shared_threshold,
        "moments": data.moments,
    }
    if band is not None:
        tables["band"] = pd.DataFrame({"band_low": [band[0]], "band_high": [band[1]]})
    has_gaps = _has_gaps(data.lines)
    template = _scores(_items(data.labels, colours), data.score, height, has_gaps, band is not None)
    return template.fill({**tables, **_common(data, playhead_s)})


@lru_cache(maxsize=_KEPT)
def _scores(items: _Items, score: str, height: int, has_gaps: bool, has_band: bool) -> Template:
    colours = dict(items)
    return Template(
        layers.stack(
            *([layers.reference_band(score)] if has_band else []),
            layers.gaps(),
            *layers.score_lines(colours, score, has_gaps=has_gaps),
            layers.edges(),
            layers.playhead(),
            layers.pointer("moments"),
            height=height + layers.legend_height(colours),
            title=f"Score: {score}",
        )
    )


def segments_chart(data: ChartData, colours: Mapping[str, str], *, playhead_s: float | None = None) -> FilledChart:
    """Return one lane of segments per label; a click on a segment is ``pick`` on its ``start_s``."""
    return _segments(_items(data.labels, colours)).fill({"bars": data.bars, **_common(data, playhead_s)})


@lru_cache(maxsize=_KEPT)
def _segments(items: _Items) -> Template:
    return Template(
        layers.stack(
            layers.gaps(),
            layers.segment_bars(dict(items)),
            layers.edges(),
            layers.playhead(),
            height=LANE_HEIGHT * len(items) + _FRAME_HEIGHT,
            title="Segments",
        )
    )


def truth_chart(truth: Sequence[TrueSegment], data: ChartData, colours: Mapping[str, str]) -> FilledChart:
    """Return one lane of the ground truth per label, in the order of ``colours``, on the time axis of the others."""
    inside = [one for one in truth if one.end_s > data.start_s and one.start_s < data.end_s]
    bars = pd.DataFrame(
        {
            "label": pd.Series([chart_label(one.label) for one in inside], dtype=object),
            "from_s": pd.Series([max(one.start_s, data.start_s) for one in inside], dtype=float),
            "to_s": pd.Series([min(one.end_s, data.end_s) for one in inside], dtype=float),
            "start": pd.Series([format_time(one.start_s) for one in inside], dtype=object),
            "end": pd.Series([format_time(one.end_s) for one in inside], dtype=object),
        }
    )
    items = tuple((chart_label(label), colour) for label, colour in colours.items())
    return _truth(items).fill({"true": bars, "edges": data.edges, "gaps": data.gaps})


@lru_cache(maxsize=_KEPT)
def _truth(items: _Items) -> Template:
    height = LANE_HEIGHT * len(items) + _FRAME_HEIGHT
    bars = layers.true_bars(dict(items))
    return Template(layers.stack(layers.gaps(), bars, layers.edges(), height=height, title="Ground truth"))


def change_chart(data: ChartData, *, playhead_s: float | None = None, height: int = 150) -> FilledChart:
    """Return 1 - cosine of neighbours with spikes marked; a click is ``pick`` on the nearest ``seconds``."""
    tables = {"change": data.change, "spikes": data.spikes, "change_moments": data.change_moments}
    return _change(height, bool(data.change["change"].isna().any())).fill({**tables, **_common(data, playhead_s)})


@lru_cache(maxsize=_KEPT)
def _change(height: int, has_gaps: bool) -> Template:
    return Template(
        layers.stack(
            layers.gaps(),
            *layers.change_area(has_gaps=has_gaps),
            layers.edges(),
            layers.playhead(),
            layers.pointer("change_moments"),
            height=height,
            title=_CHANGE_TITLE,
        )
    )


def histogram_chart(
    analysis: Analysis,
    colours: Mapping[str, str] | None = None,
    *,
    label: str | None = None,
    split: float | None = None,
    height: int = 260,
) -> FilledChart:
    """Return how many seconds have which score, of one label or (None) of all, thresholds as dashed rules.

    ``split``, where they fall into two groups, is drawn as a rule.
    """
    labels = analysis.labels if label is None else (label,)
    bins, thresholds = histogram(analysis, label)
    title = f"score: {analysis.prompt_set.settings.score}"
    template = _histogram(_items(labels, _colours(analysis, colours)), title, height, label is None)
    splits = pd.DataFrame({"split": [] if split is None else [split]}, dtype=float)
    return template.fill({"bins": bins, "thresholds": thresholds, "splits": splits})


@lru_cache(maxsize=_KEPT)
def _histogram(items: _Items, title: str, height: int, legend: bool) -> Template:
    colours = dict(items)
    return Template(
        layers.stack(
            layers.histogram_bars(colours, title, legend=legend),
            layers.histogram_thresholds(colours, legend=legend),
            layers.histogram_split(),
            height=height + (layers.legend_height(colours) if legend else 0),
        )
    )


def _common(data: ChartData, playhead_s: float | None) -> dict[str, pd.DataFrame]:
    inside = playhead_s is not None and data.start_s <= playhead_s <= data.end_s
    playhead = pd.DataFrame({"playhead_s": pd.Series([playhead_s] if inside else [], dtype=float)})
    return {"edges": data.edges, "gaps": data.gaps, "playhead": playhead}


def _items(labels: Sequence[str], colours: Mapping[str, str]) -> _Items:
    return tuple((chart_label(label), colours[label]) for label in labels)


def _colours(analysis: Analysis, colours: Mapping[str, str] | None) -> Mapping[str, str]:
    return label_colours(analysis.prompt_set.prompts) if colours is None else colours
