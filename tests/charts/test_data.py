"""The tables that charts draw."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lib.analysis.analysis import Analysis
from lib.charts.data import MAX_BARS, MAX_MOMENTS, MAX_POINTS, MAX_ROWS, MIN_POINTS, chart_data, histogram
from lib.prompts.model import Prompt, PromptSet, Settings, Smoothing
from tests.helpers.arrays import analyse_scores, every, prompt_set, samples_at


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


def test_a_segment_is_cut_for_drawing_and_reported_whole(analysis: Analysis) -> None:
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


def test_another_threshold_changes_no_table_but_bars_and_thresholds(analysis: Analysis) -> None:
    settings = replace(analysis.prompt_set.settings, threshold=0.6)
    chosen = replace(analysis.prompt_set, settings=settings)
    other = analyse_scores(analysis.scores.copy(), chosen, analysis.samples)
    before, after = vars(chart_data(analysis, window=(10, 60))), vars(chart_data(other, window=(10, 60)))
    changed = {name for name, table in before.items() if after[name] is not table}
    assert changed - {"start_s", "end_s", "labels"} == {"bars", "own_thresholds", "shared_threshold"}
    lasts = [(data["bars"]["to_s"] - data["bars"]["from_s"]).sum() for data in (before, after)]
    assert lasts[0] > lasts[1] > 0
    assert after["shared_threshold"].iat[0, 0] == 0.6
    assert chart_data(other).lines is not after["lines"]
    moved = analyse_scores(analysis.scores + 0.01, chosen, analysis.samples)
    assert chart_data(moved, window=(10, 60)).lines is not after["lines"]


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


def test_a_moment_is_never_before_its_sample() -> None:
    times = np.arange(2_000) / 29.97
    analysis = analyse_scores([[0.1]] * 2_000, prompt_set("a"), every(1 / 29.97, 2_000))
    shown = chart_data(analysis, window=(0.0, 10.0)).moments["seconds"].to_numpy()
    nearest = times[np.searchsorted(times, shown, side="right") - 1]
    assert (shown >= nearest).all()
    assert (shown - nearest).max() <= 1.01e-4


def test_a_histogram_weighs_samples_by_their_spans() -> None:
    analysis = analyse_scores([[0.0], [1.0]], prompt_set("a"), samples_at([0.0, 9.0], 10.0))
    bins, _ = histogram(analysis)
    assert bins["seconds"].iloc[[0, -1]].tolist() == [9.0, 1.0]


@pytest.mark.parametrize("scores", [[[0.25]] * 5, [[0.25]]])
def test_a_histogram_of_one_value_still_has_a_width(scores: list[list[float]]) -> None:
    bins, _ = histogram(analyse_scores(scores, prompt_set("a")))
    assert bins["seconds"].sum() == len(scores)
    assert (bins["to_score"] > bins["from_score"]).all()


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
        covered = np.searchsorted(mine["start_s"], [s.start_s for s in long.segments if s.label == label], "right")
        assert (covered > 0).all()
    zoomed = chart_data(long, window=(100.0, 120.0)).bars
    assert (zoomed["segments"] == 1).all()


def test_lines_are_interrupted_where_samples_are_missing() -> None:
    samples = samples_at([0.0, 1.0, 2.0, 5.0, 6.0], 7.0, gaps_s=[(3.0, 5.0)])
    analysis = analyse_scores([[0.1], [0.2], [0.3], [0.4], [0.5]], prompt_set("a"), samples)

    lines = chart_data(analysis).lines
    assert lines["time_s"].tolist() == [0, 1, 2, 3, 5, 6]
    assert lines["score"].isna().tolist() == [False, False, False, True, False, False]
    assert not chart_data(analysis, window=(0.0, 2.5)).lines["score"].isna().any()


@pytest.mark.parametrize("kind", ["none", "viterbi", "median"])
def test_scores_before_smoothing_are_drawn_where_smoothing_changes_them(kind: Any) -> None:
    scores = [[0.1], [0.9], [0.1], [0.2], [0.1]]
    drawn = chart_data(analyse_scores(scores, prompt_set("a", smoothing=Smoothing(kind, 3))))

    if kind != "median":
        assert drawn.raw.empty
        assert drawn.raw_note.empty
        return
    assert drawn.raw.raw_score.tolist() == [0.1, 0.9, 0.1, 0.2, 0.1]
    assert drawn.raw.raw_label.tolist() == ["a"] * 5
    assert drawn.lines.score.max() < 0.9
    assert drawn.raw_note.note.tolist() == ["faint: before smoothing"]
