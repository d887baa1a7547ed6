"""Embeddings that come whole, and videos without a file: all of it is seen, or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lib.core.errors import NotStoredError, StoreError
from lib.store.embeddings import EmbeddingKey
from lib.store.gaps import Gap
from lib.store.staging import Batch
from lib.store.store import Store
from tests.helpers.storing import DIM, key_of, unit_rows
from tests.helpers.videos import make_video

KEY = EmbeddingKey("ab" * 32, "hosted/ViT-B-16", "fps-2", "1")
GAPS = (Gap(1.0, 2.0, 2), Gap(3.5, 4.0, 1))


def batches(vectors: np.ndarray, *, breaks: bool = False) -> Iterator[Batch]:
    frames = np.array([0, 1, 4, 5, 6])
    for part in (slice(0, 3), slice(3, 5)):
        thumbnails = [b"jpeg" if frame else None for frame in frames[part].tolist()]
        yield Batch(frames[part], frames[part] / 2, vectors[part], thumbnails)
        if breaks:
            raise NotStoredError("It broke; do it again.")


def put(store: Store, vectors: np.ndarray, key: EmbeddingKey = KEY, *, breaks: bool = False):
    return store.put(
        key,
        batches(vectors, breaks=breaks),
        engine_name="CLIP",
        dim=DIM,
        end_s=4.0,
        gaps=GAPS,
        without_file=("results.json", 1234) if key is KEY else None,
    )


def test_what_is_put_is_what_is_loaded(store: Store, rng: np.random.Generator) -> None:
    vectors = unit_rows(rng, 5)
    info = put(store, vectors)
    samples = store.load(KEY)

    assert (info.complete, info.samples, info.missing, info.duration_s) == (True, 5, 3, 4.0)
    assert store.find_embedding(KEY) == info
    assert samples.frames.tolist() == [0, 1, 4, 5, 6]
    assert np.einsum("nd,nd->n", samples.vectors, vectors).min() > 0.9999
    assert samples.gaps_s.tolist() == [[1.0, 2.0], [3.5, 4.0]]
    assert samples.spans_s.tolist() == [0.5, 0.5, 0.5, 0.5, 0.5]
    assert store.thumbnails(KEY, [0, 1]) == {1: b"jpeg"}


def test_a_video_without_a_file_says_so(store: Store, rng: np.random.Generator) -> None:
    put(store, unit_rows(rng, 5))
    (video,) = store.videos()

    assert (video.name, video.duration_s, video.size_bytes, video.has_file) == (
        "results.json",
        4.0,
        1234,
        False,
    )
    with pytest.raises(NotStoredError, match="imported without its video"):
        store.file_path(KEY.sha256)


def test_nothing_is_left_of_what_breaks(store: Store, rng: np.random.Generator) -> None:
    with pytest.raises(NotStoredError, match="It broke"):
        put(store, unit_rows(rng, 5), breaks=True)

    assert store.embeddings() == []
    assert store.videos() == []
    assert list((store.home / "lance").glob("*-*")) == []


def test_nothing_shows_before_all_of_it_is_there(store: Store, tmp_path: Path, rng: np.random.Generator) -> None:
    vectors, seen = unit_rows(rng, 5), []

    def watched() -> Iterator[Batch]:
        for batch in batches(vectors):
            store.delete_video(store.add_file(make_video(tmp_path / "other.mp4")).sha256)  # sweeps the store
            seen.append((store.embeddings(), store.videos()))
            yield batch

    store.put(KEY, watched(), engine_name="CLIP", dim=DIM, end_s=4.0, without_file=("a", 1))

    assert seen == [([], []), ([], [])]
    assert store.embedding(KEY).samples == 5


def test_it_is_put_once(store: Store, rng: np.random.Generator) -> None:
    info = put(store, unit_rows(rng, 5))
    with pytest.raises(StoreError, match="in the library already"):
        put(store, unit_rows(rng, 5))

    assert store.embeddings() == [info]
    assert len(store.load(KEY)) == 5


def test_a_video_deleted_meanwhile_does_not_come_back(store: Store, tmp_path: Path, rng: np.random.Generator) -> None:
    video = store.add_file(make_video(tmp_path / "a.mp4"))
    key = key_of(video)
    store.delete_video(video.sha256)
    with pytest.raises(NotStoredError):
        put(store, unit_rows(rng, 5), key)

    assert store.embeddings() == []
    assert list((store.home / "lance").glob("*-*")) == []


def test_deleting_the_video_forgets_its_gaps_and_what_a_killed_process_left(
    store: Store, rng: np.random.Generator
) -> None:
    put(store, unit_rows(rng, 5))
    left = store.home / "lance" / f"arriving-{'0' * 32}.lance"
    left.mkdir()
    store.delete_video(KEY.sha256)

    assert not left.exists()
    assert put(store, unit_rows(rng, 5)).missing == 3
