"""Ground truth in XML: ELAN's EAF, CVAT's tracks and tags, Sonic Visualiser's regions, Final Cut Pro's marks.

References:
    EAF: Max Planck Institute for Psycholinguistics, *ELAN Annotation Format*, version 3.0: slots in milliseconds.
    CVAT: *XML annotation format*, version 1.1: frames count from 0, and a shape that is ``outside`` is not there.
    Sonic Visualiser: layers as ``point`` elements, in frames of the model's ``sampleRate``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any, Literal
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from lib.core.errors import InputError
from lib.core.formatting import shortened
from lib.core.validation import bounded_fraction, bounded_int
from lib.ground_truth.editing import read_fcpxml
from lib.ground_truth.entries import Entry, Note, Source, Time, Where
from lib.ground_truth.videos import same_video

XmlFormat = Literal["eaf", "cvat", "sonic_visualiser", "fcpxml"]

_MAX_TAGS = 200_000
_MAX_DEPTH = 50
_MAX_PIECE = 100_000  # characters between two "<": Expat compares every attribute of a tag with all others
_CHUNK = 1 << 16  # characters that the parser is given at a time; other threads run in between
_PLAIN_DOCTYPE = re.compile(r"<!DOCTYPE\s{1,9}[\w.-]{1,60}\s{0,9}>")
_FRAME_NAME = re.compile(r"(?:.{0,200}/)?frame_(\d{1,9})(?:\.\w{1,5})?", re.I)
_SHAPES = ("box", "polygon", "polyline", "points", "cuboid", "ellipse", "mask", "skeleton")
_LARGEST = 10**12


def read_xml(text: str, source: Source) -> tuple[XmlFormat, Iterator[Entry | Note]]:
    """Return format and entries of an XML file.

    Raises:
        InputError: no valid or an unsafe XML, an unknown kind, or frames without a rate.
    """
    root = _root(text, source.name)
    if root.tag == "ANNOTATION_DOCUMENT":
        return "eaf", _eaf(root, source)
    if root.tag == "annotations" and (root.find("track") is not None or root.find("image") is not None):
        return "cvat", _cvat(root, source)
    if root.tag == "sv":
        return "sonic_visualiser", _sonic_visualiser(root)
    if root.tag == "fcpxml":
        return "fcpxml", read_fcpxml(root, source)
    raise InputError(
        f"{source.name} is XML of a kind that isn’t read; export from ELAN (.eaf), CVAT (for video 1.1), Final Cut "
        "Pro or Sonic Visualiser (.svl), or as CSV."
    )


def _root(text: str, name: str) -> Element:
    body = _PLAIN_DOCTYPE.sub("", text, count=1)
    if any(sign in body for sign in ("<!DOCTYPE", "<!ENTITY", "<!ATTLIST")):
        raise InputError(f"{name} declares its own entities, which isn’t accepted in XML; export it without them.")
    if body.count("<") > _MAX_TAGS:
        raise InputError(f"{name} holds more than {_MAX_TAGS:,} tags; split it.")
    if max(map(len, body.split("<"))) > _MAX_PIECE:
        raise InputError(f"{name} holds a tag or text that is too long; check that it is the right file.")
    parser: Any = ElementTree.XMLPullParser(("start", "end"))
    depth = 0
    root: Element | None = None
    try:
        for at in range(0, len(body), _CHUNK):
            parser.feed(body[at : at + _CHUNK])
            for event, element in parser.read_events():
                root = element if root is None else root
                depth += 1 if event == "start" else -1
                if depth > _MAX_DEPTH:
                    raise InputError(f"{name} nests too deep; check that it is the right file.")
        parser.close()
    except ElementTree.ParseError as error:
        line = error.position[0]
        raise InputError(f"{name}, line {line}: this is no valid XML; export it again.") from error
    except ValueError as error:  # half of a surrogate pair
        raise InputError(f"{name} holds a character that isn’t allowed in XML; export it again.") from error
    if root is None:
        raise InputError(f"{name} holds no XML element; export it again.")
    return root


# --- ELAN


def _eaf(root: Element, source: Source) -> Iterator[Entry | Note]:
    header = root.find("HEADER")
    units = "milliseconds" if header is None else header.get("TIME_UNITS", "milliseconds")
    if units != "milliseconds":
        raise InputError(f"{source.name} counts in {shortened(units, 40)}; save it in ELAN with times in milliseconds.")
    origin = _origin(root, source)
    slots = {
        slot.get("TIME_SLOT_ID"): value + origin
        for slot in root.iter("TIME_SLOT")
        if (value := bounded_int(slot.get("TIME_VALUE"), -_LARGEST, _LARGEST)) is not None
    }
    tiers = [tier for tier in root.iter("TIER") if tier.find("ANNOTATION/ALIGNABLE_ANNOTATION") is not None]
    if len(tiers) > 1:
        names = ", ".join(f"“{tier.get('TIER_ID', '')}”" for tier in tiers)
        yield Note(Where("Tier", 1), f"the annotations of {len(tiers)} tiers are taken: {shortened(names, 200)}.")
    if origin:
        yield Note(
            Where("Tier", 1), f"the video starts {origin / 1000:g} s later than the annotation’s time; it is added."
        )
    for number, tier in enumerate(root.iter("TIER"), start=1):
        if tier.find("ANNOTATION/REF_ANNOTATION") is not None:
            name = shortened(tier.get("TIER_ID", ""), 60)
            yield Note(Where("Tier", number), f"“{name}” has no times of its own; it is left out.")
    for number, annotation in enumerate(root.iter("ALIGNABLE_ANNOTATION"), start=1):
        where = Where("Annotation", number)
        ends = [slots.get(annotation.get(f"TIME_SLOT_REF{end}")) for end in (1, 2)]
        if ends[0] is None or ends[1] is None:
            yield Note(where, "its time slots have no time; it is left out.")
            continue
        label = annotation.findtext("ANNOTATION_VALUE") or ""
        yield Entry(where, label, Time(Fraction(ends[0], 1000)), Time(Fraction(ends[1], 1000)))


def _origin(root: Element, source: Source) -> int:
    """Return the milliseconds of the video that the annotation's time 0 lies at."""
    media = list(root.iter("MEDIA_DESCRIPTOR"))
    mine = [one for one in media if source.video and same_video(one.get("MEDIA_URL", ""), source.video)]
    chosen = (mine or media)[:1]
    return bounded_int(chosen[0].get("TIME_ORIGIN", "0"), -_LARGEST, _LARGEST) or 0 if chosen else 0


