"""The bundled sample videos are what their ground truth says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lib.timebase import Sampling
from lib.video import Frame, FrameReader, probe

FOLDER = Path(__file__).parent.parent / "sample_videos"
TRUTHS = sorted(FOLDER.glob("*.json"))


def read_truth(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def five_frames() -> tuple[list[Frame], float]:
    with FrameReader(FOLDER / "five_scenes.mp4", Sampling.every(1), short_side=90) as reader:
        frames = list(reader)
        assert reader.damage is None
        return frames, reader.end_s


def test_every_video_has_its_ground_truth_and_a_line_in_the_readme() -> None:
    videos = sorted(p.name for p in FOLDER.glob("*.mp4"))
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")

    assert len(videos) == len(TRUTHS) > 0
    assert videos == [read_truth(p)["video"] for p in TRUTHS]
    assert all(f"`{name}`" in readme for name in videos)


def test_the_videos_are_small() -> None:
    sizes = {p.name: p.stat().st_size for p in FOLDER.glob("*.mp4")}

    assert sizes["five_scenes.mp4"] < 6_500_000
    assert sum(sizes.values()) <= 25_000_000


@pytest.mark.parametrize("path", TRUTHS, ids=lambda p: p.stem)
def test_segments_are_in_order_and_inside_the_video(path: Path) -> None:
    truth = read_truth(path)
    info = probe(FOLDER / truth["video"])

    assert {"video", "fps", "segments", "notes"} == set(truth)
    assert info.duration_s is not None
    end = 0.0
    for segment in truth["segments"]:
        assert set(segment) == {"label", "start_s", "end_s"}
        assert end <= segment["start_s"] < segment["end_s"] <= info.duration_s + 1e-6
        end = segment["end_s"]


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.mp4")), ids=lambda p: p.stem)
def test_browsers_play_the_videos_from_their_first_bytes(path: Path) -> None:
    info = probe(path)
    head = path.read_bytes()[:1_000_000]

    assert (info.codec, info.pixel_format, info.browser_playable) == ("h264", "yuv420p", True)
    assert 0 < head.find(b"moov") < head.find(b"mdat")


def test_five_scenes_is_the_published_example() -> None:
    segments = {
        s["label"]: (s["start_s"], s["end_s"]) for s in read_truth(FOLDER / "five_scenes.json")["segments"]
    }

    assert len(segments) == 5
    assert {"football pitch", "seaside"} < set(segments)
    assert segments["construction site"] == (7.0, 10.0)
    assert segments["shipyard"] == (10.0, 13.0)


def test_five_scenes_ends_with_its_last_segment_and_has_a_constant_rate(
    five_frames: tuple[list[Frame], float],
) -> None:
    frames, end_s = five_frames
    truth = read_truth(FOLDER / "five_scenes.json")

    assert end_s == pytest.approx(truth["segments"][-1]["end_s"], abs=1e-6)
    assert len(frames) == round(end_s * truth["fps"])
    np.testing.assert_allclose([f.time_s for f in frames], np.arange(len(frames)) / truth["fps"], atol=1e-6)


def test_the_picture_cuts_exactly_where_the_ground_truth_says(
    five_frames: tuple[list[Frame], float],
) -> None:
    frames = five_frames[0]
    truth = read_truth(FOLDER / "five_scenes.json")
    pictures = np.stack([f.image for f in frames]).astype(np.float32)
    change = np.abs(np.diff(pictures, axis=0)).mean((1, 2, 3))  # change[i]: from frame i to i + 1

    starts = [round(s["start_s"] * truth["fps"]) for s in truth["segments"][1:]]
    cuts = sorted(np.argsort(change)[-len(starts) :] + 1)

    assert cuts == starts
    assert np.sort(change)[-len(starts)] > 3 * np.sort(change)[-len(starts) - 1]


def test_something_moves_in_every_scene(five_frames: tuple[list[Frame], float]) -> None:
    frames = five_frames[0]
    truth = read_truth(FOLDER / "five_scenes.json")
    for segment in truth["segments"]:
        first = frames[round(segment["start_s"] * truth["fps"])].image.astype(np.float32)
        last = frames[round(segment["end_s"] * truth["fps"]) - 1].image.astype(np.float32)

        assert np.abs(first - last).mean() > 4, segment["label"]
