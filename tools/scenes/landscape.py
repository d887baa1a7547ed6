"""Landscapes without people's works: mountains, forest, snow, desert, field."""

from __future__ import annotations

import math
import random

from tools.scenes.base import Scene
from tools.scenes.colour import RGB, basic, mix, shade, vary
from tools.scenes.nature import falling, grass_tufts, hills, leafy_tree, mountain_range, pine_tree, rock
from tools.scenes.pen import blob
from tools.scenes.people import make_person, place_person
from tools.scenes.stage import Camera, Stage


class Mountains(Scene):
    """Mountain ranges with snow, a lake or a meadow, conifers."""

    name = "mountains"

    def build(self, rng: random.Random) -> None:
        self.rock = vary(rng, rng.choice(((0.45, 0.43, 0.45), (0.50, 0.42, 0.36), (0.36, 0.40, 0.44))), 0.04)
        self.snow = rng.uniform(0.25, 0.65)
        self.lake = rng.random() < 0.5
        self.meadow = vary(rng, (0.34, 0.50, 0.22), 0.05)
        self.pines = [
            (rng.uniform(-45, 45), rng.uniform(16, 75), rng.uniform(7, 13)) for _ in range(rng.randint(8, 26))
        ]
        self.tall = rng.uniform(0.7, 1.15)
        self.height = rng.uniform(3, 8)

    def camera(self, t: float) -> Camera:
        return Camera(self.pan * 1.5 * t, self.height, 0, yaw=self.pan * 0.015 * t, tilt=0.16, focal=1.0 + 0.012 * t)

    def draw(self, stage: Stage, t: float) -> None:
        rng = self.rng()
        stage.sky(drift=t)
        mountain_range(stage, rng, 1500, 750 * self.tall, mix(self.rock, (0.4, 0.5, 0.62), 0.3), snow=self.snow + 0.15)
        mountain_range(stage, rng, 900, 360 * self.tall, self.rock, snow=self.snow)
        hills(stage, rng, 420, 55, mix(self.meadow, (0.1, 0.24, 0.16), 0.7))
        with stage.ground() as pen:
            pen.rect(-500, -5, 1000, 500, self.meadow)
            pen.texture(-500, -5, 1000, 300, "patch", size=22, alpha=0.3)
            pen.texture(-60, -5, 120, 80, "fine", size=5, alpha=0.2)
            if self.lake:
                pen.poly(
                    blob(rng, 0, 85, 120, 48, points=26, rough=0.12),
                    (0.16, 0.36, 0.46),
                    to=(0.42, 0.58, 0.66),
                    along=((0, 40), (0, 130)),
                )
                pen.texture(-90, 50, 180, 70, "patch", size=30, alpha=0.16, shift=(t, 0), stretch=0.2)
                stage.facts.add("obj:lake")
        stage.haze_ground(reach=0.05, strength=0.4)
        for x, z, h in self.pines:
            if self.lake and z > 42:
                continue

            def pine(x: float = x, z: float = z, h: float = h) -> None:
                stage.shadow(x + 1, z, 2.6, 1)
                with stage.standing(x, z) as pen:
                    pine_tree(pen, random.Random(int(z * 313)), h, (0.12, 0.30, 0.18))

            stage.add(x, z, pine)
        stage.facts.add("obj:tree")
        stage.flush()


