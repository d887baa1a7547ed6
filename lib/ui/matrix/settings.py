"""What the matrix shows: which prompt sets, videos and metric, and the words of the sweep.

It belongs to an experiment and is written beside it, as ``<home>/experiments/<id>.matrix.json``, after every change:
the file is the only place, so reruns, page switches, reloads and a second tab see the same.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

import streamlit as st

from lib.comparison.matrix import METRICS, Metric
from lib.core.errors import PromptreelError
from lib.infra.files import write_atomically
from lib.prompts.model import PromptSet
from lib.prompts.parsing import parse_prompt_set, prompt_set_from_dict
from lib.ui.session import cache, state

Mode = Literal["sets", "sweep"]
MODES: tuple[Mode, ...] = get_args(Mode)
FORMAT = 1


@dataclass(frozen=True)
class MatrixSettings:
    """See the module's docstring. What is None was never chosen: the page then finds something sensible."""

    mode: Mode = "sets"
    """Whether the rows are prompt sets, or the wordings of a sweep."""
    sets: tuple[str, ...] | None = None
    """Keys of prompt sets: ``now``, ``experiment:<id>`` or ``import:<name>``."""
    imported: tuple[PromptSet, ...] = ()
    """Prompt sets that were pasted or read from a file; each has a name of its own."""
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
    """One a line, as typed."""
    templates: tuple[str, ...] = ()
    """None chosen: the one that the prompt set has."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain types for JSON."""
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {"format": FORMAT, **plain, "imported": [one.to_dict() for one in self.imported]}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> MatrixSettings:
        """Return the plan that ``to_dict`` was made of.

        Raises:
            ValueError, TypeError, KeyError, AttributeError, PromptreelError: it is none.
        """
        data = dict(data)
        if data.pop("format") != FORMAT:
            raise ValueError("another format")
        if data["mode"] not in MODES or not {data["metric"], data["sweep_metric"]} <= {None, *METRICS}:
            raise ValueError("another version")
        data["imported"] = tuple(prompt_set_from_dict(one) for one in data["imported"])
        data["templates"] = tuple(data["templates"])
        for name in ("sets", "videos"):
            data[name] = None if data[name] is None else tuple(data[name])
        return cls(**data)


def _path(home: Path, workspace_id: str) -> Path:
    return home / "experiments" / f"{workspace_id}.matrix.json"


def load(home: Path, workspace_id: str) -> MatrixSettings:
    """Return the saved plan of an experiment; an empty one when there is none, or none that this version reads."""
    try:
        return MatrixSettings.from_dict(json.loads(_path(home, workspace_id).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, PromptreelError):
        return MatrixSettings()


def save(home: Path, workspace_id: str, plan: MatrixSettings) -> None:
    """Write ``plan`` whole or not at all."""
    text = json.dumps(plan.to_dict(), ensure_ascii=False, indent=1)
    write_atomically(_path(home, workspace_id), text)


def current() -> MatrixSettings:
    """Return the plan of this tab's experiment as it is now."""
    return load(cache.store().home, state.current().id)


def change(**fields: Any) -> None:
    """Change fields of the plan and write it to disk."""
    here = state.session()
    with here.lock:
        save(cache.store().home, here.workspace.id, replace(current(), **fields))


def bound(name: str, value: Any) -> state.Binding:
    """Return the binding of a widget to one field of the plan.

    Args:
        name: of the field.
        value: what the widget shows: the field's own value, or what stands for it where nothing was chosen.
    """
    return state.bound(f"matrix.{name}", value, lambda new: change(**{name: new}))


def bound_many(name: str, chosen: list[str], options: list[str]) -> state.Binding:
    """Return the binding of a multiselect to a field that holds keys.

    A key that is no longer among the options (a deleted video, a removed import) leaves the widget with it.
    """
    place = state.versioned(f"matrix.{name}")
    shown = st.session_state.get(place)
    if shown is not None and not set(shown) <= set(options):
        st.session_state[place] = [key for key in shown if key in options]

    def keep(keys: list[str]) -> None:
        change(**{name: tuple(key for key in keys if key in options)})

    return state.bound(f"matrix.{name}", chosen, keep)


def add_import(text: str, name: str) -> PromptSet:
    """Add a pasted prompt set, make it one of the chosen ones, and return it.

    Args:
        text: lines, YAML or JSON.
        name: for a text that has none.

    Raises:
        PromptSetError, SettingsError: there is no prompt set in it.
    """
    found = parse_prompt_set(text, name=name)
    with state.session().lock:
        plan = current()
        taken = {one.name for one in plan.imported}
        free = next(
            one
            for one in (found.name, *(f"{found.name} {number}" for number in range(2, len(taken) + 3)))
            if one not in taken
        )
        found = replace(found, name=free)
        change(imported=(*plan.imported, found))
        return found


def remove_import(name: str) -> None:
    """Forget an imported prompt set."""
    with state.session().lock:
        plan = current()
        sets = plan.sets and tuple(key for key in plan.sets if key != f"import:{name}")
        change(imported=tuple(one for one in plan.imported if one.name != name), sets=sets)
