from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import altair as alt
import jsonschema
import numpy as np
import pandas as pd
import pytest

from lib.analysis.analysis import Analysis
from lib.charts import palette, templates, timeline
from lib.charts.data import MAX_BARS, MAX_MOMENTS, MAX_POINTS, MAX_ROWS, MIN_POINTS, chart_data, histogram
from lib.charts.layers import AXIS_WIDTH, RULE_COLOUR, time_label, time_ticks
from lib.core.formatting import format_time
from lib.core.samples import Samples
from lib.prompts.model import COLOUR_NAMES, Prompt, PromptSet, Settings, Smoothing
from tests.helpers.arrays import analyse_scores, every, prompt_set, samples_at, unit_rows

COLOURS = {"a": "#111111", "b": "#222222", "c": "#333333"}


@pytest.fixture
def analysis(rng: np.random.Generator) -> Analysis:
    """Three labels over 200 samples 0.5 s apart; thresholds decide, b has its own."""
    walk = np.cumsum(rng.normal(scale=0.05, size=(200, 3)), axis=0) % 1.0
    chosen = PromptSet(
        "x",
        (Prompt("a"), Prompt("b", threshold=0.7), Prompt("c")),
        settings=Settings(decision="threshold", threshold=0.5),
    )
    return analyse_scores(walk, chosen, every(0.5, 200, unit_rows(rng, 200, 16)))


def all_charts(analysis: Analysis, **options: Any) -> dict[str, templates.FilledChart]:
    data = chart_data(analysis, window=options.get("window"))
    playhead: dict[str, Any] = {"playhead_s": options.get("playhead_s")}
    return {
        "overview": timeline.overview_chart(analysis, COLOURS),
        "scores": timeline.scores_chart(data, COLOURS, **playhead),
        "segments": timeline.segments_chart(data, COLOURS, **playhead),
        "change": timeline.change_chart(data, **playhead),
        "histogram": timeline.histogram_chart(analysis, COLOURS),
        "histogram of one": timeline.histogram_chart(analysis, COLOURS, label="b"),
        "timeline": timeline.timeline_chart(analysis, COLOURS),
    }


def parts(spec: Any) -> Iterator[dict[str, Any]]:
    """Yield every mapping in a specification, but none of its data."""
    if isinstance(spec, dict):
        yield spec
        for key, value in spec.items():
            if key not in ("data", "config"):
                yield from parts(value)
    elif isinstance(spec, list):
        for value in spec:
            yield from parts(value)


def layer(spec: dict[str, Any], mark: str, field: str) -> dict[str, Any]:
    """Return the one layer with this mark that encodes ``field``."""
    found = [
        part
        for part in parts(spec)
        if isinstance(part.get("mark"), dict)
        and part["mark"]["type"] == mark
        and field
        in {channel.get("field") for channel in part["encoding"].values() if isinstance(channel, dict)}
    ]
    assert len(found) == 1, f"{len(found)} layers"
    return found[0]


def rows(part: dict[str, Any]) -> list[dict[str, Any]]:
    values: list[dict[str, Any]] = part["data"]["values"]
    return values


def without_data(spec: Any) -> Any:
    """Return the specification with every table's content left out."""
    if isinstance(spec, dict):
        return {key: None if key == "data" else without_data(value) for key, value in spec.items()}
    return [without_data(value) for value in spec] if isinstance(spec, list) else spec


def test_every_chart_is_valid_vega_lite(analysis: Analysis) -> None:
    validator = jsonschema.Draft7Validator(alt.load_schema())
    for name, chart in all_charts(analysis, playhead_s=10.0).items():
        spec = chart.to_dict()
        assert not list(validator.iter_errors(spec)), name
        assert json.loads(json.dumps(spec, allow_nan=False)) == spec


