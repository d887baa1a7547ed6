"""Ground truth that editors hold: edit lists with locators, markers of DaVinci Resolve, OpenTimelineIO, FCPXML.

What an editor marks is in the time of the media, which begins at the file's start timecode, or of a timeline.

References:
    CMX 3600: events with source and record timecodes, then comments; ``* LOC`` is a locator with a colour and a text.
    DaVinci Resolve, *Timeline Markers to EDL*: ``|C:colour |M:name |D:frames`` below an event of one frame.
    OpenTimelineIO, schemas of *Timeline*, *Clip* and *Marker*. Apple, *FCPXML Reference*: *keyword* and *marker*.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any
from xml.etree.ElementTree import Element

from lib.core.timecode import exact_rate, frames_of, may_drop
from lib.core.validation import bounded_fraction
from lib.ground_truth.entries import Entry, Note, Source, Time, Where
from lib.ground_truth.videos import same_video

_TC = r"(\d{1,2}[:;]\d{2}[:;]\d{2}[:;]\d{2,3})"
_EVENT = re.compile(
    r"\d{1,9}\s{1,20}(\S{1,129})\s{1,20}(\S{1,20})\s{1,20}(?:C|[DWK]\S{0,9}\s{1,20}\d{1,9})\s{1,20}"
    + r"\s{1,20}".join([_TC] * 4)
)
_MARKER = re.compile(r"\|C:\S{1,60}\s{1,9}\|M:(.{0,1000}?)\s{0,9}\|D:(\d{1,9})\s*$")
_LOCATOR = re.compile(r"\*\s{0,9}LOC:\s{0,20}\S{1,20}\s{1,20}\S{1,20}\s{1,20}(\S.*)")
_CLIP_NAME = re.compile(r"\*\s{0,9}FROM CLIP NAME:\s{0,20}(\S.*)")
_QUOTED = re.compile(rb"%([0-9A-Fa-f]{2})")
_HOUR, _DAY = "01:00:00:00", "24:00:00:00"
_DEPTH = 60
_LARGEST = 10**12


def _is_named(source: Source, name: str) -> bool:
    """Return whether ``name`` is that of the video."""
    return not name or (source.video is not None and same_video(name, source.video))


def _unquoted(url: str) -> str:
    data = _QUOTED.sub(lambda found: bytes([int(found[1], 16)]), url[:3000].encode("utf-8", "replace"))
    return data.decode("utf-8", "replace")


# --- edit lists


@dataclass
class _Event:
    where: Where
    channel: str
    timecodes: tuple[str, ...]
    """Source in and out, record in and out."""
    clip: str = ""
    locators: list[str] = field(default_factory=list)
    marker: tuple[str, int] | None = None
    """Name and length in frames, of a marker of Resolve."""

    @property
    def is_of_timeline(self) -> bool:
        """Whether record timecodes count: those of a marker, and of a part of an edit that no label is given to."""
        return self.marker is not None or not self.locators


def is_edl(lines: Sequence[str]) -> bool:
    """Return whether ``lines`` are an edit list."""
    return any(_EVENT.match(line.strip()) for line in lines)


def read_edl(text: str, source: Source) -> Iterator[Entry | Note]:
    """Return the events of an edit list that have a label.

    Raises:
        InputError: the video's rate is unknown.
    """
    rate = exact_rate(1 / source.frame_s)
    lines = text.splitlines()
    drops = any(line.strip().upper() == "FCM: DROP FRAME" for line in lines) and may_drop(rate)

    def frames(timecode: str) -> int:
        return frames_of(f"{timecode[:8]};{timecode[9:]}" if drops and len(timecode) > 9 else timecode, rate)

    events = list(_events(lines))
    starts = [frames(one.timecodes[2]) for one in events if one.is_of_timeline]
    start, hour = source.start_frame(rate), frames(_HOUR)
    begin = start or 0
    if not begin or max(starts, default=begin) < begin:
        begin = hour if min(starts, default=0) >= hour else 0
    if starts and begin != start:
        began = "an hour in, where editors’ timelines begin" if begin else "at 00:00:00:00"
        yield Note(events[0].where, f"the timeline’s timecode is taken to begin {began}.")
    for one in events:
        yield from _entry(one, frames, rate, (start or 0, begin), source)


def _entry(one: _Event, frames: Any, rate: Fraction, starts: tuple[int, int], source: Source) -> Iterator[Entry | Note]:
    if one.channel.startswith("A") and "V" not in one.channel:
        yield Note(one.where, "it is sound; it is left out.")
        return
    if len(one.locators) > 1:
        yield Note(one.where, f"it has {len(one.locators)} locators; the first one’s text is taken.")
    day = frames(_DAY)
    first, stop = (frames(text) for text in (one.timecodes[2:] if one.is_of_timeline else one.timecodes[:2]))
    label, video = one.locators[0] if one.locators else one.clip, one.clip if one.locators else ""
    if one.marker is not None:
        label, stop = one.marker[0], first + max(1, one.marker[1])
    elif not one.locators and _is_named(source, one.clip):
        yield Note(one.where, "it has no locator, so it says no label; it is left out.")
        return
    begin = starts[1] if one.is_of_timeline else starts[0]
    if first < begin:  # timecode begins anew after a day
        first += day
    times = [Time((frame - begin) / rate) for frame in (first, stop if stop > first else stop + day)]
    yield Entry(one.where, label, times[0], times[1], video=video[:1000])


def _events(lines: Sequence[str]) -> Iterator[_Event]:
    event: _Event | None = None
    for number, line in enumerate(lines, start=1):
        found = _EVENT.match(line.strip())
        if found is not None:
            if event is not None:
                yield event
            event = _Event(Where("Line", number), found[2].upper(), found.groups()[2:])
        elif event is not None:
            _remark(event, line.strip())
    if event is not None:
        yield event


def _remark(event: _Event, line: str) -> None:
    if "|C:" in line and (marker := _MARKER.search(line[line.index("|C:") :])):
        event.marker = marker[1], int(marker[2])
    elif locator := _LOCATOR.match(line):
        event.locators.append(locator[1])
    elif name := _CLIP_NAME.match(line):
        event.clip = name[1]


# --- OpenTimelineIO


def is_otio(data: object) -> bool:
    """Return whether JSON is of OpenTimelineIO."""
    return isinstance(data, dict) and isinstance(data.get("OTIO_SCHEMA"), str)


def read_otio(data: dict[str, Any], source: Source) -> Iterator[Entry | Note]:
    """Return the ranges of all markers; where there are none, the clips, by their names."""
    markers = list(_otio_markers(data, source, 0, Fraction(0), ""))
    if any(isinstance(one, Entry) for one in markers):
        yield from markers
        return
    for number, clip in enumerate(_otio_clips(data, 0), start=1):
        where, name, span = Where("Clip", number), clip.get("name"), _span(clip.get("source_range"))
        begin, _ = _otio_media(clip, source)
        if span is None or not isinstance(name, str) or _is_named(source, name):
            yield Note(where, "it has no name of its own or no range, so it says no label; it is left out.")
        else:
            yield Entry(where, name, Time(span[0] - begin), Time(span[1]), end_is_length=True)
    yield from markers


def _otio_clips(part: object, depth: int) -> Iterator[dict[str, Any]]:
    if isinstance(part, dict) and depth < _DEPTH:
        if _schema(part) == "Clip":
            yield part
        for child in _otio_children(part):
            yield from _otio_clips(child, depth + 1)


def _otio_children(part: Mapping[str, Any]) -> list[Any]:
    listed = part.get("children")
    return [*(listed if isinstance(listed, list) else ()), part.get("tracks")]


def _schema(part: Mapping[str, Any]) -> str:
    return str(part.get("OTIO_SCHEMA", ""))[:60].partition(".")[0]


def _otio_markers(part: object, source: Source, depth: int, begin: Fraction, video: str) -> Iterator[Entry | Note]:
    """Return the markers of ``part`` and below; ``begin`` is where the time of a timeline begins, in seconds."""
    if not isinstance(part, dict) or depth >= _DEPTH:
        return
    if _schema(part) == "Timeline":
        begin = _seconds(part.get("global_start_time")) or Fraction(0)
    of_clip = _otio_media(part, source) if _schema(part) == "Clip" else None
    listed = part.get("markers")
    for number, marker in enumerate(listed if isinstance(listed, list) else (), start=1):
        where = Where("Marker", number)
        span = _span(marker.get("marked_range")) if isinstance(marker, dict) else None
        if span is None or span[1] <= 0:
            yield Note(where, "it is a moment and no range; it is left out.")
            continue
        origin, name = of_clip or (begin if span[0] >= begin else Fraction(0), video)
        yield Entry(where, marker.get("name"), Time(span[0] - origin), Time(span[1]), end_is_length=True, video=name)
    for child in _otio_children(part):
        yield from _otio_markers(child, source, depth + 1, begin, video)


def _otio_media(clip: Mapping[str, Any], source: Source) -> tuple[Fraction, str]:
    """Return where a clip's media begins, in seconds of its own time, and its file's name."""
    listed, key = clip.get("media_references"), clip.get("active_media_reference_key", "DEFAULT_MEDIA")
    media = listed.get(key) if isinstance(listed, dict) and isinstance(key, str) else clip.get("media_reference")
    media = media if isinstance(media, dict) else {}
    url = media.get("target_url")
    span = _span(media.get("available_range"))
    name = _unquoted(url)[:1000] if isinstance(url, str) else ""
    return (source.start_s if span is None else span[0]), name


def _span(part: object) -> tuple[Fraction, Fraction] | None:
    """Return start and length in seconds of a ``TimeRange``."""
    if not isinstance(part, dict):
        return None
    start, length = _seconds(part.get("start_time")), _seconds(part.get("duration"))
    return None if start is None or length is None else (start, length)


def _seconds(part: object) -> Fraction | None:
    """Return the seconds of a ``RationalTime``."""
    if not isinstance(part, dict):
        return None
    value = bounded_fraction(part.get("value"), -_LARGEST, _LARGEST)
    rate = bounded_fraction(part.get("rate"), Fraction(1, 3600), 10**6)
    return None if value is None or rate is None else value / exact_rate(rate)


# --- Final Cut Pro


def read_fcpxml(root: Element, source: Source) -> Iterator[Entry | Note]:
    """Return keyword ranges, and markers that are longer than a frame, of all clips."""
    assets = {one.get("id"): one for one in root.iter("asset")}
    frames = [_fcp_time(one.get("frameDuration")) for one in root.iter("format")]
    frame = max((one for one in frames if one), default=Fraction(1, 24))
    seen: set[tuple[str, Fraction, Fraction, str]] = set()
    number = 0
    for clip in root.iter():
        marks = [one for one in clip if one.tag in ("keyword", "marker")]
        asset = (
            next((assets[one.get("ref")] for one in clip.iter() if one.get("ref") in assets), None) if marks else None
        )
        begin = Fraction(0) if asset is None else _fcp_time(asset.get("start", "0s"))
        video = "" if asset is None else asset.get("name") or _unquoted(asset.get("src", ""))
        for mark in marks:
            number += 1
            where, label = Where("Mark", number), mark.get("value", "")
            start, length = _fcp_time(mark.get("start")), _fcp_time(mark.get("duration"))
            if start is None or length is None or (mark.tag == "marker" and length <= frame):
                yield Note(where, "it is a moment and no range; it is left out.")
            elif (key := (video, start, length, label)) not in seen:
                seen.add(key)
                origin = source.start_s if begin is None else begin
                yield Entry(where, label, Time(start - origin), Time(length), end_is_length=True, video=video[:1000])


def _fcp_time(text: str | None) -> Fraction | None:
    return bounded_fraction((text or "")[:80].removesuffix("s"), -_LARGEST, _LARGEST)
