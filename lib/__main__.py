"""The command line, ``python -m lib``: ``embed`` and ``analyze``, the same engine and store as the pages.

Results go to stdout, progress and problems to stderr. Exit status: 0; 1 for a problem with the input or the
engine, said in one line; 2 for wrong usage; 130 when interrupted (what is embedded is kept).
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from lib.cli_output import Reporter, analysis_table, dump, embeddings_table
from lib.engines import Engine
from lib.engines.embedded import EmbeddedEngine
from lib.engines.registry import (
    API_KEY_VARIABLE,
    DEFAULT_VERSION,
    EMBEDDED_MODELS,
    ENGINE_VARIABLE,
    MODEL_VERSIONS,
    api_key_from_environment,
    default_engine,
    make_engine,
)
from lib.engines.vocabulary import unknown_words
from lib.errors import InputError, PromptreelError, PromptSetError, SettingsError, UnknownModelError
from lib.experiment import analyse_stored, engine_document, report, sampling_document, video_document
from lib.ingest import Progress, embedding_key, ingest
from lib.prompts import PromptSet, parse_prompt_set
from lib.store import EmbeddingInfo, Store, Video, default_home
from lib.timebase import DEFAULT_STRIDE, Sampling, format_duration

_INTERRUPTED = 130


class _StoppedError(Exception):
    """Ctrl-C; what is embedded is kept."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    parser = _parser()
    args = parser.parse_args(arguments)
    reporter = Reporter(sys.stderr)
    try:
        engine = _engine(args, parser, reporter)
        with closing(engine), _interruptible() as cancel:
            status: int = args.run(args, engine, reporter, cancel)
        sys.stdout.flush()
        return status
    except PromptreelError as error:
        reporter.problem(error)
        return 1
    except (_StoppedError, KeyboardInterrupt):
        reporter.problem("interrupted; what is embedded is kept, the same command goes on from there.")
        return _INTERRUPTED
    except BrokenPipeError:  # the reader of stdout has seen enough; keep Python from complaining at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _embed(args: argparse.Namespace, engine: Engine, reporter: Reporter, cancel: threading.Event) -> int:
    store = Store()
    documents: list[dict[str, Any]] = []
    status = 0
    for path in args.videos:
        try:
            video, info = _embedded(store, path, engine, args.sampling, reporter, cancel)
        except PromptreelError as error:  # the other videos are no worse for it
            reporter.problem(error)
            status = 1
            continue
        documents.append(
            {
                "video": video_document(video, duration_s=info.duration_s, samples=info.samples),
                "engine": engine_document(engine),
                "sampling": sampling_document(args.sampling),
            }
        )
    if args.json:
        print(dump(documents))
    elif documents:
        print(embeddings_table(documents))
    return status


def _analyze(args: argparse.Namespace, engine: Engine, reporter: Reporter, cancel: threading.Event) -> int:
    prompt_set = _read_prompt_set(args.prompts)
    if isinstance(engine, EmbeddedEngine) and engine.model == "demo":
        _tell_unknown_words(prompt_set, reporter)
    store = Store()
    video, _ = _embedded(store, args.video, engine, args.sampling, reporter, cancel)
    analysis = analyse_stored(store, video, engine, args.sampling, prompt_set)
    if args.json:
        print(dump(report(video, engine, args.sampling, analysis, samples=args.samples)))
        return 0
    found = analysis.samples
    head = (
        f"{video.name}: {format_duration(found.duration_s)}, {len(found):,} samples "
        f"({args.sampling.description}), {engine.name}, prompt set {prompt_set.name}"
    )
    print(analysis_table(head, analysis, samples=args.samples))
    return 0


def _embedded(
    store: Store,
    path: Path,
    engine: Engine,
    sampling: Sampling,
    reporter: Reporter,
    cancel: threading.Event,
) -> tuple[Video, EmbeddingInfo]:
    """Return the video and its embedding; embeds what is missing.

    Raises:
        _StoppedError: cancelled before the end.
    """
    name = path.name
    video = store.add_file(path, on_progress=lambda done, total: reporter.hashing(name, done, total))
    before = store.find_embedding(embedding_key(video, engine, sampling))
    begun = time.monotonic()

    def tell(progress: Progress) -> None:
        reporter.progress(name, progress)

    info = ingest(store, video, engine, sampling, on_progress=tell, cancel=cancel)
    if not info.complete:
        raise _StoppedError
    if before is None or not before.complete:
        done = info.samples - (before.samples if before else 0)
        took = format_duration(time.monotonic() - begun)
        reporter.line(f"{name}: embedded {done:,} samples in {took}")
    if info.damage:
        reporter.line(f"{name}: {info.damage}")
    return video, info


