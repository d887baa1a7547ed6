"""Fire, fireworks, night sky, clouds, under water."""

from __future__ import annotations

import math
import random

from tools.scenes.base import Scene
from tools.scenes.colour import BASIC_COLOURS, RGB, basic, mix, shade, vary
from tools.scenes.creatures import fish
from tools.scenes.sheet import sheet
from tools.scenes.stage import Camera, Stage

NAMES = tuple(BASIC_COLOURS)


class Fire(Scene):
    """Flames: a burning house, a campfire, a fire filling the picture, with smoke and sparks."""

    name = "fire"
    lights = ("day",)

    def build(self, rng: random.Random) -> None:
        self.kind = rng.choice(("house", "camp", "full"))
        self.sky = vary(rng, rng.choice(((0.05, 0.05, 0.08), (0.1, 0.08, 0.1), (0.5, 0.5, 0.52))), 0.03)
        self.facts = {
            "scene:fire",
            "maybe:time:night",
            "maybe:place:outdoor",
            "maybe:light:dark",
            "maybe:scene:house",
        }

    def draw(self, stage: Stage, t: float) -> None:
        rng = self.rng()
        with sheet(stage) as pen:
            pen.rect(-2, -1, 4, 3, self.sky, to=shade(self.sky, 0.7))
            pen.rect(-2, -1, 4, 1.15, (0.12, 0.1, 0.08))
            wide, base, high = {
                "house": (0.36, 0.3, 0.5),
                "camp": (0.16, 0.18, 0.42),
                "full": (0.7, -0.1, 0.9),
            }[self.kind]
            for _ in range(14):
                pen.soft(
                    rng.uniform(-wide, wide),
                    base + high + rng.uniform(0, 0.4),
                    0.16,
                    0.13,
                    (0.25, 0.24, 0.24),
                    alpha=0.5,
                )
            if self.kind == "house":
                pen.rect(-0.36, 0.12, 0.72, 0.34, (0.16, 0.11, 0.09))
                pen.poly([(-0.42, 0.46), (0.42, 0.46), (0, 0.7)], (0.1, 0.08, 0.07))
                pen.rects([(-0.26, 0.22, 0.14, 0.14), (0.12, 0.22, 0.14, 0.14)], (1.0, 0.75, 0.2))
            pen.soft(0, base + high * 0.4, wide * 2.2, high, (1.0, 0.45, 0.1), alpha=0.5, add=True)
            for layer, (c, k) in enumerate(
                (((0.85, 0.2, 0.05), 1.0), ((1.0, 0.5, 0.08), 0.72), ((1.0, 0.85, 0.3), 0.42))
            ):
                for i in range(13):
                    x = -wide + 2 * wide * i / 12 * 1.0
                    h = (
                        high
                        * k
                        * (1 - 0.6 * abs(x / wide) ** 2)
                        * rng.uniform(0.55, 1.1)
                        * (1 + 0.1 * math.sin(t * 9 + i + layer))
                    )
                    w = wide * 0.2
                    pen.poly(
                        [
                            (x - w, base),
                            (x - w * 0.7, base + h * 0.45),
                            (x + rng.uniform(-w, w), base + h),
                            (x + w * 0.8, base + h * 0.4),
                            (x + w, base),
                        ],
                        c,
                        alpha=0.9,
                    )
            for _ in range(24):
                pen.oval(
                    rng.uniform(-wide * 1.3, wide * 1.3),
                    base + high * rng.uniform(0.6, 1.6),
                    0.006,
                    0.006,
                    (1.0, 0.7, 0.2),
                )
            if self.kind == "camp":
                pen.line([(-0.2, 0.14), (0.2, 0.24)], (0.3, 0.18, 0.1), 0.05)
                pen.line([(0.2, 0.14), (-0.2, 0.24)], (0.25, 0.15, 0.08), 0.05)


