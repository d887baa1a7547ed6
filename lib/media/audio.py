"""The audio of a file as one unbroken stereo track, in step with its frames, for a playable copy."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import av.error
import numpy as np
from av.audio.resampler import AudioResampler
from numpy.typing import NDArray

from lib.media.limits import reading
from lib.media.media_file import open_container
from lib.media.tracks import discard_others, picture_track, sound_track

SAMPLE_RATE = 48_000
_BLOCK_SIZE = 1024
"""Samples per block: what an AAC encoder takes at once."""
_TOLERANCE = SAMPLE_RATE // 20
"""Smaller gaps and overlaps, in samples, are rounding."""


class AudioReader:
    """Reads the audio track of a file's picture, resampled, with silence for gaps and for what can't be decoded.

    The n-th sample always belongs to the time n / ``SAMPLE_RATE``; ``origin_s`` is subtracted, as from frames' times.
    """

    def __init__(self, path: Path, *, origin_s: Fraction) -> None:
        with reading(path):
            self._container = open_container(path)
            self._track = sound_track(self._container, path, picture_track(self._container))
            discard_others(self._container, (self._track,))
        self._origin_s = origin_s
        self._resampler = AudioResampler(format="fltp", layout="stereo", rate=SAMPLE_RATE)
        self._decoded = self._decoded_pieces()
        self._early: tuple[int, NDArray[np.float32]] | None = None  # decoded, but later than what is pending
        self._pending: NDArray[np.float32] = np.zeros((2, 0), np.float32)
        self._position = 0  # of the first pending sample
        self._is_exhausted = self._track is None

    @property
    def exists(self) -> bool:
        """Whether there is an audio track."""
        return self._track is not None

    def blocks(self, until: Fraction) -> Iterator[av.AudioFrame]:
        """Yield the audio up to a time in seconds, in whole blocks; call with rising times."""
        limit = int(until * SAMPLE_RATE)
        while self._position + _BLOCK_SIZE <= limit:
            while self._pending.shape[1] < _BLOCK_SIZE and not self._is_exhausted:
                self._read_more(limit)
            samples = self._pending[:, :_BLOCK_SIZE]
            if not samples.shape[1] and self._is_exhausted:
                return
            samples = np.pad(samples, ((0, 0), (0, _BLOCK_SIZE - samples.shape[1])))
            block = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout="stereo")
            block.sample_rate, block.time_base = SAMPLE_RATE, Fraction(1, SAMPLE_RATE)
            block.pts = self._position
            self._pending = self._pending[:, _BLOCK_SIZE:]
            self._position += _BLOCK_SIZE
            yield block

    def _read_more(self, limit: int) -> None:
        """Append the next decoded samples, or silence up to where they belong, to the pending ones."""
        piece = self._early or next(self._decoded, None)
        self._early = None
        if piece is None:
            self._is_exhausted = True
            return
        start, samples = piece
        end = self._position + self._pending.shape[1]
        tolerance = _TOLERANCE if end else 0
        gap = start - end
        if gap > tolerance:
            self._early = piece
            samples = np.zeros((2, min(gap, max(_BLOCK_SIZE, limit - self._position))), np.float32)
        elif gap < -tolerance:
            samples = samples[:, -gap:]
        self._pending = np.concatenate([self._pending, samples], axis=1)

    def _decoded_pieces(self) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Yield decoded samples ``(2, n)`` with the position of the first; ends at the first error."""
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
        except (av.error.FFmpegError, ValueError, ArithmeticError):
            return

    def close(self) -> None:
        """Close the file; calling it twice is fine."""
        self._container.close()

    def __enter__(self) -> AudioReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
