"""What the page shows, decided before anything is drawn: metric, label and order, the table, and the words above it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from lib.comparison.matrix import KINDS, METRICS, OVERALL, Metric, MetricKind, grid, metrics_table, rank, shared_videos
from lib.comparison.wording_sweep import labels_of
from lib.core.formatting import escape_markdown, plural
from lib.core.labelled_intervals import label_key
from lib.evaluation.bootstrap import mean_difference
from lib.evaluation.verdict import FEW
from lib.ui.matrix.rows import MatrixRow
from lib.ui.matrix.settings import MatrixSettings

RANK, NAME, TEMPLATE, MEAN, GAIN = "rank", "name", "template", "mean", "gain"
BY_MEAN, AS_CHOSEN = "rank", "chosen"  # orders of the rows; every other one is a video's SHA-256
# The page's background, and the colour of the best cell, on which the theme's text has a contrast of 5:1 or more.
_HEAT = {"light": ((255, 255, 255), (122, 172, 222)), "dark": ((14, 17, 23), (33, 92, 158))}


@dataclass(frozen=True)
class Matrix:
    """All cells."""

    rows: tuple[MatrixRow, ...]
    videos: Mapping[str, str]
    """SHA-256 -> name, in the order of the columns."""
    cells: Mapping[tuple[str, str], Sequence[Mapping[str, Any]]]
    """What ``lib.comparison.matrix.measure`` gave, by row key and video."""
    frame: pd.DataFrame
    """The same as one row per prompt set, video and label; see ``lib.comparison.matrix.metrics_table``."""

    @classmethod
    def of(
        cls,
        rows: Sequence[MatrixRow],
        videos: Mapping[str, str],
        cells: Mapping[tuple[str, str], Sequence[Mapping[str, Any]]],
    ) -> Matrix:
        """Return the matrix with its frame."""
        return cls(tuple(rows), videos, cells, metrics_table(cells))

    def values(self, metric: Metric, label: str | None) -> pd.DataFrame:
        """Return one row per prompt set and one column per video, float64; see ``lib.comparison.matrix.grid``."""
        keys = [row.key for row in self.rows]
        return grid(self.frame, metric, label, sets=keys, videos=list(self.videos))


@dataclass(frozen=True)
class MatrixView:
    """What is chosen, and what follows from it."""

    sweep: bool
    labels: Sequence[str]
    """To choose from."""
    label: str | None
    """None: the mean over all target labels."""
    metrics: Sequence[Metric]
    """To choose from."""
    metric: Metric
    orders: Mapping[str, str]
    """Key -> title, to choose from."""
    order: str
    caption: str
    """Markdown."""
    verdict: str
    """Which row is best here, and how much evidence that is, as Markdown; empty where nothing is ranked."""
    rows: Sequence[MatrixRow]
    """In that order."""
    values: pd.DataFrame
    """See ``Matrix.values``."""
    ranking: pd.DataFrame
    """``mean`` and ``rank`` by row key."""
    shared: Sequence[str]
    """SHA-256 of the videos that means and ranks are of: those for which all rows have a value."""


def view_of(matrix: Matrix, settings: MatrixSettings, *, swept_label: str | None = None) -> MatrixView:
    """Return the view of ``matrix`` that ``settings`` ask for, as far as the matrix has it.

    A label, an order or a metric that is not available falls back to the default.
    """
    sweep = settings.mode == "sweep"
    labels = labels_of([row.prompt_set for row in matrix.rows])
    label = swept_label if sweep else settings.label or None
    if not sweep and label is not None and label_key(label) not in map(label_key, labels):
        label = None
    chosen_metric = settings.sweep_metric if sweep else settings.metric
    metric = chosen_metric or _default_metric(matrix, label, sweep)
    if label is None and metric == "f1":
        metric = "macro_f1"  # a mean over the labels that each set knows would leave out those that it lacks
    orders = {
        BY_MEAN: "Mean, best first" if KINDS[metric].ranks else "Mean, highest first",
        **({} if sweep else {AS_CHOSEN: "As chosen"}),
        **matrix.videos,
    }
    order = settings.order if settings.order in orders else BY_MEAN
    values = matrix.values(metric, label)
    ranking = rank(values, metric)
    if _unlike(matrix, metric):
        ranking["rank"] = math.nan
    return MatrixView(
        sweep,
        labels,
        label,
        [one for one in METRICS if label is not None or one != "f1"],
        metric,
        orders,
        order,
        caption=_caption(matrix, metric, label, default_of_sweep=sweep and chosen_metric is None)
        + _of_videos(matrix, values, metric),
        verdict=_verdict(matrix, metric, values, ranking),
        rows=_in_order(matrix.rows, order, metric, values, ranking),
        values=values,
        ranking=ranking,
        shared=shared_videos(values),
    )


def _default_metric(matrix: Matrix, label: str | None, sweep: bool) -> Metric:
    """Return the overall score where there is ground truth for the label, else a metric that needs none."""
    if matrix.values("macro_f1" if label is None else "f1", label).notna().any().any():
        return "macro_f1"
    return "separation" if sweep else "share"


def _in_order(
    rows: Sequence[MatrixRow], order: str, metric: Metric, values: pd.DataFrame, ranking: pd.DataFrame
) -> list[MatrixRow]:
    if order == AS_CHOSEN:
        return list(rows)
    ranked = ranking if order == BY_MEAN else rank(values[[order]], metric)
    by_key = {row.key: row for row in rows}
    return [by_key[key] for key in ranked.index]


def _caption(matrix: Matrix, metric: Metric, label: str | None, *, default_of_sweep: bool) -> str:
    kind = KINDS[metric]
    text = f"{kind.title}: {kind.meaning[0].lower()}{kind.meaning[1:]}"
    if metric in OVERALL or metric == "f1":
        names = _videos_with_truth(matrix, metric, label)
        if names:
            text += f", for videos with ground truth: {', '.join(map(escape_markdown, names))}"
            text += f". Ranked by {kind.title}" if default_of_sweep else ""
        else:
            text += "; none of the chosen videos has ground truth for it"
        if metric in OVERALL:
            text += ". It is that of the whole prompt set: a true label without a prompt counts as 0"
    elif metric == "separation":
        text += " (its margin over the best other prompt, split into two groups; the distance between their means)"
        if default_of_sweep:
            text += ". Ranked by separation, as there is no ground truth for the label; a hint, not a proof"
    elif label is None:
        text += ". A cell is the mean over the targets of its prompt set"
    unlike = _unlike(matrix, metric)
    if unlike:
        text += f". The prompt sets have different scores ({', '.join(unlike)}), whose values can’t be compared"
        text += ", so nothing is ranked" if kind.ranks else ""
    if not kind.ranks:
        text += ". More or less of it is neither better nor worse, so nothing is ranked"
    return f"{text}."


def _unlike(matrix: Matrix, metric: Metric) -> list[str]:
    """Return the kinds of score that the rows have, where several and the metric is in the unit of the score."""
    scores: set[str] = {row.prompt_set.settings.score for row in matrix.rows}
    return sorted(scores) if KINDS[metric].in_score and len(scores) > 1 else []


def _of_videos(matrix: Matrix, values: pd.DataFrame, metric: Metric) -> str:
    """Return which videos the means are of, where not all; and how to sort."""
    shared, sort = shared_videos(values), " Click the name of a column to sort by it."
    measured = [video for video in matrix.videos if values[video].notna().any()]
    if len(shared) == len(measured):
        return sort
    if not shared:
        nothing = "ranked" if KINDS[metric].ranks else "averaged"
        return f" No video has a value for every row, so nothing is {nothing}.{sort}"
    names = ", ".join(escape_markdown(matrix.videos[video]) for video in shared)
    return f" {'Ranked' if KINDS[metric].ranks else 'Averaged'} on what all rows share: {names}; others have a ○.{sort}"


def _verdict(matrix: Matrix, metric: Metric, values: pd.DataFrame, ranking: pd.DataFrame) -> str:
    """Return which row is best on the shared videos, against the current one (else the next), and on what evidence."""
    by_key = {row.key: row for row in matrix.rows}
    ranked = [by_key[key] for key in ranking.index[ranking["rank"].notna()]]
    if len(ranked) < 2:
        return ""
    best, other = ranked[0], next((row for row in ranked[1:] if row.current), ranked[1])
    shared, kind = shared_videos(values), KINDS[metric]
    means = [float(ranking["mean"][row.key]) for row in (best, other)]
    by = signed(means[0] - means[1], kind)
    names = [f"**{escape_markdown(title_of(row))}**" for row in (best, other)]
    on = f"{kind.title} {kind.text(means[0])} against {kind.text(means[1])} ({by}) on {plural(len(shared), 'video')}"
    if not by.strip("+−0. %s"):
        return f"{names[0]} and {names[1]} are equally good here: {on}."
    text = f"{names[0]} is best here, {names[1]} is {'the current one' if other.current else 'the next'}: {on}."
    if len(shared) == 1:
        return f"{text} Evidence: one video says nothing about others; Compare says how much there is in it."
    of_best, of_other = (values.loc[row.key, shared].to_numpy(dtype=float) for row in (best, other))
    low, high = mean_difference(of_other, of_best, np.ones(len(shared)), seed=0)
    held = "leaves out 0" if low > 0 else "includes 0, so on other videos it may be otherwise"
    text += (
        f" Evidence: the 95 % interval of the difference, with whole videos drawn, is {signed(low, kind)} to "
        f"{signed(high, kind)} and {held}"
    )
    text += f"; fewer than {FEW} videos make it a rough one." if len(shared) < FEW else "."
    return f"{text} The best of {len(ranked):,} owes some of it to luck." if len(ranked) > 2 else text


def signed(value: float, kind: MetricKind) -> str:
    """Return a difference of two values of a metric as it is written, with its sign."""
    text = replace(kind, yes_no=False).text(value)
    return f"+{text}" if value > 0 and text.strip("0. %s") else text


def _videos_with_truth(matrix: Matrix, metric: Metric, label: str | None) -> list[str]:
    measured = matrix.frame[matrix.frame[metric].notna()]
    if label is not None and metric == "f1":
        measured = measured[measured["label"].map(label_key) == label_key(label)]
    return [matrix.videos[sha256] for sha256 in dict.fromkeys(measured["video"])]


@dataclass(frozen=True)
class MatrixTable:
    """The view as a table."""

    frame: pd.DataFrame
    """One row per row of the view; columns ``RANK``, ``NAME``, … and one per video."""
    videos: Mapping[str, str]
    """Column -> SHA-256 of its video."""
    numbers: Sequence[str]
    """Columns that hold the metric, and are coloured."""
    kind: MetricKind
    lowest: float
    """Value without colour; NaN where there is no value."""
    highest: float
    """Value with the strongest colour."""

    def text(self, column: str, value: float) -> str:
        """Return what is written in a cell of a numeric column."""
        if column == RANK:
            return "–" if math.isnan(value) else f"{value:.0f}"
        if column == GAIN:
            return signed(value, self.kind)
        return self.kind.text(value)

    def css(self, value: float, theme: str) -> str:
        """Return the background of a cell with the metric, in the theme ``light`` or ``dark``."""
        return heat(value, self.lowest, self.highest, theme)


def table_of(view: MatrixView, videos: Mapping[str, str]) -> MatrixTable:
    """Return the table of a view; ``videos`` are SHA-256 -> name, in the order of the columns."""
    keys = [row.key for row in view.rows]
    means = view.ranking["mean"].reindex(keys)
    frame = pd.DataFrame({NAME: [title_of(row) for row in view.rows]})
    if KINDS[view.metric].ranks:
        frame.insert(0, RANK, view.ranking["rank"].reindex(keys).to_numpy())
    if len({row.wording.template for row in view.rows if row.wording}) > 1:
        frame[TEMPLATE] = [row.wording.template if row.wording else "" for row in view.rows]
    numbers = []
    if len(videos) > 1:
        frame[MEAN] = means.to_numpy()
        numbers.append(MEAN)
    if view.sweep:
        current = next((row.key for row in view.rows if row.current), None)
        frame[GAIN] = (means - means.get(current, math.nan)).where(means.index != current).to_numpy()
    columns = {f"video {index}": sha256 for index, sha256 in enumerate(videos)}
    for column, sha256 in columns.items():
        frame[column] = view.values.loc[keys, sha256].to_numpy()
    numbers += columns
    kind = KINDS[view.metric]
    lowest, highest = span(frame[numbers].to_numpy().ravel().tolist() if len(frame) else [], kind)
    return MatrixTable(frame, columns, numbers, kind, lowest, highest)


@dataclass(frozen=True)
class VideoRows:
    """The view with a row for each video, and a column for each prompt set in the order of the view."""

    frame: pd.DataFrame
    """``NAME``, then a column for each of ``sets``."""
    sets: Mapping[str, MatrixRow]
    """Column -> prompt set."""
    videos: Sequence[str | None]
    """SHA-256 of the video in each row; None for the row of the means."""


def video_rows_of(view: MatrixView, videos: Mapping[str, str]) -> VideoRows:
    """Return the view with videos as rows, the means first where there are several; ``videos`` as for ``table_of``."""
    sets = {f"set {index}": row for index, row in enumerate(view.rows)}
    rows: list[str | None] = [*([None] if len(videos) > 1 else []), *videos]
    names = [
        MEAN.capitalize() if sha256 is None else videos[sha256] if sha256 in view.shared else f"○ {videos[sha256]}"
        for sha256 in rows
    ]
    frame = pd.DataFrame({NAME: names})
    for column, row in sets.items():
        mean, values = view.ranking["mean"].get(row.key, math.nan), view.values.loc[row.key].to_dict()
        frame[column] = [mean if sha256 is None else values[sha256] for sha256 in rows]
    return VideoRows(frame, sets, rows)


def title_of(row: MatrixRow) -> str:
    """Return the name of a prompt set, or the words of a wording."""
    if row.wording is None:
        return row.name
    words = "; ".join(row.wording.texts)
    return f"{words} (current)" if row.wording.current else words


def heat(value: float, lowest: float, highest: float, theme: str) -> str:
    """Return the CSS of a cell: the page's colour at ``lowest``, the strongest at ``highest``; nothing for NaN."""
    if math.isnan(value) or lowest == highest or math.isnan(lowest):
        return ""
    share = min(max((value - lowest) / (highest - lowest), 0.0), 1.0)
    page, best = _HEAT[theme]
    mixed = (round(start + (end - start) * share) for start, end in zip(page, best, strict=True))
    return "background-color: #" + "".join(f"{channel:02x}" for channel in mixed)


def span(values: Sequence[float], kind: MetricKind) -> tuple[float, float]:
    """Return the values without colour and with the strongest: the metric's own ends, else the extremes.

    Both are NaN where more isn't better: a strong colour reads as the best.
    """
    if not kind.ranks:
        return math.nan, math.nan
    numbers = [value for value in values if not math.isnan(value)]
    return kind.ends or (min(numbers, default=math.nan), max(numbers, default=math.nan))
