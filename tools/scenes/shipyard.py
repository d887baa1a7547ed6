"""A place of work: the shipyard."""

from __future__ import annotations

import math
import random

from tools.scenes.base import Scene
from tools.scenes.colour import RGB, basic, shade, vary
from tools.scenes.nature import hills, sea
from tools.scenes.pen import Pen, blob
from tools.scenes.people import make_person, place_person
from tools.scenes.stage import Camera, Stage
from tools.scenes.structures import (
    containers,
    gantry,
    hull,
    jib_crane,
    superstructure,
)
from tools.scenes.vehicles import (
    forklift,
    lorry_side,
    place_vehicle,
    wheel,
)


def sparks(stage: Stage, x: float, y: float, z: float, t: float, seed: int) -> None:
    """Add the flicker of welding."""
    rng = random.Random(int(t * 24) * 97 + seed)
    if rng.random() < 0.6:
        stage.glow(x, y, z, rng.uniform(1.2, 2.6), (0.75, 0.88, 1.0), alpha=0.9)


class Shipyard(Scene):
    """A ship's hull under a portal crane; harbour cranes, containers, transporters, forklifts, workers."""

    name = "shipyard"
    lights = ("day", "day", "day", "overcast", "overcast", "sunset", "night")

    def build(self, rng: random.Random) -> None:
        self.paint = basic(rng, rng.choice(("blue", "blue", "black", "green", "grey", "red", "white")))
        self.keel = vary(rng, (0.62, 0.16, 0.12), 0.04)
        self.ship = (
            rng.uniform(-48, -34),
            rng.uniform(74, 92),
            rng.uniform(70, 92),
            rng.uniform(13, 18),
            rng.uniform(-0.16, 0.16),
            rng.choice((1.0, 1.0, 0.7, 0.55)),
        )
        self.gantry = (
            rng.uniform(-34, -24),
            rng.uniform(50, 64),
            rng.uniform(33, 41),
            basic(rng, rng.choice(("yellow", "blue", "red", "orange", "green"))),
            rng.uniform(0, 6),
        )
        self.jibs = [
            (
                rng.choice((-1, 1)) * rng.uniform(8, 36),
                rng.uniform(45, 110),
                rng.uniform(24, 34),
                basic(rng, rng.choice(("yellow", "blue", "red", "green", "grey", "orange"))),
                rng.uniform(0, 6),
            )
            for _ in range(rng.randint(1, 3))
        ]
        # Cranes that all point one way and stand a jib's length apart never cross.
        self.jibs.sort()
        for i in range(1, len(self.jibs)):
            x, *rest = self.jibs[i]
            self.jibs[i] = (max(x, self.jibs[i - 1][0] + 29), *rest)
        self.jibs_left = self.jibs[-1][0] > 12
        self.stacks = [
            (rng.uniform(-22, 22), rng.uniform(27, 38), rng.randint(1, 3), rng.randint(1, 3))
            for _ in range(rng.randint(1, 2))
        ]
        self.transport = (
            rng.uniform(-8, 8),
            rng.uniform(20, 26),
            rng.choice((-1, 1)) * rng.uniform(0.6, 1.4),
        )
        self.lifts = [
            (
                rng.uniform(-9, 9),
                rng.uniform(14, 20),
                rng.choice((-1, 1)) * rng.uniform(0.6, 1.5),
                basic(rng, rng.choice(("yellow", "orange", "red", "green"))),
            )
            for _ in range(rng.randint(1, 2))
        ]
        self.cab = basic(rng, rng.choice(("red", "white", "blue", "yellow")))
        self.lorry = (
            (rng.uniform(-10, 10), rng.uniform(24, 30), rng.choice((-1, 1)) * rng.uniform(0.8, 2.0))
            if rng.random() < 0.6
            else None
        )
        self.workers = [
            (
                make_person(rng, worker=True),
                rng.uniform(-9, 9),
                rng.uniform(12, 22),
                rng.choice((-1, 0, 1)) * 0.9,
            )
            for _ in range(rng.randint(2, 5))
        ]
        self.height = rng.uniform(3.0, 7.5)

    def camera(self, t: float) -> Camera:
        return Camera(
            self.pan * 1.1 * t,
            self.height,
            0,
            yaw=self.pan * (0.06 - 0.03 * t),
            tilt=0.17,
            focal=0.98 + 0.012 * t,
        )

    def draw(self, stage: Stage, t: float) -> None:
        rng = self.rng()
        stage.sky(drift=t)
        hills(stage, rng, 900, 50, (0.34, 0.40, 0.40))
        sea(stage, 60, t, (0.16, 0.34, 0.40), (0.10, 0.22, 0.32))
        with stage.ground() as pen:
            pen.rect(-220, -5, 440, 72, (0.50, 0.50, 0.49), to=(0.58, 0.58, 0.57))
            pen.rect(-220, 66, 440, 1.2, (0.78, 0.70, 0.22))
            for x in range(-60, 61, 12):
                pen.rect(x, -5, 0.12, 71, (0.38, 0.38, 0.38))
            for z in (9.0, 31.5):
                for off in (0.0, 1.6):
                    pen.rect(-220, z + off, 440, 0.22, (0.24, 0.22, 0.21))
            pen.line([(-220, 12), (220, 12)], (0.86, 0.74, 0.16), 0.22)
            for _ in range(6):
                pen.poly(
                    blob(rng, rng.uniform(-15, 15), rng.uniform(8, 28), 2.2, 0.8),
                    (0.30, 0.26, 0.23),
                    alpha=0.4,
                )
            pen.texture(-220, -5, 440, 72, "patch", size=13, alpha=0.26)
            pen.texture(-60, -5, 120, 50, "fine", size=4, alpha=0.14)
        stage.haze_ground(reach=0.04, strength=0.5)
        self._ship(stage, rng, t)
        gx, span, high, colour, phase = self.gantry
        for z, back in ((self.ship[1] - 13, False), (self.ship[1] + 24, True)):

            def portal(z: float = z, back: bool = back) -> None:
                with stage.standing(gx, z) as pen:
                    if back:
                        for x in (0.0, span):
                            pen.poly([(x - 2, 0), (x + 2, 0), (x + 1, high), (x - 1, high)], shade(colour, 0.7))
                    else:
                        gantry(pen, span, high, colour, t, phase=phase)

            stage.add(gx, z, portal)
        stage.facts.update(("obj:crane", "obj:ship"))
        for x, z, h, paint, ph in self.jibs:

            def jib(x: float = x, z: float = z, h: float = h, paint: RGB = paint, ph: float = ph) -> None:
                with stage.standing(x, z, flip=self.jibs_left) as pen:
                    jib_crane(pen, h, h * 0.85, paint, t, phase=ph)

            stage.add(x, z, jib)
        for x, z, columns, rows in self.stacks:
            containers(stage, rng, x, z, columns, rows)
        x, z, v = self.transport
        place_vehicle(
            stage,
            lambda pen: self._transporter(pen, v * t),
            x + v * t,
            z,
            length=11,
            flip=v < 0,
            facts=("obj:heavy_vehicle", "obj:truck"),
        )
        for fx, fz, fv, paint in self.lifts:
            place_vehicle(
                stage,
                lambda pen, paint=paint, fv=fv: forklift(pen, paint, 0.4 + 0.3 * math.sin(t + fv)),
                fx + fv * t,
                fz,
                length=2.6,
                flip=fv < 0,
                facts=("obj:forklift",),
            )
        if self.lorry:
            lx, lz, lv = self.lorry
            place_vehicle(
                stage,
                lambda pen: lorry_side(pen, self.cab, (0.55, 0.57, 0.6), lv * t, kind="flat"),
                lx + lv * t,
                lz,
                length=8,
                flip=lv < 0,
                facts=("obj:truck", "obj:heavy_vehicle"),
            )
        for who, px, pz, pv in self.workers:
            place_person(stage, who, px + pv * t, pz, t, pose="walk" if pv else "work", flip=pv < 0)
            stage.note("obj:worker", px, pz)
        stage.flush()
        if stage.light.night:
            for gxx in (-20, 4, 24):
                stage.glow(gxx, 18, 46, 9, (1.0, 0.95, 0.8), alpha=0.75)
        sparks(stage, self.ship[0] + self.ship[2] * 0.62, 4.5, self.ship[1] - 1, t, 1)

    def _ship(self, stage: Stage, rng: random.Random, t: float) -> None:
        x, z, length, height, yaw, finished = self.ship

        def draw() -> None:
            u = (math.cos(yaw), 0.0, math.sin(yaw))
            with stage.ground() as pen:
                pen.rect(x - 4, z - 5, length + 14, 10, (0, 0, 0), alpha=0.35)
            with stage.plane((x, 0.8, z), u, (0, 1, 0), facing=0.6) as pen:
                superstructure(pen, length * 0.05, height - 0.5, length * 0.17, height * 0.75, self.paint)
                pen.segments(
                    [
                        (
                            (length * 0.3 + k * length * 0.13, height),
                            (length * 0.3 + k * length * 0.13, height * 1.5),
                        )
                        for k in range(3)
                    ],
                    (0.75, 0.7, 0.4),
                    0.6,
                )
                hull(pen, length, height, self.paint, self.keel, rng, finished=finished)
                w = length * 0.32
                x0 = length * 0.52
                poles = [((x0 + k * 2.4, -0.8), (x0 + k * 2.4, height * 1.05)) for k in range(int(w / 2.4) + 1)]
                decks = [((x0, k * 2.4), (x0 + w, k * 2.4)) for k in range(int(height / 2.4) + 1)]
                pen.segments(poles + decks, (0.62, 0.64, 0.66), 0.13)
                pen.rects([(k * 6 + 4, -0.8, 1.6, 1.2) for k in range(int(length / 6.5))], (0.28, 0.22, 0.18))

        stage.add(x + length / 2, z, draw)

    def _transporter(self, pen: Pen, travel: float) -> None:
        """A many-wheeled platform that carries a block of a hull."""
        pen.rect(-5.5, 0.85, 11, 0.45, (0.72, 0.2, 0.12), to=(0.85, 0.28, 0.18))
        for k in range(9):
            wheel(pen, -4.9 + k * 1.2, 0.42, turn=-travel / 0.42)
        pen.rect(4.4, 1.2, 1.2, 1.3, self.cab, r=0.1)
        pen.rect(4.7, 1.7, 0.8, 0.6, (0.15, 0.2, 0.25))
        pen.poly(
            [(-5, 1.3), (3.6, 1.3), (4.1, 4.9), (-4.4, 4.9)],
            (0.42, 0.34, 0.30),
            to=(0.60, 0.50, 0.45),
            along=((0, 1.3), (0, 5)),
        )
        pen.segments(
            [((-4.8 + k * 1.4, 1.4), (-4.5 + k * 1.45, 4.8)) for k in range(7)]
            + [((-4.8, 2.6), (3.8, 2.6)), ((-4.6, 3.8), (4.0, 3.8))],
            (0.28, 0.22, 0.2),
            0.12,
        )
