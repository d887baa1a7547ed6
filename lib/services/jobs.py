"""Background jobs of this process: they outlive page switches, reruns and closed tabs.

One manager serves all sessions. Jobs of one queue run one after another, queues run side by side.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Hashable
from typing import Any, Literal

from lib.core.errors import Cancelled, PromptreelError
from lib.ingest.progress import Progress

State = Literal["queued", "running", "done", "cancelled", "failed"]
Work = Callable[..., Any]
"""What a job does: called with the keywords ``on_progress`` and ``cancel`` (a ``threading.Event``).

A result with an attribute ``note`` gives the job its note.
"""

_log = logging.getLogger(__name__)
_FINISHED_KEPT = 100


def sentence(error: Exception) -> str:
    """Return why a job failed, and what to do."""
    if isinstance(error, PromptreelError):
        return str(error)
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return f"Unexpected problem: {what}; see the log, then try again."


class Job:
    """One piece of work. Its attributes are read from any thread; only the manager writes them."""

    def __init__(
        self,
        title: str,
        key: Hashable,
        work: Work,
        *,
        queue: str,
        sha256: str | None,
        unit: str,
        on_cancel: Callable[[], object],
        on_drop: Callable[[], object] | None = None,
    ) -> None:
        self.id = uuid.uuid4().hex
        self.title = title
        """Shown to people, for example the video's name."""
        self.key = key
        """The same key means the same work; of an embedding, its ``EmbeddingKey``."""
        self.sha256 = sha256
        """The video it is about, or None."""
        self.unit = unit
        """What ``progress`` counts."""
        self.state: State = "queued"
        self.progress: Progress | None = None
        self.error: str | None = None
        """Why it failed, and what to do."""
        self.note = ""
        """A remark on how it ended, or empty."""
        self.result: Any = None
        self.created_at = time.time()
        self.started_at: float | None = None
        self.ended_at: float | None = None
        self._work = work
        self._queue = queue
        self._on_cancel = on_cancel
        self._on_drop = on_drop
        self._cancel = threading.Event()
        self._ended = threading.Event()

    def __repr__(self) -> str:
        return f"Job({self.title!r}, {self.state})"

    @property
    def live(self) -> bool:
        """Whether it is queued or running."""
        return self.state in ("queued", "running")

    @property
    def is_cancelled(self) -> bool:
        """Whether it was asked to stop; it may run for a moment yet."""
        return self._cancel.is_set()

    def cancel(self) -> None:
        """Ask it to stop; what is done is kept. A queued job never starts."""
        self._cancel.set()
        self._on_cancel()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until it has ended; return whether it has."""
        return self._ended.wait(timeout_s)

    def _run(self) -> None:
        self.state, self.started_at = "running", time.time()
        try:
            result = self._work(on_progress=self._report, cancel=self._cancel)
        except Cancelled as ending:
            self._end("cancelled", note=str(ending))
        except PromptreelError as error:
            self._end("failed", error=sentence(error))
        except Exception as error:
            _log.exception("The job %r failed unexpectedly", self.title)
            self._end("failed", error=sentence(error))
        else:
            self._end("done", note=getattr(result, "note", ""), result=result)

    def _report(self, progress: Progress) -> None:
        self.progress = progress

    def _end(self, state: State, *, note: str = "", error: str | None = None, result: Any = None) -> None:
        self.note, self.error, self.result, self.ended_at = note, error, result, time.time()
        self.state = state  # last: whoever sees the state sees the rest
        self._ended.set()


class JobManager:
    """Queues of jobs, each run by one daemon thread while there are any. Thread-safe."""

    def __init__(self) -> None:
        self._jobs: list[Job] = []
        self._queues: dict[str, deque[Job]] = {}
        self._threads: dict[str, threading.Thread] = {}
        self._lock = threading.RLock()
        self._closed = False

    def jobs(self) -> list[Job]:
        """Return all jobs that were not dismissed, oldest first."""
        with self._lock:
            return list(self._jobs)

    def get(self, job_id: str) -> Job | None:
        """Return a job by its id, or None when it was dismissed."""
        return next((job for job in self.jobs() if job.id == job_id), None)

    def find(self, key: Hashable) -> Job | None:
        """Return the queued or running job with this key, or None."""
        return next((job for job in self.jobs() if job.key == key and job.live), None)

    def submit(
        self,
        title: str,
        key: Hashable,
        work: Work,
        *,
        queue: str = "other",
        sha256: str | None = None,
        unit: str = "",
        once: bool = False,
        on_drop: Callable[[], object] | None = None,
    ) -> Job:
        """Queue ``work``, or return the queued or running job with the same key that nobody has cancelled.

        Args:
            title: shown to people.
            key: identity of the work.
            work: called with the keywords ``on_progress`` (takes a ``Progress``) and ``cancel`` (an event);
                raises ``Cancelled`` when it stopped because of that.
            queue: name of its queue; jobs of one queue run one after another.
            sha256: the video it is about, if any.
            unit: what its progress counts.
            once: return also a job with this key that failed or was cancelled, instead of trying again; for
                work that a page requests in each run.
            on_drop: called when it is cancelled before it began, so that ``work`` is never called.
        """
        with self._lock:
            if self._closed:
                raise PromptreelError("Promptreel is shutting down; start it again.")
            same = [job for job in self._jobs if job.key == key]
            for job in same:
                if (job.live and not job.is_cancelled) or (once and job.state in ("failed", "cancelled")):
                    return job
            self._jobs = [job for job in self._jobs if job.live or job not in same]
            new = Job(
                title, key, work, queue=queue, sha256=sha256, unit=unit, on_cancel=self._drop_cancelled, on_drop=on_drop
            )
            self._jobs.append(new)
            finished = [job for job in self._jobs if not job.live]
            for job in finished[: max(0, len(finished) - _FINISHED_KEPT)]:
                self._jobs.remove(job)
            self._queues.setdefault(queue, deque()).append(new)
            if queue not in self._threads:
                thread = threading.Thread(target=self._run, args=(queue,), name=f"jobs-{queue}", daemon=True)
                self._threads[queue] = thread
                thread.start()
            return new

    def retry(self, job_id: str) -> None:
        """Queue a finished job's work again in its place; a job that runs or was dismissed is left alone."""
        old = self.get(job_id)
        if old is not None and not old.live:
            self.submit(
                old.title,
                old.key,
                old._work,
                queue=old._queue,
                sha256=old.sha256,
                unit=old.unit,
                on_drop=old._on_drop,
            )

    def dismiss(self, job_id: str) -> None:
        """Forget a finished job; one that is queued or running stays."""
        with self._lock:
            self._jobs = [job for job in self._jobs if job.live or job.id != job_id]

    def shutdown(self, timeout_s: float = 5.0) -> bool:
        """Cancel everything and end the threads; return whether all of them ended in time."""
        with self._lock:
            self._closed = True
            for job in self._jobs:
                job.cancel()
            threads = list(self._threads.values())
        until = time.monotonic() + timeout_s
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))
        return not any(thread.is_alive() for thread in threads)

    def _drop_cancelled(self) -> None:
        """End queued jobs that were cancelled, without waiting for their turn."""
        with self._lock:
            dropped = [(queue, job) for queue in self._queues.values() for job in queue if job._cancel.is_set()]
            for queue, job in dropped:
                queue.remove(job)
                job._end("cancelled", note="Cancelled before it began.")
        for _, job in dropped:
            if job._on_drop is not None:
                job._on_drop()

    def _run(self, queue: str) -> None:
        """Run the jobs of a queue until it is empty; the next ``submit`` then starts another thread."""
        while True:
            with self._lock:
                if self._closed or not self._queues[queue]:
                    del self._queues[queue], self._threads[queue]
                    return
                job = self._queues[queue].popleft()
                job.state = "running"
            job._run()
