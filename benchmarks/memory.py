"""How much memory a long video takes to embed, and whether that grows: ``python -m benchmarks memory``.

A process of its own embeds a 1280×720 video at stride 10 with an engine that computes next to nothing; its
resident memory is read ten times a second. "Idle" is the same process, all imported and the store open.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
from numpy.typing import NDArray

from benchmarks._videos import make_video, repeat_video
from lib.core.formatting import format_duration
from lib.core.sampling import Framing, Sampling
from lib.ingest.ingest import ingest
from lib.ingest.progress import Progress
from lib.store.store import Store

ROOT = Path(__file__).resolve().parents[1]
_PERIOD_S = 0.1


class MeanColourEngine:
    """An engine of the usual measures that costs nearly nothing."""

    id, name = "mean-colour", "Mean colour"
    dim, input_size, batch_size, concurrency, embeds_video = 512, 224, 8, 2, True
    framing: Framing = "centre"

    def embed_images(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Return one unit row per picture."""
        rows = np.stack([np.resize(image[::16, ::16].reshape(-1), self.dim) for image in images]).astype(np.float32)
        rows += 1
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the same unit row for any text."""
        return np.full((len(texts), self.dim), self.dim**-0.5, np.float32)

    def unknown_words(self, texts: Iterable[str]) -> tuple[str, ...]:
        """Return nothing."""
        return ()

    def close(self) -> None:
        """Do nothing."""


@dataclass(frozen=True)
class Usage:
    """Resident memory of the embedding process, in bytes."""

    idle: int
    rss: list[int]
    """Every 0.1 s from the start of the ingest to its end."""
    samples: int
    elapsed_s: float

    @property
    def above_idle(self) -> int:
        """Peak minus idle."""
        return max(self.rss) - self.idle

    @property
    def quarters(self) -> tuple[int, int]:
        """Median of the first quarter (its warm-up, a tenth of the run, left out) and of the last."""
        n = len(self.rss)
        first = self.rss[n // 10 : max(n // 4, n // 10 + 1)]
        return int(statistics.median(first)), int(statistics.median(self.rss[-max(1, n // 4) :]))


def measure(home: Path, video: Path, *, stride: int) -> Usage:
    """Embed ``video`` in a process of its own and return what memory it took."""
    command = [sys.executable, "-m", "benchmarks.memory", "--embed", str(home), str(video), str(stride)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        process = psutil.Process(child.pid)
        time.sleep(0.5)
        idle, began, rss = process.memory_info().rss, time.monotonic(), []
        child.stdin.write("go\n")
        child.stdin.flush()
        while child.poll() is None:
            try:
                rss.append(process.memory_info().rss)
            except psutil.NoSuchProcess:
                break
            time.sleep(_PERIOD_S)
        elapsed_s = time.monotonic() - began
        samples = int(child.stdout.readline())
        assert child.wait() == 0
    return Usage(idle, [value for value in rss if value], samples, elapsed_s)


def _embed(home: str, path: str, stride: str) -> None:
    store, engine = Store(Path(home)), MeanColourEngine()
    video = store.add_file(path)
    print("ready", flush=True)
    sys.stdin.readline()

    def tell(progress: Progress) -> None:
        if sys.stderr.isatty():
            print(f"\r{progress.done} of {progress.total}", end="", file=sys.stderr)

    print(ingest(store, video, engine, Sampling.every(int(stride)), on_progress=tell).samples, flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Make the video, embed it and print what memory that took, as Markdown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks memory", description=__doc__)
    parser.add_argument("--minutes", type=float, default=120, help="length of the video (default: 120)")
    parser.add_argument("--embed", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.embed:
        _embed(*options.embed)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        short = make_video(Path(folder) / "short.mp4", seconds=10)
        video = repeat_video(short, Path(folder) / "long.mp4", seconds=60 * options.minutes)
        usage = measure(Path(folder) / "home", video, stride=10)
    first, last = usage.quarters
    print(f"Memory of embedding a {format_duration(60 * options.minutes)} video of 1280×720 at stride 10\n")
    print("| | MB |\n|---|---|")
    for name, value in (
        ("idle", usage.idle),
        ("peak", max(usage.rss)),
        ("peak above idle", usage.above_idle),
        ("median, first quarter", first),
        ("median, last quarter", last),
    ):
        print(f"| {name} | {value / 1e6:.0f} |")
    print(f"\n{usage.samples:,} samples in {format_duration(usage.elapsed_s)}.", end=" ")
    print(f"Bar: at most 600 MB above idle: {'held' if usage.above_idle <= 600e6 else 'MISSED'}.")
    return 0 if usage.above_idle <= 600e6 else 1


if __name__ == "__main__":
    sys.exit(main())
