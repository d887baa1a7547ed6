"""Deinterlacing of single frames, for those that say that they are interlaced."""

from __future__ import annotations

from fractions import Fraction

import av
from av.filter import Graph

_MIN_SIDE = 4
"""FFmpeg's bwdif takes no smaller pictures."""


def deinterlaced(frame: av.VideoFrame) -> av.VideoFrame:
    """Return the moment of a frame's first field at full height; progressive frames come back as they are.

    The lines of the first field stay and those between are interpolated from them (bwdif, which does so where it has no
    frames before and after: it gets this one twice). Neighbours aren't needed, so frames that aren't wanted cost
    nothing.
    """
    if not frame.interlaced_frame or min(frame.width, frame.height) < _MIN_SIDE:
        return frame
    graph = Graph()
    graph.threads = 1
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base or Fraction(1, 25)
    )
    graph.link_nodes(source, graph.add("bwdif", "mode=send_frame:deint=interlaced"), graph.add("buffersink"))
    graph.configure()
    for item in (frame, frame, None):
        graph.push(item)
    return graph.vpull()
