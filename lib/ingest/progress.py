"""How far an ingest is: samples, rate and time left."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

from lib.core.sampling import Sampling
from lib.store.videos import Video

TICK_S = 0.1
"""Seconds between two reports, and until a cancel is seen."""
_RATE_WINDOW_S = 10.0
_ROUNDING_S = Fraction(1, 100_000)  # times are floats of fractions
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
    """Return how many samples a video will give, from what its header says; None when that is too little.

    Exact for an undamaged video of constant rate.
    """
    frames, rate = video.frame_count, video.rate
    if frames is None and video.duration_s is not None and rate is not None:
        frames = math.ceil(Fraction(video.duration_s) * rate - Fraction(1, 2))
    if sampling.kind == "stride":
        return None if frames is None else max(1, math.ceil(frames / sampling.value))
    if video.duration_s is None:
        return None
    first_s, length_s = Fraction(video.start_s), Fraction(video.duration_s)
    if rate is not None:  # up to the last frame's beginning
        length_s = (frames - 1) / rate if video.variable_rate is False and frames else length_s - 1 / rate
    last_s = first_s + max(length_s, Fraction(0)) + _ROUNDING_S
    by_time = math.floor(last_s * sampling.value) - math.floor((first_s + _ROUNDING_S) * sampling.value) + 1
    return by_time if frames is None else max(1, min(by_time, frames))


def expected_samples(video: Video, sampling: Sampling) -> int | None:
    """Return the same, counted by the file's packets where its header alone doesn't tell."""
    if not video.has_file or (video.variable_rate is False and video.frame_count and not _is_cut(video)):
        return estimate_samples(video, sampling)
    return _counted(video.path, video.sha256, sampling) or estimate_samples(video, sampling)


def _is_cut(video: Video) -> bool:
    """Return whether frames and length don't belong together, as where an edit list shows a part."""
    if video.rate is None or video.frame_count is None or video.duration_s is None:
        return True
    return abs(video.frame_count / video.rate - Fraction(video.duration_s)) > Fraction(1, 2) / video.rate


@lru_cache(maxsize=256)
def _counted(path: Path, sha256: str, sampling: Sampling) -> int | None:
    from lib.media.counting import count_samples

    return count_samples(path, sampling)


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
