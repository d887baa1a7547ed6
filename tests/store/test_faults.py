"""A store that is killed, full, damaged, deleted or read-only: nothing is lost, and a sentence says what to do."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import lancedb
import lancedb.db
import numpy as np
import pytest

from lib.core.errors import NotStoredError, PromptreelError, StoreDamagedError, StoreError
from lib.services.search import search_vector
from lib.store.store import Store, embed_texts_cached
from lib.store.videos import Video
from tests.helpers.storing import DIM, key_of, put, unit_rows
from tests.helpers.toy_engine import ToyEngine
from tests.helpers.videos import make_video, palette

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return make_video(tmp_path / "clip.mp4", colours=palette(12))


@pytest.fixture
def video(store: Store, file: Path) -> Video:
    return store.add_file(file)


@pytest.fixture
def full_store(store: Store, video: Video, rng: np.random.Generator) -> Store:
    """Return a store with a video, its embedding and a text vector."""
    put(store, key_of(video), unit_rows(rng, 20))
    store.put_text_vectors("toy:1", {"crane": np.ones(DIM, np.float32)})
    return store


def tables(store: Store) -> dict[str, Path]:
    """Return the tables' folders by the first word of their names."""
    return {path.name.split("-")[0].removesuffix(".lance"): path for path in store.home.glob("lance/*.lance")}


# --- a table is there whole or not at all -----------------------------------------------------------------


@pytest.mark.parametrize("name", ["videos", "hashes", "embeddings", "texts"])
def test_a_folder_without_a_manifest_is_no_table(store: Store, video: Video, name: str, file: Path) -> None:
    table = name if name != "texts" else TEXTS
    for half in (f"lance/{table}.lance/_versions", f"lance/{table}.lance/_transactions"):
        shutil.rmtree(store.home / f"lance/{table}.lance", ignore_errors=True)
        (store.home / half).mkdir(parents=True)
        own = Store(store.home)
        os.utime(file, (1_000_000_000, 1_000_000_000 + time.time_ns() % 1000))
        added = own.add_file(file)
        put_one(own, added)
        own.put_text_vectors("toy:1", {"crane": np.ones(DIM, np.float32)})
        again = Store(store.home)
        assert [v.sha256 for v in again.videos()] == [video.sha256]
        assert len(again.embeddings()) == 1
        assert list(again.text_vectors("toy:1", ["crane"])) == ["crane"]
        again.delete_embedding(key_of(added))


TEXTS = f"texts-{hashlib.sha256(b'toy:1').hexdigest()[:32]}"


def put_one(store: Store, video: Video) -> None:
    put(store, key_of(video), unit_rows(np.random.default_rng(1), 3))


def test_data_in_a_table_without_a_manifest_are_kept_aside(full_store: Store, file: Path) -> None:
    shutil.rmtree(tables(full_store)["videos"] / "_versions")
    kept = sorted(path.name for path in (tables(full_store)["videos"] / "data").iterdir())
    store = Store(full_store.home)
    assert store.videos() == []
    video = store.add_file(file)
    assert store.videos() == [video]
    assert len(store.embeddings(video.sha256)) == 1
    (aside,) = full_store.home.glob("damaged/videos-*/data")
    assert sorted(path.name for path in aside.iterdir()) == kept


_DIES = """
import os, sys
from pathlib import Path
import lancedb.db, numpy as np
from lib.store.store import Store
from lib.store.embeddings import EmbeddingKey
from tests.helpers.storing import put, key_of, unit_rows
step, count = sys.argv[2], int(sys.argv[3])
def dying(owner, name, after):
    real = getattr(owner, name)
    def call(*args, **options):
        global count
        count -= 1
        if count == 0:
            if after:
                real(*args, **options)
            os._exit(9)
        return real(*args, **options)
    setattr(owner, name, call)
if step == "half":  # what Lance does before its first manifest
    def half(self, name, **options):
        global count
        count -= 1
        if count == 0:
            Path(self.uri, name + ".lance", "_versions").mkdir(parents=True)
            os._exit(9)
        return real_create(self, name, **options)
    real_create = lancedb.db.LanceDBConnection.create_table
    lancedb.db.LanceDBConnection.create_table = half
else:
    owner, name = {"created": (lancedb.db.LanceDBConnection, "create_table"), "rename": (Path, "rename"),
                   "replace": (os, "replace"), "added": (lancedb.table.LanceTable, "add")}[step]
    dying(owner, name, True)
store = Store(Path(sys.argv[1]))
video = store.add_file(sys.argv[4])
put(store, key_of(video), unit_rows(np.random.default_rng(1), 3))
store.put_text_vectors("toy:1", {"crane": np.ones(64, np.float32)})
store.change_truth(video, lambda truth: [])
store.delete_embedding(key_of(video))
"""


