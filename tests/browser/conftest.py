"""What most browser tests begin with: a dashboard with one embedded video, the same for all tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.helpers.dashboard import Dashboard, StartDashboard
from tests.helpers.fake_server import FakeServer
from tests.helpers.pages import Bench, lay_out


@pytest.fixture(scope="module")
def server() -> Iterator[FakeServer]:
    """Run the stand-in for the inference server."""
    with FakeServer() as running:
        yield running


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, server: FakeServer) -> Bench:
    """Return the store that pages are tried with."""
    return lay_out(tmp_path_factory.mktemp("bench") / "home", server.url)


@pytest.fixture(scope="module")
def served(start_dashboard: StartDashboard, bench: Bench) -> Dashboard:
    """Serve it."""
    return start_dashboard(home=bench.store.home)
