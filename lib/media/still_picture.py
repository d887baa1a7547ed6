"""Pictures from outside: read within bounds, upright, as RGB; parts of them; and as a small JPEG."""

from __future__ import annotations

import io
import warnings

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from lib.core.errors import InputError

Region = tuple[float, float, float, float]
"""Left, top, right, bottom, as shares of the picture."""
MAX_MEGABYTES = 20
"""Of a picture from outside."""
_MAX_PIXELS = 80_000_000
_SIDE = 1024
"""Pictures are stored with a short side of at most this: larger than any model's input, also for a region."""
_SMALLEST = 8


def read_picture(data: bytes, name: str) -> Image.Image:
    """Return the picture in ``data``, upright and as RGB; ``name`` is for messages.

    Raises:
        InputError: too large, not a picture, damaged, or only a few pixels wide.
    """
    if len(data) > MAX_MEGABYTES << 20:
        raise InputError(f"“{name}” is larger than {MAX_MEGABYTES} MB; choose a smaller picture.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            file = Image.open(io.BytesIO(data))
        if file.width * file.height > _MAX_PIXELS:
            raise InputError(
                f"“{name}” has {file.width} × {file.height} pixels, more than can be used; choose a smaller picture."
            )
        image = _flat(ImageOps.exif_transpose(file))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InputError(f"“{name}” has more pixels than can be used; choose a smaller picture.") from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError) as error:
        raise InputError(f"“{name}” is not a readable picture; choose a JPEG, PNG, WebP, GIF or BMP file.") from error
    if min(image.size) < _SMALLEST:
        raise InputError(f"“{name}” is only {image.width} × {image.height} pixels; choose a larger picture.")
    return image


def _flat(image: Image.Image) -> Image.Image:
    """Return the picture as RGB; transparent parts become white, and 16 bits or floats 8 bits."""
    if image.mode == "F" or image.mode.startswith("I"):
        return _eight_bits(image).convert("RGB")
    if image.has_transparency_data:
        over = image.convert("RGBA")
        ground = Image.new("RGBA", over.size, "white")
        return Image.alpha_composite(ground, over).convert("RGB")
    return image.convert("RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    """Return a grey picture of integers or floats as 8 bits; ``Image.convert`` would make all above 255 white."""
    values = np.nan_to_num(np.asarray(image, dtype=np.float64))
    highest = values.max(initial=0.0)
    levels = (65_535.0,) if image.mode.startswith("I;16") else (1.0, 255.0, 65_535.0)
    white = next((level for level in levels if highest <= level), highest)
    return Image.fromarray(np.clip(values / white * 255, 0, 255).astype(np.uint8))


def cropped(image: Image.Image, region: Region | None) -> Image.Image:
    """Return a part of the picture, at least a few pixels wide and high; all of it for None."""
    return image if region is None else image.crop(_box(region, image.size))


def _box(region: tuple[float, float, float, float], size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return a region in whole pixels, at least a few in each direction."""
    edges = []
    for low, high, length in ((region[0], region[2], size[0]), (region[1], region[3], size[1])):
        start = min(int(low * length), length - min(_SMALLEST, length))
        edges.append((start, max(round(high * length), start + min(_SMALLEST, length))))
    (left, right), (top, bottom) = edges
    return left, top, right, bottom


def small_jpeg(image: Image.Image) -> bytes:
    """Return the picture as JPEG, its short side at most 1024 pixels."""
    scale = _SIDE / min(image.size)
    if scale < 1:
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        image = image.resize(size, Image.Resampling.BICUBIC)
    jpeg = io.BytesIO()
    image.save(jpeg, "JPEG", quality=95, subsampling=0)
    return jpeg.getvalue()
