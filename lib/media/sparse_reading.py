"""Which packets a few samples of a long video need, and the frames that come out of those alone.

Where samples lie further apart than key frames, most of a file needn't be decoded. In MP4, MOV, Matroska and WebM a
packet of H.264, HEVC, VP9 and AV1 holds one frame, and its stamp is the frame's; so reading all packets, which is
cheap, tells each frame's index and time. A sample is decoded from the key frame before it on; one that is shown before
the key frame of its own group (an open group of pictures), from the key frame of the group before.

That is trusted only as far as it is seen to hold: a file with missing, equal or negative stamps, with packets to
discard or with damage that reading finds gets no plan, and where other frames come out than were planned, or one with
an error, ``UnexpectedFrameError`` says that everything has to be decoded. Damage in what no sample needs isn't noticed.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import av.error
import numpy as np
from av.packet import Packet
from numpy.typing import NDArray

from lib.core.errors import VideoError
from lib.media.damage import DamageDetector
from lib.media.media_file import MediaFile
from lib.media.packets import Break, PacketReader
from lib.media.timestamps import Stamp, TimestampReconstructor

ONE_FRAME_A_PACKET = ("h264", "hevc", "vp9", "av1")
_MOST_PACKETS = 4_000_000
_TRIED_PACKETS = 3_000
"""After so many it is looked whether key frames are close enough to go on."""
LEAST_PACKETS = 600
"""Shorter videos are decoded whole: that is quick, and all damage is seen."""
_LEAST_EVERY = 12
"""Frames between samples; key frames are seldom closer, so closer samples aren't worth a look at the packets."""
_RUN_COST = 4
"""In frames: seeking, and filling the decoder's threads again."""
_LEAST_GAIN = 1.5


class UnexpectedFrameError(Exception):
    """What was decoded isn't what the packets told."""


@dataclass(frozen=True)
class Run:
    """Packets to be decoded without a break."""

    first: int
    """Place of its first packet, a key frame, in the order of the file."""
    last: int
    """Place of its last packet."""
    wanted: tuple[int, ...]
    """Indices of the samples in it, in the order of display."""


@dataclass(frozen=True)
class SparsePlan:
    """The packets of a file and what of them is to be decoded."""

    pts: NDArray[np.int64]
    """Presentation time stamp of each packet, in the order of the file, in units of the time base."""
    dts: NDArray[np.int64]
    """Decoding time stamps likewise."""
    shown: NDArray[np.int64]
    """The presentation time stamps in the order of display."""
    runs: list[Run]
    start: Fraction
    """Time of the first frame in seconds."""
    end: Fraction
    """End of the last frame in seconds."""
    time_base: Fraction

    def has(self, index: int, time_s: float) -> bool:
        """Return whether a frame has that index and time in seconds."""
        return 0 <= index < len(self.shown) and float(int(self.shown[index]) * self.time_base) == time_s

    def end_of(self, index: int) -> Fraction:
        """Return when a frame gives way to the next, in seconds."""
        return self.end if index + 1 >= len(self.shown) else int(self.shown[index + 1]) * self.time_base


@dataclass(frozen=True)
class SampledFrame:
    """A decoded sample, not yet a picture."""

    frame: av.VideoFrame
    index: int
    """Place in the order of display."""
    time: Fraction
    """Presentation time in seconds."""


def plan(media: MediaFile, wants: Callable[[int, Fraction], bool], *, every: float) -> SparsePlan | None:
    """Return what to decode, or None where everything has to be, or where that isn't much more.

    Args:
        media: the file, which isn't read from.
        wants: asked once for each frame's index and time, in order, whether it is a sample.
        every: how many frames apart samples are, about.
    """
    if media.family not in ("mp4", "matroska") or media.codec not in ONE_FRAME_A_PACKET or every < _LEAST_EVERY:
        return None
    try:
        with media.open_again() as other, closing(DamageDetector(other)) as damage:
            packets = _read(PacketReader(other, damage), every)
            if packets is None or damage.is_cut_off():
                return None
    except (VideoError, av.error.FFmpegError):  # decoding says what that means
        return None
    pts, dts, keys, end = packets[0], packets[1], packets[2], _end(media, *packets)
    shown = np.sort(pts)
    if shown[0] < 0 or shown[0] != pts[0] or not keys.size or keys[0] != 0 or (np.diff(shown) == 0).any():
        return None
    wanted = [i for i, stamp in enumerate(shown.tolist()) if wants(i, stamp * media.time_base)]
    runs = _runs(pts, keys, wanted)
    cost = sum(run.last - run.first + 1 + _RUN_COST for run in runs)
    if cost * _LEAST_GAIN > len(pts):
        return None
    return SparsePlan(pts, dts, shown, runs, int(shown[0]) * media.time_base, end, media.time_base)


_Packets = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


