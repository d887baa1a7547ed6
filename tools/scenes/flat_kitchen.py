"""A fitted kitchen along a wall: base and wall units, hob with pots, oven, hood, sink, fridge."""

from __future__ import annotations

import math
import random

from tools.scenes.colour import RGB, basic, mix, shade
from tools.scenes.flat import Thing
from tools.scenes.flat_fittings import STEEL
from tools.scenes.flat_things import Part, thing_of
from tools.scenes.furniture import cabinet_face
from tools.scenes.pen import Pen
from tools.scenes.stage import Stage


def kitchen_row(x0: float, x1: float, z: float, front: RGB, top: RGB, rng: random.Random) -> list[Thing]:
    """Return base and wall units along a wall at ``z`` (facing -z) from ``x0`` to ``x1``: fridge, hob, sink."""
    pots = [basic(rng, rng.choice(("red", "blue", "black", "green"))), STEEL]
    jars = [basic(rng, rng.choice(("white", "yellow", "green", "red", "brown", "blue"))) for _ in range(5)]
    w = x1 - x0 - 0.8
    middle = x0 + w / 2

    def fridge_face(pen: Pen, fw: float, fh: float, side: str) -> None:
        if side == "front":
            pen.rect(0, 0, fw, fh, (1, 1, 1), alpha=0.14)
            pen.poly([(0, 0), (fw * 0.3, 0), (fw * 0.12, fh), (0, fh)], (1, 1, 1), alpha=0.16)
            pen.segments([((0, fh * 0.62), (fw, fh * 0.62))], (0.35, 0.35, 0.37), 0.018)
            pen.rects([(0.06, fh * 0.67, 0.03, 0.42), (0.06, fh * 0.2, 0.03, 0.62)], (0.45, 0.45, 0.47))

    def oven_face(pen: Pen, fw: float, fh: float, side: str) -> None:
        if side == "front":
            pen.rect(0.02, 0.06, fw - 0.04, fh - 0.08, (0.10, 0.10, 0.11), r=0.01)
            pen.rect(0.07, 0.16, fw - 0.14, 0.36, (0.30, 0.20, 0.12), to=(0.14, 0.12, 0.12), r=0.02)
            pen.rect(0.07, 0.6, fw - 0.14, 0.025, STEEL)
            for k in range(4):
                pen.oval(0.12 + k * 0.12, fh - 0.1, 0.026, 0.026, STEEL)

    hob = x0 + w * 0.3
    parts = [
        Part(middle - x0, 0.04, 0.0, w, 0.5, 0.1, (0.12, 0.12, 0.12), -1),
        Part(
            (hob - 0.3 - x0) / 2,
            0,
            0.1,
            hob - 0.3 - x0,
            0.6,
            0.78,
            front,
            0,
            cabinet_face(front, max(1, round((hob - 0.3 - x0) / 0.6)), drawers=True),
        ),
        Part(hob - x0, 0, 0.1, 0.6, 0.6, 0.78, (0.2, 0.2, 0.21), 0, oven_face),
        Part(
            (hob + 0.3 + x0 + w) / 2 - x0,
            0,
            0.1,
            x0 + w - hob - 0.3,
            0.6,
            0.78,
            front,
            0,
            cabinet_face(front, max(1, round((x0 + w - hob - 0.3) / 0.6)), drawers=True),
        ),
        Part(w / 2, -0.01, 0.88, w, 0.64, 0.045, top, 1, None, mix(top, (1, 1, 1), 0.14)),
    ]

    def on_top(stage: Stage, t: float) -> None:
        with stage.plane((hob - 0.28, 0.927, z - 0.24), (1, 0, 0), (0, 0, 1), facing=0.7, haze=False) as pen:
            pen.rect(0, 0, 0.56, 0.5, (0.06, 0.06, 0.07))
            for a, b in ((0.14, 0.13), (0.42, 0.13), (0.14, 0.37), (0.42, 0.37)):
                pen.ring(a, b, 0.085, 0.085, (0.5, 0.2, 0.15), 0.012)
        with stage.plane((x0 + w * 0.62, 0.927, z - 0.2), (1, 0, 0), (0, 0, 1), facing=0.7, haze=False) as pen:
            pen.rect(0, 0, 0.6, 0.4, STEEL, r=0.05)
            pen.rect(0.04, 0.04, 0.52, 0.32, (0.42, 0.43, 0.45), r=0.05)
        with stage.standing(x0 + w * 0.62 + 0.3, z + 0.22, 0.925) as pen:
            pen.line([(0, 0), (0, 0.3), (0.0, 0.34), (-0.12, 0.35), (-0.15, 0.27)], STEEL, 0.032)
        for k, (a, c) in enumerate(zip((-0.14, 0.15), pots, strict=True)):
            with stage.standing(hob + a, z + 0.08 - 0.16 * k, 0.93) as pen:
                pen.rect(-0.11, 0, 0.22, 0.15, shade(c, 0.6), r=0.02, to=mix(c, (1, 1, 1), 0.15), across=True)
                pen.line([(-0.11, 0.15), (0.11, 0.15)], mix(c, (1, 1, 1), 0.4), 0.018)
                pen.line([(0.12, 0.12), (0.26, 0.13)], (0.1, 0.1, 0.1), 0.022)
                for s in range(4):
                    rise = (t * 0.3 + s / 4 + k * 0.1) % 1
                    pen.soft(
                        0.05 * math.sin(t * 1.6 + s * 2),
                        0.2 + rise * 0.6,
                        0.06 + rise * 0.14,
                        0.09 + rise * 0.12,
                        (1, 1, 1),
                        alpha=0.24 * (1 - rise),
                    )
        with stage.standing(x0 + 0.16, z + 0.14, 0.925) as pen:
            for k, c in enumerate(jars):
                pen.rect(
                    k * 0.125,
                    0,
                    0.1,
                    0.17 + 0.03 * (k % 3),
                    shade(c, 0.7),
                    r=0.015,
                    to=mix(c, (1, 1, 1), 0.1),
                    across=True,
                )
                pen.rect(k * 0.125 + 0.01, 0.17 + 0.03 * (k % 3), 0.08, 0.02, (0.3, 0.25, 0.2))

    base = thing_of("kitchen", middle, z, 0.0, (w, 0.62, 0.93), [_moved(p, -w / 2) for p in parts], on_top)
    uppers = []
    for a, b in ((x0, hob - 0.34), (hob + 0.34, x0 + w * 0.56)):
        if b - a > 0.35:
            doors = max(1, round((b - a) / 0.5))
            uppers.append(
                Part((a + b) / 2 - middle, 0.12, 1.5, b - a, 0.36, 0.78, front, 0, cabinet_face(front, doors))
            )

    def hood(stage: Stage, t: float) -> None:
        stage.box(hob, z + 0.08, 0.66, 0.46, 0.09, STEEL, y=1.62, shadow=False, top=STEEL)
        stage.box(hob, z + 0.16, 0.28, 0.26, 0.85, shade(STEEL, 0.92), y=1.71, shadow=False)
        stage.glow(hob, 1.58, z - 0.05, 0.45, (1.0, 0.93, 0.78), alpha=0.3)

    upper = thing_of("kitchen", middle, z + 0.12, 0.0, (w, 0.4, 0.9), uppers, hood)
    upper.y, upper.nearer = 1.5, -0.1
    fridge = thing_of(
        "kitchen",
        x1 - 0.38,
        z - 0.02,
        0.0,
        (0.74, 0.7, 1.95),
        [Part(0, 0, 0.03, 0.74, 0.68, 1.92, (0.82, 0.83, 0.85), 1, fridge_face)],
    )
    return [upper, base, fridge]


def _moved(p: Part, dx: float) -> Part:
    return Part(p.x + dx, p.z, p.y, p.w, p.d, p.h, p.colour, p.layer, p.face, p.top)
