"""Fixtures that several modules share. What they need is imported by those who ask for it: this is loaded always."""

from __future__ import annotations

import functools
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from lib.store.store import Store
    from lib.store.videos import Video
    from tests.helpers.clock import Clock
    from tests.helpers.fake_server import FakeServer
    from tests.helpers.pages import Bench

Run = Callable[..., tuple[int, str, list[str]]]


@pytest.fixture
def home() -> Path:
    """Return the test's own home folder, where pages and commands look."""
    return Path(os.environ["PROMPTREEL_HOME"])


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Return an empty store."""
    from lib.store.store import Store

    return Store(tmp_path / "home")


@pytest.fixture
def video(store: Store, film: Path) -> Video:
    """Return the module's ``film``, stored."""
    return store.add_file(film)


@pytest.fixture
def no_thread_stays() -> Iterator[None]:
    """Fail when an ingest leaves a thread behind."""
    yield
    names = ("embed-", "thumbnails-", "decode")
    until = time.monotonic() + 5
    while left := [t.name for t in threading.enumerate() if t.name.startswith(names)]:
        assert time.monotonic() < until, f"threads stay behind: {left}"
        time.sleep(0.01)


@pytest.fixture
def clock() -> Clock:
    from tests.helpers.clock import Clock

    return Clock()


@pytest.fixture
def server() -> Iterator[FakeServer]:
    """Run the stand-in for the inference server."""
    from tests.helpers.fake_server import FakeServer

    with FakeServer() as running:
        yield running


@pytest.fixture(scope="session")
def bench_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with what ``bench`` is a copy of, made once; its video is put away for the copies."""
    from tests.helpers.fake_server import FakeServer
    from tests.helpers.pages import lay_out

    folder = tmp_path_factory.mktemp("bench")
    with FakeServer() as server:
        lay_out(folder / "home", server.url)
    (folder / "colours.mp4").rename(folder / "colours.mp4.made")
    return folder


@pytest.fixture
def bench(bench_template: Path, home: Path, server: FakeServer) -> Bench:
    """Return the store that pages are tried with."""
    from tests.helpers.pages import copied

    return copied(bench_template, home, server.url)


@pytest.fixture(scope="session")
def components_scanned_once() -> Iterator[None]:
    """Have Streamlit look for components in the installed packages once, and not for each AppTest."""
    from streamlit.components.v2 import manifest_scanner

    with pytest.MonkeyPatch.context() as patch:
        scan = functools.cache(manifest_scanner.scan_component_manifests)
        patch.setattr(manifest_scanner, "scan_component_manifests", scan)
        yield


@pytest.fixture
def framed(monkeypatch: pytest.MonkeyPatch, components_scanned_once: None) -> None:
    """Have AppTest open pages inside the frame, as the server does once ``dashboard.py`` has cleared this flag."""
    from streamlit.runtime.pages_manager import PagesManager

    original = PagesManager.__init__

    def start(self: PagesManager, *args: Any, **options: Any) -> None:
        PagesManager.uses_pages_directory = False
        original(self, *args, **options)

    monkeypatch.setattr(PagesManager, "__init__", start)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Return what runs the command line in this process: status, stdout, lines of stderr."""
    from lib.__main__ import main

    def run(*arguments: object) -> tuple[int, str, list[str]]:
        capsys.readouterr()
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as ended:  # argparse
            status = int(ended.code or 0)
        out, err = capsys.readouterr()
        return status, out, err.splitlines()

    return run
