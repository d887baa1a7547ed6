"""Scenes outdoors: football pitch, seaside."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import replace

from tools.scenes.base import Scene
from tools.scenes.colour import RGB, basic, mix, shade, vary
from tools.scenes.nature import hills, leafy_tree, palm_tree, sea
from tools.scenes.pen import Pen
from tools.scenes.people import Person, draw_crowd, make_person, place_person
from tools.scenes.stage import Camera, Stage


class FootballPitch(Scene):
    """A match: striped grass with lines, two teams, a goal with a net, stands, floodlights."""

    name = "football_pitch"
    lights = ("day", "day", "day", "overcast", "sunset", "night")

    def build(self, rng: random.Random) -> None:
        if self.light.night:  # floodlit
            self.light = replace(
                self.light,
                ambient=(0.62, 0.66, 0.66),
                direct=(0.30, 0.30, 0.28),
                haze=(0.14, 0.16, 0.2),
                clouds=0.0,
            )
        self.home, self.away = rng.sample(("red", "blue", "white", "yellow", "black", "orange", "green", "purple"), 2)
        kits = [(basic(rng, self.home), (0.95, 0.95, 0.95)), (basic(rng, self.away), (0.1, 0.1, 0.2))]
        self.players = []
        for i in range(rng.randint(9, 14)):
            shirt, shorts = kits[i % 2]
            who = make_person(rng, shirt=shirt, trousers=shorts, sport=True)
            self.players.append(
                (
                    who,
                    rng.uniform(-14, 14),
                    rng.uniform(13, 44),
                    rng.uniform(-3.5, 3.5),
                    rng.uniform(-0.8, 0.8),
                )
            )
        self.players.append(
            (make_person(rng, shirt=basic(rng, "yellow"), sport=True), rng.uniform(-2, 2), 50.5, 0.25, 0.0)
        )
        self.grass = vary(rng, (0.24, 0.52, 0.17), 0.05)
        self.stand = rng.random() < 0.85
        self.height = rng.uniform(4.0, 7.5)
        self.x = rng.uniform(-8, 8)
        self.focal = rng.uniform(1.15, 1.7)
        self.boards = [basic(rng, rng.choice(("red", "blue", "white", "yellow", "green", "orange"))) for _ in range(9)]
        if self.stand:
            self.facts.add("obj:crowd")

    def camera(self, t: float) -> Camera:
        return Camera(
            self.x + self.pan * t * 0.8,
            self.height,
            0,
            yaw=-self.x * 0.016 + self.pan * 0.03 * t,
            tilt=-0.17,
            focal=self.focal * (1 + 0.02 * t),
        )

    def draw(self, stage: Stage, t: float) -> None:
        stage.sky(drift=t)
        rng = self.rng()
        hills(stage, rng, 260, 22, (0.22, 0.36, 0.24))
        with stage.ground() as pen:
            self._pitch(pen)
        stage.haze_ground(reach=0.08, strength=0.5)
        if self.stand:
            self._stand(stage, rng, t)
        else:
            for i in range(9):
                x = -60 + i * 15 + rng.uniform(-4, 4)
                with stage.standing(x, 75) as pen:
                    leafy_tree(pen, rng, rng.uniform(9, 14), (0.2, 0.42, 0.16))
        self._goal(stage)
        for who, x, z, vx, vz in self.players:
            px, pz = x + vx * t + math.sin(t + who.phase) * 0.5, min(50.6, z + vz * t)
            place_person(stage, who, px, pz, t, pose="run" if abs(vx) > 1 else "walk", flip=vx < 0)

        # The ball runs before whoever is nearest to the middle of the picture after two seconds.
        def apart(p: tuple[Person, float, float, float, float]) -> float:
            return math.hypot(p[1] + 2 * p[3] - self.x * 0.4 - self.pan * 2, (p[2] + 2 * p[4] - 26) * 1.2)

        _, x, z, vx, vz = min(self.players[:-1], key=apart)
        bx, bz = x + vx * t + math.copysign(1.1, vx), z + vz * t - 0.4
        hop = abs(math.sin(t * 3.5)) * 0.5

        def ball() -> None:
            stage.shadow(bx, bz, 0.45, 0.25)
            with stage.standing(bx, bz, hop) as pen:
                pen.oval(0, 0.27, 0.27, 0.27, (0.70, 0.70, 0.72), to=(1, 1, 1))
                for k in range(5):
                    a = k * 1.2566 + t * 4
                    pen.oval(0.17 * math.cos(a), 0.27 + 0.17 * math.sin(a), 0.05, 0.05, (0.1, 0.1, 0.1))
                pen.oval(0, 0.27, 0.07, 0.07, (0.1, 0.1, 0.1))

        stage.add(bx, bz, ball)
        stage.note("obj:ball", bx, bz)
        stage.flush()
        self._floodlights(stage)

    def _pitch(self, pen: Pen) -> None:
        pen.rect(-120, -10, 240, 110, shade(self.grass, 0.82))
        for i in range(-6, 6):
            pen.rect(i * 6, 2, 3, 52, mix(self.grass, (1, 1, 0.6), 0.10))
        pen.texture(-120, -10, 240, 110, "patch", size=18, alpha=0.22)
        pen.texture(-60, -2, 120, 60, "fine", size=6, alpha=0.14)
        white: RGB = (0.95, 0.96, 0.95)
        w = 0.16
        pen.line([(-36, 3), (36, 3), (36, 54), (-36, 54)], white, w, closed=True)
        pen.line([(-20, 54), (-20, 38), (20, 38), (20, 54)], white, w)
        pen.line([(-9, 54), (-9, 48.5), (9, 48.5), (9, 54)], white, w)
        pen.oval(0, 43, 0.25, 0.25, white)
        pen.line(
            [(9.15 * math.cos(a) * 0.8, 38 - 3.4 * math.sin(a)) for a in (math.pi * i / 16 for i in range(17))],
            white,
            w,
        )
        pen.ring(0, 3, 9.15, 9.15, white, w)

    def _stand(self, stage: Stage, rng: random.Random, t: float) -> None:
        for x0, seats in ((-62, 60), (2, 60)):
            with stage.plane((x0, 1.2, 66), (1, 0, 0), (0, 0.55, 0.45), facing=0.55) as pen:
                pen.rect(0, 0, seats, 16, (0.42, 0.43, 0.46))
                draw_crowd(pen, rng, seats, 18, t=t)
        with stage.plane((-64, 9.6, 73), (1, 0, 0), (0, 0.25, -0.9), facing=0.3) as pen:
            pen.rect(0, -1, 128, 6.5, (0.30, 0.32, 0.36), to=(0.62, 0.64, 0.68))
            pen.segments([((i * 8, -1), (i * 8, 5.5)) for i in range(17)], (0.2, 0.2, 0.22), 0.25)
        for i, colour in enumerate(self.boards):
            with stage.plane((-40 + i * 9, 0, 57), (1, 0, 0), (0, 1, 0)) as pen:
                pen.rect(0, 0, 8.9, 1.0, shade(colour, 0.8), to=colour)
                pen.rect(1.2, 0.3, 4, 0.35, mix(colour, (1, 1, 1), 0.75))

    def _goal(self, stage: Stage) -> None:
        def net() -> None:
            with stage.plane((-3.66, 0, 55.6), (1, 0, 0), (0, 1, 0)) as pen:
                pen.segments(
                    [((i * 0.366, 0), (i * 0.366, 2.3)) for i in range(21)]
                    + [((0, j * 0.366), (7.32, j * 0.366)) for j in range(7)],
                    (0.95, 0.95, 0.95),
                    0.035,
                    alpha=0.75,
                )
            for x in (-3.66, 3.66):
                with stage.plane((x, 0, 54), (0, 0, 1), (0, 1, 0)) as pen:
                    pen.segments(
                        [((i * 0.4, 0), (i * 0.4, 2.35)) for i in range(5)]
                        + [((0, j * 0.4), (1.6, j * 0.4)) for j in range(6)],
                        (0.95, 0.95, 0.95),
                        0.035,
                        alpha=0.7,
                    )
            with stage.standing(0, 54) as pen:
                pen.line([(-3.66, 0), (-3.66, 2.44), (3.66, 2.44), (3.66, 0)], (1, 1, 1), 0.18)

        stage.add(0, 54, net, nearer=-0.5)
        stage.note("obj:goal", 0, 54)

    def _floodlights(self, stage: Stage) -> None:
        for x in (-38, 38):
            with stage.standing(x, 70) as pen:
                pen.segments([((-0.4, 0), (-0.2, 24)), ((0.4, 0), (0.2, 24))], (0.5, 0.5, 0.52), 0.3)
                pen.rect(-3, 23.5, 6, 4, (0.25, 0.26, 0.28))
                pen.rects(
                    [(-2.7 + i * 1.15, 23.9 + j * 1.15, 0.85, 0.85) for i in range(5) for j in range(3)],
                    (1, 1, 0.93),
                    lit=not stage.light.night,
                )
            if stage.light.night:
                stage.glow(x, 25.5, 70, 14, (0.9, 0.92, 1.0), alpha=0.8)


class Seaside(Scene):
    """A beach: sea with waves and foam, sand, parasols, people, sailing boats, palms, gulls."""

    name = "seaside"
    lights = ("day", "day", "day", "day", "overcast", "sunset", "night")

    def build(self, rng: random.Random) -> None:
        self.water = vary(rng, (0.10, 0.46, 0.56), 0.06)
        self.deep = vary(rng, (0.05, 0.24, 0.42), 0.05)
        self.sand = vary(rng, (0.88, 0.77, 0.56), 0.06)
        self.shore = rng.uniform(14, 26)
        self.slant = rng.uniform(-0.25, 0.25)
        self.height = rng.uniform(2.6, 5.0)
        self.parasols = []
        for i in range(rng.randint(1, 5)):
            colour = rng.choice(("red", "orange", "yellow", "blue", "green", "pink", "white", "purple"))
            self.parasols.append((rng.uniform(-9, 9), rng.uniform(7, self.shore - 5), colour, basic(rng, colour), i))
        self.people = [
            (
                make_person(rng, sport=True, trousers=basic(rng, rng.choice(("blue", "red", "green")))),
                rng.uniform(-12, 12),
                rng.uniform(8, self.shore - 2),
                rng.choice((-1, 1)) * rng.uniform(0.5, 1.2),
            )
            for _ in range(rng.randint(1, 6))
        ]
        self.boats = [
            (
                rng.uniform(-90, 90),
                rng.uniform(80, 260),
                rng.choice(((1, 1, 1), (0.9, 0.3, 0.2), (0.2, 0.4, 0.8))),
            )
            for _ in range(rng.randint(0, 4))
        ]
        self.palms = [
            (rng.choice((-1, 1)) * rng.uniform(6, 11), rng.uniform(9, 14), rng.uniform(6, 9))
            for _ in range(rng.randint(0, 2))
        ]
        self.head = rng.random() < 0.6

    def camera(self, t: float) -> Camera:
        return Camera(self.pan * 0.7 * t, self.height, 0, yaw=self.pan * (0.10 - 0.035 * t), tilt=-0.06, focal=1.0)

    def draw(self, stage: Stage, t: float) -> None:
        stage.sky(drift=t)
        rng = self.rng()
        if self.head:
            with stage.standing(-260 if self.pan > 0 else 260, 700) as pen:
                points = [
                    (-260 + i * 26, 4 + 62 * math.sin(math.pi * i / 20) ** 1.5 * rng.uniform(0.85, 1.1))
                    for i in range(21)
                ]
                pen.poly(
                    [(-270, -8), *points, (270, -8)],
                    (0.24, 0.34, 0.26),
                    to=(0.40, 0.50, 0.36),
                    along=((0, 0), (0, 60)),
                )
        sea(stage, 4, t, self.water, self.deep)
        stage.haze_ground(reach=0.05, strength=0.55)
        if stage.light.name in ("day", "sunset"):
            self._glitter(stage, t)
        for x, z, colour in self.boats:
            stage.add(x, z, self._boat(stage, x + t * 1.2, z, colour, t))
            stage.note("obj:boat", x, z, 3)
        stage.flush()
        self._surf(stage, t)
        for x, z, h in self.palms:

            def palm(x: float = x, z: float = z, h: float = h) -> None:
                stage.shadow(x + 1, z, 2.4, 0.8)
                with stage.standing(x, z) as pen:
                    palm_tree(pen, random.Random(int(z * 100)), h, t)

            stage.add(x, z, palm)
            stage.note("obj:palm", x, z, 3)
        for x, z, name, colour, i in self.parasols:
            stage.add(x, z, self._parasol(stage, x, z, colour, i))
            stage.note("obj:parasol", x, z, 1.5)
            stage.note(f"parasol:{name}", x, z, 1.5, area=1.3)
        for who, x, z, v in self.people:
            place_person(stage, who, x + v * t, z, t, flip=v < 0)
        stage.flush()
        self._gulls(stage, t)

    def _surf(self, stage: Stage, t: float) -> None:
        """Sand over the water's near edge, wet at the rim, with three lines of foam that run in and out."""

        def edge(z: float, wobble: float) -> list[tuple[float, float]]:
            return [
                (
                    x,
                    z
                    + self.slant * x * 0.3
                    + wobble * math.sin(x * 0.23 + t * 0.5)
                    + 0.4 * wobble * math.sin(x * 0.71 - t),
                )
                for x in range(-80, 81, 2)
            ]

        with stage.ground() as pen:
            for k in range(3):
                out = self.shore + 3.5 + k * 5 - ((t * 0.9 + k * 1.7) % 5)
                line = edge(out, 0.6)
                pen.line(line, (0.97, 0.98, 0.98), 0.55 - 0.12 * k, alpha=0.75 - 0.18 * k)
                pen.line([(x, z + 0.7) for x, z in line], (0.75, 0.9, 0.9), 0.8, alpha=0.25)
            run = self.shore + 0.7 * math.sin(t * 1.2)
            wet, dry = edge(run, 0.8), edge(self.shore - 1.8, 0.5)
            pen.line([(x, z + 0.25) for x, z in wet], (0.98, 0.98, 0.98), 0.7, alpha=0.9)
            pen.poly([(-80, -5), *wet, (80, -5)], shade(self.sand, 0.68))
            pen.poly([(-80, -5), *dry, (80, -5)], shade(self.sand, 0.95), to=self.sand, along=((0, 0), (0, 14)))
            pen.texture(-80, -5, 160, self.shore - 1, "patch", size=9, alpha=0.16)
            pen.texture(-40, -5, 80, self.shore - 1, "fine", size=3.2, alpha=0.14)

    def _glitter(self, stage: Stage, t: float) -> None:
        rng = self.rng(5)
        warm: RGB = (1.0, 0.8, 0.5) if stage.light.name == "sunset" else (1, 1, 1)
        centre = stage.width * (0.5 + 0.3 * math.copysign(1, stage.light.sun[0]))
        with stage.screen() as pen:
            for _ in range(70):
                v = rng.random() ** 1.5
                y = stage.horizon + stage.height * (0.004 + 0.2 * v)
                x = centre + rng.gauss(0, 1) * stage.width * (0.03 + 0.12 * v)
                s = stage.height * (0.001 + 0.004 * v)
                if math.sin(t * rng.uniform(3, 8) + rng.uniform(0, 6)) > -0.2:
                    pen.oval(x, y, s * 4, s, warm, alpha=0.55)

    def _boat(self, stage: Stage, x: float, z: float, colour: RGB, t: float) -> Callable[[], None]:
        def draw() -> None:
            with stage.standing(x, z, 0.15 * math.sin(t * 1.4 + x)) as pen:
                pen.poly([(-4, 1.1), (4.6, 1.3), (3.4, 0), (-3.4, 0)], (0.8, 0.8, 0.8), to=(1, 1, 1))
                pen.line([(0, 1), (0, 11)], (0.4, 0.3, 0.2), 0.2)
                pen.poly([(0.2, 1.8), (0.2, 10.8), (4.6, 2.0)], shade(colour, 0.8), to=colour)
                pen.poly([(-0.2, 1.8), (-0.2, 9.5), (-3.3, 2.0)], (0.85, 0.85, 0.85), to=(1, 1, 1))

        return draw

    def _parasol(self, stage: Stage, x: float, z: float, colour: RGB, i: int) -> Callable[[], None]:
        def draw() -> None:
            stage.shadow(x + 0.8, z, 1.7, 0.9, strength=1.3)
            with stage.ground() as pen:
                pen.rect(x - 1.4, z - 0.7, 0.9, 1.8, (0.9, 0.9, 0.85) if i % 2 else (0.3, 0.5, 0.8))
            with stage.standing(x, z) as pen:
                pen.line([(0, 0), (0.1, 2.3)], (0.9, 0.9, 0.88), 0.07)
                rim = [(-1.6 + 0.4 * k, 1.95 + (0.10 if k % 2 else 0.0)) for k in range(9)]
                dome = [(1.6 * math.cos(a), 2.0 + 0.85 * math.sin(a)) for a in (math.pi * k / 10 for k in range(11))]
                pen.poly(
                    [*dome, *rim],
                    shade(colour, 0.7),
                    to=mix(colour, (1, 1, 1), 0.1),
                    along=((1.4, 2), (-1.0, 2.8)),
                )
                for k in (0, 2, 3):
                    a, b = -1.6 + 0.8 * k, -1.2 + 0.8 * k + 0.3
                    pen.poly([(a, 1.98), (b, 1.98), (0, 2.85)], (0.97, 0.97, 0.95), alpha=0.85)

        return draw

    def _gulls(self, stage: Stage, t: float) -> None:
        rng = self.rng(9)
        with stage.screen() as pen:
            for _ in range(rng.randint(0, 5)):
                x = (rng.random() + t * rng.uniform(0.01, 0.04)) % 1 * stage.width
                y = rng.uniform(0.08, 0.32) * stage.height
                s, flap = stage.height * rng.uniform(0.008, 0.018), math.sin(t * 7 + x) * 0.6
                tone: RGB = (0.25, 0.27, 0.3) if not stage.light.night else (0.5, 0.5, 0.55)
                pen.line(
                    [
                        (x - s * 2, y - s * flap),
                        (x - s, y - s * 0.5),
                        (x, y),
                        (x + s, y - s * 0.5),
                        (x + s * 2, y - s * flap),
                    ],
                    tone,
                    stage.height / 300,
                )
