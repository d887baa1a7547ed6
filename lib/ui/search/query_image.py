"""Pictures to search for: uploads, validated and scaled down; frames of videos; regions of either."""

from __future__ import annotations

import functools
import hashlib
import io
import warnings
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from lib.core.errors import InputError, NotStoredError
from lib.infra.files import write_atomically
from lib.media.frames import frame_at
from lib.store.store import Store
from lib.ui.search.state import Picture, picture_path
from lib.ui.server import routes
from lib.ui.server.uploads import clean_name
from lib.ui.session import cache, state

MAX_MEGABYTES = 20
"""Of an uploaded picture."""
_MAX_PIXELS = 80_000_000
_SIDE = 1024
"""Pictures are stored with a short side of at most this: larger than any model's input, also for a region."""
_SMALLEST = 8


def take(data: bytes, name: str) -> Picture:
    """Store an uploaded picture, upright, as RGB and no larger than needed.

    Raises:
        InputError: too large, not a picture, damaged, or only a few pixels wide.
    """
    jpeg = _small_jpeg(_read(data, clean_name(name)))
    content = hashlib.sha256(jpeg).hexdigest()
    write_atomically(picture_path(cache.store().home, state.current().id, content), jpeg)
    return Picture(clean_name(name), content)


def _read(data: bytes, name: str) -> Image.Image:
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
    """Return the picture as RGB; transparent parts become white."""
    if image.has_transparency_data:
        over = image.convert("RGBA")
        ground = Image.new("RGBA", over.size, "white")
        return Image.alpha_composite(ground, over).convert("RGB")
    return image.convert("RGB")


def url(picture: Picture) -> str:
    """Return the URL of the whole picture."""
    store, experiment = cache.store(), state.current().id  # a route has no session to ask
    whole = replace(picture, region=None, name="")
    base = routes.url_for_thumbnails(f"query|{experiment}|{whole}", lambda _: _jpeg(store, experiment, whole))
    return f"{base}/0"


def pixels(picture: Picture) -> NDArray[np.uint8]:
    """Return the picture's region, or all of it, as RGB uint8 ``(height, width, 3)``.

    Raises:
        NotStoredError: the upload or the video no longer exists.
        VideoError: the video can't be read.
    """
    with Image.open(io.BytesIO(_jpeg(cache.store(), state.current().id, picture))) as image:
        whole = image.convert("RGB")
    if picture.region is not None:
        whole = whole.crop(_box(picture.region, whole.size))
    return np.asarray(whole)


def _box(region: tuple[float, float, float, float], size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return a region in whole pixels, at least a few in each direction."""
    edges = []
    for low, high, length in ((region[0], region[2], size[0]), (region[1], region[3], size[1])):
        start = min(int(low * length), length - min(_SMALLEST, length))
        edges.append((start, max(round(high * length), start + min(_SMALLEST, length))))
    (left, right), (top, bottom) = edges
    return left, top, right, bottom


def _jpeg(store: Store, experiment: str, picture: Picture) -> bytes:
    if picture.time_s is not None:
        return _frame(str(store.file_path(picture.content)), picture.content, picture.time_s)
    try:
        return picture_path(store.home, experiment, picture.content).read_bytes()
    except OSError as error:
        raise NotStoredError("The picture isn't there any more; choose it again.") from error


@functools.lru_cache(maxsize=16)
def _frame(path: str, sha256: str, time_s: float) -> bytes:
    return _small_jpeg(Image.fromarray(frame_at(path, time_s).image))


def _small_jpeg(image: Image.Image) -> bytes:
    scale = _SIDE / min(image.size)
    if scale < 1:
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        image = image.resize(size, Image.Resampling.BICUBIC)
    jpeg = io.BytesIO()
    image.save(jpeg, "JPEG", quality=95, subsampling=0)
    return jpeg.getvalue()
