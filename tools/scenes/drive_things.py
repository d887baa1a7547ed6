"""What a driver sees: light that turns from day to night, the sky, roadside houses, rain on the windscreen."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from itertools import pairwise

import skia

from tools.scenes.colour import RGB, argb, mix, shade, vary
from tools.scenes.light import Light, Vector
from tools.scenes.nature import leafy_tree
from tools.scenes.pen import Pen
from tools.scenes.stage import Stage

# hour, sky above, sky at the horizon, direct light, ambient light, haze
_HOURS: tuple[tuple[float, RGB, RGB, RGB, RGB, RGB], ...] = (
    (0.00, (0.18, 0.44, 0.80), (0.74, 0.87, 0.96), (0.74, 0.70, 0.60), (0.44, 0.47, 0.52), (0.76, 0.85, 0.93)),
    (0.30, (0.26, 0.42, 0.70), (0.94, 0.82, 0.66), (0.78, 0.62, 0.42), (0.42, 0.41, 0.44), (0.88, 0.80, 0.70)),
    (0.50, (0.22, 0.24, 0.46), (0.99, 0.58, 0.30), (0.72, 0.42, 0.24), (0.34, 0.29, 0.34), (0.90, 0.58, 0.40)),
    (0.68, (0.09, 0.11, 0.28), (0.62, 0.32, 0.30), (0.24, 0.16, 0.16), (0.22, 0.20, 0.28), (0.42, 0.28, 0.32)),
    (0.85, (0.025, 0.035, 0.10), (0.12, 0.12, 0.22), (0.06, 0.06, 0.10), (0.15, 0.16, 0.23), (0.08, 0.09, 0.16)),
    (1.00, (0.010, 0.014, 0.045), (0.05, 0.06, 0.12), (0.04, 0.05, 0.08), (0.11, 0.12, 0.17), (0.04, 0.05, 0.09)),
)  # fmt: skip


def light_at(hour: float, rain: float, sun: Vector) -> Light:
    """Return the light from day (``hour`` 0) through sunset (0.5) to night (1); ``rain`` (0 to 1) greys the day."""
    hour = min(1.0, max(0.0, hour))
    a, b = next((a, b) for a, b in pairwise(_HOURS) if hour <= b[0])
    u = (hour - a[0]) / (b[0] - a[0])
    top, low, direct, ambient, haze = (mix(p, q, u) for p, q in zip(a[1:], b[1:], strict=True))  # type: ignore[arg-type]
    grey = rain * 0.75 * max(0.0, 1 - hour * 0.9)
    cloud: RGB = (0.55, 0.58, 0.62)
    return Light(
        "night" if hour > 0.76 else "sunset" if hour > 0.38 else "day",
        mix(top, cloud, grey), mix(low, (0.72, 0.74, 0.77), grey), shade(direct, 1 - 0.7 * grey), ambient,
        mix(haze, (0.66, 0.69, 0.72), grey), 620 - 380 * rain, sun, 0.65,
    )  # fmt: skip


def lit_by_lamps(light: Light, distance: float, dark: float) -> Light:
    """Return the light at a distance before the car's own headlights, which count as it gets ``dark``."""
    k = dark * 0.85 * math.exp(-((max(0.0, distance - 7) / 22) ** 1.3))
    ambient = light.ambient
    return replace(light, ambient=(ambient[0] + 0.62 * k, ambient[1] + 0.60 * k, ambient[2] + 0.52 * k))


