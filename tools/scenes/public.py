"""Rooms for many people: corridor, restaurant, supermarket, basketball court."""

from __future__ import annotations

import math
import random

from tools.scenes.colour import BASIC_COLOURS, basic, mix, shade, vary
from tools.scenes.furniture import WOOD, chair, pendant
from tools.scenes.halls import Hall
from tools.scenes.pen import Pen
from tools.scenes.people import make_person, place_person
from tools.scenes.stage import Camera, Stage

NAMES = tuple(BASIC_COLOURS)


class Corridor(Hall):
    """A long corridor with doors on both sides and lamps on its ceiling."""

    name = "corridor"
    size = (2.6, 17.0, 2.7)
    planks = False

    def furnish(self, rng: random.Random) -> None:
        self.door = basic(rng, rng.choice(NAMES)) if rng.random() < 0.5 else rng.choice(WOOD)
        self.step = rng.uniform(2.6, 3.4)
        self.walker = (make_person(rng), rng.uniform(-0.5, 0.5), rng.uniform(5, 9)) if rng.random() < 0.35 else None
        self.facts |= {"obj:door", "maybe:scene:door", "maybe:scene:tunnel", "maybe:scene:wall"}

    def draw(self, stage: Stage, t: float) -> None:
        room = self.room
        room.draw(stage)
        half = room.width / 2 - 0.01
        for side in (-1, 1):
            with stage.plane((side * half, 0, 0), (0, 0, 1), (0, 1, 0), haze=False) as pen:
                for i in range(6):
                    z = 1.2 + i * self.step
                    pen.rect(z - 0.08, 0, 1.06, 2.1, shade(self.door, 0.6))
                    pen.rect(z, 0, 0.9, 2.03, self.door)
                    pen.oval(z + 0.75, 1.0, 0.05, 0.05, (0.85, 0.8, 0.5))
                pen.rect(0, 0, room.depth, 0.12, shade(room.wall, 0.6))
        with room.back(stage) as pen:
            pen.rect(room.width / 2 - 0.5, 0, 1.0, 2.1, self.door)
            pen.rect(room.width / 2 - 0.3, 1.1, 0.6, 0.8, (0.85, 0.92, 0.98), lit=False)
        with stage.plane((-0.3, room.height - 0.01, 0), (1, 0, 0), (0, 0, 1), haze=False) as pen:
            pen.rects([(0, 1.5 + i * 2.6, 0.6, 1.1) for i in range(6)], (1, 1, 0.97), lit=False)
        if self.walker:
            who, x, z = self.walker
            place_person(stage, who, x, z + t, t)
            stage.flush()


