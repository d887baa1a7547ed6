"""A place of work: the construction site."""

from __future__ import annotations

import math
import random

from tools.scenes.base import Scene
from tools.scenes.colour import RGB, basic, mix, shade, vary
from tools.scenes.nature import hills
from tools.scenes.pen import Pen, blob
from tools.scenes.people import make_person, place_person
from tools.scenes.stage import Camera, Stage
from tools.scenes.structures import (
    CONCRETE,
    Face,
    fence,
    house_face,
    shell_face,
)
from tools.scenes.vehicles import (
    bulldozer,
    excavator,
    lorry_side,
    place_vehicle,
    tower_crane,
)

MACHINE: RGB = (0.97, 0.72, 0.08)


class ConstructionSite(Scene):
    """A building going up: tower cranes, concrete shell, scaffolding, excavator, lorries, workers, soil."""

    name = "construction_site"
    lights = ("day", "day", "day", "overcast", "overcast", "sunset", "night")

    def build(self, rng: random.Random) -> None:
        self.soil = vary(rng, (0.56, 0.44, 0.31), 0.06)
        self.cranes = [
            (
                rng.uniform(3, 12) if i == 0 else rng.uniform(-26, 26),
                rng.uniform(50, 64) if i == 0 else rng.uniform(66, 105),
                rng.uniform(24, 32),
                rng.uniform(-1.0, 1.0),
                basic(rng, rng.choice(("yellow", "yellow", "red", "orange", "white"))),
            )
            for i in range(rng.randint(1, 3))
        ]
        self.shells = [
            (
                rng.uniform(-16, -4),
                44,
                rng.uniform(15, 22),
                14,
                rng.randint(3, 6) * 3.6,
                rng.uniform(-0.4, 0.4),
            )
        ]
        if rng.random() < 0.7:
            self.shells.append(
                (
                    rng.uniform(13, 24),
                    rng.uniform(50, 62),
                    rng.uniform(12, 18),
                    13,
                    rng.randint(2, 5) * 3.6,
                    rng.uniform(-0.4, 0.4),
                )
            )
        self.shell_seed = rng.randrange(1 << 20)
        self.machine = vary(rng, rng.choice((MACHINE, MACHINE, (0.93, 0.45, 0.08))), 0.03)
        kinds = rng.sample(("excavator", "bulldozer", "dump", "flat", "excavator", "mixer"), rng.randint(2, 4))
        self.machines = [
            (
                kind,
                (i - len(kinds) / 2 + 0.5) * 9.5 + rng.uniform(-2, 2),
                rng.uniform(17, 30),
                rng.choice((-1, 1)) * rng.uniform(0.4, 1.2),
            )
            for i, kind in enumerate(kinds)
        ]
        self.cab = basic(rng, rng.choice(("red", "blue", "white", "green", "yellow")))
        self.workers = [
            (
                make_person(rng, worker=True),
                rng.uniform(-10, 10),
                rng.uniform(11, 24),
                rng.choice((-1, 0, 0, 1)) * 0.9,
            )
            for _ in range(rng.randint(2, 6))
        ]
        self.height = rng.uniform(2.4, 6.0)
        self.town = rng.random() < 0.6

    def camera(self, t: float) -> Camera:
        return Camera(
            self.pan * 0.9 * t,
            self.height,
            0,
            yaw=self.pan * (0.07 - 0.03 * t),
            tilt=0.17 + 0.006 * t,
            focal=1.0,
        )

    def draw(self, stage: Stage, t: float) -> None:
        rng = self.rng()
        stage.sky(drift=t)
        if self.town:
            self._town(stage, rng)
        else:
            hills(stage, rng, 320, 26, (0.34, 0.42, 0.32))
        with stage.ground() as pen:
            pen.rect(-200, -5, 400, 400, self.soil, to=mix(self.soil, (0.7, 0.66, 0.6), 0.4))
            for i in range(4):
                x = rng.uniform(-9, 9)
                lane = [(x + 3 * math.sin(k * 0.35 + i), 5 + k * 2.2) for k in range(14)]
                for off in (-0.9, 0.9):
                    pen.line([(px + off, pz) for px, pz in lane], shade(self.soil, 0.72), 0.45, alpha=0.6)
            for _ in range(4):
                pen.poly(
                    blob(rng, rng.uniform(-14, 14), rng.uniform(9, 26), 2.4, 1.0),
                    (0.46, 0.45, 0.44),
                    alpha=0.55,
                )
            pen.texture(-200, -5, 400, 205, "patch", size=11, alpha=0.30)
            pen.texture(-60, -5, 120, 70, "fine", size=4, alpha=0.2)
        stage.haze_ground(reach=0.05, strength=0.5)
        stage.facts.add("obj:crane")
        for x, z, h, slew, colour in self.cranes:

            def crane(x: float = x, z: float = z, h: float = h, slew: float = slew, colour: RGB = colour) -> None:
                with stage.standing(x, z, flip=x > 6) as pen:
                    tower_crane(pen, h, h * 0.95, colour, t, slew=slew + 0.09 * t)

            stage.add(x, z, crane)
        local = random.Random(self.shell_seed)
        for x, z, w, d, h, yaw in self.shells:
            face = shell_face(local, scaffold=0.7)

            def shell(
                x: float = x,
                z: float = z,
                w: float = w,
                d: float = d,
                h: float = h,
                yaw: float = yaw,
                face=face,
            ) -> None:
                stage.box(x, z, w, d, h, CONCRETE, yaw=yaw, face=face)

            stage.add(x, z, shell, nearer=d / 2)
            stage.note("obj:building", x, z, 4)
        self._stores(stage, rng)
        for kind, x, z, v in self.machines:
            self._machine(stage, kind, x, z, v, t)
        for who, x, z, v in self.workers:
            place_person(stage, who, x + v * t, z, t, pose="walk" if v else "work", flip=who.phase > 3)
            stage.note("obj:worker", x, z)
        fence(stage, -60, -9 + rng.uniform(-4, 2), 33, (0.62, 0.64, 0.66))
        stage.flush()
        if stage.light.night:
            for x in (-8, 9):
                stage.glow(x, 9, 30, 7, (1.0, 0.95, 0.8), alpha=0.8)

    def _town(self, stage: Stage, rng: random.Random) -> None:
        for i in range(11):
            wall = vary(rng, rng.choice(((0.72, 0.68, 0.62), (0.6, 0.52, 0.46), (0.64, 0.66, 0.7))), 0.05)
            x, h = -150 + i * 30 + rng.uniform(-8, 8), rng.uniform(12, 34)
            face = house_face(rng, wall, night=stage.light.night, bay=4, storey=4)

            def house(x: float = x, h: float = h, wall: RGB = wall, face: Face = face) -> None:
                stage.box(x, 190, 24, 20, h, wall, face=face, shadow=False)

            stage.add(x, 190, house)
        stage.flush()

    def _stores(self, stage: Stage, rng: random.Random) -> None:
        """Piles of soil, stacked pipes, timber and bricks."""
        for _ in range(rng.randint(1, 3)):
            x, z, r = rng.uniform(-16, 16), rng.uniform(26, 36), rng.uniform(2.5, 5)
            seed = rng.randrange(1 << 20)

            def pile(x: float = x, z: float = z, r: float = r, seed: int = seed) -> None:
                local = random.Random(seed)
                stage.shadow(x + 1, z, r * 1.3, 1.6)
                with stage.standing(x, z) as pen:
                    top = [
                        (
                            -r + 2 * r * k / 10,
                            max(0.0, r * 0.55 * math.sin(math.pi * k / 10) * local.uniform(0.8, 1.15)),
                        )
                        for k in range(11)
                    ]
                    pen.poly(
                        top,
                        shade(self.soil, 0.58),
                        to=mix(self.soil, (1, 0.9, 0.7), 0.15),
                        along=((r * 0.6, 0), (-r * 0.5, r * 0.5)),
                    )

            stage.add(x, z, pile)
        x, z = rng.uniform(-9, 9), rng.uniform(13, 18)

        def pipes() -> None:
            stage.shadow(x, z, 2.4, 0.8)
            with stage.standing(x, z) as pen:
                for row in range(3):
                    for k in range(4 - row):
                        px, py = -1.4 + k * 0.8 + row * 0.4, 0.38 + row * 0.68
                        pen.oval(px, py, 0.39, 0.39, (0.42, 0.43, 0.45), to=(0.74, 0.75, 0.76))
                        pen.oval(px, py, 0.28, 0.28, (0.08, 0.08, 0.09))

        stage.add(x, z, pipes)

    def _machine(self, stage: Stage, kind: str, x: float, z: float, v: float, t: float) -> None:
        flip = v < 0
        if kind == "excavator":
            place_vehicle(
                stage,
                lambda pen: excavator(pen, self.machine, t, x),
                x,
                z,
                length=6,
                flip=flip,
                facts=("obj:excavator", "obj:heavy_vehicle"),
            )
        elif kind == "bulldozer":
            place_vehicle(
                stage,
                lambda pen: bulldozer(pen, self.machine),
                x + v * t * 0.8,
                z,
                length=4.5,
                flip=flip,
                facts=("obj:bulldozer", "obj:heavy_vehicle"),
            )
        elif kind == "mixer":

            def mixer(pen: Pen) -> None:
                lorry_side(pen, self.cab, (0.3, 0.3, 0.3), v * t * 2, kind="flat")
                pen.poly(
                    [(-3.9, 1.5), (-3.6, 3.3), (-1.4, 3.9), (0.9, 3.2), (1.2, 1.6), (-1.5, 1.1)],
                    (0.6, 0.6, 0.6),
                    to=(0.92, 0.92, 0.9),
                    along=((0, 1), (0, 4)),
                )
                turn = (t * 0.7) % 1
                pen.segments(
                    [((-3.4 + (k + turn) * 1.1, 1.5), (-2.9 + (k + turn) * 1.1, 3.4)) for k in range(3)],
                    self.cab,
                    0.28,
                )

            place_vehicle(stage, mixer, x + v * t * 2, z, length=8, flip=flip, facts=("obj:truck", "obj:heavy_vehicle"))
        else:
            load = shade(self.machine, 0.95) if kind == "dump" else (0.55, 0.4, 0.25)
            place_vehicle(
                stage,
                lambda pen: lorry_side(pen, self.cab, load, v * t * 2, kind=kind),
                x + v * t * 2,
                z,
                length=8,
                flip=flip,
                facts=("obj:truck", "obj:heavy_vehicle"),
            )
