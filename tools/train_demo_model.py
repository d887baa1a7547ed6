"""Train the bundled demo model: ``python -m tools.train_demo_model --cache FOLDER`` (see tools/README.md).

Draws the renderings into the cache folder once, trains both towers, writes the graphs, and prints what
they can do.
"""

from __future__ import annotations

import argparse
import functools
import json
import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

from tools.demo.augment import Varied, varied
from tools.demo.captions import Caption, captions_for, levels, shared_captions, swapped
from tools.demo.dataset import DRIVE_SEED, ROOM_SEED, TRAIN_SEED, Renderings, load_renderings
from tools.demo.evaluate import Model, held_out, unseen_renderings
from tools.demo.export import export
from tools.demo.facts import COLOURS, ColourShares, FactTable, derived, light_facts
from tools.demo.network import INNER, DualEncoder, fact_loss, graded_contrastive
from tools.demo.thing_words import ATTRIBUTE_WORDS, COLOURED, OBJECT_WORDS
from tools.demo.tokens import PAD, UNKNOWN, make_tokenizer
from tools.demo.tuning import Features, tune
from tools.demo.words import KIND_WORDS, SCENE_WORDS
from tools.scenes.catalogue import DRIVES, ROOMS, WEIGHTS

ROOT = Path(__file__).resolve().parent.parent
SEED = 20
SMALL = 64
"""Side of the pictures in the first part of training: small ones take half the time."""
DECAY = 0.3
"""The last part of training, in which the learning rate falls to nothing; before that it stays."""
UNKNOWN_SHARE = 0.03
"""Share of caption words that are hidden, so that a word never seen changes little."""
CHANGING = ("light:", "focus:", "maybe:light:", "maybe:focus:")
"""Facts that varying a picture can change."""


SCENES = [f"scene:{s}" for s in SCENE_WORDS]
SHADES = [f"{kind}:{c}" for kind in (*COLOURED, "ground") for c in COLOURS]
SINGLE = [*OBJECT_WORDS, *ATTRIBUTE_WORDS, *(f"any:{c}" for c in COLOURS), *(f"kind:{k}" for k in KIND_WORDS)]
SCORED = [*SCENES, *SHADES, *SINGLE]
"""The facts that pictures are trained on directly: scenes, colours of each kind of thing, and single ones."""
GROUPS = [(0, len(SCENES))] + [
    (k, k + len(COLOURS)) for k in range(len(SCENES), len(SCENES) + len(SHADES), len(COLOURS))
]


def table() -> FactTable:
    """Return the facts as columns, those that are trained on directly first."""
    return FactTable([*SCORED, *(f"near:{s}" for s in SCENE_WORDS)])


class Truth:
    """The facts of all pictures of a stage, as sets and as columns."""

    def __init__(self, data: Renderings) -> None:
        self.table = table()
        self.shades = slice(len(SCENES), len(SCENES) + len(SHADES))
        self.hues = [self.table.place[f"any:{c}"] for c in COLOURS]
        self.facts = [
            derived(f, ColourShares.of(image)) for f, image in zip(data.facts, data.images, strict=True)
        ]
        self.has, self.perhaps = self.table.rows(self.facts)
        self.coloured = np.flatnonzero(self.has[:, self.shades].sum(1) > 1)
        self.night = np.array(["time:night" in f for f in self.facts])

    def of(
        self, rows: NDArray[np.intp], new: Varied
    ) -> tuple[list[set[str]], NDArray[np.bool_], NDArray[np.bool_]]:
        """Return the facts of varied pictures, as sets and as columns."""
        place, has, perhaps, pictures = self.table.place, self.has[rows], self.perhaps[rows], []
        for k, i in enumerate(rows):
            known = self.facts[i]
            facts = {f for f in known if not f.startswith(CHANGING)}
            facts |= light_facts(float(new.brightness[k]), night=bool(self.night[i]))
            if "focus:blurred" in known or new.blur[k] == 2:
                facts.add("focus:blurred")
            elif new.blur[k] == 0:
                facts |= {f for f in known if f.endswith(("focus:sharp", "focus:blurred"))}
            else:
                facts |= {"maybe:focus:sharp", "maybe:focus:blurred"}
            for name in ("light:bright", "light:dark", "focus:blurred", "focus:sharp"):
                has[k, place[name]] = name in facts
                perhaps[k, place[name]] = f"maybe:{name}" in facts
            if (
                new.gain[k] < 0.6 or new.gain[k] > 1.3
            ):  # too dark or too bright for colours, or for the time of day
                perhaps[k, self.shades] |= has[k, self.shades]
                has[k, self.shades] = False
                for column in (*self.hues, place["time:day"], place["time:night"], place["time:sunset"]):
                    perhaps[k, column] |= has[k, column]
                    has[k, column] = False
                facts = {f for f in facts if f.split(":")[0] not in (*COLOURED, "ground", "any", "time")}
            pictures.append(facts)
        return pictures, has, perhaps