def _read(reader: PacketReader, every: float) -> _Packets | None:
    """Return presentation stamps, decoding stamps, places of key frames, and durations; None where any is in doubt."""
    pts, dts, keys, durations = array("q"), array("q"), array("q"), array("q")
    while (packet := reader.read()) is not Break.END:
        if isinstance(packet, Break) or packet.info.is_corrupt or packet.packet.is_discard:
            return None
        stamp = packet.info.stamp
        if stamp.pts is None or len(pts) == _MOST_PACKETS:
            return None
        if packet.info.is_key_frame:
            keys.append(len(pts))
        pts.append(stamp.pts)
        dts.append(stamp.pts if stamp.dts is None else stamp.dts)  # Matroska's first have none
        durations.append(stamp.duration)
        if len(pts) == _TRIED_PACKETS and every * len(keys) * _LEAST_GAIN < len(pts):
            return None
    if len(pts) < LEAST_PACKETS or reader.last_repeat is not None:
        return None
    return np.array(pts), np.array(dts), np.array(keys), np.array(durations)


def _end(
    media: MediaFile,
    pts: NDArray[np.int64],
    dts: NDArray[np.int64],
    keys: NDArray[np.int64],
    durations: NDArray[np.int64],
) -> Fraction:
    """Return when the last frame ends, by the rules for all frames."""
    clock: TimestampReconstructor[int] = TimestampReconstructor(
        media.family, time_base=media.time_base, rate=media.rate, origin_s=media.origin_s
    )
    end = Fraction(0)
    for place in np.argsort(pts)[-3:].tolist():
        stamp = Stamp(int(pts[place]), int(dts[place]), int(durations[place]))
        end = max([end, *(timing.end for _, timing in clock.push(place, stamp))])
    return end


def _runs(pts: NDArray[np.int64], keys: NDArray[np.int64], wanted: list[int]) -> list[Run]:
    """Return what to decode for samples, by their indices; what overlaps becomes one run."""
    runs: list[Run] = []
    places = np.argsort(pts)[wanted]
    groups = np.searchsorted(keys, places, side="right") - 1
    is_leading = pts[places] < pts[keys[groups]]
    firsts = keys[np.maximum(groups - is_leading, 0)]
    for index, place, first in zip(wanted, places.tolist(), firsts.tolist(), strict=True):
        if runs and first <= runs[-1].last + 1:
            before = runs.pop()
            runs.append(Run(min(before.first, first), max(before.last, place), (*before.wanted, index)))
        else:
            runs.append(Run(first, place, (index,)))
    return runs


def decode(media: MediaFile, sparse: SparsePlan, *, after: int) -> Iterator[SampledFrame]:
    """Yield the samples of a plan whose index is larger than ``after``, from a file just opened.

    Raises:
        UnexpectedFrameError: see above; what was yielded before is right.
    """
    size: set[tuple[int, int]] = set()
    for run in sparse.runs:
        if run.wanted[-1] <= after:
            continue
        expected = iter(np.sort(sparse.pts[run.first : run.last + 1]).tolist())
        start = int(sparse.pts[run.first])
        wanted = {int(sparse.shown[index]): index for index in run.wanted}
        for frame in _decoded(media, sparse, run):
            if frame.pts is not None and frame.pts < start:  # may lack the group before
                continue
            size.add((frame.width, frame.height))
            due = next((stamp for stamp in expected if stamp >= start), None)
            is_right = frame.pts == due and not frame.is_corrupt and len(size) == 1
            if due is None or not is_right or (due == start and not frame.key_frame):
                raise UnexpectedFrameError
            index = wanted.pop(due, None)
            if index is not None and index > after:
                yield SampledFrame(frame, index, due * media.time_base)
        if wanted:
            raise UnexpectedFrameError


def _decoded(media: MediaFile, sparse: SparsePlan, run: Run) -> Iterator[av.VideoFrame]:
    """Yield the frames of a run's packets."""
    context = media.stream.codec_context
    try:
        for packet in _packets(media, sparse, run):
            yield from context.decode(packet)
        yield from context.decode(None)
    except av.error.EOFError:
        pass
    except av.error.FFmpegError as error:
        raise UnexpectedFrameError from error
    depth = context.reorder_depth
    context.flush_buffers()
    context.reorder_depth = depth  # known by now, and reset by flushing


def _packets(media: MediaFile, sparse: SparsePlan, run: Run) -> Iterator[Packet[Any]]:
    """Yield a run's packets."""
    first = int((sparse.dts if media.family == "mp4" else sparse.pts)[run.first])
    media.container.seek(first, stream=media.stream, backward=True)
    place = None
    for packet in media.container.demux(media.stream):
        if place is None and packet.pts == sparse.pts[run.first]:
            place = run.first
        if place is None and packet.dts is not None and packet.dts > sparse.dts[run.first]:
            break
        if place is None:
            continue
        if packet.pts != sparse.pts[place]:
            break
        yield packet
        if place == run.last:
            return
        place += 1
    raise UnexpectedFrameError
