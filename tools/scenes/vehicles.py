"""Cars, buses, lorries and building machines, seen from the side or from behind, in metres."""

from __future__ import annotations

import math

from tools.scenes.colour import RGB, mix, shade
from tools.scenes.pen import Pen, lattice
from tools.scenes.stage import Stage

GLASS: RGB = (0.16, 0.22, 0.28)
TYRE: RGB = (0.06, 0.06, 0.065)
STEEL: RGB = (0.35, 0.36, 0.38)
CAR_SIDE, CAR_END, BUS_SIDE = 4.8, 2.5, 31.0
"""Outlines in square metres."""


def wheel(pen: Pen, x: float, r: float, *, turn: float = 0.0) -> None:
    """Draw a wheel on the ground at ``x``; ``turn`` is its angle."""
    pen.oval(x, r, r, r, TYRE)
    pen.oval(x, r, r * 0.58, r * 0.58, (0.45, 0.46, 0.48), to=(0.7, 0.7, 0.72))
    spokes = []
    for i in range(5):
        a = turn + i * 2 * math.pi / 5
        spokes.append(((x, r), (x + math.cos(a) * r * 0.55, r + math.sin(a) * r * 0.55)))
    pen.segments(spokes, (0.2, 0.2, 0.22), r * 0.12)
    pen.oval(x, r, r * 0.15, r * 0.15, (0.2, 0.2, 0.2))


def car_side(pen: Pen, colour: RGB, travel: float = 0.0, *, lamps: bool = False) -> None:
    """Draw a car facing right, 4.4 m long, its middle at the origin; ``travel`` turns its wheels."""
    body = [
        (-2.2, 0.42),
        (-2.22, 0.86),
        (-1.95, 1.0),
        (-1.4, 1.06),
        (-0.85, 1.5),
        (0.55, 1.5),
        (1.25, 1.04),
        (2.0, 0.9),
        (2.22, 0.7),
        (2.2, 0.42),
    ]
    pen.poly(body, shade(colour, 0.62), to=mix(colour, (1, 1, 1), 0.1), along=((0, 0.3), (0, 1.3)))
    pen.poly(
        [(-1.22, 1.06), (-0.78, 1.42), (-0.12, 1.42), (-0.12, 1.04)],
        GLASS,
        to=(0.45, 0.56, 0.64),
        along=((0, 1.0), (0.3, 1.45)),
    )
    pen.poly(
        [(0.0, 1.04), (0.0, 1.42), (0.5, 1.42), (1.05, 1.04)],
        GLASS,
        to=(0.45, 0.56, 0.64),
        along=((0, 1.0), (0.3, 1.45)),
    )
    pen.line([(-2.1, 0.86), (2.1, 0.82)], mix(colour, (1, 1, 1), 0.35), 0.03, alpha=0.7)
    pen.segments([((-0.06, 0.5), (-0.06, 1.02)), ((0.98, 0.5), (0.98, 0.95))], shade(colour, 0.45), 0.025)
    pen.rect(-2.2, 0.36, 4.4, 0.12, (0.1, 0.1, 0.1), r=0.05)
    pen.rect(2.02, 0.66, 0.2, 0.14, (1.0, 0.97, 0.8), r=0.05, lit=not lamps)
    pen.rect(-2.22, 0.72, 0.14, 0.18, (0.85, 0.05, 0.05), r=0.04, lit=not lamps)
    for x in (-1.35, 1.35):
        pen.oval(x, 0.36, 0.43, 0.43, (0.05, 0.05, 0.05))
        wheel(pen, x, 0.35, turn=-travel / 0.35)
    if lamps:
        pen.soft(2.9, 0.6, 1.6, 0.45, (1.0, 0.95, 0.75), alpha=0.55, add=True)
        pen.soft(-2.2, 0.8, 0.5, 0.4, (1.0, 0.1, 0.05), alpha=0.5, add=True)


