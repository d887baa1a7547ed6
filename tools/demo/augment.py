"""What happens to a picture between scene and model: crop, light, colour cast, blur, noise, compression."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional

from tools.demo.network import CLIP_MEAN, CLIP_STD, INNER

MEAN, STD = (torch.tensor(v).view(1, 3, 1, 1) for v in (CLIP_MEAN, CLIP_STD))
MIDDLE = 0.4
"""A middle grey."""
LUMA = torch.tensor((0.299, 0.587, 0.114)).view(1, 3, 1, 1)


@dataclass(frozen=True)
class Varied:
    """Varied pictures as network input, and what the change made of them.

    ``brightness`` is the new mean (0 to 1), ``gain`` the factor of light, ``tone`` what becomes of a middle grey
    (1: the same); ``blur`` is 0 for as sharp as before, 1 for a little soft (unclear), 2 for blurred. Each has one
    number a picture.
    """

    pixels: Tensor
    brightness: NDArray[np.float32]
    gain: NDArray[np.float32]
    tone: NDArray[np.float32]
    blur: NDArray[np.int8]


def compressed(image: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """Return a picture after JPEG compression."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))


def varied(batch: NDArray[np.uint8], night: NDArray[np.bool_], rng: np.random.Generator, side: int = INNER) -> Varied:
    """Vary pictures uint8 ``(n, s, s, 3)`` and bring them to ``side`` pixels; ``night`` tells which show a night."""
    n = len(batch)
    batch = np.array(batch)
    for i in np.flatnonzero(rng.random(n) < 0.10):
        batch[i] = compressed(batch[i], int(rng.integers(12, 60)))
    pixels = torch.from_numpy(batch).permute(0, 3, 1, 2).float().div_(255)
    pixels = _cropped(pixels, rng, side)
    blur = _blurred(pixels, rng)
    gain = rng.uniform(0.82, 1.2, n)
    roll = rng.random(n)
    gain = np.where(roll < 0.07, rng.uniform(0.3, 0.6, n), np.where(roll > 0.95, rng.uniform(1.3, 1.9, n), gain))
    gain = np.where(night, np.maximum(gain, 0.7), gain)
    power = np.where(night, rng.uniform(0.75, 1.7, n), rng.uniform(0.75, 1.35, n))
    contrast = np.where(night & (rng.random(n) < 0.6), rng.uniform(1.0, 2.2, n), rng.uniform(0.8, 1.25, n))
    mild = ~night & (rng.random(n) < 0.5)  # colours are learned from these
    gain = np.where(mild, rng.uniform(0.92, 1.08, n), gain)
    power = np.where(mild, rng.uniform(0.92, 1.1, n), power)
    contrast = np.where(mild, rng.uniform(0.92, 1.12, n), contrast)
    pivot = np.where(night, 0.12, 0.45)
    cast = _column(rng.uniform(0.94, 1.06, (n, 3)))
    pixels = pixels.clamp_min(1e-4).pow(_column(power)) * (_column(gain) * cast)
    pixels = ((pixels - _column(pivot)) * _column(contrast) + _column(pivot)).clamp(0, 1)
    grey = (pixels * LUMA).sum(1, keepdim=True)
    brightness = grey.mean((1, 2, 3)).numpy()
    pixels = grey + (pixels - grey) * _column(rng.uniform(0.75, 1.3, n))
    grain = rng.uniform(0.0, 0.05, n) * (rng.random(n) < 0.7)
    noise = torch.from_numpy(rng.standard_normal((n, 1, side, side), dtype=np.float32))
    pixels = (pixels + noise * _column(grain)).clamp(0, 1)
    pixels = ((pixels - MEAN) / STD).contiguous(memory_format=torch.channels_last)
    tone = gain * MIDDLE ** (power - 1)
    return Varied(pixels, brightness, gain.astype(np.float32), tone.astype(np.float32), blur)


def _column(values: NDArray[np.float64]) -> Tensor:
    shaped = np.asarray(values, np.float32)
    return torch.from_numpy(shaped).view(len(shaped), -1, 1, 1)


def _cropped(pixels: Tensor, rng: np.random.Generator, side: int) -> Tensor:
    """Crop each picture anew, mirror half of them, and bring them to ``side`` pixels."""
    n = len(pixels)
    size = np.where(rng.random(n) < 0.35, 1.0, rng.uniform(0.76, 1.0, n))
    room = 1 - size
    theta = np.zeros((n, 2, 3), np.float32)
    theta[:, 0, 0] = size * np.where(rng.random(n) < 0.5, 1, -1)
    theta[:, 1, 1] = size * rng.uniform(0.95, 1.0, n)
    theta[:, 0, 2], theta[:, 1, 2] = room * rng.uniform(-1, 1, n), room * rng.uniform(-1, 1, n)
    if 2 * side < pixels.shape[-1]:  # halve first: plain bilinear sampling would skip pixels
        pixels = functional.avg_pool2d(pixels, 2)
    grid = functional.affine_grid(torch.from_numpy(theta), [n, 3, side, side], align_corners=False)
    return functional.grid_sample(pixels, grid, padding_mode="border", align_corners=False)


def _blurred(pixels: Tensor, rng: np.random.Generator) -> NDArray[np.int8]:
    """Blur some pictures in place: out of focus, in motion, or a little soft."""
    n = len(pixels)
    result = np.zeros(n, np.int8)
    order = rng.permutation(n)
    share = max(1, n // 24)
    for k in range(5):
        rows = order[k * share : (k + 1) * share]
        if k < 4:
            kernel = blur_kernel(rng, pixels.shape[-1] / INNER)
            result[rows] = 2
        else:
            kernel = gauss(rng.uniform(0.5, 1.0))
            result[rows] = 1
        pixels[rows] = convolved(pixels[rows], kernel)
    return result


def gauss(sigma: float) -> Tensor:
    """Return a square Gaussian kernel."""
    half = int(3 * sigma + 1)
    line = torch.exp(-(torch.arange(-half, half + 1).float() ** 2) / (2 * sigma * sigma))
    line = line / line.sum()
    return line[:, None] * line[None]


def blur_kernel(rng: np.random.Generator, scale: float = 1.0) -> Tensor:
    """Return the kernel of a picture out of focus or in motion, for pictures of the inner size times ``scale``."""
    if rng.random() < 0.6:
        return gauss(float(rng.uniform(1.6, 4.0)) * scale)
    length = int(rng.integers(7, 17) * scale) | 1
    kernel = torch.zeros(length, length)
    kind = rng.integers(0, 3)
    if kind == 0:
        kernel[length // 2] = 1
    elif kind == 1:
        kernel.fill_diagonal_(1)
    else:
        kernel = torch.zeros(length, length).fill_diagonal_(1).flip(1)
    return kernel / kernel.sum()


def convolved(pixels: Tensor, kernel: Tensor) -> Tensor:
    """Filter pictures ``(n, 3, h, w)`` with one kernel, edges repeated."""
    half = kernel.shape[0] // 2
    padded = functional.pad(pixels, (half, half, half, half), mode="replicate")
    return functional.conv2d(padded, kernel.expand(3, 1, *kernel.shape), groups=3)
