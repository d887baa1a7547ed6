"""Ground truth in tables, with or without a head: CSV, TSV, and the tables that annotation tools export.

References:
    sed_eval and DCASE: event lists ``onset, offset, label`` or ``filename, onset, offset, label``.
    ELAN: *Export As, Tab-delimited Text*, with its column headings. BORIS: *Export events*, tabular and aggregated.
    PySceneDetect: ``list-scenes``, whose first row may be ``Timecode List:``. Sonic Visualiser: regions with a head.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lib.core.errors import InputError
from lib.core.formatting import shortened
from lib.core.validation import written
from lib.ground_truth.columns import Column, Head, head_of
from lib.ground_truth.entries import Entry, Note, Source, Where, is_time

_MARKS = "\t;,"
_HEAD_WITHIN = 60  # rows; BORIS writes about twenty above its head
_FILE = re.compile(r"[^\t]{1,300}\.[A-Za-z][A-Za-z0-9]{1,4}")
_ASK = "write a head such as: label, start, end"


@dataclass(frozen=True)
class _Row:
    where: Where
    cells: list[str]


def read_table(text: str, source: Source) -> Iterator[Entry | Note]:
    """Return the rows of a table as entries.

    Raises:
        InputError: what its columns are can't be told.
    """
    lines = text.splitlines(keepends=True)  # not the text: the reader then counts lines
    for mark in _MARKS:
        above: list[_Row] = []
        for row in _rows(lines, mark):
            if len(above) == _HEAD_WITHIN:
                break
            if isinstance(row, Note):
                continue
            head = head_of([cell.lstrip("#") for cell in row.cells], source)
            if head is not None:
                return _below(head, row, above, _rows(lines, mark))
            above.append(row)
    return _without_head(lines, source)


def _rows(lines: Sequence[str], mark: str) -> Iterator[_Row | Note]:
    """Return the rows that aren't blank, without blank cells at their end."""
    reader = csv.reader(lines, delimiter=mark, skipinitialspace=True, strict=True)
    while True:
        where = Where("Line", reader.line_num + 1)
        try:
            cells = next(reader, None)
        except csv.Error as error:
            yield Note(where, f"this can't be read as CSV ({error}); it is left out.")
            continue
        if cells is None:
            return
        while cells and not cells[-1].strip():
            cells.pop()
        if cells:
            yield _Row(where, cells)


def _below(head: Head, head_row: _Row, above: Sequence[_Row], rows: Iterator[_Row | Note]) -> Iterator[Entry | Note]:
    if above and not head.label_prefix and above[0].cells[0] != "Timecode List:":
        yield Note(above[0].where, f"what stands above the head in line {head_row.where.number} is left out.")
    wanted = (row for row in rows if row.where.number > head_row.where.number)
    if head.kind is not None:
        yield from _pairs(head, head.kind, wanted)
        return
    for row in wanted:
        yield _entry(head, row) if isinstance(row, _Row) else row


def _entry(head: Head, row: _Row) -> Entry | Note:
    problem = _misfit(head, row)
    if problem is not None:
        return problem
    cells = row.cells
    return Entry(
        row.where,
        head.label_prefix + cells[head.label],
        head.start.of(cells),
        head.end.of(cells),
        end_is_length=head.end_is_length,
        video=_video(head, cells),
    )


def _misfit(head: Head, row: _Row) -> Note | None:
    """Return why a row can't be read by ``head``; a cell too many may have moved all others."""
    if len(row.cells) > head.width:
        return Note(row.where, f"it has {len(row.cells)} cells where {head.width} are expected; it is left out.")
    if len(row.cells) < head.needs:
        return Note(row.where, "it needs label, start and end; it is left out.")
    return None


def _video(head: Head, cells: Sequence[str]) -> str:
    return "" if head.video is None or head.video >= len(cells) else cells[head.video].strip()


def _pairs(head: Head, kind_place: int, rows: Iterator[_Row | Note]) -> Iterator[Entry | Note]:
    """Return the segments between each START and the next STOP of the same behaviour and subject."""
    began: dict[tuple[str, ...], _Row] = {}
    for row in rows:
        problem = row if isinstance(row, Note) else _misfit(head, row)
        if problem is not None or isinstance(row, Note):
            if problem is not None:
                yield problem
            continue
        cells = row.cells
        label, kind, video = cells[head.label], cells[kind_place].strip().upper(), _video(head, cells)
        subject = cells[head.subject] if head.subject is not None and head.subject < len(cells) else ""
        key = (label, video, subject)
        if kind == "START" and key not in began:
            began[key] = row
        elif kind == "STOP" and key in began:
            first = began.pop(key)
            yield Entry(first.where, label, head.start.of(first.cells), head.start.of(cells), video=video)
        else:
            why = {"START": "starts again before it stops", "STOP": "stops without a start", "POINT": "has no length"}
            words = why.get(kind, "neither starts nor stops")
            yield Note(row.where, f"“{shortened(label, 60)}” {words}; it is left out.")
    for first in began.values():
        yield Note(first.where, f"“{shortened(first.cells[head.label], 60)}” never stops; it is left out.")


# --- without a head


def _without_head(lines: Sequence[str], source: Source) -> Iterator[Entry | Note]:
    first = next(line for line in lines if line.strip())
    mark = next((mark for mark in _MARKS if first.count(mark) >= 2), ",")
    rows = [row for row in _rows(lines, mark) if isinstance(row, Note) or not _is_comment(row.cells)]
    data = [row for row in rows if isinstance(row, _Row)]
    if not data:
        problem = next((row for row in rows if isinstance(row, Note)), None)
        raise InputError(
            f"Nothing in {source.name} can be used" + (f". {problem.where}: {problem.text}" if problem else ".")
        )
    shape = next((shape for row in data if (shape := _shape(row.cells, source)) is not None), None)
    if len(data) == 1 and len(data[0].cells) == 3:
        shape = shape or Head(3, 0, Column(1), Column(2))  # no head; the row says what is wrong with it
    elif not any(is_time(cell.lstrip("-")) for cell in data[0].cells):
        _refuse_head(data[0], source)
    if shape is None:
        raise InputError(
            f"{source.name}, line {data[0].where.number}: which of these {len(data[0].cells)} cells are label, start "
            f"and end can't be told; export it with the names of the columns, or write a head with one for each cell."
        )
    return (_entry(shape, row) if isinstance(row, _Row) else row for row in rows)


def _is_comment(cells: Sequence[str]) -> bool:
    return cells[0].startswith("#") and len(cells) < 3


def _refuse_head(row: _Row, source: Source) -> None:
    if len(row.cells) == 1:
        raise InputError(
            f"{source.name} is in no format that is known; write label, start and end, such as: shipyard, 10, 13."
        )
    raise InputError(
        f"{source.name}, line {row.where.number}: of the columns {written(', '.join(row.cells))}, which are label, "
        f"start and end (or duration) can't be told; {_ASK}."
    )


def _shape(cells: Sequence[str], source: Source) -> Head | None:
    times = [is_time(cell.lstrip("-")) for cell in cells]
    if times == [True, True, False]:
        return Head(3, 2, Column(0), Column(1))
    if len(cells) == 3 and (times[1] or times[2]):
        return Head(3, 0, Column(1), Column(2))
    if times == [False, True, True, False] and (_FILE.fullmatch(cells[0].strip()) or cells[0].strip() == source.video):
        return Head(4, 3, Column(1), Column(2), video=0)
    return None
