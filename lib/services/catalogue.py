"""What can be chosen to work with: all experiments of a home, and the prompt sets of samples, each with its video.

Hundreds of experiments are listed at once: each file is read once per process, and again when it has changed.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Literal

from lib.core.errors import PromptreelError, StoreDamagedError
from lib.infra.files import sha256_of
from lib.prompts.model import PromptSet
from lib.prompts.parsing import parse_prompt_set
from lib.services import documents, experiments, versions
from lib.services.experiments import Experiment
from lib.services.versions import Version
from lib.store.home import StorePaths
from lib.store.videos import Video

_LABELS_NAMED = 4
Kind = Literal["experiment", "version", "sample"]


@dataclass(frozen=True)
class Choice:
    """Something to work with, as a list shows it."""

    key: str
    """``<kind>:<id>``; unique."""
    kind: Kind
    title: str
    """See ``experiments.shown_title``, without the video."""
    video: str | None
    """SHA-256."""
    video_name: str
    """``no video`` where none was chosen."""
    labels: tuple[str, ...]
    written_at: float
    """Seconds since 1970."""
    starred: bool = False
    own_title: str = ""
    """The title that a person gave, if any."""
    note: str = ""
    prompt_set: str = ""
    """Name of the prompt set."""
    get: Callable[[], Experiment | None] = field(default=lambda: None, compare=False, repr=False)
    """Reads the experiment; None where it is gone by now. Raises ``StoreError`` where it can't be read."""

    @property
    def id(self) -> str:
        """What its kind calls it by."""
        return self.key.partition(":")[2]

    @property
    def name(self) -> str:
        """Title and video, for a choice among several."""
        return f"{self.title} · {self.video_name}" if self.video else self.title

    @property
    def described(self) -> str:
        """Name, first labels and, of what was written, when: tells apart what has the same name."""
        labels = ", ".join(self.labels[:_LABELS_NAMED]) + (", …" if len(self.labels) > _LABELS_NAMED else "")
        when = time.strftime("%d %b, %H:%M", time.localtime(self.written_at)) if self.written_at else ""
        return " · ".join(part for part in (self.name, labels, when) if part)

    def matches(self, words: str) -> bool:
        """Return whether title, note, labels, prompt set or video hold each of some words, in any case."""
        text = "\n".join((self.title, self.note, self.prompt_set, self.video_name, *self.labels)).casefold()
        return all(word in text for word in words.casefold().split())


@dataclass(frozen=True)
class Listing:
    """What there is to choose from."""

    choices: tuple[Choice, ...]
    """Experiments written last first; saved versions, the newest first, and samples follow."""
    damaged: tuple[str, ...] = ()
    """Names of files that can't be read."""


def listed(home: Path, videos: Mapping[str, str], samples: Iterable[Path] = ()) -> Listing:
    """Return all that can be chosen.

    Side B of a comparison is left out, as it comes with its side A; so is an experiment with nothing in it.

    Args:
        home: the store's folder.
        videos: names of the videos by their SHA-256.
        samples: files of sample videos, which may have a prompt set beside them.
    """
    choices, damaged = _experiments(home)
    named = [replace(one, video_name=videos.get(one.video or "", _missing(one.video))) for one in choices]
    of_samples = (_sample(file) for file in samples)
    kept = (_version(version, videos) for version in versions.listed(home).versions if version.why == "saved")
    return Listing((*named, *kept, *(one for one in of_samples if one is not None)), tuple(damaged))


def deleted(home: Path, videos: Mapping[str, str]) -> tuple[Choice, ...]:
    """Return the experiments in the trash, deleted last first; what can't be read there is left out."""
    folder = documents.trash_of(StorePaths(home).experiments / "x").parent
    found = [
        replace(choice, video_name=videos.get(choice.video or "", _missing(choice.video)), written_at=changed_at)
        for _, choice, _, changed_at in _known(home, folder, experiments.load_deleted)
        if choice is not None
    ]
    return tuple(sorted(found, key=lambda one: one.written_at, reverse=True))


def _missing(sha256: str | None) -> str:
    return f"video {sha256[:8]}…, not in the library" if sha256 else "no video"


# --- experiments -----------------------------------------------------------------------------------------------------

_Stamp = tuple[int, int, int]
_Load = Callable[[Path, str], Experiment | None]
_lock = threading.Lock()
_read: dict[Path, dict[str, tuple[_Stamp, Choice | None, bool]]] = {}
"""By folder and id: the file's stamp, its choice (None: none), and whether it is damaged."""


def _experiments(home: Path) -> tuple[list[Choice], list[str]]:
    """Return the experiments, newest first, and the names of files that can't be read."""
    entries = _known(home, StorePaths(home).experiments, experiments.load)
    choices = [choice for _, choice, _, _ in entries if choice is not None]
    return choices, [name for name, _, damaged, _ in entries if damaged]


