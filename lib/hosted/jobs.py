"""A stored video through the hosted service: upload, job, results, embedding.

::

    upload ──> start ──> record kept ──> poll … ──> download ──> check ──> store ──> record gone

What is interrupted before the record leaves nothing here; after it, the next run goes on with the same job, also
after ``kill -9``. The store sees the embedding when all of it is there.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import filelock

from lib.core.errors import (
    Cancelled,
    EngineUnavailableError,
    HostedJobError,
    InputError,
    NotStoredError,
    ResultsError,
    UnknownModelError,
)
from lib.core.formatting import format_duration, megabytes_done
from lib.core.sampling import Sampling
from lib.engines.hosted import HOSTED_VERSION, check_dim
from lib.hosted import job_records
from lib.hosted.api import HostedApi, JobStatus
from lib.hosted.importing import ImportOutcome, store_results
from lib.hosted.job_records import JobRecord, hosted_key
from lib.hosted.results import read_results
from lib.ingest.progress import Progress
from lib.store.store import Store
from lib.store.videos import Video

MAX_FPS = 120
SUFFIXES = (".mp4", ".avi", ".mkv", ".webm")
"""Containers that the service takes, by their file names."""
_KEPT = "Stopped waiting; the hosted job goes on, and its results can be fetched later."

OnProgress = Callable[[Progress], None]


def check_job(video: Video, sampling: Sampling) -> None:
    """Refuse what the service would refuse, before anything is sent.

    Raises:
        InputError: no rate, one above 120 or above the video's own, or a container that it does not take.
        NotStoredError: the video has no file.
    """
    if sampling.kind != "fps":
        raise InputError(
            "The hosted service samples by rate, not by frame count; say how many samples a second, for example 3."
        )
    if sampling.value > MAX_FPS:
        raise InputError(
            f"The hosted service takes at most {MAX_FPS} samples a second, not {float(sampling.value):g}; "
            "3 are enough for most videos."
        )
    if video.rate is not None and sampling.value > video.rate:
        raise InputError(
            f"{video.name} has {float(video.rate):g} frames a second, and the hosted service gives nothing for "
            f"{float(sampling.value):g} samples a second; choose a lower rate."
        )
    if not video.has_file:
        raise NotStoredError(f"{video.name} was imported without its video, so there is nothing to upload.")
    if video.path.suffix.lower() not in SUFFIXES:
        raise InputError(
            f"The hosted service takes {', '.join(SUFFIXES)}, but {video.name} is none of these; convert it first."
        )


def embed_hosted(
    store: Store,
    video: Video,
    sampling: Sampling,
    api: HostedApi,
    *,
    on_progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
) -> ImportOutcome:
    """Return the video's embedding by the hosted service; goes on with a job that was started before.

    Args:
        store: where the video is and the embedding goes.
        video: a video of the store.
        sampling: samples a second, at most 120 and at most the video's own rate.
        api: the service.
        on_progress: called from this thread, with words for each step.
        cancel: set it to stop within a second or two. A job that was started goes on at the service.

    Raises:
        InputError: the service would refuse it; see ``check_job``; or it is too large.
        EngineError: the service can't be used, or the job failed (``HostedJobError``).
        NotStoredError: the video's file is gone.
        StoreError: the disk is full or the store can't be used.
        Cancelled: ``cancel`` was set; its text says what goes on.
    """
    tell = on_progress or (lambda progress: None)
    cancel = cancel or threading.Event()
    key = hosted_key(video.sha256, sampling)
    found = store.find_embedding(key)
    if found is not None and found.complete:
        return ImportOutcome(video, found, new=False)
    check_job(video, sampling)
    lock = store.ingest_lock(key)
    _acquire(lock, tell, cancel)
    try:
        record = job_records.find(store.home, key)
        if record is None:
            record = _start(store, video, sampling, api, tell, cancel)
        try:
            return _finish(store, video, record, api, tell, cancel)
        except Cancelled as error:
            raise Cancelled(_KEPT) from error
    finally:
        lock.release()


def _start(
    store: Store, video: Video, sampling: Sampling, api: HostedApi, tell: OnProgress, cancel: threading.Event
) -> JobRecord:
    path = store.file_path(video.sha256)
    begun = time.monotonic()

    def sent(done: int, total: int) -> None:
        tell(_moved("uploading", done, total, time.monotonic() - begun))

    tell(_moved("uploading", 0, video.size_bytes, 0.0))
    try:
        url = api.upload(path, _plain_name(video), on_progress=sent, cancel=cancel)
        job_id = api.start(url, float(sampling.value), cancel=cancel)
    except Cancelled as error:
        raise Cancelled("Cancelled before the hosted job began; nothing is kept.") from error
    record = JobRecord(job_id, video.sha256, video.name, sampling.key, time.time())
    job_records.save(store.home, record)
    return record


def _finish(
    store: Store, video: Video, record: JobRecord, api: HostedApi, tell: OnProgress, cancel: threading.Event
) -> ImportOutcome:
    def waiting(passed_s: float) -> None:
        words = f"the hosted service is at work, {format_duration(passed_s)} so far"
        tell(Progress(0, None, 0.0, None, words))

    status = _wait(api, record.job_id, since=record.started_at, on_wait=waiting, cancel=cancel)
    if status is None or status.state == "failed":
        job_records.forget(store.home, record.key)
        if status is None:
            raise HostedJobError(
                f"The hosted service does not know the job of {record.name} (any more); start it again."
            )
        said = f" (“{status.message}”)" if status.message else ""
        raise HostedJobError(
            f"The hosted job of {record.name} failed{said}; start it again, or try another rate or a converted video."
        )
    target = job_records.folder(store.home) / f"{record.key.id}.results.json"
    begun = time.monotonic()

    def fetched(done: int, total: int) -> None:
        tell(_moved("fetching the results,", done, total, time.monotonic() - begun))

    try:
        api.download(record.job_id, target, on_progress=fetched, cancel=cancel)
        taken = _take(store, video, record, target, tell, cancel)
        job_records.forget(store.home, record.key)
        return taken
    finally:
        target.unlink(missing_ok=True)


def _take(
    store: Store, video: Video, record: JobRecord, target: Path, tell: OnProgress, cancel: threading.Event
) -> ImportOutcome:
    name = f"The results of {record.name}"
    size = target.stat().st_size

    def reading(done: int) -> None:
        if cancel.is_set():
            raise Cancelled
        tell(_moved("reading the results,", done, size, 0.0))

    try:
        results = read_results(target, name=name, on_bytes=reading)
        model = check_dim(HOSTED_VERSION, results.dim, name=name)
        return store_results(
            store,
            results,
            record.key,
            model,
            video=video,
            name=record.name,
            size=size,
            on_progress=tell,
            cancel=cancel,
        )
    except (ResultsError, UnknownModelError) as error:
        # The same job would only give the same again; but what it computed is not thrown away.
        kept = target.with_name(f"unreadable-{record.key.id}.json")
        target.replace(kept)
        job_records.forget(store.home, record.key)
        raise type(error)(f"{error} They are kept as {kept}.") from error


def _wait(
    api: HostedApi, job_id: str, *, since: float, on_wait: Callable[[float], object], cancel: threading.Event
) -> JobStatus | None:
    """Return how a job has ended, None when the service has forgotten it.

    Args:
        api: the service.
        job_id: the job.
        since: when it was started, seconds since 1970.
        on_wait: told the seconds since then, before each look.
        cancel: set it to stop waiting; the job goes on.

    Raises: as ``HostedApi.poll``.
    """
    wait_s, longest_s = api.timing.poll_s
    while True:
        passed_s = max(0.0, time.time() - since)
        on_wait(passed_s)
        status = api.poll(job_id, cancel=cancel)
        if status is None or status.state != "running":
            return status
        if passed_s > api.timing.job_s:
            raise EngineUnavailableError(
                f"The hosted job still runs after {passed_s / 3600:.0f} hours; look again later, or forget it."
            )
        until = time.monotonic() + wait_s
        while (left_s := until - time.monotonic()) > 0:
            if cancel.wait(min(1.0, left_s)):
                raise Cancelled
            on_wait(max(0.0, time.time() - since))
        wait_s = min(longest_s, wait_s * 1.5)


def _acquire(lock: filelock.BaseFileLock, tell: OnProgress, cancel: threading.Event) -> None:
    while not cancel.is_set():
        with suppress(filelock.Timeout):
            lock.acquire(timeout=0.5, poll_interval=0.05)
            return
        tell(Progress(0, None, 0.0, None, "another process is embedding this video"))
    raise Cancelled("Cancelled before it began.")


def _moved(what: str, done: int, total: int, passed_s: float) -> Progress:
    """Return progress in bytes, with words for people."""
    rate = done / passed_s if passed_s > 0.5 else 0.0
    eta_s = (total - done) / rate if rate and total else None
    left = f", {format_duration(eta_s)} left" if eta_s else ""
    return Progress(
        done, total or None, rate, eta_s, f"{what} {megabytes_done(done, total, decimals=1)}{left}"
    )


def _plain_name(video: Video) -> str:
    """Return what the service gets to know of the file: a name with the right suffix, no path."""
    stem = Path(video.name).stem or "video"
    return f"{stem}{video.path.suffix.lower()}"
