"""The grammar that the demo model's captions come from says only what is true."""

from __future__ import annotations

import random

import numpy as np
import pytest

from tools.demo.captions import (
    Caption,
    ColourShares,
    captions_for,
    derived,
    levels,
    shared_captions,
)
from tools.demo.words import ABSTRACT_WORDS, SCENE_WORDS

GREY = ColourShares(0.35, {"grey": 1.0})
SHIPYARD = derived(["scene:shipyard", "place:outdoor", "time:day", "obj:crane"], GREY)
SITE = derived(["scene:construction_site", "place:outdoor", "time:day", "obj:crane", "obj:excavator"], GREY)
BEACH = derived(["scene:seaside", "place:outdoor", "time:day", "obj:parasol", "parasol:red"], GREY)


def site_caption() -> Caption:
    return Caption(
        "construction site", frozenset({"scene:construction_site"}), frozenset({"near:construction_site"})
    )


def test_levels_rank_true_related_abstract_and_wrong() -> None:
    captions = [site_caption(), Caption("something else", frozenset(), abstract=True)]

    assert levels([SITE, SHIPYARD, BEACH], captions).tolist() == [[3, 1], [2, 1], [0, 1]]


def test_a_fact_that_is_unclear_takes_no_part() -> None:
    indoors = derived(["scene:kitchen", "place:indoor", "time:day"], GREY)

    assert levels([indoors], [Caption("night", frozenset({"time:night"}))]).tolist() == [[-1]]


@pytest.mark.parametrize("facts", [SITE, SHIPYARD, BEACH], ids=["site", "shipyard", "beach"])
def test_a_picture_s_own_captions_are_true_of_it(facts: set[str]) -> None:
    captions = captions_for(random.Random(5), facts, 200)

    assert len({c.text for c in captions}) > 40
    assert (levels([facts], captions) == 3).all()


def test_the_captions_of_a_batch_name_every_scene() -> None:
    captions = shared_captions(random.Random(1))
    named = {f for c in captions for f in c.needs if f.startswith("scene:")}

    assert named == {f"scene:{name}" for name in SCENE_WORDS}


def test_word_order_decides_which_colour_is_whose() -> None:
    facts = {"ball:red", "ground:blue"}
    captions = [
        Caption("a red ball on a blue floor", frozenset({"ball:red", "ground:blue"})),
        Caption("a blue ball on a red floor", frozenset({"ball:blue", "ground:red"})),
    ]

    assert levels([facts], captions).tolist() == [[3, 0]]


@pytest.mark.parametrize(
    ("rgb", "name"),
    [
        ((200, 20, 20), "red"),
        ((20, 140, 50), "green"),
        ((30, 80, 200), "blue"),
        ((245, 245, 245), "white"),
        ((5, 5, 5), "black"),
    ],
)
def test_a_flat_picture_is_covered_by_its_colour(rgb: tuple[int, int, int], name: str) -> None:
    seen = ColourShares.of(np.full((112, 112, 3), rgb, np.uint8))

    assert seen.shares[name] == 1.0
    assert f"any:{name}" in derived([], seen)


def test_scenes_have_at_least_four_wordings() -> None:
    assert all(len(set(words)) >= 4 for words in SCENE_WORDS.values())
    assert "something else" in ABSTRACT_WORDS
