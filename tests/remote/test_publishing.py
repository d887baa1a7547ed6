"""Publishing and pulling: the same embedding elsewhere, or nothing."""

from __future__ import annotations

import json
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from lib.core.errors import Cancelled, NotStoredError, RemoteError, RemoteFailedError
from lib.remote import storage, tables, videos
from lib.remote.parts import Parts
from lib.remote.publishing import publish
from lib.remote.pulling import published, pull
from lib.remote.records import Published, done_path, find, video_path
from lib.remote.storage import Remote
from lib.store.embeddings import EmbeddingKey, samples_schema
from lib.store.staging import Batch
from lib.store.store import Store
from lib.store.videos import Video
from tests.helpers.fake_object_storage import ObjectStorage, now_and_then
from tests.helpers.storing import key_of, put, unit_rows


def assert_same(store: Store, other: Store, key: EmbeddingKey) -> None:
    mine, theirs = store.load(key), other.load(key)
    for name in ("frames", "times_s", "vectors", "gaps_s"):
        assert np.array_equal(getattr(mine, name), getattr(theirs, name)), name
    assert (mine.start_s, mine.end_s) == (theirs.start_s, theirs.end_s)
    assert store.thumbnails(key, mine.frames) == other.thumbnails(key, mine.frames)


def test_what_is_published_is_pulled(store: Store, other: Store, key: EmbeddingKey, remote: Remote) -> None:
    assert list(published(remote)) == []
    first, again = publish(store, key, remote), publish(store, key, remote)
    assert (first.new, again.new) == (True, False)
    assert first.published == again.published

    (one,) = published(Remote(remote.url))
    assert one == first.published
    pulled = pull(other, one, remote)
    assert pulled.new
    assert not pull(other, one, remote).new
    assert (pulled.video.name, pulled.video.has_file) == ("clip.mp4", False)
    assert_same(store, other, key)


def test_a_video_comes_with_its_embedding_where_that_is_wished(
    store: Store, other: Store, key: EmbeddingKey, video: Video, remote: Remote
) -> None:
    one = publish(store, key, remote, with_video=True).published
    assert not pull(other, one, remote).video.has_file
    pulled = pull(other, one, remote, with_video=True)
    assert pulled.video.has_file
    assert other.file_path(video.sha256).read_bytes() == video.path.read_bytes()
    assert list(other.paths.incoming.iterdir()) == []


def test_writers_at_once_publish_it_once(store: Store, other: Store, key: EmbeddingKey, remote: Remote) -> None:
    barrier = threading.Barrier(4)

    def one(_: int):
        mine = Remote(remote.url)
        barrier.wait()
        return publish(store, key, mine)

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(one, range(4)))
    assert len({outcome.published for outcome in outcomes}) == 1
    assert {file.path.split("/")[1] for file in remote.files("lance/**")} == {f"{key.table}.lance"}
    pull(other, outcomes[0].published, remote)
    assert_same(store, other, key)


def test_a_busy_storage_is_asked_again(store: Store, other: Store, key: EmbeddingKey, s3: ObjectStorage) -> None:
    s3.fault = now_and_then(503, 4)
    remote = Remote(s3.address)
    one = publish(store, key, remote, with_video=True).published
    pull(other, one, remote, with_video=True)
    assert_same(store, other, key)


def test_a_conflict_that_is_none_is_tried_again(
    store: Store, other: Store, key: EmbeddingKey, s3: ObjectStorage
) -> None:
    s3.fault = now_and_then(412, 3, only_conditional=True)
    remote = Remote(s3.address)
    one = publish(store, key, remote).published
    s3.fault = None
    assert find(remote, key.id) == one
    pull(other, one, remote)
    assert_same(store, other, key)


# --- what others leave ----------------------------------------------------------------------------


@pytest.mark.parametrize("left", ["data", "manifest", "other samples", "another vector", "nothing else"])
def test_what_a_dead_writer_left_does_not_block(
    store: Store, other: Store, key: EmbeddingKey, video: Video, folder: Remote, left: str, rng: np.random.Generator
) -> None:
    table = Path(folder.url[7:]) / "lance" / f"{key.table}.lance"
    if left in ("data", "manifest"):
        (table / "data").mkdir(parents=True)
        (table / "data" / "half.lance").write_bytes(b"half")
    if left == "manifest":
        (table / "_versions").mkdir()
        (table / "_versions" / "18446744073709551614.manifest").write_bytes(b"broken")
    if left == "other samples":
        tables.create(folder, key.table, 64, [Batch(np.arange(3), np.arange(3.0), unit_rows(rng, 3), [None] * 3)])
    if left == "another vector":
        mine = store.load(key)
        vectors = np.array([*mine.vectors[:-1], unit_rows(rng, 1)[0]])
        tables.create(folder, key.table, 64, [Batch(mine.frames, mine.times_s, vectors, [None] * 700)])
    if left == "nothing else":  # it died between table and document: its table counts
        publish(store, key, folder)
        folder.delete(done_path(key.id))

    outcome = publish(store, key, folder)
    assert outcome.new
    assert (outcome.published.table == key.table) == (left in ("data", "nothing else"))
    pull(other, outcome.published, Remote(folder.url))
    assert_same(store, other, key)


