"""Renderings with the facts that hold in each, kept in a cache folder and made only once.

Seeds tell the parts of the data apart: the sample videos use seeds below 1,000, evaluation 500,000 to
999,999, and training 1,000,000 and up, so that nothing that is measured on was ever trained on.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import skia
from numpy.typing import NDArray

from tools.scenes.base import Scene
from tools.scenes.catalogue import WEIGHTS
from tools.scenes.nature import falling
from tools.scenes.stage import Camera, Stage

TRAIN_SEED = 1_000_000
TEST_SEED = 500_000
LIT_SEED = 2_000_000
SIDE = 112
"""Side of a kept rendering in pixels; drawn at twice that and averaged down, as a video frame is."""


def draw_one(
    seed: int, weights: Mapping[type[Scene], float] = WEIGHTS
) -> tuple[NDArray[np.uint8], list[str]]:
    """Render the picture of one seed, uint8 ``(SIDE, SIDE, 3)``, and its facts."""
    rng = random.Random(seed)
    scene = rng.choices(list(weights), list(weights.values()))[0](rng)
    t = rng.uniform(0, 4)
    size = SIDE * 2
    pixels = np.zeros((size, size, 4), np.uint8)
    info = skia.ImageInfo.Make(size, size, skia.kRGBA_8888_ColorType, skia.kPremul_AlphaType)
    surface = skia.Surface.MakeRasterDirect(info, pixels)
    view = scene.camera(t)
    camera = Camera(
        view.x,
        view.y,
        view.z,
        view.yaw + rng.uniform(-0.05, 0.05),
        view.tilt + rng.uniform(-0.05, 0.05),
        view.focal * rng.uniform(0.85, 1.3),
    )
    stage = Stage(surface.getCanvas(), size, size, camera, scene.light)
    scene.draw(stage, t)
    facts = scene.facts | stage.facts
    if "place:outdoor" in facts and rng.random() < 0.12 and scene.name not in ("snow", "desert"):
        falling(stage, rng, t, "rain", rng.randint(120, 320))
        facts.add("weather:rain")
    surface.flushAndSubmit()
    rgb = pixels[..., :3].astype(np.uint16)
    small = (rgb[::2, ::2] + rgb[1::2, ::2] + rgb[::2, 1::2] + rgb[1::2, 1::2] + 2) // 4
    return small.astype(np.uint8), sorted(facts)


@dataclass(frozen=True)
class Renderings:
    """Pictures uint8 ``(n, SIDE, SIDE, 3)`` and the facts of each."""

    images: NDArray[np.uint8]
    facts: list[list[str]]

    def __add__(self, other: Renderings) -> Renderings:
        return Renderings(np.concatenate((self.images, other.images)), self.facts + other.facts)

    def __len__(self) -> int:
        return len(self.facts)


def load_renderings(
    cache: Path, name: str, first_seed: int, count: int, weights: Mapping[type[Scene], float] = WEIGHTS
) -> Renderings:
    """Return ``count`` renderings from ``first_seed`` on; what is missing in the cache folder is drawn now.

    A run that was stopped goes on where it ended.
    """
    cache.mkdir(parents=True, exist_ok=True)
    image_file, fact_file = cache / f"{name}.rgb", cache / f"{name}.jsonl"
    size = SIDE * SIDE * 3
    done = (
        min(image_file.stat().st_size // size, sum(1 for _ in fact_file.open())) if fact_file.exists() else 0
    )
    if done < count:
        if fact_file.exists():
            lines = fact_file.read_text().splitlines()[:done]
            fact_file.write_text("".join(line + "\n" for line in lines))
            os.truncate(image_file, done * size)
        started = time.monotonic()
        with image_file.open("ab") as images, fact_file.open("a") as facts:
            for i in range(done, count):
                image, known = draw_one(first_seed + i, weights)
                images.write(image.tobytes())
                facts.write(json.dumps(known) + "\n")
                if (i + 1) % 500 == 0:
                    images.flush()
                    facts.flush()
                    rate = (i + 1 - done) / (time.monotonic() - started)
                    print(
                        f"{name}: {i + 1}/{count} renderings, {rate:.0f} a second",
                        file=sys.stderr,
                        flush=True,
                    )
    with fact_file.open() as lines:
        known_facts = [json.loads(line) for line, _ in zip(lines, range(count), strict=False)]
    images = np.memmap(image_file, np.uint8, "r", shape=(count, SIDE, SIDE, 3))
    return Renderings(images, known_facts)
