"""``queue add|list|run|pause|resume|retry|move|remove``: the queue of embeddings, which a dashboard shares."""

from __future__ import annotations

import argparse
from dataclasses import replace
from functools import partial
from typing import get_args

from lib.cli.actions import actions
from lib.cli.context import Context, add_engine_options
from lib.cli.output import dump, table
from lib.core.errors import Cancelled, InputError, PromptreelError
from lib.core.formatting import format_rough_duration, plural
from lib.core.sampling import Sampling
from lib.engines.engine import Engine
from lib.engines.registry import api_key_from_environment, is_embedded, may_have_environments_key
from lib.infra.address import origin_of
from lib.ingest.ingest import embedding_key
from lib.services import queue_file
from lib.services.embedding import EmbeddingQueue
from lib.services.jobs import JobManager
from lib.services.queue_file import Entry, Move
from lib.services.video_files import named_videos
from lib.store.store import Store
from lib.store.videos import Video

_LOOK_S = 0.2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = actions(parser)
    adding = add("add", _add, "add videos; a dashboard that runs embeds them, or “queue run”")
    add_engine_options(adding)
    adding.add_argument("videos", nargs="+", metavar="VIDEO", help="files, folders, or patterns such as 'clips/*.mp4'")
    listing = add("list", _list, "list what waits, in order, and what failed")
    listing.add_argument("--json", action="store_true", help="print JSON instead of a table")
    add("run", _run, "embed what waits, here, until nothing does")
    add("pause", partial(_pause, paused=True), "stop embedding what waits, in all processes")
    add("resume", partial(_pause, paused=False), "end the pause")
    add("retry", _retry, "try again what failed").add_argument("ids", nargs="*", metavar="ID", help=f"{_IDS}; else all")
    moving = add("move", _move, "move a video among those that wait")
    moving.add_argument("id", metavar="ID", help=_IDS)
    moving.add_argument("where", choices=get_args(Move))
    add("remove", _remove, "take videos from the queue").add_argument("ids", nargs="+", metavar="ID", help=_IDS)


_IDS = "ids that “queue list” prints"


def _queue(context: Context, jobs: JobManager | None = None) -> EmbeddingQueue:
    return EmbeddingQueue(Store(), jobs or JobManager(), partial(_engine, context))


def _engine(context: Context, spec: str, model_version: str) -> Engine:
    """Return the engine of an entry; a key goes only where the environment's may, as others may have written it."""
    has_key = not is_embedded(spec) and may_have_environments_key(origin_of(spec))
    return context.engine_of(spec, model_version, api_key=api_key_from_environment() if has_key else None)


def _add(args: argparse.Namespace, context: Context) -> int:
    engine, store, queue = context.engine, Store(), _queue(context)
    status = 0
    missing: dict[str, Video] = {}
    complete = {info.key for info in store.embeddings() if info.complete}
    for path in named_videos(args.videos):
        if context.cancel.is_set():
            break
        try:
            video = store.add_file(path, on_progress=partial(context.reporter.hashing, path.name))
        except PromptreelError as error:  # go on with the others
            context.reporter.problem(error)
            status = 1
        else:
            if embedding_key(video, engine, context.sampling) not in complete:
                missing[video.sha256] = video
    queue.put(missing.values(), engine, context.sampling)
    waiting = len(queue.read().waiting)
    if args.json:
        print(dump({"added": [video.name for video in missing.values()], "waiting": waiting}))
    else:
        print(f"{plural(len(missing), 'video')} added; {plural(waiting, 'video')} in the queue.")
    if context.cancel.is_set():
        raise Cancelled
    return status


