"""Videos embedded here and published: each once, whatever stops it, with nothing left behind."""

from __future__ import annotations

import json
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lib.core.errors import Cancelled, EngineError, InputError, StoreError, VideoUnreadableError
from lib.core.sampling import Sampling
from lib.ingest.ingest import ingest
from lib.remote.pulling import published, pull
from lib.remote.storage import Remote, RemoteFile
from lib.services import remote_embedding
from lib.services.remote_embedding import EmbedAndPublish, Marks, Standing, embed_sources, sources
from lib.services.runners import LocalRunner
from lib.services.scratch import STARTED, scratch_folder, scratch_root
from lib.store.store import Store
from tests.helpers.fake_object_storage import ObjectStorage, now_and_then, object_storage
from tests.helpers.toy_engine import ToyEngine
from tests.helpers.videos import make_video, palette

SAMPLING = Sampling.every(2)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three clips, one of them twice, and a file that is none."""
    folder = tmp_path_factory.mktemp("clips")
    for number in range(3):
        make_video(folder / f"clip {number}.mp4", colours=palette(10 + number, seed=number))
    (folder / "again.mp4").write_bytes((folder / "clip 0.mp4").read_bytes())
    (folder / "broken.mp4").write_bytes(b"no video")
    (folder / "notes.txt").write_text("no video either")
    return folder


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ToyEngine:
    toy = ToyEngine()
    monkeypatch.setattr(remote_embedding, "_engine", lambda *_: toy)
    monkeypatch.setenv("PROMPTREEL_SCRATCH", str(tmp_path / "scratch"))
    return toy


@pytest.fixture
def remote(tmp_path: Path) -> Remote:
    (tmp_path / "shared").mkdir()
    return Remote(f"file://{tmp_path / 'shared'}")


@pytest.fixture(scope="module")
def _server() -> Iterator[ObjectStorage]:
    with object_storage() as server:
        yield server


@pytest.fixture
def s3(_server: ObjectStorage, monkeypatch: pytest.MonkeyPatch) -> ObjectStorage:
    _server.begin()
    for name, value in _server.environment().items():
        monkeypatch.setenv(name, value)
    return _server


def work(remote: Remote, engine: ToyEngine, **options: object) -> EmbedAndPublish:
    return EmbedAndPublish(remote.url, "toy", "", engine.id, SAMPLING, **options)  # type: ignore[arg-type]


def waiting(remote: Remote, engine: ToyEngine, *texts: object) -> list[RemoteFile]:
    marks = Marks(remote)
    return [source for source in sources(map(str, texts)) if not marks.is_done(source, engine, SAMPLING)]


def run(remote: Remote, engine: ToyEngine, *texts: object) -> dict[str, tuple[object, str]]:
    """Embed what is missing; return file name -> (new, problem)."""
    done = embed_sources(LocalRunner(), work(remote, engine), waiting(remote, engine, *texts))
    return {
        Path(outcome.item.uri).name: (outcome.result and outcome.result.new, outcome.problem) for outcome, _ in done
    }


def assert_as_embedded_here(remote: Remote, engine: ToyEngine, clips: Path, tmp_path: Path) -> None:
    """What is published is what a plain ingest of each clip gives, each once."""
    here, pulled = Store(tmp_path / "here"), Store(tmp_path / "pulled")
    infos = [ingest(here, here.add_file(path), engine, SAMPLING) for path in sorted(clips.glob("clip *.mp4"))]
    found = list(published(remote))
    assert sorted(one.id for one in found) == sorted(info.key.id for info in infos)  # type: ignore[union-attr]
    for one in found:
        key = pull(pulled, one, remote).info.key  # type: ignore[arg-type]
        mine, theirs = here.load(key), pulled.load(key)
        for name in ("frames", "times_s", "vectors"):
            np.testing.assert_array_equal(getattr(mine, name), getattr(theirs, name))


def test_each_content_is_published_once_and_a_second_run_embeds_nothing(
    remote: Remote, engine: ToyEngine, clips: Path, tmp_path: Path
) -> None:
    first = run(remote, engine, clips)

    assert sorted(first) == ["again.mp4", "broken.mp4", "clip 0.mp4", "clip 1.mp4", "clip 2.mp4"]
    assert [first[f"clip {number}.mp4"] for number in range(3)] == [(False, ""), (True, ""), (True, "")]
    assert first["again.mp4"] == (True, "")
    assert first["broken.mp4"][0] is None
    assert "broken.mp4 is not a video that can be read" in first["broken.mp4"][1]
    assert list(scratch_root().iterdir()) == []

    pictures = engine.pictures
    assert set(run(remote, engine, clips)) == {"broken.mp4"}
    assert engine.pictures == pictures
    assert_as_embedded_here(remote, engine, clips, tmp_path)


def test_a_file_that_changed_is_embedded_anew_and_one_that_was_only_copied_is_not(
    remote: Remote, engine: ToyEngine, tmp_path: Path
) -> None:
    film = make_video(tmp_path / "film.mp4", colours=palette(8))
    run(remote, engine, film)
    assert waiting(remote, engine, film) == []

    make_video(film, colours=palette(9, seed=3))
    assert run(remote, engine, film) == {"film.mp4": (True, "")}

    copy = film.rename(tmp_path / "other.mp4")
    pictures = engine.pictures
    assert run(remote, engine, copy) == {"other.mp4": (False, "")}
    assert engine.pictures == pictures
    (source,) = sources([str(copy)])
    assert Marks(remote).is_done(source, engine, SAMPLING)
    for other in ({"etag": "another"}, {"size_bytes": source.size_bytes + 1}, {"uri": f"{source.uri}4"}):
        assert not Marks(remote).is_done(replace(source, **other), engine, SAMPLING)
    assert not Marks(remote).is_done(sources([str(copy)])[0], engine, Sampling.every(3))
    assert not Marks(remote).is_done(sources([str(copy)])[0], ToyEngine(id="toy:2"), SAMPLING)


def test_videos_come_from_a_bucket_that_says_503_and_412_now_and_then(
    s3: ObjectStorage, engine: ToyEngine, clips: Path, tmp_path: Path
) -> None:
    bucket, archive = Remote(f"s3://{s3.bucket}"), Remote(s3.address)
    for path in clips.glob("*.mp4"):
        bucket.upload(f"videos/{path.name}", path)
    slow, conflict = now_and_then(503, 6), now_and_then(412, 3, only_conditional=True)
    s3.fault = lambda *request: slow(*request) or conflict(*request)
    try:
        first = run(archive, engine, f"{bucket.url}/videos/*.mp4")
        assert {name for name, (_, problem) in first.items() if problem} == {"broken.mp4"}
        assert set(run(archive, engine, f"{bucket.url}/videos/*.mp4")) == {"broken.mp4"}
    finally:
        s3.fault = None
    assert_as_embedded_here(archive, engine, clips, tmp_path)
    assert list(scratch_root().iterdir()) == []
    with pytest.raises(InputError, match=r"No video is named like .*\.mkv"):
        sources([f"{bucket.url}/videos/*.mkv"])


def test_two_drivers_at_once_publish_each_content_once(
    remote: Remote, engine: ToyEngine, clips: Path, tmp_path: Path
) -> None:
    files = waiting(remote, engine, clips)
    threads = [
        threading.Thread(target=lambda: list(embed_sources(LocalRunner(), work(remote, engine), files)))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert_as_embedded_here(remote, engine, clips, tmp_path)


def test_a_failing_engine_costs_its_videos_and_a_stop_costs_nothing_that_is_done(
    remote: Remote, engine: ToyEngine, clips: Path
) -> None:
    engine.fail_after = 5
    first = run(remote, engine, clips / "clip 0.mp4", clips / "clip 1.mp4")
    assert first == {"clip 0.mp4": (True, ""), "clip 1.mp4": (None, "The toy broke; mend it and embed again.")}

    engine.fail_after, stop = None, threading.Event()
    stop.set()
    with pytest.raises(Cancelled):
        list(embed_sources(LocalRunner(), work(remote, engine, cancel=stop), waiting(remote, engine, clips)))
    assert len(list(published(remote))) == 1
    assert list(scratch_root().iterdir()) == []


@pytest.mark.parametrize("sampling", [Sampling.every(3), Sampling.per_second(7)], ids=str)
def test_a_long_video_is_continued_elsewhere_with_the_samples_of_one_run(
    sampling: Sampling, remote: Remote, engine: ToyEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attempts die after some pictures; each goes on from what the ones before have saved as parts."""
    monkeypatch.setattr(remote_embedding, "PART_S", 0.0)  # with each commit, however slow the machine
    monkeypatch.setattr("lib.ingest.pipeline.COMMIT_INTERVAL_S", (0.0, 0.0))
    monkeypatch.setattr("lib.ingest.progress.TICK_S", 0.0)
    engine.delay_s = 0.02
    film = make_video(tmp_path / "film.mp4", colours=palette(24) * 16, rate=24)
    here, pulled = Store(tmp_path / "here"), Store(tmp_path / "pulled")
    info = ingest(here, here.add_file(film), ToyEngine(), sampling)
    attempt = EmbedAndPublish(remote.url, "toy", "", engine.id, sampling)

    for died_after in (40, 80):
        engine.fail_after = died_after
        with pytest.raises(EngineError, match="The toy broke"):
            attempt(sources([str(film)])[0])
        assert [file for file in remote.files("parts/**") if file.path.endswith(".json")]
    engine.fail_after, before = None, engine.pictures
    embedded = attempt(sources([str(film)])[0])

    assert embedded.samples == info.samples <= engine.pictures
    assert engine.pictures - before < info.samples
    [one] = published(remote)
    key = pull(pulled, one, remote).info.key  # type: ignore[arg-type]
    mine, theirs = here.load(key), pulled.load(key)
    for name in ("frames", "times_s", "vectors", "gaps_s"):
        np.testing.assert_array_equal(getattr(mine, name), getattr(theirs, name))
    assert mine.end_s == theirs.end_s
    assert not list(remote.files("parts/**"))


