"""The presentation time of each decoded frame.

* A frame's time is its presentation time stamp × the stream's time base, exactly, minus the ``origin_s`` of its
  container. For whatever browsers play, that is the player's ``currentTime`` (``mediaTime``).
* AVI has no presentation times: a picture belongs to the place of its chunk, and those that a decoder puts in another
  order share out their places in order. A chunk without a picture is a place where the one before is still shown. A
  raw stream's times are index / rate. Elsewhere a frame without a time stamp comes at the end of the one before.
* Times increase strictly. A frame whose stamp isn't later than the one before gets its decoding time where that is
  later, else one frame's duration, at most one tick of the time base.
* Where a clock may restart (not in MP4, MOV, Matroska, WebM and AVI), a step back by more than half a second is a
  restart, and so is one forward by more than ten that the sound takes as well: the time line goes on without a hole. A
  long step that the sound doesn't take is a picture that is shown for long.
* In MP4, MOV, Matroska and WebM nothing before 0 is shown, as in a browser; elsewhere a time line whose first time is
  negative is moved so that it starts at 0.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Generic, NamedTuple, TypeVar

from lib.media.containers import Family

_FALLBACK_RATE = Fraction(25)
_RESTART_BACK_S, _RESTART_AHEAD_S = Fraction(1, 2), Fraction(10)
MAX_REORDERED = 16
"""How many frames a decoder may hold back to put them in order (H.264 and HEVC)."""
_MOST_AHEAD_S = Fraction(7 * 24 * 3600)
"""No picture is shown for longer than a week; a stamp further ahead is broken, and taken for none."""
_NEAR_S = Fraction(5)
"""How far apart sound and picture may lie in a file."""
_WITHOUT_RESTART = ("mp4", "matroska", "avi", "raw")
_SHOWN_FROM_0 = ("mp4", "matroska")

T = TypeVar("T")


class Stamp(NamedTuple):
    """What the file says about a frame's time, in units of the time base."""

    pts: int | None
    """Presentation time stamp."""
    dts: int | None
    """Decoding time stamp of its packet; in AVI the place of its chunk."""
    duration: int
    """How long it is shown; 0 where the file doesn't say."""


@dataclass(frozen=True)
class FrameTiming:
    """When a frame is shown."""

    time: Fraction
    """Presentation time in seconds."""
    duration: Fraction
    """How long it is shown, in seconds, as far as the file says."""
    is_exact: bool
    """Whether the time is the frame's own time stamp, neither derived nor corrected."""

    @cached_property
    def end(self) -> Fraction:
        """When the next frame is due, in seconds."""
        return self.time + self.duration


class SoundClock:
    """The unbroken stretches of a sound track, in the order of the file."""

    def __init__(self) -> None:
        self._runs: list[list[Fraction]] = []

    def note(self, time: Fraction) -> None:
        """Take note of the time of the next piece, in seconds as the file states it."""
        if self._runs and abs(time - self._runs[-1][1]) < _NEAR_S:
            self._runs[-1][1] = max(time, self._runs[-1][1])
        else:
            self._runs.append([time, time])

    def jumps(self, before: Fraction, after: Fraction) -> bool:
        """Return whether the sound goes from about one time to about another without anything between."""
        return any(
            abs(end - before) < _NEAR_S and abs(start - after) < _NEAR_S
            for (_, end), (start, _) in zip(self._runs, self._runs[1:], strict=False)
        )


class ClockState(NamedTuple):
    """Where a ``TimestampReconstructor`` stands after a frame."""

    previous: FrameTiming | None
    offset: Fraction
    restarts: int
    frames: int


