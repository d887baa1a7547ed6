"""The routes behind a real uvicorn, and an inbox that takes uploads as the store would."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from starlette.applications import Starlette
from streamlit import config

from lib.ui.server import routes
from tests.helpers.http import serving

TOKEN = "2|abc|def|1700000000"
XSRF = {"Cookie": f"other=1; _streamlit_xsrf={TOKEN}", "X-XSRF-Token": TOKEN}
MP4_HEAD = b"\x00\x00\x00\x20ftypisom" + bytes(20)
SetOption = Callable[[str, Any], None]


@pytest.fixture(scope="module")
def routes_port() -> Iterator[int]:
    """Serve the routes on a port of 127.0.0.1."""
    with serving(Starlette(routes=routes.routes(), middleware=routes.middleware())) as number:
        yield number


@pytest.fixture
def streamlit_option() -> Iterator[SetOption]:
    """Give a function that sets a Streamlit option for this test."""
    before: dict[str, Any] = {}

    def put(name: str, value: Any) -> None:
        before.setdefault(name, config.get_option(name))
        config.set_option(name, value)

    yield put
    for name, value in before.items():
        config.set_option(name, value)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Write 10,272 bytes that begin like an MP4."""
    path = tmp_path / "clip.mp4"
    path.write_bytes(MP4_HEAD + bytes(range(256)) * 40)
    return path


class Arrived(NamedTuple):
    name: str
    sha256: str
    content: bytes


class Inbox:
    """Takes uploads as the store would: moves the file away, remembers what arrived."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.incoming = folder / "incoming"
        self.arrived: list[Arrived] = []
        self.error: Exception | None = None
        self.threads: set[str] = set()

    def take(self, path: Path, name: str, sha256: str) -> None:
        self.threads.add(threading.current_thread().name)
        if self.error:
            raise self.error
        target = path.rename(self.folder / sha256)
        self.arrived.append(Arrived(name, sha256, target.read_bytes()))

    @property
    def parts(self) -> list[Path]:
        return list(self.incoming.glob("*"))


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    """Take uploads into ``tmp_path``."""
    box = Inbox(tmp_path)
    routes.accept_uploads(box.incoming, box.take)
    return box