def _read_prompt_set(path: Path) -> PromptSet:
    """Return the prompt set in a file, named after the file where it has no name of its own."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise PromptSetError(
            f"The prompt set {path} can't be read ({error.strerror}); check its path."
        ) from error
    except UnicodeDecodeError as error:
        raise PromptSetError(f"The prompt set {path} is no UTF-8 text; save it as such.") from error
    try:
        return parse_prompt_set(text, name=path.name.split(".")[0] or path.name)
    except (PromptSetError, SettingsError) as error:
        raise type(error)(f"{path.name}: {error}") from error


def _tell_unknown_words(prompt_set: PromptSet, reporter: Reporter) -> None:
    words = dict.fromkeys(word for text in prompt_set.texts for word in unknown_words(text))
    if words:
        reporter.line(
            f"The demo model has never seen {', '.join(repr(word) for word in words)}: "
            "scores of these words mean nothing; other engines know them."
        )


def _engine(args: argparse.Namespace, parser: argparse.ArgumentParser, reporter: Reporter) -> Engine:
    spec = args.engine or default_engine()
    if args.model and spec.strip().lower() in EMBEDDED_MODELS:
        parser.error(f"--model chooses among an inference server's models, but the engine is {spec}")
    try:
        return make_engine(
            spec,
            model_version=args.model or DEFAULT_VERSION,
            api_key=api_key_from_environment(),
            home=default_home(),
            on_progress=reporter.preparation,
        )
    except (InputError, UnknownModelError) as error:
        parser.error(str(error))


@contextmanager
def _interruptible() -> Iterator[threading.Event]:
    """Yield an event that the first Ctrl-C sets, so that an ingest stops in order; the second breaks off."""
    cancel = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        if cancel.is_set():
            raise KeyboardInterrupt
        cancel.set()

    if threading.current_thread() is not threading.main_thread():
        yield cancel
        return
    before = signal.signal(signal.SIGINT, stop)
    try:
        yield cancel
    finally:
        signal.signal(signal.SIGINT, before)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m lib",
        description="Embed a video's frames once, then see what prompts find in it.",
        epilog=f"The API key of an inference server is read from {API_KEY_VARIABLE}. "
        "What is embedded is kept under PROMPTREEL_HOME (default ~/.promptreel), as the dashboard does.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    shared = _shared_options()

    embed = commands.add_parser("embed", parents=[shared], help="embed videos", description="Embed videos.")
    embed.add_argument("videos", nargs="+", type=Path, metavar="VIDEO")
    embed.set_defaults(run=_embed)

    analyze = commands.add_parser(
        "analyze",
        parents=[shared],
        help="embed what is missing of a video, then print what prompts find in it",
        description="Embed what is missing of a video, then print what prompts find in it.",
    )
    analyze.add_argument("video", type=Path, metavar="VIDEO")
    analyze.add_argument(
        "--prompts",
        type=Path,
        required=True,
        metavar="FILE",
        help="a prompt set as YAML or JSON, one prompt a line, or a config.yaml with a CLIP list",
    )
    analyze.add_argument("--samples", action="store_true", help="with each sample and its scores")
    analyze.set_defaults(run=_analyze)
    return parser


def _shared_options() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--engine",
        metavar="ENGINE",
        help=f"{', '.join(EMBEDDED_MODELS)}, or the address of an inference server "
        f"(default: {ENGINE_VARIABLE}, else demo)",
    )
    shared.add_argument(
        "--model",
        metavar="VERSION",
        help=f"CLIP version of an inference server: {', '.join(MODEL_VERSIONS)} (default: {DEFAULT_VERSION})",
    )
    sampling = shared.add_mutually_exclusive_group()
    sampling.add_argument(
        "--stride",
        dest="sampling",
        type=_option(lambda text: Sampling.every(int(text)), "a whole number of 1 or more"),
        metavar="N",
        help=f"embed every Nth frame (default: {DEFAULT_STRIDE})",
    )
    sampling.add_argument(
        "--fps",
        dest="sampling",
        type=_option(Sampling.per_second, "a number of samples a second"),
        metavar="F",
        help="embed F frames a second instead",
    )
    shared.add_argument("--json", action="store_true", help="print JSON instead of a table")
    shared.set_defaults(sampling=Sampling.every())
    return shared


def _option(read: Callable[[str], Sampling], what: str) -> Callable[[str], Sampling]:
    """Return a type for argparse, which names the option before the message."""

    def convert(text: str) -> Sampling:
        try:
            return read(text)
        except InputError as error:
            raise argparse.ArgumentTypeError(str(error)) from error
        except (ValueError, OverflowError) as error:
            raise argparse.ArgumentTypeError(f"{text!r} is not {what}") from error

    return convert


if __name__ == "__main__":
    sys.exit(main())
