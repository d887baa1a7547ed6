from __future__ import annotations

import numpy as np
import pytest

from lib.core.samples import Samples
from tests.helpers.arrays import every, samples_at


def test_a_span_lasts_to_the_next_sample_and_the_last_one_to_the_end_of_the_video() -> None:
    samples = samples_at([0.5, 1.0, 3.0], 3.25)
    assert samples.spans_s.tolist() == [0.5, 2.0, 0.25]
    assert samples.spans_s.sum() == samples.end_s - samples.times_s[0]


def test_the_step_is_the_median_span() -> None:
    assert samples_at([0.0, 1.0, 2.0, 9.0], 9.5).step_s == 1.0
    assert samples_at([], 0.0).step_s == 0.0
    assert len(every(0.5, 7)) == 7


@pytest.mark.parametrize(
    ("times", "duration"),
    [([0.0, 0.0], 1.0), ([1.0, 0.5], 2.0), ([0.0, 1.0], 1.0), ([2.0], 1.0)],
    ids=["equal times", "falling times", "last at the end", "beyond the end"],
)
def test_times_must_increase_and_lie_before_the_end(times: list[float], duration: float) -> None:
    with pytest.raises(ValueError, match="increase strictly"):
        samples_at(times, duration)


@pytest.mark.parametrize("change", ["frames", "vectors", "flat"])
def test_every_array_has_one_row_per_sample(change: str) -> None:
    frames, vectors = np.arange(3), np.ones((3, 2), dtype=np.float32)
    if change == "frames":
        frames = np.arange(2)
    else:
        vectors = vectors[:2] if change == "vectors" else vectors[:, 0]
    with pytest.raises(ValueError, match="one row per sample"):
        Samples(frames, np.arange(3.0), vectors, 3.0)


def test_a_span_ends_where_a_gap_begins() -> None:
    samples = samples_at([1.0, 2.0, 5.0], 8.0, gaps_s=[(0.0, 1.0), (3.0, 5.0), (6.0, 8.0)])
    assert samples.spans_s.tolist() == [1.0, 1.0, 1.0]
    assert samples_at([], 2.0, gaps_s=[(0.0, 1.0)]).spans_s.tolist() == []


@pytest.mark.parametrize(
    "gaps", [[(1.5, 2.5)], [(2.5, 2.5)], [(2.5, 2.7), (2.1, 2.2)]], ids=["sample inside", "empty", "order"]
)
def test_gaps_come_in_order_and_hold_no_sample(gaps: list[tuple[float, float]]) -> None:
    with pytest.raises(ValueError, match="gaps must come in order"):
        samples_at([0.0, 1.0, 2.0], 3.0, gaps_s=gaps)


def test_the_length_lies_between_start_and_end() -> None:
    samples = Samples(np.arange(2), np.array([7201.0, 7204.0]), np.zeros((2, 1), np.float32), 7208.0, start_s=7200.0)
    assert samples.duration_s == 8.0
    assert samples.spans_s.tolist() == [3.0, 4.0]


@pytest.mark.parametrize(("gap", "start_s"), [((0.0, 0.5), 0.2), ((2.5, 3.1), 0.2), (None, 1.5)])
def test_nothing_lies_outside_the_time_line(gap: tuple[float, float] | None, start_s: float) -> None:
    gaps = np.array([] if gap is None else [gap]).reshape(-1, 2)
    with pytest.raises(ValueError, match="start"):
        Samples(np.arange(2), np.array([1.0, 2.0]), np.zeros((2, 1), np.float32), 3.0, gaps, start_s)
