"""Probe a file, and read sampled frames as RGB pictures with the times a browser's player shows.

Which times: see ``lib.media.timestamps``. What happens where a file is damaged: see ``lib.media.damage``. Which
colours, sizes and orientation: see ``lib.media.picture``. Headers are used for what is shown before decoding
(``VideoInfo``), never for results.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain, takewhile
from pathlib import Path

import av
import av.error
import numpy as np
from numpy.typing import NDArray

from lib.core.errors import SettingsError, VideoDamagedError
from lib.core.formatting import format_duration, format_time
from lib.core.sampling import Sampling
from lib.media import sparse_reading
from lib.media.containers import is_webm
from lib.media.decoding import DecodedFrame, DecodedGap, Decoder, decode_from, decoder_near
from lib.media.limits import reading
from lib.media.media_file import MediaFile
from lib.media.picture import FrameConverter, SampleConverter, displayed_size, orientation_of
from lib.media.sparse_reading import SampledFrame
from lib.media.timestamps import MAX_REORDERED
from lib.media.video_info import VideoInfo

_PROBED_PACKETS = 300
_SEEK_EARLIER_S = (0, 1, 10)
"""Seeking goes by decoding times and may end behind the wanted frame; then it is tried from earlier."""
_MAX_SHORT_SIDE = 4096
_AHEAD = 3
"""How many pictures may be in the making while the next frames are decoded."""
_AHEAD_BYTES = 32 << 20
"""Most bytes of their frames, but for one."""
_PLAYABLE = {  # what Chromium, Firefox and Safari all play without extra hardware
    "mp4": {"h264": ("yuv420p", "yuvj420p"), "vp9": ("yuv420p",), "av1": ("yuv420p", "yuv420p10le")},
    "webm": {"vp8": ("yuv420p",), "vp9": ("yuv420p",), "av1": ("yuv420p", "yuv420p10le")},
}


def probe(path: Path | str) -> VideoInfo:
    """Return a video's properties; decodes one frame.

    Raises:
        VideoUnreadableError: missing, empty, cut off, not a video, or nothing in it can be decoded.
        VideoDamagedError: broken from the first frame on.
        NoVideoStreamError: audio, subtitles or cover art only.
    """
    variable_rate = _has_variable_rate(path)
    with MediaFile(path) as media, reading(media.path):
        decoder = Decoder(media)
        frame = next(iter(decoder)).frame
        stream = media.stream  # the decoder may have opened the file again
        codec, container = media.codec, _container_name(media)
        orientation = orientation_of(frame)
        width, height = displayed_size(frame.width, frame.height, stream.sample_aspect_ratio, orientation)
        playable = _PLAYABLE.get("mp4" if container == "mov" else container, {})
        begins_late = media.family == "mp4" and (media.container.start_time or 0) >= av.time_base
        return VideoInfo(
            path=media.path,
            size_bytes=media.path.stat().st_size,
            start_s=float(decoder.start),
            end_s=media.header_end_s,
            rate=stream.average_rate if variable_rate else media.rate,
            variable_rate=variable_rate,
            width=width,
            height=height,
            rotation=orientation.quarter_turns * 90,
            codec=codec,
            pixel_format=frame.format.name,
            container=container,
            frame_count=stream.frames or None,
            browser_playable=not begins_late and frame.format.name in playable.get(codec, ()),
        )


def _container_name(media: MediaFile) -> str:
    if media.family == "mp4":
        return "mov" if media.container.metadata.get("major_brand") == "qt  " else "mp4"
    if media.family == "matroska":
        return "webm" if is_webm(media.path) else "mkv"
    return media.container.format.name


def _has_variable_rate(path: Path | str) -> bool | None:
    """Compare the distances between the first presentation times, which rounding changes by a tick or two."""
    with MediaFile(path) as media, reading(media.path):
        stamps: list[int] = []
        with suppress(av.error.FFmpegError):  # damaged here: decoding says what that means
            for packet in media.container.demux(media.stream):
                if packet.pts is not None:
                    stamps.append(packet.pts)
                if len(stamps) == _PROBED_PACKETS:
                    break
        is_whole = len(stamps) < _PROBED_PACKETS
        stamps = sorted(stamps)[: None if is_whole else -MAX_REORDERED]
        if len(stamps) < 3:
            return None
        gaps = np.diff(stamps)
        if np.ptp(gaps) > max(2, 0.01 * gaps.mean()):
            return True
        if is_whole:
            return False
        if media.family != "mp4" or not media.stream.average_rate:
            return None
        average = float(media.stream.average_rate)  # of the whole index
        at_start = 1 / (float(gaps.mean()) * float(media.time_base))
        return False if abs(average / at_start - 1) < 0.005 else None


@dataclass(frozen=True)
class Frame:
    """One picture of a video."""

    index: int
    """Place in the order of display, counted from 0; -1 where it wasn't counted (``frame_at``)."""
    time_s: float
    """Presentation time in seconds."""
    image: NDArray[np.uint8]
    """RGB ``(height, width, 3)`` in display orientation and aspect, contiguous."""


