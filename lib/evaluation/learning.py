"""What prompts can learn from ground truth: per label a vector that takes the place of the words' vector.

**The fit** is ridge regression shrunk to the words' vector t instead of to 0. Over samples x with cosine c = x·t,

    d = argmin Σ w (x·d - r)² + strength |d|²,    v = (t + d) / |t + d|.

The residual r moves only what is wrong, or right by less than a margin: with ``needed`` the cosine from which the label
is found (``lib.analysis.needed_cosine``), r = max(0, needed + margin - c) where the label is there, and
r = -max(0, c - needed + margin) where it is not. The margin is half of how far apart the words hold the two, so it fits
the scale of each engine's cosines. Weights w are the time that samples stand for, half of the total where the label is
there and half where it is not. With fewer samples than numbers in a vector the dual is solved, d = Aᵀ (A Aᵀ + strength
I)⁻¹ b with A = √w x and b = √w r. As v is made a unit vector, ``needed`` and margin count times |t + d|, which a few
rounds find. Scores so stay on the words' scale, and thresholds keep their meaning.

**The strength** is the one of ``STRENGTHS`` with the best F1 by time on left-out parts; of equals the strongest. A part
is a true segment with half of the gap to its neighbours, over all videos.

**Whether to use it** is decided on parts that neither the vector nor the strength was fitted on (nested): every part
gets its scores from vectors learned without it, with a strength chosen without it. With these scores the whole analysis
runs, and its F1 is compared with the words' by ``lib.evaluation.bootstrap``. Only where the interval lies above 0 the
label is ``better``. The intervals hold at 95 % for all labels that are tried together (Bonferroni's correction): each
by itself at 95 %, one of three labels of pure noise looked better in 13 of 100 tries, so in 4. With fewer than three
parts nothing could tell, so it never is.

References:
    Huang et al., *LP++: A Surprisingly Strong Linear Probe for Few-Shot CLIP*, CVPR 2024: a linear probe whose class
    vectors blend pictures with the text's. Hoerl and Kennard, *Ridge regression*, 1970; its dual: Saunders, Gammerman
    and Vovk, *Ridge Regression Learning Algorithm in Dual Variables*, 1998. Nested selection: Varma and Simon, *Bias in
    error estimation when using cross-validation for model selection*, 2006.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from lib.analysis.analysis import Analysis
from lib.analysis.needed_cosine import needed_cosine
from lib.core.intervals import Bools, Floats, Ints
from lib.core.labelled_intervals import TrueSegment, label_key
from lib.evaluation.alignment import align
from lib.evaluation.bootstrap import LEVEL, Difference, f1_differences_of_videos
from lib.evaluation.evaluation import Evaluation, evaluate
from lib.evaluation.threshold_search import EQUAL_F1
from lib.prompts.learned import Learned, pack
from lib.prompts.model import PromptSet

STRENGTHS = (1.0, 0.1, 0.01, 0.001)
"""How strongly a vector is shrunk to the words', the strongest first; weights of the samples sum to 1."""
MIN_PARTS = 3
"""Parts from which left-out ones can tell whether learning helps."""
MAX_PARTS = 8
"""With more true segments than this, several share a part."""
MAX_SAMPLES = 1_200
"""Samples that a vector is fitted on, evenly chosen; neighbouring frames look alike."""
RESAMPLES = 4_000
"""Of the bootstrap: the more labels, the farther out the ends of their intervals lie."""
MIN_MARGIN = 0.005
"""Smallest margin, in cosine."""
_ROUNDS = 6


@dataclass(frozen=True, eq=False)
class Marked:
    """A video with ground truth, and what the words (nothing learned) find in it."""

    analysis: Analysis
    truth: tuple[TrueSegment, ...]


