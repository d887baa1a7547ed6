"""What most browser tests begin with: one dashboard with one embedded video, the same for all tests of a process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lib.services import experiments
from lib.ui.search.state import folder
from tests.helpers.dashboard import Dashboard, serving_dashboard
from tests.helpers.fake_server import FakeServer
from tests.helpers.pages import Bench, lay_out


@pytest.fixture(scope="session")
def server() -> Iterator[FakeServer]:
    """Run the stand-in for the inference server."""
    with FakeServer() as running:
        yield running


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory, server: FakeServer) -> Bench:
    """Return the store that pages are tried with."""
    return lay_out(tmp_path_factory.mktemp("bench") / "home", server.url)


@pytest.fixture(scope="session")
def dashboard(bench: Bench) -> Iterator[Dashboard]:
    """Serve that store; starting a dashboard costs more than most tests."""
    with serving_dashboard(bench.store.home) as dashboard:
        yield dashboard


@pytest.fixture(autouse=True)
def _as_laid_out(request: pytest.FixtureRequest) -> None:
    """Begin each test with the experiment and the ground truth as laid out, whatever the one before left behind."""
    if "bench" in request.fixturenames:
        bench: Bench = request.getfixturevalue("bench")
        home = bench.store.home
        for kept in (home / "experiments", home / "versions", folder(home)):
            for path in kept.glob("*.json"):
                path.unlink()
        experiments.save(home, bench.experiment)
        bench.store.forget_truth(bench.video.sha256)
