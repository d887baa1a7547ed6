"""The presentation time of each decoded frame.

* A frame's time is its presentation time stamp × the stream's time base, exactly, minus the ``origin_s`` of its
  container. For whatever browsers play, that is the player's ``currentTime`` (``mediaTime``).
* AVI has no presentation times: the i-th frame shown gets the i-th place in the file. A raw stream's times are
  index / rate. Elsewhere a frame without a time stamp comes at the end of the one before.
* Times increase strictly. A frame that isn't later than the one before (a broken file) gets that one's time plus one
  tick of the time base. Where a clock may restart (not in MP4, MOV, Matroska and WebM), a step back by more than half
  a second or forward by more than ten is a restart: the time line goes on without a hole.
* If the very first time is negative, the time line is moved so that it starts at 0.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from fractions import Fraction

from lib.media.containers import Family

_FALLBACK_RATE = Fraction(25)
_RESTART_BACK_S, _RESTART_AHEAD_S = Fraction(1, 2), Fraction(10)


@dataclass(frozen=True)
class FrameTiming:
    """When a frame is shown."""

    time: Fraction
    """Presentation time in seconds."""
    duration: Fraction
    """How long it is shown, in seconds, as far as the file says."""
    is_exact: bool
    """Whether the time is the frame's own time stamp, neither derived nor corrected."""

    @property
    def end(self) -> Fraction:
        """When the next frame is due, in seconds."""
        return self.time + self.duration


class TimestampReconstructor:
    """Gives each frame its time, by the rules above; frames come in the order of display.

    ``time_base`` is the unit of all time stamps, in seconds; ``rate`` the frames per second that the header says.
    """

    def __init__(self, family: Family, *, time_base: Fraction, rate: Fraction | None, origin_s: Fraction) -> None:
        self._family = family
        self._tick = time_base
        self._step = 1 / (rate or _FALLBACK_RATE)
        self._last_step = self._step
        self._offset = -origin_s
        self._places: deque[int] = deque(maxlen=4096)  # of AVI packets whose frames haven't come yet
        self._previous: FrameTiming | None = None
        self._count = 0

    def note_packet(self, dts: int | None) -> None:
        """Take note of the decoding time stamp of a packet that is about to be decoded."""
        if self._family == "avi" and dts is not None:
            self._places.append(dts)

    def time_of(self, pts: int | None, duration: int) -> FrameTiming:
        """Return when the next frame is shown, by its time stamp ``pts``, if it has one.

        ``duration`` is how long it is shown, in units of the time base; 0 where the file doesn't say.
        """
        stamped, previous = self._stamped_time(pts), self._previous
        time = self._first_time(stamped) if previous is None else self._next_time(stamped, previous)
        timing = FrameTiming(time, self._duration_s(duration), time == stamped)
        if previous is not None:
            self._last_step = time - previous.time
        self._previous = timing
        self._count += 1
        return timing

    def _stamped_time(self, pts: int | None) -> Fraction | None:
        """Return the time that the file states for the frame."""
        if self._family == "raw":
            return self._count * self._step
        if self._family == "avi":
            pts = self._places.popleft() if self._places else None
        return None if pts is None else pts * self._tick + self._offset

    def _first_time(self, stamped: Fraction | None) -> Fraction:
        if stamped is not None and stamped < 0:
            self._offset -= stamped
        return max(stamped or Fraction(0), Fraction(0))

    def _next_time(self, stamped: Fraction | None, previous: FrameTiming) -> Fraction:
        time = previous.end if stamped is None else stamped
        if self._has_restarted(time, previous):
            self._offset += previous.end - time
            time = previous.end
        return time if time > previous.time else previous.time + self._tick

    def _has_restarted(self, time: Fraction, previous: FrameTiming) -> bool:
        """Return whether the file's clock jumped to another time, as where recordings were joined."""
        if self._family in ("mp4", "matroska", "avi", "raw"):
            return False
        return not previous.time - _RESTART_BACK_S <= time <= previous.end + _RESTART_AHEAD_S

    def _duration_s(self, duration: int) -> Fraction:
        stated = duration * self._tick if duration > 0 and self._family != "raw" else self._last_step
        return self._step if abs(stated - self._step) < self._tick else stated  # rounded to ticks in the file
