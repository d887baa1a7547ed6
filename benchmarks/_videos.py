"""Videos for the benchmarks, made on the spot: moving pictures, or a short one repeated for hours."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

RATE = 24


def moving_pictures(frames: int, *, size: tuple[int, int] = (1280, 720), seed: int = 0) -> Iterator[NDArray[np.uint8]]:
    """Yield RGB pictures: a mosaic that drifts, with a box that crosses it, and grain that costs bits."""
    width, height = size
    rng = np.random.default_rng(seed)
    mosaic = rng.integers(0, 256, (-(-height // 16), -(-width // 16), 3), dtype=np.uint8)
    mosaic = mosaic.repeat(16, axis=0).repeat(16, axis=1)[:height, :width]
    grain = rng.integers(0, 12, (height, width, 3), dtype=np.uint8)
    for i in range(frames):
        picture = np.roll(mosaic, (2 * i, 3 * i), axis=(0, 1)) // 2 + grain
        top, left = (7 * i) % (height * 3 // 4), (11 * i) % (width * 3 // 4)
        picture[top : top + height // 5, left : left + width // 5] = (255 - i % 200, i % 256, 90)
        yield picture


def make_video(path: Path, *, seconds: float, size: tuple[int, int] = (1280, 720)) -> Path:
    """Write an H.264 video of 24 frames a second."""
    with av.open(str(path), "w") as output:
        stream: Any = output.add_stream("libx264", rate=RATE, options={"preset": "veryfast", "crf": "23"})
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        for picture in moving_pictures(round(seconds * RATE), size=size):
            output.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        output.mux(stream.encode())
    return path


def repeat_video(source: Path, path: Path, *, seconds: float) -> Path:
    """Write ``source`` again and again, without encoding anything anew, until ``seconds`` are full."""
    with av.open(str(source)) as first:
        template = first.streams.video[0]
        assert template.time_base is not None
        packets = [packet for packet in first.demux(template) if packet.dts is not None]
        data = [(bytes(p), p.pts, p.dts, p.duration, p.is_keyframe) for p in packets]
        length = round(Fraction(len(data), RATE) / template.time_base)
        rounds = -(-int(seconds * RATE) // len(data))
        with av.open(str(path), "w") as output:
            stream: Any = output.add_stream_from_template(template)
            for i in range(rounds):
                for content, pts, dts, duration, is_key in data:
                    packet: Any = av.Packet(content)
                    packet.pts, packet.dts = pts + i * length, dts + i * length
                    packet.duration, packet.time_base, packet.stream = duration, template.time_base, stream
                    packet.is_keyframe = is_key
                    output.mux(packet)
    return path
