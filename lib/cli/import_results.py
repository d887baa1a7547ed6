"""``import RESULTS.json``: take in what the hosted service computed elsewhere, with its video or without."""

from __future__ import annotations

import argparse
from pathlib import Path

from lib.cli.context import Commands, Context
from lib.cli.embed import document
from lib.cli.output import dump, embeddings_table
from lib.core.errors import Cancelled
from lib.engines.clip_versions import MODEL_VERSIONS
from lib.engines.hosted import HOSTED_VERSION
from lib.hosted.importing import take_results
from lib.ingest.progress import Progress
from lib.store.store import Store


def add(commands: Commands, options: argparse.ArgumentParser) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "import",
        help="import a results.json of the hosted Video Inference API",
        description="Import a results.json of the hosted Video Inference API: its CLIP vectors become an embedding. "
        "Without --video it has timelines and metrics, but nothing to play.",
        epilog="Then: analyze VIDEO --engine hosted --fps F --prompts FILE, or the dashboard. Words are embedded by an "
        "inference server with the same model.",
    )
    parser.add_argument("results", type=Path, metavar="RESULTS.json")
    parser.add_argument("--video", type=Path, metavar="FILE", help="the video that it was made of")
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

    def tell(progress: Progress) -> None:
        reporter.progress(name, progress)

    video = None
    if args.video is not None:
        shown = args.video.name
        video = store.add_file(
            args.video, on_progress=lambda done, total: reporter.hashing(shown, done, total)
        )
    try:
        taken = take_results(
            store,
            args.results,
            video=video,
            name=args.name,
            version=args.model,
            on_progress=tell,
            cancel=context.cancel,
        )
    except Cancelled as error:
        reporter.line(f"{name}: {error}")
        raise
    if not taken.new:
        reporter.line(f"{name}: this was in the library already; delete that embedding to import it anew.")
    if taken.note:
        reporter.line(f"{name}: {taken.note}")
    found = document(taken.video, taken.info)
    if args.json:
        print(dump({**found, "missing": taken.info.missing, "new": taken.new}))
    else:
        print(embeddings_table([found]))
    return 0
