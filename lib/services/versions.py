"""Versions of experiments: all that gives the same numbers again, with the numbers, at ``<home>/versions/<id>.json``.

A version never changes: its id is the beginning of the SHA-256 of its content, so a file that somebody has altered is
told as damaged, and the same version is the same file on every machine. One is saved by a person (``saved``), or kept
by itself before an import, a replacement or a deletion.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import re
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

import lib
from lib.comparison import version_diff
from lib.core.errors import InputError, NotStoredError, PromptreelError, StoreDamagedError, StoreError
from lib.core.formatting import encodable, format_duration, shortened
from lib.core.labelled_intervals import TrueSegment, label_key
from lib.core.sampling import Sampling
from lib.engines.hosted import HOSTED
from lib.evaluation.numbers import Numbers, Value
from lib.infra import documents
from lib.prompts.model import MAX_PROMPTS, ROLES
from lib.services.experiments import Experiment, shown_title
from lib.services.ground_truth import Truth, video_truth
from lib.store.home import StorePaths
from lib.store.store import Store

FORMAT = 1
MAX_BYTES = 32 << 20
"""Of a version: a prompt set of the largest size with learned vectors, and 20,000 true segments, are less than half."""
MAX_NAME = 200
MAX_NOTE = 20_000
MAX_AUTOMATIC = 50
"""Versions of one experiment that were kept by themselves; the oldest go first, saved ones never."""
_MOST_LISTED = 5_000
_MAX_TRUE_SEGMENTS = 100_000
_ID = re.compile(r"[0-9a-f]{16}")
_SHA256 = re.compile(r"[0-9a-f]{64}")

Why = Literal["saved", "import", "replacement", "restore", "deletion"]
WHY: dict[Why, str] = {
    "saved": "saved",
    "import": "before an import",
    "replacement": "before a replacement",
    "restore": "before another version was restored",
    "deletion": "before a deletion",
}
"""Why a version was kept, in words."""


@dataclass(frozen=True)
class VersionVideo:
    """The video that a version is about."""

    sha256: str
    name: str
    duration_s: float | None
    """Seconds; None where it isn't known."""

    @property
    def in_words(self) -> str:
        """What to look for where it is missing: name, length and the beginning of its hash."""
        length = "" if self.duration_s is None else f"{format_duration(self.duration_s)}, "
        return f"“{self.name}” ({length}SHA-256 {self.sha256[:12]}…)"


@dataclass(frozen=True)
class Version:
    """See the module's docstring."""

    experiment: Experiment
    """As it was, with its id, title, engine, sampling, rows and settings; learned vectors are part of its rows."""
    name: str = ""
    """At most ``MAX_NAME`` characters; empty for one that was kept by itself."""
    note: str = ""
    created_at: float = 0.0
    """Seconds since 1970."""
    why: Why = "saved"
    video: VersionVideo | None = None
    engine_id: str | None = None
    """Which vectors its numbers are of; None where that wasn't known."""
    truth: Truth = ()
    numbers: Numbers | None = None
    """None where they weren't computed."""
    package: str = ""
    """Promptreel's version."""
    id: str = ""
    """16 hex digits."""

    @property
    def truth_digest(self) -> str:
        """The ``truth_digest`` of its truth."""
        return truth_digest(self.truth)

    @property
    def shown_name(self) -> str:
        """What it is called on screen: its name, else why it was kept."""
        return self.name or WHY[self.why].capitalize()

    @property
    def title(self) -> str:
        """What its experiment was called."""
        return shown_title(self.experiment)

    @property
    def state(self) -> tuple[object, ...]:
        """What two versions have in common that give the same numbers with the same engine."""
        return (_content(self.experiment), self.truth_digest)

    def to_dict(self) -> dict[str, Any]:
        """Return plain types for JSON, with the id that follows from them."""
        data: dict[str, Any] = {
            "format": FORMAT,
            "name": self.name,
            "note": self.note,
            "created_at": self.created_at,
            "why": self.why,
            "package": self.package,
            "video": asdict(self.video) if self.video else None,
            "engine_id": self.engine_id,
            "experiment": self.experiment.to_dict(),
            "truth": {"digest": self.truth_digest, "segments": [asdict(segment) for segment in self.truth]},
            "numbers": self.numbers.to_dict() if self.numbers else None,
        }
        data = json.loads(json.dumps(data, allow_nan=False))  # the tuples as lists, as they are read again
        return {"id": id_of(data), **data}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Version:
        """Return the version that ``to_dict`` was called on; its id is that of the content, whatever it says.

        Raises:
            ValueError, TypeError, KeyError, AttributeError, PromptreelError: ``data`` is no version.
        """
        values = dict(data)
        if values.pop("format", None) != FORMAT:
            raise ValueError("another format")
        values.pop("id", None)
        if values.keys() != _READERS.keys():
            raise ValueError("not whole, or of a later version")
        version = cls(**documents.fields(values, _READERS), id=id_of(data))
        if version.experiment.video != (version.video.sha256 if version.video else None):
            raise ValueError("of two videos")
        return version


