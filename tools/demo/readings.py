"""What the model says about videos: the published readings, the samples against their truth, search, a real clip."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from tools.demo.evaluate import Model, Share

STRIDE = 10


def sampled(video: Path, stride: int = STRIDE) -> tuple[NDArray[np.float64], list[NDArray[np.uint8]], float]:
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


def read_clip(model: Model, clip: Path) -> dict[str, float]:
    """Share of a real clip's samples (stride 10) for which the first word of each pair beats the second."""
    vectors = model.images(sampled(clip)[1])
    pairs = (("night", "day"), ("dark", "bright"), ("outdoors", "indoors"), ("city at night", "kitchen"))
    return {f"{a} over {b}": float(((vectors @ model.texts([a, b]).T).argmax(1) == 0).mean()) for a, b in pairs}


@dataclass(frozen=True)
class Clip:
    """A sample video as the model sees it: times in seconds, unit rows, and its ground truth's segments."""

    name: str
    times: NDArray[np.float64]
    vectors: NDArray[np.float32]
    segments: list[dict[str, Any]]


def read_samples(model: Model, folder: Path) -> list[Clip]:
    """Embed every sample video that has a ground truth beside it, at stride 10."""
    clips = []
    for file in sorted(folder.glob("*.json")):
        truth = json.loads(file.read_text(encoding="utf-8"))
        if "segments" in truth and (folder / truth["video"]).is_file():
            times, images, _ = sampled(folder / truth["video"])
            clips.append(Clip(truth["video"], times, model.images(images), truth["segments"]))
    return clips


def agreement(model: Model, clip: Clip) -> Share:
    """Count the samples whose best plain label is one of those true there; one either side of a cut is left out.

    Samples at which nothing is true are left out too.
    """
    labels = list(dict.fromkeys(s["label"] for s in clip.segments))
    best = (clip.vectors @ model.texts(labels).T).argmax(1)
    true = [{s["label"] for s in clip.segments if s["start_s"] <= t < s["end_s"]} for t in clip.times.tolist()]
    cut = [i for i in range(1, len(true)) if true[i] != true[i - 1]]
    near = {j for i in cut for j in (i - 1, i)}
    counted = [i for i in range(len(true)) if i not in near and true[i]]
    return Share(sum(labels[best[i]] in true[i] for i in counted), len(counted))


def search(model: Model, clips: list[Clip], queries: list[dict[str, Any]]) -> list[tuple[str, bool, str]]:
    """Find the best moment of all clips for each query: its text, whether that is right, and where it is."""
    owner = [(clip.name, t) for clip in clips for t in clip.times.tolist()]
    scores = np.concatenate([c.vectors for c in clips]) @ model.texts([q["text"] for q in queries]).T
    found = []
    for query, best in zip(queries, scores.argmax(0), strict=True):
        name, t = owner[best]
        right = any(r["video"] == name and r["start_s"] <= t < r["end_s"] for r in query["right"])
        found.append((query["text"], right, f"{name} {t:.1f} s"))
    return found
