"""How far an ingest is: samples, rate and time left."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from lib.core.sampling import Sampling
from lib.store.videos import Video

TICK_S = 0.1
"""Seconds between two reports, and until a cancel is seen."""
_RATE_WINDOW_S = 10.0
_STEPS_KEPT = 5  # however slow the engine is


@dataclass(frozen=True)
class Progress:
    """How far an ingest is."""

    done: int
    """Samples stored or ready to be, those of earlier runs included."""
    total: int | None
    """Samples in all, estimated until the end, at least ``done``; None when the video does not say."""
    rate: float
    """Samples per second lately; 0.0 before the first one."""
    eta_s: float | None
    """Seconds left; None when unknown."""
    words: str = ""
    """What is going on, where counts alone don't say it; shown in their place."""


def estimate_samples(video: Video, sampling: Sampling) -> int | None:
    """Return how many samples a video will give, from what its header says; None when that is too little."""
    frames = video.frame_count
    if frames is None and video.duration_s is not None and video.rate is not None:
        frames = math.ceil(Fraction(video.duration_s) * video.rate - Fraction(1, 2))
    if sampling.kind == "stride":
        return None if frames is None else max(1, math.ceil(frames / sampling.value))
    if video.duration_s is None:
        return None
    by_time = max(1, math.ceil(Fraction(video.duration_s) * sampling.value - Fraction(1, 1000)))
    return by_time if frames is None else max(1, min(by_time, frames))


class Meter:
    """Counts samples; reports progress about ten times per second."""

    def __init__(self, total: int | None, on_progress: Callable[[Progress], None] | None) -> None:
        self._total = total
        self._on_progress = on_progress
        self._seen: deque[tuple[float, int]] = deque()
        self._reported_at = -math.inf

    def update(self, done: int) -> None:
        """Record how many samples are done, and report it unless a report was made just now."""
        now = time.monotonic()
        if not self._seen or self._seen[-1][1] != done:
            self._seen.append((now, done))
        while len(self._seen) > _STEPS_KEPT and now - self._seen[1][0] > _RATE_WINDOW_S:
            self._seen.popleft()
        if self._on_progress is not None and now - self._reported_at >= TICK_S:
            self._reported_at = now
            self._on_progress(self._progress(now, done))

    def finish(self, samples: int) -> None:
        """Report the end: the total is exact now."""
        if self._on_progress is not None:
            self._on_progress(Progress(samples, samples, self._rate(time.monotonic()), 0.0))

    def _progress(self, now: float, done: int) -> Progress:
        rate = self._rate(now)
        total = None if self._total is None else max(self._total, done)
        eta_s = (total - done) / rate if total is not None and rate > 0 else None
        return Progress(done, total, rate, eta_s)

    def _rate(self, now: float) -> float:
        """Return samples per second over the last steps; it sinks only when a step is long overdue."""
        if len(self._seen) < 2:
            return 0.0
        (first_at, before), (last_at, done) = self._seen[0], self._seen[-1]
        passed = last_at - first_at
        overdue = max(0.0, now - last_at - 2 * passed / (len(self._seen) - 1))
        return (done - before) / max(passed + overdue, 1e-9)
