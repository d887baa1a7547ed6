"""Every kind of scene can be drawn at any moment and says what is in it, in words the captions know."""

from __future__ import annotations

import random

import numpy as np
import pytest

pytest.importorskip("skia", reason="drawing wants tools/requirements.txt")

import skia

from tools.demo.dataset import SIDE, draw_one
from tools.demo.facts import ColourShares, all_facts, derived
from tools.demo.words import SCENE_WORDS
from tools.scenes.base import Scene
from tools.scenes.catalogue import DRIVES, ROOMS, WEIGHTS
from tools.scenes.flat_rooms import Stroll
from tools.scenes.light import make_light
from tools.scenes.stage import Camera, Stage

KINDS = {cls.__name__: cls for cls in (*WEIGHTS, *ROOMS, *DRIVES)}
UNUSED = {"main", "maybe", "wall", "light", "obj"}
"""Kinds of fact that some caption need not know: they lead to others, or are noted for the sake of the scene."""


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_draws_itself_and_its_facts_are_known(name: str) -> None:
    image, facts = draw_one(900_001, {KINDS[name]: 1.0})
    scenes = {f[6:] for f in facts if f.startswith("scene:")}
    known = set(all_facts())

    assert image.shape == (SIDE, SIDE, 3)
    assert scenes
    assert scenes <= set(SCENE_WORDS)
    assert {f for f in facts if f not in known and f.split(":")[0] not in UNUSED} == set()


def test_a_seed_gives_one_picture_and_another_seed_another() -> None:
    first, again, other = (draw_one(seed)[0] for seed in (900_010, 900_010, 900_011))

    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@pytest.mark.parametrize("cls", [c for c in WEIGHTS if c.__name__ in ("Farm", "Bridge", "Library", "LitNight")])
def test_parameters_come_from_the_seed_alone(cls: type[Scene]) -> None:
    one, two = (cls(random.Random(5)) for _ in range(2))

    assert one.facts == two.facts
    assert one.camera(1.0) == two.camera(1.0)


def test_a_black_frame_is_dark_and_black() -> None:
    black = next(cls for cls in WEIGHTS if cls.__name__ == "Black")
    image, facts = draw_one(900_002, {black: 1.0})

    assert {"light:dark", "any:black"} <= derived(facts, ColourShares.of(image))


@pytest.mark.parametrize(("far_m", "fact"), [(8.0, "car:red"), (40.0, "maybe:car:red")])
def test_the_colour_of_a_small_thing_is_unclear(far_m: float, fact: str) -> None:
    light = make_light("day", random.Random(1))
    stage = Stage(skia.Surface(64, 64).getCanvas(), 64, 64, Camera(), light)

    stage.note("car:red", 0.0, far_m, area=4.8)

    assert stage.facts == {fact}


def test_a_stroll_names_what_covers_most_of_the_view() -> None:
    facts = [set(draw_one(900_200 + i, {Stroll: 1.0})[1]) for i in range(12)]
    scenes = {f for known in facts for f in known if f.startswith("scene:")}

    assert len(scenes) >= 3
    assert all("obj:door" in known for known in facts if "scene:door" in known)
    assert all("place:indoor" in known for known in facts)
