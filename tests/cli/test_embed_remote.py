"""``embed --remote``: what it prints, skips and refuses; where it runs: ``tests/services``, ``tests/cluster``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lib.core.errors import RemoteError
from lib.remote.storage import Remote
from tests.helpers.fixtures import Run
from tests.helpers.videos import make_video, palette


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("PROMPTREEL_SCRATCH", str(tmp_path / "scratch"))
    (tmp_path / "shared").mkdir()
    return f"file://{tmp_path / 'shared'}"


def test_prints_what_is_new_and_what_failed_and_skips_what_was_done(run: Run, shared: str, tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    clip = make_video(tmp_path / "clips" / "a.mp4", colours=palette(12))
    (tmp_path / "clips" / "b.mp4").write_bytes(b"none")
    arguments = ("embed", tmp_path / "clips", "--remote", shared, "--stride", 4, "--json")

    status, out, lines = run(*arguments)

    document = json.loads(out)
    assert status == 1
    assert document["published_before"] == 0
    [embedded] = document["embedded"]
    assert embedded["source"] == f"file://{clip}"
    assert (embedded["samples"], embedded["new"], embedded["damage"]) == (3, True, None)
    [failed] = document["failed"]
    assert failed["source"] == f"file://{tmp_path / 'clips' / 'b.mp4'}"
    assert lines[-2:] == ["promptreel: 1 video of 2 failed; run it again for these:", failed["source"]]
    assert f"promptreel: {failed['source']}: {failed['problem']}" in lines

    status, out, lines = run(*arguments)
    assert (status, json.loads(out)["published_before"], json.loads(out)["embedded"]) == (1, 1, [])
    assert "1 video of 2 published before" in lines

    (tmp_path / "clips" / "b.mp4").unlink()
    status, out, lines = run(*arguments[:-1])
    assert (status, out) == (0, "")


def test_nothing_is_embedded_for_an_archive_that_can_not_be_written(
    run: Run, shared: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(self: Remote) -> None:
        raise RemoteError("Writing was refused.")

    monkeypatch.setattr(Remote, "check_writes", refused)
    clip = make_video(tmp_path / "a.mp4", colours=palette(3))
    assert run("embed", clip, "--remote", shared)[::2] == (1, ["promptreel: Writing was refused."])
    assert not (tmp_path / "scratch").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--on", "ray"], "--on ray and --address need --remote"),
        (["--address", "10.0.0.1:6379"], "--on ray and --address need --remote"),
        (["--remote", "file:///none", "--hosted"], "--hosted embeds elsewhere by itself"),
        (["--remote", "file:///none", "--address", "10.0.0.1:6379"], "--address is of a Ray cluster; add --on ray"),
        (["--remote", "s3://b", "--requests", "0.5"], "'0.5' is no whole number from 1 to 1000"),
        (["--remote", "s3://b", "--cpus-per-video", "nan"], "'nan' is no number from 0.1 to 1024"),
    ],
)
def test_options_that_make_no_sense_are_wrong_usage(run: Run, options: list[str], said: str) -> None:
    status, _, lines = run("embed", "a.mp4", *options)

    assert status == 2
    assert said in lines[-1]


def test_an_address_without_a_folder_and_without_videos_is_one_sentence(run: Run, shared: str, tmp_path: Path) -> None:
    assert run("embed", tmp_path, "--remote", shared)[::2] == (
        1,
        [f"promptreel: There is no video in {tmp_path}; choose another folder."],
    )
    status, _, lines = run("embed", "a.mp4", "--remote", "https://elsewhere")
    assert status == 1
    assert lines == [
        "promptreel: This is no address of a storage; write for example s3://bucket/archive, gs://…, az://… or "
        "file:///folder."
    ]
