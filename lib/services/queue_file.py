"""The queue of embeddings as it is kept in ``<home>/queue.json``: which videos are to be embedded, with what, in order.

All tabs and processes of a home share the file. It is read, changed and written under one lock, whole or not at all,
and holds no key.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from lib.core.errors import InputError, StoreDamagedError
from lib.core.sampling import Sampling
from lib.infra import documents
from lib.services.documents import alone

MAX_ENTRIES = 50_000
MOST_KILLED = 2
"""Times that a process may be killed while it embeds a video; then the video is given up."""
KILLED_TWICE = (
    "Promptreel was killed twice while it embedded this video; look at its log and the memory that is free, then try "
    "again."
)
_FORMAT = 1
_MAX_BYTES = 64 << 20
_Stamp = tuple[int, int, int]
Move = Literal["first", "up", "down"]


@dataclass(frozen=True)
class Entry:
    """A video that is to be embedded."""

    sha256: str
    name: str
    """The video's, for people."""
    engine: str
    """What ``registry.make_engine`` takes: a name or a server's address."""
    model_version: str
    """Of a server; else empty."""
    engine_name: str
    """For people."""
    engine_id: str
    """When it was added: tells the speed of the engine."""
    sampling: str
    """Key of the sampling."""
    samples: int | None = None
    """In all, as far as the video's header tells."""
    done: int = 0
    """Samples that were there when it was stopped last."""
    problem: str = ""
    """Why it failed, or what it waits for; empty where nothing is wrong."""
    failed: bool = False
    running: bool = False
    """Whether a process has begun and not ended it; the process may be no more."""
    killed: int = 0
    """How often a process was killed while it embedded this."""

    @cached_property
    def id(self) -> str:
        """Tells it from others: the same video, engine and sampling have the same one."""
        text = "\n".join((self.sha256, self.engine, self.model_version, self.sampling))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def spec(self) -> tuple[str, str]:
        """Engine and model version."""
        return self.engine, self.model_version

    @property
    def left(self) -> int | None:
        """Samples that are missing; None where that isn't known."""
        return None if self.samples is None else max(0, self.samples - self.done)


@dataclass(frozen=True)
class Queue:
    """The queue at one time."""

    entries: tuple[Entry, ...] = ()
    """In the order in which they are embedded; failed ones too."""
    paused: bool = False
    reason: str = ""
    """Why it paused by itself; empty where somebody paused it."""

    @cached_property
    def waiting(self) -> tuple[Entry, ...]:
        """What is to be embedded, what is being embedded included."""
        return tuple(entry for entry in self.entries if not entry.failed)

    @cached_property
    def failed(self) -> tuple[Entry, ...]:
        """What was given up."""
        return tuple(entry for entry in self.entries if entry.failed)

    def get(self, entry_id: str) -> Entry | None:
        """Return the entry with an id, or None."""
        return self._by_id.get(entry_id)

    @cached_property
    def _by_id(self) -> dict[str, Entry]:
        return {entry.id: entry for entry in self.entries}

    def adding(self, new: Iterable[Entry], *, first: bool = False) -> Queue:
        """Return it with more entries, the last or the first; what is waiting already stays where it is.

        What failed is tried again. With ``first``, what is there already is moved.

        Raises:
            InputError: there would be more than ``MAX_ENTRIES``.
        """
        waiting = {entry.id for entry in self.waiting}
        added = {entry.id: entry for entry in new if first or entry.id not in waiting}
        others = tuple(entry for entry in self.entries if entry.id not in added)
        if len(others) + len(added) > MAX_ENTRIES:
            raise InputError(f"The queue holds at most {MAX_ENTRIES:,} videos; wait until some of them are embedded.")
        fresh = tuple(entry if (old := self.get(entry.id)) is None or old.failed else old for entry in added.values())
        return replace(self, entries=(*fresh, *others) if first else (*others, *fresh))

    def without(self, entry_ids: Collection[str]) -> Queue:
        """Return it without these."""
        gone = frozenset(entry_ids)
        return replace(self, entries=tuple(entry for entry in self.entries if entry.id not in gone))

    def moved(self, entry_id: str, where: Move) -> Queue:
        """Return it with one entry moved among those that wait; as it is where there is no such entry or place."""
        waiting = [entry for entry in self.waiting if entry.id != entry_id]
        place = next((place for place, entry in enumerate(self.waiting) if entry.id == entry_id), None)
        if place is None:
            return self
        to = {"first": 0, "up": max(0, place - 1), "down": place + 1}[where]
        waiting.insert(to, self.waiting[place])
        return replace(self, entries=(*waiting, *self.failed))

    def changed(self, entry_id: str, **fields: Any) -> Queue:
        """Return it with fields of one entry changed; as it is where there is no such entry."""
        entries = (replace(entry, **fields) if entry.id == entry_id else entry for entry in self.entries)
        return replace(self, entries=tuple(entries))

    def retrying(self, entry_ids: Collection[str]) -> Queue:
        """Return it with failed entries waiting again, behind the others."""
        wanted = frozenset(entry_ids)
        again = [replace(entry, failed=False, problem="", killed=0) for entry in self.failed if entry.id in wanted]
        left = self.without([entry.id for entry in again])
        return replace(left, entries=(*left.entries, *again))


