"""Search, the pure half: what a query says, its vector, and from scores to moments.

Conventions: ``n`` samples of one video in order of time, vectors of length ``d``; scores are cosines in [-1, 1].
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.errors import BadReplyError, InputError

_AVOID = re.compile(r"(?:^|\s)-\s*(?=\S)")


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
    """Return the query that was typed: ``red car - night - rain`` looks for a red car, and avoids night and rain.

    A minus at the start of a word begins words to avoid, up to the next such minus: ``- night`` and ``-night``
    alike. A minus within a word (``x-ray``) is part of it.

    Args:
        text: what was typed; it may be empty where there are pictures.
        images: pictures to look for, uint8 ``(height, width, 3)``.
    """
    first, *rest = (" ".join(part.split()) for part in _AVOID.split(text))
    return Query(
        tuple(part for part in (first,) if part), tuple(images), tuple(part for part in rest if part)
    )


@dataclass(frozen=True)
class Rules:
    """How hits become moments. All times are compared with spans of samples, so they hold at any sampling."""

    bridge_s: float = 0.0
    """Gaps between hits shorter than this are bridged. A gap lasts from the end of one hit's span to the start of
    the next hit; samples that follow each other have none, however far apart they are sampled."""
    drop_lone: bool = False
    """Whether a hit that stays alone after bridging is dropped."""
    fold: float | None = 0.98
    """Moments whose best samples' vectors have at least this cosine are one result; None folds nothing."""


TEMPLATE_THRESHOLD = 0.25
TEMPLATE_RULES = Rules(bridge_s=1.0, drop_lone=True, fold=None)
"""The rule set of Roboflow's video search template: gaps under a second bridged, lone hits dropped."""


def combine(
    texts: NDArray[np.float32], images: NDArray[np.float32], avoid: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the unit vector that stands for a query, float32 ``(d,)``. See ``lib.library_search.query_vector``.

    Args:
        texts: unit rows of the words to look for, ``(t, d)``, t may be 0.
        images: unit rows of the pictures, ``(i, d)``, i may be 0.
        avoid: unit rows of the words to avoid, ``(a, d)``, a may be 0.

    Raises:
        InputError: there is nothing to look for, or it cancels out with what is to be avoided.
        BadReplyError: a vector is not finite.
    """
    raise NotImplementedError


__all__ = [
    "TEMPLATE_RULES",
    "TEMPLATE_THRESHOLD",
    "BadReplyError",
    "InputError",
    "Query",
    "Rules",
    "parse_query",
]