def car_end(pen: Pen, colour: RGB, *, front: bool, lamps: bool = False) -> None:
    """Draw a car from the front or from behind, 1.85 m wide."""
    pen.poly(
        [(-0.72, 0.95), (-0.58, 1.48), (0.58, 1.48), (0.72, 0.95)],
        shade(colour, 0.85),
        to=mix(colour, (1, 1, 1), 0.15),
        along=((0, 0.9), (0, 1.5)),
    )
    pen.poly(
        [(-0.62, 0.97), (-0.5, 1.4), (0.5, 1.4), (0.62, 0.97)],
        GLASS,
        to=(0.5, 0.6, 0.68),
        along=((0.2, 0.95), (-0.2, 1.45)),
    )
    pen.rect(-0.92, 0.34, 1.84, 0.68, shade(colour, 0.6), r=0.14, to=mix(colour, (1, 1, 1), 0.06))
    pen.rect(-0.84, 0.0, 0.24, 0.4, TYRE, r=0.06)
    pen.rect(0.60, 0.0, 0.24, 0.4, TYRE, r=0.06)
    pen.rect(-0.9, 0.3, 1.8, 0.16, (0.12, 0.12, 0.12), r=0.06)
    lamp: RGB = (1.0, 0.96, 0.82) if front else (0.9, 0.06, 0.05)
    for x in (-0.86, 0.56):
        pen.rect(x, 0.66, 0.3, 0.16, lamp, r=0.05, lit=not lamps)
    if front:
        pen.rect(-0.45, 0.5, 0.9, 0.2, (0.14, 0.14, 0.15), r=0.05)
    pen.rect(-0.24, 0.47, 0.48, 0.12, (0.85, 0.85, 0.82), r=0.02)
    if lamps:
        for x in (-0.7, 0.7):
            pen.soft(x, 0.74, 0.9 if front else 0.5, 0.7 if front else 0.4, lamp, alpha=0.7, add=True)


def bus_side(pen: Pen, colour: RGB, travel: float = 0.0, *, lamps: bool = False) -> None:
    """Draw a bus facing right, 11 m long."""
    pen.rect(-5.5, 0.4, 11, 2.7, shade(colour, 0.7), r=0.25, to=mix(colour, (1, 1, 1), 0.08))
    pen.rects(
        [(-5.2 + i * 1.32, 1.55, 1.18, 1.05) for i in range(8)],
        (0.85, 0.8, 0.55) if lamps else GLASS,
        lit=not lamps,
    )
    pen.rect(5.3, 1.2, 0.2, 1.5, GLASS)
    pen.rect(-5.5, 1.1, 11, 0.14, mix(colour, (1, 1, 1), 0.6))
    for x in (-3.4, 3.3):
        pen.oval(x, 0.5, 0.62, 0.62, (0.05, 0.05, 0.05))
        wheel(pen, x, 0.5, turn=-travel / 0.5)


def lorry_side(pen: Pen, cab: RGB, load: RGB, travel: float = 0.0, *, kind: str = "box") -> None:
    """Draw a lorry facing right, 8 m long; ``kind`` is ``box``, ``dump`` or ``flat``."""
    pen.rect(-4.0, 0.7, 7.2, 0.25, (0.16, 0.16, 0.17))
    if kind == "box":
        pen.rect(-4.1, 0.95, 5.6, 2.6, shade(load, 0.75), to=load)
        pen.segments([((-4.1 + i * 0.7, 1.0), (-4.1 + i * 0.7, 3.5)) for i in range(1, 8)], shade(load, 0.62), 0.05)
    elif kind == "dump":
        pen.poly(
            [(-3.9, 1.1), (-4.3, 2.7), (1.6, 2.7), (1.3, 1.1)],
            shade(load, 0.7),
            to=load,
            along=((0, 1.1), (0, 2.7)),
        )
        pen.poly(
            [(-4.2, 2.7), (-2.8, 3.25), (-1.2, 3.45), (0.5, 3.2), (1.5, 2.7)],
            (0.42, 0.31, 0.2),
            to=(0.56, 0.43, 0.3),
            along=((0, 2.6), (0, 3.4)),
        )
        pen.segments([((-3.4 + i * 1.1, 1.2), (-3.5 + i * 1.15, 2.65)) for i in range(5)], shade(load, 0.55), 0.1)
    else:
        pen.rect(-4.1, 0.95, 5.6, 0.2, (0.3, 0.24, 0.18))
        pen.rects([(-3.9, 1.15, 5.2, 0.3), (-3.8, 1.5, 5.0, 0.3), (-3.6, 1.85, 4.6, 0.25)], load)
    pen.poly(
        [(1.8, 0.7), (1.8, 3.0), (3.1, 3.0), (3.9, 1.9), (3.95, 0.7)],
        shade(cab, 0.68),
        to=mix(cab, (1, 1, 1), 0.08),
        along=((2, 0.6), (2, 3)),
    )
    pen.poly(
        [(2.5, 1.85), (2.5, 2.75), (3.05, 2.75), (3.65, 1.85)],
        GLASS,
        to=(0.5, 0.6, 0.68),
        along=((2, 1.8), (3, 2.8)),
    )
    pen.rect(3.8, 0.85, 0.16, 0.22, (1.0, 0.97, 0.8), r=0.04)
    for x in (-3.0, -1.8, 2.9):
        pen.oval(x, 0.5, 0.6, 0.6, (0.04, 0.04, 0.04))
        wheel(pen, x, 0.5, turn=-travel / 0.5)


