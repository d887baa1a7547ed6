"""The index of one engine: a LanceDB table of what neighbouring samples have in common, found by its vector index.

::

    PROMPTREEL_HOME/search/<engine>.npz       what the index covers, the mean it is centred on, a sample of the library
    PROMPTREEL_HOME/lance/search-<engine>-<n> pack int32, first int32, count int32, vector float16[dim] with IVF_SQ

It is derived: nothing is lost with it, and a search without it compares every sample. How it is made, and why, with
what 1,000,000 video-like samples x 512 gave (``benchmarks/README.md``):

* One row stands for up to 16 neighbouring samples that resemble each other, and has their mean: 80,000 rows instead
  of 1,000,000. Building an index of all samples took longer than three minutes, of the rows 20 s, and a moment
  is found by any of its samples anyway. The scores of the samples behind a row are then computed exactly.
* The mean over the library is taken off. Vectors of one model all lie in a narrow cone, in which the cells of an index
  are hardly apart; a query's order of rows stays the same without it. IVF_SQ found 0.97 instead of 0.84 of
  the best 100 rows with the same number of cells looked at.
* Scalar quantisation: found as much as none at half the bytes (0.97 and 0.96); RaBitQ found 0.71 even in all cells,
  since words are far from every picture and their scores differ by little.
* Built anew in a table of its own name rather than added to: it takes seconds, searches go on in the old one, and
  whoever still reads that finds it gone and takes the new one. One process builds at a time.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
import uuid
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import filelock
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lib.core.errors import Cancelled, NotStoredError, StoreError
from lib.infra.files import replace_durably, temporary_file
from lib.store.embeddings import EmbeddingInfo
from lib.store.home import StoreFolder, mapped_errors
from lib.store.search_groups import make_reference, rows_of, schema
from lib.store.search_vectors import VectorFile, VectorFiles

if TYPE_CHECKING:
    from lancedb.db import DBConnection
    from lancedb.table import Table

PREFIX = "search-"
_SUFFIX = ".npz"
_LOADING = threading.Lock()
_CELLS_FROM = 5_000  # rows from which a vector index is faster than reading all rows
_SHARE_OF_CELLS = 4  # one of so many cells is looked at, but
_CELLS = 32  # so many at least
_CACHE_BYTES = 256 << 20
_ROWS_A_COMMIT = 50_000
_TICK_S = 0.2

Tell = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False)
class Groups:
    """Groups of neighbouring samples."""

    packs: NDArray[np.int32]
    """Which pack each is of, as in ``Index.packs``, ``(k,)``."""
    firsts: NDArray[np.int32]
    """First sample of each, ``(k,)``."""
    counts: NDArray[np.int32]
    """Samples in each, ``(k,)``."""

    def __len__(self) -> int:
        return len(self.packs)

    def take(self, which: NDArray[np.int64] | slice) -> Groups:
        """Return some of them."""
        return Groups(self.packs[which], self.firsts[which], self.counts[which])


@dataclass(frozen=True, eq=False)
class Index:
    """What is known of an index without reading its table."""

    table: str
    mean: NDArray[np.float32]
    """What was taken off every vector, ``(dim,)``."""
    reference: NDArray[np.float32]
    """Unit vectors of samples from all over the library, ``(r, dim)``: an estimate of how scores are spread."""
    packs: dict[str, int]
    """Embedding id -> its number in the table."""
    samples: int
    groups: Groups
    """One a row of the table."""
    row_ids: NDArray[np.uint64]
    """What the table calls its rows, increasing: reading columns of the rows found would take longer than finding."""
    cells: int
    """Cells of its vector index; 0 where there is none, because its rows are few."""
    created: dict[str, int]
    """Embedding id -> when that embedding was made, in microseconds: one made again later is another one."""

    def covers(self, info: EmbeddingInfo) -> bool:
        """Return whether the samples of an embedding are in it."""
        return self.created.get(info.key.id) == _stamp(info)


class Indexes:
    """The indexes of a store, one an engine."""

    def __init__(self, home: StoreFolder, packs: VectorFiles) -> None:
        self._home = home
        self._packs = packs
        self._mutex = threading.Lock()
        self._known: dict[str, tuple[tuple[int, int, int], Index]] = {}
        self._tables: dict[str, Table] = {}
        self._db: DBConnection | None = None

    def find(self, engine_id: str) -> Index | None:
        """Return the index of an engine, None when there is none."""
        path = self._path(engine_id)
        try:
            status = os.stat(path)
            version = (status.st_ino, status.st_mtime_ns, status.st_size)
            known = self._known.get(engine_id)
            if known is not None and known[0] == version:
                return known[1]
            # One thread at a time: NumPy parses headers as Python, which two threads can't do at once in Python 3.11.
            with _LOADING, open(path, "rb") as file, np.load(file, allow_pickle=False) as stored:
                index = Index(
                    table=str(stored["table"]),
                    mean=stored["mean"],
                    reference=stored["reference"].astype(np.float32),
                    packs={str(key_id): number for number, key_id in enumerate(stored["ids"])},
                    samples=int(stored["samples"]),
                    groups=Groups(stored["packs"], stored["firsts"], stored["counts"]),
                    row_ids=stored["row_ids"],
                    cells=int(stored["cells"]),
                    created=dict(zip(stored["ids"].tolist(), stored["created"].tolist(), strict=True)),
                )
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):  # not there, or of no use
            return None
        self._known[engine_id] = version, index
        return index

    def nearest(
        self, index: Index, vector: NDArray[np.float32], count: int
    ) -> tuple[Groups, NDArray[np.float32]] | None:
        """Return the ``count`` groups that score highest, best first, and about the mean of their samples' cosines.

        None when the index was replaced or deleted meanwhile.
        """

        def read(table: Table) -> pa.Table:
            query: Any = table.search(vector, vector_column_name="vector", query_type="vector")
            query = (
                query.distance_type("dot").limit(count).nprobes(max(_CELLS, index.cells // _SHARE_OF_CELLS))
            )
            return query.with_row_id(True).select(["_distance"]).to_arrow()

        with self._mutex:
            table = self._tables.get(index.table)
            if table is None or not self._home.path_of(index.table).exists():
                self._tables.pop(index.table, None)
                table = self._open(index.table)
            if table is None:
                return None
            self._tables = (
                {index.table: table} if len(self._tables) > 8 else {**self._tables, index.table: table}
            )
        try:
            found = read(table)
        except (OSError, RuntimeError, ValueError, pa.ArrowException):
            if self._home.path_of(index.table).exists():
                with mapped_errors("searching"):
                    found = read(table)
            else:
                return None
        rows = np.searchsorted(index.row_ids, found["_rowid"].to_numpy())
        scores = 1 - found["_distance"].to_numpy() + np.float32(vector @ index.mean)
        return index.groups.take(rows), scores.astype(np.float32)

    def build(
        self,
        engine_id: str,
        find_infos: Callable[[], Sequence[EmbeddingInfo]],
        tell: Tell,
        cancel: threading.Event,
    ) -> Index | None:
        """Build the index of an engine over the embeddings that ``find_infos`` returns; None when there is nothing.

        One thread or process does; who comes meanwhile waits, and builds only what is then still missing.

        Raises:
            Cancelled: ``cancel`` was set; the index is what it was.
            StoreError: the disk is full or the store can't be used.
        """
        lock = self._home.lock_of(PREFIX + _digest(engine_id))
        while True:
            with contextlib.suppress(filelock.Timeout):
                lock.acquire(timeout=_TICK_S, poll_interval=_TICK_S / 4)
                break
            _stop_if(cancel)
        try:
            infos = find_infos()
            index = self.find(engine_id)
            if index is not None and len(infos) == len(index.packs) and all(map(index.covers, infos)):
                return index
            return self._build(engine_id, infos, tell, cancel) if infos else None
        finally:
            lock.release()

    def sweep(self, engine_ids: set[str]) -> None:
        """Remove the indexes of engines that have no embedding any more. Call it under ``writing()``."""
        kept = {_digest(engine_id) for engine_id in engine_ids}
        for path in (self._home.root / "search").glob(f"*{_SUFFIX}"):
            if path.stem not in kept:
                self._home.remove(path)
        for name in self._home.table_names():
            if name.startswith(PREFIX) and name.split("-")[1] not in kept:
                self._home.drop(name)

    def _build(
        self, engine_id: str, infos: Sequence[EmbeddingInfo], tell: Tell, cancel: threading.Event
    ) -> Index | None:
        total, done = sum(info.samples for info in infos), 0
        packs: list[tuple[EmbeddingInfo, VectorFile]] = []
        for info in infos:
            _stop_if(cancel)
            tell("collecting", done // 2, total)
            with contextlib.suppress(NotStoredError, FileNotFoundError):  # deleted meanwhile
                packs.append((info, self._packs.get(info)))
            done += info.samples
        reference = make_reference([pack for _, pack in packs])
        mean = reference.astype(np.float64).mean(axis=0).astype(np.float32)
        digest = _digest(engine_id)
        name = f"{PREFIX}{digest}-{uuid.uuid4().hex[:8]}"
        try:
            with self._home.writing():
                for stray in self._home.table_names():  # what a killed build left
                    if stray.startswith(f"{PREFIX}{digest}-") and stray != getattr(
                        self.find(engine_id), "table", ""
                    ):
                        self._home.drop(stray)
                path = self._path(engine_id)
                for stray_file in path.parent.glob(f"{path.name}.*"):
                    self._home.remove(stray_file)
                table = self._home.create(name, schema(len(mean)))
            waiting: list[pa.RecordBatch] = []
            for number, (info, pack) in enumerate(packs):
                _stop_if(cancel)
                tell("collecting", done // 2, total)
                with contextlib.suppress(FileNotFoundError):
                    waiting.append(rows_of(number, pack, mean))
                done += info.samples
                if sum(batch.num_rows for batch in waiting) >= _ROWS_A_COMMIT or number == len(packs) - 1:
                    with mapped_errors("building the index"):
                        table.add(pa.Table.from_batches(waiting, schema=schema(len(mean))))
                    waiting = []
            _stop_if(cancel)
            tell("indexing", 0, total)
            with mapped_errors("building the index"):
                cells = _cells(table.count_rows())
                if cells:
                    _create_index(table, cells)
                columns = ["pack", "first", "count"]
                rows = table.search().with_row_id(True).select(columns).to_arrow().sort_by("_rowid")
            _stop_if(cancel)
            self._publish(engine_id, name, packs, cells, rows, mean, reference)
        except BaseException:
            with contextlib.suppress(Exception), self._home.writing():
                self._home.drop(name)
            raise
        tell("indexing", total, total)
        return self.find(engine_id)

    def _publish(
        self,
        engine_id: str,
        table: str,
        packs: list[tuple[EmbeddingInfo, VectorFile]],
        cells: int,
        rows: pa.Table,
        mean: NDArray[np.float32],
        reference: NDArray[np.float32],
    ) -> None:
        path = self._path(engine_id)
        before = self.find(engine_id)
        with mapped_errors("building the index"):
            path.parent.mkdir(exist_ok=True)
            with temporary_file(path) as temporary:
                with open(temporary, "wb") as file:
                    np.savez(
                        file,
                        table=np.array(table),
                        ids=np.array([info.key.id for info, _ in packs]),
                        created=np.array([_stamp(info) for info, _ in packs], np.int64),
                        samples=np.array(sum(len(pack) for _, pack in packs)),
                        cells=np.array(cells),
                        packs=rows["pack"].to_numpy(),
                        firsts=rows["first"].to_numpy(),
                        counts=rows["count"].to_numpy(),
                        row_ids=rows["_rowid"].to_numpy(),
                        mean=mean,
                        reference=reference.astype(np.float16),
                    )
                with self._home.writing():
                    replace_durably(temporary, path)
                    if before is not None:
                        with contextlib.suppress(StoreError):  # the next build removes it
                            self._home.drop(before.table)

    def _open(self, table: str) -> Table | None:
        """Open a table with a cache that holds a whole index; Lance's tables share a smaller one."""
        if not self._home.path_of(table).exists():
            return None
        with mapped_errors(f"opening the table {table}"):
            if self._db is None:
                import lancedb

                session = lancedb.Session(
                    index_cache_size_bytes=_CACHE_BYTES, metadata_cache_size_bytes=32 << 20
                )
                self._db = lancedb.connect(str(self._home.tables), session=session)
            return self._db.open_table(table)

    def _path(self, engine_id: str) -> Path:
        return self._home.root / "search" / f"{_digest(engine_id)}{_SUFFIX}"


def _digest(engine_id: str) -> str:
    return hashlib.sha256(engine_id.encode()).hexdigest()[:32]


def _stamp(info: EmbeddingInfo) -> int:
    return round(info.created_at.timestamp() * 1e6)


def _stop_if(cancel: threading.Event) -> None:
    if cancel.is_set():
        raise Cancelled


def _cells(rows: int) -> int:
    """Return how many cells an index of so many rows has: about one for 600 rows."""
    return 1 << max(3, round(np.log2(rows / 600))) if rows >= _CELLS_FROM else 0


def _create_index(table: Table, cells: int) -> None:
    from lancedb.index import IvfSq

    config = IvfSq(distance_type="dot", num_partitions=cells, sample_rate=64, max_iterations=10)
    table.create_index("vector", config=config, replace=True)
