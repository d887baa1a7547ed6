"""Ingest: every sample once, in order, overlapped and bounded; whatever the file."""

from __future__ import annotations

import io
import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import lib.ingest.ingest
import lib.ingest.pipeline
from lib.core.errors import EngineError, NotStoredError, VideoDamagedError, VideoError
from lib.core.sampling import Sampling
from lib.engines.server import ServerEngine
from lib.ingest.daemon_workers import step_back
from lib.ingest.ingest import ingest
from lib.ingest.pipeline import make_thumbnail
from lib.ingest.progress import Progress
from lib.media.frames import Frame, FrameReader
from lib.store.store import Store
from lib.store.videos import Video
from tests.helpers.fake_server import FakeServer
from tests.helpers.ingesting import EVERY, assert_same, expected
from tests.helpers.toy_engine import ToyEngine
from tests.helpers.videos import make_video, palette

pytestmark = pytest.mark.usefixtures("no_thread_stays")


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """400 frames at 24 a second, each of its own colour."""
    return make_video(tmp_path_factory.mktemp("film") / "film.mp4", colours=palette(400), gop=50)


# --- the whole way ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("sampling", [EVERY(1), EVERY(7), EVERY(1000), Sampling.per_second(3)], ids=lambda s: s.key)
def test_every_sample_is_stored_once_with_its_time_vector_and_thumbnail(
    store: Store, video: Video, film: Path, sampling: Sampling
) -> None:
    engine = ToyEngine()
    info = ingest(store, video, engine, sampling)
    samples = store.load(info.key)
    assert_same(samples, film, engine, sampling)
    assert info.complete
    assert info.damage is None
    assert info.samples == len(samples) == engine.pictures
    assert info.duration_s == samples.duration_s == pytest.approx(400 / 24)
    thumbnails = store.thumbnails(info.key, samples.frames)
    frames, _ = expected(film, engine, sampling)
    assert len(thumbnails) == len(frames)
    for frame in frames[:: max(1, len(frames) // 7)]:
        picture = np.asarray(Image.open(io.BytesIO(thumbnails[frame.index])))
        np.testing.assert_allclose(picture.mean((0, 1)), frame.image.mean((0, 1)), atol=6)


def test_a_second_run_asks_neither_engine_nor_file(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = store.add_file(make_video(tmp_path / "a.mp4"))
    first = ingest(store, video, ToyEngine(), EVERY(2))
    video.path.unlink()
    engine = ToyEngine(fail_after=0)
    progress: list[Progress] = []
    assert ingest(store, video, engine, EVERY(2), on_progress=progress.append) == first
    assert engine.calls == 0
    assert progress == [Progress(12, 12, 0.0, 0.0)]


def test_results_keep_their_order_when_later_batches_are_quicker(store: Store, video: Video, film: Path) -> None:
    class Uneven(ToyEngine):
        def embed_images(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
            vectors = super().embed_images(images)
            time.sleep(0.03 if self.calls % 4 == 1 else 0)
            return vectors

    engine = Uneven(concurrency=4, batch_size=3)
    info = ingest(store, video, engine, EVERY(2))
    assert_same(store.load(info.key), film, engine, EVERY(2))


def test_calls_overlap_up_to_the_engines_concurrency(store: Store, video: Video) -> None:
    engine = ToyEngine(delay_s=0.1, concurrency=3)
    ingest(store, video, engine, EVERY(4))  # 100 samples: 13 calls
    assert engine.max_in_flight == 3


def test_a_server_gets_two_requests_of_eight_at_a_time(store: Store, video: Video) -> None:
    with FakeServer() as server:
        server.faults.latency_s = 0.05
        engine = ServerEngine(server.url)
        info = ingest(store, video, engine, EVERY(4))
        assert server.max_in_flight == 2
        # Of two in flight either may arrive first, also of the last two.
        assert sorted((seen.items for seen in server.seen), reverse=True) == [8] * 12 + [4]
        assert {image.shape for image in server.images} == {(224, 224, 3)}
        engine.close()
    assert info.samples == 100


def test_a_batch_size_that_shrinks_on_the_way_is_followed(store: Store, video: Video, film: Path) -> None:
    class Shrinking(ToyEngine):
        def embed_images(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
            sizes.append(len(images))
            self.batch_size = 2
            return super().embed_images(images)

    sizes: list[int] = []
    engine = Shrinking(batch_size=16, concurrency=1)
    info = ingest(store, video, engine, EVERY(2))
    assert sizes[0] == 16
    assert 2 in sizes
    assert sizes[-1] <= 2  # how many were on their way before decides whether one is left over
    assert_same(store.load(info.key), film, engine, EVERY(2))


def test_only_a_few_batches_are_ahead_of_a_slow_engine(
    store: Store, video: Video, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory is bounded whatever the length: decoding waits for the engine."""
    read: list[int] = []

    class Counting(FrameReader):
        def __iter__(self) -> Iterator[Frame]:
            for frame in super().__iter__():
                read.append(frame.index)
                yield frame

    monkeypatch.setattr(lib.ingest.ingest, "FrameReader", Counting)
    engine = ToyEngine(hang=threading.Event(), batch_size=4, concurrency=2)
    cancel = threading.Event()
    run = threading.Thread(target=ingest, args=(store, video, engine, EVERY(1)), kwargs={"cancel": cancel})
    run.start()
    time.sleep(1.0)
    ahead = len(read)
    assert engine.hang is not None
    cancel.set()
    engine.hang.set()
    run.join()
    assert 8 <= ahead <= 4 * (2 * engine.concurrency + 4)


def test_keys_keep_engines_and_samplings_apart(store: Store, video: Video) -> None:
    first = ingest(store, video, ToyEngine(), EVERY(100))
    others = [
        ingest(store, video, ToyEngine(id="toy:2", dim=24), EVERY(100)),
        ingest(store, video, ToyEngine(), EVERY(50)),
    ]
    assert [info.samples for info in (first, *others)] == [4, 4, 8]
    assert len({info.key for info in (first, *others)}) == 3
    assert store.load(others[0].key).vectors.shape == (4, 24)


# --- files ------------------------------------------------------------------------------------------------


def test_a_file_that_breaks_in_the_middle_is_complete_up_to_there(store: Store, tmp_path: Path) -> None:
    whole = make_video(tmp_path / "whole.mp4", colours=palette(200), faststart=True, gop=10)
    data = whole.read_bytes()
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(data[: int(len(data) * 0.6)])
    video, engine = store.add_file(broken), ToyEngine()
    info = ingest(store, video, engine, EVERY(2))
    assert info.complete
    assert info.damage is not None
    assert info.damage.startswith("Decoding broke at 0:")
    assert 20 < info.samples < 100
    assert info.samples == engine.pictures
    assert info.duration_s < 200 / 24
    assert store.load(info.key).duration_s == info.duration_s
    assert ingest(store, video, ToyEngine(fail_after=0), EVERY(2)) == info


def test_a_video_without_a_readable_frame_leaves_nothing_behind(
    store: Store, video: Video, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(FrameReader):
        def __iter__(self) -> Iterator[Frame]:
            raise VideoDamagedError("It broke at the first frame; copy it again.")

    monkeypatch.setattr(lib.ingest.ingest, "FrameReader", Broken)
    with pytest.raises(VideoError, match="broke at the first frame"):
        ingest(store, video, ToyEngine(), EVERY(2))
    assert store.embeddings() == []


def test_a_moved_file_is_reported_before_anything_is_asked(store: Store, tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4")
    video = store.add_file(path)
    path.rename(tmp_path / "b.mp4")
    engine = ToyEngine()
    with pytest.raises(NotStoredError, match=r"a\.mp4 was moved or changed .* add it again"):
        ingest(store, video, engine, EVERY(2))
    assert engine.calls == 0
    assert store.embeddings() == []


def test_deleting_the_video_ends_its_ingest(store: Store, tmp_path: Path) -> None:
    video = store.add_file(make_video(tmp_path / "a.mp4", colours=palette(300)))
    engine = ToyEngine(delay_s=0.05, batch_size=4)
    deleted: list[int] = []

    def delete(progress: Progress) -> None:
        if progress.done >= 20 and not deleted:
            deleted.append(Store(store.home).delete_video(video.sha256))

    with pytest.raises(NotStoredError):
        ingest(store, video, engine, EVERY(1), on_progress=delete)
    assert store.embeddings() == []
    assert not list((store.home / "lance").glob("samples-*"))


@pytest.mark.parametrize(
    ("shape", "size"), [((224, 398), (256, 144)), ((398, 224), (144, 256)), ((60, 80), (80, 60)), ((2, 900), (256, 1))]
)
def test_a_thumbnail_is_a_jpeg_of_at_most_256_pixels(shape: tuple[int, int], size: tuple[int, int]) -> None:
    image = np.full((*shape, 3), (200, 30, 40), np.uint8)
    picture = Image.open(io.BytesIO(make_thumbnail(image)))
    assert (picture.format, picture.size, picture.mode) == ("JPEG", size, "RGB")
    np.testing.assert_allclose(np.asarray(picture).mean((0, 1)), (200, 30, 40), atol=4)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has priorities of threads")
@pytest.mark.parametrize(("own", "decoders"), [(0, 5), (10, 15), (15, 19)])
def test_decoding_lets_the_model_go_first_and_nobody_else_steps_back(
    own: int, decoders: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also in a process that stands back itself, as a cluster's workers do."""
    found: list[int] = []
    of_process = os.getpriority

    def priority(which: int, who: int) -> int:
        return own if who == os.getpid() else of_process(which, who)

    def decoder() -> None:
        with monkeypatch.context() as patched:
            patched.setattr(os, "getpriority", priority)
            step_back()
        helper = threading.Thread(
            target=lambda: found.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        )
        helper.start()
        helper.join()

    before = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    thread = threading.Thread(target=decoder)
    thread.start()
    thread.join()
    assert found == [decoders]
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == before


# --- what is lost -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["lost.mp4", "lost.avi"]
)  # a resumed reading seeks in the first, and not in the second
def test_gaps_are_stored_and_outlive_an_interruption(
    name: str, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_video(tmp_path / name, colours=palette(400), gop=10)
    data = bytearray(path.read_bytes())
    for place in (0.3, 0.8):
        start = int(len(data) * place)
        data[start : start + 40] = bytes(40)
    path.write_bytes(data)
    video = store.add_file(path)
    whole = ingest(store, video, ToyEngine(), EVERY(2))
    gaps, samples = store.gaps(whole.key), store.load(whole.key)
    assert len(gaps) >= 2
    assert whole.missing == sum(gap.missing for gap in gaps) > 0
    assert whole.damage is not None
    assert name not in whole.damage
    assert whole.damage_after_s == gaps[0].start_s
    store.delete_embedding(whole.key)

    monkeypatch.setattr("lib.ingest.pipeline._COMMIT_SAMPLES", 4)
    stop_at = int(np.searchsorted(samples.times_s, gaps[0].end_s)) + 4  # behind the first gap
    with pytest.raises(EngineError):
        ingest(store, video, ToyEngine(fail_after=stop_at, batch_size=4), EVERY(2))
    part = store.find_embedding(whole.key)
    assert part is not None
    assert not part.complete
    assert store.gaps(whole.key) == gaps[:1]
    assert store.load(whole.key).gaps_s.tolist() == [[gaps[0].start_s, gaps[0].end_s]]

    resumed = ingest(store, video, ToyEngine(), EVERY(2))
    assert store.gaps(whole.key) == gaps
    assert store.load(whole.key).times_s.tolist() == samples.times_s.tolist()
    assert (resumed.missing, resumed.end_s, resumed.damage_after_s) == (whole.missing, whole.end_s, gaps[0].start_s)


def test_a_time_line_starts_with_the_first_frame(store: Store, tmp_path: Path) -> None:
    video = store.add_file(make_video(tmp_path / "late.mkv", colours=palette(80), rate=10, start=7200.0))
    info = ingest(store, video, ToyEngine(), EVERY(2))
    assert (video.start_s, video.duration_s) == (7200.0, pytest.approx(8.0))
    assert (info.start_s, info.end_s, info.duration_s) == (7200.0, pytest.approx(7208.0), pytest.approx(8.0))
    samples = store.load(info.key)
    assert (samples.start_s, samples.duration_s) == (7200.0, pytest.approx(8.0))
