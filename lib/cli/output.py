"""What the command line writes: results to stdout, progress and problems to stderr."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from typing import Any, TextIO

from lib.analysis.analysis import Analysis
from lib.core.formatting import format_duration, format_time
from lib.engines.checks import Preparation
from lib.ingest.progress import Progress

PROGRAM = "promptreel"
_NOTHING = "–"
_LINE_EVERY_S = 5.0


class Reporter:
    """Progress and problems on stderr: one line that changes in a terminal, now and then a line elsewhere."""

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
        rate = f", {progress.rate:.1f} a second" if progress.rate else ""
        left = f", {format_duration(progress.eta_s)} left" if progress.eta_s else ""
        self._show(f"{name}: {progress.done:,}{of} samples{rate}{left}")

    def hashing(self, name: str, done: int, total: int) -> None:
        """Show how much of a file is read to know it by its content."""
        self._show(f"{name}: reading {done / 1e6:,.0f} of {total / 1e6:,.0f} MB")

    def counting(self, what: str, done: int, total: int) -> None:
        """Show how many of some samples are done."""
        self._show(f"{what} {done:,} of {total:,} samples")

    def preparation(self, preparation: Preparation) -> None:
        """Show what an engine is busy with; called from any thread."""
        size = ""
        if preparation.total_bytes:
            size = f" {preparation.done_bytes / 1e6:,.0f} of {preparation.total_bytes / 1e6:,.0f} MB"
        self._show(preparation.message + size, at_once=not preparation.total_bytes)

    def line(self, text: str) -> None:
        """Write a line that stays."""
        with self._lock:
            self._clear()
            print(" ".join(text.split()), file=self._stream, flush=True)

    def problem(self, error: Exception | str) -> None:
        """Write what went wrong, in one line."""
        self.line(f"{PROGRAM}: {error}")

    def _show(self, text: str, *, at_once: bool = False) -> None:
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


def dump(document: object) -> str:
    """Return ``document`` as JSON that every reader takes: ASCII, no NaN."""
    return json.dumps(document, indent=2, allow_nan=False)


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 1) -> str:
    """Return rows under a header, columns aligned: the first ``left`` to the left, others to the right."""
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
    """Return one row a video that was embedded."""
    rows = []
    for document in documents:
        video, (kind, value) = document["video"], next(iter(document["sampling"].items()))
        length = format_duration(video["duration_s"])
        rows.append(
            (video["name"], f"{video['samples']:,}", length, f"{kind} {value}", document["engine"]["id"])
        )
    return table(("video", "samples", "length", "sampling", "engine"), rows)


def analysis_table(head: str, analysis: Analysis, *, samples: bool) -> str:
    """Return the analysis for people: metrics, segments, and the samples where asked for."""
    blocks = [head, _metrics_table(analysis)]
    if analysis.segments:
        blocks.append(_segments_table(analysis))
    if samples:
        blocks.append(_samples_table(analysis))
    return "\n\n".join(blocks)


def _metrics_table(analysis: Analysis) -> str:
    times = ("first", "last", "duration", "share", "segments", "longest")
    header = ("label", "role", "present", *times, "mean", "peak", "peak at")
    rows = [
        (
            m.label,
            m.role,
            "yes" if m.present else "no",
            _time(m.first_seen_s),
            _time(m.last_seen_s),
            format_duration(m.duration_s),
            f"{m.share * 100:.1f} %",
            str(m.segments),
            _NOTHING if m.longest_s is None else format_duration(m.longest_s),
            _score(m.mean_score),
            _score(m.peak_score),
            _time(m.peak_s),
        )
        for m in analysis.metrics
    ]
    return table(header, rows, left=3)


def _segments_table(analysis: Analysis) -> str:
    rows = [
        (
            segment.label,
            format_time(segment.start_s),
            format_time(segment.end_s),
            _score(segment.mean_score),
            _score(segment.peak_score),
            format_time(segment.peak_s),
        )
        for segment in analysis.segments
    ]
    return table(("segment", "start", "end", "mean", "peak", "peak at"), rows)


def _samples_table(analysis: Analysis) -> str:
    samples = analysis.samples
    rows = [
        (
            label or _NOTHING,
            str(frame),
            format_time(time_s),
            *(_score(score) for score in scores),
        )
        for label, frame, time_s, scores in zip(
            analysis.sample_labels,
            samples.frames.tolist(),
            samples.times_s.tolist(),
            analysis.scores.tolist(),
            strict=True,
        )
    ]
    return table(("sample", "frame", "time", *analysis.labels), rows)


def _time(seconds: float | None) -> str:
    return _NOTHING if seconds is None else format_time(seconds)


def _score(score: float | None) -> str:
    return _NOTHING if score is None else f"{score:.3f}"
