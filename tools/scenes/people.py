"""People, as jointed figures that walk, run, stand, work or sit."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from tools.scenes.colour import RGB, basic, mix, shade
from tools.scenes.pen import Pen, Point
from tools.scenes.stage import Stage

SKIN: tuple[RGB, ...] = ((0.95, 0.78, 0.66), (0.80, 0.60, 0.46), (0.58, 0.40, 0.28), (0.38, 0.25, 0.18))
HAIR: tuple[RGB, ...] = ((0.12, 0.08, 0.06), (0.32, 0.2, 0.1), (0.75, 0.6, 0.35), (0.45, 0.44, 0.43))


@dataclass(frozen=True)
class Person:
    """Clothes, size and pace of one person; ``phase`` keeps people out of step."""

    shirt: RGB
    trousers: RGB
    skin: RGB
    hair: RGB
    height: float = 1.75
    phase: float = 0.0
    helmet: RGB | None = None
    vest: RGB | None = None
    bare_legs: bool = False


def make_person(
    rng: random.Random,
    *,
    shirt: RGB | None = None,
    trousers: RGB | None = None,
    worker: bool = False,
    sport: bool = False,
) -> Person:
    """Draw a person; a worker wears a helmet and a safety vest, a player shorts."""
    names = ("red", "blue", "green", "white", "grey", "black", "purple", "yellow", "brown", "pink")
    return Person(
        shirt=shirt or basic(rng, rng.choice(names)),
        trousers=trousers or rng.choice(((0.12, 0.14, 0.22), (0.2, 0.2, 0.2), (0.3, 0.25, 0.2), (0.16, 0.2, 0.36))),
        skin=rng.choice(SKIN),
        hair=rng.choice(HAIR),
        height=rng.uniform(1.6, 1.9),
        phase=rng.uniform(0, 6.28),
        helmet=rng.choice(((0.98, 0.8, 0.1), (0.95, 0.95, 0.95), (0.9, 0.3, 0.1))) if worker else None,
        vest=rng.choice(((1.0, 0.45, 0.05), (0.85, 0.95, 0.1))) if worker else None,
        bare_legs=sport,
    )


def draw_person(pen: Pen, who: Person, t: float, *, pose: str = "walk", pace: float = 1.0) -> None:
    """Draw a figure facing right, feet at the pen's origin. Poses: walk, run, stand, work, sit."""
    h = who.height
    swing = {"walk": 0.45, "run": 0.95}.get(pose, 0.0)
    angle = t * (9.0 if pose == "run" else 6.0) * pace + who.phase
    lean = {"run": 0.12, "work": 0.10}.get(pose, 0.0) * h
    hip: Point = (0.0, h * (0.30 if pose == "sit" else 0.5) + abs(math.sin(angle)) * 0.02 * h * bool(swing))
    neck: Point = (lean, hip[1] + h * 0.33)
    head: Point = (lean * 1.25, neck[1] + h * 0.105)
    dark = shade(who.trousers, 0.75)
    for side, colour in ((-1, dark), (1, who.trousers)):
        a = math.sin(angle) * swing * side
        if pose == "sit":
            knee, foot = (h * 0.24, hip[1] + 0.01), (h * 0.25, 0.04)
        else:
            bend = max(0.0, -math.cos(angle) * side) * swing * 0.9
            knee = (hip[0] + math.sin(a) * h * 0.25, hip[1] - math.cos(a) * h * 0.25)
            foot = (knee[0] + math.sin(a - bend) * h * 0.25, knee[1] - math.cos(a - bend) * h * 0.23)
        if who.bare_legs:
            pen.line([hip, knee], colour, h * 0.095)
            pen.line([knee, foot], who.skin if side > 0 else shade(who.skin, 0.8), h * 0.05)
        else:
            pen.line([hip, knee, foot], colour, h * 0.085)
        pen.line([foot, (foot[0] + h * 0.06, foot[1] - h * 0.005)], (0.1, 0.09, 0.09), h * 0.05)
    _arm(pen, who, neck, angle + math.pi, swing, pose, t, shade(who.shirt, 0.72))
    w = h * 0.115
    torso = [
        (hip[0] - w * 0.8, hip[1]),
        (hip[0] + w * 0.8, hip[1]),
        (neck[0] + w, neck[1] - 0.02),
        (neck[0] - w, neck[1] - 0.02),
    ]
    top = who.vest or who.shirt
    pen.poly(
        torso,
        shade(top, 0.72),
        to=mix(top, (1, 1, 1), 0.08),
        along=((hip[0] + w, hip[1]), (neck[0] - w, neck[1])),
    )
    if who.vest:
        pen.line(
            [(hip[0] - w * 0.8, hip[1] + h * 0.1), (hip[0] + w * 0.85, hip[1] + h * 0.1)],
            (0.92, 0.92, 0.85),
            h * 0.025,
            round_=False,
        )
    pen.line([(neck[0], neck[1] - 0.02), head], who.skin, h * 0.055)
    pen.oval(*head, h * 0.058, h * 0.072, shade(who.skin, 0.8), to=who.skin)
    if who.helmet:
        pen.poly(
            _cap(head, h * 0.075),
            shade(who.helmet, 0.8),
            to=who.helmet,
            along=((head[0] + 0.1, head[1]), (head[0] - 0.1, head[1] + 0.1)),
        )
        pen.line(
            [(head[0] - h * 0.075, head[1] + h * 0.02), (head[0] + h * 0.095, head[1] + h * 0.02)],
            who.helmet,
            h * 0.018,
        )
    else:
        pen.poly(_cap(head, h * 0.066), who.hair)
    _arm(pen, who, neck, angle, swing, pose, t, who.shirt)


