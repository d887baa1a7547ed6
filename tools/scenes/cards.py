"""Title cards and closing credits: words on a ground, with ornaments that move in."""

from __future__ import annotations

import math
import random

from tools.scenes.base import Scene
from tools.scenes.colour import BASIC_COLOURS, RGB, basic, mix, shade
from tools.scenes.lettering import width_of, write
from tools.scenes.pen import Pen
from tools.scenes.stage import Camera, Stage

FIRST = (
    "NORDLICHT", "CASA VERDE", "ALTA", "BLUE HOUR", "HARVEST", "OPEN AIR", "MERIDIAN", "LUMEN", "KINDRED", "ATLAS",
    "SUNDAY", "FABLE", "HOLM & SONS", "ORBIT", "TERRA", "MOSAIC", "PINE & CO", "VELA", "RIVER HOUSE", "CIVIC",
)  # fmt: skip
SECOND = (
    "MADE FOR EVERY DAY", "SINCE 1952", "COME AND SEE", "NEW THIS SEASON", "SMALL THINGS MATTER", "A BETTER MORNING",
    "FEEL AT HOME", "TAKE YOUR TIME", "NOW WITH MORE", "PRESENTS", "CHAPTER TWO", "THE LONG WAY HOME", "PART 3",
)  # fmt: skip
ROLES = (
    "DIRECTED BY", "CAMERA", "EDITED BY", "MUSIC", "SOUND", "COSTUMES", "LIGHT", "PRODUCED BY", "WRITTEN BY", "CAST",
    "DRAWN BY", "COLOUR", "ASSISTANTS", "THANKS TO",
)  # fmt: skip
NAMES = (
    "A. LINDQVIST", "M. OKAFOR", "J. MARTIN", "S. TANAKA", "E. ROSSI", "L. NOVAK", "P. SILVA", "R. HUGHES", "C. WEBER",
    "N. HADDAD", "I. PETROV", "D. MORENO", "K. JANSEN", "O. BERG", "T. FISCHER", "H. KIM",
)  # fmt: skip


def eased(t: float, start: float, length: float) -> float:
    """Return how far a movement is, 0 to 1, quick at first and soft at its end."""
    u = min(1.0, max(0.0, (t - start) / length))
    return 1 - (1 - u) ** 3


class TitleCard(Scene):
    """One or two lines of large letters on a plain, split or patterned ground."""

    name = "title_card"
    lights = ("indoor",)

    def build(self, rng: random.Random) -> None:
        self.facts = {"scene:title_card"}
        self.title, self.below = rng.choice(FIRST), rng.choice(SECOND)
        self.ground = basic(rng, rng.choice((*BASIC_COLOURS, "black", "white", "blue")))
        light = sum(self.ground) / 3 > 0.5
        self.ink: RGB = (0.08, 0.08, 0.1) if light else (0.97, 0.96, 0.93)
        if rng.random() < 0.25 and not light:
            self.ink = basic(rng, rng.choice(("yellow", "orange", "pink")))
        self.accent = basic(rng, rng.choice(("yellow", "orange", "red", "white", "blue", "pink", "green")))
        self.style = rng.choice(("plain", "rule", "ring", "band", "dots", "frame", "corner"))
        self.size = rng.uniform(0.7, 1.0)
        self.weight = rng.uniform(0.09, 0.19)

    def camera(self, t: float) -> Camera:
        return Camera()

    def draw(self, stage: Stage, t: float) -> None:
        w, h = stage.width, stage.height
        with stage.screen() as pen:
            pen.rect(0, 0, w, h, mix(self.ground, (1, 1, 1), 0.06), to=shade(self.ground, 0.82))
            pen.soft(w * 0.5, h * 0.46, h * 0.95, h * 0.75, mix(self.ground, (1, 1, 1), 0.35), alpha=0.3)
            self._ornament(pen, w, h, t)
            # Letters fill at most the middle square, which is all that a model sees.
            wide = h * (0.7 if self.style == "ring" else 0.8) * self.size
            high = min(h * 0.16, h * 0.16 * wide / width_of(self.title, h * 0.16))
            come = eased(t, 0.0, 0.5)
            grow = high * (1 + 0.012 * t)
            y = h * 0.5 + high * 0.2
            write(
                pen, self.title, w / 2, y + (1 - come) * h * 0.04, grow, self.ink,
                weight=self.weight, align=0.5, alpha=come, down=True,
            )  # fmt: skip
            small = min(h * 0.045, h * 0.045 * wide / width_of(self.below, h * 0.045, space=0.34))
            write(
                pen, self.below, w / 2, y + h * 0.12, small, self.ink,
                weight=0.11, space=0.34, align=0.5, alpha=eased(t, 0.3, 0.5) * 0.9, down=True,
            )  # fmt: skip

    def _ornament(self, pen: Pen, w: float, h: float, t: float) -> None:
        come, accent = eased(t, 0.1, 0.7), self.accent
        cx, cy = w / 2, h / 2
        if self.style == "rule":
            pen.rect(cx - h * 0.28 * come, cy + h * 0.065, h * 0.56 * come, h * 0.008, accent)
        elif self.style == "ring":
            pen.ring(cx, cy, h * 0.4 * (0.8 + 0.2 * come), h * 0.4 * (0.8 + 0.2 * come), accent, h * 0.012)
        elif self.style == "band":
            pen.rect(0, cy - h * 0.17, w * come, h * 0.34, mix(self.ground, accent, 0.35))
        elif self.style == "dots":
            for i in range(60):
                a, r = i * 2.39996, h * 0.075 * math.sqrt(i + 18)
                pen.oval(
                    cx + math.cos(a + t * 0.1) * r, cy + math.sin(a + t * 0.1) * r, h * 0.008, h * 0.008, accent,
                    alpha=0.75 * come,
                )  # fmt: skip
        elif self.style == "frame":
            m = h * 0.07
            corners = [(cx - cy + m, m), (cx + cy - m, m), (cx + cy - m, h - m), (cx - cy + m, h - m)]
            pen.line(corners, accent, h * 0.009, closed=True, alpha=come)
        elif self.style == "corner":
            pen.poly([(0, 0), (w * 0.4 * come, 0), (0, h * 0.75 * come)], accent)
            pen.poly([(w, h), (w - w * 0.3 * come, h), (w, h - h * 0.55 * come)], mix(accent, self.ground, 0.4))


