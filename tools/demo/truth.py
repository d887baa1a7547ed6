"""What is true of the pictures of a stage, before and after they are varied: the facts that training teaches."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tools.demo.augment import Varied
from tools.demo.dataset import Renderings
from tools.demo.facts import COLOURS, ColourShares, FactTable, derived, light_facts
from tools.demo.thing_words import ATTRIBUTE_WORDS, COLOURED, OBJECT_WORDS
from tools.demo.words import KIND_WORDS, SCENE_WORDS

CHANGING = ("light:", "focus:", "maybe:light:", "maybe:focus:")
"""Facts that varying a picture can change."""
SCENES = [f"scene:{s}" for s in SCENE_WORDS]
SHADES = [f"{kind}:{c}" for kind in (*COLOURED, "ground") for c in COLOURS]
SINGLE = [*OBJECT_WORDS, *ATTRIBUTE_WORDS, *(f"any:{c}" for c in COLOURS), *(f"kind:{k}" for k in KIND_WORDS)]
SCORED = [*SCENES, *SHADES, *SINGLE]
"""The facts that pictures are trained on directly: scenes, colours of each kind of thing, and single ones."""
GROUPS = [(0, len(SCENES))] + [
    (k, k + len(COLOURS)) for k in range(len(SCENES), len(SCENES) + len(SHADES), len(COLOURS))
]


def table() -> FactTable:
    """Return the facts as columns, those that are trained on directly first."""
    return FactTable([*SCORED, *(f"near:{s}" for s in SCENE_WORDS)])


class Truth:
    """The facts of all pictures of a stage, as sets and as columns."""

    def __init__(self, data: Renderings) -> None:
        self.table, self.images = table(), data.images
        self.shades = slice(len(SCENES), len(SCENES) + len(SHADES))
        self.hues = [self.table.place[f"any:{c}"] for c in COLOURS]
        self.facts = [derived(f, ColourShares.of(image)) for f, image in zip(data.facts, data.images, strict=True)]
        self.has, self.perhaps = self.table.rows(self.facts)
        self.coloured = np.flatnonzero(self.has[:, self.shades].sum(1) > 1)
        self.night = np.array(["time:night" in f for f in self.facts])

    def of(self, rows: NDArray[np.intp], new: Varied) -> tuple[list[set[str]], NDArray[np.bool_], NDArray[np.bool_]]:
        """Return the facts of varied pictures, as sets and as columns."""
        place, has, perhaps, pictures = self.table.place, self.has[rows], self.perhaps[rows], []
        for k, i in enumerate(rows):
            known = self.facts[i]
            facts = {f for f in known if not f.startswith(CHANGING)}
            facts |= light_facts(float(new.brightness[k]), night=bool(self.night[i]))
            if "focus:blurred" in known or new.blur[k] == 2:
                facts.add("focus:blurred")
            elif new.blur[k] == 0:
                facts |= {f for f in known if f.endswith(("focus:sharp", "focus:blurred"))}
            else:
                facts |= {"maybe:focus:sharp", "maybe:focus:blurred"}
            for name in ("light:bright", "light:dark", "focus:blurred", "focus:sharp"):
                has[k, place[name]] = name in facts
                perhaps[k, place[name]] = f"maybe:{name}" in facts
            if not 0.7 < new.tone[k] < 1.4:  # too dark or too bright for colours
                for column in (*range(self.shades.start, self.shades.stop), *self.hues):
                    perhaps[k, column] |= has[k, column]
                    has[k, column] = False
                facts = {f for f in facts if f.split(":")[0] not in (*COLOURED, "ground", "any")}
            if not 0.6 <= new.gain[k] <= 1.3:  # or for the time of day
                for column in (place["time:day"], place["time:night"], place["time:sunset"]):
                    perhaps[k, column] |= has[k, column]
                    has[k, column] = False
                facts = {f for f in facts if not f.startswith("time:")}
            pictures.append(facts)
        return pictures, has, perhaps
