"""The grammar that the demo model's captions come from says only what is true."""

from __future__ import annotations

import random

import numpy as np
import pytest
from numpy.typing import NDArray

from tools.demo.captions import (
    KEPT_OUT,
    Caption,
    all_colours,
    captions_for,
    content,
    levels,
    mixed_words,
    own_words,
    scene_caption,
    shared_captions,
    swapped,
    unheard,
    vocabulary,
)
from tools.demo.facts import ColourShares, FactTable, derived, light_facts
from tools.demo.thing_words import ATTRIBUTE_WORDS, COLOURED, OBJECT_WORDS, PAIRS, UNSEEN
from tools.demo.words import ABSTRACT_WORDS, KIND_WORDS, SCENE_WORDS
from tools.scenes.colour import BASIC_COLOURS

GREY = ColourShares(0.35, {"grey": 1.0})
SHIPYARD = derived(["scene:shipyard", "place:outdoor", "time:day", "obj:crane"], GREY)
SITE = derived(["scene:construction_site", "place:outdoor", "time:day", "obj:crane", "obj:excavator"], GREY)
BEACH = derived(["scene:seaside", "place:outdoor", "time:day", "obj:parasol", "parasol:red"], GREY)
CAR = derived(["scene:car", "car:red", "ground:grey", "obj:road", "maybe:place:outdoor"], GREY)
TWO = derived(["scene:ball", "scene:cup", "ball:red", "cup:blue", "ground:white"], GREY)
PICTURES = {"site": SITE, "shipyard": SHIPYARD, "beach": BEACH, "car": CAR, "two": TWO}


def levels_of(pictures: list[set[str]], captions: list[Caption]) -> NDArray[np.int8]:
    table = FactTable()
    return levels(*table.rows(pictures), captions, table)


def site_caption() -> Caption:
    return Caption("construction site", frozenset({"scene:construction_site"}), frozenset({"near:construction_site"}))


def test_levels_rank_true_related_abstract_and_wrong() -> None:
    captions = [site_caption(), Caption("something else", frozenset(), abstract=True)]

    assert levels_of([SITE, SHIPYARD, BEACH], captions).tolist() == [[3, 1], [2, 1], [0, 1]]


def test_a_fact_that_is_unclear_takes_no_part() -> None:
    indoors = derived(["scene:kitchen", "place:indoor", "time:day"], GREY)

    assert levels_of([indoors], [Caption("night", frozenset({"time:night"}))]).tolist() == [[-1]]


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_s_own_captions_are_true_of_it(name: str) -> None:
    captions = captions_for(random.Random(5), PICTURES[name], 200)

    assert len({c.text for c in captions}) > 40
    assert (levels_of([PICTURES[name]], captions) == 3).all()


def test_the_captions_of_a_batch_name_every_scene_and_attribute() -> None:
    captions = shared_captions(random.Random(1))
    named = {f for c in captions for f in c.needs}

    assert {f"scene:{name}" for name in SCENE_WORDS} <= named
    assert set(ATTRIBUTE_WORDS) <= named


@pytest.mark.parametrize("facts", [CAR, TWO], ids=["ground", "two things"])
def test_the_swapped_caption_has_the_same_words_and_is_wrong(facts: set[str]) -> None:
    for seed in range(30):
        pair = swapped(random.Random(seed), facts)
        colours = [sorted(set(BASIC_COLOURS) & set(c.text.replace("gray", "grey").split())) for c in pair]

        assert len(pair) == 2
        assert levels_of([facts], pair).tolist() == [[3, 0]]
        assert len(colours[0]) == 2
        assert colours[0] == colours[1]


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


def test_brightness_is_claimed_only_where_it_is_clear() -> None:
    assert light_facts(0.7) == {"light:bright"}
    assert light_facts(0.1) == {"light:dark"}
    assert light_facts(0.36) == set()
    assert light_facts(0.25) == {"maybe:light:dark"}
    assert light_facts(0.25, night=True) == {"light:dark"}


def test_rain_and_sunset_deny_dry_weather_and_day() -> None:
    wet = derived(["scene:seaside", "place:outdoor", "time:day", "weather:rain"], GREY)
    late = derived(["scene:seaside", "place:outdoor", "time:day", "time:sunset"], GREY)

    assert "weather:dry" in BEACH
    assert not {"weather:dry", "maybe:weather:dry"} & wet
    assert not {"time:day", "maybe:time:day"} & late


