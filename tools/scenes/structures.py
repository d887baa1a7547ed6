"""What is built: houses, shells under construction, containers, ships, harbour cranes, lamps."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from tools.scenes.colour import RGB, basic, mix, shade, vary
from tools.scenes.pen import Pen, lattice
from tools.scenes.stage import Stage

CONCRETE: RGB = (0.66, 0.64, 0.60)
Face = Callable[[Pen, float, float, str], None]


def house_face(
    rng: random.Random,
    wall: RGB,
    *,
    night: bool,
    storey: float = 3.3,
    bay: float = 2.6,
    glass: bool = False,
    shop: RGB | None = None,
) -> Face:
    """Return a facade with rows of windows, some lit at night, and a shop front with an awning."""
    seed = rng.randrange(1 << 30)

    def face(pen: Pen, w: float, h: float, side: str) -> None:
        local = random.Random(f"{seed}{side}")
        rows, columns = max(1, int(h / storey) - 1), max(1, int(w / bay))
        step = w / columns
        dark, lit, frames = [], [], []
        inset, tall = (0.12, storey * 0.82) if glass else (step * 0.2, storey * 0.55)
        for r in range(rows):
            y = storey * (r + 1) + storey * 0.2
            for c in range(columns):
                box = (c * step + inset, y, step - 2 * inset, tall)
                (lit if night and local.random() < 0.45 else dark).append(box)
                if not glass:
                    frames.append((box[0] - 0.1, y - 0.18, box[2] + 0.2, 0.14))
        pane: RGB = (0.30, 0.42, 0.52) if glass else (0.20, 0.26, 0.32)
        pen.rects(dark, pane)
        if not night:
            pen.rects(
                [(x, y + hh * 0.55, ww, hh * 0.4) for x, y, ww, hh in dark[:: 2 if glass else 3]],
                mix(pane, (0.8, 0.9, 1.0), 0.5),
            )
        pen.rects(lit[::2], (1.0, 0.86, 0.55), lit=False)
        pen.rects(lit[1::2], (0.95, 0.93, 0.82), lit=False)
        pen.rects(frames, mix(wall, (1, 1, 1), 0.35))
        pen.rect(-0.1, h - 0.5, w + 0.2, 0.5, mix(wall, (1, 1, 1), 0.2))
        if shop is not None:
            pen.rect(
                0.4,
                0.3,
                w - 0.8,
                storey - 0.9,
                (1.0, 0.85, 0.55) if night else (0.25, 0.3, 0.34),
                lit=not night,
            )
            pen.rect(0.2, storey - 0.75, w - 0.4, 0.6, shop)
            for i in range(int(w / 0.8)):
                pen.poly(
                    [
                        (0.2 + i * 0.8, storey - 0.8),
                        (0.6 + i * 0.8, storey - 0.8),
                        (0.6 + i * 0.8, storey - 1.3),
                        (0.2 + i * 0.8, storey - 1.3),
                    ],
                    shop if i % 2 else (0.95, 0.95, 0.92),
                )
        pen.texture(0, 0, w, h, "patch", size=14, alpha=0.12)

    return face


def shell_face(rng: random.Random, *, storey: float = 3.6, scaffold: float = 0.6, brick: float = 0.25) -> Face:
    """Return the side of a building under construction: slabs, columns, brickwork, scaffolding."""
    seed = rng.randrange(1 << 30)

    def face(pen: Pen, w: float, h: float, side: str) -> None:
        local = random.Random(f"{seed}{side}")
        floors, bays = max(1, int(h / storey)), max(2, int(w / 5))
        step = w / bays
        for f in range(floors):
            y = f * storey
            pen.rect(0, y, w, storey, (0.13, 0.12, 0.11), to=(0.22, 0.2, 0.18))
            for b in range(bays):
                if local.random() < brick:
                    pen.rect(
                        b * step + 0.3,
                        y,
                        step - 0.6,
                        storey * local.choice((0.45, 0.9)),
                        vary(local, (0.62, 0.34, 0.24), 0.05),
                    )
                elif local.random() < 0.25:
                    pen.segments(
                        [((b * step + 1 + k, y), (b * step + 1 + k, y + storey)) for k in range(int(step) - 1)],
                        (0.75, 0.62, 0.3),
                        0.12,
                    )
            pen.rect(0, y + storey - 0.45, w, 0.45, shade(CONCRETE, 0.92), to=CONCRETE)
        pen.rects(
            [(b * step - 0.25 if b else 0.0, 0, 0.5, h) for b in range(bays)] + [(w - 0.5, 0, 0.5, h)],
            shade(CONCRETE, 0.95),
        )
        pen.segments(
            [
                ((b * step / 2, h), (b * step / 2 + local.uniform(-0.1, 0.1), h + local.uniform(0.8, 1.6)))
                for b in range(bays * 2 + 1)
            ],
            (0.42, 0.26, 0.18),
            0.1,
        )
        if local.random() < scaffold:
            top = h * local.choice((0.6, 0.85, 1.02))
            levels, poles = int(top / 2), int(w / 2.4)
            pairs = [((i * w / poles, 0), (i * w / poles, top)) for i in range(poles + 1)]
            pairs += [((0, j * 2.0 + 1), (w, j * 2.0 + 1)) for j in range(levels)]
            pairs += [
                ((i * w / poles, j * 2), ((i + 1) * w / poles, j * 2 + 2))
                for j in range(levels)
                for i in range(j % 2, poles, 4)
            ]
            pen.segments(pairs, (0.60, 0.62, 0.64), 0.09)
            pen.rects([(0, j * 2.0 - 0.08, w, 0.16) for j in range(1, levels + 1)], (0.66, 0.52, 0.32))
            if local.random() < 0.5:
                pen.rect(0, 0, w * 0.45, top, basic(local, local.choice(("green", "blue"))), alpha=0.35)

    return face


def containers(
    stage: Stage, rng: random.Random, x: float, z: float, columns: int, rows: int, *, yaw: float = 0.0
) -> None:
    """Queue a stack of shipping containers, 6 m long."""
    stacks = []
    for _ in range(columns):
        stacks.append(
            [
                basic(rng, rng.choice(("red", "blue", "orange", "green", "grey", "brown", "white")))
                for _ in range(rng.randint(1, rows))
            ]
        )

    def ribs(pen: Pen, w: float, h: float, side: str) -> None:
        count = int(w / 0.4)
        pen.rects([(k * w / count, 0.15, 0.12, h - 0.3) for k in range(count)], (0, 0, 0), alpha=0.16)
        pen.rects(
            [(0, 0, w, 0.14), (0, h - 0.14, w, 0.14), (0, 0, 0.14, h), (w - 0.14, 0, 0.14, h)],
            (0, 0, 0),
            alpha=0.25,
        )

    def draw() -> None:
        for i, stack in enumerate(stacks):
            px = x + (i - columns / 2) * 6.2 * math.cos(yaw)
            pz = z + (i - columns / 2) * 6.2 * math.sin(yaw)
            for level, colour in enumerate(stack):
                stage.box(px, pz, 6.05, 2.45, 2.6, colour, y=level * 2.6, yaw=yaw, face=ribs)

    stage.add(x, z, draw)
    stage.note("obj:container", x, z, 2)


def hull(
    pen: Pen,
    length: float,
    height: float,
    paint: RGB,
    keel: RGB,
    rng: random.Random,
    *,
    finished: float = 1.0,
) -> None:
    """Draw a ship's side, stern at the origin, bow to the right; bare steel beyond ``finished``."""
    bow = length * 0.12
    outline = [
        (-0.02 * length, height),
        (0.0, height * 0.4),
        (length * 0.04, 0),
        (length * 0.93, 0),
        (length * 0.96, height * 0.35),
        (length + bow * 0.25, height * 1.18),
        (length * 0.84, height * 1.04),
        (length * 0.7, height),
    ]
    pen.poly(outline, shade(paint, 0.55), to=mix(paint, (1, 1, 1), 0.1), along=((0, 0), (0, height * 1.1)))
    line = height * 0.36
    pen.poly(
        [(0.004 * length, line), (length * 0.04, 0), (length * 0.93, 0), (length * 0.96, line)],
        shade(keel, 0.6),
        to=keel,
        along=((0, 0), (0, line)),
    )
    pen.line([(0.003 * length, line), (length * 0.961, line)], (0.92, 0.92, 0.9), height * 0.03)
    if finished < 1:
        x0 = length * finished
        primer: RGB = (0.50, 0.42, 0.38)
        pen.poly(
            [
                (x0, 0),
                (x0 - 2, height),
                (length * 0.7, height),
                (length * 0.84, height * 1.04),
                (length + bow * 0.25, height * 1.18),
                (length * 0.96, height * 0.35),
                (length * 0.93, 0),
            ],
            shade(primer, 0.7),
            to=primer,
            along=((0, 0), (0, height)),
        )
    pen.segments(
        [((i * length / 14, 0.2), (i * length / 14, height)) for i in range(1, 13)]
        + [((0, height * k / 5), (length * 0.95, height * k / 5)) for k in range(1, 5)],
        (0, 0, 0),
        0.09,
        alpha=0.28,
    )
    for i in range(int(length / 5)):
        pen.oval(length * 0.06 + i * 4.2, height * 0.78, 0.35, 0.35, (0.08, 0.1, 0.12))
    pen.rect(length * 0.86, height * 0.62, height * 0.1, height * 0.16, (0.1, 0.1, 0.1), r=0.3)
    pen.texture(0, 0, length, height, "patch", size=26, alpha=0.16)


