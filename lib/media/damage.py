"""Whether a video is damaged, and from which frame on.

Everything before a break is kept and nothing after it is used: later frames may be predicted from lost ones, and their
indices would be guesses. A break is:

* a frame that the decoder itself marks as concealed;
* a decoding error, or a packet marked as damaged, after which frames are missing. An error after which none is
  missing is no damage: some files hold packets that are no pictures. In transport and program streams, the last packet
  before a join of two recordings is marked too;
* a place where a Matroska file's structure is broken;
* an end before the announced one.

Decoding that starts after a seek, or in a transport or program stream, may begin in the middle of a group of pictures:
it starts with the first whole one. Bytes that decode to wrong pictures without an error aren't noticed.
"""

from __future__ import annotations

from enum import Enum, auto
from fractions import Fraction

import av
from av.packet import Packet
from av.video.stream import VideoStream

from lib.media.containers import MatroskaScanner, is_cut_off
from lib.media.media_file import MediaFile
from lib.media.timestamps import FrameTiming

_MAX_GAP = Fraction(3, 2)
"""In durations of a frame: a larger one means that frames are missing."""
_MAX_BLOCK_HEADER = 24
MAX_REORDERED = 16
"""How many frames a decoder may hold back to put them in order (H.264 and HEVC)."""


class Verdict(Enum):
    """What becomes of a decoded frame."""

    KEEP = auto()
    SKIP = auto()
    """It can't be shown, but the video hasn't begun yet."""
    STOP = auto()
    """The video is damaged from here on."""


class DamageDetector:
    """Collects what looks like damage while a file is decoded, from its middle ``is_after_seek``, and decides on it."""

    def __init__(self, media: MediaFile, *, is_after_seek: bool) -> None:
        self._path, self._family = media.path, media.family
        self._scanner = MatroskaScanner(media.path) if media.family == "matroska" else None
        self._start_pts = media.stream.start_time
        self._needs_key_frame = is_after_seek
        self._may_start_anywhere = is_after_seek or media.family == "broadcast"
        self._has_started = False
        self._reading_failed = False
        self._is_suspicious = False
        self._frames_since_suspicion = 0

    def suspect(self) -> None:
        """Note an error: whether it is damage is seen from the frames that follow."""
        self._is_suspicious, self._frames_since_suspicion = True, 0

    def note_failed_reading(self) -> None:
        """Note that the file can't be read any further."""
        self._reading_failed = True

    def is_intact(self, packet: Packet[VideoStream]) -> bool:
        """Return whether the file's structure holds up to the end of a packet.

        That is a place within the next element: where that one's header is ruined, so is this packet's end.
        """
        end = (packet.pos or 0) + packet.size + _MAX_BLOCK_HEADER
        return self._scanner is None or self._scanner.is_intact_until(end)

    def judge(self, frame: av.VideoFrame) -> Verdict:
        """Decide what becomes of the next frame, before its time is known."""
        if frame.is_corrupt:
            self.suspect()
            return Verdict.STOP if self._has_started or not self._may_start_anywhere else Verdict.SKIP
        if not self._has_started:
            verdict = self._judge_first(frame)
            self._has_started = verdict is Verdict.KEEP
            return verdict
        return Verdict.KEEP

    def _judge_first(self, frame: av.VideoFrame) -> Verdict:
        if not self._is_suspicious and not self._needs_key_frame:
            return Verdict.KEEP
        if self._may_start_anywhere:
            self._is_suspicious = self._is_suspicious and not frame.key_frame
            return Verdict.KEEP if frame.key_frame else Verdict.SKIP
        is_first = frame.key_frame and frame.pts == self._start_pts
        return Verdict.KEEP if is_first else Verdict.STOP

    def is_gap(self, previous: FrameTiming, time: Fraction) -> bool:
        """Return whether, after an error, frames are missing between one frame and the next, shown at ``time``."""
        if not self._is_suspicious:
            return False
        self._frames_since_suspicion += 1
        if time > previous.time + previous.duration * _MAX_GAP:
            return True
        self._is_suspicious = self._frames_since_suspicion <= MAX_REORDERED
        return False

    def is_cut_off(self) -> bool:
        """Return whether the file ends, or can't be read any further, before its announced end."""
        if self._reading_failed or self._scanner is None:
            return self._reading_failed or is_cut_off(self._path, self._family)
        return not self._scanner.is_whole()

    def has_damaged_end(self) -> bool:
        """Return, after the last frame, whether some are missing behind it."""
        return self._is_suspicious or self.is_cut_off()

    def close(self) -> None:
        """Close the file; calling it twice is fine."""
        if self._scanner is not None:
            self._scanner.close()
