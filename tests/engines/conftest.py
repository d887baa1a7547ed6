"""Tiny models in place of those of this machine, and inference server engines that never really sleep."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.engines.server import ServerEngine
from tests.helpers.clock import Clock
from tests.helpers.fake_server import Connect, FakeServer
from tests.helpers.tiny_models import write_clip, write_siglip


@pytest.fixture(autouse=True)
def _no_models_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub-cache"))
    monkeypatch.delenv("PROMPTREEL_MODELS", raising=False)


@pytest.fixture(scope="session")
def clip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("tiny") / "clip")


@pytest.fixture(scope="session")
def siglip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_siglip(tmp_path_factory.mktemp("tiny") / "siglip")


@pytest.fixture
def copied(clip_folder: Path, tmp_path: Path) -> Path:
    """Return a copy of the tiny model that a test may damage."""
    return Path(shutil.copytree(clip_folder, tmp_path / "copied"))


@pytest.fixture
def connect(server: FakeServer) -> Iterator[Connect]:
    """Return what makes an engine for ``server`` and closes it after the test."""
    engines: list[ServerEngine] = []

    def connect(**options: object) -> ServerEngine:
        engines.append(ServerEngine(server.url, **options))
        return engines[-1]

    yield connect
    for engine in engines:
        engine.close()


@pytest.fixture
def engine(connect: Connect, clock: Clock) -> ServerEngine:
    return connect(sleep=clock.wait, clock=clock.time, rng=random.Random(7))
