"""``report VIDEO …`` and ``report --archive``: one HTML file for people without Promptreel."""

from __future__ import annotations

import argparse
from pathlib import Path

from lib.cli import classify
from lib.cli.context import Context, UsageError, add_engine_options, warn_about_unknown_words
from lib.cli.ground_truth import HELP, read_ground_truth
from lib.cli.inputs import add_picture_option, analysed, embed_missing, with_pictures
from lib.comparison.archive_view import VideoFacts
from lib.comparison.categories import BY
from lib.core.errors import InputError
from lib.infra.files import write_atomically
from lib.services import categories
from lib.services.ground_truth import Truth, video_truth
from lib.services.input_files import read_prompt_set
from lib.services.reports import (
    About,
    Side,
    report_name,
    report_of_archive,
    report_of_comparison,
    report_of_video,
)
from lib.store.embeddings import EmbeddingInfo
from lib.store.store import Store
from lib.store.videos import Video


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.description = (
        "Write one HTML file that opens without Promptreel and without a network: what prompts find in a video "
        "(--prompts), which of two prompt sets is better on it (--a and --b), or the categories of many videos "
        "(--archive). What is missing is embedded first."
    )
    add_engine_options(parser)
    parser.add_argument("videos", nargs="*", metavar="VIDEO", help="a file; with --archive also folders and patterns")
    parser.add_argument("--prompts", type=Path, metavar="FILE", help="a prompt set, as for analyze")
    for side in "ab":
        parser.add_argument(f"--{side}", type=Path, metavar="FILE", help=f"a prompt set: side {side.upper()}")
    parser.add_argument("--truth", type=Path, metavar="FILE", help=f"{HELP} (default: what is kept of the video)")
    parser.add_argument("--archive", action="store_true", help="of the categories of videos, as classify has them")
    parser.add_argument("--all", action="store_true", help="with --archive: all that are embedded with the engine")
    parser.add_argument("--saved", metavar="NAME", help="with --archive: saved categories, instead of --prompts")
    parser.add_argument("--by", choices=BY, default="share", help="with --archive: as for classify")
    parser.add_argument("--title", default="", metavar="TEXT", help="heading of the report")
    parser.add_argument("--note", default="", metavar="TEXT", help="what is said below it")
    parser.add_argument("--out", type=Path, metavar="FILE", help="where to write it (default: named after the video)")
    add_picture_option(parser)
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace, context: Context) -> int:
    about = About(args.title, args.note)
    if args.archive:
        return _of_archive(args, context, about)
    sides = [path for path in (args.a, args.b) if path is not None]
    if len(args.videos) != 1 or args.all or args.saved:
        raise UsageError("name one video; a report of several is made with --archive")
    if (args.prompts is not None) == bool(sides) or len(sides) == 1:
        raise UsageError("give a prompt set with --prompts, or two with --a and --b")
    store = Store()
    prompt_sets = [
        with_pictures(args.pictures if not sides else (), read_prompt_set(path), store, context)
        for path in sides or [args.prompts]
    ]
    for prompt_set in prompt_sets:
        warn_about_unknown_words(prompt_set.texts, context)
    video, info = embed_missing(context, store, Path(args.videos[0]), context.sampling)
    truth, engine = _truth(args.truth, store, video, info, context), context.engine
    analyses = [analysed(context, store, video, context.sampling, prompt_set) for prompt_set in prompt_sets]
    if sides:
        a, b = (Side(info, engine, analysis) for analysis in analyses)
        data = report_of_comparison(store, video, a, b, truth=truth, about=about)
    else:
        data = report_of_video(store, video, info, engine, analyses[0], truth=truth, about=about)
    return _write(data, args.out, "-".join([Path(video.name).stem, *(one.name for one in prompt_sets)]))


def _of_archive(args: argparse.Namespace, context: Context, about: About) -> int:
    if args.a or args.b or args.truth:
        raise UsageError("--a, --b and --truth are of one video; leave them out with --archive")
    classify.check(args)
    store = Store()
    prompt_set = classify.prompts_of(args, store, context.engine, context)
    warn_about_unknown_words(prompt_set.texts, context)
    infos, status = classify.embeddings(args, store, context.engine, context)
    found = classify.classified(store, prompt_set, infos, context)
    true, names = categories.true_categories(store.home), {one.sha256: one.name for one in store.videos()}
    facts = {
        key: VideoFacts(names.get(key, key[:12]), info.duration_s, true.get(key))
        for info in infos
        if (key := info.key.sha256) in found.videos
    }
    data = report_of_archive(store, context.engine, prompt_set, found, facts, by=args.by, about=about)
    return _write(data, args.out, f"archive-{prompt_set.name}") or status


def _truth(path: Path | None, store: Store, video: Video, info: EmbeddingInfo, context: Context) -> Truth:
    if path is not None:
        return read_ground_truth(path, video, info.end_s, context.reporter)
    return tuple(video_truth(store, video).segments)


def _write(data: bytes, out: Path | None, stem: str) -> int:
    path = out or Path(report_name(stem))
    try:
        write_atomically(path, data)
    except OSError as error:
        raise InputError(f"{path} can't be written ({error.strerror}); choose another place with --out.") from error
    print(path)
    return 0
