"""The store's folder and its text vectors: format, versions, errors."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from lib.core.errors import StoreError, StoreVersionError
from lib.store.faults import mapped_errors
from lib.store.store import Store, embed_texts_cached
from lib.store.videos import Video
from tests.helpers.storing import key_of, put, unit_rows
from tests.helpers.toy_engine import ToyEngine

# --- text vectors -----------------------------------------------------------------------------------------


def test_only_texts_not_seen_before_reach_the_engine(store: Store) -> None:
    engine = ToyEngine()
    first = embed_texts_cached(store, engine, ["a crane", "ein Kran", "a crane"])
    assert engine.texts == ["a crane", "ein Kran"]
    again = embed_texts_cached(Store(store.home), engine, ["ein Kran", 'it\'s "quoted"; --', "a\nb", ""])
    assert engine.texts[2:] == ['it\'s "quoted"; --', "a\nb", ""]
    np.testing.assert_array_equal(again["ein Kran"], first["ein Kran"])
    assert list(again) == ["ein Kran", 'it\'s "quoted"; --', "a\nb", ""]
    other = ToyEngine(id="toy:2", dim=24)
    assert embed_texts_cached(store, other, ["a crane"])["a crane"].shape == (24,)
    assert other.texts == ["a crane"]
    assert embed_texts_cached(store, engine, []) == {}


def test_text_vectors_are_exact_and_can_not_be_changed_by_a_caller(store: Store, rng: np.random.Generator) -> None:
    vectors = unit_rows(rng, 300, 512)
    store.put_text_vectors("e", {f"text {i}": row for i, row in enumerate(vectors)})
    for own in (store, Store(store.home)):
        found = own.text_vectors("e", [f"text {i}" for i in range(300)] + ["unknown"])
        np.testing.assert_array_equal(np.stack(list(found.values())), vectors)
        assert "unknown" not in found
        with pytest.raises(ValueError, match="read-only"):
            found["text 0"][0] = 2
    with pytest.raises(StoreError, match="512 and 513 numbers"):
        store.put_text_vectors("e", {"text 1": np.ones(513, np.float32), "text 2": np.ones(512, np.float32)})
    with pytest.raises(StoreError, match="have 5 and 512 numbers"):
        store.put_text_vectors("e", {"new": np.ones(5, np.float32)})


def test_a_text_keeps_its_first_vector(store: Store) -> None:
    first, second = np.array([1, 0], np.float32), np.array([0, 1], np.float32)
    store.put_text_vectors("e", {"a": first})
    store.put_text_vectors("e", {"a": second, "b": second})
    for own in (store, Store(store.home)):
        np.testing.assert_array_equal(own.text_vectors("e", ["a"])["a"], first)
        np.testing.assert_array_equal(own.text_vectors("e", ["b"])["b"], second)


def test_texts_typed_one_after_another_do_not_litter_the_disk(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lib.store.home.KEEP_VERSIONS", timedelta(milliseconds=1))
    for i in range(70):
        store.put_text_vectors("e", {f"text {i}": np.ones(8, np.float32)})
    folder = next((store.home / "lance").glob("texts-*"))
    assert len(list((folder / "data").iterdir())) < 40
    assert len(Store(store.home).text_vectors("e", [f"text {i}" for i in range(70)])) == 70


# --- the folder -------------------------------------------------------------------------------------------


def test_a_store_of_another_format_is_refused(tmp_path: Path) -> None:
    home = tmp_path / "home"
    Store(home)
    marker = home / "format.json"
    assert json.loads(marker.read_text())["format"] == 1
    marker.write_text('{"format": 2}')
    with pytest.raises(StoreVersionError, match=r"has format 2; this Promptreel reads format 1.*PROMPTREEL_HOME"):
        Store(home)
    for text in ("", "[]", "{}", "nonsense"):
        marker.write_text(text)
        with pytest.raises(StoreVersionError, match="format is unknown"):
            Store(home)


def test_a_folder_with_tables_of_unknown_origin_is_refused(tmp_path: Path) -> None:
    (tmp_path / "lance" / "videos.lance").mkdir(parents=True)
    with pytest.raises(StoreVersionError, match=r"no format\.json"):
        Store(tmp_path)


def test_the_home_folder_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMPTREEL_HOME", str(tmp_path / "there"))
    assert Store().home == tmp_path / "there"
    monkeypatch.delenv("PROMPTREEL_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Store().home == tmp_path / ".promptreel"


def test_a_folder_that_can_not_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"opening .*failed"):
        Store(tmp_path / "file" / "home")


def test_foreign_errors_become_a_sentence() -> None:
    for error, words in (
        (OSError(28, "No space left on device"), "The disk is full: storing failed"),
        (RuntimeError("lance error: LanceError(IO): No space left on device"), "The disk is full"),
        (PermissionError(13, "Permission denied"), "No permission: storing failed"),
        (RuntimeError("lance error:\n  something"), r"storing failed \(lance error: something\)"),
    ):
        with pytest.raises(StoreError, match=words), mapped_errors("storing"):
            raise error


def test_a_broken_table_is_an_error_of_the_store(store: Store, video: Video, rng: np.random.Generator) -> None:
    key = key_of(video)
    put(store, key, unit_rows(rng, 5))
    for path in (store.home / "lance" / f"{key.table}.lance" / "data").iterdir():
        path.write_bytes(b"")
    with pytest.raises(StoreError, match=r"damaged: the samples of an embedding can't be read\. Delete"):
        store.load(key)


def test_nothing_in_the_store_is_pickled(store: Store, video: Video, rng: np.random.Generator) -> None:
    put(store, key_of(video), unit_rows(rng, 5))
    store.put_text_vectors("e", {"a": np.ones(4, np.float32)})
    files = [path for path in store.home.rglob("*") if path.is_file()]
    assert files
    for path in files:
        data = path.read_bytes()
        assert not (data[:1] == b"\x80" and data[-1:] == b"."), path
