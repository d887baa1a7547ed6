"""The command ``clips``."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.media.frames import probe
from tests.helpers.fake_server import FakeServer
from tests.helpers.fixtures import Run
from tests.helpers.videos import make_video, scenes

RED, BLUE = (255, 0, 0), (0, 0, 255)


@pytest.fixture
def film(tmp_path: Path, server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> Path:
    """2 s blue, 1 s red at 20 a second."""
    monkeypatch.setenv("PROMPTREEL_ENGINE", server.url)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("red\nblue\n")
    return make_video(tmp_path / "walls.mp4", colours=scenes((BLUE, 40), (RED, 20)), rate=20)


def test_segments_become_files(run: Run, film: Path, tmp_path: Path) -> None:
    status, out, err = run("clips", film, "--prompts", "a.txt")
    names = out.split()
    assert (status, names) == (
        0,
        ["walls-a-clips/walls-blue-1-0.00.0.mp4", "walls-a-clips/walls-red-2-0.02.0.mp4"],
    )
    assert [probe(tmp_path / name).end_s for name in names] == pytest.approx([2, 1], abs=0.05)
    assert "2 parts of 3.0 s in all" in err[-1]

    status, out, _ = run("clips", film, "--prompts", "a.txt", "--label", "RED", "--padding", "0.5", "--reel")
    assert (status, out.strip()) == (0, "walls-a-red-reel.mp4")
    assert probe(tmp_path / out.strip()).end_s == pytest.approx(1.5, abs=0.05)

    status, out, _ = run("clips", film, "--prompts", "a.txt", "--annotated", "--out", "b.mp4")
    assert (status, out.strip()) == (0, "b.mp4")
    assert probe(tmp_path / "b.mp4").end_s == pytest.approx(3, abs=0.05)


def test_wrong_input_is_one_line(run: Run, film: Path) -> None:
    status, out, err = run("clips", film, "--prompts", "a.txt", "--label", "sea")
    assert (status, out) == (1, "")
    assert "--label sea names no prompt; the labels are red, blue." in err[-1]
    assert run("clips", film, "--prompts", "a.txt", "--annotated", "--copy")[0] == 2
