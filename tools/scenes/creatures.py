"""Animals and people close by, and vehicles, about one unit high, standing on the pen's origin."""

from __future__ import annotations

import math
import random

from tools.scenes.colour import RGB, mix, shade
from tools.scenes.objects import DARK, WHITE, Draw
from tools.scenes.pen import Pen
from tools.scenes.people import HAIR, SKIN

FURS: tuple[RGB, ...] = (
    (0.45, 0.28, 0.14),
    (0.15, 0.13, 0.12),
    (0.85, 0.8, 0.72),
    (0.72, 0.5, 0.28),
    (0.5, 0.49, 0.48),
)


def _legs(pen: Pen, c: RGB, xs: tuple[float, ...], top: float, wide: float, rng: random.Random) -> None:
    for i, x in enumerate(xs):
        step = rng.uniform(-0.06, 0.06)
        pen.line([(x, top), (x + step, top * 0.5), (x + step * 1.5, 0.03)], shade(c, 0.7 if i % 2 else 0.95), wide)


def dog(pen: Pen, c: RGB, rng: random.Random) -> None:
    """Draw a dog facing right: hanging ears, long snout, raised tail."""
    _legs(pen, c, (-0.38, -0.28, 0.22, 0.32), 0.38, 0.085, rng)
    pen.line([(-0.42, 0.52), (-0.58, 0.7), (-0.6, 0.84)], c, 0.06)
    pen.oval(-0.03, 0.48, 0.46, 0.17, shade(c, 0.75), to=c)
    pen.line([(0.32, 0.55), (0.44, 0.74)], c, 0.2)
    pen.oval(0.48, 0.8, 0.16, 0.14, shade(c, 0.85), to=c)
    pen.line([(0.54, 0.76), (0.7, 0.73)], c, 0.12)
    pen.oval(0.75, 0.75, 0.035, 0.03, DARK)
    pen.poly([(0.38, 0.9), (0.46, 0.9), (0.44, 0.66), (0.35, 0.68)], shade(c, 0.5))
    pen.oval(0.53, 0.84, 0.022, 0.022, DARK)


def cat(pen: Pen, c: RGB, rng: random.Random) -> None:
    """Draw a sitting cat from the front: pointed ears, whiskers, curled tail."""
    pen.line([(0.25, 0.08), (0.48, 0.12), (0.52, 0.34), (0.42, 0.44)], shade(c, 0.8), 0.08)
    pen.oval(0, 0.28, 0.28, 0.3, shade(c, 0.75), to=c)
    pen.line([(-0.09, 0.3), (-0.1, 0.03)], c, 0.1)
    pen.line([(0.09, 0.3), (0.1, 0.03)], c, 0.1)
    for s in (-1, 1):
        pen.poly([(s * 0.24, 0.74), (s * 0.2, 1.0), (s * 0.05, 0.86)], shade(c, 0.8))
        pen.poly([(s * 0.2, 0.78), (s * 0.18, 0.93), (s * 0.09, 0.85)], (0.9, 0.6, 0.6))
    pen.oval(0, 0.7, 0.25, 0.2, shade(c, 0.85), to=c)
    for s in (-1, 1):
        pen.oval(s * 0.1, 0.74, 0.05, 0.055, (0.55, 0.8, 0.3))
        pen.oval(s * 0.1, 0.74, 0.018, 0.05, DARK)
        pen.segments([((s * 0.08, 0.63 + k * 0.02), (s * 0.36, 0.6 + k * 0.05)) for k in range(3)], WHITE, 0.01)
    pen.poly([(-0.03, 0.67), (0.03, 0.67), (0, 0.63)], (0.85, 0.45, 0.45))


