"""The two ways to an answer: comparing every sample, or comparing those that the index points to.

Both end in ``lib.search.find_moments`` with exact scores, so that they differ only in the moments that the index
overlooks, and in the median of the scores, which the index estimates.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.errors import NotStoredError
from lib.search import Distribution, Found, Peaks, Rules, find_moments, peaks_of
from lib.store import EmbeddingInfo, Store
from lib.store.index import Groups, Index
from lib.store.packs import Pack, cosines

GROUPS = (256, 1024)
"""Groups asked of the index, and asked for when those don't suffice; after that every sample is compared."""
_MARGIN = 0.02  # how much higher than the mean of its group a sample may score and yet be overlooked
_THREADS = min(4, os.cpu_count() or 1)

_Single = NDArray[np.float32]


@dataclass(frozen=True)
class Limits:
    """What a search asks for; see ``lib.search.find_moments``."""

    threshold: float | None
    top: int
    per_video: int | None
    rules: Rules


@dataclass(frozen=True, eq=False)
class Scored:
    """One embedding with scores: all of them, or NaN where nobody has asked yet."""

    info: EmbeddingInfo
    pack: Pack
    query: _Single
    known: _Single

    @property
    def times_s(self) -> NDArray[np.float64]:
        """Start of each sample's span in seconds."""
        return self.pack.times_s

    @property
    def ends_s(self) -> NDArray[np.float64]:
        """End of each sample's span in seconds."""
        return self.pack.ends_s

    def scores(self, first: int, stop: int) -> _Single:
        """Return scores, computed where they are missing."""
        found = self.known[first:stop]
        if np.isnan(found).any():
            fill(self, [(first, stop)])
        return found

    def vector(self, row: int) -> _Single:
        """Return a sample's unit vector."""
        return self.pack.vectors(row, row + 1).reshape(-1)


@dataclass(frozen=True, eq=False)
class Answer:
    """Moments, and what they were found in."""

    tracks: Sequence[Scored]
    moments: list[Found]
    distribution: Distribution
    samples: int


def fill(track: Scored, stretches: Sequence[tuple[int, int]]) -> None:
    """Compute the scores of some stretches of samples, in one go."""
    with track.pack.reading() as reader:
        rows = np.concatenate([reader.rows(first, stop) for first, stop in stretches])
    factors = np.concatenate([track.pack.factors[first:stop] for first, stop in stretches])
    found, at = cosines(rows, factors, track.query), 0
    for first, stop in stretches:
        track.known[first:stop] = found[at : at + stop - first]
        at += stop - first


def compared(store: Store, infos: Sequence[EmbeddingInfo], query: _Single, limits: Limits) -> Answer:
    """Return the exact answer: every sample is compared."""
    tracks = _compare(store, infos, query)
    scores = np.concatenate([track.known for track in tracks]) if tracks else np.empty(0, np.float32)
    middle = _median(scores)
    lowest = middle if limits.threshold is None else limits.threshold
    peaks = Peaks.join([peaks_of(i, track.known, lowest) for i, track in enumerate(tracks)])
    moments = _moments(tracks, peaks, middle, limits)
    return Answer(tracks, moments, Distribution.of(scores), len(scores))


