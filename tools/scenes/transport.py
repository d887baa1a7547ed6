"""Trains, aeroplanes, ships, boats in a harbour, parked cars."""

from __future__ import annotations

import math
import random

from tools.scenes.colour import BASIC_COLOURS, RGB, basic, shade, vary
from tools.scenes.creatures import aeroplane, boat
from tools.scenes.nature import hills, sea
from tools.scenes.outside import Outside
from tools.scenes.stage import Stage
from tools.scenes.structures import superstructure
from tools.scenes.vehicles import car_end

NAMES = tuple(BASIC_COLOURS)


class Railway(Outside):
    """A train on its tracks, with masts and a wire, or standing at a platform."""

    name = "train"
    height = 2.6

    def build(self, rng: random.Random) -> None:
        self.colour_name = rng.choice(NAMES)
        self.paint = basic(rng, self.colour_name)
        self.z, self.front = rng.uniform(10, 15), rng.uniform(-2, 7)
        self.facts.add("maybe:scene:road")

    def draw(self, stage: Stage, t: float) -> None:
        rng = self.rng()
        stage.sky(drift=t)
        hills(stage, rng, 360, 40, (0.36, 0.5, 0.3))
        self.meadow(stage, (0.4, 0.54, 0.26))
        z, c = self.z, self.paint
        with stage.ground() as pen:
            pen.rect(-200, z - 3.4, 400, 6.5, (0.45, 0.42, 0.4))
            pen.segments([((x * 0.9, z - 1.7), (x * 0.9, z + 0.2)) for x in range(-40, 41)], (0.3, 0.24, 0.2), 0.35)
            pen.rects([(-200, z - 1.5, 400, 0.12), (-200, z - 0.1, 400, 0.12)], (0.7, 0.7, 0.72))
        self.trees(stage, rng, 8, z + 12, z + 40, pines=False)
        stage.flush()
        x = self.front + t * 1.5
        with stage.standing(x, z, 0.3) as pen:
            pen.poly(
                [(-60, 0.3), (0, 0.3), (2.6, 0.5), (1.6, 2.2), (0.2, 3.4), (-60, 3.4)],
                shade(c, 0.75),
                to=c,
                along=((0, 0), (0, 3.4)),
            )
            pen.rects(
                [(-58 + i * 2.2, 1.7, 1.6, 1.0) for i in range(26)],
                (0.16, 0.2, 0.26) if not stage.light.night else (0.95, 0.85, 0.6),
            )
            pen.poly([(0.3, 1.9), (1.5, 1.9), (0.6, 3.0), (0.0, 3.0)], (0.2, 0.28, 0.36))
            pen.rect(-60, 1.1, 61.5, 0.25, (0.95, 0.95, 0.95))
            pen.rects([(-58 + i * 14.5, 0.3, 0.15, 3.1) for i in range(5)], (0.1, 0.1, 0.1))
            for i in range(30):
                pen.oval(-58 + i * 2, 0.1, 0.42, 0.42, (0.12, 0.12, 0.12))
        with stage.standing(0, z - 2.2) as pen:
            for x in (-9, 9):
                pen.rect(x, 0, 0.22, 6.4, (0.4, 0.42, 0.42))
                pen.rect(x, 6.0, 2.0, 0.15, (0.4, 0.42, 0.42))
            pen.line([(-60, 5.9), (60, 5.9)], (0.15, 0.15, 0.15), 0.06)
        stage.note("train:" + self.colour_name, min(self.front, 0), z, 1.5)