def test_an_edit_changes_data_and_leaves_the_specification(analysis: Analysis) -> None:
    """A changed specification makes the browser build the chart anew and forget the zoom."""
    settings = replace(
        analysis.prompt_set.settings,
        decision="best",
        threshold=0.9,
        smoothing=Smoothing("median", 9),
        min_duration_s=3.0,
    )
    prompts = tuple(replace(prompt, threshold=0.1) for prompt in analysis.prompt_set.prompts)
    edited = analyse_scores(
        analysis.cosine, replace(analysis.prompt_set, prompts=prompts, settings=settings), analysis.samples
    )
    before = all_charts(analysis)
    after = all_charts(edited, window=(20.0, 30.0), playhead_s=25.0)
    for name in before:
        assert without_data(after[name].to_dict()) == without_data(before[name].to_dict()), name
    assert after["scores"].to_dict() != before["scores"].to_dict()


def test_tables_of_one_chart_never_have_the_same_columns(analysis: Analysis) -> None:
    """Streamlit names tables by their content: two that are equal, such as empty ones, would become one."""
    nothing = analyse_scores(
        [[0.1, 0.1, 0.1]] * 3, prompt_set("a", "b", "c", decision="threshold", threshold=0.9)
    )
    for name, chart in all_charts(nothing).items():
        shapes = [tuple(table.columns) for table in chart.tables.values()]
        if name == "timeline":
            shapes.remove(("time_s", "label", "score"))  # strip and lanes; inline in an export
        assert len(set(shapes)) == len(shapes), name


def test_all_lanes_show_the_same_window_and_have_the_same_left_axis(analysis: Analysis) -> None:
    for window in (None, (20.0, 40.0)):
        made = all_charts(analysis, window=window)
        for name in ("scores", "segments", "change"):
            spec = made[name].to_dict()
            assert [row["edge_s"] for row in rows(layer(spec, "point", "edge_s"))] == list(
                window or (0.0, 100.0)
            )
            axes = [part["axis"] for part in parts(spec) if part.get("axis") and "minExtent" in part["axis"]]
            assert axes
            assert {(axis["minExtent"], axis["maxExtent"], axis["title"]) for axis in axes} == {
                (AXIS_WIDTH, AXIS_WIDTH, None)
            }
            scales = [part["x"]["scale"] for part in parts(spec) if isinstance(part.get("x"), dict)]
            assert scales
            assert all(scale == {"nice": False, "zero": False} for scale in scales)


def test_nothing_is_drawn_outside_the_window(analysis: Analysis) -> None:
    data = chart_data(analysis, window=(20.25, 40.25))
    for table, column in (
        (data.lines, "time_s"),
        (data.moments, "seconds"),
        (data.bars, "from_s"),
        (data.bars, "to_s"),
        (data.change, "change_time_s"),
        (data.spikes, "spike_s"),
    ):
        assert len(table) or column == "spike_s"
        assert table[column].between(20.25, 40.25).all()


def test_lines_go_on_to_the_edges_of_the_window() -> None:
    analysis = analyse_scores([[0.0], [1.0], [0.0], [0.5]], prompt_set("a"))
    data = chart_data(analysis, window=(0.5, 2.5))
    assert data.lines["time_s"].tolist() == [0.5, 1.0, 2.0, 2.5]
    assert data.lines["score"].tolist() == pytest.approx([0.5, 1.0, 0.0, 0.25])
    between = chart_data(analysis, window=(1.25, 1.75))
    assert between.lines["score"].tolist() == pytest.approx([0.75, 0.25])
    assert data.moments["seconds"].tolist() == [1.0, 2.0]


def test_a_segment_is_cut_for_drawing_and_told_whole(analysis: Analysis) -> None:
    cut = analyse_scores([[1.0]] * 10, prompt_set("a"))
    (bar,) = chart_data(cut, window=(2.0, 4.0)).bars.to_dict("records")
    assert (bar["from_s"], bar["to_s"]) == (2.0, 4.0)
    assert (bar["start_s"], bar["end_s"], bar["start"], bar["end"], bar["duration"]) == (
        0.0,
        10.0,
        "0:00.0",
        "0:10.0",
        "10.0 s",
    )
    assert chart_data(cut, window=(2.0, 4.0)).bars["label"].tolist() == ["a"]
    drawn = chart_data(analysis).bars
    assert len(drawn) == len(analysis.segments)
    assert (drawn["start_s"] == drawn["from_s"]).all()


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        (None, (0.0, 10.0)),
        ((-5.0, 4.0), (0.0, 4.0)),
        ((4.0, 40.0), (4.0, 10.0)),
        ((3.0, 3.0), (3.0, 3.001)),
        ((50.0, 60.0), (9.999, 10.0)),
    ],
)
def test_a_window_is_kept_inside_the_video(window: Any, expected: tuple[float, float]) -> None:
    data = chart_data(analyse_scores([[0.1]] * 10, prompt_set("a")), window=window)
    assert (data.start_s, data.end_s) == pytest.approx(expected)


