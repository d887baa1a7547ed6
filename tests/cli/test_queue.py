"""``queue``: filled, listed, put into order and worked through; shared with the dashboard."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lib.services import queue_file
from lib.store.store import Store
from tests.helpers.dashboard import StartDashboard
from tests.helpers.fixtures import Run
from tests.helpers.http import wait_for
from tests.helpers.videos import make_video, palette


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    folder = tmp_path / "clips"
    folder.mkdir()
    for seed, name in enumerate(("a", "b")):
        make_video(folder / f"{name}.mp4", colours=palette(12, seed=seed))
    return folder


def listed(run: Run) -> dict[str, dict[str, object]]:
    return {one["name"]: one for one in json.loads(run("queue", "list", "--json")[1])["entries"]}


def test_videos_are_added_put_into_order_and_embedded(run: Run, home: Path, clips: Path) -> None:
    (clips / "broken.mp4").write_bytes(b"no video")
    status, out, err = run("queue", "add", clips, "--stride", 4)
    assert (status, out) == (1, "2 videos added; 2 videos in the queue.\n")
    assert "broken.mp4 is not a video" in err[-1]
    entries = listed(run)
    assert [one["state"] for one in entries.values()] == ["waiting", "waiting"]
    run("queue", "move", entries["b.mp4"]["id"], "first")
    assert list(listed(run)) == ["b.mp4", "a.mp4"]

    assert run("queue", "pause")[0] == 0
    assert "Paused." in run("queue", "list")[1]
    status, _, err = run("queue", "run")
    assert status == 1
    assert "queue resume" in err[-1]
    run("queue", "resume")
    status, out, err = run("queue", "run")
    assert (status, out) == (0, "0 videos in the queue, 0 failed.\n")
    assert [line for line in err if line.endswith("3 samples")] == ["b.mp4: 3 samples", "a.mp4: 3 samples"]
    assert all(info.complete for info in Store(home).embeddings())
    assert json.loads(run("queue", "add", clips / "a.mp4", "--stride", 4, "--json")[1]) == {"added": [], "waiting": 0}


def test_what_fails_is_said_tried_again_and_removed(run: Run, clips: Path) -> None:
    run("queue", "add", clips, "--stride", 4)
    (clips / "a.mp4").rename(clips / "away")
    status, out, err = run("queue", "run")
    assert (status, out) == (1, "0 videos in the queue, 1 failed.\n")
    assert "a.mp4 was moved or changed" in err[-1]
    assert "failed: a.mp4 was moved" in run("queue", "list")[1]
    assert run("queue", "retry")[1] == "1 video in the queue again.\n"
    (clips / "away").rename(clips / "a.mp4")
    assert run("queue", "run")[0] == 0

    run("queue", "add", clips, "--stride", 2)
    one, other = (str(entry["id"]) for entry in listed(run).values())
    assert run("queue", "remove", one)[0] == 0
    assert [entry["id"] for entry in listed(run).values()] == [other]
    for words in (("remove", one), ("move", one, "up"), ("retry", one)):
        status, _, err = run("queue", *words)
        assert (status, len(err)) == (1, 1)
        assert "queue list" in err[0]


def test_a_server_that_does_not_answer_is_waited_for_and_said(run: Run, clips: Path) -> None:
    run("queue", "add", clips / "a.mp4", "--engine", "http://127.0.0.1:9", "--model", "ViT-B-16")
    status, out, err = run("queue", "run")
    assert (status, out) == (1, "1 video in the queue, 0 failed.\n")
    assert "waits for its engine" in err[-1]
    assert "Traceback" not in "\n".join(err)


def test_a_dashboard_resumes_what_a_killed_one_left_without_a_page(
    run: Run, home: Path, clips: Path, start_dashboard: StartDashboard
) -> None:
    run("queue", "add", clips, "--stride", 4)
    (entry, _) = queue_file.read(home).entries
    queue_file.change(home, lambda queue: queue.changed(entry.id, running=True))  # as a killed one leaves it
    start_dashboard(home=home)
    assert wait_for(lambda: not queue_file.read(home).entries, seconds=60)
    assert [info.complete for info in Store(home).embeddings()] == [True, True]
