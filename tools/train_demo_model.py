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
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from tools.demo.augment import Varied, varied
from tools.demo.captions import Caption, captions_for, levels, shared_captions, swapped
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
from tools.demo.facts import COLOURS, ColourShares, FactTable, derived, light_facts
from tools.demo.network import INNER, DualEncoder, fact_loss, graded_contrastive
from tools.demo.thing_words import ATTRIBUTE_WORDS, COLOURED, OBJECT_WORDS
from tools.demo.tokens import PAD, UNKNOWN, make_tokenizer
from tools.demo.tuning import Features, tune
from tools.demo.words import KIND_WORDS, SCENE_WORDS
from tools.scenes.base import Scene
from tools.scenes.catalogue import COLOURFUL, DRIVES, TRAINING_ROOMS, WEIGHTS

ROOT = Path(__file__).resolve().parent.parent
SEED = 20
SMALL = 64
"""Side of the pictures in the first part of training: small ones take half the time."""
STEPS, SMALL_STEPS = 9_500, 3_000
"""Steps in all, and how many of them with small pictures: what fits into 90 minutes on two cores."""
AVERAGING = 0.998
"""Share of the running mean of the weights that a step leaves as it was; the mean is what is kept in the end."""
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
            if not 0.7 < new.tone[k] < 1.4:  # too dark or too bright for colours
                for column in (*range(self.shades.start, self.shades.stop), *self.hues):
                    perhaps[k, column] |= has[k, column]
                    has[k, column] = False
                facts = {f for f in facts if f.split(":")[0] not in (*COLOURED, "ground", "any")}
            if not 0.6 <= new.gain[k] <= 1.3:  # or for the time of day
                for column in (place["time:day"], place["time:night"], place["time:sunset"]):
                    perhaps[k, column] |= has[k, column]
                    has[k, column] = False
                facts = {f for f in facts if not f.startswith("time:")}
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
    """A part of the training: the pictures' side in pixels, and the step it ends before."""

    side: int
    end: int


@dataclass
class Plan:
    """Stages, pictures a step, learning rate; where and how often, in minutes, the state of the run is kept.

    ``told`` gets the averaged model every ``every`` steps.
    """

    stages: list[Stage]
    batch: int = 128
    rate: float = 2.5e-3
    every: int = 0
    told: Callable[[DualEncoder, Tokenizer, int], None] | None = None
    state: Path | None = None
    keep_min: float = 3.0

    def speed(self, step: int) -> float:
        """Return the learning rate of a step: a short rise, level, then straight down."""
        steps = self.stages[-1].end
        return self.rate * min(1.0, (step + 1) / 100, (steps - step) / (DECAY * steps)) + 1e-5


