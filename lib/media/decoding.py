"""Decoded frames in the order they are shown, each with its index and exact time; stops where a file breaks.

Times (``TimestampReconstructor``)
    * A frame's time is its presentation time stamp × the stream's time base, exactly, minus the ``origin_s``
      of its container. For whatever browsers play, that is the player's ``currentTime`` (``mediaTime``).
    * AVI has no presentation times: the i-th frame shown gets the i-th place in the file. A raw stream's
      times are index / rate. Elsewhere a frame without a time stamp comes at the end of the one before.
    * Times increase strictly. A frame that isn't later than the one before (a broken file) gets that one's
      time plus one tick of the time base. Where a clock may restart (not in MP4, MOV, Matroska and WebM), a
      step back by more than half a second or forward by more than ten is a restart: the time line goes on
      without a hole.
    * If the very first time is negative, the time line is moved so that it starts at 0.

Damage (``Decoder.is_damaged``)
    Everything before a break is kept and nothing after it is used: later pictures may be built on lost ones,
    and their indices would be guesses. A break is: a frame that the decoder itself marks as patched up (error
    concealment); a decoding error or a damaged packet after which frames are missing; a place where a
    Matroska file's structure is broken; an end before the announced one. A decoding error after which no
    frame is missing is none, for some files hold packets that are no pictures. Bytes that decode to wrong
    pictures without the decoder noticing can't be told. A transport or program stream may begin in the middle
    of a group of pictures: it starts with the first whole one. There, a packet marked as damaged is one only
    if frames are missing behind it: where recordings were joined, the last packet is marked too.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import av
import av.error
from av.packet import Packet
from av.video.stream import VideoStream

from lib.core.errors import VideoDamagedError, VideoError, VideoUnreadableError
from lib.media.containers import MatroskaScanner, is_cut_off
from lib.media.media_file import Media

_FALLBACK_RATE = Fraction(25)
_RESTART_BACK_S, _RESTART_AHEAD_S = Fraction(1, 2), Fraction(10)
_MAX_BLOCK_HEADER = 24
_MAX_REORDERED = 16
"""How many frames a decoder may hold back to put them in order (H.264 and HEVC)."""


@dataclass(frozen=True)
class DecodedFrame:
    """One decoded frame, not yet a picture."""

    frame: av.VideoFrame
    index: int
    """Place in the order of display, from 0; after a seek, from the first frame found there."""
    time: Fraction
    """Presentation time in seconds."""
    duration: Fraction
    """How long it is shown, in seconds, as far as the file says."""
    is_exact: bool
    """Whether the time is the frame's own time stamp, neither derived nor mended."""

    @property
    def end(self) -> Fraction:
        """When the next frame is due."""
        return self.time + self.duration


class TimestampReconstructor:
    """Gives each frame its time; see the module's rules. Keeps only the frame before."""

    def __init__(self, media: Media) -> None:
        self._family = media.family
        self._tick = media.time_base
        self._step = 1 / (media.rate or _FALLBACK_RATE)
        self._gap = self._step
        self._offset = -media.origin_s
        self._places: deque[int] = deque(maxlen=4096)
        self._previous: tuple[Fraction, Fraction] | None = None  # time and duration
        self._count = 0

    def note_packet(self, packet: Packet[VideoStream]) -> None:
        """Take note of a packet that is about to be decoded."""
        if self._family == "avi" and packet.dts is not None:
            self._places.append(packet.dts)

    def time_of(self, frame: av.VideoFrame) -> tuple[Fraction, Fraction, bool]:
        """Return time, duration, and whether the time is the frame's own time stamp."""
        duration = frame.duration * self._tick if frame.duration > 0 and self._family != "raw" else self._gap
        if abs(duration - self._step) < self._tick:
            duration = self._step  # rounded to ticks in the file
        own = self._own_time(frame)
        if self._previous is None:
            time = max(own, Fraction(0)) if own is not None else Fraction(0)
            if own is not None and own < 0:
                self._offset -= own
        else:
            before, shown = self._previous
            due = before + shown
            time = due if own is None else own
            if self._may_restart and not before - _RESTART_BACK_S <= time <= due + _RESTART_AHEAD_S:
                self._offset += due - time
                time = due
            if time <= before:
                time = before + self._tick
            self._gap = time - before
        self._previous = (time, duration)
        self._count += 1
        return time, duration, time == own

    @property
    def _may_restart(self) -> bool:
        return self._family not in ("mp4", "matroska", "avi", "raw")

    def _own_time(self, frame: av.VideoFrame) -> Fraction | None:
        if self._family == "raw":
            return self._count * self._step
        stamp = frame.pts
        if self._family == "avi":
            stamp = self._places.popleft() if self._places else None
        return None if stamp is None else stamp * self._tick + self._offset


