"""``results.json`` of a hosted CLIP job as samples and gaps: its lists, checked element by element.

What it holds, as the service documents and its template reads it: lists of equal length, index ``i`` the ``i``-th
sampled frame. ``frame_offset`` (or ``frame_offsets``): frame indices; ``time_offset`` (``time_offsets``): seconds
with 4 decimals; ``clip``: a vector each, flat or nested once. An element is ``null`` where a frame failed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.core.errors import ResultsError
from lib.core.formatting import shortened
from lib.core.sampling import Sampling
from lib.hosted.json_lists import ListReader, open_results
from lib.store.gaps import Gap

VECTORS = "clip"
_SPELLINGS = {
    "frame_offset": "frames",
    "frame_offsets": "frames",
    "time_offset": "times",
    "time_offsets": "times",
}
_KEYS = f"frame_offset, time_offset and {VECTORS}"
_SMALLEST_NORM = 1e-12
_SMALLEST_STEP_S = 1e-4  # the last of the service's decimals
_NEAR = 0.02  # rates so near a whole number are that number: times are rounded and frames lie where they lie
CHUNK_NUMBERS = 1 << 22
"""Numbers of vectors that are kept in double precision, 32 MB: a file says how long its vectors are."""


@dataclass(frozen=True)
class Results:
    """The contents of a ``results.json``, checked."""

    frames: NDArray[np.int64]
    """Frame index of each sample, increasing; ``(n,)``, n at least 1."""
    times_s: NDArray[np.float64]
    """Times in seconds, increasing; ``(n,)``."""
    vectors: NDArray[np.float32]
    """Unit rows ``(n, d)``."""
    gaps: tuple[Gap, ...]
    """Stretches whose elements are null, in order, none touching another."""
    missing: int
    """Elements that are null, those included that also lack a time and so lie in no gap."""
    step_s: float
    """Mean seconds from one element to the next; 1.0 where there is only one."""

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return int(self.vectors.shape[1])

    @property
    def end_s(self) -> float:
        """Where the last element's span ends: one step after it."""
        last = float(self.times_s[-1]) + self.step_s
        return max(last, self.gaps[-1].end_s) if self.gaps else last

    @property
    def sampling(self) -> Sampling:
        """The rate that the times amount to: a whole number a second or of seconds where they are near one."""
        rate = 1 / self.step_s
        value = Fraction(str(round(rate, 4)))
        if round(rate) and abs(rate / round(rate) - 1) < _NEAR:
            value = Fraction(round(rate))
        elif rate < 1 and abs(self.step_s / round(self.step_s) - 1) < _NEAR:
            value = Fraction(1, round(self.step_s))
        return Sampling("fps", min(max(value, Fraction(1, 3600)), Fraction(240)))


def read_results(path: Path, *, name: str | None = None, on_bytes: Callable[[int], None] | None = None) -> Results:
    """Return the checked contents of a file; memory holds the vectors, at most a fifth of the file, not its text.

    ``on_bytes`` is called now and then with the bytes read; messages name the file ``name``.

    Raises:
        ResultsError: not readable, no JSON, a list is missing or of another length, a vector is of another length
            than the first one, or an element makes no sense. Says which element.
    """
    name = name or path.name
    lists: dict[str, list[Any]] = {}
    vectors: _Vectors | None = None
    others: list[str] = []
    with open_results(path) as file:
        for key, elements in ListReader(file, name, on_bytes):
            place = _SPELLINGS.get(key)
            if place in lists or (key == VECTORS and vectors is not None):
                raise ResultsError(f"{name} has {key} (or its other spelling) twice; keep one of them.")
            if place:
                lists[place] = list(elements)
            elif key == VECTORS:
                vectors = _Vectors(elements, name)
            else:
                others.append(key)
    if vectors is None or len(lists) < 2:
        present = [*(key for key in ("frame_offset", "time_offset") if _SPELLINGS[key] in lists), *others]
        present += [VECTORS] if vectors is not None else []
        raise ResultsError(
            f"{name} needs the lists {_KEYS}, but has {shortened(', '.join(present), 100) or 'nothing'}; "
            "choose the results.json of a hosted CLIP job."
        )
    return _assemble(lists["frames"], lists["times"], vectors, name)


