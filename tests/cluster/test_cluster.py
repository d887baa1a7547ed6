"""Two machines, object storage that fails now and then, killed workers and drivers: judged by what is published."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from lib.core.sampling import Sampling
from lib.remote.pulling import published
from lib.remote.records import Published
from lib.remote.storage import Remote
from lib.services.remote_embedding import EmbedAndPublish, embed_sources, sources
from lib.services.runners import LocalRunner
from tests.helpers.cluster import TwoMachines, ended, why_not
from tests.helpers.videos import make_video, palette

VIDEOS = 4
STRIDE = 2


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    folder = tmp_path / "clips"
    folder.mkdir()
    for number in range(VIDEOS):
        make_video(folder / f"clip {number}.mp4", colours=palette(24, seed=number) * 10)
    return folder


def embedded_here(clips: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Return the content of each clip's embedding by its id, embedded without Ray."""
    from lib.engines.registry import make_engine

    folder.mkdir()
    monkeypatch.setenv("PROMPTREEL_SCRATCH", str(folder.with_name("scratch")))
    remote = Remote(f"file://{folder}")
    work = EmbedAndPublish(remote.url, "demo", "", make_engine("demo").id, Sampling.every(STRIDE))
    assert all(outcome.result for outcome, _ in embed_sources(LocalRunner(), work, sources([str(clips)])))
    return {one.id: one.content for one in published(remote) if isinstance(one, Published)}


def document(driver: subprocess.Popen[str]) -> dict[str, Any]:
    out, errors = driver.communicate(timeout=200)
    assert driver.returncode == 0, errors
    return dict(json.loads(out))


def test_each_video_is_published_once_whatever_is_killed(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if reason := why_not():
        pytest.skip(reason)
    options = ("--stride", str(STRIDE))
    with TwoMachines(clips) as machines:
        url = f"{machines.bucket}/archive"
        with ended(machines.drive(url, *options)) as one, ended(machines.drive(url, *options)) as other:
            machines.kill_worker(2)
            one.kill()
            told = document(other)
        again = document(machines.embed(url, *options))
        archive = machines.archive(url)

    assert told["failed"] == []
    assert again == {"published_before": VIDEOS, "embedded": [], "failed": []}
    assert archive["content"] == embedded_here(clips, tmp_path / "here", monkeypatch)
    assert archive["tables"] == VIDEOS
