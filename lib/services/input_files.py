"""Files that people name: prompt sets, ground truth and other texts, read within bounds; errors name them."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lib.core.errors import InputError, PromptSetError, SettingsError
from lib.core.formatting import encodable
from lib.ground_truth.parsing import ParsedTruth, parse_truth
from lib.prompts.model import PromptSet
from lib.prompts.parsing import parse_prompt_set
from lib.services.video_files import start_timecode_if_known
from lib.store.videos import Video

_MAX_BYTES = 20_000_000
_LONGEST_SIDE = 1024  # of a picture that is searched for


def read_bytes(path: Path, what: str, kind: type[InputError], *, most: int = _MAX_BYTES) -> bytes:
    """Return what is in a file; raise ``kind``, with ``what`` as the file's name for people, if it can't be read."""
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise kind(f"The {what} {path} can't be read ({error.strerror}); check its path.") from error
    if len(data) > most:
        raise kind(f"The {what} {path} is longer than {most:,} bytes; check that it is the right file.")
    return data


def read_text(path: Path, what: str, kind: type[InputError]) -> str:
    """Return the text in a file; raises as ``read_bytes``."""
    try:
        return read_bytes(path, what, kind).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise kind(f"The {what} {path} is no UTF-8 text; save it as UTF-8.") from error


def read_prompt_set(path: Path) -> PromptSet:
    """Return the prompt set in a file; one without a name gets the file's."""
    text, name = read_text(path, "prompt set", PromptSetError), encodable(path.name)
    try:
        return parse_prompt_set(text, name=name.split(".")[0] or name)
    except (PromptSetError, SettingsError) as error:
        raise type(error)(f"{name}: {error}") from error


def read_truth(path: Path, video: Video, end_s: float | None) -> ParsedTruth:
    """Return the ground truth that a file has of a video that ends at ``end_s`` seconds.

    Raises:
        InputError: the file can't be read, or nothing in it.
    """
    data = read_bytes(path, "ground truth", InputError)
    start = partial(start_timecode_if_known, video)
    return parse_truth(data, name=path.name, end_s=end_s, rate=video.rate, video=video.name, start_timecode=start)


def read_query_picture(path: Path, input_size: int) -> NDArray[np.uint8]:
    """Return a picture upright, as RGB uint8 ``(height, width, 3)``, its short side at least ``input_size`` pixels.

    Raises:
        InputError: it can't be read.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(path) as file:
            image = ImageOps.exif_transpose(file).convert("RGB")
    except FileNotFoundError as error:
        raise InputError(f"There is no picture {path}; check its path.") from error
    except (OSError, UnidentifiedImageError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"The picture {path} can't be read; give a JPEG, PNG or WebP file.") from error
    image.thumbnail((4 * _LONGEST_SIDE, 4 * _LONGEST_SIDE))
    short = min(image.size)
    scale = max(input_size / short, min(1.0, _LONGEST_SIDE / short))
    size = (max(input_size, round(image.width * scale)), max(input_size, round(image.height * scale)))
    return np.asarray(image.resize(size, Image.Resampling.BICUBIC) if size != image.size else image)
