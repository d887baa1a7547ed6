"""What a model's tokenizer files ask for: from texts to the numbers that its graph takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from lib.core.errors import EngineUnavailableError, PromptTooLongError
from lib.core.formatting import shortened
from lib.engines.model_layout import MOST_TOKENIZER_BYTES, TOKENIZER, TOKENIZER_CONFIG, read_json

CLIP_CONTEXT, SIGLIP_CONTEXT = 77, 64
_CONTEXTS = range(3, 8193)


@dataclass(frozen=True)
class TextInput:
    """A tokenizer with the model's context length and padding. Safe to use from several threads."""

    tokenizer: Tokenizer
    context: int
    """Tokens that the model reads at most, those for start and end included."""
    pad_id: int
    whole_context: bool
    """Whether the model wants its whole context filled, as SigLIP does."""

    @classmethod
    def from_folder(cls, folder: Path, title: str) -> TextInput:
        """Read the tokenizer's files in ``folder``.

        Raises:
            EngineUnavailableError: a file is missing, too large or damaged.
        """
        config, own = read_json(folder / "config.json", title), read_json(folder / TOKENIZER_CONFIG, title)
        tokenizer = _load(folder / TOKENIZER, title)
        is_siglip = "siglip" in kind_of(config)
        inner = config.get("text_config")
        inner = inner if isinstance(inner, dict) else {}
        given = [own.get("model_max_length"), own.get("max_length"), (tokenizer.truncation or {}).get("max_length")]
        given += [inner.get("max_position_embeddings"), config.get("max_position_embeddings")]
        contexts = [value for value in given if isinstance(value, int) and value in _CONTEXTS]
        padding = tokenizer.padding or {}
        tokens = [own.get("pad_token"), config.get("pad_token_id"), inner.get("pad_token_id")]
        ids = [padding.get("pad_id"), *(_token_id(tokenizer, token) for token in tokens), 0]
        tokenizer.no_truncation()
        tokenizer.no_padding()
        context = min(contexts, default=SIGLIP_CONTEXT if is_siglip else CLIP_CONTEXT)
        return cls(tokenizer, context, next(value for value in ids if value is not None), is_siglip)

    def encode(self, texts: Sequence[str], context: int, title: str) -> list[list[int]]:
        """Return the tokens of each text, at most ``context``.

        Raises:
            PromptTooLongError: a text has more; nothing is cut off silently.
        """
        encoded = [encoding.ids for encoding in self.tokenizer.encode_batch(list(texts))]
        for text, tokens in zip(texts, encoded, strict=True):
            if len(tokens) > context:
                raise PromptTooLongError(
                    f"The prompt “{shortened(text, 60)}” has {len(tokens)} tokens, more than the {context} that "
                    f"{title} can read; shorten it."
                )
        return encoded

    def padded(self, encoded: Sequence[Sequence[int]], length: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return tokens padded at their end, and 1 where a token is none of the padding, both int64 ``(n, length)``."""
        tokens = np.full((len(encoded), length), self.pad_id, np.int64)
        mask = np.zeros((len(encoded), length), np.int64)
        for row, ids in enumerate(encoded):
            tokens[row, : len(ids)] = ids
            mask[row, : len(ids)] = 1
        return tokens, mask


def kind_of(config: dict[str, Any]) -> str:
    """Return the kind of model that a ``config.json`` names, ``clip`` or ``siglip`` for example; empty where none."""
    return str(config.get("model_type", "")).lower()


def _load(path: Path, title: str) -> Tokenizer:
    try:
        if path.stat().st_size > MOST_TOKENIZER_BYTES:
            raise ValueError("it is too large")
        return Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises nothing narrower
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise EngineUnavailableError(
            f"{path.name} of {title} in {path.parent} can't be loaded ({shortened(said, 160)}); "
            "its files are damaged or of another kind; download them again."
        ) from error


def _token_id(tokenizer: Tokenizer, token: Any) -> int | None:
    """Return the id of a token that is named by its id, its text, or an object with its text."""
    token = token.get("content") if isinstance(token, dict) else token
    if isinstance(token, str):
        found: int | None = tokenizer.token_to_id(token)
        return found
    return token if isinstance(token, int) and not isinstance(token, bool) and 0 <= token < 1 << 31 else None