@pytest.mark.parametrize(("step", "count"), [(s, n) for s in ("half", "created", "rename") for n in (1, 3, 4)])
def test_a_kill_while_a_table_is_made_loses_nothing(store: Store, file: Path, step: str, count: int) -> None:
    os.utime(file, (1_000_000_000, 1_000_000_000))  # so that its hash is remembered too
    command = [sys.executable, "-c", _DIES, str(store.home), step, str(count), str(file)]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, text=True).returncode == 9
    own = Store(store.home)
    video = own.add_file(file)
    put(own, key_of(video, sampling_key="stride-1"), unit_rows(np.random.default_rng(2), 3))
    own.put_text_vectors("toy:1", {"crane": np.ones(DIM, np.float32)})
    assert [v.sha256 for v in Store(store.home).videos()] == [video.sha256]
    assert own.text_vectors("toy:1", ["crane"])
    own.delete_video(video.sha256)
    assert Store(store.home).videos() == []
    assert not list(store.home.glob("lance/making-*"))


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("step", ["added", "replace"])
def test_a_kill_while_something_is_written_loses_nothing(store: Store, file: Path, step: str, count: int) -> None:
    command = [sys.executable, "-c", _DIES, str(store.home), step, str(count), str(file)]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, text=True).returncode in (0, 9)
    own = Store(store.home)
    assert len(own.videos()) <= 1
    video = own.add_file(file)
    assert all(info.samples in (0, 3) for info in own.embeddings())
    own.delete_video(video.sha256)
    names = {path.name for path in store.home.rglob("*") if path.is_file()}
    assert not {name for name in names if name.endswith((".tmp", ".partial"))}


_DIES_DELETING = """
import os, sys
from pathlib import Path
from lib.store.home import StoreFolder
from lib.store.store import Store
store = Store(Path(sys.argv[1]))
upload, step = Path(sys.argv[2]), sys.argv[3]
video = store.add_file(upload, move=True)
def dying(owner, name, after):
    real = getattr(owner, name)
    def call(self, what, *args):
        if step in ("before", "after") and Path(str(what)).parent.name != "videos":
            return real(self, what, *args)
        if after:
            real(self, what, *args)
        os._exit(9)
    setattr(owner, name, call)
if step == "rows":
    dying(StoreFolder, "write_rows", False)
else:
    dying(StoreFolder, "remove", step == "after")
store.delete_video(video.sha256)
"""


@pytest.mark.parametrize("step", ["before", "after", "rows"])
def test_a_kill_while_an_upload_is_deleted_leaves_it_deleted(store: Store, file: Path, step: str) -> None:
    upload = Path(shutil.copy(file, store.home / "incoming" / "upload.mp4"))
    command = [sys.executable, "-c", _DIES_DELETING, str(store.home), str(upload), step]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, text=True).returncode == 9
    own = Store(store.home)
    assert own.videos() == []
    assert not list(store.home.glob("videos/*"))
    added = own.add_file(file)
    assert Store(store.home).videos() == [added]


