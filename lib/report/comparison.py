"""What is in the report of a comparison: which of two prompt sets is better on a video, where, and on what evidence."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lib.charts.comparison import differences_chart
from lib.comparison.comparison import Comparison
from lib.comparison.prompt_diff import wording_changes
from lib.comparison.version_diff import NOTHING_DIFFERS
from lib.core.formatting import format_duration, format_time, percent
from lib.core.intervals import sample_at
from lib.core.labelled_intervals import TrueSegment
from lib.evaluation.evaluation import Evaluation
from lib.evaluation.verdict import Verdict
from lib.report.blocks import (
    Block,
    Cell,
    Chart,
    Colours,
    Frame,
    Frames,
    Origin,
    Pictures,
    Report,
    Section,
    Table,
    Text,
    colours_of,
)
from lib.report.video import NOTHING, evaluated, number, time_charts

_SIDES = ("a", "b")


@dataclass(frozen=True)
class AgainstTruth:
    """What both sides are worth."""

    truth: Sequence[TrueSegment]
    a: Evaluation
    b: Evaluation
    verdict: Verdict | None
    """None where the truth has no second of the video."""


def comparison_report(
    comparison: Comparison,
    origin: Origin,
    pictures: Pictures,
    *,
    differences: Sequence[str],
    against: AgainstTruth | None = None,
) -> Report:
    """Return the report of a comparison.

    Args:
        comparison: of both analyses.
        origin: what it is of.
        pictures: of A's frames, by frame index.
        differences: a sentence for each thing that differs between both sides' prompts, settings and engines.
        against: the ground truth and what both are worth against it, where there is any.
    """
    a, b = comparison.a, comparison.b
    colours = colours_of(a.prompt_set.prompts, b.prompt_set.prompts)
    truth = against.truth if against else ()
    over_time = [*time_charts(a, colours, truth, side="A"), *time_charts(b, colours, side="B")]
    if comparison.disagreements:
        chart = differences_chart(comparison, colours.by_label, colours.by_label)
        over_time.insert(
            0, Chart("Where A and B differ", chart, "The labels of A and of B where they are not the same")
        )
    sections = [
        Section("Which is better", _answer(comparison, against)),
        Section("What is found", [_metrics(comparison, against, colours)]),
        Section("Over time", over_time),
        Section("Where they differ", _disagreements(comparison, colours)),
        Section("What differs in the prompts", [*_wording(comparison, colours), *_sentences(differences)]),
    ]
    if against is not None:
        blocks = [*evaluated(against.a, colours, side="A"), *evaluated(against.b, colours, side="B")]
        sections.append(Section("Against the ground truth", blocks))
    if frames := _frames(comparison, colours, pictures):
        sections.append(Section("Frames that decide", [frames]))
    return Report(origin.title, origin.subtitle, origin.note, [*sections, origin.section()], colours)


def _answer(comparison: Comparison, against: AgainstTruth | None) -> list[Block]:
    names = f"A is {comparison.a.prompt_set.name}, B is {comparison.b.prompt_set.name}."
    if against is None or against.verdict is None:
        return [Text(comparison.summary, "lead"), Text(names)]
    verdict = against.verdict
    return [Text(verdict.summary, "lead"), Text(f"Evidence: {verdict.evidence}"), Text(names)]


_COLUMNS: Mapping[str, tuple[str, Callable[[Any], str]]] = {
    "duration_s": ("Duration", format_duration),
    "share": ("Share", percent),
    "first_seen_s": ("First seen", format_time),
    "segments": ("Segments", lambda value: f"{value:.0f}"),
    "mean_score": ("Mean score", number),
    "peak_score": ("Peak score", number),
}
_SCORES = ("mean_score", "peak_score")  # of two kinds they can't be compared


def _metrics(comparison: Comparison, against: AgainstTruth | None, colours: Colours) -> Table:
    columns = {name: column for name, column in _COLUMNS.items() if comparison.same_score or name not in _SCORES}
    rows = []
    for row in comparison.metrics_frame().to_dict("records"):
        cells: list[Cell | str] = [Cell(row["label"], colours.name(row["label"]))]
        cells += [
            _change(*(_written(row[f"{name}_{side}"], write) for side in _SIDES))
            for name, (_, write) in columns.items()
        ]
        if against is not None:
            label_b = comparison.matches.get(row["label"], row["label"])
            pairs = ((against.a, row["label"]), (against.b, label_b))
            cells.append(_change(*(_f1(side, label) for side, label in pairs)))
        rows.append(cells)
    heads = ["Label", *(title for title, _ in columns.values()), *(["F1"] if against else [])]
    return Table("Metrics, A → B", tuple(heads), rows)


def _written(value: Any, write: Callable[[Any], str]) -> str:
    return NOTHING if value is None or math.isnan(value) else write(value)


def _f1(side: Evaluation, label: str) -> str:
    return number(side.by_label[label].f1) if label in side.by_label else NOTHING


def _change(a: str, b: str) -> Cell:
    return Cell(a) if a == b else Cell(f"{a} → {b}", strong=True)


def _disagreements(comparison: Comparison, colours: Colours) -> list[Block]:
    share, kappa = comparison.agreement, comparison.kappa
    if share is None:
        return [Text("There is no sample to compare.")]
    beyond = "" if kappa is None else f" (Cohen's kappa {kappa:.2f})"
    blocks: list[Block] = [Text(f"A and B agree {percent(share)} of the time{beyond}.")]
    rows = [
        (
            format_time(span.start_s, decimals=2),
            format_time(span.end_s, decimals=2),
            format_duration(span.end_s - span.start_s),
            Cell(span.a or "nothing", colours.name(span.a)),
            Cell(span.b or "nothing", colours.name(span.b)),
        )
        for span in comparison.disagreements
    ]
    if rows:
        blocks.append(Table("Differences", ("Start", "End", "Duration", "A says", "B says"), rows, left=5))
    overlaps = [(Cell(label, colours.name(label)), number(value)) for label, value in comparison.iou.items()]
    if overlaps:
        blocks.append(Table("Overlap of each label's segments", ("Label", "IoU"), overlaps))
    return blocks


def _wording(comparison: Comparison, colours: Colours) -> list[Block]:
    """Return the phrasings that were changed, with their words marked."""
    changes = wording_changes(comparison.a.prompt_set, comparison.b.prompt_set)
    rows = [
        (Cell(change.label, colours.name(change.label)), Cell(words=text.words))
        for change in changes
        for text in change.texts
        if text.status == "changed"
    ]
    return [Table("Phrasings, from A to B", ("Label", "Words"), rows, left=2)] if rows else []


def _sentences(differences: Sequence[str]) -> list[Block]:
    return [Text("\n".join(f"{sentence}." for sentence in differences) or NOTHING_DIFFERS)]


def _frames(comparison: Comparison, colours: Colours, pictures: Pictures) -> Frames | None:
    a, rows = comparison.a, list(comparison.to_decide(12))
    shown = []
    for row, row_b in zip(rows, sample_at(comparison.b.samples, a.samples.times_s[rows]).tolist(), strict=True):
        label_a = a.sample_labels[row]
        label_b = comparison.b.sample_labels[row_b] if row_b >= 0 else None
        lines = (f"A says {label_a or 'nothing'}", f"B says {label_b or 'nothing'}")
        picture = pictures(int(a.samples.frames[row]))
        shown.append(Frame(format_time(float(a.samples.times_s[row])), lines, picture, colours.name(label_a)))
    return Frames("One of each difference", tuple(shown)) if shown else None