# --- CVAT


def _cvat(root: Element, source: Source) -> Iterator[Entry | Note]:
    tasks = {one.get("task_id") for one in root if one.get("task_id")}
    if len(tasks) > 1:
        raise InputError(f"{source.name} holds {len(tasks)} tasks; export the task of this video alone.")
    frame_s = source.frame_s
    if root.find("track") is None:
        return _cvat_frames(root, source, frame_s)
    return _cvat_tracks(root, frame_s)


def _cvat_tracks(root: Element, frame_s: Fraction) -> Iterator[Entry | Note]:
    for number, track in enumerate(root.iter("track"), start=1):
        where, label = Where("Track", number), track.get("label", "")
        shapes = [(bounded_int(one.get("frame"), 0, _LARGEST), one.get("outside") == "1") for one in track]
        known = sorted((frame, outside) for frame, outside in shapes if frame is not None)
        if len(known) < len(shapes):
            yield Note(where, "a shape has no frame; the shape is left out.")
        first: int | None = None
        for frame, outside in known:
            if outside and first is not None:
                yield Entry(where, label, Time(first * frame_s), Time(frame * frame_s))
                first = None
            elif not outside and first is None:
                first = frame
        if first is not None:
            yield Entry(where, label, Time(first * frame_s), Time((known[-1][0] + 1) * frame_s))
        if not any(not outside for _, outside in known):
            yield Note(where, "it is on no frame; it is left out.")


def _cvat_frames(root: Element, source: Source, frame_s: Fraction) -> Iterator[Entry | Note]:
    """Return the runs of frames that carry a label, of an export “for images” of a video."""
    frames: dict[str, set[int]] = {}
    for image in root.iter("image"):
        name = _FRAME_NAME.fullmatch(image.get("name", ""))
        if name is None:
            raise InputError(f"{source.name} is about pictures, not the frames of a video; export it “for video 1.1”.")
        for one in image:
            if one.tag in (*_SHAPES, "tag"):
                frames.setdefault(one.get("label", ""), set()).add(int(name[1]))
    step_text = next((part.text or "" for part in root.iter("frame_filter")), "")
    step = bounded_int(step_text.removeprefix("step="), 1, 10**6) or 1
    number = 0
    for label, found in frames.items():
        for first, last in _runs(sorted(found), step):
            number += 1
            yield Entry(Where("Run", number), label, Time(first * frame_s), Time((last + step) * frame_s))


def _runs(frames: Sequence[int], step: int) -> Iterator[tuple[int, int]]:
    first = last = frames[0]
    for frame in frames[1:]:
        if frame - last > step:
            yield first, last
            first = frame
        last = frame
    yield first, last


# --- Sonic Visualiser


def _sonic_visualiser(root: Element) -> Iterator[Entry | Note]:
    models = list(root.iter("model"))
    rates = [bounded_fraction(model.get("sampleRate"), 1, 10**7) for model in models if model.get("type") == "sparse"]
    rate = next((rate for rate in rates if rate is not None), None)
    for number, point in enumerate(root.iter("point"), start=1):
        where = Where("Region", number)
        start, length = (bounded_int(point.get(key), 0, _LARGEST) for key in ("frame", "duration"))
        if rate is None or start is None or length is None:
            yield Note(where, "it has no start and duration; it is left out.")
            continue
        yield Entry(where, point.get("label", ""), Time(start / rate), Time(length / rate), end_is_length=True)
