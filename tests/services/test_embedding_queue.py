"""The queue of embeddings: its order, what survives the process, what becomes of failures."""

from __future__ import annotations

import errno
import itertools
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lib.core.errors import (
    EngineAuthError,
    EngineUnavailableError,
    InputError,
    StoreDamagedError,
    StoreError,
)
from lib.core.sampling import Sampling
from lib.engines.engine import Engine
from lib.ingest.ingest import embedding_key
from lib.ingest.speed import remember_speed
from lib.services import embedding, queue_file
from lib.services.embedding import EmbeddingQueue
from lib.services.jobs import JobManager
from lib.services.queue_file import KILLED_TWICE, Entry, Queue
from lib.store.store import Store
from lib.store.videos import Video
from tests.helpers.http import wait_for
from tests.helpers.processes import run_queue, running, wait_for_samples
from tests.helpers.toy_engine import ToyEngine
from tests.helpers.videos import make_video, palette

EVERY = Sampling.every(2)


class Toy(ToyEngine):
    """A toy that can be made again, as an engine of the registry."""

    spec = ("toy", "")


@pytest.fixture
def videos(store: Store, tmp_path: Path) -> list[Video]:
    return [store.add_file(make_video(tmp_path / f"{i}.mp4", colours=palette(40, seed=i))) for i in range(3)]


class Process:
    """What a process has: its jobs and its view of the queue."""

    def __init__(self, store: Store, engine: Engine | None = None) -> None:
        self.made: list[tuple[str, str]] = []
        self.engine = engine or Toy()
        self.store, self.jobs = store, JobManager()
        self.queue = EmbeddingQueue(store, self.jobs, self._make)

    def _make(self, spec: str, model_version: str) -> Engine:
        self.made.append((spec, model_version))
        return self.engine

    def done(self) -> bool:
        return not self.queue.read().waiting and not self.queue.busy

    def names(self) -> list[str]:
        return [entry.name for entry in self.queue.read().entries]

    def complete(self) -> list[str]:
        infos = [info for info in self.store.embeddings() if info.complete]
        return [self.store.video(info.key.sha256).name for info in sorted(infos, key=lambda info: info.created_at)]


@pytest.fixture
def begin(store: Store) -> Iterator[Callable[..., Process]]:
    begun: list[Process] = []

    def make(engine: Engine | None = None) -> Process:
        begun.append(Process(store, engine))
        return begun[-1]

    yield make
    for process in begun:
        process.queue.close()
        assert process.jobs.shutdown()
        assert wait_for(lambda process=process: not process.queue.busy)  # type: ignore[misc]


Begin = Callable[..., Process]


def entry(number: int, **fields: object) -> Entry:
    return Entry(f"{number:064x}", f"{number}.mp4", "toy", "", "Toy", "toy:1", EVERY.key, **fields)  # type: ignore[arg-type]


def ids(queue: Queue) -> list[int]:
    return [int(one.sha256, 16) for one in queue.entries]


# --- the file ---------------------------------------------------------------------------------------------------------


def test_entries_are_moved_among_those_that_wait() -> None:
    queue = Queue((entry(0), entry(1, failed=True, problem="x"), entry(2), entry(3)))
    assert ids(queue.moved(entry(3).id, "first")) == [3, 0, 2, 1]
    assert ids(queue.moved(entry(3).id, "up")) == [0, 3, 2, 1]
    assert ids(queue.moved(entry(0).id, "down")) == [2, 0, 3, 1]
    assert ids(queue.moved(entry(0).id, "up")) == [0, 2, 3, 1]
    assert ids(queue.moved(entry(3).id, "down")) == [0, 2, 3, 1]
    assert queue.moved("gone", "first") is queue


def test_what_waits_is_not_added_twice_and_what_failed_is_tried_again() -> None:
    queue = Queue((entry(0), entry(1, failed=True, problem="x", killed=1), entry(2, done=7)))
    more = queue.adding([entry(2), entry(1), entry(3)])
    assert ids(more) == [0, 2, 1, 3]
    assert more.get(entry(2).id) == entry(2, done=7)
    assert more.get(entry(1).id) == entry(1)
    assert queue.adding([entry(2)], first=True).entries[0] == entry(2, done=7)
    assert ids(queue.adding([entry(2)], first=True)) == [2, 0, 1]
    assert queue.retrying([entry(1).id]).waiting[-1] == entry(1)


