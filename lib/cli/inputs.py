"""What commands work on: videos, embedded where they aren't yet, and what prompt sets find in them."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from lib.analysis.analysis import Analysis
from lib.cli.context import Context
from lib.cli.phrases import embed_reference
from lib.core.errors import Cancelled, InputError, PromptreelError
from lib.core.formatting import format_duration, plural, shortened
from lib.core.labelled_intervals import label_key
from lib.core.sampling import Sampling
from lib.engines.engine import Engine
from lib.ingest.coarser import take_from_finer
from lib.ingest.ingest import embedding_key, ingest
from lib.ingest.progress import Progress
from lib.prompts.model import PromptSet
from lib.services.input_files import read_bytes
from lib.services.stored_analysis import analyse_stored
from lib.services.video_files import named_videos
from lib.store.embeddings import EmbeddingInfo
from lib.store.store import Store
from lib.store.videos import Video


def embed_missing(context: Context, store: Store, path: Path, sampling: Sampling) -> tuple[Video, EmbeddingInfo]:
    """Embed what is missing of a video; return the video and its embedding.

    Raises:
        Cancelled: cancelled before the end.
    """
    engine = context.engine  # first of all, since a wrong one is wrong usage
    video = store.add_file(path, on_progress=lambda done, total: context.reporter.hashing(path.name, done, total))
    return video, embed_stored(engine, context, store, video, sampling)


def each_video(
    context: Context, texts: Sequence[str], embed: Callable[[Path], tuple[Video, EmbeddingInfo]]
) -> tuple[list[tuple[Video, EmbeddingInfo]], int]:
    """Return what ``embed`` gives for each video that paths, folders and patterns name, and the exit status.

    A video that can't be embedded costs one line, and the status is 1 then.

    Raises:
        InputError: a folder or a pattern has no video.
        Cancelled: cancelled before the end.
    """
    done: dict[str, tuple[Video, EmbeddingInfo]] = {}
    status = 0
    for path in named_videos(texts):
        try:
            video, info = embed(path)
        except PromptreelError as error:  # go on with the other videos
            context.reporter.problem(error)
            status = 1
        else:
            done[video.sha256] = video, info
    return list(done.values()), status


def embed_stored(engine: Engine, context: Context, store: Store, video: Video, sampling: Sampling) -> EmbeddingInfo:
    """Embed what is missing of a video of the store with any engine; errors as ``embed_missing``."""
    name, reporter = video.name, context.reporter
    key = embedding_key(video, engine, sampling)
    finer = take_from_finer(store, key) if engine.embeds_video else None
    before = store.find_embedding(key)
    if finer is not None and before is not None:
        reporter.line(f"{name}: {plural(before.samples, 'sample')} taken from {finer.description}")
    started = time.monotonic()

    def show(progress: Progress) -> None:
        reporter.progress(name, progress)

    info = ingest(store, video, engine, sampling, on_progress=show, cancel=context.cancel)
    if not info.complete:
        raise Cancelled
    if before is None or not before.complete:
        done = info.samples - (before.samples if before else 0)
        took = format_duration(time.monotonic() - started)
        reporter.line(f"{name}: embedded {done:,} samples in {took}")
    if info.damage:
        reporter.line(f"{name}: {info.damage}")
    return info


def analysed(context: Context, store: Store, video: Video, sampling: Sampling, prompt_set: PromptSet) -> Analysis:
    """Return what ``prompt_set`` finds in an embedded video; relative scores have the reference phrases embedded first.

    Raises:
        Cancelled: cancelled meanwhile.
    """
    return analysed_with(context.engine, context, store, video, sampling, prompt_set)


def analysed_with(
    engine: Engine, context: Context, store: Store, video: Video, sampling: Sampling, prompt_set: PromptSet
) -> Analysis:
    """Return what ``prompt_set`` finds with any engine; errors as ``analysed``."""
    if prompt_set.needs_reference:
        embed_reference(engine, context, store)
    return analyse_stored(store, video, engine, sampling, prompt_set)


def add_picture_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--picture``, which ``with_pictures`` reads."""
    parser.add_argument(
        "--picture",
        dest="pictures",
        action="append",
        default=[],
        metavar="LABEL=FILE",
        help="a picture as an example of a label: looks like this; may be repeated",
    )


def with_pictures(given: Sequence[str], prompt_set: PromptSet, store: Store, context: Context) -> PromptSet:
    """Return ``prompt_set`` with the pictures of ``--picture`` added; report pictures that are not on this machine.

    Raises:
        InputError: no such label, or the file is no picture that can be used.
    """
    from lib.services.picture_examples import add, missing_pictures, picture_vectors

    for text in given:
        label, equals, file = text.partition("=")
        by_key = {label_key(prompt.label): prompt for prompt in prompt_set.prompts}
        prompt = by_key.get(label_key(label))
        if prompt is None or not equals:
            labels = shortened(", ".join(prompt.label for prompt in prompt_set.prompts), 200)
            raise InputError(f"--picture {text} names no prompt; write LABEL=FILE, with one of the labels {labels}.")
        sha256 = add(store, read_bytes(Path(file), "picture", InputError), Path(file).name)
        if sha256 not in prompt.pictures:
            changed = replace(prompt, pictures=(*prompt.pictures, sha256))
            prompts = tuple(changed if one is prompt else one for one in prompt_set.prompts)
            prompt_set = replace(prompt_set, prompts=prompts)
    if prompt_set.pictures:
        for problem in missing_pictures(prompt_set, picture_vectors(store, context.engine, prompt_set.pictures)):
            context.reporter.line(problem)
    return prompt_set
