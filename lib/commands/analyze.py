"""``analyze VIDEO --prompts FILE``: embed what is missing of a video, then print what prompts find in it."""

from __future__ import annotations

import argparse
from pathlib import Path

from lib.cli_output import analysis_table, dump
from lib.commands.shared import Commands, Context, embedded, read_prompt_set, tell_unknown_words
from lib.experiment import analyse_stored, report
from lib.store import Store
from lib.timebase import format_duration


def add(commands: Commands, options: argparse.ArgumentParser) -> None:
    """Add the command."""
    analyze = commands.add_parser(
        "analyze",
        parents=[options],
        help="embed what is missing of a video, then print what prompts find in it",
        description="Embed what is missing of a video, then print what prompts find in it.",
    )
    analyze.add_argument("video", type=Path, metavar="VIDEO")
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
    tell_unknown_words(prompt_set, context)
    store, engine = Store(), context.engine
    video, _ = embedded(context, store, args.video, args.sampling)
    analysis = analyse_stored(store, video, engine, args.sampling, prompt_set)
    if args.json:
        print(dump(report(video, engine, args.sampling, analysis, samples=args.samples)))
        return 0
    found = analysis.samples
    head = (
        f"{video.name}: {format_duration(found.duration_s)}, {len(found):,} samples "
        f"({args.sampling.description}), {engine.name}, prompt set {prompt_set.name}"
    )
    print(analysis_table(head, analysis, samples=args.samples))
    return 0
