"""Furniture of a flat, built of boxes that may be seen from any side; sizes in metres."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from tools.scenes.colour import RGB, mix, shade
from tools.scenes.flat import Thing
from tools.scenes.pen import Pen
from tools.scenes.stage import Stage

Face = Callable[[Pen, float, float, str], None]


@dataclass(frozen=True)
class Part:
    """A box of a piece of furniture: middle of its base in the piece's own axes, size, colour.

    Parts of a lower ``layer`` are drawn first; within a layer the far ones are.
    """

    x: float
    z: float
    y: float
    w: float
    d: float
    h: float
    colour: RGB
    layer: int = 1
    face: Face | None = None
    top: RGB | None = None


def _assemble(stage: Stage, x: float, z: float, yaw: float, parts: list[Part], spread: float) -> None:
    c, s = math.cos(yaw), math.sin(yaw)
    stage.shadow(x, z, spread * 1.15, spread * 0.95, strength=1.5)
    placed = [(p, x + c * p.x - s * p.z, z + s * p.x + c * p.z) for p in parts]

    def order(item: tuple[Part, float, float]) -> tuple[int, float]:
        p, px, pz = item
        right, up, ahead = stage.view(px, p.y + p.h / 2, pz)
        return (p.layer, -math.sqrt(right * right + up * up + ahead * ahead))

    for p, px, pz in sorted(placed, key=order):
        stage.box(px, pz, p.w, p.d, p.h, p.colour, y=p.y, yaw=yaw, shadow=False, face=p.face, top=p.top)


def thing_of(
    label: str,
    x: float,
    z: float,
    yaw: float,
    size: tuple[float, float, float],
    parts: list[Part],
    after: Callable[[Stage, float], None] | None = None,
    *,
    nearer: float = 0.0,
) -> Thing:
    """Return a piece of furniture of several parts; ``after`` draws what stands on it."""
    w, d, h = size

    def paint(stage: Stage, t: float) -> None:
        _assemble(stage, x, z, yaw, parts, max(w, d) / 2)
        if after:
            after(stage, t)

    return Thing(label, x, z, w, d, h, yaw, paint, nearer=nearer)


def soft_face(colour: RGB, *, seams: int = 0) -> Face:
    """Return the face of something upholstered: round edges by light and shade, seams."""

    def face(pen: Pen, w: float, h: float, side: str) -> None:
        pen.rect(0, h * 0.84, w, h * 0.16, mix(colour, (1, 1, 1), 0.16), alpha=0.55)
        pen.rect(0, 0, w, h * 0.2, (0, 0, 0), alpha=0.16)
        pen.texture(0, 0, w, h, "fine", size=0.35, alpha=0.08)
        for k in range(1, seams):
            pen.rect(w * k / seams - 0.006, 0, 0.012, h, (0, 0, 0), alpha=0.35)

    return face


def wood_face(colour: RGB) -> Face:
    """Return the face of a wooden board."""

    def face(pen: Pen, w: float, h: float, side: str) -> None:
        pen.texture(0, 0, w, h, "patch", size=0.5, alpha=0.12, stretch=0.3 if w > h else 3.0)

    return face


def couch(x: float, z: float, yaw: float, colour: RGB, cushion: RGB, *, w: float = 2.2) -> Thing:
    """A couch of two or three seats; at yaw 0 it faces -z."""
    dark = shade(colour, 0.92)
    seats = 3 if w > 2.0 else 2
    seat = (w - 0.44) / seats
    parts = [
        Part(0, 0.36, 0.0, w - 0.1, 0.22, 0.80, dark, 0, soft_face(colour), mix(colour, (1, 1, 1), 0.12)),
        Part(0, 0.0, 0.06, w - 0.2, 0.86, 0.24, shade(colour, 0.8), 1),
    ]
    light = mix(colour, (1, 1, 1), 0.07)
    for k in range(seats):
        px = -w / 2 + 0.22 + seat * (k + 0.5)
        parts.append(
            Part(
                px,
                -0.06,
                0.30,
                seat - 0.02,
                0.78,
                0.16,
                light,
                2,
                soft_face(colour),
                mix(colour, (1, 1, 1), 0.13),
            )
        )
        parts.append(
            Part(
                px,
                0.24,
                0.46,
                seat - 0.04,
                0.16,
                0.42,
                light,
                2,
                soft_face(colour),
                mix(colour, (1, 1, 1), 0.14),
            )
        )
    for side in (-1, 1):
        parts.append(Part(side * (w / 2 - 0.11), -0.02, 0.0, 0.22, 0.92, 0.6, colour, 3, soft_face(colour), light))
        parts.append(Part(side * (w / 2 - 0.46), 0.08, 0.46, 0.40, 0.13, 0.36, cushion, 4, soft_face(cushion)))
    return thing_of("couch", x, z, yaw, (w, 0.94, 0.84), parts)


def armchair(x: float, z: float, yaw: float, colour: RGB) -> Thing:
    """A small upholstered armchair."""
    light = mix(colour, (1, 1, 1), 0.08)
    parts = [
        Part(0, 0.3, 0.12, 0.72, 0.18, 0.78, colour, 0, soft_face(colour), light),
        Part(0, 0.0, 0.14, 0.6, 0.7, 0.28, light, 1, soft_face(colour), mix(colour, (1, 1, 1), 0.14)),
        *[Part(s * 0.34, -0.02, 0.12, 0.12, 0.76, 0.5, colour, 2, soft_face(colour), light) for s in (-1, 1)],
        *[Part(a * 0.3, b * 0.3, 0, 0.05, 0.05, 0.14, (0.3, 0.2, 0.12), 0) for a in (-1, 1) for b in (-1, 1)],
    ]
    return thing_of("chair", x, z, yaw, (0.8, 0.8, 0.9), parts)


def chair(x: float, z: float, yaw: float, wood: RGB, seat: RGB) -> Thing:
    """A dining chair with a slatted back; at yaw 0 its sitter looks to -z."""
    dark = shade(wood, 0.82)
    parts = [
        *[Part(s * 0.19, -0.19, 0, 0.045, 0.045, 0.45, dark, 0) for s in (-1, 1)],
        *[Part(s * 0.19, 0.19, 0, 0.045, 0.045, 0.45, dark, 0) for s in (-1, 1)],
        Part(0, 0, 0.45, 0.46, 0.46, 0.05, seat, 1, soft_face(seat), mix(seat, (1, 1, 1), 0.1)),
        *[Part(s * 0.2, 0.2, 0.48, 0.045, 0.045, 0.5, wood, 2) for s in (-1, 1)],
        Part(0, 0.2, 0.82, 0.40, 0.03, 0.14, wood, 2, wood_face(wood)),
        Part(0, 0.2, 0.60, 0.40, 0.025, 0.07, wood, 2, wood_face(wood)),
    ]
    return thing_of("chair", x, z, yaw, (0.46, 0.48, 0.98), parts)


def table(
    x: float,
    z: float,
    yaw: float,
    wood: RGB,
    *,
    w: float = 1.7,
    d: float = 0.95,
    h: float = 0.74,
    after: Callable[[Stage, float], None] | None = None,
) -> Thing:
    """A table with four legs and an apron; ``after`` draws what stands on it."""
    dark = shade(wood, 0.78)
    parts = [
        Part(a * (w / 2 - 0.08), b * (d / 2 - 0.08), 0, 0.08, 0.08, h - 0.05, dark, 0) for a in (-1, 1) for b in (-1, 1)
    ]
    parts.append(Part(0, 0, h - 0.13, w - 0.16, d - 0.16, 0.09, dark, 1))
    parts.append(Part(0, 0, h - 0.045, w, d, 0.045, wood, 2, wood_face(wood), mix(wood, (1, 1, 1), 0.14)))

    def gloss(stage: Stage, t: float) -> None:
        c, s = math.cos(yaw), math.sin(yaw)
        origin = (x - c * w / 2 + s * d / 2, h + 0.001, z - s * w / 2 - c * d / 2)
        with stage.plane(origin, (c, 0, s), (-s, 0, c), facing=0.7, haze=False) as pen:
            pen.texture(0, 0, w, d, "patch", size=0.8, alpha=0.12, stretch=0.3)
            pen.soft(w * 0.6, d * 0.5, w * 0.4, d * 0.35, (1, 0.98, 0.92), alpha=0.3)
        if after:
            after(stage, t)

    return thing_of("table", x, z, yaw, (w, d, h), parts, gloss, nearer=0.02)


def fruit_bowl(x: float, z: float, y: float) -> Callable[[Stage, float], None]:
    """Return the painter of a bowl with fruit and a vase beside it."""

    def draw(stage: Stage, t: float) -> None:
        with stage.standing(x, z, y) as pen:
            for k, c in enumerate(((0.80, 0.15, 0.10), (0.95, 0.60, 0.10), (0.45, 0.68, 0.2), (0.95, 0.80, 0.2))):
                pen.oval(-0.09 + k * 0.06, 0.1 + 0.02 * (k % 2), 0.05, 0.05, shade(c, 0.72), to=c)
            pen.poly(
                [(-0.17, 0.1), (0.17, 0.1), (0.09, 0.0), (-0.09, 0.0)],
                (0.62, 0.68, 0.74),
                to=(0.95, 0.95, 0.95),
                along=((0.15, 0), (-0.1, 0.08)),
            )
            pen.poly(
                [(0.30, 0), (0.38, 0), (0.40, 0.12), (0.36, 0.22), (0.32, 0.22), (0.28, 0.12)],
                (0.28, 0.42, 0.5),
                to=(0.6, 0.74, 0.8),
                along=((0.4, 0), (0.28, 0.1)),
            )
            for k, c in enumerate(((0.9, 0.3, 0.35), (0.96, 0.85, 0.4), (0.9, 0.5, 0.65))):
                px = 0.27 + 0.07 * k
                pen.line([(0.34, 0.2), (px, 0.38)], (0.25, 0.42, 0.18), 0.008)
                pen.oval(px, 0.4, 0.035, 0.035, shade(c, 0.8), to=c)

    return draw


def door_leaf(
    hinge: tuple[float, float],
    yaw: Callable[[float], float],
    colour: RGB,
    *,
    w: float = 0.9,
    h: float = 2.08,
    glass: bool = False,
    when: Callable[[Stage], bool] | None = None,
) -> Thing:
    """A door on its hinge; ``yaw(t)`` is the direction in which the leaf points from there."""

    def face(pen: Pen, fw: float, fh: float, side: str) -> None:
        if side not in ("front", "back"):
            return
        light, dark = mix(colour, (1, 1, 1), 0.15), shade(colour, 0.78)
        for y0, y1 in ((0.14, 0.92), (1.08, fh - 0.14)):
            for x0 in (0.12, fw / 2 + 0.05) if not glass else (0.14,):
                box_w = fw / 2 - 0.17 if not glass else fw - 0.28
                if glass and y0 > 1:
                    pen.rect(x0, y0, box_w, y1 - y0, (0.72, 0.82, 0.88), to=(0.90, 0.95, 0.98), lit=False)
                    pen.segments(
                        [((x0, (y0 + y1) / 2), (x0 + box_w, (y0 + y1) / 2)), ((fw / 2, y0), (fw / 2, y1))],
                        colour,
                        0.03,
                    )
                    continue
                pen.rect(x0, y0, box_w, y1 - y0, dark)
                pen.rect(x0 + 0.02, y0, box_w - 0.02, y1 - y0 - 0.02, light)
                pen.rect(
                    x0 + 0.035,
                    y0 + 0.03,
                    box_w - 0.07,
                    y1 - y0 - 0.06,
                    colour,
                    to=mix(colour, (1, 1, 1), 0.06),
                )
        x = fw - 0.07 if side == "front" else 0.07
        pen.rect(x - 0.025, 0.9, 0.05, 0.22, (0.70, 0.66, 0.55), r=0.01)
        way = -1 if side == "front" else 1
        pen.line([(x, 1.03), (x + way * 0.12, 1.03)], (0.84, 0.80, 0.68), 0.024)
        pen.line([(x, 1.017), (x + way * 0.12, 1.017)], (0.3, 0.28, 0.24), 0.006)

    def move(thing: Thing, t: float) -> None:
        thing.yaw = yaw(t)
        thing.x, thing.z = hinge[0] + math.cos(thing.yaw) * w / 2, hinge[1] + math.sin(thing.yaw) * w / 2

    def paint(stage: Stage, t: float) -> None:
        stage.box(thing.x, thing.z, w, 0.04, h, colour, yaw=thing.yaw, shadow=False, face=face)

    thing = Thing("door", hinge[0], hinge[1], w, 0.04, h, 0.0, paint, move=move, when=when)
    return thing
