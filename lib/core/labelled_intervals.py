"""What is really in a video, as both sides hand it around: labelled intervals, nothing to read them with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TrueSegment:
    """What is really there: a label over the half-open interval ``[start_s, end_s)`` in seconds."""

    label: str
    start_s: float
    end_s: float


def label_key(label: str) -> str:
    """Return what two labels must have in common to be the same one: their letters, whatever their case."""
    return " ".join(label.split()).casefold()


def no_label_name(labels: tuple[str, ...]) -> str:
    """Return the name of the row or column without a label, one that no label has."""
    name = "nothing"
    while name in labels:
        name = f"({name})"
    return name
