"""Pictures that are not places: black frame, a plain colour, coloured things on a plain ground."""

from __future__ import annotations

import math
import random

from tools.scenes.base import Scene
from tools.scenes.colour import BASIC_COLOURS, basic, mix, shade
from tools.scenes.stage import Camera, Stage


class Black(Scene):
    """A black or almost black frame."""

    name = "black_frame"
    lights = ("indoor",)

    def build(self, rng: random.Random) -> None:
        self.facts = {"scene:black_frame", "main:black"}
        self.level = rng.choice((0.0, 0.0, rng.uniform(0, 0.05)))

    def camera(self, t: float) -> Camera:
        return Camera()

    def draw(self, stage: Stage, t: float) -> None:
        with stage.screen() as pen:
            pen.rect(0, 0, stage.width, stage.height, (self.level, self.level, self.level * 1.1))


class ColourField(Scene):
    """One colour, flat or as soft shapes and folds."""

    name = "colour_field"
    lights = ("indoor",)

    def build(self, rng: random.Random) -> None:
        self.colour_name = rng.choice(tuple(BASIC_COLOURS))
        self.colour = basic(rng, self.colour_name)
        self.facts = {"scene:colour_field", f"main:{self.colour_name}"}
        self.waves = rng.choice((0, 0, 5, 9))

    def camera(self, t: float) -> Camera:
        return Camera()

    def draw(self, stage: Stage, t: float) -> None:
        rng = self.rng()
        w, h = stage.width, stage.height
        with stage.screen() as pen:
            pen.rect(0, 0, w, h, shade(self.colour, 0.88), to=mix(self.colour, (1, 1, 1), 0.04))
            for i in range(self.waves):
                y = h * (i + rng.random()) / self.waves
                points = [(w * k / 20, y + h * 0.06 * math.sin(k * 0.5 + i + t)) for k in range(21)]
                pen.poly([*points, (w, h), (0, h)], shade(self.colour, rng.uniform(0.8, 1.05)), alpha=0.5)


class Thing(Scene):
    """A coloured ball, box, cup or cloth on a table or floor of another colour."""

    name = "thing"
    lights = ("indoor", "day")

    def build(self, rng: random.Random) -> None:
        names = tuple(BASIC_COLOURS)
        self.colour_name, self.ground_name = rng.sample(names, 2)
        self.kind = rng.choice(("ball", "box", "cup", "ball"))
        self.colour, self.base = basic(rng, self.colour_name), basic(rng, self.ground_name)
        self.size = rng.uniform(0.5, 0.95)
        self.x = rng.uniform(-0.4, 0.4)
        self.turn = rng.uniform(-0.7, 0.7)
        self.facts = {f"scene:{self.kind}", f"{self.kind}:{self.colour_name}", f"ground:{self.ground_name}"}

    def camera(self, t: float) -> Camera:
        return Camera(0, 1.6, 0, tilt=-0.28, focal=1.2)

    def draw(self, stage: Stage, t: float) -> None:
        s, x, z = self.size, self.x, 3.0
        with stage.screen() as pen:
            pen.rect(0, 0, stage.width, stage.height, shade(self.base, 0.9), to=mix(self.base, (1, 1, 1), 0.12))
        with stage.ground() as pen:
            pen.rect(-30, 0.5, 60, 40, self.base)
            pen.texture(-6, 0.5, 12, 12, "patch", size=2, alpha=0.1)
        stage.shadow(x + 0.1, z, s * 1.2, s * 0.6, strength=1.4)
        if self.kind == "box":
            stage.box(x, z, s * 1.3, s * 1.3, s * 1.2, self.colour, yaw=self.turn)
            return
        with stage.standing(x, z) as pen:
            if self.kind == "ball":
                pen.oval(
                    0,
                    s * 0.75,
                    s * 0.75,
                    s * 0.75,
                    shade(self.colour, 0.55),
                    to=mix(self.colour, (1, 1, 1), 0.1),
                )
                pen.soft(-s * 0.25, s * 1.0, s * 0.3, s * 0.25, (1, 1, 1), alpha=0.5)
            else:
                pen.ring(s * 0.55, s * 0.6, s * 0.25, s * 0.28, shade(self.colour, 0.8), s * 0.12)
                pen.poly(
                    [(-s * 0.5, s * 1.1), (s * 0.5, s * 1.1), (s * 0.4, 0), (-s * 0.4, 0)],
                    shade(self.colour, 0.6),
                    to=mix(self.colour, (1, 1, 1), 0.08),
                    along=((s * 0.5, 0), (-s * 0.4, 0)),
                )
                pen.oval(0, s * 1.1, s * 0.5, s * 0.12, shade(self.colour, 0.5))
