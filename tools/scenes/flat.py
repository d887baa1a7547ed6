"""A flat of box-shaped rooms that a camera can walk through, painted room by room through its doorways.

Each room is convex, so its own walls never hide one another: floor, ceiling and walls first, then what is seen
through each doorway (clipped to the doorway's outline), then the furniture, far to near. No depth buffer is
needed, and how much of the picture a thing covers is known from outlines alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import skia

from tools.scenes.colour import RGB, shade
from tools.scenes.light import Light
from tools.scenes.outlines import NEAR, Polygon, area, common, outline
from tools.scenes.pen import Pen, Point
from tools.scenes.stage import Stage, _hull
from tools.scenes.surfaces import Surface, fade

FACING = {"s": 0.30, "n": 0.52, "w": 0.40, "e": 0.66}


@dataclass
class Opening:
    """A doorway in a wall of a room, from ``lo`` to ``hi`` along it, to another room."""

    side: str
    lo: float
    hi: float
    top: float
    to: int
    trim: RGB | None = (0.93, 0.92, 0.89)


@dataclass
class Thing:
    """Something in a room: its label, the middle of its base, its size, how it is turned, and its painter."""

    label: str
    x: float
    z: float
    w: float
    d: float
    h: float
    yaw: float
    paint: Callable[[Stage, float], None]
    y: float = 0.0
    nearer: float = 0.0
    move: Callable[[Thing, float], None] | None = None
    """Puts it where it is at a moment, for things that move."""
    when: Callable[[Stage], bool] | None = None
    """Whether it is drawn with this room: a door stands between two."""

    def hull(self, stage: Stage) -> Polygon:
        """Return its outline in pixels (of its bounding box); empty when it is behind the camera."""
        c, s = math.cos(self.yaw), math.sin(self.yaw)
        corners = []
        for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
            px = self.x + c * a * self.w / 2 - s * b * self.d / 2
            pz = self.z + s * a * self.w / 2 + c * b * self.d / 2
            if stage.distance(px, pz) > NEAR:
                corners += [stage.project(px, self.y, pz), stage.project(px, self.y + self.h, pz)]
        return _hull(corners) if len(corners) >= 4 else []


@dataclass
class Cell:
    """One room: a box in metres with its surfaces, doorways, things, and what hangs on its walls."""

    x0: float
    z0: float
    x1: float
    z1: float
    height: float
    wall: Surface
    floor: Surface
    light: Light
    walls: dict[str, Surface] = field(default_factory=dict)
    openings: list[Opening] = field(default_factory=list)
    things: list[Thing] = field(default_factory=list)
    decor: dict[str, list[Callable[[Stage, Pen, float], None]]] = field(default_factory=dict)
    lamps: list[Point] = field(default_factory=list)
    pools: list[tuple[float, float, float, float]] = field(default_factory=list)
    skirting: bool = True

    def quad(self, side: str, lo: float, hi: float, low: float, high: float) -> list[tuple[float, float, float]]:
        """Return the corners of a part of a wall."""
        if side in "sn":
            z = self.z0 if side == "s" else self.z1
            return [(lo, low, z), (hi, low, z), (hi, high, z), (lo, high, z)]
        x = self.x0 if side == "w" else self.x1
        return [(x, low, lo), (x, low, hi), (x, high, hi), (x, high, lo)]

    def span(self, side: str) -> Point:
        """Return where a wall begins and ends along its axis."""
        return (self.x0, self.x1) if side in "sn" else (self.z0, self.z1)

    def faces(self, side: str, x: float, z: float) -> bool:
        """Whether the inner side of a wall is turned to a place."""
        return {"s": z > self.z0, "n": z < self.z1, "w": x > self.x0, "e": x < self.x1}[side]

    def holds(self, x: float, z: float) -> bool:
        """Whether a place lies inside."""
        return self.x0 <= x <= self.x1 and self.z0 <= z <= self.z1


class Flat:
    """Rooms and passages; ``draw`` paints what a stage's camera sees and measures what covers the picture."""

    def __init__(self) -> None:
        self.cells: list[Cell] = []
        self.shares: dict[str, float] = {}
        self.shut: set[int] = set()
        """Passages whose door is closed: nothing is seen through them."""

    def add(self, cell: Cell) -> int:
        """Add a room, lay its surfaces, and return its number."""
        for side in "snwe":
            base = cell.walls.get(side, cell.wall)
            own = Surface(base.colour, base.kind, base.size, base.seed + ord(side))
            lo, hi = cell.span(side)
            own.lay(hi - lo, cell.height)
            cell.walls[side] = own
        cell.floor.lay(cell.x1 - cell.x0, cell.z1 - cell.z0)
        self.cells.append(cell)
        return len(self.cells) - 1

    def connect(self, a: int, side: str, lo: float, hi: float, b: int, *, top: float = 2.1) -> int:
        """Cut a doorway through the wall between two rooms; returns the number of the cell between."""
        one, two = self.cells[a], self.cells[b]
        first, second = one, two
        if side in "we":
            x0, x1 = sorted((one.x0 if side == "w" else one.x1, two.x1 if side == "w" else two.x0))
            box = (x0, lo, x1, hi)
        else:
            z0, z1 = sorted((one.z0 if side == "s" else one.z1, two.z1 if side == "s" else two.z0))
            box = (lo, z0, hi, z1)
        back = {"n": "s", "s": "n", "e": "w", "w": "e"}[side]
        jamb = Surface((0.90, 0.89, 0.86))
        floor = Surface(shade(first.floor.colour, 0.8), "paint")
        middle = self.add(Cell(*box, top, jamb, floor, first.light, skirting=False))
        self.cells[middle].openings = [
            Opening(back, lo, hi, top, a, None),
            Opening(side, lo, hi, top, b, None),
        ]
        first.openings.append(Opening(side, lo, hi, top, middle))
        second.openings.append(Opening(back, lo, hi, top, middle))
        return middle

    def draw(self, stage: Stage, t: float) -> dict[str, float]:
        """Paint the picture; returns the share of the middle square that each label covers, 0 to 1."""
        self.shares = {}
        x, z = stage.camera.x, stage.camera.z
        start = next((i for i, cell in enumerate(self.cells) if cell.holds(x, z)), 0)
        half, w, h = stage.height / 2, stage.width, stage.height
        self.square: Polygon = [(w / 2 - half, 0), (w / 2 + half, 0), (w / 2 + half, h), (w / 2 - half, h)]
        self._cell(stage, start, [(0, 0), (w, 0), (w, h), (0, h)], t, 0)
        return self.shares

    def _measure(self, label: str, shape: Polygon, clip: Polygon, stage: Stage) -> None:
        part = common(common(shape, clip), self.square)
        if part:
            share = abs(area(part)) / stage.height**2
            self.shares[label] = self.shares.get(label, 0.0) + share

    def _cell(self, stage: Stage, number: int, clip: Polygon, t: float, depth: int) -> None:
        cell = self.cells[number]
        stage.light = cell.light
        stage.canvas.save()
        path = skia.Path()
        path.addPoly([skia.Point(*p) for p in clip], True)
        stage.canvas.clipPath(path, skia.ClipOp.kIntersect, True)
        self._floor(stage, cell)
        for side in "snwe":
            if cell.faces(side, stage.camera.x, stage.camera.z):
                self._wall(stage, cell, side, clip, t)
        for hole in cell.openings:
            if depth > 7 or hole.to in self.shut or not cell.faces(hole.side, stage.camera.x, stage.camera.z):
                continue
            shape = common(outline(stage, cell.quad(hole.side, hole.lo, hole.hi, 0, hole.top)), clip)
            if len(shape) >= 3 and abs(area(shape)) > 2:
                self._cell(stage, hole.to, shape, t, depth + 1)
                stage.light = cell.light
            if hole.trim:
                self._trim(stage, cell, hole, hole.trim)
        for x, z in cell.lamps:
            self._lamp(stage, cell, x, z)
        for thing in cell.things:
            if thing.move:
                thing.move(thing, t)
        order = sorted(cell.things, key=lambda one: -(stage.distance(one.x, one.z) - one.nearer))
        for thing in order:
            if thing.when and not thing.when(stage):
                continue
            shape = thing.hull(stage)
            if shape and common(shape, clip):
                thing.paint(stage, t)
                if thing.label:
                    self._measure(thing.label, shape, clip, stage)
        stage.canvas.restore()

    def _floor(self, stage: Stage, cell: Cell) -> None:
        w, d = cell.x1 - cell.x0, cell.z1 - cell.z0
        with stage.plane((cell.x0, 0, cell.z0), (1, 0, 0), (0, 0, 1), facing=0.62, haze=False) as pen:
            cell.floor.paint(pen, w, d)
            if cell.skirting:
                for x, z, rx, rz in cell.pools:  # daylight or lamplight lying on the floor
                    pen.soft(x - cell.x0, z - cell.z0, rx, rz, (1.0, 0.96, 0.86), alpha=0.32)
                for box, way in (
                    ((0, 0, 0.7, d), "right"),
                    ((w - 0.7, 0, 0.7, d), "left"),
                    ((0, 0, w, 0.7), "up"),
                    ((0, d - 0.7, w, 0.7), "down"),
                ):
                    fade(stage, *box, way, 0.22)
        if stage.camera.y < cell.height:
            plane = stage.plane((cell.x0, cell.height, cell.z0), (1, 0, 0), (0, 0, 1), facing=0.34, haze=False)
            with plane as pen:
                pen.rect(0, 0, w, d, (0.93, 0.92, 0.90))
                pen.texture(0, 0, w, d, "patch", size=3, alpha=0.04)
                fade(stage, 0, 0, w, 1.2, "up", 0.12)
                fade(stage, 0, d - 1.2, w, 1.2, "down", 0.12)

    def _wall(self, stage: Stage, cell: Cell, side: str, clip: Polygon, t: float) -> None:
        lo, hi = cell.span(side)
        shape = outline(stage, cell.quad(side, lo, hi, 0, cell.height))
        if len(shape) < 3:
            return
        surface, w, h = cell.walls[side], hi - lo, cell.height
        origin = cell.quad(side, lo, hi, 0, h)[0]
        along = (1, 0, 0) if side in "sn" else (0, 0, 1)
        with stage.plane(origin, along, (0, 1, 0), facing=FACING[side], haze=False) as pen:
            surface.paint(pen, w, h)
            fade(stage, 0, 0, w, min(0.9, h), "up", 0.20)
            fade(stage, 0, h - min(0.8, h), w, min(0.8, h), "down", 0.13)
            corner = min(0.9, w / 2)
            fade(stage, 0, 0, corner, h, "right", 0.15)
            fade(stage, w - corner, 0, corner, h, "left", 0.15)
            if surface.kind == "tiles":  # glaze
                fade(stage, 0, h * 0.3, w, h * 0.4, "up", 0.10, (1, 1, 1))
            elif cell.skirting:
                pen.rect(0, 0, w, 0.09, (0.80, 0.79, 0.76), to=(0.94, 0.93, 0.90))
                pen.rect(0, 0.09, w, 0.012, (0, 0, 0), alpha=0.18)
            for draw in cell.decor.get(side, ()):
                draw(stage, pen, t)
        if cell.skirting:
            self._measure("tile wall" if surface.kind == "tiles" else "wall", shape, clip, stage)
            for hole in cell.openings:
                if hole.side == side:
                    gap = outline(stage, cell.quad(side, hole.lo, hole.hi, 0, hole.top))
                    name = "tile wall" if surface.kind == "tiles" else "wall"
                    part = common(common(gap, clip), self.square)
                    self.shares[name] = self.shares.get(name, 0.0) - abs(area(part)) / stage.height**2

    def _trim(self, stage: Stage, cell: Cell, hole: Opening, colour: RGB) -> None:
        origin = cell.quad(hole.side, hole.lo, hole.hi, 0, hole.top)[0]
        along = (1, 0, 0) if hole.side in "sn" else (0, 0, 1)
        w, h, m = hole.hi - hole.lo, hole.top, 0.075
        with stage.plane(origin, along, (0, 1, 0), facing=FACING[hole.side] + 0.1, haze=False) as pen:
            dark = shade(colour, 0.86)
            pen.rects([(-m, 0, m, h + m), (w, 0, m, h + m), (-m, h, w + 2 * m, m)], colour)
            pen.segments(
                [((-m, 0), (-m, h + m)), ((w + m, 0), (w + m, h + m)), ((-m, h + m), (w + m, h + m))],
                dark,
                0.012,
            )

    def _lamp(self, stage: Stage, cell: Cell, x: float, z: float) -> None:
        with stage.plane((x, cell.height - 0.004, z), (1, 0, 0), (0, 0, 1), haze=False) as pen:
            pen.soft(0, 0, 1.5, 1.5, (1, 0.95, 0.82), alpha=0.5)
            pen.oval(0, 0, 0.19, 0.19, (1.0, 0.98, 0.92), lit=False)