class Forest(Scene):
    """Among trees: trunks near and far, leaves, ferns, light through the crowns, a path."""

    name = "forest"

    def build(self, rng: random.Random) -> None:
        self.autumn = rng.random() < 0.25
        self.leaf = vary(rng, (0.70, 0.42, 0.12) if self.autumn else (0.22, 0.48, 0.16), 0.05)
        self.pines = rng.random() < 0.35
        self.trees = [(rng.uniform(-32, 32), 6 + 54 * rng.random() ** 0.8, rng.uniform(12, 20)) for _ in range(46)]
        self.walker = (make_person(rng), rng.uniform(-1, 1), rng.uniform(9, 16)) if rng.random() < 0.3 else None
        self.path = rng.random() < 0.6

    def camera(self, t: float) -> Camera:
        return Camera(self.pan * 0.4 * t, 1.8, t * 0.5, yaw=self.pan * 0.02 * t, tilt=0.06, focal=0.95)

    def draw(self, stage: Stage, t: float) -> None:
        rng = self.rng()
        stage.sky(sun=False)
        deep = mix(self.leaf, (0.05, 0.10, 0.06), 0.55)
        with stage.standing(stage.camera.x, 110) as pen:
            pen.rect(-160, -5, 320, 60, deep, to=mix(self.leaf, (0.8, 0.9, 0.6), 0.35))
            for _ in range(40):
                pen.poly(
                    blob(rng, rng.uniform(-90, 90), rng.uniform(8, 45), rng.uniform(6, 12), rng.uniform(5, 9)),
                    vary(rng, mix(deep, self.leaf, rng.random()), 0.05),
                )
        with stage.ground() as pen:
            pen.rect(-150, -5, 300, 140, mix(self.leaf, (0.25, 0.2, 0.12), 0.55))
            pen.texture(-150, -5, 300, 140, "patch", size=7, alpha=0.4)
            if self.path:
                edge = [(1.4 + 0.9 * math.sin(z * 0.14), z) for z in range(0, 60, 2)]
                pen.poly([*edge, *[(x - 2.4, z) for x, z in edge[::-1]]], (0.52, 0.42, 0.30))
            for _ in range(14):
                pen.soft(
                    rng.uniform(-12, 12),
                    rng.uniform(4, 30),
                    1.8,
                    0.9,
                    (1, 0.95, 0.7),
                    alpha=0.0 if stage.light.night else 0.22,
                )
            pen.texture(-40, -5, 80, 70, "fine", size=3, alpha=0.25)
        for i, (x, z, h) in enumerate(self.trees):
            if abs(x) < 2.6:
                x += 4 * math.copysign(1, x)
            seed = int(z * 131) + i

            def tree(x: float = x, z: float = z, h: float = h, seed: int = seed) -> None:
                local = random.Random(seed)
                stage.shadow(x, z, 1.6, 0.7)
                with stage.standing(x, z) as pen:
                    if self.pines:
                        pine_tree(pen, local, h, (0.11, 0.28, 0.16))
                        return
                    w = h * 0.028
                    bark = vary(local, (0.30, 0.23, 0.17), 0.04)
                    pen.poly(
                        [
                            (-w * 1.5, 0),
                            (-w, h * 0.1),
                            (-w * 0.7, h),
                            (w * 0.7, h),
                            (w, h * 0.1),
                            (w * 1.5, 0),
                        ],
                        shade(bark, 0.5),
                        to=mix(bark, (1, 1, 0.9), 0.12),
                        along=((w, 0), (-w, 0)),
                    )
                    for _ in range(7):
                        y = h * local.uniform(0.45, 1.0)
                        pen.poly(
                            blob(
                                local,
                                local.uniform(-2.6, 2.6),
                                y,
                                local.uniform(1.2, 2.2),
                                local.uniform(0.8, 1.5),
                            ),
                            shade(self.leaf, local.uniform(0.55, 1.1)),
                        )

            stage.add(x, z, tree)
        grass_tufts(stage, rng, 40, -10, 10, 4, 26, self.leaf)
        if self.walker:
            who, x, z = self.walker
            place_person(stage, who, x, z + t * 1.1, t)
        stage.facts.add("obj:tree")
        stage.flush()
        if stage.light.name in ("day", "sunset"):
            with stage.screen() as pen:
                w, h = stage.width, stage.height
                for i in range(4):
                    x = w * (0.15 + 0.22 * i + 0.04 * rng.random())
                    pen.poly(
                        [(x, 0), (x + w * 0.05, 0), (x - w * 0.08, h * 0.8), (x - w * 0.2, h * 0.8)],
                        (1.0, 0.97, 0.75),
                        alpha=0.13,
                        lit=False,
                        to=(1.0, 0.97, 0.75),
                        along=((x, 0), (x, h)),
                    )


