"""Embedding the reference phrases, once per engine."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from lib.engines.engine import Engine
from lib.prompts.reference_phrases import PHRASES
from lib.store.store import Store

_CHUNK = 4
"""Phrases per request to the engine, so that a phrase of an edit does not wait long."""


def missing_phrases(store: Store, engine: Engine) -> list[str]:
    """Return the phrases whose vectors are not stored."""
    vectors = store.text_vectors(engine.id, PHRASES)
    return [phrase for phrase in PHRASES if phrase not in vectors]


def embed_phrases(store: Store, engine: Engine, goes_on: Callable[[int], bool], *, chunk: int = _CHUNK) -> None:
    """Embed missing phrases while ``goes_on``, which is told how many are there by now, says so.

    What was done is stored in any case.

    Raises:
        EngineError: from the engine; and what ``goes_on`` raises.
    """
    missing = missing_phrases(store, engine)
    new: dict[str, NDArray[np.float32]] = {}
    try:
        for place in range(0, len(missing), chunk):
            phrases = missing[place : place + chunk]
            new |= dict(zip(phrases, engine.embed_texts(phrases), strict=True))
            if not goes_on(len(PHRASES) - len(missing) + len(new)):
                return
    finally:
        if new:
            store.put_text_vectors(engine.id, new)  # in one commit
