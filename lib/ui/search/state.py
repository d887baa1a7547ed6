"""The search of an experiment as one frozen object; it outlives reruns, page switches and reloads.

It is written to ``<home>/searches/<experiment>.json`` after every change. Pictures that were uploaded lie beside it as
``<experiment>-<hash>.jpg``; of frames only the video and time are stored. All changes are made under the lock of the
tab's session, like those of the experiment (``lib.ui.session.state``).
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, TypedDict

import streamlit as st

from lib.core.history import History
from lib.infra import documents
from lib.prompts.model import WIDEST_THRESHOLDS
from lib.search.options import TEMPLATE_RULES, TEMPLATE_THRESHOLD, Rules
from lib.search.relative import SearchScore
from lib.services.documents import Kind, merge_fields
from lib.services.search import Moment
from lib.store.home import StorePaths
from lib.ui.components.moment_cards import MomentAction
from lib.ui.components.search_box import SubmittedQuery
from lib.ui.session import bindings, cache, state
from lib.ui.session.bindings import Binding
from lib.ui.session.peek import peek_state
from lib.ui.session.saving import Saved

FORMAT = 1
VIEWS = ("Moments", "Timelines")
MAX_TOP = 200
MAX_BRIDGE_S = 3600.0
_KEY = "search_page"


@dataclass(frozen=True)
class Picture:
    """A picture to search for: an upload, or a frame of a video."""

    name: str
    """Of the file or the video, for display."""
    content: str
    """SHA-256 of the upload's bytes, or of the video."""
    time_s: float | None = None
    """Time of the frame in seconds; None for an upload."""
    region: tuple[float, float, float, float] | None = None
    """Left, top, right and bottom of the part that counts, as shares of the picture; None is the whole picture."""


@dataclass(frozen=True)
class SimilarTo:
    """A stored sample to find similar ones of."""

    embedding: str
    """Id of its embedding."""
    sha256: str
    frame: int
    time_s: float
    name: str
    """Of its video."""


@dataclass(frozen=True)
class Search:
    """The query and all options of a search."""

    text: str = ""
    """The text in the box."""
    asked: str = ""
    """The text that is searched for: that of the box, or of the box when Enter was last pressed."""
    picture: Picture | None = None
    like: SimilarTo | None = None
    """If given, searched for instead of text and picture."""
    videos: tuple[str, ...] = ()
    """SHA-256 of the videos to search; empty: all."""
    categories: tuple[str, ...] = ()
    """Categories whose videos are searched, each ``<id of saved categories>:<label>``; empty: all."""
    thresholds: dict[str, float] = field(default_factory=dict)
    """Thresholds by engine, kind of query and kind of score, as scales differ; missing: automatic. Those of relative
    scores are marked as such, so that what was saved when words had cosines only stays a cosine."""
    cosine: bool = False
    """Whether words are ranked by cosine too, as pictures always are."""
    top: int = 20
    per_video: int | None = None
    bridge_s: float = Rules().bridge_s
    drop_lone: bool = Rules().drop_lone
    fold: bool = True
    exact: bool = False
    """Whether to compare every sample, even where an index would be faster."""
    view: str = VIEWS[0]

    @property
    def empty(self) -> bool:
        """Whether there is nothing to search for."""
        return self.like is None and self.picture is None and not self.asked.strip()

    @property
    def rules(self) -> Rules:
        """How samples become moments."""
        return Rules(self.bridge_s, self.drop_lone, Rules().fold if self.fold else None)

    @property
    def score_kind(self) -> SearchScore:
        """What moments are ranked by."""
        return "cosine" if self.cosine or self.like or self.picture else "relative"

    def scale(self, engine_id: str) -> str:
        """Return the key of this search's kind of score in ``thresholds``."""
        kind = "like" if self.like else ("text" if self.asked.strip() else "") + ("picture" if self.picture else "")
        return f"{engine_id}|{kind}" + ("|relative" if self.score_kind == "relative" else "")

    def to_dict(self) -> dict[str, Any]:
        """Return plain types for JSON."""
        return {"format": FORMAT, **asdict(self)}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Search:
        """Return the search that ``to_dict`` was called on.

        Raises:
            ValueError, TypeError, KeyError, AttributeError: the data is not valid.
        """
        data = dict(data)
        if data.pop("format", None) != FORMAT:
            raise ValueError("another format")
        return cls(**documents.fields(data, _READERS))


def _region(values: Any) -> tuple[float, float, float, float]:
    left, top, right, bottom = map(documents.real, documents.listed(values))
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise ValueError("not a part of a picture")
    return left, top, right, bottom