def horse(pen: Pen, c: RGB, rng: random.Random) -> None:
    """Draw a horse facing right: long legs, arched neck, mane and tail."""
    mane = shade(c, 0.4)
    _legs(pen, c, (-0.4, -0.3, 0.2, 0.3), 0.5, 0.075, rng)
    pen.line([(-0.44, 0.6), (-0.56, 0.45), (-0.55, 0.2)], mane, 0.08)
    pen.oval(-0.05, 0.56, 0.43, 0.17, shade(c, 0.75), to=c)
    pen.poly([(0.16, 0.66), (0.42, 0.98), (0.52, 0.92), (0.36, 0.5)], c)
    pen.poly([(0.4, 1.0), (0.54, 0.98), (0.74, 0.78), (0.66, 0.7), (0.46, 0.82)], shade(c, 0.92))
    pen.line([(0.14, 0.68), (0.28, 0.88), (0.42, 1.02)], mane, 0.08)
    pen.poly([(0.42, 1.0), (0.44, 1.1), (0.5, 1.0)], c)
    pen.oval(0.54, 0.89, 0.02, 0.02, DARK)


def cow(pen: Pen, c: RGB, rng: random.Random) -> None:
    """Draw a spotted cow facing right."""
    patch = rng.choice(((0.1, 0.1, 0.1), (0.45, 0.25, 0.12)))
    _legs(pen, WHITE, (-0.42, -0.32, 0.2, 0.3), 0.36, 0.09, rng)
    pen.rect(-0.5, 0.32, 0.9, 0.4, shade(WHITE, 0.85), r=0.12, to=WHITE)
    for _ in range(5):
        pen.oval(
            rng.uniform(-0.42, 0.3),
            rng.uniform(0.42, 0.64),
            rng.uniform(0.06, 0.14),
            rng.uniform(0.05, 0.09),
            patch,
        )
    pen.rect(0.34, 0.56, 0.3, 0.24, WHITE, r=0.08)
    pen.rect(0.36, 0.7, 0.12, 0.1, patch)
    pen.rect(0.56, 0.56, 0.12, 0.13, (0.9, 0.65, 0.62), r=0.04)
    pen.segments([((0.38, 0.8), (0.34, 0.9)), ((0.5, 0.8), (0.54, 0.9))], (0.85, 0.8, 0.65), 0.03)
    pen.oval(-0.05, 0.32, 0.1, 0.06, (0.95, 0.7, 0.68))


def bird(pen: Pen, c: RGB, rng: random.Random) -> None:
    """Draw a bird on a branch, facing right."""
    pen.line([(-0.7, 0.1), (0.7, 0.16)], (0.35, 0.24, 0.15), 0.07)
    pen.segments([((-0.05, 0.15), (-0.05, 0.32)), ((0.08, 0.15), (0.06, 0.32))], (0.8, 0.55, 0.2), 0.03)
    pen.poly([(-0.3, 0.4), (-0.75, 0.28), (-0.7, 0.4), (-0.25, 0.52)], shade(c, 0.55))
    pen.oval(0, 0.5, 0.36, 0.24, shade(c, 0.75), to=c)
    pen.oval(0.26, 0.74, 0.18, 0.17, shade(c, 0.85), to=c)
    pen.oval(0.05, 0.42, 0.22, 0.13, mix(c, WHITE, 0.6))
    pen.poly([(-0.3, 0.42), (0.12, 0.44), (0.1, 0.62), (-0.1, 0.64)], shade(c, 0.5))
    pen.poly([(0.42, 0.78), (0.42, 0.68), (0.62, 0.72)], (0.95, 0.65, 0.1))
    pen.oval(0.3, 0.79, 0.03, 0.03, DARK)


def fish(pen: Pen, c: RGB, rng: random.Random) -> None:
    """Draw a fish facing right."""
    pen.poly([(-0.35, 0.5), (-0.68, 0.76), (-0.6, 0.5), (-0.68, 0.24)], shade(c, 0.75))
    pen.poly([(-0.1, 0.72), (0.0, 0.92), (0.2, 0.7)], shade(c, 0.7))
    pen.oval(0, 0.5, 0.45, 0.25, shade(c, 0.7), to=mix(c, (1, 1, 1), 0.15))
    pen.segments([((-0.15 + 0.12 * i, 0.3), (-0.15 + 0.12 * i, 0.7)) for i in range(3)], mix(c, WHITE, 0.6), 0.04)
    pen.oval(0.28, 0.55, 0.06, 0.06, WHITE)
    pen.oval(0.29, 0.55, 0.03, 0.03, DARK)


