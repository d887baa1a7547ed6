"""What charts draw, as small tables: one window of the video, reduced so that no peak is lost.

Conventions: times and durations in seconds. A window ``(start_s, end_s)`` shows the samples in ``[start_s, end_s]``.
The tables of one chart have different columns each: Streamlit names a chart's tables by their
content, and two equal ones would become one, which makes the browser rebuild the chart.

Reduction keeps, for each label, the lowest and the highest sample of each bucket of neighbouring samples,
and the first and the last one. It is for drawing only; metrics, segments and histograms use all samples.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lib.analysis.analysis import Analysis
from lib.charts.palette import chart_label
from lib.charts.player_arrays import content_key
from lib.core.formatting import format_duration, format_time
from lib.core.samples import Samples

MAX_BREAKS = 200
"""Gaps without samples at which lines are interrupted: the longest in view."""
MAX_POINTS = 1_000
"""More samples than this in a window are reduced: a plot is about as many pixels wide."""
MAX_ROWS = 6_000
"""Points of all labels together: with more than six labels each gets fewer."""
MIN_POINTS = 300
"""Points that every label gets, however many labels there are."""
MAX_MOMENTS = 600
"""Times that the pointer can select; about one per pixel or two."""
TOOLTIP_LABELS = 30
"""Labels whose scores are shown at the pointer."""
MAX_BARS = 1_900
"""More segments than this in a window are drawn together with their near neighbours. From 2,000 marks on
Streamlit draws in another way, which would make the browser rebuild the chart."""
OVERVIEW_ROWS = 2_500
"""Points of all labels together in the overview strip."""
HISTOGRAM_BINS = 40
RAW_NOTE = "faint: before smoothing"

_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ChartData:
    """The tables of one window."""

    start_s: float
    end_s: float
    labels: tuple[str, ...]
    score: str
    """Name of the score: cosine, probability or margin."""
    edges: pd.DataFrame
    """``edge_s``: start and end of the window; they span the time axis."""
    gaps: pd.DataFrame
    """``gap_s, gap_end_s, gap``: the stretches without frames inside the window, and a sentence; the longest."""
    lines: pd.DataFrame
    """``time_s, label, score``: what is drawn of each label. Where the window cuts between two samples, the
    line goes on to its edge."""
    raw: pd.DataFrame
    """``raw_time_s, raw_label, raw_score``: the same of the scores before smoothing; no rows where they are equal."""
    raw_note: pd.DataFrame
    """``note``: what the legend says of them; no row where there are none."""
    own_thresholds: pd.DataFrame
    """``threshold_label, threshold``: of labels with their own; no rows where the decision uses none."""
    shared_threshold: pd.DataFrame
    """``shared_threshold``: the settings' one, if a label without its own is decided by it."""
    moments: pd.DataFrame
    """``seconds, time``, and a column per label (of the first 30): times to point at, as number and text, and the
    scores there, as text. Of neighbouring samples that share a pixel, the one with the highest score. It is the
    tooltip, so the columns have displayed names."""
    bars: pd.DataFrame
    """``label, start_s, end_s, from_s, to_s`` (the part inside the window), and texts for the tooltip."""
    change: pd.DataFrame
    """``change_time_s, change``: 1 - cosine of neighbouring vectors."""
    change_moments: pd.DataFrame
    """``seconds, time, change``: times to point at in the change lane; of several the largest change."""
    spikes: pd.DataFrame
    """``spike_s, spike, time``."""


def clamp_window(window: tuple[float, float] | None, samples: Samples) -> tuple[float, float]:
    """Return a window inside the video and at least a millisecond long; None is the whole video."""
    first, last = samples.start_s, samples.end_s
    start, end = window if window is not None else (first, last)
    start = min(max(float(start), first), max(last - 1e-3, first))
    return start, max(min(float(end), last), start + 1e-3)


def chart_data(analysis: Analysis, *, window: tuple[float, float] | None = None) -> ChartData:
    """Return the tables of ``window``; None shows the whole video.

    Those that don't depend on thresholds are the same objects as for another analysis of the same scores.
    """
    start, end = clamp_window(window, analysis.samples)
    own, shared = _thresholds(analysis)
    return ChartData(
        start_s=start,
        end_s=end,
        labels=analysis.labels,
        score=analysis.prompt_set.settings.score,
        own_thresholds=own,
        shared_threshold=shared,
        bars=_bars(analysis, start, end),
        **_of_scores(_View(analysis, start, end)),
    )


@dataclass(frozen=True)
class _View:
    """A window of an analysis; equal to another of the same samples and scores, whatever was decided."""

    analysis: Analysis = field(compare=False)
    start_s: float
    end_s: float
    content: str = ""

    def __post_init__(self) -> None:
        of, samples = self.analysis, self.analysis.samples
        numbers = content_key(samples.times_s, samples.gaps_s, of.vector_change, of.scores, of.raw)
        object.__setattr__(self, "content", json.dumps([of.labels, samples.end_s, numbers]))


