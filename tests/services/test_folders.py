"""Folders that are kept with the library: what is new, changed, moved or gone in them."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from lib.core.errors import Cancelled, InputError, StoreError
from lib.ingest.progress import Progress
from lib.services import folders
from lib.services.folders import Look, SeenFile
from lib.store.home import StorePaths
from lib.store.store import Store
from lib.store.videos import Video
from tests.helpers.videos import make_video, palette


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "adverts"
    path.mkdir()
    for seed, name in enumerate(("a.mp4", "b.mp4")):
        make_video(path / name, colours=palette(5, seed=seed))
    return path


def look(
    store: Store, path: Path, *, on_progress: Callable[[Progress], None] = lambda _: None, **options: object
) -> Look:
    folders.keep(store.home, path, options.get("allowed", [path.parent]))  # type: ignore[arg-type]
    return folders.look(
        store,
        path,
        options.get("allowed", [path.parent]),  # type: ignore[arg-type]
        on_progress=on_progress,
        cancel=options.get("cancel") or threading.Event(),  # type: ignore[arg-type]
    )


def names(store: Store) -> list[str]:
    return sorted(video.name for video in store.videos())


def test_what_differs_between_two_looks() -> None:
    before = {"same": SeenFile(1, 1, "s"), "other": SeenFile(1, 1, "o"), "gone": SeenFile(1, 1, "g")}
    now = {"same": SeenFile(1, 1), "other": SeenFile(1, 2), "new": SeenFile(1, 1)}
    assert folders.compare(before, now) == folders.Changes(("new",), ("other",), ("gone",))


def test_a_folder_is_kept_and_what_is_new_is_found_again(store: Store, folder: Path) -> None:
    kept = folders.keep(store.home, folder, [folder])
    assert (kept.path, kept.videos, kept.looked_at) == (folder, 0, 0.0)
    assert look(store, folder).note == "2 new videos. 2 videos in adverts."
    ((again,), damaged) = folders.kept(store.home)
    assert (again.videos, damaged) == (2, [])
    assert again.looked_at > 0
    assert look(store, folder).note == "Nothing new. 2 videos in adverts."

    (folder / "sub").mkdir()
    make_video(folder / "sub" / "c.mp4", colours=palette(5, seed=7))
    assert look(store, folder).note == "1 new video. 3 videos in adverts."
    assert names(store) == ["a.mp4", "b.mp4", "c.mp4"]


def test_changed_moved_and_gone_files_are_said_and_nothing_is_deleted(store: Store, folder: Path) -> None:
    make_video(folder / "c.mp4", colours=palette(5, seed=2))
    look(store, folder)
    make_video(folder / "a.mp4", colours=palette(9, seed=3))
    os.utime(folder / "a.mp4", ns=(1, 1))
    (folder / "b.mp4").rename(folder / "moved.mp4")
    (folder / "c.mp4").unlink()
    found = look(store, folder)
    assert found.note == (
        "1 changed, 1 moved, 1 no longer there (c.mp4); what is embedded of them stays. 2 videos in adverts."
    )
    paths = {video.name: video.path.name for video in store.videos()}
    assert len(store.videos()) == 4  # the former a.mp4 too
    assert paths["b.mp4"] == "moved.mp4"  # the same video, found in its new place


def test_a_file_that_is_no_video_is_told_once(store: Store, folder: Path) -> None:
    (folder / "broken.mp4").write_bytes(b"no video")
    assert "broken.mp4 is not a video" in look(store, folder).note
    assert look(store, folder).note == "Nothing new. 2 videos in adverts."
    make_video(folder / "broken.mp4", colours=palette(5, seed=5))
    assert look(store, folder).note == "1 changed. 3 videos in adverts."


def test_a_video_that_was_deleted_from_the_library_stays_so(store: Store, folder: Path) -> None:
    look(store, folder)
    store.delete_video(next(video.sha256 for video in store.videos() if video.name == "a.mp4"))
    look(store, folder)
    assert names(store) == ["b.mp4"]


def test_a_look_that_is_cancelled_goes_on_the_next_time(store: Store, folder: Path) -> None:
    cancel = threading.Event()

    def stop(progress: Progress) -> None:
        if progress.done == 1:
            cancel.set()

    with pytest.raises(Cancelled, match="after 1 of 2"):
        look(store, folder, on_progress=stop, cancel=cancel)
    assert names(store) == ["a.mp4"]
    assert look(store, folder).note == "1 new video. 2 videos in adverts."

    (folder / "a.mp4").unlink()  # what is gone is said by the look that comes to its end
    make_video(folder / "c.mp4", colours=palette(5, seed=7))
    with pytest.raises(Cancelled, match="after 0 of 1"):
        look(store, folder, cancel=cancel)
    assert "1 no longer there (a.mp4)" in look(store, folder).note


def test_what_the_store_refuses_is_tried_again(store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path) -> Video:
        raise StoreError("The disk is full; free some space.")

    with monkeypatch.context() as patch:
        patch.setattr(store, "add_file", full)
        assert look(store, folder).note.startswith("Nothing new. 0 videos in adverts. The disk is full")
    assert look(store, folder).note == "2 new videos. 2 videos in adverts."


def test_only_allowed_folders_are_looked_into_and_links_out_of_them_are_left_out(
    store: Store, folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="outside the folders"):
        folders.keep(store.home, folder, [tmp_path / "else"])
    with pytest.raises(InputError, match="PROMPTREEL_FOLDERS"):
        look(store, folder, allowed=[])  # the permission was taken away since
    secret = make_video(tmp_path / "secret.mp4", colours=palette(5, seed=9))
    (folder / "link.mp4").symlink_to(secret)
    look(store, folder, allowed=[folder])
    assert names(store) == ["a.mp4", "b.mp4"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no video"):
        folders.keep(store.home, tmp_path / "empty", [tmp_path])


def test_a_folder_that_is_not_there_takes_nothing_for_gone(store: Store, folder: Path) -> None:
    look(store, folder)
    away = folder.rename(folder.with_name("away"))
    with pytest.raises(InputError, match="connect its disk"):
        look(store, folder)
    away.rename(folder)
    assert look(store, folder).note == "Nothing new. 2 videos in adverts."


def test_an_emptied_folder_takes_nothing_for_gone(store: Store, folder: Path) -> None:
    look(store, folder)
    store.delete_video(next(video.sha256 for video in store.videos() if video.name == "a.mp4"))
    away = folder.rename(folder.with_name("away"))
    folder.mkdir()  # what is left where a disk was
    with pytest.raises(InputError, match="connect its disk"):
        folders.look(store, folder, [folder], on_progress=lambda _: None, cancel=threading.Event())
    folder.rmdir()
    away.rename(folder)
    look(store, folder)
    assert names(store) == ["b.mp4"]


def test_copies_are_one_video_which_is_found_as_long_as_one_is_there(store: Store, folder: Path) -> None:
    shutil.copy2(folder / "b.mp4", folder / "copy.mp4")
    look(store, folder)
    (folder / "b.mp4").unlink()
    assert look(store, folder).note == "Nothing new. 2 videos in adverts."
    assert {video.path.name for video in store.videos()} == {"a.mp4", "copy.mp4"}
    shutil.copy2(folder / "copy.mp4", folder / "b.mp4")
    look(store, folder)
    shutil.move(folder / "copy.mp4", folder / "c.mp4")
    (folder / "b.mp4").unlink()
    assert look(store, folder).note == "1 moved. 2 videos in adverts."


def test_a_folder_that_is_forgotten_meanwhile_stays_so(store: Store, folder: Path) -> None:
    def forget(_: Progress) -> None:
        folders.forget(store.home, folders.Folder(folder).id)

    with pytest.raises(Cancelled, match="forgotten"):
        look(store, folder, on_progress=forget)
    assert folders.kept(store.home) == ([], [])
    with pytest.raises(Cancelled, match="forgotten"):
        folders.look(store, folder, [folder], on_progress=forget, cancel=threading.Event())


def test_files_of_any_time_and_names_that_are_no_text(store: Store, folder: Path, tmp_path: Path) -> None:
    os.utime(folder / "a.mp4", ns=(-(10**18), -(10**18)))  # before 1970
    look(store, folder)
    assert folders.kept(store.home)[0][0].videos == 2
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff"))
    odd.mkdir()
    for path, what in ((odd, "no readable text"), (tmp_path / ("x" * 300), "is not there")):
        with pytest.raises(InputError, match=what) as caught:
            folders.keep(store.home, path, [tmp_path])
        str(caught.value).encode()


def test_a_file_that_goes_while_its_folder_is_listed_is_no_trouble(
    store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = folders.videos_in
    monkeypatch.setattr(folders, "videos_in", lambda *args: [folder / "0.mp4", *listed(*args)])
    assert look(store, folder).note == "2 new videos. 2 videos in adverts."


def test_a_folder_is_forgotten_and_its_videos_stay(store: Store, folder: Path) -> None:
    look(store, folder)
    folders.forget(store.home, folders.kept(store.home)[0][0].id)
    assert folders.kept(store.home) == ([], [])
    assert names(store) == ["a.mp4", "b.mp4"]


@pytest.mark.parametrize("change", [{"format": 9}, {"files": [["a.mp4", -1, 0, ""]]}, {"path": 7}, {"looked_at": "x"}])
def test_a_damaged_document_is_named_and_looked_into_anew(
    store: Store, folder: Path, change: dict[str, object]
) -> None:
    look(store, folder)
    (path,) = StorePaths(store.home).folders.glob("*.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    assert folders.kept(store.home) == ([], [path.name])
    assert look(store, folder).note == "2 new videos. 2 videos in adverts."
    assert folders.kept(store.home)[1] == []


def test_at_most_so_many_are_kept(store: Store, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "MAX_FOLDERS", 1)
    folders.keep(store.home, folder, [tmp_path])
    folders.keep(store.home, folder, [tmp_path])
    with pytest.raises(InputError, match="At most 1 folders"):
        folders.keep(store.home, tmp_path, [tmp_path])
