"""Text of ground truth -> its unchecked entries, each with its line or element.

Formats and conventions are those of ``lib.ground_truth.parsing``.
"""

from __future__ import annotations

import csv
import html
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from lib.core.errors import InputError

GroundTruthFormat = Literal["json", "csv", "vtt", "label_studio", "audacity"]

_ARROW = re.compile(r"^\s*([\d:.,]+)\s+-->\s+([\d:.,]+)(?:\s.*)?$")
_TAG = re.compile(r"<[^>]*>")
_COLUMNS = {
    "label": "label",
    "start": "start",
    "start_s": "start",
    "end": "end",
    "end_s": "end",
    "stop": "end",
}


@dataclass(frozen=True)
class Entry:
    """A segment as it stands in the text, unchecked."""

    where: str
    label: object
    start: float | str
    end: float | str


def read(text: str, name: str, rate: Fraction | float | None) -> tuple[GroundTruthFormat, Iterator[Entry | str]]:
    """Return the format of ``text``, which is not blank, and its entries; a string among them says why one is left out.

    ``name`` is that of the file, for messages; ``rate`` the frames per second, where the file itself has none.

    Raises:
        InputError: an unknown format, or Label Studio's without a rate.
    """
    if text.lstrip().startswith(("{", "[")):
        return _read_json(text, name, rate)
    if text.startswith("WEBVTT"):
        return "vtt", _read_vtt(text)
    lines = [line for line in text.splitlines() if line.strip()]
    if all(_is_audacity(line) for line in lines[:5]):
        return "audacity", _read_audacity(text)
    delimiter = _delimiter(lines[0])
    if _header(lines[0].split(delimiter)) is None and any(_ARROW.match(line) for line in lines):
        return "vtt", _read_vtt(text)
    if delimiter not in lines[0]:
        raise InputError(
            f"{name} is in no format that is known; write label, start and end, such as: shipyard, 10, 13."
        )
    # A list of lines, not the text: the reader then counts lines.
    rows = csv.reader(text.splitlines(keepends=True), delimiter=delimiter, skipinitialspace=True)
    return "csv", _csv_entries(rows)


# --- JSON


def _read_json(text: str, name: str, rate: Fraction | float | None) -> tuple[GroundTruthFormat, Iterator[Entry | str]]:
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"{name}, line {error.lineno}: this is no valid JSON ({error.msg}); mend it there.") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{name} can't be read: a number is too long or brackets nest too deep.") from error
    if isinstance(data, dict) and isinstance(data.get("segments"), list):
        return "json", _plain(data["segments"])
    if isinstance(data, list) and data and all(isinstance(item, dict) and "start_s" in item for item in data):
        return "json", _plain(data)
    tasks = data if isinstance(data, list) else [data]
    labelled = [task for task in tasks if isinstance(task, dict) and any(_timelines(task))]
    if len(labelled) > 1:
        raise InputError(f"{name} holds the labels of {len(labelled)} videos; export those of this video alone.")
    if labelled:
        return "label_studio", _label_studio(labelled[0], name, rate)
    if tasks and all(isinstance(task, dict) and "annotations" in task for task in tasks):
        return "label_studio", iter(())
    raise InputError(
        f"{name} is no ground truth that can be read: it needs a list called segments, each with label, start_s "
        "and end_s, or the timeline labels of Label Studio."
    )


def _plain(items: Sequence[object]) -> Iterator[Entry | str]:
    for number, item in enumerate(items, start=1):
        where = f"Segment {number}"
        if not isinstance(item, dict) or not {"label", "start_s", "end_s"} <= item.keys():
            yield f"{where}: it needs label, start_s and end_s; it is left out."
            continue
        start, end = item["start_s"], item["end_s"]
        if (
            isinstance(start, bool)
            or isinstance(end, bool)
            or not all(isinstance(x, int | float | str) for x in (start, end))
        ):
            yield f"{where}: start_s and end_s must be numbers; it is left out."
            continue
        yield Entry(where, item["label"], _number(start), _number(end))


def _number(value: int | float | str) -> float | str:
    try:
        return value if isinstance(value, str) else float(value)
    except OverflowError:
        return math.inf


def _timelines(part: object, depth: int = 0) -> Iterator[dict[str, Any]]:
    """Return every object with ranges and timeline labels below ``part``, in order."""
    if depth > 12:
        return
    if isinstance(part, dict):
        if isinstance(part.get("ranges"), list) and isinstance(part.get("timelinelabels"), list):
            yield part
            return
        for key, value in part.items():
            if key not in ("predictions", "drafts", "prediction"):
                yield from _timelines(value, depth + 1)
    elif isinstance(part, list):
        for value in part:
            yield from _timelines(value, depth + 1)


