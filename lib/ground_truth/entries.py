"""What the readers of all formats give: unchecked entries and notes, and how their times are read.

Times are exact fractions of a second until a segment is made of them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from lib.core.errors import InputError
from lib.core.timecode import TIMECODE, exact_rate, frames_of
from lib.core.validation import bounded_fraction, written

_TIME = re.compile(r"(?:(?:(\d{1,4}):)?(\d{1,4}):)?(\d{1,9}(?:[.,]\d{1,40})?|[.,]\d{1,40})\s{0,9}s?")
_LARGEST = 10**12


class Where(NamedTuple):
    """The place of an entry in its file, counted from 1: ``Line 3``."""

    kind: str
    number: int

    def __str__(self) -> str:
        return f"{self.kind} {self.number}"


@dataclass(frozen=True)
class Note:
    """Why something is left out, or what was taken for granted."""

    where: Where
    text: str


@dataclass(frozen=True)
class Time:
    """A time as it stands in the file."""

    value: object
    scale: Fraction | None = None
    """Seconds of its unit; None for seconds, which may be written ``1:02:03.5``, or ``01:02:03:12`` with frames."""


@dataclass(frozen=True)
class Entry:
    """A segment as it stands in the file, unchecked."""

    where: Where
    label: object
    start: Time
    end: Time
    end_is_length: bool = False
    """Whether ``end`` counts from ``start``."""
    video: str = ""
    """Name of the video that it belongs to, where the file says."""


@dataclass(frozen=True)
class Source:
    """What is known of a file."""

    name: str
    """For messages."""
    rate: Fraction | float | None = None
    """Frames per second of the video; None where unknown."""
    video: str | None = None
    """Name of the video; None where unknown."""
    start_timecode: Callable[[], str | None] | None = None
    """Returns the timecode of the video's first frame; asked only for files that count by it."""

    def start_frame(self, rate: Fraction) -> int | None:
        """Return the frames from timecode 0 to the video's first one; None where it has no timecode."""
        timecode = self.start_timecode() if self.start_timecode else None
        try:
            return frames_of(timecode, rate) if timecode else None
        except InputError:
            return None

    @property
    def start_s(self) -> Fraction:
        """The video's start timecode in seconds; 0 without one, or where the rate is unknown."""
        if not self.rate:
            return Fraction(0)
        rate = exact_rate(1 / self.frame_s)
        return (self.start_frame(rate) or 0) / rate

    @property
    def frame_s(self) -> Fraction:
        """Length of a frame in seconds.

        Raises:
            InputError: it is unknown.
        """
        rate = bounded_fraction(self.rate, Fraction(1, 3600), 100_000)
        if rate is None:
            raise InputError(
                f"{self.name} counts in frames, and how many frames per second the video has is unknown; "
                "give the times in seconds."
            )
        return 1 / rate


def is_time(text: str) -> bool:
    """Return whether ``text`` is a written time."""
    return any(pattern.fullmatch(text.strip()) for pattern in (_TIME, TIMECODE))


def read_time(text: str) -> float:
    """Return the seconds of a written time: ``12.5``, ``0:12.5``, ``1:02:03.25``; a decimal comma is accepted.

    Raises:
        InputError: it is none.
    """
    return float(_clock(text))


def _clock(text: str) -> Fraction:
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise InputError(f"{written(text)} is no time; write seconds such as 12.5, or 1:02:03.5.")
    hours, minutes, seconds = match.groups()
    # A sum of floats would round: 1:02:03.1 must be the float nearest 3723.1.
    return int(hours or 0) * 3600 + int(minutes or 0) * 60 + Fraction(seconds.replace(",", "."))


def seconds(time: Time, source: Source) -> Fraction:
    """Return the seconds of a time.

    Raises:
        InputError: it is none, not finite, or counts frames of which the rate is unknown.
    """
    value = time.value
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError("a time is not finite; it is left out.")
    if isinstance(value, str) and time.scale is None:
        if TIMECODE.fullmatch(value.strip()):
            rate = 1 / source.frame_s
            return frames_of(value, rate) / rate
        return _clock(value)
    number = bounded_fraction(value.replace(",", ".") if isinstance(value, str) else value, -_LARGEST, _LARGEST)
    if number is None:
        raise InputError(f"{written(value)} is no time that can be used; it is left out.")
    return number * (time.scale or 1)
