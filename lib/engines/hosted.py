"""CLIP as the hosted video service computed it: video vectors are imported, texts embedded by another engine.

Its vectors have an id of their own kind, ``hosted/ViT-B-16``: the service decodes, scales and crops by itself, so they
are never mixed with those that an inference server made of our frames. Texts depend on the model alone, so any engine
of the same CLIP version embeds them: an inference server, or for ViT-B/32 the embedded one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from lib.core.errors import BadReplyError, EngineError, UnknownModelError
from lib.core.sampling import Framing
from lib.engines.clip_versions import MODEL_VERSIONS, ModelVersion, find_version
from lib.engines.engine import Engine

HOSTED = "hosted"
"""What engine ids of this kind begin with, before ``/`` and the version."""
HOSTED_VERSION = "ViT-B-16"
"""The CLIP version of the hosted service, with 512 numbers a vector."""


def hosted_id(version: ModelVersion) -> str:
    """Return the engine id of imported vectors: ``hosted/ViT-B-16``."""
    return f"{HOSTED}/{version.name}"


def hosted_name(version: ModelVersion) -> str:
    """Return the name of that engine for people."""
    return f"CLIP {version.title} (hosted)"


def check_dim(version: str | None, dim: int, *, name: str) -> ModelVersion:
    """Return the CLIP version that vectors of length ``dim`` are of; ``version`` has to fit.

    Without a ``version``, vectors as long as the service's count as its own. Messages name the file, ``name``.

    Raises:
        UnknownModelError: the version can't be told from the length, doesn't exist, or has another length.
    """
    fitting = ", ".join(fit.name for fit in MODEL_VERSIONS.values() if fit.dim == dim)
    if version is None:
        if dim == MODEL_VERSIONS[HOSTED_VERSION].dim:
            return MODEL_VERSIONS[HOSTED_VERSION]
        if not fitting:
            raise UnknownModelError(
                f"{name} has vectors of {dim} numbers, as no CLIP version gives them; "
                "words can't be compared with them."
            )
        raise UnknownModelError(
            f"{name} has vectors of {dim} numbers and does not say which model made them; choose the model ({fitting})."
        )
    chosen = find_version(version)
    if chosen.dim != dim:
        advice = f"choose {fitting}." if fitting else "no CLIP version has that."
        raise UnknownModelError(f"{name} has vectors of {dim} numbers, but {chosen.name} gives {chosen.dim}; {advice}")
    return chosen


class HostedEngine:
    """An ``Engine`` for imported vectors of ``version``. Safe to use from several threads.

    Raises:
        UnknownModelError: there is no such version, or ``text_engine`` gives vectors of another length.
    """

    batch_size = 1
    concurrency = 1
    framing: Framing = "centre"
    embeds_video = False  # it could embed frames, but not as the service does

    def __init__(self, version: str, text_engine: Engine) -> None:
        self._version = find_version(version)
        self.text_engine = text_engine
        self.id, self.name = hosted_id(self._version), hosted_name(self._version)
        self.dim, self.input_size = self._version.dim, self._version.input_size
        if text_engine.dim != self.dim:
            raise UnknownModelError(
                f"{text_engine.name} gives vectors of {text_engine.dim} numbers, but those of {self.name} have "
                f"{self.dim}; choose an engine of the same model for the texts."
            )

    def __repr__(self) -> str:
        return f"HostedEngine({self._version.name!r}, {self.text_engine!r})"

    def unknown_words(self, texts: Iterable[str]) -> tuple[str, ...]:
        """Return nothing: CLIP spells any word from parts."""
        return ()

    def embed_images(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Return the vectors of pictures to search with, by the text engine: close to what the service would give."""
        return self._checked(self.text_engine.embed_images(images))

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one unit row per text, ``(n, d)``.

        Raises:
            EngineError: from the text engine; the message says what it is needed for.
        """
        try:
            return self._checked(self.text_engine.embed_texts(texts))
        except EngineError as error:
            if error.concerns_one_text:
                raise
            raise type(error)(
                f"Words for {self.name} are embedded by {self.text_engine.name}, which can't be used: {error}"
            ) from error

    def close(self) -> None:
        """Close the text engine."""
        self.text_engine.close()

    def _checked(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        if rows.shape[1:] != (self.dim,):
            raise BadReplyError(
                f"{self.text_engine.name} gave vectors of length {rows.shape[-1]} where {self.dim} was expected; "
                "choose an engine of the same model for the texts."
            )
        return rows
