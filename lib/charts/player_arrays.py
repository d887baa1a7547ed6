"""Arrays for the player's lanes: the analysis that the charts draw, with levels of detail.

The browser zooms without another request, so it gets every sample once, and a pyramid over them: each level holds the
lowest and the highest value of ``LEVEL_FACTOR`` neighbours of the level below, so that a peak of one sample is drawn at
any zoom. Arrays are sent as one binary document: a little-endian uint32 length, a JSON list of
``{"name", "dtype", "shape", "offset"}``, and the arrays, each at a multiple of 8 bytes (``offset`` counts from the
first).

Conventions: times in seconds; ``n`` samples, ``p`` labels in the analysis' order.
"""

from __future__ import annotations

import hashlib
import json
import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.analysis.analysis import Analysis
from lib.analysis.scoring import spikes
from lib.analysis.segments import Segment
from lib.core.samples import Samples

LEVEL_FACTOR = 4
"""Values of one level that become one of the next."""
COARSEST = 1024
"""Levels are added until one has no more values than this: as many as a screen has pixels to draw them."""
_TYPES = {"f4": "<f4", "f8": "<f8", "i4": "<i4", "u2": "<u2"}
_AXIS_TICKS = 10  # what Vega's "nice" counts with, so that both draw the same axis
_DRAWN_TICKS = 4

NOTHING = 65_535
"""Stands for no label in ``difference_arrays``."""

Difference = tuple[float, float, str | None, str | None]
"""Start and end in seconds, and the labels of side A and side B in between; None for none."""

_Array = NDArray[Any]


@dataclass(frozen=True)
class Axis:
    """The vertical axis of the scores: from ``low`` to ``high``, labelled at ``ticks``."""

    low: float
    high: float
    ticks: tuple[float, ...]


