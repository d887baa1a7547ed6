"""Places outdoors: lake, waterfall, farm, bridge, swimming pool."""

from __future__ import annotations

import math
import random

from tools.scenes.base import Scene
from tools.scenes.colour import BASIC_COLOURS, RGB, basic, mix, shade, vary
from tools.scenes.creatures import CREATURES, boat
from tools.scenes.nature import hills, leafy_tree, pine_tree, rock, sea
from tools.scenes.pen import blob
from tools.scenes.stage import Camera, Stage

NAMES = tuple(BASIC_COLOURS)


class Outside(Scene):
    """A place outdoors with a camera that moves a little."""

    height: float = 2.2
    tilt: float = 0.0

    def camera(self, t: float) -> Camera:
        return Camera(self.pan * 0.5 * t, self.height, 0, yaw=self.pan * 0.03, tilt=self.tilt, focal=1.0)

    def meadow(self, stage: Stage, green: RGB) -> None:
        """Lay grass from the camera to the horizon."""
        with stage.ground() as pen:
            pen.rect(-400, -5, 800, 700, green)
            pen.texture(-400, -5, 800, 200, "patch", size=12, alpha=0.28)

    def trees(self, stage: Stage, rng: random.Random, count: int, z0: float, z1: float, *, pines: bool) -> None:
        """Queue trees between two distances."""
        for i in range(count):
            x, z, h = rng.uniform(-40, 40), rng.uniform(z0, z1), rng.uniform(6, 11)

            def tree(x: float = x, z: float = z, h: float = h, i: int = i) -> None:
                with stage.standing(x, z) as pen:
                    (pine_tree if pines else leafy_tree)(pen, random.Random(i), h, (0.2, 0.42, 0.18))

            stage.add(x, z, tree)


class Lake(Outside):
    """A lake with wooded banks and their reflections, perhaps a landing stage."""

    name = "lake"

    def build(self, rng: random.Random) -> None:
        self.water = vary(rng, rng.choice(((0.2, 0.42, 0.55), (0.25, 0.5, 0.5), (0.16, 0.34, 0.5))), 0.04)
        self.pines, self.pier, self.boat = rng.random() < 0.5, rng.random() < 0.5, rng.random() < 0.35
        self.paint = basic(rng, rng.choice(NAMES))
        self.facts |= {"obj:lake", "maybe:scene:mountains", "view:wide"}

    def draw(self, stage: Stage, t: float) -> None:
        rng = self.rng()
        stage.sky(drift=t)
        hills(stage, rng, 300, 45, (0.28, 0.42, 0.3))
        self.meadow(stage, (0.34, 0.5, 0.24))
        with stage.ground() as pen:
            shore = blob(rng, 0, 34, 60, 30, points=22, rough=0.08)
            pen.poly(shore, mix(self.water, (1, 1, 1), 0.15), to=self.water, along=((0, 60), (0, 6)))
            pen.texture(-60, 3, 120, 64, "patch", size=14, alpha=0.2, shift=(t, 0), stretch=0.2)
            if self.pier:
                pen.rect(-1.1, 0, 2.2, 15, (0.45, 0.34, 0.24))
                pen.segments([((-1.1, z * 0.8), (1.1, z * 0.8)) for z in range(3, 18)], (0.3, 0.22, 0.15), 0.1)
        self.trees(stage, rng, 26, 66, 95, pines=self.pines)
        if self.boat:
            with stage.standing(6, 24, size=3.0) as pen:
                boat(pen, self.paint, rng)
            stage.note("obj:boat", 6, 24)
        stage.facts.add("obj:tree")
        stage.flush()


