"""The server's end, as far as it is told of it."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from lib.ui.background.resuming import end_in_order_with_the_terminal

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows has no SIGHUP")


@pytest.fixture
def heard() -> Iterator[list[int]]:
    numbers: list[int] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGHUP, signal.SIGTERM)}
    signal.signal(signal.SIGTERM, lambda number, _: numbers.append(number))
    yield numbers
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_closed_terminal_ends_the_server_as_sigterm_does(heard: list[int]) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    end_in_order_with_the_terminal()
    assert callable(signal.getsignal(signal.SIGHUP))
    signal.raise_signal(signal.SIGHUP)
    assert heard == [signal.SIGTERM]


def test_a_server_that_is_to_outlive_the_terminal_does(heard: list[int]) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    end_in_order_with_the_terminal()
    signal.raise_signal(signal.SIGHUP)
    assert heard == []
