"""Captions from a grammar, each with the facts it needs; what is true of a picture follows from its facts.

How true a caption is of a picture has a level, and the objective only ever compares levels:

- ``TRUE`` 3: every fact it needs holds;
- ``RELATED`` 2: it names a place of the same kind (a shipyard is no construction site, but nearer to
  one than a beach is);
- ``ABSTRACT`` 1: it says no more than "something else", which is nearer to any picture than a wrong
  caption is, and further than a right or a related one;
- 0: it is wrong; -1: unclear, left out.
"""

from __future__ import annotations

import functools
import random
from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.demo.facts import COLOURS, FactTable
from tools.demo.thing_words import ATTRIBUTE_WORDS, COLOUR_WORDS, COLOURED, EXTRA_WORDS, OBJECT_WORDS, UNSEEN
from tools.demo.words import ABSTRACT_WORDS, KIND_WORDS, SCENE_WORDS, TEMPLATES, words_of

FLOORS = ("floor", "ground", "table", "background")
ROADS = ("road", "street")
ON_ROADS = {"car", "bus", "truck", "bicycle"}
PARTICLES = frozenset(
    words_of(
        "a, an, the, of, in, on, at, with, and, by, to, no, not, from, for, near, next, under, over, between, among, "
        "through, across, up, out"
    )
)
"""Words that join others."""
JOINTS = (
    *(" ", " ", " ", " with ", " with a ", " in ", " in a ", " in the ", " on a ", " on the "),
    *(" and ", " and a ", " of ", " of a ", " at the ", " at a ", " by the ", " near a ", " between "),
)
SETTINGS = {
    scene: words_of(places)
    for scenes, places in (
        (
            "kitchen, living_room, bedroom, bathroom, dining, couch, television, stairs, door, wall, tile_wall, chair",
            "in a house, at home, in a room, of a house, in the home",
        ),
        (
            "city_street, city_square, night_city, crowd, market, parking_lot, restaurant, supermarket",
            "in town, in the city, in a city, of a town, in the street",
        ),
        (
            "mountains, forest, snow, desert, meadow, seaside, lake, waterfall, farm",
            "in nature, in the landscape, in the country, outdoors",
        ),
        ("library, classroom, office, corridor, basketball_court", "in a building, in a room, of a house"),
        ("ship, boat, harbour, bridge, aeroplane, train", "in a landscape, outdoors, in the open air"),
    )
    for scene in words_of(scenes)
}
"""Where scenes are, in words that do not tell one from another."""


@dataclass(frozen=True)
class Caption:
    """A text, the facts it needs, the facts that make it a near miss, and whether it is abstract."""

    text: str
    needs: frozenset[str]
    near: frozenset[str] = frozenset()
    abstract: bool = False


def articles(text: str) -> str:
    """Write "an" before vowels."""
    for vowel in "aeio":
        text = text.replace(f" a {vowel}", f" an {vowel}")
        if text.startswith(f"a {vowel}"):
            text = "an" + text[1:]
    return text


def say(rng: random.Random, words: str) -> str:
    """Put words into a template, with the right article."""
    return articles(rng.choice(TEMPLATES).format(words))


def content(text: str) -> frozenset[str]:
    """Return the words of a text that say something, without plural endings."""
    words = text.lower().replace("-", " ").replace(",", " ").split()
    return frozenset(w[:-1] if w.endswith("s") and len(w) > 3 else w for w in words) - PARTICLES


KEPT_OUT = frozenset(content(phrase) for phrases in UNSEEN.values() for phrase in phrases)
"""What the phrasings kept out of training say: no caption of a scene is made of the same words in another order."""


@functools.cache
def own_words() -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """Return for each scene the words of its wordings that no other scene's contain, and all of them."""
    words = {
        scene: sorted({w for text in texts for w in text.replace(",", "").split()} - PARTICLES)
        for scene, texts in SCENE_WORDS.items()
    }
    said = {base for texts in ATTRIBUTE_WORDS.values() for t in texts for base in content(t)}
    often = Counter(base for texts in SCENE_WORDS.values() for base in {b for t in texts for b in content(t)})
    return {
        scene: (
            tuple(w for w in all_ if content(w) and not content(w) & said and all(often[b] == 1 for b in content(w))),
            tuple(all_),
        )
        for scene, all_ in words.items()
    }


