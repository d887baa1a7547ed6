"""What is true of a picture: what was drawn, what follows from it, and what may or may not be true.

A fact written ``maybe:…`` is neither claimed nor denied: captions that hang on it are left out for this picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.demo.thing_words import ATTRIBUTE_WORDS, COLOURED, OBJECT_WORDS
from tools.demo.words import KIND_WORDS, RELATED, SCENE_WORDS, words_of
from tools.scenes.colour import BASIC_COLOURS

COLOURS = tuple(BASIC_COLOURS)
SAME: tuple[tuple[str, str], ...] = (
    *(
        (f"scene:{scene}", f"obj:{thing}")
        for scene, thing in zip(
            words_of(
                "door, stairs, television, tile_wall, couch, living_room, dining, dining, chair, car, "
                "bus, truck, boat, ship, book, library, flower, fish, cow, lake, computer, crowd, "
                "bottle, bottle_table, kitchen, runner, bedroom, bathroom"
            ),
            words_of(
                "door, stairs, television, tile_wall, sofa, sofa, table, chair, chair, car, bus, "
                "truck, boat, ship, book, book, flower, fish, cow, lake, computer, crowd, bottle, "
                "bottle, kitchen, running, bed, bathtub"
            ),
            strict=True,
        )
    ),
    ("scene:sunset", "time:sunset"),
    ("scene:lights", "focus:blurred"),
    ("scene:desert", "obj:cactus"),
)
"""A scene and what is always seen in it; where the second is seen, the first may be true."""
HOME = {"wall", "tile_wall", "door", "stairs", "television", "dining", "couch"}
"""Rooms in which all that is in view is noted."""
IN_ROOMS = (
    "chair",
    "table",
    "lamp",
    "door",
    "book",
    "shelf",
    "desk",
    "glass",
    "bottle",
    "tile_wall",
    "television",
    "sofa",
)
UNMEASURED = ("lamp", "book", "shelf", "desk", "glass", "bottle")
"""What may stand in the flat (``flat_rooms``) without being measured; of all else it is noted what is in view."""
PEOPLED = {
    "football_pitch",
    "seaside",
    "city_street",
    "city_square",
    "night_city",
    "construction_site",
    "shipyard",
    "office",
    "restaurant",
    "market",
    "concert",
    "crowd",
    "runner",
    "cyclist",
    "basketball_court",
    "swimming_pool",
    "classroom",
}
WIDE = {
    "mountains",
    "desert",
    "snow",
    "meadow",
    "skyline",
    "seaside",
    "lake",
    "harbour",
    "bridge",
    "farm",
    "football_pitch",
    "shipyard",
    "construction_site",
    "city_street",
    "clouds",
    "sunset",
    "ship",
    "parking_lot",
}
BARE = {
    "black_frame",
    "colour_field",
    "clouds",
    "static",
    "sunset",
    "lights",
    "night_sky",
    "night_city",
    "fire",
    "wall",
    "concert",
    "fireworks",
    "credits",
    "underwater",
    "skyline",
    "waterfall",
    "city_square",
    "crowd",
}
"""Too little, or too much, to see in them to tell whether they are sharp."""
MAY_HOLD: dict[str, set[str]] = {
    "car": {"city_street", "parking_lot", "city_square", "night_city", "skyline"},
    "bus": {"city_street", "city_square", "night_city"},
    "truck": {"construction_site", "shipyard", "road", "ship"},
    "boat": {"harbour", "seaside", "lake", "bridge", "mountains"},
    "bottle": {"restaurant", "bottle_table", "kitchen", "supermarket"},
    "cup": {"kitchen", "office", "dining", "restaurant", "bottle_table"},
    "chair": {
        "kitchen",
        "classroom",
        "office",
        "restaurant",
        "dining",
        "living_room",
        "couch",
        "door",
        "wall",
        "stairs",
        "television",
    },
    "book": {"library", "living_room", "office", "bedroom", "computer", "couch"},
    "door": {
        "corridor",
        "house",
        "farm",
        "door",
        "wall",
        "stairs",
        "dining",
        "kitchen",
        "couch",
        "television",
        "construction_site",
    },
    "house": {"farm", "snow", "harbour", "seaside", "city_street", "fire"},
    "flower": {"meadow", "market"},
    "parasol": {"seaside", "market", "umbrella"},
    "umbrella": {"seaside", "market"},
    "box": {"shipyard", "supermarket", "market", "ship", "suitcase"},
    "ball": {"basketball_court", "football_pitch", "fruit"},
    "sofa": {"couch", "living_room", "television", "dining", "wall"},
    "fish": {"underwater"},
    "guitar": {"concert"},
    "bed": {"bedroom"},
    "train": {"train"},
    "bicycle": {"cyclist"},
}
"""Scenes in which things of a kind may stand whose colours nobody noted."""
NOTED = {"sofa", "parasol", "door", "bicycle", "train", "shirt", "bed"}
"""Kinds of which every one in view is noted where one is: there the other colours are wrong, not unclear."""


@dataclass(frozen=True)
class ColourShares:
    """Mean brightness of a picture (0 to 1) and the share of its pixels that each basic colour covers."""

    brightness: float
    shares: dict[str, float]

    @classmethod
    def of(cls, image: NDArray[np.uint8]) -> ColourShares:
        """Measure a picture, uint8 ``(h, w, 3)``, every fourth pixel each way."""
        pixels = image[::4, ::4].reshape(-1, 3).astype(np.float32) / 255
        value, low = pixels.max(1), pixels.min(1)
        chroma = value - low
        r, g, b = pixels.T
        safe = np.maximum(chroma, 1e-6)
        hue = (
            np.where(value == r, (g - b) / safe % 6, np.where(value == g, (b - r) / safe + 2, (r - g) / safe + 4)) * 60
        )
        grey = chroma < 0.10
        masks = {
            "black": value < 0.13,
            "white": grey & (value > 0.82),
            "grey": grey & (value >= 0.2) & (value <= 0.75),
        }
        vivid = ~grey & (value >= 0.18)
        warm = vivid & ((hue < 45) | (hue > 335))
        masks |= {
            "brown": warm & (hue < 45) & (value < 0.62),
            "red": warm & ((hue < 18) | (hue > 345)) & (chroma > 0.3),
            "orange": vivid & (hue >= 18) & (hue < 43) & (value >= 0.62) & (chroma > 0.35),
            "yellow": vivid & (hue >= 43) & (hue < 66) & (value > 0.55),
            "green": vivid & (hue >= 66) & (hue < 165),
            "blue": vivid & (hue >= 180) & (hue < 255),
            "purple": vivid & (hue >= 255) & (hue < 310),
            "pink": vivid & (hue >= 310) & (value > 0.6),
        }
        brightness = float((pixels @ np.array([0.299, 0.587, 0.114], np.float32)).mean())
        return cls(brightness, {name: float(mask.mean()) for name, mask in masks.items()})


def light_facts(brightness: float, *, night: bool = False) -> set[str]:
    """Return bright or dark, as far as a mean brightness of 0 to 1 says so."""
    if brightness > 0.52:
        return {"light:bright"}
    if brightness < (0.30 if night else 0.20):
        return {"light:dark"}
    return {"maybe:light:bright"} if brightness > 0.40 else {"maybe:light:dark"} if brightness < 0.32 else set()


def derived(facts: Iterable[str], seen: ColourShares) -> set[str]:
    """Add what follows from a picture's facts and colours: kinds, relations, people, view, light, colours."""
    result = set(facts)
    noted = {f.split(":")[0] for f in result} & NOTED
    for scene, thing in SAME:
        if scene in result and scene not in ("scene:desert", "scene:living_room"):
            result.add(thing)
    for scene, thing in SAME:
        if thing in result and scene not in result:
            result.add(f"maybe:{scene}")
    scenes = {f[6:] for f in result if f.startswith("scene:")}
    for kind, (members, _) in KIND_WORDS.items():
        if scenes & set(members):
            result.add(f"kind:{kind}")
        elif {f"maybe:scene:{m}" for m in members} & result:
            result.add(f"maybe:kind:{kind}")
    for a, b in RELATED:
        if a in scenes:
            result.add(f"near:{b}")
        if b in scenes:
            result.add(f"near:{a}")
    indoor = "place:indoor" in result
    if indoor:  # the window may be out of sight
        result -= {"time:day", "time:night"}
        result |= {"maybe:time:day", "maybe:time:night"}
        measured = "obj:all_noted" in result
        if measured:
            result |= {f"maybe:obj:{thing}" for thing in UNMEASURED}
        elif not scenes & HOME:
            result |= {f"maybe:obj:{thing}" for thing in IN_ROOMS}
            result |= {f"maybe:scene:{name}" for name in ("wall", "dining", "couch", "television", "door")}
        if not measured or "obj:wall" in result:
            result.add("maybe:scene:wall")
        result |= {f"maybe:wall:{c}" for c in COLOURS}
    if "time:sunset" in result:
        result = (result - {"time:day", "maybe:time:day"}) | {"maybe:time:night"}
    if "place:outdoor" not in result:
        result.add("maybe:weather:dry")
    elif not result & {"weather:rain", "weather:snow"}:
        result.add("weather:dry")
    if not scenes & {"desert", "black_frame", "colour_field", "title_card", "credits"}:
        result |= {"maybe:obj:tree", "maybe:obj:road"}
    if scenes & {"road", "football_pitch", "farm", "train", "cow", "horse"}:
        result |= {"maybe:kind:nature", "maybe:scene:meadow"}
    if scenes & {"construction_site", "road", "parking_lot", "harbour", "crowd", "market", "concert"}:
        result.add("maybe:kind:urban")
        if "construction_site" not in scenes:
            result.add("maybe:scene:city_street")
    if scenes & {"road", "city_street"}:
        result.add("ground:grey")
    if scenes & {"mountains", "snow", "seaside", "forest", "desert"}:
        result |= {"maybe:scene:clouds"}
    if result & {"obj:person", "obj:crowd", "obj:worker"}:
        kinds = {"shirt", "hat"} - noted
        result |= {f"maybe:{kind}:{c}" for kind in kinds for c in COLOURS} | {"maybe:scene:portrait"}
    result |= people_and_view(result, scenes)
    result |= light_facts(seen.brightness, night="time:night" in result)
    for kind, places in MAY_HOLD.items():
        if scenes & places and kind not in noted:
            result |= {f"maybe:{kind}:{c}" for c in COLOURS}
    if "obj:tile_wall" in result:
        result.add("maybe:scene:bathroom")
    if result & {"maybe:weather:rain", "maybe:weather:snow"} or "city_square" in scenes:
        result.discard("weather:dry")
        result.add("maybe:weather:dry")
    named = {f.split(":")[1] for f in result if f.split(":")[0] in (*COLOURED, "main", "ground")}
    for colour, share in seen.shares.items():
        if share > 0.3 or colour in named:
            result.add(f"any:{colour}")
        elif share > 0.03:
            result.add(f"maybe:any:{colour}")
    return {f for f in result if not (f.startswith("maybe:") and f[6:] in result)}