def id_of(data: dict[str, Any]) -> str:
    """Return the id of a version's plain types."""
    content = {name: value for name, value in data.items() if name != "id"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def same_content(a: Experiment, b: Experiment) -> bool:
    """Return whether two experiments give the same numbers: all but their titles, notes and ids is the same."""
    return _content(a) == _content(b)


def _content(experiment: Experiment) -> tuple[Experiment, str | None]:
    return Experiment("").with_experiment(experiment), experiment.video


def truth_digest(truth: Iterable[TrueSegment]) -> str:
    """Return 16 hex digits that name a ground truth, whatever its order; empty where there is none."""
    content = sorted([float(segment.start_s), float(segment.end_s), segment.label] for segment in truth)
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16] if content else ""


# --- reading -----------------------------------------------------------------------------------------------------


def _short(most: int) -> Callable[[object], str]:
    def read(value: object) -> str:
        if len(documents.text(value)) > most:
            raise ValueError("too long a text")
        return str(value)

    return read


def _read_video(value: Any) -> VersionVideo:
    if not _SHA256.fullmatch(documents.text(value["sha256"])):
        raise ValueError("no SHA-256")
    return VersionVideo(**documents.fields(value, _VIDEO_READERS))


def _read_truth(value: Any) -> Truth:
    items = documents.listed(value["segments"], most=_MAX_TRUE_SEGMENTS)
    truth = tuple(TrueSegment(**documents.fields(one, _SEGMENT_READERS)) for one in items)
    if not all(label_key(segment.label) and segment.start_s < segment.end_s for segment in truth):
        raise ValueError("no segment")
    if value["digest"] != truth_digest(truth):
        raise ValueError("another truth")
    return truth


def _read_experiment(value: Any) -> Experiment:
    return replace(Experiment.from_dict(value), **_ALONE)


def _read_metric(value: object) -> Value:
    return value if value is None or isinstance(value, bool | int) else documents.real(value)


def _mapping(
    read: Callable[[Any], Any], *, most: int, **others: Callable[[Any], Any]
) -> Callable[[Any], dict[str, Any]]:
    """Return a reader of a mapping; ``others`` are the readers of values that aren't like the rest, by name."""

    def read_all(value: Any) -> dict[str, Any]:
        documents.listed(list(value.items()), most=most)
        return {_short(2_000)(name): others.get(name, read)(one) for name, one in value.items()}

    return read_all


def _read_numbers(value: Any) -> Numbers:
    share = documents.optional(documents.within(0.0, 1.0))
    return Numbers(
        **{name: share(value["overall"][name]) for name in ("macro_f1", "accuracy")},
        true_f1=_mapping(documents.within(0.0, 1.0), most=_MAX_TRUE_SEGMENTS)(value["true_f1"]),
        labels=_mapping(_mapping(_read_metric, most=50, role=_read_role), most=MAX_PROMPTS)(value["labels"]),
    )


_ALONE: dict[str, Any] = {"beside": None, "side": "a", "starred": False, "baseline": None}
"""What an experiment of a version says of others: nothing."""
_read_role = documents.one_of(*ROLES)
_VIDEO_READERS: dict[str, Callable[[Any], Any]] = {
    "sha256": documents.text,
    "name": _short(2_000),
    "duration_s": documents.optional(documents.within(0.0, 1e9)),
}
_SEGMENT_READERS: dict[str, Callable[[Any], Any]] = {
    "label": _short(2_000),
    "start_s": documents.within(-1e9, 1e9),
    "end_s": documents.within(-1e9, 1e9),
}
_READERS: dict[str, Callable[[Any], Any]] = {
    "name": _short(MAX_NAME),
    "note": _short(MAX_NOTE),
    "created_at": documents.within(0.0, 1e11),
    "why": documents.one_of(*get_args(Why)),
    "package": _short(50),
    "video": documents.optional(_read_video),
    "engine_id": documents.optional(_short(500)),
    "experiment": _read_experiment,
    "truth": _read_truth,
    "numbers": documents.optional(_read_numbers),
}


