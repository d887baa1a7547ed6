"""Light: sky colours, sun, ambient light and haze, by day, under cloud, at sunset, at night, indoors."""

from __future__ import annotations

import random
from dataclasses import dataclass

from tools.scenes.colour import RGB

Vector = tuple[float, float, float]


@dataclass(frozen=True)
class Light:
    """Sky colours, the colour of direct and of ambient light, and the haze that distance adds.

    ``sun`` points towards the sun (any length); ``haze_m`` is where two thirds are lost in haze.
    """

    name: str
    sky_top: RGB
    sky_low: RGB
    direct: RGB
    ambient: RGB
    haze: RGB
    haze_m: float = 600.0
    sun: Vector = (-0.5, 0.7, -0.5)
    clouds: float = 0.5

    @property
    def night(self) -> bool:
        """Whether lamps are lit."""
        return self.name == "night"


def make_light(name: str, rng: random.Random) -> Light:
    """Draw a light: ``day``, ``overcast``, ``sunset``, ``night`` or ``indoor``."""
    side = rng.choice((-1, 1)) * rng.uniform(0.35, 0.9)
    sun = (side, rng.uniform(0.5, 0.9), rng.uniform(-0.7, -0.2))
    j = rng.uniform(-0.04, 0.04)
    if name == "day":
        return Light(
            name,
            (0.20 + j, 0.44 + j, 0.78),
            (0.72 + j, 0.85, 0.95),
            (0.72, 0.68, 0.60),
            (0.42, 0.46, 0.52),
            (0.75, 0.84, 0.92),
            rng.uniform(350, 900),
            sun,
            rng.uniform(0.2, 0.9),
        )
    if name == "overcast":
        return Light(
            name,
            (0.60 + j, 0.64 + j, 0.69 + j),
            (0.84, 0.86, 0.88),
            (0.20, 0.20, 0.20),
            (0.68, 0.70, 0.73),
            (0.80, 0.82, 0.84),
            rng.uniform(200, 500),
            sun,
            rng.uniform(0.7, 1.0),
        )
    if name == "sunset":
        return Light(
            name,
            (0.24 + j, 0.26, 0.48),
            (0.98, 0.62 + j, 0.34),
            (0.85, 0.50, 0.28),
            (0.36, 0.30, 0.36),
            (0.92, 0.62, 0.45),
            rng.uniform(250, 600),
            (side, 0.2, 0.8),
            rng.uniform(0.4, 1.0),
        )
    if name == "night":
        return Light(
            name,
            (0.015, 0.02, 0.06 + j / 4),
            (0.07, 0.08, 0.16),
            (0.05, 0.06, 0.10),
            (0.13, 0.14, 0.20),
            (0.05, 0.06, 0.11),
            rng.uniform(250, 600),
            sun,
            rng.uniform(0.0, 0.3),
        )
    if name == "indoor":
        warm = rng.uniform(0.0, 0.08)
        return Light(
            name,
            (0.9, 0.9, 0.9),
            (0.95, 0.95, 0.95),
            (0.42, 0.40, 0.36 - warm / 2),
            (0.60 + warm, 0.58, 0.55 - warm),
            (0.7, 0.7, 0.7),
            400.0,
            (side, 0.6, -0.6),
            0.0,
        )
    raise ValueError(f"unknown light {name!r}")
