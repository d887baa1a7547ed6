"""Whether a video is damaged, and where.

What is damaged is left out, from there to the next key frame: later frames may be predicted from lost ones. Damage is

* a frame that the decoder, with one thread, marks as concealed;
* a decoding error, or a packet marked as damaged, after which frames are missing. An error after which none is
  missing is no damage: some files hold packets that are no pictures. In transport and program streams, the last packet
  before a join of two recordings is marked too;
* a place where a Matroska file's structure is broken, up to the next cluster;
* an end before the last sample that the file's index tells of.

Transport and program streams may begin in the middle of a group of pictures: they start with the first whole one, and
that is no damage. Bytes that decode to wrong pictures without an error aren't noticed.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from av.packet import Packet

from lib.media.containers import MatroskaScanner, is_cut_off
from lib.media.media_file import MediaFile
from lib.media.timestamps import MAX_REORDERED, FrameTiming

_MAX_GAP = Fraction(3, 2)
"""In durations of a frame: a larger one means that frames are missing."""
_MAX_BLOCK_HEADER = 24


class DamageDetector:
    """Collects what looks like damage while a file is decoded, and decides on it."""

    def __init__(self, media: MediaFile) -> None:
        self._media = media
        self._scanner = MatroskaScanner(media.path) if media.family == "matroska" else None
        self._reading_failed = False
        self._frames_since_suspicion: int | None = None

    @property
    def is_suspicious(self) -> bool:
        """Whether there was an error of which the frames that follow will tell what it means."""
        return self._frames_since_suspicion is not None

    def suspect(self) -> None:
        """Note an error."""
        self._frames_since_suspicion = 0

    def clear(self) -> None:
        """Note that what was lost is behind."""
        self._frames_since_suspicion = None

    def note_failed_reading(self) -> None:
        """Note that the file can't be read any further."""
        self._reading_failed = True

    def is_intact(self, packet: Packet[Any]) -> bool:
        """Return whether the file's structure holds up to the end of a packet, or has come to hold again before it.

        That is a place within the next element: where that one's header is ruined, so is this packet's end.
        """
        if self._scanner is None:
            return True
        start = packet.pos or 0
        return self._scanner.is_intact_until(start + packet.size + _MAX_BLOCK_HEADER, resume_before=start)

    def is_hole(self, previous: FrameTiming, time: Fraction) -> bool:
        """Return whether, after an error, frames are missing between one frame and the next, shown at ``time``."""
        if self._frames_since_suspicion is None:
            return False
        if time > previous.time + previous.duration * _MAX_GAP:
            return True
        self._frames_since_suspicion += 1
        held = MAX_REORDERED if self._media.family == "avi" else 0  # until their places are known
        if self._frames_since_suspicion > MAX_REORDERED + held:
            self.clear()
        return False

    def is_cut_off(self) -> bool:
        """Return whether the file ends, or can't be read any further, before its announced end."""
        if self._reading_failed or self._scanner is None:
            return self._reading_failed or is_cut_off(self._media.path, self._media.family, self._media.stream)
        return not self._scanner.is_whole()

    def close(self) -> None:
        """Close the file; calling it twice is fine."""
        if self._scanner is not None:
            self._scanner.close()