def test_a_machine_with_another_model_takes_no_part() -> None:
    with pytest.raises(EngineError, match=r"other weights of .*install the same version"):
        remote_embedding._engine("demo", "", "demo:0000")


def test_what_killed_processes_left_is_swept_and_what_is_in_use_is_not(engine: ToyEngine) -> None:
    with scratch_folder("mine") as mine:
        assert json.loads((mine / STARTED).read_text())["pid"] == os.getpid()
        dead = scratch_root() / "0123456789abcdef"
        dead.mkdir()
        (dead / "video.mp4").write_bytes(b"half a video")
        dead.with_suffix(".lock").touch()
        other = scratch_root() / "poetry"  # the folder may be anybody's
        other.mkdir()
        (scratch_root() / "poetry.lock").touch()
        for file in scratch_root().glob("*.lock"):
            os.utime(file, (time.time() - 3600,) * 2)
        with scratch_folder("other"):
            assert not dead.exists()
            assert not dead.with_suffix(".lock").exists()
            assert other.exists()
            assert (scratch_root() / "poetry.lock").exists()
            assert (mine / STARTED).exists()


def test_scratch_is_not_put_where_another_user_was_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("PROMPTREEL_SCRATCH", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "theirs").mkdir()
    scratch_root().symlink_to(tmp_path / "theirs")
    with pytest.raises(StoreError, match=r"another user's.*PROMPTREEL_SCRATCH"), scratch_folder("mine"):
        raise AssertionError


