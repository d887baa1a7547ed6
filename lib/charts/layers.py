"""The layers that charts are made of: axes, lines, rules, bars, and selections.

Conventions: as in ``lib.charts.timeline``. Every layer on the time axis carries the same axis and scale, so that
merging them changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Literal

import altair as alt

from lib.charts.palette import RULE_COLOUR, SPIKE_COLOUR, dashes
from lib.charts.templates import table

AXIS_WIDTH = 110
"""Pixels left of every plot: axis labels, or names of lanes."""

_TIME_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)
_TICK_EVERY_PX = 110
_DASHES = [6, 4]
_LEGEND_LINE = 18


def stack(*layers: alt.Chart, height: int, title: str | None = None) -> alt.LayerChart:
    """Return the layers on top of each other, the last in front; ``height`` in pixels, with title, legend and axis."""
    heading: dict[str, Any] = {}
    if title is not None:
        heading["title"] = alt.TitleParams(
            title, anchor="start", frame="group", fontSize=13, fontWeight="normal", offset=6
        )
    return alt.LayerChart(
        layer=list(layers),
        height=height,
        autosize=alt.AutoSizeParams(type="fit", contains="padding"),
        padding={"left": 2, "top": 2, "right": 8, "bottom": 2},
        # aria: Streamlit switches it off from some number of points on, which would change the specification.
        # invalid: rows are checked for numbers when they change, not each time they are drawn.
        # tooltip: Streamlit's theme would give each point of a line one, rebuilt in each drawing.
        config=alt.Config(mark=alt.MarkConfig(aria=False, invalid="filter", tooltip=None)),
        **heading,
    )


def time_label(value: str = "datum.value") -> str:
    """Return the Vega expression that writes seconds as m:ss.s, from an hour on as h:mm:ss.s."""
    tenths = f"round({value} * 10)"
    minutes = f"format(floor({tenths} / 600), 'd')"
    hours = f"format(floor({tenths} / 36000), 'd') + ':' + format(floor({tenths} % 36000 / 600), '02d')"
    return f"[{minutes}, {hours}][({tenths} >= 36000) * 1] + ':' + format({tenths} % 600 / 10, '04.1f')"


def time_ticks() -> str:
    """Return the Vega expression for ticks at round times: multiples of 15 s, not of 20 s."""
    low, high = "domain('x')[0]", "domain('x')[1]"
    wished = f"({high} - {low}) * {_TICK_EVERY_PX} / max(width, 1)"
    steps = ", ".join(f"{step:g}" for step in _TIME_STEPS)
    # A true comparison counts as 1, so their sum is the index of the first step that is long enough.
    place = " + ".join(f"({wished} > {step:g})" for step in _TIME_STEPS[:-1])
    step = f"[{steps}][{place}]"
    return f"sequence(ceil({low} / {step}) * {step}, {high} + 1e-6, {step})"


def time_axis(field: str) -> alt.X:
    """Return the time encoding of ``field``, over all data in the chart.

    Labels and ticks are set once per chart, in ``edges``; the layers of a chart share them.
    """
    return alt.X(field, type="quantitative", title=None, scale=alt.Scale(nice=False, zero=False))


def left_axis(**options: Any) -> alt.Axis:
    """Return a vertical axis of fixed width without a title, so that plots line up."""
    return alt.Axis(minExtent=AXIS_WIDTH, maxExtent=AXIS_WIDTH, title=None, **options)


def bare_axis() -> alt.Axis:
    """Return the same axis with nothing on it."""
    return left_axis(labels=False, ticks=False, grid=False, domain=False)


def colour_of(field: str, colours: Mapping[str, str], *, legend: bool = False) -> alt.Color:
    """Return the colour encoding of a field of labels; ``colours`` maps each label, in order, to hex."""
    return alt.Color(
        field,
        type="nominal",
        scale=_label_scale(colours),
        legend=_at_top(colours) if legend else None,
    )


def _at_top(colours: Mapping[str, str]) -> alt.Legend:
    return alt.Legend(
        orient="top",
        title=None,
        columns=_legend_columns(colours),
        labelLimit=260,
        symbolType="stroke",
        symbolStrokeWidth=3,
        symbolOpacity=1,
        symbolSize=500 if any(map(dashes, colours.values())) else alt.Undefined,  # so that dashes are seen
    )


def _legend_columns(labels: Collection[str]) -> int:
    return max(1, min(6, 110 // (max(map(len, labels), default=0) + 5)))


def legend_height(labels: Collection[str]) -> int:
    """Return about how many pixels the legend's lines beyond the first take."""
    return _LEGEND_LINE * (-(-len(labels) // _legend_columns(labels)) - 1)


def _label_scale(colours: Mapping[str, str]) -> alt.Scale:
    return alt.Scale(domain=list(colours), range=list(colours.values()))


def _invalid(has_gaps: bool) -> Any:
    """Return what interrupts a line at rows without a score; it costs time in each drawing, so only where needed."""
    return "break-paths-filter-domains" if has_gaps else alt.Undefined


def strip(colours: Mapping[str, str], brush: alt.Parameter, *, has_gaps: bool = False) -> alt.Chart:
    """Return thin score lines without a scale, to draw ``brush`` on."""
    scale = alt.Scale(zero=False, nice=False)
    chart: alt.Chart = (
        alt.Chart(table("overview"))
        .mark_line(strokeWidth=1, invalid=_invalid(has_gaps))
        .encode(
            x=time_axis("time_s"),
            y=alt.Y("score", type="quantitative", axis=bare_axis(), scale=scale),
            color=colour_of("label", colours),
        )
        .add_params(brush)
    )
    return chart


def score_lines(colours: Mapping[str, str], score: str, *, has_gaps: bool = False) -> list[alt.Chart]:
    """Return the lines, those before smoothing faint behind them, and the thresholds; the legend is ``shown``."""
    # All labels start selected and a click toggles one, so the legend dims what is hidden.
    everything = [{"label": label} for label in colours]
    shown = alt.selection_point(name="shown", fields=["label"], bind="legend", toggle="true", value=everything)
    colour = colour_of("label", colours, legend=True)
    patterns = [dashes(one) for one in colours.values()]
    dashed = {}
    if any(patterns):  # else each point would be looked up for nothing
        scale = alt.Scale(domain=list(colours), range=[pattern or [1, 0] for pattern in patterns])
        dashed["strokeDash"] = alt.StrokeDash("label", type="nominal", scale=scale, legend=_at_top(colours))
    # An encoding is evaluated for each point in each drawing; a filter only when data change.
    drawn: alt.Chart = (
        alt.Chart(table("lines"))
        .transform_filter(shown)
        .mark_line(strokeWidth=1.7, clip=True, invalid=_invalid(has_gaps))
        .encode(x=time_axis("time_s"), y=_score_axis("score", score), color=colour, **dashed)
        .add_params(shown)
    )
    raw: alt.Chart = (
        alt.Chart(table("raw"))
        .transform_calculate(label="datum.raw_label")
        .transform_filter(shown)
        .mark_line(strokeWidth=1, opacity=0.35, clip=True, invalid=_invalid(has_gaps))
        .encode(x=time_axis("raw_time_s"), y=_score_axis("raw_score", score), color=colour)
    )
    note: alt.Chart = (
        alt.Chart(table("raw_note"))
        .mark_text(x="width", y=2, align="right", baseline="top", color=RULE_COLOUR, fontSize=11)
        .encode(text=alt.Text("note", type="nominal"))
    )
    of_labels: alt.Chart = (
        alt.Chart(table("own_thresholds"))
        .transform_calculate(label="datum.threshold_label")
        .transform_filter(shown)
        .mark_rule(strokeDash=_DASHES, strokeWidth=1.5)
        .encode(y=_score_axis("threshold", score), color=colour)
    )
    of_all: alt.Chart = (
        alt.Chart(table("shared_threshold"))
        .mark_rule(strokeDash=_DASHES, strokeWidth=1.5, color=RULE_COLOUR)
        .encode(y=_score_axis("shared_threshold", score))
    )
    return [raw, drawn, of_labels, of_all, note]


def _score_axis(field: str, score: str) -> alt.Y:
    scale = alt.Scale(domain=[0, 1]) if score == "probability" else alt.Scale(zero=False)
    return alt.Y(field, type="quantitative", axis=left_axis(), scale=scale)


def segment_bars(colours: Mapping[str, str]) -> alt.Chart:
    """Return one lane of bars per label; a click is ``pick`` on ``start_s``."""
    lane = left_axis(labelLimit=AXIS_WIDTH - 12, labelOverlap=False, ticks=False, domain=False)
    colour = colour_of("label", colours)
    pick = alt.selection_point(name="pick", fields=["start_s"], on="click", empty=False)
    tooltip = [
        *(alt.Tooltip(field, type="nominal") for field in ("label", "start", "end", "duration")),
        alt.Tooltip("mean", type="quantitative", title="mean score", format=".3f"),
        alt.Tooltip("peak", type="quantitative", title="peak score", format=".3f"),
        alt.Tooltip("segments", type="quantitative", title="segments drawn as one"),
    ]
    chart: alt.Chart = (
        alt.Chart(table("bars"))
        # The stroke keeps a segment of less than a pixel visible.
        .mark_bar(clip=True, strokeWidth=1, height=alt.RelativeBandSize(0.7), cursor="pointer")
        .encode(
            x=time_axis("from_s"),
            x2="to_s",
            y=alt.Y("label", type="nominal", scale=alt.Scale(domain=list(colours)), axis=lane),
            color=colour,
            stroke=alt.Stroke("label", type="nominal", scale=_label_scale(colours), legend=None),
            tooltip=tooltip,
        )
        .add_params(pick)
    )
    return chart


def true_bars(colours: Mapping[str, str]) -> alt.Chart:
    """Return the ground truth as bars, one lane per label."""
    lane = left_axis(labelLimit=AXIS_WIDTH - 12, labelOverlap=False, ticks=False, domain=False)
    chart: alt.Chart = (
        alt.Chart(table("true"))
        .mark_bar(clip=True, height=alt.RelativeBandSize(0.7))
        .encode(
            x=time_axis("from_s"),
            x2="to_s",
            y=alt.Y("label", type="nominal", scale=alt.Scale(domain=list(colours)), axis=lane),
            color=colour_of("label", colours),
            tooltip=[alt.Tooltip(field, type="nominal") for field in ("label", "start", "end")],
        )
    )
    return chart


def change_area(*, has_gaps: bool = False) -> list[alt.Chart]:
    """Return the change as an area, and triangles at the top that point at its spikes."""
    scale = alt.Scale(zero=True)
    y = alt.Y("change", type="quantitative", axis=left_axis(tickCount=3), scale=scale, stack=None)
    area: alt.Chart = (
        alt.Chart(table("change"))
        .mark_area(
            color=RULE_COLOUR,
            opacity=0.45,
            line={"color": RULE_COLOUR, "strokeWidth": 1},
            clip=True,
            invalid=_invalid(has_gaps),
        )
        .encode(x=time_axis("change_time_s"), y=y)
    )
    marks: alt.Chart = (
        alt.Chart(table("spikes"))
        .mark_point(shape="triangle-down", filled=True, size=60, color=SPIKE_COLOUR, opacity=1)
        .encode(x=time_axis("spike_s"), y=alt.value(5))
    )
    return [area, marks]


def edges() -> alt.Chart:
    """Return two invisible points that span the time axis over the window, and its labels."""
    chart: alt.Chart = alt.Chart(table("edges")).mark_point(opacity=0, size=0, aria=False)
    axis = time_axis("edge_s").axis(
        labelExpr=time_label(),
        labelFlush=True,
        labelOverlap=True,
        grid=False,
        title=None,
        values=alt.ExprRef(expr=time_ticks()),
    )
    return chart.encode(x=axis)


def gaps() -> alt.Chart:
    """Return grey bands where the video has no frames; pointing at one says so."""
    chart: alt.Chart = alt.Chart(table("gaps")).mark_rect(
        color=RULE_COLOUR, opacity=0.25, clip=True, stroke=RULE_COLOUR, strokeWidth=1, strokeDash=[2, 3]
    )
    return chart.encode(
        x=time_axis("gap_s"), x2="gap_end_s", tooltip=[alt.Tooltip("gap", type="nominal", title="lost")]
    )


def playhead() -> alt.Chart:
    """Return a rule at the playhead."""
    chart: alt.Chart = alt.Chart(table("playhead")).mark_rule(color=RULE_COLOUR, strokeWidth=2)
    return chart.encode(x=time_axis("playhead_s"))


def pointer(moments: str) -> alt.Chart:
    """Return a rule that follows the pointer from moment to moment; a click is ``pick`` on ``seconds``.

    The table ``moments`` has one row per moment, not per moment and label: to find the nearest, the browser
    makes a cell for every row. The tooltip is the row itself: a tooltip of fields would be evaluated for every
    row, pointed at or not, whenever anything in the chart changes.
    """
    near: dict[str, Any] = {"encodings": ["x"], "nearest": True, "empty": False}
    hover = alt.selection_point(name="hover", on="pointermove", clear="pointerout", **near)
    pick = alt.selection_point(name="pick", on="click", **near)
    chart: alt.Chart = (
        alt.Chart(table(moments))
        .mark_rule(color=RULE_COLOUR, strokeWidth=1, cursor="pointer", tooltip={"content": "data"})
        .encode(
            x=time_axis("seconds"),
            opacity=alt.when(hover).then(alt.value(0.9)).otherwise(alt.value(0)),
        )
        .add_params(hover, pick)
    )
    return chart


def histogram_bars(colours: Mapping[str, str], title: str, *, legend: bool) -> alt.Chart:
    """Return seconds by score; several labels are drawn over each other."""
    chart: alt.Chart = (
        alt.Chart(table("bins"))
        .mark_bar(opacity=0.45 if legend else 0.85, binSpacing=0)
        .encode(
            x=alt.X(
                "from_score",
                type="quantitative",
                title=title,
                bin="binned",
                scale=alt.Scale(zero=False, nice=False),
                axis=alt.Axis(format=".2f", grid=False),
            ),
            x2="to_score",
            y=alt.Y("seconds", type="quantitative", title="seconds", stack=None),
            color=colour_of("label", colours, legend=legend),
            tooltip=[
                alt.Tooltip("label", type="nominal"),
                _number("from_score", title="from", format=".3f"),
                _number("to_score", title="to", format=".3f"),
                _number("seconds", title="seconds", format=".1f"),
            ],
        )
    )
    return chart


def histogram_thresholds(colours: Mapping[str, str], *, legend: bool) -> alt.Chart:
    """Return the thresholds as upright dashed rules."""
    chart: alt.Chart = (
        alt.Chart(table("thresholds"))
        .transform_calculate(label="datum.threshold_label")
        .mark_rule(strokeDash=_DASHES, strokeWidth=2)
        .encode(
            x=alt.X("threshold", type="quantitative"),
            color=colour_of("label", colours, legend=legend),
            tooltip=[
                alt.Tooltip("threshold_label", type="nominal", title="threshold of"),
                _number("threshold", title="threshold", format=".3f"),
            ],
        )
    )
    return chart


def histogram_split() -> alt.Chart:
    """Return where the scores fall into two groups, as an upright rule."""
    chart: alt.Chart = (
        alt.Chart(table("splits"))
        .mark_rule(color=RULE_COLOUR, strokeWidth=3)
        .encode(
            x=alt.X("split", type="quantitative"),
            tooltip=[_number("split", title="split of two groups", format=".3f")],
        )
    )
    return chart


def reference_band(score: str) -> alt.Chart:
    """Return the range of unrelated phrases as a pale band across the plot."""
    chart: alt.Chart = (
        alt.Chart(table("band"))
        .mark_rect(color=RULE_COLOUR, opacity=0.16, clip=True)
        .encode(y=_score_axis("band_low", score), y2="band_high")
    )
    return chart


def _number(field: str, *, title: str, format: Literal[".3f", ".1f"]) -> alt.Tooltip:  # noqa: A002 - Altair's word
    return alt.Tooltip(field, type="quantitative", title=title, format=format)
