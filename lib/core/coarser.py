"""Which samples of a finer sampling are exactly those of a coarser one.

Times are float64 of exact fractions; a time and a due time ``k / rate`` that are the same fraction are the same float.
Where two of them differ by less than a nanosecond it isn't certain which comes first, and nothing is said to coincide.

Conventions: ``n`` samples of the finer sampling, in order; the coarser one takes the first frame of each slot ``[k /
rate, (k + 1) / rate)`` or every ``m``-th frame, as ``lib.media.frames`` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from lib.core.sampling import Sampling

_Ints = NDArray[np.int64]
_Floats = NDArray[np.float64]
_NEAR_S = 1e-9
_LARGEST = 2**53  # whole numbers up to it are exact as floats


def coinciding_rows(
    coarse: Sampling, fine: Sampling, frames: _Ints, times_s: _Floats, end_s: float | None
) -> _Ints | None:
    """Return the rows of ``fine`` that are all the samples of ``coarse``, as far as ``fine`` reaches.

    Args:
        coarse: what is wanted.
        fine: what is there, from the first frame on and without a hole other than frames that can't be decoded.
        frames: frame indices of its samples ``(n,)``.
        times_s: their presentation times in seconds ``(n,)``.
        end_s: end of the video, where ``fine`` reaches it; else None.

    Returns:
        None where samples of ``coarse`` are not in ``fine``, or it isn't certain that they are.
    """
    if coarse == fine or coarse.framing != fine.framing:
        return None
    if coarse.kind == "stride":
        is_multiple = fine.kind == "stride" and (coarse.value / fine.value).denominator == 1
        return np.flatnonzero(frames % int(coarse.value) == 0) if is_multiple else None
    slots = _slots(times_s, coarse.value)
    if slots is None:
        return None
    number, starts = slots
    rows = np.flatnonzero((number >= 0) & (np.diff(number, prepend=-1) > 0))  # the first of each slot
    if fine.kind == "fps":
        return rows if (fine.value / coarse.value).denominator == 1 else None
    if fine.value == 1:
        return rows
    if not len(rows):
        return None
    # Between samples lie frames that aren't known: none of them may be the first of a slot.
    ends = None if end_s is None else _slots(np.array([end_s]), coarse.value)
    begins_first = frames[rows[0]] == 0 or number[rows[0]] == 0
    known = begins_first and (starts[rows] | (frames[rows] == 0)).all() and (np.diff(number[rows]) == 1).all()
    if not known or (end_s is not None and (ends is None or ends[0][0] - ends[1][0] > number[rows[-1]])):
        return None
    return rows


def missing_in_gaps(
    coarse: Sampling, fine: Sampling, frames: _Ints, times_s: _Floats, gaps: Sequence[tuple[float, float, int]]
) -> list[int] | None:
    """Return how many samples of ``coarse`` are lost in each gap, ``(start_s, end_s, missing)`` of ``fine``, in order.

    ``fine`` is one that ``coinciding_rows`` finds to hold the samples of ``coarse``; None where it isn't certain.
    """
    if coarse.kind == "fps":
        edges = _slots(np.array([gap[:2] for gap in gaps]).reshape(-1), coarse.value)
        if edges is None:
            return None
        following = (edges[0] + ~edges[1]).reshape(-1, 2)  # the first slot that begins at the time or later
        return [int(count) for count in following[:, 1] - following[:, 0]]
    step, every = int(fine.value), int(coarse.value)
    found, due = [], 0
    for start_s, _, missing in gaps:
        before = int(np.searchsorted(times_s, start_s))
        due = max(due, int(frames[before - 1]) + step if before else 0)
        stop = due + missing * step
        found.append(-(-stop // every) - -(-due // every))
        due = stop
    return found


def _slots(times_s: _Floats, rate: Fraction) -> tuple[_Ints, NDArray[np.bool_]] | None:
    """Return the slot of each time, and whether it is the slot's beginning; None where that isn't certain."""
    up, down = rate.numerator, rate.denominator
    if len(times_s) and float(np.abs(times_s).max()) * up * down > _LARGEST:
        return None
    nearest = np.rint(times_s * up / down)
    begins_s = nearest * down / up
    starts = begins_s == times_s
    if np.any(~starts & (np.abs(begins_s - times_s) < _NEAR_S)):
        return None
    return (nearest - (begins_s > times_s)).astype(np.int64), starts
