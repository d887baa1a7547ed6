"""A stored video through the hosted service: upload, job, results, embedding.

::

    upload ──> start ──> write the record ──> poll … ──> download ──> check ──> store ──> delete the record

An interruption before the record is written leaves nothing here; after it, the next run resumes the same job, also
after ``kill -9``. The store has all of the embedding or none.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
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
from lib.hosted.upload_body import ProgressCallback
from lib.ingest.progress import Progress
from lib.store.store import Store
from lib.store.videos import Video

MAX_FPS = 120
SUFFIXES = (".mp4", ".avi", ".mkv", ".webm")
"""Containers that the service takes, by their file names."""
_GOES_ON = "Stopped waiting; the hosted job goes on, and its results can be fetched later."

OnProgress = Callable[[Progress], None]


def check_job(video: Video, sampling: Sampling) -> None:
    """Refuse what the service would refuse, before anything is sent.

    Raises:
        InputError: no rate, one above 120 or above the video's own, or a container that it does not take.
        NotStoredError: the video has no file.
    """
    if sampling.kind != "fps":
        raise InputError(
            "The hosted service samples by rate, not by frame count; say how many samples per second, for example 3."
        )
    if sampling.value > MAX_FPS:
        raise InputError(
            f"The hosted service takes at most {MAX_FPS} samples per second, not {float(sampling.value):g}; "
            "3 are enough for most videos."
        )
    if video.rate is not None and sampling.value > video.rate:
        raise InputError(
            f"{video.name} has {float(video.rate):g} frames per second, and the hosted service gives nothing for "
            f"{float(sampling.value):g} samples per second; choose a lower rate."
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
    """Return the video's embedding by the hosted service; resumes a job that was started before.

    Args:
        store: where the video is and the embedding goes.
        video: a video of the store.
        sampling: samples per second, at most 120 and at most the video's own rate.
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
    cancel = cancel or threading.Event()
    key = hosted_key(video.sha256, sampling)
    info = store.find_embedding(key)
    if info is not None and info.complete:
        return ImportOutcome(video, info, new=False)
    check_job(video, sampling)
    job = _Job(store, video, sampling, api, on_progress or (lambda progress: None), cancel)
    lock = store.ingest_lock(key)
    job.acquire(lock)
    try:
        record = job_records.find(store.home, key) or job.start()
        try:
            return job.finish(record)
        except Cancelled as error:
            raise Cancelled(_GOES_ON) from error
    finally:
        lock.release()


