"""A television on its board, with a picture that moves."""

from __future__ import annotations

import math
import random

from tools.scenes.colour import RGB, basic, mix, shade
from tools.scenes.flat import Thing
from tools.scenes.flat_things import Part, thing_of
from tools.scenes.pen import Pen
from tools.scenes.stage import Stage


def _broadcast(pen: Pen, w: float, h: float, m: float, t: float, kind: str, tones: tuple[RGB, RGB, RGB]) -> None:
    """Draw what is on: a balloon over hills, somebody who reads the news, or a cartoon of coloured shapes."""
    a, b, c = tones
    if kind == "balloon":
        pen.rect(m, m, w - 2 * m, h - 2 * m, mix(a, (1, 1, 1), 0.35), to=a, lit=False)
        pen.oval(w * (0.72 + 0.02 * math.sin(t)), h * 0.7, h * 0.11, h * 0.11, (1.0, 0.93, 0.55), lit=False)
        ridge = [(m + (w - 2 * m) * k / 8, h * (0.3 + 0.13 * math.sin(k * 1.3 + t * 0.3))) for k in range(9)]
        pen.poly([(m, m), *ridge, (w - m, m)], c, lit=False)
        x = w * (0.3 + 0.12 * math.sin(t * 0.5))
        pen.oval(x, h * 0.56, h * 0.13, h * 0.16, b, lit=False)
        pen.rect(x - h * 0.04, h * 0.33, h * 0.08, h * 0.06, (0.5, 0.3, 0.15), lit=False)
    elif kind == "news":
        pen.rect(m, m, w - 2 * m, h - 2 * m, shade(a, 0.6), to=a, lit=False)
        pen.rect(w * 0.6, h * 0.42, w * 0.3, h * 0.42, mix(c, (1, 1, 1), 0.3), lit=False)
        x = w * 0.33 + 0.008 * math.sin(t * 2)
        pen.poly(
            [(x - h * 0.3, m), (x + h * 0.3, m), (x + h * 0.17, h * 0.4), (x - h * 0.17, h * 0.4)],
            shade(b, 0.7),
            lit=False,
        )
        pen.oval(x, h * 0.55, h * 0.12, h * 0.16, (0.86, 0.66, 0.54), lit=False)
        pen.oval(x, h * 0.66, h * 0.125, h * 0.08, (0.2, 0.13, 0.1), lit=False)
    else:
        pen.rect(m, m, w - 2 * m, h - 2 * m, mix(a, (1, 1, 1), 0.5), lit=False)
        for k, tone in enumerate((b, c, shade(a, 0.8), b)):
            x = w * (0.16 + 0.22 * k + 0.03 * math.sin(t * 1.5 + k))
            pen.oval(x, h * (0.4 + 0.14 * math.sin(t * 1.2 + k * 2)), h * 0.14, h * 0.14, tone, lit=False)
    pen.rect(m, m, w - 2 * m, h * 0.13, (0.95, 0.95, 0.97), lit=False)
    pen.rect(w * 0.08, h * 0.07, w * 0.36, h * 0.045, shade(b, 0.8), lit=False)


def television(
    x: float,
    z: float,
    yaw: float,
    rng: random.Random,
    *,
    w: float = 1.35,
    on: bool = True,
    board: RGB = (0.8, 0.78, 0.74),
) -> Thing:
    """A flat television on a low board; at yaw 0 its screen faces -z. A bright picture moves on it."""
    h = w * 0.57
    clock = [0.0]
    kind = rng.choice(("balloon", "news", "shapes"))
    tones = (
        basic(rng, rng.choice(("blue", "blue", "purple", "green", "orange"))),
        basic(rng, rng.choice(("red", "yellow", "white", "orange"))),
        basic(rng, rng.choice(("green", "brown", "yellow", "pink"))),
    )

    def screen(pen: Pen, fw: float, fh: float, side: str) -> None:
        if side != "front":
            return
        m, t = 0.022, clock[0]
        if not on:
            pen.poly([(m, fh - m), (fw * 0.5, fh - m), (m, fh * 0.3)], (0.25, 0.27, 0.30), alpha=0.5)
            return
        _broadcast(pen, fw, fh, m, t, kind, tones)
        pen.poly([(m, fh - m), (fw * 0.34, fh - m), (m, fh * 0.5)], (1, 1, 1), alpha=0.08)

    def drawers(pen: Pen, fw: float, fh: float, side: str) -> None:
        if side == "front":
            pen.rects(
                [(0.02 + k * fw / 3, 0.03, fw / 3 - 0.04, fh - 0.06) for k in range(3)],
                mix(board, (1, 1, 1), 0.2),
            )
            pen.rects([(fw / 6 - 0.07 + k * fw / 3, fh * 0.72, 0.14, 0.02) for k in range(3)], (0.35, 0.35, 0.36))

    parts = [
        Part(0, 0, 0.08, w + 0.5, 0.42, 0.38, board, 0, drawers, mix(board, (1, 1, 1), 0.15)),
        Part(0, 0, 0.46, 0.4, 0.2, 0.07, (0.06, 0.06, 0.065), 1),
        Part(0, 0, 0.53, w, 0.05, h, (0.03, 0.03, 0.035), 2, screen),
    ]
    made = thing_of("television", x, z, yaw, (w, 0.1, h), parts)
    inner = made.paint

    def paint(stage: Stage, t: float) -> None:
        clock[0] = t
        inner(stage, t)
        if on:
            stage.glow(x, 0.53 + h / 2, z, w * 0.9, (0.45, 0.65, 0.95), alpha=0.12)

    return Thing("television", x, z, w, 0.1, h, yaw, paint, y=0.53)