def mixed_words(rng: random.Random, scene: str) -> str:
    """Say a scene with words from several of its wordings, at least one of them its own, in any order."""
    own, words = own_words()[scene]
    if not own:
        return rng.choice(SCENE_WORDS[scene])
    chosen = [rng.choice(own)]
    others = [w for w in words if w not in chosen]
    chosen += rng.sample(others, min(len(others), rng.randint(1, 3)))
    rng.shuffle(chosen)
    text = chosen[0]
    for word in chosen[1:]:
        text += rng.choice(JOINTS) + word
    if rng.random() < 0.3 and scene in SETTINGS:
        text += " " + rng.choice(SETTINGS[scene])
    return text


def scene_words(rng: random.Random, scene: str) -> str:
    """Name a scene by one of its wordings, by two together, or by words from several."""
    roll = rng.random()
    if roll < 0.15:
        return SCENE_WORDS[scene][0]
    if roll < 0.50:
        return rng.choice(SCENE_WORDS[scene])
    if roll < 0.70:
        two = rng.choice(SCENE_WORDS[scene]), rng.choice(SCENE_WORDS[scene])
        return rng.choice(("{} with {}", "{}, {}", "{} and {}", "{} of {}", "{} in {}")).format(*two)
    return mixed_words(rng, scene)


def scene_caption(rng: random.Random, scene: str) -> Caption:
    """Name a scene, never in the words of a phrasing that is kept out."""
    words = scene_words(rng, scene)
    while content(words) in KEPT_OUT:
        words = rng.choice(SCENE_WORDS[scene])
    return Caption(say(rng, words), frozenset({f"scene:{scene}"}), frozenset({f"near:{scene}"}))


def captions_for(rng: random.Random, facts: set[str], count: int) -> list[Caption]:
    """Compose ``count`` captions that are true of a picture."""
    known = sorted(facts)
    scenes = [f[6:] for f in known if f.startswith("scene:") and f[6:] in SCENE_WORDS]
    kinds = [f[5:] for f in known if f.startswith("kind:")]
    objects = [f for f in known if f in OBJECT_WORDS]
    attributes = [f for f in known if f in ATTRIBUTE_WORDS]
    coloured = [tuple(f.split(":")) for f in known if f.split(":")[0] in COLOURED]
    result: list[Caption] = []
    while len(result) < count:
        roll = rng.random()
        if roll < 0.34 and coloured:
            result.append(colour_caption(rng, coloured, facts))
        elif roll < 0.46 and attributes:
            fact = rng.choice(attributes)
            words = rng.choice(ATTRIBUTE_WORDS[fact])
            result.append(Caption(say(rng, words) if rng.random() < 0.4 else words, frozenset({fact})))
        elif roll < 0.56 and objects:
            fact = rng.choice(objects)
            result.append(Caption(say(rng, rng.choice(OBJECT_WORDS[fact])), frozenset({fact})))
        elif roll < 0.60 and kinds:
            kind = rng.choice(kinds)
            result.append(Caption(say(rng, rng.choice(KIND_WORDS[kind][1])), frozenset({f"kind:{kind}"})))
        elif roll < 0.70 and objects and scenes:
            fact, scene = rng.choice(objects), rng.choice(scenes)
            joint = rng.choice(("{o} on a {s}", "{s} with {o}", "{s} with a {o}", "{o} in a {s}", "{o} at the {s}"))
            text = joint.format(o=rng.choice(OBJECT_WORDS[fact]), s=rng.choice(SCENE_WORDS[scene][:6]))
            result.append(Caption(text, frozenset({fact, f"scene:{scene}"})))
        elif roll < 0.84 and attributes and scenes:
            fact, scene = rng.choice(attributes), rng.choice(scenes)
            word, name = rng.choice(ATTRIBUTE_WORDS[fact][:4]), rng.choice(SCENE_WORDS[scene][:6])
            text = rng.choice(("{s} {a}", "{s}, {a}", "{a}, {s}", "{a} {s}", "{a} of a {s}")).format(s=name, a=word)
            result.append(Caption(text, frozenset({fact, f"scene:{scene}"})))
        elif scenes:
            result.append(scene_caption(rng, rng.choice(scenes)))
        else:
            fact = rng.choice(attributes)
            result.append(Caption(rng.choice(ATTRIBUTE_WORDS[fact]), frozenset({fact})))
    return result


