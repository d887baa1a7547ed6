"""What the command line writes: results to stdout, progress and problems to stderr."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TextIO

from lib.core.formatting import encodable, format_duration, megabytes_done

if TYPE_CHECKING:
    from lib.engines.checks import Preparation
    from lib.ingest.progress import Progress

PROGRAM = "promptreel"
NOTHING = "–"
"""In a table, in place of a value that doesn't exist."""
_LINE_EVERY_S = 5.0
_STEERS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Controls but the line feed, and what turns the direction of all that follows."""


class Reporter:
    """Progress and problems on stderr: one line, overwritten, in a terminal; elsewhere a line every few seconds."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self._changes = stream.isatty()
        self._open = False
        self._last = time.monotonic()

    def progress(self, name: str, progress: Progress) -> None:
        """Show how far the embedding of ``name`` is."""
        if progress.words:
            self._show(f"{name}: {progress.words}")
            return
        of = f" of {progress.total:,}" if progress.total is not None else ""
        rate = f", {progress.rate:.1f} per second" if progress.rate else ""
        left = f", {format_duration(progress.eta_s)} left" if progress.eta_s else ""
        self._show(f"{name}: {progress.done:,}{of} samples{rate}{left}")

    def hashing(self, name: str, done: int, total: int) -> None:
        """Show how much of a file is hashed."""
        self._show(f"{name}: reading {megabytes_done(done, total)}")

    def work(self, words: str) -> None:
        """Show how far work on many videos is, in these words."""
        self._show(words)

    def counting(self, what: str, done: int, total: int, unit: str = "samples") -> None:
        """Show how many of something are done."""
        self._show(f"{what} {done:,} of {total:,} {unit}")

    def preparation(self, preparation: Preparation) -> None:
        """Show what an engine prepares; may be called from any thread."""
        size = ""
        if preparation.total_bytes:
            size = f" {megabytes_done(preparation.done_bytes, preparation.total_bytes)}"
        self._show(preparation.message + size, at_once=not preparation.total_bytes)

    def line(self, text: str) -> None:
        """Write a line that is not overwritten."""
        with self._lock:
            self._clear()
            print(" ".join(harmless(text).split()), file=self._stream, flush=True)

    def problem(self, error: Exception | str) -> None:
        """Write what went wrong, in one line."""
        self.line(f"{PROGRAM}: {error}")

    def _show(self, text: str, *, at_once: bool = False) -> None:
        text = harmless(text)
        with self._lock:
            if self._changes:
                print(f"\r\x1b[K{text}", end="", file=self._stream, flush=True)
                self._open = True
            elif at_once or time.monotonic() - self._last >= _LINE_EVERY_S:
                self._last = time.monotonic()
                print(text, file=self._stream, flush=True)

    def _clear(self) -> None:
        if self._open:
            print("\r\x1b[K", end="", file=self._stream)
            self._open = False


def harmless(text: str) -> str:
    """Return a text of anybody's with a blank for each character that steers a terminal."""
    return _STEERS.sub(" ", encodable(text))


def dump(document: object) -> str:
    """Return ``document`` as strict JSON: ASCII, no NaN."""
    return json.dumps(document, indent=2, allow_nan=False)


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 1) -> str:
    """Return rows under a header, columns aligned: the first ``left`` to the left, others to the right.

    Each cell is in one line, and ``harmless``.
    """
    rows = [[" ".join(harmless(cell).split()) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in (header, *rows)) for i in range(len(header))]
    lines = []
    for row in (header, *rows):
        cells = [
            cell.ljust(width) if i < left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def embeddings_table(documents: Sequence[dict[str, Any]]) -> str:
    """Return one row per embedded video."""
    rows = []
    for document in documents:
        video = document["video"]
        sampling = " ".join(f"{name} {value}" for name, value in document["sampling"].items())
        length = format_duration(video["duration_s"])
        rows.append((video["name"], f"{video['samples']:,}", length, sampling, document["engine"]["id"]))
    return table(("video", "samples", "length", "sampling", "engine"), rows)