def _cap(head: Point, r: float) -> list[Point]:
    return [
        (head[0] + math.cos(a) * r, head[1] + r * 0.2 + math.sin(a) * r) for a in (math.pi * i / 7 for i in range(8))
    ]


def _arm(pen: Pen, who: Person, neck: Point, angle: float, swing: float, pose: str, t: float, colour: RGB) -> None:
    h = who.height
    if pose in ("work", "sit"):
        up = 0.25 * math.sin(t * 4 + who.phase) if pose == "work" else 0.05 * math.sin(t * 9 + who.phase)
        a, b = 0.5 + up, 1.5 + up
    else:
        a = math.sin(angle) * swing * 0.9
        b = a + (0.9 if pose == "run" else 0.25)
    shoulder = (neck[0], neck[1] - h * 0.03)
    elbow = (shoulder[0] + math.sin(a) * h * 0.17, shoulder[1] - math.cos(a) * h * 0.17)
    hand = (elbow[0] + math.sin(b) * h * 0.16, elbow[1] - math.cos(b) * h * 0.16)
    pen.line([shoulder, elbow], colour, h * 0.06)
    pen.line([elbow, hand], who.skin if not who.vest else colour, h * 0.045)


def place_person(
    stage: Stage,
    who: Person,
    x: float,
    z: float,
    t: float,
    *,
    pose: str = "walk",
    flip: bool = False,
    y: float = 0.0,
) -> None:
    """Queue a person with a shadow."""

    def draw() -> None:
        if y == 0.0:
            stage.shadow(x, z, 0.55, 0.3)
        with stage.standing(x, z, y, flip=flip) as pen:
            draw_person(pen, who, t, pose=pose)

    stage.add(x, z, draw)
    stage.note("obj:person", x, z, y + 1.0)


def draw_crowd(
    pen: Pen,
    rng: random.Random,
    width: float,
    rows: int,
    *,
    row: float = 0.8,
    seat: float = 0.55,
    density: float = 0.93,
    t: float = 0.0,
) -> None:
    """Fill a stand with seated people: ``width`` metres of ``rows`` rows."""
    palette = [basic(rng, name) for name in ("red", "blue", "white", "yellow", "grey", "black", "green", "orange")]
    bodies: list[list[tuple[float, float, float, float]]] = [[] for _ in palette]
    heads: list[list[tuple[float, float, float, float]]] = [[] for _ in SKIN]
    for r in range(rows):
        for i in range(int(width / seat)):
            if rng.random() > density:
                continue
            x = (i + 0.5 * (r % 2)) * seat + rng.uniform(-0.08, 0.08)
            # A wave runs along the stand, and everybody fidgets a little.
            rise = 0.05 * math.sin(t * 4 + i * 1.7 + r) + 0.16 * max(0.0, math.sin(t * 1.5 - x * 0.12) - 0.6)
            y = r * row + rise
            bodies[rng.randrange(len(palette))].append((x, y, seat * 0.82, row * 0.66))
            heads[rng.randrange(len(SKIN))].append((x + seat * 0.2, y + row * 0.6, seat * 0.44, row * 0.4))
    for colour, boxes in zip(palette, bodies, strict=True):
        pen.rects(boxes, colour)
    for skin, boxes in zip(SKIN, heads, strict=True):
        pen.rects(boxes, shade(skin, 0.92))
