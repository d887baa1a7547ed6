"""Close things of known colours on grounds of known colours, animals, faces: what colours and names bind to."""

from __future__ import annotations

import math
import random

from tools.scenes.base import Scene
from tools.scenes.colour import BASIC_COLOURS, RGB, basic, mix, shade, vary
from tools.scenes.creatures import CRAFT, CREATURES, FURS, portrait
from tools.scenes.objects import OBJECTS, Draw
from tools.scenes.pen import Pen, blob
from tools.scenes.sheet import sheet
from tools.scenes.stage import Stage
from tools.scenes.vehicles import bus_side, car_end, car_side, lorry_side

NAMES = tuple(BASIC_COLOURS)


def _scaled(draw: Draw, size: float) -> Draw:
    """Return ``draw`` at another scale: vehicles are drawn in metres."""

    def scaled(pen: Pen, c: RGB, rng: random.Random) -> None:
        pen._canvas.save()
        pen._canvas.scale(size, size)
        draw(pen, c, rng)
        pen._canvas.restore()

    return scaled


def _car(pen: Pen, c: RGB, rng: random.Random) -> None:
    if rng.random() < 0.7:
        car_side(pen, c, rng.random())
    else:
        car_end(pen, c, front=rng.random() < 0.5)


VEHICLES: dict[str, Draw] = {
    "car": _scaled(_car, 0.36),
    "bus": _scaled(lambda pen, c, rng: bus_side(pen, c), 0.155),
    "truck": _scaled(lambda pen, c, rng: lorry_side(pen, c, mix(c, (0.5, 0.5, 0.5), 0.2)), 0.2),
    **CRAFT,
}
THINGS: dict[str, Draw] = {**OBJECTS, **VEHICLES}
LOW = {"car": 0.6, "bus": 0.55, "truck": 0.75, "train": 0.8, "shoe": 0.6, "hat": 0.6}
"""Height of the things that are not about one unit high."""
MIXED = {"aeroplane", "computer", "phone", "clock", "cake", "fruit"}
"""Things of many colours: nobody would name them by the one that was drawn for them."""
COMMON = (
    "car",
    "car",
    "car",
    "ball",
    "ball",
    "box",
    "cup",
    "bus",
    "truck",
    "chair",
    "umbrella",
    "bottle",
    "door",
    "boat",
)
"""Drawn more often than the others: people ask for their colours."""


def backdrop(stage: Stage, rng: random.Random, style: str, ground: RGB, wall: RGB, low: float, *, road: bool) -> None:
    """Paint what a thing stands before: floor and wall, one plain colour, or blurred patches."""
    with sheet(stage) as pen:
        pen.rect(-2, -1, 4, 3, shade(wall, 0.85), to=mix(wall, (1, 1, 1), 0.12))
        if style == "blur":
            for _ in range(9):
                tone = mix(wall, (rng.random(), rng.random(), rng.random()), 0.45)
                pen.soft(
                    rng.uniform(-0.8, 0.8),
                    rng.uniform(0, 1),
                    rng.uniform(0.2, 0.5),
                    rng.uniform(0.2, 0.5),
                    tone,
                )
        elif style == "stripes":
            for i in range(-6, 7):
                pen.rect(i * 0.14, low, 0.05, 1.4, mix(wall, (1, 1, 1), 0.25))
        elif style == "leaves":
            for _ in range(14):
                at = (rng.uniform(-0.8, 0.8), rng.uniform(low, 1.1))
                pen.poly(blob(rng, *at, rng.uniform(0.08, 0.2), rng.uniform(0.08, 0.16)), vary(rng, wall, 0.1))
        pen.rect(-2, -1, 4, 1 + low, shade(ground, 0.8), to=ground)
        if rng.random() < 0.5:
            pen.texture(-2, -1, 4, 1 + low, rng.choice(("patch", "fine")), size=rng.uniform(0.3, 1.2), alpha=0.14)
        if road:
            line = (0.93, 0.93, 0.9) if sum(ground) < 2.2 else (0.4, 0.4, 0.4)
            pen.rects([(-1.5 + i * 0.34, low * 0.25, 0.2, 0.02) for i in range(9)], line)


