"""``pull VIDEO… | --all --remote URL``: published embeddings into the library; without either, a list of them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

from lib.cli.context import Context
from lib.cli.output import dump
from lib.cli.publish import add_remote_options, document, each, is_of_engine, published_table, remote_of
from lib.core.errors import Cancelled, InputError, PromptreelError
from lib.remote.pulling import published, pull
from lib.remote.records import Published
from lib.remote.storage import Remote
from lib.store.store import Store

_NAMED = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.description = (
        "Take published embeddings into the library, each whole or not at all; its samples are compared with what was "
        "published. Without VIDEO and --all, only list what is there."
    )
    parser.add_argument(
        "videos", nargs="*", metavar="VIDEO", help="names of videos, patterns of names such as 'reel*', or ids"
    )
    parser.add_argument("--all", action="store_true", help="all that is published")
    add_remote_options(parser, videos="copy the videos' files too, where they are published")
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace, context: Context) -> int:
    remote, store = remote_of(args), Store()
    there: list[Published] = []
    failed = 0
    for one in published(remote):
        if context.cancel.is_set():
            raise Cancelled
        if isinstance(one, PromptreelError):
            context.reporter.problem(one)
            failed += 1
        elif is_of_engine(args, one.key.engine_id, one.engine_name):
            there.append(one)
    there.sort(key=lambda one: (one.name, one.id))
    if args.all or args.videos:
        wanted = there if args.all else _named(there, args.videos, remote)

        def work(one: Published, **options: Any) -> dict[str, Any]:
            return document(one, new=pull(store, one, remote, with_video=args.with_videos, **options).new)

        documents, failures = each(wanted, lambda one: one.name, work, context)
        failed += failures
        words = ("now", "before")
    else:
        documents = [document(one, new=_is_missing(store, one)) for one in there]
        words = ("no", "yes")
    if args.json:
        print(dump(documents))
    elif documents:
        print(published_table(documents, "in the library", words))
    elif not failed:
        context.reporter.line(f"Nothing is published in {remote}.")
    return 1 if failed else 0


def _is_missing(store: Store, one: Published) -> bool:
    info = store.find_embedding(one.key)
    return info is None or not info.complete


def _named(there: Sequence[Published], words: Sequence[str], remote: Remote) -> list[Published]:
    """Return what the words name, each once, in the order of the storage.

    Raises:
        InputError: a word names nothing.
    """
    found: dict[str, Published] = {}
    for word in words:
        some = [
            one
            for one in there
            if fnmatchcase(one.name, word)
            or one.name == word
            or (len(word) >= 6 and (one.id.startswith(word) or one.key.sha256.startswith(word)))
        ]
        if not some:
            names = ", ".join(sorted({one.name for one in there})[:_NAMED]) or "none yet"
            raise InputError(f"No video in {remote} is called {word}; there are: {names}.")
        found |= {one.id: one for one in some}
    return list(found.values())
