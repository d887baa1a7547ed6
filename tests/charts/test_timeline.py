"""The Altair charts of an analysis."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import altair as alt
import jsonschema
import numpy as np
import pytest

from lib.analysis.analysis import Analysis
from lib.charts import templates, timeline
from lib.charts.data import chart_data
from lib.charts.layers import AXIS_WIDTH
from lib.charts.palette import RULE_COLOUR, Colour, chart_label
from lib.core.samples import Samples
from lib.prompts.model import Smoothing
from tests.helpers.arrays import analyse_scores, every, prompt_set, samples_at
from tests.helpers.vega import layer, parts, rows, without_data

COLOURS = {"a": "#111111", "b": "#222222", "c": "#333333"}


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
    }


def test_every_chart_is_valid_vega_lite(analysis: Analysis) -> None:
    validator = jsonschema.Draft7Validator(alt.load_schema())
    for name, chart in all_charts(analysis, playhead_s=10.0).items():
        spec = chart.to_dict()
        assert not list(validator.iter_errors(spec)), name
        assert json.loads(json.dumps(spec, allow_nan=False)) == spec


def test_an_edit_changes_data_and_leaves_the_specification(analysis: Analysis) -> None:
    """A changed specification makes the browser rebuild the chart and forget the zoom."""
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
    nothing = analyse_scores([[0.1, 0.1, 0.1]] * 3, prompt_set("a", "b", "c", decision="threshold", threshold=0.9))
    for name, chart in all_charts(nothing).items():
        shapes = [tuple(table.columns) for table in chart.tables.values()]
        assert len(set(shapes)) == len(shapes), name


def test_all_lanes_show_the_same_window_and_have_the_same_left_axis(analysis: Analysis) -> None:
    for window in (None, (20.0, 40.0)):
        made = all_charts(analysis, window=window)
        for name in ("scores", "segments", "change"):
            spec = made[name].to_dict()
            assert [row["edge_s"] for row in rows(layer(spec, "point", "edge_s"))] == list(window or (0.0, 100.0))
            axes = [part["axis"] for part in parts(spec) if part.get("axis") and "minExtent" in part["axis"]]
            assert axes
            assert {(axis["minExtent"], axis["maxExtent"], axis["title"]) for axis in axes} == {
                (AXIS_WIDTH, AXIS_WIDTH, None)
            }
            scales = [part["x"]["scale"] for part in parts(spec) if isinstance(part.get("x"), dict)]
            assert scales
            assert all(scale == {"nice": False, "zero": False} for scale in scales)


def test_the_shared_threshold_is_one_grey_rule_and_own_ones_have_their_labels_colour(analysis: Analysis) -> None:
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
    """Streamlit's theme would give one to each point of a line, rebuilt in each drawing."""
    data = chart_data(analysis)
    for chart in (timeline.overview_chart(analysis), timeline.scores_chart(data, COLOURS), timeline.change_chart(data)):
        spec = chart.to_dict()
        assert spec["config"]["mark"]["tooltip"] is None
        for part in spec["layer"]:
            assert ("tooltip" in part["mark"]) == ("seconds" in str(part["encoding"]))


def test_segments_have_one_lane_per_label_even_where_there_are_none() -> None:
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
        return int(timeline.segments_chart(chart_data(analysis), COLOURS).to_dict()["height"])

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


def test_charts_of_long_videos_can_be_written_out_in_full(long: Analysis) -> None:
    json.loads(timeline.scores_chart(chart_data(long), COLOURS).to_json())


def test_a_chart_without_a_reference_band_has_no_layer_for_it(analysis: Analysis) -> None:
    data = chart_data(analysis)
    layers = [len(timeline.scores_chart(data, COLOURS, band=band).to_dict()["layer"]) for band in (None, (0.1, 0.2))]
    assert layers[1] == layers[0] + 1
    assert "band" not in timeline.scores_chart(data, COLOURS).tables


def test_a_video_without_samples_can_be_drawn() -> None:
    nothing = np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros((0, 2), dtype=np.float32)
    empty = analyse_scores([], prompt_set("a", decision="threshold"), Samples(*nothing, 5.0))
    data = chart_data(empty)
    for chart in (
        timeline.overview_chart(empty),
        timeline.scores_chart(data, COLOURS),
        timeline.segments_chart(data, COLOURS),
        timeline.change_chart(data),
        timeline.histogram_chart(empty),
    ):
        json.dumps(chart.to_dict(), allow_nan=False)


@pytest.mark.parametrize("label", ["__proto__", "constructor", "toString", "hasOwnProperty", "valueOf"])
def test_a_label_that_every_javascript_object_has_is_another_one_in_charts(label: str) -> None:
    result = analyse_scores(np.linspace(0, 1, 40)[:, None], prompt_set(label), every(0.5, 40))
    data, colours = chart_data(result), {label: "#123456"}
    assert set(data.lines["label"]) == {chart_label(label)} != {label}
    for chart in (
        timeline.overview_chart(result, colours),
        timeline.scores_chart(data, colours),
        timeline.segments_chart(data, colours),
        timeline.histogram_chart(result, colours),
    ):
        assert f'"{label}"' not in json.dumps(chart.to_dict())


def test_time_without_frames_is_a_band_and_no_line_crosses_it() -> None:
    samples = samples_at([7200.0, 7201.0, 7205.0, 7206.0], 7208.0, gaps_s=[(7202.0, 7205.0)], start_s=7200.0)
    data = chart_data(analyse_scores([[0.1], [0.2], [0.3], [0.4]], prompt_set("a", decision="threshold"), samples))
    assert (data.start_s, data.end_s) == (7200.0, 7208.0)
    assert data.gaps[["gap_s", "gap_end_s"]].to_numpy().tolist() == [[7202.0, 7205.0]]
    assert data.gaps["gap"].tolist() == ["no frames from 2:00:02.0 to 2:00:05.0"]
    assert data.lines.loc[data.lines["score"].isna(), "time_s"].tolist() == [7202.0]
    assert data.change.loc[data.change["change"].isna(), "change_time_s"].tolist() == [7202.0]


def test_colours_that_repeat_are_drawn_in_dashes_and_others_need_no_look_up(analysis: Analysis) -> None:
    data = chart_data(analysis)
    again = {"a": Colour("#111111"), "b": Colour("#222222"), "c": Colour("#111111", 1)}
    charts = [timeline.scores_chart(data, colours) for colours in (COLOURS, again)]
    dashes = [layer(chart.to_dict(), "line", "score")["encoding"].get("strokeDash") for chart in charts]
    assert dashes[0] is None
    assert dashes[1]["scale"]["range"][:2] == [[1, 0], [1, 0]]
    assert dashes[1]["scale"]["range"][2] != [1, 0]
