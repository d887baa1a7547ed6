"""Prompts' vectors where pictures say what is looked for ("looks like this"), beside words or instead of good ones.

In CLIP vectors of pictures and of texts lie in cones of their own, far from each other: any two pictures have a higher
cosine than a picture and the text that describes it best. A picture's vector averaged into a text's would therefore be
near every frame. Instead, pictures lift the words' vector t, and no further than needed:

    v = t + b u,    v / |v|,

with u the mean of the pictures' vectors, projected onto the leading span of the reference phrases' differences from
their mean (the gap between the cones is nearly the same for all pictures, and nearly orthogonal to that span), and b,
at least 0, by least squares so that the pictures score ``LEVEL`` relative to the reference phrases. Pictures that the
words describe well change nothing, and the scale of scores stays.

``LEVEL`` and ``SPANNED`` were chosen on five of ten labels of real photographs, and tried on the other five (see
docs/decisions).

References:
    The gap: Liang et al., *Mind the Gap*, NeurIPS 2022. That it is constant and orthogonal to the spans of both kinds:
    Zhang et al., *Diagnosing and Rectifying Vision Models using Language*, ICLR 2023.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from lib.analysis.reference import MIN_SCALE, reference_vectors
from lib.analysis.scoring import prompt_vectors
from lib.core.errors import BadReplyError
from lib.core.intervals import Floats
from lib.prompts.model import PromptSet, picture_key

LEVEL = 1.75
"""Relative score that pictures of a prompt are lifted to; the right words reach 1.9 in the median on photographs."""
SPANNED = 0.9
"""Share of the phrases' variance that the span has: the rest is noise, which would take the gap in."""


def prompt_rows(
    prompt_set: PromptSet, vectors: Mapping[str, NDArray[np.float32]], engine_id: str = ""
) -> NDArray[np.float32]:
    """Return one unit row per enabled prompt, float32 ``(p, d)``: of its words, lifted by its pictures.

    What a prompt has learned with this engine takes the place of both. Pictures without a vector are passed over.

    Args:
        prompt_set: at least one prompt is enabled.
        vectors: of every phrase in ``prompt_set.texts_to_embed``, and of pictures by ``picture_key``, ``(d,)``.
        engine_id: of the engine that the vectors are of; without it nothing learned is used.

    Raises:
        PromptSetError, BadReplyError: as ``lib.analysis.scoring.prompt_vectors`` and
            ``lib.analysis.reference.reference_vectors``.
    """
    rows = prompt_vectors(prompt_set, vectors, engine_id)
    phrases: NDArray[np.float32] | None = None
    for row, prompt in enumerate(prompt_set.enabled):
        keys = [picture_key(sha256) for sha256 in prompt.pictures]
        found = [vectors[key] for key in keys if key in vectors]
        if not found or prompt_set.learned_of(prompt, engine_id) is not None:
            continue
        phrases = reference_vectors(vectors) if phrases is None else phrases
        rows[row] = lifted(rows[row], _units(found, rows.shape[1]), phrases)
    return rows


def lifted(words: NDArray[np.float32], pictures: Floats, phrases: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the words' unit vector ``(d,)`` lifted by pictures, unit rows ``(k, d)``; see the module.

    ``phrases`` are unit rows of the reference phrases, ``(r, d)``.
    """
    texts, start = phrases.astype(np.float64), words.astype(np.float64)
    _, sizes, span = np.linalg.svd(texts - texts.mean(axis=0), full_matrices=False)
    share = np.cumsum(sizes**2) / max(float(np.sum(sizes**2)), 1e-12)
    span = span[: int((share < SPANNED).sum()) + 1]
    direction = span.T @ (span @ pictures.mean(axis=0))
    along = pictures @ direction
    size = float(along @ along)
    if size < 1e-12:
        return words
    median, high = np.quantile(pictures @ texts.T, [0.5, 0.95], axis=1)
    needed = median + LEVEL * np.maximum(high - median, MIN_SCALE)
    lacking = np.maximum(needed - pictures @ start, 0.0)
    row = start + max(0.0, float(lacking @ along) / size) * direction
    unit: NDArray[np.float32] = (row / np.linalg.norm(row)).astype(np.float32)
    return unit


def _units(vectors: list[NDArray[np.float32]], dim: int) -> Floats:
    if any(vector.shape != (dim,) for vector in vectors):
        raise BadReplyError("Vectors of pictures and prompts differ in length; add the pictures again.")
    rows = np.array(vectors, dtype=np.float64)
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    if not (np.isfinite(norms).all() and (norms > 0).all()):
        raise BadReplyError("The vector of a picture has no direction; remove the picture and add it again.")
    units: Floats = rows / norms
    return units