class Credits(Scene):
    """Closing credits: pairs of role and name that roll up on a dark ground."""

    name = "credits"
    lights = ("indoor",)

    def build(self, rng: random.Random) -> None:
        self.facts = {"scene:credits"}
        dark = rng.random() < 0.85
        self.ground: RGB = (
            rng.choice(((0.02, 0.02, 0.025), (0.03, 0.04, 0.07), (0.06, 0.05, 0.05)))
            if dark
            else rng.choice(((0.93, 0.92, 0.9), (0.1, 0.16, 0.3), (0.3, 0.08, 0.1)))
        )
        self.ink: RGB = (0.95, 0.94, 0.9) if sum(self.ground) < 1.2 else (0.1, 0.1, 0.1)
        self.dim = mix(self.ink, self.ground, 0.35)
        roles, names = list(ROLES), list(NAMES)
        rng.shuffle(roles)
        rng.shuffle(names)
        self.lines = list(zip(roles, names, strict=False))
        self.stacked = rng.random() < 0.4
        self.step = rng.uniform(0.1, 0.14)
        self.size = rng.uniform(0.032, 0.044)
        self.start = rng.uniform(0.1, 0.75)
        self.speed = rng.uniform(0.1, 0.14)
        self.end = rng.choice(("THE END", "THANK YOU", "FIN"))

    def camera(self, t: float) -> Camera:
        return Camera()

    def draw(self, stage: Stage, t: float) -> None:
        w, h = stage.width, stage.height
        with stage.screen() as pen:
            pen.rect(0, 0, w, h, self.ground)
            size, gap = h * self.size, h * 0.025
            for i, (role, name) in enumerate([*self.lines, ("", "")]):
                y = h * (self.start + i * self.step * (1.4 if self.stacked else 1.0) - self.speed * t)
                if not -0.1 * h < y < 1.1 * h:
                    continue
                if not name:
                    write(pen, self.end, w / 2, y + h * 0.1, h * 0.09, self.ink, align=0.5, down=True, space=0.3)
                elif self.stacked:
                    write(pen, role, w / 2, y, size * 0.75, self.dim, align=0.5, down=True, space=0.3)
                    write(pen, name, w / 2, y + size * 1.6, size, self.ink, align=0.5, down=True)
                else:
                    write(pen, role, w / 2 - gap, y, size * 0.85, self.dim, align=1.0, down=True)
                    write(pen, name, w / 2 + gap, y, size, self.ink, down=True)
