"""Folders that are kept with the library: what in them is new, changed, moved or gone is found again on request.

``<home>/folders/<id>.json`` keeps the files that a folder had when it was looked into last, so that a video which was
deleted from the library stays deleted while its file stays the same.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from lib.core.errors import Cancelled, InputError, PromptreelError, VideoError
from lib.core.formatting import encodable, plural
from lib.infra import documents
from lib.infra.files import is_text, resolved
from lib.ingest.progress import Progress
from lib.services.documents import alone
from lib.services.video_files import MAX_FILES, has_video, videos_in
from lib.store.faults import mapped_errors
from lib.store.home import StorePaths
from lib.store.store import Store

MAX_FOLDERS = 200
_FORMAT = 1
_MAX_BYTES = 64 << 20
_NAMED = 5
"""Files that a note names."""
_FORGOTTEN = "The folder was forgotten meanwhile; the videos so far are in the library."


@dataclass(frozen=True)
class SeenFile:
    """A file as it was when its folder was looked into."""

    size_bytes: int
    mtime_ns: int
    sha256: str = ""
    """Empty where it could not be used as a video."""

    @property
    def stamp(self) -> tuple[int, int]:
        """What tells that it has changed."""
        return self.size_bytes, self.mtime_ns


@dataclass(frozen=True)
class Folder:
    """A folder that is kept."""

    path: Path
    files: Mapping[str, SeenFile] = field(default_factory=dict)
    """By their paths below the folder."""
    looked_at: float = 0.0
    """Seconds since 1970; 0 before the first look."""

    @cached_property
    def id(self) -> str:
        """16 hex digits."""
        return hashlib.sha256(str(self.path).encode()).hexdigest()[:16]

    @cached_property
    def videos(self) -> int:
        """How many of its files are videos."""
        return sum(bool(file.sha256) for file in self.files.values())


@dataclass(frozen=True)
class Changes:
    """What differs between two looks into a folder."""

    new: tuple[str, ...]
    changed: tuple[str, ...]
    gone: tuple[str, ...]


def compare(before: Mapping[str, SeenFile], now: Mapping[str, SeenFile]) -> Changes:
    """Return which files are there now and were not, are others under the same path, or are gone."""
    return Changes(
        tuple(name for name in now if name not in before),
        tuple(name for name, file in now.items() if name in before and before[name].stamp != file.stamp),
        tuple(name for name in before if name not in now),
    )


@dataclass(frozen=True)
class Look:
    """What came of a look into a folder."""

    name: str
    videos: int
    """In the folder now."""
    new: int
    changed: int
    moved: int
    gone: tuple[str, ...]
    refused: tuple[str, ...]
    """Why files can't be used, a sentence each."""

    @property
    def note(self) -> str:
        """In words, for the job."""
        counts = [
            plural(self.new, "new video") if self.new else "",
            f"{self.changed:,} changed" if self.changed else "",
            f"{self.moved:,} moved" if self.moved else "",
            f"{len(self.gone):,} no longer there ({_named(self.gone)}); what is embedded of them stays"
            if self.gone
            else "",
        ]
        said = ", ".join(count for count in counts if count) or "Nothing new"
        return " ".join((f"{said}. {plural(self.videos, 'video')} in {self.name}.", *self.refused[:_NAMED]))


def _named(names: Sequence[str]) -> str:
    more = f", and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def kept(home: Path) -> tuple[list[Folder], list[str]]:
    """Return the folders that are kept, by their paths, and the names of files that can't be read."""
    found, damaged = [], []
    for path in sorted(StorePaths(home).folders.glob("*.json"))[:MAX_FOLDERS]:
        try:
            folder = _load(path)
        except PromptreelError:
            damaged.append(path.name)
        else:
            if folder is not None and folder.id == path.stem:
                found.append(folder)
    return sorted(found, key=lambda folder: str(folder.path)), damaged


def keep(home: Path, path: Path, allowed: Sequence[Path]) -> Folder:
    """Keep a folder, or return the one that is kept.

    Raises:
        InputError: it is not allowed, has no video, or too many are kept.
        StoreError: it can't be written.
    """
    folder = Folder(resolved(path))
    _check(folder.path, allowed)
    with _readable(folder.path):
        if not has_video(folder.path):
            raise InputError(f"There is no video in {path}; choose another folder.")
    with alone(home, "folders"):
        there = StorePaths(home).folders
        if not _path(home, folder.id).exists() and len(list(there.glob("*.json"))) >= MAX_FOLDERS:
            raise InputError(f"At most {MAX_FOLDERS} folders are kept; forget one first.")
        try:
            known = _load(_path(home, folder.id))
        except PromptreelError:
            known = None  # looked into anew
        if known is None:
            _save(home, folder)
    return known or folder


def forget(home: Path, folder_id: str) -> None:
    """Keep a folder no longer; its videos stay in the library."""
    with mapped_errors("forgetting a folder"), alone(home, "folders"):
        _path(home, folder_id).unlink(missing_ok=True)