def colour_caption(rng: random.Random, coloured: list[tuple[str, ...]], facts: set[str]) -> Caption:
    """Name a thing by its colour, sometimes with the ground it lies on or with another thing."""
    kind, colour = rng.choice(coloured)
    ground = next((f[7:] for f in sorted(facts) if f.startswith("ground:")), None)
    others = [(k, c) for k, c in coloured if k != kind]
    roll = rng.random()
    if others and roll < 0.45:
        return pair_caption(rng, kind, colour, *rng.choice(others))
    if ground and kind != "wall" and roll < 0.55:
        return ground_caption(rng, kind, colour, ground)
    return Caption(
        say(rng, f"{rng.choice(COLOUR_WORDS[colour])} {rng.choice(COLOURED[kind])}"),
        frozenset({f"{kind}:{colour}"}),
    )


def ground_caption(rng: random.Random, kind: str, colour: str, ground: str) -> Caption:
    """Say "a red ball on a blue floor"."""
    word, floor = rng.choice(COLOUR_WORDS[colour]), rng.choice(COLOUR_WORDS[ground])
    place = rng.choice(ROADS) if kind in ON_ROADS and rng.random() < 0.7 else rng.choice(FLOORS)
    text = f"a {word} {rng.choice(COLOURED[kind])} on a {floor} {place}"
    needs = {f"{kind}:{colour}", f"ground:{ground}"}
    return Caption(articles(text), frozenset(needs | ({"obj:road"} if place in ROADS else set())))


def pair_caption(rng: random.Random, kind: str, colour: str, other: str, second: str) -> Caption:
    """Say "a red ball and a blue box"."""
    joint = rng.choice(("a {} {} and a {} {}", "a {} {} next to a {} {}", "a {} {} with a {} {}"))
    if other == "wall":
        joint = rng.choice(("a {} {} and a {} {}", "a {} {} on a {} {}", "a {} {} in a {} {}"))
    words = (
        rng.choice(COLOUR_WORDS[colour]),
        rng.choice(COLOURED[kind]),
        rng.choice(COLOUR_WORDS[second]),
        rng.choice(COLOURED[other]),
    )
    return Caption(articles(joint.format(*words)), frozenset({f"{kind}:{colour}", f"{other}:{second}"}))


def swapped(rng: random.Random, facts: set[str]) -> list[Caption]:
    """Return a true caption with two colours in it and the one with the colours swapped, if there are two."""
    coloured = [tuple(f.split(":")) for f in sorted(facts) if f.split(":")[0] in COLOURED and not f.startswith("wall")]
    ground = next((f[7:] for f in sorted(facts) if f.startswith("ground:")), None)
    if not coloured:
        return []
    kind, colour = rng.choice(coloured)
    others = [(k, c) for k, c in coloured if k != kind and c != colour]
    if others and rng.random() < 0.6:
        other, second = rng.choice(others)
        return [
            pair_caption(rng, kind, colour, other, second),
            pair_caption(rng, kind, second, other, colour),
        ]
    if ground and ground != colour:
        return [ground_caption(rng, kind, colour, ground), ground_caption(rng, kind, ground, colour)]
    return []


def all_colours(rng: random.Random, kind: str) -> list[Caption]:
    """Name a thing of one kind in each of the colours."""
    result = []
    for colour, words in COLOUR_WORDS.items():
        text = f"{rng.choice(('a ', '', 'the '))}{rng.choice(words)} {rng.choice(COLOURED[kind])}"
        result.append(Caption(articles(text), frozenset({f"{kind}:{colour}"})))
    return result


