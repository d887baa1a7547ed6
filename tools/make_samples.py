"""Render the sample videos: ``python -m tools.make_samples`` (see tools/README.md).

Every picture comes from ``tools.scenes`` with a fixed seed, so a run gives the same pictures again.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from tools.scenes.base import Scene
from tools.scenes.construction import ConstructionSite
from tools.scenes.outdoor import FootballPitch, Seaside
from tools.scenes.render import film, render
from tools.scenes.shipyard import Shipyard
from tools.scenes.urban import CityStreet

FPS = 24
SIZE = (1280, 720)


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


FIVE_SCENES = (
    Shot("football pitch", FootballPitch, 5, "day", 0.0, 3.5),
    Shot("seaside", Seaside, 2, "day", 3.5, 7.0),
    Shot("construction site", ConstructionSite, 5, "day", 7.0, 10.0),
    Shot("shipyard", Shipyard, 4, "day", 10.0, 13.0),
    Shot("city street", CityStreet, 2, "day", 13.0, 17.0),
)


def write_video(target: Path, shots: tuple[Shot, ...], *, crf: int = 24) -> None:
    """Draw the shots one after another and encode them: H.264, yuv420p, fast start, constant rate."""
    width, height = SIZE
    grain = np.random.default_rng(24)
    with av.open(str(target), "w", options={"movflags": "+faststart"}) as output:
        stream = output.add_stream(
            "libx264", rate=FPS, options={"crf": str(crf), "preset": "slow", "tune": "film"}
        )
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.time_base = Fraction(1, FPS)
        stream.codec_context.gop_size = FPS * 2
        index = 0
        for shot in shots:
            scene = shot.scene(random.Random(shot.seed), light=shot.light)
            for k in range(round(shot.start_s * FPS), round(shot.end_s * FPS)):
                image, _ = render(scene, shot.lead_s + k / FPS - shot.start_s, width, height)
                frame = av.VideoFrame.from_ndarray(film(image, grain, grain=2.2), format="rgb24")
                frame.pts, frame.time_base = index, Fraction(1, FPS)
                output.mux(stream.encode(frame))
                index += 1
            print(f"{target.name}: {shot.label} done", file=sys.stderr, flush=True)
        output.mux(stream.encode(None))


def write_truth(target: Path, video: str, shots: tuple[Shot, ...], notes: str) -> None:
    """Write the ground truth beside a video."""
    segments = [{"label": s.label, "start_s": s.start_s, "end_s": s.end_s} for s in shots]
    truth = {"video": video, "fps": FPS, "segments": segments, "notes": notes}
    target.write_text(json.dumps(truth, indent=2) + "\n", encoding="utf-8")


FIVE_NOTES = (
    "Five rendered scenes of 3 to 4 s. The construction site begins at frame 168 (7 s) and lasts 3 s; "
    "the shipyard after it also has cranes and heavy vehicles, so that 'construction site' against "
    "'something else' counts both."
)


def main() -> None:
    """Render what is asked for into the sample folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent.parent / "sample_videos")
    parser.add_argument(
        "--crf", type=int, default=24, help="quality of the encoder, lower is better and larger"
    )
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    write_video(options.out / "five_scenes.mp4", FIVE_SCENES, crf=options.crf)
    write_truth(options.out / "five_scenes.json", "five_scenes.mp4", FIVE_SCENES, FIVE_NOTES)


if __name__ == "__main__":
    main()
