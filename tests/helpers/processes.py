"""An ingest or a hosted job in a process of its own, to be killed: ``python -m tests.helpers.processes TASK ...``."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lib.core.sampling import Sampling
from lib.hosted.api import HostedApi
from lib.hosted.jobs import embed_hosted
from lib.ingest import pipeline
from lib.ingest.ingest import embedding_key, ingest
from lib.ingest.progress import Progress
from lib.services.embedding import EmbeddingQueue
from lib.services.jobs import JobManager
from lib.store.store import Store
from tests.helpers.fake_hosted import QUICK
from tests.helpers.toy_engine import ToyEngine

ROOT = Path(__file__).resolve().parents[2]


def run_ingest(home: str, path: str, stride: str, delay_s: str) -> None:
    """Commit often; print the number of samples stored so far, and at the end ``calls`` and the pictures embedded."""
    pipeline.COMMIT_INTERVAL_S = (0.2, 0.2)
    store, engine = Store(Path(home)), ToyEngine(delay_s=float(delay_s))
    video, sampling = store.add_file(path), Sampling.every(int(stride))
    key = embedding_key(video, engine, sampling)

    def report(_: object) -> None:
        info = store.find_embedding(key)
        print(info.samples if info else 0, flush=True)

    ingest(store, video, engine, sampling, on_progress=report)
    print(f"calls {engine.pictures}", flush=True)


def run_queue(home: str, sha256: str) -> None:
    """Embed a video from the queue, slowly; print the number of samples stored so far."""
    pipeline.COMMIT_INTERVAL_S = (0.2, 0.2)
    store, jobs, engine = Store(Path(home)), JobManager(), ToyEngine(delay_s=0.2, concurrency=1, batch_size=2)
    engine.spec = ("toy", "")  # type: ignore[attr-defined]
    video, sampling = store.video(sha256), Sampling.every(2)
    EmbeddingQueue(store, jobs, lambda *_: engine).add([video], engine, sampling)
    while True:
        info = store.find_embedding(embedding_key(video, engine, sampling))
        print(info.samples if info else 0, flush=True)
        time.sleep(0.05)


def run_hosted(home: str, path: str, fps: str, url: str, key: str) -> None:
    """Print the phase of the job each time it changes."""
    store = Store(Path(home))
    phase = ""

    def report(progress: Progress) -> None:
        nonlocal phase
        words = (progress.words or "storing").split(",")[0]
        if words != phase:
            phase = words
            print(phase, flush=True)

    embed_hosted(
        store, store.add_file(path), Sampling.per_second(fps), HostedApi(url, key=key, timing=QUICK), on_progress=report
    )


@contextmanager
def running(task: Callable[..., None], *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Run one of the functions above, and kill it at the end of the block."""
    command = [sys.executable, "-m", "tests.helpers.processes", task.__name__, *map(str, arguments)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_for_line(process: subprocess.Popen[str], accept: Callable[[str], bool], *, timeout_s: float = 60) -> str:
    """Return the first line that ``accept`` takes, once the process has printed it."""
    assert process.stdout is not None
    until = time.monotonic() + timeout_s
    for line in process.stdout:
        if accept(line):
            return line
        assert time.monotonic() < until, "the line did not come in time"
    raise AssertionError("the process ended before it printed the line")


def wait_for_samples(process: subprocess.Popen[str], samples: int) -> int:
    """Return once the process has stored at least so many samples."""
    return int(wait_for_line(process, lambda line: line.strip().isdigit() and int(line) >= samples))


if __name__ == "__main__":
    {"run_ingest": run_ingest, "run_hosted": run_hosted, "run_queue": run_queue}[sys.argv[1]](*sys.argv[2:])
