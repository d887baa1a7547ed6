"""What smoothing, hysteresis, merging of gaps and minimum duration changed, exactly counted.

Each is compared with the same analysis without it: smoothing with the decision by the raw scores, hysteresis with the
decision at a band of 0, merging and minimum duration with what came before them (``lib.analysis.segments``). What a
setting that is off did is None, and nothing is computed for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.analysis.segments import breaks_of, decide, members_of, merge_and_drop, runs_of
from lib.core.formatting import format_duration, plural, shortened
from lib.core.samples import TIME_TOLERANCE_S, Samples
from lib.prompts.model import Prompt, PromptSet, Settings, Smoothing

_Bools = NDArray[np.bool_]
_Floats = NDArray[np.float64]
_NAMED = 3  # labels that hold gaps, in a sentence


@dataclass(frozen=True)
class Smoothed:
    """What smoothing did."""

    changed: int
    """Samples with other labels than by the raw scores."""
    samples: int
    """Samples in all."""


@dataclass(frozen=True)
class Held:
    """What hysteresis did."""

    kept_s: float
    """Seconds of the samples whose labels it changed, most of them by keeping the label of the sample before."""


@dataclass(frozen=True)
class Merged:
    """What merging gaps did, to the gaps that are short enough for it."""

    merged: int
    """Gaps closed: pieces of a label that are one piece now, less one."""
    merged_s: float
    """Seconds of the samples that got a label by it, or another one."""
    held: tuple[tuple[str, int], ...]
    """Gaps that another label holds, by the label that has most of their time, in the prompts' order."""
    at_cuts: int
    """Gaps that stay for a cut in them or at their edge."""
    possible: bool
    """False where every sample has a label that none may take from it, so that no gap can ever be closed."""


@dataclass(frozen=True)
class Dropped:
    """What the minimum duration did."""

    pieces: int
    """Pieces dropped."""
    unlabelled_s: float
    """Seconds of the samples that had a label until then, and have none now."""


@dataclass(frozen=True)
class Effects:
    """What the settings did; None for those that are off."""

    settings: Settings
    smoothing: Smoothed | None = None
    hysteresis: Held | None = None
    merging: Merged | None = None
    minimum: Dropped | None = None

    def sentences(self) -> list[str]:
        """Return one sentence per setting that is on: smoothing, hysteresis, merging, minimum duration."""
        found = (self._smoothing(), self._hysteresis(), self._merging(), self._minimum())
        return [sentence for sentence in found if sentence]

    def to_dict(self) -> dict[str, Any]:
        """Return plain types, with the settings that are on as keys."""
        data: dict[str, Any] = {}
        if self.smoothing is not None:
            data["smoothing"] = {"changed_samples": self.smoothing.changed, "samples": self.smoothing.samples}
        if self.hysteresis is not None:
            data["hysteresis"] = asdict(self.hysteresis)
        if self.merging is not None:
            data["merging"] = asdict(self.merging) | {"held": dict(self.merging.held)}
        if self.minimum is not None:
            data["min_duration"] = {"dropped": self.minimum.pieces, "unlabelled_s": self.minimum.unlabelled_s}
        return data

    def _smoothing(self) -> str:
        if self.smoothing is None:
            return ""
        number = plural(self.smoothing.samples, "sample")
        return f"Smoothing changed the labels of {self.smoothing.changed:,} of {number}."

    def _hysteresis(self) -> str:
        if self.hysteresis is None:
            return ""
        if self.settings.smoothing.kind == "viterbi":
            return f"Hysteresis changed the labels of {format_duration(self.hysteresis.kept_s)}."
        return f"Hysteresis kept labels {format_duration(self.hysteresis.kept_s)} longer."

    def _merging(self) -> str:
        merging = self.merging
        if merging is None:
            return ""
        length = f"{self.settings.bridge_s:g} s"
        if not merging.possible:
            holders = _holders(merging.held)
            return (
                "Merging can't close any gap: with “Best label” every sample has a label, and a target is never "
                f"replaced{f' ({holders} up to {length})' if holders else ''}."
            )
        stayed = [_holders(merging.held), f"{merging.at_cuts:,} at a cut" if merging.at_cuts else ""]
        kept = ", ".join(filter(None, stayed))
        closed = f", {format_duration(merging.merged_s)}" if merging.merged else ""
        return f"{plural(merging.merged, 'gap')} up to {length} merged{closed}{f' ({kept})' if kept else ''}."

    def _minimum(self) -> str:
        dropped = self.minimum
        if dropped is None:
            return ""
        hole = f"; {format_duration(dropped.unlabelled_s)} now without any label" if dropped.unlabelled_s else ""
        return f"{plural(dropped.pieces, 'piece')} under {self.settings.min_duration_s:g} s dropped{hole}."


