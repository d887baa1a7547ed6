"""Ground truth of Label Studio: its timeline labels, in frames, and its labels of sound, in seconds.

References:
    Its tag ``TimelineLabels``, results ``{"value": {"ranges": [{"start", "end"}], "timelinelabels"}}``. Its editor
    counts frames from 1 and a range includes both ends, so ``{1, 24}`` at 24 per second is ``[0, 1)``. Its tag
    ``Video`` has the parameter ``frameRate``, which is 24 where a project doesn't give one and is not exported.
    Its short form (JSON-MIN) and its tables have one row for each annotation, with the regions by the tag's name; a
    table writes them as JSON into a cell.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from lib.core.errors import InputError
from lib.core.formatting import plural, shortened
from lib.core.validation import bounded_fraction, bounded_int, written
from lib.ground_truth.entries import Entry, Note, Source, Time, Where

DEFAULT_RATE = 24
_RATE_KEYS = ("fps", "frameRate", "framerate", "frame_rate")
_SLOWEST, _FASTEST = Fraction(1, 3600), 100_000
_DEPTH = 12
_LARGEST = 10**12


def is_task(item: object) -> bool:
    """Return whether ``item`` is a task: one with annotations, predictions, or regions in its short form."""
    return isinstance(item, dict) and (
        isinstance(item.get("annotations"), list) or "predictions" in item or any(_regions(item))
    )


def is_task_table(text: str) -> bool:
    """Return whether ``text`` is a table of tasks: with JSON of labels in its cells, whose quotes are doubled."""
    return 'labels"":' in text.replace(" ", "")


def task_rows(text: str, source: Source, parse: Callable[[str], Any]) -> list[dict[str, Any]]:
    """Return the rows of a table as tasks in their short form; ``parse`` reads the JSON of a cell.

    Raises:
        InputError: it can't be read as a table.
    """
    lines = text.lstrip().splitlines(keepends=True)
    try:
        head, *rows = csv.reader(lines, delimiter="\t" if "\t" in lines[0] else ",")
    except csv.Error as error:
        raise InputError(f"{source.name} can't be read as CSV ({error}); export it as JSON.") from error
    return [
        {key: parse(cell) if 'labels"' in cell else cell for key, cell in zip(head, row, strict=False)} for row in rows
    ]


def read_tasks(tasks: Sequence[dict[str, Any]]) -> Iterator[Entry | Note]:
    """Return the regions of all tasks; each names its video where there are several."""
    first: dict[int | str, int] = {}  # of a task's annotations, in the short form
    kept: list[tuple[int, dict[str, Any]]] = []
    for number, task in enumerate(tasks, start=1):
        known, earlier = task.get("id"), number
        if isinstance(known, int | str) and "annotations" not in task:
            earlier = first.setdefault(known, number)
        if earlier == number:
            kept.append((number, task))
        else:
            yield Note(Where("Task", number), f"it is another annotation of task {earlier}’s video; it is left out.")
    names = [_video(task) for _, task in kept]
    counts = Counter(names)
    for (number, task), name in zip(kept, names, strict=True):
        alone = len(kept) == 1 or (name and counts[name] == 1)
        yield from _task(task, name if alone else f"{name} (task {number})".strip())


def _video(task: Mapping[str, Any]) -> str:
    data = task.get("data")
    places = (data if isinstance(data, dict) else {}, task)
    keys = ("video", "video_url", "url", "audio", "file_upload")
    names = (place.get(key) for key in keys for place in places)
    return next((name[:1000] for name in names if isinstance(name, str) and name.strip()), "")


def _task(task: dict[str, Any], video: str) -> Iterator[Entry | Note]:
    listed = task.get("annotations")
    valid = [one for one in listed if isinstance(one, dict) and not one.get("was_cancelled")] if listed else []
    chosen = next((one for one in valid if one.get("ground_truth") is True), valid[0] if valid else None)
    if len(valid) > 1 and chosen is not None:
        which = "the one marked as ground truth" if chosen.get("ground_truth") is True else "the first"
        yield Note(Where("Annotation", 1), f"there are {len(valid)} annotations of this video; {which} is taken.")
    if isinstance(listed, list) and chosen is None:
        yield Note(Where("Annotation", 1), "nobody has submitted one, and predictions are no ground truth.")
        return
    regions = list(_regions(task if chosen is None else chosen))
    rate, note = _rate(task, regions)
    for number, (kind, value) in enumerate(regions, start=1):
        for found in _region(Where("Region", number), kind, value, 1 / rate, video):
            if note is not None and isinstance(found, Entry) and "ranges" in value:
                yield note
                note = None
            yield found


def _regions(part: object, depth: int = 0, kind: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Return kind and value of every region below ``part``, in order."""
    if depth > _DEPTH:
        return
    if isinstance(part, list):
        for item in part:
            yield from _regions(item, depth + 1)
    elif isinstance(part, dict):
        value = part.get("value")
        if isinstance(value, dict) and isinstance(part.get("type"), str):
            yield part["type"], {**value, "original_length": part.get("original_length")}
        elif isinstance(part.get("ranges"), list):
            yield kind, part
        elif isinstance(part.get("labels"), list) and "channel" in part:
            yield "labels", part
        else:
            for key, below in part.items():
                if key not in ("predictions", "drafts", "prediction", "data", "meta"):
                    yield from _regions(below, depth + 1)


