"""What the player's lanes get: small words with every edit, arrays by URL and only when they changed."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lib import lanes as arrays
from lib.analysis import Analysis
from lib.truth import TrueSegment
from lib.ui import routes

_INLINE_SEGMENTS = 2_000
"""Up to so many segments (26 bytes each) travel with the message itself, which saves a threshold edit a request."""


def lanes(
    analysis: Analysis,
    colours: Mapping[str, str],
    *,
    thumbnails: str | None,
    truth: Sequence[TrueSegment] = (),
    duration_s: float | None = None,
) -> dict[str, Any]:
    """Return the ``lanes`` of ``player``.

    Args:
        analysis: what to draw.
        colours: hex colour of every label, as for the charts.
        thumbnails: base URL from ``routes.url_for_thumbnails``; None draws no filmstrip.
        truth: ground truth; drawn in a lane of its own, in the colour of the prompt of the same name.
        duration_s: end of the time axis where that is later than the samples' (a video embedded in part).
    """
    own, shared = arrays.shown_thresholds(analysis)
    axis = arrays.score_axis(analysis)
    by_name = {label.casefold(): colours[label] for label in analysis.labels}
    return {
        "duration": max(analysis.samples.duration_s, duration_s or 0.0),
        "step": analysis.samples.step_s,
        "score": analysis.prompt_set.settings.score,
        "axis": {"low": axis.low, "high": axis.high, "ticks": list(axis.ticks)},
        "labels": [
            {"name": label, "colour": colours[label], "own": threshold}
            for label, threshold in zip(analysis.labels, own, strict=True)
        ],
        "shared": shared,
        "base": _by_url("base", lambda: arrays.base_arrays(analysis), *_base_content(analysis)),
        "lines": _by_url("lines", lambda: arrays.line_arrays(analysis), analysis.scores),
        "segments": _segments(analysis),
        "truth": [
            {
                "label": one.label,
                "start": one.start_s,
                "end": one.end_s,
                "colour": by_name.get(one.label.casefold()),
            }
            for one in truth
        ],
        "gaps": analysis.samples.gaps_s.tolist(),
        "thumbs": thumbnails,
    }


def side_by_side(
    a: Mapping[str, Any],
    b: Mapping[str, Any],
    differences: Sequence[arrays.Difference],
    *,
    only_differences: bool = False,
) -> dict[str, Any]:
    """Return the ``lanes`` of ``player`` for a comparison: A's lanes, B's, and one of where they differ.

    Args:
        a: what ``lanes`` gave for side A; the thumbnails are A's.
        b: the same for side B, with the same truth.
        differences: in order of time, no two at a time.
        only_differences: veil what both sides agree on, and skip it in playing.
    """
    names = [[label["name"] for label in side["labels"]] for side in (a, b)]
    found = arrays.difference_arrays(differences, *names)
    coloured = [
        {**one, "colour": one["colour"] or other["colour"]}
        for one, other in zip(a["truth"], b["truth"], strict=True)
    ]
    return {
        **a,
        "duration": max(a["duration"], b["duration"]),
        "truth": coloured,
        "side": "A",
        "beside": {**b, "truth": [], "side": "B"},
        "differences": _packed("differences", found, len(differences)),
        "only": only_differences,
    }


def _base_content(analysis: Analysis) -> tuple[Any, ...]:
    return analysis.samples.times_s, analysis.samples.frames, analysis.vector_change


def _segments(analysis: Analysis) -> dict[str, str]:
    return _packed("segments", arrays.segment_arrays(analysis), len(analysis.segments))


def _packed(kind: str, found: Mapping[str, Any], count: int) -> dict[str, str]:
    if count <= _INLINE_SEGMENTS:
        return {"inline": base64.b64encode(arrays.pack(found)).decode()}
    return _by_url(kind, lambda: found, *found.values())


def _by_url(kind: str, make: Callable[[], Mapping[str, Any]], *content: Any) -> dict[str, str]:
    """Return the URL of arrays that are made when they are asked for; ``content`` is what they depend on."""
    key = f"{kind}|{arrays.content_key(*content)}"
    return {"url": routes.url_for_pack(key, lambda: arrays.pack(make()))}
