"""The samples of one video, as both sides hand them around: plain arrays, nothing to load them with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Samples:
    """Embedded frames of one video, in order of time.

    Sample ``i`` stands for the half-open span ``[times_s[i], times_s[i + 1])``; the last one ends with the video.

    Raises:
        ValueError: shapes differ, times do not increase, or the last sample lies at or after the end.
    """

    frames: NDArray[np.int64]
    """Frame index of each sample in decoding order, counted from 0; shape ``(n,)``."""
    times_s: NDArray[np.float64]
    """Presentation times in seconds, strictly increasing; shape ``(n,)``."""
    vectors: NDArray[np.float32]
    """Unit rows; shape ``(n, d)``."""
    duration_s: float
    """End of the video in seconds (the end of the last frame's presentation)."""

    def __post_init__(self) -> None:
        n = len(self.times_s)
        if self.frames.shape != (n,) or self.vectors.ndim != 2 or len(self.vectors) != n:
            raise ValueError(
                f"frames {self.frames.shape}, times {self.times_s.shape} and vectors {self.vectors.shape} "
                "must have one row a sample"
            )
        if n and (np.any(np.diff(self.times_s) <= 0) or self.times_s[-1] >= self.duration_s):
            raise ValueError("times must increase strictly and lie before the end of the video")

    def __len__(self) -> int:
        return len(self.times_s)

    @property
    def spans_s(self) -> NDArray[np.float64]:
        """Length of each sample's span in seconds, float64 ``(n,)``; their sum is ``duration_s - times_s[0]``."""
        return np.diff(self.times_s, append=self.duration_s)

    @property
    def step_s(self) -> float:
        """Median span in seconds: one sampling step; 0.0 without samples."""
        return float(np.median(self.spans_s)) if len(self) else 0.0
