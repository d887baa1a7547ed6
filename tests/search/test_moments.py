"""How scores become moments."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lib.search.moments import FoundMoment, Peaks, find_moments, peaks_of
from lib.search.options import TEMPLATE_RULES, Rules, SearchOptions

APART = Rules(bridge_s=0.0, fold=None)


class Samples:
    """A video whose scores are given; its vectors, where there are none, are all different."""

    def __init__(
        self,
        scores: Sequence[float],
        *,
        step_s: float = 1.0,
        ends_s: Sequence[float] | None = None,
        vectors: NDArray[np.float32] | None = None,
    ) -> None:
        self.all = np.array(scores, np.float32)
        self.times_s = np.arange(len(scores)) * step_s
        self.ends_s = self.times_s + step_s if ends_s is None else np.array(ends_s, float)
        self._vectors = np.eye(len(scores), dtype=np.float32) if vectors is None else vectors
        self.asked: set[int] = set()

    def scores(self, first: int, stop: int) -> NDArray[np.float32]:
        assert 0 <= first < stop <= len(self.all)
        self.asked |= set(range(first, stop))
        return self.all[first:stop]

    def vector(self, row: int) -> NDArray[np.float32]:
        return self._vectors[row]


def moments(
    *tracks: Samples,
    threshold: float | None = 0.5,
    rules: Rules = APART,
    top: int = 20,
    per_video: int | None = None,
    median: float = 0.0,
    origin: tuple[int, int] | None = None,
) -> list[FoundMoment]:
    breaks = [track.times_s[1:] > track.ends_s[:-1] for track in tracks]
    peaks = Peaks.join([peaks_of(i, track.all, breaks=breaks[i]) for i, track in enumerate(tracks)])
    return find_moments(
        tracks,
        peaks,
        SearchOptions(threshold=threshold, top=top, per_video=per_video, rules=rules),
        median=median,
        origin=origin,
    )


def spans(moments: list[FoundMoment]) -> list[tuple[int, int]]:
    return [(moment.first, moment.stop) for moment in moments]


def test_neighbouring_hits_are_one_moment_with_its_best_sample() -> None:
    (moment,) = moments(Samples([0.1, 0.6, 0.9, 0.7, 0.2]))

    assert (moment.first, moment.stop, moment.best) == (1, 4, 2)
    assert moment.score == pytest.approx(0.9)


def test_moments_come_best_first_over_all_videos() -> None:
    found = moments(Samples([0.6, 0.1, 0.8]), Samples([0.7]))

    assert [(m.video, m.best) for m in found] == [(0, 2), (1, 0), (0, 0)]


@pytest.mark.parametrize(("step_s", "expected"), [(0.5, [(0, 4)]), (1.0, [(0, 2), (3, 4)]), (2.0, [(0, 2), (3, 4)])])
def test_gaps_under_a_second_are_bridged_at_any_sampling(step_s: float, expected: list[tuple[int, int]]) -> None:
    track = Samples([0.9, 0.8, 0.1, 0.7], step_s=step_s)

    assert sorted(spans(moments(track, rules=Rules(bridge_s=1.0, fold=None)))) == expected


def test_the_templates_rules_find_something_at_one_sample_a_second() -> None:
    found = moments(Samples([0.1, 0.3, 0.3, 0.1, 0.1, 0.4, 0.1]), threshold=0.25, rules=TEMPLATE_RULES)

    assert spans(found) == [(1, 3)]  # the lone hit is dropped, and would be kept without that rule
    kept = moments(Samples([0.1, 0.3, 0.3, 0.1, 0.1, 0.4, 0.1]), threshold=0.25)
    assert spans(kept) == [(5, 6), (1, 3)]


def test_the_templates_rules_bridge_less_than_a_second_and_fold_nothing() -> None:
    scores = [0.5, 0.5, 0.1, 0.5, 0.1, 0.1, 0.5, 0.5]
    alike = np.array([[1, 0] if score > 0.25 else [0, 1] for score in scores], np.float32)

    def found(step_s: float) -> list[tuple[int, int]]:
        track = Samples(scores, step_s=step_s, vectors=alike)
        return sorted(spans(moments(track, threshold=0.25, rules=TEMPLATE_RULES)))

    assert found(0.4) == [(0, 8)]
    assert found(0.5) == [(0, 4), (6, 8)]  # a gap of a whole second is none under a second
    assert found(1.0) == [(0, 2), (6, 8)]


def test_a_stretch_without_vectors_ends_a_moment() -> None:
    track = Samples([0.9, 0.8, 0.7, 0.6], step_s=10.0, ends_s=[10, 12, 30, 40])

    assert spans(moments(track, rules=Rules(bridge_s=1.0, fold=None))) == [(0, 2), (2, 4)]


def test_a_long_gap_is_bridged_when_asked_for() -> None:
    track = Samples([0.9] + [0.1] * 200 + [0.8], step_s=0.1)

    assert spans(moments(track, rules=Rules(bridge_s=20.1, fold=None))) == [(0, 202)]
    assert spans(moments(track, rules=Rules(bridge_s=20.0, fold=None))) == [(0, 1), (201, 202)]


def test_without_a_threshold_a_moment_is_as_wide_as_its_peak() -> None:
    track = Samples([0.1, 0.14, 0.18, 0.20, 0.18, 0.14, 0.1])

    assert spans(moments(track, threshold=None, median=0.1))[0] == (2, 5)


def test_peaks_below_the_median_start_no_moment() -> None:
    assert spans(moments(Samples([0.3, 0.0, 0.1, 0.0, 0.3]), threshold=None, median=0.2)) == [(0, 1), (4, 5)]


def test_a_video_has_no_more_moments_than_allowed() -> None:
    found = moments(Samples([0.9, 0.1, 0.8, 0.1, 0.7]), Samples([0.6]), per_video=1)

    assert [(m.video, m.best) for m in found] == [(0, 0), (1, 0)]


def test_near_duplicates_fold_into_the_best() -> None:
    vectors = np.array([[1, 0], [0, 1], [0.999, 0.04], [0, 1]], np.float32)
    track = Samples([0.9, 0.1, 0.8, 0.1], vectors=vectors)

    (moment,) = moments(track, rules=Rules(bridge_s=0.0, fold=0.98))

    assert (moment.best, moment.folded) == (0, 1)
    assert len(moments(track, rules=Rules(bridge_s=0.0, fold=None))) == 2


def test_what_resembles_two_moments_folds_into_the_better_one() -> None:
    turned = np.radians([0, 90, 12, 90, 6])  # cosines: 0.978 from the first to the second, 0.995 from the third to both
    vectors = np.stack([np.cos(turned), np.sin(turned)], axis=1).astype(np.float32)
    track = Samples([0.9, 0.1, 0.8, 0.1, 0.7], vectors=vectors)

    found = moments(track, rules=Rules(bridge_s=0.0, fold=0.98))

    assert [(m.best, m.folded) for m in found] == [(0, 1), (2, 0)]


def test_equal_vectors_fold_at_a_cosine_of_one() -> None:
    track = Samples([0.9, 0.1, 0.8], vectors=np.array([[1, 0], [0, 1], [1, 0]], np.float32))

    assert [m.folded for m in moments(track, rules=Rules(bridge_s=0.0, fold=1.0))] == [1]


def test_a_near_duplicate_uses_up_nothing_of_its_videos_share() -> None:
    track = Samples([0.9, 0.1, 0.8, 0.1, 0.7], vectors=np.eye(5, dtype=np.float32)[[0, 1, 0, 2, 3]])

    found = moments(track, rules=Rules(bridge_s=0.0, fold=0.98), per_video=2)

    assert [m.best for m in found] == [0, 4]


def test_the_querys_own_moment_is_left_out_and_nothing_folds_into_it() -> None:
    vectors = np.array([[1, 0], [1, 0], [0, 1], [1, 0], [0, 1], [1, 0]], np.float32)
    track = Samples([0.99, 1.0, 0.1, 0.98, 0.1, 0.97], vectors=vectors)

    (moment,) = moments(track, rules=Rules(bridge_s=0.0, fold=0.98), per_video=1, origin=(0, 1))

    assert (moment.first, moment.best, moment.folded) == (3, 3, 0)  # the last one is beyond the video's share
    (moment,) = moments(track, rules=Rules(bridge_s=0.0, fold=0.98), origin=(0, 1))
    assert (moment.best, moment.folded) == (3, 1)
    assert spans(moments(track, top=2, origin=(0, 1))) == [(3, 4), (5, 6)]


def test_without_a_threshold_the_querys_own_moment_is_as_wide_as_its_peak() -> None:
    track = Samples([0.5, 0.8, 1.0, 0.8, 0.5, 0.6])

    assert spans(moments(track, threshold=None, median=0.2, origin=(0, 2)))[0] == (4, 6)


def test_only_the_scores_around_a_moment_are_asked_for() -> None:
    scores = np.full(10_000, 0.1)
    scores[5_000:5_003] = 0.9
    track = Samples(scores.tolist(), vectors=np.empty((0, 0), np.float32))

    assert spans(moments(track, top=1)) == [(5_000, 5_003)]
    assert len(track.asked) < 100


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=120), st.floats(0, 1, width=32), st.integers(0, 4))
def test_moments_over_a_threshold_are_its_runs(scores: list[float], threshold: float, bridged: int) -> None:
    found = sorted(
        spans(moments(Samples(scores), threshold=threshold, rules=Rules(bridge_s=bridged + 0.5, fold=None), top=200))
    )

    runs: list[tuple[int, int]] = []
    for hit in np.flatnonzero(np.float32(scores) >= threshold).tolist():
        first = runs.pop()[0] if runs and hit - runs[-1][1] <= bridged else hit
        runs.append((first, hit + 1))
    assert found == runs
