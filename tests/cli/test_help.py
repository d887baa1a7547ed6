"""What the command line says of itself, and what shells complete."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lib.__main__ import COMMANDS, GROUPS
from tests.helpers.fixtures import Run

ROOT = Path(__file__).parents[2]


def test_commands_are_listed_once_by_what_they_are_for(run: Run) -> None:
    status, out, _ = run("--help")

    lines = out.splitlines()
    begun = [line.split()[0] for line in lines if line.startswith("  ") and line[2] not in " -"]
    assert status == 0
    assert [line for line in lines if line.removesuffix(":") in GROUPS] == [f"{title}:" for title in GROUPS]
    assert begun == list(COMMANDS)
    assert max(map(len, lines)) <= 100


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("python -m lib se", {"search"}),
        ("python -m lib search --im", {"--image"}),
        ("python -m lib versions ", {"list", "save", "--help"}),
    ],
)
def test_shells_complete_commands_and_their_options(tmp_path: Path, line: str, offered: set[str]) -> None:
    shell = {
        "_ARGCOMPLETE": "3",  # words that belong to the program's name
        "_ARGCOMPLETE_IFS": "\n",
        "_ARGCOMPLETE_SUPPRESS_SPACE": "1",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(tmp_path / "completions"),
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
    }
    subprocess.run([sys.executable, "-m", "lib"], cwd=ROOT, env={**os.environ, **shell}, timeout=60, check=False)

    given = set((tmp_path / "completions").read_text().split())
    assert offered <= given
    assert not {"search", "--image", "list"} & given - offered


def test_argcomplete_finds_its_mark() -> None:
    check = [sys.executable, "-m", "argcomplete._check_module", "lib"]
    assert subprocess.run(check, cwd=ROOT, timeout=60, check=False).returncode == 0