class SnowField(Scene):
    """A winter landscape: snow, white conifers, a hut, falling flakes."""

    name = "snow"

    def build(self, rng: random.Random) -> None:
        self.pines = [
            (rng.uniform(-34, 34), rng.uniform(10, 80), rng.uniform(5, 12)) for _ in range(rng.randint(10, 30))
        ]
        self.flakes = rng.choice((0, 60, 140, 220))
        self.hut = (rng.uniform(-9, 9), rng.uniform(24, 40)) if rng.random() < 0.5 else None
        self.walker = (make_person(rng), rng.uniform(-5, 3), rng.uniform(10, 20)) if rng.random() < 0.4 else None
        self.hill = rng.uniform(20, 60)
        if self.flakes:
            self.facts.add("maybe:weather:snow")  # small flakes before white ground

    def camera(self, t: float) -> Camera:
        return Camera(self.pan * 0.6 * t, 2.4, 0, yaw=self.pan * 0.02 * t, tilt=0.04, focal=1.0)

    def draw(self, stage: Stage, t: float) -> None:
        rng = self.rng()
        stage.sky(drift=t)
        white: RGB = (0.93, 0.95, 0.98)
        mountain_range(stage, rng, 900, 240, (0.52, 0.56, 0.62), snow=0.85)
        hills(stage, rng, 300, self.hill, (0.80, 0.85, 0.92))
        with stage.ground() as pen:
            pen.rect(-400, -5, 800, 500, white)
            for _ in range(16):
                pen.soft(
                    rng.uniform(-25, 25),
                    rng.uniform(5, 50),
                    rng.uniform(3, 8),
                    rng.uniform(0.8, 2.0),
                    (0.55, 0.64, 0.78),
                    alpha=0.35,
                    lit=True,
                )
            pen.texture(-100, -5, 200, 100, "fine", size=6, alpha=0.07)
        for i, (x, z, h) in enumerate(self.pines):

            def pine(x: float = x, z: float = z, h: float = h, i: int = i) -> None:
                stage.shadow(x + 0.8, z, h * 0.25, 0.9, strength=0.6)
                with stage.standing(x, z) as pen:
                    pine_tree(pen, random.Random(i), h, (0.16, 0.32, 0.26), snow=0.9)

            stage.add(x, z, pine)
        if self.hut:
            self._hut(stage, *self.hut)
        if self.walker:
            who, x, z = self.walker
            place_person(stage, who, x + t * 0.9, z, t)
        stage.facts.add("obj:tree")
        stage.flush()
        falling(stage, rng, t, "snow", self.flakes)

    def _hut(self, stage: Stage, x: float, z: float) -> None:
        def draw() -> None:
            stage.box(x, z, 6, 5, 3, (0.42, 0.28, 0.18), yaw=0.25)
            with stage.standing(x, z - 2.8) as pen:
                pen.poly([(-3.9, 2.8), (0, 5.6), (3.9, 2.8)], (0.84, 0.88, 0.94), to=(1, 1, 1))
                pen.rect(-0.5, 0, 1.0, 2.0, (0.28, 0.17, 0.1))
                pen.rect(1.2, 1.2, 1.0, 0.9, (1.0, 0.85, 0.5), lit=False)

        stage.add(x, z, draw)