@dataclass(frozen=True, eq=False)
class LabelLearning:
    """What one label could learn, and whether that is better on left-out parts."""

    label: str
    segments: int
    """True segments that it was learned from."""
    videos: int
    """Videos that they lie in."""
    strength: float
    vector: NDArray[np.float32]
    """Unit vector ``(d,)``."""
    difference: Difference | None
    """F1 by time of the words (A) and of what was learned (B), on left-out parts; None with too few of them."""
    better: bool
    """Whether the interval lies above 0, and with it the mean over all labels is no worse: only then it is used."""

    @property
    def sentence(self) -> str:
        """The result in words."""
        start = f"{self.label}: "
        if self.difference is None:
            few = "one true segment" if self.segments == 1 else f"{self.segments} true segments"
            return (
                f"{start}stays with its words, as {few} can't tell whether learning helps elsewhere; mark {MIN_PARTS}."
            )
        before, after = self.difference.f1_a, self.difference.f1_b
        if before is None or after is None or self.difference.low is None or self.difference.high is None:
            return f"{start}stays with its words, as its F1 is undefined on left-out segments."
        low, high = (round(value, 2) + 0.0 for value in (self.difference.low, self.difference.high))
        figures = (
            f"F1 on left-out segments {before:.2f} → {after:.2f}; the 95 % interval of the difference is "
            f"{low:.2f} to {high:.2f}"
        )
        if self.better:
            return f"{start}learning is better: {figures}."
        why = "but the mean over all labels gets worse" if self.difference.low > 0 else "not above 0"
        return f"{start}stays with its words: {figures}, {why}."

    def learned(self, prompt_set: PromptSet, engine_id: str) -> Learned:
        """Return what becomes part of the label's prompt in ``prompt_set``."""
        prompt = next(one for one in prompt_set.prompts if label_key(one.label) == label_key(self.label))
        digest = prompt_set.digest_of(prompt)
        return Learned(engine_id, digest, self.segments, self.videos, self.strength, pack(self.vector.tolist()))


@dataclass(frozen=True, eq=False)
class Learning:
    """What the labels of a prompt set could learn."""

    labels: tuple[LabelLearning, ...]
    """Those that the truth names, in the prompt set's order."""
    f1_before: float | None
    """Mean F1 of these labels with their words; None without any."""
    f1_after: float | None
    """The same on left-out parts, with what is ``better`` in use."""

    @property
    def better(self) -> tuple[LabelLearning, ...]:
        """The labels for which learning is better."""
        return tuple(label for label in self.labels if label.better)

    @property
    def sentence(self) -> str:
        """The result in one sentence."""
        if not self.labels or self.f1_before is None or self.f1_after is None:
            return (
                "Nothing can be learned: the ground truth has no time of a prompt's label, or the label is there "
                "whatever its score is, as a single one is with the best label."
            )
        if not self.better:
            return "Learning is not shown to be better for any label, so the words stay."
        labels = "label" if len(self.labels) == 1 else "labels"
        return (
            f"Learning is better for {len(self.better)} of {len(self.labels)} {labels}: mean F1 on left-out segments "
            f"{self.f1_before:.2f} → {self.f1_after:.2f}."
        )

    def apply(self, prompt_set: PromptSet, engine_id: str) -> PromptSet:
        """Return ``prompt_set`` with what is better; other labels that were tried get their words back.

        What was learned with other engines stays.
        """
        result = prompt_set.without_learned(engine_id, [label.label for label in self.labels])
        learned = {label_key(label.label): label.learned(prompt_set, engine_id) for label in self.better}
        prompts = tuple(
            replace(prompt, learned=(*prompt.learned, learned[label_key(prompt.label)]))
            if label_key(prompt.label) in learned
            else prompt
            for prompt in result.prompts
        )
        return replace(result, prompts=prompts)


def learn(marked: Sequence[Marked], rows: NDArray[np.float32], labels: Iterable[str] | None = None) -> Learning:
    """Return what prompts can learn from the ground truth of videos.

    Args:
        marked: videos, one or more, analysed with the same prompt set and engine, ``labels`` by their words.
        rows: the prompts' vectors that the analyses were made with, float32 ``(p, d)``.
        labels: of enabled prompts; None: all that the truth names. Others keep the vectors that they have.

    Raises:
        KeyError: no enabled prompt has one of ``labels``.
    """
    first = marked[0].analysis
    columns = range(len(first.labels)) if labels is None else [first.column(label) for label in labels]
    tries = [one for one in (_Try.of(marked, column, rows[column]) for column in columns) if one is not None]
    before = [evaluate(one.analysis, one.truth) for one in marked]
    chosen = [one.nested() for one in tries]
    fair = [(one, scores) for one, scores in zip(tries, chosen, strict=True) if scores is not None]
    differences, better, after = _compare(marked, before, fair)
    results = tuple(
        LabelLearning(
            label=first.labels[one.column],
            segments=one.segments,
            videos=one.videos,
            strength=one.strength,
            vector=one.vector,
            difference=differences.get(one.column),
            better=one.column in better,
        )
        for one in tries
    )
    tried = [result.label for result in results]
    return Learning(results, _mean_f1(before, tried), _mean_f1(after, tried))


