"""How many samples a video will give, counted by the stamps of its packets: nothing is decoded."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import av.error

from lib.core.errors import VideoError
from lib.core.sampling import Sampling
from lib.media.frames import SampleSelector
from lib.media.media_file import MediaFile
from lib.media.sparse_reading import ONE_FRAME_A_PACKET

_MOST_BYTES = 400_000_000
"""Larger files take seconds to read."""
_MOST_PACKETS = 1_000_000


def count_samples(path: Path, sampling: Sampling) -> int | None:
    """Return how many frames of an undamaged video are sampled; None where packets don't tell, or reading takes long.

    They do in MP4, MOV, Matroska and WebM, with codecs of which a packet is one frame (``lib.media.sparse_reading``).
    """
    with suppress(OSError, VideoError, av.error.FFmpegError):  # reading says what that means
        if path.stat().st_size > _MOST_BYTES:
            return None
        with MediaFile(path) as media:
            if media.family not in ("mp4", "matroska") or media.codec not in ONE_FRAME_A_PACKET:
                return None
            stamps = _stamps(media)
            if stamps is None:
                return None
            selector = SampleSelector(sampling)
            return sum(selector.wants(i, stamp * media.time_base) for i, stamp in enumerate(sorted(stamps)))
    return None


def _stamps(media: MediaFile) -> set[int] | None:
    stamps: set[int] = set()
    for packet in media.container.demux(media.stream):
        if not packet.size or packet.is_discard:  # the end, or cut off by an edit list
            continue
        if packet.pts is None or packet.is_corrupt or packet.pts in stamps or len(stamps) == _MOST_PACKETS:
            return None
        stamps.add(packet.pts)
    return stamps
