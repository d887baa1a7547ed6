"""Scoring -> segments -> metrics as one pure call, and tables and answers of the result.

Conventions: ``n`` samples, ``p`` enabled prompts in the prompt set's order; times in seconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lib.analysis.effects import Effects, effects_of
from lib.analysis.metrics import LabelMetrics, label_metrics
from lib.analysis.pictures import prompt_rows
from lib.analysis.reference import Reference, reference_of, reference_vectors
from lib.analysis.scoring import cosine_scores, raw_scores, smooth, spikes, vector_change
from lib.analysis.segments import Segment, decide, find_segments, merge_and_drop
from lib.analysis.shots import Shot, find_shots
from lib.core.formatting import format_duration, format_time, percent
from lib.core.samples import TIME_TOLERANCE_S, Samples
from lib.prompts.model import Prompt, PromptSet, Smoothing

_Floats = NDArray[np.float64]
_Bools = NDArray[np.bool_]
_MIN_GAP_S = 1.0  # between any two of the samples that stand for a label
_BORDERLINE = 0.25  # of the standard deviation of a label's margins: so near to changing its decision
_SAMPLE_COLUMNS = ("frame", "time_s", "end_s", "label", "labels", "vector")


@dataclass(frozen=True, eq=False)
class Analysis:
    """What a prompt set finds in the samples of one video."""

    samples: Samples
    prompt_set: PromptSet
    cosine: _Floats
    """Cosine of each sample with each enabled prompt, ``(n, p)``."""
    raw: _Floats
    """The score that the settings ask for, before smoothing, ``(n, p)``."""
    scores: _Floats
    """The smoothed score: what decides, ``(n, p)``."""
    decided: _Bools
    """Labels of each sample by its scores alone, ``(n, p)``."""
    active: _Bools
    """Labels of each sample after bridging and minimum duration, as in the segments, ``(n, p)``."""
    segments: tuple[Segment, ...]
    """In order of start, then of label."""
    metrics: tuple[LabelMetrics, ...]
    """One per label, in order."""
    vector_change: _Floats
    """1 - cosine of each sample's vector with the one before, ``(n,)``; the first is 0."""
    reference: Reference | None = None
    """What relative scores are relative to; None for the other scores."""

    @property
    def prompts(self) -> tuple[Prompt, ...]:
        """The enabled prompts: one per column."""
        return self.prompt_set.enabled

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """One per column."""
        return tuple(prompt.label for prompt in self.prompts)

    @cached_property
    def thresholds(self) -> _Floats:
        """The threshold of each label, its own or the settings' one, ``(p,)``; ``best`` uses none."""
        return np.array([self.prompt_set.threshold_of(prompt) for prompt in self.prompts])

    @property
    def uses_thresholds(self) -> bool:
        """Whether the decision compares scores with thresholds."""
        return self.prompt_set.settings.decision != "best"

    @property
    def is_relative(self) -> bool:
        """Whether scores are relative ones, beside which cosines are shown."""
        return self.prompt_set.settings.score == "relative"

    @cached_property
    def is_smoothed(self) -> bool:
        """Whether smoothing changed a score."""
        return self.raw is not self.scores and not np.array_equal(self.raw, self.scores)

    @cached_property
    def spikes(self) -> _Bools:
        """Where ``vector_change`` stands out, ``(n,)``: cuts and sudden events."""
        return spikes(self.vector_change)

    @property
    def cuts(self) -> _Bools | None:
        """Where smoothing, hysteresis, bridging and minimum duration begin anew, ``(n,)``; None where they don't."""
        return self.spikes if self.prompt_set.settings.stop_at_cuts else None

    @cached_property
    def effects(self) -> Effects:
        """What smoothing, hysteresis, merging and minimum duration changed."""
        return effects_of(
            self.prompt_set,
            self.samples,
            self.cuts,
            raw=self.raw,
            scores=self.scores,
            decided=self.decided,
            active=self.active,
        )

    @cached_property
    def shots(self) -> tuple[Shot, ...]:
        """What lies between two cuts, in order, whatever the settings do at cuts."""
        settings = self.prompt_set.settings
        return find_shots(self.raw, self.spikes, self.samples, self.labels, self.thresholds, settings)

    @cached_property
    def sample_labels(self) -> tuple[str | None, ...]:
        """The label of each sample: of several the one with the highest score; None without a label."""
        if not len(self.samples):
            return ()
        best = np.where(self.active, self.scores, -np.inf).argmax(axis=1)
        labels = [*self.labels, None]
        return tuple(labels[column] for column in np.where(self.active.any(axis=1), best, -1))

    def column(self, label: str) -> int:
        """Return the column of ``label``.

        Raises:
            KeyError: no enabled prompt is called that.
        """
        try:
            return self.labels.index(label)
        except ValueError:
            raise KeyError(label) from None

    def with_cosine(self, cosine: _Floats) -> Analysis:
        """Return what the prompt set finds with other cosines, ``(n, p)``."""
        change, reference = self.vector_change, self.reference
        return analyse(self.samples, self.prompt_set, {}, cosine=cosine, change=change, reference=reference)

    @cached_property
    def answers(self) -> tuple[str, ...]:
        """Whether each label is there, for how long, and when first, one per column: ``6.3 s, 37 %, first 0:07.1``.

        Of a background that is there only what share it leaves to the rest: ``rest: 63 %``.
        """
        return tuple(self._answer(column) for column in range(len(self.labels)))

    def answer_groups(self) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
        """Return the columns of targets that are found, longest first, of those that aren't, and of backgrounds."""
        targets = [column for column, prompt in enumerate(self.prompts) if prompt.role != "background"]
        found = sorted(
            (column for column in targets if self.metrics[column].present),
            key=lambda column: -self.metrics[column].duration_s,
        )
        absent = [column for column in targets if not self.metrics[column].present]
        rest = [column for column, prompt in enumerate(self.prompts) if prompt.role == "background"]
        return tuple(found), tuple(absent), tuple(rest)

    def _answer(self, column: int) -> str:
        metrics = self.metrics[column]
        if metrics.first_seen_s is None:
            return f"not found ({self._why_not(column)})"
        if metrics.role == "background":
            return f"rest: {percent(metrics.share)}"
        length, first = format_duration(metrics.duration_s), format_time(metrics.first_seen_s)
        return f"{length}, {percent(metrics.share)}, first {first}"

    def _why_not(self, column: int) -> str:
        """Return the best score of a label that is not found, and what else kept it out."""
        peak = self.metrics[column].peak_score
        if peak is None:
            return "there are no samples"
        threshold = float(self.thresholds[column])
        below = self.uses_thresholds and peak < threshold
        decimals = 2
        while below and decimals < 6 and f"{peak:.{decimals}f}" == f"{threshold:.{decimals}f}":
            decimals += 1  # "best score 0.25, threshold 0.25" would look like a mistake
        best = f"best score {peak:.{decimals}f}".replace("-", "−")
        if below:
            return f"{best}, threshold {threshold:.{decimals}f}".replace("-", "−")
        if not self.decided[:, column].any():
            return best + self._why_never(column)
        if self.metrics[column].role == "background":
            return f"{best}, only in gaps that were merged or pieces that were too short"
        return f"{best}, only in pieces shorter than {self.prompt_set.settings.min_duration_s:g} s"

    def _why_never(self, column: int) -> str:
        settings = self.prompt_set.settings
        if settings.smoothing.kind == "viterbi":
            alone = decide(self.scores, self.thresholds, replace(settings, smoothing=Smoothing(), hysteresis=0.0))
            if alone[:, column].any():
                return (
                    f", only in pieces too short or too faint for an expected stay of {settings.smoothing.stay_s:g} s"
                )
        return ""

    def decision_margin(self, label: str) -> _Floats:
        """Return how far each sample is from changing its decision, ``(n,)``: 0 or more where it has ``label``.

        Score minus threshold, score minus the best other, or the smaller of the two, depending on the decision
        (of this sample by itself: without hysteresis and ``viterbi``). Infinite where nothing could change it: a single
        label with the decision ``best``.
        """
        column = self.column(label)
        score = self.scores[:, column]
        above: _Floats = score - self.thresholds[column]
        if self.prompt_set.settings.decision == "threshold":
            return above
        others = np.delete(self.scores, column, axis=1)
        if self.uses_thresholds:
            others = np.where(others >= np.delete(self.thresholds, column), others, -np.inf)
        lead: _Floats = score - others.max(axis=1, initial=-np.inf)
        smaller: _Floats = np.minimum(lead, above) if self.uses_thresholds else lead
        return smaller

    def best_samples(self, label: str, k: int = 6) -> list[int]:
        """Return the at most ``k`` samples with the highest score of ``label``, a second or more apart, best first.

        Only those that have the label qualify, by their scores and in the segments.
        """
        column = self.column(label)
        has = self.decided[:, column] & self.active[:, column]
        return self._spread(np.where(has, -self.scores[:, column], np.inf), k)

    def borderline_samples(self, label: str, k: int = 6) -> list[int]:
        """Return the samples with ``decision_margin`` nearest 0, nearest first, apart as ``best_samples``.

        Only those within a quarter of the margins' standard deviation qualify.
        """
        margin = self.decision_margin(label)
        near = np.abs(margin) <= _BORDERLINE * (
            float(margin.std()) if len(margin) and np.isfinite(margin).all() else 0.0
        )
        return self._spread(np.where(near, np.abs(margin), np.inf), k)

    def most_changed_samples(self, k: int = 6) -> list[int]:
        """Return the ``spikes`` that differ most from the one before, apart as ``best_samples``."""
        return self._spread(np.where(self.spikes, -self.vector_change, np.inf), k)

    def _spread(self, cost: _Floats, k: int) -> list[int]:
        """Return up to ``k`` samples of low, finite ``cost``, cheapest first, no two close to each other."""
        times = self.samples.times_s
        picked: list[int] = []
        for sample in np.argsort(cost, kind="stable"):
            if len(picked) >= k or not np.isfinite(cost[sample]):
                break
            if all(
                abs(sample - other) > 1 and abs(times[sample] - times[other]) >= _MIN_GAP_S - TIME_TOLERANCE_S
                for other in picked
            ):
                picked.append(int(sample))
        return picked

    def samples_frame(self) -> pd.DataFrame:
        """Return one row per sample: frame, time_s, label (None without), and each label's smoothed score.

        Behind relative scores there are cosines, before smoothing, named with `` (cosine)``.

        A label that would repeat the name of a column, here or in a table with more of them, gets `` (score)`` after
        it.
        """
        columns: dict[str, Any] = {
            "frame": self.samples.frames,
            "time_s": self.samples.times_s,
            "label": pd.Series(self.sample_labels, dtype=object),
        }
        for column, label in enumerate(self.labels):
            name = label
            while name in columns or name in _SAMPLE_COLUMNS or (name != label and name in self.labels):
                name += " (score)"
            columns[name] = self.scores[:, column]
        for column, label in enumerate(self.labels if self.is_relative else ()):
            name = f"{label} (cosine)"
            while name in columns:
                name += " (cosine)"
            columns[name] = self.cosine[:, column]
        return pd.DataFrame(columns)

    def segments_frame(self) -> pd.DataFrame:
        """Return one row per segment: label, start_s, end_s, mean_score, peak_score, peak_s."""
        return _frame(self.segments, ("label", "start_s", "end_s", "mean_score", "peak_score", "peak_s"))

    def shots_frame(self) -> pd.DataFrame:
        """Return one row per shot: start_s, end_s, label (None without), mean_score."""
        return _frame(self.shots, ("start_s", "end_s", "label", "mean_score"))

    def metrics_frame(self) -> pd.DataFrame:
        """Return one row per label, the columns being the fields of ``LabelMetrics``; None becomes NaN."""
        frame = pd.DataFrame([metrics.to_dict() for metrics in self.metrics])
        times = ["first_seen_s", "last_seen_s", "longest_s", "mean_score", "peak_score", "peak_s"]
        return frame.astype(dict.fromkeys(times, float))

    def to_dict(self, *, samples: bool = False, shots: bool = False) -> dict[str, Any]:
        """Return the command line's ``prompt_set``, ``settings``, ``metrics`` and ``segments``; ``shots``, ``samples``.

        Plain Python types, None for what doesn't exist; scores are the smoothed ones.
        """
        prompt_set = self.prompt_set.to_dict()
        data = {
            "prompt_set": prompt_set,
            "settings": prompt_set.pop("settings"),
            "metrics": [metrics.to_dict() for metrics in self.metrics],
            "segments": [segment.to_dict() for segment in self.segments],
            "effects": self.effects.to_dict(),
        }
        if shots:
            data["shots"] = [shot.to_dict() for shot in self.shots]
        if samples:
            data["samples"] = list(self._sample_dicts())
        return data

    def _sample_dicts(self) -> Iterator[dict[str, Any]]:
        rows = zip(
            self.samples.frames.tolist(),
            self.samples.times_s.tolist(),
            self.sample_labels,
            self.scores.tolist(),
            self.cosine.tolist(),
            strict=True,
        )
        for frame, time_s, label, scores, cosines in rows:
            named = {"scores": dict(zip(self.labels, scores, strict=True))}
            if self.is_relative:
                named["cosines"] = dict(zip(self.labels, cosines, strict=True))
            yield {"frame": frame, "time_s": time_s, "label": label, **named}


