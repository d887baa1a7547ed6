"""Jobs: queued, shared, cancelled, retried; what becomes of errors."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from lib.core.errors import Cancelled, EngineError, PromptreelError
from lib.core.sampling import Sampling
from lib.engines.engine import Engine
from lib.ingest.progress import Progress
from lib.services.embedding import EmbeddingQueue
from lib.services.jobs import Job, JobManager
from lib.store.store import Store
from lib.store.videos import Video
from tests.helpers.http import wait_for
from tests.helpers.toy_engine import ToyEngine
from tests.helpers.videos import make_video, palette

EVERY_SECOND = Sampling.every(2)


@pytest.fixture
def manager() -> Iterator[JobManager]:
    manager = JobManager()
    yield manager
    assert manager.shutdown(), "a job's thread did not end"


@pytest.fixture
def video(store: Store, tmp_path: Path) -> Video:
    return store.add_file(make_video(tmp_path / "film.mp4", colours=palette(200)))


def no_engine(spec: str, model_version: str) -> Engine:
    raise AssertionError("a toy can't be made again")


class Gate:
    """A job's work that waits until it is opened or cancelled."""

    def __init__(self, result: Any = None) -> None:
        self.started, self.opened = threading.Event(), threading.Event()
        self.result, self.runs = result, 0

    def __call__(self, *, on_progress: Callable[[Progress], None], cancel: threading.Event) -> Any:
        self.runs += 1
        self.started.set()
        while not self.opened.wait(0.01):
            if cancel.is_set():
                raise Cancelled("Stopped halfway.")
        return self.result


def wait(job: Job) -> Job:
    assert job.wait(20), f"{job} did not end"
    return job


def test_a_job_runs_and_keeps_its_result(manager: JobManager) -> None:
    gate = Gate(result=7)
    before = time.time()
    job = manager.submit("Count", "count", gate, unit="things", sha256="abc")
    assert (job.title, job.key, job.unit, job.sha256) == ("Count", "count", "things", "abc")
    assert gate.started.wait(5)
    assert (job.state, job.live, job.result) == ("running", True, None)
    gate.opened.set()
    wait(job)
    assert (job.state, job.live, job.result, job.error, job.note) == ("done", False, 7, None, "")
    assert job.started_at is not None
    assert job.ended_at is not None
    assert before <= job.created_at <= job.started_at <= job.ended_at <= time.time()
    assert manager.jobs() == [job]
    assert manager.get(job.id) is job


def test_progress_is_seen_from_outside(manager: JobManager) -> None:
    reported = threading.Event()
    leave = threading.Event()

    def work(*, on_progress: Callable[[Progress], None], cancel: threading.Event) -> None:
        on_progress(Progress(3, 9, 1.5, 4.0))
        reported.set()
        leave.wait(5)

    job = manager.submit("Count", "count", work)
    assert reported.wait(5)
    assert job.progress == Progress(3, 9, 1.5, 4.0)
    leave.set()
    wait(job)


def test_the_same_key_is_one_job_while_it_lives(manager: JobManager) -> None:
    gate = Gate()
    first = manager.submit("One", ("key", 1), gate)
    assert manager.submit("One again", ("key", 1), gate) is first
    assert manager.find(("key", 1)) is first
    gate.opened.set()
    wait(first)
    assert manager.find(("key", 1)) is None
    second = wait(manager.submit("One", ("key", 1), gate))
    assert second is not first
    assert gate.runs == 2
    assert manager.jobs() == [second]  # the new one takes the place of the finished one


def test_many_threads_asking_at_once_get_one_job(manager: JobManager) -> None:
    gate, ready = Gate(), threading.Barrier(8)

    def ask(_: int) -> Job:
        ready.wait()
        return manager.submit("One", "key", gate)

    with ThreadPoolExecutor(8) as pool:
        (job,) = set(pool.map(ask, range(8)))
    gate.opened.set()
    wait(job)
    assert gate.runs == 1