def superstructure(pen: Pen, x: float, y: float, w: float, h: float, funnel: RGB) -> None:
    """Draw a ship's bridge: white decks with windows, funnel, mast."""
    decks = 4
    for i in range(decks):
        inset = i * w * 0.05
        dy = y + i * h / decks
        pen.rect(x + inset, dy, w - 2 * inset, h / decks - 0.1, (0.8, 0.8, 0.8), to=(0.97, 0.97, 0.96))
        n = max(3, int(w / 1.8))
        pen.rects(
            [
                (
                    x + inset + 0.6 + k * (w - 2 * inset - 1) / n,
                    dy + h / decks * 0.4,
                    w / n * 0.5,
                    h / decks * 0.32,
                )
                for k in range(n)
            ],
            (0.12, 0.18, 0.24),
        )
    pen.poly(
        [
            (x + w * 0.08, y + h),
            (x + w * 0.12, y + h * 1.45),
            (x + w * 0.34, y + h * 1.45),
            (x + w * 0.36, y + h),
        ],
        shade(funnel, 0.7),
        to=funnel,
        along=((x + w * 0.4, 0), (x, 0)),
    )
    pen.rect(x + w * 0.115, y + h * 1.3, w * 0.225, h * 0.1, (0.95, 0.95, 0.95))
    pen.segments(
        [
            ((x + w * 0.7, y + h), (x + w * 0.7, y + h * 1.7)),
            ((x + w * 0.58, y + h * 1.4), (x + w * 0.82, y + h * 1.4)),
        ],
        (0.85, 0.85, 0.85),
        0.3,
    )


