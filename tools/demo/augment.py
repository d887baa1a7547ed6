"""What happens to a picture between scene and model: crop, exposure, colour cast, noise, compression."""

from __future__ import annotations

import io

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional

from tools.demo.network import CLIP_MEAN, CLIP_STD, INNER

GROUP = 32
"""Pictures that share one crop box, so that cropping is one call a group."""


def shrunk(images: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Average square pictures uint8 ``(n, s, s, 3)`` down to ``side`` pixels, by area."""
    result = np.empty((len(images), side, side, 3), np.uint8)
    for i, image in enumerate(images):
        result[i] = np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.BOX))
    return result


def compressed(image: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """Return a picture after JPEG compression."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))


def augmented(batch: NDArray[np.uint8], rng: np.random.Generator) -> Tensor:
    """Turn uint8 ``(n, s, s, 3)`` into varied network input; what the captions say stays true of it."""
    batch = np.array(batch)
    for i in np.flatnonzero(rng.random(len(batch)) < 0.12):
        batch[i] = compressed(batch[i], int(rng.integers(12, 60)))
    side = batch.shape[1]
    parts = []
    for start in range(0, len(batch), GROUP):
        part = batch[start : start + GROUP]
        size = int(rng.integers(int(side * 0.82), side + 1))
        top, left = rng.integers(0, side - size + 1, 2)
        view = part[:, top : top + size, left : left + size]
        if rng.random() < 0.5:
            view = view[:, :, ::-1]
        pixels = torch.from_numpy(np.stack([_exposed(image, rng) for image in view])).permute(0, 3, 1, 2)
        if rng.random() < 0.15:  # a soft, enlarged picture now and then
            inner = int(rng.integers(INNER // 2, INNER))
            pixels = functional.interpolate(
                pixels, (inner, inner), mode="bilinear", antialias=True, align_corners=False
            )
        parts.append(functional.interpolate(pixels, (INNER, INNER), mode="bilinear", align_corners=False))
    pixels = torch.cat(parts)
    n = len(pixels)
    saturation = torch.from_numpy(rng.uniform(0.75, 1.25, (n, 1, 1, 1)).astype(np.float32))
    grain = torch.from_numpy(rng.uniform(0.0, 0.13, (n, 1, 1, 1)).astype(np.float32))
    noise = torch.from_numpy(rng.standard_normal((n, 1, INNER, INNER), dtype=np.float32)) * grain
    grey = pixels.mean(1, keepdim=True)
    return (pixels.sub_(grey).mul_(saturation).add_(grey + noise)).contiguous(
        memory_format=torch.channels_last
    )


def _exposed(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.float32]:
    """Apply exposure, gamma, contrast and a colour cast and CLIP's normalisation, by tables."""
    base = np.arange(256, dtype=np.float32)[:, None] / 255
    curve = base ** rng.uniform(0.8, 1.25) * (rng.uniform(0.85, 1.15) * rng.uniform(0.95, 1.05, 3))
    curve = np.clip(0.45 + (curve - 0.45) * rng.uniform(0.82, 1.12), 0, 1)
    table = ((curve - CLIP_MEAN) / CLIP_STD).astype(np.float32)
    return np.stack([table[:, c][image[..., c]] for c in range(3)], -1)