class Waterfall(Outside):
    """Water falling over a cliff into a pool, with spray."""

    name = "waterfall"
    lights = ("day", "day", "overcast")

    def build(self, rng: random.Random) -> None:
        self.rock = vary(rng, rng.choice(((0.36, 0.34, 0.32), (0.45, 0.36, 0.28), (0.3, 0.36, 0.34))), 0.04)
        self.wide, self.x = rng.uniform(2.5, 7), rng.uniform(-2, 2)
        self.facts |= {"maybe:scene:forest", "maybe:scene:mountains"}

    def draw(self, stage: Stage, t: float) -> None:
        rng = self.rng()
        stage.sky(drift=t)
        with stage.standing(0, 30) as pen:
            pen.poly(
                [(-40, -2), *[(-40 + 5 * i, 15 + rng.uniform(-2, 2)) for i in range(17)], (40, -2)],
                shade(self.rock, 0.7),
                to=self.rock,
                along=((0, 0), (0, 16)),
            )
            pen.texture(-40, -2, 80, 19, "patch", size=9, alpha=0.5)
            for _ in range(26):
                pen.poly(
                    blob(rng, rng.uniform(-30, 30), rng.choice((14, 15, 16, 3)) + rng.uniform(-2, 2), 2.5, 1.6),
                    vary(rng, (0.18, 0.4, 0.16), 0.06),
                )
            pen.rect(self.x - self.wide / 2, -1, self.wide, 17, (0.75, 0.86, 0.93), to=(0.96, 0.98, 1.0))
            for i in range(14):
                x = self.x + self.wide * (rng.random() - 0.5)
                pen.line(
                    [(x, 16), (x + rng.uniform(-0.2, 0.2), rng.uniform(-1, 6))],
                    (0.62, 0.76, 0.86) if i % 2 else (1, 1, 1),
                    0.14,
                )
        with stage.ground() as pen:
            pen.rect(-60, -5, 120, 36, (0.2, 0.42, 0.46))
            pen.texture(-60, -5, 120, 40, "patch", size=6, alpha=0.3, stretch=0.3, shift=(0, -t))
        with stage.standing(self.x, 29.5) as pen:
            for _ in range(12):
                pen.soft(
                    rng.uniform(-1, 1) * self.wide,
                    rng.uniform(0, 2.2),
                    2.0,
                    1.5,
                    (0.95, 0.97, 1.0),
                    alpha=0.5,
                )
        for _ in range(7):
            x, z, s = rng.uniform(-9, 9), rng.uniform(7, 22), rng.uniform(0.6, 1.6)
            with stage.standing(x, z) as pen:
                rock(pen, rng, s)


