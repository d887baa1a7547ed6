"""Commands that have actions of their own, such as ``versions list``."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from lib.cli.context import Context

Run = Callable[[argparse.Namespace, Context], int]


def actions(parser: argparse.ArgumentParser) -> Callable[[str, Run, str], argparse.ArgumentParser]:
    """Return what adds an action to ``parser``: by its name, what runs it, and what it does in words."""
    commands = parser.add_subparsers(required=True, metavar="ACTION")

    def add(name: str, run: Run, words: str) -> argparse.ArgumentParser:
        action = commands.add_parser(name, help=words, description=f"{words[0].upper()}{words[1:]}.")
        action.set_defaults(run=run)
        return action

    return add
