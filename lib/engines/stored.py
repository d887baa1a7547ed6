"""An engine that isn't at hand: what is stored of it goes on counting, anything new is refused."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from lib.core.errors import EngineUnavailableError
from lib.core.sampling import Framing


class StoredEngine:
    """An ``Engine`` that is known by its id and name only."""

    batch_size = 1
    concurrency = 1
    dim = 0
    input_size = 224
    framing: Framing = "centre"
    embeds_video = False

    def __init__(self, engine_id: str, name: str) -> None:
        self.id, self.name = engine_id, name

    def __repr__(self) -> str:
        return f"StoredEngine({self.id!r})"

    def unknown_words(self, texts: Iterable[str]) -> tuple[str, ...]:
        """Return nothing: nobody is there to tell."""
        return ()

    def embed_images(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Refuse; raises ``EngineUnavailableError``."""
        raise self._refusal()

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Refuse; raises ``EngineUnavailableError``."""
        raise self._refusal()

    def close(self) -> None:
        """Nothing is open."""

    def _refusal(self) -> EngineUnavailableError:
        return EngineUnavailableError(
            f"{self.name} is not at hand, so it can’t embed anything new; what is stored of it counts."
        )
