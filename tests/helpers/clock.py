"""A clock that stands still but for waiting."""

from __future__ import annotations


class Clock:
    """Waits in no time and remembers; its time is what was waited."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)

    def time(self) -> float:
        return sum(self.waits)
