"""Scenes in a flat: what stands in it, seen from where one would stand; what is in view is measured."""

from __future__ import annotations

import math
import random
from typing import ClassVar

from tools.scenes.base import Scene
from tools.scenes.flat_home import Home
from tools.scenes.stage import Camera, Stage

FACTS = {
    "couch": "obj:sofa",
    "chair": "obj:chair",
    "table": "obj:table",
    "television": "obj:television",
    "stairs": "obj:stairs",
    "door": "obj:door",
    "tile wall": "obj:tile_wall",
    "kitchen": "obj:kitchen",
    "wall": "obj:wall",
}
IN_VIEW = 0.04
"""A thing counts as seen from this share of the middle square on; a tile wall from twice, a wall from ten times."""


class InTheFlat(Scene):
    """A view in a flat; what is in view is measured and noted."""

    lights = ("indoor",)
    indoor = True
    views: ClassVar[tuple[tuple[float, float, float], ...]] = ()
    """Places to look from: x and z in metres, and the direction in degrees (0 along +z, 90 along +x)."""

    def build(self, rng: random.Random) -> None:
        self.home = Home(rng)
        x, z, degrees = rng.choice(self.views)
        self.place = (x + rng.uniform(-0.3, 0.3), z + rng.uniform(-0.3, 0.3))
        self.yaw = math.radians(degrees + rng.uniform(-9, 9))
        self.focal = rng.uniform(0.72, 0.95)
        self.height = rng.uniform(1.45, 1.62)
        self.tilt = -rng.uniform(0.06, 0.18)
        self.home.doors = {name: rng.choice((0.0, 0.0, rng.random())) for name in self.home.doors}

    def camera(self, t: float) -> Camera:
        return Camera(
            self.place[0] + 0.05 * math.sin(t),
            self.height,
            self.place[1] + 0.05 * math.cos(t),
            yaw=self.yaw + self.pan * 0.02 * t,
            tilt=self.tilt,
            focal=self.focal,
        )

    def draw(self, stage: Stage, t: float) -> None:
        self.shares = self.home.draw(stage, t)
        stage.facts.add("obj:all_noted")
        for label in seen(self.shares):
            if label in FACTS:
                stage.facts.add(FACTS[label])
        if "couch" in seen(self.shares):
            stage.facts.add(f"sofa:{self.home.couch_name}")


def seen(shares: dict[str, float]) -> list[str]:
    """Return the labels that count as seen, given the share of the middle square that each covers."""
    things = sum(v for k, v in shares.items() if "wall" not in k)
    result = [k for k, v in shares.items() if "wall" not in k and v >= IN_VIEW]
    if shares.get("tile wall", 0.0) >= 2 * IN_VIEW:
        result.append("tile wall")
    if shares.get("wall", 0.0) - things >= 10 * IN_VIEW:
        result.append("wall")
    return sorted(result)


class Wall(InTheFlat):
    """A plain painted or papered wall, close."""

    name = "wall"
    views = ((1.5, 0.2, -90), (1.4, 1.4, -90), (1.5, 2.6, -90), (1.0, 0.2, 90), (-1.9, 1.7, 90))


class TileWall(InTheFlat):
    """A wall of tiles, close."""

    name = "tile_wall"
    views = ((3.5, 2.1, 0), (4.3, 2.0, 0), (3.4, 2.3, 60), (4.0, 2.0, 25), (3.4, 2.0, 30))


class Door(InTheFlat):
    """A door, closed or ajar."""

    name = "door"
    views = (
        (1.15, 1.1, 180),
        (0.9, 1.7, 180),
        (0.6, 2.05, 90),
        (0.4, 1.6, 75),
        (-3.0, 3.8, 0),
        (-3.3, 3.4, 6),
        (1.2, 2.4, 180),
    )


class Stairs(InTheFlat):
    """Stairs that go up."""

    name = "stairs"
    views = ((1.15, 5.2, 0), (1.0, 5.7, 4), (1.3, 6.4, -4), (1.15, 4.6, 0))


class Television(InTheFlat):
    """A television that is on."""

    name = "television"
    views = ((-4.2, 1.7, -90), (-4.8, 1.4, -86), (-3.6, 2.0, -96), (-5.0, 2.0, -100))


class Couch(InTheFlat):
    """A couch with cushions."""

    name = "couch"
    views = ((-3.6, 1.9, 197), (-4.5, 2.1, 180), (-2.9, 1.7, 214), (-5.3, 1.9, 165))


class Dining(InTheFlat):
    """A table with chairs."""

    name = "dining"
    views = ((-4.4, 2.0, -14), (-3.2, 2.8, -48), (-5.2, 1.9, 4), (-2.8, 4.2, -88), (-3.6, 2.4, -35))


class OneChair(InTheFlat):
    """A chair, close."""

    name = "chair"
    views = ((-4.45, 2.6, -8), (-2.9, 4.35, -92), (-4.9, 2.65, 8), (-5.4, 0.9, 212))


class OpenKitchen(InTheFlat):
    """The kitchen as one comes in."""

    name = "flat_kitchen"
    views = ((-3.6, 7.8, 0), (-3.0, 7.4, -10), (-4.4, 8.0, 6), (-3.0, 8.2, -20))

    def build(self, rng: random.Random) -> None:
        super().build(rng)
        self.facts.discard("scene:flat_kitchen")
        self.facts.add("scene:kitchen")


class Stroll(InTheFlat):
    """Anywhere in the flat, looking anywhere; its scenes are what covers most of the view."""

    name = "stroll"
    views = ((1.15, 1.1, 0),)
    names: ClassVar[dict[str, str]] = {"table": "dining", "tile wall": "tile_wall"}
    rooms = (0, 0, 0, 1, 3, 3, 4)
    """Numbers of the flat's rooms, as often as each is chosen: hall, bathroom, living room, kitchen."""

    def build(self, rng: random.Random) -> None:
        super().build(rng)
        cell = self.home.flat.cells[rng.choice(self.rooms)]
        for _ in range(40):
            x, z = (rng.uniform(low + 0.45, high - 0.45) for low, high in ((cell.x0, cell.x1), (cell.z0, cell.z1)))
            if all(math.hypot(x - o.x, z - o.z) > 0.35 + max(o.w, o.d) / 2 for o in cell.things):
                break
        self.place, self.yaw = (x, z), rng.uniform(-math.pi, math.pi)
        self.facts.discard("scene:stroll")

    def draw(self, stage: Stage, t: float) -> None:
        super().draw(stage, t)
        labels = seen(self.shares)
        covered = {label: self.shares[label] for label in labels}
        if "wall" in covered:  # without what stands before it
            covered["wall"] -= sum(v for k, v in self.shares.items() if "wall" not in k)
        for label, share in covered.items():
            if share > 0.5 * max(covered.values()):
                stage.facts.add(f"scene:{self.names.get(label, label)}")


ROOM_VIEWS: dict[type[Scene], float] = {
    Wall: 0.8,
    TileWall: 0.9,
    Door: 1.1,
    Stairs: 1.0,
    Television: 1.1,
    Couch: 1.1,
    Dining: 1.1,
    OneChair: 1.0,
    OpenKitchen: 1.1,
}
