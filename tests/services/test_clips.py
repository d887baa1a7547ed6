"""Segments cut out as files, a zip or a reel: the right ones, padded, named, told of."""

from __future__ import annotations

import csv
import io
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest

from lib.analysis.analysis import Analysis
from lib.core.errors import Cancelled, InputError, VideoError
from lib.media.frames import probe
from lib.services.clips import MOST_CLIPS, CutOut, annotate, cut_files, cut_reel, cut_zip, in_words
from tests.helpers.arrays import analyse_scores, every, prompt_set
from tests.helpers.frames import assert_colours, read_frames
from tests.helpers.videos import NO_CUTS, make_video, palette

COLOURS = palette(80)
CAR, SEA = "car", "sea, “wide/open”"


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """8 s at 10 frames a second."""
    return make_video(
        tmp_path_factory.mktemp("film") / "film.mp4", colours=COLOURS, rate=10, gop=12, options=NO_CUTS, audio="aac"
    )


@pytest.fixture
def analysis() -> Analysis:
    """A car at 1 to 2 and 4 to 6 s, the sea at 5 to 8 s."""
    scores = np.zeros((8, 2))
    scores[[1, 4, 5], 0] = scores[[5, 6, 7], 1] = 0.9
    return analyse_scores(
        scores, prompt_set(CAR, SEA, score="cosine", decision="threshold", threshold=0.5), every(1, 8)
    )


def shows(path: Path, first: int, stop: int) -> None:
    assert_colours(read_frames(path)[0], COLOURS[first:stop], tolerance=14)


def test_each_segment_is_a_file_with_padding_within_the_video(film: Path, analysis: Analysis, tmp_path: Path) -> None:
    told: list[tuple[float, float | None]] = []
    clips = cut_files(
        film, tmp_path / "out", "film", analysis, CutOut(padding_s=1.5), on_progress=lambda *at: told.append(at)
    )
    assert [clip.path.name for clip in clips] == [
        "film-car-1-0.01.0.mp4",
        "film-car-2-0.04.0.mp4",
        "film-sea_wide_open_-3-0.05.0.mp4",
    ]
    for clip, (first, stop) in zip(clips, [(0, 35), (25, 75), (35, 80)], strict=True):
        shows(clip.path, first, stop)
    assert told[0][0] < told[-1][0] <= 13.0
    assert {total for _, total in told} == {13.0}


def test_a_zip_has_the_files_and_a_table_of_them(film: Path, analysis: Analysis, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    clips = cut_zip(film, tmp_path / "out" / "car.zip", "film", analysis, CutOut(CAR))
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["car.zip"]
    with zipfile.ZipFile(tmp_path / "out" / "car.zip") as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        rows = list(csv.DictReader(io.StringIO(archive.read("clips.csv").decode("utf-8-sig"))))
        archive.extract(names[1], tmp_path)
    assert names == [*(clip.path.name for clip in clips), "clips.csv"]
    assert [row["file"] for row in rows] == names[:2]
    assert [(float(row["start_s"]), float(row["cut_end_s"])) for row in rows] == [(1.0, 2.0), (4.0, 6.0)]
    shows(tmp_path / names[1], 40, 60)


def test_a_reel_shows_what_overlaps_once(film: Path, analysis: Analysis, tmp_path: Path) -> None:
    parts = cut_reel(film, tmp_path / "reel.mp4", analysis, CutOut())
    assert [(part.start_s, part.end_s) for part in parts] == [(1.0, 2.0), (4.0, 8.0)]
    assert_colours(read_frames(tmp_path / "reel.mp4")[0], [*COLOURS[10:20], *COLOURS[40:80]], tolerance=14)
    assert in_words(parts) == "2 parts of 5.0 s in all, encoded again, exact to the frame."


def test_a_segment_within_another_does_not_end_the_other_s_part(film: Path, tmp_path: Path) -> None:
    scores = np.zeros((8, 2))
    scores[1:7, 0] = scores[3, 1] = 0.9
    chosen = prompt_set(CAR, SEA, score="cosine", decision="threshold", threshold=0.5)
    parts = cut_reel(film, tmp_path / "reel.mp4", analyse_scores(scores, chosen, every(1, 8)), CutOut())
    assert [(part.start_s, part.end_s) for part in parts] == [(1.0, 7.0)]


def test_nothing_is_encoded_where_that_is_not_wanted(film: Path, analysis: Analysis, tmp_path: Path) -> None:
    clips = cut_files(film, tmp_path, "film", analysis, CutOut(CAR, widen=True))
    assert all(clip.part.copied for clip in clips)
    assert all(clip.part.start_s <= clip.segment.start_s < clip.segment.end_s <= clip.part.end_s for clip in clips)
    assert "copied without encoding" in in_words([clip.part for clip in clips])


def test_what_cannot_be_cut_out_says_why(film: Path, analysis: Analysis, tmp_path: Path) -> None:
    for wanted, says in (
        (CutOut("train"), "no segment of “train” to cut out; lower the threshold"),
        (CutOut(padding_s=-1), "padding can't be -1 s; choose 0 to 3600 s"),
        (CutOut(padding_s=float("nan")), "padding can't be nan s"),
    ):
        with pytest.raises(InputError, match=says):
            cut_reel(film, tmp_path / "reel.mp4", analysis, wanted)
    many = np.tile([[0.9], [0.0]], (MOST_CLIPS + 1, 1))
    chosen = prompt_set(CAR, score="cosine", decision="threshold", threshold=0.5)
    with pytest.raises(InputError, match="1,001 segments, and 1,000 at most"):
        CutOut().segments(analyse_scores(many, chosen, every(1, len(many))))
    with pytest.raises(VideoError, match=r"reel\.zip can't be written"):
        cut_zip(film, tmp_path / "no" / "reel.zip", "film", analysis, CutOut())


def test_backgrounds_are_cut_out_only_where_they_are_named() -> None:
    chosen = prompt_set(CAR, "rest", background=["rest"], score="cosine", decision="best")
    found = analyse_scores([[0.9, 0.1], [0.1, 0.9], [0.9, 0.1]], chosen)
    assert [one.label for one in CutOut().segments(found)] == [CAR, CAR]
    assert [one.label for one in CutOut("rest").segments(found)] == ["rest"]


def test_a_cancelled_zip_leaves_nothing(film: Path, analysis: Analysis, tmp_path: Path) -> None:
    cancel = threading.Event()
    with pytest.raises(Cancelled):
        cut_zip(
            film, tmp_path / "a.zip", "film", analysis, CutOut(), on_progress=lambda *_: cancel.set(), cancel=cancel
        )
    assert list(tmp_path.iterdir()) == []


def test_an_annotated_clip_has_the_labels_of_each_time(
    film: Path, analysis: Analysis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[list[str]] = []
    from lib.media import annotated_clip as clips

    draw = clips.draw_captions
    monkeypatch.setattr(
        clips, "draw_captions", lambda p, c, **at: drawn.append([one.text for one in c]) or draw(p, c, **at)
    )
    annotate(film, tmp_path / "a.mp4", analysis, {CAR: "#e69f00", SEA: "#0072b2"}, (3.9, 7.0))
    assert drawn[0] == []
    assert drawn[1] == [f"{CAR}  0.900"]
    assert drawn[12] == [f"{CAR}  0.900", f"{SEA}  0.900"]
    assert drawn[-1] == [f"{SEA}  0.900"]
    assert probe(tmp_path / "a.mp4").end_s == pytest.approx(3.1, abs=0.05)
