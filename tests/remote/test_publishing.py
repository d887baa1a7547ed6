"""Publishing and pulling: the same embedding elsewhere, or nothing."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from lib.remote.publishing import publish
from lib.remote.pulling import published, pull
from lib.remote.records import find
from lib.remote.storage import Remote
from lib.store.embeddings import EmbeddingKey
from lib.store.store import Store
from lib.store.videos import Video
from tests.helpers.fake_object_storage import ObjectStorage, now_and_then


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
