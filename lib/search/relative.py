"""Queries of words whose scores are relative: how far a sample stands out from unrelated phrases on the same sample.

``lib.analysis.reference`` says what a relative score is. Pictures have none: cosines of two pictures are on another
scale than those of pictures and words.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lib.analysis.reference import HIGH, MIN_SCALE, median_and_scale
from lib.core.errors import BadReplyError
from lib.search.query import AVOID_WEIGHT, combine

SearchScore = Literal["relative", "cosine"]
"""What moments are ranked by."""


@dataclass(frozen=True, eq=False)
class ReferenceRows:
    """The reference phrases of one engine."""

    vectors: NDArray[np.float32]
    """Unit rows as ``lib.analysis.reference.reference_vectors`` gives them, ``(r, d)``."""

    @cached_property
    def mean(self) -> NDArray[np.float32]:
        """Mean of the rows, ``(d,)``."""
        mean: NDArray[np.float32] = self.vectors.mean(axis=0)
        return mean

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 of the rows and of how ``spread_of`` derives its numbers from them."""
        return hashlib.sha256(repr((HIGH, MIN_SCALE)).encode() + self.vectors.tobytes()).digest()

    def spread_of(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return median and scale of samples, float32 ``(n, 2)``, from their unit rows ``(n, d)``.

        Raises:
            BadReplyError: vectors of samples and phrases don't fit each other.
        """
        return median_and_scale(rows, self.vectors).astype(np.float32)


@dataclass(frozen=True, eq=False)
class RelativeQuery:
    """Words as a linear score of samples: ``(direction . v - medians * median(v)) / scale(v)`` for a unit row ``v``."""

    direction: NDArray[np.float32]
    """``(d,)``, of any length: the words' unit vector, less a share of the unit vector of what is avoided."""
    medians: float
    """How many medians are taken off: 1 for words alone, less the share of what is avoided."""
    reference: ReferenceRows
    """Median and scale are those of these phrases' cosines with ``v``."""

    @cached_property
    def centred(self) -> NDArray[np.float32]:
        """``direction`` less ``medians`` times the mean phrase, ``(d,)``.

        Its dot product with ``v`` is nearly ``score * scale(v)``, as mean and median of the phrases' cosines are alike.
        """
        centred: NDArray[np.float32] = self.direction - np.float32(self.medians) * self.reference.mean
        return centred

    def scores(self, dots: NDArray[np.float32], spread: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the scores of samples, float32 ``(n,)``.

        Args:
            dots: ``direction . v`` of each, ``(n,)``.
            spread: median and scale of each, ``(n, 2)``.
        """
        above: NDArray[np.float32] = dots - spread[:, 0] * np.float32(self.medians)
        return np.divide(above, spread[:, 1], dtype=np.float32)


def relative_query(texts: NDArray[np.float32], avoid: NDArray[np.float32], reference: ReferenceRows) -> RelativeQuery:
    """Return the query of words to look for and words to avoid.

    With ``r(x)`` the relative score of a unit vector ``x``, ``t`` and ``a`` the rows of the first two arguments and
    ``mu`` the mean of the reference phrases::

        wanted, avoided = unit(mean(t)), unit(mean(a))
        share = max((wanted - mu) . (avoided - mu) / |avoided - mu|^2, 1/2)
        score = r(wanted) - share * r(avoided)

    That is ``lib.search.query.combine`` less what all texts of a model have in common, which says nothing about how
    alike two of them are.

    Args:
        texts: unit rows, ``(t, d)``, t at least 1.
        avoid: unit rows, ``(a, d)``, a may be 0.
        reference: of the same engine.

    Raises:
        InputError: there is nothing to look for, or it cancels out with what is to be avoided.
        BadReplyError: lengths differ, or a vector is not finite.
    """
    nothing = np.empty((0, reference.vectors.shape[1]), np.float32)
    wanted = combine(texts, nothing, nothing)
    if wanted.shape != reference.mean.shape:
        raise BadReplyError("Texts have vectors of different length; use an engine whose texts all have one length.")
    if not len(avoid):
        return RelativeQuery(wanted, 1.0, reference)
    combine(texts, nothing, avoid)  # refuses what cancels out
    avoided = combine(avoid, nothing, nothing)
    distance = avoided - reference.mean
    share = max(float((wanted - reference.mean) @ distance) / max(float(distance @ distance), 1e-9), AVOID_WEIGHT)
    return RelativeQuery(wanted - np.float32(share) * avoided, 1.0 - share, reference)
