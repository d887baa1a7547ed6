"""All scenes by name, with how often each is drawn for training."""

from __future__ import annotations

from tools.scenes.abstract import Black, ColourField, Thing
from tools.scenes.base import Scene
from tools.scenes.bottles import BottleTable
from tools.scenes.cards import Credits, TitleCard
from tools.scenes.closeups import Flowers, FruitStand
from tools.scenes.construction import ConstructionSite
from tools.scenes.drive import DRIVES
from tools.scenes.events import Concert, Crowd, Cyclist, Market, Runner
from tools.scenes.flat_rooms import ROOM_VIEWS, Couch, Stroll
from tools.scenes.glow import Bokeh, LitNight, Static, Sunset, TestPattern
from tools.scenes.halls import Bathroom, Bedroom, Classroom, Library
from tools.scenes.indoor import Kitchen, LivingRoom, Office
from tools.scenes.landscape import Desert, Forest, Meadow, Mountains, SnowField
from tools.scenes.outdoor import FootballPitch, Seaside
from tools.scenes.outside import Bridge, Farm, Lake, SwimmingPool, Waterfall
from tools.scenes.public import BasketballCourt, Corridor, Restaurant, Supermarket
from tools.scenes.shipyard import Shipyard
from tools.scenes.spectacles import Clouds, Fire, Fireworks, NightSky, Underwater
from tools.scenes.square import CitySquare
from tools.scenes.things import Animal, Portrait, Single
from tools.scenes.transport import Airport, Harbour, ParkingLot, Railway, ShipAtSea
from tools.scenes.urban import CityStreet, Road, Skyline

WEIGHTS: dict[type[Scene], float] = {
    FootballPitch: 1.0,
    Seaside: 1.0,
    ConstructionSite: 1.3,
    Shipyard: 1.3,
    CityStreet: 1.3,
    Road: 1.7,
    Skyline: 0.8,
    CitySquare: 1.2,
    Mountains: 0.9,
    Forest: 0.9,
    SnowField: 0.9,
    Desert: 0.7,
    Meadow: 0.8,
    Kitchen: 1.0,
    Office: 0.9,
    LivingRoom: 1.1,
    Black: 0.4,
    ColourField: 0.9,
    Thing: 1.0,
    TitleCard: 1.0,
    Credits: 0.7,
    BottleTable: 1.1,
    Lake: 0.9,
    Waterfall: 0.5,
    Farm: 0.9,
    Bridge: 0.8,
    Railway: 0.8,
    Airport: 0.8,
    ShipAtSea: 0.8,
    Harbour: 0.8,
    ParkingLot: 0.7,
    SwimmingPool: 0.6,
    Classroom: 0.8,
    Library: 0.8,
    Bedroom: 0.9,
    Bathroom: 0.9,
    Corridor: 0.8,
    Restaurant: 0.8,
    Supermarket: 0.8,
    BasketballCourt: 0.8,
    Crowd: 0.8,
    Market: 0.8,
    Concert: 0.9,
    Runner: 0.9,
    Cyclist: 0.7,
    Fire: 0.8,
    Fireworks: 0.7,
    NightSky: 0.7,
    Clouds: 0.6,
    Underwater: 0.8,
    FruitStand: 0.5,
    Flowers: 0.5,
    LitNight: 3.0,
    Bokeh: 0.5,
    TestPattern: 0.25,
    Static: 0.2,
    Sunset: 0.8,
    Single: 16.0,
    Animal: 2.8,
    Portrait: 1.4,
}
ROOMS: dict[type[Scene], float] = {**ROOM_VIEWS}
"""Rooms in true perspective, drawn apart: so many of them are needed. ``DRIVES`` are drawn apart too."""
TRAINING_ROOMS: dict[type[Scene], float] = {**ROOMS, Stroll: 7.0}
"""Rooms to train on: also seen from anywhere, with whatever is in view."""
COLOURFUL: dict[type[Scene], float] = {
    Single: 10.0,
    Portrait: 1.6,
    Bedroom: 1.2,
    LivingRoom: 0.8,
    Couch: 1.0,
    Cyclist: 0.8,
    Runner: 0.7,
    Railway: 0.6,
    Animal: 0.5,
    Road: 0.6,
}
"""Scenes with things of known colours, drawn once more for training: colours are what takes longest to learn."""
SCENES: dict[str, type[Scene]] = {cls.name: cls for cls in (*WEIGHTS, *ROOMS, *DRIVES)}
