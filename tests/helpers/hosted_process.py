"""A hosted job in a process of its own: ``python -m tests.helpers.hosted_process HOME VIDEO FPS URL KEY``.

Prints what is going on, a line each time that changes.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from lib.core.sampling import Sampling
from lib.hosted.api import HostedApi, Timing
from lib.hosted.jobs import embed_hosted
from lib.infra.http import RetryPolicy
from lib.ingest.progress import Progress
from lib.store.store import Store

ROOT = Path(__file__).resolve().parents[2]
QUICK = Timing(connect_s=5, read_s=5, retries=RetryPolicy(3, base_s=0.01, cap_s=0.02), poll_s=(0.02, 0.05))


def main(home: str, path: str, fps: str, url: str, key: str) -> None:
    store = Store(Path(home))
    said = ""

    def tell(progress: Progress) -> None:
        nonlocal said
        now = (progress.words or "storing").split(",")[0]
        if now != said:
            said = now
            print(now, flush=True)

    api = HostedApi(url, key=key, timing=QUICK)
    embed_hosted(store, store.add_file(path), Sampling.per_second(fps), api, on_progress=tell)
    print("done", flush=True)


def start(home: Path, path: Path, *, fps: int, url: str, key: str) -> subprocess.Popen[str]:
    """Start it from a test; end it there."""
    command = [sys.executable, "-m", "tests.helpers.hosted_process", home, path, str(fps), url, key]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def wait_for_line(process: subprocess.Popen[str], start_of_line: str, *, timeout_s: float = 60) -> None:
    """Return once the process has printed a line that begins so."""
    assert process.stdout is not None
    until = time.monotonic() + timeout_s
    for line in process.stdout:
        if line.startswith(start_of_line):
            return
        assert time.monotonic() < until, f"{start_of_line!r} did not come in time"
    raise AssertionError(f"the process ended before {start_of_line!r}")


if __name__ == "__main__":
    main(*sys.argv[1:])
