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

import random
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.demo.words import (
    ABSTRACT_WORDS,
    ATTRIBUTE_WORDS,
    COLOUR_WORDS,
    COLOURED,
    KIND_WORDS,
    OBJECT_WORDS,
    RELATED,
    SCENE_WORDS,
    TEMPLATES,
)
from tools.scenes.colour import BASIC_COLOURS


@dataclass(frozen=True)
class Caption:
    """A text, the facts it needs, the facts that make it a near miss, and whether it is abstract."""

    text: str
    needs: frozenset[str]
    near: frozenset[str] = frozenset()
    abstract: bool = False


def derived(facts: list[str], seen: ColourShares) -> set[str]:
    """Add what follows from a picture's facts and colours: its kinds, relations, bright or dark, colours.

    A fact written ``maybe:…`` is neither claimed nor denied: captions that hang on it are left out
    for this picture.
    """
    result = set(facts)
    scenes = {f[6:] for f in result if f.startswith("scene:")}
    for kind, (members, _) in KIND_WORDS.items():
        if scenes & set(members):
            result.add(f"kind:{kind}")
    for a, b in RELATED:
        if a in scenes:
            result.add(f"near:{b}")
        if b in scenes:
            result.add(f"near:{a}")
    if "place:indoor" in result:  # the window may be out of sight
        result -= {"time:day", "time:night"}
        result |= {"maybe:time:day", "maybe:time:night"}
    if not scenes & {"mountains", "forest", "snow", "meadow", "desert", "black_frame", "colour_field"}:
        result.add("maybe:obj:tree")
    if scenes & {"road", "football_pitch"}:
        result.add("maybe:kind:nature")
    if scenes & {"construction_site", "road"}:
        result |= {"maybe:kind:urban", "maybe:scene:city_street"} - (
            {"maybe:scene:city_street"} if "construction_site" in scenes else set()
        )
    result |= (
        {"light:bright"}
        if seen.brightness > 0.52
        else {"maybe:light:bright"}
        if seen.brightness > 0.40
        else set()
    )
    result |= (
        {"light:dark"}
        if seen.brightness < 0.20
        else {"maybe:light:dark"}
        if seen.brightness < 0.30
        else set()
    )
    named = {f.split(":")[1] for f in facts if f.split(":")[0] in (*COLOURED, "main", "ground")}
    for colour, share in seen.shares.items():
        if share > 0.3 or colour in named:
            result.add(f"any:{colour}")
        elif share > 0.03:
            result.add(f"maybe:any:{colour}")
    return result


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
            np.where(
                value == r, (g - b) / safe % 6, np.where(value == g, (b - r) / safe + 2, (r - g) / safe + 4)
            )
            * 60
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


def say(rng: random.Random, words: str) -> str:
    """Put words into a template, with the right article."""
    text = rng.choice(TEMPLATES).format(words)
    for vowel in "aeio":
        text = text.replace(f" a {vowel}", f" an {vowel}")
        if text.startswith(f"a {vowel}"):
            text = "an" + text[1:]
    return text


def scene_caption(rng: random.Random, scene: str) -> Caption:
    """Name a scene."""
    near = frozenset({f"near:{scene}"})
    return Caption(say(rng, rng.choice(SCENE_WORDS[scene])), frozenset({f"scene:{scene}"}), near)


def captions_for(rng: random.Random, facts: set[str], count: int) -> list[Caption]:
    """Compose ``count`` captions that are true of a picture."""
    scenes = [f[6:] for f in sorted(facts) if f.startswith("scene:")]
    kinds = [f[5:] for f in sorted(facts) if f.startswith("kind:")]
    objects = [f for f in sorted(facts) if f in OBJECT_WORDS]
    attributes = [f for f in sorted(facts) if f in ATTRIBUTE_WORDS]
    coloured = [tuple(f.split(":")) for f in sorted(facts) if f.split(":")[0] in COLOURED]
    result = [scene_caption(rng, rng.choice(scenes))]
    while len(result) < count:
        roll = rng.random()
        if roll < 0.16 and attributes:
            fact = rng.choice(attributes)
            result.append(
                Caption(
                    say(rng, rng.choice(ATTRIBUTE_WORDS[fact]))
                    if rng.random() < 0.4
                    else rng.choice(ATTRIBUTE_WORDS[fact]),
                    frozenset({fact}),
                )
            )
        elif roll < 0.34 and objects:
            fact = rng.choice(objects)
            result.append(Caption(say(rng, rng.choice(OBJECT_WORDS[fact])), frozenset({fact})))
        elif roll < 0.56 and coloured:
            result.append(colour_caption(rng, *rng.choice(coloured), facts=facts))
        elif roll < 0.62 and kinds:
            kind = rng.choice(kinds)
            result.append(Caption(say(rng, rng.choice(KIND_WORDS[kind][1])), frozenset({f"kind:{kind}"})))
        elif roll < 0.72 and objects:
            fact, scene = rng.choice(objects), rng.choice(scenes)
            joint = rng.choice(("{o} on a {s}", "{s} with {o}", "{s} with a {o}", "{o} in a {s}"))
            text = joint.format(o=rng.choice(OBJECT_WORDS[fact]), s=rng.choice(SCENE_WORDS[scene][:5]))
            result.append(Caption(text, frozenset({fact, f"scene:{scene}"})))
        elif roll < 0.84 and attributes:
            fact, scene = rng.choice(attributes), rng.choice(scenes)
            word, name = rng.choice(ATTRIBUTE_WORDS[fact][:3]), rng.choice(SCENE_WORDS[scene][:5])
            text = rng.choice(("{s} {a}", "{s}, {a}", "{a}, {s}", "{a} {s}")).format(s=name, a=word)
            result.append(Caption(text, frozenset({fact, f"scene:{scene}"}), frozenset({f"near:{scene}"})))
        else:
            result.append(scene_caption(rng, rng.choice(scenes)))
    return result


