"""Walls and floors: paint, stripes, tiles, boards, and the shade in corners."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field

import skia

from tools.scenes.colour import RGB, argb, mix, shade, vary
from tools.scenes.pen import Pen
from tools.scenes.stage import Stage


def fade(
    stage: Stage,
    x: float,
    y: float,
    w: float,
    h: float,
    way: str,
    alpha: float,
    colour: RGB = (0.0, 0.0, 0.0),
) -> None:
    """Lay a shade that fades out over a rectangle of the plane being drawn on; ``way`` is where it ends."""
    ends = {
        "up": ((x, y), (x, y + h)),
        "down": ((x, y + h), (x, y)),
        "right": ((x, y), (x + w, y)),
        "left": ((x + w, y), (x, y)),
    }[way]
    shader = skia.GradientShader.MakeLinear(
        [skia.Point(*p) for p in ends], [argb(colour, alpha), argb(colour, alpha * 0.3), argb(colour, 0)]
    )
    stage.canvas.drawRect(skia.Rect.MakeXYWH(x, y, w, h), skia.Paint(Shader=shader))


@dataclass
class Surface:
    """Paint, tiles or boards of a wall or floor; the parts are laid out once, from a seed."""

    colour: RGB
    kind: str = "paint"
    size: float = 0.2
    seed: int = 1
    parts: dict[RGB, list[tuple[float, float, float, float]]] = field(default_factory=dict)

    def lay(self, w: float, h: float) -> None:
        """Lay tiles or boards over ``w`` by ``h`` metres."""
        rng = random.Random(self.seed)
        tones = [shade(self.colour, k) for k in (0.93, 0.97, 1.0, 1.04)]
        self.parts = {tone: [] for tone in tones}
        if self.kind == "tiles":
            gap = 0.012 if self.size < 0.3 else 0.009
            for i in range(math.ceil(w / self.size)):
                for j in range(math.ceil(h / self.size)):
                    box = (i * self.size, j * self.size, self.size - gap, self.size - gap)
                    self.parts[rng.choice(tones)].append(box)
        elif self.kind == "boards":
            for i in range(math.ceil(w / self.size)):
                y = -rng.uniform(0, 1.2)
                while y < h:
                    length = rng.uniform(0.9, 1.9)
                    self.parts[rng.choice(tones)].append((i * self.size, y, self.size - 0.006, length - 0.006))
                    y += length
        elif self.kind == "stripes":
            self.parts[tones[0]] = [(k * self.size * 2, 0, self.size, h) for k in range(int(w / self.size / 2) + 1)]

    def paint(self, pen: Pen, w: float, h: float) -> None:
        """Fill the rectangle from the origin."""
        joint = shade(self.colour, {"tiles": 0.72, "boards": 0.6}.get(self.kind, 1.0))
        if self.kind == "tiles" and sum(self.colour) < 1.3:
            joint = mix(self.colour, (1, 1, 1), 0.35)
        pen.rect(0, 0, w, h, joint)
        for tone, boxes in self.parts.items():
            if boxes:
                pen.rects(boxes, tone)
        if self.kind in ("paint", "stripes"):
            pen.texture(0, 0, w, h, "patch", size=2.8, alpha=0.022)
            pen.texture(0, 0, w, h, "fine", size=0.9, alpha=0.035)
        elif self.kind == "boards":
            pen.texture(0, 0, w, h, "patch", size=1.1, alpha=0.14, stretch=4.0)
        else:
            pen.texture(0, 0, w, h, "patch", size=1.6, alpha=0.05)


def surface(rng: random.Random, colour: RGB, kind: str = "paint", size: float = 0.2) -> Surface:
    """Return a surface with a shade and a layout of its own."""
    return Surface(vary(rng, colour, 0.03), kind, size, rng.randrange(1 << 20))
