"""What the player's lanes are given: nothing lost by levels of detail, and the same as the charts draw."""

from __future__ import annotations

import json
import struct
from typing import Any

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.typing import NDArray

from lib.analysis.analysis import Analysis
from lib.charts.data import chart_data
from lib.charts.player_arrays import (
    COARSEST,
    LEVEL_FACTOR,
    NOTHING,
    base_arrays,
    content_key,
    difference_arrays,
    encode_arrays,
    levels,
    line_arrays,
    score_axis,
    segment_arrays,
    shown_thresholds,
)
from lib.prompts.model import Prompt, PromptSet, Settings, Smoothing
from tests.helpers.arrays import analyse_scores, every, unit_rows

TYPES = {"f4": "<f4", "f8": "<f8", "i4": "<i4", "u2": "<u2"}


def decoded(data: bytes) -> dict[str, NDArray[Any]]:
    """Read arrays as the browser does."""
    (length,) = struct.unpack_from("<I", data)
    found = {}
    for entry in json.loads(data[4 : 4 + length]):
        start = 4 + length + entry["offset"]
        assert start % 8 == 0  # a typed array must begin at a multiple of its element's size
        count = int(np.prod(entry["shape"]))
        found[entry["name"]] = np.frombuffer(data, TYPES[entry["dtype"]], count, start).reshape(entry["shape"])
    return found


def an_analysis(scores: NDArray[np.float64], **settings: Any) -> Analysis:
    prompts = (Prompt("a"), Prompt("b", threshold=0.7), Prompt("c"))[: scores.shape[1]]
    chosen = PromptSet("x", prompts, settings=Settings(**{"decision": "threshold", **settings}))
    n = len(scores)
    return analyse_scores(scores, chosen, every(0.5, n, unit_rows(np.random.default_rng(1), n, 8)))


@hypothesis.settings(deadline=None)
@hypothesis.given(n=st.integers(1, 9000), seed=st.integers(0, 99))
def test_every_level_keeps_the_lowest_and_highest_of_what_it_stands_for(n: int, seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=(2, n)).astype(np.float32)
    found = levels(values)
    assert (len(found) == 0) == (n <= COARSEST)
    for level, (low, high) in enumerate(found, start=1):
        span = LEVEL_FACTOR**level
        assert low.shape == high.shape == (2, -(-n // span))
        for bucket in range(low.shape[1]):
            part = values[:, bucket * span : (bucket + 1) * span]
            assert (low[:, bucket] == part.min(axis=1)).all()
            assert (high[:, bucket] == part.max(axis=1)).all()
    if found:
        assert found[-1][0].shape[1] <= COARSEST


def test_encoding_keeps_the_arrays_bit_by_bit() -> None:
    arrays: dict[str, NDArray[Any]] = {
        "odd": np.arange(3, dtype=np.uint16),
        "scores": np.linspace(-1, 1, 10, dtype=np.float32).reshape(2, 5),
        "none": np.zeros(0, np.float64),
        "times": np.array([0.1, 1e6]),
        "frames": np.array([-1, 2**31 - 1], np.int32),
    }
    found = decoded(encode_arrays(arrays))
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        assert np.array_equal(found[name], array)
        assert found[name].shape == array.shape


def test_encoding_refuses_what_a_browser_would_not_read() -> None:
    with pytest.raises(ValueError, match="ids is of type int64"):
        encode_arrays({"ids": np.arange(2)})


def test_lines_and_change_hold_every_sample_of_the_analysis(rng: np.random.Generator) -> None:
    analysis = an_analysis(rng.random((5000, 3)))
    lines, base = (
        decoded(encode_arrays(line_arrays(analysis))),
        decoded(encode_arrays(base_arrays(analysis.samples, analysis.vector_change))),
    )
    assert np.array_equal(lines["scores"], analysis.scores.T.astype(np.float32))
    assert np.array_equal(base["times"], analysis.samples.times_s)
    assert np.array_equal(base["frames"], analysis.samples.frames)
    assert np.array_equal(np.flatnonzero(analysis.spikes), base["spikes"])
    assert base["change.high0"].max() == np.float32(analysis.vector_change.max())
    assert lines["scores.high1"].max() == np.float32(analysis.scores.max())


def test_the_lanes_agree_with_the_charts(rng: np.random.Generator) -> None:
    analysis = an_analysis(np.cumsum(rng.normal(scale=0.05, size=(400, 3)), axis=0) % 1.0, threshold=0.5)
    charts = chart_data(analysis)
    own, shared = shown_thresholds(analysis)
    assert dict(zip(charts.own_thresholds.threshold_label, charts.own_thresholds.threshold, strict=True)) == {
        label: threshold for label, threshold in zip(analysis.labels, own, strict=True) if threshold is not None
    }
    assert charts.shared_threshold.shared_threshold.tolist() == [shared]
    segments = segment_arrays(analysis.segments, analysis.labels)
    assert segments["start"].tolist() == charts.bars.start_s.tolist()
    assert segments["end"].tolist() == charts.bars.end_s.tolist()
    assert [analysis.labels[row] for row in segments["label"]] == charts.bars.label.tolist()
    scores = line_arrays(analysis)["scores"]
    for row, label in enumerate(analysis.labels):
        drawn = charts.lines[charts.lines.label == label]
        assert np.array_equal(scores[row], drawn.score.to_numpy().astype(np.float32))


def test_no_threshold_is_shown_where_none_decides() -> None:
    scores = np.array([[0.1, 0.2, 0.3]])
    assert shown_thresholds(an_analysis(scores, decision="best")) == ([None] * 3, None)
    only_own = PromptSet("x", (Prompt("a", threshold=0.4),), settings=Settings(decision="threshold"))
    assert shown_thresholds(analyse_scores([[0.1]], only_own)) == ([0.4], None)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(-0.47, 0.61, (-0.5, 0.7)), (0.213, 0.338, (0.21, 0.34)), (0.1, 0.6, (0.1, 0.6)), (0.0, 97.0, (0, 100))],
)
def test_the_score_axis_ends_at_round_numbers(low: float, high: float, expected: tuple[float, float]) -> None:
    axis = score_axis(an_analysis(np.array([[low], [high]]), decision="best"))
    assert (axis.low, axis.high) == pytest.approx(expected)
    assert axis.low <= axis.ticks[0] < axis.ticks[-1] <= axis.high
    assert len(axis.ticks) in range(2, 8)


