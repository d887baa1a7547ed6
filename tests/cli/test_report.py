"""The command ``report``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.fake_server import FakeServer
from tests.helpers.fixtures import Run
from tests.helpers.reports import read
from tests.helpers.videos import make_video, scenes

RED, BLUE = (255, 0, 0), (0, 0, 255)


@pytest.fixture
def server(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    monkeypatch.setenv("PROMPTREEL_ENGINE", server.url)
    return server


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """2 s blue, 1 s red at 20 a second."""
    return make_video(tmp_path_factory.mktemp("film") / "walls.mp4", colours=scenes((BLUE, 40), (RED, 20)), rate=20)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("red\nblue\n")
    (tmp_path / "b.txt").write_text("red\nnavy blue\n")
    (tmp_path / "truth.csv").write_text("label,start,end\nblue,0,2\nred,2,3\n")
    return tmp_path


def test_of_a_video(run: Run, server: FakeServer, film: Path, files: Path) -> None:
    status, out, _ = run("report", film, "--prompts", "a.txt", "--truth", "truth.csv", "--title", "My <b>find</b>")

    assert (status, out.strip()) == (0, "walls-a-report.html")
    page = read((files / out.strip()).read_bytes())
    assert "My <b>find</b> walls.mp4, 3.0 s" in page.words
    assert "blue yes 2.0 s, 67 % 0:00.0" in page.words
    assert "Macro F1 1.00 over 2 true labels" in page.words
    assert (
        "lib analyze walls.mp4 --prompts prompts.yaml --engine YOUR_SERVER --model ViT-B-16 --stride 10" in page.words
    )
    assert [tag for tag, _ in page.tags if tag == "img"]


def test_of_a_comparison(run: Run, server: FakeServer, film: Path, files: Path) -> None:
    status, out, _ = run(
        "report", film, "--a", "a.txt", "--b", "b.txt", "--truth", "truth.csv", "--out", "r.html", "--note", "See B."
    )

    assert (status, out.strip()) == (0, "r.html")
    page = read((files / "r.html").read_bytes())
    assert "a or b: walls.mp4" in page.words
    assert "See B. Which is better A is better here" in page.words
    assert "Name of the prompt set: “a” → “b”." in page.words
    assert "Command of B" in page.words


def test_of_an_archive(run: Run, server: FakeServer, film: Path, files: Path) -> None:
    status, out, _ = run("report", "--archive", film, "--prompts", "a.txt")

    assert (status, out.strip()) == (0, "archive-a-report.html")
    page = read((files / out.strip()).read_bytes())
    assert "blue 1 100 %" in page.words
    assert [tag for tag, _ in page.tags if tag == "img"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("walls.mp4",),
        ("walls.mp4", "--a", "a.txt"),
        ("walls.mp4", "--prompts", "a.txt", "--a", "a.txt", "--b", "b.txt"),
        ("walls.mp4", "other.mp4", "--prompts", "a.txt"),
        ("--archive", "--prompts", "a.txt"),
        ("--archive", "--all", "--prompts", "a.txt", "--truth", "truth.csv"),
    ],
)
def test_arguments_that_contradict_each_other_are_wrong_usage(
    run: Run, files: Path, arguments: tuple[str, ...]
) -> None:
    assert run("report", *arguments)[0] == 2


def test_where_it_cannot_be_written_one_sentence_says_so(run: Run, server: FakeServer, film: Path, files: Path) -> None:
    status, _, err = run("report", film, "--prompts", "a.txt", "--out", files / "a.txt" / "r.html")

    assert status == 1
    assert err[-1].endswith("choose another place with --out.")
