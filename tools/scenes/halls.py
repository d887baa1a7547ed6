"""Rooms: classroom, library, bedroom, bathroom."""

from __future__ import annotations

import math
import random

from tools.scenes.colour import BASIC_COLOURS, RGB, basic, mix, shade, vary
from tools.scenes.furniture import WOOD, Room, chair, pendant, table, window
from tools.scenes.indoor import PLAIN, Interior
from tools.scenes.pen import Pen
from tools.scenes.people import make_person, place_person
from tools.scenes.stage import Stage

NAMES = tuple(BASIC_COLOURS)


class Hall(Interior):
    """A room whose sizes a subclass sets."""

    size = (7.0, 7.0, 3.0)
    tiles = False
    planks = True

    def build(self, rng: random.Random) -> None:
        super().build(rng)
        w, d, h = (s * rng.uniform(0.92, 1.08) for s in self.size)
        floor = vary(
            rng,
            rng.choice(WOOD if self.planks else ((0.6, 0.6, 0.6), (0.75, 0.72, 0.66), (0.5, 0.55, 0.55))),
            0.05,
        )
        self.room = Room(w, d, h, vary(rng, rng.choice(PLAIN), 0.05), floor, tiles=self.tiles, planks=self.planks)


class Classroom(Hall):
    """A blackboard or whiteboard with writing, rows of school desks and chairs, a teacher."""

    name = "classroom"
    size = (8.0, 8.0, 3.2)
    planks = False

    def furnish(self, rng: random.Random) -> None:
        self.board = rng.choice(((0.1, 0.25, 0.18), (0.1, 0.25, 0.18), (0.95, 0.96, 0.96)))
        self.desk = rng.choice(WOOD)
        self.teacher = (make_person(rng), rng.uniform(-2, 2)) if rng.random() < 0.6 else None
        self.pupils = [make_person(rng) if rng.random() < 0.35 else None for _ in range(9)]
        self.facts |= {"maybe:scene:office", "obj:chair", "obj:desk"}

    def draw(self, stage: Stage, t: float) -> None:
        rng, room = self.rng(), self.room
        room.draw(stage)
        ink = (0.92, 0.93, 0.9) if self.board[0] < 0.5 else (0.15, 0.2, 0.5)
        with room.back(stage) as pen:
            w = room.width
            pen.rect(w * 0.17, 0.85, w * 0.66, 1.5, (0.5, 0.36, 0.22))
            pen.rect(w * 0.18, 0.92, w * 0.64, 1.36, self.board)
            for _ in range(9):
                x, y = w * rng.uniform(0.2, 0.6), rng.uniform(1.05, 2.15)
                pen.line(
                    [(x + i * 0.12, y + rng.uniform(-0.04, 0.04)) for i in range(rng.randint(4, 12))],
                    ink,
                    0.035,
                )
            pen.ring(w * 0.72, 1.6, 0.3, 0.3, ink, 0.035)
        if self.teacher:
            place_person(
                stage,
                self.teacher[0],
                self.teacher[1],
                room.depth - 0.7,
                t,
                pose="work",
                flip=self.teacher[1] > 0,
            )
            stage.flush()
        for i, z in enumerate((5.4, 4.1, 2.9)):
            for j, x in enumerate((-2.2, 0.0, 2.2)):
                who = self.pupils[i * 3 + j]
                table(stage, x, z + 0.5, 1.3, 0.55, self.desk, height=0.72)
                if who:
                    place_person(stage, who, x, z - 0.1, t, pose="sit")
                    stage.flush()
                else:
                    chair(stage, x, z, shade(self.desk, 0.8))
                    stage.flush()


class Library(Hall):
    """Tall shelves full of books on both sides and at the end."""

    name = "library"
    size = (4.6, 9.0, 3.2)

    def furnish(self, rng: random.Random) -> None:
        self.wood = rng.choice(WOOD)
        self.reader = (make_person(rng), rng.uniform(-0.8, 0.8), rng.uniform(3.5, 6)) if rng.random() < 0.4 else None
        self.facts |= {"obj:book", "maybe:scene:book", "maybe:scene:supermarket", "maybe:scene:corridor"}

    def _shelf(self, pen: Pen, width: float, height: float, rng: random.Random) -> None:
        pen.rect(0, 0, width, height, shade(self.wood, 0.6))
        rows = 7
        step = height / rows
        for j in range(rows):
            x = 0.06
            while x < width - 0.1:
                w = rng.uniform(0.06, 0.13)
                c = vary(
                    rng,
                    basic(
                        rng,
                        rng.choice(("red", "blue", "green", "brown", "brown", "white", "yellow", "black")),
                    ),
                    0.06,
                )
                pen.rect(x, j * step + 0.05, w * 0.9, step * rng.uniform(0.6, 0.85), shade(c, 0.8), to=c)
                x += w
            pen.rect(0, j * step, width, 0.05, self.wood)

    def draw(self, stage: Stage, t: float) -> None:
        rng, room = self.rng(), self.room
        room.draw(stage)
        half, h = room.width / 2 - 0.5, room.height - 0.4
        with stage.plane((-half, 0, room.depth - 0.3), (1, 0, 0), (0, 1, 0), haze=False) as pen:
            self._shelf(pen, 2 * half, h, rng)
        for side in (-1, 1):
            with stage.plane((side * half, 0, 0.9), (0, 0, 1), (0, 1, 0), haze=False) as pen:
                self._shelf(pen, room.depth - 1.2, h, rng)
        if self.reader:
            place_person(stage, *self.reader, t, pose="stand")
        pendant(stage, 0, 5, room.height, 2.6, (0.9, 0.8, 0.5))
        stage.flush()


