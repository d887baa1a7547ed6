"""Decoded frames in the order they are shown, each with its index and exact time; stops where a file is damaged.

Which times: see ``lib.media.timestamps``. What counts as damage: see ``lib.media.damage``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain

import av
import av.error
from av.packet import Packet
from av.video.stream import VideoStream

from lib.core.errors import VideoDamagedError, VideoError, VideoUnreadableError
from lib.media.damage import DamageDetector, Verdict
from lib.media.limits import reading, size_problem
from lib.media.media_file import MediaFile
from lib.media.picture import displayed_size
from lib.media.timestamps import FrameTiming, TimestampReconstructor


@dataclass(frozen=True)
class DecodedFrame(FrameTiming):
    """One decoded frame, not yet a picture."""

    frame: av.VideoFrame
    index: int
    """Place in the order of display, from 0; after a seek, from the first frame decoded there."""


class Decoder:
    """Iterates once over the decoded frames of an opened file, from its start or from a key frame.

    Args:
        media: the opened file; stays the caller's to close.
        seek_to: presentation time stamp to start at or before, at a key frame; None is the start of the file.

    Raises:
        VideoDamagedError: on iteration from the start, when the file is broken from the first frame on.
        VideoUnreadableError: on iteration from the start, when there is no frame.
    """

    def __init__(self, media: MediaFile, *, seek_to: int | None = None) -> None:
        self._media = media
        self._seek_to = seek_to
        self._timestamps = TimestampReconstructor(
            media.family, time_base=media.time_base, rate=media.rate, origin_s=media.origin_s
        )
        self._damage = DamageDetector(media, is_after_seek=seek_to is not None)
        self._last_dts: int | None = None
        self._doubtful_pts: set[int | None] = set()
        self.is_damaged = False
        """Whether decoding stopped before the end of the video."""
        self.size_problem: str | None = None
        """Where decoding stopped because the pictures became too large: what is wrong with them."""
        self._size: tuple[int, int] | None = None

    def __iter__(self) -> Iterator[DecodedFrame]:
        with reading(self._media.path):
            yield from self._kept_frames()

    def _kept_frames(self) -> Iterator[DecodedFrame]:
        if self._seek_to is not None:
            with suppress(av.error.FFmpegError):  # without an index that makes sense: from where it is
                self._media.container.seek(self._seek_to, stream=self._media.stream, backward=True)
        is_empty = True
        with closing(self._damage):
            for decoded in self._confirmed_frames():
                is_empty = False
                yield decoded
        if is_empty and self._seek_to is None:
            raise self._nothing_decoded()

    def _confirmed_frames(self) -> Iterator[DecodedFrame]:
        """Yield frames; one from a packet marked as damaged only once another follows it without a gap."""
        unconfirmed: DecodedFrame | None = None
        for decoded in self._timed_frames():
            if unconfirmed is not None:
                yield unconfirmed
                unconfirmed = None
            if decoded.frame.pts in self._doubtful_pts:
                unconfirmed = decoded
            else:
                yield decoded

    def _timed_frames(self) -> Iterator[DecodedFrame]:
        """Yield frames with index and time up to the first damage."""
        previous: DecodedFrame | None = None
        for frame in self._frames():
            self._note_size(frame.width, frame.height)
            if self.size_problem is not None:
                break
            verdict = self._damage.judge(frame)
            if verdict is Verdict.SKIP:
                continue
            if verdict is Verdict.STOP:
                break
            timing = self._timestamps.time_of(frame.pts, frame.duration)
            if previous is not None and self._damage.is_gap(previous, timing.time):
                break
            index = 0 if previous is None else previous.index + 1
            previous = DecodedFrame(timing.time, timing.duration, timing.is_exact, frame, index)
            yield previous
        else:
            self.is_damaged = self._damage.has_damaged_end()
            return
        self.is_damaged = True

    def _note_size(self, width: int, height: int) -> None:
        """Check a size against the limits; it may change anywhere in a stream."""
        if self._size != (width, height) and self.size_problem is None:
            self._size = width, height
            shown = displayed_size(width, height, self._media.stream.sample_aspect_ratio)
            self.size_problem = size_problem(width, height) or size_problem(*shown, "displayed")

    def _frames(self) -> Iterator[av.VideoFrame]:
        """Yield frames as the decoder puts them out."""
        try:
            for packet in self._media.container.demux(self._media.stream):
                if packet.size == 0:
                    if packet.dts is None:  # the end
                        yield from self._remaining_frames()
                    continue  # otherwise a place where the frame before is shown again
                if not self._damage.is_intact(packet):
                    break
                if self._last_dts is None and packet.has_sidedata("encryption_info"):
                    raise VideoUnreadableError(
                        f"{self._media.name} is encrypted (DRM); choose a copy without copy protection."
                    )
                if self._is_decodable(packet):
                    self._timestamps.note_packet(packet.dts)
                    self._last_dts = packet.dts
                    yield from self._decoded(packet)
                if self.size_problem is not None:
                    break
            else:
                return
        except (av.error.FFmpegError, OSError):  # reading, not decoding, failed
            pass
        self._damage.note_failed_reading()
        yield from self._remaining_frames()

    def _is_decodable(self, packet: Packet[VideoStream]) -> bool:
        """Return whether a packet is worth decoding; a broadcast's packet marked as damaged often is."""
        if packet.is_corrupt:
            self._damage.suspect()
            if self._media.family != "broadcast":
                return False
            self._doubtful_pts = {packet.pts}
        return True

    def _decoded(self, packet: Packet[VideoStream] | None) -> list[av.VideoFrame]:
        """Return the frames that a packet brings out, all remaining ones for None; an error raises a suspicion."""
        try:
            return self._media.stream.decode(packet)
        except av.error.EOFError:
            return []
        except av.error.FFmpegError:
            self._damage.suspect()
            context = self._media.stream.codec_context
            self._note_size(context.width, context.height)  # as announced, also where it was refused for it
            return []

    def _remaining_frames(self) -> Iterator[av.VideoFrame]:
        """Yield the frames that the decoder still holds; of a file that is cut off, those that lack no predecessor.

        Each packet's presentation time is at or after its decoding time, so up to the last decoding time that was read
        all frames are there.
        """
        limit = self._last_dts if self._media.family != "avi" and self._damage.is_cut_off() else None
        for frame in self._decoded(None):
            if limit is not None and frame.pts is not None and frame.pts > limit:
                return
            yield frame

    def _nothing_decoded(self) -> VideoError:
        name = self._media.name
        if self.size_problem is not None:
            return VideoUnreadableError(f"{name}: {self.size_problem}; scale or crop the video first.")
        if self.is_damaged:
            return VideoDamagedError(
                f"{name}: decoding broke at the first frame, so nothing is kept; copy or download it again."
            )
        return VideoUnreadableError(f"{name} has a video stream without a single frame; export or record it again.")


