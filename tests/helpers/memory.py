"""Watches how much memory a process uses while something happens."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

MB = 1_000_000


def peak_bytes() -> int:
    """Return the most resident memory that this process has had since its program began, in bytes.

    ``ru_maxrss`` counts what its parent had when it began.
    """
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


class MemoryWatch:
    """Resident memory in bytes: ``before``, and the ``peak`` meanwhile."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self.before = self.peak = self.sample()

    def sample(self) -> int:
        """Return the resident memory now."""
        size: int = self._process.memory_info().rss
        self.peak = max(getattr(self, "peak", 0), size)
        return size

    @property
    def growth_mb(self) -> float:
        """How far the peak lies above the start, in megabytes."""
        return (self.peak - self.before) / MB


@contextmanager
def watching_memory(pid: int, *, every_s: float = 0.02) -> Iterator[MemoryWatch]:
    """Sample the memory of ``pid`` from a thread until the block ends."""
    watch = MemoryWatch(pid)
    done = threading.Event()

    def run() -> None:
        while not done.wait(every_s):
            watch.sample()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        done.set()
        thread.join()
        watch.sample()
