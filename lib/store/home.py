"""The folder itself: where it is, its format version, its lock, and reading and writing its Lance tables."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import filelock
import pyarrow as pa

from lib.core.errors import StoreError, StoreVersionError
from lib.infra.files import write_atomically

if TYPE_CHECKING:
    from lancedb.db import DBConnection
    from lancedb.table import Table

FORMAT = 1
"""Version of the format; a store of another version is refused."""

_LOCK_TIMEOUT_S = 60.0
_READ_ATTEMPTS = 5
KEEP_VERSIONS = timedelta(minutes=1)  # so that whoever reads an old version can finish
_COMPACT_EVERY = 32  # commits between two clean-ups of a catalogue
_CACHE_BYTES = 64 << 20  # Lance's own default of several GiB would break the memory bar
_FOREIGN = (OSError, RuntimeError, ValueError, pa.ArrowException)

T = TypeVar("T")


def default_home() -> Path:
    """Return the folder from ``PROMPTREEL_HOME``, else ``~/.promptreel``."""
    return Path(os.environ.get("PROMPTREEL_HOME") or "~/.promptreel").expanduser()


def tree_bytes(path: Path) -> int:
    """Return the size in bytes of a file or of all files below a folder; 0 when it is gone."""
    if path.is_file():
        return path.stat().st_size
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            with contextlib.suppress(FileNotFoundError):  # a commit may replace files while we look
                total += os.stat(os.path.join(folder, name)).st_size
    return total


@contextlib.contextmanager
def mapped_errors(doing: str) -> Iterator[None]:
    """Turn what Lance, Arrow and the file system raise while ``doing`` something into ``StoreError``."""
    try:
        yield
    except _FOREIGN as error:
        raise _store_error(doing, error) from error


def _store_error(doing: str, error: BaseException) -> StoreError:
    full = isinstance(error, OSError) and error.errno == errno.ENOSPC
    if full or "No space left" in str(error):  # Lance wraps the system's words in its own error
        return StoreError(f"The disk is full: {doing} failed. Free some space, then try again.")
    if isinstance(error, PermissionError) or "Permission denied" in str(error):
        return StoreError(
            f"No permission: {doing} failed. Make the folder writable, or set PROMPTREEL_HOME to another one."
        )
    reason = " ".join(str(error).split())[:300] or type(error).__name__
    return StoreError(f"The store on disk has a problem: {doing} failed ({reason}). Try again.")


@dataclass(frozen=True)
class StorePaths:
    """Where things lie in a store's folder; nothing is read or made."""

    home: Path

    @property
    def tables(self) -> Path:
        """Lance tables."""
        return self.home / "lance"

    @property
    def videos(self) -> Path:
        """Uploads that the store keeps."""
        return self.home / "videos"

    @property
    def proxies(self) -> Path:
        """Playable copies."""
        return self.home / "proxies"

    @property
    def ground_truth(self) -> Path:
        """Ground truth that was edited or imported."""
        return self.home / "truth"

    @property
    def search(self) -> Path:
        """Vector files and indexes, derived."""
        return self.home / "search"

    @property
    def incoming(self) -> Path:
        """Uploads on their way in, on the disk of ``videos``: moving one costs nothing."""
        return self.home / "incoming"

    @property
    def hosted(self) -> Path:
        """Jobs of the hosted service under way, and results on their way in."""
        return self.home / "hosted"

    @property
    def locks(self) -> Path:
        """Lock files."""
        return self.home / "locks"

    @property
    def experiments(self) -> Path:
        """Experiments and the settings of their matrices."""
        return self.home / "experiments"

    @property
    def searches(self) -> Path:
        """Searches of the experiments, with their query pictures."""
        return self.home / "searches"

    @property
    def exports(self) -> Path:
        """Annotated clips."""
        return self.home / "exports"

    @property
    def models(self) -> Path:
        """Embedded models that were downloaded."""
        return self.home / "models"


