"""A Ray cluster of two machines on this one: two network namespaces, whose cable can be cut, and object storage.

::

    hub      a switch
     ├─ 1    10.77.0.1: Ray's head, object storage, the drivers
     └─ 2    10.77.0.2: the other machine
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from lib.services.scratch import STARTED

ROOT = Path(__file__).resolve().parents[2]
HEAD = "10.77.0.1:6379"
_NODES = (1, 2)
_STORE_BYTES = 128 << 20
T = TypeVar("T")


def why_not() -> str:
    """Return why there can be no such cluster here; empty where there can."""
    try:
        import ray  # noqa: F401
    except ImportError:
        return "Ray isn't installed (requirements-scale.txt)"
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("ip") is None:
        return "network namespaces need Linux, root and the program ip (iproute2)"
    name = f"pr{secrets.token_hex(3)}"
    if subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False).returncode:
        return "network namespaces can't be made here"
    made = subprocess.run(
        ["ip", "-n", name, "link", "add", "a", "type", "veth", "peer", "name", "b"], capture_output=True, check=False
    )
    bridge = subprocess.run(["ip", "-n", name, "link", "add", "c", "type", "bridge"], capture_output=True, check=False)
    _ip("netns", "del", name)
    return "" if not made.returncode and not bridge.returncode else "virtual cables can't be made here"


class TwoMachines:
    """A cluster; a context manager that ends all it began.

    Args:
        environment: of all processes, beside this one's.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._name = f"pr{secrets.token_hex(3)}"
        self._folder = Path(tempfile.mkdtemp(prefix="pr-", dir="/tmp"))  # a socket's path has at most 107 characters
        self._environment = dict(environment)
        self.storage: Mapping[str, str] = {}
        """What a process needs to reach the object storage."""

    def __enter__(self) -> TwoMachines:
        try:
            self._wire()
            (self._folder / "token").write_text(secrets.token_hex(32), encoding="ascii")
            self.start(1)
            self.start(2)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for node in (2, 1):
            self.end(node)
        for namespace in (*map(self._namespace, _NODES), self._namespace(0)):
            subprocess.run(["ip", "netns", "del", namespace], capture_output=True, check=False)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _namespace(self, node: int) -> str:
        return f"{self._name}n{node}"

    def _wire(self) -> None:
        hub = self._namespace(0)
        _ip("netns", "add", hub)
        _ip("-n", hub, "link", "add", "switch", "type", "bridge")
        _ip("-n", hub, "link", "set", "switch", "up")
        for node in _NODES:
            own = self._namespace(node)
            _ip("netns", "add", own)
            _ip("-n", hub, "link", "add", f"to{node}", "type", "veth", "peer", "name", "eth0", "netns", own)
            _ip("-n", hub, "link", "set", f"to{node}", "master", "switch", "up")
            _ip("-n", own, "addr", "add", f"10.77.0.{node}/24", "dev", "eth0")
            _ip("-n", own, "link", "set", "eth0", "up")
            _ip("-n", own, "link", "set", "lo", "up")

    def environment(self, node: int) -> dict[str, str]:
        """Return the environment of a machine's processes."""
        return {
            **os.environ,
            **self._environment,
            **self.storage,
            "PROMPTREEL_HOME": str(self._folder / f"home-{node}"),
            "PROMPTREEL_SCRATCH": str(self.scratch(node)),
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN_PATH": str(self._folder / "token"),
            "RAY_grpc_client_keepalive_time_ms": "2000",
            "RAY_grpc_client_keepalive_timeout_ms": "2000",
            "RAY_health_check_period_ms": "1000",
            "RAY_health_check_failure_threshold": "3",
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
        }

    def scratch(self, node: int) -> Path:
        """Return the folder in which a machine works."""
        return self._folder / f"scratch-{node}"

    def popen(self, node: int, command: Sequence[str], **options: Any) -> subprocess.Popen[str]:
        """Start a program on a machine."""
        return subprocess.Popen(
            ["ip", "netns", "exec", self._namespace(node), *command],
            cwd=ROOT,
            env=self.environment(node),
            text=True,
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
        )

    def start(self, node: int) -> None:
        """Start Ray on a machine; the first one is the head."""
        ray = shutil.which("ray", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")
        assert ray is not None
        options = ["--num-cpus=1", f"--object-store-memory={_STORE_BYTES}", f"--node-ip-address=10.77.0.{node}"]
        if node == 1:
            options += ["--head", "--port=6379", "--include-dashboard=false", "--disable-usage-stats"]
            options += [f"--temp-dir={self._folder / 'ray'}"]
        else:
            options += [f"--address={HEAD}"]
        process = self.popen(node, [ray, "start", *options], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors

    def end(self, node: int) -> None:
        """Kill all that runs on a machine."""
        for sign in (signal.SIGTERM, signal.SIGKILL):
            until = time.monotonic() + (2 if sign == signal.SIGTERM else 10)
            for pid in self._pids(node):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, sign)
            while self._pids(node) and time.monotonic() < until:
                time.sleep(0.05)

    def _pids(self, node: int) -> list[int]:
        listed = subprocess.run(
            ["ip", "netns", "pids", self._namespace(node)], capture_output=True, text=True, check=False
        )
        return [int(pid) for pid in listed.stdout.split()]

    def cut(self, node: int) -> None:
        """Cut a machine's cable."""
        _ip("-n", self._namespace(0), "link", "set", f"to{node}", "down")

    def mend(self, node: int) -> None:
        """Put a machine's cable right."""
        _ip("-n", self._namespace(0), "link", "set", f"to{node}", "up")

    def started(self, node: int) -> dict[str, Any] | None:
        """Return what a machine works on, with its process; None where it doesn't."""
        for file in self.scratch(node).glob(f"*/{STARTED}"):
            with contextlib.suppress(OSError, ValueError):
                started: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
                if os.path.exists(f"/proc/{started['pid']}"):
                    return started
        return None

    def drive(self, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        """Start the command ``embed --on ray`` on the first machine."""
        command = [sys.executable, "-m", "lib", "embed", "--on", "ray", "--address", HEAD, *arguments]
        return self.popen(1, command, **options)


def wait_for(what: Callable[[], T | None], *, timeout_s: float = 90) -> T:
    """Return what ``what`` returns once it is something."""
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        if found := what():
            return found
        time.sleep(0.02)
    raise AssertionError("it did not happen in time")


@contextlib.contextmanager
def ended(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """Kill a process at the end of the block, if it still runs."""
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