def gantry(pen: Pen, span: float, height: float, colour: RGB, t: float, *, phase: float = 0.0) -> None:
    """Draw a portal crane: box girder on two tall legs, trolley and hook; origin at its left foot."""
    girder = height * 0.13
    for x, wide in ((0.0, 0.10), (span, 0.05)):
        pen.poly(
            [(x - height * wide, 0), (x - height * wide + 1.6, 0), (x + 1.3, height), (x - 1.3, height)],
            shade(colour, 0.7),
            to=colour,
            along=((x + 2, 0), (x - 2, 0)),
        )
        pen.poly(
            [(x + height * wide, 0), (x + height * wide - 1.6, 0), (x - 1.3, height), (x + 1.3, height)],
            shade(colour, 0.62),
            to=shade(colour, 0.9),
            along=((x + 2, 0), (x - 2, 0)),
        )
        pen.segments(
            [((x - height * wide * 0.6, height * 0.4), (x + height * wide * 0.6, height * 0.4))],
            shade(colour, 0.6),
            1.0,
        )
        pen.rect(x - height * wide - 1.5, 0, height * wide * 2 + 3, 1.6, (0.2, 0.2, 0.21))
    over = span * 0.06
    pen.rect(-over, height, span + 2 * over, girder, shade(colour, 0.62), to=mix(colour, (1, 1, 1), 0.12))
    pen.segments(
        [((-over + i * span / 13, height), (-over + i * span / 13, height + girder)) for i in range(1, 15)],
        (0, 0, 0),
        0.18,
        alpha=0.25,
    )
    pen.segments([((-over, height + girder + 1.2), (span + over, height + girder + 1.2))], (0.85, 0.85, 0.85), 0.2)
    run = span * (0.5 + 0.28 * math.sin(t * 0.35 + phase))
    pen.rect(run - 3, height - 2.4, 6, 3.0, (0.88, 0.88, 0.86))
    pen.rect(run - 2.4, height - 1.7, 2.2, 1.3, (0.15, 0.2, 0.25))
    drop = height * (0.40 + 0.08 * math.sin(t * 0.6 + phase))
    pen.segments(
        [
            ((run - 1.2, height - 2), (run - 0.6, height - drop)),
            ((run + 1.2, height - 2), (run + 0.6, height - drop)),
        ],
        (0.1, 0.1, 0.1),
        0.16,
    )
    pen.rect(run - 1.1, height - drop - 1.6, 2.2, 1.8, (0.95, 0.75, 0.1))
    pen.rect(run - 6, height - drop - 6.5, 12, 4.2, (0.36, 0.32, 0.30), to=(0.52, 0.46, 0.42))
    pen.segments(
        [
            ((run, height - drop - 1.4), (run - 5, height - drop - 2.4)),
            ((run, height - drop - 1.4), (run + 5, height - drop - 2.4)),
        ],
        (0.1, 0.1, 0.1),
        0.15,
    )