class Fireworks(Scene):
    """Bursts of coloured sparks in a night sky."""

    name = "fireworks"
    lights = ("night",)

    def build(self, rng: random.Random) -> None:
        self.bursts = [
            (
                rng.uniform(-0.45, 0.45),
                rng.uniform(0.45, 0.92),
                rng.uniform(0.12, 0.3),
                vary(rng, mix(basic(rng, rng.choice(NAMES[:7])), (1, 1, 1), 0.3), 0.05),
                rng.uniform(0, 1),
            )
            for _ in range(rng.randint(2, 6))
        ]
        self.town = rng.random() < 0.5
        self.facts |= {
            "maybe:scene:night_city",
            "maybe:scene:night_sky",
            "maybe:scene:skyline",
            "maybe:light:dark",
            "maybe:scene:lights",
        }

    def draw(self, stage: Stage, t: float) -> None:
        rng = self.rng()
        with sheet(stage) as pen:
            pen.rect(-2, -1, 4, 3, (0.06, 0.07, 0.15), to=(0.01, 0.01, 0.04))
            for x, y, r, c, at in self.bursts:
                k = 0.55 + 0.45 * ((t * 0.7 + at) % 1)
                pen.soft(x, y, r * k * 1.1, r * k * 1.1, c, alpha=0.35, add=True)
                for i in range(28):
                    a, d = 2 * math.pi * i / 28 + rng.uniform(-0.1, 0.1), r * k * rng.uniform(0.8, 1.05)
                    end = (x + math.cos(a) * d, y + math.sin(a) * d - 0.03 * k)
                    pen.line([(x + math.cos(a) * d * 0.35, y + math.sin(a) * d * 0.35), end], c, 0.007)
                    pen.oval(*end, 0.009, 0.009, mix(c, (1, 1, 1), 0.6))
            if self.town:
                for i in range(-10, 11):
                    h = rng.uniform(0.08, 0.24)
                    pen.rect(i * 0.09, -1, 0.085, 1 + h, (0.02, 0.02, 0.03))
                    pen.rects(
                        [
                            (i * 0.09 + 0.01 + 0.02 * (n % 3), h - 0.04 - 0.03 * (n // 3), 0.01, 0.012)
                            for n in range(9)
                            if rng.random() < 0.5
                        ],
                        (1.0, 0.85, 0.5),
                    )


class NightSky(Scene):
    """Moon, stars and a dark horizon."""

    name = "night_sky"
    lights = ("night",)

    def build(self, rng: random.Random) -> None:
        self.moon = (
            (
                rng.uniform(-0.35, 0.35),
                rng.uniform(0.5, 0.85),
                rng.uniform(0.05, 0.17),
                rng.choice((0.0, 0.5, 0.9)),
            )
            if rng.random() < 0.8
            else None
        )
        self.glow = vary(rng, (0.08, 0.1, 0.22), 0.03)
        if self.moon:
            self.facts.add("obj:moon")

    def draw(self, stage: Stage, t: float) -> None:
        rng = self.rng()
        with sheet(stage) as pen:
            pen.rect(-2, -1, 4, 3, shade(self.glow, 1.3), to=shade(self.glow, 0.3))
            for _ in range(150 if not self.moon else 80):
                r = rng.uniform(0.002, 0.007)
                pen.oval(
                    rng.uniform(-1, 1),
                    rng.uniform(0.15, 1.1),
                    r,
                    r,
                    (0.95, 0.95, 1.0),
                    alpha=rng.uniform(0.5, 1),
                )
            if self.moon:
                x, y, r, shadow = self.moon
                pen.soft(x, y, r * 2.6, r * 2.6, (0.8, 0.85, 1.0), alpha=0.35, add=True)
                pen.oval(x, y, r, r, (0.93, 0.92, 0.84))
                for _ in range(5):
                    pen.oval(
                        x + rng.uniform(-0.5, 0.5) * r,
                        y + rng.uniform(-0.5, 0.5) * r,
                        r * 0.16,
                        r * 0.14,
                        (0.78, 0.77, 0.7),
                    )
                if shadow:
                    pen.oval(x + r * shadow, y + r * 0.2, r * 1.02, r * 1.02, shade(self.glow, 0.6))
            pen.poly(
                [(-1.5, -1), *[(-1.5 + 0.1 * i, rng.uniform(0.08, 0.17)) for i in range(31)], (1.5, -1)],
                (0.01, 0.015, 0.02),
            )


class Clouds(Scene):
    """Nothing but sky and clouds."""

    name = "clouds"
    lights = ("day", "day", "overcast", "sunset")

    def build(self, rng: random.Random) -> None:
        self.puffs = [
            (rng.uniform(-0.8, 0.8), rng.uniform(0.0, 1.0), rng.uniform(0.14, 0.34)) for _ in range(rng.randint(3, 9))
        ]
        self.facts.add("view:wide")

    def camera(self, t: float) -> Camera:
        return Camera(0, 2, 0, tilt=0.46)

    def draw(self, stage: Stage, t: float) -> None:
        rng, light = self.rng(), stage.light
        stage.sky(drift=t)
        warm: RGB = (1.0, 0.72, 0.5) if light.name == "sunset" else (1, 1, 1)
        with sheet(stage, 0, 0.46) as pen:
            for x, y, r in self.puffs:
                for _ in range(12):
                    dx, dy = rng.uniform(-1.4, 1.4) * r, rng.uniform(-0.3, 0.4) * r
                    c = shade(warm, 0.8) if dy < 0 else warm
                    pen.soft(x + dx + 0.01 * t, y + dy, r * 0.7, r * 0.5, c, alpha=0.6)


class Underwater(Scene):
    """Blue water with fish, light from above, corals, bubbles, a diver."""

    name = "underwater"
    lights = ("day",)

    def build(self, rng: random.Random) -> None:
        self.water = vary(rng, rng.choice(((0.1, 0.45, 0.68), (0.08, 0.52, 0.58), (0.06, 0.3, 0.55))), 0.04)
        self.fishes = [
            (
                rng.uniform(-0.5, 0.5),
                rng.uniform(0.25, 0.9),
                rng.uniform(0.05, 0.15),
                basic(rng, rng.choice(NAMES)),
                rng.random() < 0.5,
            )
            for _ in range(rng.randint(4, 12))
        ]
        self.diver = rng.random() < 0.3
        self.facts = {
            "scene:underwater",
            "obj:fish",
            "maybe:scene:fish",
            "maybe:place:outdoor",
            "maybe:time:day",
            "maybe:scene:swimming_pool",
        }
        if self.diver:
            self.facts |= {"obj:diver", "obj:person"}

    def draw(self, stage: Stage, t: float) -> None:
        rng = self.rng()
        with sheet(stage) as pen:
            pen.rect(-2, -1, 4, 3, shade(self.water, 0.45), to=mix(self.water, (0.8, 1, 1), 0.45))
            for i in range(6):
                x = -0.6 + i * 0.24 + 0.02 * math.sin(t + i)
                pen.poly(
                    [(x, 1.2), (x + 0.07, 1.2), (x - 0.06, 0.1), (x - 0.24, 0.1)],
                    (0.85, 1.0, 1.0),
                    alpha=0.14,
                )
            pen.poly(
                [(-1.5, -1), *[(-1.5 + 0.15 * i, 0.08 + rng.uniform(0, 0.07)) for i in range(21)], (1.5, -1)],
                (0.62, 0.56, 0.42),
            )
            for _ in range(14):
                x, h = rng.uniform(-0.8, 0.8), rng.uniform(0.08, 0.26)
                c = shade(basic(rng, rng.choice(("red", "pink", "orange", "purple", "green", "green"))), 0.8)
                for k in (-1, 0, 1):
                    pen.line(
                        [
                            (x, 0.06),
                            (x + k * h * 0.2, 0.06 + h * 0.5),
                            (x + k * h * 0.4 + 0.01 * math.sin(t * 2 + x * 9), 0.06 + h),
                        ],
                        c,
                        h * 0.16,
                    )
            for _ in range(16):
                r = rng.uniform(0.004, 0.012)
                pen.oval(rng.uniform(-0.6, 0.6), rng.uniform(0.1, 1), r, r, (0.85, 0.97, 1.0), alpha=0.6)
        for x, y, size, c, flip in self.fishes:
            with sheet(stage, x + 0.05 * t * (-1 if flip else 1), y, size, flip=flip, tint=(0.8, 0.95, 1.0)) as pen:
                fish(pen, c, rng)
        if self.diver:
            with sheet(stage, rng.uniform(-0.2, 0.2), rng.uniform(0.4, 0.65), 0.36) as pen:
                pen.line([(-0.5, 0.0), (0.1, 0.1)], (0.08, 0.08, 0.1), 0.15)
                pen.rect(-0.25, 0.15, 0.35, 0.14, (0.9, 0.75, 0.1), r=0.06)
                pen.oval(0.22, 0.14, 0.1, 0.1, (0.1, 0.1, 0.12))
                pen.oval(0.27, 0.14, 0.05, 0.06, (0.5, 0.8, 0.9))
                pen.poly([(-0.5, 0.02), (-0.82, 0.1), (-0.8, -0.06)], (0.9, 0.4, 0.1))