class StoreFolder:
    """The store's folder: its format, its lock and its tables.

    Thread-safe; several processes may use the same folder at once.
    """

    def __init__(self, home: Path | None = None) -> None:
        self.paths = paths = StorePaths((home or default_home()).expanduser().absolute())
        self._mutex = threading.RLock()
        self._connecting = threading.Lock()
        self._db: DBConnection | None = None
        self._catalogues: dict[str, tuple[object, list[dict[str, Any]]]] = {}
        with mapped_errors(f"opening {self.paths.home}"):
            for folder in (paths.tables, paths.videos, paths.proxies, paths.incoming, paths.locks):
                folder.mkdir(parents=True, exist_ok=True)
        # One lock object for all threads, guarded by the mutex: that makes it re-entrant.
        self._file_lock = filelock.FileLock(self.paths.locks / "store.lock", thread_local=False)
        self._check_format()

    def _check_format(self) -> None:
        path = self.paths.home / "format.json"
        with self.writing(), mapped_errors(f"opening {self.paths.home}"):
            if not path.exists():
                if any(self.paths.tables.iterdir()):
                    raise StoreVersionError(
                        f"{self.paths.home} holds tables but no format.json, so its format is unknown. "
                        "Set PROMPTREEL_HOME to another folder, or move this one away."
                    )
                write_atomically(path, json.dumps({"format": FORMAT, "what": "Promptreel store"}) + "\n")
            try:
                version = json.loads(path.read_text())["format"]
            except (ValueError, KeyError, TypeError) as error:
                raise StoreVersionError(
                    f"{path} can't be read, so the store's format is unknown. "
                    "Set PROMPTREEL_HOME to another folder, or move this one away."
                ) from error
        if version != FORMAT:
            raise StoreVersionError(
                f"The store in {self.paths.home} has format {version}; this Promptreel reads format {FORMAT}. "
                "Use the Promptreel that wrote it, or set PROMPTREEL_HOME to another folder."
            )

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the one lock under which anything is changed; re-entrant within a thread."""
        with self._mutex:
            try:
                self._file_lock.acquire(timeout=_LOCK_TIMEOUT_S, poll_interval=0.01)
            except filelock.Timeout as error:
                raise StoreError(
                    f"Another process has kept the store in {self.paths.home} busy for {_LOCK_TIMEOUT_S:.0f} s. "
                    "Wait for it or end it, then try again."
                ) from error
            except OSError as error:
                raise _store_error(f"locking {self.paths.home}", error) from error
            try:
                yield
            finally:
                self._file_lock.release()

    def lock_of(self, name: str) -> filelock.BaseFileLock:
        """Return a new lock over ``name`` that excludes other threads and processes."""
        return filelock.FileLock(self.paths.locks / f"{name}.lock", thread_local=False)

    @property
    def db(self) -> DBConnection:
        """The connection, made on first use: importing LanceDB takes a second or two."""
        with self._connecting:
            if self._db is None:
                import lancedb

                session = lancedb.Session(index_cache_size_bytes=_CACHE_BYTES, metadata_cache_size_bytes=_CACHE_BYTES)
                with mapped_errors(f"opening {self.paths.tables}"):
                    self._db = lancedb.connect(str(self.paths.tables), session=session)
            return self._db

    def path_of(self, table: str) -> Path:
        """Return the folder of ``table``."""
        return self.paths.tables / f"{table}.lance"

    def table_names(self) -> list[str]:
        """Return the names of the tables that have a folder, also of broken ones."""
        return sorted(path.stem for path in self.paths.tables.glob("*.lance"))

    def create(self, table: str, schema: pa.Schema) -> Table:
        """Create an empty table, or return the one that is there. Call it under ``writing()``."""
        with mapped_errors(f"creating the table {table}"):
            if self.path_of(table).exists():
                return self.db.open_table(table)
            return self.db.create_table(table, schema=schema)

    def open(self, table: str) -> Table:
        """Return the newest version of ``table`` for writing, under ``writing()``; ``StoreError`` without one."""
        with mapped_errors(f"opening the table {table}"):
            return self.db.open_table(table)

    def read(self, table: str, read: Callable[[Table], T]) -> T | None:
        """Return ``read(newest version of table)``; None when there is no such table.

        A writer may delete a version while it is being read; then the next one is read.
        """
        for attempt in range(_READ_ATTEMPTS):
            if not self.path_of(table).exists():
                return None
            try:
                return read(self.db.open_table(table))
            except _FOREIGN as error:
                if attempt == _READ_ATTEMPTS - 1 and self.path_of(table).exists():
                    raise _store_error(f"reading the table {table}", error) from error
                time.sleep(0.02 * 2**attempt)
        return None

    def rows(self, table: str, schema: pa.Schema) -> list[dict[str, Any]]:
        """Return all rows of a catalogue as dictionaries, in the order written.

        A page asks several times per rerun, so the rows are cached until a commit, which may be another process's.
        """
        commits = self.commits(table)
        cached = self._catalogues.get(table)
        if cached is None or commits is None or cached[0] != commits:
            rows = self.read(table, lambda t: t.to_arrow().select(schema.names))
            cached = commits, rows.to_pylist() if rows is not None else []
            self._catalogues[table] = cached
        return [dict(row) for row in cached[1]]

    def commits(self, table: str) -> object | None:
        """Return what changes with every commit to ``table``; None where that is unknown.

        Lance writes a file with a random name for each transaction, then one with the version's number.
        """
        folder = self.path_of(table)
        try:
            return {part: frozenset(os.listdir(folder / part)) for part in ("_transactions", "_versions")}
        except OSError:
            return None

    def write_rows(self, table: str, schema: pa.Schema, rows: Sequence[Mapping[str, Any]]) -> None:
        """Replace a catalogue's rows in one commit. Call it, and ``rows()`` before, under ``writing()``."""
        target = self.create(table, schema)
        with mapped_errors(f"writing the table {table}"):
            target.add(pa.Table.from_pylist([dict(row) for row in rows], schema=schema), mode="overwrite")
        self.compact_now_and_then(target)

    def compact_now_and_then(self, table: Table) -> None:
        """Merge the fragments of a small table and drop its old versions, once in a while."""
        if table.version % _COMPACT_EVERY == 0:
            with mapped_errors(f"compacting the table {table.name}"):
                table.optimize(cleanup_older_than=KEEP_VERSIONS)

    def drop(self, table: str) -> int:
        """Remove ``table`` at once and return the bytes freed. Call it under ``writing()``."""
        return self.remove(self.path_of(table))

    def remove(self, path: Path) -> int:
        """Remove a file or folder of the store and return the bytes freed; 0 when it is not there.

        It is moved aside first, so that no reader sees a part of it.
        """
        if not path.exists():
            return 0
        freed = tree_bytes(path)
        trash = self.paths.home / f".trash-{uuid.uuid4().hex}"
        with mapped_errors(f"deleting {path.name}"):
            os.replace(path, trash)
            if trash.is_dir():
                shutil.rmtree(trash)
            else:
                trash.unlink()
        return freed

    def empty_trash(self) -> None:
        """Remove what a killed process left half deleted. Call it under ``writing()``."""
        for path in self.paths.home.glob(".trash-*"):
            self.remove(path)
