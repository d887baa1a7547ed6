"""What the rows of an index stand for: groups of neighbouring samples; and the samples that stand for a library."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lib.store.search_vectors import VectorFile

_ALIKE = 0.85
_ROWS = 16
_REFERENCE = 2048


def schema(dim: int) -> pa.Schema:
    """Return the columns of an index: which pack, first sample, how many, and their centred mean."""
    numbers = [(name, pa.int32()) for name in ("pack", "first", "count")]
    return pa.schema([*numbers, ("vector", pa.list_(pa.float16(), dim))])


def make_reference(packs: Sequence[VectorFile]) -> NDArray[np.float32]:
    """Return the vectors of samples at equal distances over all packs, unit rows."""
    total = sum(map(len, packs))
    wanted = np.linspace(0, total - 1, min(_REFERENCE, total)).astype(np.int64)
    found, begin = [], 0
    for pack in packs:
        rows = wanted[(wanted >= begin) & (wanted < begin + len(pack))] - begin
        begin += len(pack)
        if len(rows):
            with contextlib.suppress(FileNotFoundError), pack.reading() as reader:
                found += [reader.unit(row, row + 1) for row in rows.tolist()]
    return np.concatenate(found)


def rows_of(number: int, pack: VectorFile, mean: NDArray[np.float32]) -> pa.RecordBatch:
    """Return the rows that stand for the samples of one pack."""
    firsts, vectors = [], []
    with pack.reading() as reader:
        for begin in range(0, len(pack), 256 * _ROWS):
            rows = reader.unit(begin, min(begin + 256 * _ROWS, len(pack)))
            first = _group(rows)
            means = np.add.reduceat(rows, first, axis=0)
            means /= np.diff(np.append(first, len(rows)))[:, None]
            firsts.append(first + begin)
            vectors.append((means - mean).astype(np.float16))
    first = np.concatenate(firsts)
    flat = pa.array(np.concatenate(vectors).reshape(-1))
    columns = [np.full(len(first), number), first, np.diff(np.append(first, len(pack)))]
    arrays = [pa.array(column.astype(np.int32)) for column in columns]
    return pa.record_batch(
        [*arrays, pa.FixedSizeListArray.from_arrays(flat, pack.dim)], schema=schema(pack.dim)
    )


def _group(rows: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return where groups begin: neighbours with a cosine of at least 0.85 are together, up to 16 of them."""
    like = np.einsum("nd,nd->n", rows[1:], rows[:-1])
    starts = np.append(0, np.flatnonzero(like < _ALIKE) + 1)
    parts = [
        np.arange(start, stop, _ROWS)
        for start, stop in zip(starts, np.append(starts[1:], len(rows)), strict=True)
    ]
    return np.concatenate(parts)
