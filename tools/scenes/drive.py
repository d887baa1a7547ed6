"""A drive along a country road, seen from the driver's seat, by day, at sunset, at night, in rain."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

from tools.scenes.base import Scene
from tools.scenes.colour import BASIC_COLOURS, RGB, basic, mix, shade, vary
from tools.scenes.drive_things import (
    cottage,
    hedge,
    lamp_post,
    light_at,
    lit_by_lamps,
    roadside_tree,
    sky,
    windscreen,
)
from tools.scenes.nature import hills, mountain_range
from tools.scenes.stage import Camera, Stage
from tools.scenes.vehicles import CAR_END, CAR_SIDE, car_end, car_side

HALF = 3.7
"""Half the width of the road in metres."""
SIGHT = 190.0


@dataclass(frozen=True)
class Crossing:
    """A car that crosses the road ahead at ``z``: it is in the middle at ``time``, with ``speed`` to the right."""

    z: float
    time: float
    speed: float
    name: str
    colour: RGB

    def x(self, t: float) -> float:
        """Return where its middle is."""
        return (t - self.time) * self.speed


@dataclass(frozen=True)
class Oncoming:
    """A car that comes the other way and passes at ``time``, where the driver is at ``z`` then."""

    z: float
    time: float
    speed: float
    name: str
    colour: RGB


class Drive(Scene):
    """Fields, hedges, trees, villages with lamps, cars that come and cross; what changes is a function of time."""

    name = "drive"
    lights = ("day",)

    def build(self, rng: random.Random) -> None:
        self.facts = {"scene:road", "place:outdoor", "obj:road"}
        start = rng.uniform(0, 900)
        speed = rng.uniform(8, 15)
        hour = rng.choice(
            (rng.uniform(0, 0.25), rng.uniform(0.42, 0.62), rng.uniform(0.88, 1.0), rng.uniform(0.88, 1.0))
        )
        wet = rng.choice((0.0, 0.0, rng.uniform(0.6, 1.0)))
        self.hour: Callable[[float], float] = lambda t: hour
        self.rain: Callable[[float], float] = lambda t: wet
        self.travel: Callable[[float], float] = lambda t: start + speed * t
        self.landscape(rng)
        moment = rng.uniform(0, 4)
        self.crossings = []
        if rng.random() < 0.45:
            name = rng.choice((*BASIC_COLOURS, "red", "red"))
            place = self.travel(moment) + rng.uniform(9, 15)
            self.crossings = [Crossing(place, moment, rng.choice((-1, 1)) * rng.uniform(2, 9), name, basic(rng, name))]
        self.oncoming = []
        for _ in range(rng.choice((0, 1, 1, 2))):
            name = rng.choice(tuple(BASIC_COLOURS))
            passing = rng.uniform(0.2, 6)
            self.oncoming.append(Oncoming(self.travel(passing), passing, rng.uniform(9, 16), name, basic(rng, name)))

    def landscape(self, rng: random.Random) -> None:
        """Draw what does not depend on the time: fields, hills, where villages are."""
        self.field = vary(rng, rng.choice(((0.36, 0.54, 0.22), (0.66, 0.60, 0.28), (0.30, 0.47, 0.20))), 0.04)
        self.far = rng.random() < 0.5
        self.asphalt = vary(rng, (0.33, 0.33, 0.345), 0.03)
        self.villages = rng.uniform(0, 420)
        self.sun_side = rng.choice((-1, 1))

    def camera(self, t: float) -> Camera:
        z = self.travel(t)
        sway = 0.12 * math.sin(z * 0.021) + 0.05 * math.sin(z * 0.057)
        return Camera(
            1.75 + sway,
            1.32 + 0.012 * math.sin(z * 0.9),
            z,
            yaw=0.008 * math.sin(z * 0.013 + 1),
            tilt=0.02,
            focal=0.92,
        )

    def village(self, z: float) -> bool:
        """Whether there are houses and lamps at a place of the road."""
        return (z + self.villages) % 420 < 150

    def draw(self, stage: Stage, t: float) -> None:
        hour, rain = self.hour(t), self.rain(t)
        dark = min(1.0, max(0.0, (hour - 0.55) / 0.3))
        light = stage.light = light_at(hour, rain, (self.sun_side * 0.5, max(0.15, 0.8 - hour), 0.7))
        self._note_time(stage, hour, rain)
        sky(stage, hour, t, rain)
        z0 = stage.camera.z
        far = random.Random(self.seed)
        if self.far:
            mountain_range(stage, far, 1300, 210, mix((0.42, 0.45, 0.52), light.haze, 0.25), snow=0.25)
        hills(stage, far, 650, 46, mix(self.field, (0.24, 0.38, 0.30), 0.6))
        hills(stage, far, 320, 15, mix(self.field, (0.2, 0.34, 0.2), 0.35))
        self._road(stage, z0, dark, rain)
        self._sides(stage, z0, dark, rain)
        for one in self.oncoming:
            self._oncoming(stage, one, t, dark, rain)
        for crossing in self.crossings:
            self._crossing(stage, crossing, t, dark)
        stage.flush()
        stage.light = light
        windscreen(stage, t, rain, dark, self.seed)

    def _note_time(self, stage: Stage, hour: float, rain: float) -> None:
        if hour < 0.3:
            stage.facts.add("time:day")
        elif hour > 0.8:
            stage.facts.add("time:night")
        elif 0.4 < hour < 0.66:
            stage.facts.update(("time:sunset", "maybe:time:day"))
        if rain > 0.3:
            stage.facts.add("weather:rain")

    def _road(self, stage: Stage, z0: float, dark: float, rain: float) -> None:
        wet = shade(self.asphalt, 1 - 0.45 * rain)
        near = z0 + 1.0
        first = math.floor(near / 9) * 9 + 9
        # Nothing on the ground begins behind the camera: the wide field is filled on the screen.
        with stage.screen() as pen:
            tone = stage.ground().tone
            pen.rect(0, stage.horizon, stage.width, stage.height, tone(self.field))
        with stage.ground() as pen:
            pen.texture(-130, z0 + 2.2, 260, 300, "patch", size=22, alpha=0.25)
            pen.texture(-70, z0 + 1.6, 140, 80, "fine", size=4, alpha=0.22)
            for crossing in self.crossings:
                for half, tone in ((4.4, (0.52, 0.47, 0.36)), (3.4, wet)):
                    a, b = max(crossing.z - half, z0 + 1.6), crossing.z + half
                    if b > a:
                        pen.rect(-120, a, 240, b - a, tone)
            pen.rect(-HALF - 1.3, near, 2 * HALF + 2.6, 900, (0.50, 0.46, 0.35))
            pen.rect(-HALF, near, 2 * HALF, 900, wet)
            white: RGB = (0.92, 0.92, 0.90)
            gaps = [c.z for c in self.crossings]
            pen.rects([(-0.07, z, 0.14, 4) for z in range(first, int(z0 + 260), 9)], white)
            for x in (-HALF + 0.2, HALF - 0.34):
                edges = sorted([near, *[e for g in gaps if g > z0 - 9 for e in (g - 5, g + 5)], z0 + 800])
                pen.rects(
                    [(x, a, 0.14, b - a) for a, b in zip(edges[::2], edges[1::2], strict=False) if b > a],
                    white,
                )
            pen.rects([(0.2, g - 5.4, HALF - 0.5, 0.4) for g in gaps if g - 5.4 > near], white)
            pen.texture(-HALF, near, 2 * HALF, 120, "patch", size=7, alpha=0.16)
            pen.texture(-HALF, near, 2 * HALF, 60, "fine", size=3, alpha=0.2)
            if rain > 0.05:  # the sky mirrored in the wet road
                pen.rect(-HALF, near, 2 * HALF, 300, stage.light.sky_low, alpha=0.22 * rain, lit=False)
            if dark > 0.02:
                x = stage.camera.x
                for k in (-0.6, 0.6):
                    pen.soft(x + k * 1.6, z0 + 14.5, 3.4, 13, (0.95, 0.90, 0.78), alpha=0.48 * dark, add=True)
                pen.soft(x, z0 + 34, 8.0, 31, (0.95, 0.90, 0.76), alpha=0.30 * dark, add=True)
        stage.haze_ground(reach=0.045, strength=0.6)

    def _sides(self, stage: Stage, z0: float, dark: float, rain: float) -> None:
        """Queue what stands along the road, a cell of 8 m after the other, the same at every moment."""
        base, gaps = stage.light, [c.z for c in self.crossings]
        for cell in range(int(z0 // 8) - 1, int((z0 + SIGHT) // 8)):
            rng = random.Random(self.seed * 7919 + cell)
            z = cell * 8 + 4.0
            if any(abs(z - g) < 9 for g in gaps):
                continue
            for side in (-1, 1):
                kind, wide, seed = rng.random(), rng.random(), rng.randrange(1 << 20)
                if self.village(z):
                    if cell % 2 == (0 if side > 0 else 1) and kind < 0.85:
                        self._put(stage, base, dark, side * (14 + 3 * wide), z, cottage, seed, hour_lamps(dark))
                    if cell % 3 == 0:
                        self._put(stage, base, 0.0, side * (HALF + 1.6), z, lamp_post, -side, dark, rain)
                elif kind < 0.34:
                    self._put(stage, base, dark, side * (HALF + 3.2 + 7 * wide), z + 3 * wide, roadside_tree, seed)
                elif kind < 0.62:
                    self._put(stage, base, dark, side * (HALF + 3.4), z, hedge, 8.0, seed)
                elif kind < 0.8:
                    self._put(stage, base, dark, side * (22 + 30 * wide), z, roadside_tree, seed)
                if cell % 4 == 0:
                    self._put(stage, base, dark, side * (HALF + 0.9), z, _post)
        stage.light = base

    def _put(self, stage: Stage, base, dark: float, x: float, z: float, draw, *args) -> None:
        def paint() -> None:
            stage.light = lit_by_lamps(base, stage.distance(x, z), dark)
            draw(stage, x, z, *args)
            stage.light = base

        stage.add(x, z, paint)

    def _oncoming(self, stage: Stage, one: Oncoming, t: float, dark: float, rain: float) -> None:
        x, z = -HALF / 2, one.z + (one.time - t) * one.speed
        if not 1.0 < stage.distance(x, z) < SIGHT:
            return
        base = stage.light

        def paint() -> None:
            stage.shadow(x, z, 1.5, 2.4, strength=1.3)
            if dark > 0.1:
                with stage.ground() as pen:
                    pen.soft(x, z - 6, 2.4, 7, (1.0, 0.95, 0.82), alpha=0.4 * dark, add=True)
                    if rain > 0.1:
                        for k in (-0.7, 0.7):
                            pen.soft(x + k, z - 7, 0.6, 7, (1.0, 0.96, 0.85), alpha=0.4 * rain, add=True)
            stage.light = lit_by_lamps(base, stage.distance(x, z), dark)
            with stage.standing(x, z) as pen:
                car_end(pen, one.colour, front=True, lamps=dark > 0.3)
            stage.light = base
            if dark > 0.3:
                for k in (-0.7, 0.7):
                    stage.glow(x + k, 0.74, z, 1.5, (1.0, 0.96, 0.84), alpha=0.75 * dark)

        stage.add(x, z, paint)
        if stage.distance(x, z) < 40:
            stage.note("obj:car", x, z, 0.8)
        if stage.distance(x, z) < 16 and dark < 0.3:
            stage.note(f"car:{one.name}", x, z, 0.8, area=CAR_END)

    def _crossing(self, stage: Stage, one: Crossing, t: float, dark: float) -> None:
        x, z = one.x(t), one.z
        if abs(x) > 60 or stage.distance(x, z) < 2:
            return
        base = stage.light

        def paint() -> None:
            stage.shadow(x, z, 2.9, 1.2, strength=1.4)
            stage.light = lit_by_lamps(base, stage.distance(x, z) * 0.6, dark)
            with stage.standing(x, z, flip=one.speed < 0) as pen:
                car_side(pen, one.colour, abs(x), lamps=dark > 0.4)
            stage.light = base

        stage.add(x, z, paint)
        if stage.distance(x, z) < 22:
            stage.note("obj:car", x, z, 0.8)
            stage.note(f"car:{one.name}", x, z, 0.8, area=CAR_SIDE)


def hour_lamps(dark: float) -> bool:
    """Whether people have switched their lamps on."""
    return dark > 0.25


def _post(stage: Stage, x: float, z: float) -> None:
    with stage.standing(x, z) as pen:
        pen.rect(-0.06, 0, 0.12, 0.95, (0.9, 0.9, 0.88))
        pen.rect(-0.06, 0.66, 0.12, 0.18, (0.12, 0.12, 0.12))
        pen.rect(-0.035, 0.69, 0.07, 0.12, (0.95, 0.55, 0.15))


DRIVES: dict[type[Scene], float] = {Drive: 2.6}
