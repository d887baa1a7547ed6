from __future__ import annotations

from fractions import Fraction

import pytest

from lib.core.errors import InputError
from lib.core.validation import bounded_fraction, bounded_int, number, one_line, written

# Each would take seconds, gigabytes or an exception if Python's own types read it.
HOSTILE = [
    "1e99999999",
    "1e-99999999",
    "-1e10000000",
    "9" * 5_000,
    "9" * 5_000_000,
    "1/" + "9" * 5_000,
    "0." + "1" * 5_000,
    " " * 5_000_000,
    "1/0",
    "",
    ".",
    "e5",
    "nan",
    "Infinity",
    "1_0",
    "1:59:59",
    "0xff",
    float("nan"),
    float("inf"),
    1e-300,
    int("f" * 5_000, 16),
    Fraction(1, 16**5_000),
    True,
    None,
    [1],
]


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_what_is_no_number_in_range_is_none_at_once(value: object) -> None:
    assert bounded_fraction(value, Fraction(1, 1000), 1000) is None
    assert bounded_int(value, 0, 1000) is None


@pytest.mark.parametrize(
    ("value", "fraction"),
    [
        ("30000/1001", Fraction(30000, 1001)),
        (" 29.97 ", Fraction(2997, 100)),
        ("1e3", Fraction(1000)),
        (".5", Fraction(1, 2)),
        ("5.", Fraction(5)),
        (0.1, Fraction(1, 10)),
        (7, Fraction(7)),
        (Fraction(1, 3), Fraction(1, 3)),
    ],
)
def test_numbers_are_exact(value: object, fraction: Fraction) -> None:
    assert bounded_fraction(value, Fraction(1, 1000), 1000) == fraction


def test_whole_numbers_may_be_text() -> None:
    assert bounded_int(" 12 ", 0, 100) == bounded_int(12, 0, 100) == 12
    assert bounded_int("12.0", 0, 100) is None
    assert bounded_int(101, 0, 100) is None


def test_a_message_can_name_any_number() -> None:
    huge = int("f" * 5_000, 16)
    assert written(huge) == "a number of thousands of digits"
    for call in (lambda: one_line(huge, "the label", InputError), lambda: number(huge, "It is", 0, 1, InputError)):
        with pytest.raises(InputError, match="a number of thousands of digits"):
            call()


def test_a_long_run_of_accents_is_refused_before_it_is_put_in_order() -> None:
    """To normalise it takes quadratic time, in which nothing else moves."""
    with pytest.raises(InputError, match="the label has 2000001 characters, and 500 are possible"):
        one_line("a" + "\u0301\u0323" * 1_000_000, "the label", InputError)
