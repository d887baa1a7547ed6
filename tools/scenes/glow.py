"""Light in the dark, and screens: lit places at night, blurred lights, test pattern, static."""

from __future__ import annotations

import math
import random

from tools.scenes.base import Scene
from tools.scenes.colour import BASIC_COLOURS, RGB, basic, mix, shade, vary
from tools.scenes.pen import Pen, blob
from tools.scenes.sheet import sheet
from tools.scenes.stage import Camera, Stage

NAMES = tuple(BASIC_COLOURS)


def picture(pen: Pen, rng: random.Random, x: float, y: float, w: float, h: float) -> None:
    """Fill a rectangle with what a screen may show: shapes, faces, lettering, photographs, a plain colour."""
    ground = basic(rng, rng.choice(NAMES))
    pen.rect(x, y, w, h, ground, to=mix(ground, basic(rng, rng.choice(NAMES)), rng.choice((0.0, 0.3, 0.8))))
    kind = rng.choice(("plain", "disc", "lines", "figure", "photo", "photo", "logo"))
    tone = basic(rng, rng.choice(NAMES))
    if kind == "disc":
        pen.oval(x + w / 2, y + h / 2, min(w, h) * 0.35, min(w, h) * 0.35, tone)
    elif kind == "lines":
        pen.rects(
            [(x + w * 0.1, y + h * (0.2 + 0.2 * k), w * rng.uniform(0.3, 0.8), h * 0.07) for k in range(4)],
            tone,
        )
    elif kind == "figure":
        pen.oval(x + w / 2, y + h * 0.7, h * 0.1, h * 0.13, (0.85, 0.66, 0.54))
        pen.rect(x + w / 2 - h * 0.14, y, h * 0.28, h * 0.56, tone, r=h * 0.05)
    elif kind == "photo":
        for _ in range(rng.randint(5, 12)):
            c: RGB = (rng.random(), rng.random(), rng.random())
            a, b = w * rng.uniform(0.05, 0.3), h * rng.uniform(0.05, 0.3)
            pen.oval(
                x + a + (w - 2 * a) * rng.random(),
                y + b + (h - 2 * b) * rng.random(),
                a,
                b,
                mix(c, ground, 0.4),
            )
    elif kind == "logo":
        pen.oval(x + w / 2, y + h / 2, min(w, h) * 0.34, min(w, h) * 0.34, (1, 1, 1))
        pen.rects(
            [
                (x + w / 2 - min(w, h) * 0.2 + k * min(w, h) * 0.15, y + h * 0.42, min(w, h) * 0.09, h * 0.16)
                for k in range(3)
            ],
            (0.05, 0.05, 0.05),
        )


