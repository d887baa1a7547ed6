"""Ground truth that lies beside a video: ``<video>.json`` with ``{"segments": [{"label", "start_s", "end_s"}]}``."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from lib.core.labelled_intervals import TrueSegment

_MAX_BYTES = 5_000_000


def sidecar_path(video: Path) -> Path | None:
    """Return where the ground truth of ``video`` would lie; None for a video without a file (an empty path)."""
    return video.with_suffix(".json") if video.name else None


def read_sidecar(video: Path) -> tuple[TrueSegment, ...]:
    """Return the ground truth beside ``video`` in order of time; nothing where there is none or it is no such file.

    A file of that name may be anything, so what can't be read as ground truth is no error here.
    """
    path = sidecar_path(video)
    if path is None:
        return ()
    try:
        if path.stat().st_size > _MAX_BYTES:
            return ()
        data = json.loads(path.read_text(encoding="utf-8"))
        entries = data["segments"]
        segments = [_segment(entry) for entry in entries]
    except (OSError, ValueError, TypeError, KeyError):
        return ()
    return tuple(sorted(segments, key=lambda segment: (segment.start_s, segment.end_s)))


def _segment(entry: dict[str, Any]) -> TrueSegment:
    label, start, end = entry["label"], float(entry["start_s"]), float(entry["end_s"])
    if not isinstance(label, str) or not label.strip() or not 0 <= start < end or not math.isfinite(end):
        raise ValueError("not a segment")
    return TrueSegment(label.strip(), start, end)
