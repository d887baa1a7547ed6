"""The stage: camera, light, and planes in space to draw on. Axes in metres: x right, y up, z away."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import skia

from tools.scenes.colour import RGB, argb, mix, shade, times
from tools.scenes.light import Light, Vector
from tools.scenes.pen import Pen

NAMEABLE = 0.01
"""Share of the picture's middle square from which on a thing's colour counts: 10 of a model's 96 pixels each way."""


@dataclass(frozen=True)
class Camera:
    """Where the picture is taken from.

    ``focal`` is in picture heights; ``tilt`` moves the horizon (0: in the middle, 0.5: at the bottom).
    """

    x: float = 0.0
    y: float = 1.7
    z: float = 0.0
    yaw: float = 0.0
    tilt: float = 0.0
    focal: float = 1.1


@dataclass
class Stage:
    """One picture being drawn. Things are added with their distance and drawn far to near by ``flush``."""

    canvas: skia.Canvas
    width: int
    height: int
    camera: Camera
    light: Light
    facts: set[str] = field(default_factory=set)
    _queue: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)

    # ---- geometry
    def view(self, x: float, y: float, z: float) -> Vector:
        """World to camera axes: right, up, ahead."""
        c, s = math.cos(self.camera.yaw), math.sin(self.camera.yaw)
        dx, dz = x - self.camera.x, z - self.camera.z
        return (dx * c - dz * s, y - self.camera.y, dx * s + dz * c)

    @property
    def horizon(self) -> float:
        """Height of the horizon in pixels from the top."""
        return self.height * (0.5 + self.camera.tilt)

    def project(self, x: float, y: float, z: float) -> tuple[float, float]:
        """World to pixels; points behind the camera are pushed just before it."""
        right, up, ahead = self.view(x, y, z)
        k = self.camera.focal * self.height / max(ahead, 0.1)
        return (self.width / 2 + right * k, self.horizon - up * k)

    def distance(self, x: float, z: float) -> float:
        """How far ahead of the camera a place lies, in metres."""
        return self.view(x, 0, z)[2]

    def matrix(self, origin: Vector, u: Vector, v: Vector) -> skia.Matrix:
        """Plane coordinates ``(a, b)`` of ``origin + a u + b v`` to pixels, as a perspective matrix."""
        c, s = math.cos(self.camera.yaw), math.sin(self.camera.yaw)
        f = self.camera.focal * self.height
        columns = []
        for vector, place in ((u, 0.0), (v, 0.0), (origin, 1.0)):
            dx, dy, dz = (vector[i] - place * p for i, p in enumerate((self.camera.x, self.camera.y, self.camera.z)))
            right, ahead = dx * c - dz * s, dx * s + dz * c
            columns.append((f * right + self.width / 2 * ahead, -f * dy + self.horizon * ahead, ahead))
        return skia.Matrix(np.array(columns, np.float32).T)

    # ---- colour
    def lit(self, colour: RGB, distance: float, facing: float = 0.7) -> RGB:
        """Colour of a surface: ambient light, direct light by ``facing`` (0 to 1), then haze by distance."""
        light = self.light
        energy = mix(
            light.ambient,
            (
                light.ambient[0] + light.direct[0],
                light.ambient[1] + light.direct[1],
                light.ambient[2] + light.direct[2],
            ),
            facing,
        )
        return mix(times(colour, energy), light.haze, 1 - math.exp(-max(0.0, distance) / light.haze_m))

    def facing(self, normal: Vector) -> float:
        """How much direct light a surface gets, 0 to 1."""
        sx, sy, sz = self.light.sun
        norm = math.sqrt(sx * sx + sy * sy + sz * sz)
        return max(0.0, (normal[0] * sx + normal[1] * sy + normal[2] * sz) / norm)

    # ---- planes to draw on
    def plane(self, origin: Vector, u: Vector, v: Vector, *, facing: float = 0.7, haze: bool = True) -> Pen:
        """Return a pen on any plane."""
        far = self.distance(origin[0], origin[2]) if haze else 0.0
        return Pen(self.canvas, self.matrix(origin, u, v), lambda c: self.lit(c, far, facing))

    def ground(self, y: float = 0.0) -> Pen:
        """Return a pen on the ground in world coordinates ``(x, z)``; see ``haze_ground`` for its haze."""
        facing = self.facing((0, 1, 0))
        return Pen(self.canvas, self.matrix((0, y, 0), (1, 0, 0), (0, 0, 1)), lambda c: self.lit(c, 0, facing))

    def standing(self, x: float, z: float, y: float = 0.0, *, flip: bool = False, size: float = 1.0) -> Pen:
        """Return a pen on a plane that faces the camera, its origin at ``(x, y, z)``."""
        c, s = math.cos(self.camera.yaw), math.sin(self.camera.yaw)
        k = -size if flip else size
        return self.plane((x, y, z), (c * k, 0, -s * k), (0, size, 0), facing=0.75)

    def screen(self) -> Pen:
        """Return a pen in pixels, y down, without light."""
        return Pen(self.canvas, skia.Matrix(), lambda c: c)

    # ---- queue
    def add(self, x: float, z: float, draw: Callable[[], None], *, nearer: float = 0.0) -> None:
        """Queue something that stands at ``(x, z)``; ``nearer`` decides ties; none behind the camera."""
        far = self.distance(x, z)
        if far > 0.4:
            self._queue.append((-(far - nearer), len(self._queue), draw))

    def flush(self) -> None:
        """Draw what was queued, far to near."""
        for _, _, draw in sorted(self._queue, key=lambda item: item[:2]):
            draw()
        self._queue.clear()

    def note(
        self,
        fact: str,
        x: float,
        z: float,
        y: float = 1.0,
        *,
        margin: float = 0.02,
        area: float | None = None,
    ) -> None:
        """Record a fact when the place lies inside the centre square of the picture (what a model sees).

        With ``area``, the thing's outline in square metres as it is turned to the camera, the fact is only
        ``maybe:`` where that covers less than ``NAMEABLE`` of the square.
        """
        far = self.distance(x, z)
        if far <= 0.5:
            return
        if area is not None and area * (self.camera.focal / far) ** 2 < NAMEABLE:
            fact = f"maybe:{fact}"
        px, py = self.project(x, y, z)
        half = self.height * (0.5 - margin)
        if abs(px - self.width / 2) < half and self.height * margin < py < self.height * (1 - margin):
            self.facts.add(fact)

    # ---- solids
    def box(
        self,
        x: float,
        z: float,
        w: float,
        d: float,
        h: float,
        colour: RGB,
        *,
        y: float = 0.0,
        yaw: float = 0.0,
        face: Callable[[Pen, float, float, str], None] | None = None,
        shadow: bool = True,
        top: RGB | None = None,
    ) -> None:
        """Draw a box standing on ``(x, y, z)``, the centre of its base.

        ``face(pen, width, height, side)`` decorates a side.
        """
        c, s = math.cos(yaw), math.sin(yaw)
        if shadow and y == 0.0:
            self.box_shadow(x, z, w, d, h, yaw)
        ux, uz = (c, 0.0, s), (-s, 0.0, c)  # the box's own axes in the world
        sides = [
            ("front", uz, ux, -1, w, d),
            ("back", uz, ux, 1, w, d),
            ("left", ux, uz, -1, d, w),
            ("right", ux, uz, 1, d, w),
        ]
        visible = []
        for name, normal, along, sign, length, depth in sides:
            n = (normal[0] * sign, 0.0, normal[2] * sign)
            cx, cz = x + n[0] * depth / 2, z + n[2] * depth / 2
            to_camera = (self.camera.x - cx) * n[0] + (self.camera.z - cz) * n[2]
            if to_camera > 0:
                # Seen from outside the plane's own x axis runs to the right.
                k = 1 if (name in ("front", "right")) else -1
                a = (along[0] * k, 0.0, along[2] * k)
                origin = (cx - a[0] * length / 2, y, cz - a[2] * length / 2)
                visible.append((self.distance(cx, cz), origin, a, n, length, name))
        roof = y + h < self.camera.y
        for far, origin, a, n, length, name in sorted(visible, key=lambda item: -item[0]):
            facing = self.facing(n) * 0.9 + 0.1
            pen = Pen(
                self.canvas,
                self.matrix(origin, a, (0, 1, 0)),
                lambda col, far=far, facing=facing: self.lit(col, far, facing),
            )
            with pen:
                pen.rect(0, 0, length, h, shade(colour, 0.9), to=colour)
                if face is not None:
                    face(pen, length, h, name)
        if roof:
            origin = (x - ux[0] * w / 2 - uz[0] * d / 2, y + h, z - ux[2] * w / 2 - uz[2] * d / 2)
            with self.plane(origin, ux, uz, facing=self.facing((0, 1, 0))) as pen:
                pen.rect(0, 0, w, d, top or shade(colour, 1.05))

    def shadow(self, x: float, z: float, rx: float, rz: float, *, strength: float = 1.0) -> None:
        """Lay a soft round shadow on the ground."""
        with self.ground() as pen:
            pen.soft(x, z, rx, rz, (0, 0, 0), alpha=min(1.0, self._shadow_alpha * 1.3 * strength))

    @property
    def _shadow_alpha(self) -> float:
        return {"day": 0.45, "sunset": 0.4, "overcast": 0.25, "night": 0.3, "indoor": 0.3}[self.light.name]

    def box_shadow(self, x: float, z: float, w: float, d: float, h: float, yaw: float = 0.0) -> None:
        """Lay the shadow of a box on the ground: its footprint swept away from the sun."""
        sx, sy, sz = self.light.sun
        reach = min(h, 25.0) / max(sy, 0.35)
        dx, dz = -sx * reach, -sz * reach
        c, s = math.cos(yaw), math.sin(yaw)
        corners = [
            (x + c * a * w / 2 - s * b * d / 2, z + s * a * w / 2 + c * b * d / 2)
            for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))
        ]
        outline = _hull(corners + [(px + dx, pz + dz) for px, pz in corners])
        with self.ground() as pen:
            pen.poly(outline, (0, 0, 0), alpha=self._shadow_alpha * 0.8, lit=False)

    def glow(self, x: float, y: float, z: float, radius: float, colour: RGB, *, alpha: float = 0.8) -> None:
        """Add a lamp's halo of ``radius`` metres."""
        far = self.distance(x, z)
        if far < 0.5:
            return
        px, py = self.project(x, y, z)
        k = self.camera.focal * self.height / far
        with self.screen() as pen:
            pen.soft(px, py, radius * k, radius * k, colour, alpha=alpha, add=True)

    # ---- backdrops
    def sky(self, *, drift: float = 0.0, sun: bool = True) -> None:
        """Paint the sky down to the horizon, with clouds in perspective, sun, moon or stars."""
        light = self.light
        low = self.horizon
        with self.screen() as pen:
            self.canvas.drawPaint(skia.Paint(Color=argb(light.sky_low)))
            pen.poly(
                [(0, 0), (self.width, 0), (self.width, low), (0, low)],
                light.sky_top,
                to=light.sky_low,
                along=((0, low - self.height * 0.9), (0, low)),
            )
        if light.night:
            self._stars()
        elif sun and light.name != "overcast":
            self._sun()
        if light.clouds > 0.05:
            # A ceiling of cloud texture 300 m above the camera; the haze below hides its far edge.
            with Pen(
                self.canvas,
                self.matrix((self.camera.x, self.camera.y + 300, self.camera.z), (1, 0, 0), (0, 0, 1)),
                lambda c: c,
            ) as pen:
                pen.texture(
                    -9000,
                    120,
                    18000,
                    9000,
                    "cloud",
                    size=2600,
                    alpha=light.clouds * (0.25 if light.night else 0.9),
                    shift=(drift * 8, drift * 3),
                )
            with self.screen() as pen:
                top = low - self.height * 0.22
                pen.rect(0, top, self.width, low - top + 1, light.sky_low, alpha=0.0)
                paint = skia.Paint(
                    Shader=skia.GradientShader.MakeLinear(
                        [skia.Point(0, top), skia.Point(0, low)],
                        [argb(light.sky_low, 0), argb(light.sky_low, 1)],
                    )
                )
                self.canvas.drawRect(skia.Rect.MakeLTRB(0, top, self.width, low + 1), paint)

    def _sun(self) -> None:
        sx = self.width * (0.5 + 0.3 * math.copysign(1, self.light.sun[0]) * min(1, abs(self.light.sun[0]) + 0.2))
        at_sunset = self.light.name == "sunset"
        sy = self.horizon - self.height * (0.1 if at_sunset else 0.42)
        colour: RGB = (1.0, 0.72, 0.38) if at_sunset else (1.0, 0.97, 0.85)
        with self.screen() as pen:
            pen.soft(sx, sy, self.height * 0.55, self.height * 0.4, colour, alpha=0.55, add=True)
            pen.oval(
                sx,
                sy,
                self.height * 0.045,
                self.height * 0.045,
                (1.0, 0.9, 0.7) if at_sunset else (1.0, 1.0, 0.95),
            )

    def _stars(self) -> None:
        rng = random.Random(7)
        with self.screen() as pen:
            for _ in range(60):
                x, y, r = (
                    rng.uniform(0, 1) * self.width,
                    rng.uniform(0, 0.9) * self.horizon,
                    rng.uniform(0.3, 1.0) * self.height / 700,
                )
                pen.oval(x, y, r, r, (0.9, 0.92, 1.0), alpha=rng.uniform(0.3, 0.9))

    def haze_ground(self, *, reach: float = 0.16, strength: float = 0.85) -> None:
        """Fade the ground into the haze below the horizon."""
        low, end = self.horizon, self.horizon + self.height * reach
        colours = [argb(self.light.haze, strength), argb(self.light.haze, 0)]
        paint = skia.Paint(Shader=skia.GradientShader.MakeLinear([skia.Point(0, low), skia.Point(0, end)], colours))
        self.canvas.drawRect(skia.Rect.MakeLTRB(0, low, self.width, end), paint)


def _hull(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the convex hull (Andrew's monotone chain)."""
    points = sorted(set(points))
    halves = []
    for sequence in (points, points[::-1]):
        half: list[tuple[float, float]] = []
        for p in sequence:
            while len(half) > 1 and (half[-1][0] - half[-2][0]) * (p[1] - half[-2][1]) <= (
                half[-1][1] - half[-2][1]
            ) * (p[0] - half[-2][0]):
                half.pop()
            half.append(p)
        halves.append(half[:-1])
    return halves[0] + halves[1]