def sky(stage: Stage, hour: float, t: float, rain: float) -> None:
    """Paint the sky with drifting clouds, a sun that sets ahead, its afterglow, then stars."""
    light, w, low = stage.light, stage.width, stage.horizon
    h = stage.height
    with stage.screen() as pen:
        stage.canvas.drawPaint(skia.Paint(Color=argb(light.sky_low)))
        pen.poly(
            [(0, 0), (w, 0), (w, low), (0, low)],
            light.sky_top,
            to=light.sky_low,
            along=((0, low - h * 0.62), (0, low)),
        )
        night = min(1.0, max(0.0, (hour - 0.7) / 0.25)) * (1 - 0.9 * rain)
        if night > 0:
            rng = random.Random(7)
            for _ in range(110):
                x, y, r = rng.random() * w, rng.random() * 0.92 * low, rng.uniform(0.4, 1.3) * h / 700
                pen.oval(x, y, r, r, (0.92, 0.94, 1.0), alpha=rng.uniform(0.25, 0.9) * night * (1 - y / low * 0.6))
        clear = 1 - 0.85 * rain
        if hour < 0.72:
            sx = w * (0.5 + 0.17 * math.copysign(1, light.sun[0]))
            sy = low - h * (0.40 - 0.62 * hour)
            warm = min(1.0, hour / 0.5)
            colour = mix((1.0, 0.97, 0.86), (1.0, 0.60, 0.25), warm)
            pen.soft(sx, sy, h * 0.62, h * (0.5 - 0.2 * warm), colour, alpha=0.6 * clear, add=True)
            if sy < low + h * 0.05:
                r = h * (0.04 + 0.012 * warm)
                pen.oval(sx, sy, r, r, mix((1.0, 1.0, 0.95), (1.0, 0.82, 0.5), warm), alpha=clear)
        if 0.35 < hour < 0.9:
            glow = math.sin(math.pi * (hour - 0.35) / 0.55) * clear
            pen.soft(w * 0.5, low, w * 0.7, h * 0.22, (1.0, 0.45, 0.2), alpha=0.4 * glow, add=True)
    plane = Pen(
        stage.canvas,
        stage.matrix((stage.camera.x, stage.camera.y + 300, stage.camera.z), (1, 0, 0), (0, 0, 1)),
        lambda c: c,
    )
    bright = max(0.05, 1 - hour * 1.1)
    with plane as pen:
        alpha = min(1.0, (0.55 + 0.45 * rain) * (0.3 + 0.7 * bright) * (0.16 if hour > 0.85 else 1.0))
        pen.texture(-9000, 120, 18000, 9000, "cloud", size=2600, alpha=alpha, shift=(t * 14, t * 6))
    with stage.screen() as pen:
        top = low - h * 0.2
        fade = skia.GradientShader.MakeLinear(
            [skia.Point(0, top), skia.Point(0, low)], [argb(light.sky_low, 0), argb(light.sky_low, 1)]
        )
        stage.canvas.drawRect(skia.Rect.MakeLTRB(0, top, w, low + 1), skia.Paint(Shader=fade))