class LitNight(Scene):
    """A place at night: black sky and houses, lit screens, signs, windows, lamps, wet ground that shines."""

    name = "night_city"
    lights = ("night",)
    sway = 0.03

    def build(self, rng: random.Random) -> None:
        self.screens = []
        low = rng.uniform(0.3, 0.6)
        for _ in range(rng.choice((0, 1, 1, 2, 3, 5, 8))):
            w, h = rng.uniform(0.06, 0.6), rng.uniform(0.05, 0.4)
            self.screens.append((rng.uniform(-0.7, 0.7 - w), rng.uniform(low, 1.05 - h), w, h))
        self.shops = [(-0.8 + i * 0.12, rng.random() < 0.6) for i in range(14)] if rng.random() < 0.7 else []
        self.windows = rng.random() < 0.6
        self.lamps = [(rng.uniform(-0.6, 0.6), rng.uniform(low - 0.05, 0.9)) for _ in range(rng.randint(0, 9))]
        self.cars = [
            (rng.uniform(-0.5, 0.5), rng.uniform(0.08, low - 0.06), rng.random() < 0.5)
            for _ in range(rng.randint(0, 4))
        ]
        self.low, self.wet, self.dark = low, rng.random() < 0.7, rng.uniform(0.0, 0.05)
        self.sides = rng.random() < 0.6
        self.bokeh = rng.random() < 0.12
        self.facts |= {
            "maybe:scene:city_square",
            "maybe:scene:city_street",
            "maybe:weather:rain",
            "maybe:obj:screen",
        }

    def draw(self, stage: Stage, t: float) -> None:
        rng = self.rng()
        low, d = self.low, self.dark
        night: RGB = (d, d, d * 1.3)
        with sheet(stage) as pen:
            pen.rect(-2, -1, 4, 3, night, to=shade(night, 0.6))
            for x in range(-8, 8):
                top = low + rng.uniform(0.1, 0.5)
                pen.rect(x * 0.13, low, 0.13, top - low, shade(night, rng.uniform(0.6, 2.0)))
                if self.windows:
                    for _ in range(12):
                        if rng.random() < 0.45:
                            c = rng.choice(((1.0, 0.82, 0.5), (0.9, 0.92, 1.0), (1.0, 0.7, 0.4)))
                            pen.rect(
                                x * 0.13 + rng.uniform(0.01, 0.1),
                                low + rng.uniform(0.02, top - low),
                                0.018,
                                0.024,
                                c,
                                alpha=rng.uniform(0.3, 1),
                            )
            pen.rect(-2, -1, 4, 1 + low, (d * 1.5, d * 1.5, d * 1.6))
            glow = []
            for x, y, w, h in self.screens:
                picture(pen, rng, x, y, w, h)
                glow.append((x + w / 2, w, basic(rng, rng.choice(NAMES)), 0.8))
            for x, lit in self.shops:
                if lit:
                    c = rng.choice(((1.0, 0.9, 0.65), (0.92, 0.95, 1.0), (0.25, 0.35, 1.0), (1.0, 0.75, 0.4)))
                    pen.rect(x, low, 0.1, rng.uniform(0.05, 0.11), c, alpha=rng.uniform(0.4, 1))
                    pen.rect(x + 0.01, low + 0.115, 0.08, 0.018, basic(rng, rng.choice(NAMES)))
                    glow.append((x + 0.05, 0.1, c, 0.4))
            if self.sides:
                for s in (-1, 1):
                    w = rng.uniform(0.1, 0.3)
                    pen.rect(s * 0.55 - w / 2, low * 0.9, w, 1.2, shade(night, 1.5))
            for x, y in self.lamps:
                c = rng.choice(((1.0, 0.85, 0.6), (1.0, 0.95, 0.9), (1.0, 0.3, 0.2), (0.3, 1.0, 0.5), (0.5, 0.7, 1.0)))
                r = rng.uniform(0.02, 0.09)
                if self.bokeh:
                    pen.oval(x, y, r, r, c, alpha=0.7)
                else:
                    pen.soft(x, y, r, r, c, alpha=0.9, add=True)
                    pen.oval(x, y, r * 0.14, r * 0.14, mix(c, (1, 1, 1), 0.6))
                glow.append((x, 0.03, c, 0.4))
            for x, y, front in self.cars:
                c = (1.0, 0.95, 0.82) if front else (1.0, 0.12, 0.08)
                pen.rect(x - 0.06, y - 0.02, 0.12, 0.05, (0.02, 0.02, 0.025), r=0.02)
                for s in (-0.045, 0.045):
                    pen.soft(x + s, y, 0.05, 0.05, c, alpha=0.9, add=True)
            if self.wet:
                for x, w, c, k in glow:
                    pen.soft(
                        x,
                        low * 0.45,
                        max(0.02, w * 0.5),
                        low * 0.5,
                        c,
                        alpha=k * rng.uniform(0.2, 0.8),
                        add=True,
                    )
            pen.rect(-2, -1, 4, 1 + low, (0, 0, 0), alpha=0.15)
            for _ in range(rng.randint(0, 4)):
                x, h = rng.uniform(-0.5, 0.5), rng.uniform(0.1, 0.3)
                pen.rect(x - h * 0.1, low * 0.4, h * 0.2, h * 0.75, (0.01, 0.01, 0.012), r=h * 0.06)
                pen.oval(x, low * 0.4 + h * 0.85, h * 0.08, h * 0.1, (0.01, 0.01, 0.012))


class Bokeh(Scene):
    """Lights out of focus in the dark: round discs of many colours."""

    name = "lights"
    lights = ("night",)

    def build(self, rng: random.Random) -> None:
        self.ground = vary(rng, (0.04, 0.04, 0.06), 0.04)
        self.colours = [basic(rng, n) for n in rng.sample(NAMES[:7], rng.randint(1, 4))]
        self.facts = {
            "scene:lights",
            "time:night",
            "focus:blurred",
            "maybe:place:outdoor",
            "maybe:scene:night_city",
            "maybe:light:dark",
        }

    def draw(self, stage: Stage, t: float) -> None:
        rng = self.rng()
        with sheet(stage) as pen:
            pen.rect(-2, -1, 4, 3, self.ground, to=shade(self.ground, 2.0))
            for _ in range(rng.randint(14, 46)):
                c = mix(rng.choice(self.colours), (1, 0.9, 0.7), rng.random() * 0.5)
                r = rng.uniform(0.02, 0.1)
                pen.oval(rng.uniform(-0.6, 0.6), rng.uniform(0, 1), r, r, c, alpha=rng.uniform(0.25, 0.8))