def test_the_shared_threshold_is_one_grey_rule_and_own_ones_have_their_labels_colour(
    analysis: Analysis,
) -> None:
    spec = timeline.scores_chart(chart_data(analysis), COLOURS).to_dict()
    shared = layer(spec, "rule", "shared_threshold")
    assert rows(shared) == [{"shared_threshold": 0.5}]
    assert shared["mark"]["color"] == RULE_COLOUR
    own = layer(spec, "rule", "threshold")
    assert rows(own) == [{"threshold_label": "b", "threshold": 0.7}]
    assert own["encoding"]["color"]["field"] == "label"
    assert own["encoding"]["color"]["scale"] == {"domain": ["a", "b", "c"], "range": list(COLOURS.values())}
    assert own["transform"][0] == {"calculate": "datum.threshold_label", "as": "label"}
    assert "strokeDash" in own["mark"]


def test_without_thresholds_in_the_decision_none_is_drawn(analysis: Analysis) -> None:
    settings = replace(analysis.prompt_set.settings, decision="best")
    best = analyse_scores(analysis.cosine, replace(analysis.prompt_set, settings=settings), analysis.samples)
    data = chart_data(best)
    assert data.own_thresholds.empty
    assert data.shared_threshold.empty
    assert histogram(best)[1].empty


def test_where_all_labels_have_their_own_threshold_the_shared_one_is_not_drawn() -> None:
    chosen = PromptSet("x", (Prompt("a", threshold=0.1),), settings=Settings(decision="threshold"))
    assert chart_data(analyse_scores([[0.3]], chosen)).shared_threshold.empty


def test_the_legend_shows_and_hides_lines_and_thresholds(analysis: Analysis) -> None:
    spec = timeline.scores_chart(chart_data(analysis), COLOURS).to_dict()
    (shown,) = [param for param in spec["params"] if param["name"] == "shown"]
    assert shown["bind"] == "legend"
    assert shown["select"] == {"type": "point", "fields": ["label"], "toggle": "true"}
    assert shown["value"] == [{"label": label} for label in "abc"]
    for part in (layer(spec, "line", "score"), layer(spec, "rule", "threshold")):
        assert part["transform"][-1] == {"filter": {"param": "shown"}}


def test_a_click_is_the_nearest_time_and_pointing_tells_all_scores(analysis: Analysis) -> None:
    data = chart_data(analysis)
    spec = timeline.scores_chart(data, COLOURS).to_dict()
    by_name = {param["name"]: param for param in spec["params"]}
    pick = by_name["pick"]["select"]
    assert (pick["type"], pick["encodings"], pick["nearest"], pick["on"]) == ("point", ["x"], True, "click")
    assert by_name["hover"]["select"]["on"] == "pointermove"
    pointer = layer(spec, "rule", "seconds")
    assert by_name["pick"]["views"] == by_name["hover"]["views"] == [pointer["name"]]
    assert pointer["mark"]["tooltip"] == {"content": "data"}
    assert len(rows(pointer)) == 200
    scores = {label: f"{analysis.scores[3, i]:.3f}" for i, label in enumerate("abc")}
    assert rows(pointer)[3] == {"seconds": 1.5, "time": "0:01.5", **scores}


def test_a_moment_is_never_before_its_sample() -> None:
    times = np.arange(2_000) / 29.97
    analysis = analyse_scores([[0.1]] * 2_000, prompt_set("a"), every(1 / 29.97, 2_000))
    shown = chart_data(analysis, window=(0.0, 10.0)).moments["seconds"].to_numpy()
    nearest = times[np.searchsorted(times, shown, side="right") - 1]
    assert (shown >= nearest).all()
    assert (shown - nearest).max() <= 1.01e-4


