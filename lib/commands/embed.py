"""``embed VIDEO…``: embed what is missing."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from lib.cli_output import dump, embeddings_table
from lib.commands.shared import Commands, Context, embedded
from lib.errors import PromptreelError
from lib.experiment import engine_document, sampling_document, video_document
from lib.store import Store


def add(commands: Commands, options: argparse.ArgumentParser) -> None:
    """Add the command."""
    embed = commands.add_parser("embed", parents=[options], help="embed videos", description="Embed videos.")
    embed.add_argument("videos", nargs="+", type=Path, metavar="VIDEO")
    embed.set_defaults(run=_run)


def _run(args: argparse.Namespace, context: Context) -> int:
    store = Store()
    documents: list[dict[str, Any]] = []
    status = 0
    for path in args.videos:
        try:
            video, info = embedded(context, store, path, args.sampling)
        except PromptreelError as error:  # the other videos are no worse for it
            context.reporter.problem(error)
            status = 1
            continue
        documents.append(
            {
                "video": video_document(video, duration_s=info.duration_s, samples=info.samples),
                "engine": engine_document(context.engine),
                "sampling": sampling_document(args.sampling),
            }
        )
    if args.json:
        print(dump(documents))
    elif documents:
        print(embeddings_table(documents))
    return status