def levels(values: NDArray[np.float32]) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Return the pyramid over ``values`` ``(p, n)``, finest first: pairs of lowest and highest, float32 ``(p, m)``.

    ``m`` is ``n`` divided by ``LEVEL_FACTOR`` (rounded up) once per level; ``n`` up to ``COARSEST`` gives no level.
    """
    pyramid: list[tuple[NDArray[np.float32], NDArray[np.float32]]] = []
    low = high = values
    while low.shape[1] > COARSEST:
        low, high = _grouped(low).min(axis=2), _grouped(high).max(axis=2)
        pyramid.append((low, high))
    return pyramid


def _grouped(values: NDArray[np.float32]) -> NDArray[np.float32]:
    p, n = values.shape
    count = -(-n // LEVEL_FACTOR)
    # Padding repeats the last value, which changes no minimum and no maximum.
    padded = np.concatenate([values, np.repeat(values[:, -1:], count * LEVEL_FACTOR - n, axis=1)], axis=1)
    return padded.reshape(p, count, LEVEL_FACTOR)


def base_arrays(samples: Samples, change: NDArray[np.float64]) -> dict[str, _Array]:
    """Return what depends on the samples only: ``times`` f8 ``(n,)``, ``frames`` i4, ``change`` f4 with its levels.

    ``spikes`` are the indices of the samples where ``change`` (``lib.analysis.scoring.vector_change``) stands out, i4.
    """
    row = change.astype(np.float32)[None]
    arrays: dict[str, _Array] = {
        "times": samples.times_s,
        "frames": samples.frames.astype(np.int32),
        "change": row,
        "spikes": np.flatnonzero(spikes(change)).astype(np.int32),
    }
    return arrays | _named(row, "change")


def line_arrays(analysis: Analysis) -> dict[str, _Array]:
    """Return what depends on the scores: ``scores`` f4 ``(p, n)``, one row per label, and its levels.

    Where smoothing changes scores there is ``raw`` f4 ``(p, n)``, as they were, with its levels, and beside relative
    scores ``cosines`` f4 ``(p, n)``, before smoothing.
    """
    scores = np.ascontiguousarray(analysis.scores.T, dtype=np.float32)
    arrays = {"scores": scores} | _named(scores, "scores")
    if analysis.is_smoothed:
        raw = np.ascontiguousarray(analysis.raw.T, dtype=np.float32)
        arrays |= {"raw": raw} | _named(raw, "raw")
    if analysis.is_relative:
        arrays["cosines"] = np.ascontiguousarray(analysis.cosine.T, dtype=np.float32)
    return arrays


def _named(values: NDArray[np.float32], name: str) -> dict[str, _Array]:
    pairs = enumerate(levels(values))
    return {
        f"{name}.{side}{level}": array for level, (low, high) in pairs for side, array in (("low", low), ("high", high))
    }


def segment_arrays(segments: Sequence[Segment], labels: Sequence[str]) -> dict[str, _Array]:
    """Return all segments: ``start``, ``end`` f8, ``label`` u2 (a row of scores), ``mean``, ``peak`` f4, ``(m,)``."""
    place = {label: row for row, label in enumerate(labels)}
    return {
        "start": np.array([segment.start_s for segment in segments], dtype=np.float64),
        "end": np.array([segment.end_s for segment in segments], dtype=np.float64),
        "label": np.array([place[segment.label] for segment in segments], dtype=np.uint16),
        "mean": np.array([segment.mean_score for segment in segments], dtype=np.float32),
        "peak": np.array([segment.peak_score for segment in segments], dtype=np.float32),
    }


def wrong_arrays(wrong: Sequence[tuple[str, float, float]], labels: Sequence[str]) -> dict[str, _Array]:
    """Return where found and true differ: ``start``, ``end`` f8, ``label`` u2 (a row of scores), ``(m,)``."""
    place = {label: row for row, label in enumerate(labels)}
    return {
        "start": np.array([start for _, start, _ in wrong], dtype=np.float64),
        "end": np.array([end for _, _, end in wrong], dtype=np.float64),
        "label": np.array([place[label] for label, _, _ in wrong], dtype=np.uint16),
    }


def difference_arrays(
    differences: Sequence[Difference], labels_a: Sequence[str], labels_b: Sequence[str]
) -> dict[str, _Array]:
    """Return where two sides differ: ``start``, ``end`` f8, ``a``, ``b`` u2 (places of the labels), ``(m,)``."""
    place_a, place_b = ({label: row for row, label in enumerate(labels)} for labels in (labels_a, labels_b))
    return {
        "start": np.array([start for start, _, _, _ in differences], dtype=np.float64),
        "end": np.array([end for _, end, _, _ in differences], dtype=np.float64),
        "a": np.array([place_a.get(a or "", NOTHING) for _, _, a, _ in differences], dtype=np.uint16),
        "b": np.array([place_b.get(b or "", NOTHING) for _, _, _, b in differences], dtype=np.uint16),
    }


def encode_arrays(arrays: Mapping[str, _Array]) -> bytes:
    """Return the arrays, of type f4, f8, i4 or u2, as one binary document.

    Raises:
        ValueError: an array has another type.
    """
    entries, parts, offset = [], [], 0
    for name, array in arrays.items():
        kind = array.dtype.str[1:]
        if kind not in _TYPES:
            raise ValueError(f"{name} is of type {array.dtype}; a browser reads {', '.join(_TYPES)}")
        data = np.ascontiguousarray(array, dtype=_TYPES[kind]).tobytes()
        entries.append({"name": name, "dtype": kind, "shape": list(array.shape), "offset": offset})
        parts.append(data + bytes(-len(data) % 8))
        offset += len(parts[-1])
    header = json.dumps(entries, separators=(",", ":")).encode()
    header += b" " * (-(4 + len(header)) % 8)
    return b"".join([struct.pack("<I", len(header)), header, *parts])


def content_key(*arrays: _Array) -> str:
    """Return 32 hex digits that stand for the content of ``arrays``: BLAKE2b over types, shapes and bytes."""
    digest = hashlib.blake2b(digest_size=16)
    for array in arrays:
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def shown_thresholds(analysis: Analysis) -> tuple[list[float | None], float | None]:
    """Return each label's own threshold (None without), and the one that the others share.

    As in the charts: nothing where the decision uses none, and no shared one that decides nothing.
    """
    if not analysis.uses_thresholds:
        return [None] * len(analysis.labels), None
    own = [prompt.threshold for prompt in analysis.prompts]
    return own, analysis.prompt_set.settings.threshold if None in own else None


def score_axis(analysis: Analysis, band: tuple[float, float] | None = None) -> Axis:
    """Return the axis of the scores over the whole video, thresholds and the reference ``band`` included.

    A probability goes from 0 to 1; other scores from and to the round numbers that Vega's ``nice`` takes.
    """
    if analysis.prompt_set.settings.score == "probability":
        return Axis(0.0, 1.0, (0.0, 0.25, 0.5, 0.75, 1.0))
    own, shared = shown_thresholds(analysis)
    values = [value for value in (*own, shared, *(band or ())) if value is not None]
    if analysis.scores.size:
        for scores in (analysis.raw, analysis.scores):
            values += [float(scores.min()), float(scores.max())]
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    if high - low < 1e-9:
        low, high = low - 0.05, high + 0.05
    for _ in range(3):  # widening can make the step larger, once
        step = _step(low, high, _AXIS_TICKS)
        low, high = math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step
    step = _step(low, high, _DRAWN_TICKS)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return Axis(round(low, 9), round(high, 9), tuple(round(step * count, 9) for count in range(first, last + 1)))


def _step(low: float, high: float, count: int) -> float:
    """Return the round step (1, 2 or 5 times a power of ten) that divides the range into about ``count`` parts."""
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    for limit, factor in ((math.sqrt(50), 10), (math.sqrt(10), 5), (math.sqrt(2), 2)):
        if rough / power >= limit:
            return factor * power
    return power
