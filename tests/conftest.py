"""What holds for every test: its own home folder, no network, no key, no surprising error in the log."""

from __future__ import annotations

import logging
import os
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.guards import guard_network, recorded_errors, refused

pytest_plugins = [
    "tests.helpers.fixtures",
    "tests.helpers.watchdog",
    "tests.helpers.browser",
    "tests.helpers.dashboard",
    "tests.helpers.components",
    "tests.helpers.lanes",
    "tests.helpers.routes",
]

sys.modules["cv2"] = None  # type: ignore[assignment]  # as for users: only the decode benchmark needs OpenCV

_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "ftp_proxy", "no_proxy")
_PRIVATE = ("ROBOFLOW_API_KEY", "PROMPTREEL_ENGINE", "PROMPTREEL_HOME", "PROMPTREEL_REMOTE")


def pytest_configure(config: pytest.Config) -> None:
    """Clean the environment and guard the network before anything else, session fixtures and subprocesses too."""
    config.addinivalue_line(
        "markers", "allow_error_logs: log records at ERROR or above don't fail this test; they are its subject"
    )
    for name in (*_PROXIES, *(name.upper() for name in _PROXIES), *_PRIVATE):
        os.environ.pop(name, None)
    guard_network()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run browser tests last: Playwright's loop stays in this thread and breaks a later ``asyncio.run``.

    One that fails is tried once more, and the summary says so and why: a browser misses a moment at times.
    """
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)
    for item in items:
        if item.get_closest_marker("browser") is not None:
            item.add_marker(pytest.mark.flaky(reruns=1, reruns_delay=1))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say why tests were tried again, which pytest-rerunfailures doesn't."""
    for report in terminalreporter.getreports("rerun"):
        terminalreporter.section(f"why {report.nodeid} was tried again")
        terminalreporter.line(report.longreprtext[-3_000:])


@pytest.fixture(autouse=True)
def _no_network() -> Iterator[None]:
    yield
    if refused:
        targets = ", ".join(refused)
        refused.clear()
        pytest.fail(f"the test reached beyond this machine: {targets}")


@pytest.fixture(autouse=True)
def _ordinary_priority() -> Iterator[None]:
    """Take back the real-time priority that SVT-AV1 gives a process of root that encodes: others would starve."""
    yield
    if sys.platform == "linux" and os.sched_getscheduler(0) != os.SCHED_OTHER:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*_PROXIES, *(name.upper() for name in _PROXIES), *_PRIVATE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PROMPTREEL_HOME", str(tmp_path / "promptreel-home"))


@pytest.fixture(autouse=True)
def _error_records(request: pytest.FixtureRequest) -> Iterator[list[logging.LogRecord]]:
    with recorded_errors() as records:
        yield records
    allowed = "error_logs" in request.fixturenames or request.node.get_closest_marker("allow_error_logs")
    if records and not allowed:
        lines = "\n".join(f"{record.levelname} {record.name}: {record.getMessage()}" for record in records)
        pytest.fail(f"the log holds errors that the test didn't ask for:\n{lines}")


@pytest.fixture
def error_logs(_error_records: list[logging.LogRecord]) -> list[logging.LogRecord]:
    """Log records at ERROR or above so far; a test that asks for them is allowed to cause them."""
    return _error_records


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    """Return a generator seeded by the test's name: the same numbers every time, others in the next test."""
    return np.random.default_rng(zlib.crc32(request.node.nodeid.encode()))
