"""The packets of a file's video stream, read over what can't be read, and what they say about the file's clocks."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from fractions import Fraction
from typing import Any

import av
import av.error
from av.audio.stream import AudioStream
from av.packet import Packet

from lib.media.containers import empty_chunks_behind
from lib.media.damage import DamageDetector
from lib.media.media_file import MediaFile, encrypted
from lib.media.timestamps import SoundClock, Stamp

_MOST_ERRORS = 64
"""After so many failed readings in a row the rest of the file is given up."""
_MOST_LOOKED_AHEAD = 512
"""Packets read ahead to learn whether the sound jumps with the picture."""
_JUMP_S = 10
_CHUNK_HEADER = 8


class Break(Enum):
    """What comes in place of a packet."""

    BROKEN = auto()
    """Something is missing here, and what follows may build on it."""
    END = auto()


@dataclass(frozen=True)
class PacketInfo:
    """What a packet says of itself."""

    number: int
    """Place in the file's order among the packets that hold something, from 0."""
    place: int
    """The same among those whose frames are shown; of a hidden one, that of the next."""
    is_hidden: bool
    """Whether its frame isn't shown but only built on, as where an edit list begins between key frames."""
    stamp: Stamp
    is_key_frame: bool
    is_corrupt: bool
    """Whether the file says that bytes are missing or wrong."""


@dataclass(frozen=True)
class ReadPacket:
    """One packet to decode; the decoder passes ``info`` on to its frame."""

    packet: Packet[Any]
    info: PacketInfo


class PacketReader:
    """Reads the packets of an opened file's video stream from where it stands.

    Raises:
        VideoUnreadableError: from ``read``, when the stream is encrypted.
    """

    def __init__(self, media: MediaFile, damage: DamageDetector) -> None:
        self._media, self._damage = media, damage
        self._audio = media.audio_stream
        self.sound = SoundClock() if self._audio is not None else None
        """The sound's clock; None without sound or where clocks don't restart."""
        self._packets = _demuxed(media, self._audio, damage)
        self._ahead: deque[Packet[Any] | Break] = deque()
        self._count = self._hidden = self._sounds = 0
        self._is_intact = True
        self._is_partial = False  # whether the latest packet of picture or sound lacks bytes
        self.breaks = 0
        """How many times bytes were missing, so that packets after it are numbered too low."""
        self.last_repeat: Stamp | None = None
        """The latest stamp of a place where the frame before is shown again."""
        self._places: dict[int, int] = {}
        if media.family == "avi":
            self._places = {entry.pos: entry.timestamp for entry in media.stream.index_entries}
        if self._places:  # empty chunks aren't read as packets
            position = max(self._places)
            place = self._places[position] + empty_chunks_behind(media.path, position, media.stream.index)
            self.last_repeat = Stamp(place, place, 1)
        self._shift = 0
        self._last_dts: int | None = None
        self.first: Stamp | None = None
        """The stamp of the first packet that is to be shown."""
        self.last: Stamp | None = None
        """The latest stamp of all packets that are to be shown."""

    def read(self) -> ReadPacket | Break:
        """Return the next packet that holds something, a break, or, any number of times, the end."""
        while True:
            packet = self._ahead.popleft() if self._ahead else self._next()
            if packet is Break.BROKEN:
                return self._broken()
            if packet is Break.END:
                return packet
            stamp = self._stamp(packet)
            self._note(stamp)
            if not packet.is_discard:
                self.first, self.last = self.first or stamp, _later(self.last, stamp)
            if packet.size == 0 or self._media.family == "avi":  # the frame before is shown again, as far as is known
                self.last_repeat = _later(self.last_repeat, stamp)
            if packet.size == 0:
                continue
            was_intact = self._is_intact
            self._is_intact = self._damage.is_intact(packet)
            if self._is_intact:
                return self._numbered(packet, stamp)
            self._count += 1
            if was_intact:
                return self._broken()

    def _broken(self) -> Break:
        self.breaks += 1
        return Break.BROKEN

    def _stamp(self, packet: Packet[Any]) -> Stamp:
        """Return a packet's stamp; of an AVI chunk, its place by the index: counting goes wrong behind broken ones."""
        if self._media.family != "avi" or packet.dts is None:
            return Stamp(packet.pts, packet.dts, packet.duration or 0)
        place = self._places.get((packet.pos or 0) - _CHUNK_HEADER, packet.dts + self._shift)
        self._shift = place - packet.dts
        return Stamp(place, place, packet.duration or 0)

    def _note(self, stamp: Stamp) -> None:
        if self.sound is not None and stamp.dts is not None:
            if self._last_dts is not None and (stamp.dts - self._last_dts) * self._media.time_base > _JUMP_S:
                self._look_ahead()
            self._last_dts = stamp.dts

    def _numbered(self, packet: Packet[Any], stamp: Stamp) -> ReadPacket:
        if packet.has_sidedata("encryption_info"):  # the first seconds often aren't
            raise encrypted(self._media.name)
        number, place = self._count, self._count - self._hidden
        info = PacketInfo(number, place, packet.is_discard, stamp, packet.is_keyframe, packet.is_corrupt)
        packet.opaque = info
        self._count += 1
        self._hidden += packet.is_discard
        return ReadPacket(packet, info)

    def _look_ahead(self) -> None:
        """Read on until the sound has a packet too, so that it is known whether it jumps with the picture."""
        for _ in range(_MOST_LOOKED_AHEAD):
            noted = self._sounds
            packet = self._next()
            self._ahead.append(packet)
            if packet is Break.END or self._sounds != noted:
                return

    def _next(self) -> Packet[Any] | Break:
        """Return the video's next packet, break or end, and take note of the sound on the way."""
        for packet in self._packets:
            self._is_partial = not isinstance(packet, Break) and packet.is_corrupt
            if isinstance(packet, Break) or packet.stream_index == self._media.stream.index:
                return packet
            self._note_sound(packet)
        if self._is_partial and self._media.family == "other":
            self._damage.note_failed_reading()
        return Break.END

    def _note_sound(self, packet: Packet[Any]) -> None:
        stamp = packet.dts if packet.pts is None else packet.pts
        if self.sound is not None and stamp is not None and packet.time_base:
            self._sounds += 1
            self.sound.note(Fraction(stamp) * packet.time_base)


def _demuxed(media: MediaFile, audio: AudioStream | None, damage: DamageDetector) -> Iterator[Packet[Any] | Break]:
    """Yield the packets of picture and sound; a place that can't be read is a break, and reading goes on behind it.

    No method: reader and generator would keep each other, and the decoder's frames, until the garbage collector runs.
    """
    streams = [media.stream] if audio is None else [media.stream, audio]
    errors = 0
    while errors < _MOST_ERRORS:
        try:
            for packet in media.container.demux(*streams):
                if packet.size == 0 and packet.dts is None:  # the end of a stream
                    continue
                errors = 0
                yield packet
            break
        except OSError:
            errors = _MOST_ERRORS
        except av.error.FFmpegError:
            errors += 1
            if errors == 1:
                yield Break.BROKEN
    if errors:
        damage.note_failed_reading()


def _later(stamp: Stamp | None, other: Stamp) -> Stamp:
    """Return the later of two stamps; those without presentation time are told apart by decoding time."""
    if stamp is None:
        return other
    return max(stamp, other, key=lambda s: s.pts if s.pts is not None else s.dts if s.dts is not None else -(1 << 63))
