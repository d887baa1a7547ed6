"""What a person keeps of an archive's categories: prompt sets under a name, and the true category of each video.

A saved prompt set lies in ``<home>/categories/<id>.json``, what it finds is ``lib.services.archive``'s. The true
categories of all videos are one document, ``<home>/truth/categories.json``; several tabs and processes may change it.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib.core.errors import InputError, PromptreelError, StoreDamagedError
from lib.core.formatting import shortened
from lib.core.labelled_intervals import label_key
from lib.core.validation import one_line
from lib.infra import documents
from lib.prompts.model import PromptSet
from lib.prompts.parsing import prompt_set_from_dict
from lib.services.documents import Kind, Merged, discard, merge_value, synchronise
from lib.store.home import StorePaths

FORMAT = 1
MAX_SAVED = 200
MAX_VIDEOS = 100_000
_ID = re.compile(r"[0-9a-f]{12}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_TRUTH = "categories"
_LISTED = 200  # characters of a list in an error


@dataclass(frozen=True)
class SavedCategories:
    """A prompt set whose labels are the categories of an archive, with one engine."""

    name: str
    engine_id: str
    prompt_set: PromptSet
    id: str = ""
    """12 hex digits."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The categories: labels of all enabled prompts but backgrounds."""
        return tuple(prompt.label for prompt in self.prompt_set.enabled if prompt.role != "background")


@dataclass(frozen=True)
class SavedListing:
    """What is saved."""

    categories: tuple[SavedCategories, ...]
    """By name."""
    damaged: tuple[str, ...] = ()
    """Names of files that can't be read."""


def saved(home: Path) -> SavedListing:
    """Return all saved categories."""
    found, damaged = [], []
    for path in sorted(StorePaths(home).categories.glob("*.json"))[:MAX_SAVED]:
        try:
            one = _KIND.load(home, path.stem)
        except PromptreelError:
            damaged.append(path.name)
        else:
            found.extend([one] if one is not None else [])
    return SavedListing(tuple(sorted(found, key=lambda one: one.name.casefold())), tuple(damaged))


def find(home: Path, name: str) -> SavedCategories | None:
    """Return what is saved under a name, in any case; None where nothing is."""
    return next((one for one in saved(home).categories if label_key(one.name) == label_key(name)), None)


def find_label(home: Path, words: str) -> tuple[SavedCategories, str]:
    """Return the saved categories and the label that ``NAME:LABEL`` means, in any case.

    Raises:
        InputError: nothing is saved under the name, or it has no such category.
    """
    listing = saved(home)
    there = {label_key(one.name): one for one in listing.categories}
    parts = words.split(":")
    splits = [(":".join(parts[:n]), ":".join(parts[n:])) for n in range(1, len(parts))]  # both may have a colon
    named = [(one, label) for name, label in splits if (one := there.get(label_key(name))) is not None]
    for one, label in named:
        if found := next((own for own in one.labels if label_key(own) == label_key(label)), None):
            return one, found
    if named:
        one, label = named[0]
        has = shortened(", ".join(one.labels), _LISTED)
        raise InputError(f"“{one.name}” has no category {shortened(label, _LISTED)}; it has: {has}.")
    names = ", ".join(f"{one.name}:{one.labels[0]}" for one in there.values() if one.labels)
    if listing.damaged:
        damaged = shortened(", ".join(listing.damaged), _LISTED)
        words = shortened(words, _LISTED)
        raise InputError(f"No saved category is called {words}, but some can't be read ({damaged}); save these again.")
    if not names:
        raise InputError("No categories are saved yet; save some in the Archive, or with classify --save NAME.")
    names, words = shortened(names, _LISTED), shortened(words, _LISTED)
    raise InputError(f"No saved category is called {words}; write NAME:LABEL, such as: {names}.")


