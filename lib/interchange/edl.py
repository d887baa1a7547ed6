"""Edit decision lists: the segments in a row, as CMX 3600, and as markers of DaVinci Resolve.

OpenTimelineIO's adapter for CMX 3600 doesn't say whether timecode is drop-frame and begins each list at 0, so lists are
written here; its reader is what they are tested with.

References:
    CMX 3600 as Avid and OpenTimelineIO read it: ``FCM`` says how timecode counts, ``* LOC`` is a locator.
    DaVinci Resolve, *Export > Timeline Markers to EDL*: an event of one frame, then ``|C:colour |M:name |D:frames``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lib.core.errors import InputError
from lib.core.timecode import Timebase
from lib.interchange.footage import Footage

MOST_EVENTS = 999
_COLOURS = ("BLUE", "RED", "GREEN", "MAGENTA", "YELLOW", "CYAN", "WHITE")
_RESOLVE_COLOURS = ("Blue", "Red", "Green", "Pink", "Yellow", "Cyan", "Purple", "Lavender", "Mint", "Sand")


def write_edl(footage: Footage) -> str:
    """Return the segments one after another as a CMX 3600 list, from timecode 01:00:00:00 on.

    Source timecodes are the video's own. Each event has its label as a locator.

    Raises:
        InputError: see ``check_events``.
    """
    check_events(len(footage.ranges))
    return "\n".join([*_head(footage), *_events(footage)]) + "\n"


def check_events(count: int) -> None:
    """Raise ``InputError`` for more segments than CMX 3600 has numbers for."""
    if count > MOST_EVENTS:
        raise InputError(
            f"CMX 3600 holds {MOST_EVENTS} events, and there are {count:,} segments; export fewer labels, raise the "
            "minimum duration, or choose OpenTimelineIO."
        )


def _head(footage: Footage) -> Iterator[str]:
    yield f"TITLE: {footage.title}"
    yield f"FCM: {'' if footage.timebase.drop else 'NON-'}DROP FRAME"
    yield ""


def _events(footage: Footage) -> Iterator[str]:
    source, record = footage.timebase, hour_of(footage.timebase)
    at = 0
    for number, one in enumerate(footage.ranges, start=1):
        ends = source.timecode(one.first), _end(source, one.first, one.stop)
        length = one.stop - one.first
        yield _event(number, "AX", (*ends, record.timecode(at), record.timecode(at + length)))
        yield f"* FROM CLIP NAME:  {footage.name}"
        locator = record.timecode(at).replace(";", ":")  # readers of locators know no other sign; FCM says what it is
        yield f"* LOC: {locator} {_COLOURS[one.place % len(_COLOURS)]:7} {one.label}"
        yield f"* {one.remark}"
        if number == 1:
            yield from (f"* NOTE: {note}" for note in footage.timebase.notes)
        at += length


def _end(source: Timebase, first: int, stop: int) -> str:
    """Return where a range ends; behind midnight hours go on from 24, as readers take the length from both ends."""
    start, end = source.timecode(first), source.timecode(stop)
    return end if start < end else f"{int(end[:2]) + 24}{end[2:]}"


def _event(number: int, reel: str, timecodes: tuple[str, ...]) -> str:
    return f"{number:03d}  {reel:8} V     C        {' '.join(timecodes)}"


def hour_of(timebase: Timebase) -> Timebase:
    """Return the timebase of a list or timeline that begins at 01:00:00:00, as editors make them."""
    an_hour = 3600 * timebase.a_second
    left_out = timebase.a_second // 15 * 54 if timebase.drop else 0
    return replace(timebase, start=an_hour - left_out)


def write_resolve_markers(footage: Footage, *, has_start: bool) -> str:
    """Return the segments as markers that DaVinci Resolve imports into a timeline.

    Args:
        footage: the video and its segments.
        has_start: whether the video has a timecode of its own, at which the timeline is to begin; else that is
            01:00:00:00, where Resolve begins.
    """
    timebase = footage.timebase if has_start else hour_of(footage.timebase)
    lines = list(_head(footage))
    for number, one in enumerate(footage.ranges, start=1):
        ends = timebase.timecode(one.first), timebase.timecode(one.first + 1)
        colour = _RESOLVE_COLOURS[one.place % len(_RESOLVE_COLOURS)]
        lines.append(_event(number, "001", (*ends, *ends)))
        name = one.label.replace("|", "/")  # which begins the next field
        lines.append(f"{one.remark} |C:ResolveColor{colour} |M:{name} |D:{one.stop - one.first}")
        lines.append("")
    return "\n".join(lines)