_SECONDS = documents.within(-1e9, 1e9)
_THRESHOLD = documents.within(*WIDEST_THRESHOLDS)
_PICTURE_READERS: dict[str, Callable[[Any], Any]] = {
    "name": documents.text,
    "content": documents.text,
    "time_s": documents.optional(_SECONDS),
    "region": documents.optional(_region),
}
_LIKE_READERS: dict[str, Callable[[Any], Any]] = {
    "embedding": documents.text,
    "sha256": documents.text,
    "frame": documents.whole_within(0, 1 << 53),
    "time_s": _SECONDS,
    "name": documents.text,
}
_READERS: dict[str, Callable[[Any], Any]] = {
    "text": documents.text,
    "asked": documents.text,
    "picture": lambda data: None if data is None else Picture(**documents.fields(data, _PICTURE_READERS)),
    "like": lambda data: None if data is None else SimilarTo(**documents.fields(data, _LIKE_READERS)),
    "videos": documents.texts,
    "categories": documents.texts,
    "thresholds": lambda data: {documents.text(name): _THRESHOLD(value) for name, value in data.items()},
    "cosine": documents.flag,
    "top": documents.whole_within(1, MAX_TOP),
    "per_video": documents.optional(documents.whole_within(1, MAX_TOP)),
    "bridge_s": documents.within(0, MAX_BRIDGE_S),
    "drop_lone": documents.flag,
    "fold": documents.flag,
    "exact": documents.flag,
    "view": documents.one_of(*VIEWS),
}
_IN_WORDS = {
    "asked": "what is searched for",
    "picture": "the picture",
    "like": "what is to be like",
    "thresholds": "the threshold",
    "cosine": "what is ranked by",
    "top": "how many",
    "per_video": "how many of a video",
    "bridge_s": "the gaps to merge",
}


@dataclass(eq=False)
class SearchSession(Saved[Search]):
    """The search of one browser tab."""

    experiment: str
    search: Search = field(default_factory=Search)
    saved: Search | None = None
    text_version: int = 1
    """Incremented when Python replaces the text in the box."""
    ack: int = 0
    """Sequence number of the last submission of the box."""
    version: int = 0
    """Incremented when options are replaced as a whole; part of every widget's key."""
    history: History[Search] = field(default_factory=lambda: History(limit=10))
    """Searches that Python replaced."""
    moments: dict[str, Moment] = field(default_factory=dict)
    """The moments on screen, by id."""
    pending: MomentAction | None = None
    """An action that the next run begins with."""
    copies: set[str] = field(default_factory=set)
    """Videos whose playable copies were requested."""
    problem: str | None = None
    """What was wrong with the last upload."""
    uploads: int = 0
    """Incremented to empty the upload field."""
    acks: dict[str, int | str] = field(default_factory=dict)
    """The last number received from each other component."""
    token: str = field(default_factory=lambda: secrets.token_hex(8))

    @property
    def document_id(self) -> str:  # type: ignore[override]
        """Id of the experiment."""
        return self.experiment

    @property
    def value(self) -> Search:
        """The search."""
        return self.search

    @value.setter
    def value(self, search: Search) -> None:
        self.search = search

    def take(self, value: Search) -> None:
        """Show another tab's changes; see ``Saved``."""
        if value.text != self.search.text:
            self.text_version += 1
            self.ack = 0
        self.search = value
        self.version += 1

    def acknowledge(self, component: str, number: int | str) -> bool:
        """Return whether ``number`` is new from a component; the same one or an older one is to be ignored."""
        last = self.acks.get(component)
        if last == number or (isinstance(last, int) and isinstance(number, int) and number < last):
            return False
        self.acks[component] = number
        return True

    @property
    def of(self) -> str:
        """The version of the box's text; a submission for another version is outdated."""
        return f"{self.experiment}.{self.token}.{self.text_version}"


def session() -> SearchSession:
    """Return this tab's search, read from disk when it is new or belongs to another experiment."""
    experiment = state.current().id
    with state.session().lock:
        tab: SearchSession | None = peek_state().get(_KEY)
        if tab is None or tab.experiment != experiment:
            before, tab = tab, SearchSession(experiment, version=tab.version + 1 if tab else 0)
            tab.open()
            if before is not None and tab.saved is None and not _uploaded(before.search):
                tab.search = before.search  # an experiment without a search of its own goes on with the last one
            st.session_state[_KEY] = tab
        state.session().others["search"] = tab
        return tab


def _uploaded(search: Search) -> bool:
    return search.picture is not None and search.picture.time_s is None  # which lies with its experiment


def current() -> Search:
    """Return the current search."""
    return session().search


def change(**fields: Any) -> None:
    """Change fields of the search and save it."""
    with state.session().lock:
        tab = session()
        tab.search = replace(tab.search, **fields)
        _save(tab)


def change_shown(**fields: Any) -> None:
    """Change fields that widgets show, and give the widgets new keys, so that they show the new values."""
    with state.session().lock:
        session().version += 1
        change(**fields)


def search_for(*, text: str | None = None, picture: Picture | None = None, like: SimilarTo | None = None) -> None:
    """Search for something else; ``text`` replaces that in the box. ``back`` undoes it."""
    with state.session().lock:
        tab = session()
        tab.history = tab.history.push(tab.search)
        _replace_query(tab, tab.search.text if text is None else text, picture, like)


