"""The bundled sample videos are what their ground truth says."""

from __future__ import annotations

import functools
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lib.core.sampling import Sampling
from lib.media.frames import FrameReader, probe
from lib.prompts.parsing import parse_prompt_set

FOLDER = Path(__file__).parents[2] / "sample_videos"
NAMES = ("advert_reel", "five_scenes", "night_drive_vfr", "room_walk")
CONSTANT = tuple(name for name in NAMES if name != "night_drive_vfr")
CUT = ("advert_reel", "five_scenes")
Segment = tuple[str, float, float]


def read_truth(name: str) -> dict[str, Any]:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def segments(name: str, label: str | None = None) -> list[Segment]:
    rows = [(s["label"], s["start_s"], s["end_s"]) for s in read_truth(name)["segments"]]
    return [row for row in rows if label in (None, row[0])]


@functools.cache
def decoded(name: str) -> tuple[NDArray[np.float64], NDArray[np.uint8], float]:
    """Return the time of every frame, the frames 36 pixels high, and where the video ends."""
    with FrameReader(FOLDER / f"{name}.mp4", Sampling.every(1), short_side=36) as reader:
        frames = [(f.time_s, f.image.copy()) for f in reader]
        assert reader.damage is None
        return np.array([t for t, _ in frames]), np.stack([image for _, image in frames]), reader.end_s


def during(name: str, label: str) -> NDArray[np.bool_]:
    """Return for which frames a label holds."""
    times = decoded(name)[0]
    return np.any([(a <= times) & (times < b) for _, a, b in segments(name, label)], axis=0)


def test_every_video_has_truth_prompts_and_a_line_in_the_readme() -> None:
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")

    assert sorted(p.stem for p in FOLDER.glob("*.mp4")) == sorted(NAMES)
    for name in NAMES:
        assert read_truth(name)["video"] == f"{name}.mp4"
        assert f"| `{name}.mp4` |" in readme
        assert (FOLDER / f"{name}.prompts.yaml").is_file()


def test_the_videos_are_small() -> None:
    sizes = {p.name: p.stat().st_size for p in FOLDER.glob("*.mp4")}

    assert sizes["five_scenes.mp4"] < 6_500_000
    assert sum(sizes.values()) <= 25_000_000


@pytest.mark.parametrize("name", NAMES)
def test_segments_are_in_order_and_inside_the_video(name: str) -> None:
    truth = read_truth(name)
    info = probe(FOLDER / truth["video"])

    assert {"video", "fps", "segments", "notes"} == set(truth)
    assert info.duration_s is not None
    starts, last = [], {}
    for segment in truth["segments"]:
        assert set(segment) == {"label", "start_s", "end_s"}
        label, start, end = segment["label"], segment["start_s"], segment["end_s"]
        assert 0 <= start < end <= info.duration_s + 1e-3
        assert last.get(label, 0.0) <= start, f"{label} overlaps itself"
        starts.append(start)
        last[label] = end
    assert starts == sorted(starts)


@pytest.mark.parametrize("name", CUT)
def test_shots_follow_one_another_without_a_gap(name: str) -> None:
    rows = segments(name)

    assert rows[0][1] == 0
    assert all(a[2] == b[1] for a, b in itertools.pairwise(rows))
    assert decoded(name)[2] == pytest.approx(rows[-1][2], abs=1e-3)


@pytest.mark.parametrize("name", NAMES)
def test_prompts_are_the_labels_of_the_ground_truth(name: str) -> None:
    prompts = parse_prompt_set((FOLDER / f"{name}.prompts.yaml").read_text(encoding="utf-8"), name=name).prompts
    targets = {p.label for p in prompts if p.role == "target"}

    assert targets
    assert targets <= {label for label, _, _ in segments(name)}


@pytest.mark.parametrize("name", NAMES)
def test_browsers_play_the_videos_from_their_first_bytes(name: str) -> None:
    path = FOLDER / f"{name}.mp4"
    info = probe(path)
    head = path.read_bytes()[:1_000_000]

    assert (info.codec, info.pixel_format, info.browser_playable) == ("h264", "yuv420p", True)
    assert 0 < head.find(b"moov") < head.find(b"mdat")


@pytest.mark.parametrize("name", CONSTANT)
def test_constant_rates_are_constant(name: str) -> None:
    times, _, end_s = decoded(name)
    fps = read_truth(name)["fps"]

    assert len(times) == round(end_s * fps)
    np.testing.assert_allclose(times, np.arange(len(times)) / fps, atol=1e-6)