class Farm(Outside):
    """Rows of a field, a red or wooden barn, a tractor, perhaps cows."""

    name = "farm"
    tilt = -0.02

    def build(self, rng: random.Random) -> None:
        self.crop = vary(rng, rng.choice(((0.85, 0.7, 0.25), (0.4, 0.56, 0.22), (0.45, 0.32, 0.2))), 0.04)
        self.barn = rng.choice(((0.62, 0.14, 0.12), (0.62, 0.14, 0.12), (0.5, 0.36, 0.24)))
        self.x, self.tractor = rng.uniform(-9, 9), rng.choice((None, "red", "green", "blue", "orange"))
        self.paint = basic(rng, self.tractor) if self.tractor else (0.0, 0.0, 0.0)
        self.cows = rng.randint(1, 4) if rng.random() < 0.5 else 0
        self.facts |= {"maybe:scene:meadow", "maybe:scene:house", "maybe:scene:road"}

    def draw(self, stage: Stage, t: float) -> None:
        rng = self.rng()
        stage.sky(drift=t)
        hills(stage, rng, 380, 40, (0.4, 0.52, 0.3))
        self.meadow(stage, (0.4, 0.56, 0.24))
        with stage.ground() as pen:
            pen.rect(-120, 2, 240, 26, self.crop)
            pen.segments([((x * 1.6 * 0.4, 2), (x * 1.6, 28)) for x in range(-40, 40)], shade(self.crop, 0.62), 0.5)
        x, z = self.x, 42.0

        def barn() -> None:
            stage.box(x, z, 13, 12, 6, self.barn, yaw=0.0)
            with stage.standing(x, z - 6.1) as pen:
                pen.poly(
                    [(-7, 5.9), (-4.5, 9.4), (0, 11), (4.5, 9.4), (7, 5.9)],
                    self.barn,
                    to=shade(self.barn, 0.8),
                )
                pen.line([(-7, 5.9), (-4.5, 9.4), (0, 11), (4.5, 9.4), (7, 5.9)], (0.35, 0.33, 0.33), 0.7)
                pen.rect(-2, 0, 4, 4.2, (0.95, 0.94, 0.9))
                pen.rect(-1.8, 0, 3.6, 4, shade(self.barn, 0.8))
                pen.segments([((-1.8, 0), (1.8, 4)), ((-1.8, 4), (1.8, 0))], (0.95, 0.94, 0.9), 0.25)
            with stage.standing(x + 9.5, z) as pen:
                pen.rect(-1.8, 0, 3.6, 10, (0.62, 0.64, 0.66), to=(0.82, 0.83, 0.84), across=True)
                pen.oval(0, 10, 1.8, 1.3, (0.5, 0.52, 0.55))

        stage.add(x, z, barn)
        if self.tractor:
            self._tractor(stage, -self.x * 0.4 + t * 0.6)
        for i in range(self.cows):
            place = (rng.uniform(-8, 8), rng.uniform(12, 24))
            with stage.standing(*place, size=1.7, flip=rng.random() < 0.5) as pen:
                CREATURES["cow"](pen, (1, 1, 1), random.Random(i))
            stage.note("obj:cow", *place)
            stage.note("scene:cow", *place)
        stage.flush()

    def _tractor(self, stage: Stage, x: float) -> None:
        def paint() -> None:
            stage.shadow(x, 14, 2.6, 1)
            with stage.standing(x, 14) as pen:
                pen.rect(-0.2, 0.9, 2.4, 0.9, self.paint)
                pen.rect(-1.5, 1.4, 1.6, 1.6, (0.3, 0.42, 0.5))
                pen.rect(-1.6, 2.9, 1.8, 0.2, self.paint)
                pen.rect(1.5, 1.8, 0.15, 0.9, (0.15, 0.15, 0.15))
                for cx, r in ((-1.0, 1.1), (1.7, 0.6)):
                    pen.oval(cx, r, r, r, (0.08, 0.08, 0.08))
                    pen.oval(cx, r, r * 0.5, r * 0.5, (0.9, 0.75, 0.2))

        stage.add(x, 14, paint)
        stage.note("obj:tractor", x, 14)


class Bridge(Outside):
    """A suspension bridge or an arched bridge over water."""

    name = "bridge"
    height = 5.0

    def build(self, rng: random.Random) -> None:
        self.paint = vary(
            rng,
            rng.choice(((0.72, 0.2, 0.14), (0.5, 0.53, 0.56), (0.3, 0.42, 0.36), (0.62, 0.56, 0.48))),
            0.03,
        )
        self.arch = rng.random() < 0.4
        self.deck = rng.uniform(7, 11)
        self.facts |= {"maybe:scene:seaside", "maybe:scene:lake", "view:wide"}

    def draw(self, stage: Stage, t: float) -> None:
        rng = self.rng()
        stage.sky(drift=t)
        hills(stage, rng, 500, 60, (0.34, 0.42, 0.36))
        sea(stage, 2, t, (0.2, 0.42, 0.52), (0.12, 0.3, 0.45))
        c, y = self.paint, self.deck
        with stage.standing(0, 70) as pen:
            if self.arch:
                for k in range(-3, 3):
                    x = k * 30
                    pen.poly(
                        [
                            (x, -2),
                            (x, y),
                            (x + 30, y),
                            (x + 30, -2),
                            *[
                                (x + 15 + 11 * math.cos(a), -2 + (y + 0) * math.sin(a))
                                for a in (math.pi * i / 12 for i in range(13))
                            ],
                        ],
                        c,
                        to=shade(c, 0.7),
                    )
            else:
                for x in (-26, 26):
                    pen.rect(x - 1.6, -3, 1.1, y + 27, c)
                    pen.rect(x + 0.5, -3, 1.1, y + 27, c)
                    pen.rects([(x - 1.6, h, 3.2, 1.0) for h in (y + 8, y + 16, y + 23)], c)
                for x0 in (-78, -26, 26):
                    cable = [(x0 + 52 * i / 16, y + 2 + 20 * (2 * i / 16 - 1) ** 2) for i in range(17)]
                    pen.line(cable, c, 0.6)
                    pen.segments([((px, y), (px, py)) for px, py in cable], c, 0.18)
            pen.rect(-160, y, 320, 2.0, shade(c, 0.8))
        if rng.random() < 0.4:
            with stage.standing(rng.uniform(-8, 8), 40, size=5.0) as pen:
                boat(pen, basic(rng, rng.choice(NAMES)), rng)


