"""What the commands have in common: the engine and its options, embedding what is missing, reading prompt sets."""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

from lib.cli.output import Reporter
from lib.core.errors import Cancelled, InputError, PromptSetError, SettingsError, UnknownModelError
from lib.core.formatting import format_duration
from lib.core.sampling import DEFAULT_STRIDE, Sampling
from lib.engines.clip_versions import DEFAULT_VERSION, MODEL_VERSIONS
from lib.engines.embedded_models import EMBEDDED_MODELS
from lib.engines.engine import Engine
from lib.engines.registry import ENGINE_VARIABLE, api_key_from_environment, default_engine, make_engine
from lib.ingest.ingest import embedding_key, ingest
from lib.ingest.progress import Progress
from lib.prompts.model import PromptSet
from lib.prompts.parsing import parse_prompt_set
from lib.store.embeddings import EmbeddingInfo
from lib.store.home import default_home
from lib.store.store import Store
from lib.store.videos import Video

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


class UsageError(Exception):
    """Wrong usage that only shows once the arguments are put together; the message goes to the parser."""


class Context:
    """What a command works with.

    Attributes:
        reporter: progress and problems.
        cancel: set by the first Ctrl-C.
    """

    def __init__(self, args: argparse.Namespace, reporter: Reporter, cancel: threading.Event) -> None:
        self._args = args
        self.reporter = reporter
        self.cancel = cancel

    @cached_property
    def engine(self) -> Engine:
        """The engine that the options ask for, made when it is first asked for.

        Raises:
            UsageError: there is no such engine or model.
        """
        spec = self._args.engine or default_engine()
        if self._args.model and spec.strip().lower() in EMBEDDED_MODELS:
            raise UsageError(f"--model chooses among an inference server's models, but the engine is {spec}")
        try:
            return make_engine(
                spec,
                model_version=self._args.model or DEFAULT_VERSION,
                api_key=api_key_from_environment(),
                home=default_home(),
                on_progress=self.reporter.preparation,
            )
        except (InputError, UnknownModelError) as error:
            raise UsageError(str(error)) from error

    def close(self) -> None:
        """Close the engine, if one was made."""
        if "engine" in self.__dict__:
            self.engine.close()


def embedded(context: Context, store: Store, path: Path, sampling: Sampling) -> tuple[Video, EmbeddingInfo]:
    """Return the video and its embedding; embeds what is missing.

    Raises:
        Cancelled: cancelled before the end.
    """
    name, engine, reporter = path.name, context.engine, context.reporter
    video = store.add_file(path, on_progress=lambda done, total: reporter.hashing(name, done, total))
    before = store.find_embedding(embedding_key(video, engine, sampling))
    begun = time.monotonic()

    def tell(progress: Progress) -> None:
        reporter.progress(name, progress)

    info = ingest(store, video, engine, sampling, on_progress=tell, cancel=context.cancel)
    if not info.complete:
        raise Cancelled
    if before is None or not before.complete:
        done = info.samples - (before.samples if before else 0)
        took = format_duration(time.monotonic() - begun)
        reporter.line(f"{name}: embedded {done:,} samples in {took}")
    if info.damage:
        reporter.line(f"{name}: {info.damage}")
    return video, info


def read_prompt_set(path: Path) -> PromptSet:
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


def tell_unknown_words(texts: Iterable[str], context: Context) -> None:
    """Tell which words the demo model has never seen, when it is the engine."""
    words = context.engine.unknown_words(texts)
    if words:
        context.reporter.line(
            f"The demo model has never seen {', '.join(repr(word) for word in words)}: "
            "scores of these words mean nothing; other engines know them."
        )


def engine_options(*, sampling: bool = True) -> argparse.ArgumentParser:
    """Return a parent parser: engine, model, ``--json``, and the sampling where it is asked for."""
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
    shared.add_argument("--json", action="store_true", help="print JSON instead of a table")
    if sampling:
        _add_sampling(shared)
    return shared


def _add_sampling(parser: argparse.ArgumentParser) -> None:
    sampling = parser.add_mutually_exclusive_group()
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
    parser.set_defaults(sampling=Sampling.every())


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
