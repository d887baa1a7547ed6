"""Videos of object storage or of folders, embedded on whichever machine, and published: nothing stays on that machine.

::

    sources ──▶ done before? ──▶ Runner ──▶ EmbedAndPublish: to scratch, hashed ─▶ ingest ─▶ publish ─▶ swept
                 (``Marks``)                  └────────── one Outcome each ──────────▶ Progress

That a source is done is remembered where it is published: ``sources/<hash of its address, size and ETag>/<SHA-256 of
its bytes>`` is an empty file. Its name says all, so two listings tell what is done, of however many videos.
"""

from __future__ import annotations

import errno
import hashlib
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from stat import S_ISREG

from lib.core.errors import Cancelled, EngineError, InputError, StoreError, VideoUnreadableError
from lib.core.formatting import format_bytes
from lib.core.sampling import Sampling
from lib.engines.engine import Engine
from lib.engines.registry import api_key_from_environment, make_engine
from lib.engines.server import ServerEngine
from lib.infra.files import expanded, sha256_of
from lib.ingest.ingest import embedding_key, embedding_key_of, ingest
from lib.ingest.progress import Progress
from lib.remote.parts import Parts
from lib.remote.publishing import publish
from lib.remote.records import find, published_ids
from lib.remote.storage import Remote, RemoteFile, is_address, split_pattern
from lib.services.runners import Outcome, Runner
from lib.services.scratch import SCRATCH_VARIABLE, scratch_folder
from lib.services.server_identity import IdentifiedEngine
from lib.services.video_files import MAX_FILES, SUFFIXES, named_videos
from lib.store.home import StorePaths, default_home
from lib.store.store import Store

PART_S = 300.0
"""Seconds of work that are repeated at most where a worker dies: what was embedded meanwhile is saved as a part."""
_FOLDER = "file://"
_MARKS = "sources"
_MARK = re.compile(rf"{_MARKS}/([0-9a-f]{{32}})/([0-9a-f]{{64}})")
_ROOM = 1.2  # of a video's size: its samples take a few per cent of it
Gate = AbstractContextManager[object]


def sources(texts: Iterable[str]) -> list[RemoteFile]:
    """Return the videos that addresses and paths name, in order of their addresses, each once.

    Args:
        texts: such as ``s3://bucket/videos/*.mp4``, ``s3://bucket/videos``, folders, files and patterns of this
            machine; ``**`` is any folder.

    Raises:
        InputError: one of them names no video, or there are more than ``MAX_FILES``.
        RemoteError: the storage can't be read.
    """
    found: dict[str, RemoteFile] = {}
    for text in texts:
        files: Iterable[RemoteFile]
        if "://" in text and not text.startswith(_FOLDER):  # of another kind: refused, as it may hold a key
            place, pattern = split_pattern(text)
            files = (file for file in Remote(place).files(pattern) if Path(file.path).suffix.lower() in SUFFIXES)
        else:
            files = map(_local, named_videos([text.removeprefix(_FOLDER)]))
        before = len(found)
        for file in files:
            found[file.uri] = file
            if len(found) > MAX_FILES:
                raise InputError(f"There are more than {MAX_FILES:,} videos; name fewer at a time.")
        if len(found) == before and is_address(text):
            raise InputError(f"No video is named like {text}; check the address.")
    return sorted(found.values(), key=lambda file: file.uri)


def _local(path: Path) -> RemoteFile:
    """Return a file of this machine; one that isn't there is told when its turn comes."""
    path = expanded(path).absolute()
    size, tag = 0, ""
    with suppress(OSError):
        stat = path.stat()
        size, tag = stat.st_size, f"{stat.st_mtime_ns:x}-{stat.st_ino:x}"
    return RemoteFile(f"{_FOLDER}{path}", path.name, size, tag)


