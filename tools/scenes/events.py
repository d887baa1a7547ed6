"""What people do: crowds, markets, concerts, runners, cyclists."""

from __future__ import annotations

import math
import random

from tools.scenes.base import Scene
from tools.scenes.colour import BASIC_COLOURS, RGB, basic, mix, shade, vary
from tools.scenes.creatures import bicycle
from tools.scenes.nature import hills
from tools.scenes.outside import Outside
from tools.scenes.people import draw_person, make_person, place_person
from tools.scenes.sheet import sheet
from tools.scenes.stage import Stage
from tools.scenes.structures import house_face

NAMES = tuple(BASIC_COLOURS)


class Crowd(Outside):
    """Very many people close together, in a street or on a square, from a little above."""

    name = "crowd"
    height = 2.6
    tilt = -0.02
    lights = ("day", "day", "overcast", "sunset")

    def build(self, rng: random.Random) -> None:
        self.people = [
            (make_person(rng), rng.uniform(-12, 12), 4.5 + 22 * rng.random() ** 0.8, rng.random() < 0.5)
            for _ in range(110)
        ]
        self.town = rng.random() < 0.7
        self.face = house_face(rng, vary(rng, (0.7, 0.6, 0.5), 0.1), night=False)
        self.facts |= {
            "obj:crowd",
            "obj:person",
            "maybe:scene:city_street",
            "maybe:scene:city_square",
            "maybe:scene:market",
        }

    def draw(self, stage: Stage, t: float) -> None:
        stage.sky(drift=t)
        with stage.ground() as pen:
            pen.rect(-100, 1, 200, 200, (0.5, 0.48, 0.46))
        if self.town:
            for x in (-24, -8, 8, 24):
                stage.box(x, 44, 15.5, 10, 13, (0.66, 0.58, 0.5), face=self.face, shadow=False)
        for who, x, z, flip in self.people:

            def paint(who=who, x=x, z=z, flip=flip) -> None:
                with stage.standing(x, z, flip=flip) as pen:
                    draw_person(pen, who, t, pose="walk", pace=0.5)

            stage.add(x, z, paint)
        stage.flush()


