"""Versions as files: one JSON file a version, with its picture examples, to be opened on another machine.

A file is ``{"kind": "promptreel version", "format": 1, "version": {…}, "pictures": {SHA-256: Base64}}``. What it says
is believed only as far as it can be checked: ids and hashes are computed anew, and nothing is overwritten.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import json
from dataclasses import dataclass, replace
from typing import Any

from lib.core.errors import InputError, NotStoredError, PromptreelError, StoreDamagedError
from lib.core.formatting import shortened
from lib.infra import documents
from lib.services import experiment_merge, experiments, picture_examples, versions
from lib.services.documents import bring_back
from lib.services.experiments import Experiment, rows_to_prompts
from lib.services.ground_truth import Truth, change_truth, video_truth
from lib.services.versions import Version
from lib.store.store import Store
from lib.store.videos import Video

KIND = "promptreel version"
FORMAT = 1
MAX_PICTURE_BYTES = 24 << 20
"""Of all picture examples in a file; those beyond are left out."""
MAX_BYTES = versions.MAX_BYTES + 2 * MAX_PICTURE_BYTES
_MAX_PICTURES = 4_000


@dataclass(frozen=True)
class Exported:
    """A version as a file."""

    text: str
    left_out: int
    """Picture examples that are not on this machine, or for which there was no room."""


@dataclass(frozen=True)
class Imported:
    """A version that has come from a file."""

    version: Version
    new: bool
    """Whether it wasn't there yet."""
    experiment: Experiment
    """What to open: the version's experiment, which was made where there was none."""
    video: Video | None
    """None: it isn't on this machine."""
    problems: tuple[str, ...] = ()
    """One sentence for each thing that is missing or was left out."""


def export(store: Store, version_id: str) -> Exported:
    """Return a version as the text of a file.

    Raises:
        InputError: there is no such version.
        StoreDamagedError, StoreError: it can't be read.
    """
    data = versions.read(store.home, version_id)
    if data is None:
        raise InputError(f"There is no version {shortened(version_id, 40)!r}; it was deleted, or never here.")
    pictures: dict[str, str] = {}
    wanted = _pictures(Version.from_dict(data))
    room = MAX_PICTURE_BYTES
    for sha256 in wanted:
        content = b""
        with contextlib.suppress(OSError):
            content = picture_examples.picture_file(store, sha256).read_bytes()
        if content and len(content) <= room and hashlib.sha256(content).hexdigest() == sha256:
            pictures[sha256] = base64.b64encode(content).decode()
            room -= len(content)
    file = {"kind": KIND, "format": FORMAT, "version": data, "pictures": pictures}
    return Exported(json.dumps(file, ensure_ascii=False, indent=1), len(wanted) - len(pictures))


def _pictures(version: Version) -> tuple[str, ...]:
    prompts, _ = rows_to_prompts(version.experiment.rows)
    return tuple(dict.fromkeys(sha256 for prompt in prompts for sha256 in prompt.pictures))


def import_file(store: Store, content: bytes, name: str) -> Imported:
    """Take in a file that ``export`` has made: the version, its pictures, and an experiment that can be opened.

    A version that is there already is not doubled, and an experiment that is there stays as it is. A video of this
    machine that has no ground truth gets the version's.

    Args:
        store: where to.
        content: of the file.
        name: of the file, for messages.

    Raises:
        InputError: it is no version.
        OSError, StoreError: it can't be written.
    """
    try:
        data, pictures, claimed = _parse(content)
        version = Version.from_dict(data)
    except documents.UNREADABLE as error:
        raise InputError(
            f"{shortened(name, 80)} is no version that this Promptreel reads: damaged, something else, or of a later "
            "Promptreel; export it again."
        ) from error
    problems = []
    if claimed != version.id:
        problems.append(f"The file was changed after its export, so it is a version of its own, {version.id}.")
    version, new = versions.add(store.home, data)
    problems += _add_pictures(store, version, pictures)
    video = _video(store, version)
    if video is not None and version.truth:
        problems += share_truth(store, video, version)
    elif version.video is not None and video is None:
        problems.append(f"The video {version.video.in_words} is not on this machine; add it, then open the experiment.")
    return Imported(version, new, experiment_of(store, version), video, tuple(problems))


def _parse(content: bytes) -> tuple[dict[str, Any], dict[str, str], str]:
    """Return a version's plain types, its pictures, and the id that the file claims."""
    file = documents.parse_object(content, most_bytes=MAX_BYTES)
    if (file["kind"], file["format"]) != (KIND, FORMAT) or file.keys() - {"kind", "format", "version", "pictures"}:
        raise ValueError("another kind or format")
    data, pictures = file["version"], file.get("pictures", {})
    if not isinstance(data, dict) or not isinstance(pictures, dict) or len(pictures) > _MAX_PICTURES:
        raise ValueError("no version, or too many pictures")
    return data, pictures, documents.text(data["id"])


def _add_pictures(store: Store, version: Version, pictures: dict[str, str]) -> list[str]:
    """Keep the pictures that the version's prompts have; return a sentence about those that are missing."""
    missing = []
    room = MAX_PICTURE_BYTES
    for sha256 in _pictures(version):
        if picture_examples.picture_file(store, sha256).exists():
            continue
        content = b""
        with contextlib.suppress(binascii.Error, ValueError, TypeError, KeyError):
            content = base64.b64decode(pictures[sha256], validate=True)
        room -= len(content)
        kept = ""
        if content and room >= 0 and hashlib.sha256(content).hexdigest() == sha256:
            with contextlib.suppress(InputError):
                kept = picture_examples.add(store, content, sha256[:12])
        if kept != sha256:
            missing.append(sha256)
    if not missing:
        return []
    what = f"The picture example {missing[0][:12]}… is" if len(missing) == 1 else f"{len(missing)} picture examples are"
    return [f"{what} neither in the file nor on this machine, so the prompts go without; add them again."]


def _video(store: Store, version: Version) -> Video | None:
    if version.experiment.video is None:
        return None
    try:
        return store.video(version.experiment.video)
    except NotStoredError:
        return None


def share_truth(store: Store, video: Video, version: Version) -> list[str]:
    """Give a video without ground truth the version's; return a sentence where it has another one.

    Raises:
        StoreError: it can't be written.
    """
    try:
        here = video_truth(store, video)
    except StoreDamagedError as error:
        return [str(error)]
    if not here.segments and not here.saved:
        return _other_truth(video, version, change_truth(store, video, lambda now: now or version.truth))
    return _other_truth(video, version, here.segments)


def _other_truth(video: Video, version: Version, here: Truth) -> list[str]:
    if versions.truth_digest(here) != version.truth_digest:
        return [f"The ground truth of “{video.name}” is not the one of the version, so F1 can be another one here."]
    return []


def experiment_of(store: Store, version: Version) -> Experiment:
    """Return the version's experiment as it is here; one is made where there is none that can be opened.

    Raises:
        OSError, StoreError: none can be made.
    """
    with contextlib.suppress(PromptreelError, OSError):
        bring_back(experiment_merge.KIND, store.home, version.experiment.id)  # it may have been deleted
    for experiment_id in (version.experiment.id, version.id):
        with contextlib.suppress(StoreDamagedError):  # it stays, and another one is made
            here = experiments.load(store.home, experiment_id)
            if here is None:
                here = replace(version.experiment, id=experiment_id)
                experiments.save(store.home, here)
            if here.side == "a":
                return here
    raise StoreDamagedError(f"The experiments {version.experiment.id} and {version.id} are damaged; move them away.")
