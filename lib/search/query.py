"""A query's words and pictures, and its vector."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.core.errors import BadReplyError, InputError

AVOID_WEIGHT = 0.5
_MINUS = re.compile(r"(?:^|\s)[-−]\s*(?=\S)")
_SMALLEST_NORM = 1e-3


@dataclass(frozen=True, eq=False)
class Query:
    """What is looked for: words, pictures, and words to avoid."""

    texts: tuple[str, ...] = ()
    images: tuple[NDArray[np.uint8], ...] = ()
    """RGB pictures, uint8 ``(height, width, 3)``."""
    avoid: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether there is nothing to look for; words to avoid alone find nothing."""
        return not self.texts and not self.images

    @property
    def text(self) -> str:
        """The words as they would be typed: ``red car - night``."""
        return " ".join([*self.texts, *(f"- {words}" for words in self.avoid)])


def parse_query(text: str, images: Sequence[NDArray[np.uint8]] = ()) -> Query:
    """Return the query that a text means: ``red car - night - rain`` looks for a red car and avoids night and rain.

    A minus at the start of a word begins words to avoid, up to the next such minus: ``- night`` and ``-night``
    alike. A minus within a word (``x-ray``) is part of it. The text may be empty where there are ``images``, uint8
    ``(height, width, 3)``.
    """
    first, *rest = (" ".join(part.split()) for part in _MINUS.split(text))
    return Query(tuple(part for part in (first,) if part), tuple(images), tuple(part for part in rest if part))


def combine(texts: NDArray[np.float32], images: NDArray[np.float32], avoid: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the unit vector that stands for a query, float32 ``(d,)``.

    With ``unit(x) = x / |x|``, ``t``, ``i`` and ``a`` the rows of the three arguments::

        wanted = unit(unit(mean(t)) + unit(mean(i)))     one term where there are only texts or only pictures
        avoided = unit(mean(a))
        query = unit(wanted - max(wanted . avoided, 1/2) * avoided)

    So a text weighs as much as all pictures together. Half of what is avoided is subtracted, as in Rocchio's relevance
    feedback (1971), and at least so much that likeness to it no longer raises a score, which is Widdows' orthogonal
    negation (*Orthogonal Negation in Vector Spaces*, ACL 2003). Orthogonal alone does nearly nothing where a model
    sets words apart (the demo model: cosines of 0.05 to 0.15), half alone too little where it doesn't.

    Args:
        texts: unit rows of the words to look for, ``(t, d)``, t may be 0.
        images: unit rows of the pictures, ``(i, d)``, i may be 0.
        avoid: unit rows of the words to avoid, ``(a, d)``, a may be 0.

    Raises:
        InputError: there is nothing to look for, or it cancels out with what is to be avoided.
        BadReplyError: lengths differ, or a vector is not finite.
    """
    if not len(texts) and not len(images):
        raise InputError("There is nothing to look for; type a few words, or add a picture.")
    if len({rows.shape[1] for rows in (texts, images, avoid) if len(rows)}) > 1:
        raise BadReplyError("Texts and pictures have vectors of different length; use an engine made for both.")
    parts = [_unit(rows.astype(np.float64).mean(axis=0)) for rows in (texts, images) if len(rows)]
    wanted = _unit(np.sum(parts, axis=0))
    if len(avoid):
        avoided = _unit(avoid.astype(np.float64).mean(axis=0))
        if wanted @ avoided > 1 - _SMALLEST_NORM:
            raise InputError("The words to avoid are those to look for; take them out of one of both.")
        wanted = _unit(wanted - max(float(wanted @ avoided), AVOID_WEIGHT) * avoided)
    return wanted.astype(np.float32)


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    norm = float(np.linalg.norm(vector))
    if not np.isfinite(norm):
        raise BadReplyError("The engine gave a vector that is not finite; search again, or restart the engine.")
    if norm < _SMALLEST_NORM:
        raise InputError("What is looked for cancels out with the rest of the query; take something out of it.")
    return vector / norm