def decoder_near(media: MediaFile, time_s: float) -> Decoder | None:
    """Return a decoder from a key frame near ``time_s`` on; None where times may not survive a seek.

    Seeking goes by decoding times, so the first frame may still be later than ``time_s``, or there may be none.
    """
    start = media.stream.start_time
    if media.family not in ("mp4", "matroska") or start is None or start < 0 or time_s <= 0:
        return None
    return Decoder(media, seek_to=round(Fraction(time_s) / media.time_base))


def decode_from(media: MediaFile, time_s: float) -> Iterator[DecodedFrame]:
    """Return the frames from one at or before ``time_s`` on, or from the first; indices count from wherever that is.

    Raises:
        VideoDamagedError, VideoUnreadableError: on iteration, when nothing can be decoded.
    """
    decoder = decoder_near(media, time_s)
    if decoder is not None:
        frames = iter(decoder)
        first = next(frames, None)
        if first is not None and float(first.time) <= time_s:
            return chain([first], frames)
        media.reopen()
    return iter(Decoder(media))


def with_next(frames: Iterator[DecodedFrame]) -> Iterator[tuple[DecodedFrame, DecodedFrame | None]]:
    """Yield each frame with the one that follows; None after the last."""
    current = next(frames, None)
    while current is not None:
        following = next(frames, None)
        yield current, following
        current = following