def cottage(stage: Stage, x: float, z: float, seed: int, lamps: bool) -> None:
    """Draw a house with a pitched roof, windows that light up in the evening, a chimney and a hedge."""
    rng = random.Random(seed)
    w, d, h = rng.uniform(7, 9), rng.uniform(8, 12), rng.uniform(4.2, 5.6)
    wall = vary(
        rng,
        rng.choice(((0.88, 0.84, 0.76), (0.68, 0.38, 0.30), (0.80, 0.72, 0.58), (0.74, 0.76, 0.74))),
        0.05,
    )
    roof = vary(rng, rng.choice(((0.46, 0.22, 0.17), (0.30, 0.30, 0.33), (0.40, 0.30, 0.24))), 0.04)
    lit_seed = rng.randrange(1 << 20)

    def face(pen: Pen, fw: float, fh: float, side: str) -> None:
        local = random.Random(f"{lit_seed}{side}")
        n = max(2, int(fw / 2.6))
        for row, y in enumerate((0.95, 3.0)):
            if y + 1.1 > fh:
                continue
            for k in range(n):
                px = fw * (k + 0.5) / n - 0.5
                if row == 0 and k == n // 2:
                    pen.rect(px, 0, 0.95, 2.05, shade(roof, 0.8))
                    continue
                on = lamps and local.random() < 0.6
                pen.rect(px - 0.1, y - 0.1, 1.2, 1.3, mix(wall, (1, 1, 1), 0.5))
                pane: RGB = (1.0, 0.80, 0.45) if on else (0.18, 0.24, 0.30)
                pen.rect(px, y, 1.0, 1.1, pane, lit=not on, to=mix(pane, (1, 1, 1), 0.25))
                pen.segments(
                    [((px + 0.5, y), (px + 0.5, y + 1.1)), ((px, y + 0.55), (px + 1.0, y + 0.55))],
                    (0.92, 0.92, 0.9),
                    0.06,
                )
        pen.texture(0, 0, fw, fh, "patch", size=6, alpha=0.08)

    stage.box(x, z, w, d, h, wall, face=face, shadow=False)
    rise, over = w * 0.36, 0.45
    for sign in (-1, 1):
        normal = (sign * 0.6, 0.8, 0.0)
        if (stage.camera.x - x) * sign > 0:
            origin = (x + sign * (w / 2 + over), h - over * 0.7, z - d / 2 - over)
            run = (-sign * (w / 2 + over), rise + over * 0.7)
            length = math.hypot(*run)
            with stage.plane(
                origin,
                (0, 0, 1),
                (run[0] / length, run[1] / length, 0),
                facing=max(0.25, stage.facing(normal)),
            ) as pen:
                pen.rect(0, 0, d + 2 * over, length, shade(roof, 0.9), to=roof)
                pen.segments(
                    [((0, k * 0.4), (d + 2 * over, k * 0.4)) for k in range(int(length / 0.4))],
                    shade(roof, 0.72),
                    0.05,
                )
    with stage.plane((x - w / 2, 0, z - d / 2 - 0.02), (1, 0, 0), (0, 1, 0), facing=0.5) as pen:
        if stage.camera.z < z - d / 2:
            pen.poly([(0, h), (w / 2, h + rise), (w, h)], shade(wall, 0.92), to=wall)
            pen.line(
                [(-over, h - over * 0.7), (w / 2, h + rise), (w + over, h - over * 0.7)],
                shade(roof, 0.8),
                0.3,
            )
            pen.oval(
                w / 2,
                h + rise * 0.35,
                0.4,
                0.4,
                (1.0, 0.80, 0.45) if lamps else (0.2, 0.25, 0.3),
                lit=not lamps,
            )
    stage.box(x + w * 0.2, z + d * 0.2, 0.7, 0.7, 2.0, shade(roof, 0.9), y=h + rise * 0.4, shadow=False)


def hedge(stage: Stage, x: float, z: float, length: float, seed: int) -> None:
    """Draw a clipped hedge along the road."""
    green = vary(random.Random(seed), (0.20, 0.38, 0.15), 0.04)

    def face(pen: Pen, fw: float, fh: float, side: str) -> None:
        pen.texture(0, 0, fw, fh, "fine", size=1.6, alpha=0.4)
        pen.rect(0, 0, fw, fh * 0.4, (0, 0, 0), alpha=0.25)

    stage.box(x, z, 1.0, length, 1.15, green, face=face, shadow=False, top=mix(green, (0.7, 0.8, 0.3), 0.25))


def roadside_tree(stage: Stage, x: float, z: float, seed: int) -> None:
    """Draw a tree beside the road."""
    rng = random.Random(seed)
    leaves = vary(rng, rng.choice(((0.22, 0.44, 0.17), (0.30, 0.48, 0.18), (0.50, 0.42, 0.14))), 0.04)
    height = rng.uniform(6, 11)
    stage.shadow(x + 0.8, z, height * 0.3, 1.6)
    with stage.standing(x, z) as pen:
        leafy_tree(pen, rng, height, leaves)


