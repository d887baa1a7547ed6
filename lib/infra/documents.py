"""JSON documents that hold a person's work: read within bounds; one that can't be read is kept, never overwritten."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from lib.core.errors import PromptreelError, StoreDamagedError, StoreError
from lib.infra.files import write_atomically

MAX_BYTES = 8 << 20
"""Of a document; 200 prompts with 100 long phrasings are less than a tenth of it."""
_MAX_DIGITS = 40
_MAX_TEXT = 200_000

T = TypeVar("T")


def read_document(path: Path, make: Callable[[dict[str, Any]], T], *, most_bytes: int = MAX_BYTES) -> T | None:
    """Return what ``make`` makes of the JSON object in ``path``; None where there is no such file.

    Args:
        path: the file.
        make: called with the object; whatever it raises says that the object isn't what it should be.
        most_bytes: of a file that is read.

    Raises:
        StoreDamagedError: it is too large, no JSON, nests too deep, or isn't what ``make`` takes.
        StoreError: it is there and can't be opened.
    """
    try:
        with open(path, "rb") as file:
            content = file.read(most_bytes + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise StoreError(f"{path} can't be opened ({error.strerror}); check the folder, then reload.") from error
    try:
        return make(parse_object(content, most_bytes=most_bytes))
    except UNREADABLE as error:
        raise StoreDamagedError(f"{path.name} is damaged or of another version, and can't be read.") from error


UNREADABLE = (PromptreelError, ValueError, TypeError, KeyError, AttributeError, ArithmeticError, RecursionError)
"""What reading a document raises that isn't what it should be."""


def parse_object(content: bytes, *, most_bytes: int = MAX_BYTES) -> dict[str, Any]:
    """Return the JSON object in ``content``; one of ``UNREADABLE`` is raised where there is none."""
    if len(content) > most_bytes:
        raise ValueError(f"more than {most_bytes >> 20} MB")
    data = json.loads(content.decode(), parse_int=_whole, parse_float=_real, parse_constant=_constant)
    if not isinstance(data, dict):
        raise ValueError("no object")
    return data


def write_document(path: Path, data: dict[str, Any], *, home: Path, most_bytes: int | None = None) -> None:
    """Write ``data`` as JSON, whole or not at all; the folder of ``path`` is made, that of ``home`` is not.

    Raises:
        OSError: it can't be written; a file that was there is unchanged.
        StoreError: ``home`` is gone, or it would be larger than ``most_bytes``, which are read; nothing has changed.
    """
    if not home.is_dir():
        raise StoreError(f"the folder {home} is gone; put it back, or restart Promptreel for a new one")
    content = json.dumps(data, ensure_ascii=False, indent=1).encode()
    if most_bytes is not None and len(content) > most_bytes:
        raise StoreError(
            f"{path.name} would be larger than {most_bytes >> 20} MB, so it can't be kept; do less at once."
        )
    write_atomically(path, content)


def set_aside(path: Path) -> Path:
    """Give a file another name, one that nothing reads, and return it.

    Raises:
        OSError: it can't be renamed.
    """
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged{number if number > 1 else ''}")).exists():
        number += 1
    os.rename(path, aside)
    return aside


def _whole(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise ValueError("a number of too many digits")
    return int(digits)


def _real(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError("a number beyond all bounds")
    return value


def _constant(name: str) -> float:
    raise ValueError(name)


# --- values of a document: each returns its value, or raises ValueError ---------------------------------------------


def text(value: object) -> str:
    """Return a text that can be written as UTF-8."""
    if not isinstance(value, str) or len(value) > _MAX_TEXT:
        raise ValueError("no text")
    value.encode()
    return value


def texts(value: object) -> tuple[str, ...]:
    """Return a list of texts as a tuple."""
    return tuple(text(one) for one in listed(value))


def listed(value: object, *, most: int = 100_000) -> list[Any]:
    """Return a list of at most so many items."""
    if not isinstance(value, list) or len(value) > most:
        raise ValueError("no list, or too long a one")
    return value


def real(value: object) -> float:
    """Return a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("no number")
    return float(value)


def within(low: float, high: float) -> Callable[[object], float]:
    """Return a reader of a number from ``low`` to ``high``."""

    def read(value: object) -> float:
        if not low <= real(value) <= high:
            raise ValueError("a number out of range")
        return real(value)

    return read


def whole_within(low: int, high: int) -> Callable[[object], int]:
    """Return a reader of a whole number from ``low`` to ``high``."""

    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError("no whole number in range")
        return value

    return read


def flag(value: object) -> bool:
    """Return true or false."""
    if not isinstance(value, bool):
        raise ValueError("neither true nor false")
    return value


def optional(read: Callable[[object], T]) -> Callable[[object], T | None]:
    """Return a reader that also takes None."""
    return lambda value: None if value is None else read(value)


def one_of(*choices: str) -> Callable[[object], str]:
    """Return a reader of one of these texts."""

    def read(value: object) -> str:
        if value not in choices:
            raise ValueError("not one of the choices")
        return str(value)

    return read


def fields(data: dict[str, Any], readers: dict[str, Callable[[Any], Any]]) -> dict[str, Any]:
    """Return the values of ``data``, each through the reader of its name; a name without one raises KeyError."""
    return {name: readers[name](value) for name, value in data.items()}