class Marks:
    """Which sources were embedded and published before, by this or another driver."""

    def __init__(self, remote: Remote) -> None:
        self._sha256: dict[str, str] = {}
        self._published = frozenset(published_ids(remote))
        for file in remote.files(f"{_MARKS}/**"):
            if found := _MARK.fullmatch(file.path):
                self._sha256[found[1]] = found[2]

    def is_done(self, source: RemoteFile, engine: Engine, sampling: Sampling) -> bool:
        """Return whether the bytes that a source had then, and has now, are published with this engine and sampling."""
        sha256 = self._sha256.get(_mark(source))
        return sha256 is not None and embedding_key_of(sha256, engine, sampling).id in self._published


def _mark(source: RemoteFile) -> str:
    text = "\n".join((source.uri, str(source.size_bytes), source.etag))
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:32]


@dataclass(frozen=True)
class Embedded:
    """What became of one source that didn't fail."""

    sha256: str
    id: str
    """Of the embedding (``EmbeddingKey.id``)."""
    samples: int
    new: bool
    """False where its content was published before."""
    note: str = ""
    """What is damaged of the video; empty when nothing is."""


@dataclass(frozen=True)
class EmbedAndPublish:
    """The work of one source; calling it twice, also at once, publishes once.

    The two last fields are for work in this process; all others can be pickled. Keys are none of them: each machine
    has those of its own environment.
    """

    remote: str
    """Address of where it is published."""
    engine: str
    """Specification of the engine, see ``make_engine``."""
    model: str
    """Model version of an inference server."""
    engine_id: str
    """The engine's id, so that no machine with other weights takes part."""
    sampling: Sampling
    gate: Gate | None = None
    """Held for each request to an inference server."""
    cancel: threading.Event | None = None
    on_progress: Callable[[RemoteFile, Progress], None] | None = None

    def __call__(self, source: RemoteFile) -> Embedded:
        """Embed a source and publish it.

        Raises:
            PromptreelError: in one sentence, what is wrong with the video, the engine, the storage or the machine.
            Cancelled: ``cancel`` was set.
        """
        remote, engine = Remote(self.remote), _engine(self.engine, self.model, self.engine_id)
        if isinstance(engine, IdentifiedEngine) and self.gate is not None:
            engine.limit_requests(self.gate)
        if source.uri.startswith(_FOLDER):
            source = _local(Path(source.uri.removeprefix(_FOLDER)))  # as it is by now
        with scratch_folder(source.uri) as folder:
            path, sha256 = self._fetched(source, folder)
            key = embedding_key_of(sha256, engine, self.sampling)
            there = find(remote, key.id)
            if there is not None:
                Parts(remote, key).remove()
                embedded = Embedded(sha256, key.id, there.samples, False, there.damage or "")
            else:
                embedded = self._embedded(remote, engine, source, path, sha256, folder)
            if source.etag:
                remote.create(f"{_MARKS}/{_mark(source)}/{sha256}", b"")
        return embedded

    def _fetched(self, source: RemoteFile, folder: Path) -> tuple[Path, str]:
        """Return a file of this machine with the bytes of a source, and their SHA-256."""
        name = source.uri.rpartition("/")[2]

        def on_bytes(done: int, total: int) -> None:
            if self.cancel is not None and self.cancel.is_set():
                raise Cancelled
            if self.on_progress is not None:
                words = f"reading {format_bytes(done)} of {format_bytes(total)}"
                self.on_progress(source, Progress(done, total, 0.0, None, words))

        if source.uri.startswith(_FOLDER):
            path = Path(source.uri.removeprefix(_FOLDER))
            try:
                if not S_ISREG(path.stat().st_mode):  # opening a pipe waits for ever
                    raise OSError(errno.EINVAL, "it is no file")
                return path, sha256_of(path, lambda done: on_bytes(done, source.size_bytes))
            except OSError as error:
                raise VideoUnreadableError(f"{name} can't be read ({error.strerror}); check its path.") from error
        free = shutil.disk_usage(folder).free
        if free < source.size_bytes * _ROOM:
            raise StoreError(
                f"{folder.parent} has {format_bytes(free)} left, too little for {name} of "
                f"{format_bytes(source.size_bytes)}; free some, or set {SCRATCH_VARIABLE} to another folder."
            )
        path = folder / f"video{Path(name).suffix.lower()}"
        place = Remote(source.uri.rpartition("/")[0])
        try:
            return path, place.download(replace(source, path=name), path, on_progress=on_bytes)
        except OSError as error:
            raise StoreError(f"{folder} can't be written ({error.strerror}); check its disk and its rights.") from error

    def _embedded(
        self, remote: Remote, engine: Engine, source: RemoteFile, path: Path, sha256: str, folder: Path
    ) -> Embedded:
        store = Store(folder / "home")
        video = store.add_file(path, name=source.uri.rpartition("/")[2], sha256=sha256)
        key = embedding_key(video, engine, self.sampling)
        parts = Parts(remote, key)
        parts.restore(store, engine_name=engine.name, dim=engine.dim)
        saved = time.monotonic()

        def on_progress(progress: Progress) -> None:
            nonlocal saved
            if time.monotonic() - saved >= PART_S:
                parts.save(store)
                saved = time.monotonic()
            if self.on_progress is not None:
                self.on_progress(source, progress)

        info = ingest(store, video, engine, self.sampling, on_progress=on_progress, cancel=self.cancel)
        if not info.complete:
            raise Cancelled
        if source.uri.startswith(_FOLDER) and _local(path) != source:
            raise VideoUnreadableError(f"{path.name} changed while it was read; embed it when it is complete.")
        publication = publish(store, key, remote, cancel=self.cancel)
        parts.remove()
        return Embedded(sha256, key.id, info.samples, publication.new, info.note)


