"""Colour slots: each label of a prompt table has a place in the palette, and keeps it when others come, go or move.

A slot is a number from 0; colours repeat from the palette's length on. None as a slot means the prompt's own place,
unless another one has that.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

MAX_SLOT = 9_999


def resolved(slots: Sequence[int | None]) -> list[int]:
    """Return the slot of each prompt, all different: of two with the same one the first has it."""
    taken = {slot for slot in slots if slot is not None}
    seen: set[int] = set()
    result: list[int] = []
    for place, slot in enumerate(slots):
        wanted = place if slot is None and place not in taken else slot
        chosen = free(taken | seen) if wanted is None or wanted in seen else wanted
        seen.add(chosen)
        result.append(chosen)
    return result


def free(taken: Collection[int]) -> int:
    """Return the lowest slot that is not taken."""
    return next(slot for slot in range(len(taken) + 1) if slot not in taken)


def shortest(slots: Sequence[int]) -> list[int | None]:
    """Return slots that ``resolved`` makes the same of, as None where they are the prompt's own place."""
    return [None if slot == place else slot for place, slot in enumerate(slots)]
