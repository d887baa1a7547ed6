"""Exact time: which frames are sampled, frames and seconds, and how times are written."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.core.errors import InputError
from lib.core.formatting import format_duration, format_time
from lib.core.sampling import DEFAULT_STRIDE, Sampling, frame_to_seconds, seconds_to_frame

RATES = st.one_of(
    st.sampled_from([Fraction(24), Fraction(25), Fraction(30), Fraction(24000, 1001), Fraction(30000, 1001)]),
    st.fractions(min_value=Fraction(1, 100), max_value=1000, max_denominator=2000),
)
FRAMES = st.integers(min_value=0, max_value=10_000_000)
SAMPLINGS = st.one_of(
    st.integers(min_value=1, max_value=100_000).map(Sampling.every),
    st.fractions(min_value=Fraction(1, 3600), max_value=240, max_denominator=100_000).map(
        Sampling.per_second
    ),
)


@given(frame=FRAMES, rate=RATES)
def test_a_frame_survives_the_way_to_seconds_and_back(frame: int, rate: Fraction) -> None:
    assert seconds_to_frame(frame_to_seconds(frame, rate), rate) == frame


@given(frame=FRAMES, rate=RATES, share=st.fractions(min_value=0, max_value=1).filter(lambda f: f < 1))
def test_a_frame_is_shown_until_the_next_one(frame: int, rate: Fraction, share: Fraction) -> None:
    assert seconds_to_frame(frame_to_seconds(frame, rate) + share / rate, rate) == frame


@given(sampling=SAMPLINGS)
def test_a_sampling_comes_back_from_its_key(sampling: Sampling) -> None:
    assert Sampling.from_key(sampling.key) == sampling


@given(first=SAMPLINGS, second=SAMPLINGS)
def test_different_samplings_have_different_keys(first: Sampling, second: Sampling) -> None:
    assert (first == second) == (first.key == second.key)


@given(sampling=SAMPLINGS)
def test_keys_can_be_file_names(sampling: Sampling) -> None:
    assert not set(sampling.key) & set('/\\:*?"<>| ')


@pytest.mark.parametrize(
    ("sampling", "key", "description"),
    [
        (Sampling.every(), f"stride-{DEFAULT_STRIDE}", "every 10th frame"),
        (Sampling.every(1), "stride-1", "every frame"),
        (Sampling.every(2), "stride-2", "every 2nd frame"),
        (Sampling.every(3), "stride-3", "every 3rd frame"),
        (Sampling.every(11), "stride-11", "every 11th frame"),
        (Sampling.every(21), "stride-21", "every 21st frame"),
        (Sampling.every(112), "stride-112", "every 112th frame"),
        (Sampling.per_second(3), "fps-3", "3 a second"),
        (Sampling.per_second(0.1), "fps-1_10", "0.1 a second"),
        (Sampling.per_second("2.5"), "fps-5_2", "2.5 a second"),
        (Sampling.per_second(Fraction(30000, 1001)), "fps-30000_1001", "29.97 a second"),
    ],
)
def test_samplings_are_written_as_keys_and_as_words(sampling: Sampling, key: str, description: str) -> None:
    assert sampling.key == key
    assert sampling.description == description


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Sampling.every(0), "A stride is a whole number of 1 or more, not 0; try 10"),
        (lambda: Sampling.every(-3), "A stride is a whole number of 1 or more, not -3"),
        (lambda: Sampling("stride", Fraction(5, 2)), "A stride is a whole number of 1 or more, not 2.5"),
        (lambda: Sampling.per_second(0), "0 samples a second can't be used; choose between"),
        (lambda: Sampling.per_second(-1), "-1 samples a second can't be used"),
        (lambda: Sampling.per_second(241), "241 samples a second can't be used"),
        (lambda: Sampling.per_second("fast"), "'fast' is no number of samples a second; write one such as 3"),
        (lambda: Sampling.per_second("1/0"), "'1/0' is no number of samples a second"),
        (lambda: Sampling.per_second(float("nan")), "nan is no number of samples a second"),
        (lambda: Sampling("often", Fraction(1)), "Sampling kind 'often' is unknown"),  # type: ignore[arg-type]
        (lambda: Sampling.from_key("stride-x"), "'stride-x' is no sampling; write for example 'stride-10'"),
        (lambda: Sampling.from_key(""), "'' is no sampling"),
        (lambda: Sampling.from_key("fps-1_0"), "'fps-1_0' is no sampling"),
        (lambda: Sampling.from_key("hourly-3"), "'hourly-3' is no sampling"),
    ],
)
def test_a_sampling_without_sense_says_what_to_write(make: Callable[[], Sampling], message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        make()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0:00.0"),
        (7.12, "0:07.1"),
        (59.94, "0:59.9"),
        (59.96, "1:00.0"),
        (3599.99, "1:00:00.0"),
        (3725.5, "1:02:05.5"),
        (-0.01, "0:00.0"),
        (-7.12, "-0:07.1"),
    ],
)
def test_points_in_time_are_written_as_minutes_and_seconds(seconds: float, text: str) -> None:
    assert format_time(seconds) == text


def test_points_in_time_have_as_many_decimals_as_asked_for() -> None:
    assert format_time(61.239, decimals=2) == "1:01.24"
    assert format_time(61.5, decimals=0) == "1:02"


@given(seconds=st.floats(min_value=0, max_value=1e6), decimals=st.integers(min_value=0, max_value=3))
def test_a_written_time_reads_as_the_nearest_one(seconds: float, decimals: int) -> None:
    parts = format_time(seconds, decimals=decimals).split(":")
    read = sum(Fraction(part) * 60**place for place, part in enumerate(reversed(parts)))
    assert abs(read - Fraction(seconds)) <= Fraction(1, 2 * 10**decimals) + Fraction(1, 10**9)
    assert all(0 <= Fraction(part) < 60 for part in parts[1:])


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (3.04, "3.0 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 00 s"),
        (125.4, "2 min 05 s"),
        (3599.6, "1 h 00 min"),
        (3720, "1 h 02 min"),
    ],
)
def test_lengths_of_time_are_written_for_people(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text
