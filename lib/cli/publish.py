"""``publish VIDEO… | --all --remote URL``: embeddings of the library to object storage or a folder, each once."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from lib.cli.context import Context, UsageError
from lib.cli.output import dump, table
from lib.core.errors import Cancelled, NotStoredError, PromptreelError
from lib.core.formatting import format_duration
from lib.core.sampling import Sampling
from lib.remote.publishing import Publication, publish
from lib.remote.records import Published
from lib.remote.storage import REMOTE_VARIABLE, Remote
from lib.services.find_videos import find_videos
from lib.store.embeddings import EmbeddingInfo
from lib.store.store import Store

Item = TypeVar("Item")
Result = TypeVar("Result")
_AT_ONCE = 4


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.description = (
        "Publish complete embeddings, so that others pull them with “pull” or in the dashboard. One that is there "
        "already is not published again, and two who publish the same at once publish it once."
    )
    parser.add_argument("videos", nargs="*", metavar="VIDEO", help="names, paths or SHA-256 of videos of the library")
    parser.add_argument("--all", action="store_true", help="all videos of the library")
    add_remote_options(parser, videos="copy the videos' files too")
    parser.set_defaults(run=_run)


def add_remote_options(parser: argparse.ArgumentParser, *, videos: str) -> None:
    """Add where it is, which engine, ``--videos`` (with its help) and ``--json``."""
    parser.add_argument(
        "--remote",
        metavar="URL",
        help=f"s3://bucket/prefix, gs://…, az://… or file:///folder (default: {REMOTE_VARIABLE}); keys, region and "
        "endpoint come from the environment (AWS_…, GOOGLE_…, AZURE_…)",
    )
    parser.add_argument("--engine", metavar="TEXT", help="only of engines whose name or id has this in it")
    parser.add_argument("--videos", dest="with_videos", action="store_true", help=videos)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def remote_of(args: argparse.Namespace) -> Remote:
    """Return the place that the options, or the environment, name."""
    url = args.remote or os.environ.get(REMOTE_VARIABLE)
    if not url:
        raise UsageError(f"say where with --remote, for example s3://bucket/archive, or set {REMOTE_VARIABLE}")
    return Remote(url)


def is_of_engine(args: argparse.Namespace, engine_id: str, engine_name: str) -> bool:
    """Return whether an engine is one of those asked for."""
    return args.engine is None or args.engine.lower() in f"{engine_id} {engine_name}".lower()


def _run(args: argparse.Namespace, context: Context) -> int:
    if args.all == bool(args.videos):
        raise UsageError("name videos, or add --all for every video of the library")
    remote, store = remote_of(args), Store()
    names = {video.sha256: video.name for video in store.videos()}
    wanted = set(names) if args.all else set(find_videos(store.videos(), args.videos))
    infos = [
        info
        for info in store.embeddings()
        if info.complete and info.key.sha256 in wanted and is_of_engine(args, info.key.engine_id, info.engine_name)
    ]
    if not infos:
        raise NotStoredError("No embedding of these is complete; embed the videos first, or leave out --engine.")

    def work(info: EmbeddingInfo, **options: Any) -> Publication:
        return publish(store, info.key, remote, with_video=args.with_videos, **options)

    done, status = each(infos, lambda info: names.get(info.key.sha256, info.key.sha256[:12]), work, context)
    documents = [document(one.published, new=one.new) for one in done]
    if args.json:
        print(dump(documents))
    elif documents:
        print(published_table(documents, "published", ("now", "before")))
    return status


def each(
    items: Sequence[Item], name: Callable[[Item], str], work: Callable[..., Result], context: Context
) -> tuple[list[Result], int]:
    """Return what ``work`` gives for each item, a few at once, and the exit status.

    One that fails costs one line, and the status is 1 then.

    Args:
        items: what to work on.
        name: of one, for people.
        work: called with an item, and ``on_progress`` and ``cancel`` by keyword.
        context: where progress and problems are shown.

    Raises:
        Cancelled: cancelled before the end.
    """

    def one(item: Item) -> Result | None:
        if context.cancel.is_set():
            raise Cancelled
        try:
            return work(
                item,
                on_progress=lambda progress: context.reporter.progress(name(item), progress),
                cancel=context.cancel,
            )
        except PromptreelError as error:
            context.reporter.problem(f"{name(item)}: {error}")
            return None

    with ThreadPoolExecutor(_AT_ONCE) as pool:  # each is a few round trips, and little else
        results = list(pool.map(one, items))
    done = [result for result in results if result is not None]
    return done, int(len(done) < len(results))


def document(one: Published, **more: Any) -> dict[str, Any]:
    """Return a published embedding as it is printed."""
    return {
        "id": one.id,
        "video": {
            "name": one.name,
            "sha256": one.key.sha256,
            "size_bytes": one.size_bytes,
            "duration_s": one.end_s - one.start_s,
        },
        "engine": {"id": one.key.engine_id, "dim": one.dim},
        "sampling": one.key.sampling_key,
        "samples": one.samples,
        "missing": one.missing,
        "damage": one.damage,
        **more,
    }


def published_table(documents: list[dict[str, Any]], state: str, words: tuple[str, str]) -> str:
    """Return one row per published embedding; ``words`` are for ``new`` and not."""
    rows = [
        (
            one["video"]["name"],
            one["engine"]["id"],
            Sampling.from_key(one["sampling"]).description,
            format_duration(one["video"]["duration_s"]),
            f"{one['samples']:,}",
            words[0] if one["new"] else words[1],
        )
        for one in documents
    ]
    return table(("video", "engine", "sampling", "length", "samples", state), rows, left=3)
