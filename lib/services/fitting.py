"""How much of a phrasing that is too long an engine reads: asked of the engine itself, as only it knows its tokens."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lib.core.errors import PromptTooLongError
from lib.engines.engine import Engine

_ENDS = re.compile(r"(?<=\S)(?=\s|$)")


def longest_fit(engine: Engine, template: str, text: str) -> int:
    """Return how many characters of ``text`` the engine takes inside ``template``, up to the end of a word.

    Up to the end of a character where not even one word fits. It asks the engine about ten times.

    Raises:
        EngineError: it fails otherwise.
    """
    words = [found.start() for found in _ENDS.finditer(text)]
    return _longest(engine, template, text, words) or _longest(engine, template, text, range(1, len(text) + 1))


def _longest(engine: Engine, template: str, text: str, ends: Sequence[int]) -> int:
    low, high = 0, len(ends)  # so many of them fit, and one more than may
    while low < high:
        middle = (low + high + 1) // 2
        try:
            engine.embed_texts([template.replace("{}", text[: ends[middle - 1]].strip())])
            low = middle
        except PromptTooLongError:
            high = middle - 1
    return ends[low - 1] if low else 0
