"""Two that want the same embedding share one run."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from lib.ingest.ingest import embedding_key, ingest
from lib.ingest.progress import Progress
from lib.store.store import Store
from lib.store.videos import Video
from tests.helpers.ingesting import EVERY, assert_same, in_thread
from tests.helpers.processes import run_ingest, running, wait_for_samples
from tests.helpers.toy_engine import ToyEngine
from tests.helpers.videos import make_video, palette, scenes

pytestmark = pytest.mark.usefixtures("no_thread_stays")


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """400 frames at 24 a second, each of its own colour."""
    return make_video(tmp_path_factory.mktemp("film") / "film.mp4", colours=palette(400), gop=50)


def test_two_threads_that_want_the_same_share_one_run(store: Store, video: Video, film: Path) -> None:
    engine = ToyEngine(delay_s=0.05)
    progress: list[list[Progress]] = [[], []]
    runs = [
        in_thread(lambda seen=seen, own=own: ingest(own, video, engine, EVERY(2), on_progress=seen.append))
        for seen, own in zip(progress, (store, Store(store.home)), strict=True)
    ]
    for thread, _ in runs:
        thread.join()
    (first,), (second,) = (result for _, result in runs)
    assert first == second
    assert first.complete
    assert engine.pictures == 200
    assert_same(store.load(first.key), film, engine, EVERY(2))
    for seen in progress:
        assert seen[-1].done == seen[-1].total == 200


def test_another_process_at_the_same_is_waited_for(store: Store, film: Path) -> None:
    with running(run_ingest, store.home, film, 2, 0.1) as process:
        wait_for_samples(process, 1)
        video, engine = store.videos()[0], ToyEngine()
        seen: list[Progress] = []
        info = ingest(store, video, engine, EVERY(2), on_progress=seen.append)
        assert info.complete
        assert engine.calls == 0
        assert any(0 < progress.done < 200 for progress in seen)
        assert seen[-1].done == 200
        out, _ = process.communicate(timeout=30)
        assert out.split()[-2:] == ["calls", "200"]


def test_a_process_that_dies_is_taken_over_from(store: Store, film: Path) -> None:
    with running(run_ingest, store.home, film, 2, 0.3) as process:
        stored = wait_for_samples(process, 8)
        engine = ToyEngine()
        thread, result = in_thread(lambda: ingest(store, store.videos()[0], engine, EVERY(2)))
        time.sleep(0.3)
        assert engine.calls == 0
    thread.join()
    assert result[0].complete
    assert 0 < engine.pictures <= 200 - stored
    assert_same(store.load(result[0].key), film, engine, EVERY(2))


def test_waiting_for_another_can_be_cancelled(store: Store, video: Video) -> None:
    engine, cancel = ToyEngine(), threading.Event()
    with store.ingest_lock(embedding_key(video, engine, EVERY(2))):
        thread, result = in_thread(lambda: ingest(store, video, engine, EVERY(2), cancel=cancel))
        time.sleep(0.4)
        assert thread.is_alive()
        cancel.set()
        thread.join(2)
        assert not thread.is_alive()
    assert not result[0].complete
    assert engine.calls == 0


def test_two_videos_are_embedded_at_the_same_time(store: Store, video: Video, film: Path, tmp_path: Path) -> None:
    path = make_video(tmp_path / "other.mp4", colours=scenes(((200, 30, 40), 100), ((30, 170, 60), 100)))
    other = store.add_file(path)
    engines = [ToyEngine(delay_s=0.01), ToyEngine(delay_s=0.01)]
    runs = [
        in_thread(lambda v=v, e=e: ingest(store, v, e, EVERY(1))) for v, e in zip((video, other), engines, strict=True)
    ]
    for thread, _ in runs:
        thread.join()
    for (_, result), source, engine in zip(runs, (film, path), engines, strict=True):
        assert_same(store.load(result[0].key), source, engine, EVERY(1))
