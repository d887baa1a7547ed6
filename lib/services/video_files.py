"""Which files are videos: by their endings, in folders and by patterns; and the timecode that a file begins with."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from pathlib import Path

from lib.core.errors import InputError, PromptreelError
from lib.infra.files import expanded, is_text
from lib.store.videos import Video

SUFFIXES = frozenset(
    (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".ts", ".mpg", ".mpeg", ".mxf", ".wmv", ".flv", ".3gp")
)
MAX_FILES = 100_000


def videos_in(folders: Iterable[Path], most: int = MAX_FILES) -> list[Path]:
    """Return the videos in folders and those below them, at most so many, in order of their paths within a folder."""
    return list(islice(_videos_in(folders), most))


def has_video(folder: Path) -> bool:
    """Return whether there is a video in a folder or below; a large one isn't read to its end for that."""
    return any(map(_is_video, folder.rglob("*")))


def _videos_in(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in folders:
        yield from filter(_is_video, sorted(folder.rglob("*")))


def _is_video(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and os.path.isfile(path) and is_text(path)  # Path.is_file raises for some


def named_videos(texts: Iterable[str]) -> list[Path]:
    """Return the files that paths, folders and patterns such as ``clips/*.mp4`` name, each once; ``**`` is any folder.

    A file that is named itself needs no particular ending, and need not exist.

    Raises:
        InputError: a folder or a pattern has no video, or there are more than ``MAX_FILES``.
    """
    found: dict[Path, None] = {}
    for text in texts:
        path = expanded(text)
        if path.is_dir():
            some = videos_in([path], MAX_FILES + 1)
            missing = f"There is no video in {path}; choose another folder."
        elif (pattern := _pattern(text)) is not None:
            names = sorted(islice(glob.iglob(pattern, recursive=True), MAX_FILES + 1))
            some = [file for file in map(Path, names) if file.suffix.lower() in SUFFIXES and file.is_file()]
            missing = f"No video is named like {text}; check the pattern."
        else:
            some, missing = [path], ""
        if not some:
            raise InputError(missing)
        found |= dict.fromkeys(some)
        if len(found) > MAX_FILES:
            raise InputError(f"There are more than {MAX_FILES:,} videos; name fewer at a time.")
    return list(found)


def is_one_file(texts: Sequence[str]) -> bool:
    """Return whether ``named_videos`` would give the one file that is named, whatever is in folders."""
    return len(texts) == 1 and not expanded(texts[0]).is_dir() and _pattern(texts[0]) is None


def _pattern(text: str) -> str | None:
    """Return a pattern; None for the name of a file, which may look like one."""
    path = expanded(text)
    return str(path) if glob.has_magic(str(path)) and not path.exists() else None


def start_timecode_of(video: Video) -> str | None:
    """Return the timecode of a video's first frame, as its file has it; None without one.

    Raises:
        VideoError: the file isn't there, or can't be read.
    """
    return _start_timecode(video.path, video.sha256) if video.has_file else None


def start_timecode_if_known(video: Video) -> str | None:
    """Return what ``start_timecode_of`` does; None also where the file can't be read."""
    try:
        return start_timecode_of(video)
    except PromptreelError:
        return None


@lru_cache(maxsize=256)
def _start_timecode(path: Path, sha256: str) -> str | None:  # what has this hash doesn't change
    from lib.media.start_timecode import start_timecode  # loads the decoder

    return start_timecode(path)
