"""Scenes with traffic: city street, country road, night skyline."""

from __future__ import annotations

import math
import random

from tools.scenes.base import Scene
from tools.scenes.colour import BASIC_COLOURS, RGB, basic, mix, vary
from tools.scenes.nature import hills, leafy_tree
from tools.scenes.people import make_person, place_person
from tools.scenes.stage import Camera, Stage
from tools.scenes.structures import house_face, street_lamp
from tools.scenes.vehicles import BUS_SIDE, CAR_END, CAR_SIDE, bus_side, car_end, car_side

WALLS: tuple[RGB, ...] = (
    (0.74, 0.60, 0.46),
    (0.62, 0.32, 0.25),
    (0.78, 0.74, 0.66),
    (0.52, 0.54, 0.58),
    (0.66, 0.66, 0.64),
    (0.80, 0.70, 0.50),
)
CAR_COLOURS = tuple(BASIC_COLOURS)


class CityStreet(Scene):
    """A street between houses with shops: cars both ways, pedestrians, lamps, trees; lit windows at night."""

    name = "city_street"
    lights = ("day", "day", "overcast", "sunset", "night", "night", "night")

    def build(self, rng: random.Random) -> None:
        self.half = rng.uniform(5.5, 7.5)
        self.houses = []
        for side in (-1, 1):
            z = rng.uniform(-6, 2)
            while z < 210:
                depth, high = rng.uniform(11, 22), rng.uniform(10, 34) if z < 120 else rng.uniform(18, 60)
                wall = vary(rng, rng.choice(WALLS), 0.06)
                shop = basic(rng, rng.choice(("red", "green", "blue", "orange", "purple", "brown"))) if z < 90 else None
                self.houses.append(
                    (
                        side,
                        z + depth / 2,
                        depth,
                        high,
                        wall,
                        house_face(rng, wall, night=self.light.night, glass=rng.random() < 0.25, shop=shop),
                    )
                )
                z += depth + rng.choice((0, 0, 0.5, 3))
        self.cars = []
        for lane in (-1, 1):
            z = rng.uniform(9, 16)
            while z < 110:
                name = rng.choice(CAR_COLOURS)
                self.cars.append((lane, z, name, basic(rng, name), rng.uniform(5, 8)))
                z += rng.uniform(9, 32)
        self.crossing = (
            (
                rng.uniform(12, 24),
                rng.choice(CAR_COLOURS),
                rng.choice((-1, 1)),
                rng.uniform(-3, 3),
                rng.random() < 0.3,
            )
            if rng.random() < 0.45
            else None
        )
        self.cross_colour = basic(rng, self.crossing[1]) if self.crossing else None
        self.people = [
            (
                make_person(rng),
                rng.choice((-1, 1)) * (self.half + rng.uniform(0.8, 2.6)),
                rng.uniform(8, 40),
                rng.choice((-1, 1)) * rng.uniform(0.7, 1.3),
            )
            for _ in range(rng.randint(3, 10))
        ]
        self.trees = [
            (side, 13 + i * 17 + rng.uniform(-2, 2)) for i in range(6) for side in (-1, 1) if rng.random() < 0.55
        ]
        self.height = rng.uniform(2.0, 5.0)
        self.leaves = rng.choice(((0.22, 0.45, 0.18), (0.30, 0.50, 0.20), (0.62, 0.42, 0.14)))
        if self.light.night:
            self.facts.add("scene:night_city")

    def camera(self, t: float) -> Camera:
        return Camera(
            self.pan * 1.5,
            self.height,
            t * 0.9,
            yaw=self.pan * 0.06 - 0.02 * self.pan * t,
            tilt=0.06,
            focal=0.9,
        )

    def draw(self, stage: Stage, t: float) -> None:
        stage.sky(drift=t)
        night = stage.light.night
        half, walk = self.half, self.half + 3.6
        start = int(stage.camera.z) // 6 * 6 + 6  # marks begin ahead of the camera
        with stage.ground() as pen:
            pen.rect(-200, -10, 400, 420, (0.45, 0.45, 0.45))
            pen.rect(-walk, -10, 2 * walk, 420, (0.62, 0.60, 0.57))
            pen.segments(
                [((x, z), (x + 3.6, z)) for x in (-walk, half) for z in range(start - 3, 90, 2)],
                (0.45, 0.44, 0.42),
                0.05,
            )
            pen.rect(-half, -10, 2 * half, 420, (0.23, 0.23, 0.245))
            pen.rects([(x, stage.camera.z + 1.2, 0.18, 400) for x in (-half - 0.18, half)], (0.75, 0.74, 0.72))
            pen.rects([(-0.09, z, 0.18, 3.0) for z in range(start, 150, 6)], (0.92, 0.92, 0.9))
            pen.rects([(-half + 0.5 + i * 1.1, 26, 0.6, 3.4) for i in range(int(2 * half / 1.1))], (0.9, 0.9, 0.88))
            pen.texture(-half, -10, 2 * half, 180, "patch", size=9, alpha=0.2)
            pen.texture(-walk, -10, 2 * walk, 90, "fine", size=4, alpha=0.14)
        stage.haze_ground(reach=0.02, strength=0.8)
        for side, z, depth, high, wall, face in self.houses:
            x = side * (walk + 6)
            stage.add(
                x,
                z,
                lambda x=x, z=z, depth=depth, high=high, wall=wall, face=face: stage.box(
                    x, z, 12, depth, high, wall, face=face
                ),
                nearer=-4,
            )
        for side, z in self.trees:
            x = side * (half + 1.0)

            def tree(x: float = x, z: float = z) -> None:
                stage.shadow(x, z, 2.2, 1.6)
                with stage.standing(x, z) as pen:
                    leafy_tree(pen, random.Random(int(z * 31)), 6.0, self.leaves, sway=0.05 * math.sin(t * 1.5 + z))

            stage.add(x, z, tree)
        for i in range(6):
            for side in (-1, 1):
                street_lamp(stage, side * (half + 0.6), 11 + i * 20, side=-side)
        for lane, z, name, colour, v in self.cars:
            px, pz = lane * half * 0.5, z + (v if lane > 0 else -v) * t * 0.9

            def car(px: float = px, pz: float = pz, colour: RGB = colour, lane: int = lane) -> None:
                stage.shadow(px, pz, 1.5, 2.4, strength=1.3)
                if night and lane < 0:
                    with stage.ground() as pen:
                        pen.soft(px, pz - 4, 2.2, 5, (1.0, 0.95, 0.8), alpha=0.3, add=True)
                with stage.standing(px, pz) as pen:
                    car_end(pen, colour, front=lane < 0, lamps=night)

            stage.add(px, pz, car)
            if stage.distance(px, pz) < 45:
                stage.note("obj:car", px, pz)
            if stage.distance(px, pz) < 20:
                stage.note(f"car:{name}", px, pz, area=CAR_END)
        if self.crossing and self.cross_colour:
            z, name, way, x, bus = self.crossing
            self._cross(stage, t, x + way * 4.5 * t, z, way, name, self.cross_colour, bus)
        for who, x, z, v in self.people:
            place_person(stage, who, x, z + v * t, t, flip=v < 0)
        stage.flush()

    def _cross(self, stage: Stage, t: float, x: float, z: float, way: int, name: str, colour: RGB, bus: bool) -> None:
        night = stage.light.night

        def paint() -> None:
            stage.shadow(x, z, 6.5 if bus else 2.8, 1.3, strength=1.3)
            with stage.standing(x, z, flip=way < 0) as pen:
                (bus_side if bus else car_side)(pen, colour, 4.5 * t, lamps=night)

        stage.add(x, z, paint)
        kind = "bus" if bus else "car"
        stage.note(f"obj:{kind}", x, z)
        stage.note(f"{kind}:{name}", x, z, area=BUS_SIDE if bus else CAR_SIDE)


