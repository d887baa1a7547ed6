"""Documents that several tabs write: each tab's changes since it last read one are merged into what is there now.

A document that can't be read is never overwritten: it is kept under another name. One that is deleted lies in the
trash, and comes back when it is wanted or when a tab that still has it changes it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

import filelock

from lib.core.errors import StoreDamagedError, StoreError
from lib.infra.documents import set_aside
from lib.store.home import StorePaths

_LOCK_TIMEOUT_S = 10.0

T = TypeVar("T")


@dataclass(frozen=True)
class Merged(Generic[T]):
    """Two changes of one document."""

    value: T
    """Both changes; where they contradict each other, this tab's."""
    conflicts: tuple[str, ...] = ()
    """What they contradict each other in, in words."""


@dataclass(frozen=True)
class Kind(Generic[T]):
    """How documents of one kind are kept."""

    name: str
    """In words, such as ``experiment``."""
    folder: str
    """Name of the folder they lie in."""
    path: Callable[[Path, str], Path]
    """Of the home and the document's id."""
    load: Callable[[Path, str], T | None]
    save: Callable[[Path, str, T], None]
    merge: Callable[[T | None, T, T], Merged[T]]
    """Of what this tab read, what it has made of it, and what is there now."""


@dataclass(frozen=True)
class Synchronised(Generic[T]):
    """A document after reading, merging and writing it."""

    merged: Merged[T]
    theirs: T | None
    """What was there; None: nothing, or nothing that can be read."""
    aside: Path | None
    """Where a document lies now that couldn't be read."""


def synchronise(kind: Kind[T], home: Path, document_id: str, *, base: T | None, ours: T) -> Synchronised[T]:
    """Write ``ours``, merged with what somebody else has written since ``base`` was read.

    Raises:
        OSError, StoreError: it can't be written, or a document that can't be read can't be kept; nothing has changed.
    """
    aside, theirs = None, None
    with alone(home):
        try:
            theirs = kind.load(home, document_id)
        except StoreDamagedError:
            aside = set_aside(kind.path(home, document_id))
        if theirs is None and aside is None and _from_trash(kind.path(home, document_id)):
            theirs = kind.load(home, document_id)
        if theirs is None or theirs == base:
            merged = Merged(ours)
        else:
            merged = Merged(theirs) if ours == base else kind.merge(base, ours, theirs)
        if merged.value != theirs:
            kind.save(home, document_id, merged.value)
    return Synchronised(merged, theirs, aside)


def trash_of(path: Path) -> Path:
    """Return where the document lies that was ``path`` before it was deleted."""
    return path.parent / "trash" / path.name


def discard(kind: Kind[Any], home: Path, document_id: str) -> None:
    """Move a document to the trash; one that isn't there is no error.

    Raises:
        OSError, StoreError: it can't be moved.
    """
    path = kind.path(home, document_id)
    with alone(home), contextlib.suppress(FileNotFoundError):
        trash_of(path).parent.mkdir(parents=True, exist_ok=True)
        os.replace(path, trash_of(path))


def bring_back(kind: Kind[Any], home: Path, document_id: str) -> None:
    """Take a document from the trash; one that isn't there, or that a tab has written again, is no error.

    Raises:
        OSError, StoreError: it can't be moved.
    """
    with alone(home):
        _from_trash(kind.path(home, document_id))


def _from_trash(path: Path) -> bool:
    if path.exists():
        return False
    try:
        os.replace(trash_of(path), path)
    except FileNotFoundError:
        return False
    return True


@contextmanager
def alone(home: Path, name: str = "documents") -> Iterator[None]:
    """Keep other tabs, also those of another process, from reading and writing documents of this name meanwhile.

    Raises:
        StoreError: ``home`` is gone, or another process keeps the lock.
    """
    if not home.is_dir():
        raise StoreError(f"the folder {home} is gone; put it back, or restart Promptreel for a new one")
    locks = StorePaths(home).locks
    locks.mkdir(exist_ok=True)
    try:
        with filelock.FileLock(locks / f"{name}.lock", timeout=_LOCK_TIMEOUT_S, poll_interval=0.005):
            yield
    except filelock.Timeout as error:
        raise StoreError(f"another process keeps {locks / f'{name}.lock'}; wait for it or end it") from error


def merge_fields(base: T, ours: T, theirs: T, words: Mapping[str, str]) -> Merged[T]:
    """Merge two changes of a dataclass field by field.

    Args:
        base: what both began with.
        ours: this tab's.
        theirs: the other's.
        words: for conflicts, what each field is called; of a field without a name ours is taken without a word.
    """
    changed: dict[str, Any] = {}
    conflicts: list[str] = []
    for field in dataclasses.fields(cast(Any, base)):
        before, here, there = (getattr(one, field.name) for one in (base, ours, theirs))
        changed[field.name], conflict = merge_value(before, here, there)
        if conflict and field.name in words:
            conflicts.append(words[field.name])
    return Merged(cast(T, replace(cast(Any, ours), **changed)), tuple(conflicts))


def merge_value(base: Any, ours: Any, theirs: Any) -> tuple[Any, bool]:
    """Return both changes of a value as one (ours where that can't be), and whether they contradict each other.

    Of lists and mappings, what either has added is added and what either has removed is removed.
    """
    if theirs == base or ours == theirs:
        return ours, False
    if ours == base:
        return theirs, False
    if all(isinstance(value, tuple) for value in (base, ours, theirs)):
        return _merge_items(base, ours, theirs), False
    if all(isinstance(value, dict) for value in (base, ours, theirs)):
        names = [*theirs, *(name for name in ours if name not in theirs)]
        merged = {name: merge_value(base.get(name), ours.get(name), theirs.get(name)) for name in names}
        return {name: one for name, (one, _) in merged.items() if one is not None}, any(x for _, x in merged.values())
    return ours, True


def _merge_items(base: tuple[Any, ...], ours: tuple[Any, ...], theirs: tuple[Any, ...]) -> tuple[Any, ...]:
    kept = [item for item in ours if item in theirs or item not in base]
    return (*kept, *(item for item in theirs if item not in base and item not in ours))
