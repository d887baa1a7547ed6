"""Containers: which ones are opened, and whether a file's outer structure is complete.

FFmpeg skips missing parts silently and goes on at the next piece that makes sense. So the outer structure of the three
common families is checked here against the bytes that exist: MP4 and MOV boxes (ISO/IEC 14496-12, 4.2), Matroska and
WebM elements (RFC 8794 and RFC 9559), AVI chunks (RIFF). Only headers are read, never the media data.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Literal

from av.video.stream import VideoStream

_MOST_CHUNKS = 1_000_000
"""Chunks of an AVI file that are looked at behind its last picture."""

_MOST_BOXES = 200_000
_MOST_SAMPLES = 10_000_000
"""Samples of a track: 46 hours at 60 a second. FFmpeg takes some 40 bytes for each."""
_PARENTS = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"moof", b"traf")

Family = Literal["mp4", "matroska", "avi", "broadcast", "raw", "other"]

_FAMILIES: dict[str, Family] = {
    "mov": "mp4", "matroska": "matroska", "avi": "avi", "mpegts": "broadcast", "mpeg": "broadcast",
    "h264": "raw", "hevc": "raw", "vvc": "raw", "obu": "raw",
    "m4v": "raw", "mpegvideo": "raw", "mjpeg": "raw",
}  # fmt: skip
SEEKABLE: tuple[Family, ...] = ("mp4", "matroska")
"""Families whose times survive a seek."""
_OTHERS = "ivf,flv,asf,ogg,mxf,dv,nut,gif,wtv,yuv4mpegpipe,mp3,wav,flac,aac"

FORMATS = ",".join((*_FAMILIES, _OTHERS))
"""FFmpeg's names of the containers that are opened, separated by commas.

Not among them: playlists and other files that make FFmpeg open further files or addresses, plain text, and single
pictures.
"""


def family_of(format_name: str) -> Family:
    """Return the family of a container by FFmpeg's name for it, such as ``mov,mp4,m4a,3gp,3g2,mj2``."""
    return _FAMILIES.get(format_name.split(",")[0], "other")


def is_webm(path: Path) -> bool:
    """Return whether a Matroska file calls itself WebM, the subset that browsers play."""
    with path.open("rb") as file:
        head = file.read(64)
    at = head.find(b"\x42\x82")  # DocType
    return at >= 0 and head[at + 3 : at + 7] == b"webm"


def has_boxes_without_index(path: Path) -> bool:
    """Return whether this is an MP4 or MOV file without its index (``moov``): cut off while written."""
    with path.open("rb") as file:
        kinds = [kind for kind, _ in _boxes(file, path.stat().st_size)]
    return bool(kinds) and kinds[0] in (b"ftyp", b"wide", b"mdat") and b"moov" not in kinds


def is_cut_off(path: Path, family: Family, stream: VideoStream) -> bool:
    """Return whether an MP4, MOV or AVI file ends before its last sample (for Matroska see ``MatroskaScanner``).

    ``stream`` has been read to its end. Whole files too have an outer size that says more than there is: recorders
    write text behind the last box, or don't come back to the size of ``mdat`` or ``RIFF``.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        if family == "mp4":
            boxes = _boxes(file, size)
            if all(end <= size for _, end in boxes):
                return False
            is_fragmented = any(kind == b"moof" for kind, _ in boxes)  # what isn't read isn't in the index either
            return is_fragmented or not _has_all_samples(stream, size)
        if family != "avi" or not any(end > size for end in _riffs(file, size)):
            return False
    return not _has_all_samples(stream, size) or 0 < len(stream.index_entries) < stream.frames


def _has_all_samples(stream: VideoStream, size: int) -> bool:
    """Return whether the file's index tells of samples and all lie within its bytes."""
    last = max((entry.pos + entry.size for entry in stream.index_entries), default=None)
    return last is not None and last <= size


def has_absurd_index(path: Path) -> bool:
    """Return whether an MP4 or MOV file announces more samples than it can hold, for which FFmpeg would take memory.

    A few bytes can announce 2^32 of them: counts of ``stsz`` and ``trun`` (ISO/IEC 14496-12, 8.7.3 and 8.8.8).
    """
    size, fragments = path.stat().st_size, 0
    with path.open("rb") as file:
        for kind, count, sample_size in _sample_counts(file, 0, size, iter(range(_MOST_BOXES))):
            fragments += count if kind == b"trun" else 0
            if max(count, fragments) * max(sample_size, 1) > size:
                return True
            if not sample_size and max(count, fragments) > _MOST_SAMPLES:
                return True
    return False


def _sample_counts(file: BinaryIO, start: int, stop: int, left: Iterator[int]) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, count and size of each sample (0: it differs) of the boxes of samples in a stretch of a file."""
    for kind, at, end in _headers(file, start, stop):
        if next(left, None) is None:
            return
        if kind in _PARENTS:
            yield from _sample_counts(file, at, min(end, stop), left)
        elif kind in (b"stsz", b"trun"):
            file.seek(at + 4)
            first, second = struct.unpack(">II", file.read(8).ljust(8, b"\0"))
            yield (kind, second, first) if kind == b"stsz" else (kind, first, 0)


def _boxes(file: BinaryIO, size: int) -> list[tuple[bytes, int]]:
    """Return type and end of each outermost box; the last end may lie beyond the file."""
    return [(kind, end) for kind, _, end in _headers(file, 0, size)]


def _headers(file: BinaryIO, start: int, stop: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield type, start of the content and end of each box in a stretch; the last end may lie beyond it."""
    while start + 8 <= stop:
        file.seek(start)
        length, kind = struct.unpack(">I4s", file.read(8))
        content = start + 8
        if length == 1:
            large = file.read(8)
            length, content = struct.unpack(">Q", large)[0] if len(large) == 8 else 16, start + 16
        elif length == 0:
            length = stop - start
        if length < 8 or not kind.isascii():
            return  # padding or foreign bytes behind the last box
        yield kind, content, start + length
        start += length