class Bedroom(Hall):
    """A bed with pillows and a blanket, bedside tables with lamps, a picture."""

    name = "bedroom"
    size = (5.4, 5.2, 2.7)

    def furnish(self, rng: random.Random) -> None:
        self.colour_name = rng.choice(NAMES)
        self.blanket, self.wood = basic(rng, self.colour_name), rng.choice(WOOD)
        self.x, self.wide = rng.uniform(-0.6, 0.6), rng.uniform(1.5, 2.0)
        self.facts |= {"obj:bed", "obj:lamp", f"bed:{self.colour_name}", "maybe:scene:living_room"}

    def draw(self, stage: Stage, t: float) -> None:
        rng, room = self.rng(), self.room
        room.draw(stage)
        x, w, d = self.x, self.wide, room.depth
        with room.back(stage) as pen:
            mid = room.width / 2 + x
            pen.rect(mid - 0.6, 1.55, 1.2, 0.7, (0.2, 0.16, 0.12))
            pen.rect(mid - 0.55, 1.6, 1.1, 0.6, basic(rng, rng.choice(NAMES)), to=(0.9, 0.9, 0.9))
            window(pen, 0.2, 1.0, 0.9, 1.2, night=self.dusk, rng=rng, curtain=basic(rng, rng.choice(NAMES)))
        stage.box(x, d - 0.1, w + 0.3, 0.12, 1.15, self.wood, shadow=False)
        for s in (-1, 1):
            stage.box(x + s * (w / 2 + 0.4), d - 0.35, 0.45, 0.45, 0.5, self.wood)
            with stage.standing(x + s * (w / 2 + 0.4), d - 0.4, 0.5) as pen:
                pen.rect(-0.03, 0, 0.06, 0.2, (0.3, 0.25, 0.2))
                pen.poly([(-0.18, 0.18), (0.18, 0.18), (0.11, 0.42), (-0.11, 0.42)], (1.0, 0.92, 0.72), lit=False)
            stage.glow(x + s * (w / 2 + 0.4), 0.8, d - 0.4, 0.6, (1, 0.85, 0.6), alpha=0.35)
        stage.box(x, d - 1.2, w, 2.1, 0.45, (0.95, 0.95, 0.93), top=(0.97, 0.97, 0.96))
        for s in (-0.25, 0.25):
            with stage.standing(x + s * w, d - 0.75, 0.45) as pen:
                pen.rect(-w * 0.2, -0.02, w * 0.4, 0.26, (0.85, 0.86, 0.88), r=0.1, to=(1, 1, 1))
        stage.box(
            x,
            d - 1.5,
            w + 0.06,
            1.6,
            0.52,
            self.blanket,
            shadow=False,
            top=mix(self.blanket, (1, 1, 1), 0.08),
        )


class Bathroom(Hall):
    """A bathtub, a wash basin under a mirror, a toilet, tiles all over."""

    name = "bathroom"
    size = (4.0, 3.8, 2.6)
    tiles = True
    planks = False

    def furnish(self, rng: random.Random) -> None:
        self.tile = vary(
            rng, rng.choice(((0.9, 0.94, 0.95), (0.6, 0.8, 0.86), (0.7, 0.86, 0.76), (0.92, 0.86, 0.8))), 0.04
        )
        self.towel = basic(rng, rng.choice(NAMES))
        self.flip = rng.choice((-1, 1))
        self.facts |= {"obj:bathtub", "maybe:scene:tile_wall", "maybe:scene:kitchen", "maybe:obj:tile_wall"}

    def draw(self, stage: Stage, t: float) -> None:
        room, s = self.room, self.flip
        room.draw(stage)
        d, w = room.depth, room.width
        with room.back(stage) as pen:
            pen.rect(0, 0, w, 2.0, self.tile)
            pen.segments(
                [((i * 0.2, 0), (i * 0.2, 2.0)) for i in range(int(w / 0.2) + 1)]
                + [((0, j * 0.2), (w, j * 0.2)) for j in range(11)],
                shade(self.tile, 0.82),
                0.014,
            )
            pen.rect(w / 2 - s * 0.95 - 0.35, 1.2, 0.7, 0.9, (0.6, 0.68, 0.72), r=0.05, to=(0.86, 0.92, 0.95))
            pen.rect(w / 2 + s * 1.5 - 0.2, 0.9, 0.4, 0.7, shade(self.towel, 0.8), to=self.towel)
        white: RGB = (0.96, 0.97, 0.98)
        with stage.standing(-s * 0.95, d - 0.4) as pen:
            pen.rect(-0.08, 0, 0.16, 0.7, shade(white, 0.85))
            pen.poly([(-0.36, 0.9), (0.36, 0.9), (0.22, 0.68), (-0.22, 0.68)], shade(white, 0.85), to=white)
            pen.line([(0, 0.92), (0, 1.08), (0.0, 1.04), (0.1, 1.02)], (0.6, 0.62, 0.65), 0.05)
        with stage.standing(s * 0.1, d - 0.5) as pen:
            pen.rect(-0.22, 0.4, 0.44, 0.42, white, r=0.04)
            pen.poly([(-0.24, 0.42), (0.24, 0.42), (0.14, 0.0), (-0.14, 0.0)], shade(white, 0.82), to=white)
            pen.oval(0, 0.42, 0.25, 0.07, shade(white, 0.75))
        with stage.standing(s * 1.0, d - 1.2) as pen:
            pen.rect(-0.95, 0.08, 1.9, 0.52, shade(white, 0.8), r=0.2, to=white)
            pen.oval(0, 0.56, 0.93, 0.09, (0.62, 0.8, 0.86))
            for k in range(7):
                pen.oval(-0.6 + k * 0.18, 0.58 + 0.02 * math.sin(k + t), 0.09, 0.05, (1, 1, 1), alpha=0.8)
