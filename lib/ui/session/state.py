"""Session state: the current workspace, and widgets that never lose an edit.

A widget without a key drops every second edit when its default follows the state; a keyed one loses its value on a
page switch. ``bound`` avoids both: the key is seeded from the workspace whenever the widget is born, and a callback
copies every edit back before the script runs again. Replacing the workspace as a whole (an import, another
experiment) raises ``version``, which is part of every key, so all widgets are born anew from the new values.
The browser hears of a seeded value once. A widget that it draws later (its code is still on the way, or it lies in a
popover) shows its default: so each widget also has the value as ``value``, ``index`` or ``default``, in every run.

Streamlit starts the run for the next edit while the run before is still on its way to its next ``st`` call: two
threads may work on one session at a time. So every change is made and written under the session's lock, and a
callback is never ended in the middle (``uninterrupted``).

A comparison has two sides, A and B, each with a workspace and a ``Session`` of its own; A's is the tab's. What is
drawn inside ``with side("b")`` works on B: its widgets' keys carry the side, and its callbacks are bound to it.
"""

from __future__ import annotations

import functools
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Literal, ParamSpec, TypedDict, TypeVar

import streamlit as st

from lib.prompts.model import PromptSet
from lib.services import experiments
from lib.services.experiments import Experiment, PromptRow
from lib.ui.session import cache
from lib.ui.session.peek import peek_state

ADDRESS_PARAMETER = "experiment"
_P = ParamSpec("_P")
_R = TypeVar("_R")
_beginning = threading.Lock()

Side = Literal["a", "b"]
SIDES: tuple[Side, Side] = ("a", "b")


@dataclass(frozen=True)
class Table:
    """The prompt table as the browser knows it: what it was given once, and how much of its answers was heard."""

    of: str
    """``<experiment>.<session>.<number>``: rows sent under another name are of the past."""
    given: tuple[PromptRow, ...]
    heard: int = 0
    """Number of the last edit that was heard; an older one that comes later is void."""
    latest: tuple[PromptRow, ...] = ()
    """The rows after that edit."""


@dataclass
class Session:
    """What one browser tab holds in memory only. Side B of a comparison has one too; what is seen is A's."""

    workspace: Experiment
    version: int = 0
    """Raised when the workspace is replaced as a whole; part of every widget key."""
    saved: Experiment | None = None
    """What is on disk."""
    undo: list[Experiment] = field(default_factory=list)
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
    table: Table | None = None
    tables: int = 0
    token: str = field(default_factory=lambda: secrets.token_hex(8))
    """A browser tab outlives a restart of the server, and so does what it sent last: this tells them apart."""
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False, compare=False)
    """Held while the workspace changes and is written, so that the last change is also the last one on disk. Both
    sides have the same one."""
    beside: Session | None = None
    """Side B, once it was looked at."""
    replaced: list[Replaced] = field(default_factory=list)
    """Both sides before each copy, swap or choice, newest last."""


@dataclass(frozen=True)
class Replaced:
    """Both sides of a comparison before one of them was replaced as a whole."""

    what: str
    """What was done: ``copy``, ``swap`` or ``choice``."""
    a: Experiment
    b: Experiment


class _Acting(threading.local):
    tab: Session | None = None
    side: Side = "a"


_acting = _Acting()


class Binding(TypedDict):
    """Keyword arguments that tie a widget to the workspace."""

    key: str
    on_change: Callable[..., None]
    args: tuple[Any, ...]


def session() -> Session:
    """Return the session of the side that is drawn (A outside of ``side``); ``begin`` has made it."""
    tab: Session = _acting.tab or st.session_state["session"]
    return tab if _acting.side == "a" else _beside(tab)


@contextmanager
def side(name: Side) -> Iterator[None]:
    """Have everything drawn inside work on one side of the comparison."""
    before, _acting.side = _acting.side, name
    try:
        yield
    finally:
        _acting.side = before


def on_this_side(callback: Callable[_P, _R]) -> Callable[_P, _R]:
    """Bind a callback to the side that is drawn now; callbacks run before the page is drawn, so on no side."""
    name = _acting.side

    @functools.wraps(callback)
    def run(*args: _P.args, **options: _P.kwargs) -> _R:
        with side(name):
            return callback(*args, **options)

    return run


def key(name: str) -> str:
    """Return the key of a widget that both sides have: ``name`` on side A."""
    return name if _acting.side == "a" else f"{_acting.side}.{name}"


def _beside(tab: Session) -> Session:
    """Return the session of side B: what A was compared with last, or at first a copy of A."""
    with tab.lock:
        here = tab.workspace
        if tab.beside is None:
            home = cache.store().home
            known = here.beside if here.beside != here.id else None
            found = experiments.load(home, known) if known else None
            other = found or replace(here, id=known or experiments.new_id(), beside=None, side="b")
            tab.beside = Session(
                other, version=tab.version, saved=found, server_key=tab.server_key, lock=tab.lock
            )
            tab.workspace = replace(here, beside=other.id)
            _save(tab)
        if tab.beside.workspace.video != here.video:
            tab.beside.workspace = replace(tab.beside.workspace, video=here.video)
        _save(tab.beside)
        return tab.beside


def current() -> Experiment:
    """Return the workspace as it is now."""
    return session().workspace


