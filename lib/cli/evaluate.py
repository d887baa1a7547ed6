"""``evaluate VIDEO --prompts FILE --truth FILE``: embed what is missing, then what prompts are worth."""

from __future__ import annotations

import argparse
from pathlib import Path

from lib.cli.context import Commands, Context, embedded, read_prompt_set, tell_unknown_words
from lib.cli.ground_truth import HELP, evaluation_document, evaluation_rows, read_truth, tell_unmatched
from lib.cli.output import dump, table
from lib.core.formatting import format_duration
from lib.evaluation.evaluation import evaluate
from lib.services.stored_analysis import analyse_stored
from lib.store.store import Store

_TEXT = "embed what is missing of a video, then print what prompts are worth against the truth"


def add(commands: Commands, options: argparse.ArgumentParser) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "evaluate", parents=[options], help=_TEXT, description=f"{_TEXT.capitalize()}."
    )
    parser.add_argument("video", type=Path, metavar="VIDEO")
    parser.add_argument(
        "--prompts", type=Path, required=True, metavar="FILE", help="a prompt set, as for analyze"
    )
    parser.add_argument("--truth", type=Path, required=True, metavar="FILE", help=HELP)
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace, context: Context) -> int:
    prompt_set = read_prompt_set(args.prompts)
    tell_unknown_words(prompt_set.texts, context)
    store = Store()
    video, info = embedded(context, store, args.video, args.sampling)
    truth = read_truth(args.truth, video, info.duration_s, context.reporter)
    analysis = analyse_stored(store, video, context.engine, args.sampling, prompt_set)
    evaluation = evaluate(analysis, truth)
    tell_unmatched(evaluation, context.reporter)
    document = evaluation_document(evaluation, truth)
    if args.json:
        print(dump(document))
        return 0
    head = (
        f"{video.name}: {format_duration(info.duration_s)}, {len(truth):,} true segments, "
        f"{context.engine.name}, prompt set {prompt_set.name}"
    )
    means = ", ".join(
        f"{name} F1 {'n/a' if value is None else f'{value:.3f}'}"
        for name, value in (("macro", evaluation.macro_f1), ("micro", evaluation.micro_f1))
    )
    print("\n\n".join((head, table(*evaluation_rows(document)), means)))
    return 0
