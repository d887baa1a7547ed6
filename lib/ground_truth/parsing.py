"""Ground truth from text: our own JSON, tables, WebVTT, and what annotation tools export.

Conventions: strings or bytes in, no files; times are seconds; lines and elements count from 1. Whatever is left out,
cut, joined or taken for granted is reported with its place. A column is what its head says or the file is refused, and
so is a file with nothing in it that can be used.

References:
    WebVTT: W3C, *WebVTT: The Web Video Text Tracks Format*, 2019, sections 4 and 6.
    Audacity: its manual, *Importing and exporting labels*: start, end and label, separated by tabs.
    The other formats: ``lib.ground_truth.label_studio``, ``tables``, ``editing``, ``xml_files``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from lib.core.errors import InputError
from lib.core.formatting import format_time
from lib.core.labelled_intervals import TrueSegment, label_key
from lib.core.validation import one_line
from lib.ground_truth.entries import Entry, Note, Source, Where, read_time, seconds
from lib.ground_truth.formats import GroundTruthFormat, ReadFormat, read
from lib.ground_truth.videos import of_this_video

__all__ = ["BEYOND_S", "KINDS", "READ_FROM", "TITLES", "ParsedTruth", "decoded", "parse_truth", "read_time"]

KINDS: Mapping[GroundTruthFormat, tuple[str, str]] = {
    "json": ("JSON", ".json"),
    "csv": ("CSV", ".csv"),
    "vtt": ("WebVTT", ".vtt"),
    "label_studio": ("Label Studio", ".label-studio.json"),
    "audacity": ("Audacity", ".txt"),
}
"""Displayed name and file ending of each format that is written."""
TITLES: Mapping[ReadFormat, str] = {
    **{kind: title for kind, (title, _) in KINDS.items()},
    "eaf": "ELAN",
    "cvat": "CVAT",
    "sonic_visualiser": "Sonic Visualiser",
    "fcpxml": "Final Cut Pro XML",
    "edl": "EDL",
    "otio": "OpenTimelineIO",
}
"""Displayed name of each format that is read."""
READ_FROM = (
    "JSON, CSV or TSV with a head (label, start, end), WebVTT, Label Studio, ELAN, BORIS, CVAT, Audacity, "
    "Sonic Visualiser, PySceneDetect, OpenTimelineIO, Final Cut Pro XML, EDL or sound event lists"
)
MAX_BYTES = 20_000_000
MAX_CHARACTERS = 5_000_000
MAX_ENTRIES = 100_000
"""In a file, those of other videos included."""
MAX_SEGMENTS = 20_000
BEYOND_S = 0.1
"""An end may lie this far beyond the video's: tools measure the last frame's length differently."""


@dataclass(frozen=True)
class ParsedTruth:
    """What a text holds."""

    segments: tuple[TrueSegment, ...]
    """In order of time; those of one label never overlap."""
    problems: tuple[str, ...]
    """One sentence each, starting with the line or element: what was left out, cut or joined, and unknown labels."""
    kind: ReadFormat
    """The format that was read."""


class _Unusable(Exception):  # noqa: N818 - says why one entry is left out
    pass


def decoded(data: bytes, name: str) -> str:
    """Return the text of a file: UTF-8, or UTF-16 where it starts with its mark, as spreadsheets save it.

    Raises:
        InputError: too long, or no such text.
    """
    if len(data) > MAX_BYTES:
        raise InputError(f"{name} is longer than {MAX_BYTES:,} bytes; check that it is the right file.")
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = data.decode(encoding)
        if "\0" in text[:4]:  # UTF-16 without its mark, or UTF-32
            raise UnicodeError
        return text
    except UnicodeError:
        raise InputError(f"{name} is no UTF-8 text; save it as UTF-8 and try again.") from None


def parse_truth(
    text: str | bytes,
    *,
    name: str,
    end_s: float | None = None,
    known_labels: Sequence[str] | None = None,
    rate: Fraction | float | None = None,
    video: str | None = None,
    start_timecode: Callable[[], str | None] | None = None,
) -> ParsedTruth:
    """Return the ground truth that ``text`` holds.

    Args:
        text: content of a file, or pasted text; its format is detected.
        name: of the file, for messages.
        end_s: end of the video in seconds: what lies beyond is left out or cut. None checks nothing.
        known_labels: labels of the prompts. One that differs only in case gets the prompt's spelling; others are
            kept and reported. None checks nothing.
        rate: frames per second of the video, for files that count in frames.
        video: name of the video, to find its entries in a file about several.
        start_timecode: returns the timecode of the video's first frame, for files that count by it.

    Raises:
        InputError: too long, an unknown format or head, several videos, or no segment in it can be used.
    """
    if isinstance(text, bytes):
        text = decoded(text, name)
    text = text.removeprefix("\ufeff")
    if len(text) > MAX_CHARACTERS:
        raise InputError(
            f"{name} is {len(text):,} characters long and at most {MAX_CHARACTERS:,} are read; "
            "check that it is the right file."
        )
    if not text.strip():
        raise InputError(f"{name} is empty; write one segment a line, such as: shipyard, 10, 13.")
    source = Source(name, rate, video, start_timecode)
    kind, found = read(text, source)
    entries, notes = _apart(found, name)
    entries, more = of_this_video(entries, source)
    notes += more
    if len(entries) > MAX_SEGMENTS:
        raise InputError(f"{name} holds more than {MAX_SEGMENTS:,} segments; split it.")
    segments = _segments(entries, source, end_s, known_labels, notes)
    if not segments:
        first = min(notes, key=lambda note: note.where.number, default=None)
        why = f" {first.where}: {first.text}" if first else " It holds no segment with label, start and end."
        raise InputError(f"Nothing in {name} can be used.{why}")
    joined = _joined(segments, notes)
    in_order = sorted(notes, key=lambda note: note.where.number)
    return ParsedTruth(joined, tuple(f"{note.where}: {note.text}" for note in in_order), kind)


def _apart(found: Iterable[Entry | Note], name: str) -> tuple[list[Entry], list[Note]]:
    entries: list[Entry] = []
    notes: list[Note] = []
    for one in found:
        if len(entries) + len(notes) == MAX_ENTRIES:
            raise InputError(f"{name} holds more than {MAX_ENTRIES:,} entries; split it.")
        if isinstance(one, Entry):
            entries.append(one)
        else:
            notes.append(one)
    return entries, notes


def _segments(
    entries: Sequence[Entry],
    source: Source,
    end_s: float | None,
    known_labels: Sequence[str] | None,
    notes: list[Note],
) -> list[tuple[TrueSegment, Where]]:
    segments: list[tuple[TrueSegment, Where]] = []
    spelling = {label_key(label): label for label in known_labels or ()}
    unknown: set[str] = set()
    for entry in entries:
        try:
            segment = _segment(entry, source, end_s, notes)
        except (_Unusable, InputError) as error:
            notes.append(Note(entry.where, f"{str(error)[:1].lower()}{str(error)[1:]}"))
            continue
        key = label_key(segment.label)
        label = spelling.get(key, segment.label)
        if known_labels is not None and key not in spelling and key not in unknown:
            unknown.add(key)
            notes.append(Note(entry.where, f"no prompt is called “{label}”; it is kept, and found by none of them."))
        segments.append((TrueSegment(label, segment.start_s, segment.end_s), entry.where))
    return segments


def _segment(entry: Entry, source: Source, video_end_s: float | None, notes: list[Note]) -> TrueSegment:
    label = one_line(entry.label, "the label", InputError)
    exact = seconds(entry.start, source)
    start, end = float(exact), float(seconds(entry.end, source) + (exact if entry.end_is_length else 0))
    if start < 0:
        raise _Unusable(f"“{label}” starts before the video, at {start:g} s; it is left out.")
    if end <= start:
        raise _Unusable(
            f"“{label}” ends at {format_time(end, decimals=2)}, "
            f"not after its start at {format_time(start, decimals=2)}; it is left out."
        )
    if video_end_s is not None and start >= video_end_s:
        raise _Unusable(
            f"“{label}” starts at {format_time(start, decimals=2)}, "
            f"and the video ends at {format_time(video_end_s, decimals=2)}; it is left out."
        )
    if video_end_s is not None and end > video_end_s + BEYOND_S:
        notes.append(
            Note(
                entry.where,
                f"“{label}” ends at {format_time(end, decimals=2)}, beyond the video; "
                f"it is cut at {format_time(video_end_s, decimals=2)}.",
            )
        )
        end = video_end_s
    return TrueSegment(label, start, end)


def _joined(segments: Sequence[tuple[TrueSegment, Where]], notes: list[Note]) -> tuple[TrueSegment, ...]:
    """Return the segments in order of time; overlapping ones of a label are joined, and a problem says so."""
    latest: dict[str, tuple[TrueSegment, Where]] = {}
    done: list[TrueSegment] = []
    for segment, where in sorted(segments, key=lambda pair: (pair[0].start_s, pair[0].end_s)):
        before = latest.get(label_key(segment.label))
        if before is not None and segment.start_s < before[0].end_s:
            notes.append(
                Note(where, f"“{segment.label}” overlaps that of {str(before[1]).lower()}; both are taken as one.")
            )
            segment = TrueSegment(before[0].label, before[0].start_s, max(segment.end_s, before[0].end_s))
            where = before[1]
        elif before is not None:
            done.append(before[0])
        latest[label_key(segment.label)] = (segment, where)
    done += [segment for segment, _ in latest.values()]
    return tuple(sorted(done, key=lambda segment: (segment.start_s, segment.end_s, segment.label)))
