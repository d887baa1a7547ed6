"""Scenes indoors: kitchen, office, living room."""

from __future__ import annotations

import math
import random

from tools.scenes.base import Scene
from tools.scenes.colour import RGB, basic, mix, shade, vary
from tools.scenes.furniture import (
    WOOD,
    Room,
    cabinet_face,
    chair,
    pendant,
    plant,
    sofa,
    table,
    television,
    window,
)
from tools.scenes.pen import Pen
from tools.scenes.people import make_person, place_person
from tools.scenes.stage import Camera, Stage

PLAIN: tuple[RGB, ...] = (
    (0.90, 0.88, 0.82),
    (0.82, 0.86, 0.88),
    (0.86, 0.80, 0.70),
    (0.78, 0.84, 0.76),
    (0.92, 0.92, 0.92),
)


def make_room(rng: random.Random, *, tiles: bool = False) -> Room:
    """Draw a room."""
    wall = vary(rng, rng.choice(PLAIN), 0.05)
    floor = vary(
        rng,
        rng.choice(((0.75, 0.73, 0.70), (0.55, 0.5, 0.46), (0.85, 0.84, 0.82))) if tiles else rng.choice(WOOD),
        0.05,
    )
    return Room(rng.uniform(5.0, 7.0), rng.uniform(4.8, 5.8), rng.uniform(2.6, 3.0), wall, floor, tiles=tiles)


class Interior(Scene):
    """A room with a camera at its open side."""

    lights = ("indoor",)
    indoor = True

    def build(self, rng: random.Random) -> None:
        self.room = make_room(rng)
        self.focal = rng.uniform(1.0, 1.35)
        self.dusk = rng.random() < 0.3
        if self.dusk:
            self.facts.add("time:night")
        else:
            self.facts.add("time:day")
        self.furnish(rng)

    def furnish(self, rng: random.Random) -> None:
        """Draw the furniture's parameters."""

    def camera(self, t: float) -> Camera:
        return Camera(
            self.pan * 0.5 + self.pan * 0.10 * t,
            1.55,
            0.2,
            yaw=-self.pan * 0.10 - 0.012 * self.pan * t,
            tilt=-0.08,
            focal=self.focal,
        )