def portrait(pen: Pen, c: RGB, rng: random.Random) -> None:
    """Draw head and shoulders from the front; the colour is the shirt's."""
    skin, hair = rng.choice(SKIN), rng.choice(HAIR)
    long = rng.random() < 0.5
    if long:
        pen.rect(-0.29, 0.32, 0.58, 0.5, shade(hair, 0.8), r=0.2)
    pen.poly(
        [(-0.6, -0.3), (-0.55, 0.2), (-0.16, 0.34), (0.16, 0.34), (0.55, 0.2), (0.6, -0.3)],
        shade(c, 0.7),
        to=c,
        along=((0.5, 0), (-0.4, 0.2)),
    )
    pen.poly([(-0.11, 0.5), (0.11, 0.5), (0.14, 0.33), (0, 0.24), (-0.14, 0.33)], shade(skin, 0.78))
    pen.oval(0, 0.68, 0.23, 0.29, shade(skin, 0.85), to=skin)
    pen.poly(
        [(math.cos(a) * 0.25, 0.74 + math.sin(a) * 0.27) for a in (math.pi * i / 10 for i in range(11))]
        + [(-0.2, 0.84), (0.0, 0.88), (0.2, 0.84)],
        hair,
    )
    for s in (-1, 1):
        pen.oval(s * 0.09, 0.7, 0.045, 0.026, WHITE)
        pen.oval(s * 0.09, 0.7, 0.02, 0.024, rng.choice(((0.2, 0.35, 0.5), (0.3, 0.2, 0.1), (0.2, 0.4, 0.25))))
        pen.line([(s * 0.05, 0.76), (s * 0.14, 0.765)], hair, 0.022)
    pen.line([(0, 0.69), (0.025, 0.6), (-0.01, 0.595)], shade(skin, 0.65), 0.018)
    smile = rng.uniform(0, 0.04)
    pen.line([(-0.08, 0.53 + smile), (0, 0.515), (0.08, 0.53 + smile)], (0.7, 0.28, 0.28), 0.03)


def bicycle(pen: Pen, c: RGB, rng: random.Random) -> None:
    """Draw a bicycle facing right."""
    for x in (-0.42, 0.42):
        pen.ring(x, 0.3, 0.28, 0.28, DARK, 0.05)
        pen.segments(
            [
                (
                    (x - 0.26 * math.cos(a), 0.3 - 0.26 * math.sin(a)),
                    (x + 0.26 * math.cos(a), 0.3 + 0.26 * math.sin(a)),
                )
                for a in (0.3, 1.2, 2.2)
            ],
            (0.6, 0.6, 0.6),
            0.008,
        )
    for line in (
        [(-0.42, 0.3), (-0.12, 0.72), (0.3, 0.74), (-0.02, 0.3), (-0.42, 0.3)],
        [(-0.02, 0.3), (-0.16, 0.82)],
        [(0.42, 0.3), (0.28, 0.86)],
    ):
        pen.line(line, c, 0.065)
    pen.line([(-0.26, 0.84), (-0.06, 0.85)], DARK, 0.07)
    pen.line([(0.28, 0.86), (0.4, 0.92), (0.46, 0.86)], DARK, 0.045)


def boat(pen: Pen, c: RGB, rng: random.Random) -> None:
    """Draw a boat with a cabin and a mast."""
    pen.line([(0.05, 0.3), (0.05, 1.0)], (0.5, 0.4, 0.3), 0.03)
    if rng.random() < 0.6:
        pen.poly([(0.08, 0.36), (0.08, 0.98), (0.55, 0.36)], WHITE, to=(0.85, 0.86, 0.88))
        pen.poly([(0.02, 0.36), (0.02, 0.9), (-0.36, 0.36)], shade(WHITE, 0.9))
    else:
        pen.rect(-0.35, 0.28, 0.5, 0.26, WHITE)
        pen.rects([(-0.3, 0.38, 0.12, 0.1), (-0.1, 0.38, 0.12, 0.1)], (0.3, 0.45, 0.6))
    pen.poly([(-0.62, 0.32), (0.72, 0.32), (0.5, 0.0), (-0.5, 0.0)], shade(c, 0.75), to=c, along=((0, 0), (0, 0.3)))
    pen.line([(-0.6, 0.28), (0.68, 0.28)], WHITE, 0.03)


