"""Two analyses of one video side by side: where they agree, and which scores differ most.

Conventions: times in seconds. Both sides may differ in sampling and engine, so time is cut at the bounds of both
sides' samples, and everything counts by its seconds. The time compared begins with the first sample of either side
and ends with the video. Labels are matched by ``label_key``.

Each side has one label at a time, or none: ``Analysis.sample_labels``, of several (decision ``threshold``) the one with
the highest score. ``iou`` and the metrics take every label by itself instead.

References:
    Kappa: Cohen, *A coefficient of agreement for nominal scales*, 1960, by scikit-learn's ``cohen_kappa_score``.
    IoU: Jaccard's index, of the seconds that a label has on either side.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.metrics import cohen_kappa_score

from lib.analysis.analysis import Analysis
from lib.analysis.metrics import LabelMetrics
from lib.core.formatting import format_duration, format_time
from lib.core.intervals import Bools, Floats, Ints, cut, match_labels, sample_at, sampled
from lib.core.labelled_intervals import no_label_name
from lib.core.samples import TIME_TOLERANCE_S

COMPARED = ("present", "first_seen_s", "duration_s", "share", "segments", "mean_score", "peak_score")
"""The metrics of ``metrics_frame``, in order."""
_IN_SCORE = ("mean_score", "peak_score")
_LARGE = 0.25
"""What counts as a change, in standard deviations of the scores of both sides."""
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Disagreement:
    """Half-open interval over which both sides have two different labels; None is no label."""

    start_s: float
    end_s: float
    a: str | None
    b: str | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain types."""
        return {"start_s": self.start_s, "end_s": self.end_s, "a": self.a, "b": self.b}


