"""Rooms and what stands in them: walls, windows, cabinets, tables, chairs, sofas, screens, lamps, plants."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from tools.scenes.colour import RGB, basic, mix, shade
from tools.scenes.nature import leafy_tree
from tools.scenes.pen import Pen
from tools.scenes.stage import Stage

WOOD: tuple[RGB, ...] = ((0.55, 0.38, 0.24), (0.70, 0.54, 0.36), (0.38, 0.25, 0.17), (0.82, 0.72, 0.58))


@dataclass(frozen=True)
class Room:
    """Size in metres and surfaces; the camera stands at the open side and looks along z."""

    width: float
    depth: float
    height: float
    wall: RGB
    floor: RGB
    tiles: bool = False
    planks: bool = True
    dark: bool = False

    def draw(self, stage: Stage) -> None:
        """Paint floor, walls and ceiling."""
        half, d, h = self.width / 2, self.depth, self.height
        with stage.plane((-half, 0, -1), (1, 0, 0), (0, 0, 1), facing=0.6, haze=False) as pen:
            pen.rect(0, 0, self.width, d + 1, shade(self.floor, 0.9), to=self.floor)
            if self.tiles:
                pen.segments(
                    [((i * 0.6, 1.6), (i * 0.6, d + 1)) for i in range(int(self.width / 0.6) + 1)]
                    + [((0, 1.6 + j * 0.6), (self.width, 1.6 + j * 0.6)) for j in range(int(d / 0.6))],
                    shade(self.floor, 0.7),
                    0.025,
                )
            elif self.planks:
                pen.segments(
                    [((i * 0.22, 1.6), (i * 0.22, d + 1)) for i in range(int(self.width / 0.22))],
                    shade(self.floor, 0.75),
                    0.012,
                )
            pen.texture(0, 0, self.width, d + 1, "patch", size=3, alpha=0.10)
        with stage.plane((-half, h, -1), (1, 0, 0), (0, 0, 1), facing=0.25, haze=False) as pen:
            pen.rect(0, 0, self.width, d + 1, (0.86, 0.86, 0.84), to=(0.95, 0.95, 0.93))
        for x, facing in ((-half, 0.35), (half, 0.6)):
            with stage.plane((x, 0, -1), (0, 0, 1), (0, 1, 0), facing=facing, haze=False) as pen:
                pen.rect(0, 0, d + 1, h, shade(self.wall, 0.86), to=self.wall)
                pen.rect(0, 0, d + 1, 0.1, (0.9, 0.9, 0.88))
        with stage.plane((-half, 0, d), (1, 0, 0), (0, 1, 0), facing=0.5, haze=False) as pen:
            pen.rect(0, 0, self.width, h, shade(self.wall, 0.92), to=self.wall)
            pen.rect(0, 0, self.width, 0.1, (0.9, 0.9, 0.88))
            pen.texture(0, 0, self.width, h, "patch", size=2.5, alpha=0.06)
            pen.rect(0, 0, self.width, 0.8, (0, 0, 0), alpha=0.10, lit=False, to=(0, 0, 0))

    def back(self, stage: Stage) -> Pen:
        """Return a pen on the back wall, origin at its lower left corner."""
        return stage.plane((-self.width / 2, 0, self.depth - 0.01), (1, 0, 0), (0, 1, 0), facing=0.55, haze=False)


def window(
    pen: Pen,
    x: float,
    y: float,
    w: float,
    h: float,
    *,
    night: bool,
    rng: random.Random,
    curtain: RGB | None = None,
) -> None:
    """Draw a window with a view of sky and trees, or of the dark."""
    pen.rect(x - 0.08, y - 0.08, w + 0.16, h + 0.16, (0.92, 0.92, 0.9))
    low: RGB = (0.05, 0.06, 0.12) if night else (0.78, 0.88, 0.95)
    pen.rect(x, y, w, h, low, to=(0.02, 0.02, 0.06) if night else (0.50, 0.70, 0.92), lit=False)
    if not night:
        for _ in range(4):
            pen.oval(x + rng.uniform(0.15, w - 0.15), y + h * 0.12, w * 0.16, h * 0.2, (0.32, 0.5, 0.28), lit=False)
        pen.rect(x, y, w, h * 0.1, (0.36, 0.5, 0.26), lit=False)
    pen.segments(
        [((x + w / 2, y), (x + w / 2, y + h)), ((x, y + h * 0.6), (x + w, y + h * 0.6))],
        (0.92, 0.92, 0.9),
        0.06,
    )
    if curtain:
        for side in (0, 1):
            cx = x - 0.3 if side == 0 else x + w - 0.15
            pen.rect(cx, y - 0.5, 0.45, h + 0.7, shade(curtain, 0.75), to=curtain)
            pen.segments(
                [((cx + 0.1 * k, y - 0.5), (cx + 0.1 * k, y + h + 0.2)) for k in range(1, 5)],
                shade(curtain, 0.6),
                0.02,
            )


def cabinet_face(front: RGB, doors: int, *, drawers: bool = False, handle: RGB = (0.7, 0.7, 0.7)):
    """Return the decoration of a row of cabinet doors."""

    def face(pen: Pen, w: float, h: float, side: str) -> None:
        if side != "front":
            return
        step = w / doors
        for i in range(doors):
            pen.rect(
                i * step + 0.02,
                0.06,
                step - 0.04,
                h - 0.1,
                shade(front, 0.92),
                r=0.01,
                to=mix(front, (1, 1, 1), 0.12),
            )
            if drawers and i % 2:
                pen.segments(
                    [((i * step, h * k / 3), ((i + 1) * step, h * k / 3)) for k in (1, 2)],
                    shade(front, 0.6),
                    0.015,
                )
            pen.rect(i * step + step * 0.35, h * 0.86, step * 0.3, 0.025, handle)

    return face


def table(stage: Stage, x: float, z: float, w: float, d: float, wood: RGB, *, height: float = 0.75) -> None:
    """Draw a table: four legs and a top."""
    stage.shadow(x, z, w * 0.7, d * 0.8)
    for a in (1, -1):
        for b in (-1, 1):
            stage.box(
                x + b * (w / 2 - 0.06),
                z + a * (d / 2 - 0.06),
                0.07,
                0.07,
                height,
                shade(wood, 0.8),
                shadow=False,
            )
    stage.box(x, z, w, d, 0.05, wood, y=height, shadow=False, top=mix(wood, (1, 1, 1), 0.12))


def chair(stage: Stage, x: float, z: float, colour: RGB, *, back: bool = True) -> None:
    """Draw a chair seen from behind (``back``) or from the front."""
    stage.shadow(x, z, 0.4, 0.3)
    if not back:
        stage.box(x, z + 0.2, 0.44, 0.05, 0.5, colour, y=0.45, shadow=False)
    for a in (1, -1):
        for b in (-1, 1):
            stage.box(x + b * 0.19, z + a * 0.19, 0.04, 0.04, 0.45, shade(colour, 0.7), shadow=False)
    stage.box(x, z, 0.45, 0.45, 0.05, colour, y=0.45, shadow=False)
    if back:
        stage.box(x, z - 0.2, 0.44, 0.05, 0.5, colour, y=0.48, shadow=False)


def sofa(stage: Stage, x: float, z: float, w: float, colour: RGB, cushions: RGB) -> None:
    """Draw a sofa facing the camera."""
    stage.shadow(x, z, w * 0.65, 0.7)
    stage.box(x, z + 0.32, w, 0.25, 0.85, colour, shadow=False, top=mix(colour, (1, 1, 1), 0.1))
    stage.box(x, z, w, 0.75, 0.42, colour, shadow=False, top=mix(colour, (1, 1, 1), 0.08))
    for side in (-1, 1):
        stage.box(x + side * (w / 2 - 0.1), z - 0.02, 0.2, 0.8, 0.62, shade(colour, 0.95), shadow=False)
    with stage.standing(x, z - 0.1, 0.42) as pen:
        for k in (-1, 1):
            pen.rect(k * w * 0.22 - 0.24, 0.02, 0.48, 0.4, shade(cushions, 0.8), r=0.08, to=cushions)


def television(pen: Pen, x: float, y: float, w: float, t: float, rng: random.Random, *, on: bool) -> None:
    """Draw a flat screen on a wall, with a moving picture when it is on."""
    h = w * 0.58
    pen.rect(x, y, w, h, (0.03, 0.03, 0.035), r=0.02)
    if on:
        a, b = (
            basic(rng, rng.choice(("blue", "green", "orange", "purple"))),
            basic(rng, rng.choice(("white", "yellow", "red"))),
        )
        pen.rect(x + 0.03, y + 0.03, w - 0.06, h - 0.06, a, to=mix(a, (1, 1, 1), 0.5), lit=False)
        pen.oval(x + w * (0.5 + 0.25 * math.sin(t * 0.9)), y + h * 0.45, w * 0.1, w * 0.1, b, lit=False)
    else:
        pen.poly(
            [(x + 0.05, y + h - 0.05), (x + w * 0.4, y + h - 0.05), (x + 0.05, y + h * 0.4)],
            (0.2, 0.2, 0.22),
            alpha=0.6,
        )


def pendant(stage: Stage, x: float, z: float, top: float, low: float, colour: RGB) -> None:
    """Draw a hanging lamp with its glow."""
    with stage.standing(x, z) as pen:
        pen.line([(0, top), (0, low)], (0.12, 0.12, 0.12), 0.015)
        pen.poly(
            [(-0.22, low - 0.12), (-0.06, low + 0.1), (0.06, low + 0.1), (0.22, low - 0.12)],
            shade(colour, 0.75),
            to=colour,
            along=((0.2, 0), (-0.2, 0)),
        )
        pen.oval(0, low - 0.12, 0.12, 0.04, (1, 0.95, 0.8), lit=False)
    stage.glow(x, low - 0.2, z, 0.9, (1.0, 0.85, 0.6), alpha=0.4)


def plant(stage: Stage, x: float, z: float, height: float, rng: random.Random, pot: RGB) -> None:
    """Draw a pot plant."""
    seed = rng.randrange(1 << 20)
    stage.shadow(x, z, 0.35, 0.25)
    with stage.standing(x, z) as pen:
        leafy_tree(pen, random.Random(seed), height, (0.18, 0.45, 0.18))
        pen.poly(
            [(-0.13, 0), (0.13, 0), (0.18, 0.3), (-0.18, 0.3)],
            shade(pot, 0.7),
            to=pot,
            along=((0.2, 0), (-0.2, 0)),
        )