def _list(args: argparse.Namespace, context: Context) -> int:
    queue = _queue(context)
    now, left = queue.read(), queue.time_left()
    if args.json:
        entries = [_document(entry) for entry in now.entries]
        seconds = left.seconds or None
        print(dump({"paused": now.paused, "reason": now.reason, "seconds_left": seconds, "entries": entries}))
        return 0
    if now.entries:
        rows = [
            (one.id, one.name, one.engine_name, Sampling.from_key(one.sampling).description, _state(one))
            for one in (*now.waiting, *now.failed)
        ]
        print(table(("id", "video", "engine", "sampling", "state"), rows, left=5))
    about = f", about {format_rough_duration(left.seconds)} left" if left.seconds else ""
    paused = f" Paused. {now.reason}".rstrip() if now.paused else ""
    print(f"{plural(len(now.waiting), 'video')} in the queue{about}.{paused}")
    return 0


def _state(entry: Entry) -> str:
    if entry.failed:
        return f"failed: {entry.problem}"
    if entry.problem:
        return f"waits: {entry.problem}"
    return "running" if entry.running else "waiting"


def _document(entry: Entry) -> dict[str, object]:
    names = ("id", "sha256", "name", "engine", "model_version", "sampling", "samples", "done", "problem")
    return {name: getattr(entry, name) for name in names} | {"state": _state(entry).partition(":")[0]}


def _run(args: argparse.Namespace, context: Context) -> int:
    jobs = JobManager()
    queue = _queue(context, jobs)
    before = queue.read()
    if before.paused:
        raise InputError("The queue is paused; end that with “queue resume” first.")
    told: set[str] = set()
    queue.wake()
    try:
        while queue.busy and not context.cancel.is_set() and not _is_stuck(queue):
            _tell(context, queue, jobs, told)
            context.cancel.wait(_LOOK_S)
    finally:
        queue.close()
    _tell(context, queue, jobs, told)
    if context.cancel.is_set():
        raise Cancelled
    now = queue.read()
    known = {entry.id for entry in before.failed}
    problems = [f"{one.name}: {one.problem}" for one in now.failed if one.id not in known]
    reasons = (one.problem or queue.held(one.spec) for one in now.waiting)
    problems += dict.fromkeys(f"waits for its engine: {reason}" for reason in reasons if reason)
    for problem in problems:
        context.reporter.problem(problem)
    print(f"{plural(len(now.waiting), 'video')} in the queue, {len(now.failed):,} failed.")
    return 1 if problems else 0


def _is_stuck(queue: EmbeddingQueue) -> bool:
    waiting = queue.read().waiting
    return bool(waiting) and all(queue.held(entry.spec) for entry in waiting)


def _tell(context: Context, queue: EmbeddingQueue, jobs: JobManager, told: set[str]) -> None:
    for job in jobs.jobs():
        if job.live and job.progress is not None:
            context.reporter.progress(job.title, job.progress)
        elif job.state == "done" and job.id not in told:
            told.add(job.id)
            context.reporter.line(f"{job.title}: {job.result.samples:,} samples")
            if job.note:
                context.reporter.line(f"{job.title}: {job.note}")


def _pause(args: argparse.Namespace, context: Context, *, paused: bool) -> int:
    queue_file.change(Store().home, lambda queue: replace(queue, paused=paused, reason=""))
    print("Paused." if paused else "Resumed; a dashboard that runs goes on, or “queue run”.")
    return 0


def _retry(args: argparse.Namespace, context: Context) -> int:
    queue = _queue(context)
    failed = {entry.id for entry in queue.read().failed}
    wanted = _known(args.ids, failed) if args.ids else failed
    queue_file.change(Store().home, lambda queue: queue.retrying(wanted))
    print(f"{plural(len(wanted), 'video')} in the queue again.")
    return 0


def _move(args: argparse.Namespace, context: Context) -> int:
    queue = _queue(context)
    _known([args.id], {entry.id for entry in queue.read().waiting})
    queue.move(args.id, args.where)
    return 0


def _remove(args: argparse.Namespace, context: Context) -> int:
    queue = _queue(context)
    queue.remove(_known(args.ids, {entry.id for entry in queue.read().entries}))
    return 0


def _known(ids: list[str], there: set[str]) -> set[str]:
    """Return the ids, if all are there; raise ``InputError`` otherwise."""
    for one in ids:
        if one not in there:
            raise InputError(f"{one} is none of {_IDS}.")
    return set(ids)
