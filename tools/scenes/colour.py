"""Colours as ``(red, green, blue)`` floats in 0 to 1, and the eleven basic colour names."""

from __future__ import annotations

import random

RGB = tuple[float, float, float]

BASIC_COLOURS: dict[str, tuple[RGB, ...]] = {
    "red": ((0.80, 0.07, 0.08), (0.68, 0.10, 0.12), (0.90, 0.15, 0.12)),
    "orange": ((0.95, 0.48, 0.06), (0.98, 0.56, 0.14), (0.88, 0.42, 0.08)),
    "yellow": ((0.97, 0.82, 0.10), (0.93, 0.76, 0.16), (1.00, 0.90, 0.30)),
    "green": ((0.12, 0.55, 0.20), (0.22, 0.65, 0.28), (0.08, 0.42, 0.22)),
    "blue": ((0.10, 0.28, 0.75), (0.16, 0.42, 0.86), (0.08, 0.18, 0.52)),
    "purple": ((0.45, 0.16, 0.62), (0.55, 0.28, 0.72), (0.36, 0.12, 0.48)),
    "pink": ((0.96, 0.50, 0.68), (0.98, 0.65, 0.78), (0.92, 0.38, 0.60)),
    "brown": ((0.42, 0.25, 0.13), (0.50, 0.32, 0.18), (0.34, 0.19, 0.10)),
    "black": ((0.04, 0.04, 0.05), (0.08, 0.08, 0.09), (0.02, 0.02, 0.02)),
    "white": ((0.96, 0.96, 0.95), (0.91, 0.92, 0.93), (1.0, 1.0, 1.0)),
    "grey": ((0.50, 0.51, 0.52), (0.42, 0.43, 0.45), (0.60, 0.60, 0.61)),
}


def mix(a: RGB, b: RGB, t: float) -> RGB:
    """Blend ``a`` towards ``b``; ``t`` is clamped to 0 to 1."""
    t = min(1.0, max(0.0, t))
    return (a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, a[2] + (b[2] - a[2]) * t)


def shade(colour: RGB, factor: float) -> RGB:
    """Scale the brightness of a colour."""
    return (colour[0] * factor, colour[1] * factor, colour[2] * factor)


def times(a: RGB, b: RGB) -> RGB:
    """Filter a colour through another one, channel by channel."""
    return (a[0] * b[0], a[1] * b[1], a[2] * b[2])


def vary(rng: random.Random, colour: RGB, amount: float = 0.06) -> RGB:
    """Shift a colour a little, brightness more than hue."""
    value = rng.uniform(-amount, amount)
    r, g, b = (min(1.0, max(0.0, c + value + rng.uniform(-amount, amount) / 3)) for c in colour)
    return (r, g, b)


def basic(rng: random.Random, name: str) -> RGB:
    """Draw one shade of a basic colour."""
    return vary(rng, rng.choice(BASIC_COLOURS[name]), 0.025)


def argb(colour: RGB, alpha: float = 1.0) -> int:
    """Pack a colour for Skia, out-of-range channels clipped."""
    r, g, b = (min(255, max(0, round(c * 255))) for c in colour)
    return (min(255, max(0, round(alpha * 255))) << 24) | (r << 16) | (g << 8) | b