class Airport(Outside):
    """An airliner on a runway with a tower, or high in the sky."""

    name = "aeroplane"

    def build(self, rng: random.Random) -> None:
        self.colour_name = rng.choice(NAMES)
        self.paint = basic(rng, self.colour_name)
        self.flying = rng.random() < 0.5
        self.tilt = 0.32 if self.flying else 0.02
        self.flip = rng.random() < 0.5
        self.at = (rng.uniform(-6, 6), rng.uniform(10, 16)) if self.flying else (rng.uniform(-5, 5), 0.6)
        self.facts |= {"maybe:scene:clouds"} if self.flying else {"obj:airport", "maybe:scene:road"}

    def draw(self, stage: Stage, t: float) -> None:
        rng = self.rng()
        stage.sky(drift=t)
        hills(stage, rng, 420, 22, (0.36, 0.46, 0.32))
        self.meadow(stage, (0.4, 0.52, 0.28))
        if not self.flying:
            with stage.ground() as pen:
                pen.rect(-300, 8, 600, 34, (0.42, 0.42, 0.43))
                pen.rects([(x * 8, 14, 4, 0.5) for x in range(-20, 21)], (0.94, 0.94, 0.92))
            with stage.standing(-20 if self.flip else 20, 60) as pen:
                pen.rect(-1.5, 0, 3, 14, (0.75, 0.75, 0.74))
                pen.poly([(-3, 13), (3, 13), (4, 17), (-4, 17)], (0.25, 0.35, 0.42))
                pen.rect(-30, 0, 22, 5, (0.7, 0.72, 0.74))
        x, y = self.at
        size = 11.0 if self.flying else 15.0
        with stage.standing(
            x + (t if not self.flip else -t), 30, y - (0.1 if self.flying else 1.6), flip=self.flip, size=size
        ) as pen:
            aeroplane(pen, self.paint, rng)
            if not self.flying:
                pen.segments([((0.45, 0.4), (0.45, 0.18)), ((-0.25, 0.4), (-0.25, 0.18))], (0.3, 0.3, 0.3), 0.025)
                pen.oval(0.45, 0.16, 0.04, 0.04, (0.1, 0.1, 0.1))
                pen.oval(-0.25, 0.16, 0.05, 0.05, (0.1, 0.1, 0.1))


class ShipAtSea(Outside):
    """A cargo ship or a liner alone on the open sea."""

    name = "ship"
    height = 4.0

    def build(self, rng: random.Random) -> None:
        self.paint = basic(rng, rng.choice(("red", "blue", "black", "green", "white", "grey", "orange")))
        self.load, self.flip, self.x = rng.random() < 0.6, rng.random() < 0.5, rng.uniform(-6, 6)
        self.facts |= {"obj:ship", "maybe:scene:seaside"}

    def draw(self, stage: Stage, t: float) -> None:
        rng = self.rng()
        stage.sky(drift=t)
        sea(stage, 1, t, (0.16, 0.38, 0.5), (0.08, 0.24, 0.4))
        c = self.paint
        with stage.standing(self.x + t * (-0.6 if self.flip else 0.6), 46, 0.15 * math.sin(t), flip=self.flip) as pen:
            pen.poly([(-20, 5), (22, 6.5), (18, -1), (-18, -1)], shade(c, 0.7), to=c, along=((0, -1), (0, 6)))
            pen.poly([(-18.3, 0.2), (18.7, 0.2), (18, -1), (-18, -1)], (0.5, 0.12, 0.1))
            if self.load:
                for i in range(8):
                    for j in range(rng.randint(1, 3)):
                        pen.rect(
                            -9 + i * 3,
                            5.2 + j * 1.9,
                            2.8,
                            1.8,
                            basic(rng, rng.choice(("red", "blue", "orange", "green", "grey"))),
                        )
                superstructure(pen, -18, 5, 7, 9, basic(rng, "red"))
            else:
                for j in range(4):
                    pen.rect(-16 + j * 1.5, 5.2 + j * 2.2, 30 - j * 4, 2.1, (0.93, 0.94, 0.95))
                    pen.rects(
                        [(-15 + j * 1.5 + i * 1.4, 5.8 + j * 2.2, 0.8, 0.7) for i in range(19 - j * 3)],
                        (0.25, 0.35, 0.45),
                    )
                pen.poly([(-4, 14), (-1, 14), (-1.6, 18), (-4.4, 18)], basic(rng, "red"))
        with stage.ground() as pen:
            pen.soft(self.x, 45, 24, 2.0, (0.9, 0.95, 1.0), alpha=0.4)