def test_the_score_axis_covers_thresholds_and_is_whole_for_probabilities() -> None:
    assert score_axis(an_analysis(np.array([[0.1], [0.2]]), threshold=0.35)).high >= 0.35
    assert score_axis(an_analysis(np.array([[0.1], [0.2]]), threshold=0.1), band=(-0.3, 0.15)).low <= -0.3
    axis = score_axis(an_analysis(np.array([[0.1, 0.2], [0.2, 0.3]]), score="probability"))
    assert (axis.low, axis.high) == (0, 1)
    flat = score_axis(an_analysis(np.array([[0.25], [0.25]]), threshold=0.25))
    assert flat.low < 0.25 < flat.high


def test_the_content_key_follows_the_content_alone(rng: np.random.Generator) -> None:
    scores = rng.random((1000, 20))
    key = content_key(scores)
    assert content_key(scores.copy()) == key
    assert content_key(np.asfortranarray(scores)) == key
    scores[500, 17] += 1e-9
    assert content_key(scores) != key
    assert content_key(np.zeros(4)) != content_key(np.zeros((2, 2)))


def test_differences_name_the_rows_of_their_labels() -> None:
    found = difference_arrays([(0.0, 1.5, "a", None), (2.0, 2.5, "b", "c")], ["a", "b"], ["c", "a"])
    read = decoded(encode_arrays(found))

    assert read["start"].tolist() == [0.0, 2.0]
    assert read["end"].tolist() == [1.5, 2.5]
    assert read["a"].tolist() == [0, 1]
    assert read["b"].tolist() == [NOTHING, 0]
    assert all(array.shape == (0,) for array in difference_arrays([], ["a"], []).values())


def test_scores_before_smoothing_are_sent_where_smoothing_changes_them(rng: np.random.Generator) -> None:
    scores = rng.random((5000, 2))
    plain, smoothed = an_analysis(scores), an_analysis(scores, smoothing=Smoothing("moving_average", 5))
    assert not any(name.startswith("raw") for name in line_arrays(plain))
    arrays = decoded(encode_arrays(line_arrays(smoothed)))
    assert np.array_equal(arrays["raw"], scores.T.astype(np.float32))
    assert arrays["raw.high1"].max() == np.float32(scores.max()) > arrays["scores"].max()
    assert (score_axis(smoothed).low, score_axis(smoothed).high) == (score_axis(plain).low, score_axis(plain).high)
