"""``clips VIDEO --prompts FILE``: the segments that prompts find, cut out; or the video with what is found drawn in."""

from __future__ import annotations

import argparse
from pathlib import Path

from lib.analysis.analysis import Analysis
from lib.charts.palette import label_colours
from lib.cli.context import Context, UsageError, add_engine_options, warn_about_unknown_words
from lib.cli.inputs import add_picture_option, analysed, embed_missing, with_pictures
from lib.core.errors import InputError
from lib.core.formatting import file_name, shortened
from lib.core.labelled_intervals import label_key
from lib.services.clips import ClipFile, CutOut, annotate, cut_files, cut_reel, cut_zip, in_words
from lib.services.input_files import read_prompt_set
from lib.store.store import Store


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_engine_options(parser, json=False)
    parser.add_argument("video", type=Path, metavar="VIDEO")
    parser.add_argument("--prompts", type=Path, required=True, metavar="FILE", help="a prompt set, as for analyze")
    parser.add_argument("--label", metavar="LABEL", help="segments of this label alone")
    parser.add_argument(
        "--padding", type=float, default=0.0, metavar="S", help="cut so many seconds earlier and later (default: 0)"
    )
    parser.add_argument(
        "--copy",
        action="store_true",
        help="encode nothing again: begin at the key frame before, and end where what is decoded is shown (default: "
        "exact to the frame, copied where that is exact)",
    )
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--reel", action="store_true", help="one file, the segments one behind the other")
    kind.add_argument("--zip", action="store_true", help="one zip of the files, with a table of them")
    kind.add_argument(
        "--annotated", action="store_true", help="the whole video instead, with labels and scores drawn in"
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="PATH",
        help="the folder, or the one file, to write (default: named after the video)",
    )
    add_picture_option(parser)
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace, context: Context) -> int:
    if args.annotated and (args.label or args.padding or args.copy):
        raise UsageError("--annotated is of the whole video; leave out --label, --padding and --copy")
    prompt_set = read_prompt_set(args.prompts)
    warn_about_unknown_words(prompt_set.texts, context)
    store = Store()
    prompt_set = with_pictures(args.pictures, prompt_set, store, context)
    spelling = {label_key(prompt.label): prompt.label for prompt in prompt_set.enabled}
    if args.label is not None and label_key(args.label) not in spelling:
        there = shortened(", ".join(spelling.values()), 200)
        raise InputError(f"--label {args.label} names no prompt; the labels are {there}.")
    wanted = CutOut(spelling.get(label_key(args.label or "")), args.padding, args.copy)
    video, _ = embed_missing(context, store, args.video, context.sampling)
    analysis = analysed(context, store, video, context.sampling, prompt_set)
    stem = "-".join([Path(video.name).stem, prompt_set.name, *([wanted.label] if wanted.label else [])])
    _write(args, context, store.file_path(video.sha256), (Path(video.name).stem, stem), analysis, wanted)
    return 0


def _write(
    args: argparse.Namespace,
    context: Context,
    source: Path,
    names: tuple[str, str],
    analysis: Analysis,
    wanted: CutOut,
) -> None:
    """Write what is asked for; ``names`` are those of the video, and of the whole."""
    name, stem = names

    def tell(done_s: float, total_s: float | None) -> None:
        context.reporter.counting(name, int(done_s), max(1, round(total_s or done_s)), "s of video")

    ending = (
        "-annotated.mp4" if args.annotated else "-reel.mp4" if args.reel else "-clips.zip" if args.zip else "-clips"
    )
    path: Path = args.out or Path(file_name(stem, ending))
    if args.annotated:
        colours = label_colours(analysis.prompt_set.prompts)
        annotate(source, path, analysis, colours, None, on_progress=tell, cancel=context.cancel)
        print(path)
        return
    if args.reel:
        parts = cut_reel(source, path, analysis, wanted, on_progress=tell, cancel=context.cancel)
    elif args.zip:
        clips = cut_zip(source, path, name, analysis, wanted, on_progress=tell, cancel=context.cancel)
        parts = [clip.part for clip in clips]
    else:
        clips = cut_files(source, path, name, analysis, wanted, on_progress=tell, cancel=context.cancel, done=_print)
        parts = [clip.part for clip in clips]
    if args.reel or args.zip:
        print(path)
    context.reporter.line(in_words(parts))


def _print(clip: ClipFile) -> None:
    print(clip.path, flush=True)