@dataclass(frozen=True)
class FrameGap:
    """A stretch ``[start_s, end_s)`` of a video, in seconds, whose frames are lost."""

    start_s: float
    end_s: float
    missing: int
    """Samples that would lie in it, as far as is known."""


class FrameReader:
    """Iterates once over the sampled frames of a video, in order of time, in bounded memory.

    Frames that aren't sampled are decoded but not converted, or not even decoded where samples lie further apart than
    key frames (``lib.media.sparse_reading``). A second thread makes the pictures while the next frames are decoded, so
    what is told "so far" may be ahead of the pictures by some samples. Decoding uses several threads and releases the
    GIL.

    Args:
        path: the video.
        sampling: which frames.
        short_side: shorter side of the pictures in pixels, scaled up where necessary, long ones after cropping
            (``SampleConverter``); as displayed by default.
        resume_after: index and time in seconds of the last sample already read: only later ones are yielded. The reader
            seeks where that frame can be identified with certainty: in MP4, MOV, Matroska and WebM, by an equal time
            stamp. Otherwise it decodes from the start. The samples are the same.
        may_seek: False decodes from the start in any case, so that gaps and damage are those of the whole video.

    Raises:
        VideoUnreadableError: missing, empty, cut off, not a video; on iteration, when nothing can be decoded.
        NoVideoStreamError: audio, subtitles or cover art only.
        VideoDamagedError: on iteration, when it is broken from the first frame on.
        SettingsError: ``short_side`` is out of range.
    """

    def __init__(
        self,
        path: Path | str,
        sampling: Sampling,
        *,
        short_side: int | None = None,
        resume_after: tuple[int, float] | None = None,
        may_seek: bool = True,
    ) -> None:
        self._may_seek = may_seek
        self._converter_for = _converter_maker(short_side)
        self._sampling = sampling
        self._resume_after = resume_after
        self._is_used = False
        self._media = MediaFile(path)
        self.frames_decoded = 0
        """Number of frames decoded or passed over so far, including those before ``resume_after``."""
        self.end_s = 0.0
        """End of the last decoded frame, in seconds; after iteration, of the video."""
        self.start_s = 0.0
        """After iteration, start of the video in seconds, of the first frame or of a gap before it; after a seek, of
        what was read."""
        self.gaps: list[FrameGap] = []
        """The stretches whose frames are lost, in order of time, as far as it has been read; after a seek, from there
        on."""
        self.damage: VideoDamagedError | None = None
        """After iteration: where the video is damaged, if it is."""
        self.has_seeked = False
        """Whether reading resumed by a seek instead of from the start of the video."""

    def __iter__(self) -> Iterator[Frame]:
        if self._is_used:
            raise RuntimeError("a FrameReader can be iterated once; make another one")
        self._is_used = True
        converter = self._converter_for(self._media)
        with reading(self._media.path), ThreadPoolExecutor(1, "convert") as thread:
            waiting: deque[tuple[SampledFrame, Future[NDArray[np.uint8]]]] = deque()
            for sample in self._samples():
                waiting.append((sample, thread.submit(converter.rgb, sample.frame)))
                if len(waiting) > _AHEAD or len(waiting) * _bytes(sample.frame) > _AHEAD_BYTES:
                    yield _converted(*waiting.popleft())
            while waiting:
                yield _converted(*waiting.popleft())

    def _samples(self) -> Iterator[SampledFrame]:
        """Yield the sampled frames behind ``resume_after``."""
        after = -1 if self._resume_after is None else self._resume_after[0]
        done = yield from self._sparsely(after)
        if done is None:
            return
        selector = SampleSelector(self._sampling)
        for decoded in self._decoded():
            self.frames_decoded = decoded.index + 1
            self.end_s = float(decoded.end)
            if selector.wants(decoded.index, decoded.time) and decoded.index > max(after, done):
                yield SampledFrame(decoded.frame, decoded.index, decoded.time)

    def _sparsely(self, after: int) -> Generator[SampledFrame, None, int | None]:
        """Yield the samples without decoding everything; return the last one's index, or None where that were all."""
        rate = self._sampling.value
        every = rate if self._sampling.kind == "stride" else (self._media.rate or 25) / rate
        plan = sparse_reading.plan(self._media, SampleSelector(self._sampling).wants, every=float(every))
        if plan is None or (self._resume_after is not None and not plan.has(*self._resume_after)):
            return after
        try:
            for sample in sparse_reading.decode(self._media, plan, after=after):
                after = sample.index
                self.frames_decoded, self.end_s = sample.index + 1, float(plan.end_of(sample.index))
                yield sample
        except sparse_reading.UnexpectedFrameError:  # from the start, so that everything lost is told
            self._media.reopen()
            self._resume_after = None
            return after
        self.has_seeked = self._resume_after is not None
        self.frames_decoded = len(plan.shown)
        self.start_s, self.end_s = float(plan.start), float(plan.end)
        return None

    def _decoded(self) -> Iterator[DecodedFrame]:
        """Yield frames with their true index: from the sample ``resume_after`` on, or from the start."""
        decoder, frames, shift = self._resumed() or self._from_start()
        reached_s = 0.0
        for decoded in frames:
            reached_s = float(decoded.time)
            self._note_gaps(decoder, shift)
            yield replace(decoded, index=decoded.index + shift) if shift else decoded
        self.start_s, self.end_s = float(decoder.start), float(decoder.end)
        self._note_gaps(decoder, shift)
        if decoder.gaps or decoder.is_cut_off:
            self.damage = _damage(self._media, decoder, reached_s)

    def _note_gaps(self, decoder: Decoder, shift: int) -> None:
        """Note the gaps so far; ``shift`` is what is added to the decoder's indices."""
        new = decoder.gaps[len(self.gaps) :]
        self.gaps += [_gap(replace(gap, first_index=gap.first_index + shift), self._sampling) for gap in new]

    def _from_start(self) -> tuple[Decoder, Iterator[DecodedFrame], int]:
        decoder = Decoder(self._media)
        return decoder, iter(decoder), 0

    def _resumed(self) -> tuple[Decoder, Iterator[DecodedFrame], int] | None:
        """Return the decoding from the sample ``resume_after`` on and what is to be added to its indices."""
        if self._resume_after is None or not self._may_seek:
            return None
        index, time_s = self._resume_after
        for earlier_s in _SEEK_EARLIER_S:
            decoder = decoder_near(self._media, time_s - earlier_s)
            if decoder is None:
                continue
            frames = iter(decoder)
            for decoded in takewhile(lambda decoded: float(decoded.time) <= time_s, frames):
                if float(decoded.time) == time_s and decoded.is_exact:
                    self.has_seeked = True
                    return decoder, chain([decoded], frames), index - decoded.index
            self._media.reopen()
        return None

    def close(self) -> None:
        """Close the file; calling it twice is fine."""
        self._media.close()

    def __enter__(self) -> FrameReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _bytes(frame: av.VideoFrame) -> int:
    return sum(plane.buffer_size for plane in frame.planes)


