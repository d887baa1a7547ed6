"""Train the bundled demo model: ``python -m tools.train_demo_model --cache FOLDER`` (see tools/README.md).

Draws the renderings into the cache folder once, trains both towers, writes the graphs, and prints what
they can do.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
import time
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from tools.demo.augment import augmented, shrunk
from tools.demo.captions import Caption, ColourShares, captions_for, derived, levels, shared_captions
from tools.demo.dataset import LIT_SEED, TEST_SEED, TRAIN_SEED, Renderings, load_renderings
from tools.demo.evaluate import Model, held_out, read_five_scenes
from tools.demo.export import export
from tools.demo.network import INNER, DualEncoder, graded_contrastive
from tools.demo.tokens import PAD, UNKNOWN, make_tokenizer
from tools.scenes.catalogue import LIT_CITY

ROOT = Path(__file__).resolve().parent.parent
SEED = 20
COLOURED_SCENES = {"scene:ball", "scene:box", "scene:cup", "scene:colour_field"}
COLOUR_SHARE = 2.5
"""How often these come up against other scenes: colours are learned late, and from them above all."""
UNKNOWN_SHARE = 0.04
"""Share of caption words that are hidden, so that a word never seen changes little."""


def encode(tokenizer: Tokenizer, captions: list[Caption], rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Return token ids and mask, some words hidden."""
    encoded = tokenizer.encode_batch([c.text for c in captions])
    ids, mask = np.array([e.ids for e in encoded]), np.array([e.attention_mask for e in encoded])
    hidden = (rng.random(ids.shape) < UNKNOWN_SHARE) & (ids > 3) & (mask.sum(1, keepdims=True) > 4)
    ids[hidden] = tokenizer.token_to_id(UNKNOWN)
    return torch.from_numpy(ids), torch.from_numpy(mask)


def train(
    data: Renderings, *, minutes: float, batch: int, steps: int | None
) -> tuple[DualEncoder, Tokenizer, int]:
    """Train with a fixed seed; stops after ``steps``, or else after ``minutes``."""
    torch.manual_seed(SEED)
    rng, words = np.random.default_rng(SEED), random.Random(SEED)
    tokenizer = make_tokenizer()
    tokenizer.enable_padding(pad_id=0, pad_token=PAD)
    model = DualEncoder(tokenizer.get_vocab_size()).to(memory_format=torch.channels_last)
    decay = [p for p in model.parameters() if p.ndim > 1]
    plain = [p for p in model.parameters() if p.ndim <= 1]
    optimiser = torch.optim.AdamW(
        [{"params": decay, "weight_decay": 0.05}, {"params": plain, "weight_decay": 0.0}], lr=2e-3
    )
    facts = [derived(f, ColourShares.of(data.images[i])) for i, f in enumerate(data.facts)]
    images = shrunk(data.images, INNER * 5 // 4)
    share_of = np.array([COLOUR_SHARE if COLOURED_SCENES & set(f) else 1.0 for f in data.facts])
    copies = np.repeat(np.arange(len(data)), np.floor(share_of + rng.random(len(data))).astype(int))
    order = np.concatenate([rng.permutation(copies) for _ in range(40)])
    started, step, mean = time.monotonic(), 0, 0.0
    while steps is None or step < steps:
        now = (time.monotonic() - started) / 60
        share = step / steps if steps else now / minutes
        if share >= 1:
            break
        rate = 2.2e-3 * min(1.0, (step + 1) / 60) * (0.5 + 0.5 * math.cos(math.pi * share)) + 1e-5
        for group in optimiser.param_groups:
            group["lr"] = rate
        rows = np.sort(order[step * batch % len(order) : step * batch % len(order) + batch])
        pictures = [facts[i] for i in rows]
        captions = shared_captions(words) + [c for f in pictures for c in captions_for(words, f, 2)]
        truth = torch.from_numpy(levels(pictures, captions))
        ids, mask = encode(tokenizer, captions, rng)
        loss = graded_contrastive(model.scores(augmented(images[rows], rng), ids, mask), truth)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        step += 1
        mean += (loss.item() - mean) / min(step, 50)
        if step % 25 == 0:
            print(
                f"step {step}: loss {mean:.3f}, {now:.1f} min, {100 * share:.0f} %",
                file=sys.stderr,
                flush=True,
            )
    return model, tokenizer, step


def main() -> None:
    """Render, train, export, measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--cache",
        type=Path,
        required=True,
        help="folder for the renderings (about 1.6 GB); outside the repository",
    )
    parser.add_argument("--out", type=Path, default=ROOT / "lib/engines/demo_model")
    parser.add_argument("--renderings", type=int, default=26_000)
    parser.add_argument(
        "--steps", type=int, help="steps of training; without it, as many as fit into --minutes"
    )
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--batch", type=int, default=160)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    data = load_renderings(options.cache, "train", TRAIN_SEED, options.renderings)
    data += load_renderings(options.cache, "lit", LIT_SEED, options.renderings // 10, LIT_CITY)
    test = load_renderings(options.cache, "test", TEST_SEED, 2_000)
    model, tokenizer, steps = train(data, minutes=options.minutes, batch=options.batch, steps=options.steps)
    torch.save(model.state_dict(), options.cache / "model.pt")
    export(model, tokenizer, options.out)
    exported = Model(options.out)
    reading = read_five_scenes(exported, ROOT / "sample_videos")
    print(
        json.dumps(
            {"steps": steps, "held_out": held_out(exported, test), "five_scenes": reading.__dict__}, indent=2
        )
    )


if __name__ == "__main__":
    main()