def _riffs(file: BinaryIO, size: int) -> list[int]:
    """Return the end of each RIFF list of an AVI file; long ones have several."""
    ends, start = [], 0
    while start + 8 <= size:
        file.seek(start)
        kind, length = struct.unpack("<4sI", file.read(8))
        if kind != b"RIFF":
            break
        ends.append(start + 8 + length)
        start = ends[-1] + length % 2
    return ends


def empty_chunks_behind(path: Path, position: int, stream_index: int) -> int:
    """Return how many empty chunks of a stream stand behind the AVI chunk at ``position``, which isn't empty."""
    prefix, count = b"%02d" % stream_index, 0
    with path.open("rb") as file:
        for _ in range(_MOST_CHUNKS):
            file.seek(position)
            head = file.read(8)
            if len(head) < 8 or not head[:2].isdigit():
                break  # the index, or the end
            length = int.from_bytes(head[4:], "little")
            count += length == 0 and head[:2] == prefix
            position += 8 + length + length % 2
    return count


_EBML, _SEGMENT, _CLUSTER = 0x1A45DFA3, 0x18538067, 0x1F43B675
_ELEMENTS = frozenset(
    {
        _EBML, _SEGMENT, _CLUSTER,
        0x114D9B74, 0x1549A966, 0x1654AE6B, 0x1C53BB6B, 0x1941A469, 0x1043A770, 0x1254C367,  # in a segment
        0xEC, 0xBF,  # anywhere
        0xE7, 0x5854, 0xA7, 0xAB, 0xA3, 0xA0, 0xAF,  # in a cluster
    }
)  # fmt: skip


_MOST_SEARCHED = 32 << 20
"""Bytes before a packet in which its cluster is looked for; clusters have a few megabytes."""


class MatroskaScanner:
    """Scans a Matroska file's elements in step with the reading of its packets.

    It descends into the segment and its clusters and skips the content of everything else. It stops at the first place
    where no element begins or an element ends beyond the file.
    """

    def __init__(self, path: Path) -> None:
        self._size = path.stat().st_size
        self._file = path.open("rb")
        self._position = 0
        self._segment_end = 0
        self._is_broken = False

    def close(self) -> None:
        """Close the file; calling it twice is fine."""
        self._file.close()

    def is_intact_until(self, position: int, *, resume_before: int | None = None) -> bool:
        """Scan up to a byte position; return whether the structure holds up to there.

        Behind a broken place it holds again from the last cluster that begins before ``resume_before``.
        """
        if self._is_broken and resume_before is not None:
            self._resume(resume_before)
        while not self._is_broken and self._position < min(position, self._size):
            self._step()
        return not self._is_broken

    def is_whole(self) -> bool:
        """Scan up to the end; return whether the structure holds and the file is as long as it announces."""
        return self.is_intact_until(self._size) and self._segment_end <= self._size

    def _resume(self, before: int) -> None:
        """Go to the last cluster that begins between the broken place and a byte position, if there is one."""
        self._file.seek(max(self._position + 1, before - _MOST_SEARCHED))
        start = self._file.tell()
        at = self._file.read(max(0, before - start)).rfind(_CLUSTER.to_bytes(4))
        if at >= 0:
            self._position, self._is_broken = start + at, False

    def _step(self) -> None:
        """Move into the element at the position, or behind it."""
        element = self._element(self._position)
        if element is None:
            self._is_broken = True
            return
        kind, start, length = element
        if kind == _SEGMENT and length is not None:
            self._segment_end = start + length
        if kind in (_SEGMENT, _CLUSTER):
            self._position = start
        elif length is not None and start + length <= self._size and self._is_plausible(kind, start + length):
            self._position = start + length
        else:
            self._is_broken = True

    def _is_plausible(self, kind: int, end: int) -> bool:
        """Return whether an element is of a known kind, or of a private one and followed by a known one."""
        if kind in _ELEMENTS or end == self._size:
            return True
        following = self._element(end)
        return following is not None and following[0] in _ELEMENTS

    def _element(self, at: int) -> tuple[int, int, int | None] | None:
        """Return id, start and length (None: unknown) of the content of the element at ``at``, if any."""
        self._file.seek(at)
        head = self._file.read(12)
        id_width = _width(head, 0)
        if id_width is None or id_width > 4:
            return None
        size_width = _width(head, id_width)
        if size_width is None or id_width + size_width > len(head):
            return None
        bits = 7 * size_width
        length = int.from_bytes(head[id_width : id_width + size_width], "big") & ((1 << bits) - 1)
        unknown = length == (1 << bits) - 1
        return int.from_bytes(head[:id_width], "big"), at + id_width + size_width, None if unknown else length


def _width(head: bytes, at: int) -> int | None:
    """Return how many bytes the variable-size number at ``at`` takes; None where none begins."""
    if at >= len(head) or head[at] == 0:
        return None
    return 9 - head[at].bit_length()