def test_a_writer_that_stops_leaves_nothing_that_counts(store: Store, key: EmbeddingKey, remote: Remote) -> None:
    cancel = threading.Event()
    with pytest.raises(Cancelled):
        publish(store, key, remote, on_progress=lambda progress: cancel.set(), cancel=cancel)
    assert list(published(remote)) == []
    assert not tables.exists(remote, key.table)
    assert publish(store, key, remote).new


def test_nothing_is_sent_to_a_storage_that_can_not_be_written(
    store: Store, key: EmbeddingKey, s3: ObjectStorage
) -> None:
    s3.fault = lambda method, path, headers: 403 if method == "PUT" and path.endswith("promptreel.json") else None
    with pytest.raises(RemoteError, match="access was refused"):
        publish(store, key, Remote(s3.address))
    s3.fault = None
    assert not list(Remote(s3.address).files())


def test_what_is_incomplete_is_not_published(store: Store, video: Video, remote: Remote, rng) -> None:
    key = key_of(video, sampling_key="stride-20")
    put(store, key, unit_rows(rng, 3), finish=False)
    with pytest.raises(NotStoredError, match="embed the video to its end"):
        publish(store, key, remote)
    assert list(remote.files()) == []


# --- what is there isn't what it says -------------------------------------------------------------


def rewritten(folder: Remote, key: EmbeddingKey, changes: dict[str, object]) -> Published | RemoteError:
    """Change the document of an embedding, and return what is read of it then."""
    path = Path(folder.url[7:]) / done_path(key.id)
    document = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({name: value for name, value in document.items() if value != "left out"}))
    (one,) = published(Remote(folder.url))
    return one


@pytest.mark.parametrize(
    "changes",
    [
        {"samples": 10**30},
        {"samples": -1},
        {"dim": 0},
        {"table": "../../other"},
        {"table": "samples-" + "0" * 32 + "/../x"},
        {"content": "left out"},
        {"more": 1},
        {"end_s": -5.0},
        {"gaps": [{"start_s": 2.0, "end_s": 1.0, "missing": 1}]},
        {"gaps": [{"start_s": 0.0, "end_s": 1.0, "missing": 10**12}]},
        {"name": "a" * 3000},
        {"damage": ["x"]},
        {"key": {"sha256": "0" * 64, "engine_id": "toy:1", "sampling_key": "stride-10", "preprocessing": "1"}},
        {"key": {"sha256": "..", "engine_id": "toy:1", "sampling_key": "nonsense", "preprocessing": "1"}},
    ],
    ids=str,
)
def test_a_document_that_makes_no_sense_is_one_sentence(
    store: Store, key: EmbeddingKey, folder: Remote, changes: dict[str, object]
) -> None:
    publish(store, key, folder)
    one = rewritten(folder, key, changes)
    assert isinstance(one, RemoteError)
    assert "makes no sense" in str(one)
    assert key.id[:8] in str(one)