def lamp_post(stage: Stage, x: float, z: float, side: float, dark: float, wet: float) -> None:
    """Draw a street lamp that lights up as it gets dark, with its light on the road, a streak when it is wet."""
    lamp: RGB = (1.0, 0.80, 0.48)
    if dark > 0.02:
        with stage.ground() as pen:
            pen.soft(x + side * 2.4, z, 6.5, 6.0, lamp, alpha=0.34 * dark, add=True)
            if wet > 0.05:
                pen.soft(x + side * 3.0, z - 7, 0.8, 9.0, lamp, alpha=0.5 * dark * wet, add=True)
    with stage.standing(x, z) as pen:
        pen.line([(0, 0), (0, 7.2), (side * 1.8, 7.6)], (0.30, 0.31, 0.32), 0.13)
        pen.oval(side * 1.9, 7.52, 0.45, 0.14, mix((0.8, 0.8, 0.78), (1.0, 0.95, 0.8), dark), lit=dark < 0.3)
    if dark > 0.02:
        stage.glow(x + side * 1.9, 7.45, z, 2.6, lamp, alpha=0.8 * dark)


def windscreen(stage: Stage, t: float, rain: float, dark: float, seed: int) -> None:
    """Draw what lies between: rain that streams towards the car, drops on the glass, a wiper, the dashboard."""
    w, h = stage.width, stage.height
    cx, cy = w * 0.5, stage.horizon
    rng = random.Random(seed)
    with stage.screen() as pen:
        if rain > 0.02:
            tone = mix((0.86, 0.89, 0.94), (0.62, 0.66, 0.76), dark)
            for _ in range(int(230 * rain)):
                angle, start, speed = rng.uniform(0, 2 * math.pi), rng.random(), rng.uniform(0.8, 1.6)
                u = (start + t * speed) % 1.0
                r = (0.06 + u * u * 0.95) * w * 0.62
                size = 0.03 + 0.10 * u
                x, y = cx + math.cos(angle) * r * 1.1, cy - h * 0.12 + math.sin(angle) * r * 0.8 + u * h * 0.1
                dx, dy = math.cos(angle) * size * h * 0.55, math.sin(angle) * size * h * 0.4 + size * h * 0.75
                pen.line([(x, y), (x + dx, y + dy)], tone, h / 250 * (0.5 + u), alpha=0.18 + 0.36 * u)
            sweep = (math.sin(t * 2.6) + 1) / 2
            for _ in range(int(130 * rain)):
                x, y, r = rng.uniform(0, w), rng.uniform(0, h * 0.9), h * rng.uniform(0.003, 0.0085)
                period, shift = 2 * math.pi / 2.6, rng.random()
                age = ((t / period) + shift) % 1.0
                if age < 0.12:
                    continue
                pen.oval(
                    x,
                    y + r * 2 * age,
                    r,
                    r * 1.15,
                    mix((0.82, 0.86, 0.9), (0.20, 0.22, 0.28), dark),
                    alpha=0.38,
                )
                pen.oval(
                    x - r * 0.3,
                    y - r * 0.3 + r * 2 * age,
                    r * 0.35,
                    r * 0.35,
                    (1, 1, 1),
                    alpha=0.65 - 0.35 * dark,
                )
            angle = math.radians(168 - 118 * sweep)
            base = (w * 0.5, h * 1.06)
            tip = (base[0] + math.cos(angle) * h * 0.92, base[1] - math.sin(angle) * h * 0.92)
            pen.line([base, tip], (0.03, 0.03, 0.035), h * 0.013, alpha=0.9)
        top = [(w * k / 24, h * (0.955 - 0.03 * math.sin(math.pi * k / 24))) for k in range(25)]
        board: RGB = mix((0.10, 0.10, 0.11), (0.015, 0.016, 0.02), dark)
        pen.poly([(0, h), *top, (w, h)], board)
        pen.line(top, mix((0.34, 0.35, 0.37), (0.05, 0.06, 0.08), dark), h * 0.004, alpha=0.8)
