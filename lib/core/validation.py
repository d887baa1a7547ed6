"""Checks of single values, with one kind of message: what is wrong, and what to write instead."""

from __future__ import annotations

import math
import numbers
import re
import reprlib
import unicodedata
from collections import Counter
from collections.abc import Iterable
from fractions import Fraction
from typing import TypeVar

from lib.core.errors import PromptreelError
from lib.core.labelled_intervals import label_key

MAX_LENGTH = 500
"""Characters of a line of text; models read about 77 tokens."""

# Both parts and the exponent are short: a fraction is exact, so that of "1e99999999" would fill the memory.
_FRACTION = re.compile(r"[+-]?(?=[.\d])\d{0,30}(?:\.\d{0,40})?(?:e[+-]?\d{1,3})?|[+-]?\d{1,30}/\d{1,30}", re.I | re.A)
_INTEGER = re.compile(r"[+-]?\d{1,30}", re.A)

_E = TypeVar("_E", bound=PromptreelError)


def written(value: object) -> str:
    """Return ``value`` for a message, shortened; a number of thousands of digits has no decimal text in Python."""
    try:
        return reprlib.repr(value)
    except ValueError:
        return "a number of thousands of digits"


def bounded_fraction(value: object, low: Fraction | float, high: Fraction | float) -> Fraction | None:
    """Return a number from outside, exactly; None where it is none or lies outside ``[low, high]``.

    Args:
        value: an int, a float (read as its decimal), or text such as ``29.97``, ``1e3`` or ``30000/1001``.
        low: lowest value allowed, finite.
        high: highest value allowed, finite.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str | Fraction):
        return None
    if isinstance(value, int | Fraction):
        number = Fraction(value)
    else:
        text = value.strip() if isinstance(value, str) else repr(value)
        if not _FRACTION.fullmatch(text):
            return None
        try:
            number = Fraction(text)
        except (ValueError, ZeroDivisionError):
            return None
    return number if low <= number <= high else None


def bounded_int(value: object, low: int, high: int) -> int | None:
    """Return a whole number from outside, an int or text; None where it is none or lies outside ``[low, high]``."""
    if isinstance(value, str):
        value = int(value) if _INTEGER.fullmatch(value.strip()) else None
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if low <= value <= high else None


def one_line(text: object, what: str, error: type[_E]) -> str:
    """Return ``text`` with every run of white space as one blank.

    Raises:
        error: no text, nothing to see, longer than ``MAX_LENGTH``, or with a control character.
    """
    if not isinstance(text, str):
        raise error(f"{what} is {written(text)}, which is no text; put it in quotes.")
    line = " ".join(text.split())
    if len(line) > MAX_LENGTH:  # first: normalising a long run of accents takes quadratic time
        raise error(f"{what} has {len(line)} characters, and {MAX_LENGTH} are possible: {written(line)}.")
    if not label_key(line):
        raise error(f"{what} is blank; write a word or two.")
    bad = next((char for char in line if unicodedata.category(char) in ("Cc", "Cs")), None)
    if bad is not None:
        raise error(f"{what} holds the control character U+{ord(bad):04X}; remove it: {written(line)}.")
    return line


def number(value: object, start: str, low: float, high: float, error: type[_E], *, unit: str = "") -> float:
    """Return ``value``, a real number and no bool, as a float.

    The message begins with ``start``, for example ``The window is``, and names ``unit`` where it decides the range.

    Raises:
        error: no number, not finite, or outside ``[low, high]``.
    """
    shown = written(value)
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise error(f"{start} {shown}, which is no number; write one from {low:g} to {high:g}.")
    try:
        converted = float(value)
    except OverflowError:
        converted = math.inf
    if not low <= converted <= high:  # also what NaN is
        scale = f" for the score {unit}" if unit else ""
        raise error(f"{start} {shown}; it can be {low:g} to {high:g}{scale}.")
    return converted


def one_of(value: object, choices: tuple[str, ...], start: str, error: type[_E]) -> None:
    """Raise ``error`` unless ``value`` is one of ``choices``."""
    if value not in choices:
        raise error(f"{start} {written(value)}; use one of {', '.join(choices)}.")


def first_doubled(names: Iterable[str]) -> str | None:
    """Return the first name that occurs more than once, or None."""
    return next((name for name, count in Counter(names).items() if count > 1), None)
