"""Trees, mountains, hills, water, rocks, plants and weather."""

from __future__ import annotations

import math
import random
from itertools import pairwise

import skia

from tools.scenes.colour import RGB, argb, mix, shade, vary
from tools.scenes.pen import Pen, Point, blob
from tools.scenes.stage import Stage


def leafy_tree(pen: Pen, rng: random.Random, height: float, leaves: RGB, *, sway: float = 0.0) -> None:
    """Draw a broad tree: trunk, branches, and a crown of leaf clumps, lit from the upper left."""
    trunk = (0.32, 0.23, 0.16)
    w = height * 0.055
    pen.poly(
        [(-w, 0), (w, 0), (w * 0.5, height * 0.55), (-w * 0.5, height * 0.55)],
        shade(trunk, 0.6),
        to=trunk,
        along=((w, 0), (-w, 0)),
    )
    r = height * 0.3
    clumps = [
        (
            rng.uniform(-1, 1) * r * 0.85,
            height * 0.66 + rng.uniform(-1, 1) * r * 0.6,
            r * rng.uniform(0.42, 0.62),
        )
        for _ in range(9)
    ]
    for x, y, size in clumps:
        pen.poly(blob(rng, x + r * 0.1 + sway, y - r * 0.14, size, size * 0.9), shade(leaves, 0.5))
    for x, y, size in clumps:
        pen.poly(
            blob(rng, x + sway, y, size * 0.88, size * 0.78),
            shade(leaves, 0.72),
            to=leaves,
            along=((x + size, y - size), (x - size, y + size)),
        )
    for x, y, size in clumps[:6]:
        pen.poly(
            blob(rng, x - size * 0.25 + sway, y + size * 0.25, size * 0.4, size * 0.33),
            mix(leaves, (1, 1, 0.7), 0.16),
            alpha=0.8,
        )


def pine_tree(pen: Pen, rng: random.Random, height: float, needles: RGB, *, snow: float = 0.0) -> None:
    """Draw a conifer of stacked ragged tiers; ``snow`` is how much of them is white."""
    w = height * 0.022
    pen.rect(-w, 0, 2 * w, height * 0.3, (0.3, 0.22, 0.16))
    tiers = 6
    for i in range(tiers):
        low, high = height * (0.12 + 0.78 * i / tiers), height * (0.12 + 0.78 * (i + 1.7) / tiers)
        half = height * 0.2 * (1 - i / tiers * 0.85)
        edge = []
        for j in range(7):
            u = j / 6
            edge.append(
                (
                    -half + 2 * half * u,
                    low + (0.04 * height if j % 2 else 0.0) + rng.uniform(-0.01, 0.01) * height,
                )
            )
        tier = [*edge, (0.0, min(high, height))]
        pen.poly(tier, shade(needles, 0.55), to=needles, along=((half, low), (-half, high)))
        if snow:
            cap = [
                (-half * 0.75, low + height * 0.05),
                (-half * 0.2, low + height * 0.075),
                (half * 0.35, low + height * 0.06),
                (0, min(high, height)),
            ]
            pen.poly(cap, (0.93, 0.95, 0.98), alpha=snow)


def palm_tree(pen: Pen, rng: random.Random, height: float, t: float = 0.0) -> None:
    """Draw a palm with a bent trunk and moving fronds."""
    bend = rng.uniform(-0.2, 0.2) * height
    trunk = [(bend * (u / 8) ** 2, height * u / 8) for u in range(9)]
    pen.line(trunk, (0.45, 0.34, 0.22), height * 0.04)
    top = trunk[-1]
    for i in range(9):
        a = math.pi * (i / 8) * 1.2 - 0.3 + 0.05 * math.sin(t * 2 + i)
        length = height * 0.42
        frond = [
            (
                top[0] + math.cos(a) * length * u / 5,
                top[1] + math.sin(a) * length * u / 5 - (u / 5) ** 2 * length * 0.55,
            )
            for u in range(6)
        ]
        wide = [0.0, 0.03, 0.042, 0.036, 0.022, 0.0]
        under = [(x, y - w * height * 1.6) for (x, y), w in zip(frond, wide, strict=True)]
        pen.poly([*frond, *under[::-1]], (0.13, 0.36, 0.13) if i % 2 else (0.2, 0.48, 0.18))
        pen.line(frond, (0.34, 0.56, 0.24), height * 0.008)


def ridge(
    rng: random.Random,
    left: float,
    right: float,
    base: float,
    height: float,
    *,
    rough: float = 0.55,
    detail: int = 6,
) -> list[Point]:
    """Return a skyline by midpoint displacement, as points from left to right."""
    ys = [
        rng.uniform(0.3, 0.8),
        rng.uniform(0.6, 1.0),
        rng.uniform(0.3, 0.9),
        rng.uniform(0.5, 1.0),
        rng.uniform(0.3, 0.7),
    ]
    amount = 0.28
    for _ in range(detail):
        finer = []
        for a, b in pairwise(ys):
            finer += [a, (a + b) / 2 + rng.uniform(-amount, amount)]
        ys = [*finer, ys[-1]]
        amount *= rough
    step = (right - left) / (len(ys) - 1)
    return [(left + i * step, base + max(0.02, y) * height) for i, y in enumerate(ys)]