def path_of(home: Path, version_id: str) -> Path:
    """Return the file of a version."""
    return StorePaths(home).versions / f"{version_id}.json"


def read(home: Path, version_id: str) -> dict[str, Any] | None:
    """Return a version's plain types as they were written; None where there is none.

    Raises:
        StoreDamagedError: it can't be read, was altered, or another version of Promptreel has written it.
        StoreError: its file can't be opened.
    """
    found = _read(home, version_id)
    return None if found is None else found[0]


def load(home: Path, version_id: str) -> Version | None:
    """Return a version, or None where there is none; errors as ``read``."""
    found = _read(home, version_id)
    return None if found is None else found[1]


def _read(home: Path, version_id: str) -> tuple[dict[str, Any], Version] | None:
    if not _ID.fullmatch(version_id):
        return None

    def make(data: dict[str, Any]) -> tuple[dict[str, Any], Version]:
        version = Version.from_dict(data)
        if version.id != version_id:
            raise ValueError("altered")
        return data, version

    return documents.read_document(path_of(home, version_id), make, most_bytes=MAX_BYTES)


@functools.lru_cache(maxsize=_MOST_LISTED)  # fewer, and a list of all would read each of them again
def _loaded(home: Path, version_id: str, _changed: tuple[int, int]) -> Version | None:
    return load(home, version_id)


@dataclass(frozen=True)
class Listing:
    """The versions that there are."""

    versions: tuple[Version, ...]
    """The newest first."""
    damaged: tuple[str, ...]
    """Names of files that can't be read."""


def listed(home: Path, experiment_ids: Collection[str] | None = None) -> Listing:
    """Return the versions of some experiments, or of all."""
    versions: list[Version] = []
    damaged: list[str] = []
    for path, changed in _files(home):
        try:
            version = _loaded(home, path.stem, changed)
        except PromptreelError:
            damaged.append(path.name)
            continue
        if version is not None and (experiment_ids is None or version.experiment.id in experiment_ids):
            versions.append(version)
    return Listing(tuple(sorted(versions, key=lambda one: one.created_at, reverse=True)), tuple(sorted(damaged)))


def _files(home: Path) -> list[tuple[Path, tuple[int, int]]]:
    files = []
    for path in StorePaths(home).versions.glob("*.json"):
        with contextlib.suppress(OSError):  # gone since it was listed
            stat = path.stat()
            files.append((path, (stat.st_mtime_ns, stat.st_size)))
    return sorted(files, key=lambda one: one[1], reverse=True)[:_MOST_LISTED]


def find(home: Path, text: str) -> Version:
    """Return the version that ``text`` names: its id, the beginning of one, or a name that no other has.

    Raises:
        InputError: none, or more than one.
        StoreDamagedError, StoreError: it can't be read.
    """
    text = text.strip()
    if version := load(home, text.lower()):
        return version
    found = [one for one in listed(home).versions if _starts(one, text) or one.name == text]
    if len(found) == 1:
        return found[0]
    what = f"{len(found)} versions are" if found else "No version is"
    raise InputError(f"{what} called {shortened(text, 80)!r}; write an id of those that versions list prints.")


def _starts(version: Version, text: str) -> bool:
    return len(text) >= 4 and version.id.startswith(text.lower())


# --- keeping -----------------------------------------------------------------------------------------------------


def keep(store: Store, experiment: Experiment, why: Why, **known: Any) -> Version | None:
    """Keep ``experiment`` as it is now as a version and return it; one of an equal state is not kept twice.

    Of those that are kept by themselves, the oldest make room; nothing is kept of an experiment without a prompt.

    Args:
        store: where to.
        experiment: any.
        why: ``saved``, or what is about to happen.
        known: as ``as_version``.

    Raises:
        OSError, StoreError: it can't be written.
    """
    if not experiment.rows:
        return None
    version = as_version(store, experiment, why, **known)
    others = listed(store.home, {experiment.id}).versions
    same = next((other for other in others if _says_no_more(version, other)), None)
    if same is not None:
        return same
    data = version.to_dict()
    try:
        version = Version.from_dict(data)
    except documents.UNREADABLE as error:
        raise StoreError("This state has more than a version can hold, so none was kept; shorten its texts.") from error
    _write(store.home, data)
    if why != "saved":
        _make_room(store.home, [one for one in others if one.why != "saved" and one.id != experiment.baseline])
    return version


