"""What the store's tests put in: keys, unit rows, samples and thumbnails."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lib.store.embeddings import EmbeddingKey
from lib.store.store import Store
from lib.store.videos import Video

DIM = 64


def key_of(video: Video, **changes: str) -> EmbeddingKey:
    fields = {"sha256": video.sha256, "engine_id": "toy:1", "sampling_key": "stride-10", "preprocessing": "1"}
    return EmbeddingKey(**fields | changes)


def unit_rows(rng: np.random.Generator, n: int, dim: int = DIM) -> NDArray[np.float32]:
    rows = rng.standard_normal((n, dim))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def put(
    store: Store,
    key: EmbeddingKey,
    vectors: NDArray[np.float32],
    *,
    finish: bool = True,
    commits: int = 1,
    thumbnail_bytes: int = 20,
) -> None:
    """Store samples 0, 10, 20, … of a 24-a-second video."""
    n = len(vectors)
    frames = np.arange(n) * 10
    store.begin(key, engine_name="Toy engine", dim=vectors.shape[1])
    for part in np.array_split(np.arange(n), commits):
        store.append(
            key,
            frames=frames[part],
            times_s=frames[part] / 24,
            vectors=vectors[part],
            thumbnails=[thumbnail(f, thumbnail_bytes) for f in frames[part]],
        )
    if finish:
        store.finish(key, end_s=n * 10 / 24)


def thumbnail(frame: int, size: int = 20) -> bytes:
    """Return incompressible bytes that only this frame has."""
    return np.random.default_rng(frame).bytes(size)
