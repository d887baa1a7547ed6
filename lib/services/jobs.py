"""Background jobs of this process: they outlive page switches, reruns and closed tabs. No Streamlit in here.

One manager serves all sessions. Jobs that embed run one after another, since they would only share the same
cores or the same server; playable copies and everything else have a queue of their own beside it.
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
from lib.core.sampling import Sampling
from lib.engines.engine import Engine
from lib.ingest.ingest import embedding_key, ingest
from lib.ingest.progress import Progress
from lib.store.embeddings import EmbeddingInfo
from lib.store.store import Store
from lib.store.videos import Video

State = Literal["queued", "running", "done", "cancelled", "failed"]
Work = Callable[..., Any]
"""What a job does: called with the keywords ``on_progress`` and ``cancel`` (a ``threading.Event``)."""

_log = logging.getLogger(__name__)
_FINISHED_KEPT = 100


class Job:
    """One piece of work. Its attributes are read from any thread; only the manager writes them."""

    def __init__(
        self,
        title: str,
        key: Hashable,
        work: Work,
        *,
        lane: str,
        sha256: str | None,
        unit: str,
        on_cancel: Callable[[], object],
    ) -> None:
        self.id = uuid.uuid4().hex
        self.title = title
        """Words for people, for example the video's name."""
        self.key = key
        """The same key means the same work; of an ingest, the ``EmbeddingKey``."""
        self.sha256 = sha256
        """The video it is about, or None."""
        self.unit = unit
        """What ``progress`` counts."""
        self.state: State = "queued"
        self.progress: Progress | None = None
        self.error: str | None = None
        """Why it failed, and what to do."""
        self.note = ""
        """What is worth knowing of how it ended; empty when nothing is."""
        self.result: Any = None
        self.created_at = time.time()
        self.started_at: float | None = None
        self.ended_at: float | None = None
        self._work = work
        self._lane = lane
        self._on_cancel = on_cancel
        self._cancel = threading.Event()
        self._ended = threading.Event()

    def __repr__(self) -> str:
        return f"Job({self.title!r}, {self.state})"

    @property
    def live(self) -> bool:
        """Whether it is queued or running."""
        return self.state in ("queued", "running")

    @property
    def elapsed_s(self) -> float:
        """Seconds it has run, waiting in the queue not counted."""
        if self.started_at is None:
            return 0.0
        return (self.ended_at or time.time()) - self.started_at

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
            result = self._work(on_progress=self._tell, cancel=self._cancel)
        except Cancelled as ending:
            self._end("cancelled", note=str(ending))
        except PromptreelError as error:
            self._end("failed", error=str(error))
        except Exception as error:
            _log.exception("The job %r failed unexpectedly", self.title)
            what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            self._end("failed", error=f"Unexpected problem: {what}; see the log, then try again.")
        else:
            note = result.damage if isinstance(result, EmbeddingInfo) else getattr(result, "note", "")
            self._end("done", note=note or "", result=result)

    def _tell(self, progress: Progress) -> None:
        self.progress = progress

    def _end(self, state: State, *, note: str = "", error: str | None = None, result: Any = None) -> None:
        self.note, self.error, self.result, self.ended_at = note, error, result, time.time()
        self.state = state  # last: whoever sees the state sees the rest
        self._ended.set()


class JobManager:
    """Queues of jobs, each worked off by one daemon thread. Thread-safe."""

    def __init__(self) -> None:
        self._jobs: list[Job] = []
        self._lanes: dict[str, deque[Job]] = {}
        self._threads: list[threading.Thread] = []
        self._changed = threading.Condition()
        self._closed = False

    def jobs(self) -> list[Job]:
        """Return all jobs that were not dismissed, oldest first."""
        with self._changed:
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
        lane: str = "other",
        sha256: str | None = None,
        unit: str = "",
        once: bool = False,
    ) -> Job:
        """Queue ``work``, or return the queued or running job with the same key.

        Args:
            title: words for people.
            key: identity of the work.
            work: called with the keywords ``on_progress`` (takes a ``Progress``) and ``cancel`` (an event);
                raises ``Cancelled`` when it stopped because of that.
            lane: queue it goes into; jobs of one lane run one after another.
            sha256: the video it is about.
            unit: what its progress counts.
            once: return a job with this key that failed or was cancelled, too, instead of trying again; for
                work that a page asks for at each run.
        """
        with self._changed:
            if self._closed:
                raise PromptreelError("Promptreel is shutting down; start it anew.")
            same = [job for job in self._jobs if job.key == key]
            for job in same:
                if job.live or (once and job.state in ("failed", "cancelled")):
                    return job
            self._jobs = [job for job in self._jobs if job not in same]
            new = Job(title, key, work, lane=lane, sha256=sha256, unit=unit, on_cancel=self._drop_cancelled)
            self._jobs.append(new)
            finished = [job for job in self._jobs if not job.live]
            for job in finished[: max(0, len(finished) - _FINISHED_KEPT)]:
                self._jobs.remove(job)
            if lane not in self._lanes:
                self._lanes[lane] = deque()
                thread = threading.Thread(
                    target=self._work_off, args=(lane,), name=f"jobs-{lane}", daemon=True
                )
                self._threads.append(thread)
                thread.start()
            self._lanes[lane].append(new)
            self._changed.notify_all()
            return new

    def submit_ingest(self, store: Store, video: Video, engine: Engine, sampling: Sampling) -> Job:
        """Queue the embedding of what is missing of a video, or return the job that is at it."""

        def work(*, on_progress: Callable[[Progress], None], cancel: threading.Event) -> EmbeddingInfo:
            info = ingest(store, video, engine, sampling, on_progress=on_progress, cancel=cancel)
            if not info.complete:
                raise Cancelled(f"Cancelled; {info.samples:,} samples are kept.")
            return info

        key = embedding_key(video, engine, sampling)
        return self.submit(video.name, key, work, lane="ingest", sha256=video.sha256, unit="samples")

    def retry(self, job_id: str) -> None:
        """Queue a finished job's work again in its place; a job that runs or was dismissed is left alone."""
        old = self.get(job_id)
        if old is not None and not old.live:
            self.submit(old.title, old.key, old._work, lane=old._lane, sha256=old.sha256, unit=old.unit)

    def dismiss(self, job_id: str) -> None:
        """Forget a finished job; one that is queued or running stays."""
        with self._changed:
            self._jobs = [job for job in self._jobs if job.live or job.id != job_id]

    def shutdown(self, timeout_s: float = 5.0) -> bool:
        """Cancel everything and end the threads; return whether all of them ended in time."""
        with self._changed:
            self._closed = True
            for job in self._jobs:
                job.cancel()
            self._changed.notify_all()
        until = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _drop_cancelled(self) -> None:
        """End queued jobs that were cancelled, without waiting for their turn."""
        with self._changed:
            for queue in self._lanes.values():
                for job in [job for job in queue if job._cancel.is_set()]:
                    queue.remove(job)
                    job._end("cancelled", note="Cancelled before it began.")

    def _work_off(self, lane: str) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._lanes[lane])
                if self._closed:
                    return
                job = self._lanes[lane].popleft()
                job.state = "running"
            job._run()
