"""A reel of thirteen adverts: a title card before each, closing credits; some categories come twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tools.samples.base import Shot, Shots
from tools.scenes.base import Scene
from tools.scenes.bottles import BottleTable
from tools.scenes.cards import Credits, TitleCard
from tools.scenes.colour import RGB
from tools.scenes.indoor import Kitchen
from tools.scenes.landscape import Forest, Mountains
from tools.scenes.outdoor import FootballPitch, Seaside
from tools.scenes.urban import CityStreet, Road

CARD_S, ADVERT_S, OPENING_S, CREDITS_S = 1.5, 4.0, 2.0, 5.0
DARK: RGB = (0.08, 0.08, 0.10)
LIGHT: RGB = (0.97, 0.96, 0.93)


@dataclass(frozen=True)
class Advert:
    """A scene with its seed and light, and its card: title, line below, ground, accent, ornament."""

    label: str
    scene: type[Scene]
    seed: int
    light: str | None
    card: tuple[str, str, RGB, RGB, str]


ADVERTS = (
    Advert(
        "football pitch",
        FootballPitch,
        103,
        "day",
        ("UNITED", "ONE TEAM, ONE SATURDAY", (0.08, 0.30, 0.18), (0.95, 0.85, 0.25), "frame"),
    ),
    Advert(
        "seaside",
        Seaside,
        101,
        "day",
        ("BLUE HOUR", "TAKE YOUR TIME", (0.93, 0.92, 0.88), (0.10, 0.42, 0.62), "rule"),
    ),
    Advert(
        "wine bottle",
        BottleTable,
        106,
        None,
        ("CASA VERDE", "SINCE 1952", (0.30, 0.05, 0.10), (0.86, 0.70, 0.36), "ring"),
    ),
    Advert(
        "city street",
        CityStreet,
        102,
        "day",
        ("MERIDIAN", "GET THERE BY TRAM", (0.95, 0.76, 0.16), (0.12, 0.12, 0.14), "corner"),
    ),
    Advert(
        "kitchen",
        Kitchen,
        102,
        None,
        ("HOLM & SONS", "MADE FOR EVERY DAY", (0.20, 0.36, 0.46), (0.95, 0.92, 0.86), "band"),
    ),
    Advert(
        "mountains",
        Mountains,
        101,
        "day",
        ("ALTA", "THE LONG WAY HOME", (0.88, 0.90, 0.92), (0.78, 0.22, 0.18), "dots"),
    ),
    Advert(
        "football pitch",
        FootballPitch,
        102,
        "night",
        ("NIGHT LEAGUE", "COME AND SEE", (0.05, 0.06, 0.16), (0.35, 0.75, 0.95), "corner"),
    ),
    Advert(
        "country road",
        Road,
        103,
        "day",
        ("VELA", "NEW THIS SEASON", (0.12, 0.12, 0.13), (0.93, 0.45, 0.12), "rule"),
    ),
    Advert(
        "seaside",
        Seaside,
        108,
        "sunset",
        ("SUNDAY", "FEEL AT HOME", (0.95, 0.55, 0.38), (1.00, 0.93, 0.80), "ring"),
    ),
    Advert(
        "wine bottle",
        BottleTable,
        112,
        None,
        ("HARVEST", "SMALL THINGS MATTER", (0.16, 0.10, 0.14), (0.80, 0.30, 0.36), "frame"),
    ),
    Advert(
        "forest",
        Forest,
        103,
        "day",
        ("PINE & CO", "BOOTS FOR A LIFE", (0.22, 0.30, 0.18), (0.92, 0.86, 0.70), "plain"),
    ),
    Advert(
        "kitchen",
        Kitchen,
        105,
        None,
        ("KINDRED", "A BETTER MORNING", (0.96, 0.94, 0.90), (0.85, 0.35, 0.25), "dots"),
    ),
    Advert(
        "city street",
        CityStreet,
        102,
        "night",
        ("LUMEN", "LIGHT FOR THE CITY", (0.03, 0.03, 0.05), (1.00, 0.84, 0.45), "band"),
    ),
)


def _card(title: str, below: str, ground: RGB, accent: RGB, style: str) -> Callable[[TitleCard], None]:
    def prepare(card: TitleCard) -> None:
        card.title, card.below, card.ground, card.accent, card.style = title, below, ground, accent, style
        card.ink = DARK if sum(ground) > 1.5 else LIGHT
        card.size, card.weight = 0.95, 0.14

    return prepare


def _pass_by(road: Road) -> None:
    name, colour, _, speed, lane = road.cars[0]
    road.cars[0] = (name, colour, -speed * ADVERT_S / 2, speed, lane)


def _roll(credit: Credits) -> None:
    credit.start, credit.stacked = 0.35, False


def _shots() -> list[Shot]:
    opening = _card("ADVERT REEL", "SPRING 2026", (0.07, 0.08, 0.12), (0.95, 0.40, 0.25), "rule")
    shots = [Shot("title card", TitleCard, 1, None, 0.0, OPENING_S, prepare=opening)]
    t = OPENING_S
    for i, one in enumerate(ADVERTS):
        shots.append(Shot("title card", TitleCard, 2 + i, None, t, t + CARD_S, prepare=_card(*one.card)))
        t += CARD_S
        arrange = _pass_by if one.label == "country road" else None
        shots.append(Shot(one.label, one.scene, one.seed, one.light, t, t + ADVERT_S, prepare=arrange))
        t += ADVERT_S
    shots.append(Shot("credits", Credits, 9, None, t, t + CREDITS_S, prepare=_roll))
    return shots


SAMPLE = Shots(
    name="advert_reel",
    shots=_shots(),
    notes=(
        "Thirteen rendered adverts of 4 s with a title card of 1.5 s before each, an opening card and closing "
        "credits; hard cuts. Football pitch, seaside, city street and kitchen come twice. The wine bottle, a "
        "restricted item, is on screen twice."
    ),
    size=(960, 540),
    crf=27,
)
