"""What a prompt is mistaken for: something true that no prompt names counts as one that does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lib.evaluation.evaluation import Evaluation

_LEAST_S = 0.1
"""Less than this at the edges of samples is no finding."""


@dataclass(frozen=True)
class Mistaken:
    """Seconds that a label counts while something else is there that no prompt names."""

    label: str
    found_s: float
    """For how long the label is found in all."""
    true_s: float
    """For how long it is there in all."""
    wrong_s: float
    """For how long it is found, and not there, while ``true`` is."""
    true: str
    """What is there instead, as the truth spells it."""
    start_s: float
    """Of the longest such stretch, in seconds."""
    end_s: float
    """Its end, in seconds."""


def mistaken(evaluation: Evaluation) -> tuple[Mistaken, ...]:
    """Return all that labels of targets, known to the truth, are mistaken for, the longest first."""
    alignment, targets = evaluation.alignment, {p.label for p in evaluation.analysis.prompts if p.role == "target"}
    results = []
    for one in evaluation.labels:
        if not one.known or one.label not in targets:
            continue
        for true in evaluation.unmatched_truth:
            there = alignment.truth[:, alignment.labels.index(true)]
            wrong = there & one.found & ~one.true & (one.seconds > 0)
            wrong_s = float(one.seconds[wrong].sum())
            if wrong_s < _LEAST_S:
                continue
            edges = np.flatnonzero(np.diff(np.concatenate([[False], wrong, [False]]).astype(int))).reshape(-1, 2)
            start, end = max(alignment.bounds[edges].tolist(), key=lambda edge: edge[1] - edge[0])
            found_s = one.hits_s + one.false_alarms_s
            spelt = alignment.spellings[true]
            results.append(Mistaken(one.label, found_s, one.support_s, wrong_s, spelt, start, end))
    return tuple(sorted(results, key=lambda result: -result.wrong_s))
