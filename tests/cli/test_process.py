"""The command line as a process of its own, also one that is interrupted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lib.__main__ import _interruptible
from tests.helpers.fake_server import FakeServer
from tests.helpers.videos import make_video, scenes

ROOT = Path(__file__).parents[2]
RED, BLUE = (255, 0, 0), (0, 0, 255)


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    path = tmp_path / "walls.txt"
    path.write_text("red\nblue\n")
    return path


def environment(tmp_path: Path, **variables: str) -> dict[str, str]:
    return {**os.environ, "PROMPTREEL_HOME": str(tmp_path / "home"), **variables}


def test_runs_as_a_module_of_its_own(tmp_path: Path, prompts: Path) -> None:
    colours = scenes((BLUE, 40), (RED, 20), (BLUE, 20))
    film = make_video(tmp_path / "walls.mp4", colours=colours, rate=20)
    with FakeServer() as server:
        done = subprocess.run(
            [sys.executable, "-m", "lib", "analyze", film, "--prompts", prompts, "--json"],
            cwd=ROOT,
            env=environment(tmp_path, PROMPTREEL_ENGINE=server.url),
            capture_output=True,
            text=True,
            timeout=120,
        )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["metrics"][0]["duration_s"] == 1.0
    assert "walls.mp4: embedded 8 samples" in done.stderr


def test_interrupted_keeps_what_is_done_and_goes_on(tmp_path: Path, prompts: Path) -> None:
    film = make_video(tmp_path / "long.mp4", colours=scenes((BLUE, 400)), rate=20)
    command = [sys.executable, "-m", "lib", "embed", str(film), "--stride", "2"]
    with FakeServer() as server:
        server.faults.latency_s = 0.2
        variables = environment(tmp_path, PROMPTREEL_ENGINE=server.url)
        process = subprocess.Popen(command, cwd=ROOT, env=variables, stderr=subprocess.PIPE, text=True)
        until = time.monotonic() + 60
        while len(server.seen) < 6:
            assert time.monotonic() < until
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        sent = sum(seen.items for seen in server.seen)
        server.faults.latency_s = 0
        again = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=120)

    assert process.returncode == 130
    assert err.splitlines()[-1].startswith("promptreel: interrupted; what is embedded is kept")
    assert 0 < sent < 200
    assert again.returncode == 0, again.stderr
    assert 200 <= sum(seen.items for seen in server.seen) < 200 + sent  # not all of it anew


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_stops_in_order_and_a_second_one_at_once(name: str) -> None:
    number = getattr(signal, name)
    before = signal.signal(number, lambda *_: None)
    try:
        with _interruptible() as cancel:
            signal.raise_signal(number)
            assert cancel.is_set()
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(number)
        signal.raise_signal(number)  # heard by who heard it before
        signal.signal(number, signal.SIG_IGN)
        with _interruptible() as cancel:
            signal.raise_signal(number)
            assert not cancel.is_set()  # as nohup has it
    finally:
        signal.signal(number, before)