def encode(tokenizer: Tokenizer, captions: list[Caption], rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Return token ids and mask, some words hidden."""
    encoded = tokenizer.encode_batch([c.text for c in captions])
    ids, mask = np.array([e.ids for e in encoded]), np.array([e.attention_mask for e in encoded])
    hidden = (rng.random(ids.shape) < UNKNOWN_SHARE) & (ids > 3) & (mask.sum(1, keepdims=True) > 4)
    ids[hidden] = tokenizer.token_to_id(UNKNOWN)
    return torch.from_numpy(ids), torch.from_numpy(mask)


@dataclass
class Stage:
    """A part of the training: pictures (looked up when it begins), their side in pixels, the step it ends before."""

    data: Callable[[], Renderings]
    side: int
    end: int


@dataclass
class Plan:
    """Stages, pictures a step, learning rate; ``told`` gets the model every ``every`` steps, ``pause`` may wait."""

    stages: list[Stage]
    batch: int = 128
    rate: float = 2.5e-3
    every: int = 0
    told: Callable[[DualEncoder, Tokenizer, int], None] | None = None
    pause: Callable[[], None] | None = None

    def speed(self, step: int) -> float:
        """Return the learning rate of a step: a short rise, level, then straight down."""
        steps = self.stages[-1].end
        return self.rate * min(1.0, (step + 1) / 100, (steps - step) / (DECAY * steps)) + 1e-5


def train(plan: Plan, start: Path | None = None) -> tuple[DualEncoder, Tokenizer]:
    """Train with a fixed seed, from nothing or from the weights in ``start``, which may lack some layers."""
    torch.manual_seed(SEED)
    rng, words = np.random.default_rng(SEED), random.Random(SEED)
    tokenizer = make_tokenizer()
    tokenizer.enable_padding(pad_id=0, pad_token=PAD)
    model = DualEncoder(tokenizer.get_vocab_size(), len(SCORED)).to(memory_format=torch.channels_last)
    if start:
        model.load_state_dict(torch.load(start, weights_only=True), strict=False)
    decay = [p for p in model.parameters() if p.ndim > 1]
    plain = [p for p in model.parameters() if p.ndim <= 1]
    optimiser = torch.optim.AdamW(
        [{"params": decay, "weight_decay": 0.05}, {"params": plain, "weight_decay": 0.0}], lr=plan.rate
    )
    started, mean, step, batch = time.monotonic(), [0.0, 0.0], 0, plan.batch
    for stage in plan.stages:
        data = stage.data()
        truth = Truth(data)
        order = np.empty(0, np.intp)
        while step < stage.end:
            for group in optimiser.param_groups:
                group["lr"] = plan.speed(step)
            if len(order) < batch:
                order = np.concatenate(
                    (order, rng.permutation(np.concatenate((np.arange(len(data)), truth.coloured))))
                )
            rows, order = np.sort(order[:batch]), order[batch:]
            new = varied(data.images[rows], truth.night[rows], rng, stage.side)
            pictures, has, perhaps = truth.of(rows, new)
            captions = shared_captions(words) + [c for f in pictures for c in captions_for(words, f, 1)]
            captions += [
                c for k in words.sample(range(batch), batch // 4) for c in swapped(words, pictures[k])
            ]
            level = torch.from_numpy(levels(has, perhaps, captions, truth.table))
            ids, mask = encode(tokenizer, captions, rng)
            scores, told_facts = model(new.pixels, ids, mask)
            known = torch.from_numpy(has[:, : len(SCORED)]), torch.from_numpy(perhaps[:, : len(SCORED)])
            contrast, aside = graded_contrastive(scores, level), fact_loss(told_facts, *known, GROUPS)
            loss = contrast + aside
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            for k, value in enumerate((contrast.item(), aside.item())):
                mean[k] += (value - mean[k]) / min(step + 1, 50)
            if (step + 1) % 25 == 0:
                minutes = (time.monotonic() - started) / 60
                print(
                    f"step {step + 1}: contrast {mean[0]:.3f}, facts {mean[1]:.3f}, {minutes:.1f} min",
                    file=sys.stderr,
                    flush=True,
                )
            step += 1
            if plan.pause:
                plan.pause()
            if plan.told and plan.every and step % plan.every == 0:
                plan.told(model, tokenizer, step)
                model.train()
    return model, tokenizer


def kept_features(
    model: DualEncoder, data: Renderings, count: int, pause: Callable[[], None] | None
) -> Features:
    """Pass ``count`` varied pictures through the convnet as it stands, and keep what comes out."""
    rng = np.random.default_rng(SEED + 1)
    truth = Truth(data)
    model.eval()
    values, pictures, has, perhaps = [], [], [], []
    for start in range(0, count, 128):
        rows = np.sort(rng.choice(len(data), min(128, count - start), replace=False))
        new = varied(data.images[rows], truth.night[rows], rng)
        facts, holds, may = truth.of(rows, new)
        with torch.no_grad():
            values.append(model.pictures.features(new.pixels))
        pictures += facts
        has.append(holds)
        perhaps.append(may)
        if pause:
            pause()
    return Features(torch.cat(values), pictures, np.concatenate(has), np.concatenate(perhaps))


def main() -> None:
    """Render, train, export, measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--cache", type=Path, required=True, help="folder for the renderings (3.6 GB); outside the repository"
    )
    parser.add_argument("--out", type=Path, default=ROOT / "lib/engines/demo_model")
    parser.add_argument("--renderings", type=int, default=43_000)
    parser.add_argument("--rooms", type=int, default=8_000, help="more renderings, of rooms")
    parser.add_argument(
        "--drives", type=int, default=4_000, help="more renderings, of what is seen from a car"
    )
    parser.add_argument("--steps", type=int, default=3_200)
    parser.add_argument(
        "--small-steps", type=int, default=1_200, help="how many of them with small pictures, without rooms"
    )
    parser.add_argument(
        "--text-steps", type=int, default=1_500, help="steps of the last stage, captions alone"
    )
    parser.add_argument(
        "--kept", type=int, default=25_000, help="varied pictures that the last stage learns from"
    )
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rate", type=float, default=2.5e-3)
    parser.add_argument(
        "--every", type=int, default=0, help="export a checkpoint into the cache every so many steps"
    )
    parser.add_argument(
        "--start", type=Path, help="weights of an earlier run (model.pt in its cache) to go on from"
    )
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--workers", type=int, default=2, help="processes that draw")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)

    def drawn(*names: str) -> Renderings:
        parts = {
            "train": (TRAIN_SEED, options.renderings, WEIGHTS),
            "rooms": (ROOM_SEED, options.rooms, ROOMS),
            "drives": (DRIVE_SEED, options.drives, DRIVES),
        }
        loaded = [load_renderings(options.cache, n, *parts[n], workers=options.workers) for n in names]
        return functools.reduce(Renderings.joined, loaded)

    small = Stage(lambda: drawn("train"), SMALL, options.small_steps)
    full = Stage(lambda: drawn("train", "rooms", "drives"), INNER, options.steps)

    def keep(model: DualEncoder, tokenizer: Tokenizer, step: int) -> None:
        export(model, tokenizer, options.cache / f"step{step}")

    plan = Plan([small, full], options.batch, options.rate, options.every, keep)
    model, tokenizer = train(plan, options.start)
    features = kept_features(model, full.data(), options.kept, None)
    tune(
        model,
        features,
        table(),
        lambda c, rng: encode(tokenizer, c, rng),
        steps=options.text_steps,
        seed=SEED,
    )
    torch.save(model.state_dict(), options.cache / "model.pt")
    export(model, tokenizer, options.out)
    shares = held_out(Model(options.out), unseen_renderings(options.cache, workers=options.workers))
    print(json.dumps({name: f"{100 * s.share:.1f} % of {s.of}" for name, s in shares.items()}, indent=2))


if __name__ == "__main__":
    main()
