"""Picture examples of prompts: uploads, frames and parts of either, in the store's folder by the SHA-256 of their file.

A JPEG that is small and upright already is kept byte by byte, so that its hash is the same on every machine and a
missing picture can be given again; anything else is made one.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lib.core.errors import StoreError
from lib.engines.engine import Engine
from lib.infra.files import write_atomically
from lib.media.frames import frame_at
from lib.media.still_picture import Region, cropped, read_picture, small_jpeg
from lib.prompts.model import PromptSet, picture_key
from lib.store.store import Store, embed_texts_cached
from lib.store.videos import Video

_KEPT_BYTES = 4 << 20
"""A larger JPEG is made a smaller one."""


def add(store: Store, data: bytes, name: str, region: Region | None = None) -> str:
    """Keep a picture, or a part of it, and return the SHA-256 of its file.

    Raises:
        InputError: too large, no picture, damaged, or only a few pixels wide.
        StoreError: it can't be written.
    """
    image = read_picture(data, name)
    with Image.open(io.BytesIO(data)) as file:
        upright = file.getexif().get(0x0112, 1) == 1
        as_it_is = region is None and file.format == "JPEG" and file.mode == "RGB" and upright
    if as_it_is and len(data) <= _KEPT_BYTES:
        return _keep(store, data)
    return _keep(store, small_jpeg(cropped(image, region)))


def add_frame(store: Store, video: Video, time_s: float, region: Region | None = None) -> str:
    """Keep the frame that ``video`` shows at ``time_s``, or a part of it, and return the SHA-256 of its file.

    Raises:
        NotStoredError: the video's file is gone.
        VideoError: it can't be read.
        StoreError: the picture can't be written.
    """
    image = Image.fromarray(frame_at(store.file_path(video.sha256), time_s).image)
    return _keep(store, small_jpeg(cropped(image, region)))


def picture_file(store: Store, sha256: str) -> Path:
    """Return where a picture lies, if it is here; ``sha256`` is 64 hex digits."""
    return store.paths.pictures / f"{sha256}.jpg"


def _keep(store: Store, jpeg: bytes) -> str:
    sha256 = hashlib.sha256(jpeg).hexdigest()
    try:
        write_atomically(picture_file(store, sha256), jpeg)
    except OSError as error:
        raise StoreError(f"The picture can't be kept ({error.strerror}); check the disk, then add it again.") from error
    return sha256


def picture_vectors(store: Store, engine: Engine, pictures: Iterable[str]) -> dict[str, NDArray[np.float32]]:
    """Return the unit vector of each picture by ``picture_key``; only pictures not embedded before reach the engine.

    Pictures that are neither here nor embedded are left out.

    Raises:
        EngineError: from the engine.
    """
    wanted = list(dict.fromkeys(pictures))
    vectors = store.picture_vectors(engine.id, wanted)
    pixels = {
        sha256: image for sha256 in wanted if sha256 not in vectors and (image := _pixels(store, sha256)) is not None
    }
    if pixels:
        new = dict(zip(pixels, engine.embed_images(list(pixels.values())), strict=True))
        vectors |= store.put_picture_vectors(engine.id, new)
    return {picture_key(sha256): vector for sha256, vector in vectors.items()}


def _pixels(store: Store, sha256: str) -> NDArray[np.uint8] | None:
    try:
        data = picture_file(store, sha256).read_bytes()
        if hashlib.sha256(data).hexdigest() != sha256:
            return None
        with Image.open(io.BytesIO(data)) as image:
            return np.asarray(image.convert("RGB"))
    except OSError:
        return None


def missing_pictures(prompt_set: PromptSet, vectors: Iterable[str]) -> list[str]:
    """Return a sentence for each enabled prompt with pictures that have no vector among the keys ``vectors``."""
    here = set(vectors)
    sentences = []
    for prompt in prompt_set.enabled:
        gone = [sha256[:12] for sha256 in prompt.pictures if picture_key(sha256) not in here]
        if gone:
            what = f"The picture {gone[0]}… is" if len(gone) == 1 else f"The pictures {'…, '.join(gone)}… are"
            sentences.append(
                f"{what} not on this machine, so “{prompt.label}” goes without; copy the file into its folder "
                "“pictures”, or add it again."
            )
    return sentences


def vectors_of(store: Store, engine: Engine, prompt_set: PromptSet) -> dict[str, NDArray[np.float32]]:
    """Return the vectors of all texts and pictures that ``prompt_set`` needs; only new ones reach the engine.

    Raises:
        EngineError: from the engine.
    """
    texts = embed_texts_cached(store, engine, prompt_set.texts_to_embed)
    return texts | picture_vectors(store, engine, prompt_set.pictures)
