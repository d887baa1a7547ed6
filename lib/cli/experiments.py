"""``experiments list|show|delete|restore``: the dashboard's experiments."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from datetime import datetime
from typing import Any

from lib.cli.actions import actions
from lib.cli.context import Context
from lib.cli.output import NOTHING, dump, table
from lib.core.errors import NotStoredError
from lib.services import catalogue, documents, experiment_merge, experiments, versions
from lib.services.catalogue import Choice
from lib.services.experiments import Experiment
from lib.store.store import Store

_ID = "an id that “experiments list” prints"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = actions(parser)
    listing = add("list", _list, "list experiments, the one edited last first")
    listing.add_argument("words", nargs="*", metavar="WORD", help="of title, note, labels, prompt set or video")
    listing.add_argument("--deleted", action="store_true", help="those that were deleted, in place of the others")
    listing.add_argument("--json", action="store_true", help="print JSON instead of text")
    for name, run, words in (
        ("show", _show, "print an experiment as JSON"),
        ("delete", _delete, "delete an experiment; restore brings it back"),
        ("restore", _restore, "bring a deleted experiment back"),
    ):
        add(name, run, words).add_argument("id", metavar="ID", help=_ID)


def _list(args: argparse.Namespace, context: Context) -> int:
    store = Store()
    names = {video.sha256: video.name for video in store.videos()}
    listing = catalogue.listed(store.home, names)
    all_of_them = catalogue.deleted(store.home, names) if args.deleted else listing.choices
    found = [one for one in all_of_them if one.kind == "experiment" and one.matches(" ".join(args.words))]
    for name in listing.damaged:
        context.reporter.line(f"{name} is damaged or of another version, so it is left out; it stays as it is.")
    if args.json:
        print(dump({"experiments": [_entry(one) for one in found], "damaged": list(listing.damaged)}))
    elif found:
        rows = [
            ("★" if one.starred else "", one.id, one.title, one.video_name, _when(one), ", ".join(one.labels))
            for one in found
        ]
        print(table(("", "id", "title", "video", "deleted" if args.deleted else "edited", "labels"), rows, left=6))
    else:
        print("No experiment is deleted." if args.deleted else "There is no such experiment; the dashboard makes them.")
    return 0


def _entry(one: Choice) -> dict[str, Any]:
    names = ("id", "title", "note", "starred", "video", "video_name", "prompt_set", "labels", "written_at")
    return {name: getattr(one, name) for name in names}


def _when(one: Choice) -> str:
    return f"{datetime.fromtimestamp(one.written_at):%Y-%m-%d %H:%M}" if one.written_at else NOTHING


def _show(args: argparse.Namespace, context: Context) -> int:
    print(dump(asdict(_found(Store(), args.id))))
    return 0


def _delete(args: argparse.Namespace, context: Context) -> int:
    store = Store()
    experiment = _found(store, args.id)
    versions.keep(store, experiment, "deletion")
    documents.discard(experiment_merge.KIND, store.home, experiment.id)
    context.reporter.line(f"{experiments.shown_title(experiment)} is deleted; “experiments restore” brings it back.")
    return 0


def _restore(args: argparse.Namespace, context: Context) -> int:
    store = Store()
    if experiments.load_deleted(store.home, args.id) is not None:
        documents.bring_back(experiment_merge.KIND, store.home, args.id)
    context.reporter.line(f"{experiments.shown_title(_found(store, args.id))} is there again.")
    return 0


def _found(store: Store, experiment_id: str) -> Experiment:
    experiment = experiments.load(store.home, experiment_id)
    if experiment is None:
        raise NotStoredError(f"There is no experiment {experiment_id}; “experiments list” prints their ids.")
    return experiment
