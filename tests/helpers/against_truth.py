"""Random analyses and truths whose times lie on a grid, so that a slow count of its cells says what is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lib.analysis.analysis import Analysis
from lib.core.intervals import Bools, Floats
from lib.core.labelled_intervals import TrueSegment
from tests.helpers.arrays import analyse_scores, prompt_set, samples_at

CELL_S = 0.125
LABELS = ("crane", "ship", "road", "tree")
DECISIONS = ("best", "threshold", "best_threshold")


def analysis_on_grid(seed: int, *, n: int | None = None, cells: int = 200) -> Analysis:
    """Return a random analysis; spans are irregular and the first sample is often not at 0."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(0, 40)) if n is None else n
    times = np.sort(rng.choice(cells - 1, n, replace=False)) * CELL_S
    labels = LABELS[: rng.integers(1, len(LABELS) + 1)]
    chosen = prompt_set(
        *labels,
        background=labels[-1:] if len(labels) > 2 else (),
        decision=str(rng.choice(DECISIONS)),
        threshold=float(rng.uniform(-0.3, 0.5)),
        hysteresis=float(rng.choice([0, 0.2])),
        bridge_s=float(rng.choice([0, 1])),
        min_duration_s=float(rng.choice([0, 0.5])),
    )
    # Scores that repeat, as ties are where definitions differ.
    scores = rng.integers(-6, 7, size=(n, len(labels))) / 8
    return analyse_scores(scores, chosen, samples_at(times.tolist(), cells * CELL_S))


def truth_on_grid(
    seed: int, *, labels: Sequence[str] = (*LABELS[:2], "SHIP", "bird"), cells: int = 200
) -> list[TrueSegment]:
    """Return random true segments: they overlap, touch, and end beyond the video."""
    rng = np.random.default_rng(seed + 1_000_000)
    segments = []
    for _ in range(int(rng.integers(0, 12))):
        start = int(rng.integers(0, cells + 20))
        end = start + int(rng.integers(1, 40))
        segments.append(TrueSegment(str(rng.choice(labels)), start * CELL_S, end * CELL_S))
    return segments


@dataclass(frozen=True)
class Cells:
    """One label, cell by cell over the time that samples stand for."""

    starts: Floats
    true: Bools
    found: Bools
    scores: Floats


def cells_of(analysis: Analysis, truth: Sequence[TrueSegment], label: str) -> Cells:
    """Return what is true and found in each cell, by asking each segment about each cell."""
    samples = analysis.samples
    first = round(float(samples.times_s[0]) / CELL_S) if len(samples) else round(samples.end_s / CELL_S)
    starts = np.arange(first, round(samples.end_s / CELL_S)) * CELL_S
    name = label.lower()
    true = [any(s.label.lower() == name and s.start_s <= t < s.end_s for s in truth) for t in starts]
    found = [any(s.label == label and s.start_s <= t < s.end_s for s in analysis.segments) for t in starts]
    rows = [int(np.flatnonzero(samples.times_s <= t)[-1]) for t in starts]
    scores = analysis.scores[rows, analysis.column(label)] if rows else np.zeros(0)
    return Cells(starts, np.array(true, dtype=bool), np.array(found, dtype=bool), scores)


def runs(starts: Floats, has: Bools) -> list[tuple[float, float]]:
    """Return where ``has`` is true without a break, as start and end in seconds."""
    spans: list[tuple[float, float]] = []
    for start in starts[has].tolist():
        first = spans.pop()[0] if spans and spans[-1][1] == start else start
        spans.append((first, start + CELL_S))
    return spans
