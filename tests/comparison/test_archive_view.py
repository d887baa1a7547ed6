"""What of an archive is shown, and in which order."""

from __future__ import annotations

from typing import Any

import pytest

from lib.comparison.archive_view import ORDERS, ArchiveView, VideoFacts, shown
from lib.comparison.categories import LabelInVideo, VideoCategories


def label(name: str, share: float = 0.0, mean: float = 0.0, **more: Any) -> LabelInVideo:
    """Return a label that is there for a share of ten seconds."""
    role = more.pop("role", "target")
    first = more.pop("first_seen_s", 0.0 if share else None)
    return LabelInVideo(name, role, share > 0, share, 10 * share, first, share, 1.0, mean, **more)


WINE = {"role": "restricted", "times_s": ((1.0, 2.0),)}
VIDEOS = {
    "1": VideoCategories((label("sea", 0.5, 0.9), label("football"), label("wine", 0.1, first_seen_s=4.0, **WINE))),
    "2": VideoCategories(
        (label("sea", 0.2, 0.1), label("football", 0.1, 0.8), label("wine", **WINE | {"times_s": ()}))
    ),
    "3": VideoCategories((label("sea"), label("football", 0.7, 0.9), label("wine", 0.3, first_seen_s=2.0, **WINE))),
    "4": VideoCategories((label("sea", 0, -1.0), label("football", 0, -2.0), label("rest", 0, 3.0, role="background"))),
}
FACTS = {
    "1": VideoFacts("Beach advert.mp4", 30.0, "Sea"),
    "2": VideoFacts("bay.mp4", 10.0, "football"),
    "3": VideoFacts("match.mp4", 90.0),
    "4": VideoFacts("wall advert.mp4", 20.0, "sea"),
}


@pytest.mark.parametrize(
    ("conditions", "keys"),
    [
        ({}, "2134"),
        ({"text": "ADVERT"}, "14"),
        ({"text": "advert beach"}, "1"),
        ({"categories": ("SEA",)}, "12"),
        ({"categories": ("football", "")}, "34"),
        ({"by": "mean", "categories": ("football",)}, "23"),
        ({"label": "wine"}, "13"),
        ({"label": "wine", "min_share": 0.2}, "3"),
        ({"min_share": 0.5}, "13"),
        ({"restricted": True}, "13"),
        ({"disagree": True}, "2"),
        ({"wrong": True}, "24"),
        ({"length_s": (15.0, 30.0)}, "14"),
        ({"label": "circus"}, ""),
        ({"restricted": True, "categories": ("sea",)}, "1"),
    ],
)
def test_each_condition_has_to_hold(conditions: dict[str, Any], keys: str) -> None:
    assert sorted(shown(VIDEOS, FACTS, ArchiveView(**conditions))) == sorted(keys)


@pytest.mark.parametrize(
    ("order", "label", "keys"),
    [
        ("category", None, "3124"),
        ("name", None, "2134"),
        ("length", None, "2413"),
        ("share", None, "3124"),
        ("share", "wine", "31"),
        ("duration", "sea", "12"),
        ("first_seen", "wine", "31"),
        ("peak", None, "3124"),
    ],
)
def test_the_order_is_of_the_label_looked_at_and_what_has_no_number_comes_last(
    order: Any, label: str | None, keys: str
) -> None:
    assert "".join(shown(VIDEOS, FACTS, ArchiveView(order=order, label=label))) == keys


@pytest.mark.parametrize("order", ORDERS)
def test_videos_of_equal_rank_come_by_name(order: Any) -> None:
    videos = dict.fromkeys("cab", VIDEOS["1"])
    facts = {key: VideoFacts(f"{key}.mp4", 10.0) for key in "cab"}
    assert "".join(shown(videos, facts, ArchiveView(order=order))) == "abc"
