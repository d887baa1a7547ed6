"""An ingest in a process of its own: ``python -m tests.helpers.ingest_process HOME VIDEO STRIDE DELAY_S``.

It commits often. Prints the samples stored so far, a number a line, and at the end ``calls`` and how many
pictures the engine was asked for.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from lib.core.sampling import Sampling
from lib.ingest import pipeline
from lib.ingest.ingest import embedding_key, ingest
from lib.store.store import Store
from tests.helpers.toy_engine import ToyEngine

ROOT = Path(__file__).resolve().parents[2]


def main(home: str, path: str, stride: str, delay_s: str) -> None:
    pipeline.COMMIT_INTERVAL_S = (0.2, 0.2)
    store = Store(Path(home))
    engine = ToyEngine(delay_s=float(delay_s))
    video, sampling = store.add_file(path), Sampling.every(int(stride))
    key = embedding_key(video, engine, sampling)

    def tell(_: object) -> None:
        info = store.find_embedding(key)
        print(info.samples if info else 0, flush=True)

    ingest(store, video, engine, sampling, on_progress=tell)
    print(f"calls {engine.pictures}", flush=True)


def start(home: Path, path: Path, *, stride: int, delay_s: float) -> subprocess.Popen[str]:
    """Start it from a test; end it there."""
    command = [sys.executable, "-m", "tests.helpers.ingest_process", home, path, str(stride), str(delay_s)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def wait_for_samples(process: subprocess.Popen[str], samples: int, *, timeout_s: float = 60) -> int:
    """Return once the process has stored at least so many samples."""
    assert process.stdout is not None
    until = time.monotonic() + timeout_s
    for line in process.stdout:
        if line.strip().isdigit() and int(line) >= samples:
            return int(line)
        assert time.monotonic() < until, "the process stored too little in time"
    raise AssertionError("the process ended before it had stored that much")


if __name__ == "__main__":
    main(*sys.argv[1:])
