"""A drive from day into night and rain, filmed with a variable frame rate as phones do."""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Iterator

import numpy as np
import skia
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from tools.samples.base import CLOCK, Segment, intervals
from tools.scenes.colour import RGB
from tools.scenes.drive import Crossing, Drive, Oncoming
from tools.scenes.render import film, render
from tools.scenes.stage import Stage

SEED = 512
END = 44.0
HOUR = ((0, 0.0), (9.5, 0.20), (11.5, 0.42), (17.5, 0.62), (19.5, 0.84), (22, 0.93), (26, 1.0), (END, 1.0))
RAIN = ((0, 0.0), (27, 0.0), (28.6, 1.0), (39.0, 1.0), (41.0, 0.0), (END, 0.0))
RED: RGB = (0.80, 0.06, 0.07)
CROSSINGS = (7.0, 34.0)
"""When a red car crosses ahead; the driver slows down for it."""
DAY_UNTIL, NIGHT_FROM, WET_FROM = 0.33, 0.74, 0.3


def frame_times() -> list[float]:
    """Return the times of the frames in seconds: about 30 a second by day, 17 at night, with jitter and hitches.

    They lie on the ticks of the video's clock, as they do in the file.
    """
    rng = random.Random(SEED)
    rate = PchipInterpolator([0, 9, 12, 18, 21, END], [30, 30, 25, 23, 17, 17])
    times, t = [], 0.0
    while t < END - 0.02:
        times.append(round(t * CLOCK) / CLOCK)
        step = rng.uniform(0.86, 1.14) / float(rate(t))
        if rng.random() < 0.012:
            step += rng.uniform(0.04, 0.09)
        t += step
    return times


class NightDrive(Drive):
    """The drive with its hours, rain and cars as the ground truth tells them."""

    def build(self, rng: random.Random) -> None:
        """Lay out the way, the weather and who comes along."""
        self.facts = set()
        self.hour = _course(HOUR)
        self.rain = _course(RAIN)
        ticks = np.arange(0, END + 6, 0.01)
        slow = sum(np.exp(-(((ticks - (moment + 0.2)) / 2.1) ** 2)) for moment in CROSSINGS)
        way = np.concatenate(([0.0], np.cumsum(13.5 - 11.0 * slow)[:-1] * 0.01))
        self.travel = lambda t: float(np.interp(t, ticks, way))
        self.landscape(rng)
        self.field = (0.36, 0.53, 0.23)
        self.far, self.sun_side = True, 1
        # A village lies where the driver is from about 20 to 28 s.
        self.villages = 420 - self.travel(18.0) % 420
        self.crossings = [
            Crossing(self.travel(CROSSINGS[0]) + 9.6, CROSSINGS[0], 27.0, "red", RED),
            Crossing(self.travel(CROSSINGS[1]) + 9.2, CROSSINGS[1], -27.0, "red", RED),
        ]
        self.oncoming = [
            Oncoming(self.travel(t), t, speed, name, colour)
            for t, speed, name, colour in (
                (3.6, 15, "blue", (0.12, 0.30, 0.72)),
                (11.5, 14, "white", (0.94, 0.94, 0.93)),
                (15.0, 15, "grey", (0.50, 0.51, 0.53)),
                (22.6, 13, "black", (0.05, 0.05, 0.06)),
                (25.4, 14, "white", (0.94, 0.94, 0.93)),
                (30.6, 14, "blue", (0.12, 0.30, 0.72)),
                (38.2, 15, "grey", (0.50, 0.51, 0.53)),
                (42.2, 15, "white", (0.94, 0.94, 0.93)),
            )
        ]


def _course(points: tuple[tuple[float, float], ...]) -> PchipInterpolator:
    course = PchipInterpolator([p[0] for p in points], [p[1] for p in points])
    return lambda t: float(course(min(t, END)))


class NightDriveVfr:
    """The sample video."""

    name = "night_drive_vfr"
    size = (960, 540)
    fps = 24
    variable = True
    crf = 26
    end_s = END
    notes = (
        "One rendered drive with a variable frame rate: about 30 frames a second by day, 17 at night, with jitter and "
        "a few longer gaps. 'fps' is the nominal rate only; times are real presentation times in seconds, so a frame "
        "number times 1 / fps is wrong here. Labels overlap. A red car crosses twice, for under a second each."
    )

    def pictures(self) -> Iterator[tuple[float, NDArray[np.uint8]]]:
        """Drive."""
        drive, grain = NightDrive(random.Random(SEED)), np.random.default_rng(26)
        for k, t in enumerate(frame_times()):
            image, _ = render(drive, t, *self.size)
            yield t, film(image, grain, grain=1.6, vignette=0.28)
            if k % 120 == 119:
                print(f"{self.name}: {t:.0f} s done", file=sys.stderr, flush=True)

    def segments(self) -> list[Segment]:
        """Return what holds at the frames' times."""
        drive, times = NightDrive(random.Random(SEED)), frame_times()
        hours = [drive.hour(t) for t in times]
        found = {
            "day": [h < DAY_UNTIL for h in hours],
            "sunset": [DAY_UNTIL <= h < NIGHT_FROM for h in hours],
            "night": [h >= NIGHT_FROM for h in hours],
            "rain": [drive.rain(t) >= WET_FROM for t in times],
            "red car": [self._red(drive, t) for t in times],
        }
        segments = [
            Segment(label, a, b)
            for label, on in found.items()
            for a, b in intervals(times, END, on, bridge_s=0.0, least_s=0.0)
        ]
        return sorted(segments, key=lambda s: (s.start_s, s.end_s))

    def _red(self, drive: NightDrive, t: float) -> bool:
        """Whether at least half of a red car is inside the picture."""
        width, height = self.size
        stage = Stage(skia.Surface(2, 2).getCanvas(), width, height, drive.camera(t), drive.light)
        for one in drive.crossings:
            if 2 < stage.distance(one.x(t), one.z) < 60 and math.fabs(one.x(t)) < 60:
                middle = stage.project(one.x(t), 0.8, one.z)[0]
                if 0 <= middle < width:
                    return True
        return False


SAMPLE = NightDriveVfr()
