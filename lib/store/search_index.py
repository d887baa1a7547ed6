"""The index of one engine: a LanceDB table of groups of neighbouring samples, with a vector index.

It is derived: nothing is lost with it, and a search without it compares every sample. How it is made and why, with
figures for 1,000,000 video-like samples x 512 (``benchmarks/README.md``):

* One row stands for up to 16 neighbouring samples that resemble each other, and has their mean: 80,000 rows instead
  of 1,000,000. Building an index of all samples took longer than three minutes, of the rows 20 s, and a moment
  is found by any of its samples anyway. The scores of the samples behind a row are then computed exactly.
* The mean over the library is subtracted. Vectors of one model all lie in a narrow cone, where the cells of an index
  hardly differ; the order of rows for a query stays the same. IVF_SQ found 0.97 instead of 0.84 of
  the best 100 rows with the same number of cells looked at.
* Scalar quantisation: found as much as none at half the bytes (0.97 and 0.96); RaBitQ found 0.71 even in all cells,
  since words are far from every picture and their scores differ by little.
* It is rebuilt in a table of its own name rather than added to: that takes seconds, searches go on in the old table,
  and whoever still reads that one when it is deleted takes the new one. One process builds at a time.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import struct
import threading
import uuid
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import filelock
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lib.core.errors import StoreError
from lib.infra.files import replace_durably, temporary_file
from lib.store.embeddings import EmbeddingInfo
from lib.store.faults import is_foreign, mapped_errors
from lib.store.home import StoreFolder
from lib.store.search_index_build import IndexBuild, OnProgress, stop_if
from lib.store.search_index_file import Groups, Index
from lib.store.search_vectors import VectorFiles

if TYPE_CHECKING:
    from lancedb.db import DBConnection
    from lancedb.table import Table

PREFIX = "search-"
_SUFFIX = ".npz"
LEAST_PROBED_CELLS = 32
"""Cells of an index that each search looks at, at least."""
_SHARE_OF_CELLS = 4  # one of so many cells is looked at
_OPEN_TABLES = 8
_CACHE_BYTES = 256 << 20
_TICK_S = 0.2


class Indexes:
    """The indexes of a store, one per engine."""

    def __init__(self, folder: StoreFolder, vector_files: VectorFiles) -> None:
        self._folder = folder
        self._vector_files = vector_files
        self._mutex = threading.Lock()
        self._read: dict[str, tuple[tuple[int, int, int], Index]] = {}
        self._tables: dict[str, Table] = {}
        self._db: DBConnection | None = None

    def find(self, engine_id: str) -> Index | None:
        """Return the index of an engine, None when there is none."""
        path = self._path(engine_id)
        try:
            status = os.stat(path)
            version = (status.st_ino, status.st_mtime_ns, status.st_size)
            read = self._read.get(engine_id)
            if read is not None and read[0] == version:
                return read[1]
            index = Index.read(path)
        except (OSError, ValueError, LookupError, EOFError, RuntimeError, struct.error, zipfile.BadZipFile):
            # not there, or damaged
            return None
        self._read[engine_id] = version, index
        return index

    def nearest(
        self, index: Index, vector: NDArray[np.float32], count: int
    ) -> tuple[Groups, NDArray[np.float32]] | None:
        """Return the ``count`` groups that score highest, best first, and about the mean of their samples' cosines.

        None when the index was replaced or deleted meanwhile, or is damaged: every sample is compared then.
        """

        def search(table: Table) -> pa.Table:
            query: Any = table.search(vector, vector_column_name="vector", query_type="vector")
            query = query.distance_type("dot").limit(count)
            query = query.nprobes(max(LEAST_PROBED_CELLS, index.cells // _SHARE_OF_CELLS))
            return query.with_row_id(True).select(["_distance"]).to_arrow()

        try:
            table = self._table_of(index)
            if table is None:
                return None
            neighbours = search(table)
        except BaseException as error:
            if not is_foreign(error):
                raise
            return None
        ids = neighbours["_rowid"].to_numpy()
        rows = np.searchsorted(index.row_ids, ids)
        if not np.array_equal(index.row_ids[np.minimum(rows, len(index.row_ids) - 1)], ids):
            return None
        scores = 1 - neighbours["_distance"].to_numpy() + np.float32(vector @ index.mean)
        return index.groups.take(rows), scores.astype(np.float32)

    def build(
        self,
        engine_id: str,
        find_infos: Callable[[], Sequence[EmbeddingInfo]],
        on_progress: OnProgress,
        cancel: threading.Event,
    ) -> Index | None:
        """Build the index of an engine over the embeddings that ``find_infos`` returns; None when there is nothing.

        One thread or process does; another one waits, and builds only what is missing after that.

        Raises:
            Cancelled: ``cancel`` was set; the index is what it was.
            StoreError: the disk is full or the store can't be used.
        """
        lock = self._folder.lock_of(PREFIX + _digest(engine_id))
        while True:
            with contextlib.suppress(filelock.Timeout):
                lock.acquire(timeout=_TICK_S, poll_interval=_TICK_S / 4)
                break
            stop_if(cancel)
        try:
            infos = find_infos()
            index = self.find(engine_id)
            if index is not None and len(infos) == len(index.embeddings) and all(map(index.covers, infos)):
                return index
            return self._build(engine_id, infos, on_progress, cancel) if infos else None
        finally:
            lock.release()

    def sweep(self, engine_ids: set[str]) -> None:
        """Remove the indexes of engines that have no embedding any more. Call it under ``writing()``."""
        digests = {_digest(engine_id) for engine_id in engine_ids}
        for path in self._folder.paths.search.glob(f"*{_SUFFIX}"):
            if path.stem not in digests:
                self._folder.remove(path)
        for name in self._folder.table_names():
            if name.startswith(PREFIX) and name.split("-")[1] not in digests:
                self._folder.drop(name)

    def _build(
        self, engine_id: str, infos: Sequence[EmbeddingInfo], on_progress: OnProgress, cancel: threading.Event
    ) -> Index | None:
        with self._folder.writing():
            self._remove_strays(engine_id)
        table = f"{_tables_of(engine_id)}{uuid.uuid4().hex[:8]}"
        try:
            index = IndexBuild(self._folder, self._vector_files, infos, on_progress, cancel).run(table)
            self._publish(engine_id, index)
        except BaseException:
            with contextlib.suppress(Exception), self._folder.writing():
                self._folder.drop(table)
            raise
        on_progress("indexing", index.samples, index.samples)
        return self.find(engine_id)

    def _remove_strays(self, engine_id: str) -> None:
        """Remove what a killed build left. Call it under ``writing()`` and the lock of builds."""
        index = self.find(engine_id)
        for name in self._folder.table_names():
            if name.startswith(_tables_of(engine_id)) and (index is None or name != index.table):
                self._folder.drop(name)
        path = self._path(engine_id)
        for temporary in path.parent.glob(f"{path.name}.*"):
            self._folder.remove(temporary)

    def _publish(self, engine_id: str, index: Index) -> None:
        """Put the index in the place of the one before."""
        path = self._path(engine_id)
        before = self.find(engine_id)
        with mapped_errors("building the index"):
            path.parent.mkdir(exist_ok=True)
            with temporary_file(path) as temporary:
                index.write(temporary)
                with self._folder.writing():
                    replace_durably(temporary, path)
                    if before is not None:
                        with contextlib.suppress(StoreError):  # the next build removes it
                            self._folder.drop(before.table)

    def _table_of(self, index: Index) -> Table | None:
        """Return the open table of an index; None when it was deleted."""
        with self._mutex:
            if not self._folder.exists(index.table):
                self._tables.pop(index.table, None)
                return None
            table = self._tables.get(index.table)
            if table is None:
                table = self._open(index.table)
            others = {} if len(self._tables) > _OPEN_TABLES else self._tables
            self._tables = {**others, index.table: table}
            return table

    def _open(self, table: str) -> Table:
        """Open a table with a cache that holds a whole index; Lance's tables share a smaller one."""
        if self._db is None:
            import lancedb

            session = lancedb.Session(index_cache_size_bytes=_CACHE_BYTES, metadata_cache_size_bytes=32 << 20)
            self._db = lancedb.connect(str(self._folder.paths.tables), session=session)
        return self._db.open_table(table)

    def _path(self, engine_id: str) -> Path:
        return self._folder.paths.search / f"{_digest(engine_id)}{_SUFFIX}"


def _digest(engine_id: str) -> str:
    return hashlib.sha256(engine_id.encode()).hexdigest()[:32]


def _tables_of(engine_id: str) -> str:
    return f"{PREFIX}{_digest(engine_id)}-"
