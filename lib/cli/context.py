"""What the commands share: the engine and its options, the reporter, the interrupt."""

from __future__ import annotations

import argparse
import threading
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import TYPE_CHECKING

from lib.cli.output import Reporter
from lib.core.errors import InputError, UnknownModelError
from lib.core.sampling import DEFAULT_STRIDE, FRAMINGS, Sampling
from lib.engines.clip_versions import DEFAULT_VERSION, SERVER_MODELS
from lib.engines.embedded_models import EMBEDDED_MODELS
from lib.engines.registry import ENGINE_VARIABLE, api_key_from_environment, default_engine, is_embedded

if TYPE_CHECKING:
    from lib.engines.engine import Engine


class UsageError(Exception):
    """Arguments that contradict each other; the message goes to the parser."""


class Context:
    """What a command works with; ``cancel`` is set by the first Ctrl-C."""

    def __init__(self, args: argparse.Namespace, reporter: Reporter, cancel: threading.Event) -> None:
        self._args = args
        self.reporter = reporter
        self.cancel = cancel
        self._engines: list[Engine] = []

    @cached_property
    def engine(self) -> Engine:
        """The engine that the options ask for, made when it is first asked for.

        Raises:
            UsageError: there is no such engine or model.
        """
        spec = self._args.engine or default_engine()
        if self._args.model and is_embedded(spec):
            raise UsageError(f"--model chooses among an inference server's models, but the engine is {spec}")
        try:
            return self.engine_of(spec, self._args.model or DEFAULT_VERSION, api_key=api_key_from_environment())
        except (InputError, UnknownModelError) as error:
            raise UsageError(str(error)) from error

    def engine_of(self, spec: str, model_version: str, *, api_key: str | None) -> Engine:
        """Return an engine; see ``lib.services.open_engine``.

        Raises:
            InputError, UnknownModelError: there is no such engine or model.
        """
        from lib.services.open_engine import open_engine
        from lib.store.home import default_home

        engine = open_engine(
            default_home(),
            spec,
            model_version=model_version,
            api_key=api_key,
            on_progress=self.reporter.preparation,
        )
        self._engines.append(engine)
        return engine

    @property
    def sampling(self) -> Sampling:
        """Which frames the options ask for, and what of them the model is to see."""
        sampling: Sampling = self._args.sampling
        return sampling.framed(self._args.framing)

    def close(self) -> None:
        """Close the engines that were made."""
        for engine in self._engines:
            engine.close()


def warn_about_unknown_words(texts: Iterable[str], context: Context) -> None:
    """Report words that the engine has never seen."""
    words = context.engine.unknown_words(texts)
    if words:
        context.reporter.line(
            f"The demo model has never seen {', '.join(repr(word) for word in words)}: "
            "scores of these words mean nothing; other engines know them."
        )


def add_engine_options(parser: argparse.ArgumentParser, *, sampling: bool = True, json: bool = True) -> None:
    """Add engine, model and, where asked for, ``--json`` and the sampling."""
    parser.add_argument(
        "--engine",
        metavar="ENGINE",
        help=f"{', '.join(EMBEDDED_MODELS)}, hub:OWNER/NAME[@REVISION][:PRECISION] or folder:PATH[:PRECISION] for "
        f"another CLIP-like model, or the address of an inference server (default: {ENGINE_VARIABLE}, else demo)",
    )
    parser.add_argument(
        "--model",
        metavar="VERSION",
        help=f"model of an inference server: {', '.join(SERVER_MODELS)} (default: {DEFAULT_VERSION})",
    )
    if json:
        parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    if sampling:
        _add_sampling(parser)


def _add_sampling(parser: argparse.ArgumentParser) -> None:
    sampling = parser.add_mutually_exclusive_group()
    sampling.add_argument(
        "--stride",
        dest="sampling",
        type=_option(Sampling.every),
        metavar="N",
        help=f"sample every N frames (default: {DEFAULT_STRIDE})",
    )
    sampling.add_argument(
        "--fps",
        dest="sampling",
        type=_option(Sampling.per_second),
        metavar="F",
        help="sample F frames per second instead",
    )
    parser.set_defaults(sampling=Sampling.every())
    parser.add_argument(
        "--framing",
        choices=FRAMINGS,
        help="what of a frame the model sees: its centre square, or the whole frame, squashed to a square "
        "(default: what the model does by itself: centre for CLIP, whole for SigLIP and Perception Encoder)",
    )


def _option(read: Callable[[str], Sampling]) -> Callable[[str], Sampling]:
    """Return a converter for argparse whose errors say what was expected."""

    def convert(text: str) -> Sampling:
        try:
            return read(text)
        except InputError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return convert