class Trainer:
    """A run: model, its running mean, optimiser, sources of chance. What ``keep`` writes, ``resume`` goes on from."""

    def __init__(self, plan: Plan) -> None:
        torch.manual_seed(SEED)
        self.plan = plan
        self.rng, self.words = np.random.default_rng(SEED), random.Random(SEED)
        self.tokenizer = make_tokenizer()
        self.tokenizer.enable_padding(pad_id=0, pad_token=PAD)
        self.model = DualEncoder(
            self.tokenizer.get_vocab_size(), len(SCORED), first=len(SCENES), kinds=len(COLOURED) - 1
        ).to(memory_format=torch.channels_last)
        self.mean_model = AveragedModel(
            self.model, multi_avg_fn=get_ema_multi_avg_fn(AVERAGING), use_buffers=True
        )
        decay = [p for p in self.model.parameters() if p.ndim > 1]
        plain = [p for p in self.model.parameters() if p.ndim <= 1]
        self.optimiser = torch.optim.AdamW(
            [{"params": decay, "weight_decay": 0.05}, {"params": plain, "weight_decay": 0.0}], lr=plan.rate
        )
        self.order = np.empty(0, np.intp)
        self.step, self.losses = 0, [0.0, 0.0]
        self.spent_s, self._before_s = 0.0, time.process_time()

    def keep(self, file: Path) -> None:
        """Write the state of the run, replacing the last one only when it is whole."""
        self._count()
        state = {
            "plan": self._plan(),
            "model": self.model.state_dict(),
            "mean": self.mean_model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "rng": self.rng.bit_generator.state,
            "words": self.words.getstate(),
            "torch": torch.get_rng_state(),
            "order": torch.from_numpy(self.order),
            "progress": (self.step, self.losses, self.spent_s),
        }
        part = file.with_suffix(".part")
        torch.save(state, part)
        part.replace(file)

    def resume(self, file: Path) -> None:
        """Go on from a kept state.

        Raises:
            ValueError: when it belongs to a run with other stages, batch or rate.
        """
        state = torch.load(file, weights_only=True)
        if state["plan"] != self._plan():
            raise ValueError(
                f"{file} is the state of another run ({state['plan']}); move it away to start anew."
            )
        self.model.load_state_dict(state["model"])
        self.mean_model.load_state_dict(state["mean"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.rng.bit_generator.state = state["rng"]
        version, numbers, rest = state["words"]
        self.words.setstate((version, tuple(numbers), rest))
        torch.set_rng_state(state["torch"])
        self.order = state["order"].numpy()
        self.step, losses, self.spent_s = state["progress"]
        self.losses = list(losses)

    def _plan(self) -> str:
        stages = ", ".join(f"{s.side} pixels to step {s.end}" for s in self.plan.stages)
        return f"{stages}, batch {self.plan.batch}, rate {self.plan.rate}"

    def _count(self) -> None:
        now = time.process_time()
        self.spent_s, self._before_s = self.spent_s + now - self._before_s, now

    def train(self, data: Renderings) -> None:
        """Run the steps that are left; keep the state now and then, and at the end."""
        self.train_until(data, self.plan.stages[-1].end)
        if self.plan.state:
            self.keep(self.plan.state)

    def train_until(self, data: Renderings, end: int) -> None:
        """Run the steps before step ``end``."""
        plan, kept, truth = self.plan, time.monotonic(), Truth(data)
        for stage in plan.stages:
            while self.step < min(stage.end, end):
                self._one(data, truth, stage.side)
                if self.step % 25 == 0:
                    self._count()
                    print(
                        f"step {self.step}: contrast {self.losses[0]:.3f}, facts {self.losses[1]:.3f}, "
                        f"{self.spent_s / 60:.1f} min of processor time",
                        file=sys.stderr,
                        flush=True,
                    )
                if plan.state and time.monotonic() - kept > 60 * plan.keep_min:
                    self.keep(plan.state)
                    kept = time.monotonic()
                if plan.told and plan.every and self.step % plan.every == 0:
                    plan.told(self.averaged, self.tokenizer, self.step)

    @property
    def averaged(self) -> DualEncoder:
        """The running mean of the weights."""
        return self.mean_model.module

    def _one(self, data: Renderings, truth: Truth, side: int) -> None:
        """Take one step; captions take part in every second one, the facts in all."""
        batch = self.plan.batch
        for group in self.optimiser.param_groups:
            group["lr"] = self.plan.speed(self.step)
        if len(self.order) < batch:
            more = np.concatenate((np.arange(len(data)), truth.coloured))
            self.order = np.concatenate((self.order, self.rng.permutation(more)))
        rows, self.order = np.sort(self.order[:batch]), self.order[batch:]
        new = varied(data.images[rows], truth.night[rows], self.rng, side)
        pictures, has, perhaps = truth.of(rows, new)
        known = torch.from_numpy(has[:, : len(SCORED)]), torch.from_numpy(perhaps[:, : len(SCORED)])
        if self.step % 2 == 0:
            captions = shared_captions(self.words) + [
                c for f in pictures for c in captions_for(self.words, f, 1)
            ]
            some = self.words.sample(range(batch), batch // 4)
            captions += [c for k in some for c in swapped(self.words, pictures[k])]
            level = torch.from_numpy(levels(has, perhaps, captions, truth.table))
            scores, told = self.model(new.pixels, *encode(self.tokenizer, captions, self.rng))
            losses = [graded_contrastive(scores, level), fact_loss(told, *known, GROUPS)]
        else:
            rows_out = torch.nn.functional.normalize(self.model.pictures(new.pixels), dim=1)
            losses = [fact_loss(self.model.told(rows_out), *known, GROUPS)]
        self.optimiser.zero_grad(set_to_none=True)
        torch.stack(losses).sum().backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        self.mean_model.update_parameters(self.model)
        for k, value in zip((1, 0), reversed(losses), strict=False):
            self.losses[k] += (value.item() - self.losses[k]) / min(self.step + 1, 50)
        self.step += 1


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
            values.append(model.pictures.features(new.pixels))
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
    parser.add_argument(
        "--small-steps", type=int, default=SMALL_STEPS, help="how many of them with small pictures"
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
    spent = trainer.spent_s + time.process_time() - trainer._before_s
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
