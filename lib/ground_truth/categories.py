"""The true category of each of many videos, from a table ``name,category``: CSV, TSV, with ``;`` or with ``|``.

A first row of column names is recognised. Names are those of files, with or without folder and ending, as elsewhere in
ground truth (``lib.ground_truth.videos``).
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass

from lib.core.errors import InputError
from lib.core.formatting import shortened
from lib.core.validation import one_line
from lib.ground_truth.videos import VideoNames

MAX_ROWS = 100_000
_MAX_TEXT = 20_000_000
_MARKS = "\t;|,"
_NAMES = {"name", "video", "file", "filename", "file name", "path", "video name", "id", "sha256"}
_CATEGORIES = {"category", "categories", "label", "class", "tag", "truth", "true category"}


@dataclass(frozen=True)
class TrueCategories:
    """What a table says of the videos asked about."""

    categories: Mapping[str, str]
    """Key of a video -> its category."""
    problems: tuple[str, ...]
    """One sentence for each row that is left out."""


def parse_categories(text: str, videos: Mapping[str, str]) -> TrueCategories:
    """Return the true categories of ``videos``, a mapping of keys to names; a key may stand in the table as well.

    A row is left out, with a sentence, that has no category, names no video or several, or contradicts one above it.

    Raises:
        InputError: no row has two columns, or the text is longer than 20,000,000 characters or 100,000 rows.
    """
    if len(text) > _MAX_TEXT:
        raise InputError(f"The table is longer than {_MAX_TEXT:,} characters; check that it is the right file.")
    rows, name_column, category_column = _rows(text)
    found: dict[str, str] = {}
    problems: list[str] = []
    keys_by_name: dict[str, list[str]] = {}
    for key, name in videos.items():
        keys_by_name.setdefault(name, []).append(key)
    names = VideoNames(keys_by_name)
    for number, cells in rows:
        name, category = (cells[i].strip() if i < len(cells) else "" for i in (name_column, category_column))
        try:
            category = one_line(category, "A category", InputError)
        except InputError as error:
            problems.append(f"Line {number} is left out: {error}")
            continue
        keys = [name] if name in videos else [k for known in names.matching(name) for k in keys_by_name[known]]
        if len(keys) != 1:
            which = "is of several videos" if keys else "is of no video here"
            problems.append(f"Line {number} is left out: “{shortened(name, 60)}” {which}.")
        elif found.setdefault(keys[0], category) != category:
            problems.append(f"Line {number} is left out: “{shortened(name, 60)}” has a category above it.")
    return TrueCategories(found, tuple(problems))


def _rows(text: str) -> tuple[list[tuple[int, list[str]]], int, int]:
    """Return the rows below the head with their lines' numbers, and the columns of names and categories."""
    for mark in _MARKS:
        if not any(mark in line for line in text.splitlines()[:50]):
            continue
        reader = csv.reader(text.splitlines(), delimiter=mark, skipinitialspace=True)
        rows: list[tuple[int, list[str]]] = []
        try:
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    rows.append((reader.line_num, cells))
                if len(rows) > MAX_ROWS:
                    raise InputError(f"The table has more than {MAX_ROWS:,} rows; cut it into several.")
        except csv.Error as error:
            raise InputError(f"Line {reader.line_num} can’t be read as a table ({error}); check its quotes.") from error
        if not any(len(cells) > 1 for _, cells in rows):
            continue
        head = [cell.strip().lstrip("\ufeff").casefold() for cell in rows[0][1]]
        names, categories = ([i for i, cell in enumerate(head) if cell in known] for known in (_NAMES, _CATEGORIES))
        if names and categories:
            return rows[1:], names[0], categories[0]
        return rows, 0, 1
    raise InputError("A table of categories has two columns, name and category; write for example: clip.mp4,football")