class Kitchen(Interior):
    """Cabinets, worktop, hob with pots, hood, fridge, sink under a window, table with fruit, a cook."""

    name = "kitchen"

    def furnish(self, rng: random.Random) -> None:
        self.room = make_room(rng, tiles=rng.random() < 0.6)
        self.front_name = rng.choice(("white", "white", "grey", "blue", "green", "brown", "red", "yellow"))
        self.front = basic(rng, self.front_name) if self.front_name != "brown" else rng.choice(WOOD)
        self.top = vary(rng, rng.choice(((0.25, 0.25, 0.26), (0.6, 0.45, 0.3), (0.8, 0.79, 0.77))), 0.03)
        self.tile = vary(rng, rng.choice(((0.88, 0.9, 0.9), (0.6, 0.76, 0.76), (0.9, 0.82, 0.6))), 0.04)
        self.cook = (make_person(rng), rng.uniform(-1.4, 1.2)) if rng.random() < 0.65 else None
        self.fridge = rng.choice((-1, 1))
        self.table = rng.random() < 0.7
        self.lamp = basic(rng, rng.choice(("black", "red", "white", "yellow", "orange")))
        self.wood = rng.choice(WOOD)

    def draw(self, stage: Stage, t: float) -> None:
        rng, room = self.rng(), self.room
        room.draw(stage)
        half, d = room.width / 2, room.depth
        with room.back(stage) as pen:
            pen.rect(0, 0.9, room.width, 0.62, self.tile)
            pen.segments(
                [((i * 0.15, 0.9), (i * 0.15, 1.52)) for i in range(int(room.width / 0.15))]
                + [((0, 0.9 + j * 0.155), (room.width, 0.9 + j * 0.155)) for j in range(5)],
                shade(self.tile, 0.8),
                0.012,
            )
            window(pen, room.width / 2 - 0.65, 1.2, 1.3, 1.05, night=self.dusk, rng=rng)
        sign = self.fridge
        fx = sign * (half - 0.42)
        stage.box(fx, d - 0.36, 0.78, 0.7, 1.95, (0.80, 0.81, 0.83), face=self._fridge, shadow=False)
        width = room.width - 0.9
        cx = -sign * 0.42
        stage.box(
            cx,
            d - 0.32,
            width,
            0.62,
            0.88,
            self.front,
            face=cabinet_face(self.front, int(width / 0.6), drawers=True),
            shadow=False,
        )
        stage.box(
            cx,
            d - 0.33,
            width + 0.02,
            0.66,
            0.05,
            self.top,
            y=0.88,
            shadow=False,
            top=mix(self.top, (1, 1, 1), 0.15),
        )
        for x0, w in ((cx - width / 2, width / 2 - 0.9), (cx + 0.9, width / 2 - 0.9)):
            if w > 0.5:
                stage.box(
                    x0 + w / 2,
                    d - 0.2,
                    w,
                    0.36,
                    0.75,
                    self.front,
                    y=1.55,
                    face=cabinet_face(self.front, max(1, int(w / 0.5))),
                    shadow=False,
                )
        hob = cx - sign * width * 0.3
        self._hob(stage, hob, d - 0.64, t, rng)
        with stage.standing(cx + sign * 0.3, d - 0.4, 0.93) as pen:
            pen.line([(0, 0), (0, 0.28), (0.14, 0.3), (0.16, 0.22)], (0.75, 0.76, 0.78), 0.035)
            for k in range(4):
                c = basic(rng, rng.choice(("red", "yellow", "green", "white", "brown", "blue")))
                pen.rect(0.4 + k * 0.16, 0, 0.11, rng.uniform(0.15, 0.26), shade(c, 0.8), r=0.02, to=c)
        if self.cook:
            who, x = self.cook
            place_person(stage, who, x + 0.2 * math.sin(t * 0.8), d - 1.15, t, pose="work", flip=x > 0)
            stage.flush()
        if self.table:
            self._table(stage, rng, t)
        for x in (-0.6, 0.6):
            pendant(stage, x, d * 0.55, room.height, 1.95, self.lamp)
        stage.facts.update(("obj:kitchen", "obj:fridge", "obj:stove"))

    def _fridge(self, pen: Pen, w: float, h: float, side: str) -> None:
        if side == "front":
            pen.segments([((0, h * 0.62), (w, h * 0.62))], (0.4, 0.4, 0.42), 0.02)
            pen.rects([(0.08, h * 0.68, 0.03, 0.4), (0.08, h * 0.3, 0.03, 0.5)], (0.5, 0.5, 0.52))
            pen.rect(0, 0, w, h, (1, 1, 1), alpha=0.10)

    def _hob(self, stage: Stage, x: float, z: float, t: float, rng: random.Random) -> None:
        with stage.standing(x, z) as pen:
            pen.rect(-0.3, 0.12, 0.6, 0.62, (0.12, 0.12, 0.13), r=0.02)
            pen.rect(-0.24, 0.2, 0.48, 0.34, (0.28, 0.2, 0.14), r=0.02, to=(0.16, 0.14, 0.14))
            pen.rect(-0.24, 0.6, 0.48, 0.03, (0.75, 0.75, 0.76))
            pen.rects([(-0.22 + k * 0.12, 0.68, 0.05, 0.05) for k in range(4)], (0.8, 0.8, 0.8))
            pen.poly(
                [(-0.3, 1.75), (0.3, 1.75), (0.14, 2.05), (0.14, 2.6), (-0.14, 2.6), (-0.14, 2.05)],
                (0.6, 0.61, 0.63),
                to=(0.85, 0.86, 0.88),
                along=((0.3, 0), (-0.3, 0)),
            )
            for k, c in (
                (-0.15, (0.72, 0.73, 0.75)),
                (0.16, basic(rng, rng.choice(("red", "black", "blue")))),
            ):
                pen.rect(k - 0.11, 0.94, 0.22, 0.15, shade(c, 0.7), r=0.02, to=c)
                pen.line([(k - 0.14, 1.06), (k + 0.14, 1.06)], (0.1, 0.1, 0.1), 0.02)
                for s in range(3):
                    rise = (t * 0.35 + s / 3) % 1
                    pen.soft(
                        k + 0.04 * math.sin(t * 2 + s * 2),
                        1.15 + rise * 0.5,
                        0.07 + rise * 0.12,
                        0.09 + rise * 0.1,
                        (1, 1, 1),
                        alpha=0.28 * (1 - rise),
                    )

    def _table(self, stage: Stage, rng: random.Random, t: float) -> None:
        x, z = rng.uniform(-0.8, 0.8), 2.7
        for side in (-1, 1):
            chair(stage, x + side * 0.45, z + 0.65, shade(self.wood, 0.9), back=False)
        table(stage, x, z, 1.7, 0.9, self.wood)
        with stage.standing(x + rng.uniform(-0.3, 0.3), z, 0.8) as pen:
            for k, c in enumerate(((0.85, 0.15, 0.1), (0.95, 0.6, 0.1), (0.4, 0.7, 0.2), (0.95, 0.82, 0.2))):
                pen.oval(-0.15 + k * 0.1, 0.12, 0.07, 0.07, shade(c, 0.75), to=c)
            pen.poly([(-0.25, 0.1), (0.25, 0.1), (0.14, 0), (-0.14, 0)], (0.75, 0.8, 0.85), to=(0.95, 0.95, 0.95))
            pen.rect(0.42, 0, 0.09, 0.12, (0.95, 0.95, 0.95))


