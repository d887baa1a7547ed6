from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.core.errors import InputError
from lib.core.sampling import DEFAULT_STRIDE, FRAMINGS, Sampling

SAMPLINGS = st.one_of(
    st.builds(
        Sampling.framed, st.integers(min_value=1, max_value=100_000).map(Sampling.every), st.sampled_from(FRAMINGS)
    ),
    st.integers(min_value=1, max_value=100_000).map(Sampling.every),
    st.fractions(min_value=Fraction(1, 3600), max_value=240, max_denominator=100_000).map(Sampling.per_second),
)


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
        (Sampling.every(), f"stride-{DEFAULT_STRIDE}", "every 10 frames"),
        (Sampling.every(1), "stride-1", "every frame"),
        (Sampling.every(2), "stride-2", "every 2 frames"),
        (Sampling.every(3), "stride-3", "every 3 frames"),
        (Sampling.every(11), "stride-11", "every 11 frames"),
        (Sampling.every(21), "stride-21", "every 21 frames"),
        (Sampling.every(112), "stride-112", "every 112 frames"),
        (Sampling.per_second(3), "fps-3", "3 per second"),
        (Sampling.per_second(0.1), "fps-1_10", "0.1 per second"),
        (Sampling.per_second("2.5"), "fps-5_2", "2.5 per second"),
        (Sampling.per_second(Fraction(30000, 1001)), "fps-30000_1001", "29.97 per second"),
        (Sampling.every().framed("whole"), "stride-10-whole", "every 10 frames, whole frame"),
        (Sampling.per_second("2.5").framed("centre"), "fps-5_2-centre", "2.5 per second, centre square"),
        (Sampling.every().framed("whole").framed(None), "stride-10", "every 10 frames"),
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
        (lambda: Sampling.per_second(0), "0 samples per second can't be used; choose between"),
        (lambda: Sampling.per_second(-1), "-1 samples per second can't be used"),
        (lambda: Sampling.per_second(241), "241 samples per second can't be used"),
        (lambda: Sampling.per_second("fast"), "'fast' is no number of samples per second; write one such as 3"),
        (lambda: Sampling.per_second("1e9999999"), "'1e9999999' is no number of samples per second"),
        (lambda: Sampling.per_second("9" * 5_000), "is no number of samples per second"),
        (lambda: Sampling.per_second(Fraction(16**5_000)), "is no number of samples per second"),
        (lambda: Sampling("fps", Fraction(16**5_000)), "So large a number can't be used"),
        (lambda: Sampling("stride", Fraction(-(16**5_000))), "So large a number can't be used"),
        (lambda: Sampling.every(10**400), "is not a whole number of 1 or more"),
        (lambda: Sampling.every(10**10), "A stride is a whole number from 1 to 1,000,000,000, not 1e+10"),
        (lambda: Sampling.from_key("fps-1e99999999"), "is no sampling"),
        (lambda: Sampling.from_key("stride-10-"), "is no sampling"),
        (lambda: Sampling.from_key("stride-10-None"), "is no sampling"),
        (lambda: Sampling.from_key("stride-10-whole-whole"), "is no sampling"),
        (lambda: Sampling("stride", Fraction(1), "left"), "Framing 'left' is unknown; use centre or whole"),
        (lambda: Sampling.from_key("stride-" + "9" * 5_000), "is no sampling"),
        (lambda: Sampling.per_second("1/0"), "'1/0' is no number of samples per second"),
        (lambda: Sampling.per_second(float("nan")), "nan is no number of samples per second"),
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
