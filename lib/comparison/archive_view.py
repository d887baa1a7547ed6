"""Which videos of a classified archive are shown, and in which order.

Conventions: as in ``lib.comparison.categories``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from lib.comparison.categories import By, LabelInVideo, VideoCategories
from lib.core.labelled_intervals import label_key

Order = Literal["category", "name", "length", "share", "duration", "first_seen", "peak"]
ORDERS: tuple[Order, ...] = get_args(Order)
"""Share, duration, first seen and peak are those of the label looked at; without one, of each video's category."""


@dataclass(frozen=True)
class ArchiveView:
    """What is shown of an archive; each condition that is set has to hold."""

    by: By = "share"
    text: str = ""
    """Words that all have to be in the video's name, in any case."""
    categories: tuple[str, ...] = ()
    """Videos of any of these categories; an empty name stands for videos without one."""
    label: str | None = None
    """Videos that have this label."""
    min_share: float = 0.0
    """Share of the video, 0 to 1, that ``label``, else the category, has at least."""
    restricted: bool = False
    """Only videos that hold what is restricted."""
    disagree: bool = False
    """Only videos whose category differs by share and by mean score."""
    wrong: bool = False
    """Only videos whose category isn't the true one, of those where that is known."""
    length_s: tuple[float, float] | None = None
    """Shortest and longest, in seconds."""
    order: Order = "category"


@dataclass(frozen=True)
class VideoFacts:
    """What is known of a video beside its categories."""

    name: str
    duration_s: float
    true_category: str | None = None


def shown(videos: Mapping[str, VideoCategories], facts: Mapping[str, VideoFacts], view: ArchiveView) -> list[str]:
    """Return the keys of the videos that ``view`` shows, in its order; by name where that says nothing.

    Shares, durations and peaks come largest first, first seen and lengths smallest first; what has none comes last.
    """
    wanted = {label_key(category) for category in view.categories}
    kept = [key for key, video in videos.items() if _is_shown(video, facts[key], view, wanted)]
    rank = _RANKS[view.order]
    return sorted(kept, key=lambda key: (*rank(videos[key], facts[key], view), facts[key].name.casefold(), key))


def looked_at(video: VideoCategories, view: ArchiveView) -> LabelInVideo | None:
    """Return the label that conditions and orders are about: the one chosen, else the video's category."""
    return video.category(view.by) if view.label is None else video.of(view.label)


def _is_shown(video: VideoCategories, facts: VideoFacts, view: ArchiveView, categories: set[str]) -> bool:
    best = video.category(view.by)
    found = looked_at(video, view)
    name = facts.name.casefold()
    low, high = view.length_s or (0.0, float("inf"))
    return (
        all(word in name for word in view.text.casefold().split())
        and (not categories or _key(best) in categories)
        and (view.label is None or (found is not None and found.present))
        and (view.min_share <= 0 or (found is not None and found.share >= view.min_share))
        and (not view.restricted or bool(video.flagged))
        and (not view.disagree or not video.agree)
        and (not view.wrong or is_wrong(best, facts))
        and low <= facts.duration_s <= high
    )


def is_wrong(category: LabelInVideo | None, facts: VideoFacts) -> bool:
    """Return whether a video's category is known to be another one."""
    return facts.true_category is not None and label_key(facts.true_category) != _key(category)


def _key(label: LabelInVideo | None) -> str:
    return "" if label is None else label_key(label.label)


def _last(value: float | None, sign: int = 1) -> tuple[bool, float]:
    return value is None, 0.0 if value is None else sign * value


_Rank = Callable[[VideoCategories, VideoFacts, ArchiveView], tuple[Any, ...]]
_RANKS: Mapping[Order, _Rank] = {
    "category": lambda video, facts, view: (
        (best := video.category(view.by)) is None,
        _key(best),
        -best.share if best else 0.0,
    ),
    "name": lambda video, facts, view: (),
    "length": lambda video, facts, view: (facts.duration_s,),
    "share": lambda video, facts, view: _last(_of(video, view, "share"), -1),
    "duration": lambda video, facts, view: _last(_of(video, view, "duration_s"), -1),
    "first_seen": lambda video, facts, view: _last(_of(video, view, "first_seen_s")),
    "peak": lambda video, facts, view: _last(_of(video, view, "peak_score"), -1),
}


def _of(video: VideoCategories, view: ArchiveView, number: str) -> float | None:
    found = looked_at(video, view)
    return None if found is None else getattr(found, number)
