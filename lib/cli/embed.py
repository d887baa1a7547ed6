"""``embed VIDEO…``: embed what is missing, here or, with ``--hosted``, by the hosted service."""

from __future__ import annotations

import argparse
import time
from functools import partial
from pathlib import Path
from typing import Any

from lib.cli.context import Context, UsageError, add_engine_options
from lib.cli.inputs import each_video, embed_missing
from lib.cli.output import dump, embeddings_table
from lib.core.errors import Cancelled
from lib.core.formatting import format_duration
from lib.core.sampling import Sampling
from lib.engines.registry import api_key_from_environment
from lib.hosted.api import HostedApi
from lib.hosted.jobs import embed_hosted
from lib.ingest.progress import Progress
from lib.services.stored_analysis import damage_document, sampling_document, video_document
from lib.store.embeddings import EmbeddingInfo
from lib.store.store import Store
from lib.store.videos import Video


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_engine_options(parser)
    parser.add_argument("videos", nargs="+", metavar="VIDEO", help="files, folders, or patterns such as 'clips/*.mp4'")
    parser.add_argument(
        "--hosted",
        action="store_true",
        help="upload the videos to the hosted Video Inference API and import what its CLIP computes; needs --fps "
        "(at most 120); run again to resume a job that was interrupted",
    )
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace, context: Context) -> int:
    store = Store()
    if args.hosted:
        api = _hosted_api(args)
        embed = partial(_embed_hosted, api, context, store, sampling=args.sampling)
    else:
        embed = partial(embed_missing, context, store, sampling=context.sampling)
    done, status = each_video(context, args.videos, embed)
    documents = [document(store, video, info) for video, info in done]
    if args.json:
        print(dump(documents))
    elif documents:
        print(embeddings_table(documents))
    return status


def document(store: Store, video: Video, info: EmbeddingInfo) -> dict[str, Any]:
    """Return an embedding as it is printed."""
    return {
        "video": video_document(video, info, samples=info.samples),
        **damage_document(store, info),
        "engine": {"id": info.key.engine_id, "dim": info.dim},
        "sampling": sampling_document(Sampling.from_key(info.key.sampling_key)),
    }


def _hosted_api(args: argparse.Namespace) -> HostedApi:
    if args.engine or args.model:
        raise UsageError("--hosted has its own engine; leave out --engine and --model")
    if args.framing:
        raise UsageError("--framing is for engines that embed here; the hosted service frames by itself")
    if args.sampling.kind != "fps":
        raise UsageError("--hosted samples by rate; add for example --fps 3")
    return HostedApi(key=api_key_from_environment())


def _embed_hosted(
    api: HostedApi, context: Context, store: Store, path: Path, sampling: Sampling
) -> tuple[Video, EmbeddingInfo]:
    name, reporter = path.name, context.reporter
    video = store.add_file(path, on_progress=lambda done, total: reporter.hashing(name, done, total))
    started = time.monotonic()

    def show(progress: Progress) -> None:
        reporter.progress(name, progress)

    try:
        outcome = embed_hosted(store, video, sampling, api, on_progress=show, cancel=context.cancel)
    except Cancelled as error:
        reporter.line(f"{name}: {error}")
        raise
    if outcome.new:
        took = format_duration(time.monotonic() - started)
        reporter.line(f"{name}: {outcome.info.samples:,} samples from the hosted service in {took}")
    if outcome.note:
        reporter.line(f"{name}: {outcome.note}")
    return video, outcome.info
