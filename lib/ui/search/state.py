"""What is searched for and how, as one frozen object beside the experiment; it outlives reruns, pages and reloads.

It is written to ``<home>/searches/<experiment>.json`` after every change. Pictures that were uploaded lie beside it as
``<experiment>-<hash>.jpg``; frames of videos are only named and read again. All changes are made under the lock of the
tab's session, like those of the experiment (``lib.ui.session.state``).
"""

from __future__ import annotations

import contextlib
import json
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, TypedDict

import streamlit as st

from lib.core.history import History
from lib.infra.files import write_atomically
from lib.search.options import TEMPLATE_RULES, TEMPLATE_THRESHOLD, Rules
from lib.services.search import Moment
from lib.store.home import StorePaths
from lib.ui.components.moment_cards import MomentAction
from lib.ui.components.search_box import SubmittedQuery
from lib.ui.session import bindings, cache, state
from lib.ui.session.bindings import Binding
from lib.ui.session.peek import peek_state

FORMAT = 1
VIEWS = ("Moments", "Timelines")
MAX_TOP = 200
_KEY = "search_page"


@dataclass(frozen=True)
class Picture:
    """A picture to look for: an upload, or a frame of a video."""

    name: str
    """Of the file or the video, for people."""
    content: str
    """SHA-256 of the upload's bytes, or of the video."""
    time_s: float | None = None
    """Time of the frame in seconds; None says that it is an upload."""
    region: tuple[float, float, float, float] | None = None
    """Left, top, right and bottom of the part that counts, as shares of the picture; None is all of it."""


@dataclass(frozen=True)
class Like:
    """A stored sample to find more of."""

    embedding: str
    """Id of its embedding."""
    sha256: str
    frame: int
    time_s: float
    name: str
    """Of its video."""


@dataclass(frozen=True)
class Search:
    """Everything about a search that a person chose."""

    text: str = ""
    """What stands in the box."""
    asked: str = ""
    """What is searched for: the same, or what it was when somebody last pressed Enter."""
    picture: Picture | None = None
    like: Like | None = None
    """When given, it is searched for instead of text and picture."""
    videos: tuple[str, ...] = ()
    """SHA-256 of the videos to search; empty: all."""
    thresholds: dict[str, float] = field(default_factory=dict)
    """Thresholds by engine and kind of query, whose cosines are on scales of their own; absent: automatic."""
    top: int = 20
    per_video: int | None = None
    bridge_s: float = Rules().bridge_s
    drop_lone: bool = Rules().drop_lone
    fold: bool = True
    exact: bool = False
    """Whether every sample is compared, even where an index would answer faster."""
    view: str = VIEWS[0]

    @property
    def empty(self) -> bool:
        """Whether there is nothing to search for."""
        return self.like is None and self.picture is None and not self.asked.strip()

    @property
    def rules(self) -> Rules:
        """How hits become moments."""
        return Rules(self.bridge_s, self.drop_lone, Rules().fold if self.fold else None)

    def scale(self, engine_id: str) -> str:
        """Return what names the scale of this search's scores in ``thresholds``."""
        kind = (
            "like"
            if self.like
            else ("text" if self.asked.strip() else "") + ("picture" if self.picture else "")
        )
        return f"{engine_id}|{kind}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain types for JSON."""
        return {"format": FORMAT, **asdict(self)}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Search:
        """Return the search that ``to_dict`` was made of.

        Raises:
            ValueError, TypeError, KeyError: it is none.
        """
        data = dict(data)
        if data.pop("format", None) != FORMAT:
            raise ValueError("another format")
        if data["picture"]:
            region = data["picture"].pop("region")
            data["picture"] = Picture(**data["picture"], region=_region(region) if region else None)
        if data["like"]:
            data["like"] = Like(**data["like"])
        data["videos"] = tuple(str(one) for one in data["videos"])
        data["thresholds"] = {str(name): float(value) for name, value in data["thresholds"].items()}
        return cls(**data)


def _region(values: Any) -> tuple[float, float, float, float]:
    left, top, right, bottom = (float(value) for value in values)
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise ValueError("not a part of a picture")
    return left, top, right, bottom


@dataclass
class SearchSession:
    """What one browser tab holds of its search."""

    experiment: str
    search: Search
    saved: Search
    texts: int = 1
    """Raised when Python replaces what stands in the box."""
    heard: int = 0
    """Number of the last send of the box that was heard."""
    version: int = 0
    """Raised when options are replaced as a whole; part of every widget's key."""
    history: History[Search] = field(default_factory=lambda: History(limit=10))
    """Searches that Python replaced."""
    moments: dict[str, Moment] = field(default_factory=dict)
    """What is on screen, by id."""
    pending: MomentAction | None = None
    """What the next run begins with."""
    copies: set[str] = field(default_factory=set)
    """Videos whose playable copies somebody waits for."""
    problem: str | None = None
    """What the last upload had wrong."""
    uploads: int = 0
    """Raised to empty the upload field."""
    numbers: dict[str, int | str] = field(default_factory=dict)
    """What was heard last of each component."""
    token: str = field(default_factory=lambda: secrets.token_hex(8))

    def newly_heard(self, component: str, number: int | str) -> bool:
        """Return whether this is the first time that ``number`` is heard of a component; an older one is void."""
        last = self.numbers.get(component)
        if last == number or (isinstance(last, int) and isinstance(number, int) and number < last):
            return False
        self.numbers[component] = number
        return True

    @property
    def of(self) -> str:
        """Which text the box shows; what it sends under another name is of the past."""
        return f"{self.experiment}.{self.token}.{self.texts}"


