"""Ground truth from text: our own JSON, CSV, WebVTT, Label Studio's timeline labels, Audacity's labels.

Conventions: strings in, no files; times are seconds; lines and elements count from 1. Whatever is left out, cut or
joined is reported with its line.

References:
    WebVTT: W3C, *WebVTT: The Web Video Text Tracks Format*, 2019, sections 4 and 6.
    Label Studio: its tag ``TimelineLabels``, results ``{"value": {"ranges": [{"start", "end"}], "timelinelabels"}}``.
    Its editor counts frames from 1 and a range includes both ends, so ``{1, 24}`` at 24 per second is ``[0, 1)``.
    Audacity: its manual, *Importing and exporting labels*: start, end and label, separated by tabs.
"""

from __future__ import annotations

import math
import re
import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from lib.core.errors import InputError
from lib.core.formatting import format_time
from lib.core.labelled_intervals import TrueSegment, label_key
from lib.core.validation import one_line
from lib.ground_truth.formats import Entry, GroundTruthFormat, read

KINDS: Mapping[GroundTruthFormat, tuple[str, str]] = {
    "json": ("JSON", ".json"),
    "csv": ("CSV", ".csv"),
    "vtt": ("WebVTT", ".vtt"),
    "label_studio": ("Label Studio", ".label-studio.json"),
    "audacity": ("Audacity", ".txt"),
}
"""Each format's displayed name and file ending."""
MAX_CHARACTERS = 5_000_000
MAX_SEGMENTS = 20_000
BEYOND_S = 0.1
"""An end may lie this far beyond the video's: tools measure the last frame's length differently."""

_TIME = re.compile(r"(?:(?:(\d{1,4}):)?(\d{1,4}):)?(\d{1,9}(?:[.,]\d{1,40})?|[.,]\d{1,40})\s*s?")


@dataclass(frozen=True)
class ParsedTruth:
    """What a text holds."""

    segments: tuple[TrueSegment, ...]
    """In order of time; those of one label never overlap."""
    problems: tuple[str, ...]
    """One sentence each, starting with the line or element: what was left out, cut or joined, and unknown labels."""
    kind: GroundTruthFormat
    """The format that was read."""


class _Unusable(Exception):  # noqa: N818 - says why one entry is left out
    pass


def read_time(text: str) -> float:
    """Return the seconds of a written time: ``12.5``, ``0:12.5``, ``1:02:03.25``; a decimal comma is accepted.

    Raises:
        InputError: it is none.
    """
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise InputError(f"{reprlib.repr(text)} is no time; write seconds such as 12.5, or 1:02:03.5.")
    hours, minutes, seconds = match.groups()
    # A sum of floats would round: 1:02:03.1 must be the float nearest 3723.1.
    return float(int(hours or 0) * 3600 + int(minutes or 0) * 60 + Fraction(seconds.replace(",", ".")))


def parse_truth(
    text: str,
    *,
    name: str,
    duration_s: float | None = None,
    known_labels: Sequence[str] | None = None,
    rate: Fraction | float | None = None,
) -> ParsedTruth:
    """Return the ground truth that ``text`` holds.

    Args:
        text: content of a file, or pasted text; its format is detected.
        name: of the file, for messages.
        duration_s: length of the video in seconds: what lies beyond is left out or cut. None checks nothing.
        known_labels: labels of the prompts. One that differs only in case gets the prompt's spelling; others are
            kept and reported. None checks nothing.
        rate: frames per second, for Label Studio's frames where the file itself has none.

    Raises:
        InputError: too long, an unknown format, or no segment in it can be read.
    """
    text = text.removeprefix("\ufeff")
    if len(text) > MAX_CHARACTERS:
        raise InputError(
            f"{name} is {len(text):,} characters long and at most {MAX_CHARACTERS:,} are read; "
            "check that it is the right file."
        )
    if not text.strip():
        raise InputError(f"{name} is empty; write one segment a line, such as: shipyard, 10, 13.")
    kind, entries = read(text, name, rate)
    segments: list[tuple[TrueSegment, str]] = []
    problems: list[str] = []
    count = 0
    spelling = {label_key(label): label for label in known_labels or ()}
    unknown: set[str] = set()
    for entry in entries:
        count += 1
        if count > MAX_SEGMENTS:
            raise InputError(f"{name} holds more than {MAX_SEGMENTS:,} segments; split it.")
        if isinstance(entry, str):
            problems.append(entry)
            continue
        try:
            segment = _segment(entry, duration_s, problems)
        except (_Unusable, InputError) as error:
            problems.append(f"{entry.where}: {str(error)[:1].lower()}{str(error)[1:]}")
            continue
        key = label_key(segment.label)
        label = spelling.get(key, segment.label)
        if known_labels is not None and key not in spelling and key not in unknown:
            unknown.add(key)
            problems.append(f"{entry.where}: no prompt is called “{label}”; it is kept, and found by none of them.")
        segments.append((TrueSegment(label, segment.start_s, segment.end_s), entry.where))
    if count and not segments:
        raise InputError(f"Nothing in {name} can be used. {problems[0]}")
    joined = _joined(segments, problems)
    return ParsedTruth(joined, tuple(sorted(problems, key=_place)), kind)


def _place(problem: str) -> int:
    """Return the number of the line or entry that a problem starts with, to sort them in the file's order."""
    number = re.match(r"[^:\d]*(\d+)", problem)
    return int(number[1]) if number else 0


def _segment(entry: Entry, duration_s: float | None, problems: list[str]) -> TrueSegment:
    label = one_line(entry.label, "the label", InputError)
    start, end = (x if isinstance(x, float) else read_time(x) for x in (entry.start, entry.end))
    if not (math.isfinite(start) and math.isfinite(end)):
        raise _Unusable("a time is not finite; it is left out.")
    if start < 0:
        raise _Unusable(f"“{label}” starts before the video, at {start:g} s; it is left out.")
    if end <= start:
        raise _Unusable(
            f"“{label}” ends at {format_time(end, decimals=2)}, "
            f"not after its start at {format_time(start, decimals=2)}; it is left out."
        )
    if duration_s is not None and start >= duration_s:
        raise _Unusable(
            f"“{label}” starts at {format_time(start, decimals=2)}, "
            f"and the video ends at {format_time(duration_s, decimals=2)}; it is left out."
        )
    if duration_s is not None and end > duration_s + BEYOND_S:
        problems.append(
            f"{entry.where}: “{label}” ends at {format_time(end, decimals=2)}, beyond the video; "
            f"it is cut at {format_time(duration_s, decimals=2)}."
        )
        end = duration_s
    return TrueSegment(label, start, end)


def _joined(segments: Sequence[tuple[TrueSegment, str]], problems: list[str]) -> tuple[TrueSegment, ...]:
    """Return the segments in order of time; overlapping ones of a label are joined, and a problem says so."""
    latest: dict[str, tuple[TrueSegment, str]] = {}
    done: list[TrueSegment] = []
    for segment, where in sorted(segments, key=lambda pair: (pair[0].start_s, pair[0].end_s)):
        before = latest.get(label_key(segment.label))
        if before is not None and segment.start_s < before[0].end_s:
            problems.append(f"{where}: “{segment.label}” overlaps that of {before[1].lower()}; both are taken as one.")
            segment = TrueSegment(before[0].label, before[0].start_s, max(segment.end_s, before[0].end_s))
            where = before[1]
        elif before is not None:
            done.append(before[0])
        latest[label_key(segment.label)] = (segment, where)
    done += [segment for segment, _ in latest.values()]
    return tuple(sorted(done, key=lambda segment: (segment.start_s, segment.end_s, segment.label)))