def begin() -> None:
    """Find or make the workspace (address first, so that a reload continues), and keep its id in the address."""
    wanted = st.query_params.get(ADDRESS_PARAMETER)
    with _beginning:  # two runs of one tab may both be its first
        if "session" not in st.session_state:
            found = experiments.load(cache.store().home, wanted) if wanted else None
            st.session_state["session"] = Session(found or experiments.fresh(), saved=found)
    if wanted != current().id:
        st.query_params[ADDRESS_PARAMETER] = current().id


def address() -> dict[str, str]:
    """Return the query parameters of every page's address; links and ``st.switch_page`` are to pass them on."""
    return {ADDRESS_PARAMETER: current().id}


def uninterrupted(callback: Callable[_P, _R]) -> Callable[_P, _R]:
    """Make a widget's callback run to its end, and alone.

    Reading ``st.session_state`` ends a run for which a newer one waits; ending a callback there would lose its edit
    for good, since the newer run finds the widget's value changed already. So the session is found without that.
    """

    @functools.wraps(callback)
    def run(*args: _P.args, **options: _P.kwargs) -> _R:
        with _alone():
            return callback(*args, **options)

    return run


@contextmanager
def _alone() -> Iterator[None]:
    if _acting.tab is not None:
        yield
        return
    here: Session = peek_state()["session"]
    with here.lock:
        _acting.tab = here
        try:
            yield
        finally:
            _acting.tab = None


def change(**fields: Any) -> None:
    """Change fields of the workspace and write it to disk."""
    here = session()
    with here.lock:
        here.workspace = replace(here.workspace, **fields)
        _save(here)


def change_settings(**fields: Any) -> None:
    """Change fields of the workspace's settings."""
    here = session()
    with here.lock:
        here.workspace = replace(here.workspace, settings=replace(here.workspace.settings, **fields))
        _save(here)


def table() -> Table:
    """Return the prompt table that the browser is to show; a new one when Python has replaced the rows."""
    here = session()
    with here.lock:
        rows = here.workspace.rows
        if here.table is None or here.table.latest != rows:
            here.tables += 1
            of = f"{here.workspace.id}.{here.token}.{here.tables}"
            here.table = Table(of, given=rows, latest=rows)
        return here.table


def hear_rows(of: str, number: int, rows: tuple[PromptRow, ...] | None) -> None:
    """Take over the rows that the browser sent, unless newer ones were heard or Python has replaced them since.

    Args:
        of: the ``Table.of`` that they belong to.
        number: of the edit, counted by the browser.
        rows: all rows, whole; None asks to be given the rows as they are now.
    """
    here = session()
    with here.lock:
        known = here.table
        if known is None or known.of != of:
            return
        if rows is None:
            here.table = None
        elif number > known.heard and known.latest == here.workspace.rows:
            here.table = replace(known, heard=number, latest=rows)
            here.workspace = replace(here.workspace, rows=rows)
            _save(here)


def load_prompt_set(prompt_set: PromptSet) -> None:
    """Replace prompts and settings as a whole; ``undo_load`` brings the old ones back."""
    here = session()
    with here.lock:
        if here.workspace.rows:
            here.undo.append(here.workspace)
        here.workspace = here.workspace.with_prompt_set(prompt_set)
        here.version += 1
        here.table = None
        _save(here)


@uninterrupted
def undo_load() -> None:
    """Bring back prompts and settings from before the last replacement; video and engine stay."""
    here = session()
    before = here.undo.pop()
    here.workspace = replace(
        here.workspace, name=before.name, template=before.template, rows=before.rows, settings=before.settings
    )
    here.version += 1
    here.table = None
    _save(here)


def both() -> tuple[Session, Session]:
    """Return the sessions of both sides."""
    with side("a"):
        tab = session()
    return tab, _beside(tab)


def set_sides(a: Experiment, b: Experiment) -> None:
    """Give both sides these experiments; a side that has its already is left alone, and so are its widgets."""
    for here, experiment in zip(both(), (a, b), strict=True):
        wanted = here.workspace.with_experiment(experiment)
        if wanted != here.workspace:
            here.workspace = wanted
            here.version += 1
            here.table = None
            _save(here)


def open_workspace(chosen: Experiment) -> None:
    """Go on with another experiment, in this tab; its id goes into the address."""
    here = session()
    newest = max(here.version, here.beside.version if here.beside else 0)
    st.session_state["session"] = Session(
        chosen, version=newest + 1, saved=chosen, brushes=here.brushes + 1, server_key=here.server_key
    )
    st.query_params[ADDRESS_PARAMETER] = chosen.id


def open_video(sha256: str) -> None:
    """Make ``sha256`` the chosen video; the view starts anew."""
    here = session()
    with here.lock:
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
    place = versioned(name)
    if place not in st.session_state:
        st.session_state[place] = value
    return {"key": place, "on_change": _copy_back, "args": (_acting.side, place, apply)}


def versioned(name: str) -> str:
    """Return a widget key, other on each side, that changes when the workspace is replaced as a whole."""
    return f"{key(name)}.{session().version}"


def setting(name: str) -> Binding:
    """Return the binding of one field of ``Settings``."""
    return bound(
        f"setting.{name}", getattr(current().settings, name), lambda value: change_settings(**{name: value})
    )


@uninterrupted
def _copy_back(on: Side, place: str, apply: Callable[[Any], None]) -> None:
    # Read under the lock: of two runs that copy back one widget, the one that comes last copies its latest value.
    with side(on):
        values = peek_state()
        if place in values:  # else another widget has taken its place while its value was on the way
            apply(values[place])


def _save(here: Session) -> None:
    if here.saved != here.workspace:
        experiments.save(cache.store().home, here.workspace)
        here.saved = here.workspace