class Market(Outside):
    """Stalls with striped awnings, crates of fruit and vegetables, buyers."""

    name = "market"
    lights = ("day", "day", "overcast", "sunset")

    def build(self, rng: random.Random) -> None:
        self.stalls = [
            (x * 4.6 + rng.uniform(-0.3, 0.3), z, basic(rng, rng.choice(NAMES)))
            for z in (9.5, 17)
            for x in (-2, -1, 0, 1, 2)
        ]
        self.people = [
            (make_person(rng), rng.uniform(-7, 7), rng.uniform(6, 15), rng.random() < 0.5)
            for _ in range(rng.randint(2, 8))
        ]
        self.facts |= {
            "obj:stall",
            "maybe:scene:fruit",
            "maybe:scene:crowd",
            "maybe:obj:crowd",
            "maybe:scene:city_square",
        }

    def draw(self, stage: Stage, t: float) -> None:
        rng = self.rng()
        stage.sky(drift=t)
        hills(stage, rng, 90, 9, (0.5, 0.44, 0.4))
        with stage.ground() as pen:
            pen.rect(-100, 1, 200, 120, (0.6, 0.56, 0.5))
            pen.texture(-100, 1, 200, 60, "fine", size=3, alpha=0.2)
        for x, z, c in self.stalls:
            seed = rng.randrange(1 << 20)

            def stall(x: float = x, z: float = z, c: RGB = c, seed: int = seed) -> None:
                local = random.Random(seed)
                with stage.standing(x, z) as pen:
                    pen.segments([((-2, 0), (-2, 2.6)), ((2, 0), (2, 2.6))], (0.4, 0.3, 0.2), 0.1)
                    pen.rect(-2, 0, 4, 0.75, (0.5, 0.36, 0.22), to=(0.62, 0.46, 0.3))
                    for k in range(5):
                        f = local.choice(
                            (
                                (0.85, 0.15, 0.1),
                                (0.95, 0.55, 0.1),
                                (0.4, 0.65, 0.2),
                                (0.95, 0.82, 0.2),
                                (0.5, 0.2, 0.45),
                            )
                        )
                        for n in range(8):
                            pen.oval(
                                -1.75 + k * 0.8 + (n % 4) * 0.17,
                                0.82 + (n // 4) * 0.13,
                                0.1,
                                0.1,
                                shade(f, 0.8),
                                to=f,
                            )
                    for k in range(8):
                        stripe = c if k % 2 else (0.96, 0.96, 0.94)
                        pen.poly(
                            [
                                (-2.2 + k * 0.55, 2.2),
                                (-1.65 + k * 0.55, 2.2),
                                (-1.6 + k * 0.45, 3.0),
                                (-2.05 + k * 0.45, 3.0),
                            ],
                            stripe,
                        )

            stage.add(x, z, stall)
        for who, x, z, flip in self.people:
            place_person(stage, who, x, z, t, flip=flip)
        stage.flush()


class Concert(Scene):
    """A stage with coloured beams, musicians, and the dark heads and hands of the audience."""

    name = "concert"
    lights = ("indoor",)

    def build(self, rng: random.Random) -> None:
        self.beams = [
            (rng.uniform(-0.7, 0.7), basic(rng, rng.choice(NAMES[:7])), rng.uniform(-0.5, 0.5))
            for _ in range(rng.randint(4, 9))
        ]
        self.back = shade(basic(rng, rng.choice(("blue", "purple", "red", "pink"))), rng.uniform(0.15, 0.5))
        self.band = [(make_person(rng), x) for x in rng.sample((-0.28, -0.1, 0.08, 0.26), rng.randint(1, 4))]
        self.facts = {
            "scene:concert",
            "obj:crowd",
            "obj:person",
            "obj:stage",
            "maybe:place:indoor",
            "maybe:time:night",
            "maybe:light:dark",
            "maybe:scene:crowd",
            "maybe:scene:lights",
        }

    def draw(self, stage: Stage, t: float) -> None:
        rng = self.rng()
        with sheet(stage) as pen:
            pen.rect(-2, -1, 4, 3, shade(self.back, 0.5), to=self.back)
            pen.rect(-0.62, 0.36, 1.24, 0.45, shade(self.back, 1.6), alpha=0.5)
            pen.segments([((-1, 0.93), (1, 0.93)), ((-1, 0.98), (1, 0.98))], (0.2, 0.2, 0.22), 0.012)
            for x, c, way in self.beams:
                end = x + way + 0.15 * math.sin(t + x * 9)
                pen.poly(
                    [(x - 0.01, 0.95), (x + 0.01, 0.95), (end + 0.13, 0.2), (end - 0.13, 0.2)],
                    c,
                    alpha=0.7,
                    to=shade(c, 0.5),
                    along=((x, 0.95), (end, 0.2)),
                )
                pen.soft(x, 0.95, 0.07, 0.07, mix(c, (1, 1, 1), 0.7), alpha=1.0)
            pen.rect(-1, 0.28, 2, 0.06, (0.1, 0.09, 0.1))
        for who, x in self.band:
            with sheet(stage, x, 0.33, 0.14) as pen:
                draw_person(pen, who, t, pose="work")
        with sheet(stage) as pen:
            for row in range(4):
                y = 0.26 - row * 0.08
                for _ in range(16):
                    x, r = rng.uniform(-0.9, 0.9), 0.03 + row * 0.012
                    dark: RGB = (0.05, 0.04, 0.06)
                    pen.oval(x, y + 0.02 * math.sin(t * 5 + x * 20), r, r * 1.2, dark)
                    pen.rect(x - r * 1.7, y - 0.3, r * 3.4, 0.28, dark, r=r)
                    if rng.random() < 0.35:
                        pen.line([(x + r, y - 0.05), (x + r * 2, y + r * 3)], dark, r * 0.8)


class Runner(Outside):
    """Runners on a red track or in a park, close enough to see them run."""

    name = "runner"
    lights = ("day", "day", "overcast", "sunset")
    height = 1.5

    def build(self, rng: random.Random) -> None:
        self.track = rng.random() < 0.6
        self.people = []
        for i in range(rng.randint(1, 3)):
            name = rng.choice(NAMES)
            who = make_person(
                rng,
                shirt=basic(rng, name),
                trousers=basic(rng, rng.choice(("black", "blue", "white"))),
                sport=True,
            )
            self.people.append((who, rng.uniform(-0.5, 0.5) + (0, -1.5, 1.5)[i], rng.uniform(3.4, 4.4) + i * 0.5, name))
        self.facts |= {"obj:person", "obj:running", "maybe:scene:football_pitch", "maybe:scene:road"}

    def draw(self, stage: Stage, t: float) -> None:
        rng = self.rng()
        stage.sky(drift=t)
        hills(stage, rng, 150, 16, (0.28, 0.45, 0.24))
        self.meadow(stage, (0.36, 0.56, 0.24))
        with stage.ground() as pen:
            pen.rect(-100, 1, 200, 8, (0.72, 0.27, 0.2) if self.track else (0.66, 0.58, 0.46))
            if self.track:
                pen.rects([(-100, 1.6 + k * 1.2, 200, 0.07) for k in range(7)], (0.95, 0.95, 0.93))
        for who, x, z, name in self.people:
            place_person(stage, who, x + t * 0.3, z, t, pose="run")
            if len(self.people) == 1:
                stage.note(f"shirt:{name}", x, z, area=0.3)
        self.trees(stage, rng, 6, 24, 60, pines=False)
        stage.flush()


class Cyclist(Outside):
    """Somebody on a bicycle, on a road or a path."""

    name = "cyclist"
    lights = ("day", "day", "overcast", "sunset")
    height = 1.5

    def build(self, rng: random.Random) -> None:
        self.colour_name, shirt = rng.choice(NAMES), rng.choice(NAMES)
        self.paint, self.rider = basic(rng, self.colour_name), make_person(rng, shirt=basic(rng, shirt))
        self.x, self.z, self.flip = rng.uniform(-0.8, 0.8), rng.uniform(3.6, 5.5), rng.random() < 0.5
        self.road = rng.random() < 0.5
        self.facts |= {"obj:person", "scene:bicycle", f"bicycle:{self.colour_name}", "maybe:scene:road"}

    def draw(self, stage: Stage, t: float) -> None:
        rng = self.rng()
        stage.sky(drift=t)
        hills(stage, rng, 200, 24, (0.32, 0.48, 0.28))
        self.meadow(stage, (0.38, 0.56, 0.26))
        with stage.ground() as pen:
            pen.rect(-100, 1.5, 200, 6, (0.36, 0.36, 0.37) if self.road else (0.68, 0.6, 0.46))
        self.trees(stage, rng, 7, 20, 60, pines=False)
        stage.flush()
        with stage.standing(self.x, self.z, flip=self.flip, size=1.15) as pen:
            pen.soft(0, 0.02, 0.9, 0.1, (0, 0, 0), alpha=0.4)
            bicycle(pen, self.paint, rng)
            who = self.rider
            knee = (0.1 + 0.05 * math.sin(t * 6), 0.55)
            pen.line([(-0.16, 0.86), knee, (0.0 + 0.1 * math.sin(t * 6), 0.28)], who.trousers, 0.11)
            pen.line([(-0.16, 0.88), (0.1, 1.25)], who.shirt, 0.22)
            pen.line([(0.1, 1.25), (0.28, 1.05), (0.4, 0.93)], shade(who.shirt, 0.8), 0.08)
            pen.oval(0.2, 1.42, 0.11, 0.13, shade(who.skin, 0.85), to=who.skin)
            pen.oval(0.18, 1.5, 0.12, 0.07, (0.9, 0.2, 0.2))