def excavator(pen: Pen, colour: RGB, t: float, phase: float = 0.0) -> None:
    """Draw a digging excavator facing right, 3 m high, its arm about 7 m long."""
    pen.rect(-2.0, 0.0, 4.0, 0.95, (0.1, 0.1, 0.1), r=0.46)
    pen.rect(-1.75, 0.2, 3.5, 0.55, (0.26, 0.26, 0.27), r=0.27)
    for i in range(5):
        pen.oval(-1.4 + i * 0.7, 0.45, 0.24, 0.24, (0.14, 0.14, 0.15))
    pen.rect(-0.7, 0.9, 1.4, 0.3, (0.15, 0.15, 0.15))
    swing = math.sin(t * 1.1 + phase)
    a, b = 0.85 + 0.18 * swing, -0.75 + 0.4 * math.sin(t * 1.1 + phase + 1.2)
    shoulder = (0.9, 1.7)
    elbow = (shoulder[0] + math.cos(a) * 3.4, shoulder[1] + math.sin(a) * 3.4)
    wrist = (elbow[0] + math.cos(b) * 2.6, elbow[1] + math.sin(b - 0.5) * 2.6)
    pen.line(
        [shoulder, (shoulder[0] + math.cos(a + 0.25) * 1.9, shoulder[1] + math.sin(a + 0.25) * 1.9), elbow],
        shade(colour, 0.9),
        0.5,
    )
    pen.line([elbow, wrist], colour, 0.36)
    pen.line(
        [(0.9, 2.0), (shoulder[0] + math.cos(a + 0.1) * 1.6, shoulder[1] + math.sin(a + 0.1) * 1.6 + 0.1)],
        (0.7, 0.7, 0.72),
        0.12,
    )
    x, y = wrist
    pen.poly(
        [
            (x - 0.15, y + 0.25),
            (x + 0.5, y + 0.05),
            (x + 0.35, y - 0.8),
            (x - 0.55, y - 0.75),
            (x - 0.85, y - 0.2),
        ],
        (0.22, 0.22, 0.23),
        to=(0.4, 0.4, 0.4),
    )
    pen.rect(-2.3, 1.15, 3.1, 1.15, shade(colour, 0.68), r=0.18, to=mix(colour, (1, 1, 1), 0.08))
    pen.rect(-2.35, 1.2, 0.75, 1.0, shade(colour, 0.5), r=0.15)
    pen.rect(-0.3, 1.5, 1.35, 1.65, shade(colour, 0.85), r=0.15, to=colour)
    pen.rect(-0.12, 1.85, 1.0, 1.12, GLASS, r=0.08, to=(0.5, 0.62, 0.7))


def bulldozer(pen: Pen, colour: RGB) -> None:
    """Draw a bulldozer facing right."""
    pen.rect(-1.9, 0.0, 3.6, 1.1, (0.1, 0.1, 0.1), r=0.5)
    pen.rect(-1.6, 0.25, 3.0, 0.6, (0.28, 0.28, 0.28), r=0.3)
    pen.rect(-1.2, 1.0, 2.7, 0.95, shade(colour, 0.7), r=0.1, to=colour)
    pen.rect(-1.3, 1.4, 1.4, 1.5, shade(colour, 0.85), r=0.1, to=colour)
    pen.rect(-1.1, 1.95, 1.0, 0.8, GLASS, to=(0.5, 0.6, 0.66))
    pen.rect(0.7, 1.9, 0.14, 0.7, (0.15, 0.15, 0.15))
    pen.poly(
        [(2.2, 0.05), (2.5, 0.1), (2.35, 0.8), (2.55, 1.5), (2.2, 1.45), (2.05, 0.7)],
        shade(colour, 0.8),
        to=(0.75, 0.75, 0.75),
    )
    pen.line([(0.5, 0.5), (2.15, 0.6)], shade(colour, 0.6), 0.2)


