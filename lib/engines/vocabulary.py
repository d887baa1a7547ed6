"""Which words of a prompt the bundled demo model has never seen. Loads the tokenizer only."""

from __future__ import annotations

import functools
from pathlib import Path

from tokenizers import Tokenizer

DEMO_TOKENIZER = Path(__file__).parent / "demo_model" / "textual" / "tokenizer.json"
_UNKNOWN = "<unk>"


@functools.cache
def _tokenizer(path: Path) -> Tokenizer:
    return Tokenizer.from_file(str(path))


def unknown_words(text: str, *, tokenizer: Path = DEMO_TOKENIZER) -> tuple[str, ...]:
    """Return the words of a text that are not in the demo model's vocabulary, each once, as they are written.

    Numbers count as words; punctuation and capitals make no difference.
    """
    encoded = _tokenizer(tokenizer).encode(text, add_special_tokens=False)
    pairs = zip(encoded.tokens, encoded.offsets, strict=True)
    return tuple(dict.fromkeys(text[start:end] for token, (start, end) in pairs if token == _UNKNOWN))
