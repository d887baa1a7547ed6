"""An engine that never varies: a vector from a picture's mean colours, one from a text's hash.

It counts what it is asked, can be slow, and can break after so many pictures.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lib.core.errors import EngineError
from lib.core.sampling import Framing


@dataclass
class ToyEngine:
    """A deterministic engine; all its knobs are fields."""

    id: str = "toy:1"
    name: str = "Toy engine"
    dim: int = 16
    input_size: int = 32
    batch_size: int = 8
    concurrency: int = 2
    embeds_video: bool = True
    framing: Framing = "centre"
    delay_s: float = 0.0
    """How long a call takes at least."""
    fail_after: int | None = None
    """Pictures after which every further call raises ``error``."""
    error: BaseException = field(default_factory=lambda: EngineError("The toy broke; mend it and embed again."))
    hang: threading.Event | None = None
    """While it is there and not set, calls wait for it."""
    calls: int = 0
    pictures: int = 0
    """Pictures asked for, those of failed calls not counted."""
    texts: list[str] = field(default_factory=list)
    """Texts asked for, in order."""
    in_flight: int = 0
    max_in_flight: int = 0
    closed: bool = False

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    def embed_images(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        with self._lock:
            self.calls += 1
            if self.fail_after is not None and self.pictures >= self.fail_after:
                raise self.error
            self.pictures += len(images)
            self.in_flight += 1
            self.max_in_flight = max(self.max_in_flight, self.in_flight)
        try:
            if self.hang is not None:
                self.hang.wait()
            time.sleep(self.delay_s)
            return np.stack([picture_vector(image, self.dim) for image in images])
        finally:
            with self._lock:
                self.in_flight -= 1

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        with self._lock:
            self.texts += texts
        return np.stack([text_vector(text, self.dim) for text in texts])

    def unknown_words(self, texts: Iterable[str]) -> tuple[str, ...]:
        return ()

    def close(self) -> None:
        self.closed = True


def picture_vector(image: NDArray[np.uint8], dim: int) -> NDArray[np.float32]:
    """Return a unit vector from the mean colours of a picture's quarters; near for near colours."""
    height, width = image.shape[0] // 2, image.shape[1] // 2
    quarters = [image[:height, :width], image[:height, width:], image[height:, :width], image[height:, width:]]
    means = np.concatenate([quarter.reshape(-1, 3).mean(axis=0) for quarter in quarters])
    return _unit(np.resize(means / 255 - 0.4, dim) + 0.01 * np.cos(np.arange(dim)))


def text_vector(text: str, dim: int) -> NDArray[np.float32]:
    """Return a unit vector that the text alone decides."""
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    return _unit(np.random.default_rng(seed).standard_normal(dim))


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float32]:
    return (vector / np.linalg.norm(vector)).astype(np.float32)