def _known(home: Path, folder: Path, load: _Load) -> list[tuple[str, Choice | None, bool, float]]:
    """Return the name, choice, whether damaged, and last change of each document in ``folder``, newest first."""
    with _lock:
        known, found = _read.get(folder, {}), {}
        files = sorted(_files(folder), key=lambda file: (file[1][0], file[0]), reverse=True)
        for experiment_id, stamp, _ in files:
            entry = known.get(experiment_id)
            found[experiment_id] = (
                entry if entry is not None and entry[0] == stamp else _entry(home, experiment_id, stamp, load)
            )
        _read[folder] = found
    return [(f"{one}.json", *found[one][1:], changed_at) for one, _, changed_at in files]


def _files(folder: Path) -> list[tuple[str, _Stamp, float]]:
    """Return the id, the stamp, and the time of the last change (also of its name) of each document in a folder."""
    try:
        with os.scandir(folder) as entries:
            files = [entry for entry in entries if entry.name.endswith(".json")]
    except OSError:
        return []
    found = []
    for entry in files:
        try:
            stat = entry.stat()
        except OSError:  # gone since it was listed
            continue
        stamp = stat.st_mtime_ns, stat.st_size, stat.st_ino
        found.append((entry.name.removesuffix(".json"), stamp, stat.st_ctime))
    return found


def _entry(home: Path, experiment_id: str, stamp: _Stamp, load: _Load) -> tuple[_Stamp, Choice | None, bool]:
    try:
        experiment = load(home, experiment_id)
    except StoreDamagedError:
        return stamp, None, True
    except PromptreelError:
        return (stamp[0], -1, -1), None, True  # maybe only now: it is tried again
    if experiment is None or experiment.side != "a" or experiment.untouched:
        return stamp, None, False
    choice = replace(
        _choice(experiment, lambda: experiments.load(home, experiment_id)),
        key=f"experiment:{experiment_id}",
        written_at=stamp[0] / 1e9,
    )
    return stamp, choice, False


def _choice(experiment: Experiment, get: Callable[[], Experiment | None]) -> Choice:
    return Choice(
        key=f"experiment:{experiment.id}",
        kind="experiment",
        title=experiments.shown_title(experiment),
        video=experiment.video,
        video_name="",
        labels=experiment.labels,
        written_at=0.0,
        starred=experiment.starred,
        own_title=experiment.title,
        note=experiment.note,
        prompt_set=experiment.name,
        get=get,
    )


# --- versions --------------------------------------------------------------------------------------------------------


def _version(version: Version, videos: Mapping[str, str]) -> Choice:
    """Return a choice that opens as a new experiment: a version itself doesn't change."""
    sha256, name = version.experiment.video, f"{version.shown_name} · {version.title}"
    choice = _choice(
        version.experiment,
        lambda: replace(
            version.experiment, id=experiments.new_id(), title=name[: experiments.MAX_TITLE], created_at=time.time()
        ),
    )
    return replace(
        choice,
        key=f"version:{version.id}",
        kind="version",
        title=f"{name} (version)",
        note=version.note,
        video_name=videos.get(sha256 or "", _missing(sha256)),
        written_at=version.created_at,
    )


# --- samples ---------------------------------------------------------------------------------------------------------


def sample_of(video: Video, files: Iterable[Path]) -> Path | None:
    """Return the file of ``files`` that has the content of ``video``, wherever that lies; None where none has."""
    for file in files:
        with contextlib.suppress(OSError):  # it was removed meanwhile
            stat = file.stat()
            if stat.st_size == video.size_bytes and _hash(file, stat.st_size, stat.st_mtime_ns) == video.sha256:
                return file
    return None


def sample_prompts(file: Path) -> PromptSet | None:
    """Return the prompt set beside a sample video; None where there is none.

    Raises:
        PromptSetError: it can't be read.
        OSError: its file can't be read.
    """
    prompts = file.with_suffix(".prompts.yaml")
    return parse_prompt_set(prompts.read_text(encoding="utf-8"), name=file.stem) if prompts.exists() else None


def _sample_experiment(file: Path) -> Experiment | None:
    prompt_set, stat = sample_prompts(file), file.stat()
    video = _hash(file, stat.st_size, stat.st_mtime_ns)
    return replace(experiments.fresh(), video=video).with_prompt_set(prompt_set) if prompt_set is not None else None


@lru_cache(maxsize=32)
def _hash(file: Path, size: int, mtime_ns: int) -> str:  # a changed file is another one
    return sha256_of(file)


def _sample(file: Path) -> Choice | None:
    try:
        experiment = _sample_experiment(file)
    except (PromptreelError, OSError):
        return None
    if experiment is None:
        return None
    choice = _choice(experiment, lambda: _sample_experiment(file))
    return replace(
        choice, key=f"sample:{file.stem}", kind="sample", video_name=file.name, title=f"{choice.title} (sample)"
    )
