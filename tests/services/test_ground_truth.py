"""The annotation file beside a video is read by the reader of imports, problem by problem."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lib.core.labelled_intervals import TrueSegment
from lib.ground_truth.parsing import parse_truth
from lib.services.ground_truth import VideoTruth, annotation_file

SAMPLES = Path(__file__).parents[2] / "sample_videos"
CAR = {"label": "car", "start_s": 1, "end_s": 3}


def beside(folder: Path, content: str | bytes | object) -> VideoTruth:
    data = content if isinstance(content, bytes) else content if isinstance(content, str) else json.dumps(content)
    (folder / "clip.json").write_bytes(data if isinstance(data, bytes) else data.encode())
    return annotation_file(folder / "clip.mp4")


def test_each_sample_reads_as_an_import_does_without_a_problem() -> None:
    for path in sorted(SAMPLES.glob("*.mp4")):
        found = annotation_file(path)
        assert found.segments == parse_truth(path.with_suffix(".json").read_text(encoding="utf-8"), name="x").segments
        assert found.segments
        assert not found.problems


@pytest.mark.parametrize(
    ("content", "problems"),
    [
        (b"\xef\xbb\xbf" + json.dumps({"segments": [CAR]}).encode(), []),
        (json.dumps({"segments": [CAR]}).encode("utf-16"), []),
        ({"segments": [{"label": " car ", "start_s": "0:01", "end_s": "0:03"}]}, []),
        (
            {"segments": [CAR, {"label": "tree", "start_s": 2, "end_s": 2}]},
            ["clip.json: Segment 2: “tree” ends at 0:02.00, not after its start at 0:02.00; it is left out."],
        ),
        ({"segments": [CAR, {"label": 4, "start_s": 2, "end_s": 3}]}, ["clip.json: Segment 2: the label is 4"]),
        (
            {"video": "old.mp4", "segments": [CAR]},
            ["clip.json: Segment 1: the file is about “old.mp4”, not “clip.mp4”; it is taken."],
        ),
    ],
)
def test_what_can_be_read_counts_and_the_rest_is_said(tmp_path: Path, content: object, problems: list[str]) -> None:
    found = beside(tmp_path, content)
    assert found.segments == (TrueSegment("car", 1.0, 3.0),)
    assert len(found.problems) == len(problems)
    for problem, start in zip(found.problems, problems, strict=True):
        assert problem.startswith(start)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (json.dumps({"segments": [CAR]})[:-1], "clip.json, line 1: this is no valid JSON"),
        (b"\xff\x00\xff", "clip.json is no UTF-8 text"),
        ({"segments": []}, "Nothing in clip.json can be used"),
        ({"title": "a holiday"}, "clip.json is no ground truth that can be read"),
        ("[" * 200_000, "clip.json can't be read"),
        ('{"segments": [{"label": "a", "start_s": ' + "9" * 5_000 + ', "end_s": 2}]}', "a number is too long"),
    ],
)
def test_a_file_that_is_damaged_or_something_else_is_said(tmp_path: Path, content: object, words: str) -> None:
    found = beside(tmp_path, content)
    assert found.segments == ()
    assert len(found.problems) == 1
    assert words in found.problems[0]


def test_without_a_file_there_is_nothing_to_say(tmp_path: Path) -> None:
    assert annotation_file(tmp_path / "clip.mp4") == annotation_file(Path()) == VideoTruth()


def test_a_folder_of_that_name_is_said(tmp_path: Path) -> None:
    (tmp_path / "clip.json").mkdir()
    assert "can't be read" in annotation_file(tmp_path / "clip.mp4").problems[0]