def begin() -> SearchSession:
    """Return this tab's search, read from disk when it is new or belongs to another experiment."""
    experiment = state.current().id
    with state.session().lock:
        here: SearchSession | None = peek_state().get(_KEY)
        if here is None or here.experiment != experiment:
            found = load(cache.store().home, experiment) or Search()
            here = SearchSession(experiment, found, saved=found, version=here.version + 1 if here else 0)
            st.session_state[_KEY] = here
        return here


def current() -> Search:
    """Return the search as it is now."""
    return begin().search


def change(**fields: Any) -> None:
    """Change fields of the search and write it to disk."""
    with state.session().lock:
        here = begin()
        here.search = replace(here.search, **fields)
        _save(here)


def change_all(**fields: Any) -> None:
    """Change fields that widgets of the page show; they are drawn anew."""
    with state.session().lock:
        begin().version += 1
        change(**fields)


def ask(*, text: str | None = None, picture: Picture | None = None, like: Like | None = None) -> None:
    """Search for something else, also in the box when ``text`` is given; ``back`` returns to what it was."""
    with state.session().lock:
        here = begin()
        here.history = here.history.push(here.search)
        _put(here, here.search.text if text is None else text, picture, like)


@state.callback
def back() -> None:
    """Return to the search that the last ``ask`` replaced."""
    with state.session().lock:
        here = begin()
        if here.history.past:
            previous, here.history = here.history.undo(here.search)
            _put(here, previous.text, previous.picture, previous.like)


def _put(here: SearchSession, text: str, picture: Picture | None, like: Like | None) -> None:
    if text != here.search.text:
        here.texts += 1
        here.heard = 0
    change(text=text, asked=text, picture=picture, like=like)


def hear(sent: SubmittedQuery) -> None:
    """Take over what the box sent, unless newer words were heard or Python has replaced them since."""
    with state.session().lock:
        here = begin()
        if sent.of != here.of or sent.number <= here.heard:
            return
        here.heard = sent.number
        fields: dict[str, Any] = {"text": sent.text}
        if sent.go or not sent.text.strip():
            fields["asked"] = sent.text
        if sent.go and sent.text.strip():
            fields["like"] = None  # words are searched for instead
        change(**fields)


def set_threshold(engine_id: str, value: float | None) -> None:
    """Choose the threshold of searches like the current one with this engine; None is automatic."""
    with state.session().lock:
        here = begin().search
        name = here.scale(engine_id)
        others = {key: kept for key, kept in here.thresholds.items() if key != name}
        change(thresholds=others if value is None else {**others, name: value})


@state.callback
def use_template_rules(engine_id: str) -> None:
    """Take over threshold and rules of Roboflow's video search template."""
    with state.session().lock:
        set_threshold(engine_id, TEMPLATE_THRESHOLD)
        rules = TEMPLATE_RULES
        change_all(bridge_s=rules.bridge_s, drop_lone=rules.drop_lone, fold=rules.fold is not None)


def bound(name: str, value: Any, apply: Callable[[Any], None]) -> Binding:
    """Return the keyword arguments for a widget of this page; see ``state.bound``."""
    return bindings.bound(state.session(), f"search.{begin().version}.{name}", value, apply)


def option(name: str) -> Binding:
    """Return the binding of one field of ``Search``."""
    return bound(name, getattr(current(), name), lambda value: change(**{name: value}))


class Folded(TypedDict):
    """Keyword arguments that tie a widget inside a popover to the search."""

    value: Any
    key: str
    on_change: Callable[..., None]
    args: tuple[Any, ...]


def folded(name: str) -> Folded:
    """Return the binding of one field of ``Search`` for a widget inside a popover.

    Streamlit draws such a widget when the popover is opened, and a value that was seeded in a run before would not
    reach it; so each run says the value. With a key that is no new widget.
    """
    key = state.session().versioned(f"search.{begin().version}.{name}")
    return {"value": getattr(current(), name), "key": key, "on_change": _copy_back, "args": (key, name)}


@state.callback
def _copy_back(key: str, name: str) -> None:
    values = peek_state()
    if key in values:  # else another widget took its place meanwhile, as in ``lib.ui.session.state``
        change(**{name: values[key]})


# --- on disk -------------------------------------------------------------------------------------------------------


def folder(home: Path) -> Path:
    """Return where searches are kept."""
    return StorePaths(home).searches


def load(home: Path, experiment: str) -> Search | None:
    """Return the saved search of an experiment, or None when there is none that this version reads."""
    try:
        path = folder(home) / f"{experiment}.json"
        return Search.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def picture_path(home: Path, experiment: str, content: str) -> Path:
    """Return where an uploaded picture is kept."""
    return folder(home) / f"{experiment}-{content[:32]}.jpg"


def _save(here: SearchSession) -> None:
    if here.saved == here.search:
        return
    home = cache.store().home
    state.session().change()  # also the first change of an experiment: a reload finds the search by it
    text = json.dumps(here.search.to_dict(), ensure_ascii=False)
    write_atomically(folder(home) / f"{here.experiment}.json", text)
    before, now = here.saved.picture, here.search.picture
    if before and before.time_s is None and (now is None or now.content != before.content):
        with contextlib.suppress(OSError):
            picture_path(home, here.experiment, before.content).unlink(missing_ok=True)
    here.saved = here.search
