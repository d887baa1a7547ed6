"""A Ray cluster of two machines on this one: two network namespaces, whose cable can be cut, and object storage.

::

    hub      a switch
     ├─ 1    10.77.0.1: Ray's head, object storage that answers with faults now and then, the drivers
     └─ 2    10.77.0.2: the other machine

As a program, ``python -m tests.helpers.cluster TASK …``, it does what has to be done inside: ``serve``, ``archive``.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from lib.remote.pulling import published
from lib.remote.records import Published
from lib.remote.storage import Remote
from lib.services.scratch import STARTED
from tests.helpers.fake_object_storage import ObjectStorage, now_and_then

ROOT = Path(__file__).resolve().parents[2]
HEAD = "10.77.0.1:6379"
_NODES = (1, 2)
_STORE_BYTES = 128 << 20
T = TypeVar("T")


def why_not() -> str:
    """Return why there can be no such cluster here; empty where there can."""
    if importlib.util.find_spec("ray") is None:
        return "Ray isn't installed (requirements-scale.txt)"
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("ip") is None:
        return "network namespaces need Linux, root and the program ip (iproute2)"
    name = f"pr{secrets.token_hex(3)}"
    if subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False).returncode:
        return "network namespaces can't be made here"
    with contextlib.suppress(subprocess.CalledProcessError):
        _ip("-n", name, "link", "add", "one", "type", "veth", "peer", "name", "two")
        _ip("-n", name, "link", "add", "switch", "type", "bridge")
        _ip("netns", "del", name)
        return ""
    _ip("netns", "del", name)
    return "virtual cables can't be made here"


class TwoMachines:
    """A cluster; a context manager that ends all it began.

    Args:
        videos: a folder of files for the object storage.
    """

    def __init__(self, videos: Path) -> None:
        self._name = f"pr{secrets.token_hex(3)}"
        self._folder = Path(tempfile.mkdtemp(prefix="pr-", dir="/tmp"))  # a socket's path has at most 107 characters
        self._videos = videos
        self._environment: dict[str, str] = {}
        self._storage: subprocess.Popen[str] | None = None
        self.bucket = ""
        """Address of the bucket."""

    def __enter__(self) -> TwoMachines:
        try:
            self._wire()
            (self._folder / "token").write_text(secrets.token_hex(32), encoding="ascii")
            self._serve()
            self.start(1)
            self.start(2)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for node in (2, 1):
            self.end(node)
        if self._storage is not None:
            self._storage.communicate()
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

    def _serve(self) -> None:
        """Start the object storage."""
        command = [sys.executable, "-m", "tests.helpers.cluster", "serve", "10.77.0.1", str(self._videos)]
        self._storage = self.popen(1, command, stdin=subprocess.PIPE, stderr=None)
        assert self._storage.stdout is not None
        told = json.loads(self._storage.stdout.readline())
        self._environment, self.bucket = told["environment"], told["bucket"]

    def environment(self, node: int) -> dict[str, str]:
        """Return the environment of a machine's processes."""
        return {
            **os.environ,
            **self._environment,
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

    def in_mid_video(self, node: int) -> int | None:
        """Return the process of a machine that has stored some of a video's samples; None where none has."""
        for file in self.scratch(node).glob(f"*/{STARTED}"):
            with contextlib.suppress(OSError, ValueError):
                pid = int(json.loads(file.read_text(encoding="utf-8"))["pid"])
                if os.path.exists(f"/proc/{pid}") and any(file.parent.glob("home/lance/samples-*/data/*")):
                    return pid
        return None

    def kill_worker(self, node: int, *, timeout_s: float = 90) -> None:
        """Kill what works on a machine in mid-video."""
        pid = wait_for(lambda: self.in_mid_video(node), timeout_s=timeout_s)
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: self.in_mid_video(node) != pid)

    def archive(self, url: str) -> dict[str, Any]:
        """Return what ``archive`` prints."""
        process = self.popen(1, [sys.executable, "-m", "tests.helpers.cluster", "archive", url], stderr=None)
        told: dict[str, Any] = json.loads(process.communicate(timeout=120)[0])
        return told

    def drive(self, archive: str, *options: str) -> subprocess.Popen[str]:
        """Start the command ``embed --on ray`` for all videos on the first machine."""
        return self.embed(archive, *self.on_ray(), *options)

    @staticmethod
    def on_ray() -> tuple[str, ...]:
        """Return the options that lead to this cluster."""
        return "--on", "ray", "--address", HEAD

    def embed(self, archive: str, *options: str) -> subprocess.Popen[str]:
        """Start the command ``embed`` for all videos on the first machine; it prints JSON."""
        command = [sys.executable, "-m", "lib", "embed", "--remote", archive, "--json", *options]
        return self.popen(1, [*command, f"{self.bucket}/videos/*.mp4"])


def serve(host: str, folder: str) -> None:
    """Serve object storage that holds the files of ``folder`` in ``videos/`` until the input ends.

    Print what leads to it as JSON. Then it says 503 to one of ten requests, and 412 to one of four conditional ones.
    """
    storage = ObjectStorage(host)
    storage.begin()
    os.environ |= storage.environment()
    bucket = Remote(f"s3://{storage.bucket}")
    for path in Path(folder).iterdir():
        bucket.upload(f"videos/{path.name}", path)
    slow, conflict = now_and_then(503, 10), now_and_then(412, 4, only_conditional=True)

    def fault(*request: Any) -> int | None:
        return slow(*request) or conflict(*request)

    storage.fault = fault
    print(json.dumps({"environment": storage.environment(), "bucket": bucket.url}), flush=True)
    sys.stdin.read()
    os._exit(0)


def archive(url: str) -> None:
    """Print what an archive holds as JSON: the content of each embedding by its id, and how many tables there are."""
    remote = Remote(url)
    found = [one for one in published(remote) if isinstance(one, Published)]
    tables = {file.path.split("/")[1] for file in remote.files("lance/**")}
    print(json.dumps({"content": {one.id: one.content for one in found}, "tables": len(tables)}))


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


if __name__ == "__main__":
    {"serve": serve, "archive": archive}[sys.argv[1]](*sys.argv[2:])
