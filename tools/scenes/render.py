"""From a scene to pixels: draw, then what a camera adds (vignette, grain)."""

from __future__ import annotations

import numpy as np
import skia
from numpy.typing import NDArray

from tools.scenes.base import Scene
from tools.scenes.stage import Stage


def render(scene: Scene, t: float, width: int, height: int) -> tuple[NDArray[np.uint8], set[str]]:
    """Draw one picture of a scene; returns RGB uint8 ``(height, width, 3)`` and the facts that hold in it."""
    pixels = np.zeros((height, width, 4), np.uint8)
    surface = skia.Surface.MakeRasterDirect(
        skia.ImageInfo.Make(width, height, skia.kRGBA_8888_ColorType, skia.kPremul_AlphaType), pixels
    )
    stage = Stage(surface.getCanvas(), width, height, scene.camera(t), scene.light)
    scene.draw(stage, t)
    surface.flushAndSubmit()
    return pixels[..., :3].copy(), scene.facts | stage.facts


def film(
    image: NDArray[np.uint8], rng: np.random.Generator, *, grain: float = 3.0, vignette: float = 0.22
) -> NDArray[np.uint8]:
    """Add a vignette and film grain (``grain`` is its standard deviation in 8-bit steps)."""
    height, width = image.shape[:2]
    y, x = (
        np.linspace(-1, 1, height, dtype=np.float32)[:, None],
        np.linspace(-1, 1, width, dtype=np.float32)[None],
    )
    falloff = 1 - vignette * np.clip((x * x + y * y) / 2, 0, 1) ** 1.5
    noise = rng.standard_normal((height, width, 1), dtype=np.float32) * grain
    return np.clip(image * falloff[..., None] + noise + 0.5, 0, 255).astype(np.uint8)
