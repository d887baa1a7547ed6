"""Frames, seconds and SMPTE timecode at exact rates.

Timecode numbers frames as ``hh:mm:ss:ff`` with a whole number of frames to a second. At 30000/1001 and 60000/1001
frames per second, drop-frame timecode (written ``hh:mm:ss;ff``) leaves out two or four numbers, no frames, in each
minute but the tenth ones, so that it keeps to the clock. It begins anew after 24 hours.

References:
    SMPTE ST 12-1:2014, *Time and Control Code*.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction

from lib.core.errors import InputError
from lib.core.validation import written

_NTSC = Fraction(1000, 1001)
TIMECODE_RATES = (
    *(24 * _NTSC, Fraction(24), Fraction(25), 30 * _NTSC, Fraction(30)),
    *(48 * _NTSC, Fraction(48), Fraction(50), 60 * _NTSC, Fraction(60)),
)
"""Rates at which editors count, in rising order."""
TIMECODE = re.compile(r"(\d{1,2})[:;](\d{2})[:;](\d{2})([:;])(\d{2,3})")
_SAME = Fraction(1, 4000)  # headers round rates; 24 and 24000/1001 are a thousandth apart
_NEAR = Fraction(1, 500)
_ALIKE = Fraction(1, 50)


@dataclass(frozen=True)
class Timebase:
    """How frames are counted; frame 0 is the first one of a video."""

    rate: Fraction
    """Frames per second."""
    drop: bool = False
    """Whether timecode is drop-frame."""
    start: int = 0
    """Frames from timecode 0 to frame 0."""
    notes: tuple[str, ...] = ()
    """What this can't say of the video, one sentence each."""

    @property
    def a_second(self) -> int:
        """Frames that timecode counts to a second."""
        return round(self.rate)

    def frame_at(self, time_s: Fraction | float) -> int:
        """Return the frame that begins nearest to a time, in seconds after the first frame's."""
        return math.floor(Fraction(time_s) * self.rate + Fraction(1, 2))

    def seconds(self, frame: int) -> Fraction:
        """Return when a frame begins, in seconds after the first one."""
        return frame / self.rate

    def timecode(self, frame: int) -> str:
        """Return the timecode of a frame."""
        number = frame + self.start
        if self.drop:
            left_out = self.a_second // 15
            ten_minutes = self.a_second * 600 - 9 * left_out
            tens, rest = divmod(number, ten_minutes)
            minutes = max(0, rest - left_out) // (self.a_second * 60 - left_out)
            number += left_out * (9 * tens + minutes)
        seconds, frames = divmod(number, self.a_second)
        minutes, seconds = divmod(seconds, 60)
        sign = ";" if self.drop else ":"
        return f"{minutes // 60 % 24:02d}:{minutes % 60:02d}:{seconds:02d}{sign}{frames:02d}"


def frames_of(timecode: str, rate: Fraction, *, within_a_day: bool = False) -> int:
    """Return how many frames lie between timecode 0 and ``timecode``; ``;`` before its frames is drop-frame.

    What begins before midnight may end in hour 24 or later, unless ``within_a_day``.

    Raises:
        InputError: it is no timecode, or none at this rate.
    """
    match = TIMECODE.fullmatch(timecode.strip())
    a_second = round(rate)
    if match is None or abs(rate - a_second) > _NEAR * rate or int(match[5]) >= a_second:
        raise InputError(
            f"{written(timecode)} counts frames, and the video has {float(rate):.6g} per second; "
            "give the times in seconds."
        )
    hours, minutes, seconds, frames = (int(match[group]) for group in (1, 2, 3, 5))
    drop = match[4] == ";" and may_drop(rate)
    left_out = a_second // 15 if drop else 0
    if (
        (within_a_day and hours > 23)
        or minutes > 59
        or seconds > 59
        or (minutes % 10 and not seconds and frames < left_out)
    ):
        raise InputError(f"There is no timecode {written(timecode)}; write one that exists, or the time in seconds.")
    minutes += hours * 60
    return (minutes * 60 + seconds) * a_second + frames - left_out * (minutes - minutes // 10)


def exact_rate(rate: Fraction) -> Fraction:
    """Return the rate at which editors count that was rounded, as 30000/1001 for 29.97; any other as it is."""
    return next((one for one in TIMECODE_RATES if abs(one - rate) <= _SAME * one), rate)


def may_drop(rate: Fraction) -> bool:
    """Return whether drop-frame timecode exists at a rate."""
    return round(rate) % 30 == 0 and rate < round(rate)


def timebase_of(
    rate: Fraction, *, variable: bool | None = False, start_timecode: str | None = None, any_rate: bool = False
) -> Timebase:
    """Return how an editor counts a video's frames.

    Args:
        rate: frames per second, above 0; of a variable rate, the average.
        variable: whether frames are shown for different lengths of time.
        start_timecode: timecode of the first frame, as the file has it. Without one it is 0, and drop-frame where that
            exists.
        any_rate: whether a constant rate may be one at which there is no timecode.
    """
    notes = []
    exact = exact_rate(rate)
    named = exact if exact in TIMECODE_RATES else None
    if variable:
        counted = named or _counting(rate)
        notes.append(
            f"The video’s rate varies, {float(rate):.5g} frames a second on average; this counts "
            f"{rate_text(counted)} a second, and times are right to half of such a frame."
        )
    elif named is not None or any_rate:
        counted = named or rate
    else:
        counted = _counting(rate)
        notes.append(
            f"Timecode doesn’t exist at the video’s {float(rate):.5g} frames a second; this counts "
            f"{rate_text(counted)} a second, and times are right to half of such a frame."
        )
    start, drop = 0, may_drop(counted)
    if start_timecode is not None:
        try:
            start, drop = frames_of(start_timecode, counted, within_a_day=True), drop and ";" in start_timecode
        except InputError:
            shown = written(start_timecode)
            notes.append(f"The file’s start timecode {shown} doesn’t exist at this rate; 00:00:00:00 is taken.")
    return Timebase(counted, drop, start, tuple(notes))


def _counting(rate: Fraction) -> Fraction:
    """Return the rate of timecode that counts a video of another rate best: its multiple, its part, the next above."""
    alike = min(TIMECODE_RATES, key=lambda one: abs(one - rate))
    if abs(alike - rate) <= _ALIKE * rate:
        return alike
    whole = [one for one in TIMECODE_RATES if one.denominator == 1]
    multiple = next((one for one in whole if (one / rate).denominator == 1), None)
    part = next((one for one in reversed(whole) if (rate / one).denominator == 1), None)
    return multiple or part or next((one for one in whole if one >= rate), whole[-1])


def rate_text(rate: Fraction) -> str:
    """Return a rate for people: ``25``, ``29.97``."""
    return f"{float(rate):.5g}" if rate.denominator == 1 else f"{float(rate):.3f}".rstrip("0").rstrip(".")
