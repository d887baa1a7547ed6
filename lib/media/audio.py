"""The sound of a file as one unbroken stereo track, for a playable copy beside the pictures."""

from __future__ import annotations

import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import av.error
import numpy as np
from av.audio.resampler import AudioResampler
from numpy.typing import NDArray

from lib.media.media_file import OPTIONS

SAMPLE_RATE = 48_000
_BLOCK = 1024
"""Samples a block: what an AAC encoder takes at once."""
_TOLERANCE = SAMPLE_RATE // 20
"""Smaller gaps and overlaps between blocks are rounding, not silence."""


class AudioReader:
    """Gives the first sound track of a file in step with its pictures.

    Silence stands for gaps, for what comes before the first sound, and for what can't be decoded, so that the
    n-th sample always belongs to the time n / ``SAMPLE_RATE``.

    Args:
        path: the file.
        origin_s: subtracted from its times, as for the pictures.
    """

    def __init__(self, path: Path, *, origin_s: Fraction) -> None:
        self._container = av.open(os.fspath(path), "r", container_options=OPTIONS, metadata_errors="replace")
        tracks = [s for s in self._container.streams.audio if s.codec_context is not None]
        self._track = tracks[0] if tracks else None
        self._origin_s = origin_s
        self._resampler = AudioResampler(format="fltp", layout="stereo", rate=SAMPLE_RATE)
        self._decoded = self._frames()
        self._ahead: tuple[int, NDArray[np.float32]] | None = None
        self._pending: NDArray[np.float32] = np.zeros((2, 0), np.float32)
        self._position = 0  # of the first pending sample
        self._is_over = self._track is None

    @property
    def exists(self) -> bool:
        """Whether there is a sound track."""
        return self._track is not None

    def blocks(self, until: Fraction) -> Iterator[av.AudioFrame]:
        """Yield the sound up to a time in seconds, in whole blocks; call with rising times."""
        wanted = int(until * SAMPLE_RATE)
        while self._position + _BLOCK <= wanted:
            while self._pending.shape[1] < _BLOCK and not self._is_over:
                self._take_more(wanted)
            block = self._pending[:, :_BLOCK]
            if not block.shape[1] and self._is_over:
                return
            block = np.pad(block, ((0, 0), (0, _BLOCK - block.shape[1])))
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block), format="fltp", layout="stereo")
            frame.sample_rate, frame.time_base = SAMPLE_RATE, Fraction(1, SAMPLE_RATE)
            frame.pts = self._position
            self._pending = self._pending[:, _BLOCK:]
            self._position += _BLOCK
            yield frame

    def _take_more(self, wanted: int) -> None:
        """Add the next decoded sound to what is pending, at its place."""
        following = self._ahead or next(self._decoded, None)
        self._ahead = None
        if following is None:
            self._is_over = True
            return
        start, samples = following
        place = self._position + self._pending.shape[1]
        gap = start - place
        if gap > (_TOLERANCE if place else 0):
            self._ahead = following
            samples = np.zeros((2, min(gap, max(_BLOCK, wanted - self._position))), np.float32)
        elif gap < (-_TOLERANCE if place else 0):
            samples = samples[:, -gap:]
        self._pending = np.concatenate([self._pending, samples], axis=1)

    def _frames(self) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Yield decoded sound with its place, counted in samples; ends at the first error."""
        if self._track is None:
            return
        try:
            for decoded in self._container.decode(self._track):
                if decoded.pts is None or decoded.time_base is None:
                    continue
                start = round((decoded.pts * decoded.time_base - self._origin_s) * SAMPLE_RATE)
                for piece in self._resampler.resample(decoded):
                    yield start, piece.to_ndarray().astype(np.float32, copy=False)
                    start += piece.samples
        except (av.error.FFmpegError, ValueError):
            return

    def close(self) -> None:
        """Close the file; calling it twice is fine."""
        self._container.close()

    def __enter__(self) -> AudioReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
