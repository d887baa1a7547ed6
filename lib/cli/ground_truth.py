"""Ground truth for the commands: read from a file, and what an analysis is worth against it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lib.analysis.analysis import Analysis
from lib.cli.output import Reporter
from lib.core.errors import InputError
from lib.core.labelled_intervals import TrueSegment
from lib.evaluation.evaluation import Evaluation
from lib.evaluation.threshold_fit import suggest_with_truth
from lib.ground_truth.parsing import parse_truth
from lib.store.videos import Video

HELP = "what is really there: JSON, CSV (label,start,end), WebVTT, Label Studio's timeline JSON or Audacity labels"


def read_truth(path: Path, video: Video, duration_s: float, reporter: Reporter) -> tuple[TrueSegment, ...]:
    """Return the truth in a file; what is wrong with a part of it is told on stderr.

    Args:
        path: of the file.
        video: that it is about.
        duration_s: its length, as its samples know it.
        reporter: for the problems.

    Raises:
        InputError: the file can't be read, or nothing in it.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"The truth {path} can't be read ({error.strerror}); check its path.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"The truth {path} is no UTF-8 text; save it as such.") from error
    parsed = parse_truth(text, name=path.name, duration_s=duration_s, rate=video.rate)
    for problem in parsed.problems:
        reporter.line(f"{path.name}: {problem}")
    return parsed.segments


def tell_unmatched(evaluation: Evaluation, reporter: Reporter, whose: str = "") -> None:
    """Tell which labels of the truth and of the prompts have no partner.

    Args:
        evaluation: of the prompts.
        reporter: for the sentences.
        whose: side that it belongs to, such as ``A: ``.
    """
    for labels, sentence in (
        (evaluation.unmatched_truth, "no prompt is called {} as in the truth"),
        (evaluation.unmatched_prompts, "the truth says nothing of {}, so nothing is known about it"),
    ):
        if labels:
            reporter.line(whose + sentence.format(", ".join(f"“{label}”" for label in labels)))


def evaluation_document(
    evaluation: Evaluation, truth: Sequence[TrueSegment]
) -> dict[str, dict[str, float | None]]:
    """Return what the truth says of each label, with the threshold that fits it best; None is "n/a"."""
    return {
        label: {**one.to_dict(), "best_threshold": _best_threshold(evaluation.analysis, truth, label)}
        for label, one in evaluation.by_label.items()
    }


def evaluation_rows(document: dict[str, dict[str, Any]]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return header and rows of a table for people."""
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
            *("n/a" if value is None else f"{value:.3f}{units.get(name, '')}" for name, value in one.items()),
        )
        for label, one in document.items()
    ]
    return header, rows


def _best_threshold(analysis: Analysis, truth: Sequence[TrueSegment], label: str) -> float | None:
    fit = suggest_with_truth(analysis, truth, label)
    return None if fit is None else fit.threshold
