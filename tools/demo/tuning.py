"""The last stage of training: captions and the pictures' last layer alone, on features kept from the convnet.

The convnet is what costs; once it stands, tens of thousands of pictures pass through it once, and what a
caption has to say about them is learned from their features in a small part of the time.
"""

from __future__ import annotations

import random
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from tools.demo.captions import (
    Caption,
    all_colours,
    captions_for,
    levels,
    scene_caption,
    shared_captions,
    swapped,
)
from tools.demo.facts import FactTable
from tools.demo.network import DualEncoder, graded_contrastive
from tools.demo.steps import DEVICE, follow, learn
from tools.demo.thing_words import COLOURED, PAIRS
from tools.demo.words import SCENE_WORDS

KINDS = 6
"""Kinds of thing whose captions of all colours are added to a step's."""


@dataclass(frozen=True)
class Features:
    """Pictures after the convnet, float32 ``(n, 576)``, and what is true of each, as sets and as columns."""

    values: Tensor
    facts: list[set[str]]
    has: NDArray[np.bool_]
    perhaps: NDArray[np.bool_]


def choices(captions: list[Caption]) -> list[list[int]]:
    """Return groups of captions of which one is true at a time: colours of a thing, scenes, attributes in pairs."""
    groups: dict[str, list[int]] = defaultdict(list)
    single: dict[str, int] = {}
    for i, caption in enumerate(captions):
        if len(caption.needs) == 1:
            (fact,) = caption.needs
            kind = fact.split(":", 1)[0]
            single.setdefault(fact, i)
            if kind not in (
                "obj",
                "time",
                "light",
                "place",
                "people",
                "view",
                "focus",
                "weather",
                "kind",
                "any",
            ):
                groups[kind].append(i)
    pairs = [(a, b) for a, b in PAIRS if a in single and b in single]
    pairs += 2 * [(a, b) for a, b in pairs if a.startswith("weather:")]  # the hardest to see count three times
    return [g for g in groups.values() if len(g) > 1] + [[single[a], single[b]] for a, b in pairs]


def choice_loss(scores: Tensor, level: Tensor, groups: list[list[int]]) -> Tensor:
    """Return the mean over groups of how badly the true caption of a group is told from the others in it.

    Args:
        scores: ``(pictures, captions)``, scaled cosines.
        level: how true each caption is; see ``captions``. Unclear ones take no part.
        groups: columns of captions of which one is true at a time.
    """
    total, count = scores.new_zeros(()), 0
    for group in groups:
        part, truth = scores[:, group], level[:, group]
        rows = (truth == 3).any(1) & (truth != 3).any(1)
        if not rows.any():
            continue
        part, truth = part[rows].masked_fill(truth[rows] == -1, -1e4), truth[rows]
        loss = part.logsumexp(1) - part.masked_fill(truth != 3, -1e4).logsumexp(1)
        first = (truth == 3).float().argmax(1)  # each answer counts alike, however rare
        weight = 1 / torch.bincount(first, minlength=len(group)).clamp(min=1)[first].float()
        total, count = total + (loss * weight).sum() / weight.sum(), count + 1
    return total / max(count, 1)


def tune(
    model: DualEncoder,
    features: Features,
    table: FactTable,
    encode: Callable[[list[Caption], np.random.Generator], tuple[Tensor, Tensor]],
    *,
    steps: int,
    seed: int,
    batch: int = 512,
    rate: float = 1.5e-3,
) -> None:
    """Train the captions' tower and the pictures' last layer in place."""
    rng, words = np.random.default_rng(seed), random.Random(seed)
    last = model.pictures.head[2]
    model.eval()
    taught = [*model.captions.parameters(), *last.parameters(), model.log_scale]
    optimiser = torch.optim.AdamW(taught, lr=rate, weight_decay=0.02)
    started, mean = time.monotonic(), [0.0, 0.0]
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = rate * min(1.0, (step + 1) / 50, 1.5 * (1 - step / steps)) + 1e-6
        rows = rng.choice(len(features.facts), min(batch, len(features.facts)), replace=False)
        pictures = [features.facts[i] for i in rows]
        captions = shared_captions(words)
        for kind in words.sample(tuple(COLOURED), KINDS):
            captions += all_colours(words, kind)
        groups = choices(captions)
        groups.append(list(range(len(captions), len(captions) + len(SCENE_WORDS))))
        captions += [scene_caption(words, scene) for scene in SCENE_WORDS]  # once more, in other words
        captions += [c for k in words.sample(range(len(rows)), 160) for c in captions_for(words, pictures[k], 1)]
        captions += [c for k in words.sample(range(len(rows)), 160) for c in swapped(words, pictures[k])]
        level = levels(features.has[rows], features.perhaps[rows], captions, table)
        a = functional.normalize(last(features.values[rows]), dim=1)
        b = functional.normalize(model.captions(*(part.to(DEVICE) for part in encode(captions, rng))), dim=1)
        true = torch.from_numpy(level).to(DEVICE)
        scores = model.log_scale.clamp(max=np.log(40.0)).exp() * a @ b.T
        contrast, choice = graded_contrastive(scores, true), choice_loss(scores, true, groups)
        learn(optimiser, taught, contrast + choice)
        mean = [follow(m, loss, step) for m, loss in zip(mean, (contrast, choice), strict=True)]
        if (step + 1) % 50 == 0:
            minutes = (time.monotonic() - started) / 60
            print(
                f"captions, step {step + 1}: contrast {mean[0]:.3f}, choice {mean[1]:.3f}, {minutes:.1f} min",
                file=sys.stderr,
                flush=True,
            )
