"""The audio of a file as one unbroken stereo track, in step with its frames, for copies and clips."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
import av.error
import numpy as np
from av.audio.resampler import AudioResampler
from numpy.typing import NDArray

from lib.media.containers import SEEKABLE, family_of
from lib.media.limits import reading
from lib.media.media_file import open_container
from lib.media.tracks import discard_others, picture_track, sound_track

SAMPLE_RATE = 48_000
_BLOCK_SIZE = 1024
"""Samples per block: what an AAC encoder takes at once."""
_TOLERANCE = SAMPLE_RATE // 20
"""Smaller gaps and overlaps, in samples, are rounding."""
_RESTART = SAMPLE_RATE // 4
"""A larger step back, in samples, may be a restart of the clock."""
_MOST_WAITING = 5 * SAMPLE_RATE
"""After so much silence a step back is no restart, but a mistake."""
_LEAD_S = Fraction(1)
"""Decoding begins so much before the start: the first pieces behind a seek may be wrong."""
_MOST_ERRORS = 64
"""After so many failed readings in a row the rest is given up."""


class AudioReader:
    """Reads the audio track of a file's picture, resampled, with silence for gaps and for what can't be decoded.

    The n-th sample always belongs to the time ``start_s`` + n / ``SAMPLE_RATE``.

    Args:
        path: the file.
        origin_s: seconds that are subtracted from the file's times, as from frames' times.
        restarts: what is added instead after each restart of the file's clock, in seconds (``Decoder.restarts``); grows
            while the frames are decoded, and holds the restarts up to the time that ``blocks`` is called with.
        start_s: time of the first sample that is given, in seconds of the frames' times.
    """

    def __init__(
        self, path: Path, *, origin_s: Fraction, restarts: Sequence[Fraction] = (), start_s: Fraction = Fraction(0)
    ) -> None:
        with reading(path):
            self._container = open_container(path)
            self._track = sound_track(self._container, path, picture_track(self._container))
            discard_others(self._container, (self._track,))
        self._offset, self._restarts, self._passed = -origin_s, restarts, 0
        self._resampler = _resampler()
        self._decoded = self._decoded_pieces()
        self._early: tuple[Fraction, NDArray[np.float32]] | None = None  # decoded, but later than what is pending
        self._most_waiting = _MOST_WAITING  # samples of silence for a restart that isn't known yet
        self._pending: NDArray[np.float32] = np.zeros((2, 0), np.float32)
        self._is_exhausted = self._track is None
        self._may_restart = True
        self._start = self._position = 0  # of the first sample that is given, and of the first pending one
        start = round(start_s * SAMPLE_RATE)
        if start > 0 and family_of(self._container.format.name) in SEEKABLE:
            self._may_restart, self._start, self._position = False, start, start
            self._seek(start_s - _LEAD_S)
        elif start > 0:
            for _ in self.blocks(start_s):
                pass
            self._start = self._position  # at most a block before the start

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
            block.pts = self._position - self._start
            self._pending = self._pending[:, _BLOCK_SIZE:]
            self._position += _BLOCK_SIZE
            yield block

    def _seek(self, time: Fraction) -> None:
        """Go to a time of the file, in seconds, or to its start."""
        if self._track is not None and self._track.time_base:
            with suppress(av.error.FFmpegError):  # without an index that makes sense: from where it is
                self._container.seek(max(0, round(time / self._track.time_base)), stream=self._track, backward=True)

    def _read_more(self, limit: int) -> None:
        """Append the next decoded samples, or silence up to where they belong, to the pending ones."""
        piece = self._early or next(self._decoded, None)
        self._early = None
        if piece is None:
            self._is_exhausted = True
            return
        time, samples = piece
        end = self._position + self._pending.shape[1]
        tolerance = _TOLERANCE if end > self._start else 0
        gap = self._place_of(time, end) - end
        if (
            self._may_restart and gap < -_RESTART and self._most_waiting > 0
        ):  # a restart that the frames haven't reached yet
            gap = max(_BLOCK_SIZE, limit - self._position)
            self._most_waiting -= gap
        elif gap <= tolerance:
            self._most_waiting = _MOST_WAITING
        if gap > tolerance:
            self._early = piece
            samples = np.zeros((2, min(gap, max(_BLOCK_SIZE, limit - self._position))), np.float32)
        elif gap < -tolerance:
            samples = samples[:, -gap:]
        self._pending = np.concatenate([self._pending, samples], axis=1)

    def _place_of(self, time: Fraction, end: int) -> int:
        """Return where a piece begins, in samples; one that doesn't follow on ``end`` is behind the next restart."""
        place = round((time + self._offset) * SAMPLE_RATE)
        if abs(place - end) > _TOLERANCE and len(self._restarts) > self._passed:
            offset = min(self._restarts[self._passed :], key=lambda o: abs((time + o) * SAMPLE_RATE - end))
            self._passed = self._restarts.index(offset, self._passed) + 1
            self._offset = offset
        return round((time + self._offset) * SAMPLE_RATE)

    def _decoded_pieces(self) -> Generator[tuple[Fraction, NDArray[np.float32]], None, None]:
        """Yield decoded samples ``(2, n)`` with the time of the first, in seconds as the file states it."""
        for decoded in self._frames():
            if decoded.pts is None or decoded.time_base is None:
                continue
            start = Fraction(decoded.pts) * decoded.time_base
            for piece in self._resampled(decoded):
                yield start, piece.to_ndarray().astype(np.float32, copy=False)
                start += Fraction(piece.samples, SAMPLE_RATE)

    def _frames(self) -> Iterator[av.AudioFrame]:
        """Yield what can be decoded of the track; reading goes on behind what can't be read."""
        errors = 0
        while self._track is not None and errors < _MOST_ERRORS:
            try:
                for packet in self._container.demux(self._track):
                    errors = 0
                    with suppress(av.error.FFmpegError, ValueError, ArithmeticError):
                        yield from packet.decode()
                return
            except OSError:
                return
            except av.error.FFmpegError:
                errors += 1

    def _resampled(self, decoded: av.AudioFrame) -> list[av.AudioFrame]:
        """Return a frame's samples at ``SAMPLE_RATE``; where recordings were joined, their format may change."""
        for _ in range(2):
            with suppress(av.error.FFmpegError, ValueError, ArithmeticError):
                return self._resampler.resample(decoded)
            self._resampler = _resampler()
        return []

    def close(self) -> None:
        """Close the file; calling it twice is fine."""
        self._decoded.close()  # it and this object keep each other
        self._container.close()

    def __enter__(self) -> AudioReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _resampler() -> AudioResampler:
    return AudioResampler(format="fltp", layout="stereo", rate=SAMPLE_RATE)