def path_of(home: Path) -> Path:
    """Return the file."""
    return home / "queue.json"


def read(home: Path) -> Queue:
    """Return the queue of a home; read again only when the file has changed. What it returns is not to be changed.

    Raises:
        StoreDamagedError: the file can't be read; the next change keeps it under another name.
        StoreError: it can't be opened.
    """
    path = path_of(home)
    stamp = _stamp(path)
    if stamp is None:
        return Queue()
    with _lock:
        known = _read.get(path)
        if known is not None and known[0] == stamp:
            return known[1]
    found = documents.read_document(path, _from_dict, most_bytes=_MAX_BYTES) or Queue()
    _remember(path, stamp, found)
    return found


def _remember(path: Path, stamp: _Stamp, queue: Queue) -> None:
    with _lock:
        while len(_read) >= _MOST_READ:
            _read.pop(next(iter(_read)))
        _read[path] = stamp, queue


def change(home: Path, how: Callable[[Queue], Queue]) -> Queue:
    """Return what ``how`` makes of the queue, and keep it; a file that can't be read is kept under another name.

    Raises:
        OSError, StoreError: it can't be written; nothing has changed.
        PromptreelError: from ``how``; nothing has changed.
    """
    with alone(home, "queue"):
        try:
            before = read(home)
        except StoreDamagedError:
            documents.set_aside(path_of(home))
            before = Queue()
        after = how(before)
        if after != before:
            documents.write_document(path_of(home), _to_dict(after), home=home, most_bytes=_MAX_BYTES)
            if (stamp := _stamp(path_of(home))) is not None:
                _remember(path_of(home), stamp, after)
    return after


_lock = threading.Lock()
_MOST_READ = 8
_read: dict[Path, tuple[_Stamp, Queue]] = {}


def _stamp(path: Path) -> _Stamp | None:
    try:
        stat = os.stat(path)
    except OSError:
        return None  # reading it says what is wrong
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


def _to_dict(queue: Queue) -> dict[str, Any]:
    return {
        "format": _FORMAT,
        "paused": queue.paused,
        "reason": queue.reason,
        "entries": [{name: getattr(entry, name) for name in _READERS} for entry in queue.entries],
    }


def _from_dict(data: dict[str, Any]) -> Queue:
    if data["format"] != _FORMAT:
        raise ValueError("another format")
    entries = (_entry(one) for one in documents.listed(data["entries"], most=MAX_ENTRIES))
    return Queue(
        tuple({entry.id: entry for entry in entries}.values()),
        documents.flag(data["paused"]),
        documents.text(data["reason"]),
    )


def _entry(data: dict[str, Any]) -> Entry:
    Sampling.from_key(documents.text(data["sampling"]))
    return Entry(**documents.fields(data, _READERS))


_count = documents.whole_within(0, 10**12)
_READERS: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(
        ("sha256", "name", "engine", "model_version", "engine_name", "engine_id", "sampling", "problem"),
        documents.text,
    ),
    "samples": documents.optional(_count),
    "done": _count,
    "failed": documents.flag,
    "running": documents.flag,
    "killed": _count,
}