def _frame(rows: Sequence[Segment | Shot], names: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            name: pd.Series([getattr(row, name) for row in rows], dtype=object if name == "label" else float)
            for name in names
        }
    )


def prompt_cosines(
    samples: Samples, prompt_set: PromptSet, text_vectors: Mapping[str, NDArray[np.float32]], engine_id: str = ""
) -> _Floats:
    """Return the cosine of each sample with each enabled prompt, float64 ``(n, p)``.

    Raises:
        PromptSetError, BadReplyError: as ``pictures.prompt_rows`` and ``scoring.cosine_scores`` of this package.
    """
    return cosine_scores(samples.vectors, prompt_rows(prompt_set, text_vectors, engine_id))


def analyse(
    samples: Samples,
    prompt_set: PromptSet,
    text_vectors: Mapping[str, NDArray[np.float32]],
    *,
    engine_id: str = "",
    cosine: _Floats | None = None,
    change: _Floats | None = None,
    reference: Reference | None = None,
) -> Analysis:
    """Return what ``prompt_set`` finds in ``samples``.

    Args:
        samples: of one video.
        prompt_set: with at least one enabled prompt.
        text_vectors: vector of every phrase in ``prompt_set.texts_to_embed``, and of pictures by ``picture_key``, of
            any length but 0; not looked at when ``cosine`` and, for relative scores, ``reference`` are given.
        engine_id: of the engine that the vectors are of: what prompts have learned with it is used.
        cosine: what ``prompt_cosines`` gave for the same vectors and wording, ``(n, p)``.
        change: what ``lib.analysis.scoring.vector_change`` gave for the same vectors, ``(n,)``.
        reference: what ``lib.analysis.reference.reference_of`` gave for the same vectors; only relative scores use it.

    Raises:
        PromptSetError: nothing is enabled, or a phrase has no vector.
        SettingsError: the score is a margin and there is no background or no target.
        BadReplyError: vectors of samples and prompts don't fit each other.
        ValueError: ``cosine`` or ``change`` has another shape.
    """
    if cosine is None:
        cosine = prompt_cosines(samples, prompt_set, text_vectors, engine_id)
    if change is None:
        change = vector_change(samples.vectors)
    prompts, settings = prompt_set.enabled, prompt_set.settings
    if cosine.shape != (len(samples), len(prompts)) or change.shape != (len(samples),):
        raise ValueError(
            f"cosine {cosine.shape} and change {change.shape} must have a row for each of {len(samples)} "
            f"samples and a column for each of {len(prompts)} prompts"
        )
    if settings.score == "relative":
        reference = reference or reference_of(samples, reference_vectors(text_vectors))
        raw = reference.relative(cosine)
    else:
        reference = None
        raw = raw_scores(cosine, prompt_set)
    cuts = spikes(change) if settings.stop_at_cuts else None
    scores = smooth(raw, settings.smoothing, cuts)
    thresholds = np.array([prompt_set.threshold_of(prompt) for prompt in prompts])
    decided = decide(scores, thresholds, settings, samples, cuts)
    active = merge_and_drop(decided, [prompt.role for prompt in prompts], samples, settings, cuts)
    segments = find_segments(active, scores, samples, [prompt.label for prompt in prompts], bridge_s=settings.bridge_s)
    metrics = label_metrics(segments, scores, samples, prompts, cosine=cosine if settings.score == "relative" else None)
    return Analysis(samples, prompt_set, cosine, raw, scores, decided, active, segments, metrics, change, reference)
