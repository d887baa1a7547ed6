"""Stretches of an embedding that have no vectors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from lib.store.home import StoreFolder

GAPS = "gaps"


_GAPS_SCHEMA = pa.schema(
    [
        ("id", pa.string()),  # of the embedding
        ("start_s", pa.float64()),
        ("end_s", pa.float64()),
        ("missing", pa.int64()),  # samples that should lie in it
    ]
)


@dataclass(frozen=True)
class Gap:
    """A stretch ``[start_s, end_s)`` in seconds whose frames have no vector."""

    start_s: float
    end_s: float
    missing: int
    """Samples that should lie in it."""


class Gaps:
    """The gaps of all embeddings."""

    def __init__(self, folder: StoreFolder) -> None:
        self._folder = folder

    def of(self, key_id: str) -> list[Gap]:
        """Return the gaps of an embedding in order of time."""
        rows = self._folder.rows(GAPS, _GAPS_SCHEMA, id=key_id)
        return sorted((Gap(row["start_s"], row["end_s"], row["missing"]) for row in rows), key=lambda g: g.start_s)

    def missing(self) -> dict[str, int]:
        """Return the samples missing of each embedding that has gaps."""
        missing: Counter[str] = Counter()
        for row in self._rows():
            missing[row["id"]] += row["missing"]
        return missing

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
        return self._folder.rows(GAPS, _GAPS_SCHEMA)

    def _replace(self, keeps: Callable[[dict[str, Any]], bool], new: list[dict[str, Any]]) -> None:
        rows = self._rows()
        remaining = [row for row in rows if keeps(row)]
        if new or len(remaining) < len(rows):
            self._folder.write_rows(GAPS, _GAPS_SCHEMA, [*remaining, *new])
