"""``report VIDEO --prompts FILE``: embed what is missing, then write a report that opens without Promptreel."""

from __future__ import annotations

import argparse
from pathlib import Path

from lib.cli.context import Context, add_engine_options, warn_about_unknown_words
from lib.cli.ground_truth import HELP, read_ground_truth
from lib.cli.inputs import add_picture_option, analysed, embed_missing, with_pictures
from lib.core.errors import InputError
from lib.core.labelled_intervals import TrueSegment
from lib.infra.files import write_atomically
from lib.services.ground_truth import video_truth
from lib.services.input_files import read_prompt_set
from lib.services.reports import About, report_name, report_of_video
from lib.store.embeddings import EmbeddingInfo
from lib.store.store import Store
from lib.store.videos import Video


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_engine_options(parser)
    parser.add_argument("video", type=Path, metavar="VIDEO")
    parser.add_argument("--prompts", type=Path, required=True, metavar="FILE", help="a prompt set, as for analyze")
    parser.add_argument("--truth", type=Path, metavar="FILE", help=f"{HELP} (default: what is kept of the video)")
    parser.add_argument("--title", default="", metavar="TEXT", help="heading of the report")
    parser.add_argument("--note", default="", metavar="TEXT", help="what is said below it")
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="where to write it (default: VIDEO-PROMPTS-report.html)"
    )
    add_picture_option(parser)
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace, context: Context) -> int:
    store, about = Store(), About(args.title, args.note)
    prompt_set = with_pictures(args.pictures, read_prompt_set(args.prompts), store, context)
    warn_about_unknown_words(prompt_set.texts, context)
    video, info = embed_missing(context, store, args.video, context.sampling)
    truth = _truth(args.truth, store, video, info, context)
    analysis = analysed(context, store, video, context.sampling, prompt_set)
    data = report_of_video(store, video, info, context.engine, analysis, truth=truth, about=about)
    return _write(data, args.out, f"{Path(video.name).stem}-{prompt_set.name}")


def _truth(
    path: Path | None, store: Store, video: Video, info: EmbeddingInfo, context: Context
) -> tuple[TrueSegment, ...]:
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
