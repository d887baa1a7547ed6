"""Background jobs of the hosted service: started, resumed after a restart, and results imported."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from lib.core.errors import NotStoredError
from lib.core.sampling import Sampling
from lib.hosted import job_records
from lib.hosted.api import HostedApi
from lib.hosted.importing import ImportOutcome, import_results
from lib.hosted.job_records import JobRecord, hosted_key
from lib.hosted.jobs import check_job, embed_hosted
from lib.ingest.progress import Progress
from lib.services.jobs import Job
from lib.store.embeddings import EmbeddingKey
from lib.store.store import Store
from lib.store.videos import Video
from lib.ui.session import cache

_ARRIVED_KEPT_S = 24 * 3600.0
_resumed: set[EmbeddingKey] = set()  # by itself once a process; after that it is asked for


def start(video: Video, sampling: Sampling, key: str | None) -> Job:
    """Have the hosted service embed a video, or resume its job; the key stays in memory.

    Raises:
        InputError, NotStoredError: the service would refuse it.
        EngineAuthError: there is no key.
    """
    check_job(video, sampling)
    HostedApi(key=key).close()  # says now what is wrong with key and address
    store = cache.store()

    def work(*, on_progress: Callable[[Progress], None], cancel: threading.Event) -> ImportOutcome:
        api = HostedApi(key=key)
        try:
            return embed_hosted(store, video, sampling, api, on_progress=on_progress, cancel=cancel)
        finally:
            api.close()

    wanted = hosted_key(video.sha256, sampling)
    _resumed.add(wanted)
    return cache.jobs().submit(
        f"{video.name}, hosted CLIP",
        wanted,
        work,
        queue=f"hosted-{wanted.id}",  # they wait for the service, not for each other
        sha256=video.sha256,
    )


def waiting() -> list[tuple[JobRecord, Video]]:
    """Return the jobs that nobody in this process waits for; those of deleted videos are forgotten."""
    store, found = cache.store(), []
    for record in job_records.pending(store.home):
        try:
            video = store.video(record.sha256)
        except NotStoredError:
            job_records.forget(store.home, record.key)
            continue
        if cache.jobs().find(record.key) is None:
            found.append((record, video))
    return found


def resume(record: JobRecord, video: Video, key: str | None) -> Job:
    """Resume a job; errors as ``start``."""
    return start(video, Sampling.from_key(record.sampling_key), key)


def may_resume_by_itself(record: JobRecord) -> bool:
    """Return whether this process has not tried to resume it yet."""
    return record.key not in _resumed


def forget(record: JobRecord) -> None:
    """Forget a job; it may go on at the service, but its results are no longer fetched."""
    job_records.forget(cache.store().home, record.key)


def start_import(path: Path, name: str, *, video: Video | None, version: str | None) -> Job:
    """Import a ``results.json`` in the background; one that was uploaded is removed once it is imported."""
    store = cache.store()

    def work(*, on_progress: Callable[[Progress], None], cancel: threading.Event) -> ImportOutcome:
        outcome = import_results(
            store, path, video=video, name=name, version=version, on_progress=on_progress, cancel=cancel
        )
        if path.parent == arrived_folder(store):
            path.unlink(missing_ok=True)
        return outcome

    of = video.sha256 if video else None
    return cache.jobs().submit(
        f"Import of {name}",
        ("results", str(path), of, version),
        work,
        queue="imports",
        sha256=of,
        unit="samples",
    )


def arrived_folder(store: Store) -> Path:
    """Return where uploaded results wait to be imported."""
    return job_records.folder(store.home) / "arrived"


def take_upload(store: Store, path: Path, sha256: str) -> Path:
    """Keep an uploaded file of results until it is imported, a day at most; return where."""
    folder = arrived_folder(store)
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        with suppress(OSError):  # another thread removes them too
            if time.time() - old.stat().st_mtime > _ARRIVED_KEPT_S:
                old.unlink()
    target = folder / f"{sha256}.json"
    os.replace(path, target)
    return target
