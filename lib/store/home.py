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

from lib.core.errors import StoreDamagedError, StoreError, StoreVersionError
from lib.infra.files import expanded, write_atomically
from lib.store.faults import is_foreign, mapped_errors, store_error, table_error, table_words

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
_MAKING = "making-"  # a table on its way in; renamed when it is all there
_READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)

T = TypeVar("T")


def default_home() -> Path:
    """Return the folder from ``PROMPTREEL_HOME``, else ``~/.promptreel``."""
    return expanded(os.environ.get("PROMPTREEL_HOME") or "~/.promptreel")


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
    def archive(self) -> Path:
        """What prompt sets find in all videos, derived."""
        return self.home / "archive"

    @property
    def categories(self) -> Path:
        """Prompt sets whose labels are an archive's categories, saved under a name."""
        return self.home / "categories"

    @property
    def folders(self) -> Path:
        """Folders that are kept with the library, with the files that they had."""
        return self.home / "folders"

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
    def versions(self) -> Path:
        """Saved versions of experiments."""
        return self.home / "versions"

    @property
    def searches(self) -> Path:
        """Searches of the experiments, with their query pictures."""
        return self.home / "searches"

    @property
    def pictures(self) -> Path:
        """Picture examples of prompts, ``<SHA-256>.jpg``."""
        return self.home / "pictures"

    def remote_video(self, sha256: str) -> Path:
        """Return what says where the file of a video is that stays in object storage."""
        return self.home / "remote" / f"{sha256}.json"

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
        self.paths = paths = StorePaths(expanded(home or default_home()).absolute())
        self._mutex = threading.RLock()
        self._connecting = threading.Lock()
        self._db: DBConnection | None = None
        self._catalogues: dict[str, tuple[object, list[dict[str, Any]]]] = {}
        # One lock object for all threads, guarded by the mutex: that makes it re-entrant.
        self._file_lock = filelock.FileLock(paths.locks / "store.lock", thread_local=False)
        with mapped_errors(f"opening {paths.home}"):
            self._begin()

    @property
    def _marker(self) -> Path:
        return self.paths.home / "format.json"

    def _begin(self) -> None:
        """Check the format, and make what is missing; a store that is only to be read needs no more than its format."""
        paths, there = self.paths, os.path.exists(self._marker)
        if there:
            self._check_format()
        try:
            for folder in (paths.tables, paths.videos, paths.proxies, paths.incoming, paths.locks):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            if not there or error.errno not in _READ_ONLY:
                raise
        if not there:
            with self._locked():
                self._make_format()

    def _make_format(self) -> None:
        if not os.path.exists(self._marker):
            if any(self.paths.tables.iterdir()):
                raise StoreVersionError(
                    f"{self.paths.home} holds tables but no format.json, so its format is unknown. "
                    "Set PROMPTREEL_HOME to another folder, or move this one away."
                )
            write_atomically(self._marker, json.dumps({"format": FORMAT, "what": "Promptreel store"}) + "\n")
        self._check_format()

    def _check_format(self) -> None:
        try:
            version = json.loads(self._marker.read_bytes())["format"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise StoreVersionError(
                f"{self._marker} can't be read, so the store's format is unknown. "
                "Set PROMPTREEL_HOME to another folder, or move this one away."
            ) from error
        if version != FORMAT:
            raise StoreVersionError(
                f"The store in {self.paths.home} has format {version}; this Promptreel reads format {FORMAT}. "
                "Use the Promptreel that wrote it, or set PROMPTREEL_HOME to another folder."
            )

    def check_there(self) -> None:
        """Raise ``StoreError`` when the folder was deleted or moved since it was opened."""
        if not os.path.exists(self._marker):
            raise StoreError(
                f"The store in {self.paths.home} was deleted or moved while Promptreel ran. "
                "Bring it back, or restart Promptreel to begin an empty one."
            )

    def writing(self, *, timeout_s: float = _LOCK_TIMEOUT_S) -> contextlib.AbstractContextManager[None]:
        """Hold the one lock under which anything is changed; re-entrant within a thread."""
        self.check_there()  # a lock would make the folder anew
        return self._locked(timeout_s)

    @contextlib.contextmanager
    def _locked(self, timeout_s: float = _LOCK_TIMEOUT_S) -> Iterator[None]:
        with self._mutex:
            try:
                self._file_lock.acquire(timeout=timeout_s, poll_interval=0.01)
            except filelock.Timeout as error:
                raise StoreError(
                    f"Another process has kept the store in {self.paths.home} busy for {timeout_s:.0f} s. "
                    "Wait for it or end it, then try again."
                ) from error
            except OSError as error:
                raise store_error(f"writing to {self.paths.home}", error) from error
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
        with contextlib.suppress(OSError):
            return sorted(
                name.removesuffix(".lance") for name in os.listdir(self.paths.tables) if name.endswith(".lance")
            )
        return []

    def exists(self, table: str) -> bool:
        """Return whether there is such a table. A folder alone is none: Lance makes it before its first manifest."""
        try:
            with os.scandir(self.path_of(table) / "_versions") as entries:
                return any(entry.name.endswith(".manifest") and entry.stat().st_size for entry in entries)
        except OSError:
            return False

    def create(self, table: str, schema: pa.Schema) -> Table:
        """Create an empty table, or return the one that is there. Call it under ``writing()``.

        It is made aside and renamed, so that whatever stops this leaves a table or none.
        """
        if self.exists(table):
            return self.open(table)
        self._clear(table)
        aside = f"{_MAKING}{uuid.uuid4().hex}"
        with mapped_errors(f"making {table_words(table)}"):
            try:
                self.db.create_table(aside, schema=schema)
                self.path_of(aside).rename(self.path_of(table))
            finally:
                shutil.rmtree(self.path_of(aside), ignore_errors=True)
        return self.open(table)

    def _clear(self, table: str) -> None:
        """Make room for a table where there is a folder without a manifest; data that lie in it are kept aside."""
        remains = self.path_of(table)
        if remains.exists() and any((remains / "data").glob("*")):
            with mapped_errors(f"making {table_words(table)}"):
                aside = self.paths.home / "damaged"
                aside.mkdir(exist_ok=True)
                remains.rename(aside / f"{table}-{time.time_ns()}")
        else:
            self.remove(remains)

    def open(self, table: str) -> Table:
        """Return the newest version of ``table`` for writing, under ``writing()``; ``StoreError`` without one."""
        try:
            return self.db.open_table(table)
        except BaseException as error:
            if not is_foreign(error):
                raise
            raise table_error(table, error) from error

    def read(self, table: str, read: Callable[[Table], T]) -> T | None:
        """Return ``read(newest version of table)``; None when there is no such table.

        A writer may delete a version while it is being read; then the next one is read.

        Raises:
            StoreDamagedError: it is there, but can't be read.
        """
        for attempt in range(_READ_ATTEMPTS):
            if not self.exists(table):
                self.check_there()
                return None
            try:
                return read(self.db.open_table(table))
            except BaseException as error:
                if not is_foreign(error):
                    raise
                if attempt == _READ_ATTEMPTS - 1 and self.exists(table):
                    raise table_error(table, error) from error
                time.sleep(0.02 * 2**attempt)
        return None

    def rows(self, table: str, schema: pa.Schema, **wanted: str) -> list[dict[str, Any]]:
        """Return the rows of a catalogue as dictionaries, in the order written: all, or those with these values.

        A page asks several times per rerun, so the rows are cached until a commit, which may be another process's.
        Columns that an older version's table lacks are None.
        """
        commits = self.commits(table)
        cached = self._catalogues.get(table)
        if cached is None or commits is None or cached[0] != commits:
            rows = self.read(table, lambda t: _with_columns(t.to_arrow(), schema).to_pylist())
            cached = commits, rows or []
            self._catalogues[table] = cached
        found = cached[1]
        for name, value in wanted.items():
            found = [row for row in found if row[name] == value]
        return [dict(row) for row in found]

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
        with mapped_errors(f"writing {table_words(table)}"):
            target.add(pa.Table.from_pylist([dict(row) for row in rows], schema=schema), mode="overwrite")
        self.compact_now_and_then(target)

    def write_derived(self, table: str, schema: pa.Schema, rows: Sequence[Mapping[str, Any]]) -> None:
        """As ``write_rows``, of what can be made again: a damaged table is replaced."""
        try:
            self.write_rows(table, schema, rows)
        except StoreDamagedError:
            self.drop(table)
            self.write_rows(table, schema, rows)

    def compact_now_and_then(self, table: Table) -> None:
        """Merge the fragments of a small table and drop its old versions, once in a while."""
        if table.version % _COMPACT_EVERY == 0:
            with contextlib.suppress(StoreError), mapped_errors("compacting"):  # what was written stays written
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
        with mapped_errors("deleting"):
            with contextlib.suppress(OSError):  # a full disk may have no room for another name
                os.replace(path, trash)
                path = trash
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
        return freed

    def empty_trash(self) -> None:
        """Remove what a killed process left half deleted or half made. Call it under ``writing()``."""
        for path in self._trash():
            self.remove(path)

    def has_trash(self) -> bool:
        """Return whether ``empty_trash`` would find something."""
        return any(True for _ in self._trash())

    def _trash(self) -> Iterator[Path]:
        yield from self.paths.home.glob(".trash-*")
        yield from self.paths.tables.glob(f"{_MAKING}*")


def _with_columns(found: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return a table with the columns of ``schema``; those an older version didn't have yet are empty."""
    there = found.select([name for name in schema.names if name == schema.names[0] or name in found.column_names])
    for field in schema:
        if field.name not in there.column_names:
            there = there.append_column(field, pa.nulls(len(there), field.type))
    return there
