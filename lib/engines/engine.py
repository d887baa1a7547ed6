"""Engines turn frames and text into vectors: the ``Engine`` protocol, and one entry point that makes one.

Conventions: pictures are uint8 RGB ``(height, width, 3)`` whose short side is at least ``input_size`` (ingest
hands over frames whose short side is exactly that); vectors are float32 unit rows ``(n, d)``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from lib.core.sampling import Framing

PREPROCESSING = "1"
"""Version of what happens to a frame before the model sees it; part of every cache key."""


@runtime_checkable
class Engine(Protocol):
    """What turns frames and text into vectors. Safe to call from several threads."""

    @property
    def id(self) -> str:
        """Identity in cache keys: the same id means the same model. Known without loading it."""

    @property
    def name(self) -> str:
        """Name for people, for example ``CLIP ViT-B/16 (inference server)``."""

    @property
    def dim(self) -> int:
        """Length of a vector."""

    @property
    def input_size(self) -> int:
        """Side in pixels of the square the model sees."""

    @property
    def framing(self) -> Framing:
        """What of a frame the model sees by itself: its centre square, or all of it, squashed to a square."""

    @property
    def batch_size(self) -> int:
        """Pictures a call of ``embed_images`` works best with."""

    @property
    def concurrency(self) -> int:
        """Calls of ``embed_images`` that are worth having in flight at once."""

    @property
    def embeds_video(self) -> bool:
        """Whether it embeds the frames of videos; False where their vectors come by import only."""

    def unknown_words(self, texts: Iterable[str]) -> tuple[str, ...]:
        """Return the words of ``texts`` that mean nothing to the model, each once and as written.

        Empty where the model spells any word from parts, as CLIP and SigLIP do.
        """

    def embed_images(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Return one unit row per picture, ``(n, d)``.

        Raises:
            EngineError: see ``lib.core.errors``; nothing else leaves an engine.
        """

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one unit row per text, ``(n, d)``.

        Raises:
            PromptTooLongError: a text is longer than the model's context.
            EngineError: as above.
        """

    def close(self) -> None:
        """Free connections or the model; calling it twice is fine."""
