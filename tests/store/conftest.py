from __future__ import annotations

from pathlib import Path

import pytest

from lib.store.store import Store
from lib.store.videos import Video
from tests.helpers.videos import make_video, palette


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return make_video(tmp_path / "clip.mp4", colours=palette(12))


@pytest.fixture
def video(store: Store, file: Path) -> Video:
    return store.add_file(file)
