"""Embeddings that come whole: computed elsewhere, seen in the store when they are complete and not before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import filelock
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lib.store.format import Home, mapped_errors

GAPS = "gaps"
_GAPS_SCHEMA = pa.schema(
    [
        ("id", pa.string()),  # of the embedding
        ("start_s", pa.float64()),
        ("end_s", pa.float64()),
        ("missing", pa.int64()),  # samples that should lie in it
    ]
)
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


@dataclass(frozen=True)
class Gap:
    """A stretch ``[start_s, end_s)`` in seconds whose frames have no vector."""

    start_s: float
    end_s: float
    missing: int
    """Samples that should lie in it."""


@contextmanager
def arriving(home: Home, key_id: str, schema: pa.Schema, dim: int, batches: Iterable[Batch]) -> Iterator[str]:
    """Write samples into a table that nobody reads yet and yield its name; in the end there is no such table."""
    name = _PREFIX + key_id
    with home.lock_of(name):  # tells ``sweep`` that it is being written
        with home.writing():
            home.drop(name)  # what a killed process may have left
            home.create(name, schema)
        try:
            for batch in batches:
                flat = pa.array(np.ascontiguousarray(batch.vectors, np.float16).reshape(-1))
                columns = [
                    pa.array(batch.frames),
                    pa.array(batch.times_s),
                    pa.FixedSizeListArray.from_arrays(flat, dim),
                    pa.array(list(batch.thumbnails), pa.binary()),
                ]
                table = home.open(name)
                with mapped_errors("storing samples"):
                    table.add(pa.Table.from_arrays(columns, schema=schema))
            yield name
        finally:
            with home.writing():
                home.drop(name)


def move_into_place(home: Home, aside: str, table: str) -> None:
    """Give the table its final name. Call it under ``home.writing()``."""
    home.drop(table)
    with mapped_errors(f"storing the table {table}"):
        home.path_of(aside).rename(home.path_of(table))


def sweep(home: Home, known_ids: set[str]) -> None:
    """Remove what killed processes left: tables that nobody writes, gaps of no embedding. Call it under ``writing``."""
    for name in home.table_names():
        if name.startswith(_PREFIX):
            lock = home.lock_of(name)
            with suppress(filelock.Timeout), lock.acquire(timeout=0):
                home.drop(name)
    Gaps(home).keep_only(known_ids)


class Gaps:
    """The gaps of all embeddings."""

    def __init__(self, home: Home) -> None:
        self._home = home

    def of(self, key_id: str) -> list[Gap]:
        """Return the gaps of an embedding in order of time."""
        rows = [row for row in self._rows() if row["id"] == key_id]
        return sorted(
            (Gap(row["start_s"], row["end_s"], row["missing"]) for row in rows), key=lambda g: g.start_s
        )

    def missing(self) -> dict[str, int]:
        """Return the samples missing of each embedding that has gaps."""
        found: dict[str, int] = {}
        for row in self._rows():
            found[row["id"]] = found.get(row["id"], 0) + row["missing"]
        return found

    def write(self, key_id: str, gaps: Iterable[Gap]) -> None:
        """Replace the gaps of an embedding. Call it under ``writing()``."""
        self._replace(
            lambda row: row["id"] != key_id,
            [{"id": key_id, "start_s": g.start_s, "end_s": g.end_s, "missing": g.missing} for g in gaps],
        )

    def keep_only(self, key_ids: set[str]) -> None:
        """Forget the gaps of other embeddings. Call it under ``writing()``."""
        self._replace(lambda row: row["id"] in key_ids, [])

    def _rows(self) -> list[dict[str, Any]]:
        return self._home.rows(GAPS, _GAPS_SCHEMA)

    def _replace(self, keeps: Callable[[dict[str, Any]], bool], new: list[dict[str, Any]]) -> None:
        rows = self._rows()
        kept = [row for row in rows if keeps(row)]
        if new or len(kept) < len(rows):
            self._home.write_rows(GAPS, _GAPS_SCHEMA, [*kept, *new])