@dataclass(frozen=True)
class Moved:
    """A sample whose score of one label differs much between both sides."""

    time_s: float
    """Of A's sample."""
    sample_a: int
    """Index of the sample in A."""
    sample_b: int
    """Index of the sample of B that stands for the same moment."""
    frame_a: int
    frame_b: int
    label_a: str | None
    label_b: str | None
    score_a: float
    score_b: float
    change: float
    """What it was picked by: ``score_b - score_a``, or the difference of the ranks (-1 to 1) of unlike scores."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two analyses of one video; made by ``compare``."""

    a: Analysis
    b: Analysis
    matches: Mapping[str, str]
    """Label of A -> label of B of the same name."""
    bounds: Floats
    """Where either side's sample changes, ``(m + 1,)``, in seconds."""
    codes_a: Ints
    """A's label in each piece as a place in ``names``, ``(m,)``."""
    codes_b: Ints
    names: tuple[str | None, ...]
    """A's labels, then those that only B has, then None for no label."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels that both sides have, as A spells them, in A's order."""
        return tuple(self.matches)

    @property
    def only_a(self) -> tuple[str, ...]:
        """Labels that only A has."""
        return tuple(label for label in self.a.labels if label not in self.matches)

    @property
    def only_b(self) -> tuple[str, ...]:
        """Labels that only B has."""
        taken = set(self.matches.values())
        return tuple(label for label in self.b.labels if label not in taken)

    @cached_property
    def seconds(self) -> Floats:
        """Length of each piece, ``(m,)``; 0 where neither side has a sample, since nothing is known there."""
        known = [sample_at(side.samples, self.bounds[:-1]) >= 0 for side in (self.a, self.b)]
        return np.diff(self.bounds) * np.logical_or(*known)

    @cached_property
    def agreement(self) -> float | None:
        """Share of the time with the same label (or with none on both sides), 0 to 1; None without samples."""
        total = float(self.seconds.sum())
        if not total:
            return None
        return min(1.0, float(self.seconds[self.codes_a == self.codes_b].sum()) / total)

    @cached_property
    def kappa(self) -> float | None:
        """Agreement beyond chance, Cohen's kappa, -1 to 1.

        None where it is undefined: there is no sample, or both sides have one and the same label all the time.
        """
        table = self._table
        rows, columns = np.nonzero(table)
        if not len(rows) or len({*rows.tolist(), *columns.tolist()}) == 1:
            return None
        return float(cohen_kappa_score(rows, columns, sample_weight=table[rows, columns]))

    @cached_property
    def iou(self) -> dict[str, float | None]:
        """Seconds in which both sides have a label divided by those in which either has it; None where neither does.

        One entry for each of ``labels``; all labels of a sample count, not the best one alone.
        """
        result: dict[str, float | None] = {}
        for label, other in self.matches.items():
            in_a, in_b = self._has(self.a, label), self._has(self.b, other)
            either = float(self.seconds[in_a | in_b].sum())
            result[label] = float(self.seconds[in_a & in_b].sum()) / either if either else None
        return result

    @cached_property
    def disagreements(self) -> tuple[Disagreement, ...]:
        """Where labels differ, in order of time; neighbours with the same two labels are one."""
        pair = self.codes_a * len(self.names) + self.codes_b
        first = np.flatnonzero(np.diff(pair, prepend=-1))
        stop = np.append(first[1:], len(pair))
        runs = zip(
            self.bounds[first].tolist(),
            self.bounds[stop].tolist() if len(first) else [],
            self.codes_a[first].tolist(),
            self.codes_b[first].tolist(),
            strict=True,
        )
        return tuple(
            Disagreement(start, end, self.names[a], self._name_b(b))
            for start, end, a, b in runs
            if a != b and end - start > TIME_TOLERANCE_S
        )

    @cached_property
    def found_differently(self) -> dict[str, float]:
        """Seconds in which one side alone has a label, of several at a time too; labels without any are left out."""
        pairs = [*self.matches.items(), *((label, None) for label in self.only_a)]
        result = {}
        for label, other in [*pairs, *((None, label) for label in self.only_b)]:
            absent = np.zeros(len(self.seconds), dtype=bool)
            in_a = absent if label is None else self._has(self.a, label)
            in_b = absent if other is None else self._has(self.b, other)
            seconds = float(self.seconds[in_a != in_b].sum())
            if seconds > TIME_TOLERANCE_S:
                result[label or other or ""] = seconds
        return result

    def to_decide(self, most: int = 4) -> tuple[int, ...]:
        """Return A's samples to look at to decide which side is right, in order of time; at most ``most``.

        Each is in the middle of a long difference: first of the longest of each pair of labels, then of others.
        """
        longest = sorted(self.disagreements, key=lambda span: span.start_s - span.end_s)
        seen: set[tuple[str | None, str | None]] = set()
        first: list[Disagreement] = []
        again: list[Disagreement] = []
        for span in longest:
            (again if (span.a, span.b) in seen else first).append(span)
            seen.add((span.a, span.b))
        middles = np.array([(span.start_s + span.end_s) / 2 for span in [*first, *again]])
        rows = [row for row in sample_at(self.a.samples, middles).tolist() if row >= 0]
        return tuple(sorted([*dict.fromkeys(rows)][:most]))

    @property
    def summary(self) -> str:
        """Where both sides differ, in words, and at which times to look to decide; nothing says which is better."""
        if self.agreement is None:
            return "There is no sample to compare."
        spans = self.disagreements
        if not spans:
            beside = [f"{label} ({format_duration(seconds)})" for label, seconds in self.found_differently.items()]
            if beside:
                best = "A and B give the same best label all the time"
                return f"{best}, and differ in others beside it: {', '.join(beside)}."
            return "A and B give the same label all the time."
        longest = max(spans, key=lambda span: span.end_s - span.start_s)
        total = sum(span.end_s - span.start_s for span in spans)
        where = "in one place" if len(spans) == 1 else f"in {len(spans):,} places, the longest"
        times = ", ".join(format_time(float(self.a.samples.times_s[row])) for row in self.to_decide())
        return (
            f"A and B differ for {format_duration(total)} of {format_duration(float(self.seconds.sum()))}, {where} "
            f"{format_time(longest.start_s)} – {format_time(longest.end_s)}: A says {longest.a or 'nothing'}, "
            f"B says {longest.b or 'nothing'}. Without ground truth neither is better; look at {times} to decide."
        )

    @cached_property
    def confusion(self) -> pd.DataFrame:
        """Seconds that A's label (rows) and B's label (columns) share; both end with "nothing"."""
        ours, theirs = self.a.labels, self.b.labels
        place = {name: i for i, name in enumerate(self.names)}
        back = {other: label for label, other in self.matches.items()}
        rows = [*(place[label] for label in ours), len(self.names) - 1]
        columns = [*(place[back.get(label, label)] for label in theirs), len(self.names) - 1]
        return pd.DataFrame(
            self._table[np.ix_(rows, columns)],
            index=pd.Index([*ours, no_label_name(ours)], name="A"),
            columns=pd.Index([*theirs, no_label_name(theirs)], name="B"),
        )

    @property
    def same_score(self) -> bool:
        """Whether both sides have the same kind of score, so that their scores can be compared."""
        return self.a.prompt_set.settings.score == self.b.prompt_set.settings.score

    def metrics_frame(self) -> pd.DataFrame:
        """Return one row per label: ``label``, ``side`` (both, a or b), and for each of ``COMPARED`` three columns.

        They end with ``_a``, ``_b`` and ``_difference`` (B minus A; of ``present`` -1, 0 or 1). Numbers are float64
        with NaN for what a side lacks and for differences of unlike scores; ``present_a`` and ``present_b`` are True,
        False or None.
        """
        metrics_b = dict(zip(self.b.labels, self.b.metrics, strict=True))
        pairs: list[tuple[str, LabelMetrics | None, LabelMetrics | None]] = [
            (label, metrics, metrics_b.get(self.matches.get(label, "")) if label in self.matches else None)
            for label, metrics in zip(self.a.labels, self.a.metrics, strict=True)
        ]
        pairs += [(label, None, metrics_b[label]) for label in self.only_b]
        columns: dict[str, Any] = {
            "label": pd.Series([label for label, _, _ in pairs], dtype=object),
            "side": pd.Series([_side(a, b) for _, a, b in pairs], dtype=object),
        }
        for name in COMPARED:
            values = [[None if side is None else getattr(side, name) for side in (a, b)] for _, a, b in pairs]
            numbers = np.array(values, dtype=float).reshape(-1, 2)
            for place, side in enumerate("ab"):
                column: Any = numbers[:, place]
                if name == "present":
                    column = pd.Series([row[place] for row in values], dtype=object)
                columns[f"{name}_{side}"] = column
            unlike = name in _IN_SCORE and not self.same_score
            columns[f"{name}_difference"] = numbers[:, 1] - numbers[:, 0] if not unlike else np.nan
        return pd.DataFrame(columns)

    def score_pairs(self, label: str) -> pd.DataFrame:
        """Return one row for each of A's samples that B has a sample for: both smoothed scores of ``label``.

        B's sample is the one that stands for the time of A's. Columns: ``time_s``, ``sample_a`` and ``sample_b``
        (indices), ``frame_a``, ``frame_b``, ``a``, ``b``.

        Raises:
            KeyError: not in ``labels``.
        """
        column_a, column_b = self.a.column(label), self.b.column(self.matches[label])
        rows_b = sample_at(self.b.samples, self.a.samples.times_s)
        rows_a = np.flatnonzero(rows_b >= 0)
        rows_b = rows_b[rows_a]
        return pd.DataFrame(
            {
                "time_s": self.a.samples.times_s[rows_a],
                "sample_a": rows_a,
                "sample_b": rows_b,
                "frame_a": self.a.samples.frames[rows_a],
                "frame_b": self.b.samples.frames[rows_b],
                "a": self.a.scores[rows_a, column_a],
                "b": self.b.scores[rows_b, column_b],
            }
        )

    def moved(self, label: str, k: int = 8, *, min_gap_s: float = 1.0) -> tuple[Moved, ...]:
        """Return the ``k`` samples (at least ``min_gap_s`` apart) whose score of ``label`` differs most, most first.

        Scores of the same kind are compared as they are; those of different kinds (a cosine and a probability) by
        their ranks among all samples, as their units differ. Only differences of a quarter of the standard deviation of
        both sides' scores (or ranks) qualify.

        Raises:
            KeyError: not in ``labels``.
        """
        pairs = self.score_pairs(label)
        a, b = pairs["a"].to_numpy(), pairs["b"].to_numpy()
        if not self.same_score and len(pairs) > 1:
            a, b = (stats.rankdata(side) / (len(pairs) - 1) for side in (a, b))
        change = b - a
        least = max(_LARGE * float(np.append(a, b).std()), _ROUNDING) if len(pairs) else 0.0
        times = pairs["time_s"].to_numpy()
        picked: list[int] = []
        for row in np.argsort(-np.abs(change), kind="stable").tolist():
            if len(picked) >= k or abs(change[row]) < least:
                break
            if all(abs(times[row] - times[other]) >= min_gap_s - TIME_TOLERANCE_S for other in picked):
                picked.append(row)
        rows = pairs.iloc[picked].to_dict("records")
        return tuple(
            Moved(
                time_s=float(row["time_s"]),
                sample_a=int(row["sample_a"]),
                sample_b=int(row["sample_b"]),
                frame_a=int(row["frame_a"]),
                frame_b=int(row["frame_b"]),
                label_a=self.a.sample_labels[int(row["sample_a"])],
                label_b=self.b.sample_labels[int(row["sample_b"])],
                score_a=float(row["a"]),
                score_b=float(row["b"]),
                change=float(change[index]),
            )
            for index, row in zip(picked, rows, strict=True)
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the command line's ``agreement``: share, kappa, iou and disagreements, as plain types."""
        return {
            "share": self.agreement,
            "kappa": self.kappa,
            "iou": dict(self.iou),
            "disagreements": [span.to_dict() for span in self.disagreements],
        }

    @cached_property
    def _table(self) -> Floats:
        """Seconds of each pair of labels, ``(len(names), len(names))``."""
        size = len(self.names)
        pairs = self.codes_a * size + self.codes_b
        return np.bincount(pairs, self.seconds, size * size).astype(np.float64).reshape(size, size)

    def _has(self, side: Analysis, label: str) -> Bools:
        """Return in which pieces ``side`` gives ``label``; where it has no sample (-1), the False at the end counts."""
        return np.append(side.active[:, side.column(label)], False)[sample_at(side.samples, self.bounds[:-1])]

    def _name_b(self, code: int) -> str | None:
        name = self.names[code]
        return None if name is None else self.matches.get(name, name)


def compare(a: Analysis, b: Analysis) -> Comparison:
    """Return two analyses of the same video side by side; see the module for what counts."""
    matches = match_labels(a.labels, b.labels)
    taken = set(matches.values())
    names = (*a.labels, *(label for label in b.labels if label not in taken), None)
    spans = [sampled(side.samples) for side in (a, b)]
    bounds = cut(
        min(start for start, _ in spans),
        max(end for _, end in spans),
        a.samples.times_s,
        b.samples.times_s,
        a.samples.gaps_s.ravel(),
        b.samples.gaps_s.ravel(),
        np.array([end for _, end in spans]),
    )
    places: dict[str | None, int] = {name: i for i, name in enumerate(names)}
    places_b: dict[str | None, int] = {other: places[label] for label, other in matches.items()}
    return Comparison(
        a=a,
        b=b,
        matches=matches,
        bounds=bounds,
        codes_a=_codes(a, bounds, places),
        codes_b=_codes(b, bounds, {**places, **places_b}),
        names=names,
    )


def _codes(side: Analysis, bounds: Floats, places: Mapping[str | None, int]) -> Ints:
    codes = np.array([*(places[label] for label in side.sample_labels), places[None]], dtype=np.int64)
    return codes[sample_at(side.samples, bounds[:-1])]  # -1, no sample, is the last one: no label


def _side(a: LabelMetrics | None, b: LabelMetrics | None) -> str:
    if a is None:
        return "b"
    return "a" if b is None else "both"
