"""``compare VIDEO --a FILE --b FILE``: embed what is missing, then print what two prompt sets find, side by side."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lib.analysis.analysis import Analysis
from lib.cli.context import Context, add_engine_options, warn_about_unknown_words
from lib.cli.ground_truth import (
    HELP,
    OVERALL,
    evaluation_document,
    evaluation_rows,
    read_ground_truth,
    warn_about_unmatched,
)
from lib.cli.inputs import analysed, embed_missing, with_pictures
from lib.cli.output import NOTHING, dump, table
from lib.comparison.comparison import Comparison, compare
from lib.core.formatting import format_duration, format_time
from lib.evaluation.bootstrap import Difference, OverallDifference, f1_differences, overall_difference
from lib.evaluation.evaluation import Evaluation, evaluate
from lib.evaluation.verdict import verdict
from lib.services.input_files import read_prompt_set
from lib.store.store import Store

_SEED = 0
"""Of the bootstrap: the same command prints the same intervals."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_engine_options(parser)
    parser.add_argument("video", type=Path, metavar="VIDEO")
    for side in "ab":
        parser.add_argument(f"--{side}", type=Path, required=True, metavar="FILE", help="a prompt set, as for analyze")
    parser.add_argument("--truth", type=Path, metavar="FILE", help=f"say which is better: {HELP}")
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace, context: Context) -> int:
    prompt_sets = [read_prompt_set(path) for path in (args.a, args.b)]
    for prompt_set in prompt_sets:
        warn_about_unknown_words(prompt_set.texts, context)
    store = Store()
    for prompt_set in prompt_sets:
        with_pictures((), prompt_set, store, context)  # which says what is missing
    video, info = embed_missing(context, store, args.video, context.sampling)
    truth = args.truth and read_ground_truth(args.truth, video, info.end_s, context.reporter)
    a, b = (analysed(context, store, video, context.sampling, prompt_set) for prompt_set in prompt_sets)
    comparison = compare(a, b)
    document: dict[str, Any] = {"a": _side(a), "b": _side(b), "agreement": comparison.to_dict()}
    evaluations: dict[str, Evaluation] = {}
    differences: dict[str, Difference] = {}
    change: OverallDifference | None = None
    if truth is not None:
        evaluations = {"a": evaluate(a, truth), "b": evaluate(b, truth)}
        differences = f1_differences(evaluations["a"], evaluations["b"], seed=_SEED)
        document["evaluation"] = _evaluation_document(evaluations, differences, truth, context)
        change = overall_difference(evaluations["a"], evaluations["b"], seed=_SEED)
        document[OVERALL] = change.to_dict()
    if args.json:
        print(dump(document))
        return 0
    names = ", ".join(f"{side} = {prompt_set.name}" for side, prompt_set in zip("AB", prompt_sets, strict=True))
    head = f"{video.name}: {format_duration(info.duration_s)}, {context.engine.name}, {names}"
    said = change and verdict(evaluations["a"], evaluations["b"], change)
    blocks = [head, f"{said.summary}\nEvidence: {said.evidence}" if said else comparison.summary]
    blocks += [_metrics_table(comparison), _agreement(comparison)]
    if comparison.disagreements:
        blocks.append(_disagreements_table(comparison))
    if truth is not None:
        blocks += [
            f"{side.upper()} against the ground truth\n{table(*evaluation_rows(document['evaluation'][side]))}"
            for side in "ab"
        ]
        blocks.append("\n".join(f"{label}: {difference.sentence}" for label, difference in differences.items()))
    print("\n\n".join(block for block in blocks if block))
    return 0


def _side(analysis: Analysis) -> dict[str, Any]:
    document = analysis.to_dict()
    return {key: document[key] for key in ("metrics", "segments")}


def _evaluation_document(
    evaluations: Mapping[str, Evaluation], differences: Mapping[str, Difference], truth: Any, context: Context
) -> dict[str, Any]:
    for side, evaluation in evaluations.items():
        warn_about_unmatched(evaluation, context.reporter, f"{side.upper()}: ")
    return {
        **{side: evaluation_document(evaluation, truth) for side, evaluation in evaluations.items()},
        "difference": {label: difference.to_dict() for label, difference in differences.items()},
    }


_CHANGES = {1: "appears", 0: "same", -1: "is gone"}


def _metrics_table(comparison: Comparison) -> str:
    header = ("label", "", "present", "first", "duration", "share", "segments", "mean", "peak")
    rows = []
    for row in comparison.metrics_frame().to_dict("records"):
        for side in ("a", "b", "difference"):
            if side == "difference" and row["side"] != "both":
                continue
            if side != "difference" and row["side"] not in ("both", side):
                continue
            sign = "+" if side == "difference" else ""
            present = row[f"present_{side}"]
            rows.append(
                (
                    row["label"],
                    "B - A" if sign else side.upper(),
                    _CHANGES[present] if sign else ("yes" if present else "no"),
                    _number(row[f"first_seen_s_{side}"], "+.1f", " s") if sign else _time(row[f"first_seen_s_{side}"]),
                    _number(row[f"duration_s_{side}"], f"{sign}.1f", " s"),
                    _number(row[f"share_{side}"] * 100, f"{sign}.1f", " %"),
                    _number(row[f"segments_{side}"], f"{sign}.0f"),
                    _number(row[f"mean_score_{side}"], f"{sign}.3f"),
                    _number(row[f"peak_score_{side}"], f"{sign}.3f"),
                )
            )
    return table(header, rows, left=3)


def _agreement(comparison: Comparison) -> str:
    overlaps = ", ".join(f"{label} {NOTHING if iou is None else f'{iou:.2f}'}" for label, iou in comparison.iou.items())
    share, kappa = comparison.agreement, comparison.kappa
    lines = [
        f"same label {NOTHING if share is None else f'{share * 100:.1f} %'} of the time, "
        f"kappa {'n/a' if kappa is None else f'{kappa:.3f}'}"
    ]
    if overlaps:
        lines.append(f"overlap (IoU): {overlaps}")
    for side, labels in (("A", comparison.only_a), ("B", comparison.only_b)):
        if labels:
            lines.append(f"only in {side}: {', '.join(labels)}")
    return "\n".join(lines)


def _disagreements_table(comparison: Comparison) -> str:
    rows = [
        (part.a or NOTHING, part.b or NOTHING, format_time(part.start_s), format_time(part.end_s))
        for part in comparison.disagreements
    ]
    return table(("A says", "B says", "start", "end"), rows, left=2)


def _time(seconds: float) -> str:
    return NOTHING if seconds != seconds else format_time(seconds)


def _number(value: float, form: str, unit: str = "") -> str:
    return NOTHING if value != value else f"{value:{form}}{unit}"
