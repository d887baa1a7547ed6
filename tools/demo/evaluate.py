"""How well the exported model does: on held-out renderings, on the sample video, on any clip. No PyTorch."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import av
import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image
from tokenizers import Tokenizer

from tools.demo.captions import ColourShares, derived
from tools.demo.dataset import TEST_SEED, Renderings, load_renderings
from tools.demo.tokens import PAD
from tools.demo.words import ATTRIBUTE_WORDS, SCENE_WORDS

ROOT = Path(__file__).resolve().parents[2]
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
    resized = (
        np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC)) if (w, h) != size else image
    )
    top, left = (size[1] - side) // 2, (size[0] - side) // 2
    return resized[top : top + side, left : left + side]


def sampled(video: Path, stride: int = 10) -> tuple[NDArray[np.float64], list[NDArray[np.uint8]], float]:
    """Decode every ``stride``-th frame: times in seconds, pictures, and the end of the video."""
    times, images, end = [], [], 0.0
    with av.open(str(video)) as source:
        stream = source.streams.video[0]
        for i, frame in enumerate(source.decode(stream)):
            end = frame.time + float(1 / (stream.average_rate or 24))
            if i % stride == 0:
                times.append(frame.time)
                k = 224 / min(frame.width, frame.height)
                images.append(
                    frame.to_ndarray(
                        width=round(frame.width * k),
                        height=round(frame.height * k),
                        format="rgb24",
                        interpolation="BICUBIC",
                    )
                )
    return np.array(times), images, end


@dataclass(frozen=True)
class Reading:
    """The published example: how long each prompt wins, and how many samples agree with the truth."""

    two_prompts_s: float
    three_prompts_s: float
    agreement: float
    margins: dict[str, float]


def read_five_scenes(model: Model, folder: Path) -> Reading:
    """Measure both readings of ``five_scenes.mp4`` and the agreement of the plain prompts.

    One sample either side of a cut is not counted.
    """
    truth = json.loads((folder / "five_scenes.json").read_text())
    times, images, end = sampled(folder / truth["video"])
    vectors, spans = model.images(images), np.diff(times, append=end)

    def seconds(prompts: list[str]) -> float:
        return float(spans[(vectors @ model.texts(prompts).T).argmax(1) == 0].sum())

    labels = [s["label"] for s in truth["segments"]]
    scores = vectors @ model.texts(labels).T
    right = np.array(
        [next(i for i, s in enumerate(truth["segments"]) if s["start_s"] <= t < s["end_s"]) for t in times]
    )
    cuts = np.flatnonzero(np.diff(right))
    counted = ~np.isin(np.arange(len(times)), np.concatenate((cuts, cuts + 1)))
    pair = vectors @ model.texts(["construction site", "something else"]).T
    margins = {label: float((pair[:, 0] - pair[:, 1])[right == i].mean()) for i, label in enumerate(labels)}
    return Reading(
        seconds(["construction site", "something else"]),
        seconds(["construction site", "something else", "shipyard"]),
        float((scores.argmax(1) == right)[counted].mean()),
        margins,
    )


def held_out(model: Model, renderings: Renderings) -> dict[str, float]:
    """Zero-shot accuracy on renderings never trained on: scenes, attributes as pairs, colours."""
    vectors = model.images([renderings.images[i] for i in range(len(renderings))])
    facts = [derived(f, ColourShares.of(renderings.images[i])) for i, f in enumerate(renderings.facts)]
    names = list(SCENE_WORDS)
    best = (vectors @ model.texts([SCENE_WORDS[n][0] for n in names]).T).argmax(1)
    result = {"scenes": float(np.mean([f"scene:{names[b]}" in f for b, f in zip(best, facts, strict=True)]))}
    for a, b in (
        ("time:day", "time:night"),
        ("light:bright", "light:dark"),
        ("place:indoor", "place:outdoor"),
    ):
        pair = model.texts([ATTRIBUTE_WORDS[a][0], ATTRIBUTE_WORDS[b][0]])
        rows = [i for i, f in enumerate(facts) if (a in f) != (b in f)]
        hits = [(vectors[i] @ pair.T).argmax() == (0 if a in facts[i] else 1) for i in rows]
        result[f"{a.split(':')[1]} or {b.split(':')[1]}"] = float(np.mean(hits))
    for kind in ("main", "ball", "car"):
        colours = (
            "red",
            "orange",
            "yellow",
            "green",
            "blue",
            "purple",
            "pink",
            "brown",
            "black",
            "white",
            "grey",
        )
        table = model.texts([c if kind == "main" else f"a {c} {kind}" for c in colours])
        hits = []
        for i, f in enumerate(facts):
            shown = [x.split(":")[1] for x in f if x.startswith(f"{kind}:")]
            if len(shown) == 1 and "time:night" not in f and (kind == "main" or "light:dark" not in f):
                hits.append(colours[int((vectors[i] @ table.T).argmax())] == shown[0])
        result[f"colour, 11 choices: {kind}"] = float(np.mean(hits)) if hits else float("nan")
    return result


def read_clip(model: Model, clip: Path) -> dict[str, float]:
    """Share of a real clip's samples (stride 10) for which the first word of each pair beats the second."""
    vectors = model.images(sampled(clip)[1])
    pairs = (("night", "day"), ("dark", "bright"), ("outdoors", "indoors"), ("city at night", "kitchen"))
    return {
        f"{a} over {b}": float(((vectors @ model.texts([a, b]).T).argmax(1) == 0).mean()) for a, b in pairs
    }


def speed(model: Model) -> float:
    """Pictures a second on one thread, 1280 × 720 pixels in, preparation included."""
    images = list(np.random.default_rng(0).integers(0, 256, (32, 720, 1280, 3), dtype=np.uint8))
    model.images(images[:16])
    started = time.perf_counter()
    model.images(images)
    return len(images) / (time.perf_counter() - started)


def main() -> None:
    """Print what a model can do, as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=ROOT / "lib/engines/demo_model")
    parser.add_argument("--cache", type=Path, required=True, help="folder for the held-out renderings")
    parser.add_argument("--clip", type=Path, help="a real video shot at night")
    options = parser.parse_args()
    model = Model(options.model)
    report: dict[str, object] = {
        "held_out": held_out(model, load_renderings(options.cache, "test", TEST_SEED, 2_000)),
        "five_scenes": asdict(read_five_scenes(model, ROOT / "sample_videos")),
        "pictures_a_second_one_thread": round(speed(model)),
    }
    if options.clip:
        report["clip"] = read_clip(model, options.clip)
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
