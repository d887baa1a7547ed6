"""Videos of the store: referenced where they lie, or kept by hash; one row each in the table ``videos``."""

from __future__ import annotations

import os
import shutil
import stat
import time
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from lib.core.errors import NotStoredError, StoreDamagedError, StoreError, VideoUnreadableError
from lib.core.formatting import encodable
from lib.core.validation import bounded_fraction
from lib.infra.files import atomic_file, expanded, sha256_of
from lib.media.video_info import VideoInfo
from lib.store.faults import mapped_errors
from lib.store.home import StoreFolder

TABLE = "videos"
NO_FILE = "none"
"""Container of a video of which only results were imported: there is no file, and no picture of it."""
HASHES = "hashes"
_SCHEMA = pa.schema(
    [
        ("sha256", pa.string()),
        ("name", pa.string()),
        ("path", pa.binary()),  # as the file system spells it: names need not be valid UTF-8
        ("owned", pa.bool_()),
        ("size_bytes", pa.int64()),
        ("mtime_ns", pa.int64()),
        ("duration_s", pa.float64()),  # the end
        ("rate", pa.string()),  # a fraction such as 30000/1001
        ("variable_rate", pa.bool_()),
        ("width", pa.int64()),
        ("height", pa.int64()),
        ("rotation", pa.int64()),
        ("codec", pa.string()),
        ("pixel_format", pa.string()),
        ("container", pa.string()),
        ("frame_count", pa.int64()),
        ("browser_playable", pa.bool_()),
        ("added_at", pa.timestamp("us", tz="UTC")),
        ("start_s", pa.float64()),  # None in rows of an older version
    ]
)
_HASH_SCHEMA = pa.schema(
    [("path", pa.binary()), ("size_bytes", pa.int64()), ("mtime_ns", pa.int64()), ("sha256", pa.string())]
)
_DELETED = ".deleted"
_MAX_HASHES = 5000
_RACY_NS = 2_000_000_000  # a file this young may change again within one tick of its clock
_NAME_LENGTH = 120
_MAX_RATE = 1_000_000


@dataclass(frozen=True)
class Video(VideoInfo):
    """One video of the store, identified by the SHA-256 of its bytes; ``Store.file_path`` checks its ``path``."""

    sha256: str
    name: str
    """File name for people, cleaned; not unique."""
    owned: bool
    """Whether the file is the store's own (an upload) and goes with it."""
    added_at: datetime

    @property
    def has_file(self) -> bool:
        """Whether there ever was a file; without one there is nothing to play, decode or embed."""
        return self.container != NO_FILE


def clean_name(name: str) -> str:
    """Return ``name`` without folders, control and formatting characters, at most 120 characters long."""
    name = unicodedata.normalize("NFC", encodable(name))
    name = name.replace("\\", "/").rsplit("/", 1)[-1]
    name = " ".join(name.split())
    name = "".join(c for c in name if unicodedata.category(c)[0] != "C").strip(". ") or "video"
    if len(name) > _NAME_LENGTH:
        stem, dot, suffix = name.rpartition(".")
        keep = len(suffix) + 1 if dot and len(suffix) <= 10 else 0
        name = f"{(stem if keep else name)[: _NAME_LENGTH - keep]}{'.' + suffix if keep else ''}"
    return name


def clean_suffix(name: str) -> str:
    """Return the suffix a kept file gets, for example ``.mp4``; empty when the name has none to trust."""
    suffix = Path(clean_name(name)).suffix.lower()
    return suffix if 2 <= len(suffix) <= 9 and suffix[1:].isascii() and suffix[1:].isalnum() else ""


