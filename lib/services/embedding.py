"""Embedding stored videos in the background, one after the other, from a queue that outlives the process.

Each video that is embedded is an entry of the queue (``queue_file``). One thread of each process takes what waits, and
one process of a home at a time embeds it: it holds ``locks/queue-worker.lock`` meanwhile. What somebody starts by
itself is embedded at once, also while the queue is paused, and is an entry too, so that a restart resumes it.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import filelock

from lib.core.errors import (
    Cancelled,
    EngineAuthError,
    EngineUnavailableError,
    InputError,
    NotStoredError,
    PromptreelError,
    StoreDamagedError,
    StoreError,
    UnknownModelError,
)
from lib.core.sampling import Sampling
from lib.engines.engine import Engine
from lib.ingest.ingest import embedding_key, ingest
from lib.ingest.progress import Progress, estimate_samples
from lib.ingest.speed import speed_of
from lib.services import queue_file
from lib.services.jobs import Job, JobManager, sentence
from lib.services.queue_file import KILLED_TWICE, MOST_KILLED, Entry, Move, Queue
from lib.store.embeddings import EmbeddingInfo, EmbeddingKey
from lib.store.faults import mapped_errors
from lib.store.store import Store
from lib.store.videos import Video

Spec = tuple[str, str]
"""Engine and model version, see ``Entry.spec``."""
_POLL_S = 1.0
"""Until another process's work, or what waits for an engine, is looked at again."""
_LOOK_S = 0.5
"""Between two looks whether another tab or process paused the queue or removed what is being embedded."""
_HOLD_S = 60.0
"""Until an engine that did not answer, or a disk that was full, is tried again."""
_ENGINE_ERRORS = (EngineUnavailableError, EngineAuthError, UnknownModelError)
"""What all videos of an engine would fail with."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TimeLeft:
    """How long the queue takes, by the speeds that were measured last."""

    seconds: float
    """For the videos whose length and engine's speed are known."""
    unknown: int
    """How many others there are."""


@dataclass
class _Run:
    """An embedding of this process."""

    from_queue: bool
    """Whether a pause stops it; what somebody started by itself goes on."""
    job: Job | None = None
    is_noted: bool = False
    """Whether the queue says already what becomes of it: it was removed, paused, or ends with the process."""
    is_tried: bool = False

    def stop(self) -> None:
        """Stop it without a word to the queue, unless somebody cancelled it before."""
        if self.job is not None and self.job.live and not self.job.is_cancelled:
            self.is_noted = True
            self.job.cancel()


