"""Segments for editors that keep ranges: OpenTimelineIO and Final Cut Pro's XML.

References:
    OpenTimelineIO, *Timeline* and *Marker* schemas: a marker's range is in the time of the clip's media.
    Apple, *FCPXML Reference*, version 1.8. OpenTimelineIO's adapter for it rounds rates to two digits and times to
    whole rates, and starts another program to look at the video, so that the XML is written here.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

import opentimelineio as otio

from lib.interchange.footage import Footage, MarkedRange

_COLOURS = ("BLUE", "RED", "GREEN", "MAGENTA", "ORANGE", "CYAN", "PURPLE", "YELLOW", "PINK")


def write_otio(footage: Footage) -> str:
    """Return a timeline: the video with a marker for each segment, and a track for each label with its segments."""
    rate, start = float(footage.timebase.rate), footage.timebase.start

    def span(first: int, frames: int) -> otio.opentime.TimeRange:
        return otio.opentime.TimeRange(
            otio.opentime.RationalTime(first, rate), otio.opentime.RationalTime(frames, rate)
        )

    whole = span(start, footage.frames)

    def clip(name: str, part: otio.opentime.TimeRange) -> otio.schema.Clip:
        media = otio.schema.ExternalReference(target_url=footage.url, available_range=whole)
        return otio.schema.Clip(name=name, media_reference=media, source_range=part)

    timeline = otio.schema.Timeline(footage.title, global_start_time=otio.opentime.RationalTime(start, rate))
    timeline.metadata["promptreel"] = {"drop_frame": footage.timebase.drop, "notes": list(footage.timebase.notes)}
    video = otio.schema.Track(name="Video", kind=otio.schema.TrackKind.Video)
    timeline.tracks.append(video)
    video.append(clip(footage.name, whole))
    for one in footage.ranges:
        video[0].markers.append(
            otio.schema.Marker(
                name=one.label,
                marked_range=span(start + one.first, one.stop - one.first),
                color=_COLOURS[one.place % len(_COLOURS)],
                metadata={"promptreel": {"scores": one.remark}},
            )
        )
    for label in footage.labels:
        track = otio.schema.Track(name=label, kind=otio.schema.TrackKind.Video)
        for gap, one in _spaced(one for one in footage.ranges if one.label == label):
            if gap:
                track.append(otio.schema.Gap(source_range=span(0, gap)))
            track.append(clip(label, span(start + one.first, one.stop - one.first)))
        timeline.tracks.append(track)
    return str(timeline.to_json_string(indent=2))


def _spaced(ranges: Iterator[MarkedRange]) -> Iterator[tuple[int, MarkedRange]]:
    """Yield ranges, each after the frames that lie between it and the one before."""
    at = 0
    for one in ranges:
        yield one.first - at, one
        at = one.stop


def write_fcpxml(footage: Footage) -> str:
    """Return a project with the video, on which each segment is a keyword range and a marker."""
    timebase = footage.timebase
    frame = 1 / timebase.rate

    def time(frames: int) -> str:
        """Return so many frames in the way of FCPXML, over the denominator of one of them: ``2002/30000s``."""
        return f"{frames * frame.numerator}/{frame.denominator}s" if frames else "0s"

    start, duration = time(timebase.start), time(footage.frames)
    counting = {"tcFormat": "DF" if timebase.drop else "NDF"}
    root = Element("fcpxml", version="1.8")
    resources = SubElement(root, "resources")
    picture = SubElement(resources, "format", id="r1", frameDuration=time(1))
    if footage.width:
        picture.attrib.update(width=str(footage.width), height=str(footage.height))
    asset = {"id": "r2", "name": footage.name, "src": footage.url, "start": start, "duration": duration}
    SubElement(resources, "asset", asset, hasVideo="1", format="r1")
    project = SubElement(SubElement(root, "event", name="Promptreel"), "project", name=footage.title)
    sequence = SubElement(project, "sequence", counting, format="r1", duration=duration, tcStart=start)
    place = {"ref": "r2", "name": footage.name, "offset": start, "start": start, "duration": duration, "format": "r1"}
    clip = SubElement(SubElement(sequence, "spine"), "asset-clip", place, **counting)
    if footage.timebase.notes:
        SubElement(clip, "note").text = " ".join(footage.timebase.notes)
    for one in footage.ranges:
        at = {"start": time(timebase.start + one.first), "duration": time(one.stop - one.first), "value": one.label}
        SubElement(clip, "keyword", at, note=one.remark)
        SubElement(clip, "marker", at, note=one.remark)
    ElementTree.indent(root)
    body = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE fcpxml>\n{body}\n'
