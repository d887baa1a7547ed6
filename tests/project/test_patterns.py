"""No pattern takes much longer than its text is long: files, names and headers from elsewhere are matched with them."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import lib

_CALLS = {"compile", "match", "fullmatch", "search", "sub", "split", "finditer", "findall"}
_PARTS = [*' a0-.,:;/\\"<[{?@\n_\u200b', "0,", ": ", "a/", "1:", "www.", "-a "]
_LONG, _MOST_S = 20_000, 0.4  # of processor time; a quadratic pattern takes several seconds


def patterns() -> Iterator[re.Pattern[str]]:
    """Yield each pattern of ``lib``: those kept in modules and those written into calls."""
    for module in pkgutil.walk_packages(lib.__path__, "lib."):
        if module.name.endswith("__main__"):
            continue
        loaded = importlib.import_module(module.name)
        for value in vars(loaded).values():
            if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
                yield value
        source = Path(loaded.__file__ or "").read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _CALLS:
                first = node.args[0] if node.args else None
                if (
                    isinstance(node.func.value, ast.Name)
                    and node.func.value.id == "re"
                    and isinstance(first, ast.Constant)
                ):
                    yield re.compile(str(first.value))


PATTERNS = {pattern.pattern: pattern for pattern in patterns()}
FROM_THE_START = {r'\s*[\[{]\s*("|[\[{\]}])', r"---|- |-$|[A-Za-z_][\w-]*\s*:(\s|$)"}
"""Patterns that are used with ``match`` alone: each would be slow at every place of a text."""


def slow_on(pattern: re.Pattern[str], length: int) -> str | None:
    """Return what a text is made of on which a pattern takes far too long; None where it takes so on none."""
    for part in _PARTS:
        for before, after in (("", "\x00"), ("- ", "!\n")):
            text = before + part * (length // len(part)) + after
            start = time.process_time()
            pattern.fullmatch(text)
            pattern.match(text)
            if pattern.pattern not in FROM_THE_START:
                pattern.sub("", text)
            if time.process_time() - start > _MOST_S:
                return part
    return None


def test_there_are_patterns() -> None:
    assert len(PATTERNS) > 25


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_takes_about_as_long_as_its_text_is(name: str) -> None:
    for length in (30, _LONG):  # the short ones first, on which even an exponential one ends
        assert slow_on(PATTERNS[name], length) is None


def test_a_quadratic_pattern_is_noticed() -> None:
    assert slow_on(re.compile(r"\s*x"), _LONG) is not None
