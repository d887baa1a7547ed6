"""Things about one unit high, standing on the pen's origin, each of one colour."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from tools.scenes.colour import RGB, mix, shade
from tools.scenes.pen import Pen

WHITE: RGB = (0.96, 0.96, 0.95)
DARK: RGB = (0.12, 0.12, 0.13)
METAL: RGB = (0.62, 0.64, 0.67)
Draw = Callable[[Pen, RGB, random.Random], None]


def _body(pen: Pen, points: list[tuple[float, float]], c: RGB) -> None:
    xs = [p[0] for p in points]
    pen.poly(points, shade(c, 0.62), to=mix(c, (1, 1, 1), 0.10), along=((max(xs), 0), (min(xs), 0.3)))


def ball(pen: Pen, c: RGB, rng: random.Random) -> None:
    """Draw a ball."""
    pen.oval(0, 0.5, 0.5, 0.5, shade(c, 0.55), to=mix(c, (1, 1, 1), 0.1))
    pen.soft(-0.17, 0.7, 0.2, 0.16, (1, 1, 1), alpha=0.5)


def box(pen: Pen, c: RGB, rng: random.Random) -> None:
    """Draw a box with three faces."""
    s = rng.uniform(0.15, 0.35)
    pen.rect(-0.5, 0, 0.8, 0.8, shade(c, 0.85), to=c)
    pen.poly([(0.3, 0), (0.3 + s, 0.2), (0.3 + s, 1.0), (0.3, 0.8)], shade(c, 0.55))
    pen.poly([(-0.5, 0.8), (0.3, 0.8), (0.3 + s, 1.0), (-0.5 + s, 1.0)], mix(c, (1, 1, 1), 0.15))


def cup(pen: Pen, c: RGB, rng: random.Random) -> None:
    """Draw a cup with a handle."""
    pen.ring(0.4, 0.45, 0.2, 0.22, shade(c, 0.8), 0.09)
    _body(pen, [(-0.42, 0.9), (0.42, 0.9), (0.34, 0), (-0.34, 0)], c)
    pen.oval(0, 0.9, 0.42, 0.1, shade(c, 0.5))


def bottle(pen: Pen, c: RGB, rng: random.Random) -> None:
    """Draw a bottle with a label."""
    w = rng.uniform(0.14, 0.18)
    outline = [(-w, 0), (-w, 0.6), (-0.06, 0.76), (-0.06, 0.98), (0.06, 0.98), (0.06, 0.76), (w, 0.6), (w, 0)]
    _body(pen, outline, c)
    pen.rect(-0.065, 0.94, 0.13, 0.07, shade(c, 0.5))
    pen.rect(-w, 0.2, 2 * w, 0.25, WHITE, alpha=0.9)
    pen.rect(-w * 0.75, 0.1, 0.03, 0.6, (1, 1, 1), alpha=0.3)


def chair(pen: Pen, c: RGB, rng: random.Random) -> None:
    """Draw a chair, its back to the right."""
    pen.segments(
        [
            ((-0.32, 0), (-0.32, 0.45)),
            ((0.32, 0), (0.32, 1.0)),
            ((-0.2, 0.1), (-0.2, 0.45)),
            ((0.2, 0.1), (0.2, 0.95)),
        ],
        shade(c, 0.6),
        0.06,
    )
    pen.poly([(-0.38, 0.42), (0.36, 0.42), (0.28, 0.54), (-0.26, 0.54)], c)
    for y in (0.66, 0.8, 0.93):
        pen.rect(0.17, y, 0.19, 0.07, shade(c, 0.85))
    pen.rect(-0.38, 0.38, 0.74, 0.06, shade(c, 0.7))


def door(pen: Pen, c: RGB, rng: random.Random) -> None:
    """Draw a closed door in its frame."""
    frame = mix(c, WHITE, 0.75) if sum(c) < 2.2 else (0.5, 0.45, 0.4)
    pen.rect(-0.31, 0, 0.62, 1.06, frame)
    pen.rect(-0.26, 0, 0.52, 1.0, shade(c, 0.85), to=c)
    for y in (0.1, 0.55):
        pen.rect(-0.18, y, 0.36, 0.34, shade(c, 0.7))
        pen.rect(-0.16, y + 0.02, 0.32, 0.3, shade(c, 0.92))
    pen.oval(0.2, 0.49, 0.03, 0.03, (0.85, 0.75, 0.4))


def umbrella(pen: Pen, c: RGB, rng: random.Random) -> None:
    """Draw an open umbrella."""
    pen.line([(0, 0.1), (0, 0.95)], DARK, 0.03)
    pen.line([(0, 0.1), (0.04, 0.03), (0.1, 0.06)], (0.4, 0.25, 0.12), 0.04)
    arc = [(math.cos(a) * 0.55, 0.5 + math.sin(a) * 0.45) for a in (math.pi * i / 16 for i in range(17))]
    low = [(-0.55 + 1.1 * i / 8, 0.5 + (0.06 if i % 2 else 0.0)) for i in range(9)]
    pen.poly([*arc, *low], shade(c, 0.75), to=mix(c, (1, 1, 1), 0.1), along=((0.5, 0), (-0.4, 0.6)))
    pen.segments([((-0.55 + 0.275 * i, 0.5), (0, 0.95)) for i in range(5)], shade(c, 0.55), 0.012)


def balloon(pen: Pen, c: RGB, rng: random.Random) -> None:
    """Draw a toy balloon on its string."""
    pen.line([(0, 0.42), (0.05, 0.25), (-0.04, 0.12), (0.02, 0)], (0.3, 0.3, 0.3), 0.012)
    pen.poly([(-0.05, 0.38), (0.05, 0.38), (0, 0.46)], shade(c, 0.7))
    pen.oval(0, 0.72, 0.27, 0.32, shade(c, 0.6), to=mix(c, (1, 1, 1), 0.15))
    pen.soft(-0.1, 0.85, 0.08, 0.1, (1, 1, 1), alpha=0.6)


def book(pen: Pen, c: RGB, rng: random.Random) -> None:
    """Draw a standing book with its pages."""
    pen.poly([(0.3, 0.0), (0.42, 0.06), (0.42, 0.98), (0.3, 0.94)], (0.9, 0.88, 0.8))
    pen.rect(-0.36, 0, 0.68, 0.94, shade(c, 0.85), to=c)
    pen.rect(-0.36, 0, 0.08, 0.94, shade(c, 0.6))
    pen.rect(-0.18, 0.6, 0.4, 0.1, mix(c, WHITE, 0.8) if sum(c) < 2 else DARK)
    pen.rect(-0.18, 0.5, 0.28, 0.04, mix(c, WHITE, 0.8) if sum(c) < 2 else DARK)


def bag(pen: Pen, c: RGB, rng: random.Random) -> None:
    """Draw a suitcase on wheels."""
    pen.line([(-0.12, 0.8), (-0.12, 1.0), (0.12, 1.0), (0.12, 0.8)], METAL, 0.04)
    pen.rect(-0.36, 0.06, 0.72, 0.76, shade(c, 0.7), r=0.08, to=mix(c, (1, 1, 1), 0.06))
    pen.segments([((-0.2 + 0.2 * i, 0.1), (-0.2 + 0.2 * i, 0.78)) for i in range(3)], shade(c, 0.55), 0.025)
    pen.oval(-0.25, 0.03, 0.05, 0.05, DARK)
    pen.oval(0.25, 0.03, 0.05, 0.05, DARK)


def hat(pen: Pen, c: RGB, rng: random.Random) -> None:
    """Draw a hat with a brim."""
    pen.oval(0, 0.12, 0.62, 0.12, shade(c, 0.7))
    _body(pen, [(-0.36, 0.14), (-0.32, 0.55), (-0.15, 0.62), (0.15, 0.62), (0.32, 0.55), (0.36, 0.14)], c)
    pen.rect(-0.36, 0.16, 0.72, 0.1, DARK if sum(c) > 0.6 else WHITE)


def house(pen: Pen, c: RGB, rng: random.Random) -> None:
    """Draw a small house with a roof, a door and windows."""
    roof = rng.choice(((0.55, 0.2, 0.15), (0.35, 0.33, 0.35), (0.4, 0.28, 0.2)))
    pen.rect(-0.5, 0, 1.0, 0.58, shade(c, 0.85), to=c)
    pen.rect(0.2, 0.75, 0.1, 0.25, (0.5, 0.3, 0.25))
    pen.poly([(-0.6, 0.56), (0.6, 0.56), (0.3, 0.95), (-0.3, 0.95)], roof, to=shade(roof, 1.2))
    pen.rect(-0.09, 0, 0.18, 0.36, (0.3, 0.2, 0.14))
    for x in (-0.4, 0.2):
        pen.rect(x, 0.22, 0.2, 0.2, WHITE)
        pen.rect(x + 0.02, 0.24, 0.16, 0.16, (0.45, 0.6, 0.75))


def flower(pen: Pen, c: RGB, rng: random.Random) -> None:
    """Draw one big flower on its stem."""
    n = rng.choice((5, 6, 8, 10))
    pen.line([(0, 0), (0.02, 0.3), (0, 0.66)], (0.2, 0.45, 0.16), 0.04)
    pen.poly([(0, 0.2), (0.2, 0.36), (0.3, 0.3), (0.15, 0.2)], (0.24, 0.52, 0.2))
    for i in range(n):
        a = 2 * math.pi * i / n
        pen.oval(math.cos(a) * 0.2, 0.7 + math.sin(a) * 0.2, 0.14, 0.14, shade(c, 0.8), to=c)
    middle = (0.5, 0.3, 0.1) if c[0] > 0.8 and c[1] > 0.6 else (0.95, 0.8, 0.2)
    pen.oval(0, 0.7, 0.11, 0.11, middle)


def fruit(pen: Pen, c: RGB, rng: random.Random) -> None:
    """Draw a bowl of fruit."""
    kinds: tuple[RGB, ...] = (
        (0.85, 0.12, 0.1),
        (0.95, 0.55, 0.1),
        (0.45, 0.7, 0.2),
        (0.95, 0.82, 0.2),
        (0.4, 0.15, 0.4),
    )
    for k in range(9):
        f = rng.choice(kinds)
        pen.oval(
            -0.36 + 0.18 * (k % 5) + rng.uniform(-0.03, 0.03),
            0.44 + 0.17 * (k // 5),
            0.13,
            0.13,
            shade(f, 0.7),
            to=f,
        )
    pen.line([(-0.3, 0.6), (0, 0.78), (0.3, 0.66)], (0.97, 0.85, 0.2), 0.1)
    _body(pen, [(-0.58, 0.45), (0.58, 0.45), (0.3, 0.03), (-0.3, 0.03)], c)


def cake(pen: Pen, c: RGB, rng: random.Random) -> None:
    """Draw a birthday cake with candles."""
    cream = mix(c, WHITE, 0.5)
    pen.oval(0, 0.08, 0.62, 0.08, WHITE)
    pen.rect(-0.5, 0.08, 1.0, 0.32, (0.55, 0.35, 0.2), to=(0.65, 0.42, 0.25))
    pen.rect(-0.5, 0.3, 1.0, 0.14, cream, r=0.05)
    for i in range(6):
        pen.oval(-0.42 + i * 0.168, 0.3, 0.07, 0.09, cream)
    pen.rect(-0.32, 0.42, 0.64, 0.2, c, r=0.04)
    for i in range(5):
        x = -0.24 + i * 0.12
        pen.rect(x - 0.015, 0.6, 0.03, 0.2, WHITE)
        pen.soft(x, 0.86, 0.05, 0.09, (1.0, 0.75, 0.2), alpha=1.0)
        pen.oval(x, 0.84, 0.015, 0.04, (1, 0.95, 0.6), lit=False)


def clock(pen: Pen, c: RGB, rng: random.Random) -> None:
    """Draw a round clock with hands."""
    pen.oval(0, 0.5, 0.5, 0.5, shade(c, 0.8), to=c)
    pen.oval(0, 0.5, 0.43, 0.43, WHITE)
    for i in range(12):
        a = math.pi * i / 6
        d = 0.3 if i % 3 == 0 else 0.35
        pen.line(
            [(math.cos(a) * d, 0.5 + math.sin(a) * d), (math.cos(a) * 0.4, 0.5 + math.sin(a) * 0.4)],
            DARK,
            0.03,
        )
    for length, wide in ((0.2, 0.045), (0.32, 0.03)):
        a = rng.uniform(0, 6.28)
        pen.line([(0, 0.5), (math.cos(a) * length, 0.5 + math.sin(a) * length)], DARK, wide)


def phone(pen: Pen, c: RGB, rng: random.Random) -> None:
    """Draw a smartphone with coloured tiles on its screen."""
    pen.rect(-0.27, 0, 0.54, 1.0, shade(c, 0.7), r=0.08)
    pen.rect(-0.23, 0.06, 0.46, 0.88, rng.choice(((0.1, 0.15, 0.3), (0.9, 0.92, 0.95), (0.3, 0.5, 0.8))), lit=False)
    for i in range(12):
        tile: RGB = (rng.random(), rng.random(), rng.random())
        pen.rect(-0.19 + 0.14 * (i % 3), 0.72 - 0.17 * (i // 3), 0.1, 0.11, tile, r=0.02, lit=False)


def computer(pen: Pen, c: RGB, rng: random.Random) -> None:
    """Draw an open laptop with windows on its screen."""
    pen.rect(-0.55, 0.2, 1.1, 0.75, shade(c, 0.6), r=0.04)
    pen.rect(
        -0.5,
        0.25,
        1.0,
        0.65,
        rng.choice(((0.15, 0.25, 0.45), (0.92, 0.93, 0.95), (0.1, 0.1, 0.12))),
        lit=False,
    )
    for _ in range(7):
        w, y = rng.uniform(0.15, 0.6), rng.uniform(0.3, 0.82)
        line: RGB = (rng.random(), rng.random(), rng.random())
        pen.rect(-0.45, y, w, 0.04, line, lit=False)
    pen.poly([(-0.55, 0.2), (0.55, 0.2), (0.72, 0.0), (-0.72, 0.0)], shade(c, 0.9))
    for k in range(4):
        pen.rect(-0.5 - 0.02 * k, 0.15 - 0.035 * k, 1.0 + 0.04 * k, 0.02, DARK)


def shoe(pen: Pen, c: RGB, rng: random.Random) -> None:
    """Draw a sports shoe, its tip to the right."""
    pen.rect(-0.55, 0, 1.2, 0.12, WHITE, r=0.06)
    _body(pen, [(-0.55, 0.1), (-0.56, 0.5), (-0.2, 0.52), (0.05, 0.35), (0.5, 0.25), (0.64, 0.1)], c)
    pen.segments([((-0.15 + 0.1 * i, 0.42 - 0.06 * i), (0.0 + 0.1 * i, 0.5 - 0.06 * i)) for i in range(4)], WHITE, 0.03)


def guitar(pen: Pen, c: RGB, rng: random.Random) -> None:
    """Draw a standing guitar."""
    pen.rect(-0.03, 0.4, 0.06, 0.55, (0.3, 0.2, 0.13))
    pen.rect(-0.06, 0.9, 0.12, 0.12, DARK)
    pen.oval(0, 0.2, 0.24, 0.2, shade(c, 0.65), to=c)
    pen.oval(0, 0.43, 0.17, 0.14, shade(c, 0.65), to=c)
    pen.oval(0, 0.34, 0.07, 0.07, DARK)
    pen.segments([((x, 0.12), (x, 0.95)) for x in (-0.015, 0.0, 0.015)], (0.9, 0.85, 0.7), 0.006)


OBJECTS: dict[str, Draw] = {
    "ball": ball,
    "box": box,
    "cup": cup,
    "bottle": bottle,
    "chair": chair,
    "door": door,
    "umbrella": umbrella,
    "balloon": balloon,
    "book": book,
    "suitcase": bag,
    "hat": hat,
    "house": house,
    "flower": flower,
    "fruit": fruit,
    "cake": cake,
    "clock": clock,
    "phone": phone,
    "computer": computer,
    "shoe": shoe,
    "guitar": guitar,
}
"""Things by name; each takes a pen, its colour and a source of chance."""
