"""What is in the report of one video; parts of it are also in that of a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lib.analysis.analysis import Analysis
from lib.charts import evaluation as evaluation_charts
from lib.charts import timeline
from lib.charts.data import ChartData, chart_data
from lib.core.formatting import format_duration, format_time, percent, plural, shortened
from lib.core.labelled_intervals import TrueSegment
from lib.evaluation.evaluation import Evaluation
from lib.evaluation.overall import overall
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

NOTHING = "–"
_RELATIVE = (
    "A relative score says how much better a label fits a frame than 200 everyday phrases do: 0 is their median there, "
    "1 their 95th percentile."
)
_CAPTION = 60
"""Most characters of a label under each of its frames; the heading above them has all."""
FRAMES = 6
"""Best frames of a label, and borderline ones."""


def video_report(
    analysis: Analysis,
    origin: Origin,
    pictures: Pictures,
    *,
    truth: Sequence[TrueSegment] = (),
    evaluation: Evaluation | None = None,
) -> Report:
    """Return the report of one video.

    Args:
        analysis: what is found.
        origin: what it is of.
        pictures: of frames, by frame index.
        truth: the ground truth, drawn beside what is found.
        evaluation: of ``analysis`` against it.
    """
    colours = colours_of(analysis.prompt_set.prompts)
    sections = [
        Section("What is found", [answers(analysis, colours), *_effects(analysis)]),
        Section("Over time", time_charts(analysis, colours, truth)),
        Section("In numbers", [metrics_table(analysis, colours), segments_table(analysis, colours)]),
    ]
    if evaluation is not None:
        sections.append(Section("Against the ground truth", evaluated(evaluation, colours)))
    sections += [Section("Frames", frames(analysis, colours, pictures)), origin.section()]
    return Report(origin.title, origin.subtitle, origin.note, sections, colours)


def answers(analysis: Analysis, colours: Colours) -> Table:
    """Return whether each label is there, for how long, and when first."""
    found, absent, rest = analysis.answer_groups()
    rows = []
    for column in (*found, *absent, *rest):
        metrics, label = analysis.metrics[column], analysis.labels[column]
        if metrics.first_seen_s is None:
            there, long, first = "no", analysis.answers[column], NOTHING
        else:
            there = "rest" if metrics.role == "background" else "yes"
            long = f"{format_duration(metrics.duration_s)}, {percent(metrics.share)}"
            first = format_time(metrics.first_seen_s)
        rows.append((_label(label, colours), Cell(there, strong=there == "yes"), long, first))
    return Table("The answers", ("Label", "Is it there?", "How long?", "When first?"), rows, left=4)


def _effects(analysis: Analysis) -> list[Block]:
    done = analysis.effects.sentences()
    return [Text("\n".join(done), "note")] if done else []


def time_charts(
    analysis: Analysis, colours: Colours, truth: Sequence[TrueSegment] = (), *, side: str = ""
) -> list[Block]:
    """Return the lanes of the segments and of the truth, the scores, and scene changes; ``side`` is ``A`` or ``B``."""
    if not len(analysis.samples):
        return [Text("There are no samples, so nothing is drawn.")]
    data, of = _without_raw(chart_data(analysis)), f" of {side}" if side else ""
    blocks: list[Block] = [
        Chart(f"Segments{of}", timeline.segments_chart(data, colours.by_label), f"When each label{of} is found")
    ]
    if truth:
        blocks.append(true_lanes(truth, data, colours))
    if data.score == "relative":
        blocks.append(Text(_RELATIVE, "note"))
    scores = timeline.scores_chart(data, colours.by_label, height=260)
    blocks.append(
        Chart(f"Scores{of} ({data.score})", scores, f"The score of each label{of} over time, with thresholds")
    )
    if not side:
        change = timeline.change_chart(data, height=120)
        blocks.append(Chart("Scene changes", change, "How much each sample differs from the one before"))
    return blocks


def true_lanes(truth: Sequence[TrueSegment], data: ChartData, colours: Colours) -> Chart:
    """Return the lanes of the ground truth."""
    of_true = colours.of_true(list(dict.fromkeys(one.label for one in truth)))
    return Chart("Ground truth", timeline.truth_chart(truth, data, of_true), "When each label is true")


def _without_raw(data: ChartData) -> ChartData:
    """Return the tables without scores before smoothing, which would double the file."""
    return replace(data, raw=data.raw[:0], raw_note=data.raw_note[:0])


def metrics_table(analysis: Analysis, colours: Colours) -> Table:
    """Return the metrics of each label."""
    head = ("Label", "First", "Last", "Duration", "Share", "Segments", "Longest", "Mean score", "Peak score", "Peak at")
    rows = [
        (
            _label(one.label, colours),
            _time(one.first_seen_s),
            _time(one.last_seen_s),
            format_duration(one.duration_s),
            percent(one.share),
            f"{one.segments:,}",
            NOTHING if one.longest_s is None else format_duration(one.longest_s),
            number(one.mean_score),
            number(one.peak_score),
            _time(one.peak_s),
        )
        for one in analysis.metrics
    ]
    return Table("Metrics", head, rows)


def segments_table(analysis: Analysis, colours: Colours) -> Block:
    """Return the segments in order."""
    if not analysis.segments:
        return Text("There are no segments.")
    rows = [
        (
            _label(one.label, colours),
            format_time(one.start_s, decimals=2),
            format_time(one.end_s, decimals=2),
            format_duration(one.end_s - one.start_s),
            number(one.mean_score),
            number(one.peak_score),
        )
        for one in analysis.segments
    ]
    return Table("Segments", ("Label", "Start", "End", "Duration", "Mean score", "Peak score"), rows)


def evaluated(evaluation: Evaluation, colours: Colours, *, side: str = "") -> list[Block]:
    """Return what an analysis is worth against the truth."""
    score, of = overall(evaluation), f" of {side}" if side else ""
    if score.macro_f1 is None or score.accuracy is None:
        return [Text("The ground truth has no second in the part that is embedded, so there is nothing to measure.")]
    head = ("Label", "Precision", "Recall", "F1", "Segment F1", "Onset error", "Offset error", "Avg. precision", "True")
    rows: list[tuple[Cell | str, ...]] = []
    for one in evaluation.labels:
        values = one.to_dict()
        seconds = {name: values[name] for name in ("onset_error_s", "offset_error_s")}
        rows.append(
            (
                _label(one.label, colours),
                *(number(values[name]) for name in ("precision", "recall", "f1", "segment_f1")),
                *(NOTHING if value is None else f"{value:.2f} s" for value in seconds.values()),
                number(values["average_precision"]),
                format_duration(one.support_s) if one.known else NOTHING,
            )
        )
    blocks: list[Block] = [
        Text(
            f"Macro F1{of} {score.macro_f1:.2f} over {plural(len(score.f1), 'true label')}, accuracy "
            f"{score.accuracy:.2f} over time.",
            "lead",
        ),
        Table(f"Accuracy{of} by label", head, rows),
    ]
    for labels, sentence in (
        (evaluation.unmatched_truth, "In the ground truth without a prompt: {}."),
        (evaluation.unmatched_prompts, "Prompts that the ground truth doesn't name, so they have no numbers: {}."),
    ):
        if labels:
            blocks.append(Text(sentence.format(", ".join(labels)), "note"))
    confusion = evaluation_charts.confusion_chart(evaluation, text="var(--text)")
    blocks.append(Chart(f"Confusion matrix{of}, in seconds", confusion, "Seconds by true label and found label"))
    return blocks


def frames(analysis: Analysis, colours: Colours, pictures: Pictures) -> list[Block]:
    """Return the best frames of each label, and those near to changing their decision."""
    blocks: list[Block] = []
    for column, label in enumerate(analysis.labels):
        for kind, rows in (
            ("best", analysis.best_samples(label, FRAMES)),
            ("borderline", analysis.borderline_samples(label, FRAMES)),
        ):
            shown = [
                Frame(
                    format_time(float(analysis.samples.times_s[row])),
                    (f"{shortened(label, _CAPTION)} {analysis.scores[row, column]:.3f}",),
                    pictures(int(analysis.samples.frames[row])),
                    colours.name(label),
                )
                for row in rows
            ]
            if shown:
                blocks.append(Frames(f"{label}: {kind}", tuple(shown)))
    return blocks or [Text("No frame is found, and none is near to being found.")]


def _label(label: str, colours: Colours) -> Cell:
    return Cell(label, colours.name(label))


def _time(seconds: float | None) -> str:
    return NOTHING if seconds is None else format_time(seconds)


def number(value: float | None) -> str:
    """Return a score or a share with three decimals."""
    return NOTHING if value is None else f"{value:.3f}".replace("-", "−")
