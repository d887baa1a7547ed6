"""The command line, ``python -m lib``: the same engines and store as the dashboard; the commands are in ``lib.cli``.

Results go to stdout, progress and problems to stderr. Exit status: 0; 1 for a problem with the input or the
engine, in one line; 2 for wrong usage; 130 when interrupted (what is embedded is kept).

PYTHON_ARGCOMPLETE_OK: shells complete it where argcomplete's global completion is activated.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import itertools
import os
import signal
import sys
import textwrap
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from types import FrameType

from lib.cli.context import Context, UsageError
from lib.cli.output import Reporter
from lib.core.errors import Cancelled, PromptreelError
from lib.engines.registry import API_KEY_VARIABLE

GROUPS = {
    "look into a video": {
        "analyze": ("analyze", "embed what is missing of a video, then print what prompts find in it"),
        "compare": (
            "compare",
            "embed what is missing of a video, then print what two prompt sets find, side by side",
        ),
        "evaluate": (
            "evaluate",
            "embed what is missing of a video, then print what prompts are worth against the truth",
        ),
        "learn": (
            "learn",
            "learn prompts from the ground truth of videos, where that is shown to be better",
        ),
    },
    "look into all videos": {
        "search": ("search", "find moments in all embedded videos"),
        "classify": ("classify", "sort videos into categories, and flag those that hold what is restricted"),
    },
    "hand on what is found": {
        "clips": ("clips", "cut out what prompts find in a video, as files or one reel, or draw it into the video"),
        "report": ("report", "write one HTML file for people without Promptreel: of a video, a comparison, an archive"),
        "export": ("export", "write what prompts find in a video as a file for an editor or an annotation tool"),
    },
    "embed videos": {
        "embed": ("embed", "embed videos"),
        "queue": ("embedding_queue", "add videos to the queue of embeddings, list it, and work through it"),
        "import": ("import_results", "import a results.json of the hosted Video Inference API"),
    },
    "keep and share": {
        "experiments": ("experiments", "list, show, delete and restore the dashboard's experiments"),
        "versions": ("versions", "save, list, compare, export and import versions of experiments"),
        "publish": ("publish", "publish embeddings to object storage or a shared folder"),
        "pull": ("pull", "take published embeddings into the library, or list them"),
    },
}
"""Name -> module in ``lib.cli`` and help, by what they are for; a module is imported only when its command runs."""
COMMANDS = {name: command for group in GROUPS.values() for name, command in group.items()}
_INTERRUPTED = 130
_STOPS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
"""Windows has no SIGHUP."""
_HELP_WIDTH = 100
_MAY_BE_EMPTY = ("--title", "--note")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    completing = os.environ.get("_ARGCOMPLETE")  # a shell asks what may come next, here
    if completing:
        arguments = os.environ.get("COMP_LINE", "").split()[int(completing) :]
    parser = _parser(next((word for word in arguments if not word.startswith("-")), None))
    if completing:
        import argcomplete

        argcomplete.autocomplete(parser)  # which ends the process
    empty = _empty(arguments)
    if empty:
        parser.error(f"{empty} is empty; write something, or leave it out")
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


def _empty(arguments: Sequence[str]) -> str | None:
    """Return what is given as an empty text that would be taken for no option, or for the folder one is in."""
    for before, word in itertools.pairwise(arguments):
        option, equals, value = word.partition("=")
        if equals and not value and option.startswith("--") and option not in _MAY_BE_EMPTY:
            return option
        if not word and before not in _MAY_BE_EMPTY:
            return before if before.startswith("-") else "an argument"
    return None


@contextmanager
def _interruptible() -> Iterator[threading.Event]:
    """Yield an event that the first Ctrl-C, SIGTERM or SIGHUP sets, for an orderly stop; the second interrupts."""
    cancel = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        if cancel.is_set():
            raise KeyboardInterrupt
        cancel.set()

    if threading.current_thread() is not threading.main_thread():
        yield cancel
        return
    heeded = [number for number in _STOPS if signal.getsignal(number) != signal.SIG_IGN]  # as nohup ignores SIGHUP
    before = {number: signal.signal(number, stop) for number in heeded}
    try:
        yield cancel
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _parser(chosen: str | None) -> argparse.ArgumentParser:
    """Return the parser; of the commands, only the chosen one has its arguments."""
    parser = argparse.ArgumentParser(
        prog="python -m lib",
        usage="%(prog)s [-h] COMMAND ...",
        description="Embed a video's frames once, then see what prompts find in it.\n\n"
        + "\n\n".join(_group(title, commands) for title, commands in GROUPS.items()),
        epilog=textwrap.fill(
            f"COMMAND --help lists a command's arguments. The API key of an inference server and of the hosted service "
            f"is read from {API_KEY_VARIABLE}. What is embedded is kept under PROMPTREEL_HOME (default ~/.promptreel), "
            "shared with the dashboard.",
            _HELP_WIDTH,
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(prog=parser.prog, required=True, metavar="COMMAND", help=argparse.SUPPRESS)
    for name, (module, text) in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        if name == chosen:
            importlib.import_module(f"lib.cli.{module}").add_arguments(command)
    return parser


def _group(title: str, commands: Mapping[str, tuple[str, str]]) -> str:
    """Return a group of commands as argparse would write them; it has no groups of commands itself."""
    indent = " " * 16
    lines = [
        textwrap.fill(text, _HELP_WIDTH, initial_indent=f"  {name:<14}", subsequent_indent=indent)
        for name, (_, text) in commands.items()
    ]
    return "\n".join([f"{title}:", *lines])


if __name__ == "__main__":
    if sys.argv[1:2] == ["search"]:  # imports make many objects and no garbage, and a search is over soon
        gc.disable()
    else:
        gc.set_threshold(50_000)
    sys.exit(main())
