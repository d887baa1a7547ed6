"""What is given to the API is of the types that its functions ask for, or said to be wrong in one sentence.

Annotations are the rule, so a function can't forget to check, and a message names types as people do.
"""

from __future__ import annotations

import functools
import inspect
import numbers
import types
from collections.abc import Callable, Iterable, Sequence
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from lib.core.errors import InputError
from lib.core.labelled_intervals import TrueSegment
from lib.core.validation import number, one_line, written

MAX_SECONDS = 1e7
"""Of times that are given: some four months."""
MAX_WIDTH = 10_000
"""Pixels of a chart."""

_F = TypeVar("_F", bound=Callable[..., Any])
_C = TypeVar("_C", bound=type)

_WORDS: dict[Any, str] = {
    str: "a text",
    Path: "a pathlib.Path",
    bool: "True or False",
    int: "a whole number",
    float: "a number",
    types.NoneType: "None",
    Callable: "a function",
}
_ABSTRACT: dict[Any, type] = {int: numbers.Integral, float: numbers.Real}  # NumPy's numbers too


def checked(function: _F) -> _F:
    """Return ``function`` so that it raises ``InputError`` where an argument is of another type than its annotation."""
    signature = inspect.signature(function)

    @functools.lru_cache(maxsize=1)
    def hints() -> dict[str, Any]:  # at the first call, as annotations may name what is defined further below
        return get_type_hints(function)

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        for name, value in signature.bind(*args, **kwargs).arguments.items():
            if name in hints() and not _fits(value, hints()[name]):
                raise InputError(f"{name} is {written(value)}; give {_in_words(hints()[name])}.")
        return function(*args, **kwargs)

    return call  # type: ignore[return-value]


def all_checked(kind: _C) -> _C:
    """Return the class with all methods that are called by name ``checked``, and its own ``__init__``."""
    for name, member in list(vars(kind).items()):
        own_init = name == "__init__" and not is_dataclass(kind)
        if inspect.isfunction(member) and (own_init or not name.startswith("_")):
            setattr(kind, name, checked(member))
    return kind


def segments(truth: Iterable[TrueSegment]) -> tuple[TrueSegment, ...]:
    """Return ground truth that was given.

    Raises:
        InputError: a label is blank, a time is no number of 0 s to ``MAX_SECONDS``, or a segment ends before it starts.
    """
    made = []
    for one in truth:
        label = one_line(one.label, "The label of a true segment", InputError)
        who = f"The true segment {label!r}"
        start_s = number(one.start_s, f"{who} starts at", 0, MAX_SECONDS, InputError)
        end_s = number(one.end_s, f"{who} ends at", 0, MAX_SECONDS, InputError)
        if not start_s < end_s:
            raise InputError(f"{who} ends after its start, not from {start_s:g} to {end_s:g} s.")
        made.append(TrueSegment(label, start_s, end_s))
    return tuple(made)


def _fits(value: object, kind: Any) -> bool:
    origin, parts = get_origin(kind), get_args(kind)
    if kind is Any:
        return True
    if origin in (Union, types.UnionType):
        return any(_fits(value, part) for part in parts)
    if origin is Literal:
        return isinstance(value, str) and value in parts
    if origin is Sequence:  # a text is one of its characters, which is never meant
        return (
            isinstance(value, Sequence)
            and not isinstance(value, str | bytes)
            and all(_fits(one, parts[0]) for one in value)
        )
    if origin is Callable:
        return callable(value)
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, _ABSTRACT.get(kind, kind))


def _in_words(kind: Any) -> str:
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType, Literal):
        *words, last = (repr(part) if origin is Literal else _in_words(part) for part in parts)
        return f"{', '.join(words)} or {last}"
    if origin is Sequence:
        return f"a list of which each is {_in_words(parts[0])}"
    name = getattr(kind, "__name__", "")
    return _WORDS.get(origin or kind) or f"{'an' if name[:1] in 'AEIOU' else 'a'} {name}"
