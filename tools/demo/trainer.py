"""A training run that can be stopped at any moment and goes on exactly where it was."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from tools.demo.augment import varied
from tools.demo.captions import Caption, captions_for, levels, shared_captions, swapped
from tools.demo.dataset import Renderings
from tools.demo.network import DualEncoder, fact_loss, graded_contrastive
from tools.demo.steps import DEVICE, follow, learn, one_ahead
from tools.demo.thing_words import COLOURED
from tools.demo.tokens import PAD, UNKNOWN, make_tokenizer
from tools.demo.truth import GROUPS, SCENES, SCORED, Truth

SEED = 20
AVERAGING = 0.998
"""Share of the running mean of the weights that a step leaves as it was; the mean is what is kept in the end."""
DECAY = 0.3
"""The last part of training, in which the learning rate falls to nothing; before that it stays."""
UNKNOWN_SHARE = 0.03
"""Share of caption words that are hidden, so that a word never seen changes little."""


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


@dataclass(frozen=True)
class Batch:
    """What a step learns from: all of it but the weights, so that it can be made while the step before runs."""

    pixels: Tensor
    """Varied pictures, float32 ``(n, 3, side, side)``."""
    has: Tensor
    """Which of the facts that are trained on hold, bool ``(n, facts)``."""
    perhaps: Tensor
    """Which may, of the same shape."""
    captions: tuple[Tensor, Tensor, Tensor] | None
    """Token ids, their mask, and how true each caption is of each picture; only in every second step."""
    chance: dict[str, Any]
    """The sources of chance as they were when it had been made: the next one may be under way already."""


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

    def side(self, step: int) -> int:
        """Return the side in pixels of a step's pictures."""
        return next(stage.side for stage in self.stages if step < stage.end)


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
        ).to(DEVICE, memory_format=torch.channels_last)
        self.mean_model = AveragedModel(self.model, multi_avg_fn=get_ema_multi_avg_fn(AVERAGING), use_buffers=True)
        decay = [p for p in self.model.parameters() if p.ndim > 1]
        plain = [p for p in self.model.parameters() if p.ndim <= 1]
        self.optimiser = torch.optim.AdamW(
            [{"params": decay, "weight_decay": 0.05}, {"params": plain, "weight_decay": 0.0}], lr=plan.rate
        )
        self.order = np.empty(0, np.intp)
        self._left: dict[str, Any] | None = None  # the sources of chance as the last batch left them
        self.step, self.losses = 0, [0.0, 0.0]
        self.spent_s, self._before_s = 0.0, time.process_time()

    def keep(self, file: Path) -> None:
        """Write the state of the run, replacing the last one only when it is whole."""
        self.processor_s()
        state = {
            "plan": self._plan(),
            "model": self.model.state_dict(),
            "mean": self.mean_model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "torch": torch.get_rng_state(),
            "chance": self._left or self._chance(),
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
        state = torch.load(file, map_location="cpu", weights_only=True)
        if state["plan"] != self._plan():
            raise ValueError(f"{file} is the state of another run ({state['plan']}); move it away to start anew.")
        self.model.load_state_dict(state["model"])
        self.mean_model.load_state_dict(state["mean"])
        self.optimiser.load_state_dict(state["optimiser"])
        torch.set_rng_state(state["torch"])
        chance = state["chance"]
        self.rng.bit_generator.state = chance["rng"]
        version, numbers, rest = chance["words"]
        self.words.setstate((version, tuple(numbers), rest))
        self.order = chance["order"].numpy()
        self._left = None
        self.step, losses, self.spent_s = state["progress"]
        self.losses = list(losses)

    def _plan(self) -> str:
        stages = ", ".join(f"{s.side} pixels to step {s.end}" for s in self.plan.stages)
        return f"{stages}, batch {self.plan.batch}, rate {self.plan.rate}"

    def _chance(self) -> dict[str, Any]:
        return {
            "rng": self.rng.bit_generator.state,
            "words": self.words.getstate(),
            "order": torch.from_numpy(self.order),
        }

    def processor_s(self) -> float:
        """Return the processor time of the run so far, over all its parts, in seconds."""
        now = time.process_time()
        self.spent_s, self._before_s = self.spent_s + now - self._before_s, now
        return self.spent_s

    def train(self, data: Renderings) -> None:
        """Run the steps that are left; keep the state now and then, and at the end."""
        self.train_until(data, self.plan.stages[-1].end)
        if self.plan.state:
            self.keep(self.plan.state)

    def train_until(self, data: Renderings, end: int) -> None:
        """Run the steps before step ``end``; the next batch is made in a second thread while a step runs."""
        plan, kept, truth = self.plan, time.monotonic(), Truth(data)
        for batch in one_ahead(lambda step: self._made(truth, step), range(self.step, end)):
            self._left = batch.chance
            self._one(batch)
            if self.step % 25 == 0:
                print(
                    f"step {self.step}: contrast {self.losses[0]:.3f}, facts {self.losses[1]:.3f}, "
                    f"{self.processor_s() / 60:.1f} min of processor time",
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
        model: DualEncoder = self.mean_model.module
        return model

    def _rows(self, count: int, coloured: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return the next pictures of a shuffled round; those with two known colours come twice in each."""
        batch = self.plan.batch
        if len(self.order) < batch:
            more = np.concatenate((np.arange(count), coloured))
            self.order = np.concatenate((self.order, self.rng.permutation(more)))
        rows, self.order = np.sort(self.order[:batch]), self.order[batch:]
        return rows

    def _captions(self, pictures: list[set[str]]) -> list[Caption]:
        """Compose the captions of a step: shared ones, one a picture, and pairs that differ in order alone."""
        captions = shared_captions(self.words)
        captions += [c for f in pictures for c in captions_for(self.words, f, 1)]
        some = self.words.sample(range(len(pictures)), len(pictures) // 4)
        return captions + [c for k in some for c in swapped(self.words, pictures[k])]

    def _made(self, truth: Truth, step: int) -> Batch:
        """Make the batch of a step; captions take part in every second one, the facts in all."""
        rows = self._rows(len(truth.facts), truth.coloured)
        new = varied(truth.images[rows], truth.night[rows], self.rng, self.plan.side(step))
        pictures, has, perhaps = truth.of(rows, new)
        captions = None
        if step % 2 == 0:
            said = self._captions(pictures)
            level = torch.from_numpy(levels(has, perhaps, said, truth.table))
            captions = (*encode(self.tokenizer, said, self.rng), level)
        scored = slice(len(SCORED))
        known = torch.from_numpy(has[:, scored]), torch.from_numpy(perhaps[:, scored])
        return Batch(new.pixels, *known, captions, self._chance())

    def _one(self, batch: Batch) -> None:
        """Take one step."""
        pixels, has, perhaps = (part.to(DEVICE) for part in (batch.pixels, batch.has, batch.perhaps))
        for group in self.optimiser.param_groups:
            group["lr"] = self.plan.speed(self.step)
        if batch.captions:
            ids, mask, level = (part.to(DEVICE) for part in batch.captions)
            scores, told = self.model(pixels, ids, mask)
            losses = [graded_contrastive(scores, level), fact_loss(told, has, perhaps, GROUPS)]
        else:
            unit = functional.normalize(self.model.pictures(pixels), dim=1)
            losses = [fact_loss(self.model.told(unit), has, perhaps, GROUPS)]
        learn(self.optimiser, self.model.parameters(), torch.stack(losses).sum())
        self.mean_model.update_parameters(self.model)
        for k, loss in zip((1, 0), reversed(losses), strict=False):
            self.losses[k] = follow(self.losses[k], loss, self.step)
        self.step += 1
