"""Ground truth for the commands: reading it from a file, and an analysis evaluated against it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lib.analysis.analysis import Analysis
from lib.cli.output import Reporter
from lib.core.formatting import plural
from lib.core.labelled_intervals import TrueSegment
from lib.evaluation.evaluation import Evaluation
from lib.evaluation.overall import Overall
from lib.evaluation.threshold_fit import suggest_with_truth
from lib.ground_truth.parsing import READ_FROM
from lib.services.input_files import read_truth
from lib.store.videos import Video

OVERALL = "overall"
"""The key of the overall score in a document."""
HELP = f"ground truth: {READ_FROM}"


def read_ground_truth(path: Path, video: Video, end_s: float, reporter: Reporter) -> tuple[TrueSegment, ...]:
    """Return the ground truth of ``video`` in a file; report lines that can't be read on stderr.

    Raises:
        InputError: the file can't be read, or nothing in it.
    """
    parsed = read_truth(path, video, end_s)
    for problem in parsed.problems:
        reporter.line(f"{path.name}: {problem}")
    return parsed.segments


def warn_about_unmatched(evaluation: Evaluation, reporter: Reporter, prefix: str = "") -> None:
    """Report labels that only the ground truth or only the prompt set has; ``prefix`` names a side, such as ``A: ``."""
    for labels, sentence in (
        (evaluation.unmatched_truth, "the ground truth has {}, and no prompt does"),
        (evaluation.unmatched_prompts, "the ground truth doesn't mention {}, so it isn't evaluated"),
    ):
        if labels:
            reporter.line(prefix + sentence.format(", ".join(f"“{label}”" for label in labels)))


def evaluation_document(evaluation: Evaluation, truth: Sequence[TrueSegment]) -> dict[str, dict[str, float | None]]:
    """Return each label's evaluation and the threshold with the best F1; None where undefined."""
    return {
        label: {**scores.to_dict(), "best_threshold": _best_threshold(evaluation.analysis, truth, label)}
        for label, scores in evaluation.by_label.items()
    }


def evaluation_rows(document: dict[str, dict[str, Any]]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return the header and rows of a table."""
    header = (
        "label",
        "precision",
        "recall",
        "F1",
        "segment F1",
        "onset",
        "offset",
        "average",
        "best threshold",
    )
    units = {"onset_error_s": " s", "offset_error_s": " s"}
    rows = [
        (
            label,
            *("n/a" if value is None else f"{value:.3f}{units.get(name, '')}" for name, value in scores.items()),
        )
        for label, scores in document.items()
    ]
    return header, rows


def overall_line(score: Overall) -> str:
    """Return the overall score as a line of a report."""
    macro_f1, accuracy = ("n/a" if value is None else f"{value:.3f}" for value in (score.macro_f1, score.accuracy))
    return f"overall: macro F1 {macro_f1} over {plural(len(score.f1), 'true label')}, accuracy {accuracy} over time"


def _best_threshold(analysis: Analysis, truth: Sequence[TrueSegment], label: str) -> float | None:
    fit = suggest_with_truth(analysis, truth, label)
    return None if fit is None else fit.threshold
