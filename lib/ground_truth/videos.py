"""Which entries of a file belong to the video: by its name with or without folder and ending."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from lib.core.errors import InputError
from lib.core.formatting import shortened
from lib.ground_truth.entries import Entry, Note, Source

_UPLOAD = re.compile(r"[0-9a-f]{8}-(?=.)")  # Label Studio's mark before the name of an uploaded file
_SHOWN = 10


def _whole(name: str) -> str:
    return name.strip().casefold()


def _base(name: str) -> str:
    head, _, query = _whole(name).partition("?")
    return re.split(r"[\\/:=]", query if query.startswith("d=") else head)[-1].strip()


def _uploaded(name: str) -> str:
    return _UPLOAD.sub("", _base(name), count=1)


def _stem(name: str) -> str:
    base = _uploaded(name)
    return base.rpartition(".")[0] or base


_WAYS: tuple[Callable[[str], str], ...] = (_whole, _base, _uploaded, _stem)


def same_video(name: str, video: str) -> bool:
    """Return whether two names are of one video."""
    return _stem(name) == _stem(video)


def of_this_video(entries: Sequence[Entry], source: Source) -> tuple[list[Entry], list[Note]]:
    """Return the entries that belong to the video, and notes.

    Raises:
        InputError: the file names several videos, and not exactly one is this one.
    """
    names = list(dict.fromkeys(entry.video for entry in entries if entry.video))
    if not names:
        return list(entries), []
    mine = VideoNames(names).matching(source.video) if source.video else []
    if len(names) == 1:
        first = next(entry for entry in entries if entry.video)
        note = f"the file is about “{shortened(names[0], 60)}”, not “{shortened(source.video or '', 60)}”; it is taken."
        return list(entries), [] if mine or not source.video else [Note(first.where, note)]
    if len(mine) != 1:
        listed = ", ".join(f"“{shortened(name, 60)}”" for name in names[:_SHOWN]) + (
            ", …" if len(names) > _SHOWN else ""
        )
        raise InputError(
            f"{source.name} holds the labels of {len(names)} videos ({listed}), and which are of this one can’t be "
            "told; keep those of this video alone."
        )
    chosen = [entry for entry in entries if entry.video == mine[0]]
    nameless = next((entry for entry in entries if not entry.video), None)
    notes = [Note(nameless.where, "it names no video, unlike others; it is left out.")] if nameless else []
    return chosen, notes


class VideoNames:
    """Names of videos, to be looked up by names that others have given them."""

    def __init__(self, names: Iterable[str]) -> None:
        self._by_way: list[dict[str, list[str]]] = [{} for _ in _WAYS]
        for name in names:
            for way, found in zip(_WAYS, self._by_way, strict=True):
                found.setdefault(way(name), []).append(name)

    def matching(self, video: str) -> list[str]:
        """Return the names that are of ``video`` in the strictest way in which any is."""
        found = (names.get(way(video)) for way, names in zip(_WAYS, self._by_way, strict=True))
        return next((some for some in found if some), [])
