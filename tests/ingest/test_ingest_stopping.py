"""Ingest stopped by a cancel, a kill, an error or a dead server keeps what is done and goes on."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import lib.ingest.ingest
import lib.ingest.pipeline
from lib.core.errors import BadReplyError, EngineError, EngineUnavailableError, StoreError
from lib.core.sampling import Sampling
from lib.engines.server import ServerEngine
from lib.engines.server_client import Timeouts
from lib.infra.http import RetryPolicy
from lib.ingest.ingest import embedding_key, ingest
from lib.ingest.progress import Progress
from lib.store.store import Store
from lib.store.videos import Video
from tests.helpers.fake_server import FakeServer
from tests.helpers.ingesting import EVERY, Canceller, assert_same
from tests.helpers.processes import run_ingest, running, wait_for_samples
from tests.helpers.toy_engine import ToyEngine
from tests.helpers.videos import make_video, palette

pytestmark = pytest.mark.usefixtures("no_thread_stays")


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """400 frames at 24 a second, each of its own colour."""
    return make_video(tmp_path_factory.mktemp("film") / "film.mp4", colours=palette(400), gop=50)


def test_cancel_keeps_what_is_done_and_a_second_run_embeds_the_rest(store: Store, video: Video, film: Path) -> None:
    engine = ToyEngine(delay_s=0.02)
    stop = Canceller(at=60)
    info = ingest(store, video, engine, EVERY(2), on_progress=stop, cancel=stop.event)
    assert time.monotonic() - stop.when < 1.5
    assert not info.complete
    assert 60 <= info.samples < 200
    kept = store.load(info.key)
    again = ToyEngine()
    done = ingest(store, video, again, EVERY(2))
    assert done.complete
    assert again.pictures == 200 - info.samples
    samples = store.load(info.key)
    assert_same(samples, film, engine, EVERY(2))
    np.testing.assert_array_equal(samples.vectors[: len(kept)], kept.vectors)
    assert done.created_at == info.created_at


@pytest.mark.parametrize("sampling", [EVERY(3), Sampling.per_second(7)], ids=lambda s: s.key)
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi"])
def test_any_number_of_interruptions_gives_the_same_samples(
    store: Store, tmp_path: Path, sampling: Sampling, suffix: str
) -> None:
    codec = "mpeg4" if suffix == ".avi" else "libx264"
    path = make_video(tmp_path / f"a{suffix}", colours=palette(150), codec=codec, gop=20)
    video, pictures = store.add_file(path), 0
    for at in (1, 10, 20, 30, 200):
        engine = ToyEngine(delay_s=0.01, batch_size=3, concurrency=1)
        stop = Canceller(at)
        info = ingest(store, video, engine, sampling, on_progress=stop, cancel=stop.event)
        pictures += engine.pictures
    assert info.complete
    assert_same(store.load(info.key), path, engine, sampling)
    assert pictures <= info.samples + 4 * 6  # at most what was in flight when it was stopped


def test_cancel_does_not_wait_for_a_call_that_hangs(store: Store, video: Video) -> None:
    engine = ToyEngine(hang=threading.Event())
    cancel = threading.Event()
    timer = threading.Timer(0.3, cancel.set)
    timer.start()
    began = time.monotonic()
    info = ingest(store, video, engine, EVERY(10), cancel=cancel)
    assert time.monotonic() - began < 1.8
    assert not info.complete
    assert engine.hang is not None
    engine.hang.set()
    timer.join()
    assert store.embeddings() == []  # nothing came of it, so nothing is listed
    assert ingest(store, video, ToyEngine(), EVERY(10)).complete


def test_cancel_before_the_start_embeds_nothing(store: Store, video: Video) -> None:
    engine, cancel = ToyEngine(), threading.Event()
    cancel.set()
    info = ingest(store, video, engine, EVERY(10), cancel=cancel)
    assert (info.samples, info.complete) == (0, False)
    assert engine.calls == 0
    assert store.embeddings() == []


def test_a_killed_process_costs_no_sample_and_repeats_none(store: Store, film: Path) -> None:
    with running(run_ingest, store.home, film, 1, 0.15) as process:
        wait_for_samples(process, 40)
    assert process.returncode == -signal.SIGKILL
    again = Store(store.home)
    video, engine = again.videos()[0], ToyEngine()
    kept = again.embedding(embedding_key(video, engine, EVERY(1)))
    assert not kept.complete
    assert 40 <= kept.samples < 400
    info = ingest(again, video, engine, EVERY(1))
    assert info.complete
    assert engine.pictures == 400 - kept.samples
    assert_same(again.load(info.key), film, engine, EVERY(1))


def test_an_engine_that_breaks_is_reported_and_costs_nothing_done(store: Store, video: Video, film: Path) -> None:
    engine = ToyEngine(fail_after=80, concurrency=1)
    with pytest.raises(EngineError, match=r"The toy broke; mend it"):
        ingest(store, video, engine, EVERY(2))
    key = embedding_key(video, engine, EVERY(2))
    assert store.embedding(key).samples == 80
    again = ToyEngine()
    assert ingest(store, video, again, EVERY(2)).complete
    assert again.pictures == 120
    assert_same(store.load(key), film, engine, EVERY(2))


def test_an_engine_that_never_works_leaves_nothing_behind(store: Store, video: Video) -> None:
    with pytest.raises(EngineError):
        ingest(store, video, ToyEngine(fail_after=0), EVERY(2))
    assert store.embeddings() == []


def test_an_unexpected_error_of_an_engine_is_raised_too(store: Store, video: Video) -> None:
    with pytest.raises(ZeroDivisionError):
        ingest(store, video, ToyEngine(fail_after=8, error=ZeroDivisionError()), EVERY(2))


def test_samples_are_committed_many_at_a_time_and_every_few_seconds(
    store: Store, video: Video, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits: list[int] = []
    real = Store.append

    def append(self: Store, key: Any, **columns: Any) -> None:
        commits.append(len(columns["frames"]))
        real(self, key, **columns)

    monkeypatch.setattr(Store, "append", append)
    monkeypatch.setattr(lib.ingest.pipeline, "COMMIT_INTERVAL_S", (60.0, 60.0))
    ingest(store, video, ToyEngine(), EVERY(1))
    assert commits == [256, 144]
    commits.clear()
    monkeypatch.setattr(lib.ingest.pipeline, "COMMIT_INTERVAL_S", (0.3, 0.3))
    ingest(store, video, ToyEngine("toy:2", delay_s=0.1, concurrency=1), EVERY(4))  # 13 calls
    assert 3 <= len(commits) <= 6


def test_a_full_disk_is_reported_and_what_was_stored_before_stays(
    store: Store, video: Video, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Store.append

    def append(self: Store, key: Any, **columns: Any) -> None:
        if columns["frames"][0] > 0:
            raise StoreError("The disk is full: storing samples failed. Free some space, then try again.")
        real(self, key, **columns)

    monkeypatch.setattr(Store, "append", append)
    with pytest.raises(StoreError, match="The disk is full"):
        ingest(store, video, ToyEngine(), EVERY(1))
    monkeypatch.undo()
    assert store.embedding(embedding_key(video, ToyEngine(), EVERY(1))).samples == 256
    engine = ToyEngine()
    assert ingest(store, video, engine, EVERY(1)).complete
    assert engine.pictures == 144


def test_vectors_of_a_wrong_shape_are_refused(store: Store, video: Video) -> None:
    class Wrong(ToyEngine):
        def embed_images(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
            return super().embed_images(images)[:, :-1]

    with pytest.raises(BadReplyError, match=r"gave \(8, 15\) numbers instead of \(8, 16\)"):
        ingest(store, video, Wrong(), EVERY(2))


def test_an_interrupted_caller_keeps_what_is_done(store: Store, video: Video) -> None:
    def interrupt(progress: Progress) -> None:
        if progress.done >= 50:
            raise KeyboardInterrupt

    engine = ToyEngine(delay_s=0.02)
    with pytest.raises(KeyboardInterrupt):
        ingest(store, video, engine, EVERY(2), on_progress=interrupt)
    assert store.embedding(embedding_key(video, engine, EVERY(2))).samples >= 50


def test_a_server_that_dies_costs_nothing_done(store: Store, video: Video) -> None:
    retries = RetryPolicy(attempts=2, base_s=0.01, cap_s=0.02)
    with FakeServer() as server:
        server.faults.latency_s = 0.05
        engine = ServerEngine(server.url, retries=retries)

        def die(progress: Progress) -> None:
            if progress.done >= 24:
                server.faults.first, server.faults.manner = 10_000, "reset"

        with pytest.raises(EngineUnavailableError):
            ingest(store, video, engine, EVERY(2), on_progress=die)
    kept = store.embedding(embedding_key(video, engine, EVERY(2)))
    assert 24 <= kept.samples < 200
    assert not kept.complete
    with FakeServer() as server:
        engine = ServerEngine(server.url, retries=retries)
        info = ingest(store, video, engine, EVERY(2))
        assert sum(seen.items for seen in server.seen) == 200 - kept.samples
    assert info.complete
    assert info.samples == 200
    assert store.load(info.key).frames.tolist() == list(range(0, 400, 2))


@pytest.mark.parametrize("manner", ["status", "hang"])
def test_cancel_is_quick_while_a_server_fails_and_is_tried_again(store: Store, video: Video, manner: str) -> None:
    with FakeServer() as server:
        engine = ServerEngine(
            server.url, retries=RetryPolicy(attempts=100, base_s=5, cap_s=30), timeouts=Timeouts(read_s=30, first_s=30)
        )
        cancel = threading.Event()

        def fail(progress: Progress) -> None:
            if progress.done >= 16 and not timer.is_alive() and not cancel.is_set():
                server.faults.first, server.faults.manner = 10_000, manner
                timer.start()

        timer = threading.Timer(0.5, cancel.set)
        server.faults.latency_s = 0.03
        set_at: list[float] = []
        watcher = threading.Thread(target=lambda: (cancel.wait(30), set_at.append(time.monotonic())))
        watcher.start()
        info = ingest(store, video, engine, EVERY(2), on_progress=fail, cancel=cancel)
        ended = time.monotonic()
        watcher.join()
        timer.join()
        assert ended - set_at[0] < 1.5
        assert 16 <= info.samples < 200
        assert not info.complete
        engine.close()  # ends what still waits in the background