class Desert(Scene):
    """Dunes, rocks and cacti under a hot sky."""

    name = "desert"
    lights = ("day", "day", "day", "sunset", "night")

    def build(self, rng: random.Random) -> None:
        self.sand = vary(rng, (0.86, 0.62, 0.36), 0.05)
        self.cacti = [(rng.uniform(-16, 16), rng.uniform(10, 45), rng.uniform(2, 5)) for _ in range(rng.randint(0, 8))]
        self.dunes = [(rng.uniform(60, 300), rng.uniform(8, 30)) for _ in range(4)]
        self.facts.add("obj:cactus") if self.cacti else None

    def camera(self, t: float) -> Camera:
        return Camera(self.pan * 0.8 * t, 3.0, 0, yaw=self.pan * 0.02 * t, tilt=0.04, focal=1.0)

    def draw(self, stage: Stage, t: float) -> None:
        rng = self.rng()
        stage.sky(drift=t)
        for z, h in sorted(self.dunes, reverse=True):
            hills(stage, rng, z, h, vary(rng, self.sand, 0.05))
        with stage.ground() as pen:
            pen.rect(-300, -5, 600, 70, self.sand)
            pen.texture(-300, -5, 600, 120, "patch", size=9, alpha=0.3, stretch=0.25)
            pen.texture(-50, -5, 100, 60, "fine", size=4, alpha=0.16)
        for _ in range(5):
            x, z, s, seed = (
                rng.uniform(-14, 14),
                rng.uniform(9, 30),
                rng.uniform(0.4, 1.3),
                rng.randrange(1 << 20),
            )

            def stone(x: float = x, z: float = z, s: float = s, seed: int = seed) -> None:
                stage.shadow(x + 0.4, z, s * 1.5, 0.6)
                with stage.standing(x, z) as pen:
                    rock(pen, random.Random(seed), s, (0.6, 0.42, 0.3))

            stage.add(x, z, stone)
        for x, z, h in self.cacti:

            def cactus(x: float = x, z: float = z, h: float = h) -> None:
                stage.shadow(x + 0.8, z, 1.4, 0.5)
                with stage.standing(x, z) as pen:
                    for line in (
                        [(0, 0), (0, h)],
                        [(0, h * 0.4), (-h * 0.24, h * 0.45), (-h * 0.24, h * 0.75)],
                        [(0, h * 0.55), (h * 0.2, h * 0.6), (h * 0.2, h * 0.85)],
                    ):
                        pen.line(line, (0.16, 0.36, 0.16), h * 0.13)
                        pen.line([(a - h * 0.02, b) for a, b in line], (0.30, 0.52, 0.26), h * 0.05)

            stage.add(x, z, cactus)
        stage.flush()


class Meadow(Scene):
    """A meadow or field with flowers and trees."""

    name = "meadow"

    def build(self, rng: random.Random) -> None:
        self.green = vary(rng, (0.36, 0.56, 0.22), 0.05)
        self.flower_name = rng.choice(("red", "yellow", "white", "purple", "pink", "blue", "orange"))
        self.flower = basic(rng, self.flower_name)
        self.flowers = rng.choice((0, 90, 160))
        self.trees = [(rng.uniform(-30, 30), rng.uniform(22, 70), rng.uniform(6, 12)) for _ in range(rng.randint(1, 7))]
        if self.flowers:
            self.facts.update(("obj:flower", f"maybe:flower:{self.flower_name}"))

    def camera(self, t: float) -> Camera:
        return Camera(self.pan * 0.8 * t, 1.8, 0, yaw=self.pan * 0.02 * t, tilt=-0.05, focal=1.0)

    def draw(self, stage: Stage, t: float) -> None:
        rng = self.rng()
        stage.sky(drift=t)
        hills(stage, rng, 400, 50, mix(self.green, (0.3, 0.45, 0.4), 0.5))
        hills(stage, rng, 200, 14, self.green)
        with stage.ground() as pen:
            pen.rect(-300, -5, 600, 260, self.green)
            pen.texture(-300, -5, 600, 200, "patch", size=10, alpha=0.3)
            pen.texture(-50, -5, 100, 60, "fine", size=3, alpha=0.3)
        for i, (x, z, h) in enumerate(self.trees):

            def tree(x: float = x, z: float = z, h: float = h, i: int = i) -> None:
                stage.shadow(x + 1, z, h * 0.4, 1.3)
                with stage.standing(x, z) as pen:
                    leafy_tree(pen, random.Random(i), h, (0.24, 0.46, 0.18))

            stage.add(x, z, tree)
        grass_tufts(stage, rng, 50, -9, 9, 3.5, 20, mix(self.green, (0.1, 0.3, 0.1), 0.3))
        stage.flush()
        for _ in range(self.flowers):
            x, z = rng.uniform(-9, 9), 3.2 + 16 * rng.random() ** 1.5
            with stage.standing(x, z) as pen:
                sway = 0.03 * math.sin(t * 2 + x)
                pen.line([(0, 0), (sway, 0.42)], (0.2, 0.42, 0.14), 0.025)
                pen.oval(sway, 0.46, 0.12, 0.11, shade(self.flower, 0.8), to=self.flower)
                pen.oval(sway, 0.46, 0.04, 0.04, (0.95, 0.8, 0.2))
        stage.facts.add("obj:tree")
