"""The command ``export``: a file for another program, where it lies, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.fake_server import FakeServer
from tests.helpers.fixtures import Run
from tests.helpers.videos import make_video, scenes

RED, BLUE = (255, 0, 0), (0, 0, 255)
PROMPTS = """
name: walls
prompts: [{label: red wall, texts: [red]}, {label: blue wall, texts: [blue]}]
settings: {score: cosine, decision: best}
"""


def test_a_file_is_written_whole_and_what_the_format_needs_is_said(
    run: Run, server: FakeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROMPTREEL_ENGINE", server.url)
    monkeypatch.chdir(tmp_path)
    make_video(tmp_path / "walls.mp4", colours=scenes((RED, 40), (BLUE, 20)), rate=20)
    (tmp_path / "walls.yaml").write_text(PROMPTS)
    given = ("export", "walls.mp4", "--prompts", "walls.yaml", "--format")

    status, out, said = run(*given, "edl")
    assert (status, out.strip()) == (0, "walls-walls.edl")
    assert any("Timecode doesn’t exist at the video’s 20 frames a second; this counts 60" in line for line in said)
    text = (tmp_path / "walls-walls.edl").read_text()
    assert "001  AX       V     C        00:00:00:00 00:00:02:00 01:00:00:00 01:00:02:00" in text
    assert text.count("* NOTE: Timecode") == 1

    status, out, _ = run(*given, "vtt", "--label", "Blue Wall", "--out", "-")
    assert (status, out) == (0, "WEBVTT\n\n00:00:02.000 --> 00:00:03.000\nblue wall\n")
    assert run(*given, "vtt", "--label", "sea")[0] == 1
    status, _, said = run(*given, "vtt", "--out", "walls.yaml/a.vtt")
    assert status == 1
    assert "choose another place with --out" in said[-1]
