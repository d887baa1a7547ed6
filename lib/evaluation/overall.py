"""One score for a whole prompt set against the truth: macro F1 over all true labels, and accuracy over time.

Conventions: ``m`` pieces of time, ``q`` true labels, those of which the truth has a second in the evaluated time
(``lib.evaluation.alignment``). What is undefined, where the truth has no second of anything, is None.

* **Macro F1** is the mean of the true labels' F1 by time, each as important, however long it lasts. A label that the
  prompt set doesn't have is never found, so its F1 is 0.
* **Accuracy** is the share of the evaluated time in which exactly the true labels are found, and none of them where
  none is true.
* A target that the truth doesn't name is **invented**. Where it is the label of the sample (the one with the highest
  score, as in ``Analysis.sample_labels``), it claims that time, and no true label counts as found there. Elsewhere it
  costs nothing, since nobody may have looked for it; so does a background.

Where labels exclude each other, and in the truth too, these are the scores of a classification of moments with one
class each.

References:
    Macro-averaging, each class as important: Yang and Liu, *A re-examination of text categorization methods*, SIGIR
    1999; Opitz and Burst, *Macro F1 and Macro F1*, 2019, of whose two definitions it is the mean of F1. By time:
    Mesaros, Heittola and Virtanen, *Metrics for Polyphonic Sound Event Detection*, Applied Sciences 6(6), 2016. Both
    equal scikit-learn's ``f1_score(average="macro")`` and ``accuracy_score`` of pieces weighted by their seconds; of
    labels that overlap, the latter is the subset accuracy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lib.core.intervals import Bools, Floats
from lib.evaluation.evaluation import Evaluation


@dataclass(frozen=True)
class Overall:
    """How good a prompt set is as a whole."""

    macro_f1: float | None
    """0 to 1."""
    accuracy: float | None
    """0 to 1."""
    f1: Mapping[str, float]
    """F1 of each true label as the truth spells it, as ``macro_f1`` counts it, in the order of the truth."""

    def to_dict(self) -> dict[str, float | None]:
        """Return what the command line prints."""
        return {"macro_f1": self.macro_f1, "accuracy": self.accuracy}


@dataclass(frozen=True, eq=False)
class Counts:
    """Seconds in blocks of the video, or their sums in resamples of them; ``b`` rows."""

    labels: tuple[str, ...]
    """The true labels as the truth spells them, ``q``."""
    hits: Floats
    """``(b, q)``."""
    false_alarms: Floats
    misses: Floats
    right: Floats
    """Seconds in which exactly the true labels are found, ``(b,)``."""
    seconds: Floats
    """Evaluated seconds, ``(b,)``."""

    def weighted(self, times: Floats) -> Counts:
        """Return the sums of blocks that are drawn ``times``, ``(n, b)``."""
        parts = (self.hits, self.false_alarms, self.misses, self.right, self.seconds)
        return Counts(self.labels, *(times @ part for part in parts))

    def f1(self) -> Floats:
        """Return F1 of each label in each row, ``(b, q)``; NaN where it isn't true there."""
        whole = 2 * self.hits + self.false_alarms + self.misses
        true = self.hits + self.misses > 0
        f1: Floats = np.divide(2 * self.hits, whole, out=np.full_like(whole, np.nan), where=true)
        return f1

    def macro_f1(self) -> Floats:
        """Return the mean F1 of the labels that are true in each row, ``(b,)``; NaN where none is."""
        f1 = self.f1()
        there = np.isfinite(f1)
        count = there.sum(axis=1)
        total = np.where(there, f1, 0.0).sum(axis=1)
        macro_f1: Floats = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
        return macro_f1

    def accuracy(self) -> Floats:
        """Return the accuracy in each row, ``(b,)``; NaN where no label is true."""
        known = (self.hits + self.misses > 0).any(axis=1) & (self.seconds > 0)
        accuracy: Floats = np.divide(self.right, self.seconds, out=np.full_like(self.right, np.nan), where=known)
        return accuracy


def overall(evaluation: Evaluation) -> Overall:
    """Return the overall score of an analysis against its truth."""
    counts = count(evaluation, np.zeros(0))
    f1 = dict(zip(counts.labels, counts.f1()[0].tolist(), strict=True))
    macro_f1, accuracy = (float(values[0]) for values in (counts.macro_f1(), counts.accuracy()))
    return Overall(None if np.isnan(macro_f1) else macro_f1, None if np.isnan(accuracy) else accuracy, f1)


def count(evaluation: Evaluation, edges: Floats) -> Counts:
    """Return the seconds of an evaluation in the ``b`` blocks between ``b - 1`` increasing ``edges`` (seconds)."""
    alignment = evaluation.alignment
    seconds = alignment.seconds
    names, true, found = _true_and_found(evaluation)
    block = np.searchsorted(edges, alignment.bounds[:-1], side="right")

    def add(values: Bools) -> Floats:
        sums = np.zeros((len(edges) + 1, *values.shape[1:]))
        np.add.at(sums, block, (values.T * seconds).T)
        return sums

    return Counts(
        tuple(alignment.spellings[name] for name in names),
        hits=add(true & found),
        false_alarms=add(found & ~true),
        misses=add(true & ~found),
        right=add((true == found).all(axis=1)),
        seconds=add(np.ones(len(seconds), dtype=bool)),
    )


def right(evaluation: Evaluation) -> Bools:
    """Return in which pieces exactly the true labels are found, ``(m,)``."""
    _, true, found = _true_and_found(evaluation)
    same: Bools = (true == found).all(axis=1)
    return same


def _true_and_found(evaluation: Evaluation) -> tuple[list[str], Bools, Bools]:
    """Return the true labels, and where each is true and where it counts as found, ``(m, q)`` each."""
    analysis, alignment = evaluation.analysis, evaluation.alignment
    columns = np.flatnonzero(alignment.seconds @ alignment.truth > 0)
    names, rows = [alignment.labels[column] for column in columns], alignment.rows
    invented = {prompt.label for prompt in analysis.prompts if prompt.role != "background"} - set(names)
    claimed = np.array([label in invented for label in analysis.sample_labels], dtype=bool)
    found = np.zeros((len(rows), len(names)), dtype=bool)
    for column, name in enumerate(names):
        if name in evaluation.by_label:
            found[:, column] = (analysis.active[:, analysis.column(name)] & ~claimed)[rows]
    return names, alignment.truth[:, columns], found
