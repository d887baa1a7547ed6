"""The data of the player's lanes: a small message with every edit, and arrays by URL, only when they changed."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.analysis.analysis import Analysis
from lib.charts import player_arrays as arrays
from lib.charts.palette import dashes, swatch
from lib.core.labelled_intervals import TrueSegment, label_key
from lib.core.samples import Samples
from lib.prompts.model import Settings
from lib.ui.server import routes

_MOST_INLINE = 2_000
"""Up to this many segments (26 bytes each) are part of the message, which saves a request for each threshold edit."""


def lanes(
    analysis: Analysis,
    colours: Mapping[str, str],
    *,
    thumbnails: str | None,
    truth: Sequence[TrueSegment] = (),
    end_s: float | None = None,
    thresholds: tuple[float, float, float, str] | None = None,
    band: tuple[float, float] | None = None,
    wrong: Sequence[tuple[str, float, float]] = (),
) -> dict[str, Any]:
    """Return the ``lanes`` of ``player``.

    Args:
        analysis: what to draw.
        colours: hex colour of every label, as for the charts.
        thumbnails: base URL from ``routes.url_for_thumbnails``; None draws no filmstrip.
        truth: ground truth; drawn in its own lane, in the colour of the prompt with the same name.
        end_s: end of the time axis where that is later than the samples' end (a partly embedded video).
        thresholds: lowest, highest and step of the thresholds where they can be dragged in the lanes, and the CSS class
            of the shared one's slider on the page, which the lanes follow; None: they can't be dragged.
        band: lowest and highest score of the reference band, drawn behind the lines; None draws none.
        wrong: label, start and end of what is hatched in the lanes, as ``Evaluation.wrong`` has it.
    """
    own, shared = arrays.shown_thresholds(analysis)
    axis = arrays.score_axis(analysis, band)
    by_name = {label_key(label): colours[label] for label in analysis.labels}
    return {
        **_of_the_video(analysis.samples, analysis.vector_change, thumbnails, end_s),
        "score": analysis.prompt_set.settings.score,
        "axis": {"low": axis.low, "high": axis.high, "ticks": list(axis.ticks)},
        "labels": [
            {
                "name": prompt.label,
                "key": label_key(prompt.label),
                "colour": colours[prompt.label],
                "dash": dashes(colours[prompt.label]),
                "swatch": swatch(colours[prompt.label]),
                "rest": prompt.role == "background",
                "own": threshold,
                "peak": metrics.peak_score,
                "answer": answer,
            }
            for prompt, threshold, metrics, answer in zip(
                analysis.prompts, own, analysis.metrics, analysis.answers, strict=True
            )
        ],
        "shared": shared,
        "band": band,
        "last": analysis.samples.end_s,
        "length": analysis.samples.duration_s,
        "thresholds": thresholds,
        "decision": _decision(analysis.prompt_set.settings),
        "lines": _by_url("lines", lambda: arrays.line_arrays(analysis), analysis.scores, analysis.raw),
        "segments": _packed(
            "segments",
            arrays.segment_arrays(analysis.segments, analysis.labels),
            len(analysis.segments),
        ),
        "truth": _truth(truth, by_name),
        "wrong": _packed("wrong", arrays.wrong_arrays(wrong, analysis.labels), len(wrong)) if wrong else None,
    }


def _decision(settings: Settings) -> dict[str, Any] | None:
    """Return what the browser needs to decide by itself; None where it can't."""
    if settings.smoothing.kind == "viterbi":
        return None
    names = ("decision", "hysteresis", "bridge_s", "min_duration_s")
    shortest = f"{settings.min_duration_s:g}"
    return {name: getattr(settings, name) for name in names} | {"cuts": settings.stop_at_cuts, "shortest": shortest}