def as_version(
    store: Store,
    experiment: Experiment,
    why: Why = "saved",
    *,
    name: str = "",
    note: str = "",
    engine_id: str | None = None,
    numbers: Numbers | None = None,
    truth: Truth | None = None,
) -> Version:
    """Return what a version of ``experiment`` as it is now would be; it is not kept, and has no id.

    Args:
        store: where the video is.
        experiment: any.
        why: see ``keep``.
        name: for people; cut to ``MAX_NAME`` characters.
        note: cut to ``MAX_NOTE`` characters.
        engine_id: of the engine that the numbers are of.
        numbers: what it is worth, where that is known.
        truth: the ground truth that they are of; None is that of the video as it is now.
    """
    video, there = _video_and_truth(store, experiment)
    return Version(
        experiment=replace(experiment, **_ALONE),
        name=shortened(encodable(name), MAX_NAME),
        note=encodable(note).strip()[:MAX_NOTE],
        created_at=round(time.time(), 3),
        why=why,
        video=video,
        engine_id=engine_id,
        truth=there if truth is None else truth,
        numbers=numbers,
        package=lib.__version__,
    )


def _video_and_truth(store: Store, experiment: Experiment) -> tuple[VersionVideo | None, Truth]:
    if experiment.video is None:
        return None, ()
    try:
        video = store.video(experiment.video)
    except NotStoredError:
        return VersionVideo(experiment.video, "", None), ()
    truth: Truth = ()
    with contextlib.suppress(StoreDamagedError):  # the page says so
        truth = video_truth(store, video).segments
    return VersionVideo(video.sha256, video.name, video.duration_s), truth


def _says_no_more(version: Version, other: Version) -> bool:
    """Return whether ``other`` already has all that ``version`` would keep."""
    if version.state != other.state or version.engine_id not in (None, other.engine_id):
        return False
    if version.why != "saved":
        return True
    named = (version.name, version.note) == (other.name, other.note) and other.why == "saved"
    return named and version.numbers in (None, other.numbers)


def _write(home: Path, data: dict[str, Any]) -> None:
    if len(json.dumps(data)) > MAX_BYTES:
        raise StoreError(f"The version is larger than {MAX_BYTES >> 20} MB, so it can't be kept; remove some of it.")
    documents.write_document(path_of(home, data["id"]), data, home=home)


def _make_room(home: Path, automatic: list[Version]) -> None:
    for version in automatic[MAX_AUTOMATIC - 1 :]:  # newest first, and one has just been added
        with contextlib.suppress(OSError):
            delete(home, version.id)


def add(home: Path, data: dict[str, Any]) -> tuple[Version, bool]:
    """Add a version from elsewhere; return it, and whether it wasn't there yet.

    Raises:
        One of ``documents.UNREADABLE``: ``data`` is no version.
        OSError, StoreError: it can't be written.
    """
    version = Version.from_dict(data)
    with contextlib.suppress(StoreDamagedError):  # a damaged file of that id gives way to the whole one
        if load(home, version.id) is not None:
            return version, False
    if path_of(home, version.id).exists():
        documents.set_aside(path_of(home, version.id))
    _write(home, {**data, "id": version.id})
    return version, True


def delete(home: Path, version_id: str) -> None:
    """Delete a version; one that is gone already is no error.

    Raises:
        OSError: it can't be deleted.
    """
    if _ID.fullmatch(version_id):
        path_of(home, version_id).unlink(missing_ok=True)


# --- what differs --------------------------------------------------------------------------------------------------


def differences(before: Version, after: Version) -> tuple[str, ...]:
    """Return a sentence without a full stop for each thing that differs; none where nothing does."""
    ids = before.engine_id is not None and after.engine_id is not None
    a, b = _state(before, ids=ids), _state(after, ids=ids)
    if before.experiment.video == after.experiment.video:
        b = replace(b, video=a.video)  # a file may have another name elsewhere
    return version_diff.differences(a, b)


def _state(version: Version, *, ids: bool) -> version_diff.State:
    experiment = version.experiment
    video = version.video.in_words if version.video else (experiment.video or "")
    return version_diff.State(
        experiment.prompt_set()[0],
        engine_words(version, with_id=ids),
        Sampling.from_key(experiment.sampling).description,
        video,
        version.truth,
    )


def engine_words(version: Version, *, with_id: bool = True) -> str:
    """Return the engine of a version: its id where it is known, else what it is made from."""
    if with_id and version.engine_id:
        return version.engine_id
    experiment = version.experiment
    model = f" {experiment.model_version}" if experiment.engine in ("server", HOSTED) else ""
    return f"{experiment.engine_spec}{model}"