def test_the_variable_rate_really_varies() -> None:
    times, _, end_s = decoded("night_drive_vfr")
    steps = np.diff(times)

    assert end_s == pytest.approx(44, abs=0.05)
    assert len(np.unique(steps.round(4))) > len(steps) / 4
    assert steps.max() > 3 * steps.min() > 0
    by_day, by_night = steps[times[:-1] < 8], steps[times[:-1] > 24]
    assert by_night.mean() > 1.5 * by_day.mean()
    # The nominal rate is what the truth warns it is: frame numbers divided by it are seconds off.
    truth = read_truth("night_drive_vfr")
    assert "nominal" in truth["notes"]
    assert np.abs(np.arange(len(times)) / truth["fps"] - times).max() > 1


def test_five_scenes_is_the_published_example() -> None:
    rows = {label: (a, b) for label, a, b in segments("five_scenes")}

    assert len(rows) == 5
    assert {"football pitch", "seaside"} < set(rows)
    assert rows["construction site"] == (7.0, 10.0)
    assert rows["shipyard"] == (10.0, 13.0)


def test_the_reel_has_adverts_between_title_cards_and_credits() -> None:
    labels = [label for label, _, _ in segments("advert_reel")]
    adverts = [label for label in labels if label not in ("title card", "credits")]

    assert 60 <= decoded("advert_reel")[2] <= 90
    assert len(adverts) >= 10
    assert labels.count("title card") == len(adverts) + 1
    assert all(labels[i - 1] == "title card" for i, label in enumerate(labels) if label in adverts)
    assert labels[-1] == "credits"
    assert adverts.count("wine bottle") == 2
    assert sum(adverts.count(label) > 1 for label in set(adverts)) >= 4


@pytest.mark.parametrize("name", CUT)
def test_the_picture_cuts_exactly_where_the_ground_truth_says(name: str) -> None:
    pictures = decoded(name)[1].astype(np.float32)
    change = np.abs(np.diff(pictures, axis=0)).mean((1, 2, 3))  # change[i]: from frame i to i + 1

    starts = [round(a * read_truth(name)["fps"]) for _, a, _ in segments(name)[1:]]
    cuts = sorted(np.argsort(change)[-len(starts) :] + 1)

    assert cuts == starts
    assert np.sort(change)[-len(starts)] > 2 * np.sort(change)[-len(starts) - 1]


@pytest.mark.parametrize("name", CUT)
def test_something_moves_in_every_shot(name: str) -> None:
    fps, pictures = read_truth(name)["fps"], decoded(name)[1].astype(np.float32)
    for label, start, end in segments(name):
        shot = pictures[round(start * fps) : round(end * fps)]

        assert np.abs(shot - shot[0]).mean((1, 2, 3)).max() > 1, label


def test_the_walk_has_no_cut_and_shows_several_things_at_once() -> None:
    pictures = decoded("room_walk")[1].astype(np.float32)
    steps = np.abs(np.diff(pictures, axis=0)).mean((1, 2, 3))
    wanted = {"wall", "tile wall", "door", "stairs", "chair", "table", "couch", "television", "kitchen"}

    assert steps.max() < 25  # turning in a doorway changes a lot, a cut 40 and more
    assert {label for label, _, _ in segments("room_walk")} == wanted
    together = np.sum([during("room_walk", label) for label in wanted], axis=0)
    assert together.max() >= 3
    assert (together >= 2).mean() > 0.3


def test_day_turns_to_night() -> None:
    light = decoded("night_drive_vfr")[1].astype(np.float32).mean((1, 2, 3))
    day, sunset, night = (light[during("night_drive_vfr", label)] for label in ("day", "sunset", "night"))

    assert day.min() > sunset.mean() > night.mean()
    assert day.mean() > 3 * night.mean()


def test_a_red_car_passes_twice_for_under_a_second() -> None:
    times, pictures, _ = decoded("night_drive_vfr")
    rows = segments("night_drive_vfr", "red car")
    red, green, blue = (pictures[..., k].astype(np.int32) for k in range(3))
    # The middle of the picture, where neither the sunset's sky nor its autumn trees are red by this much.
    strong = ((red > 80) & (red > 2.6 * green) & (red > 2.6 * blue))[:, 12:26].sum((1, 2))

    assert len(rows) == 2
    assert all(0.3 < b - a < 1 for _, a, b in rows)
    inside = during("night_drive_vfr", "red car")
    for _, a, b in rows:
        assert strong[(times >= a) & (times < b)].max() > 20
    assert strong[~inside].max() <= strong[inside].max() / 2


def test_queries_point_into_the_ground_truth() -> None:
    queries = json.loads((FOLDER / "queries.json").read_text(encoding="utf-8"))["queries"]

    assert len(queries) >= 30
    assert len({q["text"] for q in queries}) == len(queries)
    for query in queries:
        assert query["right"], query["text"]
        for row in query["right"]:
            place = (row["label"], row["start_s"], row["end_s"])
            assert place in segments(Path(row["video"]).stem), query["text"]
