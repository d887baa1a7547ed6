"""Ground truth as labelled intervals, without the means to read them, and when two labels are the same."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
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


def painted(segments: Iterable[TrueSegment], new: TrueSegment) -> list[TrueSegment]:
    """Return ``segments`` with ``new``, joined with all of the same label that it overlaps or touches."""
    key = label_key(new.label)
    kept: list[TrueSegment] = []
    joined = new
    for one in sorted(segments, key=lambda one: one.start_s):
        if label_key(one.label) == key and one.start_s <= new.end_s and one.end_s >= new.start_s:
            label = one.label if joined is new else joined.label
            joined = TrueSegment(label, min(one.start_s, joined.start_s), max(one.end_s, joined.end_s))
        else:
            kept.append(one)
    return sorted([*kept, joined], key=lambda one: (one.start_s, one.end_s, one.label))


def moved(segments: Iterable[TrueSegment], old: TrueSegment, new: TrueSegment | None) -> list[TrueSegment] | None:
    """Return ``segments`` with ``old`` replaced by ``new``, or without it; None where it is no longer there.

    Where ``old`` has another edge by now, the edge that ``new`` moves is moved and the other one stays.
    """
    present = list(segments)
    if old in present:
        place = present.index(old)
        return [*present[:place], *([new] if new else []), *present[place + 1 :]]
    if new is None:
        return None
    for place, one in enumerate(present):
        if label_key(one.label) != label_key(old.label):
            continue
        start_s, end_s = (
            (new.start_s, one.end_s)
            if one.start_s == old.start_s and new.end_s == old.end_s
            else (one.start_s, new.end_s)
            if one.end_s == old.end_s and new.start_s == old.start_s
            else (0.0, 0.0)
        )
        if start_s < end_s:
            return [*present[:place], TrueSegment(one.label, start_s, end_s), *present[place + 1 :]]
    return None


def no_label_name(labels: tuple[str, ...]) -> str:
    """Return the name of the row or column without a label, one that no label has."""
    name, taken = "nothing", set(map(label_key, labels))
    while name in taken:
        name = f"({name})"
    return name