class SwimmingPool(Outside):
    """A swimming pool with lanes, tiles and swimmers."""

    name = "swimming_pool"
    height = 3.2
    tilt = -0.1
    lights = ("day", "day", "indoor")

    def build(self, rng: random.Random) -> None:
        self.water = vary(rng, (0.15, 0.62, 0.78), 0.05)
        self.swimmers = [(rng.uniform(-6, 6), rng.uniform(7, 22), rng.uniform(-1, 1)) for _ in range(rng.randint(0, 5))]
        self.facts.discard("place:outdoor")
        self.facts |= {"maybe:place:outdoor", "maybe:place:indoor", "maybe:time:day"}
        self.facts.discard("time:day")

    def draw(self, stage: Stage, t: float) -> None:
        rng = self.rng()
        if stage.light.name == "indoor":
            with stage.screen() as pen:
                pen.rect(0, 0, stage.width, stage.height, (0.8, 0.84, 0.86))
            with stage.standing(0, 36) as pen:
                pen.rects([(-30 + i * 5, 2, 4, 6) for i in range(12)], (0.6, 0.8, 0.92))
        else:
            stage.sky(drift=t)
            hills(stage, rng, 120, 10, (0.3, 0.48, 0.26))
        with stage.ground() as pen:
            pen.rect(-60, -5, 120, 60, (0.82, 0.8, 0.74))
            pen.segments([((x * 1.2, 0), (x * 1.2, 40)) for x in range(-30, 30)], (0.68, 0.66, 0.6), 0.06)
            pen.rect(-9, 3, 18, 24, self.water)
            pen.texture(-9, 3, 18, 24, "cloud", size=5, alpha=0.35, shift=(0.4 * t, 0.2 * t))
            pen.rects(
                [(-9, 3, 18, 0.4), (-9, 26.6, 18, 0.4), (-9, 3, 0.4, 24), (8.6, 3, 0.4, 24)],
                (0.95, 0.95, 0.96),
            )
            for x in (-5.4, -1.8, 1.8, 5.4):
                pen.segments([((x, 3.4 + k * 1.2), (x, 4 + k * 1.2)) for k in range(19)], (0.9, 0.2, 0.15), 0.22)
                pen.segments([((x, 4 + k * 1.2), (x, 4.6 + k * 1.2)) for k in range(19)], (0.95, 0.95, 0.95), 0.22)
        for x, z, v in self.swimmers:
            with stage.standing(x, z + v * t * 0.3) as pen:
                pen.soft(0, 0.05, 0.9, 0.25, (1, 1, 1), alpha=0.7)
                pen.oval(0, 0.15, 0.2, 0.22, (0.85, 0.65, 0.52))
                pen.oval(0, 0.26, 0.2, 0.14, (0.9, 0.2, 0.2))
                pen.line([(0.2, 0.1), (0.6, 0.35), (0.85, 0.1)], (0.85, 0.65, 0.52), 0.13)
