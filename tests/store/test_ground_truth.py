from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lib.core.errors import NotStoredError, StoreDamagedError
from lib.core.labelled_intervals import TrueSegment
from lib.services.ground_truth import change_truth, video_truth
from lib.store.store import Store
from lib.store.videos import Video

CAT = TrueSegment("cat", 0.1, 0.2)
DOG = TrueSegment("dog", 0.05, 0.3)


def truth_of(store: Store, video: Video) -> tuple[TrueSegment, ...]:
    return video_truth(store, video).segments


@pytest.fixture
def video(store: Store, file: Path) -> Video:
    """Add a video with ground truth beside it."""
    file.with_suffix(".json").write_text(json.dumps({"segments": [vars(CAT)]}), encoding="utf-8")
    return store.add_file(file)


def test_what_lies_beside_counts_until_somebody_edits_and_again_after_deleting(store: Store, video: Video) -> None:
    assert truth_of(store, video) == (CAT,)
    assert store.saved_truth(video.sha256) is None

    assert change_truth(store, video, lambda truth: [*truth, DOG]) == (DOG, CAT)
    assert truth_of(Store(store.home), video) == (DOG, CAT)
    assert store.saved_truth(video.sha256) == (DOG, CAT)
    assert video.path.with_suffix(".json").read_text(encoding="utf-8").count("cat") == 1

    store.forget_truth(video.sha256)
    store.forget_truth(video.sha256)
    assert truth_of(store, video) == (CAT,)


def test_nothing_there_can_be_saved_too(store: Store, video: Video) -> None:
    change_truth(store, video, lambda truth: [])

    assert truth_of(store, video) == ()
    assert store.saved_truth(video.sha256) == ()


def test_each_change_has_a_version_of_its_own(store: Store, video: Video) -> None:
    versions = [store.truth_version(video)]
    for start in (0.25, 0.5, 0.25):  # as long as each other, and within one tick of the clock
        change_truth(store, video, lambda truth, start=start: [TrueSegment("cat", start, 1.0)])
        versions.append(store.truth_version(video))
    store.forget_truth(video.sha256)

    assert versions[1] == versions[3]
    assert len(set(versions)) == 3
    assert store.truth_version(video) == versions[0]


def test_deleting_the_video_deletes_its_truth(store: Store, video: Video) -> None:
    change_truth(store, video, lambda truth: [DOG])
    store.delete_video(video.sha256)

    assert not list((store.home / "truth").iterdir())
    with pytest.raises(NotStoredError):
        change_truth(store, video, lambda truth: [DOG])
    assert not list((store.home / "truth").iterdir())


def test_a_save_that_fails_leaves_the_old_truth_and_nothing_else(
    store: Store, video: Video, monkeypatch: pytest.MonkeyPatch
) -> None:
    change_truth(store, video, lambda truth: [DOG])

    def broken(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", broken)
    with pytest.raises(Exception, match="disk is full"):
        change_truth(store, video, lambda truth: [CAT])
    assert truth_of(store, video) == (DOG,)
    assert [path.name for path in (store.home / "truth").iterdir()] == [f"{video.sha256}.json"]


DAMAGED = {
    "empty": "",
    "no segments": "{}",
    "another format": '{"format": 2, "segments": []}',
    "a number for segments": '{"format": 1, "segments": 3}',
    "null": "null",
    "a list": "[]",
    "cut": '{"format": 1, "segments": [{"label": "dog", "start_s": 1, "end_s": 2}]',
    "segments null": '{"format": 1, "segments": [null]}',
    "a number for a label": '{"format": 1, "segments": [{"label": 5, "start_s": 1, "end_s": 2}]}',
    "400 digits": f'{{"format": 1, "segments": [{{"label": "dog", "start_s": {"9" * 400}, "end_s": 2}}]}}',
    "5,000 digits": f'{{"format": 1, "segments": [{{"label": "dog", "start_s": {"9" * 5000}, "end_s": 2}}]}}',
    "nested": "[" * 200_000,
    "nested inside": f'{{"format": 1, "segments": {"[" * 100_000}',
    "infinite": '{"format": 1, "segments": [{"label": "dog", "start_s": 1, "end_s": Infinity}]}',
    "a list for a time": '{"format": 1, "segments": [{"label": "dog", "start_s": [1], "end_s": 2}]}',
}


@pytest.mark.parametrize("text", DAMAGED.values(), ids=DAMAGED)
def test_a_saved_file_that_cannot_be_read_is_told_and_kept_aside(store: Store, video: Video, text: str) -> None:
    home = store.home
    change_truth(store, video, lambda truth: [DOG])
    file = home / "truth" / f"{video.sha256}.json"
    file.write_text(text, encoding="utf-8")

    for read in (lambda: truth_of(store, video), lambda: store.saved_truth(video.sha256)):
        with pytest.raises(StoreDamagedError, match=r"damaged, so none counts; repair truth/.*\.json"):
            read()
    assert file.read_text(encoding="utf-8") == text

    assert change_truth(store, video, lambda truth: [*truth, DOG]) == (DOG, CAT)
    (aside,) = home.glob("truth/*.damaged-*")
    assert aside.read_text(encoding="utf-8") == text
    assert truth_of(store, video) == (DOG, CAT)


def test_forgetting_damaged_truth_keeps_it_aside_but_deleting_the_video_does_not(store: Store, video: Video) -> None:
    home = store.home
    change_truth(store, video, lambda truth: [DOG])
    file = home / "truth" / f"{video.sha256}.json"
    file.write_bytes(file.read_bytes()[:-1])

    store.forget_truth(video.sha256)
    assert truth_of(store, video) == (CAT,)
    assert len(list(home.glob("truth/*.damaged-*"))) == 1
    store.delete_video(video.sha256)
    assert not list((home / "truth").iterdir())


def test_changes_of_two_stores_at_once_all_count(store: Store, video: Video) -> None:
    def add(store: Store, name: str) -> None:
        for number in range(15):
            segment = TrueSegment(f"{name}{number}", 0.0, 1.0)
            change_truth(store, video, lambda truth, segment=segment: [*truth, segment])

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(add, [store, Store(store.home)], "ab"))

    assert len(truth_of(Store(store.home), video)) == 31