class Harbour(Outside):
    """A marina: many moored boats and masts, a quay, houses in colours."""

    name = "harbour"
    height = 3.4

    def build(self, rng: random.Random) -> None:
        self.boats = [
            (
                rng.uniform(-14, 14),
                rng.uniform(10, 26),
                basic(rng, rng.choice(NAMES)),
                rng.random() < 0.5,
                rng.uniform(3.2, 4.6),
            )
            for _ in range(rng.randint(7, 14))
        ]
        self.facts |= {
            "obj:boat",
            "maybe:scene:boat",
            "maybe:scene:seaside",
            "maybe:obj:ship",
            "maybe:scene:shipyard",
        }

    def draw(self, stage: Stage, t: float) -> None:
        rng = self.rng()
        stage.sky(drift=t)
        hills(stage, rng, 200, 30, (0.36, 0.44, 0.34))
        sea(stage, 1, t, (0.2, 0.42, 0.5), (0.14, 0.32, 0.44))
        with stage.standing(0, 38) as pen:
            for i in range(-6, 7):
                c = vary(
                    rng,
                    rng.choice(
                        (
                            (0.9, 0.85, 0.7),
                            (0.85, 0.55, 0.4),
                            (0.7, 0.8, 0.85),
                            (0.9, 0.75, 0.4),
                            (0.8, 0.5, 0.5),
                        )
                    ),
                    0.05,
                )
                h = rng.uniform(6, 10)
                pen.rect(i * 5.2, 1, 5.1, h, shade(c, 0.85), to=c)
                pen.poly([(i * 5.2 - 0.2, h + 1), (i * 5.2 + 5.3, h + 1), (i * 5.2 + 2.5, h + 3)], (0.6, 0.28, 0.2))
                pen.rects(
                    [(i * 5.2 + 0.7 + a * 1.5, 2.5 + b * 2.4, 0.8, 1.2) for a in range(3) for b in range(int(h / 2.6))],
                    (0.25, 0.3, 0.36),
                )
            pen.rect(-60, 0, 120, 1.2, (0.55, 0.53, 0.5))
        for x, z, c, flip, size in sorted(self.boats, key=lambda one: -one[1]):
            with stage.ground() as pen:
                pen.soft(x, z - 1, size * 0.6, 1.0, (0.05, 0.1, 0.15), alpha=0.5)
            with stage.standing(x, z, 0.06 * math.sin(t + x), flip=flip, size=size) as pen:
                boat(pen, c, random.Random(int(x * 100)))


class ParkingLot(Outside):
    """Rows of parked cars between white lines."""

    name = "parking_lot"
    height = 5.5
    tilt = -0.16

    def build(self, rng: random.Random) -> None:
        self.rows = [
            (z, [(x * 2.9, rng.choice(NAMES)) for x in range(-7, 8) if rng.random() < 0.8]) for z in (9, 16, 23, 32, 42)
        ]
        self.facts |= {"obj:car", "maybe:scene:car", "maybe:scene:city_street", "maybe:scene:road"}

    def draw(self, stage: Stage, t: float) -> None:
        rng = self.rng()
        stage.sky(drift=t)
        self.meadow(stage, (0.4, 0.5, 0.3))
        with stage.ground() as pen:
            pen.rect(-60, -4, 120, 54, (0.34, 0.34, 0.35))
            pen.texture(-60, -4, 120, 54, "patch", size=8, alpha=0.2)
            for z, _ in self.rows:
                pen.rects([(x * 2.9 - 1.5, z - 2.4, 0.14, 4.6) for x in range(-8, 10)], (0.92, 0.92, 0.9))
        self.trees(stage, rng, 9, 56, 80, pines=False)
        for z, row in self.rows:
            for x, name in row:
                c = basic(rng, name)

                def car(x: float = x, z: float = z, c: RGB = c) -> None:
                    stage.shadow(x, z, 1.3, 1.8, strength=1.3)
                    stage.box(x, z + 0.5, 1.7, 3.6, 0.75, c, y=0.35, shadow=False)
                    with stage.standing(x, z - 1.4) as pen:
                        car_end(pen, c, front=int(x) % 2 == 0)

                stage.add(x, z, car)
        stage.flush()