class _Vectors:
    """The rows of the list of vectors: which elements have one, and the rows, normalised."""

    def __init__(self, elements: Iterator[Any], name: str) -> None:
        self.present: list[bool] = []
        self._name = name
        self._dim = 0
        self._chunks: list[NDArray[np.float32]] = []
        rows: list[NDArray[np.float64]] = []
        for index, element in enumerate(elements):
            self.present.append(element is not None)
            if element is not None:
                rows.append(self._row(index, element))
            if len(rows) * self._dim >= CHUNK_NUMBERS:
                self._append(rows)
        self._append(rows)

    def rows(self) -> NDArray[np.float32]:
        """Return unit rows, float32 ``(n, d)``."""
        return np.concatenate(self._chunks) if self._chunks else np.empty((0, 0), np.float32)

    def _append(self, rows: list[NDArray[np.float64]]) -> None:
        if rows:
            block = np.stack(rows)
            self._chunks.append((block / np.linalg.norm(block, axis=1, keepdims=True)).astype(np.float32))
            rows.clear()

    def _row(self, index: int, element: Any) -> NDArray[np.float64]:
        if isinstance(element, list) and len(element) == 1 and isinstance(element[0], list):
            element = element[0]
        # Not left to NumPy: one long text among 100,000 numbers makes it ask for room for as many such texts.
        if not isinstance(element, list) or not element or not set(map(type, element)) <= {int, float}:
            raise self._wrong(index, "is no list of numbers")
        try:
            row = np.array(element, np.float64)
        except OverflowError:
            raise self._wrong(index, "has a number that is too large") from None
        self._dim = self._dim or len(row)
        if len(row) != self._dim:
            raise self._wrong(index, f"has {len(row)} numbers where the ones before have {self._dim}")
        if not np.isfinite(row).all():
            raise self._wrong(index, "has a number that is NaN or infinite")
        with np.errstate(over="ignore"):
            norm = np.linalg.norm(row)
        if norm < _SMALLEST_NORM:
            raise self._wrong(index, "is zero everywhere")
        if norm == np.inf:
            raise self._wrong(index, "has numbers that are too large")
        return row

    def _wrong(self, index: int, what: str) -> ResultsError:
        return ResultsError(
            f"{self._name}: element {index} of {VECTORS} (counted from 0) {what}; "
            "ask for the results again, or put null in its place."
        )


def _assemble(frames: list[Any], times: list[Any], vectors: _Vectors, name: str) -> Results:
    present = np.array(vectors.present, bool)
    lengths = {"frame_offset": len(frames), "time_offset": len(times), VECTORS: len(present)}
    if len(set(lengths.values())) > 1:
        counts = ", ".join(f"{key} has {length:,}" for key, length in lengths.items())
        raise ResultsError(f"{name}: the lists must be of one length, but {counts} elements; download it again.")
    if not present.any():
        what = "only null elements, so every frame failed" if len(present) else "no elements"
        raise ResultsError(f"{name} has {what}; ask for the results again.")
    times_s = _numbers(times, present, "time_offset", name)
    indices = _numbers(frames, present, "frame_offset", name)
    whole = indices[present]
    if np.any(whole != np.floor(whole)):
        raise ResultsError(f"{name}: frame_offset has a number that is not whole; download it again.")
    timed = np.flatnonzero(~np.isnan(times_s))
    _check_order(times_s, timed, "time_offset", name)
    _check_order(indices, np.flatnonzero(present), "frame_offset", name)
    step_s = float((times_s[timed[-1]] - times_s[timed[0]]) / (timed[-1] - timed[0])) if len(timed) > 1 else 1.0
    if step_s < _SMALLEST_STEP_S:
        raise ResultsError(f"{name}: time_offset has times less than 0.1 ms apart; seconds are expected.")
    gaps = _gaps(times_s[timed], present[timed], step_s)
    return Results(whole.astype(np.int64), times_s[present], vectors.rows(), gaps, int((~present).sum()), step_s)


def _numbers(values: list[Any], present: NDArray[np.bool_], key: str, name: str) -> NDArray[np.float64]:
    """Return the list as float64, NaN for null; an element with a vector needs its number."""
    numbers = np.full(len(values), np.nan)
    for index, value in enumerate(values):
        if value is None and not present[index]:
            continue
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not 0 <= value < 2**53:
            what = "is null though it has a vector" if value is None else "is no number of 0 or more"
            raise ResultsError(f"{name}: element {index} of {key} (counted from 0) {what}; download it again.")
        numbers[index] = value
    return numbers


def _check_order(numbers: NDArray[np.float64], rows: NDArray[np.intp], key: str, name: str) -> None:
    late = np.flatnonzero(np.diff(numbers[rows]) <= 0)
    if len(late):
        raise ResultsError(
            f"{name}: element {rows[late[0] + 1]} of {key} (counted from 0) is not later than the one before; "
            "put the elements in order of time."
        )


def _gaps(times_s: NDArray[np.float64], present: NDArray[np.bool_], step_s: float) -> tuple[Gap, ...]:
    """Return the runs of null elements, each from its first one's time to the next vector's (or the end)."""
    ends_s = np.append(times_s, times_s[-1] + step_s)
    edges = np.flatnonzero(np.diff(np.concatenate([[True], present, [True]])))
    pairs = edges.reshape(-1, 2).tolist()
    return tuple(Gap(float(times_s[first]), float(ends_s[stop]), stop - first) for first, stop in pairs)