def aeroplane(pen: Pen, c: RGB, rng: random.Random) -> None:
    """Draw an airliner flying right: body, swept wing, tail fin of its colour."""
    body = rng.choice((WHITE, (0.82, 0.84, 0.88)))
    pen.poly([(-0.72, 0.52), (-0.88, 0.86), (-0.7, 0.86), (-0.45, 0.55)], c)
    pen.rect(-0.8, 0.4, 1.5, 0.18, shade(body, 0.8), r=0.09, to=body)
    pen.rect(-0.74, 0.43, 1.36, 0.045, c)
    pen.rects([(-0.55 + i * 0.09, 0.51, 0.04, 0.035) for i in range(12)], (0.2, 0.25, 0.35))
    pen.poly([(0.1, 0.46), (-0.15, 0.46), (-0.48, 0.12), (-0.34, 0.12)], shade(body, 0.6), to=shade(body, 0.85))
    pen.rect(-0.22, 0.24, 0.2, 0.09, c, r=0.04)
    pen.poly([(0.05, 0.56), (-0.12, 0.56), (-0.3, 0.72), (-0.2, 0.72)], shade(body, 0.7))


def helicopter(pen: Pen, c: RGB, rng: random.Random) -> None:
    """Draw a helicopter facing right."""
    pen.line([(-0.2, 0.5), (-0.85, 0.6)], c, 0.09)
    pen.line([(-0.85, 0.48), (-0.85, 0.76)], DARK, 0.03)
    pen.oval(0.08, 0.45, 0.4, 0.25, shade(c, 0.7), to=c)
    pen.poly([(0.12, 0.42), (0.46, 0.42), (0.4, 0.6), (0.2, 0.66)], (0.35, 0.5, 0.62))
    pen.line([(-0.65, 0.82), (0.8, 0.82)], DARK, 0.035)
    pen.line([(0.05, 0.7), (0.05, 0.82)], DARK, 0.05)
    pen.line([(-0.25, 0.06), (0.4, 0.06)], DARK, 0.04)
    pen.segments([((-0.1, 0.06), (-0.08, 0.25)), ((0.25, 0.06), (0.22, 0.25))], DARK, 0.03)


def train(pen: Pen, c: RGB, rng: random.Random) -> None:
    """Draw a train's first carriage, facing right."""
    pen.rect(-1.6, 0.12, 2.0, 0.72, shade(c, 0.75), r=0.05, to=c)
    pen.poly([(0.3, 0.12), (0.78, 0.12), (0.74, 0.45), (0.5, 0.84), (0.3, 0.84)], shade(c, 0.85))
    pen.poly([(0.44, 0.5), (0.66, 0.5), (0.5, 0.76), (0.44, 0.76)], (0.2, 0.28, 0.36))
    pen.rects([(-1.5 + i * 0.32, 0.46, 0.24, 0.24) for i in range(6)], (0.25, 0.33, 0.42))
    pen.rect(-1.6, 0.3, 2.35, 0.07, WHITE)
    for x in (-1.2, -0.9, -0.1, 0.2, 0.5):
        pen.oval(x, 0.09, 0.09, 0.09, DARK)


CREATURES: dict[str, Draw] = {"dog": dog, "cat": cat, "horse": horse, "cow": cow, "bird": bird, "fish": fish}
"""Animals by name; the colour is that of the fur."""
CRAFT: dict[str, Draw] = {
    "bicycle": bicycle,
    "boat": boat,
    "aeroplane": aeroplane,
    "helicopter": helicopter,
    "train": train,
}
"""Vehicles by name; each takes a pen, its colour and a source of chance."""