def test_a_queue_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_file, "MAX_ENTRIES", 2)
    with pytest.raises(InputError, match="at most 2 videos"):
        Queue((entry(0),)).adding([entry(1), entry(2)])


def test_many_are_removed_and_tried_again_without_looking_through_all_for_each() -> None:
    class Ids(list[str]):
        def __contains__(self, _: object) -> bool:
            raise AssertionError

    queue = Queue((entry(0, failed=True), entry(1, failed=True), entry(2)))
    some = Ids(one.id for one in queue.failed)
    assert ids(queue.without(some)) == [2]
    assert ids(queue.retrying(some)) == [2, 0, 1]


def test_a_queue_that_could_not_be_read_again_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    queue_file.change(tmp_path, lambda queue: queue.adding([entry(0)]))
    monkeypatch.setattr(queue_file, "_MAX_BYTES", 1_000)
    with pytest.raises(StoreError, match="larger"):
        queue_file.change(tmp_path, lambda queue: queue.adding([entry(1), entry(2)]))
    assert ids(queue_file.read(tmp_path)) == [0]


def test_the_queue_is_read_as_it_was_written(tmp_path: Path) -> None:
    queue = Queue((entry(0, samples=9, running=True), entry(1, failed=True, problem="why")), paused=True, reason="full")
    assert queue_file.read(tmp_path) == Queue()
    assert queue_file.change(tmp_path, lambda _: queue) == queue
    queue_file._read.clear()
    assert queue_file.read(tmp_path) == queue
    assert queue_file.read(tmp_path) is queue_file.read(tmp_path)  # not parsed again


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{",
        '{"format": 2, "paused": false, "reason": "", "entries": []}',
        '{"format": 1, "paused": false, "reason": "", "entries": [{"sha256": "a"}]}',
        json.dumps(
            {"format": 1, "paused": False, "reason": "", "entries": [{**vars(entry(0)), "sampling": "every:x"}]}
        ),
        json.dumps({"format": 1, "paused": False, "reason": "", "entries": [{**vars(entry(0)), "killed": -1}]}),
    ],
)
def test_a_damaged_file_is_said_and_kept_aside_by_the_next_change(tmp_path: Path, text: str) -> None:
    queue_file.path_of(tmp_path).write_text(text)
    with pytest.raises(StoreDamagedError):
        queue_file.read(tmp_path)
    queue_file.change(tmp_path, lambda queue: queue.adding([entry(0)]))
    assert ids(queue_file.read(tmp_path)) == [0]
    assert (tmp_path / "queue.json.damaged").read_text() == text


