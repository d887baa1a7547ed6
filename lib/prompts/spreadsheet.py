"""Prompts from a spreadsheet: one to four columns (label, phrasings, role, threshold), as they come by copy and paste.

Cells are separated by tabs; one with a line break, a tab or a quote is quoted, its own quotes doubled. A first row of
column names is recognised. Without it a column of roles or of numbers is known by its content, and the others are
label, then phrasings. Several phrasings in one cell are separated by ``;`` or line breaks.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from lib.prompts.model import Role

Column = Literal["label", "phrasings", "role", "threshold"]
COLUMNS: tuple[Column, ...] = ("label", "phrasings", "role", "threshold")
_NAMES: dict[str, Column] = {
    **dict.fromkeys(("label", "labels", "name", "class", "classes", "prompt", "prompts"), "label"),
    **dict.fromkeys(("phrasings", "phrasing", "texts", "text", "wordings", "wording", "phrases"), "phrasings"),
    **dict.fromkeys(("role", "roles", "type", "kind"), "role"),
    **dict.fromkeys(("threshold", "thresholds", "own threshold"), "threshold"),
}
_ROLES: dict[str, Role] = {
    **dict.fromkeys(("target", "targets", "find", "foreground"), "target"),
    **dict.fromkeys(("restricted", "forbidden", "banned"), "restricted"),
    **dict.fromkeys(("background", "rest", "negative", "other"), "background"),
}
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)(e[+-]?\d+)?", re.IGNORECASE)


@dataclass(frozen=True)
class PastedPrompt:
    """One row of a pasted table, as it was read."""

    label: str
    texts: tuple[str, ...] = ()
    role: Role = "target"
    threshold: float | None = None


@dataclass(frozen=True)
class PastedTable:
    """What a pasted table holds, and what of it could not be used, as sentences."""

    prompts: tuple[PastedPrompt, ...]
    left_out: tuple[str, ...] = ()


def is_table(text: str) -> bool:
    """Return whether ``text`` has columns or quoted cells, so is more than lines."""
    return "\t" in text or (text.lstrip().startswith('"') and text.rstrip().endswith('"') and "\n" in text.strip())


def read_table(text: str) -> PastedTable:
    """Return the prompts of a pasted table, or of lines: a table of one column."""
    rows = [[cell.strip() for cell in row] for row in _cells(text)]
    rows = [row for row in rows if any(row)]
    if not rows:
        return PastedTable(())
    names = [_NAMES.get(cell.casefold()) for cell in rows[0]]
    has_names = "label" in names and all(name or not cell for name, cell in zip(names, rows[0], strict=True))
    if has_names:
        rows = rows[1:]
    width = max(map(len, rows), default=0)
    rows = [row + [""] * (width - len(row)) for row in rows]
    columns = names + [None] * (width - len(names)) if has_names else _guessed(rows, width)
    left_out = []
    unread = [place + 1 for place, column in enumerate(columns) if column is None and any(row[place] for row in rows)]
    if unread:
        left_out.append(
            f"Column {', '.join(map(str, unread))} is left out: a table has label, phrasings, role and threshold."
        )
    prompts = [_prompt(dict(zip(columns, row, strict=False)), left_out) for row in rows]
    return PastedTable(tuple(one for one in prompts if one.label), tuple(left_out))


def _cells(text: str) -> list[list[str]]:
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if not is_table(lines):
        return [[line] for line in lines.split("\n")]
    try:
        return [*csv.reader(re.findall(r"[^\n]*\n|[^\n]+", lines), delimiter="\t", strict=True)]
    except csv.Error:  # a quote that is no cell's
        return [line.split("\t") for line in lines.split("\n")]


def _guessed(rows: Sequence[Sequence[str]], width: int) -> list[Column | None]:
    """Return what each column is, by its content and else by its place."""
    columns: list[Column | None] = [None] * width
    columns[0] = "label"
    for place in range(1, width):
        cells = [row[place] for row in rows if row[place]]
        if cells and "threshold" not in columns and all(_NUMBER.fullmatch(_plain(cell)) for cell in cells):
            columns[place] = "threshold"
        elif cells and "role" not in columns and all(cell.casefold() in _ROLES for cell in cells):
            columns[place] = "role"
    for place in range(1, width):
        if columns[place] is None and place < len(COLUMNS):
            wanted = COLUMNS[place] if COLUMNS[place] not in columns else "phrasings"
            columns[place] = wanted if wanted not in columns else None
    return columns


def _prompt(cells: dict[Column | None, str], left_out: list[str]) -> PastedPrompt:
    label = " ".join(cells.get("label", "").split())
    parts = [" ".join(part.split()) for part in re.split(r"[;\n]", cells.get("phrasings", ""))]
    texts = tuple(dict.fromkeys(part for part in parts if part))
    role, threshold = cells.get("role", ""), _plain(cells.get("threshold", ""))
    if role and role.casefold() not in _ROLES:
        left_out.append(f"“{role}” of “{label}” is no role, so it is a target; write target, restricted or background.")
    number = float(threshold.replace(",", ".")) if _NUMBER.fullmatch(threshold) else None
    if threshold and number is None:
        left_out.append(f"“{threshold}” of “{label}” is no threshold; write a number such as 0.25.")
    label = label or next(iter(texts), "")
    return PastedPrompt(label, () if texts == (label,) else texts, _ROLES.get(role.casefold(), "target"), number)


def _plain(cell: str) -> str:
    """Return a number as it is written here: a minus sign as a hyphen, no blanks."""
    return cell.replace("−", "-").replace("\u00a0", "").replace(" ", "")
