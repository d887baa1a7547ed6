"""One walk through a flat, without a cut: hall, bathroom, stairs, living room, kitchen."""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Iterator

import numpy as np
import skia
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from tools.samples.base import Segment, intervals
from tools.scenes.base import Scene
from tools.scenes.flat_home import Home
from tools.scenes.flat_rooms import seen
from tools.scenes.render import film, render
from tools.scenes.stage import Camera, Stage

SEED = 45
# Seconds, place in metres (x to the right, z away), direction in degrees (0 along z, 90 along x), tilt.
STEPS: tuple[tuple[float, float, float, float, float], ...] = (
    (0.0, 1.75, -0.30, -90, -0.04),
    (2.8, 1.65, 0.55, -90, -0.04),
    (5.0, 1.15, 1.25, -180, -0.05),
    (6.8, 1.15, 1.05, -180, -0.05),
    (8.8, 0.50, 2.03, -270, -0.05),
    (10.2, 0.56, 2.05, -270, -0.05),
    (12.6, 3.10, 2.05, -278, -0.06),
    (14.4, 3.70, 2.00, -345, -0.04),
    (16.6, 3.75, 2.15, -362, -0.04),
    (19.0, 2.90, 2.06, -448, -0.05),
    (20.4, 1.40, 2.10, -450, -0.05),
    (22.4, 1.15, 3.10, -361, -0.02),
    (25.2, 1.10, 4.55, -359, 0.03),
    (27.2, 0.90, 4.25, -448, -0.05),
    (28.6, -0.50, 4.25, -452, -0.07),
    (31.2, -2.30, 2.60, -505, -0.12),
    (33.4, -3.20, 1.75, -511, -0.14),
    (35.0, -3.60, 1.70, -487, -0.12),
    (36.8, -3.90, 1.68, -451, -0.07),
    (38.8, -4.55, 1.66, -449, -0.08),
    (40.8, -4.25, 2.05, -383, -0.13),
    (43.0, -3.90, 2.20, -379, -0.12),
    (45.0, -3.05, 3.40, -361, -0.05),
    (46.4, -3.05, 5.10, -360, -0.05),
    (48.0, -3.05, 7.00, -362, -0.07),
    (50.0, -3.60, 7.70, -366, -0.09),
    (52.0, -4.10, 7.85, -360, -0.09),
)
OPENS = {"bath": (9.4, 11.0), "kitchen": (44.0, 45.8)}
"""When each door begins to open and when it stands open."""


class Walk(Scene):
    """The flat seen by somebody who walks through it."""

    name = "room_walk"
    lights = ("indoor",)
    indoor = True

    def build(self, rng: random.Random) -> None:
        """Furnish the flat and lay the path."""
        self.home = Home(rng)
        table = np.array(STEPS)
        self.path = PchipInterpolator(table[:, 0], table[:, 1:])
        self.speed = self.path.derivative()
        self.shares: dict[str, float] = {}

    def camera(self, t: float) -> Camera:
        """Return where the walker is; the head moves a little with every step."""
        x, z, degrees, tilt = self.path(t)
        pace = min(1.0, 0.25 + math.hypot(*self.speed(t)[:2]))
        step = 2 * math.pi * 1.75 * t
        return Camera(
            x + 0.006 * pace * math.sin(step / 2), 1.54 + 0.014 * pace * math.sin(step), z,
            yaw=math.radians(degrees) + 0.004 * math.sin(t * 1.9), tilt=tilt + 0.003 * math.sin(t * 2.7), focal=0.80,
        )  # fmt: skip

    def draw(self, stage: Stage, t: float) -> None:
        """Open the doors that are due, then paint and measure."""
        for name, (start, end) in OPENS.items():
            u = min(1.0, max(0.0, (t - start) / (end - start)))
            self.home.doors[name] = u * u * (3 - 2 * u)
        self.shares = self.home.draw(stage, t)


class RoomWalk:
    """The sample video; its ground truth is measured from the same path."""

    name = "room_walk"
    size = (960, 540)
    fps = 24
    variable = False
    crf = 25
    end_s = 52.0
    notes = (
        "One rendered walk without a cut. Labels overlap where several things are in view: a thing counts from 4 % "
        "of the picture's middle square on (its bounding outline), a tile wall from 8 %, a plain wall from 40 % "
        "(what stands before it not counted). Gaps up to 0.3 s are bridged, views under 0.4 s left out."
    )

    def pictures(self) -> Iterator[tuple[float, NDArray[np.uint8]]]:
        """Walk."""
        walk, grain = Walk(random.Random(SEED)), np.random.default_rng(25)
        for k in range(round(self.end_s * self.fps)):
            image, _ = render(walk, k / self.fps, *self.size)
            yield k / self.fps, film(image, grain, grain=1.5, vignette=0.25)
            if k % 120 == 119:
                print(f"{self.name}: {(k + 1) / self.fps:.0f} s done", file=sys.stderr, flush=True)

    def segments(self) -> list[Segment]:
        """Walk once more with a canvas of a few pixels and note what is in view."""
        walk = Walk(random.Random(SEED))
        times = [k / self.fps for k in range(round(self.end_s * self.fps))]
        canvas = skia.Surface(16, 9).getCanvas()
        labels = []
        for t in times:
            # The measure does not depend on the number of pixels: a stage of full size draws into a tiny surface.
            walk.draw(Stage(canvas, *self.size, walk.camera(t), walk.light), t)
            labels.append(set(seen(walk.shares)))
        found = [
            Segment(label, a, b)
            for label in sorted(set().union(*labels))
            for a, b in intervals(times, self.end_s, [label in now for now in labels], bridge_s=0.3, least_s=0.4)
        ]
        return sorted(found, key=lambda s: (s.start_s, s.end_s, s.label))


SAMPLE = RoomWalk()
