"""A bottle of wine or beer with its glass on a table, close: glass with lights in it, labels, a blurred room behind."""

from __future__ import annotations

import math
import random

from tools.scenes.base import Scene
from tools.scenes.colour import RGB, basic, mix, shade, vary
from tools.scenes.furniture import WOOD
from tools.scenes.pen import Pen, Point
from tools.scenes.stage import Camera, Stage

TABLE_Y = 0.74
WINE: tuple[RGB, ...] = ((0.36, 0.02, 0.08), (0.86, 0.74, 0.36), (0.90, 0.48, 0.44))
GREEN: RGB = (0.06, 0.16, 0.07)
BROWN: RGB = (0.24, 0.11, 0.03)


def _smooth(points: list[Point], steps: int = 6) -> list[Point]:
    """Return a soft curve through points (Catmull and Rom)."""
    ends = [points[0], *points, points[-1]]
    result: list[Point] = []
    for a, b, c, d in zip(ends, ends[1:], ends[2:], ends[3:], strict=False):
        for k in range(steps):
            u = k / steps
            result.append(
                tuple(  # type: ignore[arg-type]
                    0.5
                    * (
                        2 * b[i]
                        + (c[i] - a[i]) * u
                        + (2 * a[i] - 5 * b[i] + 4 * c[i] - d[i]) * u * u
                        + (3 * b[i] - a[i] - 3 * c[i] + d[i]) * u**3
                    )
                    for i in (0, 1)
                )
            )
    return [*result, points[-1]]


def _round(profile: list[Point]) -> list[Point]:
    """Return the outline of a round body from the right half of its profile, low to high."""
    return [*profile, *[(-x, y) for x, y in profile[::-1]]]


def _body(pen: Pen, outline: list[Point], colour: RGB, wide: float, *, alpha: float = 1.0) -> None:
    """Fill a round body of glass: dark rims, a bright streak left, a faint one right."""
    pen.poly(outline, shade(colour, 0.5), alpha=alpha)
    for x, w, tone, a in (
        (-0.25, 1.3, mix(colour, (1, 1, 1), 0.05), 0.9),
        (0.18, 0.9, mix(colour, (1, 1, 1), 0.16), 0.35),
    ):
        middle = [(px * w * 0.55 + x * wide * 0.3, py) for px, py in outline]
        pen.poly(middle, tone, alpha=a * alpha * 0.6)


def wine_bottle(pen: Pen, glass: RGB, paper: RGB, ink: RGB, foil: RGB) -> None:
    """Draw a wine bottle 32 cm high, its foot at the origin."""
    profile = _smooth(
        [(0.0, 0.0), (0.034, 0.0), (0.0375, 0.006), (0.0375, 0.1), (0.0375, 0.19), (0.034, 0.212),
         (0.018, 0.236), (0.0145, 0.25), (0.0145, 0.31), (0.0155, 0.32), (0.0, 0.32)]
    )  # fmt: skip
    _body(pen, _round(profile), glass, 0.075)
    pen.poly(
        [(-0.030, 0.012), (-0.0225, 0.012), (-0.0225, 0.19), (-0.027, 0.2), (-0.030, 0.185)],
        (1, 1, 1),
        alpha=0.42,
    )
    pen.poly([(0.030, 0.02), (0.033, 0.02), (0.033, 0.18), (0.030, 0.19)], (1, 1, 1), alpha=0.25)
    pen.poly([(-0.0105, 0.235), (-0.007, 0.235), (-0.007, 0.262), (-0.0105, 0.262)], (1, 1, 1), alpha=0.4)
    # A paper label that bends with the bottle, and the capsule.
    label = [(-0.0377, 0.045), (0.0377, 0.045), (0.0377, 0.145), (-0.0377, 0.145)]
    pen.poly(label, shade(paper, 0.6), to=paper, along=((0.036, 0), (-0.012, 0)))
    pen.rect(-0.0377, 0.045, 0.02, 0.1, shade(paper, 0.75), to=paper, across=True)
    pen.rect(-0.022, 0.122, 0.044, 0.008, ink)
    pen.rects([(-0.018, 0.062 + k * 0.009, 0.036, 0.003) for k in range(3)], shade(ink, 1.2))
    pen.oval(0, 0.104, 0.012, 0.011, mix(ink, foil, 0.6))
    pen.poly([(-0.015, 0.262), (0.015, 0.262), (0.0158, 0.321), (-0.0158, 0.321)], shade(foil, 0.45), to=foil,
             along=((0.016, 0), (-0.008, 0)))  # fmt: skip
    pen.rect(-0.009, 0.264, 0.004, 0.055, (1, 1, 1), alpha=0.4)


