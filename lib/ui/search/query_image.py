"""Pictures to search for: uploads, validated and scaled down; frames of videos; regions of either."""

from __future__ import annotations

import functools
import hashlib
import io
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lib.core.errors import NotStoredError
from lib.infra.files import write_atomically
from lib.media.frames import frame_at
from lib.media.still_picture import cropped, read_picture, small_jpeg
from lib.store.store import Store
from lib.ui.search.state import Picture, picture_path
from lib.ui.server import routes
from lib.ui.server.uploads import clean_name
from lib.ui.session import cache, state


def take(data: bytes, name: str) -> Picture:
    """Store an uploaded picture, upright, as RGB and no larger than needed.

    Raises:
        InputError: too large, not a picture, damaged, or only a few pixels wide.
    """
    jpeg = small_jpeg(read_picture(data, clean_name(name)))
    content = hashlib.sha256(jpeg).hexdigest()
    write_atomically(picture_path(cache.store().home, state.current().id, content), jpeg)
    return Picture(clean_name(name), content)


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
    return np.asarray(cropped(whole, picture.region))


def _jpeg(store: Store, experiment: str, picture: Picture) -> bytes:
    if picture.time_s is not None:
        return _frame(str(store.file_path(picture.content)), picture.content, picture.time_s)
    try:
        return picture_path(store.home, experiment, picture.content).read_bytes()
    except OSError as error:
        raise NotStoredError("The picture isn't there any more; choose it again.") from error


@functools.lru_cache(maxsize=16)
def _frame(path: str, sha256: str, time_s: float) -> bytes:
    return small_jpeg(Image.fromarray(frame_at(path, time_s).image))