def colour_caption(rng: random.Random, kind: str, colour: str, *, facts: set[str]) -> Caption:
    """Name a thing by its colour, sometimes with the ground it lies on."""
    word = rng.choice(COLOUR_WORDS[colour])
    ground = next((f[7:] for f in facts if f.startswith("ground:")), None)
    roll = rng.random()
    if ground and roll < 0.35:
        floor = rng.choice(COLOUR_WORDS[ground])
        text = (
            f"a {word} {rng.choice(COLOURED[kind])} on a {floor} {rng.choice(('floor', 'ground', 'table'))}"
        )
        return Caption(text, frozenset({f"{kind}:{colour}", f"ground:{ground}"}))
    if kind == "car" and roll < 0.3:
        return Caption(
            f"a {word} car on a grey {rng.choice(('road', 'street'))}", frozenset({f"car:{colour}"})
        )
    return Caption(say(rng, f"{word} {rng.choice(COLOURED[kind])}"), frozenset({f"{kind}:{colour}"}))


def shared_captions(rng: random.Random) -> list[Caption]:
    """Captions of every batch: scenes, plain colours, abstract ones, all colours of a thing, word order."""
    result = [scene_caption(rng, scene) for scene in SCENE_WORDS]
    result += [
        Caption(say(rng, text) if rng.random() < 0.25 else text, frozenset(), abstract=True)
        for text in rng.sample(ABSTRACT_WORDS, 6)
    ]
    for colour, words in COLOUR_WORDS.items():
        word = rng.choice(words)
        text = rng.choice(
            ("{}", "{}", "{} colour", "{} background", "plain {}", "the colour {}", "all {}", "{} picture")
        )
        result.append(Caption(text.format(word), frozenset({f"any:{colour}"})))
    for kind in rng.sample(("ball", "box", "cup", "car", "sofa"), 2):
        for colour, words in COLOUR_WORDS.items():
            text = f"{rng.choice(('a ', '', 'the '))}{rng.choice(words)} {rng.choice(COLOURED[kind])}"
            result.append(Caption(text, frozenset({f"{kind}:{colour}"})))
    for _ in range(8):
        a, b = rng.sample(tuple(BASIC_COLOURS), 2)
        kind = rng.choice(("ball", "box", "cup"))
        for x, y in ((a, b), (b, a)):
            thing = f"a {rng.choice(COLOUR_WORDS[x])} {COLOURED[kind][0]}"
            text = f"{thing} on a {rng.choice(COLOUR_WORDS[y])} {rng.choice(('floor', 'ground', 'table'))}"
            result.append(Caption(text, frozenset({f"{kind}:{x}", f"ground:{y}"})))
    return result


def levels(pictures: list[set[str]], captions: list[Caption]) -> NDArray[np.int8]:
    """How true each caption is of each picture, int8 ``(pictures, captions)``; see the module's levels."""
    names = sorted({f for c in captions for f in (*c.needs, *c.near)})
    place = {f: i for i, f in enumerate(names)}
    has = np.zeros((len(pictures), len(names)), np.float32)
    for i, facts in enumerate(pictures):
        for f in facts:
            if f in place:
                has[i, place[f]] = 1
    needs, near = (np.zeros((len(captions), len(names)), np.float32) for _ in range(2))
    for j, caption in enumerate(captions):
        needs[j, [place[f] for f in caption.needs]] = 1
        near[j, [place[f] for f in caption.near]] = 1
    true = (has @ needs.T >= needs.sum(1)) & (needs.sum(1) > 0)
    related = (has @ near.T) > 0
    abstract = np.array([c.abstract for c in captions])[None]
    perhaps = np.zeros_like(has)
    for i, facts in enumerate(pictures):
        perhaps[i, [place[f[6:]] for f in facts if f.startswith("maybe:") and f[6:] in place]] = 1
    unclear = ~true & (np.maximum(has, perhaps) @ needs.T >= needs.sum(1)) & (needs.sum(1) > 0)
    return np.where(true, 3, np.where(unclear, -1, np.where(related, 2, np.where(abstract, 1, 0)))).astype(
        np.int8
    )


def vocabulary() -> list[str]:
    """Every word a caption can contain, in alphabetical order."""
    texts: list[str] = [
        *TEMPLATES,
        *ABSTRACT_WORDS,
        "an a on in with the of grey floor ground table colour background plain all picture street",
    ]
    for group in (SCENE_WORDS, OBJECT_WORDS, ATTRIBUTE_WORDS, COLOURED, COLOUR_WORDS):
        texts += [t for words in group.values() for t in words]
    texts += [t for _, words in KIND_WORDS.values() for t in words]
    words = {w.strip(",.{}") for text in texts for w in text.lower().replace("-", " ").split()}
    return sorted(w for w in words if w)
