"""Embeddings: a catalogue with one row each, and one Lance table of samples each."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lib.core.errors import NotStoredError, StoreDamagedError, StoreError
from lib.core.samples import Samples
from lib.store import gaps, staging
from lib.store.faults import mapped_errors, table_error
from lib.store.home import StoreFolder, tree_bytes

if TYPE_CHECKING:
    from lancedb.table import Table

TABLE = "embeddings"
SAMPLES_PREFIX = "samples-"
_SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("sha256", pa.string()),
        ("engine_id", pa.string()),
        ("sampling_key", pa.string()),
        ("preprocessing", pa.string()),
        ("engine_name", pa.string()),
        ("dim", pa.int64()),
        ("complete", pa.bool_()),
        ("samples", pa.int64()),  # this and the next three are final only when complete
        ("duration_s", pa.float64()),  # the end
        ("damage", pa.string()),
        ("size_bytes", pa.int64()),
        ("created_at", pa.timestamp("us", tz="UTC")),
        ("start_s", pa.float64()),  # this and the next are None in rows of an older version
        ("damage_after_s", pa.float64()),
    ]
)
_FRAMES_PER_QUERY = 500
_AT_ONCE = timedelta(milliseconds=1)  # exactly zero makes LanceDB warn about readers, which try again here


def samples_schema(dim: int) -> pa.Schema:
    """Return the columns of a table of samples whose vectors have ``dim`` numbers."""
    return pa.schema(
        [
            ("frame", pa.int64()),
            ("time_s", pa.float64()),
            ("vector", pa.list_(pa.float16(), dim)),
            ("thumbnail", pa.binary()),
        ]
    )


@dataclass(frozen=True)
class EmbeddingKey:
    """What an embedding is of and how it was made; a change in any part is another embedding."""

    sha256: str
    engine_id: str
    sampling_key: str
    preprocessing: str

    @cached_property
    def id(self) -> str:
        """32 hex digits that stand for the key in file names."""
        text = "\n".join((self.sha256, self.engine_id, self.sampling_key, self.preprocessing))
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    @property
    def table(self) -> str:
        """Name of the table of samples."""
        return SAMPLES_PREFIX + self.id


@dataclass(frozen=True)
class EmbeddingInfo:
    """What the catalogue knows of an embedding."""

    key: EmbeddingKey
    engine_name: str
    dim: int
    samples: int
    complete: bool
    end_s: float
    """End of the video in seconds; of an incomplete embedding, the end of its last sample so far."""
    damage: str | None
    """What is lost of the video, in sentences without its name; None when it was read whole."""
    size_bytes: int
    """Space on disk, thumbnails included."""
    created_at: datetime
    missing: int = 0
    """Samples that should be there and have no vector: they are gaps (``Samples.gaps_s``)."""
    start_s: float = 0.0
    """Start of the video in seconds; of an incomplete embedding, 0."""
    damage_after_s: float | None = None
    """Time in seconds up to which the video is whole; None without damage."""

    @property
    def duration_s(self) -> float:
        """Length of the video in seconds; of an incomplete embedding, up to the end of its last sample so far."""
        return self.end_s - self.start_s

    @property
    def note(self) -> str:
        """``damage`` as a remark on a finished job; empty without any."""
        return self.damage or ""

    @property
    def version(self) -> str:
        """A text that changes whenever ``Store.load`` may give other samples: a key for what is computed from them."""
        return f"{self.key.id}|{self.created_at}|{self.samples}|{self.complete}"


class Embeddings:
    """The catalogue of embeddings and their samples."""

    def __init__(self, folder: StoreFolder) -> None:
        self._folder = folder
        self._gaps = gaps.Gaps(folder)

    def infos(self, sha256: str | None = None) -> list[EmbeddingInfo]:
        """Return all embeddings, or those of one video, oldest first."""
        missing = self._gaps.missing()
        return [self._info(row, missing) for row in self._rows() if sha256 in (None, row["sha256"])]

    def find(self, key: EmbeddingKey) -> EmbeddingInfo | None:
        """Return one embedding, or None."""
        row = self._find_row(key)
        return None if row is None else self._info(row)

    def begin(self, key: EmbeddingKey, *, engine_name: str, dim: int) -> EmbeddingInfo:
        """See ``Store.begin``."""
        with self._folder.writing():
            row = self._find_row(key)
            if row is None:
                row = _new_row(key, engine_name, dim)
                self._forget_deleted(key)
                self._folder.drop(key.table)  # what a crash between table and catalogue may have left
                self._folder.create(key.table, samples_schema(dim))
                self._folder.write_rows(TABLE, _SCHEMA, [*self._rows(), row])
            elif row["dim"] != dim:
                raise StoreError(
                    f"{engine_name} gives vectors of {dim} numbers, but the stored ones have {row['dim']}. "
                    "Delete the stored embedding, then embed the video again."
                )
        return self._info(row)

    def append(
        self,
        key: EmbeddingKey,
        *,
        frames: Sequence[int] | NDArray[np.int64],
        times_s: Sequence[float] | NDArray[np.float64],
        vectors: NDArray[np.float32],
        thumbnails: Sequence[bytes],
    ) -> None:
        """See ``Store.append``."""
        new_frames, new_times = np.asarray(frames, np.int64), np.asarray(times_s, np.float64)
        n = len(new_frames)
        if n == 0:
            return
        with self._folder.writing():
            row = self._row(key)  # a video deleted meanwhile must not come back as an orphan
            if new_times.shape != (n,) or vectors.shape != (n, row["dim"]) or len(thumbnails) != n:
                raise StoreError(
                    f"{n} frames came with times {new_times.shape}, vectors {vectors.shape} and "
                    f"{len(thumbnails)} thumbnails; each sample needs one, and a vector has {row['dim']} "
                    "numbers. Check that the engine serves the model you chose."
                )
            last = self.last_sample(key) or (-1, -np.inf)
            steps = (np.diff(new_frames, prepend=last[0]), np.diff(new_times, prepend=last[1]))
            if any(np.any(step <= 0) for step in steps):
                raise StoreError(
                    f"Samples from frame {new_frames[0]} on do not follow the stored frame {last[0]}, but "
                    "each is stored once and in order. Delete this embedding, then embed the video again."
                )
            if row["complete"]:
                raise StoreError("This embedding is complete; delete it before embedding the video again.")
            schema = samples_schema(row["dim"])
            rows = staging.Batch(new_frames, new_times, vectors, thumbnails).columns(schema)
            table = self._folder.open(key.table)
            with mapped_errors("storing samples"):
                table.add(pa.Table.from_batches([rows], schema=schema))

    def note_gaps(self, key: EmbeddingKey, found: Sequence[gaps.Gap], *, since_s: float) -> None:
        """See ``Store.note_gaps``."""
        with self._folder.writing():
            self._row(key)
            known = self._gaps.of(key.id)
            noted = [*(gap for gap in known if gap.start_s < since_s), *(g for g in found if g.start_s >= since_s)]
            if noted != known:
                self._gaps.write(key.id, noted)

    def finish(
        self, key: EmbeddingKey, *, end_s: float, damage: str | None, damage_after_s: float | None
    ) -> EmbeddingInfo:
        """See ``Store.finish``."""
        self._row(key)
        last = self.last_sample(key)
        if not np.isfinite(end_s) or (last is not None and end_s <= last[1]):
            raise StoreError(
                f"The video can't end at {end_s} s when its last sample is at {last and last[1]} s. "
                "Delete this embedding, then embed the video again."
            )
        start_s = self._start_of(key)
        self._compact(key)  # outside the lock: only the writer of this key comes here, and it takes a while
        with self._folder.writing():
            row = self._row(key)
            row |= {"complete": True, "samples": self._count(key), "duration_s": end_s, "damage": damage}
            row |= {"start_s": start_s, "damage_after_s": damage_after_s}
            row |= {"size_bytes": tree_bytes(self._folder.path_of(key.table))}
            self._folder.write_rows(TABLE, _SCHEMA, [row if r["id"] == key.id else r for r in self._rows()])
        return self._info(row)

    def put(
        self,
        key: EmbeddingKey,
        batches: Iterable[staging.Batch],
        *,
        row: dict[str, Any],
        gaps: Sequence[gaps.Gap],
        first: Callable[[], object],
    ) -> EmbeddingInfo:
        """See ``Store.put``; ``first`` is called under the lock before anything is visible."""
        schema = samples_schema(row["dim"])
        with staging.arriving(self._folder, key.id, schema, batches) as aside, self._folder.writing():
            there = self._find_row(key)
            if there is not None and there["complete"]:
                raise StoreError("This is in the library already; delete that embedding to store it again.")
            first()
            self._forget_deleted(key)
            staging.move_into_place(self._folder, aside, key.table)
            self._gaps.write(key.id, gaps)
            new = _new_row(key, row["engine_name"], row["dim"]) | row
            new |= {
                "start_s": self._start_of(key),
                "samples": self._count(key),
                "size_bytes": tree_bytes(self._folder.path_of(key.table)),
            }
            self._folder.write_rows(TABLE, _SCHEMA, [*(r for r in self._rows() if r["id"] != key.id), new])
        return self._info(new)

    def index(self, key: EmbeddingKey) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """See ``Store.sample_index``."""
        self._row(key)
        rows = self._folder.read(key.table, lambda table: table.search().select(["frame", "time_s"]).to_arrow())
        if rows is None:
            raise self._unreadable(key)
        frames, times_s = rows["frame"].to_numpy(), rows["time_s"].to_numpy()
        order = np.argsort(frames, kind="stable")
        return frames[order], times_s[order]

    def batches(self, key: EmbeddingKey, frames: Sequence[int]) -> Iterator[staging.Batch]:
        """See ``Store.batches``."""
        for start in range(0, len(frames), _FRAMES_PER_QUERY):
            rows = self._of_frames(key, frames[start : start + _FRAMES_PER_QUERY]).sort_by("frame")
            vectors = rows["vector"].combine_chunks().flatten().to_numpy().reshape(rows.num_rows, -1)
            yield staging.Batch(
                rows["frame"].to_numpy(),
                rows["time_s"].to_numpy(),
                vectors.astype(np.float32),
                rows["thumbnail"].to_pylist(),
            )

    def _of_frames(self, key: EmbeddingKey, frames: Sequence[int], *columns: str) -> pa.Table:
        """Return the rows of up to ``_FRAMES_PER_QUERY`` frames, as far as they are there; all columns by default."""

        def read(table: Table) -> pa.Table:
            listed = ", ".join(map(str, frames))
            return (
                table.search().where(f"frame IN ({listed})").select(list(columns or samples_schema(1).names)).to_arrow()
            )

        rows = self._folder.read(key.table, read)
        if rows is None:
            raise self._unreadable(key)
        return rows

    def last_sample(self, key: EmbeddingKey) -> tuple[int, float] | None:
        """Return frame index and time of the last sample stored; None when there is none."""
        tail = self._tail(key, 1)
        return (int(tail[0][0]), float(tail[1][0])) if len(tail[0]) else None

    def load(self, key: EmbeddingKey) -> Samples:
        """See ``Store.load``."""
        row = self._row(key)
        columns = ["frame", "time_s", "vector"]  # a thumbnail is not touched
        rows = self._folder.read(key.table, lambda table: table.search().select(columns).to_arrow())
        if rows is None:
            raise self._unreadable(key)
        vectors = np.empty((rows.num_rows, row["dim"]), np.float32)
        start = 0
        for chunk in rows["vector"].chunks:
            vectors[start : start + len(chunk)] = chunk.flatten().to_numpy().reshape(len(chunk), -1)
            start += len(chunk)
        if len(vectors):  # float16 rounding leaves rows a few 1e-5 off unit length
            vectors /= np.sqrt(np.einsum("nd,nd->n", vectors, vectors))[:, None]
        frames, times_s = rows["frame"].to_numpy(), rows["time_s"].to_numpy()
        if np.any(np.diff(frames) < 0):  # Lance keeps the order of appending; this does not rely on it
            order = np.argsort(frames, kind="stable")
            frames, times_s, vectors = frames[order], times_s[order], vectors[order]
        end_s = float(row["duration_s"] if row["complete"] else _end_so_far(times_s))
        found = self.gaps(key)
        gaps_s = np.array([(gap.start_s, gap.end_s) for gap in found]).reshape(-1, 2)
        start_s = (row["start_s"] or 0.0) if row["complete"] else _start(times_s, found)
        return Samples(frames, times_s, vectors, end_s, gaps_s, start_s)

    def gaps(self, key: EmbeddingKey) -> list[gaps.Gap]:
        """See ``Store.gaps``."""
        found, row = self._gaps.of(key.id), self._row(key)
        if row["complete"] or not found:
            return found
        last = self.last_sample(key)  # a gap is noted before the samples behind it are stored
        return [gap for gap in found if last is not None and gap.end_s <= last[1]]

    def thumbnails(self, key: EmbeddingKey, frames: Iterable[int]) -> dict[int, bytes]:
        """See ``Store.thumbnails``."""
        self._row(key)
        wanted = sorted({int(frame) for frame in frames})
        result: dict[int, bytes] = {}
        for start in range(0, len(wanted), _FRAMES_PER_QUERY):
            rows = self._of_frames(key, wanted[start : start + _FRAMES_PER_QUERY], "frame", "thumbnail")
            pairs = zip(rows["frame"].to_pylist(), rows["thumbnail"].to_pylist(), strict=True)
            result |= {frame: thumbnail for frame, thumbnail in pairs if thumbnail is not None}
        return result

    def delete(self, key: EmbeddingKey) -> int:
        """Remove one embedding; return the bytes freed. ``NotStoredError`` when it is not there."""
        with self._folder.writing():
            self._row(key)
            return self._drop([key])

    def delete_of(self, sha256: str) -> int:
        """Remove all embeddings of a video; return the bytes freed."""
        with self._folder.writing():
            return self._drop([_key(row) for row in self._rows() if row["sha256"] == sha256])

    def _drop(self, keys: Sequence[EmbeddingKey]) -> int:
        """Remove tables first: that frees the space that the catalogue's commit needs, and rows without one are none.

        The next commit leaves those rows out, where there is no room for it now.
        """
        freed = sum(self._folder.drop(key.table) for key in keys)
        if keys:
            with suppress(StoreError):
                self._folder.write_rows(TABLE, _SCHEMA, self._rows())
        return freed

    def sweep(self) -> None:
        """Remove tables of samples that no row names: a process died between table and catalogue."""
        with self._folder.writing():
            tables = {_key(row).table for row in self._rows()}
            for name in self._folder.table_names():
                if name.startswith(SAMPLES_PREFIX) and name not in tables:
                    self._folder.drop(name)
            staging.sweep(self._folder)
            self._gaps.keep_only({row["id"] for row in self._rows()})

    def _rows(self) -> list[dict[str, Any]]:
        """Return the rows of the embeddings that have a table; one without was being deleted."""
        tables = set(self._folder.table_names())
        return [row for row in self._folder.rows(TABLE, _SCHEMA) if SAMPLES_PREFIX + row["id"] in tables]

    def _forget_deleted(self, key: EmbeddingKey) -> None:
        """Leave out the row of a deleted embedding before it gets a table again. Call it under ``writing()``."""
        if self._folder.rows(TABLE, _SCHEMA, id=key.id):
            self._folder.write_rows(TABLE, _SCHEMA, self._rows())

    def _find_row(self, key: EmbeddingKey) -> dict[str, Any] | None:
        # Of thousands of embeddings only the one asked about is looked for on disk.
        row = next(iter(self._folder.rows(TABLE, _SCHEMA, id=key.id)), None)
        return row if row is not None and self._folder.path_of(key.table).exists() else None

    def _row(self, key: EmbeddingKey) -> dict[str, Any]:
        row = self._find_row(key)
        if row is None:
            raise self._gone()
        return row

    def _unreadable(self, key: EmbeddingKey) -> StoreError:
        """Return what to say of a table that is none: it was deleted, or lost its manifest."""
        there = self._folder.path_of(key.table).exists()
        return table_error(key.table, ValueError("no manifest")) if there else self._gone()

    @staticmethod
    def _gone() -> NotStoredError:
        return NotStoredError("This embedding is not in the store, or no longer; embed the video again.")

    def _info(self, row: dict[str, Any], missing: Mapping[str, int] | None = None) -> EmbeddingInfo:
        fields = {k: row[k] for k in ("engine_name", "dim", "complete", "damage", "created_at")}
        fields |= {"samples": row["samples"], "end_s": row["duration_s"], "size_bytes": row["size_bytes"]}
        fields["start_s"] = row["start_s"] or 0.0
        if row["damage"]:
            fields["damage_after_s"] = row["duration_s"] if row["damage_after_s"] is None else row["damage_after_s"]
        key = _key(row)
        fields["missing"] = (self._gaps.missing() if missing is None else missing).get(key.id, 0)
        if not row["complete"]:
            fields["size_bytes"] = tree_bytes(self._folder.path_of(key.table))
            try:
                fields |= {"samples": self._count(key), "end_s": _end_so_far(self._tail(key, 2)[1])}
            except StoreDamagedError as error:  # of this one; the others are listed all the same
                fields["damage"] = str(error)
        return EmbeddingInfo(key=key, **fields)

    def _count(self, key: EmbeddingKey) -> int:
        return self._folder.read(key.table, lambda table: int(table.count_rows())) or 0

    def _start_of(self, key: EmbeddingKey) -> float:
        """Return the start of a video whose samples are all stored."""

        def read(table: Table) -> pa.Table | None:
            return table.take_offsets([0]).select(["time_s"]).to_arrow() if table.count_rows() else None

        first = self._folder.read(key.table, read)
        return _start(np.empty(0) if first is None else first["time_s"].to_numpy(), self._gaps.of(key.id))

    def _tail(self, key: EmbeddingKey, rows: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return frames and times of the last samples stored, in order."""

        def read(table: Table) -> pa.Table:
            n = table.count_rows()
            offsets = list(range(max(0, n - rows), n))
            return table.take_offsets(offsets).select(["frame", "time_s"]).to_arrow() if offsets else None

        tail = self._folder.read(key.table, read)
        if tail is None:
            return np.empty(0, np.int64), np.empty(0)
        order = np.argsort(tail["frame"].to_numpy())
        return tail["frame"].to_numpy()[order], tail["time_s"].to_numpy()[order]

    def _compact(self, key: EmbeddingKey) -> None:
        """Make one fragment of many and free old versions' space; readers try again (``StoreFolder.read``)."""
        table = self._folder.open(key.table)
        with mapped_errors("compacting the samples"):
            table.optimize(cleanup_older_than=_AT_ONCE, delete_unverified=True)