class Office(Interior):
    """Rows of desks with screens, office chairs, people at work, shelves, ceiling lights."""

    name = "office"

    def furnish(self, rng: random.Random) -> None:
        self.room = Room(
            rng.uniform(8, 10),
            rng.uniform(8, 10),
            2.9,
            vary(rng, rng.choice(PLAIN), 0.04),
            vary(rng, rng.choice(((0.42, 0.45, 0.5), (0.5, 0.5, 0.48), (0.36, 0.42, 0.42))), 0.04),
            planks=False,
        )
        self.desk = rng.choice(((0.92, 0.92, 0.9), *WOOD))
        self.seats = [
            (x, z, make_person(rng) if rng.random() < 0.6 else None)
            for z in (rng.uniform(3.3, 3.8), 6.2)
            for x in (-2.4, 0.0, 2.4)
        ]
        self.chair = basic(rng, rng.choice(("black", "blue", "grey", "green", "red")))

    def draw(self, stage: Stage, t: float) -> None:
        rng, room = self.rng(), self.room
        room.draw(stage)
        with room.back(stage) as pen:
            for i in range(3):
                window(pen, 0.8 + i * room.width / 3.2, 1.0, room.width / 4.2, 1.45, night=self.dusk, rng=rng)
        with stage.plane((-room.width / 2, room.height - 0.01, 0), (1, 0, 0), (0, 0, 1), haze=False) as pen:
            pen.rects(
                [(room.width * k / 4 - 0.6, z, 1.2, 0.35) for k in (1, 2, 3) for z in (2.5, 4.8, 7.1)],
                (1, 1, 0.97),
                lit=False,
            )
        for x, z, who in sorted(self.seats, key=lambda s: -s[1]):
            if who:
                with stage.standing(x, z + 0.75) as pen:
                    pen.rect(-0.24, 0.5, 0.48, 0.75, self.chair, r=0.1)
                place_person(stage, who, x, z + 0.6, t, pose="sit", flip=x > 0)
                stage.flush()
            table(stage, x, z, 1.7, 0.8, self.desk, height=0.73)
            with stage.standing(x - 0.25, z - 0.05, 0.78) as pen:
                pen.rect(-0.05, 0, 0.1, 0.2, (0.2, 0.2, 0.2))
                pen.rect(-0.32, 0.14, 0.64, 0.4, (0.12, 0.12, 0.13), r=0.02, to=(0.24, 0.24, 0.25))
                pen.rect(0.5, 0, 0.26, 0.04 + 0.05 * rng.random(), (0.9, 0.9, 0.92))
                pen.rect(0.82, 0, 0.08, 0.11, basic(rng, rng.choice(("red", "blue", "white"))))
            if not who:
                with stage.standing(x + 0.3, z - 0.75) as pen:
                    pen.line([(0, 0.1), (0, 0.5)], (0.2, 0.2, 0.2), 0.06)
                    pen.rect(-0.25, 0.45, 0.5, 0.08, self.chair, r=0.03)
                    pen.rect(-0.23, 0.58, 0.46, 0.55, shade(self.chair, 0.8), r=0.08, to=self.chair)
                    pen.segments([((-0.25, 0.08), (0.25, 0.08))], (0.15, 0.15, 0.15), 0.06)
        plant(stage, -room.width / 2 + 0.6, 4.5, 1.6, rng, (0.85, 0.85, 0.83))
        stage.facts.update(("obj:desk", "obj:computer"))


