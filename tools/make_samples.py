"""Render the sample videos, with ground truth and queries: ``python -m tools.make_samples [NAME …]``.

See tools/README.md.
Every picture comes from ``tools.scenes`` with a fixed seed, so a run gives the same pictures again.
"""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path

from tools.samples.base import Sample, write_truth, write_video
from tools.samples.queries import write_queries

NAMES = ("five_scenes", "advert_reel", "room_walk", "night_drive_vfr")


def load(name: str) -> Sample:
    """Return one of the sample videos by name."""
    sample: Sample = importlib.import_module(f"tools.samples.{name}").SAMPLE
    return sample


def main() -> None:
    """Render what is asked for into the sample folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*NAMES, []], help="which videos; all without a name")
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent.parent / "sample_videos")
    parser.add_argument("--crf", type=int, help="quality of the encoder, lower is better and larger")
    parser.add_argument("--truth-only", action="store_true", help="write the ground truth, draw nothing")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for name in options.names or NAMES:
        sample = load(name)
        write_truth(options.out / f"{name}.json", sample)
        if not options.truth_only:
            write_video(options.out / f"{name}.mp4", sample, crf=options.crf)
    if not options.names:
        write_queries(options.out / "queries.json", {name: load(name).segments() for name in NAMES})


if __name__ == "__main__":
    main()