def beer_bottle(pen: Pen, glass: RGB, paper: RGB, ink: RGB, cap: RGB) -> None:
    """Draw a beer bottle 24 cm high."""
    profile = _smooth(
        [(0.0, 0.0), (0.028, 0.0), (0.0305, 0.005), (0.0305, 0.07), (0.0305, 0.135), (0.026, 0.16),
         (0.0145, 0.195), (0.0125, 0.225), (0.0135, 0.232), (0.0, 0.234)]
    )  # fmt: skip
    _body(pen, _round(profile), glass, 0.06)
    pen.poly([(-0.025, 0.01), (-0.019, 0.01), (-0.019, 0.135), (-0.0225, 0.145)], (1, 1, 1), alpha=0.42)
    pen.poly([(-0.009, 0.185), (-0.006, 0.185), (-0.006, 0.22), (-0.009, 0.22)], (1, 1, 1), alpha=0.4)
    pen.rect(-0.0307, 0.035, 0.0614, 0.075, shade(paper, 0.62), to=paper)
    pen.oval(0, 0.074, 0.022, 0.027, ink)
    pen.oval(0, 0.074, 0.013, 0.016, paper)
    pen.rect(-0.0307, 0.04, 0.0614, 0.004, ink)
    pen.rect(-0.0135, 0.178, 0.027, 0.02, shade(paper, 0.9))
    pen.rect(-0.0145, 0.23, 0.029, 0.0095, shade(cap, 0.7), r=0.003, to=mix(cap, (1, 1, 1), 0.25))


def wine_glass(pen: Pen, wine: RGB, t: float) -> None:
    """Draw a glass of wine 22 cm high; its surface moves a little."""
    bowl = _smooth([(0.0, 0.095), (0.018, 0.1), (0.036, 0.125), (0.041, 0.16), (0.036, 0.2), (0.033, 0.222)])
    pen.poly(_round(bowl), (0.9, 0.94, 0.96), alpha=0.2)
    level = 0.158 + 0.0012 * math.sin(t * 2.2)
    inside = [(x * 0.95, y + 0.002) for x, y in bowl if y <= 0.158]
    inside.append((0.0385, level))
    pen.poly(_round(inside), shade(wine, 0.65), to=mix(wine, (1, 0.8, 0.7), 0.12), along=((0.03, 0.1), (-0.03, 0.16)),
             alpha=0.94)  # fmt: skip
    pen.oval(0, level, 0.0385, 0.006, mix(wine, (1, 1, 1), 0.22))
    pen.poly([(-0.0025, 0.008), (0.0025, 0.008), (0.003, 0.097), (-0.003, 0.097)], (0.85, 0.9, 0.92), alpha=0.6)
    pen.oval(0, 0.006, 0.034, 0.006, (0.86, 0.9, 0.92), alpha=0.5)
    pen.ring(0, 0.222, 0.033, 0.005, (1, 1, 1), 0.0012, alpha=0.8)
    pen.line(bowl, (1, 1, 1), 0.0014, alpha=0.55)
    pen.line([(-x, y) for x, y in bowl], (1, 1, 1), 0.0014, alpha=0.7)
    pen.poly([(-0.031, 0.14), (-0.026, 0.13), (-0.024, 0.2), (-0.028, 0.205)], (1, 1, 1), alpha=0.45)


def beer_glass(pen: Pen, beer: RGB, t: float, rng: random.Random) -> None:
    """Draw a tall glass of beer with foam and rising bubbles."""
    outline = [(-0.029, 0.0), (0.029, 0.0), (0.037, 0.18), (-0.037, 0.18)]
    pen.poly(outline, (0.9, 0.95, 0.97), alpha=0.25)
    pen.poly([(-0.027, 0.012), (0.027, 0.012), (0.0335, 0.145), (-0.0335, 0.145)], shade(beer, 0.8),
             to=mix(beer, (1, 0.9, 0.5), 0.35), along=((0.03, 0), (-0.02, 0.1)))  # fmt: skip
    for _ in range(26):
        x, y, v = rng.uniform(-0.024, 0.024), rng.random(), rng.uniform(0.3, 0.8)
        pen.oval(x, 0.014 + (y + t * v) % 1 * 0.125, 0.0011, 0.0011, (1, 1, 0.9), alpha=0.7)
    foam = [(x / 1000, 0.172 + rng.uniform(-0.003, 0.005)) for x in range(-35, 36, 7)]
    pen.poly(
        [(0.0335, 0.14), *foam[::-1], (-0.0335, 0.14)],
        (0.96, 0.94, 0.88),
        to=(1, 1, 0.98),
        along=((0, 0.14), (0, 0.175)),
    )
    pen.line([(-0.037, 0.18), (-0.029, 0.0), (0.029, 0.0), (0.037, 0.18)], (1, 1, 1), 0.0016, alpha=0.6)
    pen.poly([(-0.028, 0.03), (-0.023, 0.03), (-0.027, 0.15), (-0.032, 0.15)], (1, 1, 1), alpha=0.3)


