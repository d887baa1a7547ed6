"""``analyze VIDEO --prompts FILE``: embed what is missing of a video, then print what prompts find in it."""

from __future__ import annotations

import argparse
from pathlib import Path

from lib.cli.context import Commands, Context, embedded, read_prompt_set, tell_unknown_words
from lib.cli.output import analysis_table, dump
from lib.core.errors import InputError
from lib.core.formatting import format_duration
from lib.core.sampling import Sampling
from lib.hosted.importing import take_results
from lib.services.stored_analysis import analyse_stored, report
from lib.store.store import Store
from lib.store.videos import Video


def add(commands: Commands, options: argparse.ArgumentParser) -> None:
    """Add the command."""
    analyze = commands.add_parser(
        "analyze",
        parents=[options],
        help="embed what is missing of a video, then print what prompts find in it",
        description="Embed what is missing of a video, then print what prompts find in it.",
    )
    analyze.add_argument(
        "video",
        type=Path,
        metavar="VIDEO",
        help="or a results.json of the hosted service, without its video: with --engine hosted",
    )
    analyze.add_argument(
        "--prompts",
        type=Path,
        required=True,
        metavar="FILE",
        help="a prompt set as YAML or JSON, one prompt a line, or a config.yaml with a CLIP list",
    )
    analyze.add_argument("--samples", action="store_true", help="with each sample and its scores")
    analyze.set_defaults(run=_run)


def _run(args: argparse.Namespace, context: Context) -> int:
    prompt_set = read_prompt_set(args.prompts)
    tell_unknown_words(prompt_set.texts, context)
    store, engine = Store(), context.engine
    if args.video.suffix.lower() == ".json":
        video, sampling = _imported(args, context, store)
    else:
        (video, _), sampling = embedded(context, store, args.video, args.sampling), args.sampling
    analysis = analyse_stored(store, video, engine, sampling, prompt_set)
    if args.json:
        print(dump(report(video, engine, sampling, analysis, samples=args.samples)))
        return 0
    found = analysis.samples
    head = (
        f"{video.name}: {format_duration(found.duration_s)}, {len(found):,} samples "
        f"({sampling.description}), {engine.name}, prompt set {prompt_set.name}"
    )
    print(analysis_table(head, analysis, samples=args.samples))
    return 0


def _imported(args: argparse.Namespace, context: Context, store: Store) -> tuple[Video, Sampling]:
    """Return the video without a file that a results.json stands for, imported where it is not yet."""
    taken = take_results(store, args.video, version=args.model, cancel=context.cancel)
    if taken.info.key.engine_id != context.engine.id:
        raise InputError(
            f"{args.video.name} has vectors of {taken.info.engine_name}; analyse it with --engine hosted, "
            "and --model where it is another than the hosted service's."
        )
    if taken.note:
        context.reporter.line(f"{args.video.name}: {taken.note}")
    return taken.video, Sampling.from_key(taken.info.key.sampling_key)