class EmbeddingQueue:
    """The queue of one home in this process. Thread-safe.

    Args:
        store: where videos and embeddings are.
        jobs: runs one embedding at a time.
        make: makes the engine of a ``Spec``, with the key that this process has for it without anybody's typing it.
    """

    def __init__(self, store: Store, jobs: JobManager, make: Callable[[str, str], Engine]) -> None:
        self._store, self._jobs, self._make = store, jobs, make
        self._engines: dict[Spec, Engine] = {}
        self._holds: dict[Spec, tuple[float, str]] = {}
        self._running: dict[str, _Run] = {}
        self._begun: set[str] = set()
        """Entries that are running in the file because of this process: it is alive, so nothing killed it."""
        self._lock = threading.Lock()
        self._bell = threading.Event()
        self._thread: threading.Thread | None = None
        self._closed = False

    # What is in it

    def read(self) -> Queue:
        """Return the queue; cheap while nothing changes. Raises ``StoreError`` where it can't be read."""
        return queue_file.read(self._store.home)

    def job(self, entry_id: str) -> Job | None:
        """Return the job of this process that embeds an entry, or None."""
        run = self._running.get(entry_id)
        return run.job if run is not None and run.job is not None and run.job.live else None

    @property
    def busy(self) -> bool:
        """Whether this process takes from the queue, or waits to."""
        return self._thread is not None

    def held(self, spec: Spec) -> str:
        """Return what the videos of an engine wait for; empty where they don't."""
        hold = self._holds.get(spec)
        return hold[1] if hold is not None and hold[0] > time.monotonic() else ""

    def time_left(self) -> TimeLeft:
        """Return how long what waits will take."""
        seconds, unknown = 0.0, 0
        waiting = self.read().waiting
        speeds = {engine_id: speed_of(self._store.home, engine_id) for engine_id in {one.engine_id for one in waiting}}
        for entry in waiting:
            job = self.job(entry.id)
            progress = job.progress if job is not None else None
            if progress is not None and progress.rate:
                speeds[entry.engine_id] = speeds[entry.engine_id] or progress.rate
            speed = speeds[entry.engine_id]
            if progress is not None and progress.eta_s is not None:
                seconds += progress.eta_s
            elif speed and entry.left is not None:
                seconds += entry.left / speed
            else:
                unknown += 1
        return TimeLeft(seconds, unknown)

    # What changes it

    def add(self, videos: Iterable[Video], engine: Engine, sampling: Sampling) -> None:
        """Have videos embedded, the last of all, and begin.

        Raises:
            InputError: there are too many.
            StoreError: the queue can't be written.
        """
        spec = spec_of(engine)
        if spec is None:  # nothing could make it again
            for video in videos:
                self.start(video, engine, sampling)
            return
        self._give(spec, engine)
        self.put(videos, engine, sampling)
        self.wake()

    def put(self, videos: Iterable[Video], engine: Engine, sampling: Sampling) -> None:
        """Add videos for whichever process works on the queue; errors as ``add``."""
        spec = spec_of(engine)
        if spec is None:
            raise InputError(f"{engine.name} can't be made again, so nothing can wait for it; choose another engine.")
        entries = [self._entry(spec, video, engine, sampling) for video in videos]
        self._change(lambda queue: queue.adding(entries))

    def start(self, video: Video, engine: Engine, sampling: Sampling) -> Job:
        """Embed a video now, the first of all, also while the queue is paused; return the job that does it.

        Raises: as ``add``.
        """
        spec = spec_of(engine)
        entry = self._entry(spec, video, engine, sampling) if spec is not None else None
        if spec is not None and entry is not None:
            self._give(spec, engine)
            self._change(lambda queue: queue.adding([entry], first=True))
        return self._submit(entry, video, engine, sampling, from_queue=False)

    def move(self, entry_id: str, where: Move) -> None:
        """Move a video among those that wait."""
        self._change(lambda queue: queue.moved(entry_id, where))

    def remove(self, entry_ids: Collection[str]) -> None:
        """Take videos from the queue; one that is being embedded stops, its samples are kept."""
        self._change(lambda queue: queue.without(entry_ids))
        for run in [self._running[one] for one in entry_ids if one in self._running]:
            run.stop()

    def remove_video(self, sha256: str) -> None:
        """Take a video from the queue, whatever it is to be embedded with."""
        with suppress(StoreDamagedError):  # then it holds nothing that can be removed
            entry_ids = [entry.id for entry in self.read().entries if entry.sha256 == sha256]
            if entry_ids:
                self.remove(entry_ids)

    def retry(self, entry_ids: Collection[str]) -> None:
        """Have videos tried again that failed, and engines that did not answer."""
        self._holds.clear()
        self._change(lambda queue: queue.retrying(entry_ids))
        self.wake()

    def use(self, engine: Engine) -> None:
        """Embed what waits for an engine with this one, which has the right key."""
        spec = spec_of(engine)
        if spec is not None:
            self._engines[spec] = engine
            self._holds.pop(spec, None)
            self.wake()

    def pause(self, paused: bool) -> None:
        """Stop embedding from the queue, within about a second, or resume."""
        self._change(lambda queue: replace(queue, paused=paused, reason=""))
        if paused:
            for run in [run for run in self._running.values() if run.from_queue]:
                run.stop()
        else:
            self._holds.clear()
            self.wake()

    def wake(self) -> None:
        """Begin to take from the queue where something waits; harmless otherwise."""
        with self._lock:
            self._bell.set()
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._take_turns, name="embedding-queue", daemon=True)
                self._thread.start()

    def close(self, timeout_s: float = 3.0) -> None:
        """Stop, before the process ends: what is being embedded stays in the queue, and no kill is counted."""
        with self._lock:
            self._closed = True
            self._bell.set()
        until = time.monotonic() + timeout_s
        running = dict(self._running)
        for run in running.values():
            run.stop()
        for run in running.values():
            if run.job is not None:
                run.job.wait(max(0.0, until - time.monotonic()))
        for entry_id in [one for one in running if self.job(one) is not None]:  # an engine that takes its time
            with suppress(StoreError):
                self._change(partial(Queue.changed, entry_id=entry_id, running=False))

    def _entry(self, spec: Spec, video: Video, engine: Engine, sampling: Sampling) -> Entry:
        samples = estimate_samples(video, sampling)
        return Entry(video.sha256, video.name, *spec, engine.name, engine.id, sampling.key, samples)

    def _give(self, spec: Spec, engine: Engine) -> None:
        """Use a tab's engine, which may have a key, unless one works already."""
        if spec not in self._engines or self.held(spec):
            self._engines[spec] = engine
        self._holds.pop(spec, None)

    def _change(self, how: Callable[[Queue], Queue]) -> Queue:
        with mapped_errors("writing the queue of embeddings"):
            return queue_file.change(self._store.home, how)

    # The thread that takes from it

    def _take_turns(self) -> None:
        lock = filelock.FileLock(self._store.paths.locks / "queue-worker.lock")
        while True:
            self._bell.clear()
            try:
                wait_s = self._turn(lock)
            except (PromptreelError, OSError) as error:
                _log.warning("The queue of embeddings waits: %s", error)
                wait_s = _HOLD_S
            except Exception:  # the thread goes on, or nothing would be embedded until a restart
                _log.exception("The queue of embeddings waits after an unexpected problem")
                wait_s = _HOLD_S
            with self._lock:
                if self._closed or (wait_s is None and not self._bell.is_set()):
                    self._thread = None
                    return
            if wait_s:
                self._bell.wait(wait_s)

    def _turn(self, lock: filelock.BaseFileLock) -> float | None:
        """Embed the first that can be; return how long to wait then, None where nothing waits."""
        queue = self.read()
        if queue.paused or not queue.waiting:
            return None
        entry = next((one for one in queue.waiting if not self.held(one.spec)), None)
        if entry is None:
            return _POLL_S
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            return _POLL_S
        try:
            self._embed_next(entry)
        finally:
            lock.release()
        return 0.0

    def _embed_next(self, entry: Entry) -> None:
        try:
            video = self._store.video(entry.sha256)
            if entry.spec not in self._engines:
                self._engines[entry.spec] = self._make(*entry.spec)
            engine = self._engines[entry.spec]
            job = self._submit(entry, video, engine, Sampling.from_key(entry.sampling), from_queue=True)
        except NotStoredError:  # deleted
            self.remove([entry.id])
        except Exception as error:
            if not isinstance(error, PromptreelError):
                _log.exception("%r could not be embedded", entry.name)
            self._failed(entry, entry.done, error, _Run(from_queue=True))
        else:
            job.wait()

    # One embedding

    def _submit(
        self, entry: Entry | None, video: Video, engine: Engine, sampling: Sampling, *, from_queue: bool
    ) -> Job:
        key = embedding_key(video, engine, sampling)
        embed = partial(ingest, self._store, video, engine, sampling)
        submit = partial(self._jobs.submit, video.name, key, queue="embedding", sha256=video.sha256, unit="samples")
        if entry is None:
            return submit(lambda **of_job: _whole(embed(**of_job)))
        with self._lock:
            known = self._running.get(entry.id)
            if known is not None and known.job is not None and known.job.live and not known.job.is_cancelled:
                known.from_queue = known.from_queue and from_queue
                return known.job
            run = _Run(from_queue)
            work = partial(self._work, entry, key, run, embed)
            run.job = submit(work, on_drop=partial(self._stopped, entry, 0, run))
            live = {one: other for one, other in self._running.items() if other.job is not None and other.job.live}
            self._running = {entry.id: run} | live
        return run.job

    def _work(
        self,
        entry: Entry,
        key: EmbeddingKey,
        run: _Run,
        embed: Callable[..., EmbeddingInfo],
        *,
        on_progress: Callable[[Progress], None],
        cancel: threading.Event,
    ) -> EmbeddingInfo:
        try:
            if run.is_tried:  # the job is tried again, by somebody who wants it now
                run.from_queue, run.is_noted, run.job = False, False, self._jobs.find(key)
                self._running = {**self._running, entry.id: run}
                self._change(lambda queue: queue.adding([entry], first=True))
            run.is_tried = True
            self._begin(entry, key, run)
            info = _whole(embed(on_progress=self._looking(entry, on_progress, cancel, run), cancel=cancel))
            self._change(lambda queue: queue.without([entry.id]))
        except Cancelled as ending:
            self._stopped(entry, self._samples(key), run)
            raise Cancelled("" if run.is_noted else str(ending)) from None
        except Exception as error:
            self._failed(entry, self._samples(key), error, run)
            raise
        self._begun.discard(entry.id)
        return info

    def _begin(self, entry: Entry, key: EmbeddingKey, run: _Run) -> None:
        """Note that it begins.

        Raises:
            PromptreelError: processes were killed that did.
            Cancelled: it was taken from the queue meanwhile, the queue was paused, or the process ends.
        """
        was_killed = entry.id not in self._begun and not self._is_being_embedded(key)

        def begin(queue: Queue) -> Queue:
            now = queue.get(entry.id)
            if self._closed or (run.from_queue and (now is None or queue.paused)):
                run.is_noted = True
                raise Cancelled("Cancelled before it began.")
            killed = now.killed + (now.running and was_killed) if now is not None else 0
            if killed >= MOST_KILLED:
                raise PromptreelError(KILLED_TWICE)
            return queue.changed(entry.id, failed=False, running=True, problem="", killed=killed)

        self._change(begin)
        self._begun.add(entry.id)

    def _is_being_embedded(self, key: EmbeddingKey) -> bool:
        lock = self._store.ingest_lock(key)
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            return True
        lock.release()
        return False

    def _looking(
        self, entry: Entry, on_progress: Callable[[Progress], None], cancel: threading.Event, run: _Run
    ) -> Callable[[Progress], None]:
        """Return what reports progress, and stops when another process removed the entry or paused the queue."""
        looked_at = time.monotonic()

        def report(progress: Progress) -> None:
            nonlocal looked_at
            on_progress(progress)
            if time.monotonic() - looked_at < _LOOK_S:
                return
            looked_at = time.monotonic()
            with suppress(StoreError):
                queue = self.read()
                stops = queue.get(entry.id) is None or (run.from_queue and queue.paused)
                if stops and not cancel.is_set():
                    run.is_noted = True
                    cancel.set()

        return report

    def _samples(self, key: EmbeddingKey) -> int:
        with suppress(Exception):  # what is wrong with the store was said already, or will be
            info = self._store.find_embedding(key)
            return info.samples if info is not None else 0
        return 0

    def _stopped(self, entry: Entry, samples: int, run: _Run) -> None:
        """Keep an entry that was stopped by the end of the process or by a pause; else take it from the queue."""

        def stop(queue: Queue) -> Queue:
            if not self._closed and not run.is_noted:
                return queue.without([entry.id])
            now = queue.get(entry.id)
            return queue.changed(entry.id, running=False, done=max(samples, now.done if now is not None else 0))

        self._note(entry, stop)

    def _failed(self, entry: Entry, samples: int, error: Exception, run: _Run) -> None:
        """Note why it failed: of the video it is given up, of the engine it waits, of the disk all do."""
        if self._closed:  # the engine was closed with the process
            self._stopped(entry, samples, run)
            return
        problem = sentence(error)
        of_engine = run.from_queue and isinstance(error, _ENGINE_ERRORS)
        of_disk = isinstance(error, StoreError) and not isinstance(error, NotStoredError | StoreDamagedError)
        if of_engine:
            until = _HOLD_S if isinstance(error, EngineUnavailableError) else math.inf
            self._holds[entry.spec] = time.monotonic() + until, problem
            self._engines.pop(entry.spec, None)  # the next has another key, or knows the server's weights

        def note(queue: Queue) -> Queue:
            fields: dict[str, Any] = {"running": False, "done": samples, "problem": problem}
            if run.from_queue and of_disk:
                return replace(queue.changed(entry.id, **fields), paused=True, reason=problem)
            return queue.changed(entry.id, **fields, failed=not of_engine)

        self._note(entry, note)

    def _note(self, entry: Entry, how: Callable[[Queue], Queue]) -> None:
        """Note how an embedding ended; where not even that can be written, it is tried again later."""
        try:
            self._change(how)
        except StoreError as error:
            self._holds[entry.spec] = time.monotonic() + _HOLD_S, sentence(error)
        else:
            self._begun.discard(entry.id)


def _whole(info: EmbeddingInfo) -> EmbeddingInfo:
    if not info.complete:
        raise Cancelled(f"Cancelled; {info.samples:,} samples are kept.")
    return info


def spec_of(engine: Engine) -> Spec | None:
    """Return what ``registry.make_engine`` makes an engine of; None where nothing does."""
    return getattr(engine, "spec", None)
