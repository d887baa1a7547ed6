"""Which files paths, folders and patterns name."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.core.errors import InputError
from lib.services import video_files
from lib.services.video_files import is_one_file, named_videos, videos_in


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.mp4", "a.MKV", "notes.txt", "sub/c.webm", "sub/[odd].mp4"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")
    (tmp_path / "folder.mp4").mkdir()
    return tmp_path


def names(paths: list[Path]) -> list[str]:
    return sorted(path.name for path in paths)


def test_folders_and_patterns_give_videos_and_each_once(folder: Path) -> None:
    assert names(named_videos([str(folder)])) == ["[odd].mp4", "a.MKV", "b.mp4", "c.webm"]
    assert names(named_videos([str(folder / "*.[mM]*"), str(folder / "b.mp4")])) == ["a.MKV", "b.mp4"]
    assert names(named_videos([str(folder / "**" / "*.mp4")])) == ["[odd].mp4", "b.mp4"]
    assert len(videos_in([folder], 2)) == 2


def test_a_file_that_is_named_needs_no_ending_and_may_look_like_a_pattern(folder: Path) -> None:
    assert named_videos([str(folder / "sub" / "[odd].mp4")]) == [folder / "sub" / "[odd].mp4"]
    assert named_videos(["nowhere.bin"]) == [Path("nowhere.bin")]
    assert is_one_file([str(folder / "sub" / "[odd].mp4")])
    assert not is_one_file([str(folder)])
    assert not is_one_file([str(folder / "*.mp4")])
    assert not is_one_file(["a", "b"])


def test_nothing_found_and_too_many_are_sentences(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="There is no video in"):
        named_videos([str(folder / "folder.mp4")])
    with pytest.raises(InputError, match="No video is named like"):
        named_videos([str(folder / "*.avi")])
    monkeypatch.setattr(video_files, "MAX_FILES", 3)
    with pytest.raises(InputError, match="more than 3 videos"):
        named_videos([str(folder)])
