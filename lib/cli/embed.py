"""``embed VIDEO…``: embed what is missing, here or, with ``--hosted``, by the hosted service."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from contextlib import suppress
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
    _add_remote_options(parser)
    parser.set_defaults(run=_run)


def _add_remote_options(parser: argparse.ArgumentParser) -> None:
    remote = parser.add_argument_group(
        "object storage and clusters",
        "With --remote, videos may be addresses such as 's3://bucket/videos/*.mp4' too. What is embedded is published "
        "there and not kept here; pull gets it. Videos that were published before are skipped.",
    )
    remote.add_argument("--remote", metavar="URL", help="where to publish, for example s3://bucket/archive")
    remote.add_argument(
        "--on",
        choices=("here", "ray"),
        default="here",
        help="where to embed: on this machine, or with Ray on a cluster",
    )
    remote.add_argument(
        "--address", metavar="ADDRESS", help="of the Ray cluster, HOST:6379 (default: Ray on this machine)"
    )
    remote.add_argument(
        "--cpus-per-video", type=_number(0.1, 1024), default=1.0, metavar="N", help="CPUs to reserve (default: 1)"
    )
    remote.add_argument(
        "--requests",
        type=_number(1, 1000),
        default=4,
        metavar="N",
        help="requests to an inference server at once, over the whole cluster (default: 4)",
    )


def _number(low: float, high: float) -> Callable[[str], float]:
    """Return a converter for argparse of a number within bounds, whole where its lower bound is."""

    def convert(text: str) -> float:
        with suppress(ValueError):
            value = type(low)(text)
            if low <= value <= high:
                return value
        kind = "whole number" if isinstance(low, int) else "number"
        raise argparse.ArgumentTypeError(f"{text!r} is no {kind} from {low:g} to {high:g}")

    return convert


def _run(args: argparse.Namespace, context: Context) -> int:
    if args.remote:
        if args.hosted:
            raise UsageError("--hosted embeds elsewhere by itself; leave out --remote, and publish what it gave")
        if args.address and args.on != "ray":
            raise UsageError("--address is of a Ray cluster; add --on ray")
        from lib.cli.embed_remote import run

        return run(args, context)
    if args.on != "here" or args.address:
        raise UsageError("--on ray and --address need --remote, where what is embedded is published")
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