class TimestampReconstructor(Generic[T]):
    """Gives each frame its time, by the rules above; frames come in the order of display.

    ``time_base`` is the unit of all time stamps, in seconds; ``rate`` the frames per second that the header says;
    ``sound`` tells whether the sound's clock jumped, None where there is none.
    """

    def __init__(
        self,
        family: Family,
        *,
        time_base: Fraction,
        rate: Fraction | None,
        origin_s: Fraction,
        sound: SoundClock | None = None,
    ) -> None:
        self._family = family
        self._tick = time_base
        self._step = 1 / (rate or _FALLBACK_RATE)
        self._last_step = self._step
        self._offset = -origin_s
        self._sound = sound
        self._held: list[tuple[T, Stamp]] = []  # of AVI, until their places are known
        self._places: list[int] = []  # of AVI: a heap
        self._early: tuple[T, FrameTiming] | None = None  # shown before 0, as far as is known
        self._previous: FrameTiming | None = None
        self._count = 0
        self.is_reordered = False
        """Whether the decoder puts frames in another order than their packets."""
        self.restarts: list[Fraction] = []
        """What is added to the file's times after each restart, in seconds."""

    @property
    def state(self) -> ClockState:
        """Where it stands, to come back to."""
        return ClockState(self._previous, self._offset, len(self.restarts), self._count)

    def go_back(self, state: ClockState) -> None:
        """Forget all frames after ``state``."""
        self._previous, self._offset, self._count = state.previous, state.offset, state.frames
        del self.restarts[state.restarts :]
        self._held, self._places, self._early = [], [], None

    def skip(self, frames: int, timing: FrameTiming) -> FrameTiming:
        """Note that frames are missing before the latest one; return its timing, later where frames are counted."""
        self._count += frames
        if self._family == "raw":
            timing = self._previous = replace(timing, time=timing.time + frames * self._step)
        return timing

    def push(self, item: T, stamp: Stamp) -> list[tuple[T, FrameTiming]]:
        """Take the next frame and return those whose times are known by now, in order."""
        if self._family != "avi":
            return self._timed(item, stamp)
        self._held.append((item, stamp))
        heapq.heappush(self._places, self._last_place() + 1 if stamp.dts is None else stamp.dts)
        return self._release() if len(self._held) > MAX_REORDERED or not self.is_reordered else []

    def flush(self) -> list[tuple[T, FrameTiming]]:
        """Return the frames whose times weren't known yet; none comes after them."""
        timed = []
        while self._held:
            timed += self._release()
        if self._early is not None and (self._early[1].end > 0 or not self._count):
            timed.append(self._shown_at_0(self._early, None))
        self._early = None
        return timed

    def end_of(self, pts: int | None, duration: int) -> Fraction | None:
        """Return when a packet that brings no frame ends, in seconds; None where the file doesn't say."""
        if pts is None or self._family == "raw":
            return None
        end = pts * self._tick + self._offset + self._duration_s(duration)
        return None if self._is_absurd(end) else end

    def _is_absurd(self, time: Fraction) -> bool:
        """Return whether a time is so far ahead of the latest frame that its stamp must be broken."""
        return self._previous is not None and time - self._previous.end > _MOST_AHEAD_S

    def frames_between(self, start: Fraction, end: Fraction) -> int:
        """Return how many frames have room between two times at the rate of the header."""
        return max(0, round((end - start) / self._step))

    def time_of(self, pts: int | None) -> Fraction | None:
        """Return the time that the file states, in seconds; None without a stamp."""
        return None if pts is None else pts * self._tick + self._offset

    def _release(self) -> list[tuple[T, FrameTiming]]:
        """Return the first frame that is held, at the first place that is left."""
        item, stamp = self._held.pop(0)
        return self._timed(item, stamp._replace(pts=max(heapq.heappop(self._places), self._last_place() + 1)))

    def _last_place(self) -> int:
        return -1 if self._previous is None else int((self._previous.time - self._offset) / self._tick)

    def _timed(self, item: T, stamp: Stamp) -> list[tuple[T, FrameTiming]]:
        if self._previous is not None:
            return [(item, self._next_timing(stamp, self._previous))]
        early, self._early = self._early, None
        timing = self._first_timing(stamp)
        if timing.time < 0:
            self._early = item, timing
            return []
        shown = [] if early is None or timing.time == 0 else [self._shown_at_0(early, timing.time)]
        self._note(timing)
        return [*shown, (item, timing)]

    def _shown_at_0(self, early: tuple[T, FrameTiming], until: Fraction | None) -> tuple[T, FrameTiming]:
        """Return a frame that began before 0 and is still shown then."""
        duration = until or (early[1].end if early[1].end > 0 else self._step)
        timing = FrameTiming(Fraction(0), duration, False)
        self._note(timing)
        return early[0], timing

    def _note(self, timing: FrameTiming) -> None:
        if self._previous is not None:
            self._last_step = timing.time - self._previous.time
        self._previous = timing
        self._count += 1

    def _first_timing(self, stamp: Stamp) -> FrameTiming:
        stated = self._stated(stamp.pts)
        time = Fraction(0) if stated is None else stated
        if time < 0 and self._family not in _SHOWN_FROM_0:
            self._offset -= time
            time = Fraction(0)
        return FrameTiming(time, self._duration_s(stamp.duration), time == stated)

    def _next_timing(self, stamp: Stamp, previous: FrameTiming) -> FrameTiming:
        stated = self._stated(stamp.pts)
        time = previous.end
        if stated is not None and stated != time:  # seldom, where a frame's end is the next one's time
            time = self._later_time(stated, stamp, previous)
        timing = FrameTiming(time, self._duration_s(stamp.duration), time == stated)
        self._note(timing)
        return timing

    def _later_time(self, stated: Fraction, stamp: Stamp, previous: FrameTiming) -> Fraction:
        """Return the time of a frame whose stamp isn't where the one before ends."""
        if self._is_absurd(stated):
            return previous.end
        if self._has_restarted(stated, previous):
            self._offset += previous.end - stated
            self.restarts.append(self._offset)
            return previous.end
        if stated > previous.time:
            return stated
        decoded = None if self._family == "raw" else self.time_of(stamp.dts)
        least = previous.time + min(self._step, self._tick)
        return least if decoded is None or decoded <= previous.time else decoded

    def _stated(self, pts: int | None) -> Fraction | None:
        """Return the time that the file states for the frame."""
        return self._count * self._step if self._family == "raw" else self.time_of(pts)

    def _has_restarted(self, time: Fraction, previous: FrameTiming) -> bool:
        """Return whether the file's clock jumped to another time, as where recordings were joined."""
        if self._family in _WITHOUT_RESTART:
            return False
        if time < previous.time - _RESTART_BACK_S:
            return True
        is_far = time > previous.end + _RESTART_AHEAD_S
        return (
            is_far and self._sound is not None and self._sound.jumps(previous.end - self._offset, time - self._offset)
        )

    def _duration_s(self, duration: int) -> Fraction:
        stated = duration * self._tick if duration > 0 and self._family != "raw" else self._last_step
        return self._step if abs(stated - self._step) < self._tick else stated  # rounded to ticks in the file