@dataclass(frozen=True)
class _Job:
    """One video's job, step by step."""

    store: Store
    video: Video
    sampling: Sampling
    api: HostedApi
    report: OnProgress
    cancel: threading.Event

    def acquire(self, lock: filelock.BaseFileLock) -> None:
        while not self.cancel.is_set():
            with suppress(filelock.Timeout):
                lock.acquire(timeout=0.5, poll_interval=0.05)
                return
            self._say("another process is embedding this video")
        raise Cancelled("Cancelled before it began.")

    def start(self) -> JobRecord:
        """Upload the video, start a job over it, and record that."""
        path = self.store.file_path(self.video.sha256)
        on_progress = self._in_bytes("uploading")
        on_progress(0, self.video.size_bytes)
        try:
            url = self.api.upload(path, _file_name(self.video), on_progress=on_progress, cancel=self.cancel)
            job_id = self.api.start(url, float(self.sampling.value), cancel=self.cancel)
        except Cancelled as error:
            raise Cancelled("Cancelled before the hosted job began; nothing is kept.") from error
        record = JobRecord(job_id, self.video.sha256, self.video.name, self.sampling.key, time.time())
        job_records.save(self.store.home, record)
        return record

    def finish(self, record: JobRecord) -> ImportOutcome:
        """Wait for the job, then fetch and store its results; the record goes when the job is over."""
        status = self._wait(record)
        if status is None or status.state == "failed":
            job_records.forget(self.store.home, record.key)
            raise _failure(record, status)
        path = job_records.folder(self.store.home) / f"{record.key.id}.results.json"
        try:
            self.api.download(
                record.job_id,
                path,
                on_progress=self._in_bytes("fetching the results,"),
                cancel=self.cancel,
            )
            outcome = self._store(record, path)
            job_records.forget(self.store.home, record.key)
            return outcome
        finally:
            path.unlink(missing_ok=True)

    def _wait(self, record: JobRecord) -> JobStatus | None:
        """Return the state in which a job has ended, None when the service has forgotten it.

        Raises: as ``HostedApi.poll``; and EngineUnavailableError: it does not end.
        """
        wait_s, longest_s = self.api.timing.poll_s
        while True:
            passed_s = self._report_waiting(record)
            status = self.api.poll(record.job_id, cancel=self.cancel)
            if status is None or status.state != "running":
                return status
            if passed_s > self.api.timing.job_s:
                raise EngineUnavailableError(
                    f"The hosted job still runs after {passed_s / 3600:.0f} hours; look again later, or forget it."
                )
            until = time.monotonic() + wait_s
            while (left_s := until - time.monotonic()) > 0:
                if self.cancel.wait(min(1.0, left_s)):
                    raise Cancelled
                self._report_waiting(record)
            wait_s = min(longest_s, wait_s * 1.5)

    def _report_waiting(self, record: JobRecord) -> float:
        """Report, and return, the seconds since the job was started."""
        passed_s = max(0.0, time.time() - record.started_at)
        self._say(f"the hosted service is at work, {format_duration(passed_s)} so far")
        return passed_s

    def _store(self, record: JobRecord, path: Path) -> ImportOutcome:
        name = f"The results of {record.name}"
        size = path.stat().st_size
        on_progress = self._in_bytes("reading the results,", with_rate=False)

        def on_bytes(done: int) -> None:
            if self.cancel.is_set():
                raise Cancelled
            on_progress(done, size)

        try:
            results = read_results(path, name=name, on_bytes=on_bytes)
            model = check_dim(HOSTED_VERSION, results.dim, name=name)
            return store_results(
                self.store,
                results,
                record.key,
                model,
                video=self.video,
                name=record.name,
                size=size,
                on_progress=self.report,
                cancel=self.cancel,
            )
        except (ResultsError, UnknownModelError) as error:
            # The same job would only give the same again; but what it computed is not thrown away.
            unreadable = path.with_name(f"unreadable-{record.key.id}.json")
            path.replace(unreadable)
            job_records.forget(self.store.home, record.key)
            raise type(error)(f"{error} They are kept as {unreadable}.") from error

    def _say(self, words: str) -> None:
        self.report(Progress(0, None, 0.0, None, words))

    def _in_bytes(self, what: str, *, with_rate: bool = True) -> ProgressCallback:
        """Return a callback that reports bytes done in words, with the rate and time left where they are known."""
        started_s = time.monotonic()

        def on_progress(done: int, total: int) -> None:
            passed_s = time.monotonic() - started_s
            rate = done / passed_s if with_rate and passed_s > 0.5 else 0.0
            eta_s = (total - done) / rate if rate and total else None
            left = f", {format_duration(eta_s)} left" if eta_s else ""
            words = f"{what} {megabytes_done(done, total, decimals=1)}{left}"
            self.report(Progress(done, total or None, rate, eta_s, words))

        return on_progress


def _failure(record: JobRecord, status: JobStatus | None) -> HostedJobError:
    if status is None:
        return HostedJobError(f"The hosted service does not know the job of {record.name} (any more); start it again.")
    message = f" (“{status.message}”)" if status.message else ""
    return HostedJobError(
        f"The hosted job of {record.name} failed{message}; start it again, or try another rate or a converted video."
    )


def _file_name(video: Video) -> str:
    """Return the name that the service gets: one with the right suffix, no path."""
    stem = Path(video.name).stem or "video"
    return f"{stem}{video.path.suffix.lower()}"
