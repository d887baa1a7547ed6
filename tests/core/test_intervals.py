from __future__ import annotations

import numpy as np
import pytest

from lib.core.intervals import covered, cut, match_labels, sample_at, sampled, union
from tests.helpers.arrays import samples_at


def test_time_is_cut_where_something_changes() -> None:
    assert cut(1.0, 4.0, np.array([0.0, 2.0, 4.0]), np.array([2.0, 3.0, 9.0])).tolist() == [1, 2, 3, 4]
    assert cut(1.0, 4.0).tolist() == [1, 4]
    assert cut(2.0, 2.0, np.array([2.0])).tolist() == [2.0]


def test_each_moment_has_the_sample_that_stands_for_it() -> None:
    samples = samples_at([1.0, 2.0, 4.0], 5.0)
    assert sample_at(samples, np.array([0.5, 1.0, 1.9, 2.0, 3.9, 4.9, 5.0])).tolist() == [
        -1,
        0,
        0,
        1,
        1,
        2,
        -1,
    ]
    assert sampled(samples) == (1.0, 5.0)
    assert sampled(samples_at([], 5.0)) == (5.0, 5.0)
    assert sample_at(samples_at([], 5.0), np.array([1.0])).tolist() == [-1]


def test_intervals_that_overlap_or_touch_are_one() -> None:
    spans = [(5, 6), (1, 2), (2, 3), (1.5, 1.7), (8, 20), (-3, 0.5), (4, 4), (10, 11)]
    assert union(spans, 0.0, 10.0).tolist() == [[0, 0.5], [1, 3], [5, 6], [8, 10]]
    assert union([], 0.0, 10.0).shape == (0, 2)


def test_covered_is_half_open() -> None:
    spans = union([(1, 2), (3, 4)], 0, 10)
    assert covered(spans, np.array([0.9, 1, 1.9, 2, 3, 4])).tolist() == [
        False,
        True,
        True,
        False,
        True,
        False,
    ]
    assert not covered(union([], 0, 1), np.array([0.0, 1.0])).any()


@pytest.mark.parametrize(
    ("labels", "others", "expected"),
    [
        (("a", "b"), ("b", "a"), {"a": "a", "b": "b"}),
        (("A", "b"), ("a", "B"), {"A": "a", "b": "B"}),
        (("Straße",), ("STRASSE",), {"Straße": "STRASSE"}),
        (("cafe\u0301", "red\u00a0car"), ("Red Car", "café"), {"cafe\u0301": "café", "red\u00a0car": "Red Car"}),
        (("x",), ("y",), {}),
    ],
)
def test_labels_that_are_the_same_are_matched(
    labels: tuple[str, ...], others: tuple[str, ...], expected: dict[str, str]
) -> None:
    assert match_labels(labels, others) == expected
