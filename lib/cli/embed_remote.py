"""``embed --remote URL VIDEO…``: videos of object storage or of folders embedded and published, here or with Ray."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lib.cli.context import Context, UsageError
from lib.cli.output import dump, table
from lib.core.formatting import format_duration, plural
from lib.engines.clip_versions import DEFAULT_VERSION
from lib.engines.registry import default_engine, is_embedded
from lib.ingest.progress import Progress
from lib.remote.storage import Remote, RemoteFile
from lib.services.remote_embedding import EmbedAndPublish, Embedded, Gate, Marks, Standing, embed_sources, sources
from lib.services.runners import LocalRunner, Outcome, Runner


def run(args: argparse.Namespace, context: Context) -> int:
    """Embed and publish what the arguments name; return the exit status."""
    engine = context.engine
    if not engine.embeds_video:
        raise UsageError(f"vectors of {engine.name} come by import only; choose another engine")
    remote, reporter = Remote(args.remote), context.reporter
    found = sources(args.videos)
    marks = Marks(remote)
    waiting = [source for source in found if not marks.is_done(source, engine, context.sampling)]
    if len(waiting) < len(found):
        reporter.line(f"{plural(len(found) - len(waiting), 'video')} of {len(found):,} published before")
    if waiting:
        remote.check_writes()  # rather than after hours of work
    done: list[tuple[RemoteFile, Embedded]] = []
    failed: list[Outcome[RemoteFile, Embedded]] = []
    with _runner(args, context) as (runner, options):
        work = EmbedAndPublish(
            remote.url,
            args.engine or default_engine(),
            args.model or DEFAULT_VERSION,
            engine.id,
            context.sampling,
            **options,
        )
        for outcome, standing in embed_sources(runner, work, waiting) if waiting else ():
            if outcome.result is None:
                failed.append(outcome)
                reporter.problem(f"{outcome.item.uri}: {outcome.problem}")
            else:
                done.append((outcome.item, outcome.result))
                if outcome.result.note:
                    reporter.line(f"{outcome.item.uri}: {outcome.result.note}")
            reporter.work(_words(standing))
    _print(args, len(found) - len(waiting), done, failed)
    if failed:
        reporter.problem(f"{plural(len(failed), 'video')} of {len(found):,} failed; run it again for these:")
        for outcome in failed:
            reporter.line(outcome.item.uri)
    return 1 if failed else 0


def _print(
    args: argparse.Namespace,
    before: int,
    done: list[tuple[RemoteFile, Embedded]],
    failed: list[Outcome[RemoteFile, Embedded]],
) -> None:
    if args.json:
        print(dump(_document(before, done, failed)))
    elif done:
        print(table(("video", "samples", "embedding"), [_row(source, result) for source, result in done]))


def _row(source: RemoteFile, result: Embedded) -> tuple[str, str, str]:
    return source.uri, f"{result.samples:,}", result.id + ("" if result.new else ", published before")


def _document(
    before: int, done: list[tuple[RemoteFile, Embedded]], failed: list[Outcome[RemoteFile, Embedded]]
) -> dict[str, Any]:
    return {
        "published_before": before,
        "embedded": [
            {
                "source": source.uri,
                "sha256": result.sha256,
                "embedding": result.id,
                "samples": result.samples,
                "new": result.new,
                "damage": result.note or None,
            }
            for source, result in done
        ],
        "failed": [{"source": outcome.item.uri, "problem": outcome.problem} for outcome in failed],
    }


def _words(standing: Standing) -> str:
    left = standing.left_s
    return (
        f"{standing.done:,} of {plural(standing.total, 'video')}"
        + (f", {standing.failed:,} failed" if standing.failed else "")
        + (f", {standing.rate:.1f} samples per second" if standing.samples else "")
        + (f", {format_duration(left)} left" if left and standing.done < standing.total else "")
    )


@contextmanager
def _runner(args: argparse.Namespace, context: Context) -> Iterator[tuple[Runner, dict[str, Any]]]:
    """Yield where the work is done, and the options of the work that go with it."""
    if args.on == "here":

        def show(source: RemoteFile, progress: Progress) -> None:
            context.reporter.progress(source.uri, progress)

        yield LocalRunner(), {"cancel": context.cancel, "on_progress": show}
        return
    from lib.cluster.ray_runner import RayRunner

    with RayRunner(args.address, cpus=args.cpus_per_video, cancel=context.cancel) as runner:
        spec = args.engine or default_engine()
        gate: Gate | None = None if is_embedded(spec) else runner.gate(spec, args.requests)
        yield runner, {"gate": gate}
