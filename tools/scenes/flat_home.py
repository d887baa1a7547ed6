"""One flat, its colours drawn from a seed: hall, bathroom, stairs, living room, kitchen."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import replace

from tools.scenes.colour import RGB, basic, mix, vary
from tools.scenes.flat import Cell, Flat, Thing
from tools.scenes.flat_fittings import (
    bathtub,
    floor_lamp,
    mirror_and_basin,
    picture,
    pot_plant,
    rug,
    shelf,
    stairs,
    window,
)
from tools.scenes.flat_kitchen import kitchen_row
from tools.scenes.flat_television import television
from tools.scenes.flat_things import armchair, chair, couch, door_leaf, fruit_bowl, table
from tools.scenes.furniture import WOOD
from tools.scenes.light import make_light
from tools.scenes.pen import Pen
from tools.scenes.stage import Stage
from tools.scenes.surfaces import surface

PAINTS: tuple[RGB, ...] = (
    (0.88, 0.84, 0.74),
    (0.70, 0.78, 0.80),
    (0.82, 0.70, 0.58),
    (0.66, 0.74, 0.64),
    (0.90, 0.89, 0.87),
    (0.78, 0.62, 0.56),
    (0.56, 0.64, 0.72),
    (0.86, 0.76, 0.52),
)
TILES: tuple[RGB, ...] = (
    (0.90, 0.92, 0.92),
    (0.55, 0.74, 0.76),
    (0.40, 0.58, 0.66),
    (0.76, 0.84, 0.78),
    (0.88, 0.80, 0.66),
    (0.30, 0.46, 0.44),
    (0.86, 0.72, 0.70),
)


class Home:
    """The flat with its colours drawn from a seed; doors open as ``opens`` tells (0 closed, 1 wide open)."""

    def __init__(self, rng: random.Random) -> None:
        self.flat = Flat()
        self.doors = {"bath": 0.0, "kitchen": 0.0}
        self.couch_name, self.chair_name = (
            rng.choice(("red", "blue", "green", "grey", "brown", "white", "yellow", "purple", "orange"))
            for _ in range(2)
        )
        wood, board = vary(rng, rng.choice(WOOD), 0.04), vary(rng, rng.choice(WOOD), 0.04)
        leaf = rng.choice(
            (
                (0.92, 0.91, 0.88),
                (0.62, 0.42, 0.26),
                (0.36, 0.44, 0.52),
                (0.46, 0.28, 0.17),
                (0.72, 0.56, 0.40),
            )
        )
        night = rng.random() < 0.2
        self.night = night
        lights = [replace(make_light("indoor", rng), ambient=vary(rng, (0.60, 0.585, 0.56), 0.05)) for _ in range(5)]
        boards = surface(rng, board, "boards", 0.14)
        halls = Cell(
            0,
            -1.5,
            2.3,
            6.0,
            2.65,
            surface(rng, rng.choice(PAINTS), rng.choice(("paint", "paint", "stripes")), 0.12),
            boards,
            lights[0],
            lamps=[(1.15, 0.6), (1.15, 4.2)],
        )
        bath = Cell(
            2.45,
            0.6,
            5.3,
            3.7,
            2.5,
            surface(rng, rng.choice(TILES), "tiles", rng.choice((0.15, 0.2, 0.25))),
            surface(rng, rng.choice(((0.45, 0.47, 0.5), (0.8, 0.8, 0.78), (0.3, 0.32, 0.35))), "tiles", 0.33),
            lights[1],
            lamps=[(3.9, 2.1)],
            pools=[(3.9, 2.1, 1.2, 1.2)],
        )
        well = Cell(
            0,
            6.15,
            2.3,
            11.4,
            5.4,
            surface(rng, rng.choice(PAINTS)),
            boards,
            lights[2],
            pools=[(1.1, 6.7, 0.9, 0.5)],
        )
        living = Cell(
            -7.0,
            -1.5,
            -0.15,
            6.0,
            2.65,
            surface(rng, rng.choice(PAINTS)),
            surface(rng, board, "boards", 0.16),
            lights[3],
            lamps=[(-4.4, 1.2), (-4.6, 4.2)],
            pools=[(-3.4, 0.4, 1.2, 1.5), (-5.6, 0.4, 1.0, 1.5), (-5.6, 4.2, 1.4, 0.9)],
        )
        kitchen = Cell(
            -7.0,
            6.15,
            -0.15,
            10.6,
            2.65,
            surface(rng, rng.choice(PAINTS)),
            surface(rng, rng.choice(((0.72, 0.70, 0.66), (0.50, 0.48, 0.46), (0.84, 0.82, 0.78))), "tiles", 0.4),
            lights[4],
            lamps=[(-3.4, 8.2)],
            pools=[(-3.4, 8.6, 1.6, 1.0)],
        )
        h, b, s, v, k = (self.flat.add(c) for c in (halls, bath, well, living, kitchen))
        self.passages = {"bath": self.flat.connect(h, "e", 1.6, 2.5, b)}
        self.flat.connect(h, "n", 0.25, 2.05, s, top=2.35)
        self.flat.connect(h, "w", 3.6, 4.9, v, top=2.25)
        self.passages["kitchen"] = self.flat.connect(v, "n", -3.5, -2.6, k)
        halls.things = [
            door_leaf((0.7, -1.47), lambda t: 0.0, vary(rng, leaf, 0.05), w=0.95, h=2.1, glass=rng.random() < 0.5),
            self._leaf("bath", leaf, lambda stage: stage.camera.x <= 2.3),
        ]
        halls.decor = {
            "w": [picture(7.0, 1.2, 0.4, 0.55, rng.randrange(999))],
            "e": [picture(5.6, 1.25, 0.7, 0.5, rng.randrange(999))],
        }
        self._bath(bath, rng, leaf)
        well.things = [stairs(0.86, 7.3, 1.7, wood, rng.choice(((0.94, 0.93, 0.9), wood, (0.5, 0.52, 0.55))))]
        well.decor = {
            "n": [window(0.6, 3.3, 1.1, 1.2, rng.randrange(999), night=night)],
            "w": [
                picture(1.2, 1.6, 0.5, 0.6, rng.randrange(999)),
                picture(2.2, 2.3, 0.5, 0.6, rng.randrange(999)),
            ],
        }
        self._living(living, rng, wood, leaf)
        self._kitchen(kitchen, rng, leaf)

    def _leaf(self, door: str, colour: RGB, when: Callable[[Stage], bool]) -> Thing:
        hinge, shut, wide = ((2.3, 2.5), -math.pi / 2, 1.45) if door == "bath" else ((-3.5, 6.0), 0.0, 1.5)
        return door_leaf(hinge, lambda t: shut + wide * self.doors[door], colour, when=when)

    def draw(self, stage: Stage, t: float) -> dict[str, float]:
        """Paint what a stage's camera sees; returns the share of the middle square that each label covers."""
        self.flat.shut = {self.passages[name] for name, open_ in self.doors.items() if open_ < 0.01}
        return self.flat.draw(stage, t)

    def _bath(self, cell: Cell, rng: random.Random, leaf: RGB) -> None:
        mirror, basin = mirror_and_basin(0.75, rng)
        cell.decor = {"e": [mirror]}
        cell.things = [
            basin(5.05, 1.35, -math.pi / 2),
            bathtub(4.2, 0.6 + 0.4, 0.0),
            self._leaf("bath", leaf, lambda stage: stage.camera.x > 2.3),
        ]

    def _living(self, cell: Cell, rng: random.Random, wood: RGB, leaf: RGB) -> None:
        sofa, seat = basic(rng, self.couch_name), basic(rng, self.chair_name)
        cushion = basic(rng, rng.choice(("yellow", "white", "orange", "blue", "red", "green")))
        curtain = basic(rng, rng.choice(("white", "grey", "blue", "green", "orange")))
        dining = (-5.1, 4.35)
        cell.things = [
            rug(-4.5, 1.15, 2.6, 1.8, basic(rng, rng.choice(("red", "blue", "grey", "green", "brown")))),
            couch(-4.5, -0.75, math.pi, sofa, cushion, w=rng.choice((2.2, 1.9))),
            armchair(-6.2, -0.5, math.pi * 0.8, basic(rng, rng.choice(("red", "blue", "green", "grey", "yellow")))),
            table(-4.5, 0.75, 0.0, wood, w=1.0, d=0.55, h=0.42),
            television(-6.72, 1.6, math.pi / 2, rng, w=rng.uniform(1.3, 1.6), board=vary(rng, rng.choice(WOOD), 0.04)),
            table(*dining, 0.0, wood, after=fruit_bowl(dining[0] - 0.1, dining[1], 0.74)),
            *[
                chair(dining[0] + dx, dining[1] + dz, yaw, wood, seat)
                for dx, dz, yaw in (
                    (-0.42, -0.72, math.pi),
                    (0.42, -0.78, math.pi),
                    (-0.42, 0.72, 0.0),
                    (0.42, 0.72, 0.0),
                    (1.15, 0.0, -math.pi / 2),
                )
            ],
            floor_lamp(-2.7, -1.0),
            pot_plant(-6.55, 3.0, 1.4, rng.randrange(999), (0.8, 0.5, 0.36)),
            shelf(-1.3, 5.8, 0.0, wood, rng),
            self._leaf("kitchen", leaf, lambda stage: stage.camera.z <= 6.0),
        ]
        cell.decor = {
            "s": [
                window(2.6, 0.95, 1.5, 1.3, rng.randrange(999), night=self.night, curtain=curtain),
                picture(4.9, 1.3, 0.8, 0.6, rng.randrange(999)),
            ],
            "w": [window(4.9, 0.95, 1.3, 1.3, rng.randrange(999), night=self.night, curtain=curtain)],
            "n": [picture(1.6, 1.25, 0.9, 0.65, rng.randrange(999))],
            "e": [picture(1.0, 1.25, 0.6, 0.8, rng.randrange(999))],
        }

    def _kitchen(self, cell: Cell, rng: random.Random, leaf: RGB) -> None:
        front = (
            basic(rng, rng.choice(("white", "white", "blue", "green", "grey", "red", "yellow")))
            if rng.random() < 0.8
            else rng.choice(WOOD)
        )
        top = vary(rng, rng.choice(((0.25, 0.25, 0.26), (0.6, 0.45, 0.3), (0.82, 0.81, 0.79))), 0.03)
        tile = vary(rng, rng.choice(TILES), 0.03)

        def splash(stage: Stage, pen: Pen, t: float) -> None:
            pen.rect(0.4, 0.92, 6.0, 0.6, mix(tile, (0.5, 0.5, 0.5), 0.25))
            pen.rects([(0.4 + i * 0.15, 0.925 + j * 0.15, 0.142, 0.142) for i in range(40) for j in range(4)], tile)

        cell.decor = {"n": [splash, window(4.05, 1.25, 1.2, 0.95, rng.randrange(999), night=self.night)]}
        cell.things = [
            *kitchen_row(-6.6, -0.9, 10.27, front, top, rng),
            self._leaf("kitchen", leaf, lambda stage: stage.camera.z > 6.0),
        ]
