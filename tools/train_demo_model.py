"""Train the bundled demo model: ``python -m tools.train_demo_model --cache FOLDER`` (see tools/README.md).

Draws the renderings into the cache folder once, trains both towers, writes the graphs, and prints what
they can do.
"""

from __future__ import annotations

import argparse
import functools
import json
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from tools.demo.augment import varied
from tools.demo.dataset import (
    COSTS,
    DRIVE_SEED,
    ROOM_SEED,
    THING_SEED,
    TRAIN_SEED,
    Renderings,
    load_renderings,
)
from tools.demo.evaluate import Model, held_out, unseen_renderings
from tools.demo.export import export
from tools.demo.network import INNER, DualEncoder
from tools.demo.steps import DEVICE
from tools.demo.trainer import SEED, Plan, Stage, Trainer, encode
from tools.demo.truth import Truth, table
from tools.demo.tuning import Features, tune
from tools.scenes.base import Scene
from tools.scenes.catalogue import COLOURFUL, DRIVES, TRAINING_ROOMS, WEIGHTS

ROOT = Path(__file__).resolve().parent.parent
SMALL = 64
"""Side of the pictures in the first part of training: small ones take half the time."""
STEPS, SMALL_STEPS = 9_500, 3_000
"""Steps in all, and how many of them with small pictures: what fits into 90 minutes on two cores."""


def kept_features(model: DualEncoder, data: Renderings, count: int) -> Features:
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
            values.append(model.pictures.features(new.pixels.to(DEVICE)))
        pictures += facts
        has.append(holds)
        perhaps.append(may)
    return Features(torch.cat(values), pictures, np.concatenate(has), np.concatenate(perhaps))


def parsed() -> argparse.Namespace:
    """Return the command's options."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--cache", type=Path, required=True, help="folder for the renderings (4 GB); outside the repository"
    )
    parser.add_argument("--out", type=Path, default=ROOT / "lib/engines/demo_model")
    parser.add_argument("--renderings", type=int, default=43_000)
    parser.add_argument("--rooms", type=int, default=10_000, help="more renderings, of rooms")
    parser.add_argument("--drives", type=int, default=4_000, help="more, of what is seen from a car")
    parser.add_argument("--things", type=int, default=16_000, help="more, of things of known colours")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--small-steps", type=int, default=SMALL_STEPS, help="how many of them with small pictures")
    parser.add_argument("--text-steps", type=int, default=1_500, help="steps of the last stage, captions alone")
    parser.add_argument("--kept", type=int, default=25_000, help="varied pictures that the last stage learns from")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rate", type=float, default=2.5e-3)
    parser.add_argument("--every", type=int, default=0, help="export a checkpoint into the cache every so many steps")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--workers", type=int, default=2, help="processes that draw")
    return parser.parse_args()


def main() -> None:
    """Render, train, export, measure; goes on where an earlier run with the same options was stopped."""
    options = parsed()
    torch.set_num_threads(options.threads)

    parts: tuple[tuple[str, int, int, dict[type[Scene], float]], ...] = (
        ("train", TRAIN_SEED, options.renderings, WEIGHTS),
        ("rooms", ROOM_SEED, options.rooms, TRAINING_ROOMS),
        ("drives", DRIVE_SEED, options.drives, DRIVES),
        ("things", THING_SEED, options.things, COLOURFUL),
    )
    loaded = (load_renderings(options.cache, *part, workers=options.workers) for part in parts)
    data = functools.reduce(Renderings.joined, loaded)

    def keep(model: DualEncoder, tokenizer: Tokenizer, step: int) -> None:
        export(model, tokenizer, options.cache / f"step{step}")

    stages = [Stage(SMALL, options.small_steps), Stage(INNER, options.steps)]
    state = options.cache / "run.pt"
    trainer = Trainer(Plan(stages, options.batch, options.rate, options.every, keep, state))
    if state.exists():
        trainer.resume(state)
    trainer.train(data)
    finish(trainer.averaged, trainer.tokenizer, data, options)
    shares = held_out(Model(options.out), unseen_renderings(options.cache, workers=options.workers))
    print(json.dumps({name: f"{100 * s.share:.1f} % of {s.of}" for name, s in shares.items()}, indent=2))
    spent = trainer.processor_s()
    drawing = sum(float(line.split()[2]) for line in (options.cache / COSTS).read_text().splitlines())
    print(f"processor time: drawing {drawing / 60:.0f} min, the rest {spent / 60:.0f} min")


def finish(model: DualEncoder, tokenizer: Tokenizer, data: Renderings, options: argparse.Namespace) -> None:
    """Train captions and the pictures' last layer on features of varied pictures, and write the graphs."""
    torch.manual_seed(SEED)
    features = kept_features(model, data, options.kept)
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


if __name__ == "__main__":
    main()
