"""Saved categories, and the true category of each video."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lib.core.errors import InputError, StoreDamagedError
from lib.prompts.model import Prompt, PromptSet
from lib.services import categories

ADVERTS = PromptSet("adverts", (Prompt("sea"), Prompt("wine", role="restricted")))
A, B = "a" * 64, "b" * 64


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


def test_what_is_saved_under_a_name_comes_back_and_the_same_name_takes_its_place(home: Path) -> None:
    first = categories.save(home, " Adverts ", "demo:1", ADVERTS)
    assert categories.find(home, "adverts") == first
    assert first.prompt_set == ADVERTS
    other = PromptSet("other", (Prompt("forest"),))
    second = categories.save(home, "adverts", "demo:1", other)
    assert (second.id, [one.prompt_set for one in categories.saved(home).categories]) == (first.id, [other])
    categories.delete(home, first.id)
    assert categories.saved(home).categories == ()


def test_a_category_is_named_by_what_it_is_saved_under_and_its_label(home: Path) -> None:
    with pytest.raises(InputError, match="No categories are saved yet"):
        categories.find_label(home, "adverts:sea")
    one = categories.save(
        home, "reel: 2026", "demo:1", PromptSet("x", (Prompt("a: b"), Prompt("c", role="background")))
    )
    assert categories.find_label(home, "Reel: 2026:A: b") == (one, "a: b")
    for words in ("reel: 2026:c", "reel: 2026:", "reel: 2026", "", ":" * 4_000):
        with pytest.raises(InputError) as caught:
            categories.find_label(home, words)
        assert len(str(caught.value)) < 600


def test_one_damaged_file_hides_no_other(home: Path) -> None:
    categories.save(home, "adverts", "demo:1", ADVERTS)
    (home / "categories" / "0123456789ab.json").write_text("{")
    (home / "categories" / "0123456789ac.json").write_text(json.dumps({"format": 1, "name": 3, "engine_id": "x"}))
    listing = categories.saved(home)
    assert [one.name for one in listing.categories] == ["adverts"]
    assert listing.damaged == ("0123456789ab.json", "0123456789ac.json")
    with pytest.raises(InputError, match=r"can't be read \(0123456789ab\.json"):
        categories.find_label(home, "seas:sea")  # it may be one of them


@pytest.mark.parametrize("name", ["", "  ", "x" * 501, "a\x00b"])
def test_a_name_that_can_not_be_shown_is_refused(home: Path, name: str) -> None:
    with pytest.raises(InputError):
        categories.save(home, name, "demo:1", ADVERTS)


def test_true_categories_are_changed_one_by_one(home: Path) -> None:
    assert categories.true_categories(home) == {}
    categories.change_true_categories(home, {A: "sea", B: "football"})
    assert categories.change_true_categories(home, {A: None}) == {B: "football"}
    assert categories.true_categories(home) == {B: "football"}


@pytest.mark.parametrize(
    "content", ["[", '{"format": 2, "categories": {}}', '{"format": 1, "categories": {"x": "sea"}}']
)
def test_a_damaged_file_is_kept_aside_by_the_next_change(home: Path, content: str) -> None:
    path = home / "truth" / "categories.json"
    path.parent.mkdir()
    path.write_text(content)
    with pytest.raises(StoreDamagedError):
        categories.true_categories(home)
    assert categories.change_true_categories(home, {A: "sea"}) == {A: "sea"}
    (aside,) = [file for file in path.parent.iterdir() if file != path]
    assert aside.read_text() == content


def test_a_category_that_is_blank_changes_nothing(home: Path) -> None:
    categories.change_true_categories(home, {A: "sea"})
    with pytest.raises(InputError):
        categories.change_true_categories(home, {A: "football", B: " "})
    assert categories.true_categories(home) == {A: "sea"}
