"""The command ``classify``: tables, documents and files, and what it refuses."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pandas as pd
import pytest

from lib.services import categories
from lib.store.store import Store
from tests.helpers.fake_server import FakeServer
from tests.helpers.fixtures import Run
from tests.helpers.videos import make_video, scenes

RED, BLUE, GREEN = (255, 0, 0), (0, 0, 255), (0, 255, 0)
PROMPTS = """
name: walls
prompts:
- {label: red wall, texts: [red]}
- {label: blue wall, texts: [blue]}
- {label: lawn, texts: [green], role: restricted}
settings: {score: cosine, decision: best}
"""


@pytest.fixture
def server(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    monkeypatch.setenv("PROMPTREEL_ENGINE", server.url)
    return server


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of three videos of 3 s at 20 a second: mostly red, mostly blue with green, blue."""
    folder = tmp_path_factory.mktemp("films")
    made = {"red": ((RED, 40), (BLUE, 20)), "mixed": ((BLUE, 40), (GREEN, 20)), "blue": ((BLUE, 60),)}
    (folder / "more").mkdir()
    for name, colours in made.items():
        make_video(folder / ("more" if name == "blue" else "") / f"{name}.mp4", colours=scenes(*colours), rate=20)
    (folder / "notes.txt").write_text("no video")
    return folder


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    path = tmp_path / "walls.yaml"
    path.write_text(PROMPTS)
    return path


def test_a_folder_is_embedded_and_sorted_and_what_is_restricted_is_flagged(
    run: Run, server: FakeServer, films: Path, prompts: Path
) -> None:
    status, out, _ = run("classify", films, "--prompts", prompts, "--json")
    document = json.loads(out)
    assert status == 0
    videos = {video["name"]: video for video in document["videos"]}
    assert {name: video["category"]["share"] for name, video in videos.items()} == {
        "red.mp4": "red wall",
        "mixed.mp4": "blue wall",
        "blue.mp4": "blue wall",
    }
    assert [name for name, video in videos.items() if video["restricted"]] == ["mixed.mp4"]
    (lawn,) = [one for one in videos["mixed.mp4"]["labels"] if one["label"] == "lawn"]
    assert lawn["times_s"] == [[2.0, 3.0]]
    assert lawn["share"] == pytest.approx(1 / 3)
    assert document["counts"]["share"] == [
        {"category": "blue wall", "videos": 2},
        {"category": "red wall", "videos": 1},
    ]
    assert document["accuracy"] == {}

    status, out, _ = run("classify", "--all", "--prompts", prompts)
    assert status == 0
    assert "lawn 1.0 s (0:02.0 – 0:03.0)" in out
    assert "Videos by category: blue wall 2, red wall 1" in out


def test_true_categories_are_kept_and_compared_with(
    run: Run, server: FakeServer, films: Path, prompts: Path, tmp_path: Path
) -> None:
    truth = tmp_path / "truth.csv"
    truth.write_text("name,category\nred.mp4,red wall\nmixed,Blue Wall\nblue.mp4,sea\nother.mp4,sea\n")
    status, out, err = run("classify", films, "--prompts", prompts, "--truth", truth)
    assert status == 0
    assert "2 of 3 true categories found (67 %)" in out
    assert any("other.mp4" in line for line in err)
    _, out, _ = run("classify", "--all", "--prompts", prompts, "--json")
    accuracy = json.loads(out)["accuracy"]["share"]
    assert (accuracy["right"], accuracy["videos"]) == (2, 3)
    assert accuracy["confusion"]["sea"] == {"red wall": 0, "Blue Wall": 1, "sea": 0, "nothing": 0}


def test_csv_parquet_and_saved_categories_say_the_same(
    run: Run, server: FakeServer, films: Path, prompts: Path, tmp_path: Path
) -> None:
    file = tmp_path / "found.parquet"
    status, out, _ = run("classify", films, "--prompts", prompts, "--csv", "--parquet", file, "--save", "Walls")
    assert status == 0
    rows = list(csv.DictReader(io.StringIO(out)))
    table = pd.read_parquet(file)
    assert len(rows) == len(table) == 9
    assert [row["label"] for row in rows] == table["label"].tolist()
    assert [float(row["share"]) for row in rows] == pytest.approx(table["share"].tolist())
    (saved,) = categories.saved(Store().home).categories
    assert saved.name == "Walls"
    status, again, told = run("classify", "--all", "--saved", "walls", "--csv")
    assert (status, sorted(again.splitlines())) == (0, sorted(out.splitlines()))
    assert "0 of 0" not in told  # all is known already


def test_one_bad_video_costs_one_line(run: Run, server: FakeServer, films: Path, prompts: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.mp4").write_bytes(b"no video")
    status, out, err = run("classify", films / "*.mp4", tmp_path / "bad.mp4", "--prompts", prompts, "--csv")
    assert status == 1
    assert len(out.splitlines()) == 7
    assert sum("bad.mp4" in line for line in err) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--prompts", "P"], "--all"),
        (["--all"], "--prompts"),
        (["--all", "--prompts", "P", "--saved", "x"], "--saved"),
        (["--all", "--prompts", "P", "--json", "--csv"], "--csv"),
    ],
)
def test_arguments_that_contradict_each_other_are_wrong_usage(
    run: Run, server: FakeServer, prompts: Path, arguments: list[str], words: str
) -> None:
    status, _, err = run("classify", *(prompts if one == "P" else one for one in arguments))
    assert status == 2
    assert words in err[-1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--all", "--prompts", "P"], "No video is embedded"),
        (["--all", "--saved", "walls"], "No categories are saved as"),
        (["FOLDER", "--prompts", "P"], "There is no video in"),
        (["nothing-*.mp4", "--prompts", "P"], "No video is named like"),
    ],
)
def test_what_is_not_there_is_said_in_one_line(
    run: Run, server: FakeServer, prompts: Path, tmp_path: Path, arguments: list[str], words: str
) -> None:
    (tmp_path / "empty").mkdir()
    given = {"P": prompts, "FOLDER": tmp_path / "empty"}
    status, out, err = run("classify", *(given.get(one, one) for one in arguments))
    assert (status, out) == (1, "")
    assert words in err[-1]


def test_search_keeps_to_saved_categories_which_are_brought_up_to_date(
    run: Run, server: FakeServer, films: Path, prompts: Path
) -> None:
    run("classify", films / "red.mp4", "--prompts", prompts, "--save", "Walls: all")
    run("embed", films)

    def searched(*arguments: str) -> tuple[int, set[str]]:
        status, out, _ = run("search", "blue", "--score", "cosine", "--threshold", "-1", "--json", *arguments)
        assert status == 0
        return json.loads(out)["searched"]["videos"], {moment["video"] for moment in json.loads(out)["moments"]}

    blue = ("--category", "walls: all:Blue wall")
    count, names = searched(*blue)
    assert count == 2
    assert names <= {"mixed.mp4", "blue.mp4"}
    assert searched(*blue, "--videos", "mixed.mp4") == (1, {"mixed.mp4"})
    assert searched(*blue, "--category", "walls: all:red wall")[0] == 3
    for wrong, said in (
        ("walls: all:sea", "has no category sea; it has: red wall, blue wall, lawn."),
        ("walls:sea", "No saved category is called walls:sea; write NAME:LABEL, such as: Walls: all:red wall."),
        ("walls: all:lawn", "No video is in walls: all:lawn"),
    ):
        status, _, err = run("search", "blue", "--category", wrong)
        assert status == 1
        assert said in "\n".join(err)
