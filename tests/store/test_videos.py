"""The store's videos: referenced or taken in, one by content, reported when they are gone."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from fractions import Fraction
from pathlib import Path

import pytest

from lib.core.errors import NotStoredError, VideoError, VideoUnreadableError
from lib.store.store import Store
from lib.store.videos import Video, clean_name, clean_suffix


def test_a_file_opened_by_path_is_referenced_with_what_it_says(store: Store, file: Path) -> None:
    video = store.add_file(str(file))
    assert video.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert (video.name, video.path, video.owned) == ("clip.mp4", file, False)
    assert video.size_bytes == file.stat().st_size
    assert (video.width, video.height, video.codec) == (64, 48, "h264")
    assert (video.rate, video.frame_count, video.duration_s) == (Fraction(24), 12, pytest.approx(0.5))
    assert store.video(video.sha256) == video
    assert store.file_path(video.sha256) == file


def test_an_upload_moves_in_and_is_kept_by_hash(store: Store, file: Path) -> None:
    data = file.read_bytes()
    video = store.add_file(file, name="../../My  Holiday\u202e\x00.MP4", sha256=None, move=True)
    assert not file.exists()
    assert video.owned
    assert video.name == "My Holiday.MP4"
    assert video.path == store.home / "videos" / f"{video.sha256}.mp4"
    assert video.path.read_bytes() == data
    assert store.file_path(video.sha256) == video.path


def test_kept_files_move_with_the_store(store: Store, file: Path, tmp_path: Path) -> None:
    video = store.add_file(file, move=True)
    shutil.move(store.home, tmp_path / "elsewhere")
    moved = Store(tmp_path / "elsewhere")
    assert moved.file_path(video.sha256) == tmp_path / "elsewhere" / "videos" / f"{video.sha256}.mp4"


def test_the_same_bytes_are_one_video(store: Store, file: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copy(file, tmp_path / "copy.mp4"))
    first, second = store.add_file(file), store.add_file(copy)
    assert first == second
    assert store.videos() == [first]


def test_an_upload_of_a_referenced_video_makes_it_the_stores_own(store: Store, file: Path, tmp_path: Path) -> None:
    referenced = store.add_file(file)
    upload = Path(shutil.copy(file, tmp_path / "upload.mp4"))
    owned = store.add_file(upload, move=True)
    assert (owned.sha256, owned.name, owned.owned) == (referenced.sha256, "clip.mp4", True)
    assert not upload.exists()
    file.unlink()
    assert store.file_path(owned.sha256).exists()
    again = tmp_path / "again.mp4"
    shutil.copy(owned.path, again)
    assert store.add_file(again, move=True) == owned
    assert not again.exists()
    assert store.videos() == [owned]


def test_a_vanished_reference_is_reported_and_found_by_adding_it_again(
    store: Store, video: Video, file: Path, tmp_path: Path
) -> None:
    moved = tmp_path / "moved.mp4"
    file.rename(moved)
    with pytest.raises(NotStoredError, match=r"clip\.mp4 was moved or changed .*; add it again"):
        store.file_path(video.sha256)
    again = store.add_file(moved)
    assert again.sha256 == video.sha256
    assert again.added_at == video.added_at
    assert store.file_path(video.sha256) == moved
    assert len(store.videos()) == 1


def test_a_changed_reference_is_reported_but_a_touched_one_is_not(store: Store, video: Video, file: Path) -> None:
    os.utime(file, (1, 1))
    assert store.file_path(video.sha256) == file
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(bytes(data))
    with pytest.raises(NotStoredError, match="was moved or changed"):
        store.file_path(video.sha256)


def test_an_unchanged_file_is_hashed_once(store: Store, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.utime(file, (1_000_000_000, 1_000_000_000))
    hashed: list[tuple[int, int]] = []
    first = store.add_file(file, on_progress=lambda done, total: hashed.append((done, total)))
    assert hashed[-1] == (first.size_bytes, first.size_bytes)
    count = len(hashed)
    again = Store(store.home).add_file(file, on_progress=lambda done, total: hashed.append((done, total)))
    assert again == first
    assert len(hashed) == count
    os.utime(file, (1_000_000_001, 1_000_000_001))
    store.add_file(file, on_progress=lambda done, total: hashed.append((done, total)))
    assert len(hashed) > count


def test_a_file_changed_a_moment_ago_is_not_trusted_by_its_time(store: Store, file: Path) -> None:
    """Two writes within one tick of the clock leave the same size and time."""
    first = store.add_file(file)
    stat = file.stat()
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(bytes(data))
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert store.add_file(file).sha256 != first.sha256


@pytest.mark.parametrize("name", ["straße ☂ 視頻.mp4", "a'b\"c;--.mp4", "x" * 200 + ".mp4", "no suffix"])
def test_any_file_name_works(store: Store, file: Path, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    shutil.move(file, path)
    video = store.add_file(path)
    assert video.path == path
    assert len(video.name) <= 120
    assert video.name.endswith(path.suffix)
    assert Store(store.home).file_path(video.sha256) == path


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names themselves")
def test_a_file_name_that_is_no_text_works(store: Store, file: Path, tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.mp4"))
    file.rename(path)
    video = store.add_file(path)
    assert store.file_path(video.sha256) == path
    assert video.name == "caf\ufffd.mp4"


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("a/b\\c.mp4", "c.mp4"),
        ("  tab\tand\nline.mov ", "tab and line.mov"),
        ("..", "video"),
        ("", "video"),
        ("\u202egpm.exe\u200b.mp4", "gpm.exe.mp4"),
        ("e\u0301.mp4", "é.mp4"),
        ("x" * 300 + ".mp4", "x" * 116 + ".mp4"),
    ],
)
def test_names_are_cleaned(name: str, clean: str) -> None:
    assert clean_name(name) == clean


@pytest.mark.parametrize(
    ("name", "suffix"),
    [("a.MP4", ".mp4"), ("a", ""), ("a.m p4", ""), ("a.ünicode", ""), ("a." + "x" * 30, "")],
)
def test_only_plain_suffixes_are_kept(name: str, suffix: str) -> None:
    assert clean_suffix(name) == suffix


def test_what_is_no_video_is_refused_and_an_upload_of_it_stays(store: Store, tmp_path: Path) -> None:
    text = tmp_path / "text.mp4"
    text.write_text("no video at all")
    with pytest.raises(VideoError):
        store.add_file(text, move=True)
    assert text.exists()
    with pytest.raises(VideoUnreadableError):
        store.add_file(tmp_path / "missing.mp4")
    assert store.videos() == []


def test_a_file_from_another_disk_is_copied_whole_or_not_at_all(
    store: Store, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, real = file.read_bytes(), os.replace

    def replace(source: Path, target: Path) -> None:
        if Path(source) == file:
            raise OSError(18, "Invalid cross-device link")
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    video = store.add_file(file, move=True)
    assert video.path.read_bytes() == data
    assert not file.exists()
    assert [path.name for path in video.path.parent.iterdir()] == [video.path.name]


def test_a_video_that_is_not_there_is_named(store: Store) -> None:
    for ask in (store.video, store.file_path, store.delete_video):
        with pytest.raises(NotStoredError, match="no video abcabcabcabc"):
            ask("abc" * 10)


@pytest.mark.parametrize("rate", ["9" * 50_000, "1e99999999", "nonsense", "1/0"])
def test_a_rate_that_the_store_lost_is_unknown(rate: str, store: Store, file: Path) -> None:
    sha256 = store.add_file(str(file)).sha256
    videos = store._videos
    videos._write([row | {"rate": rate} for row in videos._rows()])
    assert store.video(sha256).rate is None
