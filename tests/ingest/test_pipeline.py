"""Pictures between the decoder and the store are bounded in number and in bytes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from lib.core.sampling import Sampling
from lib.ingest import pipeline
from lib.ingest.ingest import ingest
from lib.store.store import Store
from tests.helpers.toy_engine import ToyEngine
from tests.helpers.videos import make_video, palette


def test_room_is_counted_in_batches_and_in_bytes() -> None:
    room = pipeline.Room(3, 100)
    assert room.take(60, timeout_s=0)
    assert not room.take(50, timeout_s=0)
    assert room.take(40, timeout_s=0)
    room.give_back(60)
    assert room.take(1, timeout_s=0)
    assert room.take(1, timeout_s=0)
    assert not room.take(1, timeout_s=0)


def test_a_batch_that_is_larger_than_all_room_goes_alone() -> None:
    room = pipeline.Room(3, 100)
    assert room.take(1000, timeout_s=0)
    assert not room.take(1, timeout_s=0)
    room.give_back(1000)
    assert room.take(1, timeout_s=0)


def test_who_waits_for_room_gets_it_as_soon_as_there_is_some() -> None:
    room = pipeline.Room(1, 100)
    room.take(10, timeout_s=0)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(room.take, 10, timeout_s=60)
        room.give_back(10)
        assert waiting.result(60)


def test_batches_of_large_pictures_are_smaller_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "_BATCH_BYTES", 3 * 32 * 128 * 3)
    sizes: list[int] = []

    class Counting(ToyEngine):
        def embed_images(self, images: list[NDArray[np.uint8]]) -> NDArray[np.float32]:
            sizes.append(len(images))
            return super().embed_images(images)

    engine = Counting()
    video = make_video(tmp_path / "a.mp4", colours=palette(10), size=(256, 64))
    store = Store(tmp_path / "home")
    info = ingest(store, store.add_file(video), engine, Sampling("stride", Fraction(1)))
    assert info.samples == 10
    assert sum(sizes) == 10
    assert max(sizes) == 3
