"""The caption tokenizer: lower-case words of our captions, ``s`` split off, everything else ``<unk>``."""

from __future__ import annotations

import json
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from tools.demo.captions import vocabulary

PAD, UNKNOWN, START = "<pad>", "<unk>", "<s>"
CONTEXT = 77


def make_tokenizer() -> Tokenizer:
    """Build the tokenizer from the grammar's words; each text begins with ``<s>``, so none is empty."""
    words = vocabulary()
    known = set(words)
    bases = [w for w in words if not (w.endswith("s") and len(w) > 3 and w[:-1] in known)]
    pieces = [PAD, UNKNOWN, START, "##s", *bases]
    tokenizer = Tokenizer(
        models.WordPiece({piece: i for i, piece in enumerate(pieces)}, unk_token=UNKNOWN, max_input_chars_per_word=60)
    )
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.NFKD(),
            normalizers.StripAccents(),
            normalizers.Lowercase(),
            normalizers.Replace("'s", ""),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Whitespace(), pre_tokenizers.Punctuation("removed")]
    )
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.TemplateProcessing(single=f"{START} $A", special_tokens=[(START, 2)])
    tokenizer.add_special_tokens([PAD, UNKNOWN, START])
    return tokenizer


def save_tokenizer(tokenizer: Tokenizer, folder: Path) -> None:
    """Write the files that the CLIP text path of the embedded engine reads."""
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_config.json": {
            "model_max_length": CONTEXT,
            "pad_token": PAD,
            "tokenizer_class": "CLIPTokenizerFast",
        },
        "special_tokens_map.json": {"pad_token": PAD, "unk_token": UNKNOWN, "bos_token": START},
        "config.json": {"pad_token_id": 0, "projection_dim": 512},
    }
    for name, content in settings.items():
        (folder / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