def test_jobs_of_one_queue_wait_for_each_other_and_queues_do_not(manager: JobManager) -> None:
    gates = [Gate() for _ in range(3)]
    first = manager.submit("A", "a", gates[0], queue="ingest")
    second = manager.submit("B", "b", gates[1], queue="ingest")
    beside = manager.submit("C", "c", gates[2], queue="copies")
    assert gates[0].started.wait(5)
    assert gates[2].started.wait(5)
    time.sleep(0.05)
    assert (first.state, second.state, beside.state) == ("running", "queued", "running")
    gates[0].opened.set()
    assert gates[1].started.wait(5)
    for gate in gates:
        gate.opened.set()
    for job in (first, second, beside):
        assert wait(job).state == "done"


def test_a_queue_without_jobs_has_no_thread(manager: JobManager) -> None:
    def threads() -> set[str]:
        return {thread.name for thread in threading.enumerate()} & {"jobs-idle"}

    for _ in range(2):
        gate = Gate()
        job = manager.submit("A", "a", gate, queue="idle")
        assert gate.started.wait(5)
        assert threads()
        gate.opened.set()
        wait(job)
        assert wait_for(lambda: not threads())


def test_a_running_job_is_cancelled(manager: JobManager) -> None:
    gate = Gate()
    job = manager.submit("A", "a", gate)
    assert gate.started.wait(5)
    job.cancel()
    wait(job)
    assert (job.state, job.note, job.error) == ("cancelled", "Stopped halfway.", None)


def test_a_queued_job_is_cancelled_at_once_and_never_runs(manager: JobManager) -> None:
    gate, never = Gate(), Gate()
    running = manager.submit("A", "a", gate)
    queued = manager.submit("B", "b", never)
    queued.cancel()
    assert queued.wait(0)
    assert queued.state == "cancelled"
    assert manager.find("b") is None
    gate.opened.set()
    wait(running)
    assert wait(manager.submit("C", "c", gate)).state == "done"
    assert never.runs == 0


def test_an_expected_error_is_shown_as_it_is(manager: JobManager) -> None:
    def work(**_: Any) -> None:
        raise EngineError("The server is down; start it and try again.")

    job = wait(manager.submit("A", "a", work))
    assert (job.state, job.error) == ("failed", "The server is down; start it and try again.")


def test_an_unexpected_error_is_logged_with_its_trace(manager: JobManager, error_logs: list[logging.LogRecord]) -> None:
    def work(**_: Any) -> None:
        raise ZeroDivisionError("by accident")

    job = wait(manager.submit("A", "a", work))
    assert job.state == "failed"
    assert job.error == "Unexpected problem: ZeroDivisionError: by accident; see the log, then try again."
    assert len(error_logs) == 1
    assert error_logs[0].exc_info is not None
    assert error_logs[0].exc_info[0] is ZeroDivisionError
    assert wait(manager.submit("B", "b", lambda **_: 1)).result == 1  # the queue goes on


def test_a_failed_job_is_retried_in_its_place(manager: JobManager) -> None:
    outcomes = iter([EngineError("Down; try again."), None])

    def work(**_: Any) -> str:
        error = next(outcomes)
        if error is not None:
            raise error
        return "fine"

    failed = wait(manager.submit("A", "a", work, sha256="abc", unit="samples"))
    manager.retry(failed.id)
    (job,) = manager.jobs()
    wait(job)
    assert (job.state, job.result, job.title, job.sha256, job.unit) == ("done", "fine", "A", "abc", "samples")
    manager.retry("no such job")
    assert manager.jobs() == [job]


def test_work_asked_for_at_every_run_is_not_repeated_after_a_failure(manager: JobManager) -> None:
    calls: list[int] = []

    def work(**_: Any) -> None:
        calls.append(1)
        raise EngineError("Down; try again.")

    first = wait(manager.submit("A", "a", work, once=True))
    assert manager.submit("A", "a", work, once=True) is first
    assert len(calls) == 1
    assert wait(manager.submit("A", "a", work)) is not first  # asked for by a person


def test_finished_jobs_are_dismissed_and_running_ones_stay(manager: JobManager) -> None:
    gate = Gate()
    running = manager.submit("A", "a", gate)
    finished = wait(manager.submit("B", "b", lambda **_: None, queue="second queue"))
    manager.dismiss(running.id)
    manager.dismiss(finished.id)
    assert manager.jobs() == [running]
    gate.opened.set()
    wait(running)