def _compare(
    marked: Sequence[Marked], before: Sequence[Evaluation], tries: Sequence[tuple[_Try, list[Floats]]]
) -> tuple[dict[int, Difference], set[int], Sequence[Evaluation]]:
    """Return each label's difference, the labels that are better, and the evaluations with these.

    All labels are changed at first, as they may compete; then those that are not better go back to their words, until
    all that are left are better with each other.
    """
    differences: dict[int, Difference] = {}
    used = list(tries)
    level = 1 - (1 - LEVEL) / max(1, len(tries))
    while used:
        after = [_with_columns(one, used, place) for place, one in enumerate(marked)]
        found = f1_differences_of_videos(list(zip(before, after, strict=True)), seed=0, n=RESAMPLES, level=level)
        of_used = {one.column: found[marked[0].analysis.labels[one.column]] for one, _ in used}
        differences |= of_used
        better = {column for column, one in of_used.items() if one.shown and (one.difference or 0.0) > 0}
        if len(better) == len(used):
            names = list(found)  # with the decision "best" other labels may lose what these gain
            if (_mean_f1(after, names) or 0.0) >= (_mean_f1(before, names) or 0.0):
                return differences, better, after
            break
        used = [one for one in used if one[0].column in better]
    return differences, set(), before


def _with_columns(marked: Marked, tries: Sequence[tuple[_Try, list[Floats]]], place: int) -> Evaluation:
    """Return the evaluation of video ``place`` with left-out cosines of these labels."""
    cosine = marked.analysis.cosine.copy()
    for one, columns in tries:
        cosine[:, one.column] = columns[place]
    return evaluate(marked.analysis.with_cosine(cosine), marked.truth)


def _mean_f1(evaluations: Sequence[Evaluation], labels: Sequence[str]) -> float | None:
    """Return the mean over ``labels`` of F1 over the seconds of all videos."""
    values = []
    for label in labels:
        of_label = [one.by_label[label] for one in evaluations if one.by_label[label].known]
        hits, wrong = (sum(getattr(one, name) for one in of_label) for name in ("hits_s", "support_s"))
        found = hits + sum(one.false_alarms_s for one in of_label)
        if found + wrong:
            values.append(2 * hits / (found + wrong))
    return float(np.mean(values)) if values else None


