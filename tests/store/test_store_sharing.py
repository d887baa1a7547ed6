"""The store under several threads and processes at once."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

from lib.store.home import StoreFolder
from lib.store.store import Store
from lib.store.videos import Video
from tests.helpers.storing import DIM, key_of, put, unit_rows
from tests.helpers.videos import make_video, palette

ROOT = Path(__file__).resolve().parents[2]


def test_readers_see_a_growing_prefix_while_a_writer_appends(
    store: Store, video: Video, rng: np.random.Generator
) -> None:
    key, vectors = key_of(video), unit_rows(rng, 400)
    store.begin(key, engine_name="Toy engine", dim=DIM)
    seen: list[int] = []
    problems: list[BaseException] = []
    done = threading.Event()

    def read(own: Store) -> None:
        try:
            while not done.is_set():
                samples = own.load(key)
                np.testing.assert_array_equal(samples.frames, np.arange(len(samples)) * 10)
                np.testing.assert_allclose(samples.vectors, vectors[: len(samples)], atol=3e-3)
                seen.append(len(samples))
        except BaseException as error:
            problems.append(error)

    readers = [threading.Thread(target=read, args=(own,)) for own in (store, Store(store.home))]
    for reader in readers:
        reader.start()
    put(store, key, vectors, commits=40)
    time.sleep(0.1)
    done.set()
    for reader in readers:
        reader.join()
    assert problems == []
    assert seen[-1] == 400
    assert len(set(seen)) > 3


_ADDER = """
import sys
from pathlib import Path
from lib.store.store import Store
store = Store(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for name in sys.argv[2:]:
    store.add_file(name)
    store.put_text_vectors("toy", {name: [1.0, 0.0], "shared": [0.0, 1.0]})
"""


def test_processes_that_write_at_once_lose_nothing(store: Store, tmp_path: Path) -> None:
    files = [make_video(tmp_path / f"{i}.mp4", colours=palette(2, seed=i)) for i in range(12)]
    command = [sys.executable, "-c", _ADDER, str(store.home)]
    processes = [
        subprocess.Popen(
            [*command, *map(str, files[i::3])],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for i in range(2)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for path in files[2::3]:
        store.add_file(path)
    for process in processes:
        process.communicate(timeout=60)
        assert process.returncode == 0
    assert {video.name for video in store.videos()} == {path.name for path in files}
    assert len(store.videos()) == 12
    assert len(store.text_vectors("toy", [str(f) for f in files])) == 8
    np.testing.assert_array_equal(store.text_vectors("toy", ["shared"])["shared"], [0, 1])


def test_every_commit_of_another_process_is_seen_at_once(store: Store, video: Video, file: Path) -> None:
    other = Store(store.home)
    for turn in range(12):
        assert [v.name for v in store.videos()] == [v.name for v in other.videos()] == [video.name]
        other.delete_video(video.sha256)
        assert store.videos() == [], turn
        store.add_file(file)


def test_what_a_caller_does_to_rows_reaches_nobody_else(store: Store, video: Video) -> None:
    home = StoreFolder(store.home)
    rows = home.rows("videos", pa.schema([("sha256", pa.string()), ("name", pa.string())]))
    rows[0]["name"] = "changed"
    rows.clear()
    again = home.rows("videos", pa.schema([("sha256", pa.string()), ("name", pa.string())]))
    assert [row["name"] for row in again] == [video.name]
