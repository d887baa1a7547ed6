"""How well the exported model does on renderings that it was not trained on. No PyTorch; videos: ``readings``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from tokenizers import Tokenizer

from tools.demo.dataset import (
    DRIVE_TEST_SEED,
    ROOM_TEST_SEED,
    TEST_SEED,
    Renderings,
    load_renderings,
)
from tools.demo.facts import COLOURS, ColourShares, derived
from tools.demo.thing_words import ATTRIBUTE_WORDS, COLOURED, PAIRS, UNSEEN
from tools.demo.tokens import PAD
from tools.demo.words import SCENE_WORDS
from tools.scenes.catalogue import DRIVES, ROOMS

MEAN = np.array([0.48145466, 0.4578275, 0.40821073], np.float32)
STD = np.array([0.26862954, 0.26130258, 0.27577711], np.float32)


class Model:
    """The exported graphs, run with ONNX Runtime as the embedded engine runs them."""

    def __init__(self, folder: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._visual = onnxruntime.InferenceSession(
            str(folder / "visual/model.onnx"), options, providers=["CPUExecutionProvider"]
        )
        self._textual = onnxruntime.InferenceSession(
            str(folder / "textual/model.onnx"), options, providers=["CPUExecutionProvider"]
        )
        self.tokenizer = Tokenizer.from_file(str(folder / "textual/tokenizer.json"))
        self.tokenizer.enable_padding(pad_id=0, pad_token=PAD)

    def images(self, batch: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Return unit rows for pictures uint8 RGB of any size, prepared as for CLIP."""
        rows = []
        for start in range(0, len(batch), 16):
            squares = np.stack([_square(image) for image in batch[start : start + 16]])
            pixels = ((squares.astype(np.float32) / 255 - MEAN) / STD).transpose(0, 3, 1, 2)
            rows.append(self._visual.run(None, {"input": np.ascontiguousarray(pixels)})[0])
        return np.concatenate(rows)

    def texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return unit rows for texts."""
        encoded = self.tokenizer.encode_batch(list(texts))
        feed = {
            "input_ids": np.array([e.ids for e in encoded], np.int64),
            "attention_mask": np.array([e.attention_mask for e in encoded], np.int64),
        }
        return self._textual.run(None, feed)[0]


def _square(image: NDArray[np.uint8], side: int = 224) -> NDArray[np.uint8]:
    h, w = image.shape[:2]
    k = side / min(h, w)
    size = (max(side, round(w * k)), max(side, round(h * k)))
    resized = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC)) if (w, h) != size else image
    top, left = (size[1] - side) // 2, (size[0] - side) // 2
    return resized[top : top + side, left : left + side]


def unseen_renderings(cache: Path, *, workers: int = 1) -> Renderings:
    """Return 3,000 renderings of all scenes, 800 of rooms and 400 of drives, with seeds never used in training."""
    test = load_renderings(cache, "test", TEST_SEED, 3_000, workers=workers)
    test = test.joined(load_renderings(cache, "rooms_test", ROOM_TEST_SEED, 800, ROOMS, workers=workers))
    return test.joined(load_renderings(cache, "drives_test", DRIVE_TEST_SEED, 400, DRIVES, workers=workers))


@dataclass(frozen=True)
class Share:
    """How many of how many were right."""

    right: int
    of: int

    @property
    def share(self) -> float:
        """Right ones, 0 to 1; NaN when there were none."""
        return self.right / self.of if self.of else float("nan")


def _share(hits: Sequence[bool]) -> Share:
    return Share(int(sum(hits)), len(hits))


def held_out(model: Model, renderings: Renderings) -> dict[str, Share]:
    """Zero-shot accuracy on renderings never trained on: scenes, unseen phrasings, attributes, colours, order."""
    images = [np.asarray(renderings.images[i]) for i in range(len(renderings))]
    vectors = model.images(images)
    facts = [derived(f, ColourShares.of(image)) for f, image in zip(renderings.facts, images, strict=True)]
    return {
        **scene_shares(model, vectors, facts),
        **attribute_shares(model, vectors, facts),
        **blur_share(model, images, vectors, facts),
        **colour_shares(model, vectors, facts),
        "word order": order_share(model, vectors, facts),
    }


def scene_shares(model: Model, vectors: NDArray[np.float32], facts: list[set[str]]) -> dict[str, Share]:
    """Best plain name among all scenes; an unseen phrasing of one scene against the plain names of the others.

    In a city street there is a car and in a corridor a door: a name that may also be true of a picture is no
    rival there, neither of a plain name nor of a phrasing. "Strictly" counts it as wrong all the same.
    """
    names = list(SCENE_WORDS)
    scores = vectors @ model.texts([SCENE_WORDS[n][0] for n in names]).T
    best = scores.argmax(1)
    rows = [i for i, f in enumerate(facts) if any(x.startswith("scene:") for x in f)]
    strict = [f"scene:{names[best[i]]}" in facts[i] for i in rows]
    fair = scores.copy()
    for i in rows:
        fair[i, [k for k, n in enumerate(names) if f"maybe:scene:{n}" in facts[i]]] = -2
    sound = [f"scene:{names[fair[i].argmax()]}" in facts[i] for i in rows]
    result = {"scenes": _share(sound), "scenes, strictly": _share(strict)}
    for label, table in (("unseen phrasings", fair), ("unseen phrasings, strictly", scores)):
        hits: list[bool] = []
        for name, phrases in UNSEEN.items():
            mine = [i for i in rows if f"scene:{name}" in facts[i]]
            rivals = np.delete(table[mine], [names.index(x[6:]) for x in _companions(name, names)], axis=1)
            for row in model.texts(list(phrases)):
                hits += list(vectors[mine] @ row > rivals.max(1))
        result[label] = _share(hits)
    for label, wanted in (
        ("black frame", {"black_frame"}),
        ("title card or credits", {"title_card", "credits"}),
    ):
        told = [(names[best[i]] in wanted, any(f"scene:{w}" in facts[i] for w in wanted)) for i in rows]
        result[label] = _share([a == b for a, b in told if a or b])
    return result


def _companions(name: str, names: list[str]) -> list[str]:
    """Scenes that may be in the same picture as ``name``, which are no rivals of its phrasings; itself among them."""
    together = (
        {
            "door",
            "wall",
            "stairs",
            "tile_wall",
            "television",
            "couch",
            "dining",
            "chair",
            "kitchen",
            "living_room",
        },
        {"runner", "cyclist", "bicycle"},
        {"farm", "cow"},
        {"bottle", "bottle_table"},
        {"underwater", "fish"},
        {"night_city", "city_square", "city_street", "skyline"},
        {"boat", "harbour", "lake"},
    )
    group = next((g for g in together if name in g), {name}) | {name}
    return [f"scene:{n}" for n in names if n in group]


def attribute_shares(model: Model, vectors: NDArray[np.float32], facts: list[set[str]]) -> dict[str, Share]:
    """Attributes as pairs, each on the pictures in which one of the two clearly holds."""
    result = {}
    for a, b in PAIRS:
        if "focus" in a:
            continue
        pair = model.texts([ATTRIBUTE_WORDS[a][0], ATTRIBUTE_WORDS[b][0]])
        rows = [i for i, f in enumerate(facts) if (a in f) != (b in f)]
        best = (vectors[rows] @ pair.T).argmax(1)
        sides = [
            _share([best[k] == side for k, i in enumerate(rows) if (a if side == 0 else b) in facts[i]])
            for side in (0, 1)
        ]
        result[f"{ATTRIBUTE_WORDS[a][0]} or {ATTRIBUTE_WORDS[b][0]}"] = min(sides, key=lambda s: s.share)
    return result


def blur_share(
    model: Model, images: list[NDArray[np.uint8]], vectors: NDArray[np.float32], facts: list[set[str]]
) -> dict[str, Share]:
    """Blurred or still: sharp pictures as they are, and again out of focus or as if the camera had moved."""
    rng = np.random.default_rng(1)
    rows = [i for i, f in enumerate(facts) if "focus:sharp" in f][:600]
    soft = []
    for i in rows:
        if rng.random() < 0.6:
            kernel = ImageFilter.GaussianBlur(float(rng.uniform(2.2, 5.0)))
            soft.append(np.asarray(Image.fromarray(images[i]).filter(kernel)))
        else:
            length = int(rng.integers(10, 21))
            wide = np.pad(images[i], ((0, 0), (length // 2, length - length // 2), (0, 0)), mode="edge").astype(
                np.float32
            )
            total = np.cumsum(np.pad(wide, ((0, 0), (1, 0), (0, 0))), axis=1)
            soft.append(((total[:, length:-1] - total[:, : -length - 1]) / length).astype(np.uint8))
    pair = model.texts([ATTRIBUTE_WORDS["focus:blurred"][0], ATTRIBUTE_WORDS["focus:sharp"][1]])
    sharp = list((vectors[rows] @ pair.T).argmax(1) == 1)
    blurred = list((model.images(soft) @ pair.T).argmax(1) == 0)
    return {"blurred or still": min(_share(sharp), _share(blurred), key=lambda s: s.share)}


def colour_shares(model: Model, vectors: NDArray[np.float32], facts: list[set[str]]) -> dict[str, Share]:
    """The best of 11 colour names for a plain picture, and for each thing ("a red car") by day.

    A thing counts where one colour of its kind is in view. Where another one may be, too, as in a street full of
    cars of which only the nearest is noted, it counts in "strictly" alone.
    """
    result, pooled, strict = {}, list[bool](), list[bool]()
    for kind in ("main", *COLOURED):
        word = COLOURED[kind][0] if kind != "main" else ""
        table = model.texts([c if kind == "main" else f"a {c} {word}" for c in COLOURS])
        hits = []
        for i, f in enumerate(facts):
            shown = {x.split(":")[1] for x in f if x.startswith(f"{kind}:")}
            clear = kind == "main" or not f & {"time:night", "light:dark", "time:sunset"}
            if len(shown) == 1 and clear:
                right = COLOURS[int((vectors[i] @ table.T).argmax())] in shown
                if any(x.startswith(f"maybe:{kind}:") for x in f):
                    strict.append(right)
                else:
                    hits.append(right)
        if kind == "main":
            result["colour of a plain picture"] = _share(hits)
        else:
            pooled += hits
            if kind in ("car", "ball", "bus", "cup", "shirt"):
                result[f"colour of a {kind}"] = _share(hits)
    result["colour of a thing, all kinds"] = _share(pooled)
    result["colour of a thing, strictly"] = _share(pooled + strict)
    return result


def order_share(model: Model, vectors: NDArray[np.float32], facts: list[set[str]]) -> Share:
    """Tell "a red car on a grey road" from "a grey car on a red road", for things on another colour."""
    texts, rows = [], []
    for i, f in enumerate(facts):
        ground = [x[7:] for x in f if x.startswith("ground:")]
        for kind in sorted(COLOURED):
            shown = [x.split(":")[1] for x in f if x.startswith(f"{kind}:")]
            if kind != "wall" and len(ground) == len(shown) == 1 and ground != shown and "time:night" not in f:
                place = "road" if "obj:road" in f and kind in ("car", "bus", "truck") else "floor"
                thing = COLOURED[kind][0]
                texts += [
                    f"a {shown[0]} {thing} on a {ground[0]} {place}",
                    f"a {ground[0]} {thing} on a {shown[0]} {place}",
                ]
                rows.append(i)
    pairs = model.texts(texts).reshape(len(rows), 2, -1)
    scores = (pairs * vectors[rows][:, None]).sum(-1)
    return _share(list(scores[:, 0] > scores[:, 1]))