def shared_captions(rng: random.Random) -> list[Caption]:
    """Captions of every batch: scenes, plain colours, abstract ones, attributes, all colours of some things."""
    result = [scene_caption(rng, scene) for scene in SCENE_WORDS]
    result += [
        Caption(say(rng, text) if rng.random() < 0.25 else text, frozenset(), abstract=True)
        for text in rng.sample(ABSTRACT_WORDS, 6)
    ]
    for fact, words in ATTRIBUTE_WORDS.items():
        result.append(Caption(rng.choice(words), frozenset({fact})))
    for fact in rng.sample(tuple(OBJECT_WORDS), 16):
        result.append(Caption(rng.choice(OBJECT_WORDS[fact]), frozenset({fact})))
    for colour, words in COLOUR_WORDS.items():
        text = rng.choice(
            ("{}", "{}", "{} colour", "{} background", "plain {}", "the colour {}", "all {}", "{} picture")
        )
        result.append(Caption(text.format(rng.choice(words)), frozenset({f"any:{colour}"})))
    some = rng.sample(("ball", "box", "cup", "car", "bus", "shirt"), 2)
    for kind in (*some, *rng.sample(tuple(COLOURED), 2)):
        result += all_colours(rng, kind)
    floor = rng.choice(FLOORS)
    for colour, words in COLOUR_WORDS.items():
        text = rng.choice(("{} {}", "something on a {} {}")).format(rng.choice(words), floor)
        result.append(Caption(text, frozenset({f"ground:{colour}"})))
    return result


def levels(
    has: NDArray[np.bool_], perhaps: NDArray[np.bool_], captions: list[Caption], table: FactTable
) -> NDArray[np.int8]:
    """How true each caption is of each picture, int8 ``(pictures, captions)``; see the module's levels.

    Args:
        has: which facts of ``table`` hold in each picture.
        perhaps: which may hold.
        captions: what is said.
        table: the facts.
    """
    needs, near = (np.zeros((len(captions), len(table.names)), np.float32) for _ in range(2))
    for j, caption in enumerate(captions):
        needs[j, [table.place[f] for f in caption.needs]] = 1
        near[j, [table.place[f] for f in caption.near]] = 1
    holds, may = has.astype(np.float32), (has | perhaps).astype(np.float32)
    count = needs.sum(1)
    true = (holds @ needs.T >= count) & (count > 0)
    related = (holds @ near.T) > 0
    abstract = np.array([c.abstract for c in captions])[None]
    unclear = ~true & (may @ needs.T >= count) & (count > 0)
    return np.where(true, 3, np.where(unclear, -1, np.where(related, 2, np.where(abstract, 1, 0)))).astype(np.int8)


def vocabulary() -> list[str]:
    """Every word a caption can contain, in alphabetical order."""
    texts: list[str] = [*TEMPLATES, *ABSTRACT_WORDS, EXTRA_WORDS, *FLOORS, *ROADS]
    for group in (SCENE_WORDS, OBJECT_WORDS, ATTRIBUTE_WORDS, COLOURED, COLOUR_WORDS):
        texts += [t for words in group.values() for t in words]
    texts += [t for _, words in KIND_WORDS.values() for t in words]
    words = {w.strip(",.{}") for text in texts for w in text.lower().replace("-", " ").split()}
    return sorted(w for w in words if w)


def unheard() -> set[str]:
    """Words of the phrasings kept out of training that no wording contains; there should be none."""
    lists = [
        t for group in (SCENE_WORDS, OBJECT_WORDS, ATTRIBUTE_WORDS, COLOURED) for words in group.values() for t in words
    ]
    lists += [t for _, words in KIND_WORDS.values() for t in words] + list(TEMPLATES)
    known = {w.strip(",") for t in lists for w in t.lower().replace("-", " ").split()} | {
        "and",
        "at",
        "in",
        "on",
        "to",
        "near",
    }
    known |= {w + "s" for w in known} | {w[:-1] for w in known if w.endswith("s")}
    return {w for phrases in UNSEEN.values() for t in phrases for w in t.split()} - known


__all__ = [
    "COLOURS",
    "Caption",
    "captions_for",
    "levels",
    "shared_captions",
    "swapped",
    "unheard",
    "vocabulary",
]