def indexed(
    store: Store, index: Index, infos: Sequence[EmbeddingInfo], query: _Single, limits: Limits
) -> Answer | None:
    """Return the answer with the help of an index; None where it can't find as many moments as there may be.

    Embeddings that are not in the index are compared sample by sample.
    """
    inside = [info for info in infos if index.covers(info)]
    fresh = _compare(store, [info for info in infos if not index.covers(info)], query)
    tracks = [*fresh, *(Scored(info, store.packs.get(info), query, _unknown(info)) for info in inside)]
    samples = sum(info.samples for info in inside)
    track_of = np.full(len(index.packs), -1)
    for at, info in enumerate(inside, len(fresh)):
        track_of[index.packs[info.key.id]] = at
    reference = index.reference @ query
    middle = _median(np.concatenate([reference, *(track.known for track in fresh)]))
    lowest = middle if limits.threshold is None else limits.threshold
    known = [peaks_of(i, track.known, lowest) for i, track in enumerate(fresh)]
    for count in GROUPS:
        wanted = count * -(-index.samples // samples)
        groups = store.indexes.nearest(index, query, wanted)
        if groups is None:
            return None
        peaks = Peaks.join([*known, *_peaks_in(tracks, track_of, groups)])
        moments = _moments(tracks, peaks, middle, limits)
        all_seen = index.cells == 0 and len(groups.scores) < wanted
        weakest = max(lowest, moments[-1].score) if len(moments) == limits.top else lowest
        if all_seen or (len(groups.scores) and groups.scores.min() + _MARGIN < weakest):
            spread = Distribution.of(reference, samples=samples)
            exactly = Distribution.of(
                np.concatenate([track.known for track in fresh] or [np.empty(0, np.float32)])
            )
            spread = Distribution(spread.edges, spread.counts + exactly.counts, estimated=True)
            return Answer(tracks, moments, spread, int(exactly.counts.sum()) + samples)
    return None


def _compare(store: Store, infos: Sequence[EmbeddingInfo], query: _Single) -> list[Scored]:
    """Return the embeddings with all their scores; those deleted meanwhile are left out."""

    def work(info: EmbeddingInfo) -> Scored | None:
        with contextlib.suppress(NotStoredError, FileNotFoundError):
            pack = store.packs.get(info)
            return Scored(info, pack, query, pack.scores(query))
        return None

    if len(infos) < 2:
        found = list(map(work, infos))
    else:
        with ThreadPoolExecutor(_THREADS, thread_name_prefix="search") as threads:
            found = list(threads.map(work, infos))
    return [track for track in found if track is not None]


def _peaks_in(tracks: Sequence[Scored], track_of: NDArray[np.int64], groups: Groups) -> list[Peaks]:
    """Return the peaks among the samples of some groups, their scores computed."""
    found = []
    owners = track_of[groups.packs]
    for owner in np.unique(owners[owners >= 0]).tolist():
        track, here = tracks[owner], owners == owner
        n = len(track.pack)
        # With one sample more on either side, which tells whether the outermost are peaks.
        firsts = np.maximum(groups.firsts[here] - 1, 0)
        stops = np.minimum(groups.firsts[here] + groups.counts[here] + 1, n)
        order = np.argsort(firsts)
        stretches = _joined(firsts[order].tolist(), stops[order].tolist())
        unknown = [stretch for stretch in stretches if np.isnan(track.known[slice(*stretch)]).any()]
        if unknown:
            fill(track, unknown)
        for first, stop in stretches:
            part = peaks_of(owner, track.known[first:stop])
            rows = part.rows + first
            inner = ((rows > first) | (first == 0)) & ((rows < stop - 1) | (stop == n))
            found.append(Peaks(part.tracks[inner], rows[inner], part.scores[inner]))
    return found


def _joined(firsts: list[int], stops: list[int]) -> list[tuple[int, int]]:
    """Return stretches in order, with those that overlap made one."""
    joined = [(firsts[0], stops[0])]
    for first, stop in zip(firsts[1:], stops[1:], strict=True):
        if first <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(stop, joined[-1][1])
        else:
            joined.append((first, stop))
    return joined


def _moments(tracks: Sequence[Scored], peaks: Peaks, middle: float, limits: Limits) -> list[Found]:
    return find_moments(
        tracks,
        peaks,
        threshold=limits.threshold,
        middle=middle,
        top=limits.top,
        per_video=limits.per_video,
        rules=limits.rules,
    )


def _median(scores: _Single) -> float:
    return float(np.median(scores)) if len(scores) else 0.0


def _unknown(info: EmbeddingInfo) -> _Single:
    return np.full(info.samples, np.nan, np.float32)
