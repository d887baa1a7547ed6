"""Videos of the library that words name: their name, path, or the start of their hash."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lib.core.errors import InputError
from lib.core.formatting import encodable
from lib.infra.files import expanded
from lib.store.videos import Video


def find_videos(videos: Sequence[Video], wanted: Sequence[str]) -> tuple[str, ...]:
    """Return the SHA-256 of the videos that the words name.

    Raises:
        InputError: a word names no video.
    """
    return tuple(sha256 for word in wanted for sha256 in _named(videos, word))


def _named(videos: Sequence[Video], word: str) -> list[str]:
    path = expanded(word).absolute()
    tests: list[Callable[[Video], bool]] = [
        lambda video: video.name == word,
        lambda video: video.has_file and path == video.path.absolute(),
        lambda video: video.name == encodable(path.name) and path.exists(),
        lambda video: len(word) >= 6 and video.sha256.startswith(word.lower()),
    ]
    for test in tests:
        named = [video.sha256 for video in videos if test(video)]
        if named:
            return named
    listed = ", ".join(sorted({video.name for video in videos})[:10]) or "none yet"
    raise InputError(f"No video of the library is called {word}; there are: {listed}.")
