"""Renderings with the facts that hold in each, kept in a cache folder and made only once.

Seeds tell the parts of the data apart: the sample videos use seeds below 1,000, evaluation 500,000 to
999,999, and training 1,000,000 and up, so that nothing that is measured on was ever trained on.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import multiprocessing
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
from tools.scenes.colour import shade
from tools.scenes.pen import blob
from tools.scenes.stage import Camera, Stage

TRAIN_SEED = 1_000_000
TEST_SEED = 500_000
ROOM_SEED = 3_000_000
ROOM_TEST_SEED = 700_000
DRIVE_SEED = 4_000_000
DRIVE_TEST_SEED = 800_000
THING_SEED = 5_000_000
SIDE = 128
"""Side of a kept rendering in pixels; drawn at twice that and averaged down, as a video frame is."""
DRY = {"snow", "desert", "underwater", "fire", "night_sky", "fireworks", "clouds", "sunset", "concert"}
"""Outdoor scenes on which no rain or snow is drawn."""
COSTS = "drawing.txt"
"""In the cache: what was drawn, how many, and the processor time in seconds that it took."""


def draw_one(seed: int, weights: Mapping[type[Scene], float] = WEIGHTS) -> tuple[NDArray[np.uint8], list[str]]:
    """Render the picture of one seed, uint8 ``(SIDE, SIDE, 3)``, and its facts."""
    rng = random.Random(seed)
    kind = rng.choices(list(weights), list(weights.values()))[0]
    weather = rng.choices(("", "rain", "snow"), (0.78, 0.14, 0.08))[0]
    scene = kind(rng, light="overcast" if weather and "overcast" in kind.lights and rng.random() < 0.7 else None)
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
    light = scene.light
    if light.night:  # a night under the moon, not only one in which nothing can be seen
        k = rng.uniform(1.0, 3.2)
        light = dataclasses.replace(
            light,
            ambient=shade(light.ambient, k),
            direct=shade(light.direct, k),
            haze=shade(light.haze, k**0.5),
        )
    stage = Stage(surface.getCanvas(), size, size, camera, light)
    scene.draw(stage, t)
    facts = scene.facts | stage.facts
    if weather and "place:outdoor" in facts and scene.name not in DRY:
        draw_weather(stage, rng, weather)
        facts |= {f"weather:{weather}", "maybe:focus:blurred"}
        if weather == "snow":
            facts |= {"maybe:scene:snow"}
    surface.flushAndSubmit()
    rgb = pixels[..., :3].astype(np.uint16)
    small = (rgb[::2, ::2] + rgb[1::2, ::2] + rgb[::2, 1::2] + rgb[1::2, 1::2] + 2) // 4
    return small.astype(np.uint8), sorted(facts)


def draw_weather(stage: Stage, rng: random.Random, kind: str) -> None:
    """Draw rain (streaks, drops on a pane, a wet grey veil) or falling snow, thick enough for a small picture."""
    w, h = stage.width, stage.height
    with stage.screen() as pen:
        if kind == "rain":
            grey = rng.uniform(0.25, 0.7) * (0.35 if stage.light.night else 1.0)
            pen.rect(0, 0, w, h, (grey, grey, grey * 1.06), alpha=rng.uniform(0.1, 0.35))
            slant, wide, alpha = rng.uniform(-0.25, 0.25), rng.uniform(0.007, 0.012), rng.uniform(0.4, 0.7)
            for _ in range(rng.randint(110, 260)):
                x, y, near = rng.uniform(-0.1, 1.1), rng.uniform(-0.1, 1.0), rng.uniform(0.5, 1.0)
                end = ((x + slant * 0.1 * near) * w, (y + 0.1 * near) * h)
                pen.line([(x * w, y * h), end], (0.82, 0.86, 0.92), wide * h * near, alpha=alpha)
            if rng.random() < 0.35:
                for _ in range(rng.randint(10, 40)):
                    x, y, r = rng.random() * w, rng.random() * h, rng.uniform(0.004, 0.014) * h
                    pen.soft(x, y, r, r * 1.3, (0.9, 0.93, 0.97), alpha=0.7)
            low = min(h, max(0.0, stage.horizon))
            for _ in range(rng.randint(0, 12)):
                puddle = blob(rng, rng.random() * w, rng.uniform(low, h), 0.09 * h, 0.018 * h)
                pen.poly(puddle, (0.75, 0.8, 0.86), alpha=0.22)
        else:
            pen.rect(0, 0, w, h, (0.85, 0.88, 0.93), alpha=rng.uniform(0.05, 0.25))
            size = rng.uniform(0.010, 0.016)
            for _ in range(rng.randint(90, 240)):
                r = size * h * rng.uniform(0.6, 1.3)
                pen.soft(rng.random() * w, rng.random() * h, r * 1.5, r * 1.5, (1, 1, 1), alpha=0.95)


def spent_by_children_s() -> float:
    """Return the processor time of all processes that this one started and that have ended, in seconds."""
    times = os.times()
    return times.children_user + times.children_system


@dataclass(frozen=True)
class Renderings:
    """Pictures uint8 ``(n, SIDE, SIDE, 3)`` and the facts of each."""

    images: NDArray[np.uint8]
    facts: list[list[str]]

    def joined(self, other: Renderings) -> Renderings:
        """Return both sets of renderings as one, in memory."""
        return Renderings(np.concatenate((self.images, other.images)), self.facts + other.facts)

    def __len__(self) -> int:
        return len(self.facts)


def load_renderings(
    cache: Path,
    name: str,
    first_seed: int,
    count: int,
    weights: Mapping[type[Scene], float] = WEIGHTS,
    *,
    workers: int = 1,
) -> Renderings:
    """Return ``count`` renderings from ``first_seed`` on; what is missing in the cache folder is drawn now.

    The result is the same for any number of ``workers``. A run that was stopped goes on where it ended.
    """
    cache.mkdir(parents=True, exist_ok=True)
    if not weights:
        return Renderings(np.empty((0, SIDE, SIDE, 3), np.uint8), [])
    image_file, fact_file = cache / f"{name}.rgb", cache / f"{name}.jsonl"
    size = SIDE * SIDE * 3
    done = min(image_file.stat().st_size // size, sum(1 for _ in fact_file.open())) if fact_file.exists() else 0
    if done < count:
        if fact_file.exists():
            lines = fact_file.read_text().splitlines()[:done]
            fact_file.write_text("".join(line + "\n" for line in lines))
            os.truncate(image_file, done * size)
        started, before = time.monotonic(), spent_by_children_s()
        draw = functools.partial(draw_one, weights=weights)
        seeds = range(first_seed + done, first_seed + count)
        with (
            image_file.open("ab") as images,
            fact_file.open("a") as facts,
            multiprocessing.Pool(workers) as pool,
        ):
            for i, (image, known) in enumerate(pool.imap(draw, seeds, chunksize=32), done + 1):
                images.write(image.tobytes())
                facts.write(json.dumps(known) + "\n")
                if i % 1000 == 0:
                    images.flush()
                    facts.flush()
                    rate = (i - done) / (time.monotonic() - started)
                    print(f"{name}: {i}/{count} renderings, {rate:.0f} a second", file=sys.stderr, flush=True)
            pool.close()
            pool.join()
        cost = cache / COSTS
        with cost.open("a") as file:
            file.write(f"{name} {count - done} {spent_by_children_s() - before:.1f}\n")
    with fact_file.open() as lines:
        known_facts = [json.loads(line) for line, _ in zip(lines, range(count), strict=False)]
    images = np.memmap(image_file, np.uint8, "r", shape=(count, SIDE, SIDE, 3))
    return Renderings(images, known_facts)