def test_names_of_labels_are_shown_as_they_are() -> None:
    """Dots and brackets in a field's name would mean nesting, and some names mean something to a tooltip."""
    odd = ("a.b[0]'\"\\", "time", "seconds", "image", "title", "plain")
    analysis = analyse_scores([[0.1] * len(odd)], prompt_set(*odd))
    colours = dict.fromkeys(odd, "#111111")
    spec = timeline.scores_chart(chart_data(analysis), colours).to_dict()
    (row,) = rows(layer(spec, "rule", "seconds"))
    assert [name.strip("\u00a0") for name in row] == ["seconds", "time", *odd]
    assert len(row) == len(odd) + 2
    assert not {"image", "title"} & set(row)


def test_only_marks_to_point_at_have_tooltips(analysis: Analysis) -> None:
    """Streamlit's theme would give one to each point of a line, put together anew in each drawing."""
    data = chart_data(analysis)
    for chart in (
        timeline.overview_chart(analysis),
        timeline.scores_chart(data, COLOURS),
        timeline.change_chart(data),
    ):
        spec = chart.to_dict()
        assert spec["config"]["mark"]["tooltip"] is None
        for part in spec["layer"]:
            assert ("tooltip" in part["mark"]) == ("seconds" in str(part["encoding"]))


def test_segments_have_a_lane_a_label_also_where_there_are_none() -> None:
    analysis = analyse_scores([[0.1, 0.2, 0.3]] * 4, prompt_set("a", "b", "c"))
    spec = timeline.segments_chart(chart_data(analysis), COLOURS).to_dict()
    bars = layer(spec, "bar", "label")
    assert bars["encoding"]["y"]["scale"]["domain"] == ["a", "b", "c"]
    assert [row["label"] for row in rows(bars)] == ["c"]
    assert [tip["field"] for tip in bars["encoding"]["tooltip"]] == [
        "label",
        "start",
        "end",
        "duration",
        "mean",
        "peak",
        "segments",
    ]
    (pick,) = spec["params"]
    assert (pick["name"], pick["select"]["fields"], pick["select"]["on"]) == ("pick", ["start_s"], "click")


def test_the_height_of_the_lanes_goes_with_their_number() -> None:
    def height(*labels: str) -> int:
        analysis = analyse_scores([[0.1] * len(labels)], prompt_set(*labels))
        found: int = timeline.segments_chart(chart_data(analysis), COLOURS).to_dict()["height"]
        return found

    assert height("a", "b", "c") - height("a", "b") == timeline.LANE_HEIGHT


def test_the_change_lane_marks_spikes() -> None:
    vectors = np.tile(np.array([[1.0, 0.0]], dtype=np.float32), (40, 1))
    vectors[20:] = [0.0, 1.0]
    analysis = analyse_scores([[0.1]] * 40, prompt_set("a"), every(1.0, 40, vectors))
    spec = timeline.change_chart(chart_data(analysis)).to_dict()
    assert rows(layer(spec, "point", "spike_s")) == [{"spike_s": 20.0, "spike": 1.0, "time": "0:20.0"}]
    area = {row["change_time_s"]: row["change"] for row in rows(layer(spec, "area", "change"))}
    assert area[20.0] == 1.0
    assert sum(area.values()) == 1.0


def test_the_overview_has_a_brush_over_the_whole_video(analysis: Analysis) -> None:
    spec = timeline.overview_chart(analysis).to_dict()
    (brush,) = spec["params"]
    assert (brush["name"], brush["select"]) == ("brush", {"type": "interval", "encodings": ["x"]})
    strip = layer(spec, "line", "score")
    assert strip["encoding"]["x"]["field"] == "time_s"
    assert strip["name"] in brush["views"]
    assert {row["time_s"] for row in rows(strip)} >= {0.0, 99.5}


def test_the_playhead_is_data_and_shows_inside_the_window_only(analysis: Analysis) -> None:
    data = chart_data(analysis, window=(10.0, 20.0))
    for playhead_s, shown in ((None, []), (15.0, [15.0]), (25.0, [])):
        for chart in (
            timeline.scores_chart(data, COLOURS, playhead_s=playhead_s),
            timeline.segments_chart(data, COLOURS, playhead_s=playhead_s),
            timeline.change_chart(data, playhead_s=playhead_s),
        ):
            part = layer(chart.to_dict(), "rule", "playhead_s")
            assert [row["playhead_s"] for row in rows(part)] == shown
            assert part["mark"]["color"] == RULE_COLOUR


