"""Embeddings that come whole: computed elsewhere, seen in the store when they are complete and not before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import filelock
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lib.store.faults import mapped_errors
from lib.store.home import StoreFolder

_PREFIX = "arriving-"


@dataclass(frozen=True)
class Batch:
    """Samples that follow one another."""

    frames: NDArray[np.int64]
    """Frame indices ``(n,)``, increasing."""
    times_s: NDArray[np.float64]
    """Presentation times in seconds ``(n,)``, increasing."""
    vectors: NDArray[np.float32]
    """Unit rows ``(n, dim)``."""
    thumbnails: Sequence[bytes | None]
    """``n`` JPEGs; None where there is no picture."""

    def columns(self, schema: pa.Schema) -> pa.RecordBatch:
        """Return the samples as rows of a table with ``schema``."""
        flat = pa.array(np.ascontiguousarray(self.vectors, np.float16).reshape(-1))
        vectors = pa.FixedSizeListArray.from_arrays(flat, schema.field("vector").type.list_size)
        thumbnails = pa.array(list(self.thumbnails), pa.binary())
        return pa.record_batch([pa.array(self.frames), pa.array(self.times_s), vectors, thumbnails], schema=schema)


@contextmanager
def arriving(folder: StoreFolder, key_id: str, schema: pa.Schema, batches: Iterable[Batch]) -> Iterator[str]:
    """Write samples into a table that nothing reads yet and yield its name; afterwards the table is dropped."""
    name = _PREFIX + key_id
    with folder.lock_of(name):  # tells ``sweep`` that it is being written
        with folder.writing():
            folder.drop(name)  # what a killed process may have left
            folder.create(name, schema)
        try:
            for batch in batches:
                table = folder.open(name)
                with mapped_errors("storing samples"):
                    table.add(pa.Table.from_batches([batch.columns(schema)], schema=schema))
            yield name
        finally:
            with folder.writing():
                folder.drop(name)


def move_into_place(folder: StoreFolder, aside: str, table: str) -> None:
    """Give the table its final name. Call it under ``folder.writing()``."""
    folder.drop(table)
    with mapped_errors(f"storing the table {table}"):
        folder.path_of(aside).rename(folder.path_of(table))


def has_litter(folder: StoreFolder) -> bool:
    """Return whether ``sweep`` may find something."""
    return any(name.startswith(_PREFIX) for name in folder.table_names())


def sweep(folder: StoreFolder) -> None:
    """Remove unfinished tables that nobody writes any more. Call it under ``writing()``."""
    for name in folder.table_names():
        if name.startswith(_PREFIX):
            lock = folder.lock_of(name)
            with suppress(filelock.Timeout), lock.acquire(timeout=0):
                folder.drop(name)
