"""The samples of one video as plain arrays, without the means to load them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

TIME_TOLERANCE_S = 1e-6
"""Times closer than this are equal; presentation times are multiples of 1/90000 s or coarser."""


@dataclass(frozen=True)
class Samples:
    """Embedded frames of one video, in order of time.

    The video's time line goes from ``start_s`` to ``end_s``. Sample ``i`` stands for the half-open span
    ``[times_s[i], times_s[i + 1])``; the last one ends with the video. A span ends earlier where a gap begins, since no
    sample stands for a gap.

    Raises:
        ValueError: shapes differ, times do not increase, a sample lies before the start or not before the end, or gaps
            are out of order, reach beyond start or end, or hold a sample.
    """

    frames: NDArray[np.int64]
    """Frame index of each sample in decoding order, counted from 0; shape ``(n,)``."""
    times_s: NDArray[np.float64]
    """Presentation times in seconds, strictly increasing; shape ``(n,)``."""
    vectors: NDArray[np.float32]
    """Unit rows; shape ``(n, d)``."""
    end_s: float
    """End of the video in seconds (the end of the last frame's presentation)."""
    gaps_s: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 2)))
    """Stretches ``[start, end)`` in seconds whose frames have no vector, in order and apart; shape ``(g, 2)``."""
    start_s: float = 0.0
    """Start of the video in seconds: of its first frame, or of a gap before it."""

    def __post_init__(self) -> None:
        n = len(self.times_s)
        if self.frames.shape != (n,) or self.vectors.ndim != 2 or len(self.vectors) != n:
            raise ValueError(
                f"frames {self.frames.shape}, times {self.times_s.shape} and vectors {self.vectors.shape} "
                "must have one row per sample"
            )
        if n and (np.any(np.diff(self.times_s) <= 0) or self.times_s[-1] >= self.end_s):
            raise ValueError("times must increase strictly and lie before the end of the video")
        if n and self.times_s[0] < self.start_s:
            raise ValueError("the first sample must not lie before the start of the video")
        self._check_gaps()

    def _check_gaps(self) -> None:
        if self.gaps_s.ndim != 2 or self.gaps_s.shape[1] != 2:
            raise ValueError(f"gaps must be rows of start and end, not of shape {self.gaps_s.shape}")
        if len(self.gaps_s):
            first, stop = np.searchsorted(self.times_s, self.gaps_s.T)
            if np.any(np.diff(self.gaps_s.ravel()) <= 0) or np.any(first != stop):
                raise ValueError("gaps must come in order, last longer than 0 s, and hold no sample")
            if self.gaps_s[0, 0] < self.start_s or self.gaps_s[-1, 1] > self.end_s:
                raise ValueError("gaps must lie between start and end of the video")

    def __len__(self) -> int:
        return len(self.times_s)

    @property
    def duration_s(self) -> float:
        """Length of the video in seconds, gaps included."""
        return self.end_s - self.start_s

    @property
    def ends_s(self) -> NDArray[np.float64]:
        """End of each sample's span in seconds, float64 ``(n,)``: the next sample, a gap, or the end of the video."""
        ends = np.append(self.times_s[1:], self.end_s)[: len(self)]
        before = np.searchsorted(self.times_s, self.gaps_s[:, 0]) - 1  # the sample that a gap follows
        np.minimum.at(ends, before[before >= 0], self.gaps_s[before >= 0, 0])
        return ends

    @property
    def spans_s(self) -> NDArray[np.float64]:
        """Length of each sample's span in seconds, float64 ``(n,)``.

        Their sum is ``end_s - times_s[0]`` less the gaps after the first sample.
        """
        spans: NDArray[np.float64] = self.ends_s - self.times_s
        return spans

    @property
    def step_s(self) -> float:
        """Median span in seconds: one sampling step; 0.0 without samples."""
        return float(np.median(self.spans_s)) if len(self) else 0.0
