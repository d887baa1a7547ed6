"""Which streams of a transport stream belong to one programme (ISO/IEC 13818-1, 2.4.4): PyAV doesn't tell."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

_SYNC = 0x47
_READ_BYTES = 5 << 20
"""What FFmpeg looks at as well to find the streams."""
_PACKETS = ((188, 0), (192, 4), (204, 0))
"""Sizes of packets, and where in them the sync byte stands: broadcast, Blu-ray and cameras, with error correction."""


def programme_of(path: Path, pid: int) -> frozenset[int]:
    """Return the ids of all streams of the programmes that the stream ``pid`` belongs to; empty where none is told."""
    with path.open("rb") as file:
        data = file.read(_READ_BYTES)
    tables: dict[int, frozenset[int]] = {}
    expected: set[int] | None = None
    for table_id, source, section in _sections(data):
        if table_id == 0x00 and source == 0:
            entries = [section[i : i + 4] for i in range(8, len(section) - 7, 4)]
            expected = (expected or set()) | {_pid(entry, 2) for entry in entries if entry[:2] != b"\0\0"}
        elif table_id == 0x02 and expected is not None and source in expected:
            tables[source] = tables.get(source, frozenset()) | frozenset(_streams(section))
        if expected is not None and expected == set(tables):
            break
    return frozenset().union(*(streams for streams in tables.values() if pid in streams))


def _streams(section: bytes) -> Iterator[int]:
    """Yield the ids of the streams that a programme's table lists."""
    at = 12 + _length(section, 10)
    while at + 5 <= len(section) - 4:  # a checksum is last
        yield _pid(section, at + 1)
        at += 5 + _length(section, at + 3)


def _sections(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield the kind of table, the id it comes under and its bytes, for the first table that begins in a packet."""
    begun: dict[int, bytes] = {}
    for packet in _packets(data):
        pid, starts, field = _pid(packet, 1), packet[1] & 0x40, packet[3] >> 4 & 3
        if pid == 0x1FFF or not field & 1 or not (starts or pid in begun):
            continue
        at = 4 + (1 + packet[4] if field & 2 else 0)
        if starts and at < 188:
            at += 1 + packet[at]  # behind what is left of the table before
            begun[pid] = b""
        section = begun[pid] = begun.get(pid, b"") + packet[at:188]
        if len(section) < 3 or section[0] not in (0x00, 0x02) or section[1] & 0xC0 != 0x80:
            if len(section) >= 3:
                del begun[pid]  # sound and pictures
            continue
        length = 3 + _length(section, 1)
        if len(section) >= length:
            del begun[pid]
            yield section[0], pid, section[:length]


def _packets(data: bytes) -> Iterator[bytes]:
    for size, sync in _PACKETS:
        if len(data) >= 3 * size and all(data[sync + i * size] == _SYNC for i in range(3)):
            for start in range(sync, len(data) - 187, size):
                if data[start] == _SYNC:
                    yield data[start : start + 188]
            return


def _pid(data: bytes, at: int) -> int:
    return (data[at] & 0x1F) << 8 | data[at + 1]


def _length(data: bytes, at: int) -> int:
    return (data[at] & 0x0F) << 8 | data[at + 1] if at + 1 < len(data) else 0
