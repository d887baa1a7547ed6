"""Packets of a file to frames: what looks damaged is decoded again with one thread, and what is lost is left behind.

With several threads a decoder marks whole frames as damaged (H.264 whose fields are coded apart) or reports an error
for another frame than the one that has it. So an error or a mark is only a question: the packets since the last key
frame are decoded again, by one thread, and so is everything after them. What that says is true.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import cast

import av
import av.error
from av.video.codeccontext import VideoCodecContext

from lib.core.errors import VideoError
from lib.media.damage import DamageDetector
from lib.media.limits import size_problem
from lib.media.media_file import MediaFile
from lib.media.packets import Break, PacketInfo, PacketReader, ReadPacket
from lib.media.picture import displayed_size
from lib.media.timestamps import Stamp

_MOST_KEPT_BYTES = 128 << 20
"""Most bytes of packets that are kept to be decoded again; without a key frame for so long, marks are believed."""
_SILENT = ("h264", "hevc")
"""Codecs whose decoders drop frames that lack others without an error."""


@dataclass(frozen=True)
class Picture:
    """A decoded frame and where it comes from."""

    frame: av.VideoFrame
    packet: PacketInfo
    after_loss: bool
    """Whether packets before it were left out: it is the first frame behind what is lost."""
    after_silence: bool
    """Whether packets before it brought no frame and no error."""
    leading: int
    """Of a key frame, how many packets behind its own hold frames that are shown before it."""
    breaks: int
    """How many times bytes were missing before its packet, so that numbers say less than was lost."""

    @property
    def stamp(self) -> Stamp:
        """What the file says about its time."""
        return Stamp(self.frame.pts, self.packet.stamp.dts, self.frame.duration)


class _Skip(Enum):
    """What is passed over on the way to a place where decoding can begin."""

    NOTHING = auto()
    FRAMES = auto()
    """Frames before the first whole key frame."""
    PACKETS = auto()
    """Packets before the first key frame's, and then frames as well."""