def people_and_view(facts: set[str], scenes: set[str]) -> set[str]:
    """Return crowd or empty, close-up or wide, sharp, as far as the facts say so."""
    result = set()
    if "obj:crowd" in facts:
        result.add("people:crowd")
    elif facts & {"obj:person", "obj:worker"}:
        result |= {"maybe:people:crowd"} if scenes & {"market", "restaurant", "city_street"} else set()
    elif scenes & PEOPLED or not facts & {"place:indoor", "place:outdoor"}:
        result.add("maybe:people:empty")
    else:
        result.add("people:empty")
    if "view:close" not in facts:
        result.add("view:wide" if scenes & WIDE else "maybe:view:wide")
        if not scenes & WIDE:
            result.add("maybe:view:close")
    if "focus:blurred" not in facts:
        result.add("maybe:focus:sharp" if scenes & BARE or "maybe:focus:blurred" in facts else "focus:sharp")
    return result


def all_facts() -> list[str]:
    """Every fact that a caption may need."""
    names = [f"scene:{s}" for s in SCENE_WORDS] + [f"near:{s}" for s in SCENE_WORDS] + [f"kind:{k}" for k in KIND_WORDS]
    names += [*OBJECT_WORDS, *ATTRIBUTE_WORDS]
    return names + [f"{kind}:{c}" for kind in (*COLOURED, "ground", "any") for c in COLOURS]


class FactTable:
    """Facts as columns: which hold in which picture, and which may."""

    def __init__(self, names: Sequence[str] | None = None) -> None:
        self.names = list(names or all_facts())
        self.place = {name: i for i, name in enumerate(self.names)}

    def rows(self, pictures: Sequence[set[str]]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return what holds and what may hold, each bool ``(pictures, facts)``."""
        has, perhaps = (np.zeros((len(pictures), len(self.names)), bool) for _ in range(2))
        for i, facts in enumerate(pictures):
            has[i, [self.place[f] for f in facts if f in self.place]] = True
            perhaps[i, [self.place[f[6:]] for f in facts if f.startswith("maybe:") and f[6:] in self.place]] = True
        return has, perhaps & ~has
