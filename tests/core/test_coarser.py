"""What is said to coincide is what reading the video again would give."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from lib.core.coarser import coinciding_rows, missing_in_gaps
from lib.core.sampling import Sampling
from lib.media.frames import SampleSelector

Frames = list[tuple[int, Fraction]]
EVERY, FPS = Sampling.every, Sampling.per_second
RATES = ["1", "2", "5", "0.5", "4", "10", "30000/1001", "15000/1001", "3"]


def sampled(video: Frames, sampling: Sampling) -> Frames:
    selector = SampleSelector(sampling)
    return [(index, time) for index, time in video if selector.wants(index, time)]


def rows(video: Frames, coarse: Sampling, fine: Sampling, end: Fraction | None) -> list[int] | None:
    there = sampled(video, fine)
    frames, times = np.array([i for i, _ in there], np.int64), np.array([float(t) for _, t in there])
    found = coinciding_rows(coarse, fine, frames, times, None if end is None else float(end))
    return None if found is None else frames[found].tolist()


@st.composite
def videos(draw: st.DrawFn) -> tuple[Frames, Fraction]:
    """Frames of constant or varying rate, some of them lost."""
    if draw(st.booleans()):
        step = Fraction(1) / draw(st.sampled_from([Fraction(10), Fraction(25), Fraction(30000, 1001)]))
        steps = [step] * draw(st.integers(1, 60))
    else:
        ticks = st.integers(900, 45_000)
        steps = [Fraction(tick, 90_000) for tick in draw(st.lists(ticks, min_size=1, max_size=60))]
    time = draw(st.sampled_from([Fraction(0), Fraction(0), Fraction(1, 3), Fraction(-1, 5)]))
    frames: Frames = []
    for index, step in enumerate(steps):
        frames.append((index, time))
        time += step
    first = draw(st.integers(0, len(frames)))
    if draw(st.booleans()):
        frames = frames[:first] + frames[first + draw(st.integers(0, 20)) :]
    return frames, time


SAMPLINGS = st.one_of(st.integers(1, 12).map(EVERY), st.sampled_from(RATES).map(FPS))


@settings(deadline=None, max_examples=500)
@given(videos(), SAMPLINGS, SAMPLINGS, st.booleans())
def test_what_coincides_is_what_reading_again_gives(
    video: tuple[Frames, Fraction], coarse: Sampling, fine: Sampling, is_whole: bool
) -> None:
    frames, end = video
    found = rows(frames, coarse, fine, end if is_whole else None)
    event(f"{fine.kind} to {coarse.kind}: {'taken' if found else 'not taken'}")
    if found is not None:
        expected = [index for index, _ in sampled(frames, coarse)]
        assert found == (expected if is_whole else expected[: len(found)])


@settings(deadline=None, max_examples=150)
@given(videos(), st.integers(1, 6), st.integers(2, 5), st.sampled_from(RATES))
def test_multiples_and_whole_fractions_always_coincide(
    video: tuple[Frames, Fraction], n: int, times: int, rate: str
) -> None:
    frames, end = video
    for fine, coarse in (
        (EVERY(n), EVERY(n * times)),
        (EVERY(1), FPS(rate)),
        (FPS(Fraction(rate) * times), FPS(rate)),
    ):
        assert rows(frames, coarse, fine, end) == [index for index, _ in sampled(frames, coarse)]


def test_strides_and_rates_coincide_where_frames_lie_on_the_seconds() -> None:
    video = [(i, Fraction(i, 10)) for i in range(48)]
    assert rows(video, FPS(2), EVERY(5), Fraction(48, 10)) == [0, 5, 10, 15, 20, 25, 30, 35, 40, 45]
    assert rows(video, FPS(1), EVERY(5), Fraction(48, 10)) == [0, 10, 20, 30, 40]
    assert rows(video, FPS(3), EVERY(5), Fraction(48, 10)) is None
    assert rows(video, FPS(4), EVERY(5), Fraction(48, 10)) is None
    assert rows(video, FPS(5), EVERY(2), Fraction(48, 10)) == list(range(0, 48, 2))
    assert rows(video, FPS(1), EVERY(5), Fraction(51, 10)) is None  # a frame that isn't known may be the first at 5 s


@pytest.mark.parametrize(
    ("coarse", "fine"),
    [(EVERY(7), EVERY(5)), (EVERY(5), EVERY(10)), (EVERY(5), EVERY(5)), (FPS(2), FPS(3)), (EVERY(10), FPS(2)),
     (EVERY(10).framed("whole"), EVERY(5))],
    ids=str,
)  # fmt: skip
def test_others_do_not_coincide(coarse: Sampling, fine: Sampling) -> None:
    video = [(i, Fraction(i, 10)) for i in range(48)]
    assert rows(video, coarse, fine, Fraction(48, 10)) is None


def test_times_too_close_to_tell_apart_are_not_taken() -> None:
    times = np.array([0.0, 1.0 - 1e-10, 2.0])
    assert coinciding_rows(FPS(1), EVERY(1), np.arange(3), times, 3.0) is None


@settings(deadline=None, max_examples=200)
@given(st.integers(1, 5), st.integers(1, 4), st.lists(st.tuples(st.integers(0, 9), st.integers(1, 30)), max_size=4))
def test_what_gaps_lack_is_counted_for_the_coarser_sampling(n: int, times: int, parts: list[tuple[int, int]]) -> None:
    kept: list[int] = []
    gaps: list[tuple[int, int]] = []
    index = 0
    for there, lost in parts:  # a gap may follow on another
        kept += range(index, index + there)
        gaps.append((index + there, index + there + lost))
        index += there + lost
    kept += range(index, index + 7)
    frames = np.array([i for i in kept if i % n == 0], np.int64)

    def lacking(every: int) -> list[int]:
        return [sum(i % every == 0 for i in range(start, stop)) for start, stop in gaps]

    given_gaps = [(start / 10, stop / 10, count) for (start, stop), count in zip(gaps, lacking(n), strict=True)]
    found = missing_in_gaps(EVERY(n * times), EVERY(n), frames, frames / 10, given_gaps)
    assert found == lacking(n * times)


def test_what_gaps_lack_at_a_rate_is_counted_by_their_times() -> None:
    gaps = [(0.0, 0.4, 9), (1.0, 3.0, 9), (3.1, 3.2, 9)]
    assert missing_in_gaps(FPS(1), EVERY(1), np.zeros(0, np.int64), np.zeros(0), gaps) == [1, 2, 0]
