"""All scenes by name, with how often each is drawn for training."""

from __future__ import annotations

from tools.scenes.abstract import Black, ColourField, Thing
from tools.scenes.base import Scene
from tools.scenes.bottles import BottleTable
from tools.scenes.cards import Credits, TitleCard
from tools.scenes.construction import ConstructionSite
from tools.scenes.indoor import Kitchen, LivingRoom, Office
from tools.scenes.landscape import Desert, Forest, Meadow, Mountains, SnowField
from tools.scenes.outdoor import FootballPitch, Seaside
from tools.scenes.shipyard import Shipyard
from tools.scenes.square import CitySquare
from tools.scenes.urban import CityStreet, Road, Skyline

WEIGHTS: dict[type[Scene], float] = {
    FootballPitch: 1.0,
    Seaside: 1.0,
    ConstructionSite: 1.3,
    Shipyard: 1.3,
    CityStreet: 1.4,
    Road: 1.6,
    Skyline: 0.8,
    Mountains: 0.9,
    Forest: 0.9,
    SnowField: 0.8,
    Desert: 0.6,
    Meadow: 0.7,
    Kitchen: 1.0,
    Office: 0.9,
    LivingRoom: 1.1,
    Black: 0.15,
    ColourField: 0.5,
    Thing: 1.3,
    TitleCard: 0.9,
    Credits: 0.6,
    BottleTable: 1.1,
}
LIT_CITY: dict[type[Scene], float] = {CitySquare: 1.0}
"""Drawn apart, and mixed in: nights that are bright with lamps and screens, as real ones in a city are."""
SCENES: dict[str, type[Scene]] = {cls.name: cls for cls in (*WEIGHTS, *LIT_CITY)}
