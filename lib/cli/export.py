"""``export VIDEO --prompts FILE --format NAME``: what prompts find in a video, as a file for another program."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lib.cli.context import Context, add_engine_options, warn_about_unknown_words
from lib.cli.inputs import add_picture_option, analysed, embed_missing, with_pictures
from lib.core.errors import InputError
from lib.core.formatting import shortened
from lib.core.labelled_intervals import label_key
from lib.infra.files import write_atomically
from lib.services.exports import FORMATS, StoredAnalysis, export
from lib.services.input_files import read_prompt_set
from lib.store.store import Store


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    listed = "\n".join(f"  {name:<16} {kind.title}" for name, kind in FORMATS.items())
    parser.description = (
        "Embed what is missing of a video, then write what prompts find in it as a file for another\nprogram: an "
        f"editor, an annotation tool, a spreadsheet.\n\nformats:\n{listed}"
    )
    add_engine_options(parser, json=False)
    parser.add_argument("video", type=Path, metavar="VIDEO")
    parser.add_argument("--prompts", type=Path, required=True, metavar="FILE", help="a prompt set")
    parser.add_argument("--format", required=True, choices=FORMATS, metavar="NAME", help="one of the formats above")
    parser.add_argument(
        "--out", metavar="FILE", help="where to write; - for stdout (default: named after the video, in this folder)"
    )
    parser.add_argument(
        "--label",
        dest="labels",
        action="append",
        default=[],
        metavar="LABEL",
        help="segments of this label alone, in formats of segments; may be repeated",
    )
    add_picture_option(parser)
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace, context: Context) -> int:
    prompt_set = read_prompt_set(args.prompts)
    warn_about_unknown_words(prompt_set.texts, context)
    store, engine = Store(), context.engine
    prompt_set = with_pictures(args.pictures, prompt_set, store, context)
    spelling = {label_key(prompt.label): prompt.label for prompt in prompt_set.enabled}
    for label in args.labels:
        if label_key(label) not in spelling:
            there = shortened(", ".join(spelling.values()), 200)
            raise InputError(f"--label {label} names no prompt; the labels are {there}.")
    labels = tuple(spelling[label_key(label)] for label in args.labels)
    video, info = embed_missing(context, store, args.video, context.sampling)
    analysis = analysed(context, store, video, context.sampling, prompt_set)
    made = export(StoredAnalysis(store, video, info, engine, analysis, labels), args.format)
    for note in made.notes:
        context.reporter.line(note)
    if args.out == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(made.content)
        return 0
    path = Path(args.out or made.file_name)
    try:
        write_atomically(path, made.content)
    except OSError as error:
        raise InputError(f"{path} can't be written ({error.strerror}); choose another place with --out.") from error
    print(path)
    return 0
