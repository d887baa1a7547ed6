"""What the matrix shows: which prompt sets, videos and metric, and the wordings of the sweep.

It belongs to an experiment and is written beside it, as ``<home>/experiments/<id>.matrix.json``, after every change;
what a second tab changes comes in with the next run.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

import streamlit as st

from lib.comparison.matrix import METRICS, Metric
from lib.infra import documents
from lib.prompts.model import PromptSet
from lib.prompts.parsing import parse_prompt_set, prompt_set_from_dict
from lib.services.documents import Kind, merge_fields
from lib.store.home import StorePaths
from lib.ui.session import bindings, state
from lib.ui.session.bindings import Binding
from lib.ui.session.saving import Saved

Mode = Literal["sets", "sweep"]
MODES: tuple[Mode, ...] = get_args(Mode)
FORMAT = 1


@dataclass(frozen=True)
class MatrixSettings:
    """See the module's docstring. None: never chosen, so the page uses a default."""

    mode: Mode = "sets"
    """Whether the rows are prompt sets, or the wordings of a sweep."""
    sets: tuple[str, ...] | None = None
    """Keys of prompt sets: ``now``, ``experiment:<id>`` or ``import:<name>``."""
    imported: tuple[PromptSet, ...] = ()
    """Prompt sets that were pasted or read from a file; their names are unique."""
    videos: tuple[str, ...] | None = None
    """SHA-256 of each."""
    metric: Metric | None = None
    label: str = ""
    """Empty: the mean over all labels."""
    order: str = "rank"
    """``rank`` by the mean, ``chosen`` (the order of choice), or the SHA-256 of the video whose column ranks."""
    sweep_metric: Metric | None = None
    sweep_label: str | None = None
    wordings: str = ""
    """One per line, as typed."""
    templates: tuple[str, ...] = ()
    """Empty: the prompt set's own."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain types for JSON."""
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {"format": FORMAT, **plain, "imported": [prompt_set.to_dict() for prompt_set in self.imported]}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> MatrixSettings:
        """Return the settings that ``to_dict`` was called on.

        Raises:
            ValueError, TypeError, KeyError, AttributeError, PromptreelError: the data is not valid.
        """
        data = dict(data)
        if data.pop("format") != FORMAT or data.keys() != _READERS.keys():
            raise ValueError("another version")
        return cls(**documents.fields(data, _READERS))


_NAMES = documents.optional(documents.texts)
_METRIC = documents.optional(documents.one_of(*METRICS))
_READERS: dict[str, Callable[[Any], Any]] = {
    "mode": documents.one_of(*MODES),
    "sets": _NAMES,
    "imported": lambda sets: tuple(map(prompt_set_from_dict, documents.listed(sets))),
    "videos": _NAMES,
    "metric": _METRIC,
    "label": documents.text,
    "order": documents.text,
    "sweep_metric": _METRIC,
    "sweep_label": documents.optional(documents.text),
    "wordings": documents.text,
    "templates": documents.texts,
}
_IN_WORDS = {
    "mode": "sets or sweep",
    "sets": "the prompt sets",
    "videos": "the videos",
    "metric": "the metric",
    "label": "the label",
    "order": "the order",
    "sweep_metric": "the sweep’s metric",
    "sweep_label": "the sweep’s label",
    "wordings": "the wordings",
}


def _path(home: Path, experiment_id: str) -> Path:
    return StorePaths(home).experiments / f"{experiment_id}.matrix.json"


def _saved(home: Path, experiment_id: str) -> MatrixSettings | None:
    return documents.read_document(_path(home, experiment_id), MatrixSettings.from_dict)


def load(home: Path, experiment_id: str) -> MatrixSettings:
    """Return the saved settings of an experiment; the defaults when there are none.

    Raises:
        StoreDamagedError, StoreError: they are there and can't be read.
    """
    return _saved(home, experiment_id) or MatrixSettings()


def save(home: Path, experiment_id: str, settings: MatrixSettings) -> None:
    """Write ``settings`` whole or not at all."""
    documents.write_document(_path(home, experiment_id), settings.to_dict(), home=home)


_KIND: Kind[MatrixSettings] = Kind(
    "matrix",
    "experiments",
    _path,
    _saved,
    save,
    lambda base, ours, theirs: merge_fields(base or MatrixSettings(), ours, theirs, _IN_WORDS),
)


@dataclass(eq=False)
class _Matrix(Saved[MatrixSettings]):
    """The settings as this tab has them."""

    kind = _KIND

    document_id: str
    value: MatrixSettings
    saved: MatrixSettings | None = None

    def take(self, value: MatrixSettings) -> None:
        """Show another tab's changes; see ``Saved``."""
        self.value = value
        state.session().version += 1


def _matrix() -> _Matrix:
    session = state.session()
    with session.lock:
        matrix = session.others.get("matrix")
        if not isinstance(matrix, _Matrix):
            before = session.earlier.get("matrix")
            value = before.value if before is not None else MatrixSettings()
            matrix = session.others["matrix"] = _Matrix(session.document_id, value)
            matrix.open()
        return matrix


def current() -> MatrixSettings:
    """Return the current settings of this tab's experiment."""
    return _matrix().value


def change(**fields: Any) -> None:
    """Change fields of the settings and write them to disk."""
    with state.session().lock:
        matrix = _matrix()
        matrix.value = replace(matrix.value, **fields)
        matrix.save()


def bound(name: str, value: Any) -> Binding:
    """Return the binding of a widget to the field ``name`` of the settings; it shows ``value``."""
    return bindings.bound(state.session(), f"matrix.{name}", value, lambda new: change(**{name: new}))


def bound_many(name: str, chosen: list[str], options: list[str]) -> Binding:
    """Return the binding of a multiselect to a field that holds keys.

    A key that is no longer an option (a deleted video, a removed import) is removed from the widget too.
    """
    widget = bindings.widget_key(state.session(), f"matrix.{name}")
    selected = st.session_state.get(widget)
    if selected is not None and not set(selected) <= set(options):
        st.session_state[widget] = [key for key in selected if key in options]

    def apply(keys: list[str]) -> None:
        change(**{name: tuple(key for key in keys if key in options)})

    return bindings.bound(state.session(), f"matrix.{name}", chosen, apply)


def add_import(text: str, name: str) -> PromptSet:
    """Add an imported prompt set (lines, YAML or JSON) under a unique name, and return it.

    Raises:
        PromptSetError, SettingsError: the text is not a prompt set.
    """
    prompt_set = parse_prompt_set(text, name=name)
    with state.session().lock:
        imported = current().imported
        prompt_set = replace(prompt_set, name=_unique(prompt_set.name, {other.name for other in imported}))
        change(imported=(*imported, prompt_set))
        return prompt_set


def _unique(name: str, taken: set[str]) -> str:
    numbered = (f"{name} {number}" for number in itertools.count(2))
    return next(candidate for candidate in itertools.chain([name], numbered) if candidate not in taken)


def remove_import(name: str) -> None:
    """Forget an imported prompt set."""
    with state.session().lock:
        settings = current()
        sets = settings.sets and tuple(key for key in settings.sets if key != f"import:{name}")
        imported = tuple(prompt_set for prompt_set in settings.imported if prompt_set.name != name)
        change(imported=imported, sets=sets)