def _converted(sample: SampledFrame, image: Future[NDArray[np.uint8]]) -> Frame:
    return Frame(sample.index, float(sample.time), image.result())


def frame_at(path: Path | str, time_s: float, *, short_side: int | None = None) -> Frame:
    """Return the frame that is shown at ``time_s``: the last whose presentation time isn't later.

    Before the first frame's time that is the first, and after the end the last. Its shorter side is ``short_side``
    pixels long, by default as displayed.

    Raises:
        VideoError: as ``FrameReader``.
    """
    converter_for = _converter_maker(short_side)
    with MediaFile(path) as media, reading(media.path):
        frames = decode_from(media, time_s)
        shown = next(frames)
        for decoded in takewhile(lambda decoded: float(decoded.time) <= time_s, frames):
            shown = decoded
        return Frame(-1, float(shown.time), converter_for(media).rgb(shown.frame))


class SampleSelector:
    """Decides which frames are sampled."""

    def __init__(self, sampling: Sampling) -> None:
        self._sampling = sampling
        self._due = Fraction(0)

    def wants(self, index: int, time: Fraction) -> bool:
        """Return whether a frame, given in the order of display, is sampled."""
        rate = self._sampling.value
        if self._sampling.kind == "stride":
            return index % int(rate) == 0
        if time < self._due:
            return False
        self._due = (time * rate // 1 + 1) / rate
        return True


def _converter_maker(short_side: int | None) -> Callable[[MediaFile], FrameConverter | SampleConverter]:
    if short_side is None:
        return lambda media: FrameConverter(media.stream.sample_aspect_ratio)
    if not 1 <= short_side <= _MAX_SHORT_SIDE:
        raise SettingsError(f"Pictures can't be {short_side} pixels wide; choose 1 to {_MAX_SHORT_SIDE}.")
    return lambda media: SampleConverter(media.stream.sample_aspect_ratio, short_side)


def _gap(gap: DecodedGap, sampling: Sampling) -> FrameGap:
    if sampling.kind == "stride":
        first, stop = gap.first_index, gap.first_index + gap.frames
        missing = len(range(-(-first // int(sampling.value)) * int(sampling.value), stop, int(sampling.value)))
    else:
        missing = math.ceil(gap.end * sampling.value) - math.ceil(gap.start * sampling.value)
    return FrameGap(float(gap.start), float(gap.end), missing)


def _damage(media: MediaFile, decoder: Decoder, reached_s: float) -> VideoDamagedError:
    advice = "Copy, download or record it again to get the rest."
    if decoder.size_problem is not None:
        advice = "Scale or crop the video to get the rest."
        end = f"from {format_time(reached_s)} on {decoder.size_problem}"
    elif decoder.is_cut_off:
        total_s = media.header_end_s
        of_total = f" of {format_time(total_s)}" if total_s is not None and total_s > reached_s else ""
        end = f"decoding broke at {format_time(reached_s)}{of_total}"
    else:
        end = ""
    if not decoder.gaps:
        return VideoDamagedError(f"{media.name}: {end}; what came before is kept. {advice}", reached_s=reached_s)
    lost = _lost(decoder)
    message = f"{media.name}: {lost}{', and ' + end if end else ''}; all else is kept. {advice}"
    return VideoDamagedError(message, reached_s=float(decoder.gaps[0].start))


def _lost(decoder: Decoder) -> str:
    """Return how much of a video is lost and where."""
    first, lost = decoder.gaps[0], sum(gap.end - gap.start for gap in decoder.gaps)
    amount = f"{format_duration(float(lost))} of {format_duration(float(decoder.end - decoder.start))} can’t be decoded"
    if len(decoder.gaps) == 1:
        return f"{amount}, {format_time(float(first.start))} to {format_time(float(first.end))}"
    return f"{amount}, in {len(decoder.gaps)} places, the first at {format_time(float(first.start))}"
