"""What a person would type to find a moment of the sample videos, and where it is."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.samples.base import Segment


@dataclass(frozen=True)
class Where:
    """Segments of one label in one video: all of them, or the ``nth`` (from 1)."""

    video: str
    label: str
    nth: int | None = None


@dataclass(frozen=True)
class Query:
    """A text and every place in all the samples that it is right about."""

    text: str
    right: tuple[Where, ...]


def _at(text: str, *right: tuple[str, str] | tuple[str, str, int]) -> Query:
    return Query(text, tuple(Where(*one) for one in right))


FIVE, REEL, WALK, DRIVE = "five_scenes", "advert_reel", "room_walk", "night_drive_vfr"
QUERIES = (
    _at("building site with a crane", (FIVE, "construction site")),
    _at("excavator", (FIVE, "construction site")),
    _at("ship in a dock", (FIVE, "shipyard")),
    _at("shipping containers", (FIVE, "shipyard")),
    _at("people playing football", (FIVE, "football pitch"), (REEL, "football pitch")),
    _at("football match at night", (REEL, "football pitch", 2)),
    _at("beach with parasols", (FIVE, "seaside"), (REEL, "seaside")),
    _at("beach at sunset", (REEL, "seaside", 2)),
    _at("palm trees by the sea", (FIVE, "seaside"), (REEL, "seaside")),
    _at("street with cars and people", (FIVE, "city street"), (REEL, "city street")),
    _at("city street at night", (REEL, "city street", 2)),
    _at("bottle of wine on a table", (REEL, "wine bottle")),
    _at("glass of wine", (REEL, "wine bottle")),
    _at("closing credits", (REEL, "credits")),
    _at("title card", (REEL, "title card")),
    _at("snowy mountains", (REEL, "mountains")),
    _at("path in a forest", (REEL, "forest")),
    _at("orange car", (REEL, "country road")),
    _at("somebody cooking in a kitchen", (REEL, "kitchen")),
    _at("kitchen with a stove and a fridge", (REEL, "kitchen"), (WALK, "kitchen")),
    _at("tiles on a bathroom wall", (WALK, "tile wall")),
    _at("staircase", (WALK, "stairs")),
    _at("television", (WALK, "television")),
    _at("couch", (WALK, "couch")),
    _at("table with chairs", (WALK, "table")),
    _at("wooden door", (WALK, "door")),
    _at("plain wall", (WALK, "wall")),
    _at("red car", (DRIVE, "red car")),
    _at("driving in the rain at night", (DRIVE, "rain")),
    _at("road at night", (DRIVE, "night")),
    _at("road at sunset", (DRIVE, "sunset")),
    _at("country road by day", (DRIVE, "day"), (REEL, "country road")),
)


def write_queries(target: Path, truths: Mapping[str, Sequence[Segment]]) -> None:
    """Write the queries with the times that the ground truth gives, by name of the video."""
    rows = []
    for query in QUERIES:
        right = []
        for place in query.right:
            found = [s for s in truths[place.video] if s.label == place.label]
            for s in found if place.nth is None else found[place.nth - 1 : place.nth]:
                right.append(
                    {
                        "video": f"{place.video}.mp4",
                        "label": s.label,
                        "start_s": round(s.start_s, 4),
                        "end_s": round(s.end_s, 4),
                    }
                )
        rows.append({"text": query.text, "right": right})
    target.write_text(json.dumps({"queries": rows}, indent=1) + "\n", encoding="utf-8")
