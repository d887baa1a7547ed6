"""What a sample video is, shots in a row, and writing video and ground truth."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

import av
import numpy as np
from numpy.typing import NDArray

from tools.scenes.base import Scene
from tools.scenes.render import film, render

CLOCK = 90_000
"""Ticks a second of a video with a variable rate, as phones write them."""


@dataclass(frozen=True)
class Segment:
    """A label that holds from ``start_s`` until just before ``end_s``."""

    label: str
    start_s: float
    end_s: float


class Sample(Protocol):
    """One sample video; ``pictures`` yields its frames as seconds from the start and RGB uint8."""

    name: str
    size: tuple[int, int]
    fps: int
    variable: bool
    crf: int
    end_s: float
    notes: str

    def pictures(self) -> Iterator[tuple[float, NDArray[np.uint8]]]:
        """Draw the frames, in order."""

    def segments(self) -> list[Segment]:
        """Return the ground truth, by start."""


@dataclass(frozen=True)
class Shot:
    """One scene from a seed below 1,000 (held out from training), from ``start_s`` to ``end_s``."""

    label: str
    scene: type[Scene]
    seed: int
    light: str | None
    start_s: float
    end_s: float
    lead_s: float = 0.0
    """The scene's own clock at the start."""
    prepare: Callable[[Any], None] | None = None
    """Changes the scene's parameters before it is drawn."""


@dataclass(frozen=True)
class Shots:
    """A sample video made of shots with hard cuts, at a constant rate."""

    name: str
    shots: Sequence[Shot]
    notes: str
    size: tuple[int, int]
    crf: int
    fps: int = 24
    variable: bool = False
    grain: float = 1.6

    @property
    def end_s(self) -> float:
        """The length in seconds."""
        return self.shots[-1].end_s

    def pictures(self) -> Iterator[tuple[float, NDArray[np.uint8]]]:
        """Draw shot after shot."""
        grain = np.random.default_rng(24)
        for shot in self.shots:
            scene = shot.scene(random.Random(shot.seed), light=shot.light)
            if shot.prepare:
                shot.prepare(scene)
            for k in range(round(shot.start_s * self.fps), round(shot.end_s * self.fps)):
                image, _ = render(scene, shot.lead_s + k / self.fps - shot.start_s, *self.size)
                yield k / self.fps, film(image, grain, grain=self.grain)
            print(f"{self.name}: {shot.label} done", file=sys.stderr, flush=True)

    def segments(self) -> list[Segment]:
        """Return one segment a shot."""
        return [Segment(shot.label, shot.start_s, shot.end_s) for shot in self.shots]


def write_video(target: Path, sample: Sample, *, crf: int | None = None) -> None:
    """Draw and encode a sample video: H.264, yuv420p, fast start; pts as the frames' times say."""
    width, height = sample.size
    unit = Fraction(1, CLOCK if sample.variable else sample.fps)
    options = {"crf": str(crf or sample.crf), "preset": "slow", "tune": "film"}
    with av.open(str(target), "w", options={"movflags": "+faststart"}) as output:
        stream = output.add_stream("libx264", rate=sample.fps, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.time_base = stream.codec_context.time_base = unit
        stream.codec_context.gop_size = sample.fps * 2
        packets: list[av.Packet] = []

        def put(pts: int, image: NDArray[np.uint8]) -> None:
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = pts, unit
            packets.extend(stream.encode(frame))

        for time_s, image in sample.pictures():
            put(round(time_s / unit), image)
        packets.extend(stream.encode(None))
        # The file's length is what its last packet says, counted from the first one's decoding time.
        packets[-1].duration = round(sample.end_s / unit) - (packets[-1].dts - packets[0].dts)
        for packet in packets:
            output.mux(packet)


def write_truth(target: Path, sample: Sample) -> None:
    """Write the ground truth beside a video, in the form that sample_videos/README.md describes."""
    segments = [
        {"label": s.label, "start_s": round(s.start_s, 4), "end_s": round(s.end_s, 4)} for s in sample.segments()
    ]
    truth = {"video": f"{sample.name}.mp4", "fps": sample.fps, "segments": segments, "notes": sample.notes}
    target.write_text(json.dumps(truth, indent=2) + "\n", encoding="utf-8")


def intervals(
    times: Sequence[float], end_s: float, on: Sequence[bool], *, bridge_s: float, least_s: float
) -> list[tuple[float, float]]:
    """Return from when until when something holds; short gaps are bridged, then short intervals are dropped."""
    edges = [*times, end_s]
    found: list[tuple[float, float]] = []
    for i, holds in enumerate(on):
        if not holds:
            continue
        if found and edges[i] - found[-1][1] <= bridge_s:
            found[-1] = (found[-1][0], edges[i + 1])
        else:
            found.append((edges[i], edges[i + 1]))
    return [(a, b) for a, b in found if b - a >= least_s]