class Decoder:
    """Iterates once over the decoded frames of an opened file, from its start or from a seek.

    Args:
        media: the opened file; stays the caller's to close.
        seek_to: presentation time stamp to start at or before, at a key frame; None is the start of the file.
    """

    def __init__(self, media: Media, *, seek_to: int | None = None) -> None:
        self._media = media
        self._seek_to = seek_to
        self._clock = TimestampReconstructor(media)
        self._walk = MatroskaScanner(media.path) if media.family == "matroska" else None
        self._is_suspect = False
        self._since_suspect = 0
        self._broke_off = False
        self._last_dts: int | None = None
        self._doubtful: set[int | None] = set()
        self._last: DecodedFrame | None = None
        self.is_damaged = False
        """Whether decoding stopped before the end of the video."""

    def __iter__(self) -> Iterator[DecodedFrame]:
        if self._seek_to is not None:
            self._media.container.seek(self._seek_to, stream=self._media.stream, backward=True)
        try:
            held: DecodedFrame | None = None
            for frame in self._frames():
                decoded = self._accepted(frame)
                if self.is_damaged:
                    return
                if decoded is None:
                    continue
                if held is not None:
                    yield held
                self._last = decoded
                held = decoded if frame.pts in self._doubtful else None
                if held is None:
                    yield decoded
            self.is_damaged = self._is_suspect or self._is_cut_off()
        finally:
            if self._walk is not None:
                self._walk.close()

    def _frames(self) -> Iterator[av.VideoFrame]:
        """Yield frames as the decoder puts them out; note what looks like damage on the way."""
        stream = self._media.stream
        try:
            for packet in self._media.container.demux(stream):
                if packet.size == 0:
                    if packet.dts is None:  # the end: an empty packet brings out what the decoder still holds
                        yield from self._drained()
                    continue  # otherwise a place where the frame before is shown again
                if self._walk is not None and not self._walk.is_intact_until(self._end_of(packet)):
                    self._broke_off = True
                    yield from self._drained()
                    return
                if packet.is_corrupt:
                    self._suspect()
                    if self._media.family != "broadcast":
                        continue
                    self._doubtful = {packet.pts}
                self._clock.note_packet(packet)
                self._last_dts = packet.dts
                yield from self._decoded(packet)
        except (av.error.FFmpegError, OSError):  # reading, not decoding, failed
            self._broke_off = True
            yield from self._drained()

    @staticmethod
    def _end_of(packet: Packet[VideoStream]) -> int:
        """Return a place in the element behind a packet's; if that one is ruined, so is the packet's end."""
        return (packet.pos or 0) + packet.size + _MAX_BLOCK_HEADER

    def _decoded(self, packet: Packet[VideoStream] | None) -> list[av.VideoFrame]:
        try:
            return self._media.stream.decode(packet)
        except av.error.EOFError:
            return []
        except av.error.FFmpegError:
            self._suspect()
            return []

    def _drained(self) -> Iterator[av.VideoFrame]:
        """Yield the last frames; where the file broke off, those that surely lost no predecessor.

        Each packet's presentation time is at or after its decoding time, so up to the last decoding time that
        was read all frames are there.
        """
        limit = self._last_dts if self._media.family != "avi" and self._is_cut_off() else None
        for frame in self._decoded(None):
            if limit is not None and frame.pts is not None and frame.pts > limit:
                return
            yield frame

    def _suspect(self) -> None:
        self._is_suspect, self._since_suspect = True, 0

    def _is_cut_off(self) -> bool:
        if self._broke_off:
            return True
        if self._walk is not None:
            return not self._walk.is_intact_until()
        return is_cut_off(self._media.path, self._media.family)

    def _accepted(self, frame: av.VideoFrame) -> DecodedFrame | None:
        """Return the frame with index and time; None for a ruined one. Mark damage where frames are lost."""
        may_begin_anywhere = self._last is None and (
            self._media.family == "broadcast" or self._seek_to is not None
        )
        if frame.is_corrupt:
            self._suspect()
            self.is_damaged = self.is_damaged or not may_begin_anywhere
            return None
        if self._last is None and self._is_suspect:
            if may_begin_anywhere:
                if not frame.key_frame:
                    return None
                self._is_suspect = False
            elif not frame.key_frame or frame.pts != self._media.stream.start_time:
                self.is_damaged = True
                return None
        time, duration, is_exact = self._clock.time_of(frame)
        if self._is_suspect and self._last is not None:
            self._since_suspect += 1
            if time > self._last.time + self._last.duration * Fraction(3, 2):
                self.is_damaged = True
                return None
            if self._since_suspect > _MAX_REORDERED:
                self._is_suspect = False
        return DecodedFrame(frame, self._last.index + 1 if self._last else 0, time, duration, is_exact)


def nothing_decoded(media: Media, *, is_damaged: bool) -> VideoError:
    """Return the error for a file of which no frame could be decoded."""
    name = media.path.name
    if is_damaged:
        return VideoDamagedError(
            f"{name}: decoding broke at the first frame, so nothing is kept; copy or download it again."
        )
    return VideoUnreadableError(
        f"{name} has a video stream without a single frame; export or record it again."
    )


def decoder_near(media: Media, time_s: float) -> Decoder | None:
    """Return a decoder from a key frame at or before a time on; None where times may not survive a seek.

    Seeking goes by decoding times: what comes first may still be later than ``time_s``, or a frame before the
    key frame whose predecessors are missing. Rely on what follows a key frame that isn't later.
    """
    start = media.stream.start_time
    if media.family not in ("mp4", "matroska") or start is None or start < 0 or time_s <= 0:
        return None
    return Decoder(media, seek_to=round(Fraction(time_s) / media.time_base))
