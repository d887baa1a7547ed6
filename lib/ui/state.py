"""Session state: the current workspace, and widgets that never lose an edit.

A widget without a key drops every second edit when its default follows the state; a keyed one loses its value on a
page switch. ``bound`` avoids both: the key is seeded from the workspace whenever the widget is born, and a callback
copies every edit back before the script runs again. Replacing the workspace as a whole (an import, another
experiment) raises ``version``, which is part of every key, so all widgets are born anew from the new values.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypedDict

import streamlit as st

from lib.prompts import PromptSet
from lib.ui import cache, workspace
from lib.ui.workspace import Workspace

ADDRESS_PARAMETER = "experiment"


@dataclass
class Session:
    """What one browser tab holds in memory only."""

    workspace: Workspace
    version: int = 0
    """Raised when the workspace is replaced as a whole; part of every widget key."""
    saved: Workspace | None = None
    """What is on disk."""
    undo: list[Workspace] = field(default_factory=list)
    """Workspaces before each replacement of the prompt set, newest last."""
    window: tuple[float, float] | None = None
    """Zoomed part of the video in seconds; None for all of it."""
    brushes: int = 0
    """Raised to draw the overview without its brush."""
    seek_id: int = 0
    seek_s: float | None = None
    """Last command to the player; a new id seeks again, also to the same time."""
    playhead_s: float | None = None
    """Where the player rests."""
    marked: tuple[float, float] | None = None
    """Start and end of the range marked in the player, in seconds."""
    label: str | None = None
    """The label chosen in the player."""
    server_key: str = ""
    """API key typed into the page: kept here, nowhere else."""
    thresholds: dict[str, tuple[float, float, dict[str, float | None]]] = field(default_factory=dict)
    """Threshold, hysteresis and own thresholds by label of scores that were left, by score."""
    picked: dict[str, Any] = field(default_factory=dict)
    """Last chart selection acted upon, by chart."""


class Binding(TypedDict):
    """Keyword arguments that tie a widget to the workspace."""

    key: str
    on_change: Callable[..., None]
    args: tuple[Any, ...]


def session() -> Session:
    """Return this tab's session; ``begin`` has made it."""
    state: Session = st.session_state["session"]
    return state


def current() -> Workspace:
    """Return the workspace as it is now."""
    return session().workspace


def begin() -> None:
    """Find or make the workspace (address first, so that a reload continues), and keep its id in the address."""
    wanted = st.query_params.get(ADDRESS_PARAMETER)
    if "session" not in st.session_state:
        found = workspace.load(cache.store().home, wanted) if wanted else None
        st.session_state["session"] = Session(found or Workspace(workspace.new_id()), saved=found)
    if wanted != current().id:
        st.query_params[ADDRESS_PARAMETER] = current().id


def change(**fields: Any) -> None:
    """Change fields of the workspace and write it to disk."""
    here = session()
    here.workspace = replace(here.workspace, **fields)
    _save(here)


def change_settings(**fields: Any) -> None:
    """Change fields of the workspace's settings."""
    change(settings=replace(current().settings, **fields))


def load_prompt_set(prompt_set: PromptSet) -> None:
    """Replace prompts and settings as a whole; ``undo_load`` brings the old ones back."""
    here = session()
    if here.workspace.rows:
        here.undo.append(here.workspace)
    here.workspace = here.workspace.with_prompt_set(prompt_set)
    here.version += 1
    _save(here)


def undo_load() -> None:
    """Bring back prompts and settings from before the last replacement; video and engine stay."""
    here = session()
    before = here.undo.pop()
    here.workspace = replace(
        here.workspace, name=before.name, template=before.template, rows=before.rows, settings=before.settings
    )
    here.version += 1
    _save(here)


def open_workspace(chosen: Workspace) -> None:
    """Go on with another experiment, in this tab; its id goes into the address."""
    here = session()
    st.session_state["session"] = Session(
        chosen, version=here.version + 1, saved=chosen, brushes=here.brushes + 1, server_key=here.server_key
    )
    st.query_params[ADDRESS_PARAMETER] = chosen.id


def open_video(sha256: str) -> None:
    """Make ``sha256`` the chosen video; the view starts anew."""
    here = session()
    if here.workspace.video != sha256:
        here.window, here.seek_s, here.picked = None, None, {}
        here.playhead_s, here.marked, here.label = None, None, None
        here.brushes += 1
        here.version += 1
    change(video=sha256)


def seek(time_s: float) -> None:
    """Move the player to ``time_s`` seconds."""
    here = session()
    here.seek_id += 1
    here.seek_s = time_s


def newly_picked(name: str, value: Any) -> bool:
    """Return whether the selection ``value`` of the element ``name`` is another than last time.

    A selection stays in the element, and only its change is a command.
    """
    picked = session().picked
    if picked.get(name) == value:
        return False
    picked[name] = value
    return True


def bound(name: str, value: Any, apply: Callable[[Any], None]) -> Binding:
    """Return the keyword arguments for a widget that shows ``value`` and hands each edit to ``apply``."""
    key = versioned(name)
    if key not in st.session_state:
        st.session_state[key] = value
    return {"key": key, "on_change": _copy_back, "args": (key, apply)}


def versioned(name: str) -> str:
    """Return a widget key that changes when the workspace is replaced as a whole."""
    return f"{name}.{session().version}"


def setting(name: str) -> Binding:
    """Return the binding of one field of ``Settings``."""
    return bound(
        f"setting.{name}", getattr(current().settings, name), lambda value: change_settings(**{name: value})
    )


def _copy_back(key: str, apply: Callable[[Any], None]) -> None:
    apply(st.session_state[key])


def _save(here: Session) -> None:
    if here.saved != here.workspace:
        workspace.save(cache.store().home, here.workspace)
        here.saved = here.workspace
