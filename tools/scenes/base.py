"""What a scene is: parameters drawn once from a seed, and a picture for every moment."""

from __future__ import annotations

import random
from typing import ClassVar

from tools.scenes.light import make_light
from tools.scenes.stage import Camera, Stage


class Scene:
    """One scene with its parameters; ``draw`` paints it at a moment, in seconds from its start.

    ``facts`` are what is true of the scene whatever the camera sees; a stage adds what it sees.
    """

    name: ClassVar[str]
    lights: ClassVar[tuple[str, ...]] = ("day", "day", "day", "overcast", "sunset", "night")
    indoor: ClassVar[bool] = False
    sway: ClassVar[float] = 0.02
    """How fast the camera pans, at most, in radians a second."""

    def __init__(self, rng: random.Random, *, light: str | None = None) -> None:
        self.seed = rng.randrange(1 << 30)
        self.light = make_light(light or rng.choice(self.lights), rng)
        self.facts: set[str] = {f"scene:{self.name}", "place:indoor" if self.indoor else "place:outdoor"}
        if not self.indoor:
            self.facts.add("time:night" if self.light.night else "time:day")
            if self.light.name == "sunset":
                self.facts.add("time:sunset")
        self.pan = rng.uniform(-1, 1)
        self.build(rng)

    def rng(self, salt: int = 0) -> random.Random:
        """A generator that gives the same numbers for every picture of this scene."""
        return random.Random(self.seed * 31 + salt)

    def build(self, rng: random.Random) -> None:
        """Draw the scene's parameters."""

    def camera(self, t: float) -> Camera:
        """Where the camera is at a moment; it only pans a little here, as suits what is drawn on a sheet."""
        return Camera(yaw=self.pan * self.sway * t)

    def draw(self, stage: Stage, t: float) -> None:
        """Paint the scene."""
        raise NotImplementedError
