"""Cut the sample videos into clips of one true category each: ``python -m tools.cut_clips FOLDER``.

``FOLDER/subjects`` gets the thirteen adverts, each with its title card, and twenty clips of the scenes and rooms;
``FOLDER/hours`` clips of the drive. Beside them lie ``clips.csv`` (name,category) and ``clips.prompts.yaml``. Both
follow from the samples' ground truth: a clip is at most ``LONGEST_S`` of a stretch in which exactly one label holds,
and a prompt is a label's own words. The drive is apart since its labels say when and not what: a country road at
night is right twice.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import av
from av.video.frame import PictureType

from lib.prompts.model import Prompt, PromptSet, Settings

SAMPLES = Path(__file__).resolve().parent.parent / "sample_videos"
LONGEST_S, SHORTEST_S = 2.0, 1.5
REEL, FILLING, RESTRICTED = "advert_reel", ("title card", "credits"), "wine bottle"
"""The reel of adverts, what of it is no advert, and what nothing should show."""


@dataclass(frozen=True)
class Clip:
    """A part ``[start_s, end_s)`` of a sample video that shows one category."""

    sample: str
    start_s: float
    end_s: float
    category: str

    @property
    def name(self) -> str:
        """The file's name, which doesn't tell the category."""
        return f"{self.sample}_{self.start_s:04.1f}.mp4"


@dataclass(frozen=True)
class Collection:
    """Clips that one prompt set sorts."""

    clips: tuple[Clip, ...]
    prompt_set: PromptSet


def collections() -> dict[str, Collection]:
    """Return the clips of the samples, by the folder they go to."""
    subjects = (*_adverts(), *_stretches("five_scenes"), *_stretches("room_walk"))
    hours = tuple(_stretches("night_drive_vfr"))
    return {
        "subjects": Collection(subjects, _prompts("subjects", subjects, FILLING)),
        "hours": Collection(hours, _prompts("hours", hours)),
    }


def cut(clip: Clip, folder: Path) -> Path:
    """Write a clip as H.264 into ``folder`` and return its file; the frames keep their distances in time."""
    target = folder / clip.name
    with (
        av.open(str(SAMPLES / f"{clip.sample}.mp4")) as source,
        av.open(str(target), "w", options={"movflags": "+faststart"}) as output,
    ):
        given = source.streams.video[0]
        made = output.add_stream("libx264", rate=given.average_rate, options={"crf": "16", "preset": "ultrafast"})
        made.width, made.height, made.pix_fmt = given.width, given.height, "yuv420p"
        made.codec_context.time_base = made.time_base = given.time_base
        first, last = (round(second / given.time_base) for second in (clip.start_s, clip.end_s))
        source.seek(first, stream=given)
        shown = itertools.takewhile(lambda frame: frame.pts < last, source.decode(given))
        begun: int | None = None
        for frame in itertools.dropwhile(lambda frame: frame.pts < first, shown):
            begun = frame.pts if begun is None else begun
            frame.pts, frame.pict_type = frame.pts - begun, PictureType.NONE
            output.mux(made.encode(frame))
        output.mux(made.encode())
    return target


def write(collection: Collection, folder: Path) -> None:
    """Write all clips of a collection with their true categories and prompt set."""
    folder.mkdir(parents=True, exist_ok=True)
    for clip in collection.clips:
        cut(clip, folder)
    with (folder / "clips.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("name", "category"), *((clip.name, clip.category) for clip in collection.clips)])
    (folder / "clips.prompts.yaml").write_text(collection.prompt_set.to_yaml(), encoding="utf-8")


def _truth(sample: str) -> list[tuple[str, float, float]]:
    segments = json.loads((SAMPLES / f"{sample}.json").read_text(encoding="utf-8"))["segments"]
    return [(one["label"], one["start_s"], one["end_s"]) for one in segments]


def _adverts() -> Iterable[Clip]:
    for (_, start_s, _), (label, _, end_s) in itertools.pairwise(_truth(REEL)):
        if label not in FILLING:
            yield Clip(REEL, start_s, end_s, label)


def _stretches(sample: str) -> Iterable[Clip]:
    truth = _truth(sample)
    edges = sorted({edge for _, *pair in truth for edge in pair})
    for start_s, end_s in itertools.pairwise(edges):
        there = [label for label, begins_s, ends_s in truth if begins_s <= start_s and end_s <= ends_s]
        if len(there) != 1 or end_s - start_s < SHORTEST_S:
            continue
        pieces = math.ceil((end_s - start_s) / LONGEST_S)
        cuts = [start_s + (end_s - start_s) * number / pieces for number in range(pieces + 1)]
        yield from (Clip(sample, *pair, there[0]) for pair in itertools.pairwise(cuts))


def _prompts(name: str, clips: Iterable[Clip], filling: Iterable[str] = ()) -> PromptSet:
    labels = dict.fromkeys(clip.category for clip in clips)
    targets = [Prompt(label, role="restricted" if label == RESTRICTED else "target") for label in labels]
    return PromptSet(
        name,
        (*targets, *(Prompt(label, role="background") for label in filling)),
        settings=Settings(score="cosine", decision="best"),
    )


def main() -> None:
    """Write both collections."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    for name, collection in collections().items():
        write(collection, folder / name)
        print(f"{len(collection.clips)} clips in {folder / name}")


if __name__ == "__main__":
    main()