@lru_cache(maxsize=8)
def _of_scores(view: _View) -> dict[str, pd.DataFrame]:
    analysis, window = view.analysis, (view.start_s, view.end_s)
    inside = slice(*np.searchsorted(analysis.samples.times_s, (window[0], np.nextafter(window[1], np.inf))))
    points = max(min(MAX_POINTS, MAX_ROWS // max(len(analysis.labels), 1)), MIN_POINTS)
    lines = _lines(analysis, analysis.scores, inside, window, points)
    raw = _lines(analysis, analysis.raw, inside, window, points) if analysis.is_smoothed else lines[:0]
    return {
        "edges": edges(analysis, window),
        "gaps": gaps(analysis, window),
        "lines": lines,
        "raw": raw.add_prefix("raw_"),
        "raw_note": pd.DataFrame({"note": pd.Series([RAW_NOTE] * analysis.is_smoothed, dtype=object)}),
        "moments": _moments(analysis, inside),
        "change": _change(analysis, inside, points),
        "change_moments": _change_moments(analysis, inside),
        "spikes": _spikes(analysis, inside),
    }


def overview_data(analysis: Analysis) -> dict[str, pd.DataFrame]:
    """Return the tables of the whole video: ``overview`` (``time_s, label, score``), coarsely, ``edges``, ``gaps``."""
    return _overview(_View(analysis, *clamp_window(None, analysis.samples)))


@lru_cache(maxsize=8)
def _overview(view: _View) -> dict[str, pd.DataFrame]:
    analysis = view.analysis
    points = max(OVERVIEW_ROWS // len(analysis.labels), 200)
    window = view.start_s, view.end_s
    lines = _lines(analysis, analysis.scores, slice(0, len(analysis.samples)), window, points)
    return {"overview": lines, "edges": edges(analysis), "gaps": gaps(analysis)}


def edges(analysis: Analysis, window: tuple[float, float] | None = None) -> pd.DataFrame:
    """Return ``edge_s``: start and end of the window."""
    return pd.DataFrame({"edge_s": clamp_window(window, analysis.samples)})


def gaps(analysis: Analysis, window: tuple[float, float] | None = None) -> pd.DataFrame:
    """Return ``gap_s, gap_end_s, gap``: the longest stretches without frames inside the window, and a sentence each."""
    start, end = clamp_window(window, analysis.samples)
    found = analysis.samples.gaps_s
    found = found[(found[:, 1] > start) & (found[:, 0] < end)]
    found = found[np.sort(np.argsort(found[:, 0] - found[:, 1], kind="stable")[:MAX_BREAKS])]
    words = [f"no frames from {format_time(a)} to {format_time(b)}" for a, b in found.tolist()]
    inside = found.clip(start, end)
    return pd.DataFrame({"gap_s": inside[:, 0], "gap_end_s": inside[:, 1], "gap": pd.Series(words, dtype=object)})


def bucket_size(n: int, count: int) -> int:
    """Return how many of ``n`` rows fall into each of at most ``count`` buckets; the last may have fewer."""
    return max(-(-n // count), 1)


def extremes(values: _Floats, points: int) -> list[_Ints]:
    """Return, for each column of ``(n, p)``, the rows to draw: ascending, at most ``points`` (4 or more) of them."""
    n, p = values.shape
    if n <= points:
        return [np.arange(n)] * p
    size = bucket_size(n, (points - 2) // 2)
    starts = np.arange(0, n, size)
    # Padding repeats the last row; argmin and argmax take the first of equals, so never a padded row.
    padded = np.concatenate([values, np.repeat(values[-1:], len(starts) * size - n, axis=0)])
    grouped = padded.reshape(len(starts), size, p)
    ends = np.broadcast_to(np.array([[0], [n - 1]]), (2, p))
    lowest, highest = grouped.argmin(axis=1) + starts[:, None], grouped.argmax(axis=1) + starts[:, None]
    rows = np.concatenate([ends[:1], lowest, highest, ends[1:]])
    rows.sort(axis=0)
    return [column[np.append(True, np.diff(column) > 0)] for column in rows.T]


def _lines(
    analysis: Analysis, scores: _Floats, inside: slice, window: tuple[float, float], points: int
) -> pd.DataFrame:
    times = analysis.samples.times_s
    rows = extremes(scores[inside], points)
    # Where the window cuts a line between two samples, the line goes on to the edge.
    left = _at(window[0], times, scores, inside.start)
    right = _at(window[1], times, scores, inside.stop)
    inner_times, inner_scores = times[inside], scores[inside]
    breaks = _breaks(analysis.samples.gaps_s, window)
    parts_t: list[_Floats] = []
    parts_s: list[_Floats] = []
    for column, drawn in enumerate(rows):
        before = np.searchsorted(inner_times[drawn], breaks)
        middle_t = np.insert(inner_times[drawn], before, breaks)
        middle_s = np.insert(inner_scores[drawn, column], before, np.nan)
        parts_t += [left[0], middle_t, right[0]]
        parts_s += [left[1][:, column], middle_s, right[1][:, column]]
    counts = [len(left[0]) + len(drawn) + len(breaks) + len(right[0]) for drawn in rows]
    return pd.DataFrame(
        {
            "time_s": np.concatenate(parts_t),
            "label": _labels(analysis.labels, np.repeat(np.arange(len(counts)), counts)),
            "score": np.concatenate(parts_s),
        }
    )


def _breaks(gaps_s: _Floats, window: tuple[float, float]) -> _Floats:
    """Return where a line is interrupted by a row without a score: the starts of the longest gaps in view."""
    in_view = gaps_s[(gaps_s[:, 0] > window[0]) & (gaps_s[:, 0] < window[1])]
    longest = np.argsort(in_view[:, 0] - in_view[:, 1], kind="stable")[:MAX_BREAKS]
    return np.sort(in_view[longest, 0])


def _at(time_s: float, times: _Floats, scores: _Floats, after: int) -> tuple[_Floats, _Floats]:
    """Return ``time_s`` and the scores there, on a straight line to the sample ``after``; maybe no row."""
    if not 0 < after < len(times):
        return np.zeros(0), np.zeros((0, scores.shape[1]))
    weight = (time_s - times[after - 1]) / (times[after] - times[after - 1])
    return np.array([time_s]), ((1 - weight) * scores[after - 1] + weight * scores[after])[None]


def _thresholds(analysis: Analysis) -> tuple[pd.DataFrame, pd.DataFrame]:
    own = [prompt for prompt in analysis.prompts if prompt.threshold is not None and analysis.uses_thresholds]
    shared = analysis.uses_thresholds and len(own) < len(analysis.labels)
    return (
        pd.DataFrame(
            {
                "threshold_label": pd.Series([chart_label(prompt.label) for prompt in own], dtype=object),
                "threshold": pd.Series([prompt.threshold for prompt in own], dtype=float),
            }
        ),
        pd.DataFrame({"shared_threshold": pd.Series([analysis.prompt_set.settings.threshold] * shared, dtype=float)}),
    )


def _moments(analysis: Analysis, inside: slice) -> pd.DataFrame:
    times, scores = analysis.samples.times_s[inside], analysis.scores[inside]
    rows = _highest(scores.max(axis=1) if scores.size else np.zeros(0), MAX_MOMENTS)
    columns: dict[str, Any] = {"seconds": _pointed_at(times[rows]), "time": _texts(times[rows])}
    for label, column in zip(analysis.labels[:TOOLTIP_LABELS], scores[rows].T, strict=False):
        columns[_column_name(label)] = _scores_as_text(column)
    return pd.DataFrame(columns)


def _change(analysis: Analysis, inside: slice, points: int) -> pd.DataFrame:
    times, change = analysis.samples.times_s[inside], analysis.vector_change[inside]
    rows = extremes(change[:, None], points)[0]
    drawn, values = times[rows], change[rows]
    window = (float(drawn[0]), float(drawn[-1])) if len(drawn) else (0.0, 0.0)
    breaks = _breaks(analysis.samples.gaps_s, window)
    before = np.searchsorted(drawn, breaks)
    return pd.DataFrame(
        {"change_time_s": np.insert(drawn, before, breaks), "change": np.insert(values, before, np.nan)}
    )


def _change_moments(analysis: Analysis, inside: slice) -> pd.DataFrame:
    times, change = analysis.samples.times_s[inside], analysis.vector_change[inside]
    rows = _highest(change, MAX_MOMENTS)
    texts = {"time": _texts(times[rows]), "change": _scores_as_text(change[rows])}
    return pd.DataFrame({"seconds": _pointed_at(times[rows]), **texts})


def _spikes(analysis: Analysis, inside: slice) -> pd.DataFrame:
    rows = np.flatnonzero(analysis.spikes[inside]) + inside.start
    if len(rows) > MAX_MOMENTS:  # of neighbours, the largest is drawn
        rows = rows[_highest(analysis.vector_change[rows], MAX_MOMENTS)]
    times = analysis.samples.times_s[rows]
    return pd.DataFrame({"spike_s": times, "spike": analysis.vector_change[rows], "time": _texts(times)})


def _highest(values: _Floats, count: int) -> _Ints:
    """Return the row of the highest value of each of at most ``count`` buckets."""
    n = len(values)
    if n <= count:
        return np.arange(n)
    size = bucket_size(n, count)
    starts = np.arange(0, n, size)
    padded = np.append(values, np.full(len(starts) * size - n, -np.inf))
    highest: _Ints = padded.reshape(len(starts), size).argmax(axis=1) + starts
    return highest


def _bars(analysis: Analysis, start_s: float, end_s: float) -> pd.DataFrame:
    segments = [s for s in analysis.segments if s.end_s > start_s and s.start_s < end_s]
    place = {label: column for column, label in enumerate(analysis.labels)}
    label = np.array([place[s.label] for s in segments], dtype=np.int64)
    start = np.array([s.start_s for s in segments])
    end = np.array([s.end_s for s in segments])
    mean = np.array([s.mean_score for s in segments])
    peak = np.array([s.peak_score for s in segments])
    lasts, pieces = end - start, np.ones(len(segments), dtype=np.int64)
    if len(segments) > MAX_BARS:
        order = np.lexsort((start, label))
        label, start, end, mean, peak, lasts = (x[order] for x in (label, start, end, mean, peak, lasts))
        # Bars of a label are then at least this far apart, so that all labels have no more than the limit.
        near = (end_s - start_s) * len(analysis.labels) / (MAX_BARS - len(analysis.labels))
        separate = (np.diff(label) != 0) | (start[1:] - end[:-1] >= near)
        heads = np.append(0, np.flatnonzero(separate) + 1)
        tails = np.append(heads[1:], len(label)) - 1
        mean = np.add.reduceat(mean * lasts, heads) / np.add.reduceat(lasts, heads)
        peak, lasts = np.maximum.reduceat(peak, heads), np.add.reduceat(lasts, heads)
        label, start, end, pieces = label[heads], start[heads], end[tails], tails - heads + 1
    return pd.DataFrame(
        {
            "label": _labels(analysis.labels, label),
            "start_s": start,
            "end_s": end,
            "from_s": np.maximum(start, start_s),
            "to_s": np.minimum(end, end_s),
            "start": _texts(start),
            "end": _texts(end),
            "duration": pd.Series([format_duration(x) for x in lasts.tolist()], dtype=object),
            "mean": mean,
            "peak": peak,
            "segments": pieces,
        }
    )


def histogram(analysis: Analysis, label: str | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return how many seconds have which score, of one label or (None) of all, and the thresholds among them.

    ``label, score, from_score, to_score, seconds``: bins of equal width over all labels (``score`` is the middle);
    ``threshold_label, threshold``: one row per label, none where the decision uses no thresholds.
    """
    columns = range(len(analysis.labels)) if label is None else [analysis.column(label)]
    scores, spans = analysis.scores[:, list(columns)], analysis.samples.spans_s
    low, high = (float(scores.min()), float(scores.max())) if scores.size else (0.0, 1.0)
    if high - low < 1e-6:
        low, high = low - 0.005, high + 0.005
    edges = np.linspace(low, high, HISTOGRAM_BINS + 1)
    seconds = [np.histogram(scores[:, i], bins=edges, weights=spans)[0] for i in range(scores.shape[1])]
    names = [chart_label(analysis.labels[column]) for column in columns]
    bins = pd.DataFrame(
        {
            "label": np.repeat(np.array(names, dtype=object), HISTOGRAM_BINS),
            "score": np.tile((edges[:-1] + edges[1:]) / 2, len(names)),
            "from_score": np.tile(edges[:-1], len(names)),
            "to_score": np.tile(edges[1:], len(names)),
            "seconds": np.concatenate(seconds),
        }
    )
    decided = [column for column in columns if analysis.uses_thresholds]
    thresholds = pd.DataFrame(
        {
            "threshold_label": pd.Series([chart_label(analysis.labels[column]) for column in decided], dtype=object),
            "threshold": pd.Series([float(analysis.thresholds[column]) for column in decided], dtype=float),
        }
    )
    return bins, thresholds


def _labels(labels: Sequence[str], codes: _Ints) -> pd.Series[Any]:
    return pd.Series(
        pd.Categorical.from_codes(codes, categories=pd.Index(list(map(chart_label, labels)), dtype=object))
    )


def _texts(times: _Floats) -> pd.Series[Any]:
    return pd.Series([format_time(time) for time in times.tolist()], dtype=object)


def _pointed_at(times: _Floats) -> _Floats:
    """Return times rounded up to 0.1 ms, so that a player shows their samples and not the ones before."""
    rounded: _Floats = np.ceil(times * 1e4 - 1e-6) / 1e4
    return rounded


def _scores_as_text(scores: _Floats) -> pd.Series[Any]:
    return pd.Series([f"{score:.3f}" for score in scores.tolist()], dtype=object)


def _column_name(label: str) -> str:
    """Return the column name of a label's scores; some names have another meaning in a tooltip."""
    return f"{label}\u00a0" if label in ("seconds", "time", "title", "image") else chart_label(label)
