"""Ground truth -> text, in every format that ``lib.ground_truth.parsing`` reads back.

Strings out, no files; times are seconds.
"""

from __future__ import annotations

import csv
import html
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from lib.core.errors import InputError
from lib.core.labelled_intervals import TrueSegment
from lib.ground_truth.formats import GroundTruthFormat


class _Lines(list[str]):
    """A list that the CSV writer can write to."""

    def write(self, text: str) -> int:
        self.append(text)
        return len(text)


def write_truth(
    segments: Sequence[TrueSegment],
    kind: GroundTruthFormat,
    *,
    video: str = "",
    rate: Fraction | float | None = None,
) -> str:
    """Return ``segments`` in a format that ``parse_truth`` reads back.

    JSON and CSV keep every digit, Audacity microseconds, WebVTT milliseconds, and Label Studio whole frames.

    Args:
        segments: any, in the order in which they are written.
        kind: the format.
        video: name of the video, written where the format has a place for it.
        rate: frames per second; only Label Studio needs it.

    Raises:
        InputError: Label Studio without a rate.
    """
    if kind == "label_studio":
        return _write_label_studio(segments, video, rate)
    segments = [replace(segment, label=" ".join(segment.label.split())) for segment in segments]  # no line breaks
    writers: dict[GroundTruthFormat, Callable[[], str]] = {
        "json": lambda: _write_json(segments, video),
        "csv": lambda: _write_csv(segments),
        "vtt": lambda: _write_vtt(segments),
        "audacity": lambda: "".join(f"{s.start_s:.6f}\t{s.end_s:.6f}\t{s.label}\n" for s in segments),
    }
    return writers[kind]()


def _write_json(segments: Sequence[TrueSegment], video: str) -> str:
    listed = [{"label": s.label, "start_s": s.start_s, "end_s": s.end_s} for s in segments]
    head = {"video": video} if video else {}
    return json.dumps({**head, "segments": listed}, ensure_ascii=False, indent=2) + "\n"


def _write_csv(segments: Sequence[TrueSegment]) -> str:
    lines = _Lines()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(["label", "start", "end"])
    writer.writerows([s.label, _exactly(s.start_s), _exactly(s.end_s)] for s in segments)
    return "".join(lines)


def _exactly(seconds: float) -> str:
    """Return the shortest text that is read as the same float, without an exponent."""
    return f"{Decimal(repr(float(seconds))):f}"


def _write_vtt(segments: Sequence[TrueSegment]) -> str:
    cues = [f"{_vtt_time(s.start_s)} --> {_vtt_time(s.end_s)}\n{html.escape(s.label, quote=False)}\n" for s in segments]
    return "\n".join(["WEBVTT\n", *cues])


def _vtt_time(seconds: float) -> str:
    whole, rest = divmod(round(seconds * 1000), 1000)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}.{rest:03d}"


def _write_label_studio(segments: Sequence[TrueSegment], video: str, rate: Fraction | float | None) -> str:
    if not rate:
        raise InputError("Label Studio counts in frames, and the rate of this video is unknown; choose another format.")
    exact = Fraction(rate)
    results = []
    for number, segment in enumerate(segments, start=1):
        first, last = (round(Fraction(time_s) * exact) for time_s in (segment.start_s, segment.end_s))
        value = {
            "ranges": [{"start": first + 1, "end": max(first + 1, last)}],
            "timelinelabels": [segment.label],
        }
        results.append(
            {
                "id": f"segment-{number}",
                "from_name": "timelineLabels",
                "to_name": "video",
                "type": "timelinelabels",
                "value": value,
            }
        )
    task = {"data": {"video": video, "fps": float(exact)}, "annotations": [{"result": results}]}
    return json.dumps([task], ensure_ascii=False, indent=2) + "\n"