def forklift(pen: Pen, colour: RGB, lift: float) -> None:
    """Draw a forklift facing right with a crate at height ``lift``."""
    pen.rect(-1.3, 0.35, 2.1, 0.85, shade(colour, 0.7), r=0.15, to=colour)
    pen.segments(
        [((-0.9, 1.1), (-0.7, 2.2)), ((0.5, 1.1), (0.4, 2.2)), ((-0.75, 2.2), (0.45, 2.2))],
        (0.12, 0.12, 0.12),
        0.1,
    )
    pen.segments([((0.95, 0.1), (0.95, 2.6)), ((1.1, 0.1), (1.1, 2.6))], (0.2, 0.2, 0.21), 0.09)
    pen.rect(1.1, lift, 1.2, 0.09, (0.15, 0.15, 0.15))
    pen.rect(1.2, lift + 0.09, 1.0, 0.9, (0.45, 0.33, 0.2), to=(0.62, 0.47, 0.3))
    for x, r in ((-0.85, 0.3), (0.55, 0.36)):
        wheel(pen, x, r)


def tower_crane(
    pen: Pen, height: float, jib: float, colour: RGB, t: float, *, slew: float = 0.0, load: bool = True
) -> None:
    """Draw a tower crane; ``slew`` is the angle of its jib to the picture plane, in radians."""
    k = math.cos(slew)
    lattice(pen, (0, 0), (0, height), 1.6, colour, bar=0.2, step=2.0)
    pen.rect(-1.6, 0, 3.2, 1.0, (0.5, 0.5, 0.5))
    pen.rect(-0.2 + 0.9 * k, height - 2.4, 1.7, 2.2, shade(colour, 0.8), r=0.2, to=mix(colour, (1, 1, 1), 0.3))
    pen.rect(0.1 + 0.9 * k, height - 1.7, 1.1, 1.0, GLASS)
    top = (0.0, height + 5.5)
    lattice(pen, (0, height), top, 1.0, colour, bar=0.18, step=1.6)
    tip, tail = (jib * k, height + 0.6), (-jib * 0.34 * k, height + 0.5)
    lattice(pen, (0, height + 0.5), tip, 1.3, colour, bar=0.17, step=2.0)
    lattice(pen, (0, height + 0.5), tail, 1.1, colour, bar=0.17, step=2.0)
    pen.rect(min(tail[0], tail[0] * 0.75), height - 1.6, abs(tail[0] * 0.25) + 0.3, 2.0, (0.42, 0.42, 0.43))
    pen.segments(
        [(top, (tip[0] * 0.85, tip[1] + 0.6)), (top, (tip[0] * 0.45, tip[1] + 0.6)), (top, tail)],
        (0.2, 0.2, 0.2),
        0.1,
    )
    if load:
        run = (0.62 + 0.12 * math.sin(t * 0.4 + slew)) * jib * k
        drop = height * (0.42 + 0.12 * math.sin(t * 0.5 + slew * 2))
        sway = 0.25 * math.sin(t * 1.6)
        pen.segments([((run, height), (run + sway, height - drop))], (0.12, 0.12, 0.12), 0.12)
        pen.poly(
            [
                (run + sway, height - drop + 1.2),
                (run + sway - 2, height - drop),
                (run + sway + 2, height - drop),
            ],
            (0.12, 0.12, 0.12),
            alpha=0.0,
        )
        pen.rect(run + sway - 2.2, height - drop - 0.7, 4.4, 0.7, (0.45, 0.3, 0.2), to=(0.6, 0.42, 0.28))
        pen.segments(
            [
                ((run + sway, height - drop + 1.4), (run + sway - 2, height - drop)),
                ((run + sway, height - drop + 1.4), (run + sway + 2, height - drop)),
            ],
            (0.15, 0.15, 0.15),
            0.1,
        )


def place_vehicle(
    stage: Stage,
    draw,
    x: float,
    z: float,
    *,
    length: float = 4.4,
    flip: bool = False,
    facts: tuple[str, ...] = (),
) -> None:
    """Queue something drawn by ``draw(pen)`` with a shadow of its length under it."""

    def paint() -> None:
        stage.shadow(x, z, length * 0.62, 1.3)
        with stage.standing(x, z, flip=flip) as pen:
            draw(pen)

    stage.add(x, z, paint)
    for fact in facts:
        stage.note(fact, x, z)