@state.callback
def back() -> None:
    """Return to the search that the last ``search_for`` replaced."""
    with state.session().lock:
        tab = session()
        if tab.history.past:
            previous, tab.history = tab.history.undo(tab.search)
            _replace_query(tab, previous.text, previous.picture, previous.like)


def _replace_query(tab: SearchSession, text: str, picture: Picture | None, like: SimilarTo | None) -> None:
    if text != tab.search.text:
        tab.text_version += 1
        tab.ack = 0
    change(text=text, asked=text, picture=picture, like=like)


def apply_submitted(query: SubmittedQuery) -> None:
    """Apply what the box submitted, unless it is outdated."""
    with state.session().lock:
        tab = session()
        if query.of != tab.of or query.number <= tab.ack:
            return
        tab.ack = query.number
        fields: dict[str, Any] = {"text": query.text}
        if query.go or not query.text.strip():
            fields["asked"] = query.text
        if query.go and query.text.strip():
            fields["like"] = None  # the text is searched for instead
        change(**fields)


def set_threshold(engine_id: str, value: float | None) -> None:
    """Choose the threshold of searches like the current one with this engine; None is automatic."""
    with state.session().lock:
        search = current()
        scale = search.scale(engine_id)
        thresholds = {key: threshold for key, threshold in search.thresholds.items() if key != scale}
        change(thresholds=thresholds if value is None else {**thresholds, scale: value})


@state.callback
def use_template_rules(engine_id: str) -> None:
    """Use the score, threshold and rules of Roboflow's video search template."""
    with state.session().lock:
        change(cosine=True)
        set_threshold(engine_id, TEMPLATE_THRESHOLD)
        rules = TEMPLATE_RULES
        change_shown(bridge_s=rules.bridge_s, drop_lone=rules.drop_lone, fold=rules.fold is not None)


@state.callback
def rank_by_cosine() -> None:
    """Rank words by cosine."""
    change_shown(cosine=True)


def bound(name: str, value: Any, apply: Callable[[Any], None]) -> Binding:
    """Return the keyword arguments for a widget of this page; see ``bindings.bound``."""
    return bindings.bound(state.session(), f"search.{session().version}.{name}", value, apply)


def option(name: str) -> Binding:
    """Return the binding of one field of ``Search``."""
    return bound(name, getattr(current(), name), lambda value: change(**{name: value}))


class PopoverBinding(TypedDict):
    """Keyword arguments that bind a widget inside a popover to the search."""

    value: Any
    key: str
    on_change: Callable[..., None]
    args: tuple[Any, ...]


def bound_in_popover(name: str) -> PopoverBinding:
    """Return the binding of one field of ``Search`` for a widget inside a popover.

    Streamlit draws such a widget only when the popover is opened, and ignores a value that an earlier run set in its
    state; so the value is passed in each run. As there is a key, it stays the same widget.
    """
    key = state.session().versioned(f"search.{session().version}.{name}")
    return {"value": getattr(current(), name), "key": key, "on_change": _copy_back, "args": (key, name)}


@state.callback
def _copy_back(key: str, name: str) -> None:
    values = peek_state()
    if key in values:  # else another widget has replaced it, as in ``lib.ui.session.state``
        change(**{name: values[key]})


# --- on disk -------------------------------------------------------------------------------------------------------


def folder(home: Path) -> Path:
    """Return the folder of the saved searches."""
    return StorePaths(home).searches


def _path(home: Path, experiment: str) -> Path:
    return folder(home) / f"{experiment}.json"


def load(home: Path, experiment: str) -> Search | None:
    """Return the saved search of an experiment, or None when there is none.

    Raises:
        StoreDamagedError, StoreError: it is there and can't be read.
    """
    return documents.read_document(_path(home, experiment), Search.from_dict)


_KIND: Kind[Search] = Kind(
    "search",
    "searches",
    _path,
    load,
    lambda home, experiment, search: documents.write_document(_path(home, experiment), search.to_dict(), home=home),
    lambda base, ours, theirs: merge_fields(base or Search(), ours, theirs, _IN_WORDS),
)


SearchSession.kind = _KIND


def picture_path(home: Path, experiment: str, content: str) -> Path:
    """Return the path of an uploaded picture."""
    return folder(home) / f"{experiment}-{content[:32]}.jpg"


def _save(tab: SearchSession) -> None:
    if tab.search == (tab.saved or Search()) and tab.unsaved is None:
        return
    old = tab.saved.picture if tab.saved else None
    state.session().change()  # a reload finds the search by its experiment
    tab.save()
    new = tab.search.picture
    if tab.unsaved is None and old and old.time_s is None and (new is None or new.content != old.content):
        with contextlib.suppress(OSError):
            picture_path(cache.store().home, tab.experiment, old.content).unlink(missing_ok=True)