def look(
    store: Store,
    path: Path,
    allowed: Sequence[Path],
    *,
    on_progress: Callable[[Progress], None],
    cancel: threading.Event,
) -> Look:
    """Add what is new or changed in a folder to the library, and say what is gone; nothing is deleted.

    Args:
        store: the library.
        path: of a folder that is kept.
        allowed: folders that videos may be opened from.
        on_progress: told how many files are done.
        cancel: stops it; what was added so far stays.

    Raises:
        InputError: the folder is gone or empty, or outside the allowed ones.
        Cancelled: stopped, or the folder was forgotten.
        StoreError: what was found can't be kept.
    """
    home = store.home
    if not _path(home, Folder(path).id).exists():
        raise Cancelled(_FORGOTTEN)
    try:
        before = _load(_path(home, Folder(path).id)) or Folder(path)
    except PromptreelError:
        before = Folder(path)
    now = files_of(before, allowed)
    if before.videos and not now:  # as of a disk that isn't connected
        raise InputError(f"There is no video in {path} any more; connect its disk, or forget the folder.")
    changes = compare(before.files, now)
    todo = (*changes.new, *changes.changed)
    seen = {name: before.files[name] for name in now if name in before.files and name not in changes.changed}
    refused: list[str] = []
    stopped = False
    for done, name in enumerate(todo):
        on_progress(Progress(done, len(todo), 0.0, None))
        if cancel.is_set():
            stopped = True
            break
        try:
            seen[name] = replace(now[name], sha256=store.add_file(before.path / name).sha256)
        except VideoError as error:  # told once, and again when the file is another
            refused.append(str(error))
            seen[name] = now[name]
        except PromptreelError as error:  # of the store: tried again at the next look
            refused.append(str(error))
    left = {name: before.files[name] for name in changes.gone} if stopped else {}
    with mapped_errors("keeping what a folder holds"), alone(home, "folders"):
        if not _path(home, before.id).exists():
            raise Cancelled(_FORGOTTEN)
        _save(home, Folder(before.path, {**left, **seen}, time.time()))
    if stopped:
        raise Cancelled(f"Cancelled after {done} of {len(todo)}; the videos so far are in the library.")
    _find_again(store, before.path, {name: file for name, file in seen.items() if name not in todo})
    there = {file.sha256 for file in seen.values()} | {""}
    added = {seen[name].sha256 for name in changes.new if name in seen}
    gone = {before.files[name].sha256 for name in changes.gone}
    return Look(
        before.path.name,
        sum(bool(file.sha256) for file in seen.values()),
        sum(seen[name].sha256 not in gone | {""} for name in changes.new if name in seen),
        sum(bool(seen[name].sha256) for name in changes.changed if name in seen),
        len((gone & added) - {""}),
        tuple(name for name in changes.gone if before.files[name].sha256 not in there),  # the last of several copies
        tuple(refused),
    )


def _find_again(store: Store, path: Path, files: Mapping[str, SeenFile]) -> None:
    """Have videos played and embedded from their copies in a folder whose files in the library are gone."""
    names = {file.sha256: name for name, file in files.items()}
    for video in store.videos():
        if video.sha256 in names and video.has_file and not os.path.exists(video.path):
            with suppress(PromptreelError):  # it stays missing, which the library says
                store.add_file(path / names[video.sha256])


def files_of(folder: Folder, allowed: Sequence[Path]) -> dict[str, SeenFile]:
    """Return the videos that lie in a folder now, by their paths below it; links out of the allowed ones are left out.

    Raises:
        InputError: the folder is gone, or outside the allowed ones.
    """
    path = folder.path
    _check(path, allowed)
    found = {}
    with _readable(path):
        for file in videos_in([path], MAX_FILES):
            if _is_inside(file, allowed):
                with suppress(FileNotFoundError):  # it went just now
                    stat = os.stat(file)
                    found[file.relative_to(path).as_posix()] = SeenFile(stat.st_size, stat.st_mtime_ns)
    return found


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(f"The folder {path} can't be read ({error.strerror}); check it, then look again.") from error


def _check(path: Path, allowed: Sequence[Path]) -> None:
    if not _is_inside(path, allowed):
        names = ", ".join(str(one) for one in allowed) or "none yet"
        raise InputError(
            f"{path} is outside the folders that videos may be opened from ({names}); add it to PROMPTREEL_FOLDERS and "
            "start again."
        )
    if not is_text(path):
        raise InputError(f"The name of the folder {encodable(str(path))} is no readable text; rename it.")
    if not os.path.isdir(path):
        raise InputError(f"The folder {path} is not there; connect its disk, or forget the folder.")


def _is_inside(path: Path, allowed: Sequence[Path]) -> bool:
    real = resolved(path)
    return any(real.is_relative_to(one) for one in allowed)


# --- documents --------------------------------------------------------------------------------------------------------


def _path(home: Path, folder_id: str) -> Path:
    return StorePaths(home).folders / f"{folder_id}.json"


def _load(path: Path) -> Folder | None:
    try:
        stat = os.stat(path)
    except OSError:
        return None
    return _read(path, (stat.st_mtime_ns, stat.st_size, stat.st_ino))


@lru_cache(maxsize=MAX_FOLDERS)
def _read(path: Path, stamp: tuple[int, int, int]) -> Folder | None:
    return documents.read_document(path, _from_dict, most_bytes=_MAX_BYTES)


def _save(home: Path, folder: Folder) -> None:
    data = {
        "format": _FORMAT,
        "path": str(folder.path),
        "looked_at": folder.looked_at,
        "files": [[name, file.size_bytes, file.mtime_ns, file.sha256] for name, file in folder.files.items()],
    }
    documents.write_document(_path(home, folder.id), data, home=home, most_bytes=_MAX_BYTES)


_count = documents.whole_within(0, 2**63)
_time = documents.whole_within(-(2**63), 2**63)  # a file may be older than 1970


def _from_dict(data: dict[str, Any]) -> Folder:
    if data["format"] != _FORMAT:
        raise ValueError("another format")
    files = {}
    for name, size, mtime_ns, sha256 in documents.listed(data["files"], most=MAX_FILES):
        files[documents.text(name)] = SeenFile(_count(size), _time(mtime_ns), documents.text(sha256))
    return Folder(Path(documents.text(data["path"])), files, documents.within(0.0, 1e11)(data["looked_at"]))
