"""Our own letters: rounded strokes of one width, so that no picture depends on the fonts of a machine."""

from __future__ import annotations

import functools
import math

from tools.scenes.colour import RGB
from tools.scenes.pen import Pen, Point

Stroke = tuple[Point, ...]


def _arc(cx: float, cy: float, rx: float, ry: float, start: float, end: float) -> list[Point]:
    """Points of an arc in degrees, counter-clockwise from the right, y up."""
    steps = max(4, round(abs(end - start) / 15))
    angles = (math.radians(start + (end - start) * k / steps) for k in range(steps + 1))
    return [(cx + rx * math.cos(a), cy + ry * math.sin(a)) for a in angles]


def _bowl(x: float, right: float, low: float, high: float) -> list[Point]:
    """A half-round from the stem at ``x`` and back to it."""
    r = (high - low) / 2
    return [(x, high), *_arc(right - r, low + r, r, r, 90, -90), (x, low)]


@functools.cache
def _glyphs() -> dict[str, tuple[float, tuple[Stroke, ...]]]:
    """Width and strokes of each sign in a box one unit high."""
    ring = _arc(0.4, 0.5, 0.4, 0.5, 0, 360)
    table: dict[str, tuple[float, list[list[Point]]]] = {
        "A": (0.76, [[(0, 0), (0.38, 1), (0.76, 0)], [(0.14, 0.36), (0.62, 0.36)]]),
        "B": (0.62, [[(0, 0), (0, 1)], _bowl(0, 0.56, 0.52, 1), _bowl(0, 0.62, 0, 0.52)]),
        "C": (0.76, [_arc(0.42, 0.5, 0.42, 0.5, 48, 312)]),
        "D": (0.72, [[(0, 0), (0, 1)], [(0, 1), (0.24, 1), *_arc(0.24, 0.5, 0.48, 0.5, 90, -90), (0, 0)]]),
        "E": (0.54, [[(0.54, 1), (0, 1), (0, 0), (0.54, 0)], [(0, 0.52), (0.46, 0.52)]]),
        "F": (0.52, [[(0.52, 1), (0, 1), (0, 0)], [(0, 0.52), (0.44, 0.52)]]),
        "G": (0.8, [[*_arc(0.42, 0.5, 0.42, 0.5, 48, 345), (0.82, 0.48), (0.5, 0.48)]]),
        "H": (0.66, [[(0, 0), (0, 1)], [(0.66, 0), (0.66, 1)], [(0, 0.52), (0.66, 0.52)]]),
        "I": (0.06, [[(0.03, 0), (0.03, 1)]]),
        "J": (0.46, [[(0.46, 1), (0.46, 0.26), *_arc(0.22, 0.26, 0.24, 0.26, 0, -160)]]),
        "K": (0.62, [[(0, 0), (0, 1)], [(0.58, 1), (0, 0.42)], [(0.2, 0.62), (0.62, 0)]]),
        "L": (0.5, [[(0, 1), (0, 0), (0.5, 0)]]),
        "M": (0.84, [[(0, 0), (0.06, 1), (0.42, 0.3), (0.78, 1), (0.84, 0)]]),
        "N": (0.68, [[(0, 0), (0, 1), (0.68, 0), (0.68, 1)]]),
        "O": (0.84, [_arc(0.42, 0.5, 0.42, 0.5, 90, 450)]),
        "P": (0.58, [[(0, 0), (0, 1)], _bowl(0, 0.58, 0.44, 1)]),
        "Q": (0.84, [_arc(0.42, 0.5, 0.42, 0.5, 90, 450), [(0.54, 0.26), (0.84, -0.06)]]),
        "R": (0.6, [[(0, 0), (0, 1)], _bowl(0, 0.58, 0.46, 1), [(0.3, 0.46), (0.6, 0)]]),
        "S": (
            0.58,
            [[*_arc(0.29, 0.74, 0.27, 0.26, 30, 270), *_arc(0.29, 0.24, 0.29, 0.24, 90, -150)]],
        ),
        "T": (0.64, [[(0, 1), (0.64, 1)], [(0.32, 1), (0.32, 0)]]),
        "U": (0.66, [[(0, 1), (0, 0.33), *_arc(0.33, 0.33, 0.33, 0.33, 180, 360), (0.66, 1)]]),
        "V": (0.7, [[(0, 1), (0.35, 0), (0.7, 1)]]),
        "W": (1.02, [[(0, 1), (0.24, 0), (0.51, 0.82), (0.78, 0), (1.02, 1)]]),
        "X": (0.64, [[(0, 0), (0.64, 1)], [(0, 1), (0.64, 0)]]),
        "Y": (0.66, [[(0, 1), (0.33, 0.46), (0.66, 1)], [(0.33, 0.46), (0.33, 0)]]),
        "Z": (0.6, [[(0, 1), (0.6, 1), (0, 0), (0.6, 0)]]),
        "0": (0.66, [_arc(0.33, 0.5, 0.33, 0.5, 90, 450)]),
        "1": (0.26, [[(0, 0.78), (0.22, 1), (0.22, 0)]]),
        "2": (0.58, [[*_arc(0.28, 0.72, 0.28, 0.28, 165, -30), (0, 0), (0.6, 0)]]),
        "3": (
            0.58,
            [[*_arc(0.28, 0.75, 0.25, 0.25, 150, -90), *_arc(0.28, 0.25, 0.3, 0.25, 90, -150)]],
        ),
        "4": (0.62, [[(0.46, 0), (0.46, 1), (0, 0.28), (0.62, 0.28)]]),
        "5": (0.58, [[(0.52, 1), (0.1, 1), (0.05, 0.56), *_arc(0.26, 0.31, 0.32, 0.31, 110, -145)]]),
        "6": (0.6, [[(0.42, 1), *_arc(0.3, 0.3, 0.3, 0.3, 160, 520)]]),
        "7": (0.56, [[(0, 1), (0.56, 1), (0.18, 0)]]),
        "8": (0.6, [_arc(0.3, 0.76, 0.24, 0.24, -90, 270), _arc(0.3, 0.26, 0.3, 0.26, 90, 450)]),
        "9": (0.6, [[*_arc(0.3, 0.7, 0.3, 0.3, -20, 340), (0.18, 0)]]),
        ".": (0.06, [[(0.03, 0), (0.03, 0.01)]]),
        ",": (0.08, [[(0.06, 0.03), (0.02, -0.12)]]),
        "-": (0.36, [[(0, 0.45), (0.36, 0.45)]]),
        "'": (0.06, [[(0.03, 1), (0.03, 0.82)]]),
        "&": (0.8, [[(0.8, 0), (0.2, 0.72), *_arc(0.34, 0.82, 0.17, 0.18, 210, -40), (0.1, 0.4),
                     *_arc(0.3, 0.24, 0.28, 0.24, 140, 300), (0.74, 0.46)]]),
        "!": (0.06, [[(0.03, 1), (0.03, 0.3)], [(0.03, 0), (0.03, 0.01)]]),
        "+": (0.5, [[(0, 0.45), (0.5, 0.45)], [(0.25, 0.2), (0.25, 0.7)]]),
        "*": (0.8, [ring]),
        " ": (0.3, []),
    }  # fmt: skip
    return {sign: (w, tuple(tuple(s) for s in strokes)) for sign, (w, strokes) in table.items()}


def width_of(text: str, height: float, *, space: float = 0.2) -> float:
    """Return how wide a line of text is; signs without a glyph count as a space."""
    table = _glyphs()
    widths = [table.get(sign, table[" "])[0] for sign in text.upper()]
    return height * (sum(widths) + space * max(0, len(widths) - 1))


def write(
    pen: Pen,
    text: str,
    x: float,
    y: float,
    height: float,
    colour: RGB,
    *,
    weight: float = 0.13,
    space: float = 0.2,
    align: float = 0.0,
    alpha: float = 1.0,
    down: bool = False,
    lit: bool = False,
) -> None:
    """Write a line with its base line at ``y``.

    ``weight`` and ``space`` are shares of the height; ``align`` is 0 for a line that begins at ``x``, 0.5 for
    one around it, 1 for one that ends there; ``down`` is for pens whose y grows downwards.
    """
    table = _glyphs()
    left = x - align * width_of(text, height, space=space)
    up = -height if down else height
    for sign in text.upper():
        width, strokes = table.get(sign, table[" "])
        for stroke in strokes:
            points = [(left + px * height, y + py * up) for px, py in stroke]
            pen.line(points, colour, height * weight, alpha=alpha, lit=lit)
        left += (width + space) * height
