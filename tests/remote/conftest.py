from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lib.remote.storage import Remote
from lib.store.embeddings import EmbeddingKey
from lib.store.store import Store
from lib.store.videos import Video
from tests.helpers.fake_object_storage import ObjectStorage, object_storage
from tests.helpers.storing import key_of, put, unit_rows
from tests.helpers.videos import make_video, palette


@pytest.fixture(scope="session")
def _server() -> Iterator[ObjectStorage]:
    with object_storage() as server:
        yield server


@pytest.fixture
def s3(_server: ObjectStorage, monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectStorage]:
    """S3 with an empty bucket that the environment leads to."""
    _server.begin()
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in _server.environment().items():
        monkeypatch.setenv(name, value)
    yield _server
    _server.fault = None


@pytest.fixture
def folder(tmp_path: Path) -> Remote:
    """A shared folder."""
    shared = tmp_path / "shared"
    shared.mkdir()
    return Remote(f"file://{shared}")


@pytest.fixture(params=["folder", "s3"])
def remote(request: pytest.FixtureRequest, tmp_path: Path) -> Remote:
    """A shared folder, and a bucket."""
    if request.param == "folder":
        return request.getfixturevalue("folder")
    return Remote(request.getfixturevalue("s3").address)


@pytest.fixture
def video(store: Store, tmp_path: Path) -> Video:
    return store.add_file(make_video(tmp_path / "clip.mp4", colours=palette(12)))


@pytest.fixture
def key(store: Store, video: Video, rng: np.random.Generator) -> EmbeddingKey:
    """A complete embedding of 700 samples: more than one batch."""
    key = key_of(video)
    put(store, key, unit_rows(rng, 700))
    return key


@pytest.fixture
def other(tmp_path: Path) -> Store:
    """Another person's store."""
    return Store(tmp_path / "other-home")
