"""Versions: what they keep, when one is kept, and that nothing changes or overwrites them."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lib.core.errors import InputError, StoreDamagedError, StoreError
from lib.core.labelled_intervals import TrueSegment
from lib.evaluation.numbers import Numbers
from lib.prompts.learned import Learned, pack
from lib.prompts.model import Settings, Smoothing
from lib.services import versions
from lib.services.experiments import Experiment, PromptRow
from lib.services.versions import Version, keep, listed, load
from lib.store.store import Store

LEARNED = Learned("toy", "0" * 16, 4, 2, 1.0, pack([0.6, 0.8]))
ROWS = (PromptRow(label="wall", texts=("a wall", "ein Wäll"), threshold=0.1 + 0.2, learned=(LEARNED,)), PromptRow())
MINE = Experiment(
    "abc123", rows=ROWS, title="Mine", settings=Settings(smoothing=Smoothing("median", 7)), beside="bbbbbb"
)
NUMBERS = Numbers(
    1 / 3, 0.1 + 0.2, {"wall": 2 / 3}, {"wall": {"role": "target", "present": True, "segments": 3, "peak_s": None}}
)
TRUTH = (TrueSegment("wall", 0.1, 0.7), TrueSegment("Wäll", 1 / 3, 2.0))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "home")


def saved(store: Store, experiment: Experiment = MINE, **known: Any) -> Version:
    version = keep(store, experiment, "saved", **known)
    assert version is not None
    return version


def written(store: Store, version: Version) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(versions.path_of(store.home, version.id).read_text())
    return data


def truth(*segments: dict[str, Any]) -> dict[str, Any]:
    return {"digest": versions.truth_digest(TrueSegment(**one) for one in segments), "segments": segments}


def test_all_comes_back_to_the_last_digit(store: Store) -> None:
    version = saved(store, name="first", note="a\nnote", engine_id="toy:1", numbers=NUMBERS, truth=TRUTH)
    again = load(store.home, version.id)

    assert again == version
    assert again.numbers == NUMBERS
    assert again.truth == TRUTH
    assert again.experiment == replace(MINE, beside=None)
    assert again.experiment.prompt_set() == MINE.prompt_set()
    assert (again.package, again.why, again.title) == ("0.1.0", "saved", "Mine")


def test_an_altered_a_damaged_and_a_later_one_are_said_and_stay(store: Store) -> None:
    good, altered, broken, later = (saved(store, name=name) for name in "abcd")
    data = written(store, altered)
    data["note"] = "better than it was"
    versions.path_of(store.home, altered.id).write_text(json.dumps(data))
    versions.path_of(store.home, broken.id).write_text('{"format": 1, ')
    data = {**written(store, later), "more": 1}
    versions.path_of(store.home, later.id).write_text(json.dumps({**data, "id": versions.id_of(data)}))
    before = {path.name: path.read_bytes() for path in store.paths.versions.iterdir()}

    listing = listed(store.home)
    assert [one.id for one in listing.versions] == [good.id]
    assert set(listing.damaged) == {f"{one.id}.json" for one in (altered, broken, later)}
    with pytest.raises(StoreDamagedError, match=altered.id):
        load(store.home, altered.id)
    assert saved(store, name="e").name == "e"
    assert {name: (store.paths.versions / name).read_bytes() for name in before} == before


@pytest.mark.parametrize(
    "change",
    [
        {"created_at": -1},
        {"created_at": "now"},
        {"why": "because"},
        {"name": "x" * 201},
        {"name": 5},
        {"video": {"sha256": "../../x", "name": "", "duration_s": 1}},
        {"video": {"sha256": "a" * 64, "name": "", "duration_s": -1}},
        {"truth": {"digest": "0" * 16, "segments": [{"label": "x", "start_s": 0, "end_s": 1}]}},
        {"truth": {"digest": "", "segments": {}}},
        {"numbers": {"overall": {"macro_f1": 2, "accuracy": 0}, "true_f1": {}, "labels": {}}},
        {"numbers": {"overall": {"macro_f1": 1, "accuracy": 0}, "true_f1": {}, "labels": {"x": {"role": "king"}}}},
        {"numbers": {"overall": {"macro_f1": 1, "accuracy": 0}, "true_f1": {}, "labels": {"x": {"share": "target"}}}},
        {"numbers": []},
        {"truth": truth({"label": "x", "start_s": 1.0, "end_s": 0.0})},
        {"truth": truth({"label": " ", "start_s": 0.0, "end_s": 1.0})},
        {"video": {"sha256": "a" * 64, "name": "", "duration_s": 1}},
        {"experiment": {"format": 1}},
        {"experiment": None},
        {"format": 2},
    ],
)
def test_what_is_no_version_is_refused(store: Store, change: dict[str, Any]) -> None:
    data = written(store, saved(store)) | change
    with pytest.raises(versions.documents.UNREADABLE):
        Version.from_dict(data)
    assert versions.listed(store.home).damaged == ()


def test_times_in_whole_seconds_are_read_again_and_what_cant_be_read_is_not_kept(store: Store) -> None:
    version = saved(store, truth=(TrueSegment("wall", 1, 2),))
    assert load(store.home, version.id) == version

    with pytest.raises(StoreError, match="shorten its texts"):
        saved(store, truth=(TrueSegment("w" * 3_000, 1.0, 2.0),))
    assert listed(store.home) == versions.Listing((version,), ())


def test_an_experiment_of_a_version_names_no_other_one(store: Store) -> None:
    data = written(store, saved(store))
    data["experiment"] |= {"side": "b", "beside": "bbbbbb", "baseline": "cccccc", "starred": True}
    assert Version.from_dict(data).experiment == replace(MINE, beside=None)


def test_none_of_many_is_read_twice(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(600):
        data = versions.as_version(store, MINE, name=str(number)).to_dict()
        versions.documents.write_document(versions.path_of(store.home, data["id"]), data, home=store.home)
    assert len(listed(store.home).versions) == 600

    monkeypatch.setattr(versions, "load", lambda *_: pytest.fail("read again"))
    assert len(listed(store.home).versions) == 600


def test_an_equal_state_is_not_kept_twice(store: Store) -> None:
    first = saved(store, name="one", numbers=NUMBERS, engine_id="toy:1")

    assert saved(store, name="one", numbers=NUMBERS, engine_id="toy:1") == first
    assert keep(store, replace(MINE, title="Another title", starred=True), "import") == first
    assert keep(store, MINE, "import", engine_id="toy:2") != first
    assert saved(store, name="two").id != first.id
    assert saved(store, replace(MINE, rows=ROWS[:1])).id != first.id
    assert saved(store, name="one", truth=TRUTH).id != first.id
    assert keep(store, replace(MINE, id="other1"), "deletion").why == "deletion"


def test_the_same_prompts_on_another_video_are_another_state(store: Store) -> None:
    assert not versions.same_content(replace(MINE, video="a" * 64), replace(MINE, video="b" * 64))
    assert versions.same_content(MINE, replace(MINE, id="def456", title="Yours", note="x", starred=True))


def test_ground_truth_in_another_order_is_the_same() -> None:
    assert versions.truth_digest(TRUTH) == versions.truth_digest(TRUTH[::-1]) != versions.truth_digest(TRUTH[:1])


def test_nothing_is_kept_of_an_experiment_without_rows(store: Store) -> None:
    assert keep(store, Experiment("abc123"), "deletion") is None
    assert listed(store.home).versions == ()


def test_the_oldest_that_were_kept_by_themselves_make_room_and_neither_saved_ones_nor_the_baseline(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "MAX_AUTOMATIC", 3)
    clock = iter(range(1, 100))
    monkeypatch.setattr(versions.time, "time", lambda: float(next(clock)))

    def state(number: int, **fields: Any) -> Experiment:
        return replace(MINE, rows=(PromptRow(label=f"wall {number}"),), **fields)

    mine = saved(store, state(0))
    baseline = keep(store, state(1), "import")
    other = keep(store, replace(state(2), id="other1"), "import")
    assert baseline is not None
    for number in range(3, 9):
        keep(store, state(number, baseline=baseline.id), "replacement")

    labels = [one.experiment.rows[0].label for one in listed(store.home, {MINE.id}).versions]
    assert labels == ["wall 8", "wall 7", "wall 6", "wall 1", "wall 0"]
    assert mine.id in {one.id for one in listed(store.home).versions}
    assert other in listed(store.home).versions


def test_a_version_is_found_by_id_beginning_or_name(store: Store) -> None:
    first, second = saved(store, name="first"), saved(store, name="second")
    saved(store, name="twice")
    saved(store, name="twice", note="other")

    for text in (first.id, first.id[:6].upper(), "first"):
        assert versions.find(store.home, text) == first
    for text, words in (("twice", "2 versions are"), ("none", "No version is"), ("", "No version"), ("../x", "No ")):
        with pytest.raises(InputError, match=words):
            versions.find(store.home, text)
    versions.delete(store.home, second.id)
    versions.delete(store.home, second.id)
    versions.delete(store.home, "../experiments/abc123")
    assert "second" not in {one.name for one in listed(store.home).versions}


def test_names_and_notes_are_cut_and_made_text(store: Store) -> None:
    version = saved(store, name="a\ud800b\n" + "x" * 300, note="y" * 30_000)
    assert len(version.name) == 200
    assert version.name.startswith("a�b x")
    assert len(version.note) == 20_000
    assert load(store.home, version.id) == version


def test_a_file_that_changes_is_read_again(store: Store) -> None:
    version = saved(store)
    assert listed(store.home).versions == (version,)
    path = versions.path_of(store.home, version.id)
    path.write_text("{}")
    os.utime(path, ns=(1, 1))
    assert listed(store.home).damaged == (path.name,)


def test_what_differs_is_said_with_the_engine(store: Store) -> None:
    a = saved(store, engine_id="demo:1")
    changed = replace(MINE, engine="server", server_url="http://localhost:9001", sampling="stride-5")
    b = versions.as_version(store, changed, engine_id="clip/ViT-B-16")
    assert versions.differences(a, b) == (
        "Engine: demo:1 → clip/ViT-B-16",
        "Sampling: every 10 frames → every 5 frames",
    )
    unknown = replace(b, engine_id=None)
    assert versions.differences(a, unknown)[0] == "Engine: demo → http://localhost:9001 ViT-B-16"
    assert versions.differences(a, a) == ()
