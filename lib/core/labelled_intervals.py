"""Ground truth as labelled intervals, without the means to read them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TrueSegment:
    """Ground truth: a label over the half-open interval ``[start_s, end_s)`` in seconds."""

    label: str
    start_s: float
    end_s: float


def label_key(label: str) -> str:
    """Return a key that is equal for labels that differ in case or white space only."""
    return " ".join(label.split()).casefold()


def no_label_name(labels: tuple[str, ...]) -> str:
    """Return the name of the row or column without a label, one that no label has."""
    name = "nothing"
    while name in labels:
        name = f"({name})"
    return name