class Road(Scene):
    """A country road through fields with one or a few cars seen from the side or ahead."""

    name = "road"
    lights = ("day", "day", "day", "overcast", "sunset", "night")

    def build(self, rng: random.Random) -> None:
        self.across = rng.random() < 0.6
        self.field = vary(rng, rng.choice(((0.36, 0.54, 0.22), (0.72, 0.62, 0.28), (0.30, 0.46, 0.20))), 0.05)
        self.name_first = rng.choice(CAR_COLOURS)
        names = [self.name_first] + [rng.choice(CAR_COLOURS) for _ in range(rng.choice((0, 0, 1, 2)))]
        self.cars = [
            (
                n,
                basic(rng, n),
                rng.uniform(-1.2, 1.2) + (i * 9 * rng.choice((-1, 1))),
                rng.choice((-1, 1)) * rng.uniform(2, 5),
                i,
            )
            for i, n in enumerate(names)
        ]
        self.near = rng.uniform(5.2, 11)
        self.lorry = rng.random() < 0.15
        self.grey = vary(rng, (0.36, 0.36, 0.37), 0.06)
        self.trees = [
            (rng.uniform(-60, 60), rng.uniform(30, 90), rng.uniform(6, 11)) for _ in range(rng.randint(4, 14))
        ]
        self.height = rng.uniform(1.7, 3.0)

    def camera(self, t: float) -> Camera:
        if self.across:
            return Camera(self.pan * t * 0.6, self.height, 0, yaw=0.02 * self.pan * t, tilt=-0.04, focal=1.0)
        return Camera(-1.2, self.height, t * 3, yaw=0, tilt=-0.02, focal=1.0)

    def draw(self, stage: Stage, t: float) -> None:
        rng = self.rng()
        stage.sky(drift=t)
        hills(stage, rng, 420, 50, mix(self.field, (0.3, 0.42, 0.36), 0.6))
        night = stage.light.night
        start = int(stage.camera.z) // 6 * 6 + 6  # marks begin ahead of the camera
        with stage.ground() as pen:
            pen.rect(-400, -5, 800, 800, self.field)
            pen.texture(-400, -5, 800, 400, "patch", size=16, alpha=0.25)
            pen.texture(-80, -5, 160, 90, "fine", size=4, alpha=0.2)
            if self.across:
                z0, w = self.near - 3.2, 7.4
                pen.rect(-400, z0 - 0.9, 800, w + 1.8, (0.56, 0.50, 0.38))
                pen.rect(-400, z0, 800, w, self.grey)
                pen.rects(
                    [(x, z0 + w / 2 - 0.08, 3, 0.16) for x in range(-90, 90, 6)]
                    + [(-400, z0 + 0.25, 800, 0.14), (-400, z0 + w - 0.4, 800, 0.14)],
                    (0.94, 0.94, 0.92),
                )
                pen.texture(-200, z0, 400, w, "fine", size=4, alpha=0.16)
            else:
                pen.rect(-4.6, -5, 9.2, 900, (0.56, 0.50, 0.38))
                pen.rect(-3.8, -5, 7.6, 900, self.grey)
                pen.rects(
                    [(-0.08, z, 0.16, 3) for z in range(start, 240, 6)]
                    + [(x, stage.camera.z + 1.2, 0.14, 800) for x in (-3.6, 3.45)],
                    (0.94, 0.94, 0.92),
                )
                pen.texture(-3.8, -5, 7.6, 200, "fine", size=4, alpha=0.16)
        stage.haze_ground(reach=0.05, strength=0.6)
        for x, z, h in self.trees:
            if not self.across and abs(x) < 7:
                x += 12 * math.copysign(1, x)

            def tree(x: float = x, z: float = z, h: float = h) -> None:
                stage.shadow(x, z, h * 0.35, 1.5)
                with stage.standing(x, z) as pen:
                    leafy_tree(pen, random.Random(int(z * 77)), h, (0.22, 0.42, 0.17))

            stage.add(x, z, tree)
        stage.facts.add("obj:road")
        for name, colour, x, v, i in self.cars:
            self._car(stage, name, colour, x, v, i, t, night)
        stage.flush()

    def _car(self, stage: Stage, name: str, colour: RGB, x: float, v: float, i: int, t: float, night: bool) -> None:
        if self.across:
            px, pz = x + v * t, self.near + (1.9 if v < 0 else -1.2) * 0.8
        else:
            px, pz = (1.8 if v > 0 else -1.8), 11 + i * 14 + (3 + v) * t

        def paint() -> None:
            stage.shadow(px, pz, 2.9 if self.across else 1.5, 1.2 if self.across else 2.2, strength=1.4)
            with stage.standing(px, pz, flip=self.across and v < 0) as pen:
                if self.across:
                    car_side(pen, colour, v * t, lamps=night)
                else:
                    car_end(pen, colour, front=v < 0, lamps=night)

        stage.add(px, pz, paint)
        stage.note("obj:car", px, pz)
        stage.note(f"car:{name}", px, pz, area=CAR_SIDE if self.across else CAR_END)


