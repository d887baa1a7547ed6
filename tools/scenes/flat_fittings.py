"""What is built into a flat: windows, pictures, mirror and basin, stairs, shelves, rugs."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from tools.scenes.colour import RGB, basic, mix, shade
from tools.scenes.flat import Thing
from tools.scenes.flat_things import Part, thing_of
from tools.scenes.furniture import cabinet_face
from tools.scenes.nature import leafy_tree
from tools.scenes.pen import Pen
from tools.scenes.stage import Stage

Decor = Callable[[Stage, Pen, float], None]
STEEL: RGB = (0.74, 0.75, 0.77)


# --- on walls ------------------------------------------------------------------------------------------------------


def window(
    x: float, y: float, w: float, h: float, seed: int, *, night: bool = False, curtain: RGB | None = None
) -> Decor:
    """A window with a view of trees and sky (or of lit windows at night), a sill, and curtains."""

    def draw(stage: Stage, pen: Pen, t: float) -> None:
        rng = random.Random(seed)
        frame: RGB = (0.95, 0.95, 0.93)
        pen.rect(x - 0.07, y - 0.07, w + 0.14, h + 0.14, frame)
        if night:
            pen.rect(x, y, w, h, (0.10, 0.12, 0.22), to=(0.02, 0.03, 0.08), lit=False)
            for _ in range(9):
                pen.rect(
                    x + rng.uniform(0.02, w - 0.1),
                    y + rng.uniform(0, h * 0.5),
                    0.05,
                    0.07,
                    (1, 0.85, 0.5),
                    lit=False,
                )
        else:
            pen.rect(x, y, w, h, (0.86, 0.93, 0.98), to=(0.55, 0.76, 0.96), lit=False)
            for _ in range(9):
                px, r = x + rng.uniform(0.1, w - 0.1), rng.uniform(0.1, 0.22)
                tone = rng.choice(((0.45, 0.62, 0.36), (0.36, 0.54, 0.30), (0.52, 0.68, 0.40)))
                pen.oval(px, y + rng.uniform(0.02, 0.22) * h, min(r, px - x, x + w - px), r * 0.9, tone, lit=False)
            pen.rect(x, y, w, h * 0.1, (0.42, 0.58, 0.33), lit=False)
            pen.poly([(x, y + h), (x + w * 0.35, y + h), (x, y + h * 0.4)], (1, 1, 1), alpha=0.18, lit=False)
        pen.segments([((x + w / 2, y), (x + w / 2, y + h)), ((x, y + h * 0.66), (x + w, y + h * 0.66))], frame, 0.05)
        pen.rect(x - 0.12, y - 0.12, w + 0.24, 0.06, (0.98, 0.98, 0.97))
        pen.rect(x - 0.12, y - 0.15, w + 0.24, 0.03, (0, 0, 0), alpha=0.25)
        if curtain:
            pen.rect(x - 0.42, y + h + 0.16, w + 0.84, 0.03, (0.3, 0.26, 0.22))
            for side in (0, 1):
                cx = x - 0.38 if side == 0 else x + w - 0.1
                pen.rect(cx, y - 0.4, 0.48, h + 0.56, shade(curtain, 0.82), to=curtain)
                for k in range(5):
                    pen.rect(cx + k * 0.096, y - 0.4, 0.04, h + 0.56, shade(curtain, 0.72), alpha=0.6)

    return draw


def picture(x: float, y: float, w: float, h: float, seed: int) -> Decor:
    """A framed picture of hills, or of plain shapes."""

    def draw(stage: Stage, pen: Pen, t: float) -> None:
        rng = random.Random(seed)
        pen.rect(x + 0.02, y - 0.035, w, h, (0, 0, 0), alpha=0.22)
        pen.rect(x, y, w, h, rng.choice(((0.16, 0.12, 0.1), (0.55, 0.42, 0.28), (0.93, 0.92, 0.9))))
        pen.rect(x + 0.03, y + 0.03, w - 0.06, h - 0.06, (0.96, 0.95, 0.92))
        m = 0.08
        a, b, c = (basic(rng, rng.choice(("blue", "orange", "green", "yellow", "red", "pink"))) for _ in range(3))
        pen.rect(x + m, y + m, w - 2 * m, h - 2 * m, mix(a, (1, 1, 1), 0.5), to=mix(b, (1, 1, 1), 0.6))
        base, wide = y + m, w - 2 * m
        for tone, k in ((mix(c, (1, 1, 1), 0.3), 0.5), (shade(c, 0.7), 0.28)):
            ridge = [(x + m + wide * i / 6, base + (h - 2 * m) * k * rng.uniform(0.6, 1.2)) for i in range(7)]
            pen.poly([(x + m, base), *ridge, (x + w - m, base)], tone)

    return draw


def mirror_and_basin(x: float, rng: random.Random) -> tuple[Decor, Callable[[float, float, float], Thing]]:
    """Return a mirror for a wall, and a maker of the basin under it."""
    trim = rng.choice(((0.2, 0.2, 0.21), (0.8, 0.78, 0.74), (0.55, 0.4, 0.26)))

    def draw(stage: Stage, pen: Pen, t: float) -> None:
        pen.rect(x - 0.46, 1.06, 0.92, 0.92, trim, r=0.03)
        pen.rect(x - 0.42, 1.1, 0.84, 0.84, (0.70, 0.78, 0.82), to=(0.88, 0.92, 0.94), r=0.02)
        pen.poly([(x - 0.42, 1.94), (x - 0.05, 1.94), (x - 0.42, 1.35)], (1, 1, 1), alpha=0.35)
        pen.rect(x - 0.3, 2.04, 0.6, 0.06, (1, 0.98, 0.9), lit=False)

    def basin(px: float, pz: float, yaw: float) -> Thing:
        parts = [
            Part(0, 0, 0.0, 0.8, 0.42, 0.68, trim, 0, cabinet_face(trim, 2)),
            Part(0, -0.02, 0.68, 0.9, 0.5, 0.14, (0.95, 0.95, 0.95), 1, None, (1, 1, 1)),
            Part(0, 0.14, 0.82, 0.05, 0.05, 0.16, STEEL, 2),
            Part(0, 0.06, 0.95, 0.04, 0.18, 0.035, STEEL, 3),
        ]
        return thing_of("", px, pz, yaw, (0.9, 0.5, 0.98), parts)

    return draw, basin


# --- stairs --------------------------------------------------------------------------------------------------------


def stairs(
    x: float,
    z: float,
    w: float,
    wood: RGB,
    riser: RGB,
    *,
    steps: int = 14,
    rise: float = 0.185,
    tread: float = 0.27,
) -> Thing:
    """Stairs that go up towards +z, their first step at ``z``, with a handrail on the right."""

    def paint(stage: Stage, t: float) -> None:
        for i in range(steps - 1, -1, -1):
            far, height = z + i * tread, rise * (i + 1)

            def face(pen: Pen, fw: float, fh: float, side: str, i: int = i) -> None:
                if side != "front":
                    return
                low = fh - rise
                pen.rect(0, low, fw, rise, shade(riser, 0.80), to=riser)
                pen.rect(0, fh - 0.04, fw, 0.04, mix(wood, (1, 1, 1), 0.1))
                pen.rect(0, fh - 0.055, fw, 0.016, (0, 0, 0), alpha=0.4)

            stage.box(
                x,
                far + tread / 2,
                w,
                tread + 0.02,
                height,
                shade(wood, 0.72),
                shadow=False,
                face=face,
                top=mix(wood, (1, 1, 1), 0.14),
            )
            with stage.plane((x - w / 2, height + 0.001, far), (1, 0, 0), (0, 0, 1), facing=0.7, haze=False) as pen:
                pen.rect(0, tread * 0.6, w, tread * 0.4, (0, 0, 0), alpha=0.16)
                pen.texture(0, 0, w, tread, "patch", size=0.5, alpha=0.1, stretch=0.3)
        with stage.plane((x + w / 2 - 0.06, 0, z), (0, 0, 1), (0, 1, 0), facing=0.6, haze=False) as pen:
            top = [((i + 0.4) * tread, rise * (i + 1)) for i in range(steps)]
            pen.segments([((a, b), (a, b + 0.85)) for a, b in top], (0.93, 0.92, 0.9), 0.03)
            slope = [(top[0][0] - 0.1, top[0][1] + 0.82), (top[-1][0], top[-1][1] + 0.88)]
            pen.line(slope, shade(wood, 0.7), 0.075)
            pen.line([(a, b + 0.015) for a, b in slope], mix(wood, (1, 1, 1), 0.15), 0.03)
        stage.box(x + w / 2 - 0.06, z + 0.06, 0.1, 0.1, rise + 1.0, shade(wood, 0.85), shadow=False)

    depth = steps * tread
    return Thing("stairs", x, z + depth / 2, w, depth, rise * steps, 0.0, paint)


# --- loose things --------------------------------------------------------------------------------------------------


def shelf(x: float, z: float, yaw: float, wood: RGB, rng: random.Random, *, w: float = 1.4, h: float = 2.0) -> Thing:
    """A bookcase; at yaw 0 it faces -z."""
    rows = 5
    books = []
    for r in range(rows):
        px = 0.05
        while px < w - 0.1:
            bw, bh = rng.uniform(0.025, 0.06), rng.uniform(0.2, 0.32)
            if rng.random() < 0.85:
                books.append(
                    (
                        px,
                        r,
                        bw,
                        bh,
                        basic(rng, rng.choice(("red", "blue", "green", "brown", "white", "orange", "grey"))),
                    )
                )
            px += bw + 0.004

    def face(pen: Pen, fw: float, fh: float, side: str) -> None:
        if side != "front":
            return
        step = (fh - 0.08) / rows
        for r in range(rows):
            pen.rect(0.04, 0.06 + r * step, fw - 0.08, step - 0.04, shade(wood, 0.35))
        for px, r, bw, bh, c in books:
            pen.rect(px, 0.06 + r * step, bw, min(bh, step - 0.06), shade(c, 0.85), to=c)

    return thing_of("", x, z, yaw, (w, 0.34, h), [Part(0, 0, 0, w, 0.34, h, wood, 1, face)])


def rug(x: float, z: float, w: float, d: float, colour: RGB) -> Thing:
    """A carpet on the floor."""

    def paint(stage: Stage, t: float) -> None:
        with stage.plane((x - w / 2, 0.004, z - d / 2), (1, 0, 0), (0, 0, 1), facing=0.6, haze=False) as pen:
            pen.rect(0, 0, w, d, shade(colour, 0.85))
            pen.rect(0.12, 0.12, w - 0.24, d - 0.24, mix(colour, (1, 1, 1), 0.55))
            pen.rect(0.17, 0.17, w - 0.34, d - 0.34, colour)
            for k in range(5):
                pen.ring(
                    w / 2,
                    d / 2,
                    w * 0.08 * (k + 0.6),
                    d * 0.08 * (k + 0.6),
                    mix(colour, (1, 1, 1), 0.35),
                    0.03,
                )
            pen.texture(0, 0, w, d, "fine", size=0.6, alpha=0.16)

    return Thing("", x, z, w, d, 0.01, 0.0, paint, nearer=-9.0)


def floor_lamp(x: float, z: float) -> Thing:
    """A lit standing lamp."""

    def paint(stage: Stage, t: float) -> None:
        stage.shadow(x, z, 0.25, 0.22)
        with stage.standing(x, z) as pen:
            pen.oval(0, 0.015, 0.16, 0.03, (0.15, 0.14, 0.13))
            pen.line([(0, 0.02), (0, 1.5)], (0.2, 0.18, 0.15), 0.03)
            pen.poly(
                [(-0.24, 1.42), (0.24, 1.42), (0.17, 1.78), (-0.17, 1.78)],
                (1.0, 0.88, 0.66),
                to=(1.0, 0.96, 0.85),
                lit=False,
            )
        stage.glow(x, 1.58, z, 1.0, (1.0, 0.84, 0.55), alpha=0.42)

    return Thing("", x, z, 0.5, 0.5, 1.8, 0.0, paint)


def pot_plant(x: float, z: float, height: float, seed: int, pot: RGB) -> Thing:
    """A plant in a pot."""

    def paint(stage: Stage, t: float) -> None:
        stage.shadow(x, z, 0.34, 0.3, strength=1.4)
        with stage.standing(x, z) as pen:
            leafy_tree(pen, random.Random(seed), height, (0.18, 0.46, 0.19))
            pen.poly(
                [(-0.14, 0), (0.14, 0), (0.19, 0.34), (-0.19, 0.34)],
                shade(pot, 0.65),
                to=pot,
                along=((0.2, 0), (-0.2, 0)),
            )

    return Thing("", x, z, 0.7, 0.7, height, 0.0, paint)


def bathtub(x: float, z: float, yaw: float) -> Thing:
    """A white bathtub."""

    def face(pen: Pen, fw: float, fh: float, side: str) -> None:
        pen.rect(0, 0, fw, 0.14, (0, 0, 0), alpha=0.12)

    parts = [Part(0, 0, 0, 1.6, 0.75, 0.55, (0.95, 0.95, 0.96), 1, face, (1, 1, 1))]

    def inside(stage: Stage, t: float) -> None:
        c, s = math.cos(yaw), math.sin(yaw)
        with stage.plane((x, 0.552, z), (c, 0, s), (-s, 0, c), facing=0.6, haze=False) as pen:
            pen.rect(-0.72, -0.29, 1.44, 0.58, (0.70, 0.76, 0.80), r=0.2)
            pen.rect(-0.66, -0.24, 1.32, 0.50, (0.58, 0.76, 0.82), r=0.2)

    return thing_of("", x, z, yaw, (1.6, 0.75, 0.6), parts, inside)