def _label_studio(task: dict[str, Any], name: str, rate: Fraction | float | None) -> Iterator[Entry | str]:
    frames_per_second = _rate_in(task) or rate
    if not frames_per_second:
        raise InputError(
            f"{name} counts in frames and says nothing of how many there are a second; give the rate of the video."
        )
    annotations = task.get("annotations")
    listed = annotations if isinstance(annotations, list) else []
    return _frames(task, listed, Fraction(frames_per_second))


def _frames(task: dict[str, Any], annotations: list[Any], rate: Fraction) -> Iterator[Entry | str]:
    valid = [entry for entry in annotations if isinstance(entry, dict) and not entry.get("was_cancelled")]
    if len(valid) > 1:
        yield f"Annotation 1: there are {len(valid)} annotations of this video; the first is taken."
    for number, region in enumerate(_timelines(valid[0] if valid else task), start=1):
        where = f"Region {number}"
        for span in region["ranges"]:
            ends = [_frame(span.get(key)) if isinstance(span, dict) else None for key in ("start", "end")]
            if ends[0] is None or ends[1] is None:
                yield f"{where}: a range needs the frames start and end; it is left out."
                continue
            # The first and the last frame both belong to it; models that label in advance count from 0.
            start_s, end_s = float(max(ends[0] - 1, 0) / rate), float(ends[1] / rate)
            for label in region["timelinelabels"]:
                yield Entry(where, label, start_s, end_s)


def _frame(value: object) -> int | None:
    whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**12
    return value if isinstance(value, int) and whole else None


def _rate_in(task: Mapping[str, Any]) -> Fraction | None:
    data = task.get("data")
    for place in (task, data if isinstance(data, dict) else {}):
        for key in ("fps", "frameRate", "framerate", "frame_rate"):
            if (rate := _positive(place.get(key))) is not None:
                return rate
    for region in _timelines(task):
        frames, seconds = _positive(region.get("framesCount")), _positive(region.get("duration"))
        if frames is not None and seconds is not None:
            return frames / seconds
    return None


def _positive(value: object) -> Fraction | None:
    try:
        number = Fraction(value) if isinstance(value, int | float | str) else None
    except (ValueError, OverflowError, ZeroDivisionError):
        return None
    return number if number is not None and number > 0 else None


# --- lines


def _read_vtt(text: str) -> Iterator[Entry | str]:
    lines = text.splitlines()
    place = 0
    while place < len(lines):
        times = _ARROW.match(lines[place])
        if times is None:
            if "-->" in lines[place] and not lines[place].startswith("NOTE"):
                yield f"Line {place + 1}: this is no line of times; write 0:07.000 --> 0:10.000. It is left out."
            place += 1
            continue
        where, words = f"Line {place + 1}", []
        place += 1
        while place < len(lines) and lines[place].strip() and "-->" not in lines[place]:
            words.append(lines[place])
            place += 1
        label = html.unescape(_TAG.sub("", " ".join(words)))
        yield Entry(where, label, times[1], times[2])


def _is_audacity(line: str) -> bool:
    if line.startswith("\\"):  # the range of frequencies of the label above
        return True
    parts = line.split("\t")
    return len(parts) >= 2 and all(re.fullmatch(r"\s*-?\d+([.,]\d+)?\s*", part) for part in parts[:2])


def _read_audacity(text: str) -> Iterator[Entry | str]:
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("\\"):
            continue
        parts = line.split("\t")
        if len(parts) < 3:
            yield f"Line {number}: it needs start, end and label with tabs between them; it is left out."
            continue
        yield Entry(f"Line {number}", parts[2], parts[0], parts[1])


def _delimiter(line: str) -> str:
    """Return what separates the cells: what makes ``line`` a header, else what gives three cells, a comma last."""
    marks = "\t;,"
    by_header = (mark for mark in marks if _header(line.split(mark)) is not None)
    by_count = (mark for mark in marks if line.count(mark) >= 2)
    return next(by_header, next(by_count, ","))


def _csv_entries(rows: Any) -> Iterator[Entry | str]:
    places = {"label": 0, "start": 1, "end": 2}
    fresh = True
    while True:
        begins = rows.line_num + 1
        try:
            row = next(rows, None)
        except csv.Error as error:
            yield f"Line {begins}: this can't be read as CSV ({error}); it is left out."
            continue
        if row is None:
            return
        if not any(cell.strip() for cell in row):
            continue
        header = _header(row) if fresh else None
        fresh = False
        if header is not None:
            places = header
        elif len(row) <= max(places.values()):
            yield f"Line {begins}: it needs label, start and end; it is left out."
        else:
            yield Entry(f"Line {begins}", *(row[places[key]] for key in ("label", "start", "end")))


def _header(row: Sequence[str]) -> dict[str, int] | None:
    names = [_COLUMNS.get(cell.strip().casefold(), "") for cell in row]
    if not {"label", "start", "end"} <= set(names):
        return None
    return {name: names.index(name) for name in ("label", "start", "end")}