def test_no_rule_is_left_in_the_default_black(analysis: Analysis) -> None:
    for chart in all_charts(analysis).values():
        for part in parts(chart.to_dict()):
            if isinstance(part.get("mark"), dict) and part["mark"]["type"] == "rule":
                assert part["mark"].get("color") == RULE_COLOUR or "color" in part["encoding"]


def test_a_histogram_counts_the_seconds_of_all_samples_and_holds_the_thresholds(analysis: Analysis) -> None:
    spec = timeline.histogram_chart(analysis, COLOURS).to_dict()
    bars = layer(spec, "bar", "seconds")
    assert sum(row["seconds"] for row in rows(bars)) == pytest.approx(3 * 100.0)
    rules = layer(spec, "rule", "threshold")
    assert {row["threshold_label"]: row["threshold"] for row in rows(rules)} == {"a": 0.5, "b": 0.7, "c": 0.5}
    one = timeline.histogram_chart(analysis, COLOURS, label="b").to_dict()
    assert {row["label"] for row in rows(layer(one, "bar", "seconds"))} == {"b"}
    assert [row["threshold"] for row in rows(layer(one, "rule", "threshold"))] == [0.7]
    inside = [row for row in rows(layer(one, "bar", "seconds")) if row["from_score"] >= 0.7]
    assert sum(row["seconds"] for row in inside) <= analysis.metrics[1].duration_s + 1e-9


def test_a_histogram_weighs_samples_by_their_spans() -> None:
    analysis = analyse_scores([[0.0], [1.0]], prompt_set("a"), samples_at([0.0, 9.0], 10.0))
    bins, _ = histogram(analysis)
    assert bins["seconds"].iloc[[0, -1]].tolist() == [9.0, 1.0]


@pytest.mark.parametrize("scores", [[[0.25]] * 5, [[0.25]]])
def test_a_histogram_of_one_value_still_has_a_width(scores: list[list[float]]) -> None:
    bins, _ = histogram(analyse_scores(scores, prompt_set("a")))
    assert bins["seconds"].sum() == len(scores)
    assert (bins["to_score"] > bins["from_score"]).all()


def test_the_timeline_zooms_all_lanes_by_its_own_brush(analysis: Analysis) -> None:
    spec = timeline.timeline_chart(analysis, COLOURS).to_dict()
    assert len(spec["vconcat"]) == 4
    brush = next(param for param in spec["params"] if param["name"] == "brush")
    (strip,) = spec["vconcat"][0]["layer"]
    assert brush["views"] == [strip["name"]]
    for lane in spec["vconcat"][1:]:
        domains = [
            part["x"]["scale"].get("domain") for part in parts(lane) if isinstance(part.get("x"), dict)
        ]
        assert domains
        assert all(domain == {"param": "brush"} for domain in domains)


@pytest.fixture
def long(rng: np.random.Generator) -> Analysis:
    """20,000 samples of two labels with one-sample peaks, flickering through a threshold."""
    scores = rng.uniform(0, 0.5, size=(20_000, 2))
    scores[12_345, 0] = 0.99
    scores[6_789, 1] = -0.5
    settings = {"decision": "threshold", "threshold": 0.25}
    return analyse_scores(scores, prompt_set("a", "b", **settings), every(1 / 3, 20_000))


def test_more_samples_than_pixels_are_reduced_and_no_peak_is_lost(long: Analysis) -> None:
    data = chart_data(long)
    for column, label in enumerate("ab"):
        drawn = data.lines[data.lines["label"] == label]
        assert 0.5 * MAX_POINTS < len(drawn) <= MAX_POINTS
        assert drawn["score"].max() == long.scores[:, column].max()
        assert drawn["score"].min() == long.scores[:, column].min()
    peak = data.lines[data.lines["score"] == 0.99]
    assert peak["time_s"].tolist() == [long.samples.times_s[12_345]]
    assert 0.5 * MAX_MOMENTS < len(data.moments) <= MAX_MOMENTS
    assert data.moments["a"].max() == "0.990"


