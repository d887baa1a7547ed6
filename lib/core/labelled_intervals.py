"""Ground truth as labelled intervals, without the means to read them, and when two labels are the same."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

# What is in a text without being seen: soft hyphen, joiners, zero-width blanks, direction marks, variation selectors,
# fillers. All are "default ignorable" in Unicode (DerivedCoreProperties.txt). Its tags are left out: they are all that
# tells the flags of England and Scotland apart.
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\U000e0100-\U000e01ef]"
)


@dataclass(frozen=True)
class TrueSegment:
    """Ground truth: a label over the half-open interval ``[start_s, end_s)`` in seconds."""

    label: str
    start_s: float
    end_s: float


@lru_cache(maxsize=1 << 14)
def label_key(label: str) -> str:
    """Return a key that is equal for labels that are the same; empty where there is nothing to see.

    The same are labels that differ in case, in white space of any kind, in characters that can't be seen, or in how
    accents are encoded (canonical caseless matching, The Unicode Standard, definition D145). So ``ß`` is ``SS``, and
    Turkish ``ı`` and ``İ`` are neither each other nor ``i``, as what language a label is in is not known.

    Compatibility forms (NFKC) stay apart: they look different and may mean something else (``m²`` and ``m2``;
    full-width ``Ａ`` and ``A``).
    """
    blanks_collapsed = " ".join(_UNSEEN.sub("", label).split())
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", blanks_collapsed).casefold())


def no_label_name(labels: tuple[str, ...]) -> str:
    """Return the name of the row or column without a label, one that no label has."""
    name, taken = "nothing", set(map(label_key, labels))
    while name in taken:
        name = f"({name})"
    return name