@dataclass(frozen=True, eq=False)
class _Try:
    """One label over all videos: samples, what they should be, and the part that each belongs to."""

    column: int
    words: Floats
    """Unit vector ``(d,)``."""
    vectors: NDArray[np.float32]
    """``(n, d)``, of the videos whose truth names the label."""
    needed: Floats
    """``(n,)``."""
    true: Floats
    """Seconds of each sample's span in which the label is there, ``(n,)``."""
    false: Floats
    """Seconds in which it is not, ``(n,)``."""
    part: Ints
    """``(n,)``, from 0 to ``parts - 1``."""
    parts: int
    segments: int
    videos: int
    bounds: tuple[tuple[int, int] | None, ...]
    """Rows of each video, first and beyond the last; None for one whose truth doesn't name the label."""
    cosines: tuple[Floats, ...]
    """The words' cosines in each video."""
    _fits: dict[tuple[int, ...], Floats] = field(default_factory=dict)

    @classmethod
    def of(cls, marked: Sequence[Marked], column: int, words: NDArray[np.float32]) -> _Try | None:
        """Return the label of ``column``; None where no truth has a second of it, or it is found whatever its score."""
        pieces: list[tuple[NDArray[np.float32], Floats, Floats, Floats, Ints]] = []
        bounds: list[tuple[int, int] | None] = []
        segments = rows = parts = 0
        for one in marked:
            analysis, samples = one.analysis, one.analysis.samples
            label = analysis.labels[column]
            alignment = align(samples, analysis.labels, one.truth)
            true = alignment.true_seconds(label, samples)
            needed = needed_cosine(analysis, column)
            if not true.any() or not np.isfinite(needed).all():
                bounds.append(None)
                continue
            part = alignment.parts(label, samples, 10 * MAX_PARTS)
            pieces.append((samples.vectors, needed, true, np.maximum(samples.spans_s - true, 0.0), part + parts))
            parts += int(part.max()) + 1
            segments += len(alignment.intervals[label])
            bounds.append((rows, rows + len(samples)))
            rows += len(samples)
        if not pieces:
            return None
        vectors, needed, true, false, part = (np.concatenate(arrays) for arrays in zip(*pieces, strict=True))
        part = np.unique(part, return_inverse=True)[1]  # one between two samples has none
        parts = int(part.max()) + 1
        if parts > MAX_PARTS:
            part, parts = part * MAX_PARTS // parts, MAX_PARTS
        of_video = tuple(one.analysis.cosine[:, column] for one in marked)
        unit = words.astype(np.float64) / np.linalg.norm(words)
        return cls(
            column, unit, vectors, needed, true, false, part, parts, segments, len(pieces), tuple(bounds), of_video
        )

    @property
    def strength(self) -> float:
        """The strength that is best on parts left out one by one."""
        return STRENGTHS[self._choose(())]

    @property
    def vector(self) -> NDArray[np.float32]:
        """The vector learned from all parts with ``strength``, ``(d,)``."""
        vector: NDArray[np.float32] = self._fit(())[self._choose(())].astype(np.float32)
        return vector

    def nested(self) -> list[Floats] | None:
        """Return each video's cosines, every part's by vectors learned and chosen without it; None with few parts."""
        if self.parts < MIN_PARTS:
            return None
        scores = self.vectors @ self.words.astype(np.float32)
        for part in range(self.parts):
            rows = self.part == part
            vector = self._fit((part,))[self._choose((part,))]
            scores[rows] = self.vectors[rows] @ vector.astype(np.float32)
        return [
            words if rows is None else np.clip(scores[rows[0] : rows[1]].astype(np.float64), -1.0, 1.0)
            for rows, words in zip(self.bounds, self.cosines, strict=True)
        ]

    def _choose(self, without: tuple[int, ...]) -> int:
        """Return which strength is best on the parts but ``without``, each left out of the fit in its turn."""
        rest = [part for part in range(self.parts) if part not in without]
        totals = sum(self._counted(tuple(sorted((*without, part))), part) for part in rest)
        hits, false_alarms, misses = np.asarray(totals)
        whole = 2 * hits + false_alarms + misses
        f1 = np.divide(2 * hits, whole, out=np.zeros_like(hits), where=whole > 0)
        return int(np.flatnonzero(f1 >= f1.max() - EQUAL_F1)[0])

    def _counted(self, without: tuple[int, ...], part: int) -> Floats:
        """Return hits, false alarms and misses in ``part`` in seconds with each strength, ``(3, strengths)``."""
        rows = self.part == part
        found = self.vectors[rows] @ self._fit(without).T.astype(np.float32) >= self.needed[rows, None]
        true, false = self.true[rows], self.false[rows]
        return np.array([true @ found, false @ found, true @ ~found])

    def _fit(self, without: tuple[int, ...]) -> Floats:
        """Return the vector of each strength, learned from all parts but ``without``, ``(strengths, d)``."""
        if without not in self._fits:
            self._fits[without] = self._solve(~np.isin(self.part, without))
        return self._fits[without]

    def _solve(self, rows: Bools) -> Floats:
        from scipy.linalg import cho_factor, cho_solve

        there = self.true > self.false
        chosen = np.concatenate([_evenly(np.flatnonzero(rows & side), MAX_SAMPLES // 2) for side in (there, ~there)])
        x, true = self.vectors[chosen].astype(np.float64), there[chosen]
        if not true.any() or true.all():
            return np.tile(self.words, (len(STRENGTHS), 1))
        seconds = (self.true + self.false)[chosen]
        weights = np.where(true, seconds / (2 * seconds[true].sum()), seconds / (2 * seconds[~true].sum()))
        cosine, needed = x @ self.words, self.needed[chosen]
        margin = max(float(weights @ np.where(true, cosine, -cosine)), MIN_MARGIN)
        a, root = x * np.sqrt(weights)[:, None], np.sqrt(weights)
        dual = len(a) < a.shape[1]
        gram = a @ a.T if dual else a.T @ a
        fitted = []
        for strength in STRENGTHS:
            factor = cho_factor(gram + strength * np.eye(len(gram)))
            vector, length = self.words, 1.0
            for _ in range(_ROUNDS):
                lacking = np.maximum(length * (needed + margin) - cosine, 0.0)
                exceeding = np.maximum(cosine - length * (needed - margin), 0.0)
                b = root * np.where(true, lacking, -exceeding)
                vector = self.words + (a.T @ cho_solve(factor, b) if dual else cho_solve(factor, a.T @ b))
                length = float(np.linalg.norm(vector))
            fitted.append(vector / length)
        return np.array(fitted)


def _evenly(rows: Ints, most: int) -> Ints:
    """Return at most ``most`` of ``rows``, evenly chosen."""
    return rows if len(rows) <= most else rows[np.linspace(0, len(rows) - 1, most).astype(np.int64)]
