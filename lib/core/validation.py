"""Checks of single values, with one kind of message: what is wrong, and what to write instead."""

from __future__ import annotations

import math
import numbers
import reprlib
import unicodedata
from collections import Counter
from collections.abc import Iterable
from typing import TypeVar

from lib.core.errors import PromptreelError

MAX_LENGTH = 500
"""Characters of a line of text; models read about 77 tokens."""

_E = TypeVar("_E", bound=PromptreelError)


def one_line(text: object, what: str, error: type[_E]) -> str:
    """Return ``text`` with every run of white space as one blank.

    Raises:
        error: no text, blank, longer than ``MAX_LENGTH``, or with a control character.
    """
    if not isinstance(text, str):
        raise error(f"{what} is {reprlib.repr(text)}, which is no text; put it in quotes.")
    line = " ".join(text.split())
    if not line:
        raise error(f"{what} is blank; write a word or two.")
    if len(line) > MAX_LENGTH:
        raise error(f"{what} has {len(line)} characters, and {MAX_LENGTH} are possible: {reprlib.repr(line)}.")
    bad = next((char for char in line if unicodedata.category(char) in ("Cc", "Cs")), None)
    if bad is not None:
        raise error(f"{what} holds the control character U+{ord(bad):04X}; remove it: {reprlib.repr(line)}.")
    return line


def number(value: object, start: str, low: float, high: float, error: type[_E], *, unit: str = "") -> float:
    """Return ``value``, a real number and no bool, as a float.

    The message begins with ``start``, for example ``The window is``, and names ``unit`` where it decides the range.

    Raises:
        error: no number, not finite, or outside ``[low, high]``.
    """
    written = reprlib.repr(value)
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise error(f"{start} {written}, which is no number; write one from {low:g} to {high:g}.")
    try:
        converted = float(value)
    except OverflowError:
        converted = math.inf
    if not low <= converted <= high:  # also what NaN is
        scale = f" for the score {unit}" if unit else ""
        raise error(f"{start} {written}; it can be {low:g} to {high:g}{scale}.")
    return converted


def one_of(value: object, choices: tuple[str, ...], start: str, error: type[_E]) -> None:
    """Raise ``error`` unless ``value`` is one of ``choices``."""
    if value not in choices:
        raise error(f"{start} {reprlib.repr(value)}; use one of {', '.join(choices)}.")


def first_doubled(names: Iterable[str]) -> str | None:
    """Return the first name that occurs more than once, or None."""
    return next((name for name, count in Counter(names).items() if count > 1), None)
