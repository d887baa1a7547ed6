"""A video and its segments as an editor counts them: in frames of the video's own rate."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from lib.analysis.segments import Segment
from lib.core.formatting import format_time
from lib.core.timecode import Timebase

_NOT_IN_FILES = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
"""What XML can't hold, or ends a line."""


@dataclass(frozen=True)
class MarkedRange:
    """A segment in frames, counted from the video's first one: ``[first, stop)``."""

    label: str
    first: int
    stop: int
    remark: str
    """Its scores, in words."""
    place: int
    """Of its label among all labels, from 0: what its colour goes by."""


@dataclass(frozen=True)
class Footage:
    """A video and its segments."""

    name: str
    """File name of the video."""
    url: str
    """The file as a URL beside the document, since nobody knows where the reader keeps it."""
    title: str
    timebase: Timebase
    frames: int
    width: int
    height: int
    """Displayed, in pixels."""
    ranges: tuple[MarkedRange, ...]
    """In order of time; those of one label never overlap."""

    @property
    def labels(self) -> tuple[str, ...]:
        """All labels that have a range, in their order."""
        return tuple(dict.fromkeys(one.label for one in sorted(self.ranges, key=lambda one: one.place)))


def footage(
    segments: Sequence[Segment],
    labels: Sequence[str],
    span_s: tuple[float, float],
    timebase: Timebase,
    *,
    name: str,
    url: str,
    title: str,
    size: tuple[int, int] = (0, 0),
) -> Footage:
    """Return segments in frames.

    Args:
        segments: in seconds, in order of time.
        labels: all labels, in their order.
        span_s: start and end of the video in seconds; frame 0 is the one shown at the start.
        timebase: how frames are counted.
        name: of the video's file.
        url: of the video's file, relative to the document.
        title: of the document.
        size: width and height of the picture in pixels.
    """
    start = Fraction(span_s[0])

    def frame(time_s: float) -> int:
        return max(0, timebase.frame_at(Fraction(time_s) - start))

    ranges = []
    for one in segments:
        first = frame(one.start_s)
        remark = f"mean {one.mean_score:.3f}, peak {one.peak_score:.3f} at {format_time(one.peak_s, decimals=2)}"
        stop = max(first + 1, frame(one.end_s))
        ranges.append(MarkedRange(clean(one.label), first, stop, remark, labels.index(one.label)))
    frames = max([1, frame(span_s[1]), *(one.stop for one in ranges)])
    return Footage(clean(name), url, clean(title), timebase, frames, *size, tuple(ranges))


def clean(text: str) -> str:
    """Return ``text`` in one line, without what XML can't hold."""
    return _NOT_IN_FILES.sub("\N{REPLACEMENT CHARACTER}", " ".join(text.split()))
