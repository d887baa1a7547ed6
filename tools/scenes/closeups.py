"""Fruit and flowers close by."""

from __future__ import annotations

import math
import random

from tools.scenes.base import Scene
from tools.scenes.colour import BASIC_COLOURS, basic, shade, vary
from tools.scenes.objects import fruit
from tools.scenes.pen import blob
from tools.scenes.sheet import sheet
from tools.scenes.stage import Stage

NAMES = tuple(BASIC_COLOURS)


class FruitStand(Scene):
    """Many fruits filling the picture."""

    name = "fruit"
    lights = ("indoor",)

    def build(self, rng: random.Random) -> None:
        self.facts = {"scene:fruit", "view:close", "maybe:scene:market", "maybe:scene:bottle_table"}
        self.cloth = basic(rng, rng.choice(NAMES))
        self.rows = rng.random() < 0.5

    def draw(self, stage: Stage, t: float) -> None:
        rng = self.rng()
        with sheet(stage) as pen:
            pen.rect(-2, -1, 4, 3, shade(self.cloth, 0.8), to=self.cloth)
            if self.rows:
                for k in range(-3, 3):
                    c = rng.choice(
                        (
                            (0.85, 0.13, 0.1),
                            (0.95, 0.55, 0.1),
                            (0.45, 0.7, 0.2),
                            (0.95, 0.82, 0.2),
                            (0.45, 0.15, 0.4),
                        )
                    )
                    for n in range(30):
                        x, y, r = (
                            k * 0.26 + rng.uniform(0.02, 0.24),
                            1.05 - n * 0.036,
                            rng.uniform(0.045, 0.065),
                        )
                        pen.oval(x, y, r, r, shade(c, 0.65), to=vary(rng, c, 0.05))
                        pen.soft(x - r * 0.3, y + r * 0.35, r * 0.35, r * 0.3, (1, 1, 1), alpha=0.45)
        if not self.rows:
            with sheet(stage, 0, 0.22, 0.62) as pen:
                pen.soft(0, 0.02, 0.7, 0.12, (0, 0, 0), alpha=0.4)
                fruit(pen, (0.85, 0.82, 0.75), rng)


class Flowers(Scene):
    """A bunch or a bed of flowers, close by."""

    name = "flower"
    lights = ("day",)

    def build(self, rng: random.Random) -> None:
        name = rng.choice(("red", "yellow", "white", "purple", "pink", "blue", "orange"))
        self.colour = basic(rng, name)
        self.facts = {
            "scene:flower",
            f"flower:{name}",
            "obj:flower",
            "view:close",
            "maybe:place:outdoor",
            "maybe:scene:meadow",
        }
        self.count = rng.randint(5, 16)

    def draw(self, stage: Stage, t: float) -> None:
        rng = self.rng()
        with sheet(stage) as pen:
            pen.rect(-2, -1, 4, 3, (0.12, 0.28, 0.1), to=(0.3, 0.5, 0.22))
            for _ in range(40):
                pen.poly(
                    blob(rng, rng.uniform(-0.7, 0.7), rng.uniform(0, 1), 0.12, 0.05),
                    vary(rng, (0.2, 0.42, 0.15), 0.08),
                )
            for _ in range(self.count):
                x, y, r = rng.uniform(-0.5, 0.5), rng.uniform(0.06, 0.94), rng.uniform(0.07, 0.15)
                pen.line([(x, y), (x + rng.uniform(-0.05, 0.05), y - 0.4)], (0.16, 0.36, 0.12), 0.014)
                for i in range(7):
                    a = 2 * math.pi * i / 7 + x
                    pen.oval(
                        x + math.cos(a) * r * 0.6,
                        y + math.sin(a) * r * 0.6,
                        r * 0.42,
                        r * 0.42,
                        shade(self.colour, 0.8),
                        to=self.colour,
                    )
                pen.oval(x, y, r * 0.3, r * 0.3, (0.9, 0.75, 0.2) if self.colour[1] < 0.7 else (0.5, 0.32, 0.1))