class Restaurant(Hall):
    """Laid tables with cloths, plates and glasses, guests, hanging lamps, a bar."""

    name = "restaurant"
    size = (8.0, 8.5, 3.2)

    def furnish(self, rng: random.Random) -> None:
        self.cloth = basic(rng, rng.choice(("white", "white", "red", "green", "blue")))
        self.lamp = basic(rng, rng.choice(NAMES))
        self.guests = [(make_person(rng), make_person(rng)) if rng.random() < 0.7 else None for _ in range(4)]
        self.facts |= {
            "obj:table",
            "obj:chair",
            "maybe:scene:dining",
            "maybe:scene:bottle_table",
            "maybe:obj:bottle",
            "maybe:obj:glass",
        }

    def draw(self, stage: Stage, t: float) -> None:
        rng, room = self.rng(), self.room
        room.draw(stage)
        with room.back(stage) as pen:
            w = room.width
            pen.rect(w * 0.15, 0, w * 0.7, 1.1, (0.32, 0.2, 0.12), to=(0.42, 0.27, 0.16))
            for j in range(2):
                pen.rect(w * 0.2, 1.5 + j * 0.55, w * 0.6, 0.06, (0.3, 0.2, 0.12))
                for i in range(16):
                    c = basic(rng, rng.choice(("green", "brown", "red", "white", "yellow")))
                    pen.rect(w * 0.2 + 0.1 + i * w * 0.036, 1.56 + j * 0.55, 0.09, 0.36, shade(c, 0.7), r=0.03)
        for i, (x, z) in enumerate(((-1.9, 5.6), (1.9, 5.2), (-1.4, 3.2), (1.6, 3.0))):
            guests = self.guests[i]
            for s in (-1, 1):
                if guests:
                    place_person(stage, guests[(s + 1) // 2], x + s * 0.8, z + 0.05, t, pose="sit", flip=s > 0)
                else:
                    chair(stage, x + s * 0.8, z + 0.1, (0.4, 0.26, 0.16))
            stage.flush()
            with stage.standing(x, z) as pen:
                pen.poly(
                    [(-0.62, 0.74), (0.62, 0.74), (0.56, 0.2), (-0.56, 0.2)],
                    shade(self.cloth, 0.82),
                    to=self.cloth,
                )
                pen.oval(0, 0.75, 0.63, 0.1, mix(self.cloth, (1, 1, 1), 0.3))
                for px in (-0.35, 0.35):
                    pen.oval(px, 0.77, 0.17, 0.035, (0.98, 0.98, 0.98))
                    pen.oval(px, 0.785, 0.1, 0.025, basic(rng, rng.choice(("red", "green", "brown", "orange"))))
                pen.line([(0.05, 0.76), (0.05, 0.88)], (0.85, 0.9, 0.92), 0.02)
                pen.oval(0.05, 0.95, 0.06, 0.09, (0.62, 0.1, 0.16), alpha=0.9)
            pendant(stage, x, z, room.height, 1.9, self.lamp)
        stage.flush()


class Supermarket(Hall):
    """Aisles of goods in many colours, a shopper with a trolley, lamps in rows."""

    name = "supermarket"
    size = (6.0, 11.0, 3.4)
    planks = False

    def furnish(self, rng: random.Random) -> None:
        self.shopper = (make_person(rng), rng.uniform(-0.9, 0.9), rng.uniform(3.6, 6.5)) if rng.random() < 0.7 else None
        self.facts |= {"obj:shelf", "maybe:scene:library"}

    def _goods(self, pen: Pen, width: float, rng: random.Random) -> None:
        pen.rect(0, 0, width, 2.1, (0.82, 0.83, 0.84))
        for j in range(4):
            x = 0.05
            while x < width - 0.3:
                c = basic(rng, rng.choice(("red", "yellow", "blue", "green", "orange", "white", "pink", "purple")))
                n, w, h = rng.randint(2, 4), rng.uniform(0.14, 0.22), rng.uniform(0.24, 0.4)
                for _ in range(n):
                    pen.rect(x, 0.1 + j * 0.5, w * 0.85, h, shade(c, 0.85), to=c)
                    pen.rect(x + w * 0.15, 0.1 + j * 0.5 + h * 0.3, w * 0.5, h * 0.3, (0.97, 0.97, 0.95))
                    x += w
            pen.rect(0, 0.05 + j * 0.5, width, 0.05, (0.95, 0.95, 0.96))

    def draw(self, stage: Stage, t: float) -> None:
        rng, room = self.rng(), self.room
        room.draw(stage)
        with stage.plane((-room.width / 2, room.height - 0.01, 0), (1, 0, 0), (0, 0, 1), haze=False) as pen:
            pen.rects(
                [(x, 1 + z * 2.2, 0.25, 1.7) for x in (room.width * 0.3, room.width * 0.66) for z in range(5)],
                (1, 1, 1),
                lit=False,
            )
        with stage.plane((-1.6, 0, room.depth - 0.5), (1, 0, 0), (0, 1, 0), haze=False) as pen:
            self._goods(pen, 3.2, rng)
        for side in (-1, 1):
            with stage.plane((side * 1.6, 0, 1.0), (0, 0, 1), (0, 1, 0), haze=False) as pen:
                self._goods(pen, room.depth - 2.5, rng)
        if self.shopper:
            who, x, z = self.shopper
            place_person(stage, who, x, z, t)
            stage.flush()
            with stage.standing(x + 0.75, z - 0.05) as pen:
                pen.poly([(-0.4, 0.9), (0.45, 0.85), (0.35, 0.4), (-0.3, 0.4)], (0.7, 0.72, 0.75), alpha=0.85)
                pen.segments(
                    [((-0.4 + k * 0.12, 0.9), (-0.3 + k * 0.1, 0.4)) for k in range(8)],
                    (0.4, 0.42, 0.45),
                    0.02,
                )
                pen.oval(-0.25, 0.08, 0.08, 0.08, (0.1, 0.1, 0.1))
                pen.oval(0.3, 0.08, 0.08, 0.08, (0.1, 0.1, 0.1))


class BasketballCourt(Hall):
    """A wooden court with lines, a basket on its board, players and an orange ball."""

    name = "basketball_court"
    size = (15.0, 17.0, 7.0)

    def furnish(self, rng: random.Random) -> None:
        self.wood = vary(rng, (0.82, 0.58, 0.34), 0.05)
        shirts = [basic(rng, n) for n in rng.sample(NAMES, 2)]
        self.players = [
            (
                make_person(rng, shirt=shirts[i % 2], trousers=shirts[i % 2], sport=True),
                rng.uniform(-5, 5),
                rng.uniform(6, 14),
                rng.random() < 0.5,
            )
            for i in range(rng.randint(2, 8))
        ]
        self.paint = basic(rng, rng.choice(("red", "blue", "green", "purple")))

    def camera(self, t: float) -> Camera:
        return Camera(self.pan * 0.8, 2.4, 0.5, yaw=-0.02 * self.pan, tilt=0.03, focal=self.focal)

    def draw(self, stage: Stage, t: float) -> None:
        rng, room = self.rng(), self.room
        room.draw(stage)
        d = room.depth
        with stage.ground() as pen:
            pen.rect(-7.5, 0, 15, d, self.wood)
            pen.segments([((x * 0.5, 0), (x * 0.5, d)) for x in range(-15, 16)], shade(self.wood, 0.9), 0.03)
            pen.rect(-2, d - 7, 4, 6, self.paint)
            for line in (
                [(-2, d - 7), (-2, d - 1), (2, d - 1), (2, d - 7), (-2, d - 7)],
                [(-6, 2), (-6, d - 1), (6, d - 1), (6, 2)],
            ):
                pen.line(line, (0.97, 0.97, 0.95), 0.12)
            pen.ring(0, d - 7, 2, 2, (0.97, 0.97, 0.95), 0.12)
            pen.ring(0, d - 1.5, 5.6, 7, (0.97, 0.97, 0.95), 0.12)
        with stage.standing(0, d - 1.4) as pen:
            pen.rect(-0.12, 0, 0.24, 3.2, (0.3, 0.3, 0.32))
            pen.rect(-1.2, 3.0, 2.4, 1.5, (0.97, 0.97, 0.97))
            pen.line([(-1.2, 3.0), (1.2, 3.0), (1.2, 4.5), (-1.2, 4.5)], (0.85, 0.2, 0.15), 0.1, closed=True)
            pen.line([(-0.35, 3.2), (-0.35, 3.8), (0.35, 3.8), (0.35, 3.2)], (0.85, 0.2, 0.15), 0.07)
            pen.ring(0, 3.15, 0.4, 0.1, (0.95, 0.45, 0.1), 0.09)
            pen.segments([((-0.4 + k * 0.13, 3.1), (-0.25 + k * 0.085, 2.6)) for k in range(7)], (1, 1, 1), 0.03)
        for who, x, z, flip in self.players:
            place_person(stage, who, x, z, t, pose=rng.choice(("run", "run", "stand")), flip=flip)
        stage.flush()
        x, z = self.players[0][1] + 0.6, self.players[0][2] - 0.1
        with stage.standing(x, z, 0.6 + abs(math.sin(t * 4)) * 0.6) as pen:
            pen.oval(0, 0.15, 0.17, 0.17, (0.75, 0.35, 0.1), to=(0.95, 0.5, 0.15))