class Skyline(Scene):
    """Towers of a big city seen across water or roofs, by day or lit at night."""

    name = "skyline"
    lights = ("night", "night", "night", "day", "sunset", "overcast")

    def build(self, rng: random.Random) -> None:
        self.towers = []
        for row, z in enumerate((420, 340, 270)):
            x = -300.0
            while x < 300:
                w = rng.uniform(18, 42)
                wall = vary(
                    rng,
                    rng.choice(((0.36, 0.42, 0.5), (0.5, 0.48, 0.46), (0.30, 0.33, 0.4), (0.6, 0.58, 0.54))),
                    0.05,
                )
                face = house_face(rng, wall, night=self.light.night, storey=5, bay=4.5, glass=rng.random() < 0.5)
                self.towers.append((x + w / 2, z, w, rng.uniform(30, 150 - row * 30), wall, face))
                x += w + rng.uniform(0, 16)
        self.water = rng.random() < 0.6
        if self.light.night:
            self.facts.add("scene:night_city")

    def camera(self, t: float) -> Camera:
        return Camera(self.pan * 5 * t, 14, 0, yaw=self.pan * 0.02 * t, tilt=0.16, focal=1.15)

    def draw(self, stage: Stage, t: float) -> None:
        stage.sky(drift=t)
        rng = self.rng()
        with stage.ground() as pen:
            tone: RGB = (0.12, 0.24, 0.34) if self.water else (0.26, 0.3, 0.24)
            pen.rect(-900, 2, 1800, 900, tone)
            pen.texture(-900, 2, 1800, 300, "patch", size=40, alpha=0.3, shift=(t, -t), stretch=0.3)
        for x, z, w, h, wall, face in self.towers:
            stage.add(
                x,
                z,
                lambda x=x, z=z, w=w, h=h, wall=wall, face=face: stage.box(
                    x, z, w, 20, h, wall, face=face, shadow=False
                ),
            )
        stage.flush()
        if stage.light.night and self.water:
            with stage.ground() as pen:
                for _ in range(60):
                    x = rng.uniform(-200, 200)
                    pen.soft(
                        x,
                        rng.uniform(90, 230),
                        rng.uniform(1, 3),
                        rng.uniform(20, 60),
                        rng.choice(((1.0, 0.8, 0.5), (0.8, 0.85, 1.0), (1.0, 0.6, 0.4))),
                        alpha=0.22,
                        add=True,
                    )
