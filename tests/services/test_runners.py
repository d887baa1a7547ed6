"""Outcomes of work on many items, done here."""

from __future__ import annotations

import pytest

from lib.core.errors import Cancelled, InputError
from lib.services.runners import LocalRunner, Outcome


def half(number: int) -> int:
    if number == 0:
        raise InputError("Nothing can be halved; take more.")
    if number % 2:
        raise ValueError(f"odd\nat https://host/path?key=secret {number}")
    if number > 100:
        raise Cancelled("Enough.")
    return number // 2


def test_an_item_that_fails_costs_that_item_only() -> None:
    assert list(LocalRunner().run(half, [4, 0, 8])) == [
        Outcome(4, 2),
        Outcome(0, None, "Nothing can be halved; take more."),
        Outcome(8, 4),
    ]


def test_an_unexpected_error_is_one_line_without_what_may_be_secret() -> None:
    [outcome] = LocalRunner().run(half, [3])

    assert outcome.problem.startswith("It failed unexpectedly (ValueError: odd at https://host/path?[hidden] 3)")
    assert "\n" not in outcome.problem


def test_a_stop_ends_it_and_takes_no_further_item() -> None:
    taken = []

    def items() -> object:
        for item in (2, 102, 4):
            taken.append(item)
            yield item

    outcomes = LocalRunner().run(half, items())  # type: ignore[arg-type]

    assert next(outcomes) == Outcome(2, 1)
    with pytest.raises(Cancelled):
        next(outcomes)
    assert taken == [2, 102]
