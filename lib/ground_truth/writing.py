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
from typing import Any

from lib.core.errors import InputError
from lib.core.labelled_intervals import TrueSegment
from lib.ground_truth.cues import without_markup
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
    return _task(video, rate, {"annotations": [{"result": _results(segments, rate)}]})


def write_srt(segments: Sequence[TrueSegment]) -> str:
    """Return SubRip. Text is written as it is, but for what would be taken for markup."""
    cues = []
    for number, one in enumerate(segments, start=1):
        plain = without_markup(one.label) == one.label and "-->" not in one.label
        text = one.label if plain else html.escape(one.label, quote=False)
        start, end = (_vtt_time(time_s).replace(".", ",") for time_s in (one.start_s, one.end_s))
        cues.append(f"{number}\n{start} --> {end}\n{text}\n")
    return "\n".join(cues)


def write_predictions(
    scored: Sequence[tuple[TrueSegment, float]], *, video: str, rate: Fraction | float | None, model: str
) -> str:
    """Return segments with their scores as predictions of Label Studio, which people there correct.

    Args:
        scored: segments, each with its score.
        video: name of the video.
        rate: frames per second.
        model: what predicted them, in words.

    Raises:
        InputError: the rate is unknown.
    """
    results = _results([segment for segment, _ in scored], rate)
    with_scores = [{**one, "score": score} for one, (_, score) in zip(results, scored, strict=True)]
    return _task(video, rate, {"predictions": [{"model_version": model, "result": with_scores}]})


def _task(video: str, rate: Fraction | float | None, content: dict[str, Any]) -> str:
    task = {"data": {"video": video, "fps": float(Fraction(rate or 0))}, **content}
    return json.dumps([task], ensure_ascii=False, indent=2) + "\n"


def _results(segments: Sequence[TrueSegment], rate: Fraction | float | None) -> list[dict[str, Any]]:
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
    return results