def test_tabs_that_change_it_at_once_lose_nothing(tmp_path: Path) -> None:
    def add(numbers: range) -> None:
        for number in numbers:
            queue_file.change(tmp_path, lambda queue: queue.adding([entry(number)]))  # noqa: B023 - used at once

    threads = [threading.Thread(target=add, args=(range(start, 40, 4),)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ids(queue_file.read(tmp_path))) == list(range(40))


# --- embedding --------------------------------------------------------------------------------------------------------


def test_all_are_embedded_in_order_one_at_a_time(begin: Begin, videos: list[Video]) -> None:
    process = begin(Toy(delay_s=0.02, concurrency=1))
    process.queue.add(videos, process.engine, EVERY)
    assert wait_for(process.done)
    assert process.complete() == ["0.mp4", "1.mp4", "2.mp4"]
    assert process.engine.max_in_flight == 1
    assert process.names() == []
    assert process.made == []  # the engine that was given has the key


def test_another_process_resumes_what_waits(begin: Begin, store: Store, videos: list[Video]) -> None:
    first = begin(Toy(delay_s=0.1, concurrency=1))
    first.queue.add(videos, first.engine, EVERY)
    assert wait_for(lambda: any(job.progress for job in first.jobs.jobs()))
    first.queue.close()
    assert first.names() == ["0.mp4", "1.mp4", "2.mp4"]
    assert all(not one.running and not one.killed for one in first.queue.read().entries)  # put down, not killed
    second = begin()
    second.queue.wake()
    assert wait_for(second.done)
    assert second.complete() == ["0.mp4", "1.mp4", "2.mp4"]
    assert second.made == [("toy", "")]


def test_a_video_that_killed_the_process_twice_is_given_up(begin: Begin, store: Store, videos: list[Video]) -> None:
    def of(video: Video, **fields: int) -> Entry:
        return Entry(video.sha256, video.name, "toy", "", "Toy", "toy:1", EVERY.key, **fields)  # type: ignore[arg-type]

    once, twice, never = videos
    left = Queue((of(twice, running=True, killed=1), of(once, running=True), of(never)))
    queue_file.change(store.home, lambda _: left)
    process = begin()
    process.queue.wake()
    assert wait_for(process.done)
    assert process.complete() == [once.name, never.name]
    (failed,) = process.queue.read().failed
    assert (failed.name, failed.problem) == (twice.name, KILLED_TWICE)
    process.queue.retry([failed.id])
    assert wait_for(process.done)
    assert sorted(process.complete()) == ["0.mp4", "1.mp4", "2.mp4"]


def test_a_killed_process_is_noticed_and_its_video_resumed(begin: Begin, store: Store, tmp_path: Path) -> None:
    video = store.add_file(make_video(tmp_path / "long.mp4", colours=palette(120)))
    with running(run_queue, store.home, video.sha256) as dying:
        kept = wait_for_samples(dying, 8)
        dying.kill()
        dying.wait()
    assert queue_file.read(store.home).entries[0].running
    process = begin()
    process.queue.wake()
    assert wait_for(lambda: any(one.killed == 1 for one in process.queue.read().entries) or process.done())
    assert wait_for(process.done)
    assert process.complete() == ["long.mp4"]
    assert process.engine.pictures <= 60 - kept + 1


def test_a_pause_keeps_what_is_done_and_resume_goes_on_there(begin: Begin, store: Store, videos: list[Video]) -> None:
    process = begin(Toy(delay_s=0.1, concurrency=1, batch_size=2))
    process.queue.add(videos, process.engine, EVERY)
    assert wait_for(lambda: any(job.progress and job.progress.done >= 4 for job in process.jobs.jobs()))
    process.queue.pause(True)
    assert wait_for(lambda: not process.queue.busy)
    kept = process.queue.read().entries[0].done
    assert kept == store.embedding(embedding_key(videos[0], process.engine, EVERY)).samples > 0
    assert process.names() == ["0.mp4", "1.mp4", "2.mp4"]
    assert not any(job.note for job in process.jobs.jobs())  # paused, as the queue says, and not cancelled
    process.engine.delay_s = 0.0
    process.queue.pause(False)
    assert wait_for(process.done)
    assert process.complete() == ["0.mp4", "1.mp4", "2.mp4"]
    assert process.engine.pictures <= 60 + 4  # nothing but what was under way twice


def test_a_pause_by_another_process_stops_it_as_well(begin: Begin, videos: list[Video]) -> None:
    working, other = begin(Toy(delay_s=0.1, concurrency=1, batch_size=2)), begin()
    working.queue.add(videos, working.engine, EVERY)
    assert wait_for(lambda: any(one.running for one in other.queue.read().entries))
    other.queue.pause(True)
    assert wait_for(lambda: not working.queue.busy)
    assert other.names() == ["0.mp4", "1.mp4", "2.mp4"]
    assert not any(one.running for one in other.queue.read().entries)


def test_one_process_works_on_it_and_another_takes_over(begin: Begin, videos: list[Video]) -> None:
    first, second = begin(Toy(hang=threading.Event())), begin()
    first.queue.add(videos, first.engine, EVERY)
    assert wait_for(lambda: any(one.running for one in first.queue.read().entries))
    second.queue.wake()
    assert not second.jobs.jobs()
    first.engine.hang.set()
    first.queue.close()
    assert wait_for(second.done)
    assert sorted(second.complete()) == ["0.mp4", "1.mp4", "2.mp4"]
    assert second.engine.pictures


def test_what_is_started_by_itself_comes_first_also_in_a_pause(begin: Begin, videos: list[Video]) -> None:
    process = begin()
    process.queue.pause(True)
    process.queue.add(videos[:2], process.engine, EVERY)
    job = process.queue.start(videos[2], process.engine, EVERY)
    assert job.wait(20)
    assert job.state == "done"
    assert process.names() == ["0.mp4", "1.mp4"]


def test_what_was_started_by_itself_is_resumed_after_a_restart(begin: Begin, videos: list[Video]) -> None:
    first = begin(Toy(delay_s=0.2, concurrency=1, batch_size=2))
    job = first.queue.start(videos[0], first.engine, EVERY)
    waiting = first.queue.start(videos[1], first.engine, EVERY)
    first.queue.close()
    assert (job.state, waiting.state) == ("cancelled", "cancelled")
    second = begin()
    second.queue.wake()
    assert wait_for(second.done)
    assert sorted(second.complete()) == ["0.mp4", "1.mp4"]


def test_a_cancelled_video_leaves_the_queue(begin: Begin, videos: list[Video]) -> None:
    process = begin(Toy(delay_s=0.2, concurrency=1, batch_size=2))
    running, queued = (process.queue.start(video, process.engine, EVERY) for video in videos[:2])
    queued.cancel()
    assert wait_for(lambda: process.names() == ["0.mp4"])
    running.cancel()
    assert running.wait(20)
    assert process.names() == []


def test_removing_stops_what_is_being_embedded(begin: Begin, videos: list[Video]) -> None:
    process = begin(Toy(delay_s=0.2, concurrency=1, batch_size=2))
    process.queue.add(videos, process.engine, EVERY)
    assert wait_for(lambda: any(job.live and job.progress for job in process.jobs.jobs()))
    process.queue.remove([one.id for one in process.queue.read().entries])
    assert wait_for(process.done)
    assert process.complete() == []


def test_a_deleted_video_leaves_the_queue_by_itself(begin: Begin, store: Store, videos: list[Video]) -> None:
    process = begin()
    process.queue.pause(True)
    process.queue.add(videos, process.engine, EVERY)
    store.delete_video(videos[1].sha256)
    process.queue.remove_video(videos[2].sha256)
    process.queue.pause(False)
    assert wait_for(process.done)
    assert process.complete() == ["0.mp4"]
    assert process.names() == []


def is_running(process: Process) -> bool:
    return any(one.running for one in process.queue.read().entries)


@pytest.mark.parametrize("again", ["resumed", "removed and added", "removed and started"])
def test_what_is_wanted_again_before_it_has_stopped_is_not_lost(begin: Begin, videos: list[Video], again: str) -> None:
    process = begin(Toy(hang=threading.Event()))
    process.queue.add(videos, process.engine, EVERY)
    assert wait_for(lambda: is_running(process))
    if again == "resumed":
        process.queue.pause(True)
        process.queue.pause(False)
    else:
        process.queue.remove([process.queue.read().entries[0].id])
        if again == "removed and added":
            process.queue.add(videos[:1], process.engine, EVERY)
        else:
            process.queue.start(videos[0], process.engine, EVERY)
    process.engine.hang.set()
    assert wait_for(process.done)
    assert sorted(process.complete()) == ["0.mp4", "1.mp4", "2.mp4"]


def test_a_video_that_was_cancelled_by_itself_stays_so_in_a_pause(begin: Begin, videos: list[Video]) -> None:
    process = begin(Toy(hang=threading.Event()))
    process.queue.add(videos[:2], process.engine, EVERY)
    assert wait_for(lambda: is_running(process))
    (job,) = process.jobs.jobs()
    job.cancel()
    process.queue.pause(True)
    process.engine.hang.set()
    assert wait_for(lambda: process.names() == ["1.mp4"])


def test_what_was_started_by_itself_goes_on_in_a_pause_though_its_turn_had_come(
    begin: Begin, videos: list[Video]
) -> None:
    process = begin(Toy(hang=threading.Event()))
    process.queue.add(videos[:1], process.engine, EVERY)
    assert wait_for(lambda: is_running(process))
    job = process.queue.start(videos[1], process.engine, EVERY)
    entry = process.queue.read().entries[0]
    assert process.queue._submit(entry, videos[1], process.engine, EVERY, from_queue=True) is job  # its turn
    process.queue.pause(True)
    process.engine.hang.set()
    assert job.wait(20)
    assert (job.state, process.names()) == ("done", ["0.mp4"])


def test_an_engine_that_takes_its_time_at_the_end_of_the_process_kills_nothing(
    begin: Begin, videos: list[Video]
) -> None:
    process = begin(Toy(hang=threading.Event()))
    process.queue.add(videos, process.engine, EVERY)
    assert wait_for(lambda: is_running(process))
    process.queue.close(timeout_s=0.01)
    assert not is_running(process)
    process.engine.hang.set()


# --- failures ---------------------------------------------------------------------------------------------------------


def test_a_video_that_fails_costs_no_other_and_is_tried_again(begin: Begin, videos: list[Video]) -> None:
    process = begin()
    moved = videos[0].path.rename(videos[0].path.with_name("away.mp4"))
    process.queue.add(videos, process.engine, EVERY)
    assert wait_for(process.done)
    (failed,) = process.queue.read().failed
    assert failed.problem.startswith("0.mp4 was moved or changed")
    assert process.complete() == ["1.mp4", "2.mp4"]
    moved.rename(videos[0].path)
    process.queue.retry([failed.id])
    assert wait_for(process.done)
    assert sorted(process.complete()) == ["0.mp4", "1.mp4", "2.mp4"]
    assert process.names() == []


def test_an_engine_that_lacks_its_key_is_waited_for(begin: Begin, videos: list[Video]) -> None:
    process = begin(Toy(fail_after=0, error=EngineAuthError("The server refuses the key; type another.")))
    process.queue.add(videos, process.engine, EVERY)
    assert wait_for(lambda: process.queue.held(("toy", "")) != "")
    assert wait_for(lambda: not process.queue.read().entries[0].running)
    assert process.queue.read().entries[0].problem == "The server refuses the key; type another."
    assert not process.queue.read().failed
    with_key = Toy()
    process.queue.use(with_key)
    assert wait_for(process.done)
    assert process.complete() == ["0.mp4", "1.mp4", "2.mp4"]
    assert with_key.pictures


def test_a_server_that_does_not_answer_holds_up_its_own_videos_only(begin: Begin, videos: list[Video]) -> None:
    class Other(ToyEngine):
        spec = ("http://127.0.0.1:9", "ViT-B-16")

    down = Other(id="clip/ViT-B-16", fail_after=0, error=EngineUnavailableError("It does not answer; start it."))
    process = begin()
    process.queue.pause(True)
    process.queue.add(videos[:1], down, EVERY)
    process.queue.add(videos[1:], process.engine, EVERY)
    process.queue.pause(False)
    assert wait_for(lambda: process.names() == ["0.mp4"])
    assert process.complete() == ["1.mp4", "2.mp4"]
    assert process.queue.held(Other.spec) == "It does not answer; start it."
    down.fail_after = None
    process.queue.use(down)
    process.queue.retry(())
    assert wait_for(process.done)
    assert "0.mp4" in process.complete()


def test_a_full_disk_pauses_the_queue_and_says_why(
    begin: Begin, videos: list[Video], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise StoreError("The disk is full; free some space.")

    monkeypatch.setattr(embedding, "ingest", full)
    process = begin()
    process.queue.add(videos, process.engine, EVERY)
    assert wait_for(lambda: not process.queue.busy)
    queue = process.queue.read()
    assert (queue.paused, queue.reason) == (True, "The disk is full; free some space.")
    assert len(queue.waiting) == 3
    monkeypatch.undo()
    process.queue.pause(False)
    assert wait_for(process.done)
    assert len(process.complete()) == 3


def test_a_queue_that_cannot_be_written_is_waited_for_and_nothing_counts_as_killed(
    begin: Begin, videos: list[Video], monkeypatch: pytest.MonkeyPatch
) -> None:
    process = begin(Toy(hang=threading.Event()))
    process.queue.add(videos, process.engine, EVERY)
    assert wait_for(lambda: is_running(process))

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    tries, submit = itertools.count(), process.jobs.submit
    monkeypatch.setattr(process.jobs, "submit", lambda *args, **fields: (next(tries), submit(*args, **fields))[1])
    with monkeypatch.context() as patch:
        patch.setattr(queue_file, "change", full)
        process.engine.hang.set()
        for _ in range(3):
            assert wait_for(lambda: "full" in process.queue.held(Toy.spec))
            process.queue._holds.clear()
            process.queue.wake()
        assert wait_for(lambda: "full" in process.queue.held(Toy.spec))
        assert next(tries) <= 4  # it waits between two tries
    process.queue.retry(())
    assert wait_for(process.done)
    assert len(process.complete()) == 3


@pytest.mark.allow_error_logs
def test_an_engine_that_cannot_be_made_costs_no_other_video(begin: Begin, store: Store, videos: list[Video]) -> None:
    class Gone(Toy):
        spec = ("folder:/gone", "")
        id = "gone:1"

    process, other = begin(), begin()
    other.queue.put(videos[:1], Gone(id="gone:1"), EVERY)
    other.queue.put(videos[1:], process.engine, EVERY)

    def make(spec: str, model_version: str) -> Engine:
        if spec != "toy":
            raise ValueError("no such weights")
        return process.engine

    process.queue._make = make
    process.queue.wake()
    assert wait_for(process.done)
    assert process.complete() == ["1.mp4", "2.mp4"]
    (failed,) = process.queue.read().failed
    assert "no such weights" in failed.problem


def test_a_failed_job_is_tried_again_also_in_a_pause(begin: Begin, videos: list[Video]) -> None:
    process = begin(Toy(fail_after=0))
    process.queue.add(videos[:1], process.engine, EVERY)
    assert wait_for(process.done)
    process.queue.pause(True)
    process.engine.fail_after = None
    process.jobs.retry(process.jobs.jobs()[0].id)
    assert wait_for(lambda: not process.names())
    assert process.complete() == ["0.mp4"]


@pytest.mark.allow_error_logs
def test_an_unexpected_error_is_a_failure_with_a_sentence(begin: Begin, videos: list[Video]) -> None:
    process = begin(Toy(fail_after=0, error=RuntimeError("boom")))
    process.queue.add(videos[:2], process.engine, EVERY)
    assert wait_for(process.done)
    assert len(process.queue.read().failed) == 2
    assert all("boom" in one.problem and "\n" not in one.problem for one in process.queue.read().failed)


def test_no_key_is_ever_in_the_file(begin: Begin, store: Store, videos: list[Video]) -> None:
    from lib.engines.server import ServerEngine

    process = begin()
    process.queue.pause(True)
    process.queue.add(videos, ServerEngine("http://127.0.0.1:9", api_key="secret-key-123"), EVERY)
    text = queue_file.path_of(store.home).read_text()
    assert "http://127.0.0.1:9" in text
    assert "secret-key-123" not in text


# --- time left --------------------------------------------------------------------------------------------------------


def test_the_time_left_is_reckoned_from_measured_speeds(begin: Begin, store: Store) -> None:
    process = begin()
    remember_speed(store.home, "toy:1", 100, 10.0)
    some = [entry(0, samples=100), entry(1, samples=60, done=10), entry(2), entry(3, samples=50, failed=True)]
    queue_file.change(store.home, lambda _: Queue(tuple(some)))
    left = process.queue.time_left()
    assert left.seconds == pytest.approx(15.0)
    assert left.unknown == 1


def test_thousands_of_entries_are_changed_without_reading_them_anew(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue_file.change(store.home, lambda queue: queue.adding(entry(number) for number in range(5_000)))
    parsed = itertools.count()
    before = queue_file._entry
    monkeypatch.setattr(queue_file, "_entry", lambda data: (next(parsed), before(data))[1])
    for _ in range(5):
        assert len(queue_file.read(store.home).entries) == 5_000
        queue_file.change(store.home, lambda queue: queue.moved(entry(4_000).id, "up"))
    assert next(parsed) == 0
