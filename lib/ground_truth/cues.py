"""Ground truth in lines of its own kind: WebVTT and SubRip cues, Audacity's labels."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence

from lib.ground_truth.entries import Entry, Note, Time, Where, is_time

_TAG = re.compile(r"<[^<>]*>")  # without "<" inside, or a line of them would take quadratic time
_NUMBER = re.compile(r"-?\d{1,20}(?:[.,]\d{1,40})?")
_MAX_LABEL = 2_000  # characters with markup; longer is no label, and html.unescape reads numbers of any length


def has_times(line: str) -> bool:
    """Return whether ``line`` is a cue's line of times."""
    return _times(line) is not None


def _times(line: str) -> tuple[str, str] | None:
    start, arrow, rest = line.partition("-->")
    end = rest.split(maxsplit=1)[:1]
    return (start.strip(), end[0]) if arrow and end and is_time(start) and is_time(end[0]) else None


def read_cues(text: str) -> Iterator[Entry | Note]:
    """Return the cues of WebVTT or SubRip."""
    lines = text.splitlines()
    place = 0
    while place < len(lines):
        where, times = Where("Line", place + 1), _times(lines[place])
        if times is None:
            if "-->" in lines[place] and not lines[place].startswith("NOTE"):
                yield Note(where, "this is no line of times; write 0:07.000 --> 0:10.000. It is left out.")
            place += 1
            continue
        words = []
        place += 1
        while place < len(lines) and lines[place].strip() and "-->" not in lines[place]:
            words.append(lines[place])
            place += 1
        label = " ".join(words)
        yield Entry(where, without_markup(label), Time(times[0]), Time(times[1]))


def without_markup(label: str) -> str:
    """Return a cue's text without tags, its entities as what they stand for; a long one as it is."""
    return html.unescape(_TAG.sub("", label)) if len(label) <= _MAX_LABEL else label


def is_audacity(lines: Sequence[str]) -> bool:
    """Return whether ``lines``, not blank, are labels of Audacity: start, end and label, with tabs between them."""
    return all(_is_label(line) for line in lines)


def _is_label(line: str) -> bool:
    if line.startswith("\\"):  # the range of frequencies of the label above
        return True
    parts = line.split("\t", 3)
    return len(parts) in (2, 3) and all(_NUMBER.fullmatch(part.strip()) for part in parts[:2])


def read_audacity(text: str) -> Iterator[Entry | Note]:
    """Return Audacity's labels; rows of frequencies are skipped."""
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("\\"):
            continue
        parts = line.rstrip("\t").split("\t")
        if len(parts) != 3:
            yield Note(
                Where("Line", number),
                "it needs start, end and label with tabs between them, and no more; it is left out.",
            )
            continue
        yield Entry(Where("Line", number), parts[2], Time(parts[0]), Time(parts[1]))