def _new_row(key: EmbeddingKey, engine_name: str, dim: int) -> dict[str, Any]:
    return {
        **{"id": key.id, "sha256": key.sha256, "engine_id": key.engine_id},
        **{"sampling_key": key.sampling_key, "preprocessing": key.preprocessing},
        **{"engine_name": engine_name, "dim": dim, "complete": False, "samples": 0},
        **{"duration_s": 0.0, "start_s": None, "damage": None, "damage_after_s": None, "size_bytes": 0},
        "created_at": datetime.now(UTC),
    }


def _key(row: dict[str, Any]) -> EmbeddingKey:
    return EmbeddingKey(row["sha256"], row["engine_id"], row["sampling_key"], row["preprocessing"])


def _start(times_s: NDArray[np.float64], found: Sequence[gaps.Gap]) -> float:
    """Return the start of a video: that of its first sample, which is its first frame, or of a gap before it."""
    return min([*times_s[:1].tolist(), *(gap.start_s for gap in found)], default=0.0)


def _end_so_far(times_s: NDArray[np.float64]) -> float:
    """Return where the last sample's span ends while the video's end is unknown: one step after it."""
    if len(times_s) == 0:
        return 0.0
    return float(times_s[-1] + (times_s[-1] - times_s[-2] if len(times_s) > 1 else 1.0))