def save(home: Path, name: str, engine_id: str, prompt_set: PromptSet) -> SavedCategories:
    """Save a prompt set under a name, in place of what had that name.

    Raises:
        InputError: the name is blank or too long, or ``MAX_SAVED`` are saved.
        OSError, StoreError: it can't be written.
    """
    name = one_line(name, "The name of the categories", InputError)
    there = find(home, name)
    if there is None and len(saved(home).categories) >= MAX_SAVED:
        raise InputError(f"{MAX_SAVED} categories can be saved; delete some first.")
    new = SavedCategories(name, engine_id, prompt_set, there.id if there else secrets.token_hex(6))
    synchronise(_KIND, home, new.id, base=there, ours=new)
    return new


def delete(home: Path, saved_id: str) -> None:
    """Move saved categories to the trash.

    Raises:
        OSError, StoreError: they can't be moved.
    """
    discard(_KIND, home, saved_id)


def _path(home: Path, saved_id: str) -> Path:
    return StorePaths(home).categories / f"{saved_id}.json"


def _load(home: Path, saved_id: str) -> SavedCategories | None:
    def make(data: dict[str, Any]) -> SavedCategories:
        if data["format"] != FORMAT or not _ID.fullmatch(saved_id):
            raise ValueError("another format")
        prompt_set = prompt_set_from_dict(data["prompt_set"])
        name = one_line(data["name"], "The name", InputError)
        return SavedCategories(name, documents.text(data["engine_id"]), prompt_set, saved_id)

    return documents.read_document(_path(home, saved_id), make)


def _save(home: Path, saved_id: str, value: SavedCategories) -> None:
    data = {"format": FORMAT, "name": value.name, "engine_id": value.engine_id}
    documents.write_document(_path(home, saved_id), data | {"prompt_set": value.prompt_set.to_dict()}, home=home)


_KIND: Kind[SavedCategories] = Kind(
    "categories", "categories", _path, _load, _save, lambda base, ours, theirs: Merged(ours)
)


# --- true categories -------------------------------------------------------------------------------------------------


def true_categories(home: Path) -> dict[str, str]:
    """Return the true category of each video that has one, by SHA-256.

    Raises:
        StoreDamagedError: they can't be read; ``change_true_categories`` keeps the file aside and begins anew.
    """
    return _load_truth(home, _TRUTH) or {}


def change_true_categories(home: Path, changes: Mapping[str, str | None]) -> dict[str, str]:
    """Change the true categories of some videos, None takes one away; return all.

    Raises:
        InputError: a category is blank or too long, or there are too many videos.
        OSError, StoreError: it can't be written.
    """
    checked = {
        sha256: None if category is None else one_line(category, "A category", InputError)
        for sha256, category in changes.items()
    }
    try:
        base = true_categories(home)
    except StoreDamagedError:
        base = {}
    ours = {key: category for key, category in (base | checked).items() if category is not None}
    if len(ours) > MAX_VIDEOS:
        raise InputError(f"{MAX_VIDEOS:,} videos can have a true category; leave some out.")
    return synchronise(_TRUTH_KIND, home, _TRUTH, base=base, ours=ours).merged.value


def _truth_path(home: Path, name: str) -> Path:
    return StorePaths(home).ground_truth / f"{name}.json"


def _load_truth(home: Path, name: str) -> dict[str, str] | None:
    def make(data: dict[str, Any]) -> dict[str, str]:
        found = data["categories"]
        if data["format"] != FORMAT or not isinstance(found, dict) or len(found) > MAX_VIDEOS:
            raise ValueError("another format")
        if not all(map(_SHA256.fullmatch, found)):
            raise ValueError("no video")
        return {sha256: one_line(category, "A category", InputError) for sha256, category in found.items()}

    return documents.read_document(_truth_path(home, name), make, most_bytes=64 << 20)


def _save_truth(home: Path, name: str, value: dict[str, str]) -> None:
    documents.write_document(_truth_path(home, name), {"format": FORMAT, "categories": value}, home=home)


def _merge_truth(base: dict[str, str] | None, ours: dict[str, str], theirs: dict[str, str]) -> Merged[dict[str, str]]:
    return Merged(merge_value(base or {}, ours, theirs)[0])


_TRUTH_KIND: Kind[dict[str, str]] = Kind(
    "true categories", "truth", _truth_path, _load_truth, _save_truth, _merge_truth
)
