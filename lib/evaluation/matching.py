"""Which found segment matches which true one.

A pair can match when the intersection of the two intervals is at least half of their union (IoU 0.5). Each takes part
in one match at most, and as many match as possible: a maximum matching of a bipartite graph, as sed_eval's
``EventBasedMetrics`` with ``event_matching_type="optimal"`` finds it for pairs whose onsets and offsets lie close.

References:
    Hopcroft and Karp, *An n^(5/2) algorithm for maximum matchings in bipartite graphs*, 1973, by SciPy.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from lib.core.intervals import Floats, Ints

IOU = 0.5
"""Least IoU of a match."""
_ROUNDING = 1e-9


def match_segments(true: Floats, found: Floats) -> Ints:
    """Return which true and found segments match at IoU 0.5, as many as possible, int64 ``(h, 2)``.

    Both are starts and ends, disjoint and in order, ``(k, 2)`` and ``(j, 2)``.
    """
    # Segments are disjoint and in order, so those that overlap with a true one are neighbours.
    first = np.searchsorted(found[:, 1], true[:, 0], side="right")
    counts = np.maximum(np.searchsorted(found[:, 0], true[:, 1], side="left") - first, 0)
    of_true = np.repeat(np.arange(len(true)), counts)
    of_found = np.arange(len(of_true)) - np.repeat(np.cumsum(counts) - counts, counts) + first[of_true]
    shared = np.minimum(true[of_true, 1], found[of_found, 1]) - np.maximum(true[of_true, 0], found[of_found, 0])
    lengths = np.diff(true[of_true])[:, 0] + np.diff(found[of_found])[:, 0]
    hit = shared >= (IOU - _ROUNDING) * (lengths - shared)
    if not hit.any():
        return np.zeros((0, 2), dtype=np.int64)
    graph = sparse.csr_matrix(
        (np.ones(hit.sum(), dtype=np.int8), (of_true[hit], of_found[hit])), shape=(len(true), len(found))
    )
    partner = sparse.csgraph.maximum_bipartite_matching(graph, perm_type="column")
    matched = np.flatnonzero(partner >= 0)
    return np.column_stack([matched, partner[matched]]).astype(np.int64)