def test_a_list_ends_where_the_storage_does(folder: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(60):
        folder.create(f"done/{number:032x}.json", b"{}")
    assert len(list(published(folder))) == 60  # nonsense is told one by one
    asked = []

    def gone(self: Remote, path: str) -> None:
        asked.append(path)
        self.fail(f"reading {path}", OSError("connection refused"))

    monkeypatch.setattr(Remote, "document", gone)
    with pytest.raises(RemoteError, match="no answer"):
        list(published(folder))
    assert len(asked) < 60


def test_a_name_from_elsewhere_is_cleaned(store: Store, other: Store, key: EmbeddingKey, folder: Remote) -> None:
    publish(store, key, folder)
    one = rewritten(folder, key, {"name": "../\x1b[31m/a\u202eb.mp4\n"})
    assert isinstance(one, Published)
    assert pull(other, one, folder).video.name == "ab.mp4"


@pytest.mark.parametrize(
    "changes",
    [
        {"samples": 699},
        {"dim": 65},
        {"content": "0" * 64},
        {"end_s": 1.0},
        {"start_s": 5.0},
        {"gaps": [{"start_s": 5.0, "end_s": 6.0, "missing": 1}]},
        {"gaps": [{"start_s": 0.01, "end_s": 0.02, "missing": 1}] * 2},
        {"gaps": [{"start_s": -9e8, "end_s": -8e8, "missing": 1}]},
    ],
    ids=str,
)
def test_samples_that_are_others_are_refused_and_leave_nothing(
    store: Store, other: Store, key: EmbeddingKey, folder: Remote, changes: dict[str, object]
) -> None:
    publish(store, key, folder)
    one = rewritten(folder, key, changes)
    assert isinstance(one, Published)
    with pytest.raises(RemoteError, match="publish that embedding again"):
        pull(other, one, folder)
    assert (other.embeddings(), other.videos()) == ([], [])
    assert [
        path.name for path in other.paths.tables.iterdir() if "samples" in path.name or "arriving" in path.name
    ] == []


@pytest.mark.parametrize("changed", ["frames", "times_s", "vectors", "thumbnails"])
def test_samples_that_were_changed_there_are_refused(
    store: Store, other: Store, key: EmbeddingKey, folder: Remote, changed: str, rng: np.random.Generator
) -> None:
    one = publish(store, key, folder).published
    mine = store.load(key)
    pictures = store.thumbnails(key, mine.frames)
    batch = Batch(mine.frames, mine.times_s, mine.vectors, [pictures[frame] for frame in mine.frames.tolist()])
    another = {
        "frames": [*mine.frames[:-1], mine.frames[-1] + 1],
        "times_s": [*mine.times_s[:-1], mine.times_s[-1] + 0.01],
        "vectors": [*mine.vectors[:-1], unit_rows(rng, 1)[0]],
        "thumbnails": [*batch.thumbnails[:-1], b"another"],
    }[changed]
    value = another if changed == "thumbnails" else np.array(another)
    folder.delete_folder(f"lance/{one.table}.lance")
    tables.create(folder, one.table, one.dim, [replace(batch, **{changed: value})])
    with pytest.raises(RemoteError, match="not those that were published"):
        pull(other, one, Remote(folder.url))
    assert other.embeddings() == []


@pytest.mark.parametrize("damage", ["gone", "cut off", "flipped", "huge", "appended"])
def test_a_damaged_table_is_refused_or_not_seen(
    store: Store, other: Store, key: EmbeddingKey, folder: Remote, damage: str, rng: np.random.Generator
) -> None:
    one = publish(store, key, folder).published
    (data,) = (Path(folder.url[7:]) / "lance" / f"{one.table}.lance" / "data").iterdir()
    content = data.read_bytes()
    if damage == "gone":
        data.unlink()
    elif damage == "cut off":
        data.write_bytes(content[: len(content) // 2])
    elif damage == "flipped":
        data.write_bytes(content[:20_000] + bytes(255 - byte for byte in content[20_000:40_000]) + content[40_000:])
    elif damage == "huge":
        with open(data.with_name("more.lance"), "wb") as file:
            file.truncate(1 << 40)
    else:  # by a writer that isn't ours; the version that was published is read
        rows = Batch(np.array([9000]), np.array([9000.0]), unit_rows(rng, 1), [None]).columns(samples_schema(64))
        folder.tables.open_table(one.table).add(pa.Table.from_batches([rows]))
        pull(other, one, Remote(folder.url))
        assert_same(store, other, key)
        return
    with pytest.raises(RemoteError):
        pull(other, one, Remote(folder.url))
    assert (other.embeddings(), other.videos()) == ([], [])


@pytest.mark.parametrize("lost", ["table", "data", "manifest", "end"])
def test_what_is_lost_of_a_published_table_is_told_and_published_anew(
    store: Store, other: Store, key: EmbeddingKey, folder: Remote, lost: str
) -> None:
    one = publish(store, key, folder).published
    assert not publish(store, key, folder).new
    table = Path(folder.url[7:]) / "lance" / f"{one.table}.lance"
    if lost in ("table", "data"):
        shutil.rmtree(table if lost == "table" else table / "data")
    else:
        (file,) = table.glob("_versions/*.manifest" if lost == "manifest" else "data/*")
        file.write_bytes(b"x" * 100 if lost == "manifest" else file.read_bytes()[:-100])
    with pytest.raises(RemoteError, match="is damaged or gone; publish that embedding again"):
        pull(other, one, Remote(folder.url))

    again = publish(store, key, Remote(folder.url))
    assert again.new
    pull(other, again.published, Remote(folder.url))
    assert_same(store, other, key)


def test_a_storage_that_does_not_answer_is_no_damaged_table(
    store: Store, key: EmbeddingKey, s3: ObjectStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = publish(store, key, Remote(s3.address)).published
    monkeypatch.setattr(storage, "_RETRIES", {"max_retries": 0})
    monkeypatch.setattr(storage, "_LANCE_OPTIONS", {"client_max_retries": "0"})
    with monkeypatch.context() as away:
        away.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        with pytest.raises(RemoteFailedError, match="no answer"):
            tables.is_whole(Remote(s3.address), one.table, one.dim, one.samples)
    s3.fault = lambda method, path, headers: 503 if path.endswith(".lance") else None
    with pytest.raises(RemoteFailedError, match="503"):
        tables.is_whole(Remote(s3.address), one.table, one.dim, one.samples)
    s3.fault = None
    assert tables.is_whole(Remote(s3.address), one.table, one.dim, one.samples)
    Remote(s3.address).delete_folder(f"lance/{one.table}.lance/data")
    assert not tables.is_whole(Remote(s3.address), one.table, one.dim, one.samples)
    Remote(s3.address).delete_folder(f"lance/{one.table}.lance")
    assert not tables.is_whole(Remote(s3.address), one.table, one.dim, one.samples)


@pytest.mark.parametrize("wrong", ["order", "gaps"])
def test_parts_that_do_not_fit_are_embedded_anew(
    store: Store, video: Video, folder: Remote, wrong: str, rng: np.random.Generator
) -> None:
    key = key_of(video)
    parts = Parts(folder, key)
    place = parts._place
    for number in range(2):
        table, first = f"part-{number:016x}", 0 if wrong == "order" else number * 3
        tables.create(
            place, table, 64, [Batch(np.arange(3) + first, np.arange(3.0) + first, unit_rows(rng, 3), [None] * 3)]
        )
        gaps = [{"start_s": 0.5, "end_s": 2.5, "missing": 1}] if wrong == "gaps" else []
        document = {"table": table, "first": number * 3, "samples": 3, "gaps": gaps}
        place.create(f"{table}.json", json.dumps(document).encode())
    assert parts.restore(store, engine_name="Toy", dim=64) == 0
    assert store.embeddings() == []


def test_a_copy_that_was_cut_off_is_published_anew(
    store: Store, key: EmbeddingKey, video: Video, folder: Remote
) -> None:
    publish(store, key, folder, with_video=True)
    there = Path(folder.url[7:]) / video_path(key.sha256)
    there.write_bytes(b"half")
    publish(store, key, folder, with_video=True)
    assert there.read_bytes() == video.path.read_bytes()


def test_a_video_that_is_another_is_refused(store: Store, other: Store, key: EmbeddingKey, folder: Remote) -> None:
    one = publish(store, key, folder, with_video=True).published
    (Path(folder.url[7:]) / video_path(key.sha256)).write_bytes(bytes(one.size_bytes))
    with pytest.raises(RemoteError, match="not the one that was published"):
        pull(other, one, folder, with_video=True)
    assert (other.videos(), list(other.paths.incoming.iterdir())) == ([], [])


def test_a_file_that_stays_there_is_noted_until_the_video_is_deleted(
    store: Store, other: Store, key: EmbeddingKey, video: Video, remote: Remote
) -> None:
    one = publish(store, key, remote, with_video=True).published
    pulled = pull(other, one, remote).video
    there = videos.noted(other, video.sha256)
    assert there is not None
    assert (there.width, there.height, there.browser_playable) == (video.width, video.height, video.browser_playable)
    assert b"".join(Remote(there.url).pieces(there.file)) == video.path.read_bytes()
    assert videos.copy_into_store(other, pulled, there).has_file
    other.delete_video(video.sha256)
    assert videos.noted(other, video.sha256) is None


@pytest.mark.parametrize("how", ["a link to elsewhere", "of another size"])
def test_a_file_that_is_not_the_published_one_is_not_played(
    store: Store, other: Store, key: EmbeddingKey, folder: Remote, tmp_path: Path, how: str
) -> None:
    one = publish(store, key, folder, with_video=True).published
    file = Path(folder.url[7:]) / video_path(key.sha256)
    if how == "of another size":
        file.write_bytes(b"another")
    else:
        file.rename(tmp_path / "secret")
        file.symlink_to(tmp_path / "secret")
    pull(other, one, folder)
    assert videos.noted(other, key.sha256) is None


def test_what_is_noted_of_a_file_is_checked(store: Store, video: Video) -> None:
    path = store.paths.remote_video(video.sha256)
    path.parent.mkdir()
    for text in ("{", "[]", '{"url": "s3://bucket"}', '{"url": "http://x", "path": "a"}'):
        path.write_text(text)
        assert videos.noted(store, video.sha256) is None


def test_a_video_that_begins_later_does_so_elsewhere(
    store: Store, other: Store, video: Video, folder: Remote, rng: np.random.Generator
) -> None:
    key = key_of(video)
    batch = Batch(np.array([0, 10]), np.array([5.0, 6.0]), unit_rows(rng, 2), [None, b"jpeg"])
    store.put(key, [batch], engine_name="Toy", dim=64, end_s=9.0)
    pulled = pull(other, publish(store, key, folder).published, folder)
    assert (pulled.video.start_s, pulled.video.end_s) == (5.0, 9.0)
    assert (pulled.info.start_s, pulled.info.end_s) == (5.0, 9.0)
