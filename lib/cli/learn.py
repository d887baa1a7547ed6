"""``learn VIDEO… --prompts FILE``: embed what is missing, then learn prompts from the ground truth."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from lib.cli.context import Context, UsageError, add_engine_options, warn_about_unknown_words
from lib.cli.ground_truth import HELP, read_ground_truth
from lib.cli.inputs import add_picture_option, embed_missing, with_pictures
from lib.cli.output import dump
from lib.core.errors import InputError, PromptSetError
from lib.core.labelled_intervals import TrueSegment
from lib.infra.files import write_atomically
from lib.prompts.model import PromptSet
from lib.services.ground_truth import video_truth
from lib.services.input_files import read_prompt_set
from lib.services.learning import Lesson, learn_from
from lib.store.store import Store
from lib.store.videos import Video


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_engine_options(parser)
    parser.add_argument("videos", type=Path, nargs="+", metavar="VIDEO")
    parser.add_argument("--prompts", type=Path, required=True, metavar="FILE", help="a prompt set, as for analyze")
    parser.add_argument(
        "--truth",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help=f"{HELP}; once for each VIDEO, in order (default: what the dashboard has, else its annotation file)",
    )
    parser.add_argument(
        "--label", action="append", metavar="LABEL", help="learn this label only; may be repeated (default: all)"
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="write the prompt set, with what is better, as YAML; --prompts of other commands reads it",
    )
    add_picture_option(parser)
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace, context: Context) -> int:
    if args.truth and len(args.truth) != len(args.videos):
        raise UsageError(f"--truth is given {len(args.truth)} times for {len(args.videos)} videos; give one for each")
    prompt_set = read_prompt_set(args.prompts)
    warn_about_unknown_words(prompt_set.texts, context)
    store = Store()
    prompt_set = with_pictures(args.pictures, prompt_set, store, context)
    videos = [
        _with_truth(args, context, store, path, args.truth[place] if args.truth else None)
        for place, path in enumerate(args.videos)
    ]
    try:
        lesson = learn_from(store, context.engine, context.sampling, prompt_set, videos, args.label)
    except KeyError as error:
        raise PromptSetError(
            f"The prompt set has no enabled prompt {error}; --label takes the label of one."
        ) from error
    if args.out is not None:
        try:
            write_atomically(args.out, lesson.prompt_set.to_yaml())
        except OSError as error:
            raise InputError(f"{args.out} can't be written ({error.strerror}); name another file.") from error
    print(dump(_document(lesson, context.engine.id)) if args.json else _text(lesson, args.out, prompt_set))
    return 0


def _with_truth(
    args: argparse.Namespace, context: Context, store: Store, path: Path, truth_file: Path | None
) -> tuple[Video, tuple[TrueSegment, ...]]:
    """Embed what is missing of a video; return it with its ground truth."""
    video, info = embed_missing(context, store, path, context.sampling)
    if truth_file is not None:
        return video, read_ground_truth(truth_file, video, info.end_s, context.reporter)
    truth = video_truth(store, video).segments
    if not truth:
        raise InputError(f"{video.name} has no ground truth; give --truth FILE or mark it in the dashboard.")
    return video, truth


def _text(lesson: Lesson, out: Path | None, before: PromptSet) -> str:
    sentences = [lesson.learning.sentence, *(f"  {label.sentence}" for label in lesson.learning.labels)]
    if lesson.temperature is not None:
        sentences.append(lesson.temperature.sentence)
    if out is not None:
        sentences.append(f"Written to {out}.")
    elif lesson.prompt_set != before:
        sentences.append("Nothing is kept: name a file with --out for the prompt set with what is better.")
    return "\n".join(sentences)


def _document(lesson: Lesson, engine_id: str) -> dict[str, Any]:
    learning, temperature = lesson.learning, lesson.temperature
    return {
        "engine": engine_id,
        "f1": {"before": learning.f1_before, "after": learning.f1_after},
        "labels": {
            label.label: {
                "better": label.better,
                "segments": label.segments,
                "videos": label.videos,
                "strength": label.strength,
                "f1_before": label.difference.f1_a if label.difference else None,
                "f1_after": label.difference.f1_b if label.difference else None,
                "low": label.difference.low if label.difference else None,
                "high": label.difference.high if label.difference else None,
            }
            for label in learning.labels
        },
        "logit_scale": None
        if temperature is None
        else {
            "better": temperature.better,
            "now": temperature.now,
            "fitted": temperature.scale,
            "log_loss_before": temperature.loss_now,
            "log_loss_after": temperature.loss,
            "low": temperature.low,
            "high": temperature.high,
        },
        "prompt_set": lesson.prompt_set.to_dict(),
    }
