"""The published example: five scenes of 3 to 4 s; the construction site is followed by a shipyard."""

from __future__ import annotations

from tools.samples.base import Shot, Shots
from tools.scenes.construction import ConstructionSite
from tools.scenes.outdoor import FootballPitch, Seaside
from tools.scenes.shipyard import Shipyard
from tools.scenes.urban import CityStreet

SAMPLE = Shots(
    name="five_scenes",
    shots=(
        Shot("football pitch", FootballPitch, 5, "day", 0.0, 3.5),
        Shot("seaside", Seaside, 2, "day", 3.5, 7.0),
        Shot("construction site", ConstructionSite, 5, "day", 7.0, 10.0),
        Shot("shipyard", Shipyard, 4, "day", 10.0, 13.0),
        Shot("city street", CityStreet, 2, "day", 13.0, 17.0),
    ),
    notes=(
        "Five rendered scenes of 3 to 4 s. The construction site begins at frame 168 (7 s) and lasts 3 s; "
        "the shipyard after it also has cranes and heavy vehicles, so that 'construction site' against "
        "'something else' counts both."
    ),
    size=(1280, 720),
    crf=24,
    grain=2.2,
)
