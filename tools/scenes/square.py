"""A square in a big city with huge lit advertising screens, by day or glowing at night on wet ground."""

from __future__ import annotations

import random
from dataclasses import dataclass

from tools.scenes.base import Scene
from tools.scenes.colour import BASIC_COLOURS, RGB, basic, mix, shade, vary
from tools.scenes.nature import falling
from tools.scenes.pen import Pen, blob
from tools.scenes.people import make_person, place_person
from tools.scenes.stage import Camera, Stage
from tools.scenes.structures import house_face, street_lamp


@dataclass(frozen=True)
class Screen:
    """One advertising screen on the wall at ``z``: place, size, colours and what moves in it."""

    x: float
    y: float
    w: float
    h: float
    ground: RGB
    shape: RGB
    kind: str
    seed: int


class CitySquare(Scene):
    """Dark houses round a square, a wall of bright screens, lit shops, people as silhouettes, reflections."""

    name = "city_square"
    lights = ("night", "night", "night", "day", "overcast")

    def build(self, rng: random.Random) -> None:
        self.wall_z = rng.uniform(20, 38)
        self.focal = rng.uniform(0.9, 1.2)
        self.screens: list[Screen] = []
        x = rng.uniform(-16, -9)
        end = x + rng.uniform(14, 26)
        base = rng.uniform(6, 9)
        while x < end:
            w = rng.uniform(3, 9)
            y = base
            while y < base + rng.uniform(5, 14):
                h = rng.uniform(2.5, 6)
                ground = basic(rng, rng.choice((*BASIC_COLOURS, "white", "black", "red", "orange", "blue")))
                shape = basic(rng, rng.choice(tuple(BASIC_COLOURS)))
                kind = rng.choice(("plain", "disc", "waves", "people", "stripes"))
                self.screens.append(Screen(x, y, w, h, ground, shape, kind, rng.randrange(1 << 20)))
                y += h + 0.1
            x += w + 0.1
        self.houses = []
        for side in (-1, 1):
            for i in range(3):
                wall = vary(rng, rng.choice(((0.62, 0.56, 0.48), (0.5, 0.48, 0.46), (0.66, 0.6, 0.5))), 0.05)
                face = house_face(rng, wall, night=self.light.night, glass=False)
                place = (side * rng.uniform(20, 30), 22 + i * 18, rng.uniform(14, 26))
                self.houses.append((*place, wall, face))
        self.wet = rng.random() < 0.7
        self.people = [
            (make_person(rng), rng.uniform(-9, 9), rng.uniform(7, 24), rng.choice((-1, 1)))
            for _ in range(rng.randint(0, 6))
        ]
        self.bright = rng.uniform(0.75, 1.0)
        self.rain = rng.random() < 0.2
        if self.light.night:
            self.facts.add("scene:night_city")
        if self.rain:
            self.facts.add("maybe:weather:rain")  # thin streaks before bright screens
        self.facts.add("maybe:scene:city_street")

    def camera(self, t: float) -> Camera:
        return Camera(self.pan * (1 + 0.3 * t), 2.2, 0, yaw=-0.02 * self.pan * t, tilt=0.13, focal=self.focal)

    def draw(self, stage: Stage, t: float) -> None:
        rng = self.rng()
        night = stage.light.night
        stage.sky(drift=t)
        with stage.ground() as pen:
            pen.rect(-150, 1, 300, 200, (0.16, 0.16, 0.17) if self.wet else (0.34, 0.33, 0.32))
            for _ in range(12):
                pen.poly(blob(rng, rng.uniform(-20, 20), rng.uniform(5, 28), 3.0, 0.9), (0.08, 0.08, 0.09))
            pen.texture(-150, 1, 300, 120, "patch", size=8, alpha=0.25)
        for x, z, h, wall, face in self.houses:

            def house(x: float = x, z: float = z, h: float = h, wall: RGB = wall, face=face) -> None:
                stage.box(x, z, 16, 17, h, wall, face=face, shadow=False)

            stage.add(x, z, house)
        stage.add(0, self.wall_z + 4, lambda: self._wall(stage, rng, t), nearer=-2)
        for side in (-1, 1):
            street_lamp(stage, side * 10, 20, side=-side)
        stage.flush()
        if night or self.wet:
            self._reflections(stage, 1.0 if night else 0.25)
        for who, x, z, way in self.people:
            place_person(stage, who, x + way * t, z, t, flip=way < 0)
        stage.flush()
        if self.rain:
            falling(stage, rng, t, "rain", 160)
        stage.facts.add("obj:screen")

    def _wall(self, stage: Stage, rng: random.Random, t: float) -> None:
        left, right = min(s.x for s in self.screens) - 1, max(s.x + s.w for s in self.screens) + 1
        top = max(s.y + s.h for s in self.screens) + 1.5
        with stage.plane((0, 0, self.wall_z), (1, 0, 0), (0, 1, 0)) as pen:
            pen.rect(left, 0, right - left, top, (0.2, 0.19, 0.19), to=(0.3, 0.29, 0.28))
            night = stage.light.night
            shops = int((right - left) / 3)
            for i in range(shops):
                glow = rng.choice(((1.0, 0.9, 0.7), (0.9, 0.95, 1.0), (0.25, 0.35, 1.0), (1.0, 0.8, 0.5)))
                pen.rect(left + 0.4 + i * 3, 0.4, 2.3, 2.8, glow if night else shade(glow, 0.5), lit=not night)
                pen.rect(left + 0.4 + i * 3, 3.5, 2.3, 0.5, basic(rng, "white"), lit=not night, alpha=0.85)
            for screen in self.screens:
                self._screen(pen, screen, t)
        if stage.light.night:
            for s in self.screens[::2]:
                stage.glow(s.x + s.w / 2, s.y + s.h / 2, self.wall_z, s.w * 0.9, s.ground, alpha=0.22)

    def _screen(self, pen: Pen, s: Screen, t: float) -> None:
        local = random.Random(s.seed + int(t / 3))
        ground, shape = shade(s.ground, self.bright), shade(s.shape, self.bright)
        pen.rect(s.x, s.y, s.w, s.h, ground, to=mix(ground, (1, 1, 1), 0.18), lit=False)
        cx, cy, r = s.x + s.w / 2, s.y + s.h / 2, min(s.w, s.h) * 0.32
        if s.kind == "disc":
            pen.oval(cx, cy, r, r, (1, 1, 1), lit=False)
            pen.oval(cx, cy, r * 0.6, r * 0.6, shape, lit=False)
        elif s.kind == "waves":
            for k in range(3):
                y = s.y + s.h * (0.25 + 0.25 * k)
                points = [(s.x + s.w * i / 12, y + local.uniform(-0.1, 0.1) * s.h) for i in range(13)]
                pen.line(points, (1, 1, 1), s.h * 0.07, lit=False)
        elif s.kind == "people":
            for k in range(int(s.w / 1.4)):
                x = s.x + 0.7 + k * 1.4
                pen.rect(x - 0.4, s.y, 0.8, s.h * 0.5, basic(local, "blue") if k % 2 else shape, lit=False)
                pen.oval(x, s.y + s.h * 0.62, 0.35, 0.42, (0.85, 0.66, 0.54), lit=False)
        elif s.kind == "stripes":
            boxes = [(s.x + s.w * k / 6, s.y, s.w / 12, s.h) for k in range(6)]
            pen.rects(boxes, shape, lit=False)

    def _reflections(self, stage: Stage, strength: float) -> None:
        """Streaks of the screens' light on the ground before them."""
        with stage.ground() as pen:
            for s in self.screens:
                light = mix(s.ground, s.shape, 0.3)
                reach = self.wall_z - 6
                x, alpha = s.x * 0.8 + s.w * 0.4, 0.55 * strength * (1.0 if self.wet else 0.35)
                pen.soft(x, self.wall_z - reach * 0.55, s.w * 0.5, reach * 0.55, light, alpha=alpha, add=True)