def jib_crane(pen: Pen, height: float, reach: float, colour: RGB, t: float, *, phase: float = 0.0) -> None:
    """Draw a harbour crane on a portal, its jib luffing."""
    for x in (-3.2, 3.2):
        pen.line([(x, 0), (x * 0.55, height * 0.34)], shade(colour, 0.8), 0.9, round_=False)
    pen.rect(-2.6, height * 0.32, 5.2, 0.9, shade(colour, 0.7))
    lattice(pen, (0, height * 0.34), (0, height * 0.62), 2.2, colour, bar=0.25)
    pen.rect(-3.6, height * 0.60, 6.0, height * 0.14, shade(colour, 0.8), r=0.3, to=mix(colour, (1, 1, 1), 0.15))
    pen.rect(1.0, height * 0.63, 1.3, height * 0.07, (0.15, 0.2, 0.25))
    a = 0.85 + 0.10 * math.sin(t * 0.5 + phase)
    tip = (1.6 + math.cos(a) * reach, height * 0.66 + math.sin(a) * reach)
    mast = (-1.6, height * 1.0)
    lattice(pen, (-1.6, height * 0.72), mast, 1.0, colour, bar=0.2)
    lattice(pen, (1.8, height * 0.68), tip, 1.3, colour, bar=0.22, step=2)
    pen.segments([(mast, tip), (mast, (-3.4, height * 0.7))], (0.15, 0.15, 0.15), 0.15)
    low = height * (0.25 + 0.06 * math.sin(t * 0.7 + phase))
    pen.segments([(tip, (tip[0], low))], (0.12, 0.12, 0.12), 0.14)
    pen.rect(tip[0] - 0.5, low - 0.9, 1.0, 1.1, (0.2, 0.2, 0.2))


def street_lamp(stage: Stage, x: float, z: float, *, side: float = 1.0, height: float = 7.5) -> None:
    """Queue a street lamp; at night it glows and lights the ground."""

    def draw() -> None:
        if stage.light.night:
            with stage.ground() as pen:
                pen.soft(x + side * 1.5, z, 5, 5, (1.0, 0.8, 0.5), alpha=0.28, add=True)
        with stage.standing(x, z) as pen:
            pen.line([(0, 0), (0, height), (side * 1.4, height + 0.3)], (0.28, 0.29, 0.3), 0.14)
            pen.oval(
                side * 1.5,
                height + 0.22,
                0.42,
                0.14,
                (1.0, 0.93, 0.75) if stage.light.night else (0.8, 0.8, 0.78),
                lit=not stage.light.night,
            )
        if stage.light.night:
            stage.glow(x + side * 1.5, height + 0.2, z, 2.6, (1.0, 0.78, 0.45), alpha=0.75)

    stage.add(x, z, draw)


def fence(stage: Stage, x0: float, x1: float, z: float, colour: RGB) -> None:
    """Queue a builder's fence: mesh panels on feet."""

    def draw() -> None:
        with stage.plane((x0, 0, z), (1, 0, 0), (0, 1, 0)) as pen:
            w = x1 - x0
            n = max(1, int(w / 3.4))
            pen.segments(
                [((i * w / n, 0), (i * w / n, 2)) for i in range(n + 1)]
                + [((0, 0.25), (w, 0.25)), ((0, 1.95), (w, 1.95))],
                colour,
                0.09,
            )
            pen.segments([((i * 0.3, 0.25), (i * 0.3, 1.95)) for i in range(int(w / 0.3))], colour, 0.025, alpha=0.7)

    stage.add((x0 + x1) / 2, z, draw)
