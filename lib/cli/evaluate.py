"""``evaluate VIDEO --prompts FILE --truth FILE``: embed what is missing, then compare prompts with ground truth."""

from __future__ import annotations

import argparse
from pathlib import Path

from lib.cli.context import Context, add_engine_options, warn_about_unknown_words
from lib.cli.ground_truth import (
    HELP,
    OVERALL,
    evaluation_document,
    evaluation_rows,
    overall_line,
    read_ground_truth,
    warn_about_unmatched,
)
from lib.cli.inputs import add_picture_option, analysed, embed_missing, with_pictures
from lib.cli.output import dump, table
from lib.core.formatting import format_duration
from lib.evaluation.evaluation import evaluate
from lib.evaluation.overall import overall
from lib.services.input_files import read_prompt_set
from lib.store.store import Store


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_engine_options(parser)
    parser.add_argument("video", type=Path, metavar="VIDEO")
    parser.add_argument("--prompts", type=Path, required=True, metavar="FILE", help="a prompt set, as for analyze")
    parser.add_argument("--truth", type=Path, required=True, metavar="FILE", help=HELP)
    add_picture_option(parser)
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace, context: Context) -> int:
    prompt_set = read_prompt_set(args.prompts)
    warn_about_unknown_words(prompt_set.texts, context)
    store = Store()
    prompt_set = with_pictures(args.pictures, prompt_set, store, context)
    video, info = embed_missing(context, store, args.video, context.sampling)
    truth = read_ground_truth(args.truth, video, info.end_s, context.reporter)
    analysis = analysed(context, store, video, context.sampling, prompt_set)
    evaluation = evaluate(analysis, truth)
    warn_about_unmatched(evaluation, context.reporter)
    document = evaluation_document(evaluation, truth)
    score = overall(evaluation)
    if args.json:
        # Of a label that is called that, its own numbers stand beside the overall ones.
        print(dump({**document, OVERALL: {**document.get(OVERALL, {}), **score.to_dict()}}))
        return 0
    head = (
        f"{video.name}: {format_duration(info.duration_s)}, {len(truth):,} true segments, "
        f"{context.engine.name}, prompt set {prompt_set.name}"
    )
    print("\n\n".join((head, table(*evaluation_rows(document)), overall_line(score))))
    return 0
