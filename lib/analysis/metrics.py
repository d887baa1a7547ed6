"""Segments and scores -> metrics per label.

Conventions: times and durations in seconds; durations and means count samples by their spans; what doesn't
exist is None, not 0. Presence, times and durations come from the segments, so after smoothing, bridging
and minimum duration; mean and peak score are over the whole video, also of a label that is absent.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.analysis.segments import Segment
from lib.core.samples import Samples
from lib.prompts.model import Prompt, Role


@dataclass(frozen=True)
class LabelMetrics:
    """What is known about one label in one video; the fields are the keys of the command line's JSON."""

    label: str
    role: Role
    present: bool
    """Whether there is a segment."""
    first_seen_s: float | None
    """Start of the first segment."""
    last_seen_s: float | None
    """End of the last segment."""
    duration_s: float
    """Sum of the segments' lengths."""
    share: float
    """``duration_s`` by the video's length, 0 to 1. Gaps are part of that length and belong to no label."""
    segments: int
    longest_s: float | None
    """Length of the longest segment."""
    mean_score: float | None
    """Mean smoothed score over all samples, weighted with their spans; None without samples."""
    peak_score: float | None
    """Highest smoothed score of all samples."""
    peak_s: float | None
    """Time of the first sample that has it."""
    peak_cosine: float | None = None
    """Highest cosine of all samples, before smoothing; only beside relative scores."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain types; ``peak_cosine`` only where there is one."""
        data = asdict(self)
        if self.peak_cosine is None:
            del data["peak_cosine"]
        return data


def label_metrics(
    segments: Sequence[Segment],
    scores: NDArray[np.float64],
    samples: Samples,
    prompts: Sequence[Prompt],
    *,
    cosine: NDArray[np.float64] | None = None,
) -> tuple[LabelMetrics, ...]:
    """Return the metrics of each label.

    Args:
        segments: of all labels.
        scores: smoothed, ``(n, p)``.
        samples: times and spans.
        prompts: the enabled ones.
        cosine: of each sample with each prompt, ``(n, p)``, beside relative scores.
    """
    by_label: dict[str, list[Segment]] = {prompt.label: [] for prompt in prompts}
    for segment in segments:
        by_label[segment.label].append(segment)
    if len(samples):
        spans = samples.spans_s
        peak_rows = scores.argmax(axis=0)
        means = ((spans @ scores) / spans.sum()).tolist()
        peaks = scores[peak_rows, np.arange(len(prompts))].tolist()
        peaks_s = samples.times_s[peak_rows].tolist()
    else:
        means = peaks = peaks_s = [None] * len(prompts)
    result = []
    for column, prompt in enumerate(prompts):
        of_label = by_label[prompt.label]
        duration_s = math.fsum(segment.duration_s for segment in of_label)
        result.append(
            LabelMetrics(
                label=prompt.label,
                role=prompt.role,
                present=bool(of_label),
                first_seen_s=of_label[0].start_s if of_label else None,
                last_seen_s=max(segment.end_s for segment in of_label) if of_label else None,
                duration_s=duration_s,
                share=duration_s / samples.duration_s if samples.duration_s > 0 else 0.0,
                segments=len(of_label),
                longest_s=max(segment.duration_s for segment in of_label) if of_label else None,
                mean_score=means[column],
                peak_score=peaks[column],
                peak_s=peaks_s[column],
                peak_cosine=None if cosine is None or not len(samples) else float(cosine[:, column].max()),
            )
        )
    return tuple(result)
