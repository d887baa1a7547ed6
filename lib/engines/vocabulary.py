"""Which words of a text a tokenizer of whole words does not have."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from pathlib import Path

from tokenizers import Tokenizer

_UNKNOWN = "<unk>"


@functools.cache
def _tokenizer(path: Path) -> Tokenizer:
    return Tokenizer.from_file(str(path))


def unknown_words(texts: Iterable[str], tokenizer: Path) -> tuple[str, ...]:
    """Return the words of ``texts`` that a ``tokenizer.json`` of whole words lacks, each once and as written.

    Numbers count as words; punctuation and capitals make no difference.
    """
    words: dict[str, None] = {}
    for text in texts:
        encoding = _tokenizer(tokenizer).encode(text, add_special_tokens=False)
        pairs = zip(encoding.tokens, encoding.offsets, strict=True)
        words |= dict.fromkeys(text[start:end] for token, (start, end) in pairs if token == _UNKNOWN)
    return tuple(words)