def test_finished_jobs_do_not_pile_up(manager: JobManager) -> None:
    for i in range(130):
        job = manager.submit("A", i, lambda **_: None)
    wait(job)
    manager.submit("B", "b", lambda **_: None)
    assert len(manager.jobs()) <= 102
    assert manager.jobs()[-1].key == "b"


def test_shutting_down_cancels_and_refuses(store: Store) -> None:
    manager = JobManager()
    gates = [Gate(), Gate()]
    jobs = [manager.submit(str(i), i, gate) for i, gate in enumerate(gates)]
    assert gates[0].started.wait(5)
    assert manager.shutdown()
    assert [job.state for job in jobs] == ["cancelled", "cancelled"]
    with pytest.raises(PromptreelError, match="shutting down"):
        manager.submit("C", "c", gates[0])


# --- ingest -------------------------------------------------------------------------------------------------


def test_an_ingest_job_reports_progress_and_ends_with_the_embedding(
    manager: JobManager, store: Store, video: Video
) -> None:
    engine = ToyEngine(delay_s=0.05)
    job = EmbeddingQueue(store, manager, no_engine).start(video, engine, EVERY_SECOND)
    assert (job.title, job.sha256, job.unit) == ("film.mp4", video.sha256, "samples")
    assert EmbeddingQueue(store, manager, no_engine).start(video, engine, EVERY_SECOND) is job
    wait(job)
    assert (job.state, job.note) == ("done", "")
    assert job.result == store.embedding(job.key)
    assert job.progress is not None
    assert (job.progress.done, job.progress.total) == (100, 100)
    assert engine.pictures == 100


def test_a_cancelled_ingest_keeps_its_samples_and_is_retried_to_the_end(
    manager: JobManager, store: Store, video: Video
) -> None:
    engine = ToyEngine(delay_s=0.1, concurrency=1)
    job = EmbeddingQueue(store, manager, no_engine).start(video, engine, EVERY_SECOND)
    while job.progress is None or job.progress.done < 16:
        assert job.live
        time.sleep(0.01)
    cancelled = time.monotonic()
    job.cancel()
    wait(job)
    assert time.monotonic() - cancelled < 1.5
    kept = store.embedding(job.key).samples
    assert (job.state, job.note) == ("cancelled", f"Cancelled; {kept} samples are kept.")
    manager.retry(job.id)
    (again,) = manager.jobs()
    assert wait(again).result.samples == 100
    assert manager.find(job.key) is None


def test_a_damaged_video_is_noted_on_its_job(manager: JobManager, store: Store, tmp_path: Path) -> None:
    path = make_video(tmp_path / "whole.mp4", colours=palette(100), faststart=True, gop=5)
    data = path.read_bytes()
    (tmp_path / "broken.mp4").write_bytes(data[: int(len(data) * 0.6)])
    video = store.add_file(tmp_path / "broken.mp4")
    job = wait(EmbeddingQueue(store, manager, no_engine).start(video, ToyEngine(), EVERY_SECOND))
    assert job.state == "done"
    assert "Decoding broke at" in job.note


def test_a_failed_ingest_tells_the_engines_sentence(manager: JobManager, store: Store, video: Video) -> None:
    job = wait(EmbeddingQueue(store, manager, no_engine).start(video, ToyEngine(fail_after=40), EVERY_SECOND))
    assert (job.state, job.error) == ("failed", "The toy broke; mend it and embed again.")
    assert 0 < store.embedding(job.key).samples <= 40


def test_ingests_run_one_after_another(manager: JobManager, store: Store, tmp_path: Path) -> None:
    engine = ToyEngine(delay_s=0.02, concurrency=1)
    videos = [store.add_file(make_video(tmp_path / f"{i}.mp4", colours=palette(40, seed=i))) for i in range(3)]
    jobs = [EmbeddingQueue(store, manager, no_engine).start(video, engine, EVERY_SECOND) for video in videos]
    for job in jobs:
        assert wait(job).state == "done"
    assert engine.max_in_flight == 1
    for before, after in itertools.pairwise(jobs):
        assert before.ended_at is not None
        assert after.started_at is not None
        assert before.ended_at <= after.started_at
