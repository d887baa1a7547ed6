"""Which column of a table is what, by the words and units of its head; never by position."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from lib.core.errors import InputError
from lib.core.validation import written
from lib.ground_truth.entries import Source, Time

# The first of them that a head has is the label.
_LABELS = (
    "label",
    "labels",
    "event label",
    "annotation",
    "annotation value",
    "behavior",
    "behaviour",
    "class",
    "class name",
    "class label",
    "trial type",
    "event",
    "event type",
    "category",
    "tag",
    "text",
    "caption",
    "transcription",
    "transcript",
    "name",
    "title",
    "description",
)
_FILES = (
    "filename",
    "file name",
    "media file name",
    "media file path",
    "media file",
    "video",
    "video name",
    "video file",
    "video id",
    "video path",
    "audio filename",
    "audio file",
    "audio file name",
    "file",
    "file path",
    "filepath",
    "path",
    "media",
    "clip",
    "clip name",
    "recording",
)
_STARTS = (
    "start, start time, starttime, begin, begin time, begintime, onset, event onset, event start, segment start, from, "
    "time start, t start, tmin, xmin"
)
_ENDS = (
    "end, end time, endtime, stop, stop time, stoptime, offset, event offset, event end, segment end, to, until, "
    "finish, time end, t end, tmax, xmax"
)
_ROLES = {
    **dict.fromkeys(_STARTS.split(", "), "start"),
    **dict.fromkeys(_ENDS.split(", "), "end"),
    **dict.fromkeys(("duration", "length", "dur", "event duration", "segment duration"), "duration"),
    "time": "time",
}
_KINDS = ("behavior type", "behaviour type", "status")  # START and STOP, of events that stand in rows of their own
# In order of preference, where a table gives the same time in several: seconds, then what is as exact.
_UNITS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds", "ss msec", "ss ms", "ss"), "s"),
    **dict.fromkeys(
        ("hh mm ss ms", "hh mm ss msec", "hh mm ss sss", "hh mm ss ff", "hh mm ss", "timecode", "tc"), "clock"
    ),
    **dict.fromkeys(("ms", "msec", "msecs", "millis", "millisecond", "milliseconds"), "ms"),
    **dict.fromkeys(("us", "µs", "μs", "usec", "microsecond", "microseconds"), "us"),
    **dict.fromkeys(("ns", "nsec", "nanosecond", "nanoseconds"), "ns"),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), "min"),
    **dict.fromkeys(("h", "hour", "hours"), "h"),
    **dict.fromkeys(("frame", "frames", "frame number", "frame no", "frame index"), "frame"),
}
_SCALES = {
    "": None,
    "s": None,
    "clock": None,
    "ms": Fraction(1, 10**3),
    "us": Fraction(1, 10**6),
    "ns": Fraction(1, 10**9),
    "min": Fraction(60),
    "h": Fraction(3600),
}
_PREFERENCE = ("s", "clock", "ms", "us", "ns", "min", "h", "", "frame")
_MAX_HEAD = 80
_MAX_COLUMNS = 500


@dataclass(frozen=True)
class Column:
    """A column of times."""

    place: int
    scale: Fraction | None = None
    """Seconds of its unit; None for seconds and clock times."""

    def of(self, row: Sequence[object]) -> Time:
        """Return the time in a row."""
        return Time(row[self.place], self.scale)


@dataclass(frozen=True)
class Head:
    """The places of what is read, from 0."""

    width: int
    label: int
    start: Column
    end: Column
    """The same as ``start`` where ``kind`` counts."""
    end_is_length: bool = False
    """Whether ``end`` is a duration."""
    video: int | None = None
    kind: int | None = None
    """The column that says START or STOP, of a table whose rows are events with one time."""
    subject: int | None = None
    label_prefix: str = ""

    @property
    def needs(self) -> int:
        """How many cells a row needs at least."""
        return 1 + max(self.label, self.start.place, self.end.place, self.kind or 0)


def words_of(cell: object) -> str:
    """Return a head in small letters with single blanks: ``Start (s)``, ``start_s`` and ``startS`` are ``start s``."""
    text = cell if isinstance(cell, str) and len(cell) <= _MAX_HEAD else ""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    return " ".join(word for word in re.sub(r"[\W_]+", " ", spaced).casefold().split() if word != "in")


def _time_role(words: str) -> tuple[str, str] | None:
    """Return role and unit of a head; None where it is no time, or in a unit that is not known."""
    if words in _ROLES:
        return _ROLES[words], ""
    tokens = words.split()
    for count in range(1, len(tokens)):
        for unit, base in ((tokens[count:], tokens[:count]), (tokens[:count], tokens[count:])):
            if " ".join(base) in _ROLES and " ".join(unit) in _UNITS:
                return _ROLES[" ".join(base)], _UNITS[" ".join(unit)]
    return None


def head_of(cells: Sequence[object], source: Source) -> Head | None:
    """Return what the columns are; None where ``cells`` are no head, or not of a table of segments.

    Raises:
        InputError: it counts in frames and the rate is unknown, or two columns have one name.
    """
    if len(cells) > _MAX_COLUMNS:
        return None
    names = [words_of(cell) for cell in cells]
    times: dict[str, dict[str, int]] = {}
    for place, name in enumerate(names):
        role = _time_role(name)
        if role is not None:
            times.setdefault(role[0], {}).setdefault(role[1], place)
    label = _first(names, _LABELS)
    prefix = ""
    if label is None:
        label, prefix = _first(names, ("scene number",)), "scene "
    if "time" in times and ("duration" in times or "end" in times):
        times.setdefault("start", times["time"])
    kind = None if "start" in times else _first(names, _KINDS)
    start = times.get("start") or (times.get("time") if kind is not None else None)
    if label is None or not start or not ("end" in times or "duration" in times or kind is not None):
        return None
    lengths = None if kind is not None or "end" in times else times["duration"]
    ends = start if kind is not None else lengths or times["end"]
    # Of start_ms and end, both are meant; of start and duration_ms only the one that says so.
    first = _column(start, "" if lengths else _unit(ends), source)
    end = _column(ends, _unit(start), source)
    for place in (label, first.place, end.place):
        if names.count(names[place]) > 1:
            raise InputError(f"Two columns are called {written(names[place])}; rename the one that is not meant.")
    return Head(
        len(cells),
        label,
        first,
        end,
        end_is_length=lengths is not None,
        video=_first(names, _FILES, but=label),
        kind=kind,
        subject=_first(names, ("subject",)),
        label_prefix=prefix,
    )


def _first(names: Sequence[str], wanted: Sequence[str], but: int | None = None) -> int | None:
    places = (names.index(name) for name in wanted if name in names)
    return next((place for place in places if place != but), None)


def _unit(columns: dict[str, int]) -> str:
    return min(columns, key=_PREFERENCE.index)


def _column(columns: dict[str, int], otherwise: str, source: Source) -> Column:
    unit = _unit(columns)
    counted = unit or otherwise
    return Column(columns[unit], source.frame_s if counted == "frame" else _SCALES[counted])
