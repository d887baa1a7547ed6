"""What the ingest tests compare with, and how they stop a run."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.core.samples import Samples
from lib.core.sampling import Sampling
from lib.ingest.progress import Progress
from lib.media.frames import Frame, FrameReader
from tests.helpers.toy_engine import ToyEngine, picture_vector

EVERY = Sampling.every


def expected(film: Path, engine: ToyEngine, sampling: Sampling) -> tuple[list[Frame], NDArray[np.float32]]:
    """Return what a plain loop gives: read a frame, embed it, next."""
    with FrameReader(film, sampling, short_side=engine.input_size) as reader:
        frames = list(reader)
    return frames, np.stack([picture_vector(frame.image, engine.dim) for frame in frames])


def assert_same(samples: Samples, film: Path, engine: ToyEngine, sampling: Sampling) -> None:
    """Each sample once, in order, with its own time and vector."""
    frames, vectors = expected(film, engine, sampling)
    assert samples.frames.tolist() == [frame.index for frame in frames]
    assert samples.times_s.tolist() == [frame.time_s for frame in frames]
    np.testing.assert_allclose(samples.vectors, vectors, atol=1e-3)


class Canceller:
    """Sets an event once so many samples are done, and remembers when."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.event = threading.Event()
        self.when = 0.0

    def __call__(self, progress: Progress) -> None:
        if progress.done >= self.at and not self.event.is_set():
            self.event.set()
            self.when = time.monotonic()


def in_thread(run: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    """Run in a thread; the list gets the result, or the error."""
    result: list[Any] = []

    def work() -> None:
        try:
            result.append(run())
        except Exception as error:
            result.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    return thread, result