class Single(Scene):
    """One thing, or two, each of one basic colour, on a ground of another."""

    name = "thing"
    lights = ("day",)
    sway = 0.03

    def build(self, rng: random.Random) -> None:
        kinds = [rng.choice(COMMON) if rng.random() < 0.5 else rng.choice(tuple(THINGS))]
        if rng.random() < 0.22:
            kinds.append(rng.choice(COMMON if rng.random() < 0.5 else tuple(THINGS)))
        colours = rng.sample(NAMES, 4)
        self.style = rng.choice(("plain", "plain", "wall", "wall", "blur", "stripes", "leaves"))
        vehicle = kinds[0] in VEHICLES
        natural = rng.random()
        if vehicle and natural < 0.45:
            colours[2] = "grey"
        elif vehicle and natural < 0.6:
            colours[2] = rng.choice(("green", "brown"))
        if colours[2] == colours[0] and rng.random() < 0.9:
            colours[0] = rng.choice([n for n in NAMES if n != colours[2]])
        self.road = vehicle and rng.random() < 0.7
        self.low = rng.uniform(0.25, 0.55)
        self.ground = basic(rng, colours[2])
        self.wall = self.ground if self.style == "plain" else basic(rng, colours[3])
        scenery = (0.62, 0.78, 0.93) if rng.random() < 0.6 else (0.45, 0.6, 0.4)
        if vehicle and self.style != "plain" and rng.random() < 0.5:
            self.wall = vary(rng, scenery, 0.08)
        self.tint = rng.uniform(0.72, 1.06)
        self.facts = {f"ground:{colours[2]}", "maybe:place:outdoor", "maybe:place:indoor"}
        if self.style == "wall" and self.wall != scenery and not vehicle:
            self.facts.add(f"wall:{colours[3]}")
        if self.road:
            self.facts.add("obj:road")
        self.things = []
        for i, kind in enumerate(kinds):
            size = rng.uniform(0.36, 0.62) if len(kinds) == 1 else rng.uniform(0.3, 0.4)
            size *= 1.0 if kind in ("bus", "truck", "train") else 1.08
            x = rng.uniform(-0.1, 0.1) if len(kinds) == 1 else (-0.24 if i == 0 else 0.24) + rng.uniform(-0.03, 0.03)
            y = self.low * rng.uniform(0.3, 0.8)
            if kind in ("aeroplane", "helicopter", "balloon") and rng.random() < 0.7:
                y = rng.uniform(0.35, 0.5)
            self.things.append((kind, basic(rng, colours[i]), x, y, size, rng.random() < 0.5, rng.randrange(1 << 20)))
            self.facts |= {f"scene:{kind}"} | ({f"{kind}:{colours[i]}"} if kind not in MIXED else set())
        if len(kinds) == 1 and self.things[0][4] > 0.5:
            self.facts.add("view:close")

    def draw(self, stage: Stage, t: float) -> None:
        rng = self.rng()
        backdrop(stage, rng, self.style, self.ground, self.wall, self.low, road=self.road)
        for kind, colour, x, y, size, flip, seed in sorted(self.things, key=lambda one: -one[3]):
            with sheet(stage) as pen:
                pen.soft(x, y, size * 0.62, size * 0.1, (0, 0, 0), alpha=0.45)
            with sheet(stage, x, y, size, flip=flip, tint=(self.tint, self.tint, self.tint)) as pen:
                THINGS[kind](pen, colour, random.Random(seed))


class Animal(Scene):
    """One animal on grass, on a floor, on snow, in water or in the air."""

    name = "animal"
    lights = ("day",)
    sway = 0.03

    def build(self, rng: random.Random) -> None:
        self.kind = rng.choice(tuple(CREATURES))
        self.facts = {f"scene:{self.kind}", "obj:animal", "view:close"}
        self.fur = vary(rng, rng.choice(FURS), 0.05)
        if self.kind in ("bird", "fish"):
            name = rng.choice(NAMES)
            self.fur = basic(rng, name)
            self.facts.add(f"{self.kind}:{name}")
        grounds: tuple[RGB, ...] = (
            (0.35, 0.55, 0.2),
            (0.3, 0.48, 0.2),
            (0.6, 0.5, 0.35),
            (0.9, 0.92, 0.95),
            (0.6, 0.42, 0.28),
        )
        self.ground = vary(rng, rng.choice(grounds), 0.05)
        self.wall = vary(
            rng,
            rng.choice(((0.6, 0.78, 0.94), (0.4, 0.58, 0.36), (0.86, 0.84, 0.78), (0.7, 0.74, 0.76))),
            0.08,
        )
        self.style = rng.choice(("wall", "blur", "leaves"))
        if self.kind == "fish":
            self.ground, self.wall = (0.1, 0.35, 0.5), vary(rng, (0.16, 0.5, 0.7), 0.08)
            self.facts.add("maybe:scene:underwater")
        self.size, self.flip = rng.uniform(0.5, 0.78), rng.random() < 0.5
        self.x, self.y = rng.uniform(-0.08, 0.08), rng.uniform(0.08, 0.2)

    def draw(self, stage: Stage, t: float) -> None:
        rng = self.rng()
        backdrop(stage, rng, self.style, self.ground, self.wall, 0.38, road=False)
        with sheet(stage) as pen:
            pen.soft(self.x, self.y, self.size * 0.6, self.size * 0.1, (0, 0, 0), alpha=0.35)
        with sheet(stage, self.x, self.y, self.size, flip=self.flip) as pen:
            CREATURES[self.kind](pen, self.fur, rng)


class Portrait(Scene):
    """A face close by, before a plain, a blurred or a striped wall; the shirt has a basic colour."""

    name = "portrait"
    lights = ("day",)

    def build(self, rng: random.Random) -> None:
        shirt = rng.choice(NAMES)
        self.facts = {"scene:portrait", "obj:person", f"shirt:{shirt}", "view:close"}
        self.shirt, self.wall = basic(rng, shirt), basic(rng, rng.choice(NAMES))
        self.style = rng.choice(("wall", "blur", "blur", "stripes", "leaves"))
        self.size, self.x, self.y = rng.uniform(0.62, 1.0), rng.uniform(-0.12, 0.12), rng.uniform(0.0, 0.22)

    def draw(self, stage: Stage, t: float) -> None:
        rng = self.rng()
        backdrop(stage, rng, self.style, self.wall, self.wall, -0.5, road=False)
        with sheet(stage, self.x, self.y + 0.01 * math.sin(t), self.size) as pen:
            portrait(pen, self.shirt, rng)