def mountain_range(
    stage: Stage,
    rng: random.Random,
    distance: float,
    height: float,
    rock: RGB,
    *,
    snow: float = 0.5,
    detail: int = 5,
) -> None:
    """Draw a range with lit and shaded flanks, its snow line at ``1 - snow`` of its height."""
    half = distance * 1.2
    line = ridge(rng, -half, half, 0.0, height, detail=detail)
    away = -1 if stage.light.sun[0] > 0 else 1
    pen = stage.standing(stage.camera.x, stage.camera.z + distance)
    pen.tone = stage.standing(stage.camera.x, stage.camera.z + distance * 0.3).tone  # less haze: it stays readable
    with pen:
        outline = [(-half, -5.0), *line, (half, -5.0)]
        path = skia.Path()
        path.addPoly([skia.Point(*p) for p in outline], True)
        stage.canvas.save()
        stage.canvas.clipPath(path, skia.ClipOp.kIntersect, True)
        pen.poly(outline, shade(rock, 0.72), to=mix(rock, (1, 1, 1), 0.1), along=((0, 0), (0, height)))
        pen.texture(-half, -5, 2 * half, height * 1.1, "patch", size=height * 0.9, alpha=0.35)
        flanks = skia.Path()
        for i in range(2, len(line) - 2):
            if line[i][1] == max(p[1] for p in line[i - 2 : i + 3]):
                x, y = line[i]
                edge = [(x, y)]
                for k in range(1, 6):
                    edge.append((x + away * height * (0.04 * k + rng.uniform(-0.05, 0.03)) * 0.9, y * (1 - k / 5)))
                flanks.addPoly(
                    [skia.Point(*p) for p in [*edge, (x + away * height * 0.75, 0), (x + away * height * 0.3, y)]],
                    True,
                )
        cap = []
        for i in range(161):
            x = -half + 2 * half * i / 160
            cap.append(
                (
                    x,
                    height
                    * (1 - snow + 0.06 * math.sin(i * 0.37) + (0.035 if i % 2 else -0.035) * rng.uniform(0.2, 1.8)),
                )
            )
        pen.poly([*cap, (half, height * 2), (-half, height * 2)], (0.97, 0.98, 1.0))
        stage.canvas.drawPath(flanks, skia.Paint(AntiAlias=True, Color=argb(pen.tone((0.22, 0.28, 0.40)), 0.42)))
        stage.canvas.restore()


def hills(stage: Stage, rng: random.Random, distance: float, height: float, colour: RGB) -> None:
    """Draw soft hills as a backdrop."""
    half = distance * 1.6
    phase = [rng.uniform(0, 6.28) for _ in range(4)]
    points = []
    for i in range(41):
        u = i / 40
        y = sum(math.sin(u * (4 + 5 * k) + phase[k]) / (k + 1) for k in range(4)) * 0.3 + 0.55
        points.append((-half + 2 * half * u, max(0.0, y) * height))
    with stage.standing(stage.camera.x, stage.camera.z + distance) as pen:
        pen.poly([(-half, -20), *points, (half, -20)], shade(colour, 0.7), to=colour, along=((0, 0), (0, height)))


def sea(stage: Stage, near: float, t: float, colour: RGB, deep: RGB) -> None:
    """Draw water from ``near`` metres to the horizon, with moving waves and glitter."""
    left, right = -1500.0, 1500.0
    with stage.ground() as pen:
        pen.poly(
            [(left, near), (right, near), (right, 4000), (left, 4000)],
            colour,
            to=deep,
            along=((0, near), (0, near + 120)),
        )
        pen.texture(
            left,
            near,
            right - left,
            700,
            "patch",
            size=38,
            alpha=0.30,
            shift=(t * 0.6, -t * 1.4),
            stretch=0.32,
        )
        pen.texture(
            left,
            near,
            right - left,
            400,
            "fine",
            size=30,
            alpha=0.22,
            shift=(-t * 0.9, -t * 2.0),
            stretch=0.25,
        )


def rock(pen: Pen, rng: random.Random, size: float, colour: RGB = (0.45, 0.44, 0.42)) -> None:
    """Draw a boulder."""
    outline = blob(rng, 0, size * 0.35, size, size * 0.55, points=9, rough=0.22)
    pen.poly(outline, shade(colour, 0.5), to=mix(colour, (1, 1, 1), 0.15), along=((size, 0), (-size * 0.4, size)))


def grass_tufts(
    stage: Stage, rng: random.Random, count: int, x0: float, x1: float, z0: float, z1: float, colour: RGB
) -> None:
    """Scatter tufts of grass on the ground."""
    for _ in range(count):
        x, z = rng.uniform(x0, x1), z0 + (z1 - z0) * rng.random() ** 2
        h = rng.uniform(0.15, 0.4)
        tint = vary(rng, colour, 0.08)

        def draw(x: float = x, z: float = z, h: float = h, tint: RGB = tint) -> None:
            with stage.standing(x, z) as pen:
                pen.segments([((0, 0), (k * 0.05 * h * 5, h)) for k in (-2, -1, 0, 1, 2)], tint, 0.03)

        stage.add(x, z, draw)


def falling(stage: Stage, rng: random.Random, t: float, kind: str, count: int) -> None:
    """Draw rain or snow over the whole picture."""
    w, h = stage.width, stage.height
    with stage.screen() as pen:
        for _ in range(count):
            x, y, near = rng.random(), rng.random(), rng.uniform(0.3, 1.0)
            if kind == "rain":
                y = (y + t * 1.9 * near) % 1.1 - 0.05
                pen.line(
                    [(x * w, y * h), ((x - 0.006) * w, (y + 0.05 * near) * h)],
                    (0.8, 0.85, 0.92),
                    max(0.5, near * h / 620),
                    alpha=0.4,
                )
            else:
                y = (y + t * 0.16 * near) % 1.05 - 0.02
                x = (x + 0.02 * math.sin(t * 1.3 + y * 9 + x * 40)) % 1.0
                r = near * h / 190
                pen.soft(x * w, y * h, r * 1.5, r * 1.5, (1, 1, 1), alpha=0.95)