class PacketDecoder:
    """Iterates over the frames of a reader's packets in the order of display.

    Args:
        media: the opened file; stays the caller's to close.
        reader: its packets.
        damage: told about every error.
        starts_at_key_frame: whether to begin with the first key frame, as after a seek.
    """

    def __init__(
        self, media: MediaFile, reader: PacketReader, damage: DamageDetector, *, starts_at_key_frame: bool
    ) -> None:
        self._media, self._reader, self._damage = media, reader, damage
        self._context: VideoCodecContext = media.stream.codec_context
        self._context.copy_opaque = True
        self._second_look: MediaFile | None = None
        self._is_careful = False
        self._again: deque[ReadPacket | Break] = deque()  # to be decoded before reading on
        self._kept: deque[ReadPacket] = deque()  # since the key frame at or before the next frame to come
        self._kept_bytes = 0
        self._is_kept_whole = True
        self._out: set[int] = set()  # numbers of kept packets whose frames came out
        self._round = 0  # grows with each start somewhere else: what a decoder still holds is void then
        self._skip = _Skip.FRAMES if starts_at_key_frame else _Skip.NOTHING
        self._after_loss = self._has_silence = False
        self._last_dts: int | None = None
        self._last_picture: av.VideoFrame | None = None
        self._size: tuple[int, int] | None = None
        self.size_problem: str | None = None
        """Where decoding stopped because the pictures became too large: what is wrong with them."""

    @property
    def is_reordered(self) -> bool:
        """Whether the decoder puts frames in another order than their packets."""
        return self._context.has_b_frames

    def close(self) -> None:
        """Close what was opened here; calling it twice is fine."""
        if self._second_look is not None:
            self._second_look.close()

    def __iter__(self) -> Iterator[Picture]:
        while self.size_problem is None:
            packet = self._again.popleft() if self._again else self._reader.read()
            this_round = self._round
            for frame in self._frames(packet):
                self._last_picture = frame
                yield self._picture(frame)
                if self._round != this_round:
                    break
            if packet is Break.END and self._round == this_round:
                return

    def resume_after(self, number: int) -> None:
        """Go on at the first key frame behind a packet, by its number; what was decoded of them so far is void."""
        self._again.extendleft(reversed([packet for packet in self._kept if packet.info.number > number]))
        self._leave_behind()

    def _leave_behind(self) -> None:
        """Drop what the decoder holds and go on at the next key frame."""
        depth = self._context.reorder_depth
        self._context.flush_buffers()
        self._context.reorder_depth = depth  # known by now, and reset by flushing
        self._kept.clear()
        self._kept_bytes, self._is_kept_whole = 0, True
        self._out.clear()
        self._skip, self._after_loss = _Skip.PACKETS, True
        self._round += 1

    def _frames(self, packet: ReadPacket | Break) -> Iterator[av.VideoFrame]:
        """Yield the new frames that a packet brings out, or that are left at a break."""
        if isinstance(packet, Break):
            yield from self._left_frames(packet)
        elif self._is_wanted(packet):
            self._last_dts = packet.info.stamp.dts
            yield from self._decoded(packet)

    def _is_wanted(self, packet: ReadPacket) -> bool:
        """Return whether to decode a packet; a broadcast's packet marked as damaged is often whole."""
        if self._skip is _Skip.PACKETS:
            if not packet.info.is_key_frame:
                return False
            self._skip = _Skip.FRAMES
        if packet.info.is_corrupt:
            self._damage.suspect()
            if self._media.family != "broadcast":
                return False
        self._keep(packet)
        return True

    def _left_frames(self, at: Break) -> Iterator[av.VideoFrame]:
        """Yield the frames that the decoder still holds; at a break, those that lack no predecessor.

        Each packet's presentation time is at or after its decoding time, so up to the last decoding time that was read
        all frames are there.
        """
        is_cut = at is Break.BROKEN or self._damage.is_cut_off()
        limit = self._last_dts if is_cut and self._media.family != "avi" else None
        this_round = self._round
        for frame in self._decoded(at):
            if self._last_picture is not None and _is_same(frame, self._last_picture):
                continue  # MPEG-4 whose last packet says that nothing changed
            if limit is not None and frame.pts is not None and frame.pts > limit:
                break
            yield frame
        if self._round != this_round:
            return
        if at is Break.BROKEN:
            self._leave_behind()
        elif not self._is_careful and any(self._silent()):
            self._looks_again(at)  # several threads may end without the error of the last frames

    def _decoded(self, packet: ReadPacket | Break) -> Iterator[av.VideoFrame]:
        """Yield the new frames that a packet brings out; an error or a mark starts the second look, or a suspicion."""
        try:
            frames = self._context.decode(None if isinstance(packet, Break) else packet.packet)
        except av.error.EOFError:
            return
        except av.error.FFmpegError as error:
            if not self._looks_again(packet):
                if isinstance(error, BlockingIOError) and not isinstance(packet, Break):  # VP9's is stuck
                    if len(self._kept) > 1:  # stuck by an earlier one
                        self._again.appendleft(packet)
                    self._leave_behind()
                self._damage.suspect()
                self._note_size(self._context.width, self._context.height)  # as announced, also if refused for it
            return
        for frame in frames:
            if frame.is_corrupt and self._looks_again(packet):
                return
            self._note_size(frame.width, frame.height)
            if self.size_problem is not None:
                return
            if self._is_new(frame):
                yield frame

    def _is_new(self, frame: av.VideoFrame) -> bool:
        """Note that a frame came out; return whether it is to be given on."""
        info = _info(frame)
        if info.number in self._out:
            return False
        self._out.add(info.number)
        if frame.key_frame and info.is_key_frame and not frame.is_corrupt:
            self._has_silence = self._media.codec in _SILENT and any(
                packet.info.number < info.number for packet in self._silent()
            )
            self._trim(info.number)
            if self._skip is _Skip.FRAMES:
                self._skip = _Skip.NOTHING
        return self._skip is _Skip.NOTHING

    def _picture(self, frame: av.VideoFrame) -> Picture:
        info = _info(frame)
        after_loss, self._after_loss = self._after_loss, False
        has_silence, self._has_silence = self._has_silence, False
        leading = 0
        if info.is_key_frame and info.stamp.pts is not None:
            later = (packet.info for packet in self._kept if packet.info.number > info.number)
            leading = sum(
                other.stamp.pts is not None and other.stamp.pts < info.stamp.pts and not other.is_hidden
                for other in later
            )
        return Picture(frame, info, after_loss, has_silence, leading, self._reader.breaks)

    def _silent(self) -> Iterator[ReadPacket]:
        """Yield the kept packets whose frames should be shown and haven't come out."""
        return (packet for packet in self._kept if packet.info.number not in self._out and not packet.info.is_hidden)

    def _keep(self, packet: ReadPacket) -> None:
        self._kept.append(packet)
        self._kept_bytes += packet.packet.size
        while self._kept_bytes > _MOST_KEPT_BYTES:
            self._kept_bytes -= self._kept.popleft().packet.size
            self._is_kept_whole = False

    def _trim(self, number: int) -> None:
        """Forget the packets before a key frame that is out: all their frames are out too."""
        while self._kept and self._kept[0].info.number < number:
            self._kept_bytes -= self._kept.popleft().packet.size
            self._is_kept_whole = True
        self._out = {other for other in self._out if other >= number}

    def _looks_again(self, packet: ReadPacket | Break) -> bool:
        """Start to decode with one thread what was kept, and what follows; return whether that is possible."""
        if self._is_careful or not self._is_kept_whole:
            return False
        self._is_careful = True
        if self._context.thread_count == 1:
            return False
        try:
            self._second_look = self._media.open_again()
        except VideoError:  # gone meanwhile
            return False
        self._context = self._second_look.stream.codec_context
        self._context.thread_count, self._context.copy_opaque = 1, True
        if isinstance(packet, Break):
            self._again.appendleft(packet)
        self._again.extendleft(reversed(self._kept))
        self._kept.clear()
        self._kept_bytes = 0
        self._round += 1
        return True

    def _note_size(self, width: int, height: int) -> None:
        """Check a size against the limits; it may change anywhere in a stream."""
        if self._size != (width, height) and self.size_problem is None:
            self._size = width, height
            shown = displayed_size(width, height, self._media.stream.sample_aspect_ratio)
            self.size_problem = size_problem(width, height) or size_problem(*shown, "displayed")


def _info(frame: av.VideoFrame) -> PacketInfo:
    """Return what the packet said that a frame was in."""
    return cast(PacketInfo, frame.opaque)


def _is_same(frame: av.VideoFrame, other: av.VideoFrame) -> bool:
    """Return whether two frames are the same picture in memory."""
    return bool(frame.planes and other.planes) and frame.planes[0].buffer_ptr == other.planes[0].buffer_ptr
