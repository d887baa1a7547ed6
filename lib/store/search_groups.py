"""The rows of an index: groups of neighbouring samples; and the samples that represent a library."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lib.store.search_vectors import VectorFile

_SIMILAR = 0.85  # cosine from which neighbours are in one group
_LARGEST_GROUP = 16
_SAMPLE_SIZE = 2048


def schema(dim: int) -> pa.Schema:
    """Return the columns of an index: number of the embedding, first sample, how many, and their centred mean."""
    numbers = [(name, pa.int32()) for name in ("pack", "first", "count")]
    return pa.schema([*numbers, ("vector", pa.list_(pa.float16(), dim))])


def sample_vectors(vector_files: Sequence[VectorFile]) -> NDArray[np.float32]:
    """Return the vectors of samples at equal distances over all files, unit rows ``(r, dim)``."""
    total = sum(map(len, vector_files))
    wanted = np.linspace(0, total - 1, min(_SAMPLE_SIZE, total)).astype(np.int64)
    vectors, begin = [], 0
    for vector_file in vector_files:
        rows = wanted[(wanted >= begin) & (wanted < begin + len(vector_file))] - begin
        begin += len(vector_file)
        if len(rows):
            with contextlib.suppress(FileNotFoundError), vector_file.reading() as reader:
                vectors += [reader.unit_rows(row, row + 1) for row in rows.tolist()]
    return np.concatenate(vectors)


def group_rows(number: int, vector_file: VectorFile, mean: NDArray[np.float32]) -> pa.RecordBatch:
    """Return the rows of an index for embedding ``number``, one row per group, its mean less ``mean`` ``(dim,)``.

    Raises:
        FileNotFoundError: the embedding was deleted meanwhile.
    """
    firsts, vectors = [], []
    block = 256 * _LARGEST_GROUP
    with vector_file.reading() as reader:
        for begin in range(0, len(vector_file), block):
            rows = reader.unit_rows(begin, min(begin + block, len(vector_file)))
            first = _group_starts(rows)
            means = np.add.reduceat(rows, first, axis=0)
            means /= np.diff(np.append(first, len(rows)))[:, None]
            firsts.append(first + begin)
            vectors.append((means - mean).astype(np.float16))
    first = np.concatenate(firsts)
    flat = pa.array(np.concatenate(vectors).reshape(-1))
    columns = [np.full(len(first), number), first, np.diff(np.append(first, len(vector_file)))]
    arrays = [pa.array(column.astype(np.int32)) for column in columns]
    dim = vector_file.dim
    return pa.record_batch([*arrays, pa.FixedSizeListArray.from_arrays(flat, dim)], schema=schema(dim))


def _group_starts(rows: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return where groups begin: up to 16 neighbours of which each has a cosine of at least 0.85 with the next."""
    similarity = np.einsum("nd,nd->n", rows[1:], rows[:-1])
    starts = np.append(0, np.flatnonzero(similarity < _SIMILAR) + 1)
    stretches = zip(starts, np.append(starts[1:], len(rows)), strict=True)
    return np.concatenate([np.arange(start, stop, _LARGEST_GROUP) for start, stop in stretches])
