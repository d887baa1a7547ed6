"""What every engine checks alike: pictures and texts on their way in, vectors on their way out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.core.errors import BadReplyError, InputError

_SMALLEST_NORM = 1e-12


@dataclass(frozen=True)
class Preparation:
    """What an engine waits for before it can answer: a download, or a server that loads its model."""

    message: str
    """One sentence for people."""
    done_bytes: int = 0
    total_bytes: int | None = None
    """Size of the whole download, or None when nothing is downloaded here or the size is not known yet."""


def check_images(images: Sequence[NDArray[np.uint8]]) -> None:
    """Refuse what is no RGB picture.

    Raises:
        ValueError: a picture is not uint8 ``(height, width, 3)``.
    """
    for image in images:
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
            raise ValueError(f"a picture must be uint8 (height, width, 3), but is {image.dtype} {tuple(image.shape)}")


def check_texts(texts: Sequence[str]) -> None:
    """Refuse texts no engine can embed, before anything is sent or computed.

    Raises:
        InputError: a text is empty, only white space, or no valid Unicode.
    """
    for text in texts:
        if not text.strip():
            raise InputError("A prompt is empty; write at least one word, or remove it.")
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise InputError(f"The prompt {text!r} has characters that are no valid Unicode; type it again.") from error


def unit_rows(vectors: object, *, count: int, dim: int, who: str, advice: str) -> NDArray[np.float32]:
    """Return ``vectors`` as float32 unit rows ``(count, dim)``: ``row / |row|``, computed in float64.

    Messages begin with ``who`` and end with ``advice``, a whole sentence.

    Raises:
        BadReplyError: wrong count, wrong length, not numbers, NaN, infinite, zero, or too large to have a length.
    """
    rows = list(vectors) if isinstance(vectors, (list, np.ndarray)) else None
    if rows is None:
        raise BadReplyError(f"{who} gave no list of vectors. {advice}")
    if len(rows) != count:
        raise BadReplyError(f"{who} gave {len(rows)} vectors where {count} were asked for. {advice}")
    if not count:
        return np.empty((0, dim), np.float32)
    try:
        array = np.asarray(rows, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise BadReplyError(f"{who} gave vectors that are no lists of numbers of one length. {advice}") from error
    if array.shape != (count, dim):
        length = array.shape[1] if array.ndim == 2 else 0
        raise BadReplyError(f"{who} gave vectors of length {length} where {dim} was expected. {advice}")
    if not np.isfinite(array).all():
        raise BadReplyError(f"{who} gave a vector with a value that is NaN or infinite. {advice}")
    with np.errstate(over="ignore"):
        norms = np.linalg.norm(array, axis=1, keepdims=True)
    if not np.isfinite(norms).all():
        raise BadReplyError(f"{who} gave a vector with values too large for a model's. {advice}")
    if (norms < _SMALLEST_NORM).any():
        raise BadReplyError(f"{who} gave a vector that is zero everywhere. {advice}")
    rows_of_unit_length: NDArray[np.float32] = (array / norms).astype(np.float32)
    return rows_of_unit_length