def test_an_upload_whose_bytes_can_not_be_removed_stays(
    store: Store, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = store.add_file(Path(shutil.copy(file, store.home / "incoming" / "upload.mp4")), move=True)
    monkeypatch.setattr(store._folder, "remove", failing(StoreError("No permission")))
    with pytest.raises(StoreError):
        store.delete_video(video.sha256)
    assert [v.sha256 for v in Store(store.home).videos()] == [video.sha256]
    assert store.file_path(video.sha256).is_file()


@pytest.mark.parametrize("is_touched", [True, False])
def test_a_video_deleted_here_and_added_elsewhere_stays(is_touched: bool, store: Store, file: Path) -> None:
    elsewhere = Store(store.home)
    video = store.add_file(file)
    (store.home / "videos" / f"{video.sha256}.deleted").touch()
    if is_touched:
        os.utime(file, (1_000_000_000, 1_000_000_000))
    assert elsewhere.add_file(file).sha256 == video.sha256
    assert [v.sha256 for v in Store(store.home).videos()] == [video.sha256]


def failing(error: Exception) -> Callable[..., object]:
    def fail(*_: object, **__: object) -> object:
        raise error

    return fail


# --- a full disk ------------------------------------------------------------------------------------------


class FullDisk:
    """Stands in for a disk without room: whatever Lance or ``write_atomically`` write fails."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full = True

        def failing(real: Callable[..., object]) -> Callable[..., object]:
            def call(*args: object, **options: object) -> object:
                if self.full:
                    raise RuntimeError(
                        "lance error: LanceError(IO): No space left on device (os error 28), /x/y.rs:3:1"
                    )
                return real(*args, **options)

            return call

        for owner, name in ((lancedb.table.LanceTable, "add"), (lancedb.db.LanceDBConnection, "create_table")):
            monkeypatch.setattr(owner, name, failing(getattr(owner, name)))
        real_write = Path.write_bytes

        def write(path: Path, data: bytes) -> int:
            if self.full:
                raise OSError(errno.ENOSPC, "No space left on device")
            return real_write(path, data)

        monkeypatch.setattr(Path, "write_bytes", write)


@pytest.fixture
def disk(full_store: Store, monkeypatch: pytest.MonkeyPatch) -> FullDisk:
    return FullDisk(monkeypatch)


def test_a_video_can_be_deleted_on_a_full_disk(full_store: Store, video: Video, disk: FullDisk, file: Path) -> None:
    assert full_store.delete_video(video.sha256) > 0
    for own in (full_store, Store(full_store.home)):
        assert own.videos() == []
        assert own.embeddings() == []
    assert not list(full_store.home.glob("lance/samples-*"))
    disk.full = False
    again = Store(full_store.home)
    assert again.add_file(file).sha256 == video.sha256
    assert [v.sha256 for v in Store(full_store.home).videos()] == [video.sha256]
    assert not list(full_store.home.glob("videos/*"))


def test_an_embedding_can_be_deleted_on_a_full_disk_and_made_again(
    full_store: Store, video: Video, disk: FullDisk, rng: np.random.Generator
) -> None:
    assert full_store.delete_embedding(key_of(video)) > 0
    for own in (full_store, Store(full_store.home)):
        assert own.embeddings() == []
        with pytest.raises(NotStoredError):
            own.load(key_of(video))
    disk.full = False
    put(full_store, key_of(video), unit_rows(rng, 4))
    assert [info.samples for info in full_store.embeddings()] == [4]


@pytest.mark.usefixtures("disk")
def test_texts_are_kept_in_memory_on_a_full_disk_and_that_is_told_once(
    full_store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    engine = ToyEngine(dim=DIM)
    for texts in (["a house"], ["a house", "a boat"], [f"text {i}" for i in range(5000)]):
        assert list(embed_texts_cached(full_store, engine, texts)) == texts
    assert engine.texts.count("a house") == 1
    told = [record.getMessage() for record in caplog.records if record.name == "lib.store.text_vectors"]
    assert told == [
        "Text vectors are kept in memory only. "
        "The disk is full: storing text vectors failed. Free some space, then try again."
    ]


@pytest.mark.usefixtures("disk")
def test_a_file_is_hashed_and_searched_on_a_full_disk(full_store: Store, video: Video, file: Path) -> None:
    os.utime(file, (1_000_000_000, 1_000_000_000))
    assert full_store.file_path(video.sha256) == file
    assert full_store.file_path(video.sha256) == file
    vector = full_store.load(key_of(video)).vectors[0]
    assert search_vector(full_store, "toy:1", vector).samples == 20


@pytest.mark.usefixtures("disk")
def test_what_needs_room_says_so_without_a_library_s_paths(full_store: Store, video: Video, tmp_path: Path) -> None:
    for write in (
        lambda: full_store.begin(key_of(video, engine_id="b"), engine_name="B", dim=DIM),
        lambda: full_store.change_truth(video, lambda truth: []),
        lambda: full_store.add_file(make_video(tmp_path / "other.mp4", colours=palette(3))),
    ):
        with pytest.raises(StoreError, match=r"^The disk is full: [a-z ]+ failed\. Free some space, then try again\.$"):
            write()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "none", str(folder)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("no tmpfs can be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_disk_that_really_is_full(small_disk: Path, file: Path, rng: np.random.Generator) -> None:
    home = small_disk / "home"
    store = Store(home)
    video = store.add_file(file)
    put(store, key_of(video), unit_rows(rng, 500), thumbnail_bytes=1000)
    with contextlib.suppress(OSError), open(small_disk / "filler", "wb", buffering=0) as filler:
        while True:
            filler.write(bytes(4096))
    engine = ToyEngine(dim=DIM)
    assert list(embed_texts_cached(store, engine, ["a", "b"])) == ["a", "b"]
    with pytest.raises(StoreError, match="The disk is full"):
        store.begin(key_of(video, engine_id="b"), engine_name="B", dim=DIM)
    assert len(Store(home).load(key_of(video))) == 500
    store.delete_video(video.sha256)
    assert Store(home).videos() == []
    (small_disk / "filler").unlink()
    again = Store(home)
    assert list(embed_texts_cached(again, engine, ["a", "b"])) == ["a", "b"]
    assert list(Store(home).text_vectors(engine.id, ["a"])) == ["a"]
    put(again, key_of(again.add_file(file)), unit_rows(rng, 5))
    assert [info.samples for info in Store(home).embeddings()] == [5]


# --- damage -----------------------------------------------------------------------------------------------

MUTATIONS: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda data: b"",
    "cut": lambda data: data[:-7],
    "inverted": lambda data: bytes(255 - byte for byte in data),
    "noise": lambda data: np.random.default_rng(5).bytes(len(data)),
    "zeros": lambda data: bytes(len(data)),
    "middle": lambda data: data[: len(data) // 2] + b"\xff" * 9 + data[len(data) // 2 + 9 :],
}


def newest_manifest(table: Path) -> Path:
    return min((table / "_versions").glob("*.manifest"), key=lambda path: path.name)


@pytest.mark.parametrize("mutate", MUTATIONS.values(), ids=MUTATIONS)
@pytest.mark.parametrize("name", ["videos", "embeddings", "samples"])
def test_a_damaged_table_is_one_sentence_that_says_what_to_do(
    full_store: Store, video: Video, name: str, mutate: Callable[[bytes], bytes]
) -> None:
    manifest = newest_manifest(tables(full_store)[name])
    manifest.write_bytes(mutate(manifest.read_bytes()))
    sentences = set()
    for ask in (
        lambda store: store.videos(),
        lambda store: store.embeddings(),
        lambda store: store.load(key_of(video)),
        lambda store: store.thumbnails(key_of(video), [0]),
        lambda store: store.listing(),
    ):
        with contextlib.suppress(NotStoredError):
            try:
                ask(Store(full_store.home))
            except PromptreelError as error:
                sentences.add(str(error))
    assert len(sentences) <= 1
    for sentence in sentences:
        assert sentence.startswith("The store is damaged: the ")
        assert "/" not in sentence
        assert "ry again" not in sentence


@pytest.mark.parametrize("name", ["RustPanic", "PanicException"])
def test_a_panic_of_the_library_is_a_sentence(
    full_store: Store, video: Video, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    panic = type(name, (BaseException,), {})

    def open_table(*args: object, **options: object) -> None:
        raise panic("rust future panicked: unknown error")

    monkeypatch.setattr(lancedb.db.LanceDBConnection, "open_table", open_table)
    for ask in (lambda store: store.videos(), lambda store: store.load(key_of(video))):
        with pytest.raises(StoreDamagedError, match="The store is damaged: the list of"):
            ask(Store(full_store.home))


def test_one_damaged_embedding_hides_no_other_and_can_be_deleted(
    full_store: Store, video: Video, rng: np.random.Generator
) -> None:
    broken = key_of(video, sampling_key="stride-2")
    put(full_store, broken, unit_rows(rng, 4), finish=False)
    newest_manifest(full_store.home / "lance" / f"{broken.table}.lance").write_bytes(b"")
    store = Store(full_store.home)
    good, bad = store.embeddings()
    assert (good.samples, good.damage) == (20, None)
    assert "samples of an embedding can't be read. Delete" in (bad.damage or "")
    store.delete_embedding(broken)
    put(store, broken, unit_rows(rng, 4))
    assert len(store.load(broken)) == 4


@pytest.mark.parametrize("mutate", MUTATIONS.values(), ids=MUTATIONS)
@pytest.mark.parametrize("name", ["texts", "hashes"])
def test_a_damaged_table_of_what_is_derived_is_made_anew(
    full_store: Store, file: Path, name: str, mutate: Callable[[bytes], bytes]
) -> None:
    os.utime(file, (1_000_000_000, 1_000_000_000))
    full_store.add_file(file)
    manifest = newest_manifest(tables(full_store)[name])
    manifest.write_bytes(mutate(manifest.read_bytes()))
    engine = ToyEngine(dim=DIM)
    store = Store(full_store.home)
    os.utime(file, (1_100_000_000, 1_100_000_000))
    store.add_file(file)
    assert list(embed_texts_cached(store, engine, ["crane", "boat"])) == ["crane", "boat"]
    embed_texts_cached(Store(full_store.home), engine, ["boat"])
    assert engine.texts.count("boat") == 1


@pytest.mark.parametrize("part", ["head", "times", "sums", "vectors"])
def test_a_garbled_search_file_is_noticed_and_made_again(full_store: Store, video: Video, part: str) -> None:
    query = full_store.load(key_of(video)).vectors[3]
    right = search_vector(full_store, "toy:1", query)
    (pack,) = full_store.home.glob("search/*.pack")
    written = pack.read_bytes()
    at = {"head": 20, "times": 32 + 20 * 8 + 6, "sums": 32 + 20 * 28 + 6, "vectors": len(written) - 5}[part]
    pack.write_bytes(written[:at] + bytes([written[at] ^ 0x7A]) + written[at + 1 :])

    for store in (Store(full_store.home), Store(full_store.home), Store(full_store.home)):
        found = search_vector(store, "toy:1", query)
        assert [(m.best_frame, m.score) for m in found.moments] == [(m.best_frame, m.score) for m in right.moments]
    assert pack.read_bytes() == written


def test_a_search_file_of_before_is_made_again(full_store: Store, video: Video) -> None:
    query = full_store.load(key_of(video)).vectors[3]
    search_vector(full_store, "toy:1", query)
    (pack,) = full_store.home.glob("search/*.pack")
    pack.write_bytes(b"PRPACK 1" + pack.read_bytes()[8:])
    assert search_vector(Store(full_store.home), "toy:1", query).moments[0].best_frame == 30
    assert pack.read_bytes().startswith(b"PRPACK 2")


def test_an_upload_garbled_at_equal_size_is_noticed(store: Store, file: Path) -> None:
    video = store.add_file(file, move=True)
    data = video.path.read_bytes()
    os.utime(video.path, (1, 1))  # a copied folder has new times
    assert store.file_path(video.sha256) == video.path
    video.path.write_bytes(data[:-9] + b"garbled!!")
    for own in (store, Store(store.home)):
        with pytest.raises(NotStoredError, match="was moved or changed"):
            own.file_path(video.sha256)


# --- a home that is gone, littered or read-only -----------------------------------------------------------


def test_a_home_deleted_meanwhile_is_noticed_and_not_made_anew(
    full_store: Store, video: Video, file: Path, rng: np.random.Generator
) -> None:
    shutil.rmtree(full_store.home)
    for use in (
        lambda: full_store.videos(),
        lambda: full_store.embeddings(),
        lambda: full_store.listing(),
        lambda: full_store.load(key_of(video)),
        lambda: full_store.add_file(file),
        lambda: full_store.file_path(video.sha256),
        lambda: full_store.delete_video(video.sha256),
        lambda: full_store.change_truth(video, lambda truth: []),
        lambda: full_store.begin(key_of(video, engine_id="b"), engine_name="B", dim=DIM),
        lambda: put(full_store, key_of(video), unit_rows(rng, 2)),
    ):
        with pytest.raises(StoreError, match=r"was deleted or moved while Promptreel ran\. Bring it back, or restart"):
            use()
    assert not full_store.home.exists()
    assert Store(full_store.home).videos() == []


def test_what_killed_writers_left_is_swept_at_the_next_start(full_store: Store) -> None:
    home = full_store.home
    dead = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True)
    pid = dead.stdout.strip()
    old = time.time() - 3600
    litter = [
        home / "truth" / f"{'a' * 64}.json.{pid}.0123abcd.tmp",
        home / "experiments" / f"x.json.{pid}.0123abcd.tmp",
        home / "exports" / f"clip.mp4.{pid}.0123abcd.mp4",
        home / "search" / f"{'b' * 32}.pack.{pid}.0123abcd.tmp",
        home / "truth" / f"{'a' * 64}.json.partial",
    ]
    kept = [
        home / "experiments" / f"x.json.{os.getppid()}.0123abcd.tmp",  # its writer runs
        home / "experiments" / "x.json",
        home / "exports" / "clip-0.0-1.0.mp4",
    ]
    for path in (*litter, *kept):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"half")
    os.utime(litter[-1], (old, old))
    for name in ("arriving-" + "0" * 32, "making-" + "0" * 32):
        (home / "lance" / f"{name}.lance" / "data").mkdir(parents=True)
    (home / ".trash-1").mkdir()

    Store(home)
    assert [path for path in litter if path.exists()] == []
    assert [path for path in kept if not path.exists()] == []
    assert not [*home.glob("lance/arriving-*"), *home.glob("lance/making-*"), *home.glob(".trash-*")]
    assert len(full_store.embeddings()) == 1


@pytest.fixture
def read_only(full_store: Store) -> Iterator[Path]:
    """Mount the store's folder read-only."""
    home = full_store.home
    mounted = subprocess.run(["mount", "--bind", str(home), str(home)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("nothing can be mounted here")
    subprocess.run(["mount", "-o", "remount,ro,bind", str(home)], check=True)
    yield home
    subprocess.run(["umount", "-l", str(home)], check=True)


def reads_but_does_not_write(home: Path, video: Video, file: Path) -> None:
    store = Store(home)
    assert store.videos() == [video]
    assert store.add_file(file) == video
    samples = store.load(key_of(video))
    assert len(samples) == 20
    engine = ToyEngine(id="toy:1", dim=DIM)
    assert list(embed_texts_cached(store, engine, ["crane", "new"])) == ["crane", "new"]
    assert engine.texts == ["new"]
    assert search_vector(store, "toy:1", samples.vectors[0]).moments[0].best_frame == 0
    assert store.thumbnails(key_of(video), [0])
    for write in (
        lambda: store.delete_video(video.sha256),
        lambda: store.change_truth(video, lambda truth: []),
        lambda: store.begin(key_of(video, engine_id="b"), engine_name="B", dim=DIM),
    ):
        with pytest.raises(StoreError, match=r"^No permission: writing to .* failed\. Make the folder writable, or "):
            write()


def test_a_read_only_home_is_read_and_searched(read_only: Path, video: Video, file: Path) -> None:
    reads_but_does_not_write(read_only, video, file)


def test_a_home_that_refuses_its_lock_is_read_and_searched(
    full_store: Store, video: Video, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.open

    def refuse(path: object, flags: int, *args: object, **options: object) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR) and str(path).startswith(str(full_store.home)):
            raise OSError(errno.EROFS, "Read-only file system")
        return real(path, flags, *args, **options)

    monkeypatch.setattr(os, "open", refuse)
    reads_but_does_not_write(full_store.home, video, file)
