"""Decoded frames in the order they are shown, each with its index and exact time, and the gaps where a file is broken.

Which times: see ``lib.media.timestamps``. What counts as damage: see ``lib.media.damage``. How it is looked at twice
and left behind: see ``lib.media.packet_decoder``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from enum import Enum, auto
from fractions import Fraction
from itertools import chain

import av
import av.error

from lib.core.errors import VideoDamagedError, VideoError, VideoUnreadableError
from lib.media.containers import SEEKABLE
from lib.media.damage import DamageDetector
from lib.media.limits import reading
from lib.media.media_file import MediaFile
from lib.media.packet_decoder import PacketDecoder, Picture
from lib.media.packets import PacketReader
from lib.media.timestamps import MAX_REORDERED, FrameTiming, TimestampReconstructor

_MOST_MARKED = 250
"""After so many frames, all of them marked as concealed, that mark means nothing in this file."""


@dataclass(frozen=True)
class DecodedFrame(FrameTiming):
    """One decoded frame, not yet a picture."""

    frame: av.VideoFrame
    index: int
    """Place in the order of display, from 0, frames of a gap counted; after a seek, from the first frame there."""


@dataclass(frozen=True)
class DecodedGap:
    """A stretch ``[start, end)`` in seconds whose frames are lost."""

    start: Fraction
    end: Fraction
    first_index: int
    """Index that its first frame would have."""
    frames: int
    """How many are lost, as far as is known."""


class _Verdict(Enum):
    """What becomes of a decoded frame."""

    KEEP = auto()
    KEEP_AFTER_LOSS = auto()
    LOST = auto()
    """The video is damaged from here to the next key frame."""


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
        self._open()
        self._marked_frames: int | None = 0  # None once there was a frame without a mark
        self._previous: DecodedFrame | None = None
        self._unconfirmed: DecodedFrame | None = None
        self._recent: deque[int] = deque(maxlen=4 * MAX_REORDERED)  # places of the latest frames since a loss
        self._counted = 0  # packets before this one are shown or known to be lost
        self._is_cut_off = False
        self._breaks = 0
        self.gaps: list[DecodedGap] = []
        """What is lost so far, in order of time."""
        self.start = self.end = Fraction(0)
        """Start of the first frame, or of a gap before it, and end of the latest; after iteration, of the video."""

    def _open(self) -> None:
        """Begin to read the file from where it stands."""
        media = self._media
        self._damage = DamageDetector(media)
        self._reader = PacketReader(media, self._damage)
        self._pictures = PacketDecoder(media, self._reader, self._damage, starts_at_key_frame=self._seek_to is not None)
        self._clock: TimestampReconstructor[Picture] = TimestampReconstructor(
            media.family,
            time_base=media.time_base,
            rate=media.rate,
            origin_s=media.origin_s,
            sound=self._reader.sound,
        )
        self._state = self._clock.state  # after the previous frame
        self._is_losing = False

    @property
    def is_cut_off(self) -> bool:
        """Whether, after iteration, the end of the video is missing."""
        return self._is_cut_off or self.size_problem is not None

    @property
    def size_problem(self) -> str | None:
        """Where decoding stopped because the pictures became too large: what is wrong with them."""
        return self._pictures.size_problem

    @property
    def restarts(self) -> list[Fraction]:
        """What is added to the file's times after each restart of its clock so far, in seconds."""
        return self._clock.restarts

    def __iter__(self) -> Iterator[DecodedFrame]:
        with reading(self._media.path):
            yield from self._pass()
            if self._marked_frames:
                self._media.reopen_without_concealment()
                self._marked_frames = None
                self._open()
                yield from self._pass()
            if self._previous is None and self._seek_to is None:
                raise self._nothing_decoded()

    def _pass(self) -> Iterator[DecodedFrame]:
        """Yield the frames from where the file is opened on, and note how the video ends."""
        with closing(self._damage), closing(self._pictures):
            if self._seek_to is not None:
                with suppress(av.error.FFmpegError):  # without an index that makes sense: from where it is
                    self._media.container.seek(self._seek_to, stream=self._media.stream, backward=True)
            yield from self._kept_frames()
            self._finish()

    def _kept_frames(self) -> Iterator[DecodedFrame]:
        """Yield frames; after what is lost, go on at the next key frame."""
        is_over = False
        while not is_over:
            is_over = True
            for timed in self._timed():
                for picture, timing in timed:
                    verdict = self._judged(picture, timing)
                    if verdict is _Verdict.LOST:
                        self._leave_behind(picture)
                        is_over = False
                        break
                    yield from self._kept(picture, timing, verdict)

    def _timed(self) -> Iterator[list[tuple[Picture, FrameTiming]]]:
        """Yield the frames whose times have become known, after each frame and at the end."""
        for picture in self._pictures:
            if self._marked_frames is not None:
                self._marked_frames = self._marked_frames + 1 if picture.frame.is_corrupt else None
                if self._marked_frames == _MOST_MARKED:
                    return
            if self._previous is None and self._is_before_start(picture):
                continue
            self._clock.is_reordered = self._pictures.is_reordered
            yield self._clock.push(picture, picture.stamp)
        yield self._clock.flush()

    def _is_before_start(self, picture: Picture) -> bool:
        """Return whether a video that hasn't begun yet can't begin with this frame."""
        if picture.frame.is_corrupt:
            self._damage.suspect()
        elif not self._damage.is_suspicious or picture.frame.key_frame:
            return False
        self._is_losing = True
        return True

    def _judged(self, picture: Picture, timing: FrameTiming) -> _Verdict:
        before = self._unconfirmed or self._previous
        if picture.frame.is_corrupt:
            self._damage.suspect()
            return _Verdict.LOST
        if before is None:
            start, _ = self._lost_from()  # H.264 drops frames without a word
            lacks_first = self._media.family != "avi" and start is not None and start < timing.time
            has_lost = lacks_first or self._is_losing or picture.after_loss or self._damage.is_suspicious
            return _Verdict.KEEP_AFTER_LOSS if has_lost else _Verdict.KEEP
        if picture.after_silence:
            self._damage.suspect()
        is_hole = self._damage.is_hole(before, timing.time)
        is_hole = is_hole or (picture.after_silence and self._media.family == "raw")  # where times don't tell
        if is_hole and not picture.frame.key_frame:
            return _Verdict.LOST
        return _Verdict.KEEP_AFTER_LOSS if is_hole or picture.after_loss else _Verdict.KEEP

    def _leave_behind(self, picture: Picture) -> None:
        """Go on at the key frame after a frame that is lost."""
        self._unconfirmed = None
        self._is_losing = True
        self._clock.go_back(self._state)
        self._pictures.resume_after(picture.packet.number)

    def _kept(self, picture: Picture, timing: FrameTiming, verdict: _Verdict) -> Iterator[DecodedFrame]:
        """Yield a frame, if it is sure that it is whole, after one that has been waiting for that."""
        if verdict is _Verdict.KEEP_AFTER_LOSS:
            self._unconfirmed = None
            index, timing = self._note_loss(picture, timing)
        else:
            before = self._unconfirmed or self._previous
            index = 0 if before is None else before.index + 1
            if before is None:
                self._count_from(picture)
        if self._unconfirmed is not None:
            yield self._noted(self._unconfirmed)
            self._unconfirmed = None
        decoded = DecodedFrame(timing.time, timing.duration, timing.is_exact, picture.frame, index)
        self._recent.append(picture.packet.place)
        if picture.packet.is_corrupt and self._previous is not None:
            self._unconfirmed = decoded
        else:
            yield self._noted(decoded)

    def _noted(self, decoded: DecodedFrame) -> DecodedFrame:
        if self._previous is None and not self.gaps:
            self.start = decoded.time
        self._previous, self.end = decoded, decoded.end
        self._state = self._clock.state
        return decoded

    def _note_loss(self, picture: Picture, timing: FrameTiming) -> tuple[int, FrameTiming]:
        """Note that what lies before a frame is lost; return the frame's index and timing."""
        self._is_losing = False
        self._damage.clear()
        start, first = self._lost_from()
        breaks, self._breaks = picture.breaks - self._breaks, picture.breaks
        if start is None:
            self._count_from(picture)
            return 0, timing
        is_counted = not breaks and self._media.family not in ("broadcast", "avi")  # there whole packets may be missing
        lost = self._lost_frames(picture) if is_counted else self._clock.frames_between(start, timing.time)
        self._count_from(picture)
        timing = self._clock.skip(lost, timing)
        if start < timing.time:
            if self._previous is None:
                self.start = start
            self.gaps.append(DecodedGap(start, timing.time, first, lost))
        return first + lost, timing

    def _count_from(self, picture: Picture) -> None:
        """Note that all packets up to a frame's, and those of frames shown before it, are shown or known to be lost."""
        self._recent.clear()
        self._counted = picture.packet.place + picture.leading + 1

    def _lost_from(self) -> tuple[Fraction | None, int]:
        """Return the time at which frames are missing and the index of the first; None where that is no loss."""
        if self._previous is not None:
            return self._previous.end, self._previous.index + 1
        is_usual = self._media.family == "broadcast" or self._seek_to is not None
        first = self._reader.first
        start = None if is_usual or first is None else self._clock.time_of(first.pts)
        return (None if start is None else max(start, Fraction(0))), 0

    def _lost_frames(self, picture: Picture) -> int:
        """Return how many frames are lost before one, by the numbers of the packets."""
        place, is_all = picture.packet.place, len(self._recent) < (self._recent.maxlen or 0)
        low = self._counted if is_all else min(self._recent) + MAX_REORDERED + 1  # from here on, all shown are recent
        shown = sum(low <= other < place for other in self._recent)
        return max(0, place - low - shown + picture.leading)

    def _finish(self) -> None:
        """Note how the video ends."""
        self._is_cut_off = self._damage.is_cut_off() or self._unconfirmed is not None
        is_unsure = self._is_losing or self._damage.is_suspicious
        if self._previous is None:
            self._is_cut_off = self._is_cut_off or is_unsure
        elif is_unsure and not self._is_cut_off:
            self._note_lost_end(self._previous)
        elif not self._is_cut_off:
            self.end = max(self.end, self._end_of_repeats())

    def _note_lost_end(self, previous: DecodedFrame) -> None:
        last = self._reader.last
        end = None if last is None else self._clock.end_of(last.pts, last.duration)
        lost = 0 if end is None else self._clock.frames_between(previous.end, end)
        if end is None or (self._media.family == "broadcast" and lost <= MAX_REORDERED):
            self._is_cut_off = True
        elif end > previous.end:
            self.gaps.append(DecodedGap(previous.end, end, previous.index + 1, lost))
            self.end = end

    def _end_of_repeats(self) -> Fraction:
        """Return when the place ends at which the last frame is shown again; 0 without one."""
        last = self._reader.last_repeat
        end = None if last is None else self._clock.end_of(last.pts, last.duration)
        return end or Fraction(0)

    def _nothing_decoded(self) -> VideoError:
        name = self._media.name
        if self.size_problem is not None:
            return VideoUnreadableError(f"{name}: {self.size_problem}; scale or crop the video first.")
        if self._is_cut_off:
            return VideoDamagedError(
                f"{name}: decoding broke at the first frame, so nothing is kept; copy or download it again."
            )
        return VideoUnreadableError(f"{name} has a video stream without a single frame; export or record it again.")


