"""Published embeddings into a local store, whole or not at all, by the path that imports use."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from lib.core.errors import Cancelled, RemoteError, RemoteFailedError, StoreError
from lib.ingest.progress import Meter, Progress
from lib.remote import tables, videos
from lib.remote.records import Content, Published, check_fit, find, published_ids
from lib.remote.storage import Remote
from lib.store.embeddings import EmbeddingInfo
from lib.store.staging import Batch
from lib.store.store import Store
from lib.store.videos import Video

_AT_ONCE = 16


@dataclass(frozen=True)
class Pulled:
    """The result of pulling."""

    video: Video
    info: EmbeddingInfo
    new: bool
    """False where the store had the embedding already."""


def published(remote: Remote, known: Mapping[str, Published] | None = None) -> Iterator[Published | RemoteError]:
    """Yield what is published, one by one; an error in place of what makes no sense.

    Args:
        remote: where to look.
        known: what was read before, by id: it never changes, and isn't read again.

    Raises:
        RemoteError: the storage can't be read, or not any more, or was written by another version.
    """

    def one(embedding_id: str) -> Published | RemoteError | None:
        try:
            return (known or {}).get(embedding_id) or find(remote, embedding_id)
        except RemoteError as error:
            return error

    failed_in_a_row = 0
    with ThreadPoolExecutor(_AT_ONCE) as pool:  # a document takes a round trip
        try:
            for found in pool.map(one, published_ids(remote)):
                failed_in_a_row = failed_in_a_row + 1 if isinstance(found, RemoteFailedError) else 0
                if isinstance(found, RemoteFailedError) and failed_in_a_row > _AT_ONCE:
                    raise found  # each waits for a minute
                if found is not None:
                    yield found
        finally:
            pool.shutdown(cancel_futures=True)


def pull(
    store: Store,
    one: Published,
    remote: Remote,
    *,
    with_video: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
    cancel: threading.Event | None = None,
) -> Pulled:
    """Store a published embedding, and the video's file where that is wished and published.

    A video whose file stays there is searched and measured with its thumbnails, and played from there
    (``lib.remote.videos``).

    Args:
        store: where it goes.
        one: what to pull, from ``published`` or ``find``.
        remote: where it is.
        with_video: copy the file into the store too, unless the store has one.
        on_progress: called from this thread.
        cancel: set it to stop; nothing of what was on its way is kept.

    Raises:
        RemoteError: what is there isn't what its document says, or the storage can't be read.
        StoreError: the disk is full or the store can't be used.
        VideoError: the file is no video.
        Cancelled: ``cancel`` was set.
    """
    cancel = cancel or threading.Event()
    there = None if _has_file(store, one) else videos.find_file(one, remote)
    if there is not None and with_video:
        videos.fetch(store, one.key.sha256, one.name, remote, there, on_progress=on_progress, cancel=cancel)
    elif there is not None:
        videos.note(store, one, remote, there)
    info = store.find_embedding(one.key)
    if info is not None and info.complete:
        return Pulled(store.video(one.key.sha256), info, False)
    known = any(video.sha256 == one.key.sha256 for video in store.videos())
    try:
        info = store.put(
            one.key,
            _verified(one, remote, Meter(one.samples, on_progress), cancel),
            engine_name=one.engine_name,
            dim=one.dim,
            end_s=one.end_s,
            gaps=one.gaps,
            damage=(one.damage, one.damage_after_s) if one.damage else None,
            without_file=None if known else (one.name, one.size_bytes, one.start_s),
        )
    except StoreError:
        info = store.find_embedding(one.key)
        if info is None or not info.complete:
            raise
        return Pulled(store.video(one.key.sha256), info, False)  # another process was faster
    return Pulled(store.video(one.key.sha256), info, True)


def _has_file(store: Store, one: Published) -> bool:
    return any(video.sha256 == one.key.sha256 and video.has_file for video in store.videos())


def _verified(one: Published, remote: Remote, meter: Meter, cancel: threading.Event) -> Iterator[Batch]:
    """Yield the samples; raise where they turn out to be others than the document says."""
    content, times = Content(), [np.empty(0)]
    for batch in tables.read(remote, one.table, one.dim, one.samples):
        if cancel.is_set():
            raise Cancelled("Cancelled; nothing was pulled.")
        content.add(batch)
        times.append(batch.times_s)
        if float(batch.times_s[-1]) >= one.end_s:
            break
        yield batch
        meter.update(content.samples)
    if content.samples != one.samples or content.hexdigest() != one.content:
        raise RemoteError(
            f"The samples of {one.name} in {remote} are not those that were published, so they are damaged; "
            f"{tables.AGAIN}."
        )
    try:
        check_fit(np.concatenate(times), one.gaps, one.start_s, one.end_s)
    except ValueError as error:
        raise RemoteError(f"What {remote} says of {one.name} makes no sense; {tables.AGAIN}.") from error
    meter.finish(content.samples)