class Videos:
    """The table of videos and the files that belong to it."""

    def __init__(self, folder: StoreFolder) -> None:
        self._folder = folder
        self._deleted = self._marked()
        """Videos whose deletion was cut short, by a death or for lack of room; their rows count for nothing."""
        self._checked: set[tuple[str, tuple[int, int]]] = set()
        """Videos whose bytes were compared with their hash, with their size and time of change then."""

    def all(self) -> list[Video]:
        """Return all videos, oldest first."""
        return [self._video(row) for row in self._rows()]

    def get(self, sha256: str) -> Video:
        """Return one video; ``NotStoredError`` when it is not there."""
        return self._video(self._row(sha256))

    def add(
        self,
        path: Path,
        *,
        name: str | None = None,
        sha256: str | None = None,
        move: bool = False,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> Video:
        """See ``Store.add_file``."""
        path = expanded(path).absolute()
        stat = _stat(path)
        digest = sha256 or self._remembered_hash(path, stat)
        known = self._find_row(digest) if digest and not move else None
        if known is not None and self._unchanged(known):  # costs neither probing nor hashing
            return self._added(known)
        from lib.media.frames import probe  # loads the decoder, which only an added video needs

        info = probe(path)
        digest = digest or self._hash(path, stat, on_progress)
        if _stat(path) != stat:
            raise VideoUnreadableError(f"{path.name} changed while it was read; add it when it is complete.")
        known = None if move else self._find_row(digest)
        if known is not None and self._unchanged(known):  # nothing to write, which a read-only store couldn't
            return self._added(known)
        return self._put(path, _new_row(path, stat, digest, clean_name(name or path.name), info), move=move)

    def _put(self, path: Path, row: dict[str, Any], *, move: bool) -> Video:
        """Write the row of a file, moved into the store where asked, unless the store has its bytes already."""
        suffix = clean_suffix(row["name"])
        with self._folder.writing():
            known = self._find_row(row["sha256"])
            if known is not None:
                if self._unchanged(known) and (known["owned"] or not move):
                    if move:
                        self._remove_second_copy(path, row["name"])
                    return self._added(known)
                row |= {"name": known["name"], "added_at": known["added_at"]}
            if move:
                row |= self._take(path, row["sha256"], suffix)
            others = [other for other in self._rows() if other["sha256"] != row["sha256"]]
            self._write([*others, row])
        return self._added(row)

    def _added(self, row: dict[str, Any]) -> Video:
        """Return a video that was added just now, so that another process's deletion cut short before is void."""
        with suppress(OSError):
            self._deletion_mark(row["sha256"]).unlink(missing_ok=True)
        return self._video(row)

    def _remove_second_copy(self, path: Path, name: str) -> None:
        if path.parent != self._folder.paths.videos:
            with mapped_errors(f"removing the second copy of {name}"):
                path.unlink()

    def add_without_file(self, sha256: str, *, name: str, span_s: tuple[float, float], size_bytes: int) -> Video:
        """See ``Store.put``; returns the video that is there where there is one."""
        with self._folder.writing():
            known = self._find_row(sha256)
            if known is not None:
                return self._video(known)
            row: dict[str, Any] = {
                **dict.fromkeys(_SCHEMA.names),
                **{"sha256": sha256, "name": clean_name(name), "path": b"", "owned": False},
                **{"size_bytes": size_bytes, "mtime_ns": 0, "start_s": span_s[0], "duration_s": span_s[1]},
                **{"width": 0, "height": 0, "rotation": 0, "codec": "", "pixel_format": ""},
                **{"container": NO_FILE, "browser_playable": False, "added_at": datetime.now(UTC)},
            }
            self._write([*self._rows(), row])
            return self._video(row)

    def delete(self, sha256: str) -> int:
        """Remove the row, the kept file (a referenced one stays) and the playable copy; return the bytes freed."""
        with self._folder.writing():
            row = self._row(sha256)
            mark = self._deletion_mark(sha256)  # before the bytes: whoever dies from here on has deleted the video
            with suppress(OSError):  # no room even for its name: tried again below, where there is some
                mark.touch()
            try:
                freed = self._remove_files(row)
            except StoreError:
                with suppress(OSError):
                    mark.unlink(missing_ok=True)
                raise
            self._deleted.add(sha256)
            try:
                self._write(self._rows())
            except StoreError:  # no room: the next commit leaves the row out
                with suppress(OSError):
                    mark.touch()
            return freed

    def has_half_deleted(self) -> bool:
        """Return whether a row or file of a deleted video may be left."""
        return bool(self._deleted)

    def finish_deletions(self) -> None:
        """Remove what is left of videos whose deletion was cut short. Call it under ``writing()``."""
        self._deleted &= self._marked()  # another process may have finished one, and added the video again
        for row in self._folder.rows(TABLE, _SCHEMA):
            if row["sha256"] in self._deleted:
                self._remove_files(row)
        self._write(self._rows())

    def _remove_files(self, row: dict[str, Any]) -> int:
        """Remove the playable copy and the kept file of a video; return the bytes freed."""
        freed = self._folder.remove(self.proxy_path(row["sha256"]))
        return freed + (self._folder.remove(self._path(row)) if row["owned"] else 0)

    def file_path(self, sha256: str) -> Path:
        """See ``Store.file_path``."""
        row = self._row(sha256)
        if row["container"] == NO_FILE:
            raise NotStoredError(
                f"{row['name']} was imported without its video, so it has no pictures; "
                "import the results once more together with the video."
            )
        if self._unchanged(row):
            return self._path(row)
        path = self._path(row)
        try:
            stat = _stat(path)
            same = stat[0] == row["size_bytes"] and self._hash(path, stat, None) == sha256
        except VideoUnreadableError:
            same = False
        if not same:
            raise NotStoredError(f"{row['name']} was moved or changed ({path}); add it again.")
        self._checked.add((sha256, stat))
        with suppress(StoreError), self._folder.writing():  # only touched: remember its new time where there is room
            self._write([{**r, "mtime_ns": stat[1]} if r["sha256"] == sha256 else r for r in self._rows()])
        return path

    def proxy_path(self, sha256: str) -> Path:
        """Return where the playable copy belongs; whether it is there is the caller's question."""
        return self._folder.paths.proxies / f"{sha256}.mp4"

    def _rows(self) -> list[dict[str, Any]]:
        return [row for row in self._folder.rows(TABLE, _SCHEMA) if row["sha256"] not in self._deleted]

    def _write(self, rows: list[dict[str, Any]]) -> None:
        """Replace the rows; those of deleted videos are gone then. Call it under ``writing()``."""
        self._folder.write_rows(TABLE, _SCHEMA, rows)
        for sha256 in self._deleted:
            with suppress(OSError):
                self._deletion_mark(sha256).unlink(missing_ok=True)
        self._deleted.clear()

    def _deletion_mark(self, sha256: str) -> Path:
        return self._folder.paths.videos / f"{sha256}{_DELETED}"

    def _marked(self) -> set[str]:
        return {path.stem for path in self._folder.paths.videos.glob(f"*{_DELETED}")}

    def _find_row(self, sha256: str) -> dict[str, Any] | None:
        return next((row for row in self._rows() if row["sha256"] == sha256), None)

    def _row(self, sha256: str) -> dict[str, Any]:
        row = self._find_row(sha256)
        if row is None:
            raise NotStoredError(f"The store has no video {sha256[:12]} (any more); add it again.")
        return row

    def _path(self, row: dict[str, Any]) -> Path:
        path = Path(os.fsdecode(row["path"]))
        return self._folder.paths.videos / path if row["owned"] else path  # kept files move with the store's folder

    def _video(self, row: dict[str, Any]) -> Video:
        fields = {k: v for k, v in row.items() if k not in ("path", "rate", "mtime_ns", "duration_s", "start_s")}
        fields |= {"end_s": row["duration_s"], "start_s": row["start_s"] or 0.0}
        rate = bounded_fraction(row["rate"], 0, _MAX_RATE)  # damaged: as if unknown
        return Video(**fields, path=self._path(row), rate=rate)

    def _unchanged(self, row: dict[str, Any]) -> bool:
        if row["container"] == NO_FILE:
            return False
        try:
            stat = _stat(self._path(row))
        except VideoUnreadableError:
            return False
        return stat == (row["size_bytes"], row["mtime_ns"]) or (row["sha256"], stat) in self._checked

    def _take(self, path: Path, sha256: str, suffix: str) -> dict[str, Any]:
        """Move a file into the store; return the fields of its row that this changes."""
        target = self._folder.paths.videos / f"{sha256}{suffix}"
        with mapped_errors(f"moving {path.name} into the store"):
            try:
                os.replace(path, target)
            except OSError:  # another disk: copy beside the target, so that a half copy never has its name
                with atomic_file(target) as temporary:
                    shutil.copyfile(path, temporary)
                path.unlink()
        return {"path": os.fsencode(target.name), "owned": True, "mtime_ns": target.stat().st_mtime_ns}

    def _remembered_hash(self, path: Path, stat: tuple[int, int]) -> str | None:
        key = os.fsencode(path)
        for row in self._hash_rows():
            if (row["path"], row["size_bytes"], row["mtime_ns"]) == (key, *stat):
                return str(row["sha256"])
        return None

    def _hash_rows(self) -> list[dict[str, Any]]:
        """Return the hashes remembered; none where their table is damaged, for they can be computed."""
        try:
            return self._folder.rows(HASHES, _HASH_SCHEMA)
        except StoreDamagedError:
            return []

    def _hash(self, path: Path, stat: tuple[int, int], on_progress: Callable[[int, int], None] | None) -> str:
        """Return the SHA-256 of a file, and remember it by path, size and time of change."""
        size, mtime_ns = stat
        key = os.fsencode(path)
        try:
            digest = sha256_of(path, on_progress and (lambda done: on_progress(done, max(size, done))))
        except OSError as error:
            raise StoreError(f"{path.name} can't be read to its end ({error.strerror}); try again.") from error
        if time.time_ns() - mtime_ns > _RACY_NS:
            with suppress(StoreError), self._folder.writing():  # without room for it, it is computed again
                rows = [row for row in self._hash_rows() if row["path"] != key]
                rows.append({"path": key, "size_bytes": size, "mtime_ns": mtime_ns, "sha256": digest})
                self._folder.write_derived(HASHES, _HASH_SCHEMA, rows[-_MAX_HASHES:])
        return digest


def _new_row(path: Path, stat: tuple[int, int], sha256: str, name: str, info: VideoInfo) -> dict[str, Any]:
    """Return the row of a video that is referenced where it lies."""
    return {
        **vars(info),
        **{"sha256": sha256, "name": name, "path": os.fsencode(path), "owned": False},
        **{"size_bytes": stat[0], "mtime_ns": stat[1], "added_at": datetime.now(UTC)},
        "rate": None if info.rate is None else str(info.rate),
        "duration_s": info.end_s,
    }


def _stat(path: Path) -> tuple[int, int]:
    """Return size in bytes and time of change in nanoseconds."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):  # opening a pipe waits for ever
            raise OSError("no file")
    except OSError as error:
        raise VideoUnreadableError(f"There is no readable file at {path}; check the path.") from error
    return found.st_size, found.st_mtime_ns