def decoder_near(media: MediaFile, time_s: float) -> Decoder | None:
    """Return a decoder from a key frame near ``time_s`` on; None where times may not survive a seek.

    Seeking goes by decoding times, so the first frame may still be later than ``time_s``, or there may be none.
    """
    start = media.stream.start_time
    if media.family not in SEEKABLE or start is None or start < 0 or time_s <= 0:
        return None
    return Decoder(media, seek_to=round(Fraction(time_s) / media.time_base))


def decode_from(media: MediaFile, time_s: float) -> Iterator[DecodedFrame]:
    """Return the frames from one at or before ``time_s`` on, or from the first; indices count from wherever that is.

    Raises:
        VideoDamagedError, VideoUnreadableError: on iteration, when nothing can be decoded.
    """
    return decoding_from(media, time_s)[0]


def decoding_from(media: MediaFile, time_s: float) -> tuple[Iterator[DecodedFrame], Decoder]:
    """Return what ``decode_from`` does, and the decoder that the frames come from."""
    decoder = decoder_near(media, time_s)
    if decoder is not None:
        frames = iter(decoder)
        first = next(frames, None)
        if first is not None and float(first.time) <= time_s:
            return chain([first], frames), decoder
        media.reopen()
    decoder = Decoder(media)
    return iter(decoder), decoder


def with_next(frames: Iterator[DecodedFrame]) -> Iterator[tuple[DecodedFrame, DecodedFrame | None]]:
    """Yield each frame with the one that follows; None after the last."""
    current = next(frames, None)
    while current is not None:
        following = next(frames, None)
        yield current, following
        current = following
