from __future__ import annotations

import json
from pathlib import Path

import pytest

from lib.core.labelled_intervals import TrueSegment
from lib.store.sidecar import read_sidecar, sidecar_path

ROOT = Path(__file__).parents[2]


def test_the_sample_has_its_truth_beside_it() -> None:
    found = read_sidecar(ROOT / "sample_videos" / "five_scenes.mp4")
    assert [one.label for one in found][2:4] == ["construction site", "shipyard"]
    assert (found[2].start_s, found[2].end_s) == (7.0, 10.0)


def test_segments_come_in_order_of_time(tmp_path: Path) -> None:
    segments = [{"label": " b ", "start_s": 2, "end_s": 3}, {"label": "a", "start_s": 0, "end_s": 5}]
    (tmp_path / "clip.json").write_text(json.dumps({"segments": segments}), encoding="utf-8")
    assert read_sidecar(tmp_path / "clip.mp4") == (TrueSegment("a", 0, 5), TrueSegment("b", 2, 3))


@pytest.mark.parametrize(
    "text",
    [
        "no json",
        "[]",
        "{}",
        '{"segments": 3}',
        '{"segments": [{"label": "a"}]}',
        '{"segments": [{"label": "a", "start_s": 3, "end_s": 2}]}',
        '{"segments": [{"label": 4, "start_s": 1, "end_s": 2}]}',
        '{"segments": [{"label": "a", "start_s": 1, "end_s": Infinity}]}',
    ],
)
def test_another_file_of_that_name_is_no_truth_and_no_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "clip.json").write_text(text, encoding="utf-8")
    assert read_sidecar(tmp_path / "clip.mp4") == ()
    assert read_sidecar(tmp_path / "other.mp4") == ()


def test_a_video_without_a_file_has_no_sidecar():
    assert sidecar_path(Path()) is None
    assert read_sidecar(Path()) == ()
