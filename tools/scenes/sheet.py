"""Flat pictures: a pen in picture heights instead of metres, for close things and screens."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import skia

from tools.scenes.colour import RGB, times
from tools.scenes.pen import Pen
from tools.scenes.stage import Stage


def sheet(
    stage: Stage,
    x: float = 0.0,
    y: float = 0.0,
    size: float = 1.0,
    *,
    flip: bool = False,
    tint: RGB = (1.0, 1.0, 1.0),
) -> Pen:
    """Return a pen whose unit is ``size`` picture heights, y up, its origin at ``(x, y)``.

    At size 1 the picture's centre square is x from -0.5 to 0.5 and y from 0 to 1. The camera zooms and
    shifts it a little. ``tint`` filters every colour.
    """
    camera, h = stage.camera, stage.height
    zoom = camera.focal
    left = stage.width / 2 - camera.yaw * h + x * zoom * h
    base = h * (0.5 + camera.tilt) + (0.5 - y) * zoom * h
    k = zoom * h * size
    matrix = skia.Matrix(np.array([[-k if flip else k, 0, left], [0, -k, base], [0, 0, 1]], np.float32))
    tone: Callable[[RGB], RGB] = lambda c: times(c, tint)  # noqa: E731 - a pen wants a function
    return Pen(stage.canvas, matrix, tone)