class LivingRoom(Interior):
    """Sofa, rug, low table, television or pictures, lamp, plant, window with curtains."""

    name = "living_room"

    def furnish(self, rng: random.Random) -> None:
        self.sofa_name = rng.choice(
            ("red", "blue", "green", "grey", "brown", "white", "yellow", "purple", "pink", "orange", "black")
        )
        self.sofa = basic(rng, self.sofa_name)
        self.cushion = basic(rng, rng.choice(("yellow", "white", "red", "blue", "orange")))
        self.rug = basic(rng, rng.choice(("red", "blue", "grey", "green", "brown", "white")))
        self.curtain = basic(rng, rng.choice(("white", "grey", "blue", "red", "green", "yellow")))
        self.tv = rng.random() < 0.45
        self.wood = rng.choice(WOOD)
        self.sofa_x = rng.uniform(-0.7, 0.7)
        self.guest = make_person(rng) if rng.random() < 0.35 else None

    def draw(self, stage: Stage, t: float) -> None:
        rng, room = self.rng(), self.room
        room.draw(stage)
        half, d = room.width / 2, room.depth
        with stage.ground() as pen:
            pen.oval(self.sofa_x, d - 2.3, 1.7, 0.95, shade(self.rug, 0.85))
            pen.ring(self.sofa_x, d - 2.3, 1.55, 0.82, mix(self.rug, (1, 1, 1), 0.5), 0.07)
        with room.back(stage) as pen:
            if self.tv:
                television(pen, room.width / 2 + self.sofa_x - 0.7, 1.25, 1.4, t, rng, on=rng.random() < 0.7)
                stage.facts.add("obj:television")
            else:
                for k in range(3):
                    c = basic(rng, rng.choice(("blue", "orange", "green", "red", "yellow")))
                    pen.rect(room.width / 2 + self.sofa_x - 1.0 + k * 0.72, 1.45, 0.58, 0.72, (0.2, 0.16, 0.12))
                    pen.rect(
                        room.width / 2 + self.sofa_x - 0.95 + k * 0.72,
                        1.5,
                        0.48,
                        0.62,
                        c,
                        to=mix(c, (1, 1, 1), 0.7),
                    )
            window(pen, 0.35, 1.0, 1.0, 1.3, night=self.dusk, rng=rng, curtain=self.curtain)
        sofa(stage, self.sofa_x, d - 0.9, 2.1, self.sofa, self.cushion)
        stage.note("obj:sofa", self.sofa_x, d - 0.9, 0.4)
        stage.note(f"sofa:{self.sofa_name}", self.sofa_x, d - 0.9, 0.4, area=1.6)
        if self.guest:
            place_person(stage, self.guest, self.sofa_x + 0.4, d - 1.15, t, pose="sit", y=0.12)
            stage.flush()
        with stage.standing(half - 0.5, d - 0.6) as pen:
            pen.line([(0, 0.02), (0, 1.5)], (0.2, 0.18, 0.15), 0.04)
            pen.poly(
                [(-0.25, 1.45), (0.25, 1.45), (0.16, 1.8), (-0.16, 1.8)],
                (1.0, 0.9, 0.7),
                to=(1.0, 0.96, 0.85),
                lit=False,
            )
        stage.glow(half - 0.5, 1.6, d - 0.6, 0.9, (1.0, 0.85, 0.6), alpha=0.4)
        table(stage, self.sofa_x, d - 2.2, 1.1, 0.6, self.wood, height=0.4)
        plant(stage, -half + 0.45, d - 1.4, 1.5, rng, (0.8, 0.5, 0.35))
        stage.facts.update(("obj:lamp", "obj:table"))
