"""The command line, ``python -m lib``: the same engines and store as the dashboard; the commands are in ``lib.cli``.

Results go to stdout, progress and problems to stderr. Exit status: 0; 1 for a problem with the input or the
engine, in one line; 2 for wrong usage; 130 when interrupted (what is embedded is kept).
"""

from __future__ import annotations

import argparse
import gc
import importlib
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from types import FrameType

from lib.cli.context import Context, UsageError
from lib.cli.output import Reporter
from lib.core.errors import Cancelled, PromptreelError
from lib.engines.registry import API_KEY_VARIABLE

COMMANDS = {
    "embed": ("embed", "embed videos"),
    "analyze": ("analyze", "embed what is missing of a video, then print what prompts find in it"),
    "compare": (
        "compare",
        "embed what is missing of a video, then print what two prompt sets find, side by side",
    ),
    "evaluate": (
        "evaluate",
        "embed what is missing of a video, then print what prompts are worth against the truth",
    ),
    "classify": ("classify", "sort videos into categories, and flag those that hold what is restricted"),
    "learn": (
        "learn",
        "learn prompts from the ground truth of videos, where that is shown to be better",
    ),
    "search": ("search", "find moments in all embedded videos"),
    "queue": ("embedding_queue", "add videos to the queue of embeddings, list it, and work through it"),
    "publish": ("publish", "publish embeddings to object storage or a shared folder"),
    "pull": ("pull", "take published embeddings into the library, or list them"),
    "experiments": ("experiments", "list, show, delete and restore the dashboard's experiments"),
    "versions": ("versions", "save, list, compare, export and import versions of experiments"),
    "import": ("import_results", "import a results.json of the hosted Video Inference API"),
}
"""Name -> module in ``lib.cli`` and help; the module is imported only when its command is the one that runs."""
_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    parser = _parser(next((word for word in arguments if not word.startswith("-")), None))
    args = parser.parse_args(arguments)
    reporter = Reporter(sys.stderr)
    try:
        with _interruptible() as cancel, closing(Context(args, reporter, cancel)) as context:
            status: int = args.run(args, context)
        sys.stdout.flush()
        return status
    except UsageError as error:
        parser.error(str(error))
    except PromptreelError as error:
        reporter.problem(error)
        return 1
    except (Cancelled, KeyboardInterrupt):
        reporter.problem("interrupted; what is embedded is kept, and the same command resumes there.")
        return _INTERRUPTED
    except BrokenPipeError:  # the reader of stdout has closed it; keep Python from complaining at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        what, why = error.filename or "The home folder", error.strerror or type(error).__name__
        reporter.problem(f"{what} can't be read or written ({why}); check its disk and its rights, then try again.")
        return 1


@contextmanager
def _interruptible() -> Iterator[threading.Event]:
    """Yield an event that the first Ctrl-C sets, for an orderly stop; the second raises KeyboardInterrupt."""
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


def _parser(chosen: str | None) -> argparse.ArgumentParser:
    """Return the parser; of the commands, only the chosen one has its arguments."""
    parser = argparse.ArgumentParser(
        prog="python -m lib",
        description="Embed a video's frames once, then see what prompts find in it.",
        epilog=f"The API key of an inference server and of the hosted service is read from {API_KEY_VARIABLE}. "
        "What is embedded is kept under PROMPTREEL_HOME (default ~/.promptreel), shared with the dashboard.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, (module, text) in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        if name == chosen:
            importlib.import_module(f"lib.cli.{module}").add_arguments(command)
    return parser


if __name__ == "__main__":
    if sys.argv[1:2] == ["search"]:  # imports make many objects and no garbage, and a search is over soon
        gc.disable()
    else:
        gc.set_threshold(50_000)
    sys.exit(main())
