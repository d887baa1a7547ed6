"""What relative scores need of each sample: derived once, kept beside the search vectors, made anew when it must be."""

from __future__ import annotations

import errno
import hashlib
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from lib.infra import files
from lib.store.embeddings import EmbeddingInfo, EmbeddingKey
from lib.store.staging import Batch
from lib.store.store import Store
from tests.helpers.storing import unit_rows

ONE, OTHER = (hashlib.sha256(name).digest() for name in (b"one", b"other"))


class _Deriving:
    """Counts how often it is asked."""

    def __init__(self, info: EmbeddingInfo) -> None:
        self.asked = 0
        self.numbers = np.arange(2 * info.samples, dtype=np.float32).reshape(-1, 2)

    def __call__(self) -> np.ndarray:
        self.asked += 1
        return self.numbers


@pytest.fixture
def info(store: Store) -> EmbeddingInfo:
    key = EmbeddingKey("0" * 64, "toy:1", "stride-10", "1")
    batch = Batch(np.arange(9) * 10, np.arange(9.0), unit_rows(np.random.default_rng(1), 9), [None] * 9)
    store.put(key, [batch], engine_name="Toy", dim=64, end_s=9.0, without_file=("a", 0))
    (info,) = store.embeddings()
    return info


def path_of(store: Store, info: EmbeddingInfo) -> Path:
    return store.paths.search / f"{info.key.id}.spread"


def test_numbers_are_derived_once_for_all_processes(store: Store, info: EmbeddingInfo) -> None:
    derive = _Deriving(info)
    assert not store.spread_files.is_written(info, ONE)
    first = store.spread_files.get(info, ONE, derive)
    again = Store(store.home)  # another process

    assert again.spread_files.is_written(info, ONE)
    assert np.array_equal(again.spread_files.get(info, ONE, derive), first)
    assert np.array_equal(first, derive.numbers)
    assert (first.dtype, first.shape, derive.asked) == (np.float32, (9, 2), 1)


def test_numbers_derived_from_other_phrases_are_not_used(store: Store, info: EmbeddingInfo) -> None:
    derive = _Deriving(info)
    store.spread_files.get(info, ONE, derive)
    for files_of in (store.spread_files, Store(store.home).spread_files):
        assert not files_of.is_written(info, OTHER)
    store.spread_files.get(info, OTHER, derive)
    assert derive.asked == 2
    assert Store(store.home).spread_files.is_written(info, OTHER)


@pytest.mark.parametrize("damage", ["flip", "shorten", "lengthen", "empty", "count", "version", "fewer"])
def test_a_damaged_file_is_made_again(store: Store, info: EmbeddingInfo, damage: str) -> None:
    derive = _Deriving(info)
    store.spread_files.get(info, ONE, derive)
    content = bytearray(path_of(store, info).read_bytes())
    if damage == "flip":
        content[-3] ^= 1
    elif damage == "count":
        content[8:16] = (1 << 62).to_bytes(8, "little")
    elif damage == "version":
        content[7:8] = b"9"
    elif damage == "fewer":  # whole in itself, of an embedding with one sample less
        body = derive.numbers[:-1].tobytes()
        content[:] = struct.pack("<8sq32sq", b"PRSPRD 1", 8, ONE, zlib.crc32(body)) + body
    path_of(store, info).write_bytes(
        {"shorten": content[:-8], "lengthen": content + b"12345678", "empty": b""}.get(damage, content)
    )
    again = Store(store.home)

    assert np.array_equal(again.spread_files.get(info, ONE, derive), derive.numbers)
    assert derive.asked == 2
    assert Store(store.home).spread_files.is_written(info, ONE)


def test_they_go_with_their_embedding(store: Store, info: EmbeddingInfo) -> None:
    store.spread_files.get(info, ONE, _Deriving(info))
    assert path_of(store, info).exists()
    store.delete_embedding(info.key)
    assert not path_of(store, info).exists()


def test_a_full_disk_keeps_them_in_memory(store: Store, info: EmbeddingInfo, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    derive = _Deriving(info)
    monkeypatch.setattr(files.os, "replace", full)
    for _ in range(2):
        assert np.array_equal(store.spread_files.get(info, ONE, derive), derive.numbers)
    assert derive.asked == 1
    assert not path_of(store, info).exists()