def test_what_is_no_file_is_a_bad_video_and_does_not_wait(remote: Remote, engine: ToyEngine, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "endless.mp4").symlink_to("/dev/zero")
    found = run(remote, engine, tmp_path / "pipe.mp4", tmp_path / "endless.mp4")
    assert all("can't be read (it is no file)" in problem for _, problem in found.values()), found
    with pytest.raises(VideoUnreadableError, match="no readable file"):
        Store(tmp_path / "home").add_file(tmp_path / "pipe.mp4")


def test_a_file_that_grows_while_it_is_embedded_is_not_published(
    remote: Remote, engine: ToyEngine, clips: Path, tmp_path: Path
) -> None:
    growing = tmp_path / "growing.mp4"
    growing.write_bytes((clips / "clip 0.mp4").read_bytes())
    plain = engine.embed_images

    def embed(images: object) -> object:
        with open(growing, "ab") as file:
            file.write(b"more")
        return plain(images)  # type: ignore[arg-type]

    engine.embed_images = embed  # type: ignore[assignment, method-assign]
    assert "changed while it was read" in run(remote, engine, growing)["growing.mp4"][1]
    assert not list(published(remote))


def test_rate_and_time_left_are_those_of_what_was_done() -> None:
    standing = Standing(
        done=2, total=5, failed=1, samples=300, seconds=10.0, done_bytes=300, failed_bytes=50, total_bytes=1050
    )

    assert standing.rate == 30.0
    assert standing.left_s == 30.0
    assert Standing(1, 5, 1, 0, 9.0, 70, 70, 1000).left_s is None
