"""Text of ground truth -> its format and its unchecked entries.

Conventions are those of ``lib.ground_truth.parsing``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

from lib.core.errors import InputError
from lib.ground_truth.columns import Head, head_of
from lib.ground_truth.cues import has_times, is_audacity, read_audacity, read_cues
from lib.ground_truth.editing import is_edl, is_otio, read_edl, read_otio
from lib.ground_truth.entries import Entry, Note, Source, Where
from lib.ground_truth.label_studio import is_task, is_task_table, read_tasks, task_rows
from lib.ground_truth.tables import read_table
from lib.ground_truth.xml_files import XmlFormat, read_xml

GroundTruthFormat = Literal["json", "csv", "vtt", "label_studio", "audacity"]
"""Those that are written."""
ReadFormat = GroundTruthFormat | XmlFormat | Literal["edl", "otio"]

_MAX_LINES = 200_000
_MAX_LINE = 100_000  # characters
_LINE_ENDS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
_MAX_VALUES = 500_000
_MAX_DIGITS = 400  # of a number in JSON; Python refuses to write more than 4,300


def read(text: str, source: Source) -> tuple[ReadFormat, Iterable[Entry | Note]]:
    """Return the format of ``text``, which is not blank, and its entries; notes among them say what is left out.

    Raises:
        InputError: an unknown format, unknown columns, or frames without a rate.
    """
    start = text.lstrip()[:1]
    if start in ("{", "["):
        return _read_json(text, source)
    if start == "<":
        return read_xml(text.lstrip(), source)
    if sum(map(text.count, _LINE_ENDS)) > _MAX_LINES:
        raise InputError(f"{source.name} has more than {_MAX_LINES:,} lines; split it.")
    lines = [line for line in text.splitlines() if line.strip()]
    if max(map(len, lines)) > _MAX_LINE:
        raise InputError(
            f"{source.name} has a line of more than {_MAX_LINE:,} characters; check that it is the right file."
        )
    if text.startswith("WEBVTT"):
        return "vtt", read_cues(text)
    if is_audacity(lines[:5]):
        return "audacity", read_audacity(text)
    if any(has_times(line) for line in lines):
        return "vtt", read_cues(text)
    if is_edl(lines[:50]):
        return "edl", read_edl(text, source)
    if is_task_table(text):
        return "label_studio", read_tasks(task_rows(text, source, lambda cell: _json_of(cell, source.name)))
    return "csv", read_table(text, source)


def _read_json(text: str, source: Source) -> tuple[ReadFormat, Iterable[Entry | Note]]:
    name = source.name
    data = _json_of(text, name)
    if is_otio(data):
        return "otio", read_otio(data, source)
    if isinstance(data, dict) and isinstance(data.get("segments"), list):
        video = data.get("video")
        return "json", _plain(data["segments"], source, video[:1000] if isinstance(video, str) else "")
    items = data if isinstance(data, list) else [data]
    if any(is_task(item) for item in items):
        return "label_studio", read_tasks([item for item in items if isinstance(item, dict)])
    if isinstance(data, list) and any(isinstance(item, dict) and _head(item, source) for item in data):
        return "json", _plain(data, source, "")
    raise InputError(
        f"{name} is no ground truth that can be read: it needs a list called segments, each with label, start_s "
        "and end_s, or the timeline labels of Label Studio."
    )


def _json_of(text: str, name: str) -> Any:
    if sum(map(text.count, ",[{")) > _MAX_VALUES:
        raise InputError(f"{name} holds more than {_MAX_VALUES:,} values; split it.")
    try:
        # Functions of our own let other threads run; the scanner by itself holds the interpreter to the end.
        return json.loads(text, parse_int=_whole, parse_float=lambda digits: float(digits))
    except json.JSONDecodeError as error:
        raise InputError(f"{name}, line {error.lineno}: this is no valid JSON ({error.msg}); mend it there.") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{name} can't be read: a number is too long or brackets nest too deep.") from error


def _whole(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise ValueError("too long")
    return int(digits)


def _head(item: dict[str, Any], source: Source) -> Head | None:
    return head_of(tuple(item), source)


def _plain(items: Sequence[object], source: Source, video: str) -> Iterator[Entry | Note]:
    heads: dict[tuple[str, ...], Head | None] = {}
    for number, item in enumerate(items, start=1):
        where = Where("Segment", number)
        keys = tuple(item) if isinstance(item, dict) else ()
        if keys not in heads:
            heads[keys] = head_of(keys, source)
        head = heads[keys]
        if head is None or head.kind is not None or not isinstance(item, dict):
            yield Note(where, "it needs label, start_s and end_s; it is left out.")
            continue
        row = list(item.values())
        times = (head.start.of(row), head.end.of(row))
        if any(isinstance(time.value, bool) or not isinstance(time.value, int | float | str) for time in times):
            yield Note(where, "start_s and end_s must be numbers; it is left out.")
            continue
        named = row[head.video] if head.video is not None else video
        yield Entry(
            where,
            row[head.label],
            *times,
            end_is_length=head.end_is_length,
            video=named[:1000] if isinstance(named, str) else "",
        )
