"""Videos by what they mostly show: a category for each, which of them hold what is restricted, and how right that is.

Conventions: a video is named by a key that the caller chooses; all labels of a prompt set but backgrounds are the
categories; shares are 0 to 1, times in seconds; what doesn't exist is None, in tables NaN. Labels
are compared by ``lib.core.labelled_intervals.label_key``.

References:
    Accuracy, and a confusion matrix with one row per true category: scikit-learn, *Metrics and scoring*.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from lib.analysis.analysis import Analysis
from lib.analysis.metrics import LabelMetrics
from lib.analysis.segments import Segment
from lib.core.labelled_intervals import label_key

By = Literal["share", "mean"]
"""How a video's category is chosen: the label seen for the largest share, or that with the highest mean score."""
BY: tuple[By, ...] = get_args(By)
NUMBERS = ("share", "duration_s", "first_seen_s", "peak_score", "peak_s", "mean_score")
"""What is kept of a label in a video, beside whether it is there."""


@dataclass(frozen=True)
class LabelInVideo:
    """What is known of one label in one video; see ``lib.analysis.metrics.LabelMetrics``."""

    label: str
    role: str
    present: bool
    share: float
    duration_s: float
    first_seen_s: float | None
    peak_score: float | None
    peak_s: float | None
    mean_score: float | None
    times_s: tuple[tuple[float, float], ...] = ()
    """Segments ``[start, end)`` of a restricted label, in order; of others none are kept."""

    @classmethod
    def of(cls, metrics: LabelMetrics, segments: Sequence[Segment]) -> LabelInVideo:
        """Return what is kept of a label's metrics, and of its ``segments`` where it is restricted."""
        times_s = tuple((segment.start_s, segment.end_s) for segment in segments if segment.label == metrics.label)
        return cls(
            metrics.label,
            metrics.role,
            metrics.present,
            **{name: getattr(metrics, name) for name in NUMBERS},
            times_s=times_s if metrics.role == "restricted" else (),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain types; times only of a restricted label."""
        data = {name: getattr(self, name) for name in ("label", "role", "present", *NUMBERS)}
        return data | ({"times_s": [list(pair) for pair in self.times_s]} if self.role == "restricted" else {})


@dataclass(frozen=True)
class VideoCategories:
    """What a prompt set finds in one video, without its samples."""

    labels: tuple[LabelInVideo, ...]
    """One per enabled prompt, in order."""

    @cached_property
    def by_share(self) -> LabelInVideo | None:
        """The label that is seen for the largest share, of equal ones the one with the highest mean score."""
        found = [one for one in self.labels if one.role != "background" and one.present]
        return max(found, key=lambda one: (one.share, _number(one.mean_score)), default=None)

    @cached_property
    def by_mean(self) -> LabelInVideo | None:
        """The label with the highest mean score; None where a background's is higher, and without samples."""
        scored = [one for one in self.labels if one.mean_score is not None]
        best = max(scored, key=lambda one: _number(one.mean_score), default=None)
        return None if best is None or best.role == "background" else best

    def category(self, by: By) -> LabelInVideo | None:
        """Return the video's category, None where it has none."""
        return self.by_share if by == "share" else self.by_mean

    @property
    def agree(self) -> bool:
        """Whether both ways choose the same category, or none."""
        return self.by_share is self.by_mean

    @property
    def flagged(self) -> tuple[LabelInVideo, ...]:
        """The restricted labels that are there."""
        return tuple(one for one in self.labels if one.role == "restricted" and one.present)

    def of(self, label: str) -> LabelInVideo | None:
        """Return what is known of a label, None where no prompt is called that."""
        key = label_key(label)
        return next((one for one in self.labels if label_key(one.label) == key), None)


def categories_of(analysis: Analysis) -> VideoCategories:
    """Return what an analysis finds, as it is kept for a whole archive."""
    return VideoCategories(tuple(LabelInVideo.of(metrics, analysis.segments) for metrics in analysis.metrics))


def counts(videos: Mapping[str, VideoCategories], by: By) -> dict[str | None, int]:
    """Return how many videos each category has, the largest first; under None those without one, if any, last."""
    found = Counter(None if best is None else best.label for best in (one.category(by) for one in videos.values()))
    without = found.pop(None, 0)
    return dict(found.most_common()) | ({None: without} if without else {})


def labels_table(videos: Mapping[str, VideoCategories], names: Mapping[str, str]) -> pd.DataFrame:
    """Return one row per video and label: ``video`` (its key), ``name``, ``label``, ``role``, ``present``, ``NUMBERS``.

    Rows come in the order of ``videos``, then of the prompts.
    """
    rows = [
        (key, names.get(key, key), one.label, one.role, one.present, *(getattr(one, number) for number in NUMBERS))
        for key, video in videos.items()
        for one in video.labels
    ]
    frame = pd.DataFrame(rows, columns=["video", "name", "label", "role", "present", *NUMBERS])
    return frame.astype({"present": bool} | dict.fromkeys(NUMBERS, float))


def videos_table(
    videos: Mapping[str, VideoCategories], names: Mapping[str, str], true: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Return one row per video.

    Columns: ``video`` (its key), ``name``, ``category`` and its ``share``, ``category_by_mean`` and its ``mean_score``,
    ``agree``, ``restricted`` (labels, comma between them) and, where any category in ``true`` is given,
    ``true_category``.
    """
    chosen = videos.values()
    columns: dict[str, list[Any]] = {
        "video": list(videos),
        "name": [names.get(key, key) for key in videos],
        "category": [best and best.label for best in (video.by_share for video in chosen)],
        "share": [np.nan if best is None else best.share for best in (video.by_share for video in chosen)],
        "category_by_mean": [best and best.label for best in (video.by_mean for video in chosen)],
        "mean_score": [np.nan if best is None else best.mean_score for best in (video.by_mean for video in chosen)],
        "agree": [video.agree for video in chosen],
        "restricted": [", ".join(one.label for one in video.flagged) for video in chosen],
    }
    if true:
        columns["true_category"] = [true.get(key) for key in videos]
    numbers = {"share": float, "mean_score": float, "agree": bool}
    return pd.DataFrame({name: pd.Series(cells, dtype=numbers.get(name, object)) for name, cells in columns.items()})


@dataclass(frozen=True, eq=False)
class CategoryAccuracy:
    """How right the categories of the videos are whose true category is known."""

    videos: int
    right: int
    confusion: pd.DataFrame
    """How many videos, int64: one row per true category, one column per category found, those of the rows first; what
    has no category is in the last column, called ``nothing`` or, where a category is called so, ``(nothing)``."""
    wrong: tuple[str, ...]
    """Keys of the videos whose category is another one, or none."""

    @property
    def accuracy(self) -> float | None:
        """``right / videos``; None without videos."""
        return self.right / self.videos if self.videos else None


def category_accuracy(
    videos: Mapping[str, VideoCategories], true: Mapping[str, str], by: By, *, nothing: str = "nothing"
) -> CategoryAccuracy:
    """Return how right categories are; videos without a true category, and true ones of other videos, don't count.

    A category is spelled as in ``true`` where both have it.
    """
    spelled: dict[str, str] = {}
    for label in true.values():
        spelled.setdefault(label_key(label), label)
    pairs: list[tuple[str, str | None]] = []
    wrong: list[str] = []
    for key, video in videos.items():
        if key not in true:
            continue
        best = video.category(by)
        found = None if best is None else spelled.setdefault(label_key(best.label), best.label)
        known = spelled[label_key(true[key])]
        pairs.append((known, found))
        if found != known:
            wrong.append(key)
    rows = list(dict.fromkeys(known for known, _ in pairs))
    columns = list(dict.fromkeys([*rows, *(found for _, found in pairs if found is not None)]))
    while nothing in columns:
        nothing = f"({nothing})"
    confusion = pd.DataFrame(0, index=rows, columns=[*columns, nothing], dtype=np.int64)
    for (known, found), count in Counter(pairs).items():
        confusion.loc[known, nothing if found is None else found] = count
    return CategoryAccuracy(len(pairs), len(pairs) - len(wrong), confusion, tuple(wrong))


def _number(value: float | None) -> float:
    return -np.inf if value is None else value
