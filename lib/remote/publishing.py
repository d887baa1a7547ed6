"""Finished embeddings to object storage, each once, however often and from however many places it is tried.

First the table, made whole in one step, then ``done/<id>.json`` by a conditional write; readers trust the second alone.
A writer that finds a table without a document compares it with its own samples, and documents it where they are the
same: that is what a dead or a second writer left. What is anything else is passed by under another name. A document
whose table is gone or can't be read to its end is replaced.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from lib.core.errors import Cancelled, NotStoredError, RemoteError
from lib.ingest.progress import Meter, Progress
from lib.remote import tables, videos
from lib.remote.records import LANCE, Content, Published, find
from lib.remote.storage import Remote
from lib.store.embeddings import EmbeddingInfo, EmbeddingKey
from lib.store.staging import Batch
from lib.store.store import Store

_ATTEMPTS = 5
_NEAR = 0.99  # cosine of two computations of one vector, on whichever machines


@dataclass(frozen=True)
class Publication:
    """The result of publishing."""

    published: Published
    new: bool
    """False where it was there already."""


def publish(
    store: Store,
    key: EmbeddingKey,
    remote: Remote,
    *,
    with_video: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
    cancel: threading.Event | None = None,
) -> Publication:
    """Publish a complete embedding, and the file of its video where that is wished.

    Args:
        store: where it is.
        key: the embedding.
        remote: where it goes; several processes may publish the same at once.
        with_video: publish the file too, as far as the store has one.
        on_progress: called from this thread, and from one of the library's.
        cancel: set it to stop; an embedding is published whole or not at all.

    Raises:
        NotStoredError: the store has no such embedding, or it isn't complete, or the video's file is gone.
        StoreError: the store can't be read.
        RemoteError: the storage can't be used.
        Cancelled: ``cancel`` was set.
    """
    cancel = cancel or threading.Event()
    info = store.embedding(key)
    if not info.complete:
        raise NotStoredError("This embedding isn't complete, so it can't be published; embed the video to its end.")
    there = find(remote, key.id)
    if there is not None and not tables.is_whole(remote, there.table, there.dim, there.samples):
        remote.delete(there.path)
        there = None
    publication = Publication(there, False) if there else _publish(store, info, remote, on_progress, cancel)
    video = store.video(key.sha256)
    if with_video and video.has_file:
        videos.put(store, video, remote, on_progress=on_progress, cancel=cancel)
    return publication


def _publish(
    store: Store,
    info: EmbeddingInfo,
    remote: Remote,
    on_progress: Callable[[Progress], None] | None,
    cancel: threading.Event,
) -> Publication:
    key, table = info.key, info.key.table
    frames, _ = store.sample_index(key)

    def batches() -> Iterator[Batch]:
        meter, done = Meter(len(frames), on_progress), 0
        for batch in store.batches(key, frames.tolist()):
            if cancel.is_set():
                raise Cancelled("Cancelled; this embedding was not published.")
            yield batch
            done += len(batch.frames)
            meter.update(done)
        meter.finish(done)

    remote.check_writes()  # before anything large is sent
    for _ in range(_ATTEMPTS):
        content = tables.create(remote, table, info.dim, batches())
        if content is None:
            content = _content_there(store, info, remote, table)
        if content is None:
            if tables.exists(remote, table):
                table = f"{key.table}-{secrets.token_hex(4)}"
            continue
        publication = _document(remote, _record(store, info, table, content, len(frames)))
        if publication is not None:
            return publication
    raise RemoteError(f"{remote} keeps refusing this embedding; try again later.")


def _document(remote: Remote, mine: Published) -> Publication | None:
    """Say that a table is whole; where another writer was faster, its table counts. None where neither is there."""
    if remote.create(mine.path, mine.to_json()):
        return Publication(mine, True)
    theirs = find(remote, mine.id)
    if theirs is None:
        return None
    if theirs.table != mine.table:
        remote.delete_folder(f"{LANCE}/{mine.table}.lance")
    return Publication(theirs, False)


def _content_there(store: Store, info: EmbeddingInfo, remote: Remote, table: str) -> str | None:
    """Return the hash of a table that is there, if it has the same samples; None if not, or if it can't be read.

    Vectors may differ as those of two machines do.
    """
    mine, content = store.load(info.key), Content()
    try:
        for theirs in tables.read(remote, table, info.dim, len(mine)):
            part = slice(content.samples, content.samples + len(theirs.frames))
            cosines = np.einsum("nd,nd->n", mine.vectors[part], theirs.vectors)
            same = np.array_equal(mine.frames[part], theirs.frames) and np.array_equal(
                mine.times_s[part], theirs.times_s
            )
            if not same or bool(np.any(cosines < _NEAR)):
                return None
            content.add(theirs)
    except RemoteError:
        return None
    return content.hexdigest()


def _record(store: Store, info: EmbeddingInfo, table: str, content: str, samples: int) -> Published:
    video = store.video(info.key.sha256)
    return Published(
        key=info.key,
        engine_name=info.engine_name,
        dim=info.dim,
        samples=samples,
        start_s=info.start_s,
        end_s=info.end_s,
        damage=info.damage,
        damage_after_s=info.damage_after_s,
        gaps=tuple(store.gaps(info.key)),
        name=video.name,
        size_bytes=video.size_bytes,
        width=video.width,
        height=video.height,
        browser_playable=video.browser_playable,
        table=table,
        content=content,
    )
