"""The guards of the test suite itself: they must be able to fail."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.helpers.browser import Watch
from tests.helpers.guards import NetworkAccessError, is_loopback, refused

_ENVIRONMENT = {key: value for key, value in os.environ.items() if key != "CI"}


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", True),
        (b"127.0.0.1", True),
        (None, True),
        ("192.0.2.1", False),
        ("10.0.0.1", False),
        ("example.com", False),
        ("localhost.example.com", False),
        ("2001:db8::1", False),
    ],
)
def test_is_loopback(host: str | bytes | None, local: bool) -> None:
    assert is_loopback(host) is local


@pytest.mark.parametrize(
    "reach",
    [
        lambda tcp, udp: tcp.connect(("192.0.2.1", 80)),
        lambda tcp, udp: tcp.connect_ex(("192.0.2.1", 80)),
        lambda tcp, udp: udp.sendto(b"x", ("192.0.2.1", 53)),
        lambda tcp, udp: udp.sendmsg([b"x"], [], 0, ("192.0.2.1", 53)),
        lambda tcp, udp: socket.getaddrinfo("example.com", 443),
        lambda tcp, udp: socket.gethostbyname("example.com"),
        lambda tcp, udp: socket.gethostbyname_ex("example.com"),
    ],
    ids=["connect", "connect_ex", "sendto", "sendmsg", "getaddrinfo", "gethostbyname", "gethostbyname_ex"],
)
def test_connections_and_names_beyond_this_machine_are_refused(
    reach: Callable[[socket.socket, socket.socket], object],
) -> None:
    with (
        socket.socket() as tcp,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        pytest.raises(NetworkAccessError, match="tests use"),
    ):
        reach(tcp, udp)
    assert len(refused) == 1
    refused.clear()  # else this very test would fail at its end


def test_loopback_and_unix_sockets_work(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=5).close()
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(str(tmp_path / "s"))
        server.listen()
        client.connect(str(tmp_path / "s"))


def test_each_test_has_its_own_home_and_no_key(tmp_path: Path) -> None:
    assert Path(os.environ["PROMPTREEL_HOME"]).parent == tmp_path
    assert "ROBOFLOW_API_KEY" not in os.environ
    assert not [name for name in os.environ if name.lower().endswith("_proxy")]


def test_asking_for_error_logs_allows_and_returns_them(error_logs: list[logging.LogRecord]) -> None:
    lonely = logging.getLogger("tests.lonely")
    lonely.propagate = False
    lonely.error("expected %s", "here")
    assert [record.getMessage() for record in error_logs] == ["expected here"]


_SWALLOWED = """
import contextlib, logging, os, socket
import pytest

def reach():
    with contextlib.suppress(Exception), socket.socket() as client:
        client.connect(("192.0.2.1", 9))

def test_swallowed_network():
    reach()

@pytest.fixture(scope="session")
def reaching():
    reach()

def test_swallowed_network_in_a_session_fixture(reaching):
    pass

def test_error_log():
    logging.getLogger("some.part").error("unexpected")

@pytest.mark.allow_error_logs
def test_allowed_error_log():
    logging.getLogger("some.part").error("its subject")

@pytest.mark.browser
def test_in_browser(page):
    page.set_content("<p>hello</p>")
"""


def _run_inner(tmp_path: Path, environment: dict[str, str], *options: str) -> str:
    inner = tmp_path / "test_inner.py"
    inner.write_text(_SWALLOWED, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", "-p", "no:cacheprovider", *options]
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [*command, "--rootdir", str(root), "-c", str(root / "pyproject.toml"), str(inner)],
        cwd=root,
        env={**environment, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.stdout + done.stderr


def test_a_suite_without_chromium_skips_browser_tests_and_swallowed_attempts_and_error_logs_fail(
    tmp_path: Path,
) -> None:
    lonely = {**_ENVIRONMENT, "PATH": str(tmp_path)}
    lonely.pop("CHROMIUM", None)
    output = _run_inner(tmp_path, lonely)
    assert output.count("the test reached beyond this machine: ('192.0.2.1', 9)") == 2
    assert "the log holds errors that the test didn't ask for" in output
    assert "no Chromium found: install one or set CHROMIUM" in output
    assert "4 passed, 1 skipped, 3 errors" in output
    in_ci = _run_inner(tmp_path, {**lonely, "CI": "true"}, "-m", "browser")
    assert "1 error" in in_ci
    assert "skipped" not in in_ci


def test_a_watch_reports_what_the_test_did_not_allow() -> None:
    watch = Watch()
    watch.problems += ["console: status of 413", "console: something else"]
    watch.allow("status of 413")
    assert watch.unexpected == ["console: something else"]


@pytest.mark.browser
def test_a_page_is_stopped_from_reaching_elsewhere_and_its_errors_are_seen(page: Page, watch: Watch) -> None:
    watch.allow("")
    page.set_content(
        "<img src='http://192.0.2.1/x.png'><script>console.error('a'); setTimeout(() => nothere())</script>"
    )
    page.wait_for_timeout(300)
    seen = "\n".join(watch.problems)
    assert "request to elsewhere: http://192.0.2.1/x.png" in seen
    assert "console: a" in seen
    assert "exception: nothere is not defined" in seen
