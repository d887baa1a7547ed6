"""The vector that a prompt has learned from ground truth, as part of the prompt: frozen, validated, a line of text.

It belongs to one engine and to the words (and pictures) that it was learned from: with another engine, or with other
words, the prompt's own are used. ``lib.evaluation.learning`` makes it, ``lib.analysis.scoring.prompt_vectors`` uses it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import math
import re
import struct
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from lib.core.errors import PromptSetError
from lib.core.validation import number, one_line

MAX_DIM = 4096
"""Numbers of a learned vector."""
MAX_COUNT = 1_000_000
MAX_STRENGTH = 1e6
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")
_WORDS = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class Learned:
    """See the module's docstring.

    Raises:
        PromptSetError: a field is outside its range, or the vector is no unit vector.
    """

    engine: str
    """Id of the engine whose vectors it fits."""
    words: str
    """``words_digest`` of what the prompt said when it was learned."""
    segments: int
    """True segments that it was learned from, 1 or more."""
    videos: int
    """Videos that they lie in, 1 or more."""
    strength: float
    """How strongly it was shrunk to the words' vector, above 0; see ``lib.evaluation.learning``."""
    vector: str
    """The unit vector ``(d,)``, d up to 4096, as float16, little-endian, in Base64."""

    def __post_init__(self) -> None:
        set_ = object.__setattr__  # the way a frozen dataclass normalises its own fields
        set_(self, "engine", one_line(self.engine, "The engine of a learned vector", PromptSetError))
        if not isinstance(self.words, str) or not _WORDS.fullmatch(self.words):
            raise PromptSetError("A learned vector has words that are no 16 hex digits; learn it again.")
        for name in ("segments", "videos"):
            value = number(getattr(self, name), f"A learned vector has {name}", 1, MAX_COUNT, PromptSetError)
            if value != int(value):
                raise PromptSetError(f"A learned vector has {name} {value:g}; write a whole number.")
            set_(self, name, int(value))
        least = 1.0 / MAX_STRENGTH
        start = "A learned vector has the strength"
        set_(self, "strength", number(self.strength, start, least, MAX_STRENGTH, PromptSetError))
        self.numbers()

    def numbers(self) -> tuple[float, ...]:
        """Return the unit vector's numbers, ``(d,)``; of length 1 within a hundredth, as float16 rounds them."""
        text = self.vector
        if not isinstance(text, str) or len(text) > 4 * MAX_DIM or not _BASE64.fullmatch(text):
            raise PromptSetError(_NO_VECTOR)
        try:
            data = base64.b64decode(text, validate=True)
        except binascii.Error as error:
            raise PromptSetError(_NO_VECTOR) from error
        if not data or len(data) % 2 or len(data) > 2 * MAX_DIM:
            raise PromptSetError(_NO_VECTOR)
        numbers = struct.unpack(f"<{len(data) // 2}e", data)
        if not abs(math.sqrt(math.fsum(x * x for x in numbers)) - 1) <= 0.01:  # also what NaN is
            raise PromptSetError("A learned vector has not the length 1; learn it again.")
        return numbers

    @property
    def source(self) -> str:
        """What it was learned from, in words: ``learned from 4 segments of 2 videos``."""
        segments = f"{self.segments:,} segment{'s' if self.segments != 1 else ''}"
        return f"learned from {segments} of {self.videos:,} video{'s' if self.videos != 1 else ''}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain types."""
        return asdict(self)


_NO_VECTOR = "A learned vector is no Base64 of 1 to 4096 float16 numbers; learn it again."


def pack(vector: Iterable[float]) -> str:
    """Return a unit vector ``(d,)`` as ``Learned.vector`` holds it."""
    values = [float(x) for x in vector]
    return base64.b64encode(struct.pack(f"<{len(values)}e", *values)).decode("ascii")


def words_digest(phrases: Iterable[str], pictures: Iterable[str] = ()) -> str:
    """Return 16 hex digits that name what a prompt says: its phrasings, template applied, and its pictures."""
    content = "\n".join((*phrases, "", *pictures))
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:16]
