"""``import RESULTS.json``: import what the hosted service computed, with its video or without."""

from __future__ import annotations

import argparse
from pathlib import Path

from lib.cli.context import Context
from lib.cli.embed import document
from lib.cli.output import dump, embeddings_table
from lib.core.errors import Cancelled
from lib.engines.clip_versions import MODEL_VERSIONS
from lib.engines.hosted import HOSTED_VERSION
from lib.hosted.importing import import_results
from lib.ingest.progress import Progress
from lib.store.store import Store


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.description = (
        "Import a results.json of the hosted Video Inference API: its CLIP vectors become an embedding. "
        "Without --video it has timelines and metrics, but nothing to play."
    )
    parser.epilog = (
        "Then: analyze VIDEO --engine hosted --fps F --prompts FILE, or the dashboard. Words are embedded by an "
        "inference server with the same model."
    )
    parser.add_argument("results", type=Path, metavar="RESULTS.json")
    parser.add_argument("--video", type=Path, metavar="FILE", help="the video that it was made from")
    parser.add_argument(
        "--model",
        metavar="VERSION",
        help=f"CLIP version of the vectors: {', '.join(MODEL_VERSIONS)} (default: {HOSTED_VERSION}, the hosted "
        "service's, if they have as many numbers)",
    )
    parser.add_argument("--name", metavar="NAME", help="name without a video (default: the file's)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace, context: Context) -> int:
    store, reporter = Store(), context.reporter
    name = args.results.name

    def show(progress: Progress) -> None:
        reporter.progress(name, progress)

    video = None
    if args.video is not None:
        video = store.add_file(
            args.video, on_progress=lambda done, total: reporter.hashing(args.video.name, done, total)
        )
    try:
        outcome = import_results(
            store,
            args.results,
            video=video,
            name=args.name,
            version=args.model,
            on_progress=show,
            cancel=context.cancel,
        )
    except Cancelled as error:
        reporter.line(f"{name}: {error}")
        raise
    if not outcome.new:
        reporter.line(f"{name}: already in the library; delete that embedding to import it again.")
    if outcome.note:
        reporter.line(f"{name}: {outcome.note}")
    embedding = document(store, outcome.video, outcome.info)
    if args.json:
        print(dump({**embedding, "missing": outcome.info.missing, "new": outcome.new}))
    else:
        print(embeddings_table([embedding]))
    return 0