class BottleTable(Scene):
    """One bottle of wine or beer, sometimes two, with a filled glass on a wooden or laid table."""

    name = "bottle_table"
    lights = ("indoor",)
    indoor = True

    def build(self, rng: random.Random) -> None:
        self.beer = rng.random() < 0.4
        self.facts.update(("obj:bottle", "obj:beer" if self.beer else "obj:wine", "obj:table"))
        self.wine = rng.choice(WINE)
        self.glass_colour = vary(
            rng, rng.choice((BROWN, BROWN, GREEN) if self.beer else (GREEN, GREEN, (0.10, 0.08, 0.05))), 0.02
        )
        self.paper = vary(
            rng,
            rng.choice(((0.93, 0.89, 0.78), (0.95, 0.95, 0.93), (0.16, 0.15, 0.15), (0.75, 0.12, 0.12))),
            0.03,
        )
        self.ink = (0.6, 0.08, 0.1) if sum(self.paper) > 1.6 else (0.85, 0.72, 0.35)
        self.foil = basic(rng, rng.choice(("red", "black", "yellow", "purple", "green")))
        self.wood = vary(rng, rng.choice(WOOD), 0.04)
        self.cloth = rng.random() < 0.3
        self.wall = vary(rng, rng.choice(((0.30, 0.22, 0.18), (0.62, 0.54, 0.44), (0.22, 0.26, 0.3), (0.74, 0.72, 0.68),
                                          (0.36, 0.18, 0.15))), 0.05)  # fmt: skip
        self.lamps = [
            (rng.uniform(-1, 1), rng.uniform(0.02, 0.5), rng.uniform(0.03, 0.09),
             rng.choice(((1.0, 0.78, 0.45), (1.0, 0.9, 0.7), (0.7, 0.85, 1.0), (1.0, 0.55, 0.35))))
            for _ in range(rng.randint(0, 14))
        ]  # fmt: skip
        self.x = rng.uniform(-0.05, 0.05)
        self.side = rng.choice((-1, 1))
        self.second = rng.random() < 0.2
        self.with_glass = rng.random() < 0.8
        self.food = rng.choice(("bread", "grapes", "candle", "none", "cheese"))
        self.near = rng.uniform(0.46, 0.72) * (0.82 if self.beer else 1.0)
        self.height = rng.uniform(0.15, 0.26)
        if self.with_glass:
            self.facts.add("obj:glass")
        self.dusk = rng.random() < 0.4
        if self.dusk:
            self.facts.add("light:evening")

    def camera(self, t: float) -> Camera:
        return Camera(
            self.pan * 0.02 + self.pan * 0.016 * t, TABLE_Y + self.height, 0.0, yaw=-self.pan * 0.012 * t,
            tilt=-0.02 - (self.height - 0.15) * 1.6 / self.near * 0.62, focal=1.28 + 0.02 * t,
        )  # fmt: skip

    def draw(self, stage: Stage, t: float) -> None:
        rng = self.rng()
        w, h = stage.width, stage.height
        with stage.screen() as pen:
            pen.rect(0, 0, w, h, shade(self.wall, 1.0), to=shade(self.wall, 0.62))
            pen.soft(
                w * (0.5 + 0.3 * self.side),
                h * 0.2,
                h * 0.9,
                h * 0.7,
                mix(self.wall, (1, 0.9, 0.7), 0.6),
                alpha=0.55,
            )
            for x, y, r, colour in self.lamps:
                px = w / 2 + (x - stage.camera.x * 2) * h * 0.8
                pen.soft(px, y * h, r * h * 1.5, r * h * 1.5, colour, alpha=0.3, add=True)
                pen.oval(px, y * h, r * h, r * h, colour, alpha=0.35)
        self._table(stage, rng)
        z = self.near
        place = [(self.x + self.side * 0.115, z - 0.02, "glass")] if self.with_glass else []
        place += [(self.x, z, "bottle")]
        if self.second:
            place.append((self.x - self.side * 0.1, z + 0.1, "bottle"))
        if self.food != "none":
            place.append((self.x - self.side * 0.17, z + 0.04, self.food))
        for x, far, kind in sorted(place, key=lambda p: -p[1]):
            self._shadow(stage, x, far, 0.04 if kind != "bread" else 0.09)
            with stage.standing(x, far, TABLE_Y) as pen:
                if kind == "bottle":
                    (beer_bottle if self.beer else wine_bottle)(pen, self.glass_colour, self.paper, self.ink, self.foil)
                elif kind == "glass" and self.beer:
                    beer_glass(pen, (0.86, 0.56, 0.10), t, self.rng(3))
                elif kind == "glass":
                    wine_glass(pen, self.wine, t)
                else:
                    self._food(pen, kind, t)
            if kind == "candle":
                stage.glow(x, TABLE_Y + 0.17, far, 0.14, (1.0, 0.75, 0.35), alpha=0.6)

    def _table(self, stage: Stage, rng: random.Random) -> None:
        back = self.near + 0.75
        with stage.plane((-2, TABLE_Y, 0.05), (1, 0, 0), (0, 0, 1), facing=0.7, haze=False) as pen:
            top = (0.93, 0.92, 0.9) if self.cloth else self.wood
            pen.rect(0, 0, 4, back, mix(top, (1, 1, 1), 0.08), to=shade(top, 0.72))
            if self.cloth:
                tint = mix(top, self.foil, 0.55)
                pen.rects([(k * 0.16, 0, 0.08, back) for k in range(25)], tint, alpha=0.35)
                pen.rects([(0, k * 0.16, 4, 0.08) for k in range(int(back / 0.16))], tint, alpha=0.35)
            else:
                pen.segments([((k * 0.14, 0), (k * 0.14, back)) for k in range(29)], shade(self.wood, 0.6), 0.003)
                for _ in range(120):
                    x, y = rng.uniform(0, 4), rng.uniform(0, back)
                    pen.line(
                        [(x, y), (x + rng.uniform(-0.004, 0.004), y + rng.uniform(0.1, 0.4))],
                        shade(self.wood, rng.uniform(0.7, 1.1)),
                        rng.uniform(0.002, 0.006),
                        alpha=0.35,
                    )
            pen.texture(0, 0, 4, back, "patch", size=0.5, alpha=0.03 if self.cloth else 0.1)
            pen.soft(2 + self.side * 0.2, self.near, 0.7, 0.4, (1, 0.95, 0.85), alpha=0.25)
        with stage.standing(0, 0.05 + back, TABLE_Y) as pen:
            pen.rect(-3, -0.03, 6, 0.032, shade(self.wood, 0.5))

    def _shadow(self, stage: Stage, x: float, z: float, r: float) -> None:
        way = -math.copysign(1, stage.light.sun[0])
        with stage.plane((0, TABLE_Y, 0), (1, 0, 0), (0, 0, 1), haze=False) as pen:
            pen.soft(x, z, r * 1.5, r * 1.1, (0, 0, 0), alpha=0.6)
            pen.soft(x + way * r * 1.7, z + r * 0.8, r * 2.4, r * 0.9, (0, 0, 0), alpha=0.3)

    def _food(self, pen: Pen, kind: str, t: float) -> None:
        local = self.rng(8)
        if kind == "grapes":
            for _ in range(26):
                x, y = local.gauss(0, 0.025), abs(local.gauss(0.0, 0.016)) + 0.012
                c = vary(local, (0.28, 0.10, 0.30), 0.05)
                pen.oval(x, y, 0.011, 0.011, shade(c, 0.6), to=mix(c, (1, 1, 1), 0.3))
        elif kind == "bread":
            pen.poly(_smooth([(-0.09, 0.0), (-0.095, 0.03), (-0.05, 0.058), (0.03, 0.06), (0.085, 0.03), (0.085, 0.0)]),
                     (0.50, 0.28, 0.11), to=(0.86, 0.62, 0.32), along=((0, 0), (0, 0.06)))  # fmt: skip
            pen.segments(
                [((-0.06 + k * 0.035, 0.035), (-0.045 + k * 0.035, 0.056)) for k in range(4)],
                (0.96, 0.82, 0.55),
                0.006,
            )
        elif kind == "cheese":
            pen.poly(
                [(-0.07, 0.0), (0.06, 0.0), (0.06, 0.045), (-0.07, 0.03)],
                (0.85, 0.66, 0.2),
                to=(0.97, 0.85, 0.42),
            )
            for x, y, r in ((-0.03, 0.012, 0.006), (0.02, 0.025, 0.008), (0.04, 0.01, 0.005)):
                pen.oval(x, y, r, r * 0.8, (0.72, 0.52, 0.14))
        else:
            pen.rect(-0.012, 0, 0.024, 0.13, (0.86, 0.82, 0.7), to=(0.98, 0.95, 0.86))
            lean = 0.003 * math.sin(t * 7)
            pen.poly(_smooth([(-0.006, 0.138), (lean, 0.175), (0.006, 0.138), (0, 0.132), (-0.006, 0.138)]),
                     (1.0, 0.62, 0.15), lit=False)  # fmt: skip