def test_as_many_samples_as_pixels_are_drawn_whole(rng: np.random.Generator) -> None:
    analysis = analyse_scores(rng.normal(size=(MAX_POINTS, 2)), prompt_set("a", "b"))
    assert len(chart_data(analysis).lines) == 2 * MAX_POINTS


def test_many_labels_share_the_points(rng: np.random.Generator) -> None:
    labels = [f"label {i}" for i in range(60)]
    data = chart_data(analyse_scores(rng.normal(size=(5_000, 60)), prompt_set(*labels)))
    counts = data.lines["label"].value_counts()
    assert counts.max() <= max(MAX_ROWS // 60, MIN_POINTS)
    assert len(counts) == 60


def test_zooming_in_shows_more_detail(long: Analysis) -> None:
    window = (1_000.0, 1_200.0)
    times = chart_data(long, window=window).lines["time_s"]
    whole = chart_data(long).lines["time_s"]
    assert times.nunique() > 500
    assert whole.between(*window).sum() < times.nunique()


def test_thousands_of_segments_are_drawn_together_with_their_near_neighbours(long: Analysis) -> None:
    assert len(long.segments) > 3 * MAX_BARS
    bars = chart_data(long).bars
    assert len(bars) <= MAX_BARS
    assert bars["segments"].sum() == len(long.segments)
    for label in "ab":
        mine = bars[bars["label"] == label]
        assert mine["peak"].max() == max(s.peak_score for s in long.segments if s.label == label)
        assert (mine["start_s"].to_numpy()[1:] > mine["end_s"].to_numpy()[:-1]).all()
        covered = np.searchsorted(
            mine["start_s"], [s.start_s for s in long.segments if s.label == label], "right"
        )
        assert (covered > 0).all()
    zoomed = chart_data(long, window=(100.0, 120.0)).bars
    assert (zoomed["segments"] == 1).all()


def test_charts_of_long_videos_can_be_written_out_in_full(long: Analysis) -> None:
    spec = timeline.timeline_chart(long).to_dict()
    assert len(json.dumps(spec)) < 2_000_000
    json.loads(timeline.scores_chart(chart_data(long), COLOURS).to_json())


def test_tables_go_through_the_active_data_transformer(analysis: Analysis) -> None:
    seen: list[pd.DataFrame] = []

    def keep(table: pd.DataFrame) -> dict[str, str]:
        seen.append(table)
        return {"name": f"table {len(seen)}"}

    chart = timeline.scores_chart(chart_data(analysis), COLOURS, band=(0.1, 0.2))
    alt.data_transformers.register("keep", keep)
    try:
        with alt.data_transformers.enable("keep"):
            spec = chart.to_dict()
    finally:
        alt.data_transformers.register("keep", None)
    assert [id(table) for table in seen] == [id(chart.tables[name]) for name in _order(spec, chart, seen)]
    assert len(seen) == len(chart.tables) == 7


def test_a_chart_without_a_reference_band_has_no_layer_for_it(analysis: Analysis) -> None:
    data = chart_data(analysis)
    layers = [
        len(timeline.scores_chart(data, COLOURS, band=band).to_dict()["layer"]) for band in (None, (0.1, 0.2))
    ]
    assert layers[1] == layers[0] + 1
    assert "band" not in timeline.scores_chart(data, COLOURS).tables


def _order(spec: dict[str, Any], chart: templates.FilledChart, seen: list[pd.DataFrame]) -> list[str]:
    by_identity = {id(table): name for name, table in chart.tables.items()}
    names = [part["data"]["name"] for part in parts(spec) if "data" in part]
    assert names == [f"table {i}" for i in range(1, len(names) + 1)]
    return [by_identity[id(table)] for table in seen]


def test_a_video_without_samples_can_be_drawn() -> None:
    empty = analyse_scores([], prompt_set("a", decision="threshold"), Samples(*_nothing(), 5.0))
    for chart in all_charts(empty).values() if empty.labels == ("a", "b", "c") else _of_one(empty):
        json.dumps(chart.to_dict(), allow_nan=False)


def _nothing() -> tuple[Any, Any, Any]:
    return np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros((0, 2), dtype=np.float32)


def _of_one(analysis: Analysis) -> list[templates.FilledChart]:
    data = chart_data(analysis)
    return [
        timeline.overview_chart(analysis),
        timeline.scores_chart(data, COLOURS),
        timeline.segments_chart(data, COLOURS),
        timeline.change_chart(data),
        timeline.histogram_chart(analysis),
        timeline.timeline_chart(analysis),
    ]


def test_colours_go_by_place_and_a_prompts_own_wins() -> None:
    prompts = (
        Prompt("a"),
        Prompt("b", enabled=False),
        Prompt("c"),
        Prompt("d", colour="#ABCDEF"),
        Prompt("e", colour="amber"),
    )
    assert palette.label_colours(prompts) == {
        "a": palette.LIGHT_PALETTE[0],
        "b": palette.LIGHT_PALETTE[1],
        "c": palette.LIGHT_PALETTE[2],
        "d": "#abcdef",
        "e": palette.LIGHT_PALETTE[COLOUR_NAMES.index("amber")],
    }
    assert palette.label_colours(prompts, palette.DARK_PALETTE)["e"] == palette.DARK_PALETTE[4]
    many = palette.label_colours([Prompt(str(i)) for i in range(14)])
    assert len(set(many.values())) == 14
    assert all(re.fullmatch("#[0-9a-fA-F]{6}", colour) for colour in many.values())


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(
    ("palette", "background"),
    [(palette.LIGHT_PALETTE, "#FFFFFF"), (palette.DARK_PALETTE, "#11161D")],
    ids=["light", "dark"],
)
def test_every_colour_stands_out_from_its_background(palette: tuple[str, ...], background: str) -> None:
    assert len(palette) == len(COLOUR_NAMES)
    for colour in (*palette, RULE_COLOUR):
        assert _contrast(colour, background) >= 3.0


def vega(expression: str, **names: Any) -> Any:
    """Return the value of a Vega expression that means the same in Python, given Vega's functions."""
    functions = {
        "floor": math.floor,
        "ceil": math.ceil,
        "round": lambda value: math.floor(value + 0.5),
        "max": max,
        "format": format,
        "sequence": lambda start, stop, step: np.arange(start, stop, step).tolist(),
    }
    return eval(expression, {"__builtins__": {}}, {**functions, **names})


@pytest.mark.parametrize(
    "seconds", [0, 0.04, 7.12, 59.94, 59.96, 60, 83.5, 599.99, 3599.94, 3599.96, 3600, 3725.26, 36_000.5]
)
def test_the_time_axis_is_labelled_as_times_are_written_everywhere(seconds: float) -> None:
    assert vega(time_label("value"), value=seconds) == format_time(seconds)


@pytest.mark.parametrize(
    ("low", "high", "width", "step"),
    [
        (0, 17.5, 1000, 2),
        (0, 835, 1000, 120),
        (0, 3600, 1000, 600),
        (157, 198.7, 1000, 5),
        (10, 10.4, 1000, 0.1),
        (0, 86_400, 500, 14_400),
    ],
)
def test_time_ticks_are_at_round_times(low: float, high: float, width: int, step: float) -> None:
    ticks = vega(time_ticks(), domain={"x": (low, high)}.__getitem__, width=width)
    assert 2 <= len(ticks) <= 14
    assert np.diff(ticks) == pytest.approx(step)
    assert all(low <= tick <= high for tick in ticks)
    assert np.allclose(np.array(ticks) / step, np.round(np.array(ticks) / step))


def test_lines_are_interrupted_where_samples_are_missing() -> None:
    samples = samples_at([0.0, 1.0, 2.0, 5.0, 6.0], 7.0, gaps_s=[(3.0, 5.0)])
    analysis = analyse_scores([[0.1], [0.2], [0.3], [0.4], [0.5]], prompt_set("a"), samples)

    lines = chart_data(analysis).lines
    assert lines["time_s"].tolist() == [0, 1, 2, 3, 5, 6]
    assert lines["score"].isna().tolist() == [False, False, False, True, False, False]
    assert not chart_data(analysis, window=(0.0, 2.5)).lines["score"].isna().any()
