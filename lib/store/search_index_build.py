"""Building an index: groups of neighbouring samples into a table, and LanceDB's vector index over it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lib.core.errors import Cancelled, NotStoredError
from lib.store.embeddings import EmbeddingInfo
from lib.store.faults import mapped_errors
from lib.store.home import StoreFolder
from lib.store.search_groups import group_rows, sample_vectors, schema
from lib.store.search_index_file import Groups, Index, created_us
from lib.store.search_vectors import VectorFile, VectorFiles

if TYPE_CHECKING:
    from lancedb.table import Table

CELLS_FROM = 5_000
"""Rows from which a vector index is faster than reading all rows."""
_ROWS_A_COMMIT = 50_000

OnProgress = Callable[[str, int, int], None]
"""Called with what is being done (``collecting`` or ``indexing``), samples done and samples in all."""


class IndexBuild:
    """One build of an index, in the calling thread."""

    def __init__(
        self,
        folder: StoreFolder,
        vector_files: VectorFiles,
        infos: Sequence[EmbeddingInfo],
        on_progress: OnProgress,
        cancel: threading.Event,
    ) -> None:
        self._folder = folder
        self._vector_files = vector_files
        self._infos = infos
        self._on_progress = on_progress
        self._cancel = cancel
        self._total = sum(info.samples for info in infos)

    def run(self, table_name: str) -> Index:
        """Make the table and return the index; on an error the table may be left.

        Raises:
            Cancelled: ``cancel`` was set.
            StoreError: the disk is full or the store can't be used.
        """
        embeddings = self._open_vector_files()
        index_sample = sample_vectors([vector_file for _, vector_file in embeddings])
        mean = index_sample.astype(np.float64).mean(axis=0).astype(np.float32)
        with self._folder.writing():
            table = self._folder.create(table_name, schema(len(mean)))
        self._add_groups(table, [vector_file for _, vector_file in embeddings], mean)
        stop_if(self._cancel)
        self._on_progress("indexing", 0, self._total)
        with mapped_errors("building the index"):
            cells = _create_vector_index(table)
            columns = ["pack", "first", "count"]
            rows = table.search().with_row_id(True).select(columns).to_arrow().sort_by("_rowid")
        stop_if(self._cancel)
        return Index(
            table=table_name,
            mean=mean,
            index_sample=index_sample,
            embeddings={info.key.id: number for number, (info, _) in enumerate(embeddings)},
            created={info.key.id: created_us(info) for info, _ in embeddings},
            samples=sum(len(vector_file) for _, vector_file in embeddings),
            groups=Groups(*(rows[column].to_numpy() for column in columns)),
            row_ids=rows["_rowid"].to_numpy(),
            cells=cells,
        )

    def _open_vector_files(self) -> list[tuple[EmbeddingInfo, VectorFile]]:
        """Return the embeddings with their vectors, less those deleted meanwhile; half of the collecting."""
        embeddings, done = [], 0
        for info in self._infos:
            self._step(done)
            with contextlib.suppress(NotStoredError, FileNotFoundError):
                embeddings.append((info, self._vector_files.get(info)))
            done += info.samples
        return embeddings

    def _add_groups(self, table: Table, vector_files: Sequence[VectorFile], mean: NDArray[np.float32]) -> None:
        """Fill the table, many embeddings per commit; the other half of the collecting."""
        batches: list[pa.RecordBatch] = []
        done = self._total
        for number, vector_file in enumerate(vector_files):
            self._step(done)
            with contextlib.suppress(FileNotFoundError):
                batches.append(group_rows(number, vector_file, mean))
            done += len(vector_file)
            rows = sum(batch.num_rows for batch in batches)
            if rows >= _ROWS_A_COMMIT or number == len(vector_files) - 1:
                with mapped_errors("building the index"):
                    table.add(pa.Table.from_batches(batches, schema=schema(len(mean))))
                batches = []

    def _step(self, done_of_both_halves: int) -> None:
        stop_if(self._cancel)
        self._on_progress("collecting", done_of_both_halves // 2, self._total)


def stop_if(cancel: threading.Event) -> None:
    """Raise ``Cancelled`` when ``cancel`` is set."""
    if cancel.is_set():
        raise Cancelled


def _create_vector_index(table: Table) -> int:
    """Create the vector index where it pays; return its cells, about one per 600 rows, or 0 for none."""
    rows: int = table.count_rows()
    if rows < CELLS_FROM:
        return 0
    from lancedb.index import IvfSq

    cells: int = 1 << max(3, round(np.log2(rows / 600)))
    config = IvfSq(distance_type="dot", num_partitions=cells, sample_rate=64, max_iterations=10)
    table.create_index("vector", config=config, replace=True)
    return cells