def without_prompts(
    samples: Samples | None,
    change: NDArray[np.float64] | None = None,
    *,
    thumbnails: str | None,
    truth: Sequence[TrueSegment] = (),
    start_s: float = 0.0,
    end_s: float | None = None,
) -> dict[str, Any] | None:
    """Return the ``lanes`` of ``player`` without prompts: frames, their change, and the ground truth.

    Args:
        samples: of the embedding; None where there is none yet, so without frames.
        change: ``lib.analysis.scoring.vector_change`` of their vectors, ``(n,)``.
        thumbnails: as for ``lanes``.
        truth: as for ``lanes``; drawn in grey.
        start_s: start of the time axis where there are no samples.
        end_s: as for ``lanes``.

    Returns:
        None where there is nothing to draw.
    """
    if samples is None or change is None or not len(samples):
        if not truth:
            return None
        samples, change = _no_samples(start_s, end_s or max(segment.end_s for segment in truth)), np.zeros(0)
        thumbnails = None
    return {
        **_of_the_video(samples, change, thumbnails, end_s),
        "score": "",
        "axis": {"low": 0.0, "high": 1.0, "ticks": []},
        "labels": [],
        "shared": None,
        "lines": _packed("lines", {"scores": np.zeros((0, len(samples)), dtype=np.float32)}, 0),
        "segments": _packed("segments", arrays.segment_arrays((), ()), 0),
        "truth": _truth(truth, {}),
    }


def _no_samples(start_s: float, end_s: float) -> Samples:
    return Samples(np.zeros(0, np.int64), np.zeros(0), np.zeros((0, 0), np.float32), end_s, start_s=start_s)


def _of_the_video(
    samples: Samples, change: NDArray[np.float64], thumbnails: str | None, end_s: float | None
) -> dict[str, Any]:
    content = samples.times_s, samples.frames, change
    return {
        "first": samples.start_s,
        "end": max(samples.end_s, end_s or 0.0),
        "step": samples.step_s,
        "base": _by_url("base", lambda: arrays.base_arrays(samples, change), *content),
        "gaps": samples.gaps_s.tolist(),
        "thumbs": thumbnails,
    }


def _truth(truth: Sequence[TrueSegment], colours: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "label": segment.label,
            "key": label_key(segment.label),
            "start": segment.start_s,
            "end": segment.end_s,
            "colour": colours.get(label_key(segment.label)),
        }
        for segment in truth
    ]


def side_by_side(
    a: Mapping[str, Any],
    b: Mapping[str, Any],
    differences: Sequence[arrays.Difference],
    *,
    only_differences: bool = False,
) -> dict[str, Any]:
    """Return the ``lanes`` of ``player`` for a comparison: A's lanes, B's, and one of where they differ.

    Thumbnails and truth are A's. ``only_differences`` dims where both sides agree, and playback skips it.
    """
    names = [[label["name"] for label in side["labels"]] for side in (a, b)]
    packed = _packed("differences", arrays.difference_arrays(differences, *names), len(differences))
    coloured = [
        {**of_a, "colour": of_a["colour"] or of_b["colour"]} for of_a, of_b in zip(a["truth"], b["truth"], strict=True)
    ]
    return {
        **a,
        "first": min(a["first"], b["first"]),
        "end": max(a["end"], b["end"]),
        "truth": coloured,
        "side": "A",
        "beside": {**b, "truth": [], "side": "B"},
        "differences": packed,
        "only": only_differences,
    }


def _packed(kind: str, content: Mapping[str, Any], count: int) -> dict[str, str]:
    if count <= _MOST_INLINE:
        return {"inline": base64.b64encode(arrays.encode_arrays(content)).decode()}
    return _by_url(kind, lambda: content, *content.values())


def _by_url(kind: str, make: Callable[[], Mapping[str, Any]], *content: Any) -> dict[str, str]:
    """Return the URL of arrays that are made on request; ``content`` is what they depend on."""
    key = f"{kind}|{arrays.content_key(*content)}"
    return {"url": routes.url_for_pack(key, lambda: arrays.encode_arrays(make()))}