class TestPattern(Scene):
    """The colour bars of a test picture, some with a circle or grey steps."""

    name = "test_pattern"
    lights = ("indoor",)

    def build(self, rng: random.Random) -> None:
        self.facts = {"scene:test_pattern"}
        self.low, self.disc, self.k = (
            rng.choice((0.0, 0.25, 0.33)),
            rng.random() < 0.35,
            rng.choice((0.75, 1.0)),
        )

    def camera(self, t: float) -> Camera:
        return Camera()

    def draw(self, stage: Stage, t: float) -> None:
        k = self.k
        bars: list[RGB] = [(k, k, k), (k, k, 0), (0, k, k), (0, k, 0), (k, 0, k), (k, 0, 0), (0, 0, k)]
        with sheet(stage) as pen:
            pen.rect(-2, -1, 4, 3, (0, 0, 0))
            for i, c in enumerate(bars):
                pen.rect(-0.7 + i * 0.2, self.low, 0.201, 2, c)
            for i in range(7):
                pen.rect(-0.7 + i * 0.2, -1, 0.201, 1 + self.low, (i / 7, i / 7, i / 7))
            if self.disc:
                pen.ring(0, 0.5, 0.4, 0.4, (1, 1, 1), 0.02)
                pen.segments([((-0.7, 0.5), (0.7, 0.5)), ((0, 0), (0, 1))], (1, 1, 1), 0.008)


class Static(Scene):
    """The noise of a screen without a signal."""

    name = "static"
    lights = ("indoor",)

    def build(self, rng: random.Random) -> None:
        self.facts = {"scene:static"}
        self.cell = rng.choice((70, 100, 128))

    def camera(self, t: float) -> Camera:
        return Camera()

    def draw(self, stage: Stage, t: float) -> None:
        rng = random.Random(self.seed + int(t * 24))
        n = self.cell
        with sheet(stage) as pen:
            pen.rect(-2, -1, 4, 3, (0.5, 0.5, 0.5))
            for level in (0.05, 0.25, 0.75, 0.97):
                boxes = [
                    (rng.randrange(-n, n) / n, rng.randrange(0, n) / n, 1.0 / n, 1.0 / n) for _ in range(n * n // 3)
                ]
                pen.rects(boxes, (level, level, level))


class Sunset(Scene):
    """A big low sun over water or hills, the sky in bands of orange and purple."""

    name = "sunset"
    lights = ("sunset",)

    def build(self, rng: random.Random) -> None:
        self.top = vary(rng, rng.choice(((0.35, 0.22, 0.45), (0.2, 0.28, 0.5), (0.75, 0.3, 0.2))), 0.06)
        self.glow = vary(rng, rng.choice(((1.0, 0.55, 0.15), (1.0, 0.45, 0.25), (1.0, 0.7, 0.3))), 0.05)
        self.low, self.x, self.r = rng.uniform(0.25, 0.45), rng.uniform(-0.3, 0.3), rng.uniform(0.05, 0.12)
        self.water = rng.random() < 0.6
        self.facts.discard("time:day")
        self.facts |= {
            "time:sunset",
            "maybe:time:day",
            "maybe:time:night",
            "maybe:scene:seaside",
            "maybe:scene:clouds",
            "maybe:scene:lake",
            "view:wide",
        }

    def draw(self, stage: Stage, t: float) -> None:
        rng = self.rng()
        with sheet(stage) as pen:
            pen.rect(-2, self.low, 4, 0.9, self.glow, to=self.top)
            for _ in range(9):
                y = rng.uniform(self.low + 0.08, 1)
                pen.soft(
                    rng.uniform(-0.7, 0.7),
                    y,
                    rng.uniform(0.15, 0.5),
                    0.03,
                    mix(self.glow, (0.6, 0.2, 0.3), rng.random()),
                    alpha=0.7,
                )
            y = self.low + self.r * rng.uniform(0.2, 1.6)
            pen.soft(self.x, y, 0.5, 0.4, (1.0, 0.7, 0.3), alpha=0.6, add=True)
            pen.oval(self.x, y, self.r, self.r, (1.0, 0.93, 0.7))
            if self.water:
                pen.rect(-2, -1, 4, 1 + self.low, shade(self.top, 0.5), to=shade(self.glow, 0.7))
                for _ in range(26):
                    v = rng.random()
                    pen.rect(
                        self.x - 0.12 * v + rng.uniform(-0.06, 0.06),
                        self.low * v,
                        0.2 * v * rng.random() + 0.03,
                        0.007,
                        (1.0, 0.8, 0.45),
                        alpha=0.8,
                    )
            else:
                for k in range(3):
                    hill = [
                        (-1.5 + 0.15 * i, self.low - 0.08 * k + 0.06 * math.sin(i * 0.9 + k * 2 + self.x * 9))
                        for i in range(21)
                    ]
                    pen.poly([(-1.5, -1), *hill, (1.5, -1)], shade((0.3, 0.16, 0.2), 0.9 - 0.28 * k))
                if rng.random() < 0.5:
                    x = rng.uniform(-0.3, 0.3)
                    pen.rect(x - 0.008, 0, 0.016, 0.3, (0.05, 0.03, 0.04))
                    pen.poly(blob(rng, x, 0.36, 0.11, 0.12), (0.06, 0.035, 0.045))