def test_a_thing_that_names_its_scene_is_known_as_both() -> None:
    door = derived(["scene:door", "place:indoor"], GREY)
    corridor = derived(["scene:corridor", "obj:door", "place:indoor"], GREY)

    assert "obj:door" in door
    assert "maybe:scene:door" in corridor


@pytest.mark.parametrize("words", [SCENE_WORDS, OBJECT_WORDS, ATTRIBUTE_WORDS], ids=["scenes", "objects", "attributes"])
def test_everything_has_at_least_four_wordings(words: dict[str, tuple[str, ...]]) -> None:
    assert {name: w for name, w in words.items() if len(set(w)) < 4} == {}


def test_the_vocabulary_is_as_large_as_promised() -> None:
    assert len(SCENE_WORDS) >= 40
    assert len(BASIC_COLOURS) == 11
    assert {f for pair in PAIRS for f in pair} <= set(ATTRIBUTE_WORDS)
    assert "something else" in ABSTRACT_WORDS
    assert {m for members, _ in KIND_WORDS.values() for m in members} <= set(SCENE_WORDS)


def test_unseen_phrasings_use_known_words_and_are_in_no_list() -> None:
    wordings = {w for group in (SCENE_WORDS, OBJECT_WORDS) for words in group.values() for w in words}

    assert unheard() == set()
    assert set(UNSEEN) <= set(SCENE_WORDS)
    assert not wordings & {phrase for phrases in UNSEEN.values() for phrase in phrases}
    assert {w for words in COLOURED.values() for w in " ".join(words).split()} <= set(vocabulary())


def test_no_scene_is_said_in_the_words_of_a_phrasing_that_is_kept_out() -> None:
    rng = random.Random(11)
    said = {content(scene_caption(rng, scene).text) for scene in UNSEEN for _ in range(60)}

    assert len(said) > 2_000
    assert not {words for words in said if words in KEPT_OUT}


def test_mixed_wordings_always_hold_a_word_of_their_own() -> None:
    rng = random.Random(3)
    for scene, (own, _) in own_words().items():
        assert own
        assert all(set(own) & set(mixed_words(rng, scene).split()) for _ in range(5))


def test_a_scene_with_a_wrong_attribute_is_no_nearer_to_a_related_scene() -> None:
    rng = random.Random(1)
    both = [c for c in captions_for(rng, SITE, 400) if "time:day" in c.needs and len(c.needs) == 2]
    night = derived(["scene:construction_site", "place:outdoor", "time:night"], GREY)

    assert both
    assert set(levels_of([night, SHIPYARD], both).flat) == {0}


def test_what_holds_is_not_unclear_as_well() -> None:
    wall = derived(["scene:wall", "place:indoor"], GREY)
    face = derived(["scene:portrait", "obj:person", "shirt:red"], GREY)

    assert "maybe:scene:wall" not in wall
    assert not {"maybe:scene:portrait", "maybe:shirt:red"} & face


@pytest.mark.parametrize(
    "facts",
    [
        ["scene:portrait", "obj:person", "shirt:red"],
        ["scene:couch", "place:indoor", "sofa:red"],
        ["scene:bedroom", "place:indoor", "bed:red"],
        ["scene:door", "door:red", "ground:grey"],
        ["scene:train", "place:outdoor", "train:red"],
        ["scene:cyclist", "scene:bicycle", "place:outdoor", "obj:person", "bicycle:red"],
    ],
    ids=lambda facts: facts[0],
)
def test_where_the_colour_of_the_only_thing_of_its_kind_is_known_the_others_are_wrong(facts: list[str]) -> None:
    kind = next(f for f in facts if f.endswith(":red")).split(":")[0]
    known = derived(facts, GREY)

    assert levels_of([known], all_colours(random.Random(1), kind)).tolist() == [
        [3 if colour == "red" else 0 for colour in BASIC_COLOURS]
    ]
    assert f"maybe:{kind}:blue" in derived([f for f in facts if f != f"{kind}:red"] + ["obj:person"], GREY)


@pytest.mark.parametrize(("seen", "unclear"), [([], False), (["obj:wall"], True)], ids=["things", "wall"])
def test_in_the_flat_a_wall_is_no_answer_where_none_was_measured(seen: list[str], unclear: bool) -> None:
    known = derived(["scene:stairs", "obj:all_noted", "place:indoor", *seen], GREY)

    assert ("maybe:scene:wall" in known) == unclear
    assert not {"maybe:scene:couch", "maybe:obj:chair"} & known
    assert "maybe:obj:lamp" in known