def _region(where: Where, kind: str, value: Mapping[str, Any], frame_s: Fraction, video: str) -> Iterator[Entry | Note]:
    timeline = isinstance(value.get("ranges"), list)
    sound = kind == "labels" and (value.get("original_length") is not None or "channel" in value)
    labels = value.get("timelinelabels" if timeline else "labels")
    if not timeline and not sound:
        yield Note(where, f"{shortened(kind, 40) or 'it'} is no interval with a label; it is left out.")
        return
    if not isinstance(labels, list) or not labels:
        yield Note(where, "it has no label; it is left out.")
        return
    spans = value["ranges"] if timeline else [value]
    for span in spans:
        ends = _frames(span, frame_s) if timeline else (Time(value.get("start")), Time(value.get("end")))
        if ends is None:
            yield Note(where, "a range needs the frames start and end; it is left out.")
            continue
        yield from (Entry(where, label, *ends, video=video) for label in labels)


def _frames(span: object, frame_s: Fraction) -> tuple[Time, Time] | None:
    if not isinstance(span, dict):
        return None
    start, end = _frame(span.get("start")), _frame(span.get("end"))
    if start is None or end is None:
        return None
    # The first and the last frame both belong to it; models that label in advance count from 0.
    return Time(max(start - 1, 0) * frame_s), Time(end * frame_s)


def _frame(value: object) -> int | None:
    if isinstance(value, float) and value.is_integer():  # what lies between two tools may write 26.0
        value = int(value)
    return bounded_int(value, -_LARGEST, _LARGEST)


def _rate(task: Mapping[str, Any], regions: Sequence[tuple[str, Mapping[str, Any]]]) -> tuple[Fraction, Note | None]:
    """Return the frames per second by which the file counts, and what is to be said of them."""
    data = task.get("data")
    given = [place.get(key) for place in (task, data if isinstance(data, dict) else {}) for key in _RATE_KEYS]
    named = [value for value in given if value not in (None, "")]
    for value in named:
        rate = bounded_fraction(value, _SLOWEST, _FASTEST)
        if rate is not None:
            return rate, None
    for _, region in regions:
        frames = bounded_fraction(region.get("framesCount"), 1, 10**9)
        length = bounded_fraction(region.get("duration"), Fraction(1, 1000), 10**7)
        if frames is not None and length is not None and _SLOWEST <= frames / length <= _FASTEST:
            return frames / length, None
    why = (
        f"{written(named[0])} is no number of frames per second"
        if named
        else "the file doesn't say how many frames per second it counts"
    )
    return Fraction(DEFAULT_RATE), Note(
        Where("Region", 1),
        f"{why}; Label Studio’s default of {plural(DEFAULT_RATE, 'frame')} per second is taken.",
    )