@lru_cache(maxsize=2)
def _engine(spec: str, model: str, engine_id: str) -> Engine:
    """Return an engine of this process, which stays loaded for the next video."""
    home = default_home()
    engine = make_engine(spec, model_version=model, api_key=api_key_from_environment(), models=StorePaths(home).models)
    if isinstance(engine, ServerEngine):
        return IdentifiedEngine(engine, engine_id, home, Store)
    if engine.id != engine_id:
        engine.close()
        raise EngineError(
            f"This machine has other weights of {engine.name} ({engine.id}) than the one that began ({engine_id}); "
            "install the same version of Promptreel and the same model on all."
        )
    return engine


# --- all of them ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Standing:
    """How far the work on many sources is."""

    done: int
    """Sources that are done, those that failed included."""
    total: int
    """Sources there were to do."""
    failed: int
    samples: int
    """New ones."""
    seconds: float
    """Since the start."""
    done_bytes: int
    failed_bytes: int
    """Of ``done_bytes``, those of sources that failed: they say nothing of how long others take."""
    total_bytes: int

    @property
    def rate(self) -> float:
        """New samples per second since the start."""
        return self.samples / self.seconds if self.seconds > 0 else 0.0

    @property
    def left_s(self) -> float | None:
        """Seconds left, as far as bytes tell; None before the first that doesn't fail is done."""
        worked = self.done_bytes - self.failed_bytes
        return self.seconds * (self.total_bytes - self.done_bytes) / worked if worked else None


def embed_sources(
    runner: Runner, work: EmbedAndPublish, waiting: Sequence[RemoteFile], *, clock: Callable[[], float] = time.monotonic
) -> Iterator[tuple[Outcome[RemoteFile, Embedded], Standing]]:
    """Yield what becomes of each source, as it comes, and how far all of them are then.

    Raises:
        Cancelled: stopped before the end; what is published stays.
        InputError: the runner's machines can't be used.
    """
    began = clock()
    standing = Standing(0, len(waiting), 0, 0, 0.0, 0, 0, sum(source.size_bytes for source in waiting))
    for outcome in runner.run(work, waiting):
        result = outcome.result
        standing = replace(
            standing,
            done=standing.done + 1,
            failed=standing.failed + (result is None),
            samples=standing.samples + (result.samples if result is not None and result.new else 0),
            seconds=clock() - began,
            done_bytes=standing.done_bytes + outcome.item.size_bytes,
            failed_bytes=standing.failed_bytes + (outcome.item.size_bytes if result is None else 0),
        )
        yield outcome, standing