def _holders(held: Sequence[tuple[str, int]]) -> str:
    named = [
        f"{count:,} {'' if place else 'held '}by “{shortened(label, 40)}”" for place, (label, count) in enumerate(held)
    ]
    if len(named) > _NAMED + 1:
        named[_NAMED:] = [f"{sum(count for _, count in held[_NAMED:]):,} by other labels"]
    return ", ".join(named)


def effects_of(
    prompt_set: PromptSet,
    samples: Samples,
    cuts: _Bools | None,
    *,
    raw: _Floats,
    scores: _Floats,
    decided: _Bools,
    active: _Bools,
) -> Effects:
    """Return what the settings did; the arrays are those of ``lib.analysis.analysis.Analysis``, ``(n, p)``."""
    prompts, settings, spans_s = prompt_set.enabled, prompt_set.settings, samples.spans_s
    thresholds = np.array([prompt_set.threshold_of(prompt) for prompt in prompts])
    smoothing = hysteresis = merging = minimum = None
    if settings.smoothing.kind != "none":
        plain = decide(raw, thresholds, replace(settings, smoothing=Smoothing()), samples, cuts)
        smoothing = Smoothed(int((plain != decided).any(axis=1).sum()), len(samples))
    if settings.hysteresis:
        plain = decide(scores, thresholds, replace(settings, hysteresis=0.0), samples, cuts)
        hysteresis = Held(float(spans_s[(plain != decided).any(axis=1)].sum()))
    merged = decided
    if settings.bridge_s:
        roles = [prompt.role for prompt in prompts]
        merged = merge_and_drop(decided, roles, samples, replace(settings, min_duration_s=0.0), cuts)
        possible = settings.decision != "best" or "background" in roles or bool(len(samples.gaps_s))
        merging = replace(_merging(prompts, samples, settings, cuts, decided, merged), possible=possible)
    if settings.min_duration_s:
        dropped = merged & ~active
        pieces = runs_of(dropped, breaks_of(samples, settings.bridge_s, cuts))[0]
        minimum = Dropped(len(pieces), float(spans_s[dropped.any(axis=1) & ~active.any(axis=1)].sum()))
    return Effects(settings, smoothing, hysteresis, merging, minimum)


def _merging(
    prompts: Sequence[Prompt],
    samples: Samples,
    settings: Settings,
    cuts: _Bools | None,
    decided: _Bools,
    merged: _Bools,
) -> Merged:
    """Return what became of each gap between two pieces of a label in ``decided`` that is short enough."""
    columns, first, stop = runs_of(decided, breaks_of(samples, 0.0))
    same = columns[1:] == columns[:-1]
    columns, left, right = columns[1:][same], stop[:-1][same] - 1, first[1:][same]  # the samples beside each gap
    lengths_s = samples.times_s[right] - samples.ends_s[left]
    short = lengths_s <= settings.bridge_s + TIME_TOLERANCE_S
    columns, left, right, lengths_s = columns[short], left[short], right[short], lengths_s[short]
    # One number per piece after merging, over all labels: a gap is closed where both its sides have the same.
    piece = np.full(merged.shape, -1)
    runs, starts, ends = runs_of(merged, breaks_of(samples, settings.bridge_s, cuts))
    rows, which = members_of(starts, ends)
    piece[rows, runs[which]] = which
    before, after = piece[left, columns], piece[right, columns]
    closed = (before >= 0) & (before == after)
    passed = np.append(0, np.cumsum(np.zeros(len(samples)) if cuts is None else cuts))
    cut = ~closed & (passed[right + 1] > passed[left + 1])
    held = np.flatnonzero(~closed & ~cut)
    seconds = np.vstack([np.zeros(merged.shape[1]), np.cumsum(merged * samples.spans_s[:, None], axis=0)])
    inside = seconds[right[held] + 1] - seconds[left[held]]
    inside[np.arange(len(held)), columns[held]] = -1.0
    counts = Counter(inside.argmax(axis=1).tolist())
    named = tuple((prompts[column].label, counts[column]) for column in sorted(counts))
    return Merged(int(closed.sum()), float(lengths_s[closed].sum()), named, int(cut.sum()), possible=True)
