"""Starts ``streamlit run`` on a free loopback port with its own home folder, and ends it with the test."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
_DIRECT = build_opener(ProxyHandler({}))
_START_S = 60.0
_END_S = 10.0


_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
_PR_SET_PDEATHSIG = 1


def _end_with_parent() -> None:
    """Have the kernel end this process when the tests' process dies without a chance to clean up."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def free_port() -> int:
    """Return a port of 127.0.0.1 that was free just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Dashboard:
    """A running dashboard: ``url``, ``pid``, ``home`` and what it ``log``ged; a context manager.

    Args:
        script: the page script; the repository's ``dashboard.py`` when None.
        home: the ``PROMPTREEL_HOME`` of the process.
        options: more ``streamlit run`` options, such as ``--server.maxUploadSize=1``.
        environment: variables on top of this process's.
        port: of 127.0.0.1; a free one when None.

    Raises:
        RuntimeError: the server did not come up; the message holds its log.
    """

    def __init__(
        self,
        home: Path,
        script: Path | None = None,
        *,
        options: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        port: int | None = None,
    ) -> None:
        self.home = home
        self.script = script or REPOSITORY / "dashboard.py"
        home.mkdir(parents=True, exist_ok=True)
        self._log_path = home.parent / f"{home.name}.log"
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [
            *(sys.executable, "-m", "streamlit", "run", str(self.script)),
            *("--server.port", str(self.port), "--server.address", "127.0.0.1", "--server.headless", "true"),
            *("--server.fileWatcherType", "none", "--browser.gatherUsageStats", "false", *options),
        ]
        variables = {
            **os.environ,
            "PROMPTREEL_HOME": str(home),
            "PYTHONPATH": str(REPOSITORY),
            "PYTHONUNBUFFERED": "1",
            **(environment or {}),
        }
        with self._log_path.open("wb") as log:
            # A session of its own: one signal ends the server and whatever it started.
            self._process = subprocess.Popen(
                command,
                cwd=REPOSITORY,
                env=variables,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_end_with_parent,
            )
        self.pid = self._process.pid
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise RuntimeError(f"the dashboard ended at once:\n{self.log}")
            with (
                contextlib.suppress(URLError, OSError),
                _DIRECT.open(f"{self.url}/_stcore/health", timeout=2) as answer,
            ):
                if answer.status == 200:
                    return
            time.sleep(0.05)
        raise RuntimeError(f"the dashboard was not ready after {_START_S:.0f} s:\n{self.log}")

    @property
    def log(self) -> str:
        """What the process wrote so far, standard output and errors together."""
        return self._log_path.read_text(encoding="utf-8", errors="replace")

    def stop(self) -> None:
        """End the process and everything it started; harmless when it has ended."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self._process.poll() is not None:
                return
            os.killpg(self._process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_END_S)

    def kill(self) -> None:
        """End the process at once, as a crash would."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(_END_S)

    def __enter__(self) -> Dashboard:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _fail_on_tracebacks(*dashboards: Dashboard) -> None:
    logs = [dashboard.log for dashboard in dashboards if "Traceback (most" in dashboard.log]
    if logs:
        pytest.fail("a dashboard logged a traceback:\n" + "\n".join(logs))


@contextmanager
def serving_dashboard(home: Path, script: Path | None = None) -> Iterator[Dashboard]:
    """Run a dashboard for the block; a traceback in its log fails at the end."""
    with Dashboard(home, script) as dashboard:
        yield dashboard
    _fail_on_tracebacks(dashboard)


StartDashboard = Callable[..., Dashboard]


@pytest.fixture(scope="module")
def start_dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartDashboard]:
    """Give a function that starts dashboards which live until the module's last test.

    ``start_dashboard(script=None, *, home=None, options=(), environment=None, port=None, tracebacks=False)``.
    A traceback in the log of one fails at the end, unless ``tracebacks`` says that they are expected.
    """
    running: list[Dashboard] = []
    checked: list[Dashboard] = []

    def start(
        script: Path | None = None,
        *,
        home: Path | None = None,
        options: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        port: int | None = None,
        tracebacks: bool = False,
    ) -> Dashboard:
        folder = home or tmp_path_factory.mktemp("dashboard") / "home"
        dashboard = Dashboard(folder, script, options=options, environment=environment, port=port)
        running.append(dashboard)
        if not tracebacks:
            checked.append(dashboard)
        return dashboard

    yield start
    for dashboard in running:
        dashboard.stop()
    _fail_on_tracebacks(*checked)
